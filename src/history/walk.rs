//! Walks an active branch back along its first parents: through merges, squashes, rebases and people's commits.
//!
//! Does I/O: it fetches commits and trees to a depth, and the small metadata files of them.

use std::collections::BTreeSet;

use anyhow::Result;
use jiff::Timestamp;

use super::{History, State};
use crate::branch::{Tip, metadata_blob};
use crate::git::{Objects, Scratch};
use crate::hydrate::message::DRY_SHA_TRAILER;
use crate::model::{CommitId, Moment};

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
            None => states.push(State { tip, also: Vec::new(), ours: false, merged: None }),
        }
    }
    for state in &mut states {
        let merged: Vec<CommitId> = state.tip.commit.parents.iter().skip(1).copied().collect();
        state.ours = is_ours(objects, &state.tip, &merged)?;
        state.merged = made_by_merge(objects, &state.tip)?;
        state.also.extend(merged);
    }
    Ok(History { states, complete })
}

/// Whether the commit, or one that it merges, is a hydrated one of the DRY commit that it has.
fn is_ours(objects: Objects<'_>, tip: &Tip, merged: &[CommitId]) -> Result<bool> {
    let Some(dry_sha) = tip.dry_sha() else { return Ok(false) };
    let line = format!("{DRY_SHA_TRAILER}: {dry_sha}");
    let mut messages = vec![tip.commit.message.clone()];
    for commit in merged.iter().filter(|commit| objects.has(**commit)) {
        messages.push(objects.commit(*commit)?.message);
    }
    Ok(messages.iter().any(|message| message.lines().any(|one| one == line)))
}

/// When the commit was made, if a merge made it: hydrator dates its own like the DRY commit or the one before.
fn made_by_merge(objects: Objects<'_>, tip: &Tip) -> Result<Option<Moment>> {
    let made = tip.commit.committed;
    let (parent, merged) = (tip.commit.parents.first(), tip.commit.parents.len() > 1);
    let Some(parent) = parent.filter(|parent| objects.has(**parent)) else {
        return Ok(merged.then_some(made));
    };
    let dry: Option<Timestamp> = tip.metadata.as_ref().and_then(|metadata| metadata.date.parse().ok());
    let before = objects.commit(*parent)?.committed.seconds.max(dry.map_or(i64::MIN, Timestamp::as_second));
    Ok((merged || (tip.intent().is_none() && made.seconds > before)).then_some(made))
}

/// Whether nothing of ours differs.
fn is_same(newer: &Tip, older: &Tip) -> bool {
    newer.content == older.content && newer.metadata == older.metadata
}
