//! The configuration: every case of `tests/cases-config`, the schema, size and hostility.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use camino::Utf8Path;
use hydrator::config::{self, Loaded, Problems};
use hydrator::error::{FailureKind, hint_of, kind_of, message_of};
use hydrator::model::{BranchName, Renderer};

use crate::support::memory_tree::MemoryTree;

const CONFIG: &str = "hydrator.yaml";

fn load(tree: &MemoryTree) -> anyhow::Result<Loaded> {
    config::load(tree, Utf8Path::new(CONFIG))
}

/// The project of `text` in a tree of `listing`.
fn load_text(text: &str, listing: &str) -> anyhow::Result<Loaded> {
    load(&MemoryTree::parse(listing).file(CONFIG, text))
}

fn problems(text: &str, listing: &str) -> String {
    let error = load_text(text, listing).expect_err("the configuration should have problems");
    assert_eq!(kind_of(&error), FailureKind::Config, "{error:#}");
    error.downcast_ref::<Problems>().map_or_else(|| message_of(&error), ToString::to_string)
}

fn cases(directory: &str) -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases-config").join(directory);
    let entries = std::fs::read_dir(&directory)
        .expect("the directory of cases")
        .map(|entry| entry.expect("an entry").path());
    let mut cases: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|end| end == "yaml")).collect();
    cases.sort();
    assert!(cases.len() > 5, "{} holds cases", directory.display());
    cases
}

/// The case's own `.tree`, else the one of all cases.
fn case_tree(case: &Path) -> MemoryTree {
    let shared =
        case.parent().and_then(Path::parent).expect("a case is two levels down").join("default.tree");
    let listing =
        std::fs::read_to_string(case.with_extension("tree")).or_else(|_| std::fs::read_to_string(shared));
    MemoryTree::parse(&listing.expect("a tree")).file(CONFIG, std::fs::read(case).expect("the case"))
}

/// Compares with the case's `.want`; `UPDATE_CASES=1` writes it.
fn compare(case: &Path, got: &str, wrong: &mut String) {
    let want = case.with_extension("want");
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(&want, got).expect("the expectation is written");
    } else if std::fs::read_to_string(&want).unwrap_or_default() != got {
        let _ = write!(wrong, "--- {}\n{got}\n", case.display());
    }
}

#[test]
fn valid_cases_load_and_describe_themselves() {
    let mut wrong = String::new();
    for case in cases("valid") {
        let got = match load(&case_tree(&case)) {
            Ok(loaded) => {
                let mut text = config::describe(&loaded.project);
                for warning in loaded.warnings {
                    let _ = writeln!(text, "warning: {warning}");
                }
                text
            }
            Err(error) => format!("{error:#}\n"),
        };
        assert!(got.starts_with("Environments ("), "{}: {got}", case.display());
        compare(&case, &got, &mut wrong);
    }
    assert!(wrong.is_empty(), "cases differ (UPDATE_CASES=1 rewrites them):\n{wrong}");
}

#[test]
fn invalid_cases_report_every_problem_with_its_place() {
    let mut wrong = String::new();
    for case in cases("invalid") {
        let error = load(&case_tree(&case)).expect_err(&case.display().to_string());
        assert_eq!(kind_of(&error), FailureKind::Config, "{}", case.display());
        let problems = error.downcast_ref::<Problems>().expect("problems");
        compare(&case, &format!("{problems}\n"), &mut wrong);
    }
    assert!(wrong.is_empty(), "cases differ (UPDATE_CASES=1 rewrites them):\n{wrong}");
}

#[test]
fn every_expectation_has_its_case() {
    for directory in ["valid", "invalid"] {
        for case in cases(directory) {
            let folder = case.parent().unwrap().to_owned();
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                assert!(path.with_extension("yaml").is_file(), "{} belongs to no case", path.display());
            }
        }
    }
}

#[test]
fn the_checked_in_schema_is_the_current_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/hydrator.schema.json");
    let current = format!("{:#}\n", config::schema());
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let checked_in = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        checked_in == current,
        "docs/hydrator.schema.json is out of date: run `UPDATE_SCHEMA=1 cargo test --test suite config::`"
    );
}

#[test]
fn every_key_of_the_schema_is_described() {
    fn walk(schema: &serde_json::Value, path: &str, missing: &mut Vec<String>) {
        if let Some(properties) = schema.get("properties").and_then(|properties| properties.as_object()) {
            for (key, property) in properties {
                if property.get("description").is_none() {
                    missing.push(format!("{path}.{key}"));
                }
            }
        }
        for (name, definition) in
            schema.get("$defs").and_then(|definitions| definitions.as_object()).into_iter().flatten()
        {
            walk(definition, name, missing);
        }
    }
    let mut missing = Vec::new();
    walk(&config::schema(), "", &mut missing);
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn a_missing_file_is_a_failure_of_the_configuration_with_a_hint() {
    let error = load(&MemoryTree::default()).expect_err("there is no configuration");
    assert_eq!(kind_of(&error), FailureKind::Config);
    assert!(hint_of(&error).is_some_and(|hint| hint.contains("--config")));
}

#[test]
fn the_dry_branch_of_a_broken_configuration_can_be_read() {
    let tree = MemoryTree::default().file(CONFIG, "version: 7\ndryBranch: trunk\nnonsense: 1\n");
    let branch = config::dry_branch_of(&tree, Utf8Path::new(CONFIG)).unwrap();
    assert_eq!(branch, BranchName::new("trunk").ok());
}

#[test]
fn the_dry_branch_of_the_forge_must_not_clash() {
    let loaded =
        load_text("version: 1\nenvironments: [{ name: dev }]\ntargets: [{ path: web }]\n", "web/a.yaml")
            .unwrap();
    assert!(config::check_dry_branch(&loaded.project, &BranchName::new("main").unwrap()).is_ok());
    for clash in ["hydrator", "hydrator/dev-next", "hydrator/dev/x"] {
        assert!(
            config::check_dry_branch(&loaded.project, &BranchName::new(clash).unwrap()).is_err(),
            "{clash}"
        );
    }
}

#[test]
fn values_and_options_are_resolved_per_environment() {
    let text = r#"
version: 1
vars: { registry: ghcr.io/acme, tag: 1.10 }
environments:
  - { name: dev }
  - { name: prod, vars: { registry: registry.acme.internal } }
targets:
  - path: charts/{app}
    helm:
      namespace: "{app}-{environment}"
      valueFiles: [values.yaml, "values-{environment}.yaml?", "/shared/{environment}.yaml"]
      values: { image: { repository: "{vars.registry}/{app}", tag: "{vars.tag}" }, text: '{{ .Values.x }} \{app}', list: ["{app}", 3] }
    overrides:
      prod: { helm: { kubeVersion: "1.33", values: { image: { tag: v1 }, replicas: 3 } } }
"#;
    let listing = "charts/web/Chart.yaml\ncharts/web/values.yaml\nshared/dev.yaml\nshared/prod.yaml\n";
    let loaded = load_text(text, listing).unwrap();
    let options: Vec<_> =
        loaded.project.environments.iter().map(|environment| &environment.targets[0].renderer).collect();
    let [Renderer::Helm(dev), Renderer::Helm(prod)] = options.as_slice() else { panic!("helm: {options:?}") };
    assert_eq!(dev.namespace, "web-dev");
    assert_eq!(dev.kube_version, None);
    assert_eq!(prod.kube_version.as_deref(), Some("1.33"));
    let files: Vec<(&str, bool)> =
        prod.value_files.iter().map(|file| (file.path.as_str(), file.optional)).collect();
    assert_eq!(
        files,
        [
            ("charts/web/values.yaml", false),
            ("charts/web/values-prod.yaml", true),
            ("shared/prod.yaml", false)
        ]
    );
    let want = serde_json::json!({
        "image": { "repository": "registry.acme.internal/web", "tag": "v1" }, "text": "{{ .Values.x }} {app}", "list": ["web", 3], "replicas": 3
    });
    assert_eq!(serde_json::Value::Object(prod.values.clone()), want);
    assert_eq!(dev.values["image"]["tag"], "1.10");
}

#[test]
fn thousands_of_targets_load() {
    let mut listing = String::new();
    for app in 0..170 {
        for environment in 0..30 {
            let _ = writeln!(listing, "apps/app-{app:03}/overlays/env-{environment:02}/kustomization.yaml");
        }
    }
    let mut text = "version: 1\nenvironments:\n".to_owned();
    for environment in 0..30 {
        let _ = writeln!(text, "  - name: env-{environment:02}");
    }
    text.push_str("targets:\n  - path: apps/{app}/overlays/{environment}\n");
    let loaded = load_text(&text, &listing).unwrap();
    let count: usize = loaded.project.environments.iter().map(|environment| environment.targets.len()).sum();
    assert_eq!(count, 5_100);
    let text = config::describe(&loaded.project);
    assert_eq!(
        text.lines().filter(|line| line.contains("apps/app-")).count(),
        170,
        "one line per target, not per environment"
    );
}

#[test]
fn hostile_files_are_refused() {
    let bomb: String = (1..30).fold("a0: &a0 [x]\n".to_owned(), |mut text, level| {
        let before = format!("*a{}", level - 1);
        let _ = writeln!(text, "a{level}: &a{level} [{before}, {before}, {before}, {before}]");
        text
    });
    let tower: String = (1..200).fold("a0: &a0 [x]\n".to_owned(), |mut text, level| {
        let _ = writeln!(text, "a{level}: &a{level} [[[[[[[[[[*a{}]]]]]]]]]]", level - 1);
        text
    });
    let block: String = (0..3_000).fold(String::new(), |mut text, level| {
        let _ = writeln!(text, "{}a:", " ".repeat(level));
        text
    });
    let large = format!("a: &a {}\nb: [{}]\n", "x".repeat(1 << 20), "*a,".repeat(100_000));
    let files = [
        ("deep flow", "[".repeat(1 << 20)),
        ("deep mapping", "{a: ".repeat(100_000)),
        ("deep sequence", "- ".repeat(100_000)),
        ("deep block", block),
        ("alias bomb", bomb),
        ("alias tower", tower),
        ("large aliases", large),
        ("huge", "x".repeat(5 << 20)),
        ("long list", format!("a: [{}]", "1,".repeat(1_000_000))),
        ("own anchor", "a: &a [*a]".to_owned()),
        ("question marks", "? ".repeat(100_000)),
        ("quotes", "\"".repeat(1_000_001)),
        ("not a mapping", "- 1".to_owned()),
        ("nothing", String::new()),
        ("two documents", "version: 1\n---\nversion: 1\n".to_owned()),
        ("merge key", "<<: {}\n".to_owned()),
        ("tag", "version: !x 1\n".to_owned()),
        ("key that is a list", "[a]: 1\n".to_owned()),
    ];
    for (name, text) in files {
        let said = problems(&text, "");
        assert!(said.starts_with("hydrator.yaml"), "{name}: {said}");
        assert!(said.len() < 4_000, "{name}: {}", said.len());
    }
    let keys: Vec<String> = (0..20_000).map(|number| format!("k{number}: 1\n")).collect();
    let keys = keys.concat();
    let many = format!("version: 1\n{keys}environments: [{}]\n", "{},".repeat(20_000));
    assert_eq!(problems(&many, "").lines().count(), 500, "enough is enough");
    let error = load(&MemoryTree::default().file(CONFIG, b"version: 1\nx: \xff\n")).expect_err("not UTF-8");
    let said = error.downcast_ref::<Problems>().expect("problems").to_string();
    assert_eq!(said, "hydrator.yaml:2: the file is not UTF-8");
}

#[test]
fn aliases_are_understood() {
    let text = "version: 1\nenvironments:\n  - { name: dev, gates: &g { soak: 30m } }\n  - { name: prod, gates: *g }\ntargets: [{ path: web }]\n";
    let loaded = load_text(text, "web/a.yaml").unwrap();
    assert_eq!(loaded.project.environments[1].gates.soak_seconds, 1_800);
}
