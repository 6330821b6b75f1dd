//! Stages 1 and 2, detect and load: which DRY commit is hydrated, and the configuration in it.
//!
//! Does I/O: it may fetch the DRY commit, and reads the configuration from its tree.

use anyhow::Result;
use camino::Utf8Path;

use crate::ci::Trigger;
use crate::config::{self, Loaded};
use crate::error::Failure;
use crate::git::{CommitTree, RemoteRefs, Scratch};
use crate::model::{BranchName, Commit, CommitId, DryTree as _};

/// The DRY commit of a run.
pub struct Dry {
    /// The commit.
    pub commit: Commit,
    /// The branch that it is on.
    pub branch: BranchName,
    /// Its tree.
    pub tree: CommitTree,
    /// Its configuration.
    pub loaded: Loaded,
}

/// Which commit was asked for.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// The remote tip of the DRY branch.
    Tip,
    /// The commit that the CI system names; it must have been pushed to the DRY branch.
    Triggered(&'a Trigger),
    /// This commit, by the user's word.
    Commit(CommitId),
}

/// Finds the DRY commit and loads its configuration.
pub fn load(scratch: &Scratch, refs: &RemoteRefs, wanted: Wanted<'_>, config: &Utf8Path) -> Result<Dry> {
    let first = match wanted {
        Wanted::Tip => tip_of(scratch, refs, refs.default_branch())?,
        Wanted::Triggered(trigger) => trigger.commit,
        Wanted::Commit(commit) => commit,
    };
    let dry = load_at(scratch, refs, first, config)?;
    match wanted {
        Wanted::Commit(_) => Ok(dry),
        Wanted::Triggered(trigger) => refuse_other_ref(trigger, &dry.branch).map(|()| dry),
        Wanted::Tip => {
            let tip = tip_of(scratch, refs, Some(&dry.branch))?;
            if tip == first { Ok(dry) } else { load_at(scratch, refs, tip, config) }
        }
    }
}

fn load_at(scratch: &Scratch, refs: &RemoteRefs, id: CommitId, config: &Utf8Path) -> Result<Dry> {
    if !scratch.objects().has(id) {
        scratch.fetch_whole(id)?;
    }
    let failure = || {
        let short = id.short();
        Failure::config(format!("there is no `{config}` in the DRY commit {short}"))
            .hint("commit and push it, or name another path with `--config`; `hydrator check --worktree` reads what is not pushed yet")
    };
    Ok(find(scratch, refs, id, config)?.ok_or_else(failure)?)
}

/// The commit `id`, which is here as a whole, as a DRY commit; `None` if it has no configuration.
pub fn find(scratch: &Scratch, refs: &RemoteRefs, id: CommitId, config: &Utf8Path) -> Result<Option<Dry>> {
    let commit = scratch.objects().commit(id)?;
    let tree = CommitTree::open(scratch, commit.tree)?;
    if tree.read(config)?.is_none() {
        return Ok(None);
    }
    let loaded = config::load(&tree, config)?;
    let branch =
        loaded.project.dry_branch.clone().or_else(|| refs.default_branch().cloned()).ok_or_else(|| {
            Failure::config("the remote names no default branch, and the configuration no DRY branch")
                .hint(format!("set `dryBranch` in `{config}`"))
        })?;
    Ok(Some(Dry { commit, branch, tree, loaded }))
}

fn tip_of(scratch: &Scratch, refs: &RemoteRefs, branch: Option<&BranchName>) -> Result<CommitId, Failure> {
    let remote = &scratch.remote_url;
    let branch = branch.ok_or_else(|| {
        Failure::git(format!("`{remote}` has no default branch"))
            .hint("push the DRY branch first, or pass its commit with `--dry-sha`")
    })?;
    refs.branch(branch).ok_or_else(|| {
        Failure::git(format!("`{remote}` has no branch `{branch}`")).hint("push the DRY branch first")
    })
}

fn refuse_other_ref(trigger: &Trigger, branch: &BranchName) -> Result<()> {
    if trigger.full_ref == branch.full() {
        return Ok(());
    }
    let pushed = &trigger.full_ref;
    Err(Failure::usage(format!(
        "this job runs for `{pushed}`, and only commits of the DRY branch `{branch}` are hydrated"
    ))
    .hint(format!("start the job for pushes to `{branch}` only"))
    .into())
}
