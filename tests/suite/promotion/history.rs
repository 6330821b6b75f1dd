//! A random history: what people, other programs and jobs do, in any order; and the calm after it.

use std::rc::Rc;

use hydrator::model::{CommitState, EnvironmentReport, MergeMethod, Operation, RunReport};

use super::ground::{BROKEN, Ground, TARGETS, manifests, next_day, step};
use super::plan::Plan;
use super::{model, reader};
use crate::support::random::Random;

const METHODS: [MergeMethod; 3] = [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase];
const STATES: [CommitState; 3] = [CommitState::Success, CommitState::Pending, CommitState::Failure];

/// Plays the history of a seed: some events, then calm, until nothing moves any more.
pub(super) fn play(seed: u64) {
    let mut random = Random::new(seed);
    let ground = Ground::new(Plan::random(&mut random));
    ground.run(None);
    after(&ground);
    for _ in 0..2 + random.below(7) {
        happen(&ground, &mut random);
        ground.follow_activations();
    }
    settle(&ground, &mut random);
}

/// One thing that happens.
fn happen(ground: &Rc<Ground>, random: &mut Random) {
    let at = random.below(ground.plan.environments.len());
    let environment = ground.plan.environments[at].clone();
    let (active, proposed) =
        (format!("hydrator/{}", environment.name), format!("hydrator/{}-next", environment.name));
    match random.below(100) {
        0..=17 => push(ground, random),
        18..=35 => {
            hydrate(ground, random);
        }
        36..=55 => promote(ground, random),
        56..=67 => {
            let Some(open) = ground.open(&environment.name) else { return };
            match random.below(8) {
                0 => ground.press_auto_merge(&open),
                1 => {
                    ground.approve(&open);
                    after(ground);
                    model::check_armed(ground);
                }
                _ => drop(ground.merge_and(open.number, METHODS[random.below(3)], random.chance(30))),
            }
        }
        68..=77 => {
            let tip = if random.chance(20) { ground.tip(&proposed) } else { ground.tip(&active) };
            if let Some(tip) = tip {
                let context = if random.chance(70) { "health" } else { "review" };
                ground.report(tip, context, STATES[random.below(3)]);
            }
        }
        78..=81 => {
            if let Some(open) = ground.open(&environment.name) {
                ground.tell(format!("label #{}", open.number));
                let on = !open.labels.contains(&"hold".to_owned());
                ground.forge.label(open.number, "hold", on).expect("a label");
            }
        }
        82..=84 => {
            if let Some(open) = ground.open(&environment.name) {
                ground.tell(format!("close #{}", open.number));
                hydrator::forge::Forge::close(&ground.forge, open.number, "").expect("it closes");
            }
        }
        85..=86 if ground.open(&environment.name).is_none() => ground.delete_branch(&proposed),
        87..=88 if environment.repairs() => drop(ground.edit_active(&environment.name)),
        89..=90 => force_push(ground, random),
        91 | 93..=95 => roll_back(ground, random, at),
        92 => step(-300),
        _ => step(60 * i64::try_from(5 + random.below(300)).expect("a small number")),
    }
}

/// A DRY commit for some environments, or for none.
fn push(ground: &Rc<Ground>, random: &mut Random) {
    let tip = ground.tip("main").expect("there is a DRY branch");
    let mut values = ground.dry.borrow()[&tip].values.clone();
    for value in &mut values {
        if random.chance(50) {
            *value = u32::try_from(random.below(4)).expect("a small number");
        }
        if random.chance(4) {
            *value = BROKEN;
        }
    }
    ground.commit_dry(values);
}

/// Somebody rolls an environment or one of its targets back, or ends what a rollback holds.
fn roll_back(ground: &Rc<Ground>, random: &mut Random, at: usize) {
    let held = model::held(ground);
    if !held.is_empty() && random.chance(50) {
        ground.resume(&held);
    } else if !ground.is_edited(at) {
        let target = random.chance(40).then(|| TARGETS[random.below(2)]);
        ground.rollback(&ground.plan.environments[at].name, target, random.chance(40));
    }
    after(ground);
}

fn force_push(ground: &Rc<Ground>, random: &mut Random) {
    let tip = ground.tip("main").expect("there is a DRY branch");
    let parent = ground.dry.borrow()[&tip].parent;
    if let Some(parent) = parent {
        ground.tell("force-push main back");
        ground.set_branch("main", parent);
        if random.chance(60) {
            push(ground, random);
        }
    }
}

/// A job for the tip, or a late one for what was pushed before.
fn hydrate(ground: &Rc<Ground>, random: &mut Random) {
    let tip = ground.tip("main").expect("there is a DRY branch");
    let parent = ground.dry.borrow()[&tip].parent;
    let late = parent.filter(|_| random.chance(15));
    let mut only = Vec::new();
    if random.chance(20) {
        only.extend(
            ground.plan.environments.iter().map(|one| one.name.as_str()).filter(|_| random.chance(50)),
        );
    }
    let report = ground.run_of(late, &only);
    model::check_gates(ground);
    model::check_armed(ground);
    let stays = |one: &&EnvironmentReport| matches!(one.operation, Operation::Failed | Operation::Held);
    let done = report.environments.iter().filter(|one| !stays(one));
    let done: Vec<&str> = done.map(|one| one.name.as_str()).collect();
    let is_newest = late.is_none() && !ground.plan.finish;
    reader::check(ground, Some((tip, done.as_slice())).filter(|_| is_newest));
}

fn promote(ground: &Rc<Ground>, random: &mut Random) {
    ground.promote(&[]);
    after(ground);
    model::check_armed(ground);
    model::check_closed(ground);
    if random.chance(30) {
        changes_nothing(ground);
    }
}

/// What must hold after each of hydrator's own doings.
fn after(ground: &Rc<Ground>) {
    model::check_gates(ground);
    reader::check(ground, None);
}

fn changes_nothing(ground: &Rc<Ground>) {
    let before = ground.everything();
    ground.promote(&[]);
    assert_eq!(ground.everything(), before, "a second `promote` changed something");
}

/// What cannot be rendered is put right.
fn mend(ground: &Rc<Ground>) {
    let tip = ground.tip("main").expect("there is a DRY branch");
    let values = ground.dry.borrow()[&tip].values.clone();
    if values.contains(&BROKEN) {
        ground.commit_dry(values.into_iter().map(|value| if value == BROKEN { 1 } else { value }).collect());
    }
}

/// No events any more but those that the environments wait for: everything gets to the DRY branch's tip.
fn settle(ground: &Rc<Ground>, random: &mut Random) {
    for environment in &ground.plan.environments {
        if let Some(open) = ground.open(&environment.name) {
            ground.forge.label(open.number, "hold", false).expect("a label");
        }
    }
    mend(ground);
    let report = ground.run(None);
    succeeded(&report);
    after(ground);
    for _ in 0..40 {
        let before = ground.everything();
        be_well(ground);
        next_day();
        succeeded(&ground.promote(&reopening(ground)));
        after(ground);
        people_merge(ground, random);
        let held = model::held(ground);
        if !held.is_empty() {
            ground.resume(&held);
            after(ground);
        }
        // What waited for others to finish, or was rolled back, is released by a run and by nothing else.
        if ground.plan.finish || ground.was_rolled_back() {
            ground.run(None);
            after(ground);
        }
        if ground.everything() == before {
            break;
        }
    }
    // `promote` alone got everything there; branches that were deleted come again with the next run.
    ground.run(None);
    let tip = ground.tip("main").expect("there is a DRY branch");
    let names: Vec<&str> = ground.plan.environments.iter().map(|one| one.name.as_str()).collect();
    reader::check(ground, Some((tip, names.as_slice())));
    let values = ground.dry.borrow()[&tip].values.clone();
    for (environment, value) in ground.plan.environments.iter().zip(values) {
        let active = ground.tip(&format!("hydrator/{}", environment.name)).expect("an active branch");
        let (runs, name) = (ground.manifest(active), &environment.name);
        assert_eq!(runs, Some(manifests(value)), "{name} did not get there\n{}", model::picture(ground));
    }
    changes_nothing(ground);
}

fn succeeded(report: &RunReport) {
    let failed = report.environments.iter().find(|one| one.operation == Operation::Failed);
    assert!(failed.is_none(), "{failed:?}");
}

/// Whoever was asked says yes.
fn be_well(ground: &Rc<Ground>) {
    for environment in &ground.plan.environments {
        for branch in
            [format!("hydrator/{}", environment.name), format!("hydrator/{}-next", environment.name)]
        {
            if let Some(tip) = ground.tip(&branch) {
                for context in ["health", "review"] {
                    if ground.state_of(tip, context) != Some(CommitState::Success) {
                        ground.report(tip, context, CommitState::Success);
                    }
                }
            }
        }
    }
    ground.follow_activations();
}

fn reopening(ground: &Rc<Ground>) -> Vec<&'static str> {
    let names = ["dev", "staging", "prod", "last"];
    names.into_iter().take(ground.plan.environments.len()).collect()
}

/// People merge what they may and hydrator does not.
fn people_merge(ground: &Rc<Ground>, random: &mut Random) {
    for (at, environment) in ground.plan.environments.iter().enumerate() {
        let Some(open) = ground.open(&environment.name) else { continue };
        if !environment.auto_merge && model::allows(ground, at).is_ok() {
            let method = METHODS[["merge", "squash", "rebase"]
                .iter()
                .position(|one| *one == environment.method)
                .unwrap_or(0)];
            ground.merge_and(open.number, method, random.chance(30));
        }
    }
}
