//! The preview on a pull request, and in the step's summary.

use super::*;
use crate::forge_server::Fault;
use crate::support::project;

crate::stories::on!(GitHub, preview);

#[test]
fn the_steps_summary_has_all_of_it() {
    for from_fork in [false, true] {
        let repo = TestRepo::with_files(&project::embedded());
        repo.switch("faster");
        repo.write("templates/jobs/values-prod.yaml", "schedule: 30 1 * * *\n");
        repo.commit("jobs: later");
        let github = GitHub::start(&repo);
        let number = github.server.with(|state| state.open("faster", "main", "Faster", "")).unwrap();
        let run = github.reviewing(&repo, "diff", (number, "faster"), from_fork);
        _ = run.arguments(["--comment"]).run().success();
        let summary = std::fs::read_to_string(repo.root().join("summary.md")).unwrap();
        assert!(summary.contains("30 1 * * *"), "{summary}");
    }
}

#[test]
fn a_job_whose_token_only_reads_shows_everything_all_the_same() {
    let repo = TestRepo::with_files(&project::embedded());
    repo.switch("faster");
    repo.write("templates/jobs/values-prod.yaml", "schedule: 30 1 * * *\n");
    repo.commit("jobs: later");
    let github = GitHub::start(&repo);
    let number = github.server.with(|state| state.open("faster", "main", "Faster", "")).unwrap();
    github.server.decide(|call| {
        call.is_write().then(|| Fault::refusal(403, "Resource not accessible by integration"))
    });
    let job = github.reviewing(&repo, "diff", (number, "faster"), false).arguments(["--comment"]);
    let outcome = job.run().success();
    assert!(outcome.stderr().contains("Resource not accessible by integration"), "{outcome:?}");
    assert!(outcome.stderr().contains("the preview is in the step's summary"), "{outcome:?}");
    let summary = std::fs::read_to_string(repo.root().join("summary.md")).unwrap();
    assert!(summary.contains("30 1 * * *"), "{summary}");
}
