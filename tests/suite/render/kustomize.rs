//! The kustomize renderer with the real kustomize, alone and inside kubectl.

use hydrator::model::{EntryKind, Renderer, Tool};
use hydrator::render::Toolbox;

use super::bench::{Bench, Tree, ids, joined, kustomize, output_of, tools, tools_path};

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  template:\n    spec:\n      containers:\n      - name: web\n        image: web:1\n";

fn overlays() -> Tree {
    Tree::of(&[
        ("apps/web/base/kustomization.yaml", "resources: [deployment.yaml]\n"),
        ("apps/web/base/deployment.yaml", DEPLOYMENT),
        (
            "apps/web/overlays/dev/kustomization.yaml",
            "namespace: shop\nresources: [../../base]\ncomponents: [../../../../shared]\npatches:\n- path: patch.yaml\nconfigMapGenerator:\n- name: settings\n  files: [\"on.txt\", key=files/other.txt]\n  envs: [v.env]\n",
        ),
        (
            "apps/web/overlays/dev/patch.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n",
        ),
        ("apps/web/overlays/dev/on.txt", "on\n---\nkind: B\n"),
        ("apps/web/overlays/dev/files/other.txt", "x"),
        ("apps/web/overlays/dev/v.env", "A=yes\n"),
        ("shared/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {a: \"on\"}\n"),
        // Nothing reaches this one, so nothing in it matters.
        ("other/kustomization.yaml", "{{ not yaml"),
    ])
    .with("other/link", EntryKind::Link, "/etc/passwd")
}

#[test]
fn output_is_the_tools_own_byte_for_byte() {
    let bench = Bench::new(overlays());
    let rendered = bench.render(&kustomize("apps/web/overlays/dev", &[]));
    let directory = tempfile::tempdir().unwrap();
    let directory = camino::Utf8Path::from_path(directory.path()).unwrap();
    bench.tree.write(directory);
    let own = output_of("kustomize", &["build", "apps/web/overlays/dev"], directory);
    assert_eq!(joined(&rendered), own);
    assert!(own.contains("---\n    kind: B"), "{own}");
    assert_eq!(rendered.commands, ["kustomize build apps/web/overlays/dev"]);
    assert_eq!(rendered.version.unwrap(), bench.toolbox.version(Tool::Kustomize).unwrap());
}

#[test]
fn kubectl_serves_where_there_is_no_kustomize() {
    let only = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(tools().join("kubectl"), only.path().join("kubectl")).unwrap();
    let toolbox = Toolbox::discover(only.path().to_str().unwrap());
    let bench = Bench::with_toolbox(overlays(), toolbox);
    let rendered = bench.render(&kustomize("apps/web/overlays/dev", &[]));
    assert_eq!(ids(&rendered)[1], "Deployment.apps shop/web");
    assert_eq!(rendered.commands, ["kubectl kustomize apps/web/overlays/dev"]);
    assert!(rendered.version.unwrap().starts_with("kustomize 5."));
}

#[test]
fn what_kustomize_says_although_it_succeeds_is_a_warning() {
    let tree = Tree::of(&[
        ("k/kustomization.yaml", "resources: [d.yaml]\ncommonLabels: {a: b}\n"),
        ("k/d.yaml", DEPLOYMENT),
    ]);
    let rendered = Bench::new(tree).render(&kustomize("k", &[]));
    assert_eq!(rendered.manifests.len(), 1);
    assert!(
        rendered.warnings.iter().any(|warning| warning.contains("commonLabels")),
        "{:?}",
        rendered.warnings
    );
}

#[test]
fn failures_carry_the_tools_message_and_the_command() {
    let tree = Tree::of(&[("k/kustomization.yaml", "resources: [missing.yaml]\n")]);
    let message = Bench::new(tree).error(&kustomize("k", &[]));
    assert!(
        message.starts_with("cannot render target `web` of environment `dev`: `kustomize build k` fails"),
        "{message}"
    );
    assert!(message.contains("k/missing.yaml"), "{message}");
    let scratch = std::env::temp_dir();
    assert!(!message.contains(scratch.to_str().unwrap()) && !message.contains("E11"), "{message}");
}

#[test]
fn an_empty_result_is_no_error_here() {
    let tree = Tree::of(&[("k/kustomization.yaml", "resources: []\nkind: Kustomization\n")]);
    assert_eq!(Bench::new(tree).render(&kustomize("k", &[])).manifests.len(), 0);
}

#[test]
fn remote_resources_are_refused_before_a_tool_starts() {
    let url = "https://example.com/x.yaml";
    for (content, named) in [
        (format!("resources: [{url}]\n"), url),
        (format!("Resources: [{url}]\n"), url),
        (format!("re\u{17f}ources: [{url}]\n"), url),
        ("x: &r [github.com/acme/base]\nbases: *r\n".to_owned(), "github.com/acme/base"),
        ("components: ['git@example.com:acme/c']\n".to_owned(), "git@example.com:acme/c"),
        ("resources: ['file:///etc']\n".to_owned(), "file:///etc"),
        (format!("crds: [{url}]\n"), url),
        (format!("configurations: [{url}]\n"), url),
        (format!("openapi: {{path: {url}}}\n"), url),
        (format!("patches: [{{path: {url}}}]\n"), url),
        (format!("patchesStrategicMerge: [{url}]\n"), url),
        (format!("patchesJson6902: [{{path: {url}}}]\n"), url),
        (format!("replacements: [{{path: {url}}}]\n"), url),
        (format!("configMapGenerator: [{{name: a, files: [k={url}]}}]\n"), url),
        (format!("secretGenerator: [{{name: a, envs: [{url}]}}]\n"), url),
        (format!("transformers: [{url}]\n"), url),
        (
            "helmCharts: [{name: redis, repo: 'https://charts.example.com', version: 1.0.0}]\n".to_owned(),
            "redis from https://charts.example.com",
        ),
        ("generators: [generator.yaml]\n".to_owned(), "redis from https://charts.example.com"),
        (
            "generators: ['{kind: HelmChartInflationGenerator, name: redis, repo: \"oci://example.com\"}']\n"
                .to_owned(),
            "redis from oci://example.com",
        ),
        ("resources: [../inner]\n".to_owned(), url),
    ] {
        let tree = Tree::of(&[
            ("k/kustomization.yaml", content.as_str()),
            (
                "k/generator.yaml",
                "apiVersion: builtin\nkind: HelmChartInflationGenerator\nname: redis\nrepo: https://charts.example.com\nversion: 1.0.0\n",
            ),
            ("inner/Kustomization", "resources: ['https://example.com/x.yaml']\n"),
            ("k/github.com/acme/base/kustomization.yaml", "{}\n"),
        ]);
        // There is no tool here: if one were to be started, that would be the error.
        let bench = Bench::with_toolbox(tree, Toolbox::discover(""));
        let message = bench.error(&kustomize("k", &[]));
        assert!(
            message.contains("names the remote resource") && message.contains(named),
            "{content}: {message}"
        );
    }
}

#[test]
fn keys_in_another_case_mean_the_same_to_kustomize() {
    // The reason why the walk folds case: the real tool accepts these.
    for key in ["RESOURCES", "re\u{17f}ources"] {
        let content = format!("{key}: [d.yaml]\n");
        let tree = Tree::of(&[("k/kustomization.yaml", content.as_str()), ("k/d.yaml", DEPLOYMENT)]);
        assert_eq!(ids(&Bench::new(tree).render(&kustomize("k", &[]))), ["Deployment.apps web"]);
    }
}

#[test]
fn allowed_remote_resources_still_cannot_be_files_of_the_machine() {
    let tree = Tree::of(&[("k/kustomization.yaml", "resources: ['file:///etc']\n")]);
    let mut target = kustomize("k", &[]);
    let Renderer::Kustomize(options) = &mut target.renderer else { unreachable!() };
    options.allow_remote = true;
    let message = Bench::with_toolbox(tree, Toolbox::discover("")).error(&target);
    assert!(message.contains("file:///etc"), "{message}");
}

#[test]
fn nothing_outside_of_the_repository_is_read() {
    for content in [
        "resources: [/etc/passwd]\n",
        "resources: [../../etc]\n",
        "configMapGenerator: [{name: a, files: [../../../../proc/self/environ]}]\n",
        "resources: [link.yaml]\n",
        "resources: [directory/x.yaml]\n",
    ] {
        let tree = Tree::of(&[("k/kustomization.yaml", content)])
            .with("k/link.yaml", EntryKind::Link, "/etc/passwd")
            .with("k/directory", EntryKind::Link, "../../outside");
        let target = kustomize("k", &["--load-restrictor=LoadRestrictionsNone"]);
        let message = Bench::with_toolbox(tree, Toolbox::discover("")).error(&target);
        assert!(
            message.contains("out of the repository") || message.contains("outside of the repository"),
            "{message}"
        );
    }
}

#[test]
fn charts_in_the_tree_are_inflated_by_the_helm_that_was_found() {
    let tree = Tree::of(&[
        (
            "k/kustomization.yaml",
            "helmCharts: [{name: mini, releaseName: r, namespace: shop, valuesFile: v.yaml}]\nhelmGlobals: {chartHome: ../charts}\n",
        ),
        ("k/v.yaml", "word: \"on\"\n"),
        ("charts/mini/Chart.yaml", "apiVersion: v2\nname: mini\nversion: 1.0.0\n"),
        (
            "charts/mini/templates/c.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n  word: {{ .Values.word | quote }}\n",
        ),
    ]);
    let bench = Bench::new(tree);
    let target = kustomize("k", &["--enable-helm"]);
    let rendered = bench.render(&target);
    assert_eq!(ids(&rendered), ["ConfigMap r"]);
    assert!(rendered.version.unwrap().contains(", helm 4."));
    let toolbox = Toolbox::discover(&tools_path()).with_program(Tool::Helm, tools().join("helm3"));
    let rendered = Bench { toolbox, ..bench }.render(&target);
    assert!(rendered.version.unwrap().contains(", helm 3."));
}
