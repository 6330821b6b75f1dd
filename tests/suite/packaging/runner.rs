//! A runner of GitHub's workflows (act), for which the action installs this hydrator, and a GitHub that keeps its state.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::archives::Release;
use super::{project, read};
use crate::forge_server::github::GitHub;
use crate::forge_server::state::{Life, Method};
use crate::stories::pulls;
use crate::support::command::{HYDRATOR, Outcome, Run, write_script};
use crate::support::git::TestRepo;
use crate::support::http::TOKEN;
use crate::support::tools;

/// The workflows that people copy, by the names that their first lines give them.
pub(super) fn workflows() -> Vec<(String, String)> {
    let directory = std::fs::read_dir(project("examples/github")).expect("they are there");
    let names = directory.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let texts = names
        .map(|name| (name.trim_end_matches(".yml").to_owned(), read(&format!("examples/github/{name}"))));
    texts.collect()
}

/// What a server of artifacts would do for `actions/upload-artifact`.
const UPLOAD: &str = r#"name: upload
inputs: { name: { required: true }, path: { required: true }, if-no-files-found: { default: warn } }
runs:
  using: composite
  steps:
    - { shell: bash, run: 'mkdir -p "$ARTIFACTS/$NAME" && cp "$FILE" "$ARTIFACTS/$NAME/"', env: { NAME: "${{ inputs.name }}", FILE: "${{ inputs.path }}" } }
"#;

/// That action as the workflows pin it.
fn upload_artifact() -> String {
    let text = read("examples/github/diff.yml");
    let mut words = text.split_whitespace().filter(|word| word.starts_with("actions/upload-artifact@"));
    words.next().expect("it is used").to_owned()
}

/// A project on GitHub with the workflows of `examples/`.
pub(super) struct Runner {
    pub(super) repo: TestRepo,
    pub(super) release: Release,
    pub(super) github: GitHub,
}

impl Runner {
    /// A project that is the example of a kind.
    pub(super) fn new(example: &str) -> Self {
        let (repo, release) = (TestRepo::new(), Release::of(&format!("exec '{HYDRATOR}' \"$@\"")));
        repo.copy_directory(&project(&format!("examples/{example}")));
        for (name, text) in workflows() {
            repo.write(&format!(".github/workflows/{name}.yml"), &text);
        }
        repo.commit("First version");
        std::fs::copy(project("action.yml"), release.path("action.yml")).unwrap();
        std::fs::create_dir(release.path("upload")).unwrap();
        std::fs::write(release.path("upload/action.yml"), UPLOAD).unwrap();
        let github = GitHub::start(&repo);
        Self { repo, release, github }
    }

    /// Runs a workflow for an event with its payload, in a new checkout of what such a job gets: a pull request's head, else
    /// the DRY branch.
    pub(super) fn run(&self, workflow: &str, event: &str, payload: &Value) -> Outcome {
        let (place, path) = (self.repo.root().join("build"), self.release.path("event.json"));
        for old in [&place, &self.artifacts()] {
            if old.exists() {
                std::fs::remove_dir_all(old).unwrap();
            }
        }
        let from = format!("file://{}", self.repo.remote().display());
        let git = self.repo.remote_git();
        let branch = payload["pull_request"]["head"]["ref"].as_str().filter(|_| event == "pull_request");
        git.run(&["clone", "--quiet", "--branch", branch.unwrap_or("main"), &from, place.to_str().unwrap()]);
        git.run(&["-C", place.to_str().unwrap(), "remote", "set-url", "origin", &self.github.remote()]);
        std::fs::write(&path, payload.to_string()).unwrap();
        let local = format!("OWNER/hydrator@v1={}", self.release.path("").display());
        let upload = format!("{}={}", upload_artifact(), self.release.path("upload").display());
        let artifacts = self.artifacts();
        let artifacts = artifacts.to_str().unwrap();
        let (api, graphql) = (self.github.address("/api/v3"), self.github.address("/api/graphql"));
        let server = self.github.address("");
        // What the runner would make up from the remote.
        let variables = [
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_SERVER_URL", server.as_str()),
            ("GITHUB_API_URL", api.as_str()),
            ("GITHUB_GRAPHQL_URL", graphql.as_str()),
            ("HYDRATOR_FORGE_PACE", "0"),
            ("GITHUB_RUN_ID", "42"),
            ("ARTIFACTS", artifacts),
        ];
        let mut run = Run::program(tools::program("act"), &self.repo.home()).directory(&place);
        run = run.variable(
            "PATH",
            &format!("{}:{}", self.release.path("programs").display(), tools::search_path()),
        );
        run = run
            .arguments([event, "--workflows", &format!(".github/workflows/{workflow}.yml")])
            .arguments(["--platform", "ubuntu-latest=-self-hosted", "--action-offline-mode"])
            .arguments(["--local-repository", &local, "--local-repository", &upload])
            .arguments(["--eventpath", path.to_str().unwrap()])
            .arguments(["--secret", &format!("GITHUB_TOKEN={TOKEN}"), "--actor", "carol"]);
        for (name, value) in variables {
            run = run.arguments(["--env", &format!("{name}={value}")]);
        }
        let outcome = run.run();
        assert!(!outcome.stdout().contains(TOKEN) && !outcome.stderr().contains(TOKEN));
        outcome
    }

    /// Where the artifacts of the newest run are, each in a directory of its name.
    pub(super) fn artifacts(&self) -> PathBuf {
        self.repo.root().join("artifacts")
    }

    /// A push to the DRY branch.
    pub(super) fn push(&self) -> Outcome {
        self.run("run", "push", &json!({})).success()
    }

    /// A person merges a pull request; returns what its event tells.
    pub(super) fn merge(&self, number: u64) -> Value {
        let (pull, commit) = self.github.server.with(|state| {
            let commit = state.merge(number, Method::Merge).expect("it can be merged");
            (state.pull(number).expect("it is there").clone(), commit)
        });
        let side = |name: &str, sha: &str| json!({"ref": name, "sha": sha, "repo": {"id": 1}});
        json!({"action": "closed", "pull_request": {"number": number, "merged": true, "merge_commit_sha": commit,
            "head": side(&pull.head, &pull.head_sha), "base": side(&pull.base, &pull.base_sha)}})
    }

    /// Whether it is open, branch and subject of every pull request.
    pub(super) fn requests(&self) -> Vec<(Life, String, String)> {
        let subject =
            |title: String| title.split_once(": ").map_or(title.clone(), |(_, rest)| rest.to_owned());
        pulls(&self.github).into_iter().map(|(_, life, head, title)| (life, head, subject(title))).collect()
    }

    /// A program beside those of the runner, a shell script.
    pub(super) fn program(&self, name: &str, script: &str) {
        write_script(&self.release.path(&format!("programs/{name}")), script);
    }
}

/// The outputs of the action, as the runner prints them last.
pub(super) fn outputs(outcome: &Outcome) -> BTreeSet<(String, String)> {
    let lines = outcome.stdout().lines().filter_map(|line| line.split_once("::set-output:: "));
    let pairs = lines.filter_map(|(_, pair)| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Whether an output is this.
#[track_caller]
pub(super) fn has(outcome: &Outcome, name: &str, value: &str) {
    assert!(outputs(outcome).contains(&(name.to_owned(), value.to_owned())), "{}", outcome.stdout());
}
