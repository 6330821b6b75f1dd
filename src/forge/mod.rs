//! Forges: where pull requests and commit statuses live. One trait of verbs in our own words; a file per forge.

pub mod local;

use anyhow::Result;

use crate::model::{BranchName, CommitId, CommitStatus, MergeMethod, PullRequest};

/// A pull request to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPullRequest {
    /// The proposed branch.
    pub head: BranchName,
    /// The active branch.
    pub base: BranchName,
    /// How it shall look.
    pub look: PullRequestLook,
}

/// What a pull request shows and who is asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullRequestLook {
    /// At most 200 characters.
    pub title: String,
    /// At most 60,000 characters of Markdown.
    pub body: String,
    /// Labels to have; others on it stay.
    pub labels: Vec<String>,
    /// Logins to ask.
    pub reviewers: Vec<String>,
    /// Teams to ask.
    pub team_reviewers: Vec<String>,
    /// Logins to assign.
    pub assignees: Vec<String>,
    /// Draft or not; applied when it is opened, and left to people afterwards.
    pub draft: bool,
}

/// How a merge ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeOutcome {
    /// Merged; the base branch's new tip.
    Merged(CommitId),
    /// The forge's rules do not allow it yet; the forge's own words.
    Blocked(String),
}

/// What hydrator asks of a forge. Every method either did it or is an error; nothing is half-done silently.
pub trait Forge {
    /// All open pull requests whose base or head may be ours, in as few calls as the forge allows.
    fn open_pull_requests(&self) -> Result<Vec<PullRequest>>;

    /// The newest pull request from `head` to `base` in any state.
    fn newest_pull_request(&self, head: &BranchName, base: &BranchName) -> Result<Option<PullRequest>>;

    /// Opens a pull request; one that already exists for the same branches is returned instead.
    fn open(&self, wanted: &NewPullRequest) -> Result<PullRequest>;

    /// Makes an open pull request look as wanted. Labels and people are added, never removed.
    fn update(&self, number: u64, look: &PullRequestLook) -> Result<PullRequest>;

    /// Leaves `comment` on a pull request and closes it. Closing a closed one is no error.
    fn close(&self, number: u64, comment: &str) -> Result<()>;

    /// The newest status of each context on a commit.
    fn statuses(&self, commit: CommitId) -> Result<Vec<CommitStatus>>;

    /// Sets a status on a commit.
    fn set_status(&self, commit: CommitId, status: &CommitStatus) -> Result<()>;

    /// Merges a pull request if its head still is `head_sha`.
    fn merge(&self, number: u64, head_sha: CommitId, method: Option<MergeMethod>) -> Result<MergeOutcome>;

    /// The web page that compares two branches, where the forge has one.
    fn compare_url(&self, base: &BranchName, head: &BranchName) -> Option<String>;
}
