//! Merging by each method, and what stands in its way.

use super::*;

#[test]
fn merge_makes_a_commit_of_two_parents() {
    let ground = Ground::new();
    let (active, next) = (ground.tip("active"), ground.tip("next"));
    let merged = ground.merge(MergeMethod::Merge);
    assert_eq!(ground.tip("active"), merged);
    assert_eq!(ground.tree(merged), ground.tree(next));
    let forge = "hydrator local forge <local-forge@hydrator.invalid> 1002 +0000";
    let tree = ground.tree(merged);
    assert_eq!(
        ground.raw(merged),
        format!(
            "tree {tree}parent {active}\nparent {next}\nauthor {forge}\ncommitter {forge}\n\n\
             Merge pull request #1 from next\n\nPromote\n"
        )
    );
    assert_eq!(ground.only().state, PullRequestState::Merged);
    assert_eq!(ground.only().head_sha, next);
    assert_eq!(ground.tip("next"), next, "the head branch stays");
}

#[test]
fn squash_makes_one_commit_with_the_message_of_the_head() {
    let ground = Ground::new();
    let (active, next) = (ground.tip("active"), ground.tip("next"));
    let merged = ground.merge(MergeMethod::Squash);
    let forge = "hydrator local forge <local-forge@hydrator.invalid> 1002 +0000";
    let tree = ground.tree(next);
    assert_eq!(
        ground.raw(merged),
        format!(
            "tree {tree}parent {active}\nauthor {forge}\ncommitter {forge}\n\nPromote (#1)\n\nWhy.\n\nX: y\n"
        )
    );
    assert_eq!(ground.only().state, PullRequestState::Merged);
}

#[test]
fn rebase_makes_the_commits_again_with_their_authors() {
    let ground = Ground::new();
    let next = ground.tip("next");
    let second = ground.commit_at(&[("a.yaml", "2\n"), ("b.yaml", "2\n")], &[next], "Second\n", 5000);
    ground.set("next", second);
    let active = ground.tip("active");
    let other = ground.commit(&[("a.yaml", "1\n"), ("b.yaml", "1\n"), ("c.yaml", "1\n")], &[active], "Other");
    ground.set("active", other);
    let merged = ground.merge(MergeMethod::Rebase);
    assert_eq!(ground.git(&["show", &format!("{merged}:b.yaml")]), "2\n");
    assert_eq!(ground.git(&["show", &format!("{merged}:c.yaml")]), "1\n");
    let log = ground.git(&["log", "--format=%an|%at|%cn|%ct|%s", &merged.to_string()]);
    let forge = "hydrator local forge";
    assert_eq!(
        log,
        format!(
            "Ann|5000|{forge}|5001|Second\nAnn|1001|{forge}|1002|1a2b3c4: Bump\nAnn|1001|Con|1001|Other\nAnn|1000|Con|1000|Initial\n"
        )
    );
    assert_eq!(ground.only().state, PullRequestState::Merged);
}

#[test]
fn the_same_merge_gives_the_same_commit() {
    for method in [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase] {
        assert_eq!(Ground::new().merge(method), Ground::new().merge(method));
    }
}

#[test]
fn a_rebase_of_a_merge_is_impossible() {
    let ground = Ground::new();
    let (active, next) = (ground.tip("active"), ground.tip("next"));
    let merge = ground.commit(&[("a.yaml", "9\n")], &[next, active], "Update branch");
    ground.set("next", merge);
    ground.open();
    assert_eq!(ground.blocked(merge, Some(MergeMethod::Rebase)), "it contains merge commits");
    assert_eq!(ground.tip("active"), active);
}

#[test]
fn a_conflict_blocks_every_method() {
    let ground = Ground::new();
    let active = ground.tip("active");
    ground.open();
    let other = ground.commit(&[("a.yaml", "9\n"), ("b.yaml", "1\n")], &[active], "Hand edit");
    ground.set("active", other);
    for method in [None, Some(MergeMethod::Squash), Some(MergeMethod::Rebase)] {
        assert_eq!(ground.blocked(ground.tip("next"), method), "it conflicts with `active` in `a.yaml`");
    }
    assert_eq!(ground.tip("active"), other);
    assert_eq!(ground.only().state, PullRequestState::Open);
}

#[test]
fn a_head_that_was_moved_is_not_merged() {
    let ground = Ground::new();
    let opened = ground.open();
    ground.set("next", ground.commit(&[("a.yaml", "3\n")], &[ground.tip("active")], "Newer"));
    assert!(ground.blocked(opened.head_sha, None).starts_with("its head was moved from "));
}

#[test]
fn drafts_closed_and_merged_ones_are_not_merged() {
    let ground = Ground::new();
    let mut new = wanted("next", "active", "Promote");
    new.look.draft = true;
    let opened = ground.forge().open(&new).unwrap();
    assert_eq!(ground.blocked(opened.head_sha, None), "it is a draft");
    ground.forge().close(1, "").unwrap();
    assert_eq!(ground.blocked(opened.head_sha, None), "it is closed");
    let second = ground.open();
    ground.forge().merge(second.number, second.head_sha, None).unwrap();
    let again = ground.forge().merge(second.number, second.head_sha, None).unwrap();
    assert_eq!(again, MergeOutcome::Blocked("it is merged already".to_owned()));
}

#[test]
fn a_required_status_gates_the_merge() {
    let ground = Ground::new();
    let head = ground.open().head_sha;
    let forge = ground.forge();
    forge.require_status("hydrator/promotion").unwrap();
    forge.require_status("hydrator/promotion").unwrap();
    assert_eq!(forge.required_statuses().unwrap(), ["hydrator/promotion"]);
    assert!(ground.blocked(head, None).ends_with(" is missing"));
    forge.set_status(head, &status("hydrator/promotion", CommitState::Pending)).unwrap();
    assert!(ground.blocked(head, None).ends_with(" is pending"));
    forge.set_status(ground.tip("active"), &status("hydrator/promotion", CommitState::Success)).unwrap();
    assert!(ground.blocked(head, None).ends_with(" is pending"), "another commit's status does not count");
    forge.set_status(head, &status("hydrator/promotion", CommitState::Success)).unwrap();
    assert!(matches!(forge.merge(1, head, None).unwrap(), MergeOutcome::Merged(_)));
}

#[test]
fn the_head_branch_goes_away_when_asked() {
    let ground = Ground::new();
    ground.open();
    let request = MergeRequest { delete_branch: true, ..Default::default() };
    assert!(matches!(ground.forge().merge_as(1, &request).unwrap(), MergeOutcome::Merged(_)));
    assert_eq!(ground.git(&["for-each-ref", "--format=%(refname)"]), "refs/heads/active\n");
    assert_eq!(ground.only().state, PullRequestState::Merged);
}

#[test]
fn of_two_merges_at_once_one_wins() {
    let ground = Ground::new();
    let opened = ground.open();
    let outcomes = std::thread::scope(|scope| {
        let merge = || ground.forge().merge(opened.number, opened.head_sha, None).unwrap();
        let both = [scope.spawn(merge), scope.spawn(merge)];
        both.map(|thread| thread.join().unwrap())
    });
    let merged = outcomes.iter().filter(|outcome| matches!(outcome, MergeOutcome::Merged(_))).count();
    assert_eq!(merged, 1, "{outcomes:?}");
    assert_eq!(ground.git(&["rev-list", "--count", "active"]), "3\n");
}
