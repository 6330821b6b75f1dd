//! What is asked about statuses and about merge requests between branches: in all, and in one question. Pure.

use crate::forge::Pair;
use crate::model::{BranchName, CommitId};

/// What is to be asked, in all.
#[derive(Default)]
pub(super) struct Wish<'a> {
    /// Pairs of a head and a base.
    pub(super) pairs: &'a [Pair<'a>],
    /// Heads of merge requests.
    pub(super) heads: Vec<(u64, CommitId)>,
    /// Other commits.
    pub(super) commits: Vec<CommitId>,
    /// DRY commits that can come along where there is room.
    pub(super) landed: Vec<CommitId>,
    /// The branch that those are on.
    pub(super) base: Option<BranchName>,
    /// The status that is looked for there.
    pub(super) status: &'static str,
}

/// What one question asks.
#[derive(Default)]
pub(super) struct Asked<'a> {
    /// Pairs whose newest merge requests are asked for.
    pub(super) pairs: &'a [Pair<'a>],
    /// Heads of merge requests, by number, whose statuses are asked for.
    pub(super) heads: Vec<(u64, CommitId)>,
    /// Other commits whose statuses are asked for.
    pub(super) commits: Vec<CommitId>,
    /// DRY commits, of which also is asked what brought them in.
    pub(super) landed: Vec<CommitId>,
    /// The branch that those are on.
    pub(super) base: Option<BranchName>,
    /// The status that is looked for there.
    pub(super) status: &'static str,
}
