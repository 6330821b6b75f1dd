//! One target in one environment, of which the renderer is to be found: its options as written, with their nodes.

use camino::Utf8Path;
use serde_json::{Map, Value};

use super::super::node::Node;
use super::super::placeholders::Bindings;
use super::super::problem::Findings;
use super::super::raw::{RawHelm, RawOptions, RawRenderer, RawTarget};
use super::super::structure::shown;
use super::super::suggest::nearest;
use super::super::tree::{Found, TreeReader};
use super::paths::from_source;
use crate::model::ValueFile;

/// Variables that hold secrets of the run itself, or that we set for the renderer.
const REFUSED_VARIABLES: &[&str] = &[
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GITLAB_TOKEN",
    "CI_JOB_TOKEN",
    "CI_JOB_JWT",
    "CI_REGISTRY_PASSWORD",
    "CI_DEPLOY_PASSWORD",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "PATH",
    "HOME",
    "TMPDIR",
    "LC_ALL",
    "TZ",
];

/// The options of a target in one environment, with the nodes they come from.
pub(super) struct Options<'a> {
    pub(super) merged: RawOptions,
    target: &'a Node,
    overriding: Option<&'a Node>,
    allow_remote: Option<bool>,
}

/// One target of which the renderer is to be found.
pub(super) struct Unit<'a> {
    pub(super) name: &'a str,
    pub(super) source: &'a Utf8Path,
    pub(super) bindings: Bindings<'a>,
    pub(super) options: &'a Options<'a>,
}

impl<'a> Options<'a> {
    pub(super) fn of(
        raw: &'a RawTarget,
        node: &'a Node,
        environment: &str,
        allow_remote: Option<bool>,
    ) -> Self {
        let overriding = raw.overrides.as_ref().and_then(|overrides| overrides.get(environment));
        let base = raw.options();
        let merged = match overriding {
            Some(over) => merge(over.clone(), base),
            None => base,
        };
        Options {
            allow_remote: merged.allow_remote.or(allow_remote),
            merged,
            target: node,
            overriding: overriding.and_then(|_| node.get("overrides")?.get(environment)),
        }
    }

    /// The node of an option: the override's if it gives it, else the target's, else the nearest above.
    pub(super) fn node(&self, keys: &[&str]) -> &'a Node {
        let exact = |node: &'a Node| keys.iter().try_fold(node, |node, key| node.get(key));
        self.overriding
            .and_then(exact)
            .unwrap_or_else(|| keys.iter().fold(self.target, |node, key| node.at(key)))
    }

    /// The chart's name in a repository.
    pub(super) fn chart(&self) -> Option<&str> {
        self.merged.helm.as_ref().and_then(|helm| helm.chart.as_deref())
    }

    pub(super) fn has_chart(&self) -> bool {
        self.chart().is_some()
    }

    /// What `allowRemote` says for the target, if anything.
    pub(super) fn allow_remote(&self) -> Option<bool> {
        self.allow_remote
    }

    /// The names under `env`, checked.
    pub(super) fn environment_variables(&self, findings: &mut Findings) -> Vec<String> {
        let names = self.merged.env.clone().unwrap_or_default();
        for (index, name) in names.iter().enumerate() {
            let node = self.node(&["env"]).item(index);
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if !name.chars().all(word) || !name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                findings.problem(node, format!("`{}` is not a name of a variable", shown(name)));
            } else if REFUSED_VARIABLES.contains(&name.as_str())
                || name.starts_with("HYDRATOR_")
                || name.starts_with("LD_")
            {
                findings.problem(node, format!("`{name}` is never passed to a renderer"));
            }
        }
        names
    }

    /// The renderers of which options are given.
    pub(super) fn blocks(&self) -> Vec<RawRenderer> {
        let options = &self.merged;
        let given = [
            (RawRenderer::Kustomize, options.kustomize.is_some()),
            (RawRenderer::Helm, options.helm.is_some()),
            (RawRenderer::Template, options.template.is_some()),
            (RawRenderer::Plain, options.plain.is_some()),
            (RawRenderer::Command, options.command.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(renderer, _)| renderer).collect()
    }
}

/// What `over` gives, else what `base` gives.
fn merge(over: RawOptions, base: RawOptions) -> RawOptions {
    RawOptions {
        renderer: over.renderer.or(base.renderer),
        kustomize: over.kustomize.or(base.kustomize),
        helm: match (over.helm, base.helm) {
            (Some(over), Some(base)) => Some(merge_helm(over, base)),
            (over, base) => over.or(base),
        },
        template: over.template.or(base.template),
        plain: over.plain.or(base.plain),
        command: over.command.or(base.command),
        inputs: over.inputs.or(base.inputs),
        env: over.env.or(base.env),
        allow_empty: over.allow_empty.or(base.allow_empty),
        allow_remote: over.allow_remote.or(base.allow_remote),
    }
}

fn merge_helm(over: RawHelm, base: RawHelm) -> RawHelm {
    RawHelm {
        chart: over.chart.or(base.chart),
        repository: over.repository.or(base.repository),
        version: over.version.or(base.version),
        release_name: over.release_name.or(base.release_name),
        namespace: over.namespace.or(base.namespace),
        value_files: over.value_files.or(base.value_files),
        values: match (over.values, base.values) {
            (Some(over), Some(mut base)) => {
                merge_values(over, &mut base);
                Some(base)
            }
            (over, base) => over.or(base),
        },
        kube_version: over.kube_version.or(base.kube_version),
        api_versions: over.api_versions.or(base.api_versions),
        include_crds: over.include_crds.or(base.include_crds),
        skip_tests: over.skip_tests.or(base.skip_tests),
    }
}

/// As helm merges value files: mappings key by key, anything else replaced.
fn merge_values(over: Map<String, Value>, base: &mut Map<String, Value>) {
    for (key, value) in over {
        match (value, base.get_mut(&key)) {
            (Value::Object(over), Some(Value::Object(base))) => merge_values(over, base),
            (value, _) => {
                base.insert(key, value);
            }
        }
    }
}

/// Value files as written, resolved to the root; the ones that must be there are there.
pub(super) fn value_files(
    unit: &Unit<'_>,
    files: &[String],
    keys: &[&str],
    (tree, findings): (&TreeReader<'_>, &mut Findings),
) -> anyhow::Result<Vec<ValueFile>> {
    let mut resolved = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        let node = unit.options.node(keys).item(index);
        let Some(file) = expand(file, unit.bindings, node, findings) else { continue };
        let optional = file.ends_with('?');
        let path = match from_source(file.trim_end_matches('?'), unit.source) {
            Ok(path) => path,
            Err(reason) => {
                findings.problem(node, reason);
                continue;
            }
        };
        let reason = match tree.find(&path)? {
            Found::File => None,
            Found::Missing if optional => None,
            Found::Missing => Some("is not there; a `?` at the end makes it optional"),
            Found::Directory(_) => Some("is a directory"),
            Found::Submodule => Some("is inside a submodule"),
            Found::Outside => Some("is a link that leads out of the repository or in a circle"),
        };
        if let Some(reason) = reason {
            findings.problem(node, format!("the value file `{}` {reason}", shown(path.as_str())));
        }
        resolved.push(ValueFile { path, optional });
    }
    Ok(resolved)
}

/// A list of texts with their placeholders replaced.
pub(super) fn expand_all(
    unit: &Unit<'_>,
    texts: &[String],
    keys: &[&str],
    findings: &mut Findings,
) -> Vec<String> {
    let node = unit.options.node(keys);
    let texts = texts.iter().enumerate();
    texts.filter_map(|(index, text)| expand(text, unit.bindings, node.item(index), findings)).collect()
}

/// `text` with its placeholders replaced, or a problem at `node`.
pub(super) fn expand(
    text: &str,
    bindings: Bindings<'_>,
    node: &Node,
    findings: &mut Findings,
) -> Option<String> {
    match bindings.expand(text) {
        Ok(text) => Some(text.into_owned()),
        Err(word) => {
            let known = bindings.known();
            let message = format!("unknown placeholder `{{{}}}`", shown(word));
            let hint = match nearest(word, known.iter().map(String::as_str)) {
                Some(word) => format!("did you mean `{{{word}}}`?"),
                None => format!(
                    "known here: {}",
                    known.iter().map(|word| format!("`{{{word}}}`")).collect::<Vec<_>>().join(", ")
                ),
            };
            findings.problem_with_hint(node, message, hint);
            None
        }
    }
}
