//! The report of a run: the one JSON object on stdout, stable within `version: 1`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{BranchName, CommitId, EnvironmentName};
use crate::error::FailureKind;

/// What a run did, or what a plan would do.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunReport {
    /// The DRY commit that was hydrated.
    pub dry_sha: CommitId,
    /// One entry per environment, in the configuration's order; those that left the configuration come last.
    pub environments: Vec<EnvironmentReport>,
    /// The picture of all environments for Mermaid, where all of them were looked at.
    #[serde(skip)]
    pub picture: Option<String>,
}

/// What happened to one environment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentReport {
    /// The environment.
    pub name: EnvironmentName,
    /// What was done.
    pub operation: Operation,
    /// Where proposals are written.
    pub proposed_branch: BranchName,
    /// What the cluster syncs.
    pub active_branch: BranchName,
    /// The proposed branch's commit after the run.
    pub proposed_sha: Option<CommitId>,
    /// The active branch's commit after the run.
    pub active_sha: Option<CommitId>,
    /// The proposal's pull request.
    pub pull_request: Option<PullRequestReport>,
    /// The gate's state.
    pub promotion: Option<PromotionReport>,
    /// Why the environment stays where it is.
    pub hold: Option<HoldReport>,
    /// Its targets, by output.
    pub targets: Vec<TargetReport>,
    /// Why it failed.
    pub error: Option<ErrorReport>,
    /// What `rollback --revert-dry` did about the DRY branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_revert: Option<DryRevertReport>,
    /// One line for people; says what the operation alone does not. Its words may change at any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Warnings for people, one line each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A pull request that takes back DRY commits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DryRevertReport {
    /// The DRY commits that it takes back, newest first.
    pub commits: Vec<CommitId>,
    /// Its web page; none where nothing was left to take back, or nothing was done.
    pub pull_request: Option<String>,
    /// Paths that newer DRY commits changed as well: then nothing was done.
    pub conflicts: Vec<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// What was done to an environment. Ordered: the strongest of all is the run's `operation` output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// Nothing: it has what it should have.
    None,
    /// A newer DRY commit has been processed already.
    Superseded,
    /// It left the configuration; its branches are kept.
    Orphan,
    /// It stays where it is: rolled back, or edited by hand.
    Held,
    /// A person closed this proposal; it is not offered again until its manifests change.
    Rejected,
    /// The proposal's change went away: its pull request was closed.
    Closed,
    /// An open proposal was updated.
    Updated,
    /// A new proposal was made.
    Created,
    /// The active branch itself was moved.
    Pushed,
    /// The proposal's pull request was merged.
    Merged,
    /// It failed; see its error.
    Failed,
}

impl Operation {
    /// The word as it stands in the report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Superseded => "superseded",
            Self::Orphan => "orphan",
            Self::Held => "held",
            Self::Rejected => "rejected",
            Self::Closed => "closed",
            Self::Updated => "updated",
            Self::Created => "created",
            Self::Pushed => "pushed",
            Self::Merged => "merged",
            Self::Failed => "failed",
        }
    }
}

/// The pull request of a proposal.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PullRequestReport {
    /// The number that people see.
    pub number: u64,
    /// Its web page.
    pub url: String,
    /// What this run did to it.
    pub operation: PullRequestOperation,
    /// `open`, `closed` or `merged`.
    pub state: String,
}

/// What a run did to a pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PullRequestOperation {
    /// Opened it.
    Created,
    /// Changed its text, labels or people, or its head.
    Updated,
    /// Closed it.
    Closed,
    /// Merged it.
    Merged,
    /// Nothing.
    None,
}

/// The gate's state.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PromotionReport {
    /// `success` or `pending`.
    pub state: String,
    /// What it waits for.
    pub description: String,
}

/// Why an environment stays where it is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldReport {
    /// `rollback` or `drift`.
    pub reason: String,
    /// Who held it, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Since when, RFC 3339, when that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// What whoever held it gave as the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The outputs of the held targets; empty when the whole environment is held.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Whether later environments need not wait for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub let_pass: bool,
}

impl HoldReport {
    /// That of a branch that was changed by hand: nobody said who or why.
    pub fn drift() -> Self {
        Self {
            reason: "drift".to_owned(),
            actor: None,
            since: None,
            why: None,
            targets: Vec::new(),
            let_pass: false,
        }
    }
}

/// One target of an environment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetReport {
    /// Its name.
    pub name: String,
    /// Its directory on the hydrated branch.
    pub output: String,
    /// Whether its manifests may differ: its inputs changed.
    pub affected: bool,
    /// Why it is affected, or why it is not.
    pub reasons: Vec<String>,
    /// Whether it was rendered in this run.
    pub rendered: bool,
    /// Why rendering failed.
    pub error: Option<String>,
}

/// Why an environment failed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorReport {
    /// Decides the exit code.
    pub kind: FailureKind,
    /// What was being done, to what, and why it failed.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}
