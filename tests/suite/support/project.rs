//! Typical DRY repositories: three environments; kustomize overlays, a chart, templates, plain YAML.

use super::git::{Files, files};

/// The environments, in the order in which changes go through them.
pub(crate) const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

/// Every renderer: needs kustomize and helm.
pub(crate) fn typical() -> Files {
    [configuration(TYPICAL_TARGETS), kustomize(), chart(), templates(), plain()]
        .into_iter()
        .flatten()
        .collect()
}

/// The built-in renderers alone: needs no other program.
pub(crate) fn embedded() -> Files {
    [configuration(EMBEDDED_TARGETS), templates(), plain()].into_iter().flatten().collect()
}

const TYPICAL_TARGETS: &str = "  - path: apps/{app}/overlays/{environment}
    name: \"{app}\"
  - path: charts/web
    name: web
    helm:
      releaseName: web
      namespace: web
      valueFiles: [values.yaml, \"values-{environment}.yaml?\"]
  - path: templates/{app}
    name: \"{app}\"
  - path: plain/{environment}
    name: plain
";

const EMBEDDED_TARGETS: &str = "  - path: templates/{app}
    name: \"{app}\"
  - path: plain/{environment}
    name: plain
";

/// `hydrator.yaml` with these targets, as YAML.
fn configuration(targets: &str) -> Files {
    let environments: String = ENVIRONMENTS.map(|name| format!("  - name: {name}\n")).concat();
    let text = format!(
        "version: 1\ndryBranch: main\nvars:\n  registry: ghcr.io/acme\nenvironments:\n{environments}targets:\n{targets}"
    );
    files(&[("hydrator.yaml", &text)])
}

fn kustomize() -> Files {
    let mut made = files(&[
        ("apps/shop/base/kustomization.yaml", "resources: [deployment.yaml, service.yaml]\n"),
        ("apps/shop/base/deployment.yaml", &deployment("shop", "ghcr.io/acme/shop:1.0.0")),
        (
            "apps/shop/base/service.yaml",
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\nspec:\n  ports:\n  - port: 80\n",
        ),
    ]);
    for (environment, replicas) in ENVIRONMENTS.into_iter().zip([1, 2, 3]) {
        let text = format!(
            "namespace: shop-{environment}\nresources: [../../base]\nreplicas:\n- name: shop\n  count: {replicas}\n"
        );
        made.insert(format!("apps/shop/overlays/{environment}/kustomization.yaml"), text);
    }
    made
}

fn deployment(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
spec:
  replicas: 1
  selector:
    matchLabels: {{app: {name}}}
  template:
    metadata:
      labels: {{app: {name}}}
    spec:
      containers:
      - name: {name}
        image: {image}
"
    )
}

fn chart() -> Files {
    files(&[
        ("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
        ("charts/web/values.yaml", "image: ghcr.io/acme/web:1.0.0\nreplicas: 1\n"),
        ("charts/web/values-prod.yaml", "replicas: 3\n"),
        (
            "charts/web/templates/configmap.yaml",
            "apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  image: {{ .Values.image | quote }}
  replicas: {{ .Values.replicas | quote }}
",
        ),
    ])
}

fn templates() -> Files {
    files(&[
        ("templates/jobs/values.yaml", "schedule: 0 3 * * *\n"),
        ("templates/jobs/values-prod.yaml", "schedule: 0 1 * * *\n"),
        (
            "templates/jobs/settings.yaml.j2",
            "apiVersion: v1
kind: ConfigMap
metadata:
  name: jobs-{{ environment }}
data:
  image: \"{{ vars.registry }}/jobs:1.0.0\"
  schedule: \"{{ schedule }}\"
",
        ),
    ])
}

fn plain() -> Files {
    let namespace = |environment: &str| {
        let text = format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop-{environment}\n");
        (format!("plain/{environment}/namespace.yaml"), text)
    };
    ENVIRONMENTS.into_iter().map(namespace).collect()
}

mod tests {
    use super::*;
    use crate::support::command::Run;
    use crate::support::git::TestRepo;
    use crate::support::tools;

    fn render(repo: &TestRepo, tool: &str, arguments: &[&str]) -> String {
        let run =
            Run::program(tools::program(tool), &repo.home()).directory(&repo.work()).arguments(arguments);
        run.run().success().stdout().to_owned()
    }

    #[test]
    fn the_tools_render_it() {
        let repo = TestRepo::with_files(&typical());
        for (environment, replicas) in ENVIRONMENTS.into_iter().zip([1, 2, 3]) {
            let overlay = format!("apps/shop/overlays/{environment}");
            let text = render(&repo, "kustomize", &["build", &overlay]);
            assert!(text.contains(&format!("replicas: {replicas}")), "{text}");
            assert!(text.contains(&format!("namespace: shop-{environment}")), "{text}");
        }
        for helm in ["helm", "helm3"] {
            let values = ["--values", "charts/web/values-prod.yaml", "--namespace", "web"];
            let text = render(&repo, helm, &[&["template", "web", "charts/web"], &values[..]].concat());
            assert!(text.contains("replicas: \"3\"") && text.contains("namespace: web"), "{text}");
        }
    }

    #[test]
    fn the_embedded_one_needs_no_program() {
        let (all, embedded) = (typical(), embedded());
        let foreign = |path: &&String| path.contains("kustomization") || path.contains("Chart");
        assert_eq!(embedded.keys().filter(foreign).count(), 0);
        assert_eq!(all.keys().filter(foreign).count(), 5);
        assert!(embedded.keys().all(|path| all.contains_key(path)));
        assert!(!embedded["hydrator.yaml"].contains("charts/"));
    }
}
