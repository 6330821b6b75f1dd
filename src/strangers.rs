//! What a proposed branch carries that neither we nor the active branch brought: a person's files.
//!
//! Does I/O: history is fetched where the two tips alone do not tell.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::branch::{Tip, metadata_blob};
use crate::git::Scratch;
use crate::model::CommitId;

/// How far down what is not ours is followed, and how far the active branch, before all of it is asked for.
const DEPTHS: [u32; 3] = [50, 1000, u32::MAX >> 1];

/// Whether the proposed tip carries files that are not ours, and that are not those of a commit of the active branch
/// that it was made from or that was merged into it ("Update branch").
pub fn are_in(scratch: &Scratch, active: &Tip, proposed: &Tip) -> Result<bool> {
    let objects = scratch.objects();
    let mut commit = proposed.commit.clone();
    loop {
        if commit.parents.iter().any(|parent| !objects.has(*parent)) {
            scratch.fetch_history(&BTreeSet::from([proposed.commit.id]), DEPTHS[0])?;
        }
        if commit.parents.iter().any(|parent| !objects.has(*parent)) {
            return Ok(true);
        }
        for parent in &commit.parents {
            let before = read(scratch, *parent)?;
            if proposed.has_only_foreign_of(objects, &before)? && lies_on(scratch, active, *parent)? {
                return Ok(false);
            }
        }
        // A merge that changed nothing carries what that parent carried.
        let parents = commit.parents.iter().filter(|_| commit.parents.len() > 1);
        let mut parents = parents.map(|parent| objects.commit(*parent)).collect::<Result<Vec<_>>>()?;
        parents.retain(|parent| parent.tree == commit.tree);
        let Some(same) = parents.into_iter().next() else { return Ok(true) };
        commit = same;
    }
}

fn read(scratch: &Scratch, commit: CommitId) -> Result<Tip> {
    let objects = scratch.objects();
    let blobs = metadata_blob(objects, commit)?.into_iter().filter(|blob| !objects.has(*blob)).collect();
    scratch.fetch_blobs(&blobs)?;
    Tip::read(objects, commit)
}

/// Whether the active branch contains a commit.
fn lies_on(scratch: &Scratch, active: &Tip, wanted: CommitId) -> Result<bool> {
    let tips = BTreeSet::from([active.commit.id]);
    for depth in DEPTHS {
        if let Some(found) = is_known_below(scratch, active, wanted)? {
            return Ok(found);
        }
        scratch.fetch_history(&tips, depth)?;
    }
    Ok(is_known_below(scratch, active, wanted)? == Some(true))
}

/// The same, as far as the history that is here tells.
fn is_known_below(scratch: &Scratch, active: &Tip, wanted: CommitId) -> Result<Option<bool>> {
    let objects = scratch.objects();
    let (mut waiting, mut asked) = (vec![active.commit.id], BTreeSet::new());
    let mut is_whole = true;
    while let Some(next) = waiting.pop() {
        if next == wanted {
            return Ok(Some(true));
        }
        if !asked.insert(next) {
            continue;
        }
        if objects.has(next) {
            waiting.extend(objects.commit(next)?.parents);
        } else {
            is_whole = false;
        }
    }
    Ok(is_whole.then_some(false))
}
