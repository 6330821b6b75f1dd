//! Finding programs and checking their versions.

use std::os::unix::fs::PermissionsExt as _;

use hydrator::error::{FailureKind, hint_of, kind_of};
use hydrator::model::{Target, Tool};
use hydrator::render::Toolbox;

use super::bench::{command, kustomize, plain, tools, tools_path};

/// A directory with scripts in place of programs.
fn programs(scripts: &[(&str, &str)]) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    for (name, script) in scripts {
        let path = directory.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = directory.path().to_str().unwrap().to_owned();
    (directory, path)
}

fn problem(toolbox: &Toolbox, tool: Tool) -> (String, String) {
    let error = toolbox.version(tool).unwrap_err();
    (error.to_string(), hint_of(&error).unwrap_or_default())
}

#[test]
fn the_real_programs_say_their_versions() {
    let toolbox = Toolbox::discover(&tools_path());
    assert!(toolbox.version(Tool::Kustomize).unwrap().starts_with("kustomize 5."));
    assert!(toolbox.version(Tool::Helm).unwrap().starts_with("helm 4."));
    let toolbox = Toolbox::discover("").with_program(Tool::Helm, tools().join("helm3"));
    assert!(toolbox.version(Tool::Helm).unwrap().starts_with("helm 3."));
    let toolbox = Toolbox::discover("").with_program(Tool::Kustomize, tools().join("kubectl"));
    assert!(toolbox.version(Tool::Kustomize).unwrap().starts_with("kustomize 5."));
}

#[test]
fn a_missing_tool_is_named_with_what_to_do() {
    let toolbox = Toolbox::discover("/nonexistent:relative:");
    let (message, hint) = problem(&toolbox, Tool::Kustomize);
    assert_eq!(message, "`kustomize` is not on the path");
    assert!(hint.contains("(or kubectl)"), "{hint}");
    assert_eq!(problem(&toolbox, Tool::Helm).0, "`helm` is not on the path");
    assert_eq!(kind_of(&toolbox.version(Tool::Helm).unwrap_err()), FailureKind::Render);
    let toolbox = toolbox.with_program(Tool::Helm, "/nonexistent/helm");
    assert!(toolbox.version(Tool::Helm).is_err());
}

#[test]
fn old_versions_are_refused() {
    let (_directory, path) = programs(&[
        ("kubectl", r#"echo '{"clientVersion": {"gitVersion": "v1.20.2"}}'"#),
        ("helm", "echo 'Client: v2.17.0+ga690bad'"),
    ]);
    let toolbox = Toolbox::discover(&path);
    assert!(problem(&toolbox, Tool::Kustomize).0.starts_with("kubectl v1.20.2 is too old"));
    assert_eq!(problem(&toolbox, Tool::Helm).0, "helm 2.17.0 is too old");
    let (_directory, path) = programs(&[("kustomize", "echo '{Version:kustomize/v3.8.7 GitCommit:x}'")]);
    assert_eq!(problem(&Toolbox::discover(&path), Tool::Kustomize).0, "kustomize 3.8.7 is too old");
}

#[test]
fn versions_must_match_the_configured_patterns() {
    let (_directory, path) = programs(&[("kustomize", "echo v5.7.1"), ("helm", "echo v3.19.0+g3d8990f")]);
    let require = |tool: Tool, pattern: &str| {
        Toolbox::discover(&path).require(&[(tool, pattern.to_owned())].into()).version(tool)
    };
    assert_eq!(require(Tool::Kustomize, "5.7.x").unwrap(), "kustomize 5.7.1");
    assert_eq!(require(Tool::Helm, "3.19.0").unwrap(), "helm 3.19.0");
    let error = require(Tool::Kustomize, "5.8.x").unwrap_err();
    assert_eq!(error.to_string(), "`tools` asks for kustomize 5.8.x, but kustomize is 5.7.1");
    assert!(hint_of(&error).unwrap().contains("install kustomize 5.8.x"));
    assert_eq!(kind_of(&require(Tool::Helm, "~3").unwrap_err()), FailureKind::Config);
}

#[test]
fn a_wrapper_that_does_not_know_its_version_counts_as_kubectls() {
    let kubectl = r#"[ "$1" = version ] && echo '{"kustomizeVersion": "v5.6.0"}' || exit 1"#;
    let (_directory, path) =
        programs(&[("kubectl", kubectl), ("kustomize", "exec kubectl kustomize \"$@\"")]);
    assert_eq!(Toolbox::discover(&path).version(Tool::Kustomize).unwrap(), "kustomize 5.6.0");
    let (_directory, path) = programs(&[("kustomize", "exit 1")]);
    let toolbox = Toolbox::discover(&path);
    assert_eq!(toolbox.version(Tool::Kustomize).unwrap(), "kustomize");
    let toolbox = Toolbox::discover(&path).require(&[(Tool::Kustomize, "5.x".to_owned())].into());
    assert!(problem(&toolbox, Tool::Kustomize).0.ends_with("does not say its version"));
}

#[test]
fn another_version_of_any_program_is_another_text() {
    let told = |script: &str, target: &Target| {
        let (_directory, path) = programs(&[("jsonnet", script), ("kustomize", script)]);
        Toolbox::discover(&format!("{path}:{}", tools_path())).programs(target).unwrap()
    };
    let jsonnet = command("a", &["jsonnet", "x"], &[]);
    let (one, other) = (told("echo 1", &jsonnet).unwrap(), told("echo 2", &jsonnet).unwrap());
    assert!(one.starts_with("jsonnet ") && one != other, "{one} {other}");
    assert_eq!(told("echo 1", &jsonnet).as_ref(), Some(&one));
    assert_eq!(told("echo 1", &command("a", &["./make.sh"], &[])), None);
    assert_eq!(told("echo 1", &plain("a")), None);
    // One that tells no version is known by its content too.
    let build = kustomize("a", &[]);
    let alone = |script: &str| {
        let (_directory, path) = programs(&[("kustomize", script)]);
        Toolbox::discover(&path).programs(&build).unwrap().unwrap()
    };
    assert_ne!(alone("echo devel"), alone("echo devel # 2"));
    assert_eq!(alone("echo devel"), alone("echo devel"));
    assert_eq!(told("echo v5.8.1", &build).unwrap(), "kustomize 5.8.1");
    for option in ["--enable-helm", "--enable-helm=true"] {
        assert!(told("echo v5.8.1", &kustomize("a", &[option])).unwrap().contains(", helm 4."), "{option}");
    }
    let missing = Toolbox::discover("").programs(&jsonnet).unwrap_err();
    assert_eq!(missing.to_string(), "the program `jsonnet` is not on the path");
}
