//! What a forge keeps about a proposal: pull requests and commit statuses.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BranchName, CommitId, PullRequestOperation, PullRequestReport};

/// Where a pull request is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PullRequestState {
    /// Waiting.
    Open,
    /// Closed without a merge.
    Closed,
    /// Merged.
    Merged,
}

impl PullRequestState {
    /// The word as it stands in the report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Merged => "merged",
        }
    }
}

/// How a forge tells labels apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LabelNames {
    /// Upper and lower case are the same.
    #[default]
    AnyCase,
    /// As they are written; and of one scope, such as `env::a` and `env::b`, there may be room for only one.
    Scoped,
}

impl LabelNames {
    /// Those that are wanted and not there. One of a scope stands for all that are wanted of it.
    pub fn missing(self, have: &[String], wanted: &[String]) -> Vec<String> {
        let scope = |label: &str| label.rsplit_once("::").map(|(scope, _)| scope.to_owned());
        let stands_for = |one: &String, label: &str| {
            one == label || wanted.contains(one) && scope(label).is_some() && scope(label) == scope(one)
        };
        let is_it = |one: &String, label: &str| match self {
            Self::AnyCase => one.to_lowercase() == label.to_lowercase(),
            Self::Scoped => stands_for(one, label),
        };
        wanted.iter().filter(|label| !have.iter().any(|one| is_it(one, label))).cloned().collect()
    }
}

/// A pull request as the forge reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequest {
    /// The number that people see (GitLab: the `iid`).
    pub number: u64,
    /// Its web page.
    pub url: String,
    /// Its state.
    pub state: PullRequestState,
    /// The branch that it offers.
    pub head: BranchName,
    /// The commit at the head when the forge last looked; for a closed one, when it was closed.
    pub head_sha: CommitId,
    /// The branch that it would change.
    pub base: BranchName,
    /// The title.
    pub title: String,
    /// The body.
    pub body: String,
    /// Labels, sorted.
    pub labels: Vec<String>,
    /// How the forge tells them apart.
    pub label_names: LabelNames,
    /// Reviewers, sorted: those who are asked and those who have answered.
    pub reviewers: Vec<String>,
    /// Teams that are asked or have answered, sorted.
    pub team_reviewers: Vec<String>,
    /// Assignees, sorted.
    pub assignees: Vec<String>,
    /// Whether it is a draft.
    pub draft: bool,
    /// Whether the forge will merge it by itself once its rules are met.
    pub auto_merge: bool,
    /// When it was merged, by the forge's clock.
    pub merged_at: Option<Timestamp>,
    /// The statuses of its head, where the forge tells them along with it; check runs are not among them.
    pub head_statuses: Option<Vec<CommitStatus>>,
}

/// What became of a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestOutline {
    /// The number that people see (GitLab: the `iid`).
    pub number: u64,
    /// Its web page.
    pub url: String,
    /// Its state.
    pub state: PullRequestState,
    /// The commit at the head; see [`PullRequest::head_sha`].
    pub head_sha: CommitId,
    /// When it was merged, by the forge's clock.
    pub merged_at: Option<Timestamp>,
    /// The base's tip that the merge made, where the forge tells.
    pub merged_as: Option<CommitId>,
}

impl PullRequestOutline {
    /// The same for reports, with what was done to it.
    pub fn report(self, operation: PullRequestOperation) -> PullRequestReport {
        PullRequestReport {
            number: self.number,
            url: self.url,
            operation,
            state: self.state.word().to_owned(),
        }
    }
}

impl PullRequest {
    /// What became of it.
    pub fn outline(&self) -> PullRequestOutline {
        PullRequestOutline {
            number: self.number,
            url: self.url.clone(),
            state: self.state,
            head_sha: self.head_sha,
            merged_at: self.merged_at,
            merged_as: None,
        }
    }

    /// Whether it has a label; forges do not tell upper from lower case in them.
    pub fn has_label(&self, label: &str) -> bool {
        self.labels.iter().any(|own| own.eq_ignore_ascii_case(label))
    }
}

/// The state of one commit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CommitState {
    /// Not decided yet.
    Pending,
    /// Good.
    Success,
    /// Bad.
    Failure,
    /// The check itself broke.
    Error,
}

impl CommitState {
    /// The word that forges use.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Error => "error",
        }
    }
}

/// One status of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitStatus {
    /// Its name, such as `hydrator/promotion`.
    pub context: String,
    /// Its state.
    pub state: CommitState,
    /// One line for people; at most 140 characters.
    pub description: String,
    /// When it got this state, by the forge's clock; `None` for one that is to be set.
    pub created_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_label_of_a_scope_stands_for_all_that_are_wanted() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let missing =
            |kind: LabelNames, have: &[&str], wanted: &[&str]| kind.missing(&names(have), &names(wanted));
        let wanted = ["env::a", "env::b", "Production"];
        assert_eq!(missing(LabelNames::Scoped, &["env::b", "production"], &wanted), ["Production"]);
        assert_eq!(missing(LabelNames::Scoped, &["env::c", "Production"], &wanted), ["env::a", "env::b"]);
        assert_eq!(missing(LabelNames::Scoped, &["x::env::b"], &["env::a"]), ["env::a"]);
        assert_eq!(missing(LabelNames::AnyCase, &["env::b", "production"], &wanted), ["env::a"]);
    }
}
