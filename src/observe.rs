//! Stage 3, observe: what the remote's branches and the forge hold at this moment.
//!
//! Does I/O, reads only: one look at the refs, one fetch of the tips, one of the few blobs that are read, one forge
//! query. History is asked for only where the tips alone do not tell what happened.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::branch::{Tip, metadata_blob};
use crate::cache::{self, CACHE_REF, Cache};
use crate::forge::Forge;
use crate::git::{Ancestry, NOTES_REF, Note, Objects, RemoteRefs, Scratch};
use crate::hydrate::Hold;
use crate::hydrate::message::DRY_SHA_TRAILER;
use crate::model::{BranchName, CommitId, Delivery, Environment, ObjectId, PullRequest, PullRequestState};
use crate::noted;
use crate::strangers;

/// How deep a proposal's own commit may lie below merges of the active branch into it, and a little more.
const UPDATES: u32 = 50;

/// What the observation is about.
pub struct Question<'a> {
    /// The scratch repository.
    pub scratch: &'a Scratch,
    /// Answers about the DRY branch's history.
    pub ancestry: &'a dyn Fn() -> Result<&'a Ancestry>,
    /// The forge.
    pub forge: &'a dyn Forge,
    /// The environments.
    pub environments: &'a [Environment],
    /// The pattern of active branches, to find that of an environment which was renamed.
    pub active_pattern: &'a str,
    /// The DRY commit of this run.
    pub dry: CommitId,
    /// The DRY branch.
    pub dry_branch: &'a BranchName,
}

/// The state of everything at one moment.
#[derive(Debug)]
pub struct Observation {
    /// The remote's refs.
    pub refs: RemoteRefs,
    /// The tip of the notes.
    pub notes: Option<ObjectId>,
    /// One entry per environment asked about, in their order.
    pub environments: Vec<Seen>,
    /// What earlier runs rendered.
    pub cache: Cache,
    /// The blobs that the cache brought along.
    pub shelf: Vec<ObjectId>,
    /// Every open pull request.
    pub pull_requests: Vec<PullRequest>,
}

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

/// The state of one environment.
#[derive(Clone, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is an answer of its own")]
pub struct Seen {
    /// The active branch's tip.
    pub active: Option<Tip>,
    /// Where the active branch is missing and the environment was renamed: the former one, whose tip `active` is.
    pub renamed_from: Option<BranchName>,
    /// The proposed branch's tip.
    pub proposed: Option<Tip>,
    /// The newest DRY commit that the environment has processed.
    pub processed: Option<CommitId>,
    /// The open pull request from the proposed to the active branch.
    pub open: Option<PullRequest>,
    /// Where nothing is open although something is offered: the last pull request there was.
    pub last: Option<PullRequest>,
    /// Whether a run began to take the proposal back: it closed the pull request then, no person did.
    pub withdrawn: bool,
    /// What became of what was on the active branch before.
    pub past: Past,
    /// Whether the proposed tip carries files that neither we nor the active branch brought; asked only of one that offers
    /// something.
    pub has_strangers: bool,
    /// Whether the active tip was found to have what it should have: our proposed branch and our note are on it.
    pub checked: bool,
    /// Whether a newer DRY commit than this run's has been processed.
    pub superseded: bool,
    /// With `contention: finish`: why it keeps its DRY commit for now.
    pub kept: Option<String>,
}

/// Observes everything, given one look at the remote's refs.
pub fn observe(question: &Question<'_>, refs: RemoteRefs) -> Result<Observation> {
    let notes = refs.get(NOTES_REF);
    let shelf = fetch(question, &refs, notes)?;
    let objects = question.scratch.objects();
    let cache = refs.get(CACHE_REF).map(|commit| Cache::read(objects, commit)).unwrap_or_default();
    let pull_requests = question.forge.open_pull_requests()?;
    let mut environments = Vec::with_capacity(question.environments.len());
    for environment in question.environments {
        let tip = |branch| refs.branch(branch).map(|id| Tip::read(objects, id)).transpose();
        let renamed_from = former_branch(question, environment, &refs);
        let mut seen = Seen {
            active: tip(renamed_from.as_ref().unwrap_or(&environment.active))?,
            proposed: tip(&environment.proposed)?,
            renamed_from: renamed_from.clone(),
            open: find_open(&pull_requests, environment),
            ..Seen::default()
        };
        let proposed = seen.proposed.as_ref().map(|tip| tip.commit.id);
        let note = noted::note(objects, notes, &noted::speakers(seen.active.as_ref(), proposed))?;
        seen.withdrawn = note.is_some_and(|note| note.withdrawn);
        seen.processed = processed(note, &seen);
        seen.checked = is_checked(objects, notes, &seen)?;
        environments.push(seen);
    }
    find_last(question, notes, &mut environments)?;
    for seen in &mut environments {
        look_back(question, seen)?;
    }
    ask_ancestry(question, &refs, &mut environments)?;
    Ok(Observation { refs, notes, environments, cache, shelf, pull_requests })
}

/// Two fetches: commits and trees of the tips, then the few blobs of them that are read.
fn fetch(question: &Question<'_>, refs: &RemoteRefs, notes: Option<ObjectId>) -> Result<Vec<ObjectId>> {
    let objects = question.scratch.objects();
    let branches =
        question.environments.iter().flat_map(|environment| [&environment.active, &environment.proposed]);
    let mut tips: Vec<ObjectId> = branches.filter_map(|branch| refs.branch(branch)).collect();
    let former = |environment| former_branch(question, environment, refs);
    tips.extend(question.environments.iter().filter_map(former).filter_map(|branch| refs.branch(&branch)));
    let cache = refs.get(CACHE_REF);
    let missing = tips.iter().copied().chain(notes).chain(cache).filter(|id| !objects.has(*id)).collect();
    question.scratch.fetch_tips(&missing)?;
    let mut shelf = Vec::new();
    let mut blobs = BTreeSet::new();
    if let Some(cache) = cache {
        shelf = cache::unpack(objects, cache)?;
        blobs.extend(cache::stored_blobs(objects, cache).into_values());
    }
    for tip in &tips {
        blobs.extend(metadata_blob(objects, *tip)?);
    }
    if let Some(notes) = notes {
        objects.expect_notes(notes)?;
        let left_alone = question.environments.iter().filter(|one| refs.branch(&one.proposed).is_none());
        let left_alone = left_alone.filter_map(|environment| refs.branch(&environment.active));
        let merged = left_alone.map(|tip| Ok(objects.commit(tip)?.parents.into_iter().skip(1)));
        let merged = merged.collect::<Result<Vec<_>>>()?.into_iter().flatten();
        let speakers: Vec<CommitId> = tips.iter().copied().chain(merged).collect();
        blobs.extend(objects.note_blobs(notes, &speakers)?.into_values().flatten());
    }
    blobs.retain(|blob| !objects.has(*blob));
    question.scratch.fetch_blobs(&blobs)?;
    Ok(shelf)
}

/// The branch that a renamed environment had before, as long as it has none of its own.
fn former_branch(
    question: &Question<'_>,
    environment: &Environment,
    refs: &RemoteRefs,
) -> Option<BranchName> {
    let former = environment.renamed_from.as_ref()?;
    let branch = BranchName::new(question.active_pattern.replace("{environment}", former.as_str())).ok()?;
    (refs.branch(&environment.active).is_none() && refs.branch(&branch).is_some()).then_some(branch)
}

fn find_open(pull_requests: &[PullRequest], environment: &Environment) -> Option<PullRequest> {
    let ours =
        |request: &&PullRequest| request.head == environment.proposed && request.base == environment.active;
    pull_requests.iter().find(ours).cloned()
}

/// T: what the note says, else the metadata.
fn processed(note: Option<Note>, seen: &Seen) -> Option<CommitId> {
    let tips = [seen.proposed.as_ref(), seen.active.as_ref()];
    note.map(|note| note.dry_sha).or_else(|| tips.into_iter().flatten().find_map(Tip::dry_sha))
}

/// Only a run moves the proposed branch onto the active tip and puts a note there: when nothing is to be proposed.
fn is_checked(objects: Objects<'_>, notes: Option<ObjectId>, seen: &Seen) -> Result<bool> {
    let (Some(active), Some(proposed), Some(notes)) = (&seen.active, &seen.proposed, notes) else {
        return Ok(false);
    };
    let tip = active.commit.id;
    Ok(tip == proposed.commit.id && !objects.note_blobs(notes, &[tip])?.is_empty())
}

/// What became of the pull requests of proposals that have none open, and of those whose branch is gone: one question
/// for all of them.
fn find_last(question: &Question<'_>, notes: Option<ObjectId>, environments: &mut [Seen]) -> Result<()> {
    let lacks = |(environment, seen): &(&Environment, &mut Seen)| {
        let differs = match (&seen.active, &seen.proposed) {
            (Some(active), Some(proposed)) => active.content != proposed.content,
            (Some(active), None) => may_have_processed_more(question, seen, active),
            _ => false,
        };
        differs && seen.open.is_none() && environment.delivery == Delivery::PullRequest
    };
    let all = question.environments.iter().zip(environments);
    let (pairs, seen): (Vec<_>, Vec<&mut Seen>) = all
        .filter(lacks)
        .map(|(environment, seen)| ((&environment.proposed, &environment.active), seen))
        .unzip();
    if pairs.is_empty() {
        return Ok(());
    }
    let newest = question.forge.newest_pull_requests(&pairs)?;
    for (seen, last) in seen.into_iter().zip(newest) {
        let tip = seen.proposed.as_ref().map(|proposed| proposed.commit.id);
        if let (Some(active), None) = (&seen.active, tip) {
            let more = noted::of_merged(question.scratch, notes, active, last.as_ref())?;
            seen.processed = more.or(seen.processed);
        }
        seen.last = last.filter(|last| Some(last.head_sha) == tip);
    }
    Ok(())
}

/// Whether a note that nothing leads to any more may say that more was processed than what is active.
fn may_have_processed_more(question: &Question<'_>, seen: &Seen, active: &Tip) -> bool {
    let runs = active.dry_sha();
    runs.is_some() && seen.processed == runs && runs != Some(question.dry)
}

/// Finds out what happened where the two tips alone do not tell.
fn look_back(question: &Question<'_>, seen: &mut Seen) -> Result<()> {
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

/// Latest wins: the DRY branch's tip always may; only otherwise is ancestry asked, once for each commit.
fn ask_ancestry(question: &Question<'_>, refs: &RemoteRefs, environments: &mut [Seen]) -> Result<()> {
    let tip = refs.branch(question.dry_branch);
    if tip == Some(question.dry) {
        return Ok(());
    }
    let ancestry = (question.ancestry)()?;
    let rewritten = match tip {
        Some(tip) => !ancestry.is_ancestor(question.dry, tip)?,
        None => false,
    };
    // One that is held or frozen stays as it is anyway, and what it was rolled back to may be gone from the remote.
    let is_held = |seen: &Seen| {
        let tips = [seen.active.as_ref(), seen.proposed.as_ref()];
        tips.into_iter().flatten().any(|tip| tip.hold().is_some_and(Hold::is_whole))
    };
    let asked = environments.iter().filter(|seen| !is_held(seen));
    let processed: BTreeSet<CommitId> = asked.filter_map(|seen| seen.processed).collect();
    let mut newer = BTreeSet::new();
    for other in processed.into_iter().filter(|other| *other != question.dry) {
        if rewritten || ancestry.is_ancestor(question.dry, other)? {
            newer.insert(other);
        }
    }
    for seen in environments {
        seen.superseded = rewritten || seen.processed.is_some_and(|processed| newer.contains(&processed));
    }
    Ok(())
}
