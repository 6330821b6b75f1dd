//! What is GitHub's own in the life of a pull request; the rest of it is a story that all forges share.

use super::*;
use crate::forge_server::state::Method;

crate::stories::on!(GitHub, life);
crate::stories::on!(GitHub, rejected);
crate::stories::on!(GitHub, waiting);
crate::stories::on!(GitHub, as_previewed);

#[test]
fn labels_and_people_are_added_once_and_never_taken_away() {
    let more =
        ", pullRequest: {labels: [production], reviewers: [alice], teamReviewers: [sre], assignees: [bob]}";
    let repo = repo_with(&["dev"], more);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    let opened = pull(&github, 1);
    assert_eq!(opened.labels, ["production"]);
    assert_eq!(
        (opened.reviewers, opened.teams, opened.assignees),
        (vec!["alice".to_owned()], vec!["sre".to_owned()], vec!["bob".to_owned()])
    );
    // A reviewer answers, another one is taken off by a person, and a person adds a label.
    github.server.with(|state| {
        let pull = state.pull(1).unwrap();
        pull.reviewers.clear();
        pull.teams.clear();
        pull.reviews.push(("alice".to_owned(), true));
        pull.labels.push("urgent".to_owned());
    });
    github.server.take_calls();
    _ = github.job(&repo).run().success();
    assert_eq!(writes(&github.server.take_calls()), Vec::<String>::new());
    assert_eq!(pull(&github, 1).labels, ["production", "urgent"]);
    // A label that somebody took off is put on again: it is what the configuration says.
    github.server.with(|state| state.pull(1).unwrap().labels.clear());
    _ = github.job(&repo).run().success();
    assert_eq!(writes(&github.server.take_calls()), ["POST /repos/acme/shop/issues/1/labels"]);
}

#[test]
fn delivery_by_branch_ends_with_a_link() {
    let repo = repo_with(&["dev"], ", delivery: branch");
    let github = GitHub::start(&repo);
    let outcome = github.command(&repo, "run").run().success();
    assert!(
        outcome.stdout().contains("/acme/shop/compare/hydrator/dev...hydrator/dev-next?expand=1"),
        "{outcome:?}"
    );
    assert!(pulls(&github).is_empty());
}

#[test]
fn a_check_run_opens_a_gate_as_branch_protection_counts_it() {
    let repo = repo_with(&["dev", "prod"], ", gates: {statuses: [smoke]}");
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    github.server.with(|state| state.merge(1, Method::Merge).unwrap());
    let active = repo.tip("hydrator/dev").unwrap();
    let gate = |conclusion: Option<&'static str>| {
        let run = vec![("smoke".to_owned(), conclusion)];
        github.server.with(|state| drop(state.checks.insert(active.clone(), run)));
        let outcome = github.command(&repo, "promote").arguments(["--format", "json"]).run().success();
        let gate = outcome.json()["environments"][1]["promotion"].clone();
        let text = |key: &str| gate[key].as_str().unwrap().to_owned();
        (text("state"), text("description"))
    };
    let pair = |state: &str, words: &str| (state.to_owned(), words.to_owned());
    assert_eq!(gate(None), pair("pending", "dev: smoke is pending"));
    assert_eq!(gate(Some("FAILURE")), pair("pending", "dev: smoke failed"));
    for conclusion in ["CANCELLED", "TIMED_OUT", "ACTION_REQUIRED", "STALE"] {
        assert_eq!(gate(Some(conclusion)), pair("pending", "dev: smoke failed"), "{conclusion}");
    }
    for conclusion in ["SUCCESS", "NEUTRAL", "SKIPPED"] {
        assert_eq!(gate(Some(conclusion)), pair("success", "may be merged"), "{conclusion}");
    }
}
