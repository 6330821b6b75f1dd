//! Walks an active branch back along its first parents: through merges, squashes, rebases and people's commits.
//!
//! Does I/O: it fetches commits and trees to a depth, and the small metadata files of them.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{History, State};
use crate::branch::{Tip, metadata_blob};
use crate::git::Scratch;
use crate::model::CommitId;

/// Depths to try, one after the other, until a question is answered; the last one is everything.
pub const DEPTHS: [u32; 3] = [50, 1000, u32::MAX >> 1];

/// The states of the branch with this tip, down to `depth` commits.
pub fn walk(scratch: &Scratch, tip: CommitId, depth: u32) -> Result<History> {
    let objects = scratch.objects();
    scratch.fetch_history(&BTreeSet::from([tip]), depth)?;
    let most = usize::try_from(depth).unwrap_or(usize::MAX);
    let mut line = vec![tip];
    let mut complete = false;
    while let Some(last) = line.last().copied() {
        let parent = objects.commit(last)?.parents.first().copied();
        complete = parent.is_none();
        match parent.filter(|parent| line.len() < most && objects.has(*parent)) {
            Some(parent) => line.push(parent),
            None => break,
        }
    }
    let mut blobs = BTreeSet::new();
    for commit in &line {
        blobs.extend(metadata_blob(objects, *commit)?.filter(|blob| !objects.has(*blob)));
    }
    scratch.fetch_blobs(&blobs)?;
    let mut states: Vec<State> = Vec::new();
    for commit in line {
        let tip = Tip::read(objects, commit)?;
        if tip.metadata.as_ref().is_none_or(|metadata| metadata.config.is_empty()) {
            continue;
        }
        // The oldest of those that have the same is the one that brought it.
        match states.last_mut().filter(|state| is_same(&state.tip, &tip)) {
            Some(state) => {
                state.also.push(state.tip.commit.id);
                state.tip = tip;
            }
            None => states.push(State { tip, also: Vec::new() }),
        }
    }
    for state in &mut states {
        state.also.extend(state.tip.commit.parents.iter().skip(1));
    }
    Ok(History { states, complete })
}

/// Whether nothing of ours differs.
fn is_same(newer: &Tip, older: &Tip) -> bool {
    newer.content == older.content && newer.metadata == older.metadata
}
