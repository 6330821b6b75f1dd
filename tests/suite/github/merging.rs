//! Statuses, and merging by us or by GitHub itself, verb by verb.

use std::collections::BTreeMap;

use hydrator::forge::github::GitHub as Connection;
use hydrator::forge::{ArmOutcome, Forge as _, MergeOutcome, MergeState};
use hydrator::model::{BranchName, CommitId, CommitState, CommitStatus, MergeMethod, PullRequestState};

use super::*;
use crate::forge_server::Fault;
use crate::forge_server::state::Method;

const GATE: &str = "hydrator/promotion";

/// A repository with one open pull request, whose gate is required.
fn ground() -> (TestRepo, GitHub, Connection) {
    let repo = repo_of(&["dev"]);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    github.server.with(|state| {
        state.required_statuses = vec![GATE.to_owned()];
        state.allow_auto_merge = true;
        // What the run itself said of its proposal: these tests are about the forge's verbs alone.
        state.statuses.clear();
    });
    let forge = github.forge();
    (repo, github, forge)
}

fn status(state: CommitState) -> CommitStatus {
    CommitStatus { context: GATE.to_owned(), state, description: "because".to_owned(), created_at: None }
}

fn head(github: &GitHub) -> CommitId {
    CommitId::parse(&pull(github, 1).head_sha).unwrap()
}

fn state_of(forge: &Connection) -> MergeState {
    forge.mergeability(1).unwrap().state
}

#[test]
fn statuses_are_set_and_read_for_many_commits_at_once() {
    let (repo, github, forge) = ground();
    let head = head(&github);
    let main = CommitId::parse(&repo.tip("main").unwrap()).unwrap();
    let unknown = CommitId::parse(&"1".repeat(40)).unwrap();
    forge.set_status(head, &status(CommitState::Pending)).unwrap();
    forge.set_status(head, &status(CommitState::Success)).unwrap();
    github.server.with(|state| {
        state
            .checks
            .insert(main.to_string(), vec![("smoke".to_owned(), Some("SUCCESS")), ("slow".to_owned(), None)])
    });
    github.server.take_calls();
    let found = forge.statuses(&[head, main, unknown]).unwrap();
    assert_eq!(asked(&github.server.take_calls()), ["statuses"]);
    let short = |commit| {
        found[&commit].iter().map(|one| (one.context.as_str(), one.state)).collect::<BTreeMap<_, _>>()
    };
    assert_eq!(short(head), BTreeMap::from([(GATE, CommitState::Success)]));
    assert_eq!(
        short(main),
        BTreeMap::from([("slow", CommitState::Pending), ("smoke", CommitState::Success)])
    );
    assert!(found[&unknown].is_empty());
    assert!(found[&head][0].created_at.is_some());
    // One whose answer was lost is not set twice, one of an unknown commit is refused.
    github.server.fail("POST /repos/acme/shop/statuses", 1, &Fault::Lost);
    forge.set_status(head, &status(CommitState::Pending)).unwrap();
    assert_eq!(github.server.with(|state| state.statuses[&head.to_string()].len()), 3);
    let refused = forge.set_status(unknown, &status(CommitState::Pending)).unwrap_err();
    assert!(refused.to_string().contains("No commit found for SHA"), "{refused}");
}

#[test]
fn required_statuses_are_found_in_both_kinds_of_rules() {
    let (_repo, github, _) = ground();
    let branch = BranchName::new("hydrator/dev").unwrap();
    assert!(github.forge().requires_status(&branch, GATE).unwrap());
    assert!(github.forge().requires_status(&branch, "Hydrator/Promotion").unwrap());
    assert!(!github.forge().requires_status(&branch, "other").unwrap());
    github.server.with(|state| {
        state.required_statuses.clear();
        state.classic_statuses = vec!["other".to_owned()];
    });
    let forge = github.forge();
    assert!(
        forge.requires_status(&branch, "other").unwrap() && !forge.requires_status(&branch, GATE).unwrap()
    );
    // Servers that are too old for rulesets know no such path.
    github.server.fail("/rules/branches", usize::MAX, &Fault::refusal(404, "Not Found"));
    assert!(github.forge().requires_status(&branch, "other").unwrap());
    github.server.fail(
        "/rules/branches",
        usize::MAX,
        &Fault::refusal(403, "Resource not accessible by integration"),
    );
    assert!(github.forge().requires_status(&branch, "other").is_err(), "not knowing is no answer");
}

#[test]
fn where_a_pull_request_stands_is_said_in_words() {
    let (_repo, github, forge) = ground();
    assert!(matches!(state_of(&forge), MergeState::Blocked(_)));
    forge.set_status(head(&github), &status(CommitState::Success)).unwrap();
    assert_eq!(state_of(&forge), MergeState::Ready);
    github.server.with(|state| state.unknown = 2);
    assert_eq!(state_of(&forge), MergeState::Ready, "it is asked again");
    github.server.with(|state| state.unknown = 99);
    assert_eq!(state_of(&forge), MergeState::Unknown);
    github.server.with(|state| (state.unknown, state.required_reviews) = (0, 1));
    assert_eq!(state_of(&forge), MergeState::Blocked("a review is required".to_owned()));
    github.server.with(|state| state.pull(1).unwrap().draft = true);
    assert_eq!(state_of(&forge), MergeState::Stuck("it is a draft".to_owned()));
    github.server.with(|state| (state.pull(1).unwrap().draft, state.merge_queue) = (false, true));
    let MergeState::Stuck(words) = state_of(&forge) else { panic!() };
    assert!(words.contains("merge queue"), "{words}");
}

#[test]
fn merging_names_the_head_and_takes_every_method() {
    for (method, parents) in [(None, 2), (Some(MergeMethod::Squash), 1), (Some(MergeMethod::Rebase), 1)] {
        let (repo, github, forge) = ground();
        let head = head(&github);
        forge.set_status(head, &status(CommitState::Success)).unwrap();
        let other = CommitId::parse(&"1".repeat(40)).unwrap();
        let MergeOutcome::Blocked(words) = forge.merge(1, other, method).unwrap() else { panic!() };
        assert!(words.contains("Head branch was modified"), "{words}");
        let MergeOutcome::Merged(commit) = forge.merge(1, head, method).unwrap() else { panic!() };
        assert_eq!(Some(commit.to_string()), repo.tip("hydrator/dev"));
        assert_eq!(repo.commit_view("hydrator/dev").parents.len(), parents);
        // Once more, as after a lost answer.
        assert_eq!(forge.merge(1, head, method).unwrap(), MergeOutcome::Merged(commit));
    }
}

#[test]
fn a_merge_that_passes_is_tried_again_and_a_lost_answer_is_looked_for() {
    for fault in [
        Fault::refusal(405, "Pull Request is not mergeable"),
        Fault::refusal(405, "Base branch was modified. Review and try the merge again."),
        Fault::refusal(502, "Server Error"),
        Fault::Lost,
        Fault::Dropped,
    ] {
        let (_repo, github, forge) = ground();
        forge.set_status(head(&github), &status(CommitState::Success)).unwrap();
        github.server.fail("/merge", 1, &fault);
        let outcome = forge.merge(1, head(&github), None).unwrap();
        assert!(matches!(outcome, MergeOutcome::Merged(_)), "{fault:?}");
    }
    let (_repo, github, forge) = ground();
    for words in [
        "Changes must be made through the merge queue",
        "Repository rule violations found\n\nx",
        "Merge commits are not allowed on this repository.",
    ] {
        github.server.fail("/merge", usize::MAX, &Fault::refusal(405, words));
        let MergeOutcome::Blocked(said) = forge.merge(1, head(&github), None).unwrap() else { panic!() };
        assert!(said.contains(words.lines().next().unwrap()), "{said}");
    }
    github.server.fail("/merge", usize::MAX, &Fault::refusal(403, "Resource not accessible by integration"));
    assert!(forge.merge(1, head(&github), None).is_err());
}

#[test]
fn the_repositorys_own_method_is_used_where_none_is_named() {
    let (repo, github, forge) = ground();
    github.server.with(|state| state.default_method = Method::Squash);
    forge.set_status(head(&github), &status(CommitState::Success)).unwrap();
    assert_eq!(state_of(&forge), MergeState::Ready);
    forge.merge(1, head(&github), None).unwrap();
    assert_eq!(repo.commit_view("hydrator/dev").parents.len(), 1);
}

#[test]
fn what_is_armed_merges_once_its_status_is_there() {
    let (repo, github, forge) = ground();
    let head = head(&github);
    assert_eq!(forge.arm(1, head, None).unwrap(), ArmOutcome::Armed);
    assert!(forge.open_pull_requests().unwrap()[0].auto_merge && forge.mergeability(1).unwrap().armed);
    forge.disarm(1).unwrap();
    assert!(!forge.mergeability(1).unwrap().armed);
    github.server.take_calls();
    forge.disarm(1).unwrap();
    assert!(writes(&github.server.take_calls()).is_empty(), "it is not armed");
    assert_eq!(forge.arm(1, head, Some(MergeMethod::Squash)).unwrap(), ArmOutcome::Armed);
    forge.set_status(head, &status(CommitState::Success)).unwrap();
    let pair = (&BranchName::new("hydrator/dev-next").unwrap(), &BranchName::new("hydrator/dev").unwrap());
    let newest = forge.newest_pull_request(pair.0, pair.1).unwrap().unwrap();
    assert_eq!(newest.state, PullRequestState::Merged);
    assert!(newest.merged_at.is_some());
    assert_eq!(repo.commit_view("hydrator/dev").parents.len(), 1);
    forge.disarm(1).unwrap();
}

#[test]
fn refusals_to_arm_are_told_apart() {
    let (_repo, github, forge) = ground();
    let head = head(&github);
    let other = CommitId::parse(&"1".repeat(40)).unwrap();
    let refused = |forge: &Connection, head| match forge.arm(1, head, None).unwrap() {
        ArmOutcome::Refused(words) => words,
        other => panic!("{other:?}"),
    };
    assert!(refused(&forge, other).contains("its head was moved"));
    github.server.with(|state| state.allow_auto_merge = false);
    assert!(refused(&forge, head).contains("Allow auto-merge"));
    github.server.with(|state| (state.allow_auto_merge, state.required_statuses) = (true, Vec::new()));
    assert!(refused(&forge, head).contains("require the status `hydrator/promotion`"));
    github.server.with(|state| state.required_statuses = vec![GATE.to_owned()]);
    forge.set_status(head, &status(CommitState::Success)).unwrap();
    assert_eq!(forge.arm(1, head, None).unwrap(), ArmOutcome::MergeableNow);
    github.server.fail("arm", 1, &Fault::Lost);
    forge.set_status(head, &status(CommitState::Pending)).unwrap();
    assert_eq!(forge.arm(1, head, None).unwrap(), ArmOutcome::Armed);
}
