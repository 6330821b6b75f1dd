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
