//! The configuration that people have agreed on: that of the protected branch, as the remote has it now. Does I/O: it
//! fetches that commit where it is not here.
//!
//! Nothing that a change brings along counts for itself, and neither does what the DRY branch once had: whoever offers a
//! branch chooses where it left.

use anyhow::Result;

use super::Ground;
use super::bring::bring;
use super::report::{Agreed, reported};
use crate::ci::{Event, Job};
use crate::dry::{self, Dry};
use crate::error::{FailureKind, kind_of};
use crate::git::RemoteRefs;
use crate::model::{BranchName, CommitId};

/// Rights, validators and rules.
pub(super) struct Protected {
    /// The DRY commit that has them; `None` where that is the base, or where its configuration is wrong.
    other: Option<Dry>,
    /// What is told of it.
    pub(super) agreed: Agreed,
}

impl Protected {
    /// The DRY commit that has them; `None` where nothing is agreed on.
    pub(super) fn dry<'d>(&'d self, base: Option<&'d Dry>) -> Option<&'d Dry> {
        let is_base = |base: &&Dry| base.commit.id == self.agreed.sha && self.agreed.error.is_none();
        self.other.as_ref().or_else(|| base.filter(is_base))
    }
}

/// Finds it; `base` stands in for a branch that the remote has not.
pub(super) fn find(
    ground: &Ground<'_>,
    refs: &RemoteRefs,
    head: &Dry,
    (base_id, base): (CommitId, Option<&Dry>),
) -> Result<Protected> {
    let branch = branch(ground, refs, head)?;
    let (sha, branch) = match refs.branch(&branch) {
        Some(tip) => (tip, Some(branch)),
        None => (base_id, None),
    };
    let mut agreed = Agreed { sha, branch, error: None };
    if base.is_some_and(|base| base.commit.id == sha) {
        return Ok(Protected { other: None, agreed });
    }
    let found = at(ground, refs, sha);
    let other = match found {
        Err(error) if kind_of(&error) == FailureKind::Config => {
            agreed.error = Some(reported(&error));
            None
        }
        found => found?,
    };
    Ok(Protected { other, agreed })
}

fn at(ground: &Ground<'_>, refs: &RemoteRefs, commit: CommitId) -> Result<Option<Dry>> {
    let scratch = &ground.repository.scratch;
    bring(scratch, commit)?;
    dry::find(scratch, refs, commit, ground.config)
}

/// The protected branch: the one that the pull request changes, else what the default branch says. The head's own word
/// counts only where nobody else says anything.
fn branch(ground: &Ground<'_>, refs: &RemoteRefs, head: &Dry) -> Result<BranchName> {
    if let Some(Job { event: Event::PullRequest(event), .. }) = ground.job {
        return Ok(event.base.clone());
    }
    let Some(default) = refs.default_branch().filter(|default| **default != head.branch) else {
        return Ok(head.branch.clone());
    };
    let Some(tip) = refs.branch(default) else { return Ok(head.branch.clone()) };
    match at(ground, refs, tip) {
        Ok(found) => Ok(found.map_or_else(|| head.branch.clone(), |dry| dry.branch)),
        Err(error) if kind_of(&error) == FailureKind::Config => Ok(default.clone()),
        Err(error) => Err(error),
    }
}
