//! GitLab's REST API: which call does what to the state, and what it answers.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::shapes::{id, user};
use super::{GitLabApi, ID, pipelines, talk};
use crate::forge_server::state::{Hindrance, Life, Method, Pull, Refusal, State};
use crate::forge_server::{Call, decoded};

pub(super) type Answer = (u16, Value);

pub(super) fn message(status: u16, text: &str) -> Answer {
    (status, json!({"message": text}))
}

pub(super) fn not_found() -> Answer {
    message(404, "404 Not found")
}

/// A parameter of a query.
pub(super) fn wanted(query: &str, key: &str) -> Option<String> {
    query.split('&').find_map(|pair| pair.strip_prefix(&format!("{key}="))).map(decoded)
}

/// A list of labels as the API takes it.
fn labels(value: &Value) -> Vec<String> {
    let text = value.as_str().unwrap_or_default();
    text.split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned).collect()
}

pub(super) fn page_of(all: Vec<Value>, query: &str) -> Answer {
    let number =
        |key: &str, default: usize| wanted(query, key).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (size, page) = (number("per_page", 20).min(100), number("page", 1));
    (200, all.into_iter().skip(size * (page - 1)).take(size).collect())
}

impl GitLabApi {
    pub(super) fn rest(&self, state: &mut State, call: &Call, query: &str) -> Answer {
        let parts: Vec<String> = call.path.split('/').skip(1).map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let rest = match parts.as_slice() {
            ["version"] => {
                return (200, json!({"version": "18.5.0-ee", "revision": "1", "enterprise": true}));
            }
            ["users"] => return users(state, query),
            ["personal_access_tokens", "self"] => return talk::own_token(state),
            ["user"] => return (200, viewer(state)),
            ["projects", project, rest @ ..] if *project == ID || *project == self.path => rest,
            _ => return not_found(),
        };
        let number = || rest.get(1).and_then(|number| number.parse().ok()).unwrap_or(0);
        match (call.method.as_str(), rest) {
            ("GET", []) => (200, self.project(state)),
            ("GET", ["merge_requests"]) => self.list(state, query),
            ("POST", ["merge_requests"]) => self.create(state, &call.body),
            ("GET", ["merge_requests", _]) => self.show(state, 200, number()),
            ("PUT", ["merge_requests", _]) => self.change(state, number(), &call.body),
            ("PUT", ["merge_requests", _, "merge"]) => self.merge(state, number(), &call.body),
            ("POST", ["merge_requests", _, "cancel_merge_when_pipeline_succeeds"]) => {
                self.cancel(state, number())
            }
            ("POST", ["merge_requests", _, "notes"]) => talk::say(state, number(), &call.body),
            ("GET", ["merge_requests", _, "notes"]) => talk::notes(state, number(), query),
            ("GET", ["merge_requests", _, "notes", id]) => talk::one_note(state, number(), id),
            ("GET", ["merge_requests", _, "versions"]) => talk::versions(state, number(), query),
            ("GET", ["merge_requests", _, "resource_label_events"]) => {
                talk::label_events(state, number(), query)
            }
            ("GET", ["merge_requests", _, "approvals"]) => talk::approvals(state, number()),
            ("PUT", ["merge_requests", _, "notes", id]) => {
                talk::own_note(state, id, |state, id| talk::change_note(state, id, &call.body))
            }
            ("DELETE", ["merge_requests", _, "notes", id]) => talk::own_note(state, id, talk::delete_note),
            ("GET", ["merge_requests", _, "notes", id, "award_emoji"]) => talk::awards(state, id, query),
            ("POST", ["merge_requests", _, "notes", id, "award_emoji"]) => talk::award(state, id, &call.body),
            ("GET", ["protected_branches"]) => page_of(state.rules.clone(), query),
            ("GET", ["pipeline_schedules"]) => page_of(talk::schedules(state), query),
            ("GET", ["members", "all", id]) => talk::member(state, id),
            ("POST", ["deployments"]) => talk::deploy(state, &call.body),
            ("GET", ["deployments"]) => talk::deployments(state, query),
            ("GET", ["repository", "commits", sha]) => commit(state, sha),
            ("GET", ["repository", "commits", sha, "merge_requests"]) => self.brought(state, sha, query),
            ("POST", ["statuses", sha]) => pipelines::set_status(state, sha, &call.body),
            ("GET", ["repository", "commits", sha, "statuses"]) => pipelines::statuses(state, sha, query),
            ("GET", ["repository", "commits", sha, "refs"]) => pipelines::refs(state, sha),
            ("GET", ["pipelines"]) => pipelines::list(state, query),
            _ => not_found(),
        }
    }

    fn list(&self, state: &State, query: &str) -> Answer {
        let (source, target) = (wanted(query, "source_branch"), wanted(query, "target_branch"));
        let is_in = |pull: &Pull| match wanted(query, "state").as_deref() {
            Some("opened") => pull.is_open(),
            Some("merged") => pull.life == Life::Merged,
            _ => true,
        };
        let mut shown: Vec<&Pull> = state
            .pulls
            .iter()
            .filter(|pull| {
                is_in(pull)
                    && source.as_ref().is_none_or(|source| pull.head == *source)
                    && target.as_ref().is_none_or(|target| pull.base == *target)
            })
            .collect();
        shown.sort_by_key(|pull| pull.number);
        if wanted(query, "sort").as_deref() != Some("asc") {
            shown.reverse();
        }
        page_of(shown.into_iter().map(|pull| self.basic(pull)).collect(), query)
    }

    fn show(&self, state: &mut State, status: u16, number: u64) -> Answer {
        self.full(state, number).map_or_else(not_found, |shown| (status, shown))
    }

    fn create(&self, state: &mut State, body: &Value) -> Answer {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (title, head, base) = (text("title"), text("source_branch"), text("target_branch"));
        if title.chars().count() > 255 {
            return (400, json!({"message": {"title": ["is too long (maximum is 255 characters)"]}}));
        }
        if text("description").chars().count() > 1_048_576 {
            return (
                400,
                json!({"message": {"description": ["is too long (maximum is 1048576 characters)"]}}),
            );
        }
        match state.open(&head, &base, "", "") {
            Ok(number) => {
                Self::write(state, number, body);
                self.show(state, 201, number)
            }
            Err(Refusal::NoHead) => {
                (400, json!({"message": [format!("Source branch \"{head}\" does not exist")]}))
            }
            Err(Refusal::NoBase) => {
                (400, json!({"message": [format!("Target branch \"{base}\" does not exist")]}))
            }
            Err(Refusal::Exists(number)) => {
                let words =
                    format!("Another open merge request already exists for this source branch: !{number}");
                (409, json!({"message": [words]}))
            }
            Err(other) => panic!("nobody asks for {other:?}"),
        }
    }

    /// Takes over what a body names. Lists of people are replaced, and whom the project does not know is ignored.
    fn write(state: &mut State, number: u64, body: &Value) {
        let known = state.people.clone();
        let Some(pull) = state.pull(number) else { return };
        let people = |key: &str| {
            let ids = body[key].as_array()?;
            let has = |name: &&String| ids.iter().any(|one| one.as_u64() == Some(id(name)));
            Some(known.iter().filter(has).cloned().collect::<Vec<_>>())
        };
        if let Some(title) = body["title"].as_str() {
            let rest = title.strip_prefix("Draft: ");
            pull.draft = rest.is_some();
            rest.unwrap_or(title).trim().clone_into(&mut pull.title);
        }
        if let Some(text) = body["description"].as_str() {
            pull.body = talk::obey(text, &mut pull.labels);
        }
        if let Some(squash) = body["squash"].as_bool() {
            pull.squash = squash;
        }
        if let Some(reviewers) = people("reviewer_ids") {
            pull.reviewers = reviewers;
        }
        if let Some(assignees) = people("assignee_ids") {
            pull.assignees = assignees;
        }
        let removed = labels(&body["remove_labels"]);
        pull.labels.retain(|label| !removed.contains(label));
        if body["labels"].is_string() {
            pull.labels = labels(&body["labels"]);
        }
        for label in labels(&body["add_labels"]) {
            if !pull.labels.contains(&label) {
                pull.labels.push(label);
            }
        }
        // The last one of a scope takes the place of the others.
        let scope = |label: &str| label.rsplit_once("::").map(|(scope, _)| scope.to_owned());
        let all = std::mem::take(&mut pull.labels);
        let is_last = |at: usize| {
            scope(&all[at]).is_none_or(|own| {
                !all[at + 1..].iter().any(|later| scope(later).is_some_and(|other| other == own))
            })
        };
        pull.labels = (0..all.len()).filter(|at| is_last(*at)).map(|at| all[at].clone()).collect();
    }

    fn change(&self, state: &mut State, number: u64, body: &Value) -> Answer {
        Self::write(state, number, body);
        if body["state_event"] == "close" {
            state.close(number);
        }
        self.show(state, 200, number)
    }

    fn merge(&self, state: &mut State, number: u64, body: &Value) -> Answer {
        let Some(pull) = state.pull(number).cloned() else { return not_found() };
        let arms = body["auto_merge"] == true || body["merge_when_pipeline_succeeds"] == true;
        let hindrance = state.hindrance(number);
        // It waits for a pipeline that goes on, and merges at once behind one that has succeeded, whatever else is missing.
        let waits = pipelines::is_active(state, &pull)
            && matches!(hindrance, Some(Hindrance::Status(_) | Hindrance::Review));
        let tries = hindrance == Some(Hindrance::Review)
            && pipelines::deciding(state, &pull)
                .is_some_and(|one| pipelines::outcome(state, &one) == "success");
        if hindrance == Some(Hindrance::Conflict) || (arms && tries) {
            return message(422, "Branch cannot be merged");
        }
        if hindrance.is_some() && !(arms && waits) {
            return message(405, "405 Method Not Allowed");
        }
        if body["sha"].as_str().is_some_and(|sha| sha != pull.head_sha) {
            return message(409, &format!("SHA does not match HEAD of source branch: {}", pull.head_sha));
        }
        // The box is ticked by a merge, and never cleared by one.
        let pull = state.pull(number).expect("it is there");
        pull.squash |= body["squash"] == true;
        let method = match (pull.squash, state.default_method) {
            (true, _) => Method::Squash,
            (false, Method::Rebase) => Method::Rebase,
            _ => Method::Merge,
        };
        let message = body["squash_commit_message"].as_str().map(str::to_owned);
        state.pull(number).expect("it is there").squash_message = message;
        if waits {
            state.pull(number).expect("it is there").auto_merge = Some(method);
        } else {
            state.merge(number, method).expect("nothing hinders it");
        }
        self.show(state, 200, number)
    }

    /// The merge requests that a commit came in with.
    fn brought(&self, state: &mut State, sha: &str, query: &str) -> Answer {
        if git2::Oid::from_str(sha).ok().is_none_or(|id| state.git().find_commit(id).is_err()) {
            return message(404, "404 Commit Not Found");
        }
        let numbers = state.merged_with(sha);
        let shown = state.pulls.iter().filter(|pull| numbers.contains(&pull.number));
        page_of(shown.map(|pull| self.basic(pull)).collect(), query)
    }

    fn cancel(&self, state: &mut State, number: u64) -> Answer {
        match state.pull(number) {
            None => not_found(),
            Some(pull) if pull.auto_merge.is_none() => message(406, "406 Not Acceptable"),
            Some(pull) => {
                pull.auto_merge = None;
                self.show(state, 201, number)
            }
        }
    }
}

/// The token's own account, which an administrator is told more of.
fn viewer(state: &State) -> Value {
    let mut shown = user(&state.viewer);
    if state.role == "ADMIN" {
        shown["is_admin"] = Value::Bool(true);
    }
    shown
}

fn users(state: &State, query: &str) -> Answer {
    let wanted = wanted(query, "username").unwrap_or_default().to_lowercase();
    // Everybody on the server, of whom not all may see the project.
    let known = state.people.iter().chain(state.permissions.keys());
    let all: BTreeSet<&str> = known.map(String::as_str).chain(["stranger"]).collect();
    (200, all.into_iter().filter(|name| *name == wanted).map(user).collect())
}

fn commit(state: &State, sha: &str) -> Answer {
    let git = state.git();
    let Some(commit) = git2::Oid::from_str(sha).ok().and_then(|id| git.find_commit(id).ok()) else {
        return message(404, "404 Commit Not Found");
    };
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let parents: Vec<String> = commit.parent_ids().map(|id| id.to_string()).collect();
    (
        200,
        json!({"id": sha, "short_id": sha[..8], "title": text(commit.summary().ok().flatten()),
            "message": text(commit.message().ok()), "parent_ids": parents}),
    )
}
