//! Promotions that offer what a preview on the DRY pull request showed, and others.

use super::*;
use crate::forge_server::state::Method;

const BOTH: [&str; 2] = ["dev", "prod"];

/// A change by a person, on a branch with a pull request of its own, with a preview there.
fn propose<F: Hosted>(repo: &TestRepo, forge: &F, value: &str) -> u64 {
    propose_in(repo, forge, ("apps", value))
}

/// The same in any directory of targets.
fn propose_in<F: Hosted>(repo: &TestRepo, forge: &F, (directory, value): (&str, &str)) -> u64 {
    repo.switch("change");
    for name in BOTH {
        repo.write(&format!("{directory}/{name}/x.yaml"), &manifest(name, value));
    }
    repo.commit(&format!("Set {value}"));
    repo.switch("main");
    let number = forge.server().with(|state| {
        let number = state.open("change", "main", "Change it", "").unwrap();
        let pull = state.pull(number).unwrap();
        pull.reviews = vec![("alice".to_owned(), true), ("bob".to_owned(), false)];
        number
    });
    let arguments =
        ["--comment", "--base", "main", "--head", "change", "--pull-request", &number.to_string()];
    _ = forge.command(repo, "diff").arguments(arguments).run().success();
    assert_eq!(pull(forge, number).comments.len(), 1);
    number
}

fn land<F: Hosted>(repo: &TestRepo, forge: &F, number: u64) {
    land_by(repo, forge, number, Method::Squash);
}

fn land_by<F: Hosted>(repo: &TestRepo, forge: &F, number: u64, method: Method) {
    forge.server().with(|state| state.merge(number, method).unwrap());
    let git = repo.work_git();
    git.run(&["pull", "-q", "--ff-only", "origin", "main"]);
    git.run(&["branch", "-q", "-D", "change"]);
    git.run(&["push", "-q", "origin", ":refs/heads/change"]);
}

/// What is said of an environment's proposal.
fn said<F: Hosted>(repo: &TestRepo, forge: &F, environment: &str) -> Option<(String, String)> {
    let head = repo.tip(&format!("hydrator/{environment}-next")).unwrap();
    forge.server().with(|state| {
        let status = state.newest(&head, "hydrator/as-previewed")?;
        Some((status.state.clone(), status.description.clone()))
    })
}

fn merge_all<F: Hosted>(forge: &F) {
    forge.server().with(|state| {
        let open: Vec<u64> =
            state.pulls.iter().filter(|pull| pull.is_open()).map(|pull| pull.number).collect();
        for number in open {
            state.merge(number, Method::Merge).unwrap();
        }
    });
}

/// Dev and prod have the first value.
fn started<F: Hosted>() -> (TestRepo, F) {
    let repo = repo_of(&BOTH);
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    for name in BOTH {
        assert_eq!(said(&repo, &forge, name), None, "nothing was previewed, and nobody asked");
    }
    merge_all(&forge);
    (repo, forge)
}

fn require(repo: &TestRepo) {
    let text = std::fs::read_to_string(repo.work().join("hydrator.yaml")).unwrap();
    repo.write("hydrator.yaml", &format!("{text}promotion: {{asPreviewed: true}}\n"));
    repo.commit("Ask for previews");
}

pub(crate) fn what_was_previewed_is_told_from_what_was_not<F: Hosted>() {
    let (repo, forge) = started::<F>();
    let number = propose(&repo, &forge, "second");
    land(&repo, &forge, number);
    _ = forge.job(&repo).run().success();
    let shown =
        |number: u64| Some(("success".to_owned(), format!("as previewed in #{number}, approved by alice")));
    for name in BOTH {
        assert_eq!(said(&repo, &forge, name), shown(number));
    }
    forge.server().take_calls();
    for command in ["run", "promote"] {
        _ = forge.command(&repo, command).run().success();
        assert_eq!(writes(&forge.server().take_calls()), Vec::<String>::new(), "{command}");
    }
    // Somebody changes what was previewed while it waits to be merged.
    let other = propose(&repo, &forge, "third");
    repo.write("apps/prod/y.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\n");
    repo.commit("More for prod");
    land(&repo, &forge, other);
    _ = forge.job(&repo).run().success();
    let dry = repo.tip("main").unwrap();
    assert_eq!(said(&repo, &forge, "dev"), shown(other));
    assert_eq!(said(&repo, &forge, "prod"), None, "this is not what was previewed");
    // Who asks for it is told so: the proposals are those from before.
    require(&repo);
    _ = forge.job(&repo).run().success();
    let refused = said(&repo, &forge, "prod").unwrap().0;
    assert!(["failure", "failed"].contains(&refused.as_str()), "{refused}");
    let words = format!("no preview of {} showed this: app", &dry[..7]);
    assert_eq!(said(&repo, &forge, "prod"), Some((refused, words)));
    assert_eq!(said(&repo, &forge, "dev"), shown(other));
    forge.server().take_calls();
    for command in ["run", "promote"] {
        _ = forge.command(&repo, command).run().success();
        assert_eq!(writes(&forge.server().take_calls()), Vec::<String>::new(), "{command}");
    }
}

pub(crate) fn several_changes_are_promoted_together_as_previewed<F: Hosted>() {
    let (repo, forge) = started::<F>();
    let text = std::fs::read_to_string(repo.work().join("hydrator.yaml")).unwrap();
    let target = |name: &str| format!("  - path: {name}/{{environment}}\n    name: {name}\n");
    repo.write("hydrator.yaml", &(text + &target("jobs") + &target("web")));
    for (directory, name) in [("jobs", "dev"), ("jobs", "prod"), ("web", "dev"), ("web", "prod")] {
        repo.write(&format!("{directory}/{name}/x.yaml"), &manifest(name, directory));
    }
    require(&repo);
    _ = forge.job(&repo).run().success();
    merge_all(&forge);
    _ = forge.job(&repo).run().success();
    for method in [Method::Merge, Method::Squash] {
        // The jobs of the first two were overtaken by the third one's.
        let numbers = ["apps", "jobs", "web"].map(|directory| {
            let number = propose_in(&repo, &forge, (directory, &format!("{method:?}")));
            land_by(&repo, &forge, number, method);
            number
        });
        _ = forge.job(&repo).run().success();
        for name in BOTH {
            let (state, words) = said(&repo, &forge, name).unwrap();
            assert_eq!(state, "success", "{method:?}: {words}");
            assert!(numbers.iter().all(|number| words.contains(&format!("#{number}"))), "{words}");
        }
        merge_all(&forge);
        _ = forge.job(&repo).run().success();
    }
}

pub(crate) fn a_rollback_needs_no_preview<F: Hosted>() {
    let (repo, forge) = started::<F>();
    require(&repo);
    set(&repo, &["prod"], "second");
    _ = forge.job(&repo).run().success();
    let (state, words) = said(&repo, &forge, "prod").unwrap();
    assert_ne!(state, "success");
    assert!(words.starts_with("no preview of ") && words.ends_with(" is known: app"), "{words}");
    merge_all(&forge);
    let arguments = ["--environment", "prod", "--to", "previous", "--actor", "alice"];
    _ = forge.command(&repo, "rollback").arguments(arguments).run().success();
    _ = forge.command(&repo, "promote").run().success();
    let words = "a rollback: these manifests were active before";
    assert_eq!(said(&repo, &forge, "prod"), Some(("success".to_owned(), words.to_owned())));
}
