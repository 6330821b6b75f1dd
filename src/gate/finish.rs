//! `contention: finish`: who keeps its DRY commit until it is merged, so that a busy DRY branch cannot starve the
//! environments behind one that soaks. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{Board, Place};

/// For each environment that keeps its DRY commit for now: the environment that waits. Those are an environment that
/// waits for one that soaks, and the one that soaks. `released` are those whose pull request has the label `replace`.
pub fn finishing(board: &Board<'_>, released: &BTreeSet<usize>) -> BTreeMap<usize, usize> {
    let mut kept = BTreeMap::new();
    for (at, place) in board.places.iter().enumerate() {
        let waits = place.proposal.as_ref().is_some_and(|proposal| !proposal.rejected);
        if !waits || place.held.is_some() || released.contains(&at) || !may_come(board, at, place) {
            continue;
        }
        let mut soaking = BTreeSet::new();
        soaking_before(board, at, place, &mut soaking);
        for before in &soaking {
            kept.entry(*before).or_insert(at);
        }
        if !soaking.is_empty() {
            kept.insert(at, at);
        }
    }
    kept
}

/// Whether what `place` waits for can still come: an environment before it that has left its DRY commit behind, without
/// ever having it, never will, and who waited for that would keep everybody for good.
fn may_come(board: &Board<'_>, at: usize, place: &Place<'_>) -> bool {
    board.places[at].after.iter().all(|index| {
        let before = &board.places[*index];
        let is_there = before.active.dry == place.processed;
        let has_processed = before.processed == place.processed;
        is_there || (has_processed && (before.proposal.is_some() || may_come(board, *index, place)))
    })
}

/// Those before `at` that soak what `place` waits to have; where that changed nothing, one looks through.
fn soaking_before(board: &Board<'_>, at: usize, place: &Place<'_>, soaking: &mut BTreeSet<usize>) {
    for index in &board.places[at].after {
        let before = &board.places[*index];
        if soaks_for(before, place) && !soaking.insert(*index) {
            continue;
        }
        let untouched = before.proposal.is_none() && before.processed == place.processed;
        if untouched && before.active.dry != place.processed {
            soaking_before(board, *index, place, soaking);
        }
    }
}

/// Whether `before` soaks what `place` waits to have: it has to soak, and nothing else is on its way there.
fn soaks_for(before: &Place<'_>, place: &Place<'_>) -> bool {
    let has = before.active.dry == place.processed || before.processed == place.processed;
    before.environment.gates.soak_seconds > 0
        && before.proposal.is_none()
        && before.held.is_none()
        && place.processed.is_some()
        && has
}
