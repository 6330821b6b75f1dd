//! What statuses of ours do to a project's own pipelines, as whose jobs they are kept.

use hydrator::forge::{Forge as _, MergeState};
use hydrator::model::{CommitId, CommitState, CommitStatus};

use super::*;
use crate::forge_server::gitlab::pipelines::{deciding, of_commit, outcome};
use crate::forge_server::state::{Method, State};
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

#[test]
fn a_gate_is_in_the_pipeline_that_decides_about_the_merge() {
    let repo = repo_of(&ENVIRONMENTS[..2]);
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    let head = pull(&gitlab, 2).head_sha;
    let of_gate = |state: &State| {
        let last = state.statuses[&head].iter().rev().find(|one| one.context == "hydrator/promotion");
        last.expect("there is a gate").clone()
    };
    let own = gitlab
        .server
        .with(|state| state.start_pipeline(&head, "refs/merge-requests/2/head", "merge_request_event"));
    pages::merge_of(&gitlab, "dev");
    _ = gitlab.command(&repo, "promote").run().success();
    let gate = gitlab.server.with(|state| of_gate(state));
    assert_eq!((gate.state.as_str(), gate.pipeline), ("success", Some(own)));
    // A pipeline that was there when statuses were read, and is deleted before one is set.
    let forge = gitlab.forge(None);
    let heads: Vec<CommitId> =
        [&head, &repo.tip("main").unwrap()].map(|id| CommitId::parse(id).unwrap()).into();
    forge.open_pull_requests().unwrap();
    forge.statuses(&heads).unwrap();
    gitlab.server.with(|state| state.pipelines.retain(|one| one.id != own));
    let status = CommitStatus {
        context: "hydrator/promotion".to_owned(),
        state: CommitState::Pending,
        description: "waits again".to_owned(),
        created_at: None,
    };
    forge.set_status(heads[0], &status).unwrap();
    let gate = gitlab.server.with(|state| of_gate(state));
    assert_eq!((gate.description.as_str(), gate.pipeline == Some(own)), ("waits again", false));
}

#[test]
fn a_gate_follows_to_a_pipeline_that_comes_after_it() {
    for (source, branch) in
        [("merge_request_event", "refs/merge-requests/2/head"), ("push", "hydrator/staging-next")]
    {
        let repo = repo_of(&ENVIRONMENTS[..2]);
        let gitlab = GitLab::start(&repo);
        gitlab.server.with(|state| state.required_statuses = vec!["hydrator/promotion".to_owned()]);
        _ = gitlab.job(&repo).run().success();
        let head = pull(&gitlab, 2).head_sha;
        // GitLab begins the pipeline of a push a moment after it, when the gate has got one of its own.
        let own = gitlab.server.with(|state| state.run_jobs_of((&head, branch), source, &["lint"]));
        let decides = || {
            gitlab.server.with(|state| {
                let pull = state.pull(2).unwrap().clone();
                let pipeline = deciding(state, &pull).unwrap();
                (pipeline.id, outcome(state, &pipeline))
            })
        };
        assert_eq!(decides(), (own, "success"), "{source}: nothing holds it back");
        _ = gitlab.command(&repo, "promote").run().success();
        assert_eq!(decides(), (own, "running"), "{source}: the gate does");
        let forge = gitlab.forge(None);
        assert!(matches!(forge.mergeability(2).unwrap().state, MergeState::Blocked(_)), "{source}");
        // It is there, and stays, also where each commit is asked about by itself.
        let refusal = json!({"errors": [{"message": "Query has complexity of 80"}]});
        for fault in [None, Some(Fault::Answer(200, refusal, Vec::new()))] {
            let is_by_rest = fault.is_some();
            gitlab.server.take_calls();
            if let Some(fault) = fault {
                gitlab.server.fail("statuses", 1, &fault);
            }
            _ = gitlab.command(&repo, "promote").run().success();
            let calls = gitlab.server.take_calls();
            assert_eq!(writes(&calls), Vec::<String>::new(), "{source}");
            assert!(is_by_rest || calls.len() <= 2, "{source}: {:?}", asked(&calls));
        }
        pages::merge_of(&gitlab, "dev");
        _ = gitlab.command(&repo, "promote").run().success();
        assert_eq!(decides(), (own, "success"), "{source}: it is open");
        assert_eq!(forge.mergeability(2).unwrap().state, MergeState::Ready, "{source}");
    }
}

#[test]
fn a_gate_that_is_read_by_itself_is_missed_in_the_pipeline_that_decides() {
    let repo = repo_of(&ENVIRONMENTS[..2]);
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    let head = pull(&gitlab, 2).head_sha;
    let commit = CommitId::parse(&head).unwrap();
    let has_gate = |commit: CommitId| {
        let forge = gitlab.forge(None);
        forge.open_pull_requests().unwrap();
        let found = forge.statuses(&[commit]).unwrap();
        found[&commit].iter().any(|status| status.context == "hydrator/promotion")
    };
    assert!(has_gate(commit));
    gitlab.server.with(|state| state.run_jobs("hydrator/staging-next", "push", &["lint"]));
    assert!(!has_gate(commit));
    _ = gitlab.command(&repo, "promote").run().success();
    assert!(has_gate(commit));
    // Jobs of a child pipeline are listed with the others, and decide nothing.
    gitlab.server.with(|state| state.run_jobs("hydrator/staging-next", "parent_pipeline", &["child"]));
    assert!(has_gate(commit));
}
