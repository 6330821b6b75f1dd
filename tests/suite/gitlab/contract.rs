//! Judges that are not our own: GitLab's description of its API looks at what we send and at what our GitLab answers
//! (`api.txt`), and a client of other people reads the same state from it. What a question in GraphQL may cost is
//! looked at by the server itself.

use std::collections::{BTreeMap, BTreeSet};

use hydrator::forge::{
    Announced, ArmOutcome, Conversation as _, Deployment, Forge as _, Reaction, Records as _,
};
use hydrator::model::{BranchName, CommitId, CommitState, CommitStatus, MergeMethod};

use super::*;
use crate::forge_server::{Call, decoded};
use crate::support::command::Run;
use crate::support::http::TOKEN;
use crate::support::tools;

/// Names with their types.
type Names = BTreeMap<&'static str, &'static str>;

/// What is known of one kind of call.
struct Operation {
    method: &'static str,
    path: &'static str,
    status: u16,
    answer: &'static str,
    query: Names,
    body: Names,
}

/// The whole description.
struct Api {
    operations: Vec<Operation>,
    shapes: BTreeMap<&'static str, Names>,
}

impl Api {
    fn read() -> Self {
        let mut api = Self { operations: Vec::new(), shapes: BTreeMap::new() };
        let mut shape = "";
        for line in include_str!("api.txt").lines() {
            let line = line.split('#').next().unwrap_or_default();
            let words: Vec<&'static str> = line.split_whitespace().collect();
            let pair = |word: &'static str| word.split_once(':').unwrap_or((word, ""));
            match words.as_slice() {
                [] => {}
                ["shape", name] => shape = name,
                ["?", names @ ..] => {
                    let known = &mut api.operations.last_mut().expect("there is an operation").query;
                    known.extend(names.iter().map(|name| pair(name)));
                }
                ["!", names @ ..] => {
                    let known = &mut api.operations.last_mut().expect("there is an operation").body;
                    known.extend(names.iter().map(|name| pair(name)));
                }
                [method, path, "->", status, answer @ ..] => {
                    let status = status.parse().expect("it is a status");
                    let answer = answer.first().copied().unwrap_or_default();
                    let (query, body) = (Names::new(), Names::new());
                    api.operations.push(Operation { method, path, status, answer, query, body });
                }
                names => api.shapes.entry(shape).or_default().extend(names.iter().map(|name| pair(name))),
            }
        }
        api
    }

    fn operation(&self, call: &Call) -> Option<&Operation> {
        let parts: Vec<&str> = call.path.split('/').collect();
        let fits = |operation: &&Operation| {
            let wanted: Vec<&str> = operation.path.split('/').collect();
            operation.method == call.method
                && wanted.len() == parts.len()
                && wanted.iter().zip(&parts).all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
        };
        self.operations.iter().find(fits)
    }

    /// What is wrong with a call and its answer.
    fn problems(&self, call: &Call) -> Vec<String> {
        let Some(operation) = self.operation(call) else {
            return vec![format!("{} {}: GitLab has no such path", call.method, call.path)];
        };
        let mut found = Vec::new();
        for (key, value) in call.query.split('&').filter_map(|pair| pair.split_once('=')) {
            match operation.query.get(key) {
                Some(kind) if fits(kind, &written(&decoded(value))) => {}
                Some(kind) => found.push(format!("query {key}: {value} is no {kind}")),
                None => found.push(format!("query {key} is not known")),
            }
        }
        let sent = call.body.as_object().into_iter().flatten();
        for (key, value) in sent.clone() {
            match operation.body.get(key.as_str()) {
                Some(kind) if fits(kind, value) => {}
                Some(kind) => found.push(format!("body {key}: {value} is no {kind}")),
                None => found.push(format!("body {key} is not known")),
            }
        }
        let missing =
            operation.body.iter().filter(|(key, kind)| kind.ends_with('*') && call.body[**key].is_null());
        found.extend(missing.map(|(key, _)| format!("body {key} is missing")));
        if (200..300).contains(&call.status) {
            found.extend(self.answered(operation, call));
        } else if ![400, 401, 403, 404, 405, 406, 409, 422, 429].contains(&call.status) && call.status < 500 {
            found.push(format!("GitLab never answers {}", call.status));
        }
        found.iter().map(|problem| format!("{} {}: {problem}", call.method, operation.path)).collect()
    }

    fn answered(&self, operation: &Operation, call: &Call) -> Vec<String> {
        if call.status != operation.status {
            return vec![format!("GitLab answers {}, and never {}", operation.status, call.status)];
        }
        let name = operation.answer.trim_matches(['[', ']']);
        let is_list = operation.answer.starts_with('[');
        if name.is_empty() {
            return Vec::new();
        }
        if call.answer.is_array() != is_list {
            return vec!["the answer is a list where it is none, or the other way".to_owned()];
        }
        let all = if is_list {
            call.answer.as_array().cloned().unwrap_or_default()
        } else {
            vec![call.answer.clone()]
        };
        let shape = &self.shapes[name];
        let mut found = Vec::new();
        for (key, value) in all.iter().filter_map(Value::as_object).flatten() {
            match shape.get(key.as_str()) {
                Some(kind) if value.is_null() || fits(kind, value) => {}
                Some(kind) => found.push(format!("answer {key}: {value} is no {kind}")),
                None => found.push(format!("answer {key} is not in a {name}")),
            }
        }
        found
    }
}

/// What a text of a query stands for.
fn written(text: &str) -> Value {
    text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number))
}

fn fits(kind: &str, value: &Value) -> bool {
    match kind.trim_end_matches('*') {
        "" => true,
        "string" => value.is_string() || value.is_number(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean() || value == "true" || value == "false",
        "array" => value.is_array(),
        "list" => value.is_array() || value.is_string(),
        "number" => value.is_number(),
        words => words.split('|').any(|word| value == word),
    }
}

/// Everything that hydrator ever asks GitLab, at least once.
fn whole_story(repo: &TestRepo, gitlab: &GitLab) {
    _ = gitlab.job(repo).run().success();
    gitlab.server.with(|state| state.required_statuses = vec!["smoke".to_owned()]);
    let forge = gitlab.forge(None);
    let pulls = forge.open_pull_requests().unwrap();
    let (dev, prod) = (&pulls[0], &pulls[1]);
    let status = |state, description: &str| {
        let description = description.to_owned();
        CommitStatus { context: "smoke".to_owned(), state, description, created_at: None }
    };
    for words in ["waits", "soaks"] {
        forge.set_status(dev.head_sha, &status(CommitState::Pending, words)).unwrap();
    }
    gitlab.forge(None).set_status(prod.head_sha, &status(CommitState::Error, "")).unwrap();
    forge.statuses(&[dev.head_sha]).unwrap();
    forge.statuses(&[dev.head_sha, CommitId::parse(&"1".repeat(40)).unwrap()]).unwrap();
    assert!(forge.requires_status(&dev.base, "smoke").unwrap());
    gitlab.server.with(|state| state.pull(dev.number).unwrap().squash = true);
    assert_eq!(forge.arm(dev.number, dev.head_sha, Some(MergeMethod::Merge)).unwrap(), ArmOutcome::Armed);
    forge.disarm(dev.number).unwrap();
    forge.set_status(dev.head_sha, &status(CommitState::Success, "good")).unwrap();
    forge.mergeability(dev.number).unwrap();
    forge.mergeability_of(&[dev.number, prod.number]).unwrap();
    forge.merge(dev.number, dev.head_sha, Some(MergeMethod::Squash)).unwrap();
    let pairs = [(&dev.head, &dev.base), (&prod.head, &prod.base)];
    forge.newest_of(&pairs).unwrap();
    forge.open_and_newest(&pairs).unwrap();
    forge.newest_pull_request(&dev.head, &dev.base).unwrap();
    set(repo, &["prod"], "second");
    _ = gitlab.job(repo).run().success();
    forge.close(pulls[2].number, "Nor is this").unwrap();
    talk(repo, gitlab, prod.number);
    gitlab.server.fail("/notes", 1, &Fault::Lost);
    gitlab.forge(None).close(prod.number, "It is not wanted any more").unwrap();
}

fn talk(repo: &TestRepo, gitlab: &GitLab, number: u64) {
    let forge = gitlab.forge(None);
    let said = forge.say(number, "Hello").unwrap();
    forge.change_comment(number, said.id, "Good bye").unwrap();
    forge.react(number, said.id, Reaction::Seen).unwrap();
    forge.react(number, said.id, Reaction::Seen).unwrap();
    assert!(!forge.is_answered(number, said.id).unwrap());
    let other = forge.say(number, "Sorry").unwrap();
    forge.delete_comment(number, other.id).unwrap();
    forge.comments(number).unwrap();
    assert!(forge.written(number, said.id).unwrap().is_some_and(|kept| kept.body == "Good bye"));
    assert!(forge.head_since(number).unwrap().is_some());
    forge.permission("alice").unwrap();
    assert!(forge.labelled_since(number, "Production").unwrap().is_some());
    forge.remove_label(number, "production").unwrap();
    let commit = CommitId::parse(&repo.tip("main").unwrap()).unwrap();
    let active = CommitId::parse(&repo.tip("hydrator/dev").unwrap()).unwrap();
    forge.landings(&[commit, active]).unwrap();
    forge.announce(Announced {
        base: BranchName::new("main").unwrap(),
        newest: vec![commit],
        others: Vec::new(),
        status: "hydrator/progress",
        is_about: |_, _| false,
        branches: BTreeMap::new(),
    });
    let (context, description) = ("hydrator/progress".to_owned(), "everywhere".to_owned());
    let status = CommitStatus { context, state: CommitState::Success, description, created_at: None };
    forge.set_status(commit, &status).unwrap();
    forge.approvers(number).unwrap();
    let (environment, description) = ("dev".to_owned(), "new".to_owned());
    forge.record_deployment(&Deployment { environment, commit, description, url: None }).unwrap();
    forge.deployments(&["dev"]).unwrap();
    forge.deployments(&["dev", "prod"]).unwrap();
    forge.diagnose(&hydrator::forge::diagnosis::Grounds::default()).unwrap();
}

/// What a run may ask: a new kind of question belongs here, and into the story.
const QUESTIONS: [&str; 32] = [
    "DELETE /projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}",
    "GET /personal_access_tokens/self",
    "GET /projects/{id}",
    "GET /projects/{id}/deployments",
    "GET /projects/{id}/members/all/{user_id}",
    "GET /projects/{id}/merge_requests",
    "GET /projects/{id}/merge_requests/{merge_request_iid}",
    "GET /projects/{id}/merge_requests/{merge_request_iid}/approvals",
    "GET /projects/{id}/merge_requests/{merge_request_iid}/notes",
    "GET /projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}",
    "GET /projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}/award_emoji",
    "GET /projects/{id}/merge_requests/{merge_request_iid}/resource_label_events",
    "GET /projects/{id}/merge_requests/{merge_request_iid}/versions",
    "GET /projects/{id}/pipeline_schedules",
    "GET /projects/{id}/pipelines",
    "GET /projects/{id}/protected_branches",
    "GET /projects/{id}/repository/commits/{sha}",
    "GET /projects/{id}/repository/commits/{sha}/merge_requests",
    "GET /projects/{id}/repository/commits/{sha}/refs",
    "GET /projects/{id}/repository/commits/{sha}/statuses",
    "GET /user",
    "GET /users",
    "GET /version",
    "POST /projects/{id}/deployments",
    "POST /projects/{id}/merge_requests",
    "POST /projects/{id}/merge_requests/{merge_request_iid}/cancel_merge_when_pipeline_succeeds",
    "POST /projects/{id}/merge_requests/{merge_request_iid}/notes",
    "POST /projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}/award_emoji",
    "POST /projects/{id}/statuses/{sha}",
    "PUT /projects/{id}/merge_requests/{merge_request_iid}",
    "PUT /projects/{id}/merge_requests/{merge_request_iid}/merge",
    "PUT /projects/{id}/merge_requests/{merge_request_iid}/notes/{note_id}",
];

const DECORATED: &str = ", pullRequest: {labels: [production], reviewers: [alice], assignees: [bob]}";

#[test]
fn gitlabs_own_description_finds_nothing_wrong() {
    let repo = repo_with(&["dev", "prod", "qa"], DECORATED);
    let gitlab = GitLab::start(&repo);
    whole_story(&repo, &gitlab);
    let api = Api::read();
    let (mut seen, mut questions, mut problems) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for call in gitlab.server.take_calls() {
        if let Some(operation) = &call.operation {
            questions.insert(operation.clone());
            continue;
        }
        // One whose answer was lost.
        if call.status == 0 {
            continue;
        }
        seen.extend(api.operation(&call).map(|known| format!("{} {}", known.method, known.path)));
        problems.extend(api.problems(&call));
    }
    assert_eq!(problems, BTreeSet::new());
    assert_eq!(seen, BTreeSet::from(QUESTIONS.map(str::to_owned)));
    assert_eq!(
        questions.iter().map(String::as_str).collect::<Vec<_>>(),
        ["environments", "newest", "open", "standing", "statuses"]
    );
}

#[test]
fn the_description_would_find_mistakes() {
    let api = Api::read();
    let list = "/projects/42/merge_requests";
    let call = |method: &str, path: &str, query: &str, body: Value, (status, answer): (u16, Value)| Call {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        operation: None,
        body,
        status,
        answer,
    };
    let full = json!({"title": "t", "source_branch": "s", "target_branch": "t"});
    for (wrong, sign) in [
        (call("GET", "/projects/42/merge_request", "", Value::Null, (200, json!([]))), "no such path"),
        (call("GET", list, "state=open", Value::Null, (200, json!([]))), "query state: open is no opened|"),
        (call("GET", list, "sate=opened", Value::Null, (200, json!([]))), "query sate is not known"),
        (call("GET", list, "", Value::Null, (200, json!({}))), "the answer is a list"),
        (call("POST", list, "", json!({"title": "t"}), (400, json!({}))), "body source_branch is missing"),
        (call("POST", list, "", full.clone(), (200, json!({}))), "GitLab answers 201"),
        (call("POST", list, "", full.clone(), (418, json!({}))), "never answers 418"),
        (call("POST", list, "", full, (201, json!({"iid": "7"}))), "answer iid: \"7\" is no integer"),
        (
            call(
                "PUT",
                "/projects/42/merge_requests/1",
                "",
                json!({"reviewer_ids": "7"}),
                (200, json!({"idd": 1})),
            ),
            "body reviewer_ids: \"7\" is no array",
        ),
    ] {
        let found = api.problems(&wrong);
        assert!(found.iter().any(|problem| problem.contains(sign)), "{sign}: {found:?}");
    }
}

#[test]
fn another_client_reads_the_same_state() {
    let repo = repo_with(&["dev", "prod", "qa"], DECORATED);
    let gitlab = GitLab::start(&repo);
    whole_story(&repo, &gitlab);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/gitlab/client.py");
    let run = Run::program("python3", &repo.home())
        .variable("PYTHONPATH", &tools::directory().join("python").display().to_string())
        .variable("PYTHONDONTWRITEBYTECODE", "1")
        .arguments([script, &gitlab.address(""), TOKEN, "acme/shop"]);
    let found = run.run().success().json();
    assert_eq!(found["project"], "acme/shop");
    let wanted: Vec<Value> = gitlab.server.with(|state| {
        let statuses = |pull: &Pull| {
            let all = &state.statuses[&pull.head_sha];
            let newest: BTreeMap<&str, &str> =
                all.iter().map(|one| (one.context.as_str(), one.state.as_str())).collect();
            json!(newest)
        };
        let life = |pull: &Pull| match pull.life {
            Life::Open => "opened",
            Life::Closed => "closed",
            Life::Merged => "merged",
        };
        let shown = |pull: &Pull| {
            let notes: Vec<&str> = pull.comments.iter().map(|said| said.body.as_str()).collect();
            json!({"number": pull.number, "state": life(pull), "title": pull.title, "body": pull.body,
                "head": pull.head, "headSha": pull.head_sha, "base": pull.base, "labels": pull.labels,
                "reviewers": pull.reviewers, "assignees": pull.assignees, "notes": notes, "draft": pull.draft,
                "mergeCommit": pull.merge_commit, "statuses": statuses(pull)})
        };
        state.pulls.iter().rev().map(shown).collect()
    });
    assert_eq!(found["pulls"], Value::Array(wanted));
    let deployed: Vec<String> =
        gitlab.server.with(|state| state.deployments.iter().map(|one| one.commit.clone()).collect());
    assert_eq!(found["deployed"], json!(deployed));
}
