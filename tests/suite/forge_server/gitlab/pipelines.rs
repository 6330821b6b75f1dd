//! Pipelines and the statuses in them. On GitLab each status is a job of a pipeline: of the newest one of its commit and
//! branch, else of one from outside that is made for it. Source: GitLab's `CreateCommitStatusService`.

use serde_json::{Value, json};

use super::rest::{Answer, message, page_of, wanted};
use super::shapes::{time, user};
use crate::forge_server::state::{Pipeline, Pull, State, Status};

/// What a status that a test set by hand is a job of.
const BY_HAND: u64 = 500;

/// A job of a pipeline, with its number.
pub(super) type Job<'a> = (u64, &'a Status);

/// The jobs of a commit that were not tried again, in each of its pipelines.
fn jobs_of<'a>(state: &'a State, sha: &str) -> Vec<Job<'a>> {
    let all = state.statuses.get(sha).map_or(&[][..], Vec::as_slice);
    let is_newest = |place: usize, one: &Status| {
        let mut later = all[place + 1..].iter();
        !later.any(|later| later.context == one.context && later.pipeline == one.pipeline)
    };
    let numbered = all.iter().enumerate().filter(|(place, one)| is_newest(*place, one));
    numbered.map(|(place, one)| (place as u64 + 1, one)).collect()
}

/// The jobs of one pipeline.
pub(super) fn jobs<'a>(state: &'a State, pipeline: &Pipeline) -> Vec<Job<'a>> {
    let all = jobs_of(state, &pipeline.commit);
    all.into_iter().filter(|(_, one)| one.pipeline.unwrap_or(BY_HAND) == pipeline.id).collect()
}

/// The pipelines of a commit, oldest first.
pub(crate) fn of_commit(state: &State, sha: &str) -> Vec<Pipeline> {
    let by_hand = state.statuses.get(sha).and_then(|all| all.iter().find(|one| one.pipeline.is_none()));
    let made = by_hand.map(|one| {
        let branch = one.branch.clone().or_else(|| branches(state, sha).into_iter().next());
        let branch = branch.unwrap_or_default();
        Pipeline { id: BY_HAND, commit: sha.to_owned(), branch, source: "external" }
    });
    made.into_iter().chain(state.pipelines.iter().filter(|one| one.commit == sha).cloned()).collect()
}

/// The pipelines of a merge request: of its head and of the heads before, newest first; those that run for the request
/// itself before all others. Source: GitLab's `PipelinesForMergeRequestFinder`.
pub(super) fn of_request(state: &State, pull: &Pull) -> Vec<Pipeline> {
    let heads = pull.earlier.iter().rev().take(99).chain([&pull.head_sha]);
    let mut found: Vec<Pipeline> = heads.flat_map(|head| of_commit(state, head)).collect();
    found.retain(|one| (one.branch == pull.head && one.source != "parent_pipeline") || is_of_request(one));
    found.sort_by_key(|one| (!is_of_request(one), std::cmp::Reverse(one.id)));
    found.dedup_by_key(|one| one.id);
    found
}

pub(super) fn is_of_request(pipeline: &Pipeline) -> bool {
    pipeline.source == "merge_request_event"
}

/// How a pipeline stands.
pub(crate) fn outcome(state: &State, pipeline: &Pipeline) -> &'static str {
    let words: Vec<&str> = jobs(state, pipeline).iter().map(|(_, one)| one.state.as_str()).collect();
    let has = |word: &str| words.contains(&word);
    match () {
        () if has("pending") || has("running") => "running",
        () if has("failed") => "failed",
        () if has("canceled") => "canceled",
        () => "success",
    }
}

fn shown(state: &State, one: &Pipeline) -> Value {
    json!({"id": one.id, "iid": one.id, "project_id": 42, "sha": one.commit, "ref": one.branch,
        "status": outcome(state, one), "source": one.source, "created_at": time(0), "updated_at": time(0),
        "web_url": format!("http://forge/-/pipelines/{}", one.id)})
}

/// The pipeline that decides about a merge: one that runs for the request itself, else the newest one.
pub(crate) fn deciding(state: &State, pull: &Pull) -> Option<Pipeline> {
    of_request(state, pull).into_iter().find(|one| one.commit == pull.head_sha)
}

pub(super) fn of_head(state: &State, pull: &Pull) -> Value {
    deciding(state, pull).map_or(Value::Null, |one| shown(state, &one))
}

/// With "Pipelines must succeed" there has to be a pipeline, and it has to have succeeded, whatever is in it.
pub(super) fn unmet(state: &State, pull: &Pull) -> Option<String> {
    let required = state.required_statuses.first()?;
    let is_met = deciding(state, pull).is_some_and(|one| outcome(state, &one) == "success");
    (!is_met).then(|| required.clone())
}

/// Whether the pipeline that decides still goes on.
pub(super) fn is_active(state: &State, pull: &Pull) -> bool {
    deciding(state, pull).is_some_and(|one| outcome(state, &one) == "running")
}

/// Pipelines of a commit or a branch, newest first unless something else is asked for.
pub(super) fn list(state: &State, query: &str) -> Answer {
    let (sha, branch) = (wanted(query, "sha").expect("nobody asks for all"), wanted(query, "ref"));
    let mut all = of_commit(state, &sha);
    all.retain(|one| branch.as_ref().is_none_or(|wanted| one.branch == *wanted));
    if wanted(query, "sort").as_deref() != Some("asc") {
        all.reverse();
    }
    page_of(all.iter().map(|one| shown(state, one)).collect(), query)
}

/// While a job waits or runs it goes from state to state, and the same state again is refused.
pub(super) fn set_status(state: &mut State, sha: &str, body: &Value) -> Answer {
    if !is_there(state, sha) {
        return message(404, "404 Commit Not Found");
    }
    let text = |key: &str| body[key].as_str().map(str::to_owned);
    let mut matching = of_commit(state, sha);
    matching.retain(|one| one.source != "parent_pipeline");
    matching.retain(|one| text("ref").is_none_or(|wanted| one.branch == wanted));
    matching.retain(|one| body["pipeline_id"].as_u64().is_none_or(|wanted| one.id == wanted));
    if matching.is_empty() && body["pipeline_id"].is_u64() {
        return message(404, "404 Pipeline for pipeline_id, sha and ref Not Found");
    }
    let newest = matching.last().filter(|one| one.id != BY_HAND).cloned();
    let known = text("ref").or_else(|| newest.as_ref().map(|one| one.branch.clone()));
    let Some(branch) = known.or_else(|| branches(state, sha).into_iter().next()) else {
        return message(404, "404 References for commit Not Found");
    };
    let pipeline = newest.map_or_else(|| state.start_pipeline(sha, &branch, "external"), |one| one.id);
    let now = state.now();
    let (word, name) = (text("state").unwrap_or_default(), text("name").unwrap_or_default());
    let all = state.statuses.entry(sha.to_owned()).or_default();
    let is_live = |one: &Status| {
        let is_it = one.context == name && one.pipeline == Some(pipeline);
        is_it && ["pending", "running"].contains(&one.state.as_str())
    };
    if let Some(place) = all.iter().position(is_live) {
        let job = &mut all[place];
        if job.state == word || word == "pending" {
            let event = if word == "running" { "run" } else { "enqueue" };
            return message(400, &format!("Cannot transition status via :{event} from :{}", job.state));
        }
        job.state = word;
        job.description = text("description").unwrap_or_default();
        return (201, status(sha, (place as u64 + 1, &all[place])));
    }
    all.push(Status {
        context: name,
        state: word,
        description: text("description").unwrap_or_default(),
        target_url: text("target_url"),
        branch: Some(branch),
        pipeline: Some(pipeline),
        created_at: now,
    });
    (201, status(sha, (all.len() as u64, all.last().expect("there is one"))))
}

/// The jobs of a commit, of all its pipelines.
pub(super) fn statuses(state: &State, sha: &str, query: &str) -> Answer {
    if !is_there(state, sha) {
        return message(404, "404 Commit Not Found");
    }
    let name = wanted(query, "name");
    let all = jobs_of(state, sha).into_iter();
    let named = all.filter(|(_, one)| name.as_ref().is_none_or(|wanted| one.context == *wanted));
    page_of(named.map(|job| status(sha, job)).collect(), query)
}

fn status(sha: &str, (id, status): Job<'_>) -> Value {
    json!({
        "id": id, "sha": sha, "ref": status.branch, "status": status.state, "name": status.context,
        "target_url": status.target_url, "description": status.description, "created_at": time(status.created_at),
        "started_at": null, "finished_at": null, "allow_failure": false, "coverage": null,
        "pipeline_id": status.pipeline.unwrap_or(BY_HAND), "author": user("hydrator"),
    })
}

/// The branches that hold a commit.
pub(super) fn refs(state: &State, sha: &str) -> Answer {
    if !is_there(state, sha) {
        return message(404, "404 Commit Not Found");
    }
    (200, branches(state, sha).into_iter().map(|name| json!({"type": "branch", "name": name})).collect())
}

fn is_there(state: &State, sha: &str) -> bool {
    git2::Oid::from_str(sha).is_ok_and(|id| state.git().find_commit(id).is_ok())
}

/// In the order of their names, as GitLab lists them.
fn branches(state: &State, sha: &str) -> Vec<String> {
    let git = state.git();
    let Ok(commit) = git2::Oid::from_str(sha) else { return Vec::new() };
    let references = git.references_glob("refs/heads/*").expect("there are branches");
    let holds = |one: &git2::Reference<'_>| {
        one.target().is_some_and(|tip| tip == commit || git.graph_descendant_of(tip, commit).unwrap_or(false))
    };
    let names = references.flatten().filter(holds).filter_map(|one| one.shorthand().map(str::to_owned).ok());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
