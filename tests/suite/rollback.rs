//! What a rollback promises, on real repositories: exact bytes, that hold; no renderer; from any checkout.

use crate::support::checkout::CheckoutKind;
use crate::support::command::{HYDRATOR, Outcome, Run, write_script};
use crate::support::git::TestRepo;
use crate::support::project;
use crate::support::reading::TreeEntry;
use crate::support::tools;

const ACTIVE: &str = "hydrator/dev";
const PROPOSED: &str = "hydrator/dev-next";

fn hydrator(repo: &TestRepo, words: &[&str]) -> Outcome {
    let run = Run::hydrator(repo).arguments(words).variable("HYDRATOR_FORGE", "local");
    run.variable("GITHUB_ACTOR", "carol").run()
}

fn release(repo: &TestRepo, version: &str) {
    repo.write("templates/jobs/values.yaml", &format!("schedule: {version}\n"));
    repo.commit(&format!("jobs: {version}"));
    drop(repo.hydration().run().success());
}

fn promote(repo: &TestRepo, version: &str) {
    release(repo, version);
    repo.merge_pull_request(PROPOSED);
}

/// Everything on the branch but what says of itself that it was rolled back.
fn ours(repo: &TestRepo) -> Vec<TreeEntry> {
    let mut entries = repo.tree_listing(ACTIVE);
    entries.retain(|entry| entry.path != "hydrator.metadata");
    entries
}

fn three_releases() -> (TestRepo, Vec<Vec<TreeEntry>>) {
    let repo = TestRepo::with_files(&project::embedded());
    let states = ["one", "two", "three"].map(|version| {
        promote(&repo, version);
        ours(&repo)
    });
    (repo, states.to_vec())
}

#[test]
fn old_bytes_stay_through_ten_pushes_and_are_resumed() {
    for method in ["merge", "squash", "rebase"] {
        let (repo, states) = three_releases();
        drop(hydrator(&repo, &["rollback", "--environment", "dev", "--to", "2"]).success());
        let number = repo.open_pull_request(PROPOSED).unwrap()["number"].to_string();
        drop(hydrator(&repo, &["local", "merge", &number, "--method", method]).success());
        assert_eq!(ours(&repo), states[0], "{method}");
        let held = (repo.tip(ACTIVE), repo.tip(PROPOSED), repo.noted(PROPOSED));
        for push in 0..10 {
            release(&repo, &format!("later-{push}"));
            assert_eq!((repo.tip(ACTIVE), repo.tip(PROPOSED), repo.noted(PROPOSED)), held, "{method}");
        }
        // The newest is what is held: only the hold ends.
        release(&repo, "one");
        drop(hydrator(&repo, &["resume", "--environment", "dev"]).success());
        let waiting = repo.state();
        drop(hydrator(&repo, &["resume", "--environment", "dev"]).success());
        drop(repo.hydration().run().success());
        assert_eq!(repo.state(), waiting, "{method}: the second time changed something");
        repo.merge_pull_request(PROPOSED);
        assert_eq!(ours(&repo), states[0], "{method}");
        promote(&repo, "after");
        assert_ne!(ours(&repo), states[0], "{method}: it is still held");
    }
}

#[test]
fn the_same_rollback_twice_changes_nothing_the_second_time() {
    let (repo, states) = three_releases();
    let target = repo.commit_view(&format!("{ACTIVE}~2")).id;
    let words = ["rollback", "--environment", "dev", "--to", &target];
    for step in ["waiting", "merged"] {
        drop(hydrator(&repo, &words).success());
        let state = repo.state();
        drop(hydrator(&repo, &words).success());
        drop(hydrator(&repo, &[&words[..], &["--reason", "another one"]].concat()).success());
        assert_eq!(repo.state(), state, "{step}");
        if step == "waiting" {
            repo.merge_pull_request(PROPOSED);
        }
    }
    assert_eq!(ours(&repo), states[0]);
}

#[test]
fn no_renderer_is_started() {
    let repo = TestRepo::with_files(&project::typical());
    drop(repo.hydration().run().success());
    repo.merge_pull_request(PROPOSED);
    repo.write("charts/web/values.yaml", "image: ghcr.io/acme/web:2.0.0\nreplicas: 1\n");
    repo.commit("web: 2.0.0");
    drop(repo.hydration().run().success());
    repo.merge_pull_request(PROPOSED);
    let traps = repo.root().join("traps");
    for tool in ["helm", "kustomize", "kubectl"] {
        write_script(&traps.join(tool), &format!("touch {}/started; exit 1", repo.root().display()));
    }
    let path = format!("{}:{}", traps.display(), tools::search_path());
    let words = ["rollback", "--environment", "dev", "--forge", "local"];
    drop(Run::hydrator(&repo).arguments(words).variable("PATH", &path).run().success());
    assert!(repo.open_pull_request(PROPOSED).is_some());
    assert!(!repo.root().join("started").exists(), "a renderer was started");
}

#[test]
fn every_checkout_knows_the_whole_history() {
    let (repo, _) = three_releases();
    let remote = repo.remote().display().to_string();
    let mut told = Vec::new();
    for kind in [CheckoutKind::Full, CheckoutKind::Shallow, CheckoutKind::Treeless, CheckoutKind::Bare] {
        let checkout = repo.check_out(kind, &format!("{kind:?}"));
        let before = checkout.snapshot();
        let words =
            ["history", "--environment", "dev", "--forge", "local", "--forge-directory", &remote, "--diff"];
        let run = Run::program(HYDRATOR, &repo.home()).directory(checkout.path()).arguments(words);
        told.push(run.run().success().stdout().to_owned());
        before.assert_same(&checkout.snapshot());
    }
    assert!(told.iter().all(|one| *one == told[0]), "{told:#?}");
    assert_eq!(told[0].matches("jobs: ~1 ConfigMap").count(), 2, "{}", told[0]);
    assert!(told[0].contains("-  schedule: \"three\"\n+  schedule: \"two\"\n"), "{}", told[0]);
}

#[test]
fn what_people_write_as_a_reason_is_only_text() {
    let (repo, _) = three_releases();
    let reason =
        "down [skip ci] @everyone\n\nHydrator-Dry-Sha: 0000000000000000000000000000000000000000\n::error::x";
    drop(hydrator(&repo, &["rollback", "--environment", "dev", "--reason", reason]).success());
    let commit = repo.commit_view(PROPOSED);
    assert!(!commit.message.contains("[skip ci]"), "{}", commit.message);
    let named = commit.trailer("Hydrator-Dry-Sha");
    assert_eq!(named.last().copied(), Some(repo.commit_view("main~1").id.as_str()), "{}", commit.message);
    let request = repo.open_pull_request(PROPOSED).unwrap();
    let body = request["body"].as_str().unwrap();
    assert!(!body.contains("@everyone") && body.contains("- Asked for by: carol\n"), "{body}");
    assert_eq!(request["labels"][0], "rollback");
}

#[test]
fn the_id_of_another_branch_is_recognised() {
    let (repo, _) = three_releases();
    let state = repo.state();
    let other = repo.tip("hydrator/prod-next").unwrap();
    let outcome = hydrator(&repo, &["rollback", "--environment", "dev", "--to", &other]).code(2);
    assert!(outcome.stdout().contains("it is the tip of `hydrator/prod-next`"), "{}", outcome.stdout());
    assert_eq!(repo.state(), state);
}

#[test]
fn the_reports_follow_their_schemas() {
    let (repo, _) = three_releases();
    let history = hydrator(&repo, &["history", "--environment", "dev", "--format", "json"]).success().json();
    let schema = hydrator(&repo, &["schema", "--history"]).success().json();
    let known = schema["properties"].as_object().unwrap();
    assert!(history.as_object().unwrap().keys().all(|key| known.contains_key(key)), "{history}");
    let of_state = schema["$defs"]["StateReport"]["properties"].as_object().unwrap();
    assert!(history["states"][0].as_object().unwrap().keys().eq(of_state.keys()), "{history}");
    let previous: Vec<_> =
        history["states"].as_array().unwrap().iter().map(|state| state["previous"] == true).collect();
    assert_eq!(previous, [false, true, false]);
    let words = ["rollback", "--environment", "dev", "--push", "--format", "json"];
    let report = hydrator(&repo, &words).success().json();
    let environment = &report["environments"][0];
    assert_eq!(environment["operation"], "pushed");
    assert_eq!(environment["hold"]["actor"], "carol");
    assert_eq!(environment["activeSha"], environment["proposedSha"]);
}

#[test]
fn the_last_healthy_state_is_the_one_whose_statuses_were_good() {
    let mut project = project::embedded();
    let text =
        project["hydrator.yaml"].replace("- name: dev\n", "- name: dev\n    gates: { statuses: [smoke] }\n");
    project.insert("hydrator.yaml".to_owned(), text);
    let repo = TestRepo::with_files(&project);
    let mut first = None;
    for (version, state) in [("one", "success"), ("two", "failure"), ("three", "success")] {
        promote(&repo, version);
        let tip = repo.tip(ACTIVE).unwrap();
        drop(hydrator(&repo, &["local", "status", &tip, "smoke", state]).success());
        first.get_or_insert_with(|| ours(&repo));
    }
    drop(hydrator(&repo, &["rollback", "--environment", "dev", "--to", "last-healthy", "--push"]).success());
    assert_eq!(Some(ours(&repo)), first);
    let told = hydrator(&repo, &["history", "--environment", "dev"]).success();
    assert!(
        told.stdout().contains("not healthy]") && told.stdout().contains(", healthy]")
            || told.stdout().contains("[healthy]"),
        "{}",
        told.stdout()
    );
}

#[test]
fn the_forge_tells_when_the_branch_was_moved_to_our_own_commit() {
    let (repo, _) = three_releases();
    let before = jiff::Timestamp::now().as_second();
    release(&repo, "four");
    let next = repo.tip(PROPOSED).unwrap();
    repo.remote_git().run(&["update-ref", &format!("refs/heads/{ACTIVE}"), &next]);
    let words = ["history", "--environment", "dev", "--format", "json"];
    let history = hydrator(&repo, &words).success().json();
    let time = |key: &str| {
        let text = history["states"][0][key].as_str().unwrap();
        text.parse::<jiff::Timestamp>().unwrap().as_second()
    };
    assert!(time("activatedAt") >= before && time("dryDate") < before, "{history}");
}

#[test]
fn the_forge_tells_when_a_run_moved_the_branch() {
    let mut project = project::embedded();
    let text = project["hydrator.yaml"].replace("- name: dev\n", "- name: dev\n    delivery: push\n");
    project.insert("hydrator.yaml".to_owned(), text);
    let repo = TestRepo::with_files(&project);
    let before = jiff::Timestamp::now().as_second();
    release(&repo, "one");
    let words = ["history", "--environment", "dev", "--format", "json"];
    let history = hydrator(&repo, &words).success().json();
    let time = history["states"][0]["activatedAt"].as_str().unwrap_or_else(|| panic!("{history:#}"));
    assert!(time.parse::<jiff::Timestamp>().unwrap().as_second() >= before, "{history:#}");
}
