//! GitLab's GraphQL over the state: what a question costs, and what it picks.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::shapes::time;
use super::{GitLabApi, pipelines};
use crate::forge_server::question::{Question, Selection, read};
use crate::forge_server::state::{Life, Method, Pipeline, Pull, State};

/// What a question may cost. Source: GitLab's documentation of GraphQL, "Limits".
const LIMIT: usize = 250;

impl GitLabApi {
    pub(super) fn graphql(&self, state: &State, body: &Value) -> (u16, Value) {
        let question = read(body["query"].as_str().unwrap_or_default(), &body["variables"]);
        let points = points(&question, &question.selections);
        if points > LIMIT {
            let words = format!("Query has complexity of {points}, which exceeds max complexity of {LIMIT}");
            return (200, json!({"errors": [{"message": words}]}));
        }
        let root = json!({"__typename": "Query"});
        (200, json!({"data": self.pick(state, &question, &root, &question.selections)}))
    }

    fn pick(&self, state: &State, question: &Question, object: &Value, selections: &[Selection]) -> Value {
        if object.is_null() || selections.is_empty() {
            return object.clone();
        }
        if let Some(list) = object.as_array() {
            return list.iter().map(|one| self.pick(state, question, one, selections)).collect();
        }
        let mut picked = Map::new();
        for selection in selections {
            match selection {
                Selection::Field { alias, name, arguments, below } => {
                    let found = self.field(state, object, name, arguments);
                    picked.insert(alias.clone(), self.pick(state, question, &found, below));
                }
                Selection::Spread(name) => {
                    let (of, below) = &question.fragments[name];
                    assert_eq!(object["__typename"], of.as_str());
                    let found = self.pick(state, question, object, below);
                    picked.extend(found.as_object().expect("an object is picked from").clone());
                }
                Selection::On(..) => panic!("nobody asks so"),
            }
        }
        Value::Object(picked)
    }

    fn field(&self, state: &State, object: &Value, name: &str, arguments: &Map<String, Value>) -> Value {
        let kind = object["__typename"].as_str().unwrap_or_default();
        match (kind, name) {
            ("Query", "currentUser") => json!({"__typename": "User", "username": state.viewer}),
            ("Query", "project") => {
                if arguments["fullPath"] == self.path.as_str() {
                    json!({"__typename": "Project"})
                } else {
                    Value::Null
                }
            }
            ("Project", "mergeRequestsFfOnlyEnabled") => json!(state.default_method == Method::Rebase),
            ("Project", "mergeRequests") => self.merge_requests(state, arguments),
            ("MergeRequest", "notes") => notes(state, object, arguments),
            ("Project", "pipelines") => {
                let sha = arguments["sha"].as_str().expect("a commit is asked for");
                let branch = arguments.get("ref").and_then(Value::as_str);
                let mut all = pipelines::of_commit(state, sha);
                all.retain(|one| branch.is_none_or(|wanted| one.branch == wanted));
                all.reverse();
                list("PipelineConnection", all.iter().map(pipeline).collect(), arguments)
            }
            ("Project", "environments") => {
                let names: BTreeSet<&str> =
                    state.deployments.iter().map(|one| one.environment.as_str()).collect();
                let all =
                    names.iter().map(|name| json!({"__typename": "Environment", "name": name})).collect();
                list("EnvironmentConnection", all, arguments)
            }
            ("Environment", "lastDeployment") => {
                let last =
                    state.deployments.iter().rev().find(|one| object["name"] == one.environment.as_str());
                let job = |task: &str| (task != "api").then(|| json!({"id": "gid://gitlab/Ci::Build/9"}));
                last.map_or(Value::Null, |one| {
                    json!({"__typename": "Deployment", "sha": one.commit, "job": job(&one.task),
                        "triggerer": {"username": state.viewer}})
                })
            }
            ("MergeRequest", "pipelines") => {
                let number = object["iid"].as_str().and_then(|iid| iid.parse().ok());
                let pull = state.pulls.iter().find(|pull| Some(pull.number) == number).expect("it is there");
                let all = pipelines::of_request(state, pull);
                list("PipelineConnection", all.iter().map(pipeline).collect(), arguments)
            }
            ("Pipeline", "id") => json!(format!("gid://gitlab/Ci::Pipeline/{}", object["id"])),
            ("Pipeline", "jobs") => {
                assert_eq!(arguments["retried"], false);
                let all = jobs(state, object);
                list("CiJobConnection", all.into_iter().map(job).collect(), arguments)
            }
            ("Pipeline", "job") => {
                let name = arguments["name"].as_str().expect("a job is asked for by its name");
                let found = jobs(state, object).into_iter().find(|(_, one)| one.context == name);
                found.map_or(Value::Null, job)
            }
            _ => object.get(name).unwrap_or_else(|| panic!("{kind} has no {name}")).clone(),
        }
    }

    /// Newest first: by when they were opened, or when they were merged.
    fn merge_requests(&self, state: &State, arguments: &Map<String, Value>) -> Value {
        let wants = |key: &str, has: &str| {
            let Some(wanted) = arguments.get(key).and_then(Value::as_array) else { return true };
            wanted.iter().any(|one| one == has)
        };
        let life = arguments.get("state").map(|wanted| match wanted.as_str() {
            Some("merged") => Life::Merged,
            Some("opened") => Life::Open,
            other => panic!("nobody asks for {other:?}"),
        });
        let is_wanted = |pull: &&Pull| {
            life.is_none_or(|wanted| pull.life == wanted)
                && wants("iids", &pull.number.to_string())
                && wants("sourceBranches", &pull.head)
                && wants("targetBranches", &pull.base)
        };
        let mut found: Vec<&Pull> = state.pulls.iter().rev().filter(is_wanted).collect();
        match arguments.get("sort").and_then(Value::as_str) {
            Some("MERGED_AT_DESC") => found.sort_by_key(|pull| std::cmp::Reverse(pull.merged_at)),
            Some("CREATED_ASC") => found.reverse(),
            _ => {}
        }
        let all = found.into_iter().map(|pull| self.node(state, pull)).collect();
        list("MergeRequestConnection", all, arguments)
    }
}

/// The notes on a merge request, with what GitLab itself notes.
fn notes(state: &State, object: &Value, arguments: &Map<String, Value>) -> Value {
    let number = object["iid"].as_str().and_then(|iid| iid.parse().ok());
    let pull = state.pulls.iter().find(|pull| Some(pull.number) == number).expect("it is there");
    let note = |id: u64, (author, body): (&str, &str), system: bool| {
        json!({"__typename": "Note", "id": format!("gid://gitlab/Note/{id}"), "body": body, "system": system,
            "author": {"username": author}})
    };
    let own = note(1, (&pull.author, "changed the description"), true);
    let said = pull.comments.iter().map(|said| note(said.id, (&said.author, &said.body), false));
    list("NoteConnection", [own].into_iter().chain(said).collect(), arguments)
}

fn list(kind: &str, all: Vec<Value>, arguments: &Map<String, Value>) -> Value {
    let length = |key: &str| {
        let wanted = arguments.get(key)?.as_u64().expect("a length");
        Some(usize::try_from(wanted).expect("a length").min(100))
    };
    let count = all.len();
    let (has_next, nodes): (bool, Vec<Value>) = match (length("first"), length("last")) {
        (Some(first), None) => (count > first, all.into_iter().take(first).collect()),
        (None, Some(last)) => (false, all.into_iter().skip(count.saturating_sub(last)).collect()),
        _ => panic!("a list has an end at which it begins"),
    };
    json!({"__typename": kind, "pageInfo": {"hasNextPage": has_next}, "nodes": nodes})
}

fn pipeline(one: &Pipeline) -> Value {
    let event = pipelines::is_of_request(one).then_some("DETACHED");
    json!({"__typename": "Pipeline", "id": one.id, "sha": one.commit, "mergeRequestEventType": event})
}

fn jobs<'a>(state: &'a State, object: &Value) -> Vec<pipelines::Job<'a>> {
    let sha = object["sha"].as_str().expect("it has a commit");
    let all = pipelines::of_commit(state, sha);
    let pipeline = all.iter().find(|one| object["id"] == one.id).expect("it is there");
    pipelines::jobs(state, pipeline)
}

fn job((number, status): pipelines::Job<'_>) -> Value {
    let label = if status.description.is_empty() { &status.state } else { &status.description };
    json!({
        "__typename": "CiJob", "id": format!("gid://gitlab/GenericCommitStatus/{number}"),
        "name": status.context, "status": status.state.to_uppercase(), "createdAt": time(status.created_at),
        "detailedStatus": {"label": label},
    })
}

/// What is picked costs a point each, and a list as much more as it is long. Source: GitLab's resolvers.
fn points(question: &Question, selections: &[Selection]) -> usize {
    let one = |selection: &Selection| match selection {
        Selection::Spread(name) => points(question, &question.fragments[name].1),
        Selection::On(_, below) => points(question, below),
        Selection::Field { name, arguments, below, .. } => {
            let has = |key: &str| usize::from(arguments.contains_key(key));
            // What is read from the repository or from a table of its own costs more.
            let dear = match name.as_str() {
                "mergedAt" => 4,
                "diffHeadSha" => 1,
                _ => 0,
            };
            let of_pipelines = if name == "pipelines" { 1 + 2 * has("sha") + 2 * has("ref") } else { 0 };
            let length = arguments.get("first").or_else(|| arguments.get("last"));
            let length = length.and_then(Value::as_u64).unwrap_or(0);
            let own = 1 + dear + of_pipelines + has("sort") + points(question, below);
            own + own * usize::try_from(length).expect("a length") / 100
        }
    };
    selections.iter().map(one).sum()
}
