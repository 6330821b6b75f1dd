//! The gate's word on every proposed commit: written where it differs, and nowhere else. Does I/O through the forge.

use anyhow::Result;

use super::merge::disarm;
use crate::forge::{Forge, Statuses};
use crate::gate::{PROMOTION, Place, Verdict};
use crate::model::{CommitId, CommitState, CommitStatus, Environment, PullRequest};

/// Writes what the gate says of a proposal, unless the forge says so already. What must not be left to the forge's
/// auto-merge is taken out of it first: an open gate may be all that the forge still waits for.
pub(super) fn post(
    place: &Place<'_>,
    (verdict, open): (&Verdict, Option<&PullRequest>),
    statuses: &Statuses,
    forge: &dyn Forge,
) -> Result<()> {
    let disarmed = disarm(place.environment, open, verdict, forge);
    if disarmed.is_err() && verdict.is_open() {
        return disarmed;
    }
    write(place, verdict, statuses, forge)?;
    disarmed
}

fn write(place: &Place<'_>, verdict: &Verdict, statuses: &Statuses, forge: &dyn Forge) -> Result<()> {
    let Some(proposal) = &place.proposal else { return Ok(()) };
    let known = said(statuses, proposal.head);
    if proposal.rejected {
        return close_rejected(place.environment, (proposal.head, known), forge);
    }
    let wanted = verdict.status();
    if known.is_some_and(|known| known.state == wanted.state && known.description == wanted.description) {
        return Ok(());
    }
    forge.set_status(proposal.head, &wanted)
}

/// What a person closed can be opened again with a click, at any time: the gate that was open then must not be by now.
/// Whatever else is said there keeps it closed as well, and stays.
fn close_rejected(
    environment: &Environment,
    (head, known): (CommitId, Option<&CommitStatus>),
    forge: &dyn Forge,
) -> Result<()> {
    if known.is_none_or(|known| known.state != CommitState::Success) {
        return Ok(());
    }
    let words =
        format!("closed by a person: `hydrator promote --reopen {}` offers it again", environment.name);
    forge.set_status(head, &Verdict::Waits(words).status())
}

fn said(statuses: &Statuses, commit: CommitId) -> Option<&CommitStatus> {
    statuses.get(&commit)?.iter().find(|status| status.context == PROMOTION)
}

/// Commits that a branch is about to be moved to, with their statuses: hydrated commits come out the same again, and one
/// that was let through before must not be merged on the strength of that. Returns the statuses that stay as they are.
pub(super) fn close_old(mut statuses: Statuses, forge: &dyn Forge) -> Result<Statuses> {
    let is_open = |statuses: &Statuses, commit: CommitId| {
        said(statuses, commit).is_some_and(|status| status.state == CommitState::Success)
    };
    let open: Vec<CommitId> = statuses.keys().copied().filter(|commit| is_open(&statuses, *commit)).collect();
    for commit in open {
        let again = Verdict::Waits("proposed again: not looked at yet".to_owned());
        forge.set_status(commit, &again.status())?;
        statuses.remove(&commit);
    }
    Ok(statuses)
}
