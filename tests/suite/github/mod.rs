//! hydrator in jobs of GitHub Actions, against a GitHub that keeps its state: pull requests through their whole life,
//! and everything that the API can answer.

mod budget;
mod contract;
mod life;
mod merging;
mod refusals;
mod surface;
mod talking;

use serde_json::Value;

use crate::forge_server::Call;
use crate::forge_server::github::GitHub;
use crate::forge_server::state::{Life, Pull};
use crate::support::command::Outcome;
use crate::support::git::TestRepo;

const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

/// Environments with one target each, which holds the value that is written.
fn repo_of(environments: &[&str]) -> TestRepo {
    repo_with(environments, "")
}

/// The same with more keys for each environment, in YAML's flow style.
fn repo_with(environments: &[&str], more: &str) -> TestRepo {
    let repo = TestRepo::new();
    let listed =
        environments.iter().fold(String::new(), |text, name| text + "  - {name: " + name + more + "}\n");
    let text = format!(
        "version: 1\ndryBranch: main\nenvironments:\n{listed}targets:\n  - path: apps/{{environment}}\n    name: app\n"
    );
    repo.write("hydrator.yaml", &text);
    set(&repo, environments, "first");
    repo
}

/// Gives environments a value, in one DRY commit.
fn set(repo: &TestRepo, environments: &[&str], value: &str) -> String {
    for name in environments {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: \"{value}\"\n"
        );
        repo.write(&format!("apps/{name}/x.yaml"), &text);
    }
    repo.commit(&format!("Set {value}"))
}

#[track_caller]
fn operations(outcome: &Outcome) -> Vec<String> {
    let report = outcome.json();
    let environments = report["environments"].as_array().unwrap();
    environments.iter().map(|one| one["operation"].as_str().unwrap().to_owned()).collect()
}

/// Every pull request in short: number, life, head, title.
fn pulls(github: &GitHub) -> Vec<(u64, Life, String, String)> {
    let short = |pull: &Pull| (pull.number, pull.life, pull.head.clone(), pull.title.clone());
    github.server.with(|state| state.pulls.iter().map(short).collect())
}

fn pull(github: &GitHub, number: u64) -> Pull {
    github.server.with(|state| state.pull(number).expect("it is there").clone())
}

/// What was asked of the API, in short.
fn asked(calls: &[Call]) -> Vec<String> {
    calls.iter().map(Call::what).collect()
}

fn writes(calls: &[Call]) -> Vec<String> {
    calls.iter().filter(|call| call.is_write()).map(Call::what).collect()
}

/// An error of an environment in the report.
#[track_caller]
fn error(outcome: &Outcome, environment: usize) -> Value {
    outcome.json()["environments"][environment]["error"].clone()
}
