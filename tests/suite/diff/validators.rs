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

#[test]
fn what_a_run_rendered_before_there_was_a_judge_is_judged_all_the_same() {
    let repo = repo("");
    let judged = std::fs::read_to_string(repo.work().join("hydrator.yaml")).unwrap();
    let unjudged = judged.split("validate:").next().unwrap().to_owned();
    let map = |x: &str| format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{x: {x}}}\n");
    repo.write("hydrator.yaml", &unjudged);
    repo.write("web/a.yaml", &map("bad"));
    repo.commit("Nobody judges yet");
    _ = repo.hydration().run().success();
    repo.write("hydrator.yaml", &judged);
    repo.write("web/a.yaml", &map("good"));
    repo.commit("A judge");
    // What the hydrated branch has is what this comes to.
    repo.write("web/a.yaml", &map("bad"));
    repo.commit_only("Back");
    let said = diff(&repo, &[]).code(4).stdout().to_owned();
    assert!(said.contains("! refused: configmap_a.yaml\n"), "{said}");
}

#[test]
fn no_value_of_a_secret_comes_back_from_a_validator() {
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n";
    let manifests = [
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {p: hunter1}}\n".to_owned(),
        format!("{secret}stringData:\n  key: |\n    hunter1 begins\n    hunter2 ends\n"),
        format!("{secret}stringData: {{p: \"\\x68unter1\"}}\n"),
        format!("{secret}stringData:\n  p: hunter1\n  p: hunter2\n"),
        format!("{secret}  annotations:\n    last: '{{\"stringData\":{{\"p\":\"hunter1\"}}}}'\n"),
        format!("{secret}data: {{p: aHVudGVyMQ==}} # hunter1\n"),
        "apiVersion: x.io/v1\nkind: Custom\nmetadata: {name: s}\nspec: {password: hunter1}\n".to_owned(),
        format!("{secret}stringData: {{n: 68756e74}}\n"),
    ];
    let repo = TestRepo::new();
    // As it is, and as a program writes it that read it.
    write_script(&repo.root().join("judge"), "cat \"$1\"/*; grep -q aHVu \"$1\"/* && echo hunter1; exit 3");
    let judge = repo.root().join("judge").display().to_string();
    let text = format!(
        "version: 1\nenvironments: [{{name: dev}}]\ntargets: [{{path: web}}]\nvalidate: [[\"{judge}\"]]\n\
         diff: {{secrets: [{{kind: Custom, path: /spec/password}}]}}\n"
    );
    repo.write("hydrator.yaml", &text);
    for manifest in manifests {
        repo.write("web/s.yaml", &manifest);
        repo.commit("A secret");
        let outcome = repo.hydration().run().code(4);
        let said = format!("{}{}", outcome.stdout(), outcome.stderr());
        assert!(said.contains("ends with 3: "), "{said}");
        for value in ["unter", "aHVu", "68756e74"] {
            assert!(!said.contains(value), "{manifest}\n{said}");
        }
    }
}

#[test]
fn a_pull_request_does_not_bare_a_secret_field_by_its_own_configuration() {
    let repo = repo("diff: {secrets: [{kind: Custom, path: /spec/password}]}\n");
    repo.write(
        "web/c.yaml",
        "apiVersion: x.io/v1\nkind: Custom\nmetadata: {name: bad}\nspec: {password: hunter9}\n",
    );
    let text = std::fs::read_to_string(repo.work().join("hydrator.yaml")).unwrap();
    repo.write("hydrator.yaml", text.split("diff:").next().unwrap());
    repo.commit_only("Bare it");
    let outcome = diff(&repo, &[]).code(4);
    let said = format!("{}{}", outcome.stdout(), outcome.stderr());
    assert!(said.contains("ends with 3") && !said.contains("hunter"), "{said}");
}

#[test]
fn what_is_refused_is_shown_with_everything_else() {
    let repo = TestRepo::new();
    write_script(&repo.root().join("judge"), "cd \"$1\"; grep -l bad * && exit 1; exit 0");
    let judge = repo.root().join("judge").display().to_string();
    repo.write(
        "hydrator.yaml",
        &format!(
            "version: 1\nenvironments: [{{name: dev}}]\ntargets: [{{path: web}}]\nvalidate: [[\"{judge}\"]]\n"
        ),
    );
    let map = |name: &str, x: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{x: \"{x}\"}}\n")
    };
    repo.write("web/a.yaml", &map("a", "1"));
    repo.write("web/db.yaml", "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\n");
    repo.commit("First");
    repo.write("web/a.yaml", &map("a", "2"));
    repo.write("web/b.yaml", &map("b", "bad"));
    repo.remove("web/db.yaml");
    repo.commit_only("Worse");
    let report = diff(&repo, &["--format", "json"]).code(4).json();
    assert_eq!(told(&report), ["dev/web +1 ~1 -1"]);
    let target = &report["environments"][0]["targets"][0];
    assert!(target["headTree"].is_string() && target["baseTree"].is_string(), "{target:#}");
    let complaints = target["complaints"].as_array().unwrap();
    assert_eq!(complaints.len(), 1, "{target:#}");
    assert_eq!(
        (&complaints[0]["manifest"]["name"], &complaints[0]["text"]),
        (&"b".into(), &"configmap_b.yaml".into())
    );
    let said = diff(&repo, &[]).code(4).stdout().to_owned();
    assert!(said.contains("+ dev/web: ConfigMap b (+4 -0)\n! refused: configmap_b.yaml\n"), "{said}");
    assert!(said.contains("! data loss: deletes StatefulSet.apps db\n"), "{said}");
    assert!(said.contains("error: cannot render target `web` of environment `dev`: the validator"), "{said}");
    let page = diff(&repo, &["--format", "markdown"]).code(4).stdout().to_owned();
    assert!(page.contains("- **refused**: configmap_b.yaml\n"), "{page}");
    repo.push();
    let run = repo.hydration().run().code(4).json();
    assert_eq!(run["environments"][0]["error"]["kind"], "render", "{run:#}");
    assert_eq!(repo.tip("hydrator/dev-next"), None, "a run refuses it");
}
