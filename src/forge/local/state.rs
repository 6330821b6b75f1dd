//! What the local forge remembers, as it stands in its file. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::forge::{Deployment, PullRequestLook};
use crate::model::{
    BranchName, CommitId, CommitState, CommitStatus, LabelNames, MergeMethod, PullRequest, PullRequestState,
};

/// The version of the file's format.
const VERSION: u32 = 1;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct State {
    version: u32,
    /// Contexts that must be successful on the head before a merge, as branch protection would ask.
    #[serde(default)]
    pub(super) required_statuses: Vec<String>,
    /// In the order of their numbers.
    #[serde(default)]
    pub(super) pull_requests: Vec<Record>,
    /// Commit, then context.
    #[serde(default)]
    pub(super) statuses: BTreeMap<CommitId, BTreeMap<String, StatusRecord>>,
    /// In the order in which they were recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    deployments: Vec<DeploymentRecord>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            required_statuses: Vec::new(),
            pull_requests: Vec::new(),
            statuses: BTreeMap::new(),
            deployments: Vec::new(),
        }
    }
}

/// One pull request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Record {
    pub(super) number: u64,
    pub(super) state: PullRequestState,
    pub(super) head: BranchName,
    pub(super) head_sha: CommitId,
    pub(super) base: BranchName,
    pub(super) title: String,
    pub(super) body: String,
    #[serde(default)]
    pub(super) labels: Vec<String>,
    #[serde(default)]
    pub(super) reviewers: Vec<String>,
    #[serde(default)]
    pub(super) team_reviewers: Vec<String>,
    #[serde(default)]
    pub(super) assignees: Vec<String>,
    #[serde(default)]
    pub(super) draft: bool,
    #[serde(default)]
    pub(super) auto_merge: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) auto_merge_method: Option<MergeMethod>,
    #[serde(default)]
    pub(super) comments: Vec<CommentRecord>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) merged_at: Option<Instant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) merge_commit: Option<CommitId>,
}

/// One comment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CommentRecord {
    /// Used once in the whole forge.
    pub(super) id: u64,
    pub(super) author: String,
    pub(super) body: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) reactions: Vec<String>,
}

/// One deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DeploymentRecord {
    environment: String,
    commit: CommitId,
    description: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

/// One status of one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct StatusRecord {
    pub(super) state: CommitState,
    #[serde(default)]
    pub(super) description: String,
    pub(super) created_at: Instant,
}

/// A point in time, written as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Instant(pub(super) Timestamp);

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

impl State {
    /// Parses the file; the error says what is wrong with it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let state: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if state.version == VERSION {
            return Ok(state);
        }
        Err(format!("it has version {}, and this program reads version {VERSION}", state.version))
    }

    /// The file's text.
    pub(super) fn text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    /// The number of the next pull request; numbers are never used twice, since pull requests are never removed.
    pub(super) fn next_number(&self) -> u64 {
        self.pull_requests.iter().map(|record| record.number).max().unwrap_or_default().saturating_add(1)
    }

    /// The number of the next comment: above all that are there, since only ours are ever removed.
    pub(super) fn next_comment(&self) -> u64 {
        let ids = self.pull_requests.iter().flat_map(|record| &record.comments).map(|comment| comment.id);
        ids.max().unwrap_or_default().saturating_add(1)
    }

    /// All deployments, oldest first.
    pub(super) fn deployments(&self) -> impl Iterator<Item = Deployment> {
        self.deployments.iter().map(|record| Deployment {
            environment: record.environment.clone(),
            commit: record.commit,
            description: record.description.clone(),
            url: record.url.clone(),
        })
    }

    /// Adds a deployment.
    pub(super) fn record_deployment(&mut self, deployment: &Deployment) {
        let Deployment { environment, commit, description, url } = deployment.clone();
        self.deployments.push(DeploymentRecord { environment, commit, description, url });
    }

    /// The pull request with this number.
    pub(super) fn find(&mut self, number: u64) -> Option<&mut Record> {
        self.pull_requests.iter_mut().find(|record| record.number == number)
    }

    /// The statuses of a commit, by context.
    pub(super) fn statuses_of(&self, commit: CommitId) -> Vec<CommitStatus> {
        let of_commit = self.statuses.get(&commit).into_iter().flatten();
        of_commit.map(|(context, record)| record.status(context)).collect()
    }

    /// The state of one status of a commit.
    pub(super) fn state_of(&self, commit: CommitId, context: &str) -> Option<CommitState> {
        self.statuses.get(&commit)?.get(context).map(|record| record.state)
    }

    /// Sets a status; the same one again keeps its date.
    pub(super) fn set_status(&mut self, commit: CommitId, status: &CommitStatus, now: Timestamp) {
        let of_commit = self.statuses.entry(commit).or_default();
        let same = of_commit
            .get(&status.context)
            .is_some_and(|old| old.state == status.state && old.description == status.description);
        if !same {
            let record = StatusRecord {
                state: status.state,
                description: status.description.clone(),
                created_at: Instant(now),
            };
            of_commit.insert(status.context.clone(), record);
        }
    }
}

impl CommentRecord {
    /// A comment without reactions.
    pub(super) fn new(id: u64, author: &str, body: &str) -> Self {
        Self { id, author: author.to_owned(), body: body.to_owned(), reactions: Vec::new() }
    }
}

impl StatusRecord {
    fn status(&self, context: &str) -> CommitStatus {
        CommitStatus {
            context: context.to_owned(),
            state: self.state,
            description: self.description.clone(),
            created_at: Some(self.created_at.0),
        }
    }
}

impl Record {
    /// Takes over the title and the body, and adds labels and people; nobody is removed, and the draft state stays.
    pub(super) fn look_like(&mut self, look: &PullRequestLook) {
        self.title.clone_from(&look.title);
        self.body.clone_from(&look.body);
        add(&mut self.labels, &look.labels);
        add(&mut self.reviewers, &look.reviewers);
        add(&mut self.team_reviewers, &look.team_reviewers);
        add(&mut self.assignees, &look.assignees);
    }

    /// Marks it as merged.
    pub(super) fn merged(&mut self, commit: CommitId, now: Timestamp) {
        self.state = PullRequestState::Merged;
        self.merge_commit = Some(commit);
        self.merged_at = Some(Instant(now));
        self.disarm();
    }

    /// Marks it as closed.
    pub(super) fn closed(&mut self) {
        self.state = PullRequestState::Closed;
        self.disarm();
    }

    /// Whether it waits for rules, and not for somebody's work on it.
    pub(super) fn is_waiting(&self) -> bool {
        self.state == PullRequestState::Open && !self.draft
    }

    /// It is merged by itself once it may be.
    pub(super) fn arm(&mut self, method: Option<MergeMethod>) {
        self.auto_merge = true;
        self.auto_merge_method = method;
    }

    /// It is not.
    pub(super) fn disarm(&mut self) {
        self.auto_merge = false;
        self.auto_merge_method = None;
    }

    /// The pull request in the program's words.
    pub(super) fn pull_request(&self, url: String) -> PullRequest {
        PullRequest {
            number: self.number,
            url,
            state: self.state,
            head: self.head.clone(),
            head_sha: self.head_sha,
            base: self.base.clone(),
            title: self.title.clone(),
            body: self.body.clone(),
            labels: self.labels.clone(),
            label_names: LabelNames::AnyCase,
            reviewers: self.reviewers.clone(),
            team_reviewers: self.team_reviewers.clone(),
            assignees: self.assignees.clone(),
            draft: self.draft,
            auto_merge: self.auto_merge,
            merged_at: self.merged_at.map(|instant| instant.0),
            head_statuses: None,
        }
    }
}

fn add(to: &mut Vec<String>, wanted: &[String]) {
    to.extend(wanted.iter().cloned());
    to.sort();
    to.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_version_is_refused() {
        assert_eq!(
            State::parse(br#"{"version": 2}"#),
            Err("it has version 2, and this program reads version 1".to_owned())
        );
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = State::parse(br#"{"version": 1, "pullRequest": []}"#).unwrap_err();
        assert!(error.contains("unknown field `pullRequest`"), "{error}");
    }

    #[test]
    fn the_text_is_read_back_as_it_was() {
        let mut state = State::default();
        state.required_statuses.push("hydrator/promotion".to_owned());
        let commit = CommitId::from_bytes([7; 20]);
        let status = CommitStatus {
            context: "tests".to_owned(),
            state: CommitState::Success,
            description: "fine".to_owned(),
            created_at: None,
        };
        state.set_status(commit, &status, Timestamp::UNIX_EPOCH);
        assert_eq!(State::parse(state.text().unwrap().as_bytes()), Ok(state));
    }
}
