//! The preview on a pull request, and in the step's summary.

use super::*;
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
