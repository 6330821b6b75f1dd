//! What the forge said of DRY commits, each asked about once. Does I/O through the forge.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::Result;

use crate::forge::{Forge, Landing, Statuses};
use crate::model::{BranchName, CommitId};

/// What the forge said of DRY commits in this run.
#[derive(Debug, Default)]
pub struct Landings {
    known: RefCell<BTreeMap<CommitId, Landing>>,
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

    /// Asks about the DRY commits beforehand where the forge tells that along with the statuses of other commits, which
    /// are returned.
    pub fn ask_along(
        &self,
        forge: &dyn Forge,
        commits: &[CommitId],
        others: &[CommitId],
    ) -> Result<Statuses> {
        let Ok((landings, statuses)) = forge.landings_and_statuses(commits, others) else {
            // Only the statuses matter.
            return forge.statuses(others);
        };
        self.known.borrow_mut().extend(landings);
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
        let request = |(commit, landing): (CommitId, Landing)| {
            let request = landing.pull_requests.into_iter().find(|request| request.base == *dry_branch)?;
            Some((commit, (request.number, request.url)))
        };
        found.into_iter().filter_map(request).collect()
    }
}
