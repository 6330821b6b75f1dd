//! Entries of `targets`, whatever they were made from, and names that keep their targets apart. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::stages;

/// One entry of `targets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// Why it is there, in lines.
    pub(super) comment: Vec<String>,
    /// The path, with placeholders; empty for the root.
    pub(super) path: String,
    /// The name, with placeholders.
    pub(super) name: String,
    /// The names that its targets get; as many as it has placeholders for.
    pub(super) names: BTreeSet<String>,
    /// Directories that it matches and that are not meant.
    pub(super) exclude: Vec<String>,
    /// The environments that it is for, where the path does not tell; none means all.
    pub(super) only: BTreeSet<String>,
    /// Options of its renderer.
    pub(super) options: Options,
}

/// Options of a renderer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Options {
    /// None.
    None,
    /// Overlays for which kustomize calls helm.
    Inflating,
    /// Plain manifests, without those below.
    Flat,
    /// A chart.
    Helm(Helm),
}

/// How a chart is rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Helm {
    /// The release.
    pub(super) release: String,
    /// The namespace.
    pub(super) namespace: String,
    /// Whether the namespace is but a guess.
    pub(super) is_guess: bool,
    /// The value files.
    pub(super) values: Vec<String>,
    /// What is different in single environments: key and value, as YAML.
    pub(super) others: BTreeMap<String, Vec<(&'static str, Vec<String>)>>,
}

/// A longer name than this would only be another wrong one.
const NUMBERED: usize = 3;

/// Gives entries whose targets would have the same name longer ones, made from their paths.
pub(super) fn name_apart(entries: &mut [Entry]) {
    let are_several = entries.iter().filter(|entry| entry.name.starts_with('{')).count() > 1
        || entries.iter().filter(|entry| entry.path.contains("{environment}")).count() > 1;
    let first = |entry: &Entry| usize::from(are_several && entry.name.starts_with('{'));
    let mut levels: Vec<usize> = entries.iter().map(first).collect();
    for _ in 0..NUMBERED {
        let mut owners: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            for name in &entry.names {
                let name = longer(entry, name, levels[at], at).to_lowercase();
                owners.entry(name).or_default().insert(at);
            }
        }
        let clashing: BTreeSet<usize> =
            owners.into_values().filter(|owners| owners.len() > 1).flatten().collect();
        if clashing.is_empty() {
            break;
        }
        for at in clashing {
            levels[at] += 1;
        }
    }
    for (at, entry) in entries.iter_mut().enumerate() {
        entry.name = longer(entry, &entry.name, levels[at], at);
    }
}

/// A name with the first literal part of the path before it, with all of them, or with a number.
fn longer(entry: &Entry, name: &str, level: usize, at: usize) -> String {
    let is_telling = |part: &&str| !part.is_empty() && !part.contains('{') && !stages::is_parent(part);
    let mut parts: Vec<&str> = entry.path.split('/').filter(is_telling).collect();
    if parts.last() == Some(&name) {
        parts.pop();
    }
    let before = match level {
        0 => return name.to_owned(),
        1 => parts.first().copied().map(str::to_owned).into_iter().collect(),
        _ => parts.join("-"),
    };
    let longer = if before.is_empty() { name.to_owned() } else { format!("{before}-{name}") };
    if level >= NUMBERED { format!("{longer}-{}", at + 1) } else { longer }
}
