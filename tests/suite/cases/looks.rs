//! What is looked at in a case beside branches: pull requests and statuses, out of the local forge's own file.

use serde_json::Value;

use super::story::short;
use crate::support::git::TestRepo;

/// A pull request in full, out of the local forge's file: its list does not show bodies.
pub(super) fn of_file_by_number(repo: &TestRepo, number: u64) -> Value {
    let state = forge_file(repo);
    let mut all = state["pullRequests"].as_array().into_iter().flatten();
    all.find(|one| one["number"] == number).unwrap_or_else(|| panic!("no pull request #{number}")).clone()
}

/// The same as text.
pub(super) fn pull_request(found: &Value) -> String {
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let mut told = format!("{}\n", text("title"));
    for key in ["labels", "reviewers", "teamReviewers", "assignees"] {
        let values: Vec<&str> =
            found[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !values.is_empty() {
            told += &[key, ": ", &values.join(", "), "\n"].concat();
        }
    }
    if found["draft"] == true {
        told += "draft\n";
    }
    for comment in found["comments"].as_array().into_iter().flatten() {
        let part = |key: &str| comment[key].as_str().unwrap_or_default();
        let reactions: Vec<&str> =
            comment["reactions"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let reactions =
            if reactions.is_empty() { String::new() } else { format!(" ({})", reactions.join(", ")) };
        let (author, body) = (part("author"), part("body").trim_end());
        told = told + "comment of " + author + &reactions + ": " + body + "\n";
    }
    told + "\n" + &text("body")
}

/// Statuses of commits, without their times: commit, context, state, description.
pub(super) fn statuses(all: Vec<[String; 4]>) -> String {
    let line = |[commit, context, state, words]: [String; 4]| {
        format!("{} {context} {state}: {words}\n", short(&commit))
    };
    all.into_iter().map(line).collect()
}

/// The same out of the local forge's file.
pub(super) fn of_file(repo: &TestRepo) -> Vec<[String; 4]> {
    let state = forge_file(repo);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut found = Vec::new();
    for (commit, contexts) in state["statuses"].as_object().into_iter().flatten() {
        for (context, status) in contexts.as_object().into_iter().flatten() {
            found.push([
                commit.clone(),
                context.clone(),
                text(&status["state"]),
                text(&status["description"]),
            ]);
        }
    }
    found
}

fn forge_file(repo: &TestRepo) -> Value {
    let file = repo.remote().join("hydrator-forge/state.json");
    let text = std::fs::read(file).expect("the forge's file");
    serde_json::from_slice(&text).expect("the forge's file is JSON")
}
