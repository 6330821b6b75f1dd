//! Which two DRY commits are compared. Does I/O: it asks the checkout and the remote, and fetches what is missing.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::ci::{Event, Job};
use crate::dry::{self, Dry};
use crate::error::{Failure, FailureKind, hint_of, kind_of, message_of};
use crate::git::{Objects, RemoteRefs, Scratch};
use crate::model::{BranchName, CommitId, EntryKind, ErrorReport, ObjectId};
use crate::world::Repository;

use super::{Ground, Question};

/// The two DRY commits.
pub(super) struct Sides {
    /// What is on the DRY branch, as far as `head` builds on it; `None` where it has no configuration, or a wrong one.
    pub(super) base: Option<Dry>,
    /// What is wrong with the base's configuration.
    pub(super) base_error: Option<ErrorReport>,
    /// Its commit.
    pub(super) base_id: CommitId,
    /// What shall be on it.
    pub(super) head: Dry,
}

/// What was found.
pub(super) enum Found {
    /// Both.
    Sides(Box<Sides>),
    /// The commit that was to be looked at, and what is wrong with its configuration.
    Broken(CommitId, ErrorReport),
}

/// Finds both and brings them here.
pub(super) fn find(ground: &Ground<'_>, question: &Question, refs: &RemoteRefs) -> Result<Found> {
    let scratch = &ground.repository.scratch;
    let head_id = head(ground, question, refs)?;
    bring(scratch, head_id)?;
    let head = match dry::find(scratch, refs, head_id, ground.config) {
        Err(error) if kind_of(&error) == FailureKind::Config => {
            return Ok(Found::Broken(head_id, reported(&error)));
        }
        found => found?.ok_or_else(|| {
            Failure::config(format!("there is no `{}` in commit {}", ground.config, head_id.short()))
                .hint("commit it, or name another path with `--config`")
        })?,
    };
    if question.determinism {
        let base = dry::find(scratch, refs, head_id, ground.config)?;
        return Ok(Found::Sides(Box::new(Sides { base, base_error: None, base_id: head_id, head })));
    }
    let tip = base(ground, question, refs, &head.branch)?;
    let base_id = if question.exact { tip } else { left_at(ground.repository, tip, head_id)? };
    bring(scratch, base_id)?;
    // The change that mends a wrong configuration must have a preview, too.
    let (base, base_error) = match dry::find(scratch, refs, base_id, ground.config) {
        Err(error) if kind_of(&error) == FailureKind::Config => (None, Some(reported(&error))),
        found => (found?, None),
    };
    Ok(Found::Sides(Box::new(Sides { base, base_error, base_id, head })))
}

fn reported(error: &anyhow::Error) -> ErrorReport {
    ErrorReport { kind: kind_of(error), message: message_of(error), hint: hint_of(error) }
}

fn head(ground: &Ground<'_>, question: &Question, refs: &RemoteRefs) -> Result<CommitId> {
    if let Some(name) = &question.head {
        let found = match CommitId::parse(name) {
            Some(id) => Some(id),
            None => ground.repository.revision(name)?.or_else(|| branch(refs, name)),
        };
        return Ok(found.ok_or_else(|| unknown("--head", name))?);
    }
    match ground.job {
        // The commit that the forge merged for a test, where there is one: what the DRY branch will have.
        Some(Job { trigger: Some(trigger), .. }) => Ok(trigger.commit),
        Some(Job { event: Event::PullRequest(event), .. }) => Ok(event.head_sha),
        _ => Ok(ground.repository.revision("HEAD")?.ok_or_else(|| unknown("--head", "HEAD"))?),
    }
}

fn base(
    ground: &Ground<'_>,
    question: &Question,
    refs: &RemoteRefs,
    dry_branch: &BranchName,
) -> Result<CommitId> {
    if let Some(name) = &question.base {
        let found = CommitId::parse(name).or_else(|| branch(refs, name));
        let found = match found {
            Some(id) => Some(id),
            None => ground.repository.revision(name)?,
        };
        return Ok(found.ok_or_else(|| unknown("--base", name))?);
    }
    if let Some(Job { event: Event::PullRequest(event), .. }) = ground.job
        && event.base != *dry_branch
    {
        let failure = Failure::usage(format!(
            "this job runs for a pull request on `{}`, and only the DRY branch `{dry_branch}` is hydrated",
            event.base
        ));
        return Err(failure.hint(format!("start the job for pull requests on `{dry_branch}` only")).into());
    }
    let remote = &ground.repository.scratch.remote_url;
    Ok(refs.branch(dry_branch).ok_or_else(|| {
        Failure::git(format!("`{remote}` has no branch `{dry_branch}`"))
            .hint("name what to compare with: `--base REF`")
    })?)
}

fn branch(refs: &RemoteRefs, name: &str) -> Option<CommitId> {
    BranchName::new(name).ok().and_then(|branch| refs.branch(&branch))
}

fn unknown(option: &str, name: &str) -> Failure {
    Failure::usage(format!("`{option} {name}` is no commit of the checkout and no branch of the remote"))
        .hint("give a full commit id, a branch of the remote, or anything that `git rev-parse` knows")
}

/// The commit at which `head` left the branch whose tip is `tip`: what others pushed since is no part of the change.
fn left_at(repository: &Repository, tip: CommitId, head: CommitId) -> Result<CommitId> {
    let found = repository.ancestry()?.merge_base(tip, head)?;
    Ok(found.ok_or_else(|| {
        Failure::git(format!("{} and {} have no commit in common", tip.short(), head.short()))
            .hint("`--exact` compares them as they are")
    })?)
}

/// Brings a commit here as a whole. Most of its files are here already: those of the other side.
fn bring(scratch: &Scratch, id: CommitId) -> Result<()> {
    let objects = scratch.objects();
    if objects.has(id) {
        return Ok(());
    }
    scratch.fetch_tips(&BTreeSet::from([id]))?;
    let mut missing = BTreeSet::new();
    missing_blobs(objects, objects.commit(id)?.tree, &mut missing)?;
    scratch.fetch_blobs(&missing)
}

fn missing_blobs(objects: Objects<'_>, tree: ObjectId, missing: &mut BTreeSet<ObjectId>) -> Result<()> {
    for entry in objects.tree(tree)? {
        match entry.kind {
            EntryKind::Directory => missing_blobs(objects, entry.id, missing)?,
            EntryKind::Submodule => {}
            _ if objects.has(entry.id) => {}
            _ => drop(missing.insert(entry.id)),
        }
    }
    Ok(())
}
