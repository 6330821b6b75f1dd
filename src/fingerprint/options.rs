//! A target's options under their names in the configuration, each as canonical JSON. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::model::{ChartSource, Layout, Renderer, Target, ValueFile};

/// Every option that the output depends on, in order of the name.
pub(super) fn options(target: &Target, layout: Layout) -> BTreeMap<&'static str, String> {
    let mut found = BTreeMap::from([
        ("path", json!(target.source)),
        ("allowEmpty", json!(target.allow_empty)),
        ("env", json!(target.environment_variables)),
        ("layout", json!(if layout == Layout::Split { "split" } else { "single" })),
    ]);
    found.extend(of_renderer(&target.renderer));
    found.into_iter().map(|(name, value)| (name, canonical(value).to_string())).collect()
}

fn of_renderer(renderer: &Renderer) -> BTreeMap<&'static str, Value> {
    match renderer {
        Renderer::Kustomize(options) => BTreeMap::from([
            ("buildOptions", json!(options.build_options)),
            ("allowRemote", json!(options.allow_remote)),
        ]),
        Renderer::Helm(options) => BTreeMap::from([
            ("chart", chart(&options.chart)),
            ("releaseName", json!(options.release_name)),
            ("namespace", json!(options.namespace)),
            ("valueFiles", value_files(&options.value_files)),
            ("values", Value::Object(options.values.clone())),
            ("kubeVersion", json!(options.kube_version)),
            ("apiVersions", json!(options.api_versions)),
            ("includeCrds", json!(options.include_crds)),
            ("skipTests", json!(options.skip_tests)),
            ("allowRemote", json!(options.allow_remote)),
        ]),
        Renderer::Template(options) => BTreeMap::from([
            ("valueFiles", value_files(&options.value_files)),
            ("vars", json!(options.vars)),
            ("environment", json!(options.environment)),
        ]),
        Renderer::Plain(options) => BTreeMap::from([("recurse", json!(options.recurse))]),
        Renderer::Command(options) => {
            BTreeMap::from([("command", json!(options.argv)), ("inputs", json!(options.inputs))])
        }
    }
}

fn chart(chart: &ChartSource) -> Value {
    match chart {
        ChartSource::Directory => Value::Null,
        ChartSource::Repository { url, chart, version } => json!([url, chart, version]),
    }
}

fn value_files(files: &[ValueFile]) -> Value {
    files.iter().map(|file| json!([file.path, file.optional])).collect()
}

/// The same value with the keys of every mapping in order: helm and the templates do not see another one.
fn canonical(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let sorted: BTreeMap<String, Value> =
                entries.into_iter().map(|(key, value)| (key, canonical(value))).collect();
            Value::Object(sorted.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(canonical).collect(),
        other => other,
    }
}
