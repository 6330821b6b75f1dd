//! Where environments stand: from what was observed, or from what a run has just made of it. Pure.

use crate::gate::{Active, HAND_EDIT, HOLD_LABEL, Held, Kind, Place, Proposal};
use crate::hydrate::Intent;
use crate::model::{CommitId, DriftPolicy, Environment, Project, PullRequest};
use crate::observe::Seen;
use crate::plan::{self, Decision, Permissions};
use crate::planned::Planned;

/// Where an environment stands as it was observed.
pub fn observed<'a>(project: &'a Project, at: usize, seen: &Seen, config: &str) -> Place<'a> {
    let environment = &project.environments[at];
    let is_ours = plan::standing(environment, seen, config, Permissions::default()).is_ok();
    let proposal = plan::offer(seen).map(|offered| Proposal {
        head: offered.commit.id,
        dry: offered.dry_sha(),
        // What a person made of a rollback is none that need wait for nobody.
        kind: kind(offered.intent().filter(|_| is_ours)),
        rejected: plan::is_rejected(seen),
        labelled_hold: has_label(seen.open.as_ref(), HOLD_LABEL),
    });
    Place {
        environment,
        after: after(project, at),
        active: Active { edited: is_ours && is_edited(environment, seen), ..active(seen, None) },
        processed: seen.processed,
        held: held((environment, is_ours), seen, proposal.is_some()),
        proposal,
    }
}

/// Where an environment stands after a run's push for the DRY commit `dry`.
pub(super) fn after_push<'a>(
    project: &'a Project,
    at: usize,
    planned: &Planned<'_>,
    (config, dry): (&str, CommitId),
) -> Place<'a> {
    let seen = &planned.seen;
    let mut place = observed(project, at, seen, config);
    let decision = match &planned.decision {
        Err(_) | Ok(Decision::Superseded | Decision::Finishing(_) | Decision::NotHeld) => return place,
        Ok(Decision::Held(_)) => {
            place.held.get_or_insert_with(by_hand);
            if plan::lets_pass(seen) {
                place.processed = Some(dry);
            }
            return place;
        }
        Ok(decision) => decision,
    };
    // What is held by its own branch goes on being held; a hand edit is what the run has just looked into.
    place.held = recorded(seen);
    place.processed = planned.processed.or(Some(dry));
    place.active = Active { edited: place.active.edited, ..active(seen, planned.first) };
    match decision {
        // It has what it should have, whoever made it so.
        Decision::Nothing | Decision::Withdraw => {
            place.proposal = None;
            place.active.edited = false;
        }
        Decision::Propose | Decision::Reparent | Decision::Leave => {
            let waiting = place.proposal.as_ref();
            let (kind, from) = match decision {
                Decision::Propose => (kind(planned.terms.intent), Some(dry)),
                _ => waiting.map_or((Kind::Ordinary, None), |waiting| (waiting.kind, waiting.dry)),
            };
            place.proposal = planned.proposed.map(|head| Proposal {
                head,
                dry: from,
                kind,
                rejected: false,
                labelled_hold: has_label(seen.open.as_ref(), HOLD_LABEL),
            });
        }
        Decision::Rejected
        | Decision::Superseded
        | Decision::Held(_)
        | Decision::Finishing(_)
        | Decision::NotHeld => {}
    }
    place
}

/// Whether there is a pull request with this label.
pub fn has_label(request: Option<&PullRequest>, label: &str) -> bool {
    request.is_some_and(|request| request.has_label(label))
}

/// The places of the environments before this one.
fn after(project: &Project, at: usize) -> Vec<usize> {
    let place =
        |one: &&Environment| project.environments.iter().position(|environment| environment.name == one.name);
    project.predecessors(at).iter().filter_map(place).collect()
}

fn active(seen: &Seen, first: Option<CommitId>) -> Active {
    let tip = seen.active.as_ref();
    Active {
        commit: tip.map(|tip| tip.commit.id).or(first),
        dry: tip.and_then(crate::branch::Tip::dry_sha),
        edited: false,
        since: None,
        statuses: Vec::new(),
    }
}

fn is_edited(environment: &Environment, seen: &Seen) -> bool {
    seen.active.as_ref().is_some_and(|active| plan::drift(environment, seen, active).is_some())
}

const fn kind(intent: Option<Intent>) -> Kind {
    match intent {
        Some(Intent::Rollback) => Kind::Rollback,
        Some(Intent::Resume) => Kind::Resume,
        None => Kind::Ordinary,
    }
}

/// Why it stays where it is. A branch that is not ours holds too: nothing is said about what it has.
fn held((environment, is_ours): (&Environment, bool), seen: &Seen, is_offered: bool) -> Option<Held> {
    if !is_ours {
        return Some(Held { by: "an error".to_owned(), whole: true, lets_pass: false, left: None });
    }
    // With `drift: repair` a proposal that waits puts it right, and need not wait for the edit.
    let stays = environment.drift == DriftPolicy::Hold || !is_offered;
    let recorded = recorded(seen);
    if recorded.as_ref().is_some_and(|held| held.whole) {
        return recorded;
    }
    // What holds single targets says nothing of the others.
    if stays && is_edited(environment, seen) { Some(by_hand()) } else { recorded }
}

/// The hold that stands on the active branch.
fn recorded(seen: &Seen) -> Option<Held> {
    let hold = plan::hold(seen)?;
    Some(Held {
        by: "rollback".to_owned(),
        whole: hold.is_whole(),
        lets_pass: hold.let_pass,
        left: hold.left(),
    })
}

fn by_hand() -> Held {
    Held { by: HAND_EDIT.to_owned(), whole: true, lets_pass: false, left: None }
}
