//! What became of what was on an active branch before: whether a proposal's content has been there, and whether somebody
//! took it back.
//!
//! Does I/O, reads only: history is fetched where the tips alone do not tell.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Question, Seen};
use crate::branch::{Tip, metadata_blob};
use crate::hydrate::message::DRY_SHA_TRAILER;
use crate::model::{CommitId, PullRequestState};
use crate::strangers;

/// How deep a proposal's own commit may lie below merges of the active branch into it, and a little more.
const UPDATES: u32 = 50;

/// What became of what was on an active branch before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Past {
    /// Nobody undid anything, as far as the branches tell.
    #[default]
    Kept,
    /// The content of the proposed branch has been on it, and is not any more.
    ProposalLeft,
    /// It is at an older DRY commit than it was, without a record of ours.
    WentBack,
}

/// Finds out what happened where the two tips alone do not tell.
pub(super) fn look_back(question: &Question<'_>, seen: &mut Seen) -> Result<()> {
    let Some(active) = seen.active.clone() else { return Ok(()) };
    let Some(proposed) = seen.proposed.clone() else {
        let before = active.commit.parents.first().copied();
        if went_back(question, &active, active.commit.id, before)? {
            seen.past = Past::WentBack;
        }
        return Ok(());
    };
    if proposed.is_like(&active) {
        return Ok(());
    }
    seen.past = past(question, seen, &active, &proposed)?;
    let differs = proposed.intact && proposed.foreign != active.foreign && seen.past != Past::ProposalLeft;
    seen.has_strangers =
        differs && (!proposed.may_differ() || strangers::are_in(question.scratch, &active, &proposed)?);
    Ok(())
}

/// What became of the past, given a proposal that differs from what is active.
fn past(question: &Question<'_>, seen: &Seen, active: &Tip, proposed: &Tip) -> Result<Past> {
    if seen.last.as_ref().is_some_and(|last| last.state == PullRequestState::Merged) {
        return Ok(Past::ProposalLeft);
    }
    if proposed.commit.parents.contains(&active.commit.id) {
        return Ok(Past::Kept);
    }
    if seen.open.is_none() && was_active(question, active, proposed)? {
        return Ok(Past::ProposalLeft);
    }
    let base = base_of(question, proposed)?;
    let back = went_back(question, active, proposed.commit.id, base)?;
    Ok(if back { Past::WentBack } else { Past::Kept })
}

/// Whether the proposal, or its content, lies in the active branch's own line of history.
fn was_active(question: &Question<'_>, active: &Tip, proposed: &Tip) -> Result<bool> {
    let objects = question.scratch.objects();
    let tips = BTreeSet::from([active.commit.id]);
    for depth in [50, 1000, u32::MAX >> 1] {
        let mut current = active.commit.id;
        loop {
            if !objects.has(current) {
                break;
            }
            let commit = objects.commit(current)?;
            if current == proposed.commit.id || commit.parents.contains(&proposed.commit.id) {
                return Ok(true);
            }
            if proposed.commit.parents.contains(&current) {
                return Ok(false);
            }
            // A rollback offers what has been active before, and a resume may offer what is active.
            if proposed.intent().is_none()
                && Tip::content_of(objects, commit.tree, proposed)? == proposed.content
            {
                return Ok(true);
            }
            let Some(parent) = commit.parents.first() else { return Ok(false) };
            current = *parent;
        }
        question.scratch.fetch_history(&tips, depth)?;
    }
    Ok(false)
}

/// Whether the active branch went back in DRY history without us, by the forge's Revert button: it was at `before`,
/// which lies below `tip`.
fn went_back(question: &Question<'_>, active: &Tip, tip: CommitId, before: Option<CommitId>) -> Result<bool> {
    let Some(before) = before else { return Ok(false) };
    if was_written_by_us(question, active)? {
        return Ok(false);
    }
    let before = fetch_below(question, tip, before)?;
    match (before.dry_sha(), active.dry_sha()) {
        (Some(before), Some(now)) if before != now => {
            Ok((question.ancestry)()?.is_ancestor(now, before)? && !active.is_new_there(question.scratch)?)
        }
        (Some(_), None) => Ok(true),
        _ => Ok(false),
    }
}

/// The active tip that a proposal was made for: below our own commit, which may lie below merges by "Update branch".
fn base_of(question: &Question<'_>, proposed: &Tip) -> Result<Option<CommitId>> {
    let objects = question.scratch.objects();
    let mut commit = proposed.commit.clone();
    while commit.trailer(DRY_SHA_TRAILER).is_none() {
        let Some(parent) = commit.parents.first().copied() else { return Ok(None) };
        if !objects.has(parent) {
            question.scratch.fetch_history(&BTreeSet::from([proposed.commit.id]), UPDATES)?;
        }
        if !objects.has(parent) {
            return Ok(None);
        }
        commit = objects.commit(parent)?;
    }
    Ok(commit.parents.first().copied())
}

/// Whether the active tip is a hydrated commit, or the forge's merge of one.
fn was_written_by_us(question: &Question<'_>, active: &Tip) -> Result<bool> {
    let Some(dry_sha) = active.dry_sha() else { return Ok(false) };
    let objects = question.scratch.objects();
    let says_so = |message: &str| message.contains(&format!("{DRY_SHA_TRAILER}: {dry_sha}"));
    if says_so(&active.commit.message) {
        return Ok(true);
    }
    if active.commit.parents.iter().any(|parent| !objects.has(*parent)) {
        question.scratch.fetch_history(&BTreeSet::from([active.commit.id]), 2)?;
    }
    for merged in active.commit.parents.iter().skip(1) {
        if says_so(&objects.commit(*merged)?.message) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads a commit below a tip that was fetched alone.
fn fetch_below(question: &Question<'_>, tip: CommitId, commit: CommitId) -> Result<Tip> {
    let objects = question.scratch.objects();
    if !objects.has(commit) {
        question.scratch.fetch_history(&BTreeSet::from([tip]), UPDATES)?;
    }
    let blobs = metadata_blob(objects, commit)?.into_iter().filter(|blob| !objects.has(*blob)).collect();
    question.scratch.fetch_blobs(&blobs)?;
    Tip::read(objects, commit)
}
