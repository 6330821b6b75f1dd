//! Histories that have a name: what a gate says after each step, in its own words.

use std::rc::Rc;

use hydrator::model::{CommitState, MergeMethod};

use super::ground::{BROKEN, Ground, step};
use super::plan::Plan;
use super::{model, reader};

/// What the report says of an environment's gate.
fn gate(ground: &Rc<Ground>, name: &str) -> String {
    let report = ground.promote(&[]);
    model::check_gates(ground);
    reader::check(ground, None);
    let found = report.environments.into_iter().find(|one| one.name.as_str() == name).unwrap();
    found.promotion.map(|gate| gate.description).unwrap_or_default()
}

fn merge(ground: &Rc<Ground>, name: &str, method: MergeMethod) {
    let open = ground.open(name).unwrap_or_else(|| panic!("nothing is open for {name}"));
    assert!(ground.merge(open.number, method), "{name} is not merged");
}

/// Everything runs the first DRY commit.
fn started(plan: Plan) -> Rc<Ground> {
    let ground = Ground::new(plan);
    ground.run(None);
    for name in ["dev", "staging", "prod"] {
        merge(&ground, name, MergeMethod::Merge);
    }
    ground
}

fn push(ground: &Rc<Ground>, values: [u32; 3]) -> String {
    let commit = ground.commit_dry(values.to_vec());
    ground.run(None);
    commit.short()
}

#[test]
fn a_soak_goes_on_over_a_commit_that_changes_nothing() {
    let mut plan = Plan::line();
    plan.environments[1].soak = 30;
    let ground = started(plan);
    push(&ground, [1, 1, 1]);
    merge(&ground, "dev", MergeMethod::Squash);
    merge(&ground, "staging", MergeMethod::Squash);
    assert_eq!(gate(&ground, "prod"), "soaking in staging until 07:30 UTC");
    step(20 * 60);
    // Something in dev alone: staging and what waits for it have nothing to do with it.
    push(&ground, [2, 1, 1]);
    merge(&ground, "dev", MergeMethod::Rebase);
    assert_eq!(gate(&ground, "prod"), "soaking in staging until 07:30 UTC");
    step(10 * 60);
    assert_eq!(gate(&ground, "prod"), "may be merged");
    step(-5 * 60);
    assert_eq!(gate(&ground, "prod"), "soaking in staging until 07:30 UTC", "the clock went back");
}

#[test]
fn a_soak_is_timed_by_our_own_status_where_there_is_no_pull_request() {
    let mut plan = Plan::line();
    plan.environments[0].push = true;
    plan.environments[0].soak = 120;
    let ground = Ground::new(plan);
    ground.run(None);
    assert_eq!(gate(&ground, "staging"), "soaking in dev until 09:00 UTC");
    step(3_600);
    assert_eq!(gate(&ground, "staging"), "soaking in dev until 09:00 UTC");
    let active = ground.tip("hydrator/dev").unwrap();
    assert_eq!(ground.state_of(active, "hydrator/active"), Some(CommitState::Success));
    step(3_600);
    assert_eq!(gate(&ground, "staging"), "may be merged");
}

#[test]
fn a_soak_goes_on_over_a_proposal_that_was_taken_back() {
    for method in [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase] {
        let mut plan = Plan::line();
        plan.environments[1].soak = 120;
        let ground = started(plan);
        push(&ground, [1, 1, 1]);
        merge(&ground, "dev", method);
        merge(&ground, "staging", method);
        assert_eq!(gate(&ground, "prod"), "soaking in staging until 09:00 UTC");
        step(60 * 60);
        push(&ground, [1, 2, 1]);
        assert!(ground.open("staging").is_some());
        push(&ground, [1, 1, 1]);
        assert!(ground.open("staging").is_none(), "its change went away");
        assert_eq!(gate(&ground, "prod"), "soaking in staging until 09:00 UTC", "{method:?}");
    }
}

#[test]
fn what_a_rollback_pushed_soaks_from_then_on() {
    let methods = [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase].map(Some);
    for method in methods.into_iter().chain([None]) {
        let mut plan = Plan::line();
        plan.environments[1].soak = 120;
        let ground = started(plan);
        push(&ground, [2, 2, 2]);
        merge(&ground, "dev", MergeMethod::Merge);
        match method {
            Some(method) => merge(&ground, "staging", method),
            // Forwarded, as projects without merge commits do it.
            None => ground.set_branch("hydrator/staging", ground.open("staging").unwrap().head_sha),
        }
        assert_eq!(gate(&ground, "prod"), "soaking in staging until 09:00 UTC");
        step(3 * 3_600);
        assert_eq!(gate(&ground, "prod"), "may be merged");
        assert!(ground.roll_back("staging", Some("web"), (true, true)));
        assert_eq!(gate(&ground, "prod"), "soaking in staging until 12:00 UTC", "{method:?}");
    }
}

#[test]
fn a_soak_over_midnight_names_the_day() {
    let mut plan = Plan::line();
    plan.environments[1].soak = 24 * 60;
    let ground = Ground::new(plan);
    ground.run(None);
    merge(&ground, "dev", MergeMethod::Merge);
    merge(&ground, "staging", MergeMethod::Merge);
    assert_eq!(gate(&ground, "prod"), "soaking in staging until 2026-07-07 07:00 UTC");
}

#[test]
fn a_merge_window_is_awaited_and_closes_again() {
    let mut plan = Plan::line();
    plan.environments[0].window = true;
    plan.environments[0].auto_merge = true;
    plan.required = vec!["hydrator/promotion".to_owned(), "review".to_owned()];
    let ground = Ground::new(plan);
    ground.run(None);
    assert_eq!(gate(&ground, "dev"), "the merge window opens 2026-07-06 08:00 UTC");
    step(3_600);
    assert_eq!(gate(&ground, "dev"), "may be merged");
    let open = ground.open("dev").unwrap();
    assert!(!open.auto_merge, "the forge's auto-merge knows no windows");
    step(10 * 3_600);
    assert_eq!(gate(&ground, "dev"), "the merge window opens 2026-07-07 08:00 UTC");
    ground.report(open.head_sha, "review", CommitState::Success);
    assert!(!ground.merge(open.number, MergeMethod::Merge), "nobody merges at night");
}

#[test]
fn what_a_person_or_a_comment_leaves_to_auto_merge_does_not_stay_there() {
    let mut plan = Plan::line();
    plan.required = vec!["hydrator/promotion".to_owned(), "review".to_owned()];
    let ground = Ground::new(plan);
    ground.run(None);
    let open = ground.open("dev").unwrap();
    let report = ground.approve(&open);
    let note = report.environments[0].note.as_deref().unwrap_or_default();
    assert!(note.starts_with("the forge waits: "), "{note}");
    assert!(!ground.open("dev").unwrap().auto_merge, "nobody would take that back");
    ground.press_auto_merge(&open);
    assert!(ground.open("dev").unwrap().auto_merge);
    ground.run(None);
    assert!(!ground.open("dev").unwrap().auto_merge, "dev has no `autoMerge`");
    let waiting = ground.open("staging").unwrap();
    ground.press_auto_merge(&waiting);
    ground.report(waiting.head_sha, "review", CommitState::Success);
    ground.report(open.head_sha, "review", CommitState::Success);
    assert!(ground.merge(open.number, MergeMethod::Merge));
    // The gate's word was all that the forge still waited for.
    assert_eq!(gate(&ground, "staging"), "may be merged");
    assert!(ground.open("staging").is_some(), "it was merged in passing");
}

#[test]
fn staging_has_nothing_to_do_and_dev_still_has() {
    let ground = started(Plan::line());
    let first = ground.tip("main").unwrap().short();
    let second = push(&ground, [1, 0, 1]);
    assert_eq!(gate(&ground, "prod"), format!("dev runs {first}, waits for {second}"));
    merge(&ground, "dev", MergeMethod::Squash);
    assert_eq!(gate(&ground, "prod"), "may be merged");
}

#[test]
fn a_branch_that_goes_at_its_merge_leaves_behind_how_far_it_was() {
    for method in [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase] {
        let ground = started(Plan::line());
        push(&ground, [1, 1, 1]);
        // Something in prod alone: what is offered to dev and staging stays as it is.
        push(&ground, [1, 1, 2]);
        for (name, next) in [("dev", "staging"), ("staging", "prod")] {
            let open = ground.open(name).unwrap();
            assert!(ground.merge_and(open.number, method, true), "{name} is not merged");
            assert_eq!(gate(&ground, next), "may be merged", "{method:?}");
        }
        merge(&ground, "prod", method);
    }
}

#[test]
fn a_branch_that_is_gone_says_nothing_of_what_was_moved_back_by_hand() {
    let ground = started(Plan::line());
    let before = ground.tip("hydrator/dev").unwrap();
    let first = ground.tip("main").unwrap().short();
    push(&ground, [1, 1, 1]);
    let last = push(&ground, [1, 1, 2]);
    let open = ground.open("dev").unwrap();
    assert!(ground.merge_and(open.number, MergeMethod::Squash, true));
    ground.set_branch("hydrator/dev", before);
    assert_eq!(gate(&ground, "staging"), format!("dev runs {first}, waits for {last}"));
}

#[test]
fn an_edited_predecessor_holds_everything_after_it() {
    let ground = started(Plan::line());
    push(&ground, [1, 1, 1]);
    merge(&ground, "dev", MergeMethod::Rebase);
    assert_eq!(gate(&ground, "staging"), "may be merged");
    assert!(ground.edit_active("dev"));
    assert_eq!(gate(&ground, "staging"), "held by a hand edit of dev");
    assert!(gate(&ground, "prod").starts_with("staging runs "));
}

#[test]
fn an_edit_holds_although_a_target_was_rolled_back_and_lets_others_pass() {
    let ground = started(Plan::line());
    push(&ground, [2, 2, 2]);
    merge(&ground, "dev", MergeMethod::Rebase);
    assert!(ground.rollback("dev", Some("jobs"), true));
    merge(&ground, "dev", MergeMethod::Rebase);
    assert_eq!(gate(&ground, "staging"), "may be merged");
    assert!(ground.edit_active("dev"));
    assert_eq!(gate(&ground, "staging"), "held by a hand edit of dev");
}

#[test]
fn a_rolled_back_predecessor_holds_everything_after_it() {
    let ground = started(Plan::line());
    let second = push(&ground, [1, 1, 1]);
    merge(&ground, "dev", MergeMethod::Squash);
    assert_eq!(gate(&ground, "staging"), "may be merged");
    assert!(ground.rollback("dev", None, false));
    assert_eq!(gate(&ground, "dev"), "may be merged", "a rollback waits for nobody");
    merge(&ground, "dev", MergeMethod::Merge);
    assert_eq!(gate(&ground, "staging"), "held by rollback of dev");
    push(&ground, [2, 2, 2]);
    assert_eq!(gate(&ground, "staging"), "held by rollback of dev");
    assert_eq!(gate(&ground, "dev"), "", "nothing is offered to it until it is resumed");
    ground.resume(&["dev".to_owned()]);
    let third = ground.tip("main").unwrap().short();
    assert_eq!(gate(&ground, "dev"), "may be merged");
    merge(&ground, "dev", MergeMethod::Rebase);
    assert_eq!(gate(&ground, "staging"), "may be merged");
    assert_ne!(second, third);
    assert!(gate(&ground, "prod").starts_with("staging runs "));
}

#[test]
fn what_was_rolled_back_and_lets_others_pass_goes_on_letting_them_pass() {
    let mut plan = Plan::line();
    plan.environments[1].statuses = vec!["health"];
    let ground = started(plan);
    push(&ground, [1, 1, 1]);
    merge(&ground, "dev", MergeMethod::Squash);
    assert_eq!(gate(&ground, "staging"), "may be merged");
    merge(&ground, "staging", MergeMethod::Squash);
    assert!(ground.rollback("staging", None, true));
    merge(&ground, "staging", MergeMethod::Merge);
    // Nobody said that staging is well, and nobody has to.
    assert_eq!(gate(&ground, "prod"), "may be merged");
    for value in [2, 3] {
        let before = ground.tip("main").unwrap().short();
        let pushed = push(&ground, [value, value, value]);
        let waits = gate(&ground, "prod");
        assert!(waits.starts_with("dev runs ") && waits.ends_with(&pushed), "{before}: {waits}");
        merge(&ground, "dev", MergeMethod::Rebase);
        assert_eq!(gate(&ground, "prod"), "may be merged");
        let note = ground.note(ground.tip("hydrator/staging-next").unwrap()).unwrap();
        assert!(note.contains(&ground.tip("main").unwrap().to_string()), "GitOps Promoter waits: {note}");
    }
    ground.resume(&["staging".to_owned()]);
    assert_eq!(gate(&ground, "prod"), "may be merged", "until that is merged");
    merge(&ground, "staging", MergeMethod::Merge);
    assert_eq!(gate(&ground, "prod"), "staging: health is missing", "it is waited for again");
}

#[test]
fn what_was_passed_over_for_a_soak_waits_for_a_run_and_promote_says_so() {
    let mut plan = Plan::line();
    plan.environments[1].soak = 30;
    plan.finish = true;
    let ground = started(plan);
    push(&ground, [1, 1, 1]);
    for name in ["dev", "staging"] {
        assert_eq!(gate(&ground, name), "may be merged");
        merge(&ground, name, MergeMethod::Squash);
    }
    push(&ground, [2, 2, 2]);
    let note = |ground: &Rc<Ground>| ground.promote(&[]).environments[1].note.clone();
    let soaks = note(&ground).expect("staging soaks for prod");
    assert!(soaks.contains(" until prod has it (`contention: finish`)"), "{soaks}");
    step(30 * 60);
    assert_eq!(gate(&ground, "prod"), "may be merged");
    merge(&ground, "prod", MergeMethod::Squash);
    assert_eq!(note(&ground).as_deref(), Some("newer DRY commits wait for `hydrator run`"));
    ground.run(None);
    assert_eq!(note(&ground), None);
}

#[test]
fn a_soak_that_is_to_be_finished_is_not_starved_by_what_stands_beside_it() {
    let mut plan = Plan::diamond();
    plan.environments[1].soak = 30;
    plan.finish = true;
    let ground = Ground::new(plan);
    ground.run(None);
    for minute in 1..=8 {
        step(5 * 60);
        ground.commit_dry(vec![minute; 4]);
        ground.run(None);
        model::check_gates(&ground);
        ground.promote(&[]);
        model::check_gates(&ground);
    }
    let active = ground.tip("hydrator/last").unwrap();
    assert!(ground.manifest(active).is_some(), "{}", model::picture(&ground));
}

#[test]
fn a_dry_branch_that_was_moved_back_by_force_is_the_newest_there_is() {
    let ground = started(Plan::line());
    let before = ground.tip("main").unwrap();
    push(&ground, [1, 1, 1]);
    for name in ["dev", "staging", "prod"] {
        merge(&ground, name, MergeMethod::Squash);
    }
    ground.set_branch("main", before);
    ground.run(None);
    assert_eq!(gate(&ground, "dev"), "may be merged");
    for name in ["dev", "staging", "prod"] {
        merge(&ground, name, MergeMethod::Merge);
        assert_eq!(gate(&ground, name), "");
    }
}

#[test]
fn a_commit_that_comes_again_does_not_bring_its_open_gate() {
    let mut plan = Plan::line();
    plan.environments[0].statuses = vec!["health"];
    plan.required = vec!["hydrator/promotion".to_owned()];
    let ground = Ground::new(plan);
    ground.run(None);
    merge(&ground, "dev", MergeMethod::Merge);
    let active = ground.tip("hydrator/dev").unwrap();
    ground.report(active, "health", CommitState::Success);
    assert_eq!(gate(&ground, "staging"), "may be merged");
    let head = ground.open("staging").unwrap().head_sha;
    let first = ground.tip("main").unwrap();
    ground.commit_dry(vec![0, 5, 0]);
    ground.run(None);
    ground.report(active, "health", CommitState::Failure);
    ground.set_branch("main", first);
    ground.run(None);
    assert_eq!(ground.open("staging").unwrap().head_sha, head, "the same commit is proposed again");
    assert_eq!(ground.state_of(head, "hydrator/promotion"), Some(CommitState::Pending));
    assert_eq!(gate(&ground, "staging"), "dev: health failed");
}

#[test]
fn a_hand_edit_holds_until_it_is_undone_even_where_that_is_offered() {
    let mut plan = Plan::line();
    plan.environments[0].repair = true;
    let ground = started(plan);
    push(&ground, [1, 1, 1]);
    merge(&ground, "dev", MergeMethod::Merge);
    assert_eq!(gate(&ground, "staging"), "may be merged");
    assert!(ground.edit_active("dev"));
    assert_eq!(gate(&ground, "staging"), "held by a hand edit of dev");
    // A newer DRY commit offers dev what undoes it, and is not for staging yet.
    ground.commit_dry(vec![2, 1, 1]);
    ground.run_of(None, &["dev"]);
    assert_eq!(gate(&ground, "staging"), "held by a hand edit of dev");
    // Nor can it be rendered for staging.
    ground.commit_dry(vec![2, BROKEN, 1]);
    ground.run(None);
    model::check_gates(&ground);
    assert_eq!(gate(&ground, "staging"), "held by a hand edit of dev");
    merge(&ground, "dev", MergeMethod::Merge);
    assert!(gate(&ground, "staging").starts_with("dev is past "), "{}", gate(&ground, "staging"));
}
