//! What the forge said of DRY commits, each asked about once. Does I/O through the forge.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::Result;

use crate::forge::{Extent, Forge, Landing, MergedPullRequest, Statuses};
use crate::model::{BranchName, CommitId};

/// What the forge said of DRY commits in this run.
#[derive(Debug, Default)]
pub struct Landings {
    known: RefCell<BTreeMap<CommitId, Landing>>,
    /// Of commits of which that does not tell all.
    carriers: RefCell<BTreeMap<CommitId, Vec<MergedPullRequest>>>,
}

impl Landings {
    /// Asks about those that are not known yet, and returns what is known of all of them.
    pub fn ask(&self, forge: &dyn Forge, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
        let mut missing: Vec<CommitId> =
            commits.iter().filter(|commit| !self.known.borrow().contains_key(commit)).copied().collect();
        missing.sort();
        missing.dedup();
        if !missing.is_empty() {
            self.known.borrow_mut().extend(forge.landings(&missing)?);
        }
        let known = self.known.borrow();
        let found = |commit: &CommitId| Some((*commit, known.get(commit)?.clone()));
        Ok(commits.iter().filter_map(found).collect())
    }

    /// The statuses of other commits, and what a forge that heard of the DRY commits tells along with them.
    pub fn ask_along(
        &self,
        forge: &dyn Forge,
        commits: &[CommitId],
        others: &[CommitId],
    ) -> Result<Statuses> {
        let statuses = forge.statuses(others)?;
        // Whoever needs the answer asks again, and says what is wrong.
        drop(self.ask(forge, commits));
        Ok(statuses)
    }

    /// What is known so far.
    pub fn all(&self) -> BTreeMap<CommitId, Landing> {
        self.known.borrow().clone()
    }

    /// Number and page of the pull request that brought each DRY commit in. What cannot be asked is not told.
    pub fn requests(
        &self,
        forge: &dyn Forge,
        dry_branch: &BranchName,
        commits: &[CommitId],
    ) -> BTreeMap<CommitId, (u64, String)> {
        let found = self.ask(forge, commits).unwrap_or_default();
        let is_ours = |request: &MergedPullRequest| request.base == *dry_branch;
        let request = |(commit, landing): (CommitId, Landing)| {
            let told = landing.pull_requests.into_iter().find(is_ours);
            let asked = || self.carriers(forge, commit).ok()?.into_iter().find(is_ours);
            let request = if landing.told == Extent::All { told } else { told.or_else(asked) }?;
            Some((commit, (request.number, request.url)))
        };
        found.into_iter().filter_map(request).collect()
    }

    /// The pull requests that are known of a commit; all of them where none was told.
    pub fn known_of(
        &self,
        forge: &dyn Forge,
        (commit, landing): (CommitId, &Landing),
    ) -> Result<Vec<MergedPullRequest>> {
        match landing.told {
            Extent::Nothing => self.carriers(forge, commit),
            Extent::All | Extent::Maker => Ok(landing.pull_requests.clone()),
        }
    }

    /// The pull request whose merge made a commit.
    pub fn maker(
        &self,
        forge: &dyn Forge,
        dry_branch: &BranchName,
        (commit, landing): (CommitId, &Landing),
    ) -> Result<Option<MergedPullRequest>> {
        let made =
            |request: &MergedPullRequest| request.merge_commit == Some(commit) && request.base == *dry_branch;
        Ok(self.known_of(forge, (commit, landing))?.into_iter().find(made))
    }

    fn carriers(&self, forge: &dyn Forge, commit: CommitId) -> Result<Vec<MergedPullRequest>> {
        if let Some(known) = self.carriers.borrow().get(&commit) {
            return Ok(known.clone());
        }
        let found = forge.carriers(commit)?;
        self.carriers.borrow_mut().insert(commit, found.clone());
        Ok(found)
    }
}
