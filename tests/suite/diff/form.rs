//! What is only written differently: counted, shown on request, and a finding where a commit is rendered twice.

use serde_json::Value;

use super::{diff, json};
use crate::support::git::{TestRepo, files};

/// What is written in two ways: both texts, and the field that is named.
const WAYS: &[(&str, &str, &str)] = &[
    (
        "kind: ConfigMap\nmetadata: {name: order}\ndata:\n  a: x\n  b: y\n",
        "kind: ConfigMap\nmetadata: {name: order}\ndata:\n  b: y\n  a: x\n",
        "data.",
    ),
    (
        "kind: ConfigMap\nmetadata: {name: quotes}\ndata:\n  a: x\n",
        "kind: ConfigMap\nmetadata: {name: quotes}\ndata:\n  a: 'x'\n",
        "data.a",
    ),
    (
        "kind: ConfigMap\nmetadata: {name: comment}\ndata:\n  a: x\n",
        "kind: ConfigMap\nmetadata: {name: comment}\ndata:\n  # why\n  a: x\n",
        "data.a",
    ),
];

const SECRETS: [&str; 2] = [
    "apiVersion: v1\nkind: Secret\nmetadata: {name: order}\nstringData:\n  one: hunter1\n  two: hunter2 # hunter3\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: order}\nstringData:\n  two: hunter2\n  one: hunter1\n",
];
const QUOTED: [&str; 2] = [
    "apiVersion: v1\nkind: Secret\nmetadata: {name: quotes}\nstringData:\n  one: hunter1\n",
    "apiVersion: v1\nkind: Secret\nmetadata: {name: quotes}\nstringData:\n  one: \"hunter1\"\n",
];

/// A repository with a target that prints one text the first time and the other one the second time.
fn alternating(one: &str, other: &str) -> TestRepo {
    let repo = TestRepo::new();
    let seen = repo.root().join("seen");
    let script =
        format!("if [ -e '{0}' ]; then rm '{0}'; cat other; else touch '{0}'; cat one; fi\n", seen.display());
    repo.write_all(&files(&[
        ("hydrator.yaml", "version: 1\ndryBranch: main\nenvironments: [{name: dev}]\ntargets: [{path: web, command: [sh, show], inputs: [\"**\"]}]\ndiff: {ignore: [{kind: ConfigMap}]}\n"),
        ("web/one", one),
        ("web/other", other),
        ("web/show", &script),
    ]));
    repo.commit("First");
    repo
}

/// The changes of the one target.
fn changes(report: &Value) -> Vec<Value> {
    report["environments"][0]["targets"][0]["changes"].as_array().unwrap().clone()
}

#[test]
fn whatever_is_not_rendered_to_the_same_bytes_twice_is_a_finding() {
    for (one, other, field) in WAYS {
        let repo = alternating(one, other);
        let said = diff(&repo, &["--determinism", "--exit-code"]).code(10).stdout().to_owned();
        assert!(said.contains("is not rendered to the same twice: 1 of 1 environments differ"), "{said}");
        assert!(said.contains(&format!("  only written differently in {field}")), "{said}");
        let report = json(&repo, &["--determinism"]);
        let change = &changes(&report)[0];
        assert_eq!((&change["form"], &change["operation"]), (&true.into(), &"changed".into()), "{report:#}");
        assert!(change["fields"][0].as_str().unwrap().starts_with(field), "{report:#}");
        assert_eq!(report["environments"][0]["targets"][0]["form"], 0);
        let markdown = diff(&repo, &["--determinism", "--format", "markdown"]).success().stdout().to_owned();
        assert!(markdown.contains(&format!("- only written differently in `{field}")), "{markdown}");
        // Another value is named by its field, whatever the rules for noise say.
        let repo = alternating(one, &one.replace("a: x", "a: z"));
        let said = diff(&repo, &["--determinism", "--exit-code"]).code(10).stdout().to_owned();
        assert!(said.contains("  differs in data.a\n") && said.contains("-  a: x\n+  a: z\n"), "{said}");
    }
}

#[test]
fn a_secret_that_is_written_differently_shows_no_value() {
    for ([one, other], wanted) in [(SECRETS, "(hidden)"), (QUOTED, "its text is not shown")] {
        let repo = alternating(one, other);
        for format in ["text", "markdown", "json"] {
            let outcome = diff(&repo, &["--determinism", "--exit-code", "--format", format]).code(10);
            let said = outcome.stdout();
            assert!(!said.contains("hunter") && !outcome.stderr().contains("hunter"), "{outcome:?}");
            assert!(said.contains("only written differently in") || format == "json", "{said}");
            assert!(said.contains("stringData."), "{said}");
            assert!(format != "text" || said.contains(wanted), "{said}");
        }
    }
}

#[test]
fn the_order_of_manifests_is_a_finding() {
    let [a, b] = ["a", "b"].map(|name| format!("kind: A\nmetadata: {{name: {name}}}\n"));
    let repo = alternating(&format!("{a}---\n{b}"), &format!("{b}---\n{a}"));
    let said = diff(&repo, &["--determinism", "--exit-code"]).code(10).stdout().to_owned();
    assert!(said.contains("~ dev/web: File manifest.yaml (+1 -1)\n  only written differently\n"), "{said}");
    assert!(said.contains("+A b\n A a\n-A b\n"), "{said}");
}

#[test]
fn what_is_only_written_differently_is_shown_on_request() {
    for (one, other, field) in WAYS {
        let config = "version: 1\nenvironments: [{name: dev}]\ntargets: [{path: web}]\n";
        let repo = TestRepo::with_files(&files(&[
            ("hydrator.yaml", config),
            ("web/a.yaml", one),
            ("web/b.yaml", SECRETS[0]),
        ]));
        repo.write("web/a.yaml", other);
        repo.write("web/b.yaml", SECRETS[1]);
        repo.commit_only("The same once more");
        let said = diff(&repo, &["--exit-code"]).success().stdout().to_owned();
        assert!(said.ends_with("(2 manifests are written differently and mean the same)\n"), "{said}");
        let said = diff(&repo, &["--show-hidden"]).success().stdout().to_owned();
        assert!(said.contains(&format!("  only written differently in {field}")), "{said}");
        assert!(said.contains("~ dev/web: Secret order ") && !said.contains("hunter"), "{said}");
        let changed: Vec<&str> = said.lines().filter(|line| line.starts_with(['+', '-'])).collect();
        assert!(changed.len() > 2, "{said}");
        let report = json(&repo, &["--show-hidden"]);
        assert!(changes(&report).iter().all(|change| change["form"] == true), "{report:#}");
    }
}
