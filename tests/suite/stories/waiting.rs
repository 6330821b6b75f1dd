//! `promote --wait`: what others do meanwhile is carried through by the same process.

use super::*;
use crate::forge_server::state::Status;
use crate::support::command::Run;

/// dev runs it, and prod waits for what a smoke test says of that.
fn waits<F: Hosted>() -> (TestRepo, F) {
    let repo = repo_with(&["dev", "prod"], ", autoMerge: true, gates: {statuses: [smoke]}");
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    assert_eq!((pull(&forge, 1).life, pull(&forge, 2).life), (Life::Merged, Life::Open));
    forge.server().take_calls();
    (repo, forge)
}

fn promote<F: Hosted>(repo: &TestRepo, forge: &F, time: &str) -> Run {
    forge.command(repo, "promote").arguments(["--format", "json", "--wait", time])
}

pub(crate) fn what_becomes_possible_while_it_is_awaited_is_done<F: Hosted>() {
    let (repo, forge) = waits::<F>();
    let running = promote(&repo, &forge, "5m").start();
    // It has looked at everything and found nothing to do.
    assert!(forge.server().waits_for("statuses"));
    let active = repo.tip("hydrator/dev").unwrap();
    forge.server().with(|state| {
        let status = Status {
            context: "smoke".to_owned(),
            state: "success".to_owned(),
            description: String::new(),
            target_url: None,
            branch: Some("hydrator/dev".to_owned()),
            pipeline: None,
            created_at: state.now(),
        };
        state.statuses.entry(active).or_default().push(status);
    });
    let outcome = running.wait().success();
    assert_eq!(operations(&outcome), ["none", "merged"]);
    assert_eq!(pull(&forge, 2).life, Life::Merged);
    assert!(asked(&forge.server().take_calls()).iter().filter(|what| *what == "open").count() > 1);
}

pub(crate) fn what_does_not_become_possible_waits_in_the_report<F: Hosted>() {
    let (repo, forge) = waits::<F>();
    let outcome = promote(&repo, &forge, "1s").run().success();
    assert_eq!(operations(&outcome), ["none", "none"]);
    let gate = &outcome.json()["environments"][1]["promotion"];
    assert_eq!(
        (gate["state"].as_str(), gate["description"].as_str()),
        (Some("pending"), Some("dev: smoke is missing"))
    );
    assert_eq!(pull(&forge, 2).life, Life::Open);
    assert_eq!(writes(&forge.server().take_calls()), Vec::<String>::new());
}
