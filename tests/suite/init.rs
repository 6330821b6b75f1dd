//! `hydrator init`: what it proposes for repositories of several shapes is right as it stands, and nothing is overwritten.

use crate::support::command::{Outcome, Run};
use crate::support::git::TestRepo;

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: settings }\ndata: { a: b }\n";

fn init(repo: &TestRepo, words: &[&str]) -> Outcome {
    Run::hydrator(repo).arguments(["init"]).arguments(words).run()
}

fn configuration(repo: &TestRepo) -> String {
    std::fs::read_to_string(repo.work().join("hydrator.yaml")).unwrap()
}

/// The proposal passes `check` as it is, and a first run proposes every environment.
fn is_right(repo: &TestRepo, environments: usize) -> serde_json::Value {
    _ = init(repo, &[]).success();
    _ = Run::hydrator(repo).arguments(["check", "--worktree"]).run().success();
    repo.commit("Hydrate");
    let report = repo.hydration().arguments(["--dry-run"]).run().success().json();
    let found = report["environments"].as_array().unwrap();
    assert_eq!(found.len(), environments, "{report:#}");
    assert!(found.iter().all(|one| one["operation"] == "created"), "{report:#}");
    report
}

fn overlay(repo: &TestRepo, path: &str, base: &str) {
    repo.write(&format!("{path}/kustomization.yaml"), &format!("resources:\n- {base}\n"));
}

#[test]
fn overlays_become_one_pattern_and_their_bases_none() {
    let repo = TestRepo::new();
    for app in ["web", "api"] {
        repo.write(&format!("apps/{app}/base/kustomization.yaml"), "resources: [settings.yaml]\n");
        repo.write(&format!("apps/{app}/base/settings.yaml"), CONFIG_MAP);
        for name in ["prod", "dev", "staging"] {
            overlay(&repo, &format!("apps/{app}/overlays/{name}"), "../../base");
        }
    }
    // Flux makes such directories before it fills them.
    repo.write("clusters/dev/flux-system/kustomization.yaml", "resources:\n- parts.yaml\n");
    repo.write("clusters/dev/flux-system/parts.yaml", "# made by Flux\n");
    repo.commit("Overlays");
    let report = is_right(&repo, 3);
    let text = configuration(&repo);
    assert!(text.contains("path: \"apps/{app}/overlays/{environment}\"\n"), "{text}");
    assert_eq!(text.matches("- path:").count(), 1, "{text}");
    assert!(text.contains("since they render to nothing:\n#   clusters/dev/flux-system\n"), "{text}");
    let names = |at: usize| report["environments"][at]["name"].as_str().unwrap().to_owned();
    assert_eq!([names(0), names(1), names(2)], ["dev", "staging", "prod"]);
}

#[test]
fn regions_of_one_step_are_promoted_side_by_side() {
    let repo = TestRepo::new();
    repo.write("base/kustomization.yaml", "resources: [settings.yaml]\n");
    repo.write("base/settings.yaml", CONFIG_MAP);
    repo.write(
        "variants/eu/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n",
    );
    for name in ["qa", "prod-eu", "prod-us"] {
        overlay(&repo, &format!("envs/{name}"), "../../base");
    }
    repo.commit("Environments");
    _ = is_right(&repo, 3);
    let text = configuration(&repo);
    assert!(text.contains("- name: prod-eu\n    after: [qa]\n"), "{text}");
    assert!(text.contains("- name: qa\n    after: []\n"), "{text}");
}

#[test]
fn charts_get_their_value_files_and_what_argo_cd_says_of_them() {
    let repo = TestRepo::new();
    repo.write("charts/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n");
    repo.write(
        "charts/shop/templates/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop\ndata:\n  a: {{ .Values.a | quote }}\n",
    );
    repo.write("charts/shop/values.yaml", "a: b\n");
    repo.write("charts/shop/values-dev.yaml", "a: c\n");
    repo.write("charts/shop/values-prod.yaml", "a: d\n");
    repo.write(
        "argocd/shop.yaml",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: shop-app\n  namespace: argocd\nspec:\n  source:\n    path: charts/shop\n    helm:\n      releaseName: storefront\n  destination:\n    namespace: shop-space\n",
    );
    repo.commit("Chart");
    _ = is_right(&repo, 2);
    let text = configuration(&repo);
    for part in [
        "as the Argo CD Application shop-app deploys it",
        "releaseName: storefront",
        "namespace: shop-space",
        "valueFiles: [values.yaml, \"values-{environment}.yaml?\"]",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn templates_and_plain_manifests_are_found_beside_each_other() {
    let repo = TestRepo::new();
    for name in ["dev", "prod"] {
        repo.write(&format!("manifests/{name}/web/settings.yaml"), CONFIG_MAP);
        repo.write(&format!("jobs/{name}/job.yaml.j2"), CONFIG_MAP);
        repo.write(&format!("jobs/{name}/values.yaml"), "a: b\n");
    }
    repo.write("docs/example.yaml", "just: text\n");
    repo.commit("Manifests");
    let report = is_right(&repo, 2);
    assert_eq!(report["environments"][0]["targets"].as_array().unwrap().len(), 2, "{report:#}");
}

#[test]
fn one_environment_is_enough() {
    let repo = TestRepo::new();
    repo.write("web/settings.yaml", CONFIG_MAP);
    repo.commit("Manifests");
    _ = is_right(&repo, 1);
}

#[test]
fn nothing_is_overwritten_and_nothing_to_render_is_said() {
    let repo = TestRepo::new();
    repo.write("README.md", "nothing\n");
    let nothing = init(&repo, &[]).code(2);
    assert!(nothing.stderr().contains("nothing here can be rendered"), "{nothing:?}");
    repo.write("web/settings.yaml", CONFIG_MAP);
    repo.write("hydrator.yaml", "mine\n");
    repo.write(".github/workflows/hydrator.yml", "mine, too\n");
    let refused = init(&repo, &[]).code(2);
    assert!(refused.stderr().contains("is there already"), "{refused:?}");
    assert_eq!(configuration(&repo), "mine\n");
    let shown = init(&repo, &["--dry-run"]).success();
    assert!(shown.stdout().contains("version: 1"), "{shown:?}");
    std::fs::remove_file(repo.work().join("hydrator.yaml")).unwrap();
    let done = init(&repo, &[]).success();
    assert!(
        done.stdout().contains("wrote hydrator.yaml\nleft .github/workflows/hydrator.yml as it is"),
        "{done:?}"
    );
    let workflow = std::fs::read_to_string(repo.work().join(".github/workflows/hydrator.yml")).unwrap();
    assert_eq!(workflow, "mine, too\n");
}

#[test]
fn the_workflow_is_for_the_forge_that_is_there() {
    for (forge, path, says) in [
        ("github", ".github/workflows/hydrator.yml", "contents: write"),
        ("gitlab", ".gitlab-ci.yml", "include:"),
    ] {
        let repo = TestRepo::new();
        repo.write("web/settings.yaml", CONFIG_MAP);
        let done = init(&repo, &["--forge", forge]).success();
        assert!(done.stdout().contains(&format!("wrote {path}")), "{done:?}");
        let text = std::fs::read_to_string(repo.work().join(path)).unwrap();
        assert!(text.contains(says), "{text}");
    }
}

/// Text without line breaks and the like.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_next_is_what_the_readme_says() {
    let readme =
        std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    for (forge, title, first) in [
        ("github", "GitHub", "1. In `.github/workflows/hydrator.yml`, replace `OWNER`"),
        ("gitlab", "GitLab", "1. In `.gitlab-ci.yml`, replace `OWNER`"),
    ] {
        let repo = TestRepo::new();
        repo.write("web/settings.yaml", CONFIG_MAP);
        let done = init(&repo, &["--forge", forge]).success();
        let told = done.stdout().split_once("\nNext, in this order:\n").expect("there is something to do").1;
        let section = readme.split_once(&format!("\n## Five minutes on {title}\n")).unwrap().1;
        let section = section.split_once("\n## ").unwrap().0;
        let start = section.find("\n1. ").expect("there are steps");
        let (steps, rest) = section[start + 1..].split_once("\n\n").unwrap();
        assert!(steps.starts_with(first), "{steps}");
        assert!(told.starts_with(&format!("{steps}\n")), "{told}\n{steps}");
        // The table, cell by cell, in its order and whole.
        let rows = rest.lines().take_while(|line| line.starts_with('|'));
        let rows: Vec<Vec<&str>> =
            rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect();
        let pairs = rows[2..].iter().flat_map(|row| rows[0].iter().zip(row));
        let table: Vec<String> = pairs.map(|(title, cell)| format!("{title}: {cell}")).collect();
        assert!(rows.len() == 4 && table.join(" ").contains("hydrator/*-next"), "{rows:?}");
        assert_eq!(squeezed(&told[steps.len()..]), table.join(" "));
    }
}

#[test]
fn the_name_that_people_have_to_fill_in_is_pointed_at() {
    for (forge, path) in [("github", ".github/workflows/hydrator.yml"), ("gitlab", ".gitlab-ci.yml")] {
        let repo = TestRepo::new();
        repo.write("web/settings.yaml", CONFIG_MAP);
        _ = init(&repo, &["--forge", forge]).success();
        let text = std::fs::read_to_string(repo.work().join(path)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        let at = lines.iter().position(|line| line.contains("OWNER/")).expect("it names an owner");
        assert_eq!(lines[at - 1].trim(), "# Replace OWNER: whose hydrator you use.", "{text}");
    }
}

#[test]
fn a_proposal_that_would_not_pass_is_not_written() {
    let repo = TestRepo::new();
    for name in ["dev", "prod"] {
        repo.write(&format!("envs/{name}/kustomization.yaml"), "resources: [settings.yaml]\n");
        repo.write(&format!("envs/{name}/settings.yaml"), CONFIG_MAP);
    }
    // Kustomize refuses a directory with two of them.
    repo.write("envs/prod/kustomization.yml", "resources: [settings.yaml]\n");
    let refused = init(&repo, &[]).code(3);
    for part in
        ["nothing was written", "has both `kustomization.yaml` and `kustomization.yml`", "init --dry-run"]
    {
        assert!(refused.stderr().contains(part), "{part}\n{refused:?}");
    }
    assert!(!repo.work().join("hydrator.yaml").exists());
    let shown = init(&repo, &["--dry-run"]).code(3);
    assert!(shown.stdout().contains("version: 1\n"), "{shown:?}");
}
