//! What statuses of ours do to a project's own pipelines, as whose jobs they are kept.

use super::*;
use crate::forge_server::gitlab::pipelines::{of_commit, outcome};
use crate::forge_server::state::Method;
use crate::stories::pages;

/// How each pipeline of a commit stands, oldest first.
fn outcomes(gitlab: &GitLab, commit: &str) -> Vec<&'static str> {
    gitlab.server.with(|state| of_commit(state, commit).iter().map(|one| outcome(state, one)).collect())
}

/// States of `hydrator/progress` on a commit, one for each time that it was set.
fn progress(gitlab: &GitLab, commit: &str) -> Vec<String> {
    gitlab.server.with(|state| {
        let all = state.statuses.get(commit).into_iter().flatten();
        all.filter(|one| one.context == "hydrator/progress").map(|one| one.state.clone()).collect()
    })
}

fn scheduled(gitlab: &GitLab, repo: &TestRepo) {
    gitlab.server.with(|state| state.run_jobs("main", "schedule", &["promote"]));
    _ = gitlab.command(repo, "promote").run().success();
}

#[test]
fn pipelines_of_the_dry_branch_wait_for_no_environment() {
    let repo = repo_of(&ENVIRONMENTS);
    let gitlab = GitLab::start(&repo);
    for by_request in [true, false] {
        let number = by_request.then(|| pages::land(&repo, &gitlab, "one", Method::Merge));
        if !by_request {
            set(&repo, &ENVIRONMENTS, "two");
        }
        let dry = repo.tip("main").unwrap();
        gitlab.server.with(|state| state.run_jobs("main", "push", &["test", "hydrate"]));
        _ = gitlab.job(&repo).run().success();
        for (at, name) in ENVIRONMENTS.iter().enumerate() {
            assert_eq!(progress(&gitlab, &dry), Vec::<String>::new(), "before {name}");
            assert_eq!(outcomes(&gitlab, &dry), vec!["success"; at + 1], "before {name}");
            pages::merge_of(&gitlab, name);
            scheduled(&gitlab, &repo);
        }
        assert_eq!(progress(&gitlab, &dry), ["success"]);
        assert_eq!(outcomes(&gitlab, &dry), ["success"; 4]);
        if let Some(number) = number {
            let [said] = pull(&gitlab, number).comments.try_into().unwrap();
            assert!(said.body.contains("is everywhere"), "{}", said.body);
        }
        // It is said once.
        gitlab.server.take_calls();
        scheduled(&gitlab, &repo);
        assert_eq!(writes(&gitlab.server.take_calls()), Vec::<String>::new());
    }
}

#[test]
fn what_cannot_be_rendered_fails_no_other_pipeline() {
    let repo = repo_of(&ENVIRONMENTS);
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    let number = pages::land_files(&repo, &gitlab, &[("apps/dev/x.yaml", "kind: [\n")], Method::Merge);
    let broken = repo.tip("main").unwrap();
    gitlab.server.with(|state| state.run_jobs("main", "push", &["test"]));
    _ = gitlab.job(&repo).run().code(4);
    scheduled(&gitlab, &repo);
    assert_eq!((outcomes(&gitlab, &broken), progress(&gitlab, &broken)), (vec!["success"; 2], Vec::new()));
    // The note has it, and keeps it.
    let [said] = pull(&gitlab, number).comments.try_into().unwrap();
    assert!(said.body.contains("| `dev` | ❌ | an error"), "{}", said.body);
    let status = gitlab.command(&repo, "status").run().success();
    assert!(status.stdout().contains("could not be hydrated"), "{status:?}");
}

#[test]
fn statuses_and_deployments_are_of_our_own_branches() {
    let repo = repo_with(&ENVIRONMENTS, ", gates: {soak: 1s}");
    let text = std::fs::read_to_string(repo.work().join("hydrator.yaml")).unwrap();
    repo.write("hydrator.yaml", &(text + "deployments: true\n"));
    repo.commit("Record deployments");
    let gitlab = GitLab::start(&repo);
    // People begin branches wherever something is, and GitLab lists those first.
    let begin = || {
        let branches = ENVIRONMENTS.map(|name| [format!("hydrator/{name}"), format!("hydrator/{name}-next")]);
        for (at, branch) in branches.as_flattened().iter().chain([&"main".to_owned()]).enumerate() {
            if let Some(tip) = repo.tip(branch) {
                repo.remote_git().run(&["update-ref", &format!("refs/heads/aaa-{at}"), &tip]);
            }
        }
    };
    begin();
    _ = gitlab.job(&repo).run().success();
    for name in ENVIRONMENTS {
        begin();
        pages::merge_of(&gitlab, name);
        begin();
        _ = gitlab.command(&repo, "promote").run().success();
    }
    let calls = gitlab.server.take_calls();
    let filed = |what: &str| {
        let sent = calls.iter().filter(|call| call.method == "POST" && call.path.contains(what));
        sent.map(|call| call.body["ref"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(filed("/deployments"), ["main"; 3]);
    let statuses = filed("/statuses/");
    assert!(statuses.contains(&"main".to_owned()), "{statuses:?}");
    assert!(statuses.iter().all(|branch| !branch.starts_with("aaa")), "{statuses:?}");
    assert!(!asked(&calls).iter().any(|what| what.ends_with("/refs")), "nobody has to ask");
}
