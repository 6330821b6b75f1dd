//! `action.yml`: what it says of itself is so, and a runner that runs it with the workflows of `examples/`.

use std::collections::BTreeSet;

use hydrator::forge::local::LocalForge;
use hydrator::forge::{Conversation as _, Forge as _, NewPullRequest, PullRequestLook};
use hydrator::model::{BranchName, CommitId, CommitState};
use serde_yaml::Value;

use super::archives::Release;
use super::{project, read};
use crate::support::command::{HYDRATOR, Outcome, Run};
use crate::support::git::TestRepo;
use crate::support::tools;

fn action() -> Value {
    serde_yaml::from_str(&read("action.yml")).expect("action.yml is YAML")
}

fn names(value: &Value) -> BTreeSet<String> {
    let mapping = value.as_mapping().expect("it is a mapping");
    mapping.keys().map(|key| key.as_str().expect("a name").to_owned()).collect()
}

fn steps(action: &Value) -> Vec<Value> {
    action["runs"]["steps"].as_sequence().expect("there are steps").clone()
}

#[test]
fn inputs_reach_the_program_by_variables_only() {
    let action = action();
    let (mut used, mut variables) = (BTreeSet::new(), BTreeSet::new());
    for step in steps(&action) {
        let script = step["run"].as_str().expect("every step is a script");
        assert!(!script.contains("${{"), "{script}");
        for (name, value) in step["env"].as_mapping().expect("it has variables") {
            let value = value.as_str().unwrap();
            let input = value.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}"));
            assert!(
                used.insert(input.unwrap_or_else(|| panic!("{value}")).to_owned()),
                "{value} is used twice"
            );
            variables.insert(name.as_str().unwrap().to_owned());
        }
    }
    assert_eq!(used, names(&action["inputs"]));
    // Each is what the installer reads, or an option of a command.
    let installer = read("scripts/install.sh");
    let repo = TestRepo::new();
    let help = ["run", "diff", "promote", "rollback", "resume", "history", "check"].map(|command| {
        Run::hydrator(&repo).arguments([command, "--help"]).run().success().stdout().to_owned()
    });
    for name in
        variables.iter().filter(|name| !["HYDRATOR_COMMAND", "HYDRATOR_TOKEN"].contains(&name.as_str()))
    {
        let option = name.strip_prefix("HYDRATOR_").expect("its variables begin so").to_lowercase();
        let option = format!("--{} ", option.replace('_', "-"));
        let lines = help.iter().flat_map(|text| text.lines()).map(|line| format!("{line} "));
        assert!(
            installer.contains(&format!("${{{name}:-}}")) || lines.clone().any(|line| line.contains(&option)),
            "{name}"
        );
    }
}

#[test]
fn every_input_and_output_is_described() {
    let action = action();
    for kind in ["inputs", "outputs"] {
        for (name, about) in action[kind].as_mapping().expect("there are some") {
            let name = name.as_str().unwrap();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!(about["description"].as_str().is_some_and(|text| text.len() > 10), "{name}");
            match kind {
                "inputs" => assert!(about["default"].is_string(), "{name}"),
                _ => assert_eq!(
                    about["value"].as_str(),
                    Some(format!("${{{{ steps.hydrator.outputs.{name} }}}}").as_str())
                ),
            }
        }
    }
    let used = read("scripts/install.sh");
    for input in ["kustomize", "helm"] {
        let text = action["inputs"][format!("{input}-version")]["description"].as_str().unwrap();
        let version = text.split('`').nth(1).expect("an example");
        assert!(used.contains(&format!("\n{input} {version} linux-x86_64 ")), "{text}");
    }
}

/// A repository with an example's files and workflows, an action that installs this hydrator, and a runner.
struct Runner {
    repo: TestRepo,
    release: Release,
}

impl Runner {
    fn new(example: &str) -> Self {
        let (repo, release) = (TestRepo::new(), Release::of(&format!("exec '{HYDRATOR}' \"$@\"")));
        repo.copy_directory(&project(&format!("examples/{example}")));
        for workflow in ["run", "promote", "rollback", "check", "comments", "diff"] {
            let text = read(&format!("examples/github/{workflow}.yml"));
            repo.write(&format!(".github/workflows/{workflow}.yml"), &text);
        }
        repo.commit("First version");
        std::fs::copy(project("action.yml"), release.path("action.yml")).unwrap();
        Self { repo, release }
    }

    /// Runs a workflow of the example for an event, with its inputs; what is about a pull request is an event as a whole.
    fn run(&self, workflow: &str, event: &str, inputs: &serde_json::Value) -> Outcome {
        let payload = self.release.path("event.json");
        let is_whole = event == "issue_comment" || inputs["pull_request"].is_object();
        let text =
            if is_whole { inputs.clone() } else { serde_json::json!({ "inputs": inputs }) }.to_string();
        std::fs::write(&payload, text).unwrap();
        let local = format!("OWNER/hydrator@v1={}", self.release.path("").display());
        let run = Run::program(tools::program("act"), &self.repo.home()).directory(&self.repo.work());
        run.arguments([event, "--workflows", &format!(".github/workflows/{workflow}.yml")])
            .arguments(["--platform", "ubuntu-latest=-self-hosted", "--action-offline-mode"])
            .arguments(["--local-repository", &local, "--eventpath", payload.to_str().unwrap()])
            .arguments(["--secret", "GITHUB_TOKEN=x", "--actor", "carol", "--env", "HYDRATOR_FORGE=local"])
            .run()
    }

    /// State, branch and subject of every pull request.
    fn requests(&self) -> Vec<String> {
        let requests = self.repo.pull_requests();
        let line = |request: &serde_json::Value| {
            let [state, head, title] = ["state", "head", "title"].map(|key| request[key].as_str().unwrap());
            format!("{state} {head} {}", title.split_once(": ").expect("a subject follows").1)
        };
        requests.as_array().into_iter().flatten().map(line).collect()
    }
}

/// The outputs of the action, as the runner prints them last.
fn outputs(outcome: &Outcome) -> BTreeSet<(String, String)> {
    let lines = outcome.stdout().lines().filter_map(|line| line.split_once("::set-output:: "));
    lines
        .filter_map(|(_, pair)| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

fn has(outcome: &Outcome, name: &str, value: &str) -> bool {
    outputs(outcome).contains(&(name.to_owned(), value.to_owned()))
}

#[test]
fn a_runner_hydrates_a_push_and_rolls_back() {
    let runner = Runner::new("templates");
    let nothing = serde_json::json!({});
    let first = runner.run("run", "push", &nothing).success();
    assert!(
        has(&first, "changed", "true") && has(&first, "environments", r#"["dev","prod"]"#),
        "{}",
        first.stdout()
    );
    assert_eq!(
        runner.requests(),
        ["open hydrator/dev-next First version", "open hydrator/prod-next First version"]
    );
    let known = names(&action()["outputs"]);
    let told: BTreeSet<String> = outputs(&first).into_iter().map(|(name, _)| name).collect();
    assert!(told.is_subset(&known) && told.len() >= 5, "{told:?}");

    let again = runner.run("run", "push", &nothing).success();
    assert!(has(&again, "changed", "false") && has(&again, "operation", "none"), "{}", again.stdout());

    let promoted = runner.run("promote", "schedule", &nothing).success();
    assert!(has(&promoted, "operation", "none"), "{}", promoted.stdout());

    runner.repo.merge_pull_request("hydrator/dev-next");
    runner.repo.merge_pull_request("hydrator/prod-next");
    runner.repo.write("apps/shop/values-prod.yaml", "replicas: 5\n");
    runner.repo.commit("More of it");
    let one = runner.run("run", "push", &nothing).success();
    assert!(
        has(&one, "environments", r#"["prod"]"#) && has(&one, "pull-request-number", "3"),
        "{}",
        one.stdout()
    );
    assert_eq!(runner.requests().last().map(String::as_str), Some("open hydrator/prod-next More of it"));
    runner.repo.merge_pull_request("hydrator/prod-next");

    // What a person types is data to every shell on its way.
    let reason =
        "$(touch pwned); `touch pwned` \" ' --push\n--environment dev\n::error::x ${{ github.token }}";
    let inputs = serde_json::json!({ "command": "rollback", "environment": "prod", "to": "previous", "reason": reason });
    let back = runner.run("rollback", "workflow_dispatch", &inputs).success();
    assert!(
        has(&back, "operation", "created") && has(&back, "pull-request-number", "4"),
        "{}",
        back.stdout()
    );
    let requests = runner.requests();
    assert!(
        requests.last().unwrap().starts_with("open hydrator/prod-next "),
        "{requests:?}\n{}",
        back.stdout()
    );
    assert_eq!(requests.len(), 4, "{requests:?}");
    let message = runner.repo.remote_git().run(&["show", "hydrator/prod-next:hydrator.metadata"]);
    let metadata: serde_json::Value = serde_json::from_str(&message).unwrap();
    assert_eq!(
        (metadata["hold"]["actor"].as_str(), metadata["hold"]["reason"].as_str()),
        (Some("carol"), Some(reason.replace('\n', " ").as_str()))
    );
    assert!(runner.repo.remote_git().try_run(&["show", "hydrator/prod-next:pwned"]).is_err());
    assert!(!runner.repo.work().join("pwned").exists());
}

#[test]
fn a_runner_does_what_a_comment_asks_for() {
    let runner = Runner::new("templates");
    _ = runner.run("run", "push", &serde_json::json!({})).success();
    let path = camino::Utf8PathBuf::from_path_buf(runner.repo.remote()).unwrap();
    let forge = LocalForge::open(&path).unwrap();
    let comment = |body: &str, kind: &str| {
        let said = forge.comment_as("carol", 1, body).unwrap();
        let payload = serde_json::json!({"action": "created", "issue": {"number": 1, "pull_request": {"url": "x"}},
            "comment": {"id": said.id, "body": body, "user": {"login": "carol", "type": kind},
                "created_at": "2026-01-01T10:00:00Z"}});
        _ = runner.run("comments", "issue_comment", &payload).success();
        forge.reactions(1, said.id).unwrap()
    };
    assert_eq!(comment("Wait.\n\n/hydrator hold dev\n$(touch pwned)", "User"), ["seen", "done"]);
    let requests = runner.repo.pull_requests();
    assert_eq!(requests[0]["labels"], serde_json::json!(["hold"]));
    assert!(comment("/hydrator resume dev", "Bot").is_empty(), "the workflow does not listen to bots");
    assert_eq!(comment("/hydrator resume dev", "User"), ["seen", "done"]);
    assert_eq!(runner.repo.pull_requests()[0]["labels"], serde_json::json!([]));
    assert!(!runner.repo.work().join("pwned").exists());
}

#[test]
fn a_runner_previews_a_pull_request() {
    let runner = Runner::new("templates");
    _ = runner.run("run", "push", &serde_json::json!({})).success();
    let path = camino::Utf8PathBuf::from_path_buf(runner.repo.remote()).unwrap();
    let forge = LocalForge::open(&path).unwrap();
    runner.repo.switch("change");
    runner.repo.write("apps/shop/values-prod.yaml", "replicas: 5\n");
    runner.repo.commit("More of it");
    let (head, base) = (runner.repo.tip("change").unwrap(), runner.repo.tip("main").unwrap());
    let branch = |name: &str| BranchName::new(name).unwrap();
    let look = PullRequestLook { title: "More: of it".to_owned(), ..PullRequestLook::default() };
    let wanted = NewPullRequest { head: branch("change"), base: branch("main"), look };
    let number = forge.open(&wanted).unwrap().number;
    let side = |name: &str, sha: &str| serde_json::json!({"ref": name, "sha": sha, "repo": {"id": 1}});
    let payload = serde_json::json!({"action": "opened", "pull_request": {"number": number, "merged": false,
        "head": side("change", &head), "base": side("main", &base)}});
    let done = runner.run("diff", "pull_request", &payload).success();
    let said = forge.comments(number).unwrap();
    assert_eq!(said.len(), 1, "{}", done.stdout());
    assert!(said[0].body.contains("| `prod` | 1/1 | ~1 |"), "{}", said[0].body);
    let commit = CommitId::parse(&head).unwrap();
    let statuses = forge.statuses(&[commit]).unwrap().remove(&commit).unwrap();
    let status = statuses.iter().find(|status| status.context == "hydrator/diff").expect("it has one");
    assert_eq!(status.state, CommitState::Success);
    _ = runner.run("diff", "pull_request", &payload).success();
    assert_eq!(forge.comments(number).unwrap(), said);
}

#[test]
fn a_runner_checks_a_pull_request() {
    let runner = Runner::new("kustomize");
    let nothing = serde_json::json!({});
    _ = runner.run("check", "pull_request", &nothing).success();
    runner.repo.write("apps/shop/overlays/dev/kustomization.yaml", "resources: [../../gone]\n");
    runner.repo.commit("Broken");
    let broken = runner.run("check", "pull_request", &nothing);
    assert_eq!(broken.exit_code(), Some(1), "{}", broken.stdout());
    assert!(broken.stdout().contains("gone") && runner.requests().is_empty());
}

#[test]
fn the_readme_tells_the_inputs() {
    let (readme, action) = (read("README.md"), action());
    let table =
        readme.split("| input | means | default |\n|---|---|---|\n").nth(1).expect("there is a table");
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let told: Vec<Vec<String>> = rows
        .map(|row| {
            row.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect()
        })
        .collect();
    let known: Vec<Vec<String>> = action["inputs"]
        .as_mapping()
        .unwrap()
        .iter()
        .map(|(name, about)| {
            let [text, default] = ["description", "default"].map(|key| about[key].as_str().unwrap());
            [name.as_str().unwrap(), text.trim_matches('`'), default].map(str::to_owned).to_vec()
        })
        .collect();
    assert_eq!(told, known);
}
