//! What a job of GitLab CI shows of a run, and what it leaves for later jobs.

use std::collections::BTreeMap;

use super::*;
use crate::support::http::TOKEN;

/// The variables of a dotenv report.
fn variables(text: &str) -> BTreeMap<&str, &str> {
    text.lines().map(|line| line.split_once('=').expect("it is an assignment")).collect()
}

#[test]
fn lines_of_rendering_are_a_section() {
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start(&repo);
    let outcome = gitlab.job(&repo).run().success();
    let text = outcome.stderr();
    let (start, end) =
        (text.find("\u{1b}[0Ksection_start:").unwrap(), text.find("\u{1b}[0Ksection_end:").unwrap());
    let rendered = text.find("rendered app of dev").unwrap();
    assert!(start < rendered && rendered < end, "{text:?}");
    assert!(text[start..].contains(":hydrator_render[collapsed=true]\r\u{1b}[0Krender\n"), "{text:?}");
    assert!(!text.contains("::group::"), "{text:?}");
}

#[test]
fn what_tools_say_opens_no_section() {
    let repo = repo_of(&["dev"]);
    let text = "version: 1
dryBranch: main
environments: [{name: dev}]
targets: [{path: apps/dev, name: app, command: [sh, -c, 'printf \"\\033[0Ksection_start:1:evil\\r\\033[0Kx\\n\" >&2; exit 1']}]
";
    repo.write("hydrator.yaml", text);
    repo.commit("Say sections");
    let gitlab = GitLab::start(&repo);
    let outcome = gitlab.job(&repo).run().code(4);
    assert!(!outcome.stderr().contains("section_start:1:evil\r\u{1b}"), "{outcome:?}");
    assert!(!outcome.stderr().contains("\u{1b}[0Ksection_start:1:evil"), "{outcome:?}");
}

#[test]
fn files_for_later_jobs_are_written_where_they_are_wanted() {
    let repo = repo_of(&["dev", "prod"]);
    let gitlab = GitLab::start(&repo);
    let (dotenv, report) = (repo.root().join("hydrator.env"), repo.root().join("report.json"));
    let job = || {
        gitlab
            .job(&repo)
            .variable("HYDRATOR_DOTENV", dotenv.to_str().unwrap())
            .variable("HYDRATOR_REPORT", report.to_str().unwrap())
    };
    let outcome = job().run().success();
    let text = std::fs::read_to_string(&dotenv).unwrap();
    let found = variables(&text);
    assert_eq!((found["HYDRATED_CHANGED"], found["HYDRATED_OPERATION"]), ("true", "created"));
    assert_eq!(found["HYDRATED_ENVIRONMENTS"], r#"["dev","prod"]"#);
    let requests: Value = serde_json::from_str(found["HYDRATED_PULL_REQUESTS"]).unwrap();
    assert_eq!(requests[1]["number"], 2);
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!(kept, outcome.json());
    assert!(!text.contains(TOKEN));
    // Nothing of an older run stays for a later job when a run fails.
    repo.write("hydrator.yaml", "version: 1\nnothing: true\n");
    repo.commit("Break it");
    _ = job().run().code(3);
    let text = std::fs::read_to_string(&dotenv).unwrap();
    assert_eq!(
        variables(&text),
        BTreeMap::from([("HYDRATED_CHANGED", "false"), ("HYDRATED_OPERATION", "failed")])
    );
}

#[test]
fn a_commit_of_another_branch_is_refused_and_a_schedule_takes_the_tip() {
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start(&repo);
    let outcome = gitlab.job(&repo).variable("CI_COMMIT_BRANCH", "feature").run();
    assert_ne!(outcome.exit_code(), Some(0));
    assert!(outcome.stderr().contains("feature"), "{outcome:?}");
    let scheduled = gitlab.job(&repo).variable("CI_PIPELINE_SOURCE", "schedule").run().success();
    assert_eq!(operations(&scheduled), ["created"]);
}

#[test]
fn a_runners_checkout_is_enough() {
    let repo = repo_of(&["dev"]);
    for number in 1..=25 {
        repo.write("notes", &number.to_string());
        repo.commit(&format!("Note {number}"));
    }
    let gitlab = GitLab::start(&repo);
    // As the runner makes it: shallow, no branch, and its own token in the remote's URL.
    let place = repo.root().join("build");
    let shown = place.to_str().unwrap();
    let source = format!("file://{}", repo.remote().display());
    let git = repo.remote_git();
    git.run(&["clone", "--quiet", "--depth=20", "--branch=main", &source, shown]);
    git.run(&["-C", shown, "checkout", "--quiet", "--detach"]);
    git.run(&["-C", shown, "branch", "--quiet", "-D", "main"]);
    let with_token = gitlab.remote().replace("http://", "http://gitlab-ci-token:expired-token-0815@");
    git.run(&["-C", shown, "remote", "set-url", "origin", &with_token]);
    let outcome = gitlab.in_checkout(&repo, &place).run().success();
    assert_eq!(operations(&outcome), ["created"]);
    assert!(!format!("{outcome:?}").contains("expired-token-0815"));
    assert!(!repo.show("hydrator/dev-next", "hydrator.metadata").contains("expired-token"));
}
