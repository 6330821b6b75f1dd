//! What a pull request's own configuration cannot bring along.

use super::*;

/// The error of the only target that is told.
fn refusal(repo: &TestRepo) -> String {
    let report = diff(repo, &["--format", "json"]).code(3).json();
    let told: Vec<String> = report["environments"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|environment| environment["targets"].as_array().unwrap())
        .filter_map(|target| target["error"]["message"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(told.len(), 1, "{report:#}");
    told[0].clone()
}

const START: &str = "version: 1\nenvironments: [{name: dev}]\ntargets:\n- path: apps/{app}\n";

fn repo(options: &str) -> TestRepo {
    TestRepo::with_files(&files(&[
        ("hydrator.yaml", &format!("{START}{options}")),
        ("apps/web/kustomization.yaml", "resources: [a.yaml]\n"),
        ("apps/web/a.yaml", "kind: A\nmetadata: {name: a}\n"),
    ]))
}

#[test]
fn commands_flags_variables_and_the_network_are_refused() {
    for (options, what) in [
        ("  command: [sh, -c, \"touch ran\"]\n  inputs: [a.yaml]\n", "its `command`"),
        ("  kustomize: {buildOptions: [--enable-helm]}\n", "the flag `--enable-helm`"),
        ("  allowRemote: true\n", "`allowRemote`"),
        ("  env: [APP_REGION]\n", "the variable `APP_REGION`"),
        (
            "  helm: {repository: \"https://127.0.0.1:1/charts\", chart: x, version: 1.0.0}\n",
            "the chart `x` of `https://127.0.0.1:1/charts`",
        ),
    ] {
        let repo = repo("");
        repo.write("hydrator.yaml", &format!("{START}{options}"));
        repo.commit_only("More");
        let said = refusal(&repo);
        assert!(said.contains(&format!("is not rendered: {what} is not in the DRY branch's")), "{said}");
    }
}

#[test]
fn what_the_dry_branch_allows_counts_for_new_directories_too() {
    let repo = repo("  command: [sh, -c, \"cat *.yaml\"]\n  inputs: [\"*.yaml\"]\n");
    repo.write("apps/shop/a.yaml", "kind: A\nmetadata: {name: shop}\n");
    let text =
        format!("{START}  command: [sh, -c, \"cat *.yaml\"]\n  inputs: [\"*.yaml\"]\nvars: {{a: b}}\n");
    repo.write("hydrator.yaml", &text);
    repo.commit_only("Another application");
    assert_eq!(told(&json(&repo, &[])), ["dev/shop +1 ~0 -0"]);
    repo.write("hydrator.yaml", &text.replace("cat *.yaml", "cat ./*.yaml"));
    repo.commit_only("Another command");
    drop(diff(&repo, &[]).code(3));
    assert_eq!(told(&json(&repo, &["--trust"])), ["dev/shop +1 ~0 -0"]);
}

#[test]
fn no_change_hides_itself() {
    let repo = repo("diff: {ignore: [{kind: B}]}\n");
    repo.write("apps/web/a.yaml", "kind: A\nmetadata: {name: a}\nx: 1\n---\nkind: B\nmetadata: {name: b}\n");
    repo.write("hydrator.yaml", &format!("{START}diff: {{ignore: [{{kind: A}}, {{kind: B}}]}}\n"));
    repo.commit_only("Nothing to see");
    let report = json(&repo, &[]);
    assert_eq!(told(&report), ["dev/web +0 ~1 -0"]);
    assert_eq!(report["environments"][0]["targets"][0]["hidden"], 1);
    assert_eq!(told(&json(&repo, &["--show-hidden"])), ["dev/web +1 ~1 -0"]);
}
