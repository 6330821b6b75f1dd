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
fn overlays_that_inflate_charts_may_call_helm() {
    let repo = TestRepo::new();
    let chart = "apiVersion: v2\nname: mini\nversion: 1.0.0\n";
    repo.write("apps/cache/base/charts/mini/Chart.yaml", chart);
    repo.write("apps/cache/base/charts/mini/values.yaml", "{}\n");
    repo.write("apps/cache/base/charts/mini/templates/settings.yaml", CONFIG_MAP);
    repo.write("apps/cache/base/kustomization.yaml", "helmCharts: [{name: mini, releaseName: cache}]\n");
    repo.write("apps/web/base/kustomization.yaml", "resources: [settings.yaml]\n");
    repo.write("apps/web/base/settings.yaml", CONFIG_MAP);
    repo.write("tools/dev/kustomization.yaml", "configMapGenerator: [{name: a, literals: [b=c]}]\n");
    for name in ["dev", "prod"] {
        overlay(&repo, &format!("apps/cache/overlays/{name}"), "../../base");
        overlay(&repo, &format!("apps/web/overlays/{name}"), "../../base");
    }
    repo.commit("Overlays");
    _ = is_right(&repo, 2);
    let text = configuration(&repo);
    assert_eq!(text.matches("- path:").count(), 2, "{text}");
    let entry = |path: &str| text.split("  - path: ").find(|entry| entry.contains(path)).unwrap();
    let option = "    kustomize: { buildOptions: [--enable-helm] }\n";
    assert!(entry("apps/{app}/overlays/{environment}").contains(option), "{text}");
    assert!(!entry("tools/{environment}").contains(option), "{text}");
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

/// Files, and what the proposal for them must and must not say; it passes as it stands, and so does a first run.
fn shape(
    files: &[(&str, &str)],
    environments: usize,
    said: &[&str],
    not_said: &[&str],
) -> (TestRepo, serde_json::Value) {
    let repo = TestRepo::new();
    for (path, text) in files {
        repo.write(path, text);
    }
    repo.commit("A repository");
    let report = is_right(&repo, environments);
    let text = configuration(&repo);
    for part in said {
        assert!(text.contains(part), "lacks `{part}`:\n{text}");
    }
    for part in not_said {
        assert!(!text.contains(part), "has `{part}`:\n{text}");
    }
    (repo, report)
}

/// The targets of an environment, and the manifests on its proposed branch.
fn targets(report: &serde_json::Value, at: usize) -> Vec<&str> {
    let targets = report["environments"][at]["targets"].as_array().unwrap();
    targets.iter().map(|target| target["name"].as_str().unwrap()).collect()
}

const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
const TEMPLATE: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  a: {{ .Values.a | default \"b\" | quote }}\n";

fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name} }}\n")
}

#[test]
fn a_chart_at_the_root_is_proposed() {
    let (_repo, report) = shape(
        &[
            ("Chart.yaml", CHART),
            ("templates/map.yaml", TEMPLATE),
            ("values.yaml", "a: b\n"),
            ("values-dev.yaml", "a: c\n"),
            ("values-prod.yaml", "a: d\n"),
        ],
        2,
        &["- path: .\n    name: web\n"],
        &["path: \"\""],
    );
    assert_eq!(targets(&report, 0), ["web"]);
}

#[test]
fn whatever_has_the_same_name_is_told_apart() {
    let (_repo, report) = shape(
        &[
            ("team-a/web/Chart.yaml", CHART),
            ("team-a/web/templates/map.yaml", TEMPLATE),
            ("team-b/web/Chart.yaml", CHART),
            ("team-b/web/templates/map.yaml", TEMPLATE),
        ],
        1,
        &["name: team-a-web\n", "name: team-b-web\n", "releaseName: web\n"],
        &[],
    );
    assert_eq!(targets(&report, 0), ["team-a-web", "team-b-web"]);
    let (_repo, report) = shape(
        &[
            ("apps/web/overlays/prod/kustomization.yaml", "resources: [map.yaml]\n"),
            ("apps/web/overlays/prod/map.yaml", CONFIG_MAP),
            ("charts/web/Chart.yaml", CHART),
            ("charts/web/templates/map.yaml", TEMPLATE),
        ],
        1,
        &["name: apps-web\n", "name: charts-web\n"],
        &[],
    );
    assert_eq!(targets(&report, 0), ["apps-web", "charts-web"]);
}

#[test]
fn charts_of_environments_are_one_pattern() {
    let (_repo, report) = shape(
        &[
            ("dev/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
            ("dev/shop/templates/map.yaml", TEMPLATE),
            ("prod/shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
            ("prod/shop/templates/map.yaml", TEMPLATE),
            ("charts/demo/Chart.yaml", "apiVersion: v2\nname: demo\nversion: 1.0.0\n"),
            ("charts/demo/templates/map.yaml", TEMPLATE),
        ],
        2,
        &["- name: dev\n", "- name: prod\n", "path: \"{environment}/shop\"", "path: charts/demo\n"],
        &["production", "name: demo\n    after"],
    );
    assert_eq!(targets(&report, 1), ["demo", "shop"]);
}

#[test]
fn environments_get_legal_names_however_paths_spell_them() {
    let (_repo, report) = shape(
        &[
            ("deploy/Dev/map.yaml", CONFIG_MAP),
            ("deploy/Prod/map.yaml", CONFIG_MAP),
            ("charts/web/Chart.yaml", CHART),
            ("charts/web/templates/map.yaml", TEMPLATE),
            ("charts/web/values-Dev.yaml", "a: c\n"),
        ],
        2,
        &[
            "- name: dev\n    vars: { directory: Dev }\n",
            "path: \"deploy/{vars.directory}\"",
            "values-{vars.directory}.yaml?",
            "environments: [dev]\n",
        ],
        &["{environment}"],
    );
    assert_eq!(targets(&report, 0), ["deploy", "web"]);
    assert_eq!(targets(&report, 1), ["deploy"]);
}

#[test]
fn plain_manifests_are_rendered_once() {
    let (repo, report) = shape(
        &[
            ("dev/ns.yaml", &config_map("ns")),
            ("dev/web/cm.yaml", &config_map("web")),
            ("dev/api/cm.yaml", &config_map("api")),
            ("prod/ns.yaml", &config_map("ns")),
            ("prod/web/cm.yaml", &config_map("web")),
            ("prod/api/cm.yaml", &config_map("api")),
        ],
        2,
        &["path: \"{environment}\""],
        &["recurse"],
    );
    assert_eq!(targets(&report, 0), ["app"]);
    _ = repo.hydration().run().success();
    let all = repo.remote_git().run(&["grep", "-h", "name:", "hydrator/prod-next", "--", "*/manifest.yaml"]);
    assert_eq!(all.lines().count(), 3, "{all}");
}

#[test]
fn plain_manifests_above_something_else_stand_for_themselves() {
    let (_repo, report) = shape(
        &[
            ("dev/ns.yaml", &config_map("ns")),
            ("dev/web/kustomization.yaml", "resources: [cm.yaml]\n"),
            ("dev/web/cm.yaml", &config_map("web")),
            ("prod/ns.yaml", &config_map("ns")),
        ],
        2,
        &["plain: { recurse: false }"],
        &[],
    );
    assert_eq!(report["environments"][0]["targets"].as_array().unwrap().len(), 2, "{report:#}");
    // What is for all environments does not take theirs along.
    let (_repo, report) = shape(
        &[
            ("deploy/ns.yaml", &config_map("ns")),
            ("deploy/dev/cm.yaml", &config_map("web")),
            ("deploy/prod/cm.yaml", &config_map("web")),
        ],
        2,
        &["renders one for all of them:\n#   deploy\n"],
        &["- path: deploy\n"],
    );
    assert_eq!(targets(&report, 0), ["deploy"]);
}

#[test]
fn what_is_no_manifest_is_told_and_left_out() {
    let (_repo, report) = shape(
        &[
            ("k8s/dev/cm.yaml", &config_map("web")),
            ("k8s/dev/renovate.json", "{\"extends\": []}\n"),
            ("k8s/prod/cm.yaml", &config_map("web")),
            ("jobs/dev/cm.yaml", &config_map("job")),
            ("jobs/prod/cm.yaml", &config_map("job")),
        ],
        2,
        &["exclude: [k8s/dev]", "hold more than manifests", "#   k8s/dev (renovate.json)\n"],
        &[],
    );
    assert_eq!(targets(&report, 0), ["jobs"]);
    assert_eq!(targets(&report, 1), ["jobs", "k8s"]);
}

fn application(name: &str, path: &str, namespace: &str, helm: &str) -> String {
    format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: {name}}}\nspec:\n  source:\n    path: {path}\n    helm: {{{helm}}}\n  destination: {{namespace: {namespace}}}\n"
    )
}

#[test]
fn each_environment_keeps_what_its_application_says() {
    let chart = |rest: &[(&str, &str)], said: &[&str], not_said: &[&str]| {
        let mut files = vec![
            ("charts/api/Chart.yaml", "apiVersion: v2\nname: api\nversion: 1.0.0\n"),
            ("charts/api/templates/map.yaml", TEMPLATE),
        ];
        files.extend(rest);
        shape(&files, 2, said, not_said)
    };
    let (repo, _) = chart(
        &[
            (
                "argocd/dev.yaml",
                &application("api-dev", "charts/api", "api-dev", "valueFiles: [env-dev.yaml]"),
            ),
            (
                "argocd/prod.yaml",
                &application("api-prod", "charts/api", "api-prod", "valueFiles: [env-prod.yaml]"),
            ),
            ("charts/api/env-dev.yaml", "a: of dev\n"),
            ("charts/api/env-prod.yaml", "a: of prod\n"),
        ],
        &[
            "as the Argo CD Applications api-dev, api-prod deploy it",
            "releaseName: \"api-{environment}\"",
            "namespace: \"api-{environment}\"",
            "valueFiles: [\"env-{environment}.yaml\"]\n",
        ],
        &["overrides", "guessed", "may be missing"],
    );
    _ = repo.hydration().run().success();
    let manifest = repo.remote_git().run(&["show", "hydrator/prod-next:api/manifest.yaml"]);
    assert!(manifest.contains("namespace: api-prod") && manifest.contains("of prod"), "{manifest}");
    // What follows no rule is said of the environment.
    let (repo, _) = chart(
        &[
            ("argocd/dev.yaml", &application("api-dev", "charts/api", "playground", "releaseName: api")),
            (
                "argocd/prod.yaml",
                &application("api-prod", "charts/api", "shop", "releaseName: api, parameters: []"),
            ),
            (
                "argocd/sets.yaml",
                "apiVersion: argoproj.io/v1alpha1\nkind: ApplicationSet\nmetadata: {name: all}\n",
            ),
        ],
        &[
            "releaseName: api\n",
            "namespace: playground\n",
            "    overrides:\n      prod: { helm: { namespace: shop } }\n",
            "NOT carried over from there: helm.parameters",
            "ApplicationSets. Compare their names, namespaces and value files with what is proposed:\n#   argocd/sets.yaml\n",
        ],
        &["Application \"\""],
    );
    _ = repo.hydration().run().success();
    for (environment, namespace) in [("dev", "playground"), ("prod", "shop")] {
        let file = format!("hydrator/{environment}-next:api/manifest.yaml");
        let manifest = repo.remote_git().run(&["show", &file]);
        assert!(manifest.contains(&format!("namespace: {namespace}")), "{manifest}");
    }
}

#[test]
fn a_chart_that_is_deployed_twice_is_two_targets() {
    let (_repo, report) = shape(
        &[
            ("charts/service/Chart.yaml", "apiVersion: v2\nname: service\nversion: 1.0.0\n"),
            ("charts/service/templates/map.yaml", TEMPLATE),
            ("apps/orders-dev.yaml", &application("orders-dev", "charts/service", "orders", "")),
            ("apps/orders-prod.yaml", &application("orders-prod", "charts/service", "orders", "")),
            ("apps/users-prod.yaml", &application("users-prod", "charts/service", "users", "")),
        ],
        2,
        &["name: orders\n", "name: users\n    # those that something is said of\n    environments: [prod]\n"],
        &[],
    );
    assert_eq!(targets(&report, 1), ["orders", "users"]);
}

#[test]
fn the_root_may_be_rendered_itself() {
    let (_repo, report) = shape(
        &[("kustomization.yaml", "resources: [map.yaml]\n"), ("map.yaml", CONFIG_MAP)],
        1,
        &["- path: .\n    name: app\n"],
        &[],
    );
    assert_eq!(targets(&report, 0), ["app"]);
    let (_repo, report) = shape(&[("map.yaml", CONFIG_MAP)], 1, &["- path: .\n    name: app\n"], &[]);
    assert_eq!(targets(&report, 0), ["app"]);
}

#[test]
fn value_files_are_found_under_their_other_names() {
    let (repo, _) = shape(
        &[
            ("chart/Chart.yaml", CHART),
            ("chart/templates/map.yaml", TEMPLATE),
            ("chart/values-dev.yml", "a: of dev\n"),
            ("chart/values-prod.yml", "a: of prod\n"),
            ("config/dev/values.yaml", "b: 1\n"),
        ],
        2,
        &[
            "valueFiles: [\"values-{environment}.yml?\", \"/config/{environment}/values.yaml?\"]  # `?`: may be missing\n",
        ],
        &[],
    );
    _ = repo.hydration().run().success();
    assert!(repo.remote_git().run(&["show", "hydrator/prod-next:web/manifest.yaml"]).contains("of prod"));
    _ = shape(
        &[
            ("chart/Chart.yaml", CHART),
            ("chart/templates/map.yaml", TEMPLATE),
            ("chart/values.yaml", "a: b\n"),
        ],
        1,
        &["valueFiles: [values.yaml]\n"],
        &["may be missing"],
    );
}

#[test]
fn bases_are_used_in_whatever_way_they_are_written() {
    _ = shape(
        &[
            ("base/kustomization.yaml", "resources: [map.yaml]\n"),
            ("base/map.yaml", CONFIG_MAP),
            ("overlays/dev/kustomization.yaml", "resources: [../../base]\n"),
            ("overlays/prod/kustomization.yaml", "{\"resources\": [\"../../base/\"]}\n"),
            ("kustomization.yaml", "resources: [overlays/dev, overlays/prod]\n"),
        ],
        2,
        &["path: \"overlays/{environment}\"", "bring several environments together:\n#   .\n"],
        &["#   base"],
    );
}

#[test]
fn templates_with_value_files_need_no_directories() {
    let (_repo, report) = shape(
        &[
            (
                "apps/shop/map.yaml.j2",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: \"{{ name }}\" }\n",
            ),
            (
                "apps/shop/more/map.yaml.j2",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: \"{{ name }}-2\" }\n",
            ),
            ("apps/shop/values-dev.yaml", "name: a\n"),
            ("apps/shop/values-prod.yaml", "name: b\n"),
        ],
        2,
        &["- path: apps/shop\n"],
        &["apps/shop/more"],
    );
    assert_eq!(targets(&report, 0), ["apps-shop"]);
}

fn read(repo: &TestRepo, path: &str) -> String {
    std::fs::read_to_string(repo.work().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const WORKFLOW: &str = ".github/workflows/hydrator.yml";
const PIPELINE: &str = ".gitlab-ci.yml";

fn with_remote(url: &str, more: &[(&str, &str)]) -> TestRepo {
    let repo = TestRepo::new();
    repo.write("web/settings.yaml", CONFIG_MAP);
    for (path, text) in more {
        repo.write(path, text);
    }
    repo.work_git().run(&["remote", "set-url", "origin", url]);
    repo
}

#[test]
fn the_workflow_starts_for_the_branch_that_people_edit() {
    // The remote cannot be reached: what is checked out has to tell.
    let repo = with_remote("git@github.com:nobody/nothing.git", &[]);
    repo.work_git().run(&["symbolic-ref", "HEAD", "refs/heads/master"]);
    let done = init(&repo, &[]).success();
    assert!(read(&repo, WORKFLOW).contains("branches: [master]\n"), "{done:?}");
    assert!(
        done.stdout().contains("1 environment (production), 1 target, hydrated from `master`\n"),
        "{done:?}"
    );
    // A clone remembers the default branch, whatever is checked out.
    let repo = with_remote("git@github.com:nobody/nothing.git", &[]);
    repo.commit_only("First");
    let git = repo.work_git();
    git.run(&["update-ref", "refs/remotes/origin/trunk", "HEAD"]);
    git.run(&["symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk"]);
    git.run(&["switch", "--quiet", "--create", "mine"]);
    _ = init(&repo, &[]).success();
    assert!(read(&repo, WORKFLOW).contains("branches: [trunk]\n"));
}

#[test]
fn the_remote_tells_the_forge_before_directories_do() {
    let github = (".github/CODEOWNERS", "* @sre\n");
    for (url, file, wanted) in [
        ("git@gitlab.com:o/r.git", github, PIPELINE),
        ("https://gitlab.example.com/o/r.git", github, PIPELINE),
        ("git@github.com:o/r.git", (".gitlab-ci.yml", "a: b\n"), WORKFLOW),
        ("git@git.example.com:o/r.git", github, WORKFLOW),
    ] {
        let repo = with_remote(url, &[file]);
        let done = init(&repo, &[]).success();
        assert!(done.stdout().contains(&format!("wrote {wanted}\n")), "{url}: {done:?}");
        assert!(!done.stderr().contains("forge"), "{url}: {done:?}");
    }
    for url in ["git@ghe.example.com:o/r.git", "ssh://git@git.example.com/o/r.git"] {
        let repo = with_remote(url, &[]);
        let done = init(&repo, &[]).success();
        let said = "no forge recognised, so there is no workflow: the remote";
        assert!(done.stderr().contains(said) && done.stderr().contains("--forge github"), "{url}: {done:?}");
        // As advised: the configuration stays, the workflow comes.
        let again = init(&repo, &["--forge", "github"]).success();
        let wanted = format!(
            "left hydrator.yaml as it is; `hydrator init --dry-run` prints a proposal to compare it with\nwrote {WORKFLOW}\n"
        );
        assert!(again.stdout().starts_with(&wanted), "{again:?}");
        assert!(!init(&with_remote(url, &[]), &["--forge", "none"]).success().stderr().contains("forge"));
    }
}

#[test]
fn the_pipeline_installs_what_is_needed() {
    let kustomization = ("apps/web/kustomization.yaml", "resources: [../../web/settings.yaml]\n");
    let inflated = (
        "apps/web/kustomization.yaml",
        "helmCharts: [{name: a, version: 1.0.0, repo: https://charts.example.com}]\n",
    );
    let chart = ("chart/Chart.yaml", CHART);
    for (files, kustomize, helm) in [
        (vec![], false, false),
        (vec![kustomization], true, false),
        (vec![chart], false, true),
        (vec![kustomization, chart], true, true),
        (vec![inflated], true, true),
    ] {
        let repo = with_remote("git@gitlab.com:o/r.git", &files);
        _ = init(&repo, &[]).success();
        let text = read(&repo, PIPELINE);
        assert_eq!(text.contains("\n      kustomize-version: v"), kustomize, "{text}");
        assert_eq!(text.contains("\n      helm-version: v"), helm, "{text}");
        assert!(!text.contains("# kustomize-version") && !text.contains("# helm-version"), "{text}");
    }
}

#[test]
fn the_pipeline_offers_the_environments_that_there_are() {
    let files = [("k8s/qa/map.yaml", CONFIG_MAP), ("k8s/live/map.yaml", CONFIG_MAP)];
    let repo = with_remote("git@gitlab.com:o/r.git", &files);
    _ = init(&repo, &[]).success();
    let text = read(&repo, PIPELINE);
    assert!(text.contains("options: [qa, live]") && text.contains("\n      default: qa\n"), "{text}");
    assert!(!text.contains("dev"), "{text}");
}

#[test]
fn another_path_of_the_configuration_reaches_the_workflow() {
    for (forge, path, line) in [
        ("github", WORKFLOW, "\n        with:\n          config: envs/hydrator.yaml\n"),
        ("gitlab", PIPELINE, "\n    inputs:\n      config: envs/hydrator.yaml\n"),
    ] {
        let repo = with_remote("git@git.example.com:o/r.git", &[]);
        let done = init(&repo, &["--forge", forge, "--config", "envs/hydrator.yaml"]).success();
        assert!(read(&repo, path).contains(line), "{}", read(&repo, path));
        assert!(
            done.stdout().contains("`hydrator check --worktree --config envs/hydrator.yaml`"),
            "{done:?}"
        );
    }
}

#[test]
fn a_directory_of_the_repository_stands_for_all_of_it() {
    let repo = TestRepo::new();
    repo.write("deploy/dev/settings.yaml", CONFIG_MAP);
    repo.write("deploy/prod/settings.yaml", CONFIG_MAP);
    let run =
        Run::hydrator(&repo).directory(&repo.work().join("deploy")).arguments(["init", "--forge", "github"]);
    let done = run.run().success();
    let top = repo.work().canonicalize().unwrap();
    let said = format!("the repository begins at {}: all of it is looked at", top.display());
    assert!(done.stderr().contains(&said), "{done:?}");
    assert!(configuration(&repo).contains("path: \"deploy/{environment}\"\n"));
    assert!(repo.work().join(WORKFLOW).is_file() && !repo.work().join("deploy/.github").exists());
    _ = Run::hydrator(&repo).arguments(["check", "--worktree"]).run().success();
}
