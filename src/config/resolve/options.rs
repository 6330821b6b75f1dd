//! Which renderer a target has, and its options. Reads the DRY tree to see what a source directory holds.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value};

use super::super::node::Node;
use super::super::placeholders::Bindings;
use super::super::problem::Findings;
use super::super::raw::{RawHelm, RawOptions, RawRenderer, RawTarget};
use super::super::structure::shown;
use super::super::tree::{Found, TreeReader};
use super::paths::{from_source, glob_pattern};
use super::targets::expand;
use super::{detect, helm, kustomize};
use crate::model::{CommandOptions, KustomizeOptions, PlainOptions, Renderer, TemplateOptions, ValueFile};

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

/// The renderer of a target with its options; nothing after a problem.
pub(super) fn renderer(
    unit: &Unit<'_>,
    tree: &TreeReader<'_>,
    findings: &mut Findings,
) -> anyhow::Result<Option<Renderer>> {
    let Some(kind) = detect::kind(unit, tree, findings)? else { return Ok(None) };
    let options = unit.options;
    if options.merged.inputs.is_some() && kind != RawRenderer::Command {
        findings.problem(
            options.node(&["inputs"]),
            "`inputs` belongs to `command`: other renderers know what they read",
        );
    }
    Ok(match kind {
        RawRenderer::Kustomize => Some(Renderer::Kustomize(KustomizeOptions {
            build_options: kustomize::build_options(unit, findings),
            allow_remote: options.allow_remote().unwrap_or(false),
        })),
        RawRenderer::Helm => helm::options(unit, tree, findings)?.map(Renderer::Helm),
        RawRenderer::Template => Some(Renderer::Template(template(unit, tree, findings)?)),
        RawRenderer::Plain => {
            let recurse = options.merged.plain.as_ref().and_then(|plain| plain.recurse).unwrap_or(true);
            Some(Renderer::Plain(PlainOptions { recurse }))
        }
        RawRenderer::Command => command(unit, findings).map(Renderer::Command),
    })
}

fn template(
    unit: &Unit<'_>,
    tree: &TreeReader<'_>,
    findings: &mut Findings,
) -> anyhow::Result<TemplateOptions> {
    let environment = unit.bindings.environment;
    let given = unit.options.merged.template.as_ref().and_then(|template| template.value_files.as_deref());
    let value_files = match given {
        Some(files) => value_files(unit, files, &["template", "valueFiles"], (tree, findings))?,
        None => ["values.yaml".to_owned(), format!("values-{environment}.yaml")]
            .into_iter()
            .map(|name| ValueFile { path: join(unit.source, &name), optional: true })
            .collect(),
    };
    let mut vars: BTreeMap<String, String> = unit.bindings.vars.clone();
    vars.extend(unit.bindings.captures.iter().map(|(name, value)| (name.clone(), value.clone())));
    Ok(TemplateOptions { value_files, vars, environment: environment.to_owned() })
}

fn join(source: &Utf8Path, name: &str) -> Utf8PathBuf {
    if source.as_str().is_empty() { name.into() } else { source.join(name) }
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

fn command(unit: &Unit<'_>, findings: &mut Findings) -> Option<CommandOptions> {
    let written = unit.options.merged.command.as_deref().unwrap_or_default();
    let argv = expand_all(unit, written, &["command"], findings);
    let node = unit.options.node(&["command"]);
    if argv.first().is_none_or(|program| program.trim().is_empty()) {
        findings.problem(node, "the program is empty");
    }
    if argv.iter().any(|argument| argument.contains('\0')) {
        findings.problem(node, "an argument contains a NUL character");
    }
    let inputs =
        expand_all(unit, unit.options.merged.inputs.as_deref().unwrap_or_default(), &["inputs"], findings);
    for (index, input) in inputs.iter().enumerate() {
        let checked = glob_pattern(input).and_then(|_| from_source(input, unit.source));
        if let Err(reason) = checked {
            findings.problem(unit.options.node(&["inputs"]).item(index), reason);
        }
    }
    (argv.len() == written.len()).then_some(CommandOptions { argv, inputs })
}
