//! The rules of promotion, written down a second time and from the other end: what the branches, the notes and the
//! forge hold is read again, and nothing of hydrator's own code decides.

use std::collections::BTreeSet;

use hydrator::model::{CommitId, CommitState, PullRequestState};

use super::ground::{Ground, clock};

/// What an environment is seen to have.
struct Look {
    runs: Option<CommitId>,
    processed: Option<CommitId>,
    /// The proposed branch's tip, where it offers something else than what runs.
    offers: Option<CommitId>,
    /// `rollback` or `resume`, where that is what is offered.
    intent: Option<String>,
    active: Option<CommitId>,
    /// Whether a rollback holds it, or some of its targets.
    held: bool,
    /// Whether that is all of it.
    whole: bool,
    /// Whether that lets others pass.
    lets_pass: bool,
}

fn look(ground: &Ground, at: usize) -> Look {
    let name = &ground.plan.environments[at].name;
    let active = ground.tip(&format!("hydrator/{name}"));
    let proposed = ground.tip(&format!("hydrator/{name}-next"));
    let dry_of = |commit: CommitId| {
        let text = ground.file(commit, "hydrator.metadata")?;
        let value: serde_json::Value = serde_json::from_str(&text).expect("metadata is JSON");
        CommitId::parse(value["drySha"].as_str()?)
    };
    let said = |commit: Option<CommitId>| {
        let text = commit.and_then(|commit| ground.file(commit, "hydrator.metadata")).unwrap_or_default();
        serde_json::from_str::<serde_json::Value>(&text).unwrap_or_default()
    };
    let (of_active, of_proposed) = (said(active), said(proposed));
    let intent = of_proposed["intent"].as_str().filter(|_| of_proposed != of_active).map(str::to_owned);
    let noted = |commit: CommitId| {
        let value: serde_json::Value = serde_json::from_str(&ground.note(commit)?).expect("a note is JSON");
        CommitId::parse(value["drySha"].as_str()?)
    };
    // A branch that was deleted at its merge leaves its note behind, on what the environment has.
    let newest = ground.newest(name).filter(|newest| newest.state == PullRequestState::Merged);
    let merged = newest
        .map(|newest| newest.head_sha)
        .filter(|head| proposed.is_none() && active.is_some_and(|active| ground.is_same(*head, active)));
    let tips = [proposed, active.filter(|_| merged.is_none()), merged, active];
    let processed = tips.into_iter().flatten().find_map(noted);
    let processed = processed.or_else(|| tips.into_iter().flatten().find_map(dry_of));
    let manifest = |tip: Option<CommitId>| tip.and_then(|tip| ground.manifest(tip));
    let differs = manifest(proposed) != manifest(active) && manifest(proposed).is_some();
    let offers = proposed.filter(|_| differs || intent.is_some());
    let held = of_active["hold"].is_object();
    let whole = held && of_active["hold"]["targets"].as_object().is_none_or(serde_json::Map::is_empty);
    let lets_pass = of_active["hold"]["letPass"] == true;
    Look { runs: active.and_then(dry_of), processed, offers, intent, active, held, whole, lets_pass }
}

/// Whether what the environment is offered may be merged now; the error says which rule is against it.
pub(super) fn allows(ground: &Ground, at: usize) -> Result<(), String> {
    let environment = &ground.plan.environments[at];
    let own = look(ground, at);
    let Some(wanted) = own.processed.filter(|_| own.offers.is_some()) else {
        return Err("nothing is offered".to_owned());
    };
    if ground.open(&environment.name).is_some_and(|open| open.labels.contains(&"hold".to_owned())) {
        return Err("it has the label".to_owned());
    }
    // It waits for nobody.
    if own.intent.as_deref() == Some("rollback") {
        return Ok(());
    }
    if own.whole && own.intent.is_none() {
        return Err("it was rolled back".to_owned());
    }
    if ground.is_edited(at) && !environment.repairs() {
        return Err("it was edited by hand".to_owned());
    }
    takes(ground, at, wanted)
}

/// Whether an environment may take a DRY commit now, as far as time and others have a say.
fn takes(ground: &Ground, at: usize, wanted: CommitId) -> Result<(), String> {
    let environment = &ground.plan.environments[at];
    if environment.window && !(8..18).contains(&(clock().as_second().rem_euclid(86_400) / 3_600)) {
        return Err("its window is closed".to_owned());
    }
    for later in ground.plan.later(at) {
        let Some(runs) = look(ground, later).runs else { continue };
        let on_branch = ground.tip("main").is_some_and(|tip| ground.is_before(runs, tip) || runs == tip);
        if on_branch && wanted != runs && ground.is_before(wanted, runs) {
            return Err(format!("{} is past it", ground.plan.environments[later].name));
        }
    }
    // Everything that has to be well before it, found from the environment backwards.
    let mut open: Vec<usize> = environment.before.clone();
    let mut seen = BTreeSet::new();
    while let Some(before) = open.pop() {
        if seen.insert(before) && passes(ground, before, wanted)? == Passes::Through {
            open.extend(&ground.plan.environments[before].before);
        }
    }
    Ok(())
}

/// How an environment lets a DRY commit pass to later ones.
#[derive(PartialEq, Eq)]
enum Passes {
    /// It runs it.
    Itself,
    /// It has nothing to do with it: those before it answer too.
    Through,
}

fn passes(ground: &Ground, at: usize, wanted: CommitId) -> Result<Passes, String> {
    let environment = &ground.plan.environments[at];
    let name = &environment.name;
    let its = look(ground, at);
    // It takes nothing any more, and is asked for nothing.
    if its.whole && its.lets_pass {
        return Ok(Passes::Through);
    }
    if ground.is_edited(at) {
        return Err(format!("{name} was edited by hand"));
    }
    if its.held && !its.lets_pass {
        return Err(format!("{name} was rolled back"));
    }
    let active = its.active.filter(|_| its.runs.is_some()).ok_or_else(|| format!("{name} runs nothing"))?;
    let has_processed = its.processed == Some(wanted);
    if has_processed && its.offers.is_some() {
        return Err(format!("{name} has not merged it"));
    }
    if !has_processed && its.runs != Some(wanted) {
        return Err(format!("{name} has something else"));
    }
    for context in &environment.statuses {
        if ground.state_of(active, context) != Some(CommitState::Success) {
            return Err(format!("{name} is not well"));
        }
    }
    if environment.soak > 0 {
        let since = ground.active_since(at).ok_or_else(|| format!("{name} has been active for no time"))?;
        if clock().as_second() < since + environment.soak * 60 {
            return Err(format!("{name} soaks"));
        }
    }
    Ok(if its.runs == Some(wanted) { Passes::Itself } else { Passes::Through })
}

/// No proposal that waits may have an open gate unless the rules allow it: to be asked after every run.
pub(super) fn check_gates(ground: &Ground) {
    for (at, environment) in ground.plan.environments.iter().enumerate() {
        let Some(head) = look(ground, at).offers else { continue };
        let is_open = ground.open(&environment.name).is_some() || environment.push;
        let gate = ground.state_of(head, "hydrator/promotion");
        if is_open
            && gate == Some(CommitState::Success)
            && let Err(why) = allows(ground, at)
        {
            panic!("the gate of {} is open, but {why}\n{}", environment.name, picture(ground));
        }
    }
}

/// What was pushed without a pull request had to wait like any other: to be asked after every run, with the tips before it.
pub(super) fn check_pushed(ground: &Ground, before: &[Option<CommitId>]) {
    for (at, environment) in ground.plan.environments.iter().enumerate() {
        let its = look(ground, at);
        // A first commit says nothing, and a rollback waits for nobody.
        let is_ordinary = its.runs.is_some() && !its.held && !ground.is_edited(at);
        if !environment.push || its.active == before[at] || !is_ordinary {
            continue;
        }
        let wanted = its.processed.expect("what was pushed was processed");
        if let Err(why) = takes(ground, at, wanted) {
            panic!("{} was pushed, but {why}\n{}", environment.name, picture(ground));
        }
    }
}

/// What a person closed has no open gate, or whoever opens it again could merge it unseen: to be asked after `promote`.
pub(super) fn check_closed(ground: &Ground) {
    for (at, environment) in ground.plan.environments.iter().enumerate() {
        let Some(head) = look(ground, at).offers.filter(|_| ground.open(&environment.name).is_none()) else {
            continue;
        };
        let is_closed = ground
            .newest(&environment.name)
            .is_some_and(|newest| newest.state == PullRequestState::Closed && newest.head_sha == head);
        let is_open = ground.state_of(head, "hydrator/promotion") == Some(CommitState::Success);
        assert!(
            !(is_closed && is_open),
            "the gate of {}, which was closed, is open\n{}",
            environment.name,
            picture(ground)
        );
    }
}

/// The forge merges nothing by itself but what it may at any time: to be asked after every run about everything.
pub(super) fn check_armed(ground: &Ground) {
    for (at, environment) in ground.plan.environments.iter().enumerate() {
        let is_armed = ground.open(&environment.name).is_some_and(|open| open.auto_merge);
        let may_be = environment.auto_merge && !environment.window;
        if let (true, Err(why)) = (is_armed, allows(ground, at)) {
            panic!("{} is left to auto-merge, but {why}\n{}", environment.name, picture(ground));
        }
        assert!(!is_armed || may_be, "{} is left to auto-merge\n{}", environment.name, picture(ground));
    }
}

/// The environments that a rollback holds.
pub(super) fn held(ground: &Ground) -> Vec<String> {
    let environments = ground.plan.environments.iter().enumerate();
    environments.filter(|(at, _)| look(ground, *at).held).map(|(_, one)| one.name.clone()).collect()
}

/// Everything, for people who look at a failure.
pub(super) fn picture(ground: &Ground) -> String {
    let mut lines = ground.story.borrow().clone();
    lines.push(format!("now {}, tip {:?}", clock(), ground.tip("main")));
    for (at, environment) in ground.plan.environments.iter().enumerate() {
        let its = look(ground, at);
        lines.push(format!(
            "{environment:?}\n  runs {:?} since {:?}, T {:?}, offers {:?}, edited {}",
            its.runs,
            ground.active_since(at),
            its.processed,
            its.offers,
            ground.is_edited(at)
        ));
    }
    lines.join("\n")
}
