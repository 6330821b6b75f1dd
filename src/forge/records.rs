//! The verbs of looking commits up and of leaving records about them: how DRY commits came in, and what runs where.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;

use super::Comment;
use crate::model::{BranchName, CommitId, CommitStatus};

/// A pull request that was merged and brought a commit in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedPullRequest {
    /// The number that people see.
    pub number: u64,
    /// Its web page.
    pub url: String,
    /// The title.
    pub title: String,
    /// The branch that it was merged into.
    pub base: BranchName,
    /// What the merge made of it: the merge commit, the squashed one, or the last of the rebased ones.
    pub merge_commit: Option<CommitId>,
    /// When it was merged, by the forge's clock.
    pub merged_at: Option<Timestamp>,
    /// The comments on it that the token's own account wrote, oldest first.
    pub own_comments: Vec<Comment>,
}

/// The newest status of each context, by commit.
pub type Statuses = BTreeMap<CommitId, Vec<CommitStatus>>;

/// What the forge knows of a commit on the DRY branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Landing {
    /// The newest status of each context; of a commit that was announced at least of the one that is looked for.
    pub statuses: Vec<CommitStatus>,
    /// Merged pull requests that the commit came in with, as many as `told` says.
    pub pull_requests: Vec<MergedPullRequest>,
    /// Which of them.
    pub told: Extent,
}

/// Which pull requests of a commit are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// All of them.
    #[default]
    All,
    /// The one whose merge made the commit, if there is one. Others may have it as well.
    Maker,
    /// None; there may be some.
    Nothing,
}

/// DRY commits that [`Records::landings`] will be asked about, so that a forge can look them up along with what it is
/// asked before that.
#[derive(Clone, Debug)]
pub struct Announced {
    /// The DRY branch.
    pub base: BranchName,
    /// Its tip and that one's first parent.
    pub newest: Vec<CommitId>,
    /// Other commits on it.
    pub others: Vec<CommitId>,
    /// The status that is looked for on all of these.
    pub status: &'static str,
    /// Whether a comment of ours is about one of these, and so is on the pull request that brought it in.
    pub is_about: fn(&str, CommitId) -> bool,
    /// The branches of hydrated commits, for forges that keep statuses by branch.
    pub branches: BTreeMap<CommitId, BranchName>,
}

/// That a commit runs in an environment, as forges record it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The environment's name.
    pub environment: String,
    /// What runs there.
    pub commit: CommitId,
    /// One line for people; at most 140 characters. It tells two records of the same commit apart.
    pub description: String,
    /// A web page that says more.
    pub url: Option<String>,
}

/// What hydrator looks up about commits, and what it records. Every method either did it or is an error.
pub trait Records {
    /// Announces what [`Records::landings`] will be asked about. What is known of earlier ones is forgotten.
    fn announce(&self, _: Announced) {}

    /// Whether a status of a DRY commit may say that something is still to come, or that it failed. Where it may not, it
    /// is set once all is well, and stays successful whatever its words are then.
    fn dry_status_may_wait(&self) -> bool {
        true
    }

    /// What is known of each commit; in as few calls as the forge allows. A commit that the forge does not know has an
    /// empty answer.
    fn landings(&self, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>>;

    /// All merged pull requests that a commit came in with, for a commit of which [`Records::landings`] does not tell
    /// [all](Extent::All).
    fn carriers(&self, _: CommitId) -> Result<Vec<MergedPullRequest>> {
        Ok(Vec::new())
    }

    /// The logins of those whose approval of a pull request stands, in the forge's order.
    fn approvers(&self, number: u64) -> Result<Vec<String>>;

    /// The newest deployment of each environment that was recorded by [`Records::record_deployment`]; in as few calls
    /// as the forge allows. Those of other programs do not count.
    fn deployments(&self, environments: &[&str]) -> Result<BTreeMap<String, Deployment>>;

    /// Records that a commit runs in an environment now; the environment is made where it is missing.
    fn record_deployment(&self, deployment: &Deployment) -> Result<()>;
}
