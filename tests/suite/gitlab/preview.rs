//! The preview on a merge request, and in the job's log where the job may not say it there.

use super::*;
use crate::stories::preview::Ground;

crate::stories::on!(GitLab, preview);

#[test]
fn a_job_with_its_own_token_shows_everything_but_on_the_merge_request() {
    let Ground { repo, forge: gitlab, number } = Ground::<GitLab>::new();
    // A protected variable reaches no job of a merge request.
    let job = |more: &[&str]| {
        let run = gitlab.reviewing(&repo, "diff", (number, "faster"), false).without("HYDRATOR_TOKEN");
        run.arguments(["--comment"]).arguments(more).run()
    };
    let outcome = job(&[]).success();
    assert!(outcome.stdout().contains("30 1 * * *"), "{outcome:?}");
    for words in ["pull request 1 gets no comment", "only the job's own token", "protected", "the job's log"]
    {
        assert!(outcome.stderr().contains(words), "{words}: {outcome:?}");
    }
    let kept = job(&["--output", "preview.txt", "--exit-code"]).code(10);
    assert!(kept.stderr().contains("the preview is in `preview.txt`"), "{kept:?}");
    assert!(std::fs::read_to_string(repo.work().join("preview.txt")).unwrap().contains("30 1 * * *"));
    assert_eq!(writes(&gitlab.server.take_calls()), Vec::<String>::new(), "it is known before");
    // What does not render fails the job all the same.
    repo.write("plain/prod/namespace.yaml", "kind: [\n");
    repo.commit("Broken");
    _ = job(&[]).code(4);
}

#[test]
fn the_status_belongs_to_the_merge_request_whoever_else_holds_the_commit() {
    // In a pipeline of the head, in one of what a merge would make, and in a job of a branch that names the merge request.
    for kind in ["head", "merge", "named"] {
        let Ground { repo, forge: gitlab, number } = Ground::<GitLab>::new();
        let head = repo.tip("faster").unwrap();
        repo.remote_git().run(&["update-ref", "refs/heads/aaa", &head]);
        let job = || {
            let job = match kind {
                "named" => {
                    gitlab.command(&repo, "diff").arguments(["--pull-request", "1", "--head", "faster"])
                }
                _ => gitlab.reviewing(&repo, "diff", (number, "faster"), false),
            };
            if kind != "head" {
                gitlab.server.with(|state| state.pipelines.retain(|one| one.source != "merge_request_event"));
            }
            let merge = repo.tip("main").unwrap();
            let job = match kind {
                "merge" => job
                    .variable("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", &head)
                    .variable("CI_COMMIT_SHA", &merge),
                _ => job,
            };
            job.arguments(["--comment"]).run().success()
        };
        _ = job();
        let (branch, source) = gitlab.server.with(|state| {
            let status = state.newest(&head, "hydrator/diff").unwrap().clone();
            let pipeline = state.pipelines.iter().find(|one| Some(one.id) == status.pipeline).unwrap();
            (status.branch.unwrap(), pipeline.source)
        });
        let wanted = match kind {
            "head" => ("refs/merge-requests/1/head", "merge_request_event"),
            _ => ("faster", "external"),
        };
        assert_eq!((branch.as_str(), source), wanted, "{kind}");
        gitlab.server.take_calls();
        _ = job();
        assert_eq!(writes(&gitlab.server.take_calls()), Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn a_job_without_any_token_shows_everything_too() {
    let Ground { repo, forge: gitlab, number } = Ground::<GitLab>::new();
    // The remote is another one than the server's, so the job's own token is not for it.
    let run = gitlab.variables(Run::hydrator(&repo)).arguments(["diff", "--comment", "--forge", "gitlab"]);
    let outcome = run
        .variable("CI_PIPELINE_SOURCE", "merge_request_event")
        .variable("CI_COMMIT_SHA", &repo.tip("faster").unwrap())
        .variable("CI_JOB_TOKEN", JOB_TOKEN)
        .variable("CI_MERGE_REQUEST_IID", &number.to_string())
        .variable("CI_MERGE_REQUEST_PROJECT_ID", "42")
        .variable("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "42")
        .variable("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "faster")
        .variable("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")
        .variable("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/1/head")
        .run()
        .success();
    assert!(outcome.stdout().contains("30 1 * * *"), "{outcome:?}");
    assert!(outcome.stderr().contains("gets no comment: there is no token for GitLab"), "{outcome:?}");
}

#[test]
fn a_token_that_may_not_write_here_is_told_of() {
    for status in [401, 403] {
        let Ground { repo, forge: gitlab, number } = Ground::<GitLab>::new();
        gitlab.server.decide(move |call| call.is_write().then(|| Fault::refusal(status, "no such right")));
        let job = gitlab.reviewing(&repo, "diff", (number, "faster"), false).arguments(["--comment"]);
        let outcome = job.run().success();
        assert!(outcome.stdout().contains("30 1 * * *"), "{outcome:?}");
        assert!(outcome.stderr().contains("no such right"), "{outcome:?}");
        // Any other refusal is an error, and so is one that a person gets who names the merge request.
        gitlab.server.decide(|call| call.is_write().then(|| Fault::refusal(422, "Unprocessable")));
        let job = gitlab.reviewing(&repo, "diff", (number, "faster"), false).arguments(["--comment"]);
        assert!(job.run().code(6).stderr().contains("Unprocessable"));
        gitlab.server.decide(move |call| call.is_write().then(|| Fault::refusal(status, "no such right")));
        let named = ["--comment", "--pull-request", "1", "--head", "faster"];
        _ = gitlab.command(&repo, "diff").arguments(named).run().code(6);
    }
}
