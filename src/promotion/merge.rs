//! Merging what the gate lets through, for environments with `autoMerge`. Does I/O through the forge.
//!
//! Nothing here decides about the gate: a pull request is merged, or left to the forge's own auto-merge, only at the
//! head that the gate was asked about.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;

use crate::forge::{ArmOutcome, Forge, MergeOutcome, MergeState, Mergeability};
use crate::gate::{PROMOTION, Verdict};
use crate::model::{CommitId, Delivery, Environment, PullRequest};
use crate::world::World;

/// How often the forge is asked again whether a pull request can be merged, when it does not know yet.
const LOOKS: u32 = 5;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Advance {
    /// It was merged; the active branch's new tip.
    Merged(CommitId),
    /// The forge will merge it once its other rules are met.
    Armed,
    /// It waits; for what besides the gate, if there is something to say.
    Waits(Option<String>),
}

/// Whether a pull request may be left to the forge's own auto-merge, however it got there. Never where windows or freezes
/// are set: the forge does not know them. And never by a comment's word alone: nobody would take that back later.
pub(super) fn may_be_armed(environment: &Environment, verdict: &Verdict) -> bool {
    environment.delivery == Delivery::PullRequest
        && environment.auto_merge
        && !environment.has_times()
        && verdict.is_open()
}

/// Takes a pull request out of the forge's auto-merge where it must not be left to it (any more).
pub(super) fn disarm(
    environment: &Environment,
    open: Option<&PullRequest>,
    verdict: &Verdict,
    forge: &dyn Forge,
) -> Result<()> {
    match open.filter(|open| open.auto_merge && !may_be_armed(environment, verdict)) {
        Some(open) => forge.disarm(open.number),
        None => Ok(()),
    }
}

/// Does what is due for the open pull request of an environment with `autoMerge`, or of one that a comment approved. Whether
/// it could be merged may have been told already.
pub(super) fn advance(
    world: &World,
    environment: &Environment,
    (request, told): (&PullRequest, Option<&Mergeability>),
    (head, verdict): (CommitId, &Verdict),
) -> Result<Advance> {
    let forge = world.forge.as_ref();
    if !verdict.is_open() {
        return Ok(Advance::Waits(None));
    }
    // What was told of many at once is enough to go on waiting.
    let waits_on = |told: &&Mergeability| {
        told.head_sha == head && matches!(told.state, MergeState::Blocked(_) | MergeState::Stuck(_))
    };
    let mut found = match told.filter(waits_on) {
        Some(told) => told.clone(),
        None => look(world, forge, request.number)?,
    };
    if found.head_sha != head {
        if world.repository.scratch.look()?.branch(&environment.proposed) != Some(head) {
            return Ok(Advance::Waits(Some("its head was moved meanwhile".to_owned())));
        }
        // Forges follow pushes in their own time.
        found = look_until(world, found, forge, request.number, |found| found.head_sha == head)?;
        if found.head_sha != head {
            return Ok(Advance::Waits(Some("the forge has not seen the push yet".to_owned())));
        }
    }
    match &found.state {
        MergeState::Ready => merge(forge, environment, request.number, head),
        MergeState::Blocked(words) if !may_be_armed(environment, verdict) => {
            Ok(Advance::Waits(Some(waits(words))))
        }
        MergeState::Blocked(_) if found.armed => Ok(Advance::Armed),
        MergeState::Blocked(words) => arm(forge, environment, request.number, (head, words)),
        MergeState::Stuck(words) => Ok(Advance::Waits(Some(format!("cannot be merged: {words}")))),
        MergeState::Unknown => Ok(Advance::Waits(Some("the forge is still looking at it".to_owned()))),
    }
}

fn merge(forge: &dyn Forge, environment: &Environment, number: u64, head: CommitId) -> Result<Advance> {
    Ok(match forge.merge(number, head, environment.merge_method)? {
        MergeOutcome::Merged(tip) => Advance::Merged(tip),
        MergeOutcome::Blocked(words) => Advance::Waits(Some(format!("not merged: {words}"))),
    })
}

fn waits(words: &str) -> String {
    format!("the forge waits: {words}")
}

/// The forge's own auto-merge is used only where it will ask for our status again when it merges.
fn arm(
    forge: &dyn Forge,
    environment: &Environment,
    number: u64,
    (head, words): (CommitId, &str),
) -> Result<Advance> {
    let waits = |more: &str| Ok(Advance::Waits(Some(waits(words) + more)));
    if !forge.requires_status(&environment.active, PROMOTION)? {
        return waits(&format!("; not left to its auto-merge, since it does not require `{PROMOTION}`"));
    }
    match forge.arm(number, head, environment.merge_method)? {
        ArmOutcome::Armed => Ok(Advance::Armed),
        ArmOutcome::MergeableNow => merge(forge, environment, number, head),
        ArmOutcome::Refused(why) => waits(&format!("; {why}")),
    }
}

/// Asks whether it can be merged; a forge that has not found out yet is asked a few times more.
fn look(world: &World, forge: &dyn Forge, number: u64) -> Result<Mergeability> {
    let found = forge.mergeability(number)?;
    look_until(world, found, forge, number, |_| true)
}

/// Asks again, a few times, until the forge has found out and what it knows will do.
fn look_until(
    world: &World,
    mut found: Mergeability,
    forge: &dyn Forge,
    number: u64,
    will_do: impl Fn(&Mergeability) -> bool,
) -> Result<Mergeability> {
    for again in 1..LOOKS {
        let is_known = found.state != MergeState::Unknown && will_do(&found);
        if is_known || world.stop.load(Ordering::Relaxed) {
            break;
        }
        std::thread::sleep(Duration::from_millis(500 * u64::from(again)));
        found = forge.mergeability(number)?;
    }
    Ok(found)
}
