//! Bad input: each gets an error that says what is wrong, where, and what to do; nothing changes on the remote.

use std::path::Path;

use crate::support::command::{Outcome, Run, write_script};
use crate::support::git::{TestRepo, files};
use crate::support::http::{Answer, GitServer, TOKEN};
use crate::support::hydrating::triggered;
use crate::support::person::Change;
use crate::support::project;

/// One kind of bad input.
struct Case {
    name: &'static str,
    /// Makes the input bad, and may change how hydrator is run.
    arrange: fn(&TestRepo, Run) -> Run,
    code: i32,
    /// Texts that the message or its hint must contain.
    says: &'static [&'static str],
}

const CONFIGURATION: i32 = 3;
const RENDER: i32 = 4;
const GIT: i32 = 5;
const USAGE: i32 = 2;

/// Every case starts from a remote that lives: proposals wait, one environment is merged.
fn lived_in() -> TestRepo {
    let repo = TestRepo::with_files(&project::embedded());
    _ = repo.hydration().run().success();
    repo.merge_pull_request("hydrator/dev-next");
    repo
}

/// What hydrator says about everything that went wrong: its talk, and the errors in its report.
fn words(outcome: &Outcome) -> String {
    let mut words = outcome.stderr().to_owned();
    let report: serde_json::Value = serde_json::from_str(outcome.stdout()).unwrap_or_default();
    for environment in report["environments"].as_array().into_iter().flatten() {
        let error = &environment["error"];
        for part in [&error["message"], &error["hint"]] {
            words.push_str(part.as_str().unwrap_or_default());
            words.push('\n');
        }
    }
    words
}

/// Runs the cases side by side; each has a remote of its own.
fn try_all(cases: &[Case]) {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let problems = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    problems.lock().unwrap().extend(try_one(case));
                }
            });
        }
    });
    let problems = problems.into_inner().unwrap();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

fn try_one(case: &Case) -> Option<String> {
    let repo = lived_in();
    let run = (case.arrange)(&repo, repo.hydration());
    // The local forge follows the branches when it is looked at.
    _ = Run::hydrator(&repo)
        .arguments(["local", "list", "--repo"])
        .arguments([repo.remote()])
        .run()
        .success();
    let before = repo.state().without_progress();
    let outcome = run.run();
    let words = words(&outcome);
    let mut problems = Vec::new();
    if outcome.exit_code() != Some(case.code) {
        problems.push(format!("exit code {:?}, not {}", outcome.exit_code(), case.code));
    }
    for wanted in case.says {
        if !words.contains(wanted) {
            problems.push(format!("does not say {wanted:?}"));
        }
    }
    if words.contains("not an error that hydrator knows") {
        problems.push("is not known".to_owned());
    }
    if repo.state().without_progress() != before {
        problems.push("the remote was changed".to_owned());
    }
    (!problems.is_empty()).then(|| format!("=== {}: {}\n{words}", case.name, problems.join("; ")))
}

/// Replaces the configuration's targets.
fn targets(repo: &TestRepo, targets: &str) {
    let environments = project::ENVIRONMENTS.map(|name| format!("  - name: {name}\n")).concat();
    let text = format!("version: 1\ndryBranch: main\nenvironments:\n{environments}targets:\n{targets}");
    repo.write("hydrator.yaml", &text);
    repo.commit("Other targets");
}

fn plain_target(repo: &TestRepo, path: &str, text: &str) {
    repo.write(path, text);
    targets(repo, "  - path: extra\n    name: extra\n  - path: plain/{environment}\n    name: plain\n");
}

const OF_THE_CONFIGURATION: &[Case] = &[
    Case {
        name: "unknown key",
        arrange: |repo, run| {
            repo.write(
                "hydrator.yaml",
                "version: 1\nenviroments: [{name: dev}]\ntargets: [{path: plain/dev}]\n",
            );
            repo.commit("Misspelt");
            run
        },
        code: CONFIGURATION,
        says: &["hydrator.yaml:2:1", "enviroments", "environments"],
    },
    Case {
        name: "broken YAML",
        arrange: |repo, run| {
            repo.write("hydrator.yaml", "version: 1\nenvironments: [\n");
            repo.commit("Broken");
            run
        },
        code: CONFIGURATION,
        says: &["hydrator.yaml:"],
    },
    Case {
        name: "no configuration",
        arrange: |repo, run| {
            repo.remove("hydrator.yaml");
            repo.commit("Gone");
            run
        },
        code: CONFIGURATION,
        says: &["`hydrator.yaml`", "hint:"],
    },
    Case {
        name: "duplicate output",
        arrange: |repo, run| {
            targets(
                repo,
                "  - path: plain/{environment}\n    name: app\n  - path: templates/jobs\n    name: app\n",
            );
            run
        },
        code: CONFIGURATION,
        says: &["app", "hydrator.yaml:"],
    },
    Case {
        name: "nesting outputs",
        arrange: |repo, run| {
            targets(
                repo,
                "  - path: plain/{environment}\n    name: app\n  - path: templates/jobs\n    name: jobs\n    output: app/jobs\n",
            );
            run
        },
        code: CONFIGURATION,
        says: &["app/jobs", "hydrator.yaml:"],
    },
    Case {
        name: "parent directories in a path",
        arrange: |repo, run| {
            targets(repo, "  - path: ../secrets\n    name: app\n");
            run
        },
        code: CONFIGURATION,
        says: &["hydrator.yaml:8:11", "`..`"],
    },
    Case {
        name: "an absolute path",
        arrange: |repo, run| {
            targets(repo, "  - path: /etc\n    name: app\n");
            run
        },
        code: CONFIGURATION,
        says: &["hydrator.yaml:8:11", "relative to the repository's root"],
    },
    Case {
        name: "parent directories in an output",
        arrange: |repo, run| {
            targets(repo, "  - path: templates/jobs\n    name: jobs\n    output: ../out\n");
            run
        },
        code: CONFIGURATION,
        says: &["../out", "hydrator.yaml:"],
    },
    Case {
        name: "an absolute output",
        arrange: |repo, run| {
            targets(repo, "  - path: templates/jobs\n    name: jobs\n    output: /out\n");
            run
        },
        code: CONFIGURATION,
        says: &["/out", "hydrator.yaml:"],
    },
    Case {
        name: "git's own directory as an output",
        arrange: |repo, run| {
            targets(repo, "  - path: templates/jobs\n    name: jobs\n    output: .git/hooks\n");
            run
        },
        code: CONFIGURATION,
        says: &[".git", "hydrator.yaml:"],
    },
    Case {
        name: "a missing path",
        arrange: |repo, run| {
            targets(repo, "  - path: nowhere/{environment}\n    name: app\n");
            run
        },
        code: CONFIGURATION,
        says: &["nowhere/{environment}", "hydrator.yaml:"],
    },
    Case {
        name: "a branch for two purposes",
        arrange: |repo, run| {
            repo.write(
                    "hydrator.yaml",
                    "version: 1\ndryBranch: main\nbranches: {active: main}\nenvironments: [{name: dev}]\ntargets:\n  - path: plain/{environment}\n    name: plain\n",
                );
            repo.commit("Over itself");
            run
        },
        code: CONFIGURATION,
        says: &["`main`"],
    },
];

#[test]
fn of_the_configuration() {
    try_all(OF_THE_CONFIGURATION);
}

const OF_WHAT_IS_RENDERED: &[Case] = &[
    Case {
        name: "a symlink out of the tree",
        arrange: |repo, run| {
            std::fs::create_dir_all(repo.work().join("extra")).unwrap();
            std::os::unix::fs::symlink("../../../../etc/passwd", repo.work().join("extra/x.yaml")).unwrap();
            plain_target(repo, "extra/y.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: y}\n");
            run
        },
        code: RENDER,
        says: &["extra/x.yaml"],
    },
    Case {
        name: "an absolute symlink",
        arrange: |repo, run| {
            std::fs::create_dir_all(repo.work().join("extra")).unwrap();
            std::os::unix::fs::symlink("/etc/hostname", repo.work().join("extra/x.yaml")).unwrap();
            plain_target(repo, "extra/y.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: y}\n");
            run
        },
        code: RENDER,
        says: &["extra/x.yaml"],
    },
    Case {
        name: "a submodule",
        arrange: |repo, run| {
            plain_target(repo, "extra/y.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: y}\n");
            let git = repo.work_git();
            let commit = git.run(&["rev-parse", "HEAD"]);
            git.run(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},extra/module")]);
            git.run(&["commit", "--quiet", "--message", "A submodule"]);
            repo.push();
            run
        },
        code: RENDER,
        says: &["extra/module", "submodule"],
    },
    Case {
        name: "invalid YAML",
        arrange: |repo, run| {
            plain_target(repo, "extra/x.yaml", "apiVersion: v1\nkind: [\n");
            run
        },
        code: RENDER,
        says: &["extra/x.yaml"],
    },
    Case {
        name: "a document without a kind",
        arrange: |repo, run| {
            plain_target(repo, "extra/x.yaml", "apiVersion: v1\nmetadata: {name: x}\n");
            run
        },
        code: RENDER,
        says: &["extra/x.yaml", "kind"],
    },
    Case {
        name: "two manifests with one identity",
        arrange: |repo, run| {
            let one = "apiVersion: v1\nkind: Namespace\nmetadata: {name: twin}\n";
            plain_target(repo, "extra/x.yaml", &format!("{one}---\n{one}"));
            run
        },
        code: RENDER,
        says: &["twin", "Namespace"],
    },
    Case {
        name: "an empty result",
        arrange: |repo, run| {
            plain_target(repo, "extra/x.yaml", "# nothing\n");
            run
        },
        code: RENDER,
        says: &["extra", "allowEmpty"],
    },
    Case {
        name: "an LFS pointer",
        arrange: |repo, run| {
            let digest = "0".repeat(64);
            let text = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 5\n");
            plain_target(repo, "extra/x.yaml", &text);
            run
        },
        code: RENDER,
        says: &["extra/x.yaml", "LFS"],
    },
    Case {
        name: "a template without its value",
        arrange: |repo, run| {
            repo.write("templates/jobs/settings.yaml.j2", "apiVersion: {{ nothing.like.it }}\n");
            repo.commit("Undefined");
            run
        },
        code: RENDER,
        says: &["settings.yaml.j2"],
    },
];

#[test]
fn of_what_is_rendered() {
    try_all(OF_WHAT_IS_RENDERED);
}

/// Makes an overlay for a stand-in kustomize, which is first in the path.
fn with_stand_in(repo: &TestRepo, run: Run, program: &str, script: &str) -> Run {
    repo.write("extra/kustomization.yaml", "resources: []\n");
    targets(repo, "  - path: extra\n    name: extra\n");
    let tools = repo.root().join("stand-ins");
    write_script(&tools.join(program), script);
    // What git and the scripts need, and no tool of the machine's.
    for program in ["git", "sh", "sleep", "cat"] {
        let place =
            ["/usr/bin", "/bin", "/usr/local/bin"].map(|directory| Path::new(directory).join(program));
        let found = place.iter().find(|path| path.exists()).expect("the system has it");
        std::os::unix::fs::symlink(found, tools.join(program)).unwrap();
    }
    run.variable("PATH", &tools.display().to_string())
}

const OF_THE_TOOLS: &[Case] = &[
    Case {
        name: "a missing tool",
        arrange: |repo, run| with_stand_in(repo, run, "unused", "exit 1"),
        code: RENDER,
        says: &["`kustomize` is not on the path", "install kustomize"],
    },
    Case {
        name: "a tool that is too old",
        arrange: |repo, run| with_stand_in(repo, run, "kustomize", "echo v3.8.1"),
        code: RENDER,
        says: &["3.8.1 is too old", "install kustomize"],
    },
    Case {
        name: "a tool of another version than `tools` says",
        arrange: |repo, run| {
            let run = with_stand_in(repo, run, "kustomize", "echo v5.4.2");
            repo.write(
                    "hydrator.yaml",
                    "version: 1\ndryBranch: main\ntools: {kustomize: 5.8.x}\nenvironments: [{name: dev}, {name: staging}, {name: prod}]\ntargets:\n  - path: extra\n    name: extra\n",
                );
            repo.commit("Ask for a version");
            run
        },
        code: RENDER,
        says: &["5.8.x", "5.4.2"],
    },
    Case {
        name: "a tool that fails",
        arrange: |repo, run| {
            let script =
                "[ \"$1\" != version ] || { echo v5.8.1; exit; }\necho \"Error: no such thing\" >&2; exit 7";
            with_stand_in(repo, run, "kustomize", script)
        },
        code: RENDER,
        says: &["exit status 7", "no such thing", "kustomize build extra"],
    },
    Case {
        name: "a tool that hangs",
        arrange: |repo, run| {
            let script = "[ \"$1\" != version ] || { echo v5.8.1; exit; }\nsleep 1000 & sleep 1000";
            with_stand_in(repo, run, "kustomize", script).arguments(["--time-limit", "1"])
        },
        code: RENDER,
        says: &["took longer than 1 s"],
    },
    Case {
        name: "a tool that floods",
        arrange: |repo, run| {
            let script = "[ \"$1\" != version ] || { echo v5.8.1; exit; }\nexec cat /dev/zero";
            with_stand_in(repo, run, "kustomize", script).arguments(["--output-limit", "1"])
        },
        code: RENDER,
        says: &["output limit"],
    },
    Case {
        name: "a tool that prints no text",
        arrange: |repo, run| {
            let script = "[ \"$1\" != version ] || { echo v5.8.1; exit; }\nprintf 'kind: \\377\\376\\n'";
            with_stand_in(repo, run, "kustomize", script)
        },
        code: RENDER,
        says: &["UTF-8"],
    },
    Case {
        name: "no git",
        arrange: |_, run| run.variable("PATH", "/nonexistent"),
        code: GIT,
        says: &["git", "install git"],
    },
];

#[test]
fn of_the_tools() {
    try_all(OF_THE_TOOLS);
}

const OF_BRANCHES_AND_REPOSITORIES: &[Case] = &[
    Case {
        name: "a person's commit on a proposed branch",
        arrange: |repo, run| {
            let change =
                Change { files: files(&[("plain/manifest.yaml", "kind: Mine\n")]), ..Change::default() };
            repo.person().commit("hydrator/prod-next", &change, "Quick fix");
            run.arguments(["--environment", "prod"])
        },
        code: GIT,
        says: &["`hydrator/prod-next`", "Bob Example", "--overwrite"],
    },
    Case {
        name: "a person's new file on a proposed branch",
        arrange: |repo, run| {
            let change = Change { files: files(&[("mine.txt", "x\n")]), ..Change::default() };
            repo.person().commit("hydrator/prod-next", &change, "One more file");
            run.arguments(["--environment", "prod"])
        },
        code: GIT,
        says: &["`hydrator/prod-next`", "Bob Example", "--overwrite"],
    },
    Case {
        name: "a proposed branch of somebody else",
        arrange: |repo, run| {
            for branch in ["hydrator/prod", "hydrator/prod-next"] {
                repo.person().delete_branch(branch);
            }
            let change = Change { files: files(&[("notes.txt", "mine\n")]), ..Change::default() };
            repo.person().commit("hydrator/prod-next", &change, "My own branch");
            run.arguments(["--environment", "prod"])
        },
        code: GIT,
        says: &["`hydrator/prod-next`", "--overwrite"],
    },
    Case {
        name: "an active branch that is not ours",
        arrange: |repo, run| {
            for branch in ["hydrator/prod", "hydrator/prod-next"] {
                repo.person().delete_branch(branch);
            }
            let change = Change { files: files(&[("app/x.yaml", "kind: X\n")]), ..Change::default() };
            repo.person().commit("hydrator/prod", &change, "Made by a script");
            run.arguments(["--environment", "prod"])
        },
        code: GIT,
        says: &["`hydrator/prod`", "--adopt"],
    },
    Case {
        name: "an active branch of another configuration",
        arrange: |repo, run| {
            let own = project::embedded()["hydrator.yaml"].clone();
            repo.write("other/hydrator.yaml", &own);
            repo.commit("A second configuration for the same branches");
            run.arguments(["--config", "other/hydrator.yaml", "--environment", "dev"])
        },
        code: GIT,
        says: &["`hydrator/dev`", "`hydrator.yaml`", "`other/hydrator.yaml`"],
    },
    Case {
        name: "a file in the way of an output",
        arrange: |repo, run| {
            let change = Change { files: files(&[("extra/own.txt", "x\n")]), ..Change::default() };
            repo.person().commit("hydrator/dev", &change, "A folder of ours");
            plain_target(repo, "extra/y.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: y}\n");
            run.arguments(["--environment", "dev"])
        },
        code: GIT,
        says: &["`extra`", "--adopt"],
    },
    Case {
        name: "a repository without the remote",
        arrange: |repo, run| {
            repo.work_git().run(&["remote", "remove", "origin"]);
            run
        },
        code: GIT,
        says: &["no remote `origin`", "--remote"],
    },
    Case {
        name: "no repository",
        arrange: |repo, run| run.arguments(["--repo", &repo.home().display().to_string()]),
        code: GIT,
        says: &["not a git repository", "--repo"],
    },
    Case {
        name: "no directory",
        arrange: |_, run| run.arguments(["--repo", "/nonexistent"]),
        code: USAGE,
        says: &["`/nonexistent` is not a directory", "--repo"],
    },
    Case {
        name: "an environment that is not there",
        arrange: |_, run| run.arguments(["--environment", "prd"]),
        code: USAGE,
        says: &["`prd`", "dev, staging, prod"],
    },
    Case {
        name: "an older DRY commit by name",
        arrange: |repo, run| {
            let old = repo.tip("main").unwrap();
            repo.write(
                "plain/dev/namespace.yaml",
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n",
            );
            repo.commit("Newer");
            _ = repo.hydration().run().success();
            run.arguments(["--dry-sha", &old])
        },
        code: USAGE,
        says: &["not the newest DRY commit", "revert what is newer"],
    },
    Case {
        name: "an abbreviated commit",
        arrange: |_, run| run.arguments(["--dry-sha", "abc1234"]),
        code: USAGE,
        says: &["`abc1234`", "40 digits"],
    },
    Case {
        name: "a commit that is nowhere",
        arrange: |_, run| run.arguments(["--dry-sha", "0123456789012345678901234567890123456789"]),
        code: GIT,
        says: &["01234567"],
    },
    Case {
        name: "an event of another branch",
        arrange: |repo, run| {
            repo.switch("feature");
            repo.write("plain/dev/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: f}\n");
            let commit = repo.commit("On a branch");
            triggered(run, &commit, "refs/heads/feature")
        },
        code: USAGE,
        says: &["`refs/heads/feature`", "`main`"],
    },
    Case {
        name: "an event of a tag",
        arrange: |repo, run| {
            let commit = repo.tip("main").unwrap();
            triggered(run, &commit, "refs/tags/main")
        },
        code: USAGE,
        says: &["`refs/tags/main`", "`main`"],
    },
];

#[test]
fn of_branches_and_repositories() {
    try_all(OF_BRANCHES_AND_REPOSITORIES);
}

/// A remote that is an empty repository.
fn empty_remote(repo: &TestRepo, run: Run, options: &[&str]) -> Run {
    let git = repo.git_in(repo.root(), "Nobody");
    git.run(&[&["init", "--quiet", "--bare"], options, &["empty.git"]].concat());
    let url = format!("file://{}", repo.root().join("empty.git").display());
    run.arguments(["--remote", &url])
}

const OF_FORMATS_AND_EMPTY_REMOTES: &[Case] = &[
    Case {
        name: "a SHA-256 repository",
        arrange: |repo, run| {
            let git = repo.git_in(repo.root(), "Nobody");
            git.run(&["init", "--quiet", "--object-format=sha256", "--initial-branch=main", "other"]);
            let other = repo.root().join("other");
            let git = repo.git_in(&other, "Nobody");
            git.run(&["remote", "add", "origin", &repo.url()]);
            git.run(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
            run.arguments(["--repo", &other.display().to_string()])
        },
        code: GIT,
        says: &["SHA-256", "SHA-1"],
    },
    Case {
        name: "a SHA-256 remote",
        arrange: |repo, run| {
            let run = empty_remote(repo, run, &["--object-format=sha256", "--initial-branch=main"]);
            let git = repo.git_in(repo.root(), "Nobody");
            git.run(&["clone", "--quiet", "empty.git", "filled"]);
            let git = repo.git_in(&repo.root().join("filled"), "Nobody");
            git.run(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
            git.run(&["push", "--quiet", "origin", "HEAD:refs/heads/main"]);
            run
        },
        code: GIT,
        says: &["SHA-256"],
    },
    Case {
        name: "a repository with a reftable",
        arrange: |repo, run| {
            let git = repo.git_in(repo.root(), "Nobody");
            git.run(&["init", "--quiet", "--ref-format=reftable", "--initial-branch=main", "other"]);
            let other = repo.root().join("other");
            repo.git_in(&other, "Nobody").run(&["remote", "add", "origin", &repo.url()]);
            run.arguments(["--repo", &other.display().to_string()])
        },
        code: GIT,
        says: &["reftable", "git refs migrate"],
    },
    Case {
        name: "an empty remote",
        arrange: |repo, run| empty_remote(repo, run, &["--initial-branch=main"]),
        code: GIT,
        says: &["default branch", "push the DRY branch"],
    },
];

#[test]
fn of_formats_and_empty_remotes() {
    try_all(OF_FORMATS_AND_EMPTY_REMOTES);
}

const OF_SERVERS: &[Case] = &[
    Case {
        name: "a remote that is not there",
        arrange: |repo, run| {
            let url = format!("file://{}", repo.root().join("gone.git").display());
            run.arguments(["--remote", &url])
        },
        code: GIT,
        says: &["gone.git", "check the URL"],
    },
    Case {
        name: "a closed port",
        arrange: |_, run| {
            let port = {
                let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
                listener.local_addr().unwrap().port()
            };
            run.arguments(["--remote", &format!("http://127.0.0.1:{port}/remote.git")])
        },
        code: GIT,
        says: &["cannot read the refs of `http://127.0.0.1:", "the network"],
    },
    Case {
        name: "a protected branch",
        arrange: |repo, run| {
            repo.protect("refs/heads/hydrator/dev-next");
            repo.write(
                "plain/dev/namespace.yaml",
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n",
            );
            repo.commit("A change of dev");
            run.arguments(["--environment", "dev"])
        },
        code: GIT,
        says: &["`hydrator/dev-next`", "GH006: Protected branch update failed", "force-push"],
    },
    Case {
        name: "a hook that refuses everything",
        arrange: |repo, run| {
            repo.write(
                "plain/dev/namespace.yaml",
                "apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n",
            );
            repo.commit("A change of dev");
            repo.hook("pre-receive", "echo 'policy 17 forbids it' >&2; exit 1");
            run
        },
        code: GIT,
        says: &["policy 17 forbids it"],
    },
];

#[test]
fn of_servers() {
    try_all(OF_SERVERS);
}

#[test]
fn of_credentials() {
    let repo = lived_in();
    repo.write("plain/dev/namespace.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: new}\n");
    repo.commit("A change of dev");
    let server = GitServer::start(&repo);
    let before = repo.state();
    for token in [None, Some("wrong-token-5521"), Some(&TOKEN[1..])] {
        let mut run = repo.hydration().arguments(["--remote", &server.url()]);
        if let Some(token) = token {
            run = run.variable("HYDRATOR_TOKEN", token);
        }
        let outcome = run.run().code(GIT);
        let words = words(&outcome);
        assert!(words.contains("cannot read the refs of") && words.contains("HYDRATOR_TOKEN"), "{words}");
        if let Some(token) = token {
            assert!(!words.contains(token) && !outcome.stdout().contains(token), "{words}");
        }
        assert_eq!(repo.state(), before);
    }
    // One that may read and not write.
    server.decide(|request| match request.service.as_deref() {
        Some("git-receive-pack") => Answer::Status(403),
        _ => Answer::Serve,
    });
    let run = repo.hydration().arguments(["--remote", &server.url(), "--environment", "dev"]);
    let outcome = run.variable("HYDRATOR_TOKEN", TOKEN).run();
    let words = words(&outcome.clone());
    assert_eq!(outcome.exit_code(), Some(GIT), "{words}");
    assert!(words.contains("403"), "{words}");
    assert_eq!(repo.state(), before);
}
