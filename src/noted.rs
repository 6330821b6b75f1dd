//! T: the newest DRY commit that an environment has processed, by our note, else by the metadata of what it has.
//!
//! Does I/O: it reads objects of the scratch repository, and fetches what was merged from a branch that is gone.

use anyhow::Result;

use crate::branch::{Tip, metadata_blob};
use crate::git::{Note, Objects, Scratch};
use crate::model::{CommitId, ObjectId, PullRequestOutline, PullRequestState};

/// The commits whose notes speak for an environment, in this order: the proposed tip, the active tip, and where forges
/// delete the proposed branch at its merge, what was merged into the active tip.
pub fn speakers(active: Option<&Tip>, proposed: Option<CommitId>) -> Vec<CommitId> {
    let merged = active.filter(|_| proposed.is_none()).map(|active| active.commit.parents.iter().skip(1));
    let active = active.map(|active| active.commit.id);
    proposed.into_iter().chain(active).chain(merged.into_iter().flatten().copied()).collect()
}

/// The first note on one of these commits.
pub fn note(objects: Objects<'_>, notes: Option<ObjectId>, commits: &[CommitId]) -> Result<Option<Note>> {
    let Some(notes) = notes else { return Ok(None) };
    for commit in commits {
        let blobs = objects.note_blobs(notes, &[*commit])?.remove(commit).unwrap_or_default();
        if let Some(note) = objects.note(&blobs)? {
            return Ok(Some(note));
        }
    }
    Ok(None)
}

/// What the note on a proposal says that was merged by a squash or a rebase, and whose branch was deleted then: nothing on
/// the active branch names its commit, only the forge's pull request does. It speaks for the environment as long as that
/// has what was merged; what cannot be had any more says nothing.
pub fn of_merged(
    scratch: &Scratch,
    notes: Option<ObjectId>,
    active: &Tip,
    request: Option<&PullRequestOutline>,
) -> Result<Option<CommitId>> {
    let merged = request.filter(|request| request.state == PullRequestState::Merged);
    let (Some(merged), Some(notes)) = (merged, notes) else { return Ok(None) };
    let objects = scratch.objects();
    let head = merged.head_sha;
    let blobs = objects.note_blobs(notes, &[head])?.remove(&head).unwrap_or_default();
    scratch.fetch_blobs(&blobs.iter().copied().filter(|blob| !objects.has(*blob)).collect())?;
    let Some(note) = objects.note(&blobs)?.filter(|note| Some(note.dry_sha) != active.dry_sha()) else {
        return Ok(None);
    };
    if !objects.has(head) && scratch.fetch_tips(&[head].into()).is_err() {
        return Ok(None);
    }
    scratch.fetch_blobs(
        &metadata_blob(objects, head)?.into_iter().filter(|blob| !objects.has(*blob)).collect(),
    )?;
    let merged = Tip::read(objects, head)?;
    let is_there = merged.dry_sha() == active.dry_sha() && merged.is_like(active);
    Ok(is_there.then_some(note.dry_sha))
}
