//! Validators: who judges, what they see, and what is said of their judgement.

use super::*;
use crate::support::command::write_script;

/// A validator that refuses manifests with `bad` in them, and says what it saw.
fn repo(more: &str) -> TestRepo {
    let repo = TestRepo::new();
    write_script(
        &repo.root().join("judge"),
        "cd \"$2\"; grep -l bad * || exit 0; grep -h hunter * >&2; exit 3",
    );
    let judge = repo.root().join("judge").display().to_string();
    let text = format!(
        "version: 1\nenvironments: [{{name: dev}}]\ntargets: [{{path: web}}]\nvalidate: [[\"{judge}\", \"--strict\"]]\n{more}"
    );
    repo.write("hydrator.yaml", &text);
    repo.write(
        "web/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {x: good}\n",
    );
    repo.write("web/s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {x: hunter1}\n");
    repo.commit("First");
    repo
}

#[test]
fn a_refusal_names_the_manifest_and_hides_secrets() {
    let repo = repo("");
    drop(diff(&repo, &[]).success());
    repo.write(
        "web/a.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {x: bad}\n",
    );
    repo.commit("Worse");
    let run = repo.hydration().run().code(4).json();
    let report = json_of(&diff(&repo, &["--base", "HEAD~1", "--format", "json"]).code(4));
    let shown = report["environments"][0]["targets"][0]["error"]["message"].as_str().unwrap().to_owned();
    for said in [run["environments"][0]["error"]["message"].as_str().unwrap(), &shown] {
        assert!(said.contains("--strict` ends with 3: configmap_shop_a.yaml"), "{said}");
        assert!(!said.contains("hunter"), "{said}");
    }
}

fn json_of(outcome: &Outcome) -> Value {
    outcome.json()
}

#[test]
fn a_pull_request_does_not_choose_its_own_judges() {
    let repo = repo("");
    let text = std::fs::read_to_string(repo.work().join("hydrator.yaml")).unwrap();
    let without: String = text
        .lines()
        .filter(|line| !line.starts_with("validate"))
        .fold(String::new(), |text, line| text + line + "\n");
    repo.write("hydrator.yaml", &without);
    repo.write("web/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: bad}\n");
    repo.commit_only("Without a judge");
    drop(diff(&repo, &[]).code(4));
    repo.write("hydrator.yaml", &(without + "validate: [[touch, /tmp/hydrator-was-here]]\n"));
    repo.write("web/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: fine}\n");
    repo.commit_only("A judge of its own");
    drop(diff(&repo, &[]).success());
    assert!(!std::path::Path::new("/tmp/hydrator-was-here").exists());
}
