//! Which renderer a target has, and its options. Reads the DRY tree to see what a source directory holds.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::super::problem::Findings;
use super::super::raw::RawRenderer;
use super::super::tree::TreeReader;
use super::paths::{from_source, glob_pattern};
use super::unit::{Unit, expand_all, value_files};
use super::{detect, helm, kustomize};
use crate::model::{CommandOptions, KustomizeOptions, PlainOptions, Renderer, TemplateOptions, ValueFile};

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
