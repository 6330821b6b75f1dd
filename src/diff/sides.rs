//! Which two DRY commits are compared. Does I/O: it asks the checkout and the remote, and fetches what is missing.

use anyhow::Result;

use crate::ci::{Event, Job};
use crate::dry::{self, Dry};
use crate::error::{Failure, FailureKind, kind_of};
use crate::git::RemoteRefs;
use crate::model::{BranchName, CommitId, ErrorReport};
use crate::world::Repository;

use super::bring::bring;
use super::protected::{self, Protected};
use super::report::reported;
use super::{Ground, Question};

/// The two DRY commits.
pub(super) struct Sides {
    /// What is on the DRY branch, as far as `head` builds on it; `None` where it has no configuration, or a wrong one.
    pub(super) base: Option<Dry>,
    /// What is wrong with the base's configuration.
    pub(super) base_error: Option<ErrorReport>,
    /// Its commit.
    pub(super) base_id: CommitId,
    /// What people have agreed on.
    pub(super) protected: Protected,
    /// What shall be on it.
    pub(super) head: Dry,
}

impl Sides {
    /// The DRY commit whose configuration gives rights, validators and rules; `None` where there is none.
    pub(super) fn agreed(&self) -> Option<&Dry> {
        self.protected.dry(self.base.as_ref())
    }
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
        let protected = protected::find(ground, refs, &head, (head_id, base.as_ref()))?;
        let sides = Sides { base, base_error: None, base_id: head_id, protected, head };
        return Ok(Found::Sides(Box::new(sides)));
    }
    let tip = base(ground, question, refs, &head.branch)?;
    let base_id = if question.exact { tip } else { left_at(ground.repository, tip, head_id)? };
    bring(scratch, base_id)?;
    // The change that mends a wrong configuration must have a preview, too.
    let (base, base_error) = match dry::find(scratch, refs, base_id, ground.config) {
        Err(error) if kind_of(&error) == FailureKind::Config => (None, Some(reported(&error))),
        found => (found?, None),
    };
    let protected = protected::find(ground, refs, &head, (base_id, base.as_ref()))?;
    Ok(Found::Sides(Box::new(Sides { base, base_error, base_id, protected, head })))
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
