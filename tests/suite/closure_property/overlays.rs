//! The same promise on overlays as people write them: every file is changed, deleted, moved behind a link, and made
//! executable, one at a time. And which targets a change affects, by name.

use std::collections::BTreeSet;

use hydrator::model::{KustomizeOptions, Renderer};

use super::ground::Ground;
use super::state::{Entry, State};

/// Files of a repository with three environments, two regions of production, and what they share.
const FILES: &[(&str, &str)] = &[
    ("README.md", "How to add an application: edition-0\n"),
    (
        "shared/labels/kustomization.yaml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nlabels:\n- pairs: {team: edition-0}\n  includeSelectors: false\n",
    ),
    (
        "shared/monitoring/kustomization.yml",
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [monitor.yaml]\nconfigurations: [names.yaml]\n",
    ),
    (
        "shared/monitoring/monitor.yaml",
        "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: web}\nspec: {interval: edition-0, config: settings}\n",
    ),
    (
        "shared/monitoring/names.yaml",
        "nameReference:\n- kind: ConfigMap\n  fieldSpecs:\n  - {kind: ServiceMonitor, path: spec/config}\n",
    ),
    (
        "apps/web/base/kustomization.yaml",
        "resources:\n- deployment.yaml\n- service.yaml\nconfigMapGenerator:\n- name: settings\n  files: [settings.ini]\n  envs: [defaults.env]\n",
    ),
    (
        "apps/web/base/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 1\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n      - name: web\n        image: ghcr.io/acme/web:edition-0\n        envFrom: [{configMapRef: {name: settings}}]\n",
    ),
    (
        "apps/web/base/service.yaml",
        "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n  ports: [{name: edition-0, port: 80}]\n",
    ),
    ("apps/web/base/settings.ini", "[web]\ncolour = edition-0\n"),
    ("apps/web/base/defaults.env", "LEVEL=edition-0\n"),
    (
        "apps/web/overlays/dev/kustomization.yaml",
        "namespace: web\nresources: [../../base]\nimages:\n- {name: ghcr.io/acme/web, newTag: edition-0}\n",
    ),
    (
        "apps/web/overlays/production/kustomization.yaml",
        "namespace: web\nresources: [../../base]\ncomponents: [../../../../shared/labels, ../../../../shared/monitoring]\npatches:\n- path: replicas.yaml\n- target: {kind: Service}\n  path: service.json\nreplacements: [{path: replacements.yaml}]\n",
    ),
    (
        "apps/web/overlays/production/replicas.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, annotations: {why: edition-0}}\nspec: {replicas: 3}\n",
    ),
    (
        "apps/web/overlays/production/service.json",
        "[{\"op\": \"add\", \"path\": \"/metadata/annotations\", \"value\": {\"a\": \"edition-0\"}}]\n",
    ),
    (
        "apps/web/overlays/production/replacements.yaml",
        "source: {kind: Deployment, name: web, fieldPath: spec.replicas}\ntargets:\n- select: {kind: Service}\n  fieldPaths: [metadata.annotations.edition-0]\n  options: {create: true}\n",
    ),
    (
        "apps/web/overlays/production-eu/kustomization.yaml",
        "resources: [../production]\ngenerators: [region.yaml]\ntransformers:\n- |-\n  apiVersion: builtin\n  kind: PatchTransformer\n  metadata: {name: eu}\n  path: eu.yaml\n  target: {kind: Deployment}\n",
    ),
    (
        "apps/web/overlays/production-eu/region.yaml",
        "apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: region}\nfiles: [region=eu.txt]\n",
    ),
    ("apps/web/overlays/production-eu/eu.txt", "edition-0\n"),
    (
        "apps/web/overlays/production-eu/eu.yaml",
        "- op: add\n  path: /metadata/labels\n  value: {region: edition-0}\n",
    ),
    ("apps/web/overlays/production-us/kustomization.yaml", "resources: [../production, region.yaml]\n"),
    ("templates/app/kustomization.yaml", "resources: [{{ cookiecutter.name }}.yaml]\n"),
];

const OVERLAYS: [&str; 4] = ["dev", "production", "production-eu", "production-us"];

fn repository() -> State {
    let mut state = State::default();
    for (path, text) in FILES {
        state.file(*path, *text);
    }
    state.file("shared/region.yaml", super::state::config_map("region", "us"));
    state.link("apps/web/overlays/production-us/region.yaml", "../../../../shared/region.yaml");
    for overlay in OVERLAYS {
        let build_options = vec!["--load-restrictor=LoadRestrictionsNone".to_owned()];
        let options = KustomizeOptions { build_options, allow_remote: false };
        state.target(overlay, &format!("apps/web/overlays/{overlay}"), Renderer::Kustomize(options));
    }
    state
}

fn edited(state: &State, path: &str) -> State {
    let mut state = state.clone();
    if let Some(Entry::File(text)) = state.files.get_mut(path) {
        *text = text.replace("edition-0", "edition-1");
    }
    state
}

#[test]
fn every_file_of_real_overlays_counts() {
    let first = repository();
    let mut states = vec![first.clone()];
    for (path, entry) in &first.files {
        states.push(edited(&first, path));
        let mut deleted = first.clone();
        deleted.files.remove(path);
        states.push(deleted);
        if let Entry::File(text) = entry {
            let mut moved = first.clone();
            moved.file("moved", text.clone());
            moved.link(path, format!("{}moved", "../".repeat(path.matches('/').count())));
            states.push(moved);
            let mut executable = first.clone();
            executable.files.insert(path.clone(), Entry::Executable(text.clone()));
            states.push(executable);
        }
        if let Some((directory, _)) = path.rsplit_once('/') {
            let mut beside = first.clone();
            beside.file(format!("{directory}/Kustomization"), "namePrefix: x-\n");
            states.push(beside);
        }
    }
    let (mut ground, placed) = Ground::new(vec![states]);
    if let Some(violation) = ground.violation(&placed[0], None) {
        panic!("{violation}");
    }
    if let Some(violation) = ground.narrow_export(&placed[0]) {
        panic!("the export is too narrow: {violation}");
    }
    assert!(ground.succeeded > 100, "{} of {} rendered", ground.succeeded, ground.compared);
}

#[test]
fn a_change_affects_those_that_read_it() {
    let production = ["production", "production-eu", "production-us"];
    let cases: [(&str, &[&str]); 12] = [
        ("README.md", &[]),
        ("templates/app/kustomization.yaml", &[]),
        ("apps/web/base/deployment.yaml", &OVERLAYS),
        ("apps/web/base/settings.ini", &OVERLAYS),
        ("apps/web/base/defaults.env", &OVERLAYS),
        ("shared/labels/kustomization.yaml", &production),
        ("shared/monitoring/monitor.yaml", &production),
        ("apps/web/overlays/production/replacements.yaml", &production),
        ("apps/web/overlays/production-eu/eu.txt", &["production-eu"]),
        ("apps/web/overlays/production-eu/eu.yaml", &["production-eu"]),
        ("shared/region.yaml", &["production-us"]),
        ("apps/web/overlays/dev/kustomization.yaml", &["dev"]),
    ];
    let first = repository();
    let mut states = vec![first.clone()];
    for (path, _) in cases {
        let mut state = first.clone();
        if let Some(Entry::File(text)) = state.files.get_mut(path) {
            text.push_str("# changed\n");
        }
        states.push(state);
    }
    let (ground, placed) = Ground::new(vec![states]);
    for (index, (path, expected)) in cases.iter().enumerate() {
        let affected: BTreeSet<String> = ground.affected(&placed[0], 0, index + 1).into_iter().collect();
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(affected, expected, "{path}");
    }
}
