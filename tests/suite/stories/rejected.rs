//! Proposals whose pull requests a person closed: what their gates say meanwhile, and when they are offered again.

use super::*;
use crate::forge_server::Fault;
use crate::forge_server::state::{Method, Status};

/// Everything that was ever said of a gate, the newest last.
fn gate<F: Hosted>(forge: &F, number: u64) -> (String, String) {
    let head = pull(forge, number).head_sha;
    forge.server().with(|state| {
        let own = state.statuses[&head].iter().rfind(|one| one.context == "hydrator/promotion");
        let own = own.expect("its gate says something");
        // GitLab's word for what waits.
        (own.state.replace("running", "pending"), own.description.clone())
    })
}

/// What a smoke test says of what dev runs.
fn smoke<F: Hosted>(repo: &TestRepo, forge: &F, word: &str) {
    let active = repo.tip("hydrator/dev").unwrap();
    forge.server().with(|state| {
        let status = Status {
            context: "smoke".to_owned(),
            state: word.to_owned(),
            description: String::new(),
            target_url: None,
            branch: Some("hydrator/dev".to_owned()),
            pipeline: None,
            created_at: state.now(),
        };
        state.statuses.entry(active).or_default().push(status);
    });
}

/// Pull request 2 offers something to prod, and may be merged.
fn open_gate<F: Hosted>() -> (TestRepo, F) {
    let repo = repo_with(&["dev", "prod"], ", gates: {statuses: [smoke]}");
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    forge.server().with(|state| state.merge(1, Method::Merge).unwrap());
    smoke(&repo, &forge, "success");
    _ = forge.command(&repo, "promote").run().success();
    assert_eq!(gate(&forge, 2).0, "success");
    (repo, forge)
}

pub(crate) fn the_gate_of_what_a_person_closed_is_closed_too<F: Hosted>() {
    let (repo, forge) = open_gate::<F>();
    forge.server().with(|state| state.close(2));
    let closed = "closed by a person: `hydrator promote --reopen prod` offers it again";
    for writes_of in [1, 0] {
        forge.server().take_calls();
        _ = forge.command(&repo, "promote").run().success();
        assert_eq!(gate(&forge, 2), ("pending".to_owned(), closed.to_owned()));
        let written = writes(&forge.server().take_calls());
        let gates = written.iter().filter(|what| what.contains("/statuses/")).count();
        assert_eq!(gates, writes_of, "{written:?}");
    }
    // Whoever opens it again by hand cannot merge it yet; it is looked at like any other one.
    smoke(&repo, &forge, "pending");
    forge.server().with(|state| state.pull(2).unwrap().life = Life::Open);
    _ = forge.command(&repo, "promote").run().success();
    assert_eq!(gate(&forge, 2), ("pending".to_owned(), "dev: smoke is pending".to_owned()));
    smoke(&repo, &forge, "success");
    _ = forge.command(&repo, "promote").run().success();
    assert_eq!(gate(&forge, 2).0, "success");
}

pub(crate) fn what_is_offered_again_is_opened_behind_a_closed_gate<F: Hosted>() {
    let (repo, forge) = open_gate::<F>();
    // Nobody has looked at it since it was closed, and the job breaks off once it is open again.
    forge.server().with(|state| state.close(2));
    smoke(&repo, &forge, "pending");
    let mut is_open = false;
    forge.server().decide(move |call| {
        let breaks_off = is_open;
        is_open |= call.what() == F::OPENING;
        breaks_off.then(|| Fault::refusal(400, "not now"))
    });
    let reopen = || forge.command(&repo, "promote").arguments(["--reopen", "prod"]).run();
    assert_ne!(reopen().exit_code(), Some(0));
    assert_eq!(pulls(&forge).last().map(|one| (one.0, one.1)), Some((3, Life::Open)));
    assert_eq!(gate(&forge, 3).0, "pending");
    forge.server().recover();
    _ = reopen().success();
    assert_eq!(gate(&forge, 3), ("pending".to_owned(), "dev: smoke is pending".to_owned()));
}
