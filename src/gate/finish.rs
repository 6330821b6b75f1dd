//! `contention: finish`: who keeps its DRY commit until it is merged, so that a busy DRY branch cannot starve the
//! environments behind one that soaks. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Board, Place};

/// For each environment that keeps its DRY commit for now: the environment that waits. Those are an environment that
/// waits for one that soaks, and everything before it that still has to have the same DRY commit: if one of those went on,
/// what waits could never be merged. `released` are those whose pull request has the label `replace`.
pub fn finishing(board: &Board<'_>, released: &BTreeSet<usize>) -> BTreeMap<usize, usize> {
    let mut kept = BTreeMap::new();
    for (at, place) in board.places.iter().enumerate() {
        let waits = place.proposal.as_ref().is_some_and(|proposal| !proposal.rejected);
        if !waits || place.held.is_some() || place.processed.is_none() || released.contains(&at) {
            continue;
        }
        let mut needed = BTreeSet::new();
        let may_come = need(board, at, place, &mut needed);
        if may_come && needed.iter().any(|before| soaks(&board.places[*before])) {
            for before in &needed {
                kept.entry(*before).or_insert(at);
            }
            kept.insert(at, at);
        }
    }
    kept
}

/// Collects those before `at` that must have what `place` waits to have; false if one of them never will: it has left
/// that behind, a person does not want it there, or it is held for nobody knows how long.
fn need(board: &Board<'_>, at: usize, place: &Place<'_>, needed: &mut BTreeSet<usize>) -> bool {
    board.places[at].after.iter().all(|index| {
        let before = &board.places[*index];
        if before.steps_aside() {
            return need(board, *index, place, needed);
        }
        if before.held.as_ref().is_some_and(|held| !held.lets_pass) {
            return false;
        }
        if !needed.insert(*index) {
            return true;
        }
        let has_processed = before.processed == place.processed;
        match &before.proposal {
            Some(proposal) if has_processed => !proposal.rejected && need(board, *index, place, needed),
            _ if before.active.dry == place.processed => true,
            None => has_processed && need(board, *index, place, needed),
            Some(_) => false,
        }
    })
}

/// Whether it has to soak, and nothing else is on its way there.
fn soaks(place: &Place<'_>) -> bool {
    place.environment.gates.soak_seconds > 0 && place.proposal.is_none()
}
