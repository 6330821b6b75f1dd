//! Questions about history: is one commit an ancestor of another, and which commits lie between them.
//!
//! Does I/O: a scratch repository of its own, since deepening must not change what the run's scratch repository
//! takes for complete; commits only, in bounded steps.

use std::collections::BTreeSet;

use anyhow::Result;

use super::scratch::Scratch;
use crate::model::{Commit, ObjectId};

/// Depths to try before the whole history.
const DEPTHS: [u32; 3] = [64, 1024, u32::MAX >> 1];

/// Answers questions about the history of commits that the remote has.
pub struct Ancestry {
    scratch: Scratch,
}

impl Ancestry {
    /// Uses `scratch`, a repository for this purpose alone.
    pub const fn new(scratch: Scratch) -> Self {
        Self { scratch }
    }

    /// Whether `older` is `newer` or an ancestor of it.
    pub fn is_ancestor(&self, older: ObjectId, newer: ObjectId) -> Result<bool> {
        if older == newer {
            return Ok(true);
        }
        self.search(
            newer,
            |ancestry| {
                let answer = ancestry.scratch.git.run(
                    &ancestry.scratch.path,
                    &["merge-base", "--is-ancestor", &older.to_string(), &newer.to_string()],
                    b"",
                )?;
                Ok(answer.status.success().then_some(()))
            },
            older,
        )
        .map(|found| found.is_some())
    }

    /// The commits that `newer` has and `older` has not, newest first, without merges, at most `limit`; `None` if
    /// `older` is no ancestor of `newer`.
    pub fn between(&self, older: ObjectId, newer: ObjectId, limit: usize) -> Result<Option<Vec<Commit>>> {
        let objects = self.scratch.objects();
        let Some(ids) = self.list((older, newer), "--no-merges", limit)? else { return Ok(None) };
        ids.into_iter().map(|id| objects.commit(id)).collect::<Result<Vec<_>>>().map(Some)
    }

    /// The same of the line of first parents alone, with its merges: what came in, one for each push and each merge of
    /// a pull request.
    pub fn came_in(&self, older: ObjectId, newer: ObjectId, limit: usize) -> Result<Option<Vec<ObjectId>>> {
        self.list((older, newer), "--first-parent", limit)
    }

    fn list(
        &self,
        (older, newer): (ObjectId, ObjectId),
        which: &str,
        limit: usize,
    ) -> Result<Option<Vec<ObjectId>>> {
        if !self.is_ancestor(older, newer)? {
            return Ok(None);
        }
        let limit = format!("--max-count={limit}");
        let range = format!("{older}..{newer}");
        let listed =
            self.scratch.git.expect(&self.scratch.path, &["rev-list", which, &limit, &range], b"")?;
        Ok(Some(String::from_utf8_lossy(&listed).lines().filter_map(ObjectId::parse).collect()))
    }

    /// The newest commit that both have in their history; `None` if there is none, or none that can be found. `one` is on
    /// the remote, `other` may be in the checkout alone.
    pub fn merge_base(&self, one: ObjectId, other: ObjectId) -> Result<Option<ObjectId>> {
        if one == other {
            return Ok(Some(one));
        }
        let here = |id| self.scratch.objects().has(id);
        let found = || -> Result<Option<ObjectId>> {
            if !(here(one) && here(other)) {
                return Ok(None);
            }
            let arguments = ["merge-base", &one.to_string(), &other.to_string()];
            let answer = self.scratch.git.run(&self.scratch.path, &arguments, b"")?;
            Ok(ObjectId::parse(String::from_utf8_lossy(&answer.stdout).trim()))
        };
        if let Some(base) = found()? {
            return Ok(Some(base));
        }
        for depth in DEPTHS {
            if here(one) && here(other) && !self.is_shallow() {
                break;
            }
            self.scratch.fetch_commits(&BTreeSet::from([one]), depth)?;
            // A commit that was not pushed yet is not to be had, and needs not be.
            let fetched = self.scratch.fetch_commits(&BTreeSet::from([other]), depth);
            if !here(other) {
                fetched?;
            }
            if let Some(base) = found()? {
                return Ok(Some(base));
            }
        }
        Ok(None)
    }

    /// The newest commits of the line of first parents that ends in `tip`, itself included, at most `limit`.
    pub fn recent(&self, tip: ObjectId, limit: usize) -> Result<Vec<ObjectId>> {
        let count = format!("--max-count={limit}");
        let listed = self.search(
            tip,
            |ancestry| {
                let arguments = ["rev-list", "--first-parent", &count, &tip.to_string()];
                let listed = ancestry.scratch.git.expect(&ancestry.scratch.path, &arguments, b"")?;
                let text = String::from_utf8_lossy(&listed);
                let ids: Vec<ObjectId> = text.lines().filter_map(ObjectId::parse).collect();
                Ok((ids.len() >= limit || !ancestry.is_shallow()).then_some(ids))
            },
            tip,
        )?;
        Ok(listed.unwrap_or_default())
    }

    /// Deepens the history of `tip` until `found` answers, or until nothing is left to deepen.
    fn search<T>(
        &self,
        tip: ObjectId,
        found: impl Fn(&Self) -> Result<Option<T>>,
        needed: ObjectId,
    ) -> Result<Option<T>> {
        let here = |id| self.scratch.objects().has(id);
        if here(tip)
            && here(needed)
            && let Some(answer) = found(self)?
        {
            return Ok(Some(answer));
        }
        for depth in DEPTHS {
            if here(tip) && !self.is_shallow() {
                break;
            }
            self.scratch.fetch_commits(&BTreeSet::from([tip]), depth)?;
            if here(needed)
                && let Some(answer) = found(self)?
            {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    fn is_shallow(&self) -> bool {
        std::fs::metadata(self.scratch.path.join("shallow")).is_ok_and(|file| file.len() > 0)
    }
}
