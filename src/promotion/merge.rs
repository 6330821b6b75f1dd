//! Merging what the gate lets through, for environments with `autoMerge`. Does I/O through the forge.
//!
//! Nothing here decides about the gate: a pull request is merged, or left to the forge's own auto-merge, only at the
//! head that the gate was asked about, and taken out of auto-merge when the gate says wait.

use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::Result;

use crate::forge::{ArmOutcome, Forge, MergeOutcome, MergeState, Mergeability};
use crate::gate::{PROMOTION, Verdict};
use crate::model::{CommitId, Environment, PullRequest};
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

/// Does what is due for the open pull request of an environment with `autoMerge`.
pub(super) fn advance(
    world: &World,
    environment: &Environment,
    request: &PullRequest,
    (head, verdict): (CommitId, &Verdict),
) -> Result<Advance> {
    let forge = world.forge.as_ref();
    if !verdict.is_open() {
        if request.auto_merge {
            forge.disarm(request.number)?;
        }
        return Ok(Advance::Waits(None));
    }
    let found = look(world, forge, request.number)?;
    if found.head_sha != head {
        return Ok(Advance::Waits(Some("its head was moved meanwhile".to_owned())));
    }
    match &found.state {
        MergeState::Ready => merge(forge, environment, request.number, head),
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

/// The forge's own auto-merge is used only where it will ask for our status again when it merges; and never where
/// merge windows are set, since it does not know them.
fn arm(
    forge: &dyn Forge,
    environment: &Environment,
    number: u64,
    (head, words): (CommitId, &str),
) -> Result<Advance> {
    let waits = |more: &str| Ok(Advance::Waits(Some(format!("the forge waits: {words}{more}"))));
    if environment.has_times() {
        return waits("");
    }
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
    let mut found = forge.mergeability(number)?;
    for again in 1..LOOKS {
        if found.state != MergeState::Unknown || world.stop.load(Ordering::Relaxed) {
            break;
        }
        std::thread::sleep(Duration::from_millis(500 * u64::from(again)));
        found = forge.mergeability(number)?;
    }
    Ok(found)
}
