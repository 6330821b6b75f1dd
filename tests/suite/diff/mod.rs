//! `hydrator diff` on real repositories: plain clones, jobs of pull requests, base manifests from the hydrated branches.

mod broken;
mod form;
mod hidden;
mod paging;
mod property;
mod trust;
mod validators;

use serde_json::Value;

use crate::support::command::{Outcome, Run};
use crate::support::git::{Git, TestRepo, files, write_below};
use crate::support::project;

/// `hydrator diff` in the work clone.
fn diff(repo: &TestRepo, arguments: &[&str]) -> Outcome {
    Run::hydrator(repo).arguments(["diff"]).arguments(arguments).run()
}

fn json(repo: &TestRepo, arguments: &[&str]) -> Value {
    diff(repo, &[&["--format", "json"], arguments].concat()).success().json()
}

/// The targets that have something to tell, as `environment/target +a ~c -r`.
fn told(report: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for environment in report["environments"].as_array().unwrap() {
        for target in environment["targets"].as_array().unwrap() {
            let (name, place) = (&target["name"], &environment["name"]);
            let [added, changed, removed] =
                ["added", "changed", "removed"].map(|key| target[key].as_u64().unwrap());
            let place = format!("{}/{}", place.as_str().unwrap(), name.as_str().unwrap());
            if added + changed + removed > 0 || !target["error"].is_null() {
                told.push(format!("{place} +{added} ~{changed} -{removed}"));
            }
        }
    }
    told
}

/// Moves the schedule of one environment, and renames nothing.
fn change_prod(repo: &TestRepo) {
    repo.write("templates/jobs/values-prod.yaml", "schedule: 30 1 * * *\n");
}

#[test]
fn a_commit_that_is_not_pushed_yet_is_compared_with_the_dry_branch() {
    let repo = TestRepo::with_files(&project::embedded());
    let said = diff(&repo, &["--exit-code"]).success().stdout().to_owned();
    assert!(said.ends_with("no manifest changes\n"), "{said}");
    repo.switch("faster");
    change_prod(&repo);
    let head = repo.commit_only("jobs: later");
    let state = repo.state();
    let outcome = diff(&repo, &["--exit-code"]).code(10);
    let wanted = "\n~ prod/jobs: ConfigMap jobs-prod (+1 -1)\n@@ -4,4 +4,4 @@\n   name: jobs-prod\n data:\n   image: \
                  \"ghcr.io/acme/jobs:1.0.0\"\n-  schedule: \"0 1 * * *\"\n+  schedule: \"30 1 * * *\"\n";
    assert!(outcome.stdout().ends_with(wanted), "{}", outcome.stdout());
    let report = json(&repo, &[]);
    assert_eq!(told(&report), ["prod/jobs +0 ~1 -0"]);
    assert_eq!(
        (report["headSha"].as_str(), report["baseSha"].as_str()),
        (Some(head.as_str()), repo.tip("main").as_deref())
    );
    assert_eq!(repo.state(), state, "a preview writes nothing");
}

#[test]
fn what_others_pushed_meanwhile_is_no_part_of_the_change() {
    let repo = TestRepo::with_files(&project::embedded());
    repo.switch("faster");
    change_prod(&repo);
    repo.commit("jobs: later");
    repo.switch("main");
    repo.write("plain/dev/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: other\n");
    repo.commit("plain: another name");
    assert_eq!(told(&json(&repo, &["--head", "faster"])), ["prod/jobs +0 ~1 -0"]);
    let exact = json(&repo, &["--head", "faster", "--exact"]);
    assert_eq!(told(&exact), ["dev/plain +1 ~0 -1", "prod/jobs +0 ~1 -0"]);
    let back = json(&repo, &["--base", "faster", "--head", "main~1"]);
    assert!(told(&back).is_empty(), "{back:#}");
}

/// A job of GitHub Actions for a pull request, in a checkout as `actions/checkout` makes it.
struct PullRequestJob<'a> {
    repo: &'a TestRepo,
    checkout: std::path::PathBuf,
    merge: String,
    head: String,
}

impl<'a> PullRequestJob<'a> {
    /// The forge merges `branch` into `main` for a test.
    fn new(repo: &'a TestRepo, branch: &str) -> Self {
        let head = repo.tip(branch).unwrap();
        let elsewhere = repo.root().join("forge");
        repo.git_in(repo.root(), "Forge").run(&["clone", "--quiet", &repo.url(), "forge"]);
        let forge = repo.git_in(&elsewhere, "Forge");
        forge.run(&["merge", "--quiet", "--no-ff", "--message", "Merge", &head]);
        forge.run(&["push", "--quiet", "origin", "HEAD:refs/pull/7/merge"]);
        let merge = forge.run(&["rev-parse", "HEAD"]);
        let checkout = repo.root().join("job");
        std::fs::create_dir(&checkout).unwrap();
        let git = Git::new(&checkout, repo.home());
        git.run(&["init", "--quiet"]);
        git.run(&["remote", "add", "origin", &repo.url()]);
        git.run(&[
            "fetch",
            "--quiet",
            "--no-tags",
            "--depth=1",
            "origin",
            "+refs/pull/7/merge:refs/remotes/pull/7/merge",
        ]);
        git.run(&["checkout", "--quiet", "refs/remotes/pull/7/merge"]);
        Self { repo, checkout, merge, head }
    }

    fn run(&self, base: &str, arguments: &[&str]) -> Outcome {
        let side =
            |branch: &str, sha: &str| serde_json::json!({"ref": branch, "sha": sha, "repo": {"id": 1}});
        let event = serde_json::json!({"action": "synchronize", "pull_request": {
            "number": 7, "merged": false, "head": side("faster", &self.head), "base": side(base, &self.head),
        }});
        write_below(self.repo.root(), "event.json", &event.to_string());
        let event = self.repo.root().join("event.json").display().to_string();
        let run = Run::hydrator(self.repo).directory(&self.checkout).arguments(["diff"]).arguments(arguments);
        run.variable("GITHUB_ACTIONS", "true")
            .variable("GITHUB_EVENT_NAME", "pull_request")
            .variable("GITHUB_EVENT_PATH", &event)
            .variable("GITHUB_SHA", &self.merge)
            .variable("GITHUB_REF", "refs/pull/7/merge")
            .run()
    }
}

#[test]
fn a_job_compares_the_forges_merge_with_what_it_was_merged_into() {
    let repo = TestRepo::with_files(&project::embedded());
    repo.switch("faster");
    change_prod(&repo);
    repo.commit("jobs: later");
    repo.switch("main");
    let base = repo.commit("Meanwhile");
    let job = PullRequestJob::new(&repo, "faster");
    repo.write("plain/dev/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: other\n");
    repo.commit("After the forge's merge");
    let report = job.run("main", &["--format", "json"]).success().json();
    assert_eq!(told(&report), ["prod/jobs +0 ~1 -0"]);
    assert_eq!((&report["baseSha"], &report["headSha"]), (&base.into(), &job.merge.clone().into()));
    let said = job.run("release", &[]).code(2).stderr().to_owned();
    assert!(said.contains("a pull request on `release`, and only the DRY branch `main`"), "{said}");
}

#[test]
fn base_manifests_come_from_the_hydrated_branch_where_it_has_them() {
    let repo = TestRepo::new();
    let log = repo.root().join("log");
    let script = format!(
        "echo \"{{kind: A, metadata: {{name: a}}, text: $(cat text)}}\"\ncat text >> '{}'\n",
        log.display()
    );
    repo.write_all(&files(&[
        ("hydrator.yaml", "version: 1\nenvironments: [{name: dev}]\ntargets: [{path: web, command: [sh, show], inputs: [\"**\"]}]\n"),
        ("web/text", "one\n"),
        ("web/show", &script),
    ]));
    repo.commit("First");
    _ = repo.hydration().run().success();
    let rendered = || std::fs::read_to_string(&log).unwrap();
    assert_eq!(rendered(), "one\n");
    repo.write("web/text", "two\n");
    repo.commit_only("Second");
    assert_eq!(told(&json(&repo, &[])), ["dev/web +0 ~1 -0"]);
    assert_eq!(rendered(), "one\ntwo\n", "the base was rendered by the run before");
    repo.remote_git().run(&["update-ref", "-d", "refs/hydrator/cache"]);
    assert_eq!(told(&json(&repo, &[])), ["dev/web +0 ~1 -0"]);
    assert_eq!(rendered(), "one\ntwo\none\ntwo\n");
    let back = repo.hydration().run().success().json();
    assert_eq!(back["environments"][0]["operation"], "none");
}

#[test]
fn holds_and_what_an_environment_is_behind_by_are_named() {
    let repo = TestRepo::with_files(&project::embedded());
    _ = repo.hydration().run().success();
    repo.merge_pull_request("hydrator/prod-next");
    repo.write("plain/prod/more.yaml", "kind: A\nmetadata: {name: a}\n");
    repo.commit("plain: more");
    _ = repo.hydration().run().success();
    repo.switch("faster");
    change_prod(&repo);
    repo.commit("jobs: later");
    let prod = json(&repo, &[])["environments"][2].clone();
    let commits = prod["behind"]["commits"].as_array().unwrap();
    assert_eq!(commits.len(), 1);
    assert!(commits[0].as_str().unwrap().ends_with(" plain: more"), "{prod:#}");
    repo.switch("main");
    repo.merge_pull_request("hydrator/prod-next");
    let rollback = ["rollback", "--forge", "local", "--environment", "prod", "--push", "--actor", "alice"];
    drop(Run::hydrator(&repo).arguments(rollback).run().success());
    let said = diff(&repo, &["--head", "faster"]).success().stdout().to_owned();
    assert!(said.contains("  prod: ~1 (held: rolled back by alice on "), "{said}");
}

#[test]
fn held_targets_are_named() {
    let repo = TestRepo::with_files(&project::embedded());
    _ = repo.hydration().run().success();
    repo.merge_pull_request("hydrator/prod-next");
    change_prod(&repo);
    repo.commit("jobs: later");
    _ = repo.hydration().run().success();
    repo.merge_pull_request("hydrator/prod-next");
    let rollback = ["rollback", "--forge", "local", "--environment", "prod", "--target", "jobs"];
    drop(Run::hydrator(&repo).arguments(rollback).arguments(["--push", "--actor", "alice"]).run().success());
    repo.write("plain/prod/more.yaml", "kind: A\nmetadata: {name: a}\n");
    repo.commit_only("plain: more");
    let said = diff(&repo, &[]).success().stdout().to_owned();
    assert!(said.contains("  prod: +1 (held: jobs rolled back by alice on "), "{said}");
}

#[test]
fn what_another_target_takes_over_is_not_deleted() {
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n";
    let other = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: other}\n";
    let repo = TestRepo::with_files(&files(&[
        (
            "hydrator.yaml",
            "version: 1\nenvironments: [{name: dev}]\ntargets: [{path: \"apps/{app}\", name: \"{app}\"}]\n",
        ),
        ("apps/web/data.yaml", claim),
        ("apps/web/other.yaml", other),
        ("apps/web/stays.yaml", "kind: A\nmetadata: {name: stays}\n"),
        ("apps/api/stays.yaml", "kind: B\nmetadata: {name: stays}\n"),
    ]));
    repo.remove("apps/web/data.yaml");
    repo.remove("apps/web/other.yaml");
    repo.write("apps/api/data.yaml", claim);
    repo.commit_only("Move it");
    let said = diff(&repo, &[]).success().stdout().to_owned();
    assert!(said.contains("! deletion: moves PersistentVolumeClaim data to target api\n"), "{said}");
    assert!(said.contains("! data loss: deletes PersistentVolumeClaim other\n"), "{said}");
    assert!(!said.contains("deletes PersistentVolumeClaim data"), "{said}");
}

#[test]
fn environments_and_targets_that_come_and_go_are_shown_whole() {
    let repo = TestRepo::with_files(&project::embedded());
    let text = project::embedded()["hydrator.yaml"].replace("  - name: staging\n", "  - name: test\n");
    repo.write("hydrator.yaml", &text);
    repo.write("plain/test/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: test\n");
    repo.commit_only("test instead of staging");
    let report = json(&repo, &[]);
    assert_eq!(
        told(&report),
        ["test/jobs +1 ~0 -0", "test/plain +1 ~0 -0", "staging/jobs +0 ~0 -1", "staging/plain +0 ~0 -1"]
    );
    let narrowed = json(&repo, &["--environment", "test"]);
    assert_eq!(told(&narrowed), ["test/jobs +1 ~0 -0", "test/plain +1 ~0 -0"]);
}

#[test]
fn the_first_configuration_shows_everything_as_new() {
    let repo = TestRepo::with_files(&files(&[("README.md", "")]));
    repo.write_all(&project::embedded());
    repo.commit_only("Add hydrator.yaml");
    let report = json(&repo, &[]);
    assert_eq!(told(&report).len(), 6, "{report:#}");
    assert!(told(&report).iter().all(|line| line.ends_with("+1 ~0 -0")), "{report:#}");
}

#[test]
fn without_a_network_a_clone_knows_what_it_fetched_last() {
    let repo = TestRepo::with_files(&project::embedded());
    _ = repo.hydration().run().success();
    let online = {
        repo.work_git().run(&["fetch", "-q", "origin"]);
        change_prod(&repo);
        repo.commit_only("Change prod");
        json(&repo, &[])
    };
    repo.work_git().run(&["remote", "set-url", "origin", "http://127.0.0.1:1/gone.git"]);
    let offline = json(&repo, &[]);
    assert_eq!(told(&offline), told(&online));
    assert_eq!((&offline["baseSha"], &offline["agreed"]), (&online["baseSha"], &online["agreed"]));
    assert!(offline["unreachable"].as_str().unwrap().contains("127.0.0.1"), "{offline:#}");
    let words = "the remote could not be asked, so its branches are those of the last fetch";
    for format in ["text", "markdown"] {
        let said = diff(&repo, &["--format", format]).success();
        assert!(said.stdout().contains(words), "{said:?}");
    }
    // What is missing may be missing because of that.
    let configuration = "version: 1\nenvironments: [{name: dev}]\ntargets: [{path: web, name: web}]\n";
    let manifest = "kind: ConfigMap\nmetadata: {name: a}\n";
    let broken = TestRepo::with_files(&files(&[("hydrator.yaml", configuration), ("web/a.yaml", manifest)]));
    broken.work_git().run(&["fetch", "-q", "origin"]);
    broken.work_git().run(&["update-ref", "--no-deref", "-d", "refs/remotes/origin/HEAD"]);
    broken.work_git().run(&["remote", "set-url", "origin", "http://127.0.0.1:1/gone.git"]);
    let said = diff(&broken, &[]).code(3);
    assert!(said.stdout().contains("no default branch") && said.stdout().contains(words), "{said:?}");
    // A job must not make do with what may be old, and neither may who asks for another remote.
    let job = Run::hydrator(&repo).arguments(["diff"]).variable("GITHUB_ACTIONS", "true");
    let head = repo.work_git().run(&["rev-parse", "HEAD"]);
    let job = job.variable("GITHUB_SHA", &head).variable("GITHUB_REF", "refs/heads/main").run();
    assert!(job.stderr().contains("cannot read the refs"), "{job:?}");
    let other = diff(&repo, &["--remote", "http://127.0.0.1:1/other.git"]);
    assert!(other.stderr().contains("cannot read the refs"), "{other:?}");
}

#[test]
fn a_new_generated_name_is_told_below_what_uses_it() {
    let manifests = |hash: &str, value: &str| {
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: web-{hash}}}\ndata: {{a: {value}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{volumes: [{{name: a, configMap: {{name: web-{hash}}}}}]}}\n"
        )
    };
    let configuration =
        "version: 1\ndryBranch: main\nenvironments: [{name: dev}]\ntargets: [{path: web, name: web}]\n";
    let repo = TestRepo::with_files(&files(&[
        ("hydrator.yaml", configuration),
        ("web/web.yaml", &manifests("g2456789bc", "b")),
    ]));
    repo.write("web/web.yaml", &manifests("m2456789bc", "c"));
    repo.commit_only("Another value");
    let text = diff(&repo, &[]).success().stdout().to_owned();
    let line = "\n  spec.volumes[a].configMap.name names web-m2456789bc, no more web-g2456789bc\n";
    assert!(text.contains(line), "{text}");
}

#[test]
fn one_target_that_fails_hides_no_other() {
    let repo = TestRepo::with_files(&project::embedded());
    change_prod(&repo);
    repo.write("plain/prod/namespace.yaml", "kind: [\n");
    repo.commit_only("Broken");
    let outcome = diff(&repo, &["--format", "json"]).code(4);
    let report = outcome.json();
    assert_eq!(told(&report), ["prod/jobs +0 ~1 -0", "prod/plain +0 ~0 -0"]);
    let message = report["environments"][2]["targets"][1]["error"]["message"].as_str().unwrap();
    assert!(message.contains("plain/prod/namespace.yaml"), "{message}");
    let markdown = diff(&repo, &["--format", "markdown", "--output", "out.md"]).code(4);
    assert_eq!(markdown.stdout(), "");
    let text = std::fs::read_to_string(repo.work().join("out.md")).unwrap();
    assert!(text.contains("| `prod` | 2/2 | ~1 |") && text.contains("namespace.yaml"), "{text}");
}

#[test]
fn a_revision_that_nobody_knows_is_named() {
    let repo = TestRepo::with_files(&project::embedded());
    for option in ["--base", "--head"] {
        let said = diff(&repo, &[option, "nowhere"]).code(2).stderr().to_owned();
        assert!(said.contains(&format!("`{option} nowhere` is no commit of the checkout")), "{said}");
    }
}

#[test]
fn what_renders_differently_twice_is_found() {
    let repo = TestRepo::with_files(&project::embedded());
    let said = diff(&repo, &["--determinism", "--exit-code"]).success();
    assert!(said.stdout().ends_with("renders to the same twice\n"), "{}", said.stdout());
    let script =
        "printf 'kind: ConfigMap\\nmetadata: { name: dice }\\ndata: { time: \"%s\" }\\n' \"$(date +%s)\"";
    let target = format!(
        "version: 1\ndryBranch: main\nenvironments: [{{name: dev}}]\ntargets:\n  - {{path: plain/dev, name: plain}}\n  - path: templates/jobs\n    name: dice\n    command: [sh, -c, {}]\n    inputs: []\n",
        serde_json::to_string(script).unwrap()
    );
    repo.write("hydrator.yaml", &target);
    repo.commit("Throw dice");
    let outcome = diff(&repo, &["--determinism", "--exit-code"]).code(10);
    let said = outcome.stdout();
    assert!(said.contains("is not rendered to the same twice: 1 of 1 environments differ"), "{said}");
    assert!(said.contains("~ dev/dice: ConfigMap dice (+1 -1)"), "{said}");
    assert!(!said.contains("dev/plain"), "{said}");
    let markdown = diff(&repo, &["--determinism", "--format", "markdown"]).success();
    assert!(markdown.stdout().contains("is not rendered to the same twice"), "{}", markdown.stdout());
}
