//! The preview on a pull request, and in the step's summary.

use super::*;
use crate::forge_server::Fault;
use crate::stories::preview::Ground;
use crate::support::command::Run;
use crate::support::markdown::is_closed;
use crate::support::project;

crate::stories::on!(GitHub, preview);

#[test]
fn the_steps_summary_has_all_of_it() {
    for from_fork in [false, true] {
        let Ground { repo, forge: github, number } = Ground::<GitHub>::new();
        let run = github.reviewing(&repo, "diff", (number, "faster"), from_fork);
        _ = run.arguments(["--comment"]).run().success();
        let summary = std::fs::read_to_string(repo.root().join("summary.md")).unwrap();
        assert!(summary.contains("30 1 * * *"), "{summary}");
    }
}

#[test]
fn a_job_whose_token_only_reads_shows_everything_all_the_same() {
    let Ground { repo, forge: github, number } = Ground::<GitHub>::new();
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

/// A pull request whose preview is longer than any summary.
fn long() -> (TestRepo, GitHub, u64) {
    let repo = TestRepo::with_files(&project::embedded());
    repo.switch("more");
    for environment in project::ENVIRONMENTS {
        for number in 0..40 {
            let lines = (0..400).fold(String::new(), |text, line| {
                text + &format!("  key{line}: \"äöü of {environment} ``` {number}\"\n")
            });
            let map =
                format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: large{number}\ndata:\n{lines}");
            repo.write(&format!("plain/{environment}/large{number}.yaml"), &map);
        }
    }
    repo.commit("A lot");
    let github = GitHub::start(&repo);
    let number = github.server.with(|state| state.open("more", "main", "A lot", "")).unwrap();
    (repo, github, number)
}

#[test]
fn a_preview_that_is_longer_than_a_summary_is_whole_in_a_file() {
    let (repo, github, number) = long();
    let temporary = repo.root().display().to_string();
    let [summary, output, file] =
        ["summary.md", "output", "hydrator-diff.md"].map(|name| repo.root().join(name));
    for (from_fork, before) in [(false, 300_000), (true, 0)] {
        std::fs::write(&summary, "x\n".repeat(before / 2)).unwrap();
        _ = std::fs::remove_file(&output);
        let run = github.reviewing(&repo, "diff", (number, "more"), from_fork).arguments(["--comment"]);
        let run = run.variable("RUNNER_TEMP", &temporary).variable("GITHUB_OUTPUT", output.to_str().unwrap());
        let outcome = run.run().success();
        let whole = std::fs::read_to_string(&file).unwrap();
        let markdown = Run::hydrator(&repo).arguments(["diff", "--format", "markdown"]).run().success();
        assert!(whole == markdown.stdout(), "the file has all of it");
        assert!(whole.len() > 1_500_000, "{}", whole.len());
        assert!(std::fs::read_to_string(&output).unwrap().contains(&format!("\n{}\n", file.display())));
        let text = std::fs::read_to_string(&summary).unwrap();
        assert!((1_000_000..=1_048_576).contains(&text.len()), "{}", text.len());
        is_closed(&text[before..]);
        let last = text.lines().last().unwrap();
        for words in ["too long for this summary", "hydrator-diff.md`", "`diff`", "/actions/runs/42)"] {
            assert!(last.contains(words), "{words}: {last}");
        }
        let said = outcome.stderr();
        assert!(said.contains("the step's summary has as much of the preview as GitHub takes"), "{said}");
        assert!(said.contains(&format!("`{}` has all of it", file.display())), "{said}");
        assert_eq!(
            said.contains("comes from a fork, whose jobs may not comment, so it gets no comment"),
            from_fork
        );
    }
    let pages = pull(&github, number).comments;
    assert_eq!(pages.len(), 5, "the fork's job wrote none");
    let last = pages[4].body.lines().last().unwrap();
    assert!(
        last.starts_with("Page 5 of 5; [the whole diff](") && last.ends_with(") (`hydrator-diff.md`)"),
        "{last}"
    );
}

#[test]
fn another_file_can_be_asked_for() {
    let (repo, github, number) = long();
    let output = repo.root().join("output");
    for (name, start) in [("a.md", "### hydrator"), ("a.json", "{\n"), ("a.txt", "from ")] {
        let run = github.reviewing(&repo, "diff", (number, "more"), false);
        let run = run.variable("RUNNER_TEMP", &repo.root().display().to_string());
        let run = run.variable("GITHUB_OUTPUT", output.to_str().unwrap()).variable("HYDRATOR_OUTPUT", name);
        assert_eq!(run.run().success().stdout(), "");
        let text = std::fs::read_to_string(repo.work().join(name)).unwrap();
        assert!(text.starts_with(start), "{name}: {}", &text[..40]);
        assert!(std::fs::read_to_string(&output).unwrap().contains(&format!("\n{name}\n")));
        assert!(!repo.root().join("hydrator-diff.md").exists());
    }
}
