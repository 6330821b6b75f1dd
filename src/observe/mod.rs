//! Stage 3, observe: what the remote's branches and the forge hold at this moment.
//!
//! Does I/O, reads only: one look at the refs, one fetch of the tips, one of the few blobs that are read, one forge
//! query. History is asked for only where the tips alone do not tell what happened.

mod past;

use std::collections::BTreeSet;

use anyhow::Result;

pub use self::past::Past;
use self::past::look_back;

use crate::branch::{Tip, metadata_blob};
use crate::cache::{self, CACHE_REF, Cache};
use crate::forge::{Forge, Pair};
use crate::git::{Ancestry, NOTES_REF, Note, Objects, RemoteRefs, Scratch};
use crate::hydrate::Hold;
use crate::model::{BranchName, CommitId, Delivery, Environment, ObjectId, PullRequest, PullRequestOutline};
use crate::noted;

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
    pub last: Option<PullRequestOutline>,
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
    let mut environments = Vec::with_capacity(question.environments.len());
    for environment in question.environments {
        let tip = |branch| refs.branch(branch).map(|id| Tip::read(objects, id)).transpose();
        let renamed_from = former_branch(question, environment, &refs);
        let mut seen = Seen {
            active: tip(renamed_from.as_ref().unwrap_or(&environment.active))?,
            proposed: tip(&environment.proposed)?,
            renamed_from: renamed_from.clone(),
            ..Seen::default()
        };
        let proposed = seen.proposed.as_ref().map(|tip| tip.commit.id);
        let note = noted::note(objects, notes, &noted::speakers(seen.active.as_ref(), proposed))?;
        seen.withdrawn = note.is_some_and(|note| note.withdrawn);
        seen.processed = processed(note, &seen);
        seen.checked = is_checked(objects, notes, &seen)?;
        environments.push(seen);
    }
    let pull_requests = ask_forge(question, notes, &mut environments)?;
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

fn find_open(pull_requests: &[PullRequest], (head, base): Pair<'_>) -> Option<PullRequest> {
    pull_requests.iter().find(|request| request.head == *head && request.base == *base).cloned()
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

/// The open pull requests; what became of those of proposals that have none open, and of those whose branch is gone. One
/// question for all of them.
fn ask_forge(
    question: &Question<'_>,
    notes: Option<ObjectId>,
    environments: &mut [Seen],
) -> Result<Vec<PullRequest>> {
    let may_lack_one = |(environment, seen): &(&Environment, &mut Seen)| {
        let differs = match (&seen.active, &seen.proposed) {
            (Some(active), Some(proposed)) => active.content != proposed.content,
            (Some(active), None) => may_have_processed_more(question, seen, active),
            _ => false,
        };
        differs && environment.delivery == Delivery::PullRequest
    };
    let all = question.environments.iter().zip(environments.iter_mut());
    let (pairs, places): (Vec<_>, Vec<&mut Seen>) = all
        .filter(may_lack_one)
        .map(|(environment, seen)| ((&environment.proposed, &environment.active), seen))
        .unzip();
    let (open, newest) = question.forge.open_and_newest(&pairs)?;
    for ((seen, pair), last) in places.into_iter().zip(&pairs).zip(newest) {
        if find_open(&open, *pair).is_some() {
            continue;
        }
        let tip = seen.proposed.as_ref().map(|proposed| proposed.commit.id);
        if let (Some(active), None) = (&seen.active, tip) {
            let more = noted::of_merged(question.scratch, notes, active, last.as_ref())?;
            seen.processed = more.or(seen.processed);
        }
        seen.last = last.filter(|last| Some(last.head_sha) == tip);
    }
    for (environment, seen) in question.environments.iter().zip(environments) {
        seen.open = find_open(&open, (&environment.proposed, &environment.active));
    }
    Ok(open)
}

/// Whether a note that nothing leads to any more may say that more was processed than what is active.
fn may_have_processed_more(question: &Question<'_>, seen: &Seen, active: &Tip) -> bool {
    let runs = active.dry_sha();
    runs.is_some() && seen.processed == runs && runs != Some(question.dry)
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
