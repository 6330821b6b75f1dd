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

/// The DRY branch once ran `gen.sh`; since then it only reads plain files, which a judge looks at.
fn moved_on() -> TestRepo {
    let repo = TestRepo::with_files(&files(&[
        (
            "hydrator.yaml",
            "version: 1\nenvironments: [{name: dev}]\ntargets: [{path: web, name: web, command: [sh, gen.sh], inputs: [\"*\"]}]\n\
             diff: {ignore: [{kind: A}], signals: [image]}\n",
        ),
        ("web/gen.sh", "echo 'kind: A'; echo 'metadata: {name: a}'\n"),
        ("web/a.yaml", "kind: A\nmetadata: {name: a}\n"),
    ]));
    repo.switch("evil");
    repo.switch("main");
    repo.write(
        "hydrator.yaml",
        "version: 1\nenvironments: [{name: dev}]\ntargets: [{path: web, name: web}]\nvalidate: [[\"false\"]]\n",
    );
    repo.commit("No more programs");
    repo.switch("evil");
    repo
}

#[test]
fn what_the_dry_branch_once_allowed_does_not_count() {
    let repo = moved_on();
    let mark = repo.root().join("ran");
    repo.write(
        "web/gen.sh",
        &format!("touch '{}'; echo 'kind: A'; echo 'metadata: {{name: a}}'\n", mark.display()),
    );
    repo.commit("Do harm");
    for arguments in [&["--format", "json"][..], &["--format", "json", "--determinism"]] {
        let report = diff(&repo, arguments).code(3).json();
        let said = report["environments"][0]["targets"][0]["error"]["message"].as_str().unwrap();
        assert!(said.contains("its `command` is not in the DRY branch's configuration"), "{said}");
        assert_eq!(report["agreed"]["sha"].as_str(), repo.tip("main").as_deref());
        assert_eq!(report["agreed"]["branch"], "main");
    }
    drop(diff(&repo, &["--head", "evil", "--base", "main"]).code(3));
    assert!(!mark.exists(), "the command ran");
}

#[test]
fn no_branch_names_its_own_protected_branch() {
    let repo = moved_on();
    let mark = repo.root().join("ran");
    let text = std::fs::read_to_string(repo.work().join("hydrator.yaml")).unwrap();
    repo.write("hydrator.yaml", &format!("{text}dryBranch: evil\n"));
    repo.write(
        "web/gen.sh",
        &format!("touch '{}'; echo 'kind: A'; echo 'metadata: {{name: a}}'\n", mark.display()),
    );
    repo.commit("Do harm");
    drop(diff(&repo, &["--base", "main"]).code(3));
    assert!(!mark.exists(), "the command ran");
}

#[test]
fn judges_and_rules_are_those_of_now() {
    let repo = moved_on();
    repo.write(
        "hydrator.yaml",
        "version: 1\nenvironments: [{name: dev}]\ntargets: [{path: web, name: web}]\ndiff: {ignore: [{kind: A}]}\n",
    );
    repo.write("web/a.yaml", "kind: A\nmetadata: {name: a}\nx: 1\n");
    repo.remove("web/gen.sh");
    repo.commit("Plain");
    let said = diff(&repo, &[]).code(4).stdout().to_owned();
    assert!(said.contains("the validator `false` ends with 1"), "{said}");
    repo.switch("main");
    repo.write(
        "hydrator.yaml",
        "version: 1\nenvironments: [{name: dev}]\ntargets: [{path: web, name: web}]\n",
    );
    repo.commit("No judge");
    let report = json(&repo, &["--head", "evil"]);
    assert_eq!(told(&report), ["dev/web +0 ~1 -0"], "the base's rule hides nothing any more");
}

#[test]
fn where_the_remote_has_no_dry_branch_the_base_stands_in_for_it() {
    let repo = repo("dryBranch: main\n");
    let head = repo.tip("main").unwrap();
    repo.write("apps/web/a.yaml", "kind: A\nmetadata: {name: a}\nx: 1\n");
    repo.commit_only("More");
    repo.remote_git().run(&["update-ref", "-d", "refs/heads/main"]);
    let said = diff(&repo, &["--base", &head]).success().stdout().to_owned();
    let note = format!(
        "note: the remote has no DRY branch, so rights, validators and rules are those of {}",
        &head[..7]
    );
    assert!(said.starts_with(&note), "{said}");
    let page = diff(&repo, &["--base", &head, "--format", "markdown"]).success().stdout().to_owned();
    assert!(page.contains("; the remote has no DRY branch, so rights, "), "{page}");
}
