//! What the forge knows of the commits that somebody waits for: statuses, and since when an environment is where it is.
//!
//! Does I/O through the forge: one look at all statuses, and at what was merged last where something soaks; it
//! writes `hydrator/active` where nothing else tells since when.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;

use crate::forge::{Forge, Statuses};
use crate::gate::{ACTIVE, Board, Place, Proposal};
use crate::model::{BranchName, CommitId, CommitStatus, Delivery, PullRequestOutline, PullRequestState};
use crate::tell::mark_active;

/// What tells which pull request brought what is active, by the environment's place.
#[derive(Clone, Debug, Default)]
pub struct Tips {
    /// What the active commit merged: its parents but the first one, which was there before.
    pub merged: Vec<CommitId>,
    /// The proposed branch's tip.
    pub proposed: Option<CommitId>,
    /// The statuses of a proposed commit, where they were told already.
    pub told: Option<(CommitId, Vec<CommitStatus>)>,
}

/// Whether what is missing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Writes {
    /// `hydrator/active` is made where nothing else tells since when.
    Active,
    /// The same; and gates of what people closed will be closed, so their statuses are asked for as well.
    Gates,
    /// Nothing is written.
    Nothing,
}

/// Asks the forge what the board does not know yet, and returns all statuses that it gave.
pub fn gather(
    board: &mut Board<'_>,
    tips: &[Tips],
    (forge, writes): (&dyn Forge, Writes),
) -> Result<Statuses> {
    let waiting = |proposal: &&Proposal| !proposal.rejected || writes == Writes::Gates;
    let proposals = board.places.iter().filter_map(|place| place.proposal.as_ref());
    let mut commits: Vec<CommitId> = proposals.filter(waiting).map(|proposal| proposal.head).collect();
    if commits.is_empty() {
        return Ok(Statuses::new());
    }
    let mut statuses: Statuses = tips.iter().filter_map(|tips| tips.told.clone()).collect();
    commits.retain(|head| !statuses.contains_key(head));
    let decisive = board.decisive();
    let gates = |at: &usize| &board.places[*at].environment.gates;
    let soaking: Vec<usize> = decisive.iter().copied().filter(|at| gates(at).soak_seconds > 0).collect();
    let asked = decisive.iter().filter(|at| gates(at).soak_seconds > 0 || !gates(at).statuses.is_empty());
    commits.extend(asked.filter_map(|at| board.places[*at].active.commit));
    commits.sort();
    commits.dedup();
    let (asked_of, pairs) = brought_by_requests(board, &soaking);
    let (found, merged) = forge.statuses_and_merged(&commits, &pairs)?;
    statuses.extend(found);
    let merged = merge_times(board, tips, asked_of.into_iter().zip(merged));
    since(board, (&soaking, &merged), (forge, writes, &mut statuses))?;
    for at in decisive {
        let active = &mut board.places[at].active;
        active.statuses = active.commit.and_then(|commit| statuses.get(&commit)).cloned().unwrap_or_default();
    }
    Ok(statuses)
}

/// Since when: the pull request's merge time, else the time of our own status, which is made where it is missing.
fn since(
    board: &mut Board<'_>,
    (soaking, merged): (&[usize], &BTreeMap<usize, Timestamp>),
    (forge, writes, statuses): (&dyn Forge, Writes, &mut Statuses),
) -> Result<()> {
    let mut unknown = Vec::new();
    for at in soaking {
        let Some(commit) = board.places[*at].active.commit else { continue };
        let known = merged.get(at).copied().or_else(|| made_active(statuses, commit));
        board.places[*at].active.since = known;
        if known.is_none() && writes != Writes::Nothing {
            mark_active(forge, board.places[*at].environment, commit)?;
            unknown.push((*at, commit));
        }
    }
    if unknown.is_empty() {
        return Ok(());
    }
    let commits: Vec<CommitId> = unknown.iter().map(|(_, commit)| *commit).collect();
    statuses.extend(forge.statuses(&commits)?);
    for (at, commit) in unknown {
        board.places[at].active.since = made_active(statuses, commit);
    }
    Ok(())
}

fn made_active(statuses: &Statuses, commit: CommitId) -> Option<Timestamp> {
    statuses.get(&commit)?.iter().find(|status| status.context == ACTIVE)?.created_at
}

/// Those of these environments that a pull request brought where they are, with its branches.
fn brought_by_requests<'a>(
    board: &Board<'a>,
    soaking: &[usize],
) -> (Vec<usize>, Vec<(&'a BranchName, &'a BranchName)>) {
    let environments = soaking.iter().map(|at| (*at, board.places[*at].environment));
    environments
        .filter(|(_, environment)| environment.delivery == Delivery::PullRequest)
        .map(|(at, environment)| (at, (&environment.proposed, &environment.active)))
        .unzip()
}

/// When the pull requests were merged that brought what is active, as far as the last ones did.
fn merge_times(
    board: &Board<'_>,
    tips: &[Tips],
    newest: impl Iterator<Item = (usize, Option<PullRequestOutline>)>,
) -> BTreeMap<usize, Timestamp> {
    let time = |(at, newest): (usize, Option<PullRequestOutline>)| {
        let newest = newest.filter(|newest| brought(newest, &board.places[at], &tips[at]))?;
        Some((at, newest.merged_at?))
    };
    newest.filter_map(time).collect()
}

/// Whether this pull request was merged and is what the environment has now.
fn brought(request: &PullRequestOutline, place: &Place<'_>, tips: &Tips) -> bool {
    let head = Some(request.head_sha);
    let is_waiting = place.proposal.as_ref().map(|proposal| proposal.head) == head;
    let is_made = request.merged_as.is_some() && request.merged_as == place.active.commit;
    let is_on_branch =
        place.active.commit == head || tips.merged.contains(&request.head_sha) || tips.proposed == head;
    request.state == PullRequestState::Merged && (is_made || is_on_branch && !is_waiting)
}
