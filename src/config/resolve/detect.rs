//! Which renderer a target has: as named, or by what its source directory holds. Reads the DRY tree.

use camino::Utf8Path;

use super::super::problem::Findings;
use super::super::raw::RawRenderer;
use super::super::structure::shown;
use super::super::tree::TreeReader;
use super::unit::Unit;
use crate::model::EntryKind;

/// The file names by which kustomize knows a directory as its own.
const KUSTOMIZATIONS: &[&str] = &["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The renderer as named, else as its options say, else as the source directory says.
pub(super) fn kind(
    unit: &Unit<'_>,
    tree: &TreeReader<'_>,
    findings: &mut Findings,
) -> anyhow::Result<Option<RawRenderer>> {
    let blocks = unit.options.blocks();
    let named = unit.options.merged.renderer;
    let wrong = match (named, blocks.as_slice()) {
        (Some(named), blocks) => blocks.iter().find(|block| **block != named).copied(),
        (None, [_, second, ..]) => Some(*second),
        (None, _) => None,
    };
    if let Some(block) = wrong {
        let key = word(block);
        let other = named.or(blocks.first().copied()).map_or("", word);
        findings.problem(
            unit.options.node(&[key]),
            format!("options of `{key}` for a target that `{other}` renders"),
        );
        return Ok(None);
    }
    let explicit = named.or(blocks.first().copied());
    if explicit == Some(RawRenderer::Command) && unit.options.merged.command.is_none() {
        findings.problem(
            unit.options.node(&["renderer"]),
            "the renderer `command` needs `command: [program, argument…]`",
        );
        return Ok(None);
    }
    let holds = contents(unit, tree, findings)?;
    let Some(holds) = holds else { return Ok(None) };
    Ok(match explicit {
        Some(kind) => check_contents(unit, kind, &holds, findings).then_some(kind),
        None => Some(holds.renderer()),
    })
}

fn word(renderer: RawRenderer) -> &'static str {
    match renderer {
        RawRenderer::Kustomize => "kustomize",
        RawRenderer::Helm => "helm",
        RawRenderer::Template => "template",
        RawRenderer::Plain => "plain",
        RawRenderer::Command => "command",
    }
}

/// What a source directory holds.
struct Contents {
    kustomization: bool,
    chart: bool,
    templates: bool,
}

impl Contents {
    fn renderer(&self) -> RawRenderer {
        match self {
            Self { kustomization: true, .. } => RawRenderer::Kustomize,
            Self { chart: true, .. } => RawRenderer::Helm,
            Self { templates: true, .. } => RawRenderer::Template,
            _ => RawRenderer::Plain,
        }
    }
}

fn contents(
    unit: &Unit<'_>,
    tree: &TreeReader<'_>,
    findings: &mut Findings,
) -> anyhow::Result<Option<Contents>> {
    let entries = tree.list(unit.source)?.unwrap_or_default();
    let is_file = |kind| matches!(kind, EntryKind::File | EntryKind::Executable | EntryKind::Link);
    let has = |name: &str| entries.iter().any(|entry| entry.name == name && is_file(entry.kind));
    let kustomizations: Vec<&str> = KUSTOMIZATIONS.iter().copied().filter(|name| has(name)).collect();
    let renderer = unit.options.merged.renderer;
    let by_kustomize =
        renderer.or(unit.options.blocks().first().copied()).is_none_or(|kind| kind == RawRenderer::Kustomize);
    if let ([first, second, ..], true) = (kustomizations.as_slice(), by_kustomize) {
        let source = shown(unit.source.as_str());
        let message = format!("`{source}` has both `{first}` and `{second}`: kustomize refuses that");
        findings.problem(unit.options.node(&["path"]), message);
        return Ok(None);
    }
    let (kustomization, chart) = (!kustomizations.is_empty(), has("Chart.yaml"));
    let explicit = renderer.or(unit.options.blocks().first().copied());
    let matters = !kustomization && !chart && explicit.is_none_or(|kind| kind == RawRenderer::Template);
    let templates =
        (matters || explicit == Some(RawRenderer::Template)) && tree.any_file(unit.source, is_template)?;
    Ok(Some(Contents { kustomization, chart, templates }))
}

fn is_template(name: &str) -> bool {
    Utf8Path::new(name).extension() == Some("j2")
}

fn check_contents(unit: &Unit<'_>, kind: RawRenderer, holds: &Contents, findings: &mut Findings) -> bool {
    let missing = match kind {
        RawRenderer::Kustomize if !holds.kustomization => "a kustomization file",
        RawRenderer::Helm if !holds.chart && !unit.options.has_chart() => "a `Chart.yaml`",
        RawRenderer::Template if !holds.templates => "a `*.j2` file",
        _ => return true,
    };
    let source = if unit.source.as_str().is_empty() { "." } else { unit.source.as_str() };
    let message = format!(
        "`{}` has no {}, which `{}` needs",
        shown(source),
        missing.trim_start_matches("a "),
        word(kind)
    );
    findings.problem(unit.options.node(&["path"]), message);
    false
}
