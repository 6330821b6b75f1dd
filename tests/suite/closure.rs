//! What a closure says besides the files: what would be fetched, what cannot be told, what leads out of the tree.

use hydrator::model::{
    ChartSource, CommandOptions, HelmOptions, KustomizeOptions, PlainOptions, Renderer, Target,
};
use hydrator::render::closure::{Closure, Closures, Input};

use crate::support::memory_tree::MemoryTree;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn target(source: &str, renderer: Renderer) -> Target {
    Target {
        name: "web".into(),
        source: source.into(),
        output: "web".into(),
        renderer,
        allow_empty: false,
        environment_variables: Vec::new(),
    }
}

fn kustomize(source: &str) -> Target {
    target(source, Renderer::Kustomize(KustomizeOptions::default()))
}

/// The closure of `apps/web` with this kustomization and these other files.
fn closure(kustomization: &str, others: &[(&str, &str)]) -> Closure {
    let tree = MemoryTree::default().file("apps/web/kustomization.yaml", kustomization);
    let tree = others.iter().fold(tree, |tree, (path, text)| tree.file(path, text));
    Closures::new(&tree).closure(&kustomize("apps/web")).unwrap()
}

fn remote(closure: &Closure) -> Vec<(&str, bool)> {
    closure.remote.iter().map(|remote| (remote.spec.as_str(), remote.pinned)).collect()
}

#[test]
fn only_pinned_remotes_leave_a_closure_closed() {
    let pinned = format!("github.com/acme/base//k8s?ref={COMMIT}");
    let found = closure(&format!("resources: [\"{pinned}\"]\n"), &[]);
    assert_eq!((remote(&found), found.is_closed()), (vec![(pinned.as_str(), true)], true));
    for open in ["github.com/acme/base?ref=v1", "https://example.com/x.yaml", "git@example.com:a/b"] {
        let found = closure(&format!("resources: [\"{open}\"]\n"), &[]);
        assert_eq!((remote(&found), found.is_closed()), (vec![(open, false)], false), "{open}");
    }
    let chart = "helmCharts: [{name: web, repo: \"https://charts.example.com\", version: 1.2.3}]\n";
    assert_eq!(remote(&closure(chart, &[])), [("chart web from https://charts.example.com", true)]);
    assert!(!closure(&chart.replace("1.2.3", "1.x"), &[]).is_closed());
}

#[test]
fn remotes_are_found_wherever_they_hide() {
    let hidden = [
        ("resources: []\nresources: [github.com/acme/x]\n", vec![]),
        ("ReSources: [github.com/acme/x]\n", vec![]),
        ("components: [../../c]\n", vec![("c/Kustomization", "resources: [github.com/acme/x]\n")]),
        ("generators: [\"github.com/acme/x\"]\n", vec![]),
        (
            "generators: [g.yaml]\n",
            vec![(
                "apps/web/g.yaml",
                "kind: List\nitems: [{kind: ConfigMapGenerator, files: [\"k=https://github.com/acme/x\"]}]\n",
            )],
        ),
        (
            "transformers: [../../t]\n",
            vec![
                ("t/kustomization.yaml", "resources: [t.yaml]\n"),
                ("t/t.yaml", "kind: HelmChartInflationGenerator\nname: x\nrepo: https://github.com/acme/x\n"),
            ],
        ),
        ("patches: [{path: \"https://github.com/acme/x\"}]\n", vec![]),
        ("openapi: {path: \"https://github.com/acme/x\"}\n", vec![]),
    ];
    for (kustomization, others) in hidden {
        let found = closure(kustomization, &others);
        assert!(
            found.remote.iter().any(|remote| remote.spec.contains("acme/x")),
            "{kustomization}: {found:?}"
        );
    }
}

#[test]
fn what_cannot_be_told_is_said_and_the_whole_tree_counts() {
    let reason = |found: &Closure| found.whole_tree.as_ref().map(|whole| whole.reason.clone());
    let templated = closure("resources: [{{ a }}.yaml]\n- [", &[]);
    assert!(reason(&templated).unwrap().starts_with("`apps/web/kustomization.yaml` is not valid YAML"));
    assert!(!templated.is_closed() && !templated.unreadable.is_empty());

    let unknown = closure("generators: [k.yaml]\n", &[("apps/web/k.yaml", "kind: ksops\nfiles: [s.yaml]\n")]);
    let expected = "the generator or transformer `ksops` in `apps/web/k.yaml`";
    assert_eq!((reason(&unknown).as_deref(), unknown.is_closed()), (Some(expected), true));
    assert_eq!(unknown.exported(), [""]);

    // What a patch makes of a generator's configuration could name anything.
    let made = closure(
        "generators: [../gen]\n",
        &[
            ("apps/gen/kustomization.yaml", "resources: [g.yaml]\npatches: [{path: p.yaml}]\n"),
            ("apps/gen/g.yaml", "kind: ConfigMapGenerator\n"),
        ],
    );
    assert!(reason(&made).is_some() && !made.unreadable.is_empty());

    let command = CommandOptions { argv: vec!["true".into()], inputs: Vec::new() };
    let tree = MemoryTree::default().file("a/b", "");
    let found = Closures::new(&tree).closure(&target("a", Renderer::Command(command))).unwrap();
    assert_eq!(reason(&found).unwrap(), "what the command reads: it declares no `inputs`");
}

#[test]
fn what_leads_out_of_the_tree_is_a_problem() {
    for (kustomization, listing) in [
        ("resources: [../../../x.yaml]\n", ""),
        ("patches: [{path: /etc/passwd}]\n", ""),
        ("resources: [l.yaml]\n", "apps/web/l.yaml -> ../../../x.yaml"),
        ("resources: [l.yaml]\n", "apps/web/l.yaml -> /etc/passwd"),
        ("resources: [l.yaml]\n", "apps/web/l.yaml -> l.yaml"),
        ("resources: [../../sub/x.yaml]\n", "sub @"),
    ] {
        let tree = MemoryTree::parse(listing).file("apps/web/kustomization.yaml", kustomization);
        let found = Closures::new(&tree).closure(&kustomize("apps/web")).unwrap();
        assert_eq!(found.problems.len(), 1, "{kustomization}: {:?}", found.problems);
    }
}

#[test]
fn failed_look_ups_and_links_are_inputs() {
    let tree = MemoryTree::parse("apps/web/base -> ../../bases/web\nbases/web/cm.yaml")
        .file("apps/web/kustomization.yaml", "resources: [base, missing.yaml]\n")
        .file("bases/web/kustomization.yml", "resources: [cm.yaml]\n");
    let found = Closures::new(&tree).closure(&kustomize("apps/web")).unwrap();
    let letters: Vec<String> =
        found.inputs().iter().map(|(path, input)| format!("{} {path}", input.letter())).collect();
    let expected = [
        "d apps/web",
        "- apps/web/Kustomization",
        "l apps/web/base",
        "f apps/web/kustomization.yaml",
        "- apps/web/kustomization.yml",
        "- apps/web/missing.yaml",
        "d bases/web",
        "- bases/web/Kustomization",
        "f bases/web/cm.yaml",
        "- bases/web/kustomization.yaml",
        "f bases/web/kustomization.yml",
    ];
    assert_eq!(letters, expected);
    let exported =
        ["apps/web/base", "apps/web/kustomization.yaml", "bases/web/cm.yaml", "bases/web/kustomization.yml"];
    assert_eq!(found.exported(), exported);
}

#[test]
fn circles_end() {
    let tree = MemoryTree::parse("plain/x/loop -> ../../plain\nplain/x/a.yaml")
        .file("a/kustomization.yaml", "resources: [../b]\ngenerators: [../b]\n")
        .file("b/kustomization.yaml", "resources: [../a, .]\n");
    let closures = Closures::new(&tree);
    assert!(closures.closure(&kustomize("a")).unwrap().problems.is_empty());
    let plain = target("plain/x", Renderer::Plain(PlainOptions { recurse: true }));
    let inputs = closures.closure(&plain).unwrap().inputs();
    assert!(matches!(inputs.get(camino::Utf8Path::new("plain")), Some(Input::Tree(_))));
}

#[test]
fn a_chart_with_an_exact_version_is_pinned() {
    let helm = |version: &str| {
        let url = "https://charts.example.com".to_owned();
        let chart = ChartSource::Repository { url, chart: "web".into(), version: version.into() };
        let options = HelmOptions {
            chart,
            release_name: "web".into(),
            namespace: "web".into(),
            value_files: Vec::new(),
            values: serde_json::Map::new(),
            kube_version: None,
            api_versions: Vec::new(),
            include_crds: true,
            skip_tests: false,
            allow_remote: true,
        };
        let tree = MemoryTree::default();
        Closures::new(&tree).closure(&target("", Renderer::Helm(options))).unwrap().is_closed()
    };
    assert!(helm("1.2.3") && !helm("1.2") && !helm(">=1.2.3"));
}
