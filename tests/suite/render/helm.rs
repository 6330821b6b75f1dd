//! The helm renderer with the real helm 4 and helm 3.

use std::fmt::Write as _;

use hydrator::model::{ChartSource, EntryKind, HelmOptions, Tool};
use hydrator::render::Toolbox;

use super::bench::{Bench, Tree, helm, ids, joined, output_of, tools, tools_path, value_file};
use super::repository::Repository;

const CONFIG_MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}-{{ .Chart.Name }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  word: {{ .Values.word | quote }}\n  kube: {{ .Capabilities.KubeVersion.Version | quote }}\n  has: {{ .Capabilities.APIVersions.Has \"acme.io/v1\" | quote }}\n";

fn chart(tree: Tree, path: &str, name: &str, more: &str) -> Tree {
    let mut metadata = format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    write!(metadata, "{more}").unwrap();
    tree.with(&format!("{path}/Chart.yaml"), EntryKind::File, metadata)
        .with(&format!("{path}/values.yaml"), EntryKind::File, "word: default\n")
        .with(&format!("{path}/templates/map.yaml"), EntryKind::File, CONFIG_MAP)
}

fn web(more: &str) -> Tree {
    chart(Tree::default(), "charts/web", "web", more)
}

fn both_helms() -> [Toolbox; 2] {
    let new = || Toolbox::discover(&tools_path());
    [new(), new().with_program(Tool::Helm, tools().join("helm3"))]
}

#[test]
fn output_is_helms_own_byte_for_byte() {
    for (toolbox, program) in both_helms().into_iter().zip(["helm", "helm3"]) {
        let tree = web("")
            .with(
                "charts/web/crds/c.yaml",
                EntryKind::File,
                "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: c\n",
            )
            .with(
                "charts/web/templates/tests/t.yaml",
                EntryKind::File,
                "apiVersion: v1\nkind: Pod\nmetadata:\n  name: t\n  annotations: {helm.sh/hook: test}\n",
            );
        let bench = Bench::with_toolbox(tree, toolbox);
        let rendered = bench.render(&helm("charts/web", |_| {}));
        let directory = tempfile::tempdir().unwrap();
        let directory = camino::Utf8Path::from_path(directory.path()).unwrap();
        bench.tree.write(directory);
        let own = output_of(
            program,
            &["template", "web", "charts/web", "--namespace", "shop", "--include-crds"],
            directory,
        );
        assert_eq!(format!("---\n{}", joined(&rendered)), own, "{program}");
        assert_eq!(
            ids(&rendered),
            ["CustomResourceDefinition.apiextensions.k8s.io c", "ConfigMap shop/web-web", "Pod t"]
        );
        assert_eq!(rendered.commands, ["helm template web charts/web --namespace=shop --include-crds"]);
        let bare = bench.render(&helm("charts/web", |options| {
            (options.include_crds, options.skip_tests) = (false, true);
        }));
        assert_eq!(ids(&bare), ["ConfigMap shop/web-web"]);
    }
}

#[test]
fn values_come_from_files_of_the_tree_and_from_the_configuration() {
    for toolbox in both_helms() {
        let tree = web("").with("values/a,b.yaml", EntryKind::File, "word: from file\n").with(
            "values/dev.yaml",
            EntryKind::File,
            "word: \"on\"\n",
        );
        let bench = Bench::with_toolbox(tree, toolbox);
        let with = |change: &dyn Fn(&mut HelmOptions)| joined(&bench.render(&helm("charts/web", change)));
        assert!(with(&|_| {}).contains("word: \"default\""));
        let first = with(&|options| {
            options.value_files = vec![value_file("values/a,b.yaml"), value_file("values/none.yaml?")];
        });
        assert!(first.contains("word: \"from file\""), "{first}");
        let target = helm("charts/web", |options| {
            options.value_files = vec![value_file("values/a,b.yaml"), value_file("values/dev.yaml")];
            options.values.insert("word".into(), "hush-hush".into());
            options.kube_version = Some("1.33".into());
            options.api_versions = vec!["acme.io/v1".into()];
        });
        let rendered = bench.render(&target);
        let text = joined(&rendered);
        for expected in ["word: \"hush-hush\"", "kube: \"v1.33\"", "has: \"true\""] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert_eq!(
            rendered.commands,
            [
                "helm template web charts/web --namespace=shop --include-crds --kube-version=1.33 --api-versions=acme.io/v1 --values=values/a,b.yaml --values=values/dev.yaml '--values=<values of the configuration>'"
            ]
        );
        let message = bench
            .error(&helm("charts/web", |options| options.value_files = vec![value_file("values/none.yaml")]));
        assert!(message.contains("the value file `values/none.yaml` does not exist"), "{message}");
    }
}

#[test]
fn failures_name_the_files_of_the_tree() {
    let tree = web("").with("v/broken.yaml", EntryKind::File, "a: [\n").with(
        "charts/web/templates/bad.yaml",
        EntryKind::File,
        "{{ required \"say which\" .Values.which }}\n",
    );
    let bench = Bench::new(tree);
    let message = bench.error(&helm("charts/web", |_| {}));
    assert!(message.contains("web/templates/bad.yaml:1") && message.contains("say which"), "{message}");
    let message =
        bench.error(&helm("charts/web", |options| options.value_files = vec![value_file("v/broken.yaml")]));
    assert!(message.contains("v/broken.yaml") && !message.contains("values/0.yaml"), "{message}");
    assert!(bench.error(&helm("charts/none", |_| {})).contains("`charts/none` is not a chart"));
}

#[test]
fn local_dependencies_are_put_in_place_transitively() {
    for (toolbox, lock) in both_helms().into_iter().zip([false, true]) {
        let tree = web(
            "dependencies:\n- {name: middle, version: '*', repository: 'file://../lib/middle'}\n- {name: vendored, version: 1.0.0, repository: 'https://charts.example.com'}\n",
        );
        let tree = chart(
            tree,
            "charts/lib/middle",
            "middle",
            "dependencies:\n- {name: leaf, version: ^1, repository: 'file://../leaf', alias: blade}\n",
        );
        let tree = chart(tree, "charts/lib/leaf", "leaf", "");
        let mut tree = chart(tree, "charts/web/charts/vendored", "vendored", "");
        if lock {
            let lock = "dependencies:\n- {name: middle, version: 1.0.0, repository: 'file://../lib/middle'}\n- {name: vendored, version: 1.0.0, repository: 'https://charts.example.com'}\n";
            tree = tree.with("charts/web/Chart.lock", EntryKind::File, lock);
        }
        let bench = Bench::with_toolbox(tree, toolbox);
        let mut found = ids(&bench.render(&helm("charts/web", |_| {})));
        found.sort();
        assert_eq!(
            found,
            [
                "ConfigMap shop/web-blade",
                "ConfigMap shop/web-middle",
                "ConfigMap shop/web-vendored",
                "ConfigMap shop/web-web"
            ]
        );
    }
}

#[test]
fn dependencies_that_cannot_be_had_are_refused_before_helm_starts() {
    let remote = "dependencies:\n- {name: redis, version: 1.0.0, repository: 'https://charts.example.com'}\n";
    let lock = "dependencies:\n- {name: redis, version: 1.0.0, repository: 'https://charts.example.com'}\n";
    let other_lock = "dependencies: []\n";
    let local_lock = "dependencies:\n- {name: redis, version: 9.0.0, repository: 'file://../redis'}\n";
    for (dependencies, lock, expected) in [
        (remote, None, "the dependency `redis` is not pinned"),
        (remote, Some(other_lock), "`Chart.lock` does not know the dependency `redis`"),
        (remote, Some(lock), "the chart `redis` would be fetched from `https://charts.example.com`"),
        (
            "dependencies: [{name: redis, repository: 'file://../../../x'}]\n",
            None,
            "outside of the repository",
        ),
        ("dependencies: [{name: redis, repository: 'file:///etc'}]\n", None, "outside of the repository"),
        (
            "dependencies: [{name: redis, repository: 'file://../none'}]\n",
            None,
            "`charts/none` is not a chart",
        ),
        (
            "dependencies: [{name: redis, repository: 'file://../redis'}]\n",
            Some(local_lock),
            "`Chart.lock` has `redis` 9.0.0, but `charts/redis` is 1.0.0",
        ),
        ("dependencies: [{name: web, repository: 'file://../web'}]\n", None, "depends on itself"),
        ("dependencies: [{name: redis, repository: '@stable'}]\n", None, "`@stable` is not a URL"),
        ("dependencies: [{name: redis}]\n", None, "is not in `charts/`"),
        ("dependencies: {}\n", None, "charts/web/Chart.yaml"),
    ] {
        let mut tree = chart(web(dependencies), "charts/redis", "redis", "");
        if let Some(lock) = lock {
            tree = tree.with("charts/web/Chart.lock", EntryKind::File, lock);
        }
        let message = Bench::with_toolbox(tree, Toolbox::discover("")).error(&helm("charts/web", |_| {}));
        assert!(message.contains(expected), "{dependencies}: {message}");
    }
}

#[test]
fn charts_of_a_repository_are_fetched_once_in_their_exact_version() {
    let repository = Repository::serve(&chart(Tree::default(), "redis", "redis", ""), &["redis"]);
    for (toolbox, times) in both_helms().into_iter().zip(1..) {
        let bench = Bench::with_toolbox(Tree::of(&[("v.yaml", "word: mine\n")]), toolbox);
        let target = |name: &str| {
            helm("", |options| {
                options.chart = ChartSource::Repository {
                    url: repository.url.clone(),
                    chart: "redis".into(),
                    version: "1.0.0".into(),
                };
                options.value_files = vec![value_file("v.yaml")];
                options.allow_remote = true;
                options.release_name = name.into();
            })
        };
        let rendered = bench.render_all(&[target("a"), target("b"), target("c")]);
        let all: Vec<String> = rendered.iter().flat_map(ids).collect();
        assert_eq!(all, ["ConfigMap shop/a-redis", "ConfigMap shop/b-redis", "ConfigMap shop/c-redis"]);
        assert!(joined(&rendered[0]).contains("word: \"mine\""));
        let shown = format!(
            "helm template a redis --repo={} --version=1.0.0 --namespace=shop --include-crds --values=v.yaml",
            repository.url
        );
        assert_eq!(rendered[0].commands, [shown]);
        let fetched = repository.requests().iter().filter(|path| *path == "/redis-1.0.0.tgz").count();
        assert_eq!(fetched, times, "{:?}", repository.requests());
    }
}

#[test]
fn locked_dependencies_are_fetched_in_the_locked_version() {
    let served = chart(Tree::default(), "redis", "redis", "");
    let repository = Repository::serve(&served, &["redis"]);
    let dependency = |version: &str| {
        format!("dependencies:\n- {{name: redis, version: '{version}', repository: '{}'}}\n", repository.url)
    };
    let tree =
        web(&dependency(">=0.1.0")).with("charts/web/Chart.lock", EntryKind::File, dependency("1.0.0"));
    let bench = Bench::new(tree);
    let rendered = bench.render(&helm("charts/web", |options| options.allow_remote = true));
    assert_eq!(ids(&rendered).len(), 2);
    let tree =
        web(&dependency(">=0.1.0")).with("charts/web/Chart.lock", EntryKind::File, dependency("7.0.0"));
    let message = Bench::new(tree).error(&helm("charts/web", |options| options.allow_remote = true));
    assert!(message.contains("helm pull redis") && message.contains("7.0.0"), "{message}");
}

#[test]
fn a_chart_of_a_repository_is_checked_before_helm_starts() {
    let error = |url: &str, chart: &str, version: &str, allow_remote: bool| {
        let target = helm("", |options| {
            options.chart =
                ChartSource::Repository { url: url.into(), chart: chart.into(), version: version.into() };
            options.allow_remote = allow_remote;
        });
        Bench::with_toolbox(Tree::default(), Toolbox::discover("")).error(&target)
    };
    let url = "https://charts.example.com";
    for (message, expected) in [
        (error(url, "redis", "1.0.0", false), "would be fetched from"),
        (error(url, "redis", "^1.0.0", true), "needs an exact version"),
        (error(url, "redis", "1.0", true), "needs an exact version"),
        (error("file:///etc", "redis", "1.0.0", true), "is not the URL of a chart repository"),
        (error(url, "--post-renderer=x", "1.0.0", true), "is not the name of a chart"),
        (error("https://u:hunter2@example.com", "redis", "1.0.0", true), "contains credentials"),
    ] {
        assert!(message.contains(expected) && !message.contains("hunter2"), "{message}");
    }
}
