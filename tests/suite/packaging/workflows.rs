//! The workflows of `examples/github`, run by a runner against a GitHub that keeps its state.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::action::{action, names};
use super::read;
use super::runner::{Runner, has, outputs, workflows};
use crate::forge_server::state::{Life, Status};
use crate::stories::pull;

fn open(environment: &str, subject: &str) -> (Life, String, String) {
    (Life::Open, format!("hydrator/{environment}-next"), subject.to_owned())
}

#[test]
fn a_runner_hydrates_a_push_and_rolls_back() {
    let runner = Runner::new("templates");
    let first = runner.push();
    has(&first, "changed", "true");
    has(&first, "environments", r#"["dev","prod"]"#);
    assert_eq!(runner.requests(), [open("dev", "First version"), open("prod", "First version")]);
    let known = names(&action()["outputs"]);
    let told: BTreeSet<String> = outputs(&first).into_iter().map(|(name, _)| name).collect();
    assert!(told.is_subset(&known) && told.len() >= 5, "{told:?}");

    let again = runner.push();
    has(&again, "changed", "false");
    has(&again, "operation", "none");

    _ = (runner.merge(1), runner.merge(2));
    runner.repo.write("apps/shop/values-prod.yaml", "replicas: 5\n");
    runner.repo.commit("More of it");
    let one = runner.push();
    has(&one, "environments", r#"["prod"]"#);
    has(&one, "pull-request-number", "3");
    assert_eq!(runner.requests()[2..], [open("prod", "More of it")]);
    runner.merge(3);

    // What a person types is data to every shell on its way.
    let reason =
        "$(touch pwned); `touch pwned` \" ' --push\n--environment dev\n::error::x ${{ github.token }}";
    let press =
        |inputs: Value| runner.run("rollback", "workflow_dispatch", &json!({ "inputs": inputs })).success();
    let back =
        press(json!({ "command": "rollback", "environment": "prod", "to": "previous", "reason": reason }));
    has(&back, "operation", "created");
    has(&back, "pull-request-number", "4");
    let rollback = pull(&runner.github, 4);
    assert!(rollback.is_open() && rollback.head == "hydrator/prod-next", "{rollback:?}");
    assert_eq!(rollback.labels, ["production", "rollback"]);
    let remote = runner.repo.remote_git();
    let metadata = remote.run(&["show", "hydrator/prod-next:hydrator.metadata"]);
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(
        (metadata["hold"]["actor"].as_str(), metadata["hold"]["reason"].as_str()),
        (Some("carol"), Some(reason.replace('\n', " ").as_str()))
    );
    assert!(remote.try_run(&["show", "hydrator/prod-next:pwned"]).is_err());
    assert!(!runner.repo.root().join("build/pwned").exists());
    runner.merge(4);

    // The same button tells what there was, and ends the hold.
    let told = press(json!({ "command": "history", "environment": "prod", "to": "previous" }));
    assert!(told.stdout().contains("More of it"), "{}", told.stdout());
    let end = press(json!({ "command": "resume", "environment": "prod", "to": "previous" }));
    has(&end, "operation", "created");
    let resumed = pull(&runner.github, 5);
    assert!(resumed.is_open() && resumed.head == "hydrator/prod-next", "{resumed:?}");
    let file = remote.run(&["show", "hydrator/prod-next:shop/manifest.yaml"]);
    assert!(file.contains("replicas: 5"), "{file}");
}

#[test]
fn the_lines_for_a_schedule_of_runs_are_good_ones() {
    let runner = Runner::new("templates");
    let text = read("examples/github/run.yml");
    let told = text.replace("  # schedule:\n  #   - cron", "  schedule:\n    - cron");
    assert_ne!(told, text);
    runner.repo.write(".github/workflows/run.yml", &told);
    runner.repo.commit("Run on a schedule, too");
    let outcome = runner.run("run", "schedule", &json!({})).success();
    has(&outcome, "environments", r#"["dev","prod"]"#);
    // The same for GitLab, where the schedule is another one's.
    let pipeline = read("examples/gitlab/.gitlab-ci.yml").replace("\n# ", "\n");
    let lines = "\"hydrator promote\":\n  script: [hydrator run]\n";
    assert!(pipeline.contains(lines) && read("docs/gitlab.md").contains(lines), "{pipeline}");
}

/// A project whose prod follows dev by itself, once a status of dev is there.
fn following(gates: &str) -> Runner {
    let runner = Runner::new("templates");
    let path = runner.repo.work().join("hydrator.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let text = text.replace("  - name: dev\n", &format!("  - name: dev\n{gates}"));
    let text = text.replace("  - name: prod\n", "  - name: prod\n    autoMerge: true\n");
    runner.repo.write("hydrator.yaml", &text);
    runner.repo.commit("Second version");
    _ = runner.push();
    runner
}

#[test]
fn a_merge_takes_the_next_environment_on() {
    let runner = following("");
    assert_eq!(pull(&runner.github, 2).life, Life::Open, "it waits for dev");
    let merged = runner.merge(1);
    _ = runner.run("promote", "pull_request_target", &merged).success();
    assert_eq!(pull(&runner.github, 2).life, Life::Merged);
    // A schedule finds nothing more to do.
    let later = runner.run("promote", "schedule", &json!({})).success();
    has(&later, "operation", "none");
}

#[test]
fn a_status_takes_the_next_environment_on() {
    let runner = following("    gates: { statuses: [smoke-test] }\n");
    let merged = runner.merge(1);
    _ = runner.run("promote", "pull_request_target", &merged).success();
    assert_eq!(pull(&runner.github, 2).life, Life::Open, "nobody has tested dev");
    let commit = merged["pull_request"]["merge_commit_sha"].as_str().unwrap();
    let status = |context: &str| json!({ "context": context, "state": "success", "sha": commit });
    set(&runner, commit, "smoke-test", "success");
    // hydrator's own statuses start nothing.
    runner.github.server.take_calls();
    let own = runner.run("promote", "status", &status("hydrator/promotion"));
    assert!(outputs(&own).is_empty() && runner.github.server.take_calls().is_empty());
    assert_eq!(pull(&runner.github, 2).life, Life::Open);
    _ = runner.run("promote", "status", &status("smoke-test")).success();
    assert_eq!(pull(&runner.github, 2).life, Life::Merged);
}

fn set(runner: &Runner, commit: &str, context: &str, state: &str) {
    runner.github.server.with(|known| {
        let created_at = known.now();
        let (context, state) = (context.to_owned(), state.to_owned());
        let status = Status {
            context,
            state,
            description: String::new(),
            target_url: None,
            branch: None,
            pipeline: None,
            created_at,
        };
        known.statuses.entry(commit.to_owned()).or_default().push(status);
    });
}

#[test]
fn a_smoke_test_tells_what_it_found_and_has_the_others_look() {
    let runner = Runner::new("templates");
    let said = runner.release.path("said");
    runner.program("gh", &format!("printf '%s|' \"$@\" >>'{0}'; echo >>'{0}'", said.display()));
    let event = |merged: bool| json!({"action": "closed", "pull_request": {"merged": merged, "merge_commit_sha": "0123"}});
    let tested = |script: &str, merged: bool| {
        runner.program("curl", script);
        let outcome = runner.run("smoke-test", "pull_request_target", &event(merged));
        let text = std::fs::read_to_string(&said).unwrap_or_default();
        let _ = std::fs::remove_file(&said);
        let lines: Vec<String> = text
            .lines()
            .map(|line| line.split_once("|target_url").map_or(line, |(line, _)| line).to_owned())
            .collect();
        (outcome.exit_code(), lines.join("\n").replace("|-f|", "|").replace("-f", ""))
    };
    let status = |state: &str| format!("api|repos/acme/shop/statuses/0123|context=smoke-test|state={state}|");
    let look = "workflow|run|hydrator-promote.yml|--repo|acme/shop|";
    for (script, code, state) in [("exit 0", 0, "success"), ("exit 22", 1, "failure")] {
        let wanted = format!("{}\n{}\n{look}", status("pending"), status(state));
        assert_eq!(tested(script, true), (Some(code), wanted), "{script}");
    }
    assert_eq!(tested("exit 0", false).1, "", "what was closed is no promotion");
}

#[test]
fn a_runner_does_what_a_comment_asks_for() {
    let runner = Runner::new("templates");
    _ = runner.push();
    let comment = |author: &str, body: &str| {
        let (id, at) = runner.github.server.with(|state| {
            let id = state.say(1, author, body).unwrap();
            (id, state.comment(id).unwrap().at)
        });
        let kind = if author.ends_with("[bot]") { "Bot" } else { "User" };
        let at = jiff::Timestamp::from_second(at).unwrap().to_string();
        let payload = json!({"action": "created", "issue": {"number": 1, "pull_request": {"url": "x"}},
            "comment": {"id": id, "body": body, "user": {"login": author, "type": kind}, "created_at": at}});
        _ = runner.run("comments", "issue_comment", &payload).success();
        let said = runner.github.server.with(|state| state.comment(id).unwrap().clone());
        said.reactions.into_iter().map(|(_, content)| content).collect::<Vec<_>>()
    };
    assert_eq!(comment("alice", "Wait.\n\n/hydrator hold dev\n$(touch pwned)"), ["eyes", "rocket"]);
    assert_eq!(pull(&runner.github, 1).labels, ["hold"]);
    assert!(
        comment("renovate[bot]", "/hydrator resume dev").is_empty(),
        "the workflow does not listen to bots"
    );
    assert_eq!(comment("alice", "/hydrator resume dev"), ["eyes", "rocket"]);
    assert_eq!(pull(&runner.github, 1).labels, Vec::<String>::new());
    assert!(!runner.repo.root().join("build/pwned").exists());
}

#[test]
fn a_runner_previews_a_pull_request() {
    let runner = Runner::new("templates");
    _ = runner.push();
    runner.repo.switch("change");
    runner.repo.write("apps/shop/values-prod.yaml", "replicas: 5\n");
    runner.repo.commit("More of it");
    let number = runner.github.server.with(|state| state.open("change", "main", "More: of it", "")).unwrap();
    let (head, base) = (runner.repo.tip("change").unwrap(), runner.repo.tip("main").unwrap());
    let side = |name: &str, sha: &str| json!({"ref": name, "sha": sha, "repo": {"id": 1}});
    let payload = json!({"action": "opened", "pull_request": {"number": number, "merged": false,
        "head": side("change", &head), "base": side("main", &base)}});
    let done = runner.run("diff", "pull_request", &payload).success();
    let said = pull(&runner.github, number).comments;
    assert_eq!(said.len(), 1, "{}", done.stdout());
    assert!(said[0].body.contains("| `prod` | 1/1 | ~1 |"), "{}", said[0].body);
    let state =
        runner.github.server.with(|state| state.newest(&head, "hydrator/diff").unwrap().state.clone());
    assert_eq!(state, "success");
    assert!(said[0].body.contains("/actions/runs/42) (`hydrator-diff.md`)"), "{}", said[0].body);
    let kept = || std::fs::read_to_string(runner.artifacts().join("hydrator-diff/hydrator-diff.md")).unwrap();
    assert!(kept().contains("| `prod` | 1/1 | ~1 |") && kept().contains("replicas: 5"), "{}", kept());
    _ = runner.run("diff", "pull_request", &payload).success();
    let again = pull(&runner.github, number).comments;
    assert_eq!((again.len(), &again[0].body), (1, &said[0].body));
    // What does not render is kept, too.
    runner.repo.write("apps/shop/values-prod.yaml", "replicas: [\n");
    runner.repo.commit("Broken");
    let failed = runner.run("diff", "pull_request", &payload);
    assert_eq!(failed.exit_code(), Some(1), "{}", failed.stdout());
    assert!(kept().contains("values-prod.yaml"), "{}", kept());
}

#[test]
fn a_runner_checks_a_pull_request() {
    let runner = Runner::new("kustomize");
    _ = runner.run("check", "pull_request", &json!({})).success();
    runner.repo.write("apps/shop/overlays/dev/kustomization.yaml", "resources: [../../gone]\n");
    runner.repo.commit("Broken");
    let broken = runner.run("check", "pull_request", &json!({}));
    assert_eq!(broken.exit_code(), Some(1), "{}", broken.stdout());
    assert!(broken.stdout().contains("gone") && runner.requests().is_empty());
}

#[test]
fn a_run_with_nothing_to_do_takes_no_other_ones_place() {
    let mut conditions = 0;
    for (name, text) in workflows() {
        let workflow: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        let group =
            workflow["concurrency"]["group"].as_str().unwrap_or_else(|| panic!("{name} has no group"));
        let group = group.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_alone = ["comment.id", "run_id", "pull_request.number"]
            .iter()
            .any(|id| group.ends_with(&format!("{id} }}}}")));
        for (job, about) in workflow["jobs"].as_mapping().unwrap() {
            // A group is joined before this is asked.
            let Some(condition) = about["if"].as_str() else { continue };
            conditions += 1;
            let same = format!("${{{{ ({condition}) && ");
            assert!(
                is_alone && (group.starts_with(&same) || !group.contains("&&")),
                "{name}, {job:?}: {group}"
            );
        }
    }
    assert!(conditions >= 3);
}

#[test]
fn what_people_do_to_pull_requests_is_looked_at_at_once() {
    let (_, text) = workflows().into_iter().find(|(name, _)| name == "promote").unwrap();
    let workflow: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
    let types = &workflow["on"]["pull_request_target"]["types"];
    // A merge is a closing; whoever opens one again could merge it over a gate that is old.
    assert_eq!(serde_yaml::to_string(types).unwrap(), "- closed\n- reopened\n");
}
