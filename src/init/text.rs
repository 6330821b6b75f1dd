//! The proposed `hydrator.yaml`, with a comment for each choice. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::entries::{Entry, Helm, Options};
use super::left::Why;
use super::patterns::ENVIRONMENT;
use super::stages;

/// Directories that are listed before the rest is counted.
const LISTED: usize = 20;
/// What stands for an environment in paths where they spell its name in another way.
const SPELLED: &str = "{vars.directory}";

/// What the configuration is made of.
pub(super) struct Parts<'a> {
    /// Environments in order, as paths spell them, each with those before it where that is not just the one above.
    pub(super) environments: &'a [(String, Option<Vec<String>>)],
    /// What is rendered.
    pub(super) entries: &'a [Entry],
    /// What is left to people, and why.
    pub(super) left: &'a [(Why, String)],
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
    lines.extend(parts.entries.iter().flat_map(|entry| target(entry, parts)));
    lines.extend(left(parts.left));
    lines.join("\n") + "\n"
}

/// A line for people. What comes from the repository cannot end it.
fn comment(indent: &str, text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    format!("{indent}# {text}")
}

/// What is left to people, by the reasons.
fn left(all: &[(Why, String)]) -> Vec<String> {
    let mut reasons: BTreeMap<Why, BTreeSet<&String>> = BTreeMap::new();
    for (why, what) in all {
        reasons.entry(*why).or_default().insert(what);
    }
    let mut lines = Vec::new();
    for (why, what) in reasons {
        lines.push(String::new());
        lines.push(comment("", &format!("{}:", why.words())));
        lines.extend(what.iter().take(LISTED).map(|path| comment("", &format!("  {path}"))));
        let more = what.len().saturating_sub(LISTED);
        lines.extend((more > 0).then(|| comment("", &format!("  and {more} more"))));
    }
    lines
}

/// Whether paths spell an environment in a way that its name cannot have.
fn is_spelled_otherwise(parts: &Parts<'_>) -> bool {
    parts.environments.iter().any(|(name, _)| stages::legal(name) != *name)
}

fn environments(parts: &Parts<'_>) -> Vec<String> {
    let graph = parts.environments.iter().any(|(_, after)| after.is_some());
    let why = match (parts.is_guess, graph) {
        (true, _) => "Nothing here tells environments apart: one to begin with, to be named as you call it.",
        (false, true) => {
            "From their names: those of one step are promoted side by side, after all of the step before (`after`)."
        }
        (false, false) if parts.environments.len() == 1 => "The one environment that the paths name.",
        (false, false) => "In the order that their names suggest: each is promoted after the one above it.",
    };
    let mut lines = vec![
        comment("", why),
        comment("", "The clusters sync `hydrator/<environment>`; proposals come as pull requests from"),
        comment("", "`hydrator/<environment>-next`."),
    ];
    if is_spelled_otherwise(parts) {
        lines.push(comment("", "Names are lower-case; `vars.directory` is how the paths spell them."));
    }
    lines.push("environments:".to_owned());
    for (at, (name, after)) in parts.environments.iter().enumerate() {
        lines.push(format!("  - name: {}", quoted(&stages::legal(name))));
        if is_spelled_otherwise(parts) {
            lines.push(format!("    vars: {{ directory: {} }}", quoted(name)));
        }
        if let Some(after) = after {
            let after: Vec<String> = after.iter().map(|name| stages::legal(name)).collect();
            lines.push(format!("    after: [{}]", list(&after)));
        }
        if at == 0 && parts.environments.len() > 1 {
            lines.push("    # autoMerge: true  # merged without a person".to_owned());
            lines.push(
                "    # gates: { soak: 30m, statuses: [smoke-test] }  # what the later ones wait for"
                    .to_owned(),
            );
        }
    }
    lines
}

/// A path or a file with the placeholder that fits its spelling.
fn spelled(text: &str, parts: &Parts<'_>) -> String {
    if is_spelled_otherwise(parts) { text.replace(ENVIRONMENT, SPELLED) } else { text.to_owned() }
}

fn target(entry: &Entry, parts: &Parts<'_>) -> Vec<String> {
    let mut lines: Vec<String> = entry.comment.iter().map(|line| comment("  ", line)).collect();
    let path = if entry.path.is_empty() { "." } else { &entry.path };
    lines.push(format!("  - path: {}", quoted(&spelled(path, parts))));
    lines.push(format!("    name: {}", quoted(&entry.name)));
    if !entry.exclude.is_empty() {
        lines.push("    # used by others, or nothing to render".to_owned());
        lines.push(format!("    exclude: [{}]", list(&entry.exclude)));
    }
    let is_for_all = parts.environments.iter().all(|(name, _)| entry.only.contains(name));
    if !entry.only.is_empty() && !is_for_all {
        let only: Vec<String> = entry.only.iter().map(|name| stages::legal(name)).collect();
        lines.push("    # those that something is said of".to_owned());
        lines.push(format!("    environments: [{}]", list(&only)));
    }
    match &entry.options {
        Options::None => {}
        Options::Inflating => {
            lines
                .push("    # what they fetch, charts included, needs `allowRemote: true` as well".to_owned());
            lines.push("    kustomize: { buildOptions: [--enable-helm] }".to_owned());
        }
        Options::Flat => {
            lines.push("    plain: { recurse: false }  # what is below stands for itself".to_owned());
        }
        Options::Helm(options) => lines.extend(helm(options, parts)),
    }
    lines
}

fn helm(helm: &Helm, parts: &Parts<'_>) -> Vec<String> {
    let guess = if helm.is_guess { "  # guessed from the chart's name" } else { "" };
    let mut lines = vec![
        "    helm:".to_owned(),
        format!("      releaseName: {}", quoted(&helm.release)),
        format!("      namespace: {}{guess}", quoted(&helm.namespace)),
    ];
    let files = |files: &[String]| {
        let files: Vec<String> = files.iter().map(|file| spelled(file, parts)).collect();
        format!("[{}]", list(&files))
    };
    if !helm.values.is_empty() {
        let is_open = helm.values.iter().any(|file| file.ends_with('?'));
        let note = if is_open { "  # `?`: may be missing" } else { "" };
        lines.push(format!("      valueFiles: {}{note}", files(&helm.values)));
    }
    if !helm.others.is_empty() {
        lines.push("    overrides:".to_owned());
    }
    for (environment, others) in &helm.others {
        let others = others.iter().map(|(key, texts)| match (*key, texts.as_slice()) {
            ("valueFiles", texts) => format!("{key}: {}", files(texts)),
            (_, texts) => format!("{key}: {}", list(texts)),
        });
        let others = others.collect::<Vec<_>>().join(", ");
        lines.push(format!("      {}: {{ helm: {{ {others} }} }}", quoted(environment)));
    }
    lines
}

fn list<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    names.into_iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// A YAML scalar: quoted where it could be read as anything else.
pub(super) fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let starts_plain = text.starts_with(|c: char| c.is_ascii_alphabetic()) || text == ".";
    let is_word =
        ["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_lowercase().as_str());
    if starts_plain && text.chars().all(is_plain) && !is_word {
        return text.to_owned();
    }
    // JSON's strings are YAML's double-quoted ones.
    serde_json::Value::from(text).to_string()
}
