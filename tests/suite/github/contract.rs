//! Two judges that we did not write: GitHub's own descriptions of its API look at what we send and at what our GitHub
//! answers, and a client of other people reads the same state from it.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use hydrator::forge::{Conversation as _, Deployment, Forge as _, Reaction, Records as _};
use hydrator::model::{BranchName, CommitId, CommitState, CommitStatus};
use serde_json::json;

use super::*;
use crate::forge_server::Fault;
use crate::support::command::Run;
use crate::support::http::TOKEN;
use crate::support::tools;

/// Where GitHub's descriptions are, with the Python packages beside them; nothing where they were not fetched. That is an
/// error in continuous integration.
fn judges(test: &str) -> Option<PathBuf> {
    let directory = tools::directory().join("github");
    let there =
        ["openapi.json", "schema.graphql", "../python"].iter().all(|name| directory.join(name).exists());
    let is_ci = std::env::var("CI").is_ok_and(|value| !value.is_empty());
    assert!(there || !is_ci, "{} is incomplete: scripts/fetch-tools.sh needs npm", directory.display());
    if !there {
        // Past libtest, which keeps what passing tests print.
        drop(writeln!(
            std::io::stderr(),
            "skipped: {test}, since {} is incomplete (scripts/fetch-tools.sh needs npm)",
            directory.display()
        ));
    }
    there.then_some(directory)
}

fn python(repo: &TestRepo, directory: &std::path::Path, script: &str) -> Run {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/github").join(script);
    Run::program("python3", &repo.home())
        .variable("PYTHONPATH", &directory.with_file_name("python").display().to_string())
        .variable("PYTHONDONTWRITEBYTECODE", "1")
        .arguments([path])
}

/// Everything that hydrator ever asks GitHub, at least once.
fn whole_story(repo: &TestRepo, github: &GitHub) {
    _ = github.job(repo).run().success();
    github.server.with(|state| {
        state.required_statuses = vec!["hydrator/promotion".to_owned()];
        state.allow_auto_merge = true;
        state.checks.insert(state.pulls[0].head_sha.clone(), vec![("smoke".to_owned(), Some("SUCCESS"))]);
    });
    let forge = github.forge();
    let pulls = forge.open_pull_requests().unwrap();
    let (dev, prod) = (&pulls[0], &pulls[1]);
    let status = |state| CommitStatus {
        context: "hydrator/promotion".to_owned(),
        state,
        description: "waits for dev".to_owned(),
        created_at: None,
    };
    for pull in &pulls {
        forge.set_status(pull.head_sha, &status(CommitState::Pending)).unwrap();
    }
    forge.statuses(&[dev.head_sha, CommitId::parse(&"1".repeat(40)).unwrap()]).unwrap();
    assert!(forge.requires_status(&dev.base, "hydrator/promotion").unwrap());
    forge.requires_status(&BranchName::new("hydrator/nobody").unwrap(), "x").unwrap();
    _ = github.command(repo, "check").run().success();
    forge.arm(dev.number, dev.head_sha, None).unwrap();
    forge.disarm(dev.number).unwrap();
    forge.set_status(dev.head_sha, &status(CommitState::Success)).unwrap();
    forge.mergeability(dev.number).unwrap();
    forge.mergeability_of(&[dev.number, prod.number]).unwrap();
    forge.merge(dev.number, dev.head_sha, None).unwrap();
    let pairs = [(&dev.head, &dev.base), (&prod.head, &prod.base)];
    forge.newest_of(&pairs).unwrap();
    forge.newest_pull_request(&dev.head, &dev.base).unwrap();
    forge.open_and_newest(&pairs).unwrap();
    forge.statuses_and_merged(&[dev.head_sha], &[(&dev.head, &dev.base)]).unwrap();
    set(repo, &["prod"], "second");
    _ = github.job(repo).run().success();
    forge.close(pulls[2].number, "Nor is this").unwrap();
    github.server.fail("/comments", 1, &Fault::Lost);
    github.forge().close(prod.number, "It is not wanted any more").unwrap();
    talk(repo, github, dev.number);
}

/// What is said about what was merged, and recorded of it.
fn talk(repo: &TestRepo, github: &GitHub, number: u64) {
    let forge = github.forge();
    let comment = forge.say(number, "It is in dev").unwrap();
    forge.change_comment(number, comment.id, "It is in prod").unwrap();
    forge.comments(number).unwrap();
    assert!(forge.react(number, comment.id, Reaction::Seen).unwrap());
    assert!(!forge.react(number, comment.id, Reaction::Seen).unwrap());
    assert!(!forge.is_answered(number, comment.id).unwrap());
    forge.head_since(number).unwrap();
    assert!(forge.labelled_since(number, "Production").unwrap().is_some());
    forge.remove_label(number, "production").unwrap();
    forge.remove_label(number, "production").unwrap();
    forge.permission("alice").unwrap();
    forge.permission("mallory").unwrap();
    let dev = CommitId::parse(&repo.tip("hydrator/dev").unwrap()).unwrap();
    forge.landings(&[dev, CommitId::parse(&"1".repeat(40)).unwrap()]).unwrap();
    forge.approvers(number).unwrap();
    forge.delete_comment(number, comment.id).unwrap();
    let deployment = Deployment {
        environment: "dev".to_owned(),
        commit: dev,
        description: "hydrator/dev".to_owned(),
        url: Some("https://example.com/1".to_owned()),
    };
    github.server.fail("/deployments", 1, &Fault::Lost);
    forge.record_deployment(&deployment).unwrap();
    forge.record_deployment(&Deployment { url: None, ..deployment }).unwrap();
    forge.deployments(&["dev", "prod"]).unwrap();
    forge.say(number, "It is in dev").unwrap();
}

/// What a run may ask: a new kind of question belongs here, and into the story.
const QUESTIONS: [&str; 38] = [
    "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}",
    "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}",
    "GET /repos/{owner}/{repo}/actions/permissions/workflow",
    "GET /repos/{owner}/{repo}/branches/{branch}",
    "GET /repos/{owner}/{repo}/collaborators/{username}/permission",
    "GET /repos/{owner}/{repo}/deployments",
    "GET /repos/{owner}/{repo}/issues/comments/{comment_id}",
    "GET /repos/{owner}/{repo}/rules/branches/{branch}",
    "GET /repos/{owner}/{repo}/rulesets/{ruleset_id}",
    "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}",
    "PATCH /repos/{owner}/{repo}/pulls/{pull_number}",
    "POST /repos/{owner}/{repo}/deployments",
    "POST /repos/{owner}/{repo}/deployments/{deployment_id}/statuses",
    "POST /repos/{owner}/{repo}/issues/comments/{comment_id}/reactions",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/assignees",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments",
    "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
    "POST /repos/{owner}/{repo}/pulls",
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers",
    "POST /repos/{owner}/{repo}/statuses/{sha}",
    "PUT /repos/{owner}/{repo}/pulls/{pull_number}/merge",
    "graphql approvers",
    "graphql arm",
    "graphql comments",
    "graphql deployments",
    "graphql disarm",
    "graphql gates",
    "graphql head",
    "graphql labelled",
    "graphql landings",
    "graphql mergeability",
    "graphql mergeabilityOf",
    "graphql newest",
    "graphql newestOf",
    "graphql one",
    "graphql open",
    "graphql settings",
    "graphql statuses",
];

const DECORATED: &str =
    ", pullRequest: {labels: [production], reviewers: [alice], teamReviewers: [sre], assignees: [bob]}";

#[test]
fn githubs_own_descriptions_find_nothing_wrong() {
    let Some(directory) = judges("githubs_own_descriptions_find_nothing_wrong") else { return };
    let repo = repo_with(&["dev", "prod", "qa"], DECORATED);
    let github = GitHub::start(&repo);
    whole_story(&repo, &github);
    let lines = github.server.take_calls().into_iter().filter(|call| call.status > 0).fold(String::new(), |text, call| {
        let sent = if call.body.is_null() { Value::Null } else { call.body };
        let exchange = json!({"method": call.method, "path": call.path, "body": sent, "status": call.status, "answer": call.answer});
        text + &exchange.to_string() + "\n"
    });
    let exchanges = repo.root().join("exchanges");
    std::fs::write(&exchanges, lines).unwrap();
    let run = python(&repo, &directory, "contract.py").arguments([&directory, &exchanges]);
    let outcome = run.run().success();
    let found = |start: &str| -> BTreeSet<String> {
        outcome.stdout().lines().filter_map(|line| line.strip_prefix(start)).map(str::to_owned).collect()
    };
    assert_eq!(found("problem: "), BTreeSet::new());
    assert_eq!(found("seen: "), BTreeSet::from(QUESTIONS.map(str::to_owned)));
}

#[test]
fn the_descriptions_would_find_mistakes() {
    let Some(directory) = judges("the_descriptions_would_find_mistakes") else { return };
    let repo = TestRepo::new();
    let pulls = "/repos/acme/shop/pulls";
    let wrong = [
        json!({"method": "POST", "path": pulls, "body": {"title": "t", "head": "h"}, "status": 422, "answer": {}}),
        json!({"method": "POST", "path": pulls, "body": {"head": "h", "base": "b", "tilte": "t"}, "status": 422, "answer": {}}),
        json!({"method": "POST", "path": pulls, "body": {"head": "h", "base": "b"}, "status": 201, "answer": {"number": 1}}),
        json!({"method": "GET", "path": "/repos/acme/shop/pull", "body": null, "status": 200, "answer": []}),
        json!({"method": "POST", "path": "/graphql", "status": 200, "answer": {"data": {"viewer": {"login": null}}},
            "body": {"query": "query a { viewer { login } }", "variables": {}}}),
        json!({"method": "POST", "path": "/graphql", "status": 200, "answer": {"data": {}},
            "body": {"query": "query b { viewer { logni } }", "variables": {}}}),
    ];
    let exchanges = repo.root().join("exchanges");
    let lines = wrong.iter().fold(String::new(), |text, exchange| text + &exchange.to_string() + "\n");
    std::fs::write(&exchanges, lines).unwrap();
    let outcome =
        python(&repo, &directory, "contract.py").arguments([&directory, &exchanges]).run().success();
    for sign in [
        "request: data must contain ['base']",
        "must not contain {'tilte'}",
        "POST /repos/{owner}/{repo}/pulls 201: data must contain",
        "no such path",
        "graphql a: Cannot return null",
        "graphql b: Cannot query field",
    ] {
        assert!(outcome.stdout().contains(sign), "{sign}: {}", outcome.stdout());
    }
}

#[test]
fn another_client_reads_the_same_state() {
    let Some(directory) = judges("another_client_reads_the_same_state") else { return };
    let repo = repo_with(&["dev", "prod", "qa"], DECORATED);
    let github = GitHub::start(&repo);
    whole_story(&repo, &github);
    let run =
        python(&repo, &directory, "client.py").arguments([&github.address("/api/v3"), TOKEN, "acme/shop"]);
    let found = run.run().success().json();
    assert_eq!(found["repository"], "acme/shop");
    let wanted: Vec<Value> = github.server.with(|state| {
        let shown = |pull: &Pull| {
            let comments: Vec<&String> = pull.comments.iter().map(|said| &said.body).collect();
            json!({"number": pull.number, "state": if pull.is_open() { "open" } else { "closed" },
                "merged": pull.life == Life::Merged, "title": pull.title, "body": pull.body, "head": pull.head,
                "headSha": pull.head_sha, "base": pull.base, "labels": pull.labels, "reviewers": pull.reviewers,
                "teams": pull.teams, "assignees": pull.assignees, "comments": comments})
        };
        state.pulls.iter().rev().map(shown).collect()
    });
    assert_eq!(found["pulls"], Value::Array(wanted));
}
