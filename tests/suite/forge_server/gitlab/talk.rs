//! Notes, award emoji, members and deployments in GitLab's REST API.

use serde_json::{Value, json};

use super::rest::{Answer, message, not_found, page_of, wanted};
use super::shapes::{id, time, user};
use crate::forge_server::state::{Deployed, Said, State};

/// A text without its quick actions, which are obeyed.
pub(super) fn obey(text: &str, labels: &mut Vec<String>) -> String {
    let is_action = |line: &&str| {
        line.trim_start()
            .strip_prefix('/')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    };
    labels.extend(text.lines().filter(is_action).map(|line| format!("obeyed {}", line.trim())));
    text.lines().filter(|line| !is_action(line)).collect::<Vec<_>>().join("\n")
}

fn note(said: &Said) -> Value {
    json!({
        "id": said.id, "type": null, "body": said.body, "author": user(&said.author), "system": false,
        "created_at": time(said.at), "updated_at": time(said.at), "noteable_type": "MergeRequest", "resolvable": false,
    })
}

pub(super) fn say(state: &mut State, number: u64, body: &Value) -> Answer {
    let author = state.viewer.clone();
    let Some(pull) = state.pull(number) else { return not_found() };
    let text = obey(body["body"].as_str().unwrap_or_default(), &mut pull.labels);
    let Some(id) = state.say(number, &author, &text) else { return not_found() };
    (201, note(state.comment(id).expect("it was said")))
}

/// What GitLab itself notes stands among the notes of people.
fn system(author: &str) -> Value {
    json!({"id": 1, "body": "changed the description\n/hydrator promote dev", "author": user(author), "system": true,
        "created_at": time(0)})
}

pub(super) fn one_note(state: &mut State, number: u64, id: &str) -> Answer {
    let Some(pull) = state.pull(number) else { return not_found() };
    if id == "1" {
        return (200, system(&pull.author));
    }
    pull.comments
        .iter()
        .find(|said| said.id.to_string() == id)
        .map_or_else(not_found, |said| (200, note(said)))
}

/// A version for each push, newest first; what it was before the last one is forgotten.
pub(super) fn versions(state: &mut State, number: u64, query: &str) -> Answer {
    let Some(pull) = state.pull(number) else { return not_found() };
    let version = |id: u64, head: &str, at: i64| {
        json!({"id": 110 * number + id, "head_commit_sha": head, "base_commit_sha": pull.base_sha,
            "start_commit_sha": pull.base_sha, "created_at": time(at), "merge_request_id": 1000 + number,
            "state": "collected", "real_size": "1", "patch_id_sha": null})
    };
    let mut shown = vec![version(1, &pull.head_sha, pull.created_at)];
    if let Some(at) = pull.moved_at {
        shown = vec![version(2, &pull.head_sha, at), version(1, &"1".repeat(40), pull.created_at)];
    }
    page_of(shown, query)
}

pub(super) fn notes(state: &mut State, number: u64, query: &str) -> Answer {
    let Some(pull) = state.pull(number) else { return not_found() };
    let mut shown: Vec<Value> = pull.comments.iter().map(note).collect();
    shown.insert(0, system(&pull.author));
    if wanted(query, "sort").as_deref() != Some("asc") {
        shown.reverse();
    }
    page_of(shown, query)
}

pub(super) fn label_events(state: &mut State, number: u64, query: &str) -> Answer {
    let Some(pull) = state.pull(number) else { return not_found() };
    let event = |action: &str, label: Value, at: i64| {
        json!({"id": 142, "user": user("alice"), "created_at": time(at), "resource_type": "MergeRequest",
            "resource_id": 1000 + number, "label": label, "action": action})
    };
    let label = |name: &str| json!({"id": 73, "name": name, "color": "#34495E", "description": ""});
    // A label that is gone from the project has no name any more.
    let mut shown = vec![event("add", Value::Null, 0)];
    shown.extend(pull.labelled.iter().map(|(name, at)| event("add", label(name), *at)));
    shown.push(event("remove", label("hold"), i64::from(u32::MAX)));
    page_of(shown, query)
}

pub(super) fn approvals(state: &mut State, number: u64) -> Answer {
    let Some(pull) = state.pull(number) else { return not_found() };
    let approved = pull.reviews.iter().filter(|(_, approved)| *approved);
    let by: Vec<Value> = approved.map(|(who, _)| json!({"user": user(who)})).collect();
    (
        200,
        json!({"user_has_approved": false, "user_can_approve": false, "approved": !by.is_empty(), "approved_by": by}),
    )
}

/// A note of ours: nobody changes those of others.
pub(super) fn own_note(state: &mut State, id: &str, work: impl FnOnce(&mut State, u64) -> Answer) -> Answer {
    let viewer = state.viewer.clone();
    let Some(id) = id.parse().ok() else { return not_found() };
    match state.comment(id) {
        None => not_found(),
        Some(said) if said.author != viewer => message(403, "403 Forbidden"),
        Some(_) => work(state, id),
    }
}

pub(super) fn change_note(state: &mut State, id: u64, body: &Value) -> Answer {
    let said = state.comment(id).expect("it is there");
    body["body"].as_str().unwrap_or_default().clone_into(&mut said.body);
    (200, note(said))
}

pub(super) fn delete_note(state: &mut State, id: u64) -> Answer {
    for pull in &mut state.pulls {
        pull.comments.retain(|said| said.id != id);
    }
    (204, Value::Null)
}

pub(super) fn award(state: &mut State, id: &str, body: &Value) -> Answer {
    let reaction = (state.viewer.clone(), body["name"].as_str().unwrap_or_default().to_owned());
    let Some(said) = id.parse().ok().and_then(|id| state.comment(id)) else { return not_found() };
    if said.reactions.contains(&reaction) {
        return message(404, "404 Award Emoji Name has already been taken Not Found");
    }
    let shown = awarded(said.id, &reaction);
    said.reactions.push(reaction);
    (201, shown)
}

fn awarded(note: u64, (who, name): &(String, String)) -> Value {
    json!({"id": 344, "name": name, "user": user(who), "awardable_id": note, "awardable_type": "Note",
        "created_at": time(0), "updated_at": time(0)})
}

pub(super) fn awards(state: &mut State, id: &str, query: &str) -> Answer {
    let Some(said) = id.parse().ok().and_then(|id| state.comment(id)) else { return not_found() };
    page_of(said.reactions.iter().map(|one| awarded(said.id, one)).collect(), query)
}

/// The token itself. Its account's role says what it was made for.
pub(super) fn own_token(state: &State) -> Answer {
    let scopes = if state.role == "READ" { json!(["read_api"]) } else { json!(["api", "write_repository"]) };
    (
        200,
        json!({"id": 7, "name": "hydrator", "revoked": false, "created_at": time(0), "scopes": scopes,
        "user_id": id(&state.viewer), "active": true, "expires_at": "2099-01-01"}),
    )
}

pub(super) fn schedules(state: &State) -> Vec<Value> {
    let one = json!({"id": 13, "description": "promote", "ref": "refs/heads/main", "cron": "*/10 * * * *", "active": true,
        "owner": user(&state.viewer)});
    state.is_scheduled.then_some(one).into_iter().collect()
}

pub(super) fn member(state: &State, wanted: &str) -> Answer {
    if id(&state.viewer).to_string() == wanted {
        // An administrator of the instance needs no membership.
        if state.role == "ADMIN" {
            return not_found();
        }
        let mut shown = user(&state.viewer);
        shown["access_level"] = json!(if state.role == "READ" { 20 } else { 30 });
        return (200, shown);
    }
    let known = |name: &&String| id(name).to_string() == wanted;
    let names = state.people.iter().chain(state.permissions.keys());
    let Some(name) = names.into_iter().find(known) else { return not_found() };
    let level = match state.permission(name) {
        Some("admin") => 40,
        Some("write") => 30,
        Some("read") => 20,
        Some("none") => 10,
        _ => return not_found(),
    };
    let mut shown = user(name);
    shown["access_level"] = json!(level);
    shown["expires_at"] = Value::Null;
    (200, shown)
}

fn deployment(state: &State, one: &Deployed) -> Value {
    let deployable = (one.task != "api").then(|| json!({"id": 9, "name": one.task, "status": "success"}));
    let environment = json!({"id": id(&one.environment), "name": one.environment, "slug": one.environment, "external_url": null});
    json!({
        "id": one.id, "iid": one.id, "ref": "main", "sha": one.commit, "created_at": time(one.created_at),
        "updated_at": time(one.created_at), "user": user(&state.viewer), "environment": environment,
        "deployable": deployable, "status": "success",
    })
}

pub(super) fn deploy(state: &mut State, body: &Value) -> Answer {
    let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
    let commit = text("sha");
    let is_there = git2::Oid::from_str(&commit).is_ok_and(|id| state.git().find_commit(id).is_ok());
    if !is_there || state.tip(&text("ref")).is_none() {
        return (400, json!({"message": {"ref": ["The branch or tag does not exist"]}}));
    }
    let one = Deployed {
        id: state.deployments.len() as u64 + 1,
        environment: text("environment"),
        commit,
        task: "api".to_owned(),
        description: String::new(),
        statuses: Vec::new(),
        created_at: state.now(),
    };
    let shown = deployment(state, &one);
    state.deployments.push(one);
    (201, shown)
}

pub(super) fn deployments(state: &State, query: &str) -> Answer {
    let environment = wanted(query, "environment");
    let is_wanted = |one: &&Deployed| environment.as_ref().is_none_or(|wanted| one.environment == *wanted);
    page_of(
        state.deployments.iter().rev().filter(is_wanted).map(|one| deployment(state, one)).collect(),
        query,
    )
}
