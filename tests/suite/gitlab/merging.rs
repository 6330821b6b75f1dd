//! Statuses, and merging by us or by GitLab itself, verb by verb.

use hydrator::forge::gitlab::GitLab as Connection;
use hydrator::forge::{ArmOutcome, Forge as _, MergeOutcome, MergeState};
use hydrator::model::{BranchName, CommitId, CommitState, CommitStatus, MergeMethod};

use super::*;
use crate::forge_server::state::Method;

/// Beside what the gate says by itself.
const GATE: &str = "smoke";

/// A repository with one open merge request, whose pipeline must succeed.
fn ground() -> (TestRepo, GitLab, Connection) {
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    gitlab.server.with(|state| state.required_statuses = vec![GATE.to_owned()]);
    gitlab.server.take_calls();
    let forge = gitlab.forge(None);
    (repo, gitlab, forge)
}

fn status(state: CommitState, description: &str) -> CommitStatus {
    let description = description.to_owned();
    CommitStatus { context: GATE.to_owned(), state, description, created_at: None }
}

fn head(gitlab: &GitLab) -> CommitId {
    CommitId::parse(&pull(gitlab, 1).head_sha).unwrap()
}

fn succeed(gitlab: &GitLab, forge: &Connection) {
    forge.set_status(head(gitlab), &status(CommitState::Success, "good")).unwrap();
}

/// The pipeline that decides is not done.
fn wait(gitlab: &GitLab, forge: &Connection) {
    forge.set_status(head(gitlab), &status(CommitState::Pending, "waits")).unwrap();
}

fn state_of(forge: &Connection) -> MergeState {
    forge.mergeability(1).unwrap().state
}

#[test]
fn statuses_name_their_branch_and_may_be_repeated() {
    let (repo, gitlab, forge) = ground();
    let head = head(&gitlab);
    let read = |forge: &Connection| {
        let found = forge.statuses(&[head]).unwrap();
        let ours = found[&head].iter().filter(|one| one.context == GATE);
        ours.map(|one| (one.state, one.description.clone())).collect::<Vec<_>>()
    };
    forge.set_status(head, &status(CommitState::Pending, "waits")).unwrap();
    forge.set_status(head, &status(CommitState::Pending, "waits")).unwrap();
    assert_eq!(read(&forge), [(CommitState::Pending, "waits".to_owned())]);
    // A job that waits keeps its description, so another one takes its place.
    forge.set_status(head, &status(CommitState::Pending, "soaks")).unwrap();
    assert_eq!(read(&forge), [(CommitState::Pending, "soaks".to_owned())]);
    forge.set_status(head, &status(CommitState::Success, "good")).unwrap();
    forge.set_status(head, &status(CommitState::Success, "good")).unwrap();
    forge.set_status(head, &status(CommitState::Pending, "again")).unwrap();
    assert_eq!(read(&forge), [(CommitState::Pending, "again".to_owned())]);
    let branches = |gitlab: &GitLab, commit: CommitId| {
        gitlab.server.with(|state| {
            let all = state.statuses[&commit.to_string()].iter();
            all.filter_map(|one| one.branch.clone()).collect::<std::collections::BTreeSet<_>>()
        })
    };
    assert_eq!(branches(&gitlab, head).into_iter().collect::<Vec<_>>(), ["hydrator/dev-next"]);
    // Once the merge request is known, its branch is.
    forge.open_pull_requests().unwrap();
    gitlab.server.take_calls();
    forge.set_status(head, &status(CommitState::Success, "x")).unwrap();
    assert!(!asked(&gitlab.server.take_calls()).iter().any(|what| what.ends_with("/refs")));
    let active = CommitId::parse(&repo.tip("hydrator/dev").unwrap()).unwrap();
    forge.set_status(active, &status(CommitState::Success, "x")).unwrap();
    let unknown = CommitId::parse(&"1".repeat(40)).unwrap();
    assert!(forge.statuses(&[unknown]).unwrap()[&unknown].is_empty());
    let refused = forge.set_status(unknown, &status(CommitState::Pending, "x")).unwrap_err();
    assert!(refused.to_string().contains("404 Commit Not Found"), "{refused}");
    // One whose answer was lost is not set twice.
    let count = |gitlab: &GitLab| gitlab.server.with(|state| state.statuses[&head.to_string()].len());
    let before = count(&gitlab);
    gitlab.server.fail("/statuses/", 1, &Fault::Lost);
    forge.set_status(head, &status(CommitState::Success, "y")).unwrap();
    assert_eq!(count(&gitlab), before + 1);
}

#[test]
fn a_merge_requests_own_pipeline_gets_the_status() {
    let (_repo, gitlab, forge) = ground();
    forge.open_pull_requests().unwrap();
    gitlab.server.take_calls();
    let head = head(&gitlab);
    let pipeline = json!({"id": 77, "source": "merge_request_event", "sha": head.to_string(), "ref": "refs/merge-requests/1/head"});
    gitlab.server.fail(
        "GET /projects/acme%2Fshop/merge_requests/1",
        1,
        &Fault::Answer(200, json!({"head_pipeline": pipeline}), Vec::new()),
    );
    drop(forge.set_status(head, &status(CommitState::Pending, "x")));
    let calls = gitlab.server.take_calls();
    let sent = calls.iter().find(|call| call.is_write()).unwrap();
    assert_eq!(
        (&sent.body["pipeline_id"], &sent.body["ref"]),
        (&json!(77), &json!("refs/merge-requests/1/head"))
    );
}

#[test]
fn a_status_is_required_where_pipelines_must_succeed() {
    let (_repo, gitlab, _) = ground();
    let branch = BranchName::new("hydrator/dev").unwrap();
    assert!(gitlab.forge(None).requires_status(&branch, GATE).unwrap());
    gitlab.server.with(|state| state.required_statuses.clear());
    assert!(!gitlab.forge(None).requires_status(&branch, GATE).unwrap());
    gitlab.server.fail("GET /projects", usize::MAX, &Fault::Answer(200, json!({"id": 42}), Vec::new()));
    assert!(gitlab.forge(None).requires_status(&branch, GATE).is_err(), "not knowing is no answer");
}

#[test]
fn where_a_merge_request_stands_is_said_in_words() {
    let (_repo, gitlab, forge) = ground();
    wait(&gitlab, &forge);
    assert_eq!(state_of(&forge), MergeState::Blocked("its pipeline is still running".to_owned()));
    forge.set_status(head(&gitlab), &status(CommitState::Failure, "bad")).unwrap();
    assert_eq!(state_of(&forge), MergeState::Blocked("its pipeline must succeed".to_owned()));
    succeed(&gitlab, &forge);
    assert_eq!(state_of(&forge), MergeState::Ready);
    gitlab.server.with(|state| state.unknown = 2);
    assert_eq!(state_of(&forge), MergeState::Ready, "it is asked again");
    gitlab.server.with(|state| state.unknown = 99);
    assert_eq!(state_of(&forge), MergeState::Unknown);
    gitlab.server.with(|state| (state.unknown, state.required_reviews) = (0, 1));
    assert_eq!(state_of(&forge), MergeState::Blocked("an approval is required".to_owned()));
    gitlab.server.with(|state| state.pull(1).unwrap().draft = true);
    assert_eq!(state_of(&forge), MergeState::Stuck("it is a draft".to_owned()));
    gitlab.server.with(|state| (state.pull(1).unwrap().draft, state.merge_queue) = (false, true));
    let MergeState::Stuck(words) = state_of(&gitlab.forge(None)) else { panic!() };
    assert!(words.contains("merge trains"), "{words}");
}

#[test]
fn merging_names_the_head_and_squashes_where_asked() {
    for method in [None, Some(MergeMethod::Merge), Some(MergeMethod::Squash)] {
        let (repo, gitlab, forge) = ground();
        let head = head(&gitlab);
        succeed(&gitlab, &forge);
        let other = CommitId::parse(&"1".repeat(40)).unwrap();
        let MergeOutcome::Blocked(words) = forge.merge(1, other, method).unwrap() else { panic!() };
        assert!(words.contains("SHA does not match") && words.contains("its head was moved"), "{words}");
        let MergeOutcome::Merged(commit) = forge.merge(1, head, method).unwrap() else { panic!() };
        assert_eq!(Some(commit.to_string()), repo.tip("hydrator/dev"));
        assert_eq!(repo.commit_view("hydrator/dev").parents.len(), 2, "the project makes merge commits");
        let squashed = repo.commit_view("hydrator/dev^2").id != head.to_string();
        assert_eq!(squashed, method == Some(MergeMethod::Squash));
        assert!(repo.tip("hydrator/dev-next").is_some());
        // Once more, as after a lost answer.
        assert_eq!(forge.merge(1, head, method).unwrap(), MergeOutcome::Merged(commit));
    }
}

#[test]
fn a_squash_says_what_the_proposal_says() {
    let (repo, gitlab, _) = ground();
    gitlab.server.with(|state| state.default_method = Method::Rebase);
    let forge = gitlab.forge(None);
    succeed(&gitlab, &forge);
    let proposed = repo.commit_view("hydrator/dev-next").message;
    let MergeOutcome::Merged(_) = forge.merge(1, head(&gitlab), Some(MergeMethod::Squash)).unwrap() else {
        panic!()
    };
    let squash = repo.commit_view("hydrator/dev");
    assert_eq!(squash.parents.len(), 1);
    let title = pull(&gitlab, 1).title;
    assert!(
        squash.message.starts_with(&format!("{title}\n\nSee merge request acme/shop!1\n\n")),
        "{squash:?}"
    );
    let trailers = proposed.trim_end().rsplit("\n\n").next().unwrap();
    assert!(
        trailers.contains("Hydrator-Dry-Sha: ") && squash.message.trim_end().ends_with(trailers),
        "{squash:?}"
    );
    // Which is how `history` knows where it came from.
    let history = gitlab.command(&repo, "history").arguments(["--environment", "dev", "--format", "json"]);
    assert_eq!(history.run().success().json()["states"][0]["pullRequest"], 1);
}

#[test]
fn a_method_that_the_project_contradicts_is_named() {
    let (_repo, gitlab, forge) = ground();
    succeed(&gitlab, &forge);
    let MergeOutcome::Blocked(words) = forge.merge(1, head(&gitlab), Some(MergeMethod::Rebase)).unwrap()
    else {
        panic!()
    };
    assert!(
        words.contains("`mergeMethod: rebase` contradicts the project's own merge method, `merge`"),
        "{words}"
    );
    gitlab.server.with(|state| state.default_method = Method::Rebase);
    let forge = gitlab.forge(None);
    let ArmOutcome::Refused(words) = forge.arm(1, head(&gitlab), Some(MergeMethod::Merge)).unwrap() else {
        panic!()
    };
    assert!(words.contains("`ff`"), "{words}");
    assert!(matches!(
        forge.merge(1, head(&gitlab), Some(MergeMethod::Rebase)).unwrap(),
        MergeOutcome::Merged(_)
    ));
}

#[test]
fn a_merge_that_passes_is_tried_again_and_a_lost_answer_is_looked_for() {
    for fault in [
        Fault::refusal(405, "405 Method Not Allowed"),
        Fault::refusal(502, "502 Bad Gateway"),
        Fault::Lost,
        Fault::Dropped,
    ] {
        let (_repo, gitlab, forge) = ground();
        succeed(&gitlab, &forge);
        gitlab.server.fail("1/merge", 1, &fault);
        let outcome = forge.merge(1, head(&gitlab), None).unwrap();
        assert!(matches!(outcome, MergeOutcome::Merged(_)), "{fault:?}");
    }
}

#[test]
fn each_refusal_to_merge_has_its_meaning() {
    let (_repo, gitlab, forge) = ground();
    let tries = |gitlab: &GitLab| {
        asked(&gitlab.server.take_calls()).iter().filter(|what| what.ends_with("1/merge")).count()
    };
    forge.set_status(head(&gitlab), &status(CommitState::Failure, "bad")).unwrap();
    gitlab.server.take_calls();
    let MergeOutcome::Blocked(words) = forge.merge(1, head(&gitlab), None).unwrap() else { panic!() };
    assert!(words.contains("405") && words.contains("ci_must_pass"), "{words}");
    assert_eq!(tries(&gitlab), 1, "it is final");
    for (status, said) in
        [(406, "Branch cannot be merged"), (422, "Branch cannot be merged"), (409, "SHA does not match")]
    {
        gitlab.server.fail("1/merge", usize::MAX, &Fault::refusal(status, said));
        let MergeOutcome::Blocked(words) = forge.merge(1, head(&gitlab), None).unwrap() else { panic!() };
        assert!(words.contains(said), "{words}");
        assert_eq!(tries(&gitlab), 1);
    }
    for status in [401, 403] {
        gitlab.server.fail("1/merge", usize::MAX, &Fault::refusal(status, "no"));
        let error = forge.merge(1, head(&gitlab), None).unwrap_err();
        let hint = hydrator::error::hint_of(&error).unwrap_or_default();
        let wanted = if status == 401 { "Allowed to merge" } else { "the role Maintainer" };
        assert!(hint.contains(wanted), "{hint}");
    }
    // Early, while it finds out: a bounded number of times.
    succeed(&gitlab, &forge);
    gitlab.server.take_calls();
    gitlab.server.fail("1/merge", usize::MAX, &Fault::refusal(405, "405 Method Not Allowed"));
    assert!(matches!(forge.merge(1, head(&gitlab), None).unwrap(), MergeOutcome::Blocked(_)));
    assert!((2..=5).contains(&tries(&gitlab)));
}

#[test]
fn what_is_armed_merges_once_its_status_is_there() {
    for (version, word) in [
        (None, "auto_merge"),
        (Some("17.11.0-ee"), "auto_merge"),
        (Some("16.7.1"), "merge_when_pipeline_succeeds"),
    ] {
        let (repo, gitlab, _) = ground();
        let forge = gitlab.forge(version);
        let head = head(&gitlab);
        wait(&gitlab, &forge);
        gitlab.server.take_calls();
        assert_eq!(forge.arm(1, head, Some(MergeMethod::Squash)).unwrap(), ArmOutcome::Armed);
        let calls = gitlab.server.take_calls();
        let sent = calls.iter().find(|call| call.is_write()).unwrap();
        assert_eq!((&sent.body[word], &sent.body["sha"]), (&json!(true), &json!(head.to_string())));
        assert!(forge.open_pull_requests().unwrap()[0].auto_merge && forge.mergeability(1).unwrap().armed);
        forge.disarm(1).unwrap();
        assert!(!forge.mergeability(1).unwrap().armed);
        gitlab.server.take_calls();
        forge.disarm(1).unwrap();
        assert!(writes(&gitlab.server.take_calls()).is_empty(), "it is not armed");
        assert_eq!(forge.arm(1, head, Some(MergeMethod::Squash)).unwrap(), ArmOutcome::Armed);
        succeed(&gitlab, &forge);
        let (from, to) =
            (BranchName::new("hydrator/dev-next").unwrap(), BranchName::new("hydrator/dev").unwrap());
        let newest = forge.newest_pull_request(&from, &to).unwrap().unwrap();
        assert!(newest.merged_at.is_some());
        assert_ne!(repo.commit_view("hydrator/dev^2").id, head.to_string());
        assert!(repo.commit_view("hydrator/dev^2").message.contains("\nHydrator-Dry-Sha: "), "{version:?}");
        // Somebody else was faster: that is no error.
        forge.disarm(1).unwrap();
    }
}

#[test]
fn refusals_to_arm_are_told_apart() {
    let (_repo, gitlab, forge) = ground();
    let head = head(&gitlab);
    wait(&gitlab, &forge);
    let refused = |forge: &Connection, head| match forge.arm(1, head, None).unwrap() {
        ArmOutcome::Refused(words) => words,
        other => panic!("{other:?}"),
    };
    let other = CommitId::parse(&"1".repeat(40)).unwrap();
    assert!(refused(&forge, other).contains("its head was moved"));
    gitlab.server.fail("1/merge", 1, &Fault::refusal(405, "405 Method Not Allowed"));
    let words = refused(&forge, head);
    for part in ["does not wait by itself", "its pipeline is still running", "the next `hydrator promote`"] {
        assert!(words.contains(part), "{words}");
    }
    gitlab.server.fail("1/merge", 1, &Fault::Lost);
    assert_eq!(forge.arm(1, head, None).unwrap(), ArmOutcome::Armed);
    forge.disarm(1).unwrap();
    gitlab.server.with(|state| state.merge_queue = true);
    assert!(refused(&gitlab.forge(None), head).contains("merge trains"));
    gitlab.server.with(|state| state.merge_queue = false);
    succeed(&gitlab, &forge);
    assert_eq!(forge.arm(1, head, None).unwrap(), ArmOutcome::MergeableNow);
}

#[test]
fn a_ticked_box_for_squashing_is_respected_or_cleared() {
    for method in [None, Some(MergeMethod::Merge)] {
        for is_armed in [false, true] {
            let (repo, gitlab, forge) = ground();
            gitlab.server.with(|state| state.pull(1).unwrap().squash = true);
            wait(&gitlab, &forge);
            let head = head(&gitlab);
            if is_armed {
                assert_eq!(forge.arm(1, head, method).unwrap(), ArmOutcome::Armed);
            }
            succeed(&gitlab, &forge);
            if !is_armed {
                assert_eq!(forge.mergeability(1).unwrap().state, MergeState::Ready);
                gitlab.server.take_calls();
                assert!(matches!(forge.merge(1, head, method).unwrap(), MergeOutcome::Merged(_)));
                let calls = asked(&gitlab.server.take_calls());
                assert_eq!(calls.len(), 2, "one more than the merge itself: {calls:?}");
            }
            let merged = repo.commit_view("hydrator/dev^2");
            assert_eq!(merged.id == head.to_string(), method.is_some(), "{method:?}, {is_armed}");
            assert!(merged.message.contains("\nHydrator-Dry-Sha: "), "{merged:?}");
        }
    }
    // Where it is not ticked, that costs nothing.
    let (_repo, gitlab, forge) = ground();
    succeed(&gitlab, &forge);
    assert_eq!(forge.mergeability(1).unwrap().state, MergeState::Ready);
    gitlab.server.take_calls();
    assert!(matches!(forge.merge(1, head(&gitlab), None).unwrap(), MergeOutcome::Merged(_)));
    assert_eq!(gitlab.server.take_calls().len(), 1);
    // One that stays ticked is not merged.
    let (repo, gitlab, forge) = ground();
    succeed(&gitlab, &forge);
    let before = repo.tip("hydrator/dev");
    gitlab.server.with(|state| state.pull(1).unwrap().squash = true);
    gitlab.server.fail(
        "PUT /projects/acme%2Fshop/merge_requests/1",
        1,
        &Fault::Answer(200, json!({}), Vec::new()),
    );
    let MergeOutcome::Blocked(words) = forge.merge(1, head(&gitlab), Some(MergeMethod::Merge)).unwrap()
    else {
        panic!()
    };
    assert!(words.contains("goes on squashing"), "{words}");
    assert_eq!(repo.tip("hydrator/dev"), before);
}

#[test]
fn an_approval_that_is_missing_behind_a_pipeline_that_succeeded_is_not_waited_for() {
    let (_repo, gitlab, forge) = ground();
    gitlab.server.with(|state| state.required_reviews = 1);
    succeed(&gitlab, &forge);
    let refused = |forge: &Connection| match forge.arm(1, head(&gitlab), None).unwrap() {
        ArmOutcome::Refused(words) => words,
        other => panic!("{other:?}"),
    };
    let says = |words: &str| {
        for part in ["does not wait by itself", "an approval is required", "the next `hydrator promote`"] {
            assert!(words.contains(part), "{words}");
        }
    };
    gitlab.server.take_calls();
    says(&refused(&forge));
    assert_eq!(writes(&gitlab.server.take_calls()).len(), 1, "it may have learnt to wait");
    // An old one has not.
    let old = gitlab.forge(Some("17.8.2-ee"));
    says(&refused(&old));
    assert!(writes(&gitlab.server.take_calls()).is_empty());
    // Some say that they do, and do not.
    let shown = json!({"state": "opened", "merge_when_pipeline_succeeds": false});
    gitlab.server.fail("1/merge", 1, &Fault::Answer(200, shown, Vec::new()));
    says(&refused(&forge));
    gitlab.server.with(|state| {
        let alice = ("alice".to_owned(), true);
        state.pull(1).unwrap().reviews.push(alice);
    });
    assert_eq!(forge.arm(1, head(&gitlab), None).unwrap(), ArmOutcome::MergeableNow);
}
