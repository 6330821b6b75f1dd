//! What commands say to people who use them by hand: what is missing, what to do next. Real runs on small repositories.

use crate::support::command::{Outcome, Run};
use crate::support::git::{TestRepo, files};
use crate::support::project;

fn hydrator(repo: &TestRepo, arguments: &[&str]) -> Outcome {
    Run::hydrator(repo).arguments(arguments).run()
}

fn run(repo: &TestRepo) -> Outcome {
    hydrator(repo, &["run", "--forge", "local"])
}

fn plan(repo: &TestRepo) -> Outcome {
    hydrator(repo, &["plan", "--forge", "local", "--exit-code"])
}

#[test]
fn a_configuration_that_is_not_pushed_yet_is_missed_with_advice() {
    let repo = TestRepo::with_files(&files(&[("README.md", "")]));
    repo.write_all(&project::embedded());
    let commit = repo.work_git().run(&["rev-parse", "--short=7", "HEAD"]);
    for command in ["check", "plan"] {
        let forge: &[&str] = if command == "plan" { &["--forge", "local"] } else { &[] };
        let outcome = hydrator(&repo, &[&[command], forge].concat()).code(3);
        let wanted = format!(
            "error: there is no `hydrator.yaml` in the DRY commit {commit}\nhint: commit and push it, or name another \
             path with `--config`; `hydrator check --worktree` reads what is not pushed yet\n"
        );
        assert_eq!(outcome.stderr(), wanted);
    }
    drop(hydrator(&repo, &["check", "--worktree"]).success());
}

#[test]
fn what_would_fail_a_run_fails_render_too() {
    let repo = TestRepo::with_files(&project::embedded());
    repo.write("plain/prod/namespace.yaml", "# nothing\n");
    repo.write("templates/jobs/settings.yaml.j2", "kind: A\nmetadata: { name: {{ nothing }} }\n");
    let outcome = hydrator(&repo, &["render", "--worktree", "--output", "out", "-e", "prod"]).code(4);
    let said = outcome.stderr();
    assert!(said.contains("error: cannot render target `jobs` of environment `prod`: "), "{said}");
    let empty = "\n       target `plain` of environment `prod` (`plain/prod`) renders to nothing\n";
    assert!(said.contains(empty), "{said}");
    assert!(said.contains("hint: if that is meant, set `allowEmpty: true` for the target\n"), "{said}");
    assert!(!repo.work().join("out").exists(), "something was written");
}

#[test]
fn who_closed_reverted_or_removed_something_is_told_what_comes_of_it() {
    let repo = TestRepo::with_files(&project::embedded());
    drop(run(&repo).success());
    drop(hydrator(&repo, &["local", "close", "1"]).success());
    drop(hydrator(&repo, &["local", "merge", "2"]).success());
    let git = repo.work_git();
    git.run(&["fetch", "--quiet"]);
    git.run(&["switch", "--quiet", "--detach", "origin/hydrator/staging"]);
    repo.write("plain/manifest.yaml", "kind: A\nmetadata: { name: a }\n");
    git.run(&["commit", "--quiet", "--all", "--message", "By hand"]);
    git.run(&["push", "--quiet", "origin", "HEAD:hydrator/staging"]);
    git.run(&["switch", "--quiet", "main"]);
    let said = run(&repo).success().stdout().to_owned();
    let line = |name: &str| said.lines().find(|line| line.trim_start().starts_with(name)).unwrap().to_owned();
    assert!(line("dev ").contains("rejected") && line("dev ").contains("manifests change"), "{said}");
    let held = ["held", "`hydrator/staging` was edited by hand", "`drift: repair`"];
    assert!(held.iter().all(|words| line("staging ").contains(words)), "{said}");
    let text = project::embedded()["hydrator.yaml"].replace("  - name: prod\n", "");
    repo.write("hydrator.yaml", &text);
    repo.commit("Without prod");
    for outcome in [plan(&repo).code(10), run(&repo).success()] {
        let said = outcome.stdout();
        assert!(said.contains("left the configuration") && said.contains("\n    closed file://"), "{said}");
    }
    let said = plan(&repo).success().stdout().to_owned();
    assert!(said.contains("left the configuration") && !said.contains("closed file://"), "{said}");
}

#[test]
fn a_flag_that_is_neither_yes_nor_no_is_an_error() {
    let repo = TestRepo::with_files(&project::embedded());
    for (value, code) in [("ture", 2), ("2", 2), ("True", 0), ("on", 0), ("1", 0), ("yes", 0)] {
        let outcome = repo.hydration().variable("HYDRATOR_DRY_RUN", value).run();
        assert_eq!(outcome.exit_code(), Some(code), "{value}: {}", outcome.stderr());
        assert!(code == 0 || outcome.stderr().contains("--dry-run"), "{}", outcome.stderr());
        assert_eq!(repo.tip("hydrator/dev"), None, "{value}: nothing is pushed");
    }
    _ = repo.hydration().variable("HYDRATOR_DRY_RUN", "false").run().success();
    assert!(repo.tip("hydrator/dev").is_some());
}

#[test]
fn a_variable_counts_for_an_option_that_is_required() {
    let repo = TestRepo::with_files(&project::embedded());
    _ = repo.hydration().run().success();
    repo.merge_pull_request("hydrator/dev-next");
    let history = || Run::hydrator(&repo).arguments(["history"]).variable("HYDRATOR_FORGE", "local");
    assert_eq!(history().run().exit_code(), Some(2));
    let found = history().variable("HYDRATOR_ENVIRONMENT", "dev").run().success();
    assert!(found.stdout().contains("hydrator/dev"), "{}", found.stdout());
}
