//! The steps of a release, each as it is tried on a machine without a forge.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use super::{project, read};
use crate::support::command::{Outcome, Run, write_script};
use crate::support::git::TestRepo;

const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

fn step(name: &str, home: &Path) -> Run {
    Run::program(project(&format!("scripts/release/{name}")), home)
}

/// Packs a small program that says its version as hydrator does.
fn build(root: &Path, version: &str, target: &str, output: &str) -> Outcome {
    let program = root.join("program");
    write_script(&program, &format!("echo 'hydrator {}'", env!("CARGO_PKG_VERSION")));
    let run = step("build.sh", root).variable("PROGRAM", program.to_str().unwrap());
    run.arguments([version, target, root.join(output).to_str().unwrap()]).run()
}

#[test]
fn an_archive_has_the_program_and_the_same_bytes_each_time() {
    let root = tempfile::tempdir().unwrap();
    let archives = ["one", "two"].map(|name| {
        let packed = build(root.path(), VERSION, "x86_64-unknown-linux-musl", name).success();
        packed.stdout().trim_end().to_owned()
    });
    assert!(archives[0].ends_with(&format!("/hydrator-{VERSION}-linux-x86_64.tar.gz")), "{archives:?}");
    assert!(std::fs::read(&archives[0]).unwrap() == std::fs::read(&archives[1]).unwrap());
    let list = Run::program("/bin/sh", root.path())
        .arguments(["-ec", "tar -tvzf \"$0\"", &archives[0]])
        .run()
        .success();
    let wanted = format!(" hydrator-{VERSION}-linux-x86_64/hydrator");
    let program =
        list.stdout().lines().find(|line| line.ends_with(&wanted)).expect("the program is there").to_owned();
    assert!(program.starts_with("-rwxr-xr-x"), "{program}");
}

#[test]
fn a_program_of_another_version_is_not_packed() {
    let root = tempfile::tempdir().unwrap();
    let other = build(root.path(), "v99.0.0", "x86_64-unknown-linux-musl", "out");
    assert_eq!(other.exit_code(), Some(1), "{}", other.stderr());
    let unknown = build(root.path(), VERSION, "riscv64gc-unknown-linux-gnu", "out");
    assert_eq!(unknown.exit_code(), Some(1), "{}", unknown.stderr());
    assert!(!root.path().join("out").exists());
}

#[test]
fn the_notes_are_the_changelogs_section() {
    let repo = TestRepo::new();
    repo.write("scripts/release/notes.sh", &read("scripts/release/notes.sh"));
    repo.write("Cargo.toml", "[package]\nversion = \"1.2.3\"\n");
    for path in ["README.md", "examples/github/run.yml", "templates/hydrator.yml", ".gitlab-ci-template.yml"]
    {
        repo.write(path, &read(path));
    }
    repo.write("docs/any.md", "");
    let notes = |version: &str, text: &str| {
        repo.write("CHANGELOG.md", text);
        let script = repo.work().join("scripts/release/notes.sh");
        Run::program("/bin/bash", &repo.home()).arguments([script.to_str().unwrap(), version]).run()
    };
    let text = "# Changelog\n\n## Unreleased\n\n- later\n\n## 1.2.3 (2026-12-01)\n\n- new\n  thing\n\n- other\n\n## 0.0.1\n\n- old\n";
    assert_eq!(notes("v1.2.3", text).success().stdout(), "- new\n  thing\n\n- other\n");
    for empty in ["## 1.2.3\n\n## 0.0.1\n\n- old\n", "## 1.2.30\n\n- other\n"] {
        assert_eq!(notes("v1.2.3", empty).exit_code(), Some(1), "{empty}");
    }
    assert_eq!(notes("v99.0.0", "## 99.0.0\n\n- new\n").exit_code(), Some(1));
    // People follow the tag that the documents name: a release that moves another one would reach nobody.
    repo.write("Cargo.toml", "version = \"0.1.0\"\n");
    let other = notes("v0.1.0", "## 0.1.0\n\n- new\n");
    assert_eq!(other.exit_code(), Some(1));
    assert!(
        other.stderr().contains("tell people to follow v1, and v0.1.0 moves the tag v0"),
        "{}",
        other.stderr()
    );
}

#[test]
fn the_bill_of_materials_has_every_package() {
    let root = tempfile::tempdir().unwrap();
    let script = project("scripts/release/sbom.py");
    let run =
        Run::program("/usr/bin/env", root.path()).arguments(["python3", script.to_str().unwrap(), VERSION]);
    let bill: Value = serde_json::from_str(run.run().success().stdout()).unwrap();
    let found = bill["components"].as_array().unwrap();
    let lock = read("Cargo.lock");
    // All but ourselves.
    assert_eq!(found.len(), lock.matches("[[package]]").count() - 1);
    for component in found {
        let sum = component["hashes"][0]["content"].as_str().expect("each is pinned by content");
        assert!(lock.contains(&format!("checksum = \"{sum}\"")));
        let wanted = format!(
            "pkg:cargo/{}@{}",
            component["name"].as_str().unwrap(),
            component["version"].as_str().unwrap()
        );
        assert_eq!(component["purl"].as_str(), Some(wanted.as_str()));
    }
}

#[test]
fn the_major_tag_follows_the_newest_release() {
    let repo = TestRepo::new();
    for script in ["scripts/install.sh", "scripts/release/major-tag.sh"] {
        repo.write(script, &read(script));
    }
    let first = repo.commit("First version");
    let remote = repo.remote().display().to_string();
    let tag = || {
        let script = repo.work().join("scripts/release/major-tag.sh");
        let path = script.to_str().unwrap();
        Run::program("/bin/bash", &repo.home()).arguments([path, &remote]).run().success()
    };
    let tagged = |name: &str| repo.remote_git().try_run(&["rev-parse", &format!("refs/tags/{name}")]).ok();
    _ = tag();
    assert_eq!(tagged("v1"), None);
    for (version, text) in [("v1.9.0", "a"), ("v1.10.0", "b")] {
        let row = format!(
            "hydrator {version} linux-x86_64 {} https://example.com/{text}.tar.gz\nTABLE\n",
            "0".repeat(64)
        );
        let script = std::fs::read_to_string(repo.work().join("scripts/install.sh")).unwrap();
        repo.write("scripts/install.sh", &script.replacen("\nTABLE\n", &format!("\n{row}"), 1));
        let commit = repo.commit(version);
        _ = tag();
        assert_eq!(tagged("v1"), Some(commit));
    }
    assert_ne!(tagged("v1"), Some(first));
}

#[test]
fn a_release_is_pinned_by_a_pull_request() {
    let repo = TestRepo::new();
    for name in ["release/propose.sh", "release/table.sh", "template.sh", "install.sh"] {
        let path = format!("scripts/{name}");
        repo.write(&path, &read(&path));
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(repo.work().join(&path), mode).unwrap();
    }
    repo.write(".gitlab-ci-template.yml", &read(".gitlab-ci-template.yml"));
    let main = repo.commit("Released");
    let (home, said) = (repo.home(), repo.root().join("said"));
    let programs = repo.root().join("programs");
    let open = repo.root().join("open");
    std::fs::write(&open, "").unwrap();
    let listed = format!("[ \"$1 $2\" != 'pr list' ] || cat '{}'", open.display());
    let gh = format!("printf '%s|' \"$@\" >>'{0}'; echo >>'{0}'; {listed}", said.display());
    write_script(&programs.join("gh"), &gh);
    let sums = repo.root().join("SHA256SUMS");
    let sum = "0123456789abcdef".repeat(4);
    std::fs::write(&sums, format!("{sum}  hydrator-v1.2.3-linux-x86_64.tar.gz\n")).unwrap();
    let propose = || {
        let script = repo.work().join("scripts/release/propose.sh");
        let path = format!("{}:{}", programs.display(), crate::support::tools::search_path());
        Run::program("/bin/bash", &home)
            .arguments([script.to_str().unwrap(), "v1.2.3", sums.to_str().unwrap()])
            .variable("PATH", &path)
            .variable("GITHUB_SERVER_URL", "https://forge.example.com")
            .variable("GITHUB_REPOSITORY", "acme/hydrator")
            // The address is the released one, and what it leads to is here.
            .variable("GIT_CONFIG_COUNT", "1")
            .variable("GIT_CONFIG_KEY_0", &format!("url.file://{}.insteadOf", repo.remote().display()))
            .variable("GIT_CONFIG_VALUE_0", "https://forge.example.com/acme/hydrator")
            .run()
            .success()
    };
    _ = propose();
    let git = repo.remote_git();
    assert_eq!(git.run(&["rev-parse", "pin-v1.2.3^"]), main);
    let address = "https://forge.example.com/acme/hydrator/releases/download/v1.2.3";
    let row = format!("hydrator v1.2.3 linux-x86_64 {sum} {address}/hydrator-v1.2.3-linux-x86_64.tar.gz");
    for path in ["scripts/install.sh", ".gitlab-ci-template.yml"] {
        let text = git.run(&["show", &format!("pin-v1.2.3:{path}")]);
        assert!(text.lines().any(|line| line.trim_start() == row), "{path}");
    }
    let asked = std::fs::read_to_string(&said).unwrap();
    assert!(
        asked.contains("pr|create|--head|pin-v1.2.3|--base|main|--title|release: pin v1.2.3|"),
        "{asked}"
    );
    // A second run of the job finds its pull request.
    std::fs::remove_file(&said).unwrap();
    std::fs::write(&open, "7\n").unwrap();
    assert!(propose().stdout().ends_with("pull request 7 pins it\n"));
    assert!(!std::fs::read_to_string(&said).unwrap().contains("pr|create"));
    // Merged, a second run of the job has nothing to propose.
    git.run(&["update-ref", "refs/heads/main", "pin-v1.2.3"]);
    std::fs::remove_file(&said).unwrap();
    assert_eq!(propose().stdout(), "v1.2.3 is pinned already\n");
    assert!(!std::fs::read_to_string(&said).unwrap().contains("pr|create"));
}
