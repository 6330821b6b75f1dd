//! Forges: where pull requests and commit statuses live. Traits of verbs in our own words; a directory per forge.

mod conversation;
pub mod diagnosis;
pub mod github;
pub mod gitlab;
pub mod http;
pub mod local;
mod pair;
mod records;

use std::collections::BTreeMap;

use anyhow::Result;

pub use self::conversation::{Comment, Conversation, Permission, Reaction, Written, same_text};
use self::diagnosis::{Finding, Grounds};
pub use self::pair::Pair;
use self::pair::open_or_newest;
pub use self::records::{Announced, Deployment, Extent, Landing, MergedPullRequest, Records, Statuses};
use crate::model::{BranchName, CommitId, CommitStatus, MergeMethod, PullRequest, PullRequestOutline};

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

/// Where an open pull request stands with the forge's own rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mergeability {
    /// The head that this was found for.
    pub head_sha: CommitId,
    /// Whether it could be merged.
    pub state: MergeState,
    /// Whether the forge will merge it by itself once its rules are met.
    pub armed: bool,
}

/// Whether the forge would merge a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MergeState {
    /// Now.
    Ready,
    /// Once rules are met that can be met without another commit: reviews, statuses. In the forge's words.
    Blocked(String),
    /// Not before somebody does something about it: a conflict, a draft, a merge queue. In the forge's words.
    Stuck(String),
    /// The forge has not found out yet.
    Unknown,
}

/// What came of asking the forge to merge by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArmOutcome {
    /// It will merge once its rules are met.
    Armed,
    /// There is nothing to wait for: merge it.
    MergeableNow,
    /// It does not do that here; its own words, and what to do about it.
    Refused(String),
}

/// What hydrator asks of a forge. Every method either did it or is an error; nothing is half-done silently.
pub trait Forge: Conversation + Records {
    /// An error if it is known before anything is tried that this connection cannot write.
    fn ready_to_write(&self) -> Result<()> {
        Ok(())
    }

    /// All open pull requests whose base or head may be ours, in as few calls as the forge allows.
    fn open_pull_requests(&self) -> Result<Vec<PullRequest>>;

    /// The newest pull request from `head` to `base` in any state.
    fn newest_pull_request(&self, head: &BranchName, base: &BranchName) -> Result<Option<PullRequest>>;

    /// What became of the newest pull request of each pair, in any state; in as few calls as the forge allows.
    fn newest_of(&self, pairs: &[Pair<'_>]) -> Result<Vec<Option<PullRequestOutline>>>;

    /// The newest pull request of each pair that was merged; in as few calls as the forge allows.
    fn merged_of(&self, pairs: &[Pair<'_>]) -> Result<Vec<Option<PullRequestOutline>>>;

    /// [`Self::open_pull_requests`], and of each pair that has none open [`Self::newest_of`]; in one call where the forge
    /// can. Of pairs that have one open it may be either.
    fn open_and_newest(
        &self,
        pairs: &[Pair<'_>],
    ) -> Result<(Vec<PullRequest>, Vec<Option<PullRequestOutline>>)> {
        let open = self.open_pull_requests()?;
        let newest = open_or_newest(&open, pairs, |lacking| self.newest_of(lacking))?;
        Ok((open, newest))
    }

    /// Opens a pull request; one that already exists for the same branches is returned instead.
    fn open(&self, wanted: &NewPullRequest) -> Result<PullRequest>;

    /// Makes an open pull request look as wanted. Labels and people are added, never removed.
    fn update(&self, number: u64, look: &PullRequestLook) -> Result<PullRequest>;

    /// Leaves `comment` on a pull request and closes it. Closing a closed one is no error.
    fn close(&self, number: u64, comment: &str) -> Result<()>;

    /// For each commit the newest status of each context; in as few calls as the forge allows. A commit that the forge
    /// does not know has none.
    fn statuses(&self, commits: &[CommitId]) -> Result<Statuses>;

    /// [`Self::statuses`] and [`Self::merged_of`], in one call where the forge can.
    fn statuses_and_merged(
        &self,
        commits: &[CommitId],
        pairs: &[Pair<'_>],
    ) -> Result<(Statuses, Vec<Option<PullRequestOutline>>)> {
        let statuses = if commits.is_empty() { Statuses::new() } else { self.statuses(commits)? };
        let merged = if pairs.is_empty() { Vec::new() } else { self.merged_of(pairs)? };
        Ok((statuses, merged))
    }

    /// Takes note of a pull request and its head, whose statuses are read and set next: a forge that keeps them by branch
    /// has to know whose they are.
    fn note_head(&self, _number: u64, _head: CommitId) -> Result<()> {
        Ok(())
    }

    /// Sets a status on a commit.
    fn set_status(&self, commit: CommitId, status: &CommitStatus) -> Result<()>;

    /// Whether the forge's rules ask for this status to be successful before `branch` takes a pull request.
    fn requires_status(&self, branch: &BranchName, context: &str) -> Result<bool>;

    /// The same as [`Self::mergeability`] for several pull requests, in as few calls as the forge allows. One that is not
    /// told along with others is left out.
    fn mergeability_of(&self, _numbers: &[u64]) -> Result<BTreeMap<u64, Mergeability>> {
        Ok(BTreeMap::new())
    }

    /// Whether an open pull request could be merged.
    fn mergeability(&self, number: u64) -> Result<Mergeability>;

    /// Merges a pull request if its head still is `head_sha`.
    fn merge(&self, number: u64, head_sha: CommitId, method: Option<MergeMethod>) -> Result<MergeOutcome>;

    /// Asks the forge to merge a pull request by itself once its rules are met, if its head still is `head_sha`.
    fn arm(&self, number: u64, head_sha: CommitId, method: Option<MergeMethod>) -> Result<ArmOutcome>;

    /// Takes that back. One that is not armed is no error.
    fn disarm(&self, number: u64) -> Result<()>;

    /// What of the forge's settings stands in the way of what will be done with these branches. Reads only; what the
    /// token may not see is left out.
    fn diagnose(&self, grounds: &Grounds) -> Result<Vec<Finding>>;

    /// The web page that compares two branches, where the forge has one.
    fn compare_url(&self, base: &BranchName, head: &BranchName) -> Option<String>;
}
