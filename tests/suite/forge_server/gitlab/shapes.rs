//! How GitLab's API writes things down.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{GitLabApi, pipelines};
use crate::forge_server::state::{Hindrance, Life, Method, Pull, State};

/// A time as the API writes it.
pub(super) fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).expect("it is in range").to_string()
}

/// A number that stays the same for a name.
pub(super) fn id(name: &str) -> u64 {
    name.to_lowercase().bytes().fold(7, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_003)
}

pub(super) fn user(name: &str) -> Value {
    json!({"id": id(name), "username": name, "name": name, "state": "active", "locked": false,
        "avatar_url": null, "web_url": format!("http://forge/{name}")})
}

/// The title with the mark of a draft: the state keeps the two apart.
fn title(pull: &Pull) -> String {
    if pull.draft { format!("Draft: {}", pull.title) } else { pull.title.clone() }
}

const fn life(life: Life) -> &'static str {
    match life {
        Life::Open => "opened",
        Life::Closed => "closed",
        Life::Merged => "merged",
    }
}

/// What GitLab says about the way to a merge.
pub(super) fn merge_status(state: &mut State, number: u64) -> &'static str {
    let word = word_of(state, number);
    state.unknown = state.unknown.saturating_sub(1);
    word
}

fn word_of(state: &State, number: u64) -> &'static str {
    if state.unknown > 0 {
        return "checking";
    }
    let pull = state.pulls.iter().find(|pull| pull.number == number);
    let is_active = pull.is_some_and(|pull| pipelines::is_active(state, pull));
    match state.hindrance(number) {
        None | Some(Hindrance::Queue) => "mergeable",
        Some(Hindrance::NotOpen) => "not_open",
        Some(Hindrance::Draft) => "draft_status",
        Some(Hindrance::Conflict) => "conflict",
        Some(Hindrance::Status(_)) if is_active => "ci_still_running",
        Some(Hindrance::Status(_)) => "ci_must_pass",
        Some(Hindrance::Review) => "not_approved",
    }
}

impl GitLabApi {
    /// A merge request as a list shows it.
    pub(super) fn basic(&self, pull: &Pull) -> Value {
        let users = |names: &[String]| names.iter().map(|name| user(name)).collect::<Vec<_>>();
        let number = pull.number;
        let source = if pull.from_fork { 43 } else { 42 };
        json!({
            "id": 1000 + number, "iid": number, "project_id": 42, "title": title(pull), "description": pull.body,
            "state": life(pull.life), "created_at": time(pull.created_at), "updated_at": time(pull.created_at),
            "merged_at": pull.merged_at.map(time), "closed_at": null, "target_branch": pull.base,
            "source_branch": pull.head, "source_project_id": source, "target_project_id": 42,
            "author": user(&pull.author), "assignees": users(&pull.assignees), "reviewers": users(&pull.reviewers),
            "labels": pull.labels, "draft": pull.draft, "work_in_progress": pull.draft,
            "merge_when_pipeline_succeeds": pull.auto_merge.is_some(), "sha": pull.head_sha,
            "merge_commit_sha": pull.merge_commit.as_ref().filter(|_| pull.merge_commit != pull.squash_commit),
            "squash_commit_sha": pull.squash_commit, "squash": pull.squash, "squash_on_merge": pull.squash,
            "web_url": format!("{}/-/merge_requests/{number}", self.web), "has_conflicts": false,
        })
    }

    /// A merge request in full.
    pub(super) fn full(&self, state: &mut State, number: u64) -> Option<Value> {
        let pull = state.pull(number)?.clone();
        let mut shown = self.basic(&pull);
        shown["detailed_merge_status"] = json!(merge_status(state, number));
        shown["merge_error"] = Value::Null;
        if state.late_heads > 0 && pull.is_open() {
            state.late_heads -= 1;
            shown["sha"] = json!(pull.earlier.last().unwrap_or(&pull.head_sha));
        }
        shown["head_pipeline"] = pipelines::of_head(state, &pull);
        Some(shown)
    }

    /// The same in GraphQL.
    pub(super) fn node(&self, state: &State, pull: &Pull) -> Value {
        let has_merge_commit =
            state.default_method != Method::Rebase && pull.merge_commit != pull.squash_commit;
        let people = |names: &[String]| json!({"nodes": names.iter().map(|name| json!({"id": format!("gid://gitlab/User/{}", id(name)), "username": name})).collect::<Vec<_>>()});
        let labels: Vec<Value> = pull.labels.iter().map(|title| json!({"title": title})).collect();
        json!({
            "__typename": "MergeRequest", "iid": pull.number.to_string(), "webUrl": format!("{}/-/merge_requests/{}", self.web, pull.number),
            "state": life(pull.life), "title": title(pull), "description": pull.body, "draft": pull.draft,
            "sourceBranch": pull.head, "targetBranch": pull.base,
            "sourceProjectId": if pull.from_fork { 43 } else { 42 }, "targetProjectId": 42,
            "diffHeadSha": pull.head_sha, "mergeCommitSha": pull.merge_commit.as_ref().filter(|_| has_merge_commit), "mergedAt": pull.merged_at.map(time),
            "squash": pull.squash, "squashOnMerge": pull.squash,
            "autoMergeEnabled": pull.auto_merge.is_some(),
            "detailedMergeStatus": word_of(state, pull.number).to_uppercase(), "labels": {"nodes": labels},
            "reviewers": people(&pull.reviewers), "assignees": people(&pull.assignees),
        })
    }

    pub(super) fn project(&self, state: &State) -> Value {
        let (owner, name) = self.path.rsplit_once('/').expect("a project is in a group");
        json!({
            "id": 42, "name": name, "path": name, "path_with_namespace": self.path, "namespace": {"full_path": owner},
            "default_branch": "main", "web_url": self.web, "visibility": "private",
            "only_allow_merge_if_pipeline_succeeds": !state.required_statuses.is_empty(),
            "allow_merge_on_skipped_pipeline": false, "merge_trains_enabled": state.merge_queue,
            "merge_pipelines_enabled": state.merged_results,
            "ci_push_repository_for_job_token_allowed": state.jobs_may_push,
            "merge_method": if state.default_method == Method::Rebase { "ff" } else { "merge" },
            "squash_option": if state.forbidden_methods.contains(&Method::Squash) { "never" } else { "default_off" },

        })
    }
}
