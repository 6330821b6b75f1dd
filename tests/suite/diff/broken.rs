//! A DRY branch that is broken: the change that mends it is judged by itself.

use super::*;

const CONFIG: &str = "version: 1\nenvironments: [{name: dev}]\ntargets: [{path: web, name: web}]\n";
const MANIFEST: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: \"1\"}\n";

fn target(report: &Value) -> &Value {
    &report["environments"][0]["targets"][0]
}

#[test]
fn the_change_that_mends_a_target_is_shown_whole_and_succeeds() {
    let repo = TestRepo::with_files(&files(&[("hydrator.yaml", CONFIG), ("web/a.yaml", "kind: [\n")]));
    repo.write("web/a.yaml", MANIFEST);
    repo.commit_only("Mend it");
    let report = json(&repo, &[]);
    assert_eq!(told(&report), ["dev/web +1 ~0 -0"]);
    assert_eq!(target(&report)["error"], Value::Null);
    let before = target(&report)["baseError"]["message"].as_str().unwrap();
    assert!(before.contains("web/a.yaml:2"), "{before}");
    let said = diff(&repo, &[]).success().stdout().to_owned();
    let note = "note: the base does not render, so everything counts as new: cannot render target `web`";
    assert!(
        said.contains(note) && said.contains("+ dev/web: ConfigMap a") && !said.contains("error"),
        "{said}"
    );
    let page = diff(&repo, &["--format", "markdown"]).success().stdout().to_owned();
    assert!(page.contains("| `dev` | 1/1 | +1 | 1 did not render before |"), "{page}");
    assert!(page.contains("The base does not render, so everything counts as new:\n\n```text\n"), "{page}");
}

#[test]
fn the_change_that_removes_a_broken_target_succeeds() {
    let two = CONFIG.replace("targets: [", "targets: [{path: jobs, name: jobs}, ");
    let repo = TestRepo::with_files(&files(&[
        ("hydrator.yaml", &two),
        ("web/a.yaml", MANIFEST),
        ("jobs/a.yaml", "kind: [\n"),
    ]));
    repo.write("hydrator.yaml", CONFIG);
    repo.commit_only("Without jobs");
    let said = diff(&repo, &[]).success().stdout().to_owned();
    assert!(said.contains("note: the base does not render, so it cannot be told what goes away: "), "{said}");
}

#[test]
fn what_fails_on_both_sides_fails() {
    let repo = TestRepo::with_files(&files(&[("hydrator.yaml", CONFIG), ("web/a.yaml", "kind: [\n")]));
    repo.write("web/a.yaml", "kind: {\n");
    repo.commit_only("Break it otherwise");
    let said = diff(&repo, &[]).code(4).stdout().to_owned();
    assert!(
        said.contains("\nerror: cannot render") && said.contains("note: the base does not render either: "),
        "{said}"
    );
}

#[test]
fn the_change_that_mends_the_configuration_is_shown_whole_and_succeeds() {
    let wrong = format!("{CONFIG}nonsense: 1\n");
    let repo = TestRepo::with_files(&files(&[("hydrator.yaml", &wrong), ("web/a.yaml", MANIFEST)]));
    repo.write("hydrator.yaml", CONFIG);
    repo.commit_only("Mend it");
    let report = json(&repo, &[]);
    assert_eq!(told(&report), ["dev/web +1 ~0 -0"]);
    assert_eq!(report["error"], Value::Null);
    let before = report["baseError"]["message"].as_str().unwrap();
    assert!(before.contains("unknown key `nonsense`"), "{before}");
    let said = diff(&repo, &[]).success().stdout().to_owned();
    let note = "note: the configuration of the base is wrong, so everything counts as new, and nothing is rendered that it would \
                have to allow: 1 problem in";
    assert!(said.starts_with(note) && said.contains("+ dev/web: ConfigMap a"), "{said}");
    let page = diff(&repo, &["--format", "markdown"]).success().stdout().to_owned();
    assert!(
        page.contains(
            "The configuration of the base is wrong, so everything counts as new, and nothing is rendered "
        ),
        "{page}"
    );
}

#[test]
fn a_wrong_configuration_allows_nothing() {
    let command =
        CONFIG.replace("name: web}", "name: web, command: [sh, -c, \"cat a.yaml\"], inputs: [a.yaml]}");
    let wrong = format!("{command}nonsense: 1\n");
    let repo = TestRepo::with_files(&files(&[("hydrator.yaml", &wrong), ("web/a.yaml", MANIFEST)]));
    repo.write("hydrator.yaml", &command);
    repo.commit_only("Mend it");
    let said = diff(&repo, &[]).code(3).stdout().to_owned();
    assert!(said.contains("its `command` is not in the DRY branch's configuration"), "{said}");
}
