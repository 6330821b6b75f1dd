//! The proposed `hydrator.yaml`, with a comment for each choice. Pure.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;

use super::charts::ChartTarget;
use super::patterns::Pattern;

/// Directories that are listed before the rest is counted.
const LISTED: usize = 20;

/// What the configuration is made of.
pub(super) struct Parts<'a> {
    /// Environments in order, each with those before it where that is not just the one above.
    pub(super) environments: &'a [(String, Option<Vec<String>>)],
    /// Directories to render.
    pub(super) patterns: &'a [Pattern],
    /// Charts to render.
    pub(super) charts: &'a [ChartTarget],
    /// Directories that are left to people.
    pub(super) left: &'a [Utf8PathBuf],
    /// Directories that render to nothing.
    pub(super) empty: &'a [Utf8PathBuf],
    /// Whether the environments are a guess without any sign.
    pub(super) is_guess: bool,
}

/// The file's text.
pub(super) fn configuration(parts: &Parts<'_>) -> String {
    let mut lines = vec![
        "# Proposed by `hydrator init` from what is in this repository. It is yours now: read it, change it, then".to_owned(),
        "# `hydrator check --worktree` and `hydrator render --worktree --output DIRECTORY`.".to_owned(),
        "version: 1".to_owned(),
        String::new(),
    ];
    lines.extend(environments(parts));
    lines.push(
        "\n# A pattern gives every environment one target for each directory that it matches.\ntargets:"
            .to_owned(),
    );
    let all: BTreeSet<&String> = parts.environments.iter().map(|(name, _)| name).collect();
    lines.extend(parts.patterns.iter().flat_map(directory));
    lines.extend(parts.charts.iter().flat_map(|target| chart(target, &all)));
    lines.extend(left("nothing in their paths names an environment", parts.left));
    lines.extend(left("they render to nothing", parts.empty));
    lines.join("\n") + "\n"
}

/// What is left to people, and why.
fn left(why: &str, paths: &[Utf8PathBuf]) -> Vec<String> {
    if paths.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![format!("\n# Not proposed, since {why}:")];
    lines.extend(paths.iter().take(LISTED).map(|path| format!("#   {path}")));
    let more = paths.len().saturating_sub(LISTED);
    lines.extend((more > 0).then(|| format!("#   and {more} more")));
    lines
}

fn environments(parts: &Parts<'_>) -> Vec<String> {
    let graph = parts.environments.iter().any(|(_, after)| after.is_some());
    let why = match (parts.is_guess, graph) {
        (true, _) => {
            "# Nothing here tells environments apart: one to begin with, to be named as you call it."
        }
        (false, true) => {
            "# From their names: those of one step are promoted side by side, after all of the step before (`after`)."
        }
        (false, false) => "# In the order that their names suggest: each is promoted after the one above it.",
    };
    let branches = "# The clusters sync `hydrator/<environment>`; proposals come as pull requests from\n# `hydrator/<environment>-next`.";
    let mut lines = vec![why.to_owned(), branches.to_owned(), "environments:".to_owned()];
    for (at, (name, after)) in parts.environments.iter().enumerate() {
        lines.push(format!("  - name: {}", quoted(name)));
        if let Some(after) = after {
            lines.push(format!("    after: [{}]", list(after)));
        }
        if at == 0 {
            lines.push("    # autoMerge: true  # merged without a person".to_owned());
            lines.push(
                "    # gates: { soak: 30m, statuses: [smoke-test] }  # what the later ones wait for"
                    .to_owned(),
            );
        }
    }
    lines
}

fn directory(pattern: &Pattern) -> Vec<String> {
    let directories = if pattern.count == 1 { "directory" } else { "directories" };
    let mut lines = vec![
        format!("  # {} {directories} of {}", pattern.count, pattern.kind.words()),
        format!("  - path: {}", quoted(&pattern.path)),
        format!("    name: {}", quoted(&pattern.name)),
    ];
    if !pattern.exclude.is_empty() {
        lines.push("    # used by others, or nothing to render".to_owned());
        lines.push(format!("    exclude: [{}]", list(&pattern.exclude)));
    }
    lines
}

fn chart(target: &ChartTarget, all: &BTreeSet<&String>) -> Vec<String> {
    let (chart, application) = (&target.chart, target.application.as_ref());
    let why = application.map_or_else(
        || "  # a chart".to_owned(),
        |application| {
            format!("  # a chart, as the Argo CD Application {} deploys it", quoted(&application.name))
        },
    );
    let mut lines = vec![
        why,
        format!("  - path: {}", quoted(chart.path.as_str())),
        format!("    name: {}", quoted(&chart.name)),
    ];
    if !target.environments.is_empty() && all.iter().any(|name| !target.environments.contains(*name)) {
        lines.push("    # those that it has values for".to_owned());
        lines.push(format!("    environments: [{}]", list(&target.environments)));
    }
    let release = application.and_then(|one| one.release.as_ref()).unwrap_or(&chart.name);
    lines.push(format!("    helm:\n      releaseName: {}", quoted(release)));
    lines.push(match application.and_then(|one| one.namespace.as_ref()) {
        Some(namespace) => format!("      namespace: {}", quoted(namespace)),
        None => format!("      namespace: {}  # guessed from the chart's name", quoted(&chart.name)),
    });
    if !target.values.is_empty() {
        lines.push(format!("      valueFiles: [{}]  # `?`: may be missing", list(&target.values)));
    }
    lines
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// A YAML scalar: quoted where it could be read as anything else.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let starts_plain = text.starts_with(|c: char| c.is_ascii_alphabetic());
    let is_word =
        ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    if starts_plain && text.chars().all(is_plain) && !is_word {
        return text.to_owned();
    }
    // JSON's strings are YAML's double-quoted ones.
    serde_json::Value::from(text).to_string()
}
