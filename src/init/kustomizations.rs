//! Kustomizations: which ones are to be rendered, and what others use. Reads the DRY tree.
//!
//! Any text in a kustomization that leads to a file, a kustomization or a chart of the tree counts as a use of it: a
//! survey may see one too many, since nothing is hydrated that somebody has not read.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::reading::{Reading, directory_of, joined, name_of};
use super::stages;

/// The names by which kustomize knows a directory as its own.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Keys of what makes manifests without a file of them.
const MAKERS: [&str; 8] = [
    "bases",
    "components",
    "generators",
    "configMapGenerator",
    "secretGenerator",
    "helmCharts",
    "helmChartInflationGenerator",
    "transformers",
];

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Kustomizations {
    /// Every directory that has one.
    pub(super) owned: BTreeSet<Utf8PathBuf>,
    /// Those that no other one uses.
    pub(super) roots: Vec<Utf8PathBuf>,
    /// Those that would render to nothing.
    pub(super) empty: Vec<Utf8PathBuf>,
    /// Those that bring several environments together.
    pub(super) gathering: Vec<Utf8PathBuf>,
    /// Files that they use.
    pub(super) files: BTreeSet<Utf8PathBuf>,
    /// Charts that they inflate.
    pub(super) charts: BTreeSet<Utf8PathBuf>,
    /// Those that inflate a chart, and those that use them.
    pub(super) inflating: BTreeSet<Utf8PathBuf>,
}

/// Looks at all of them.
pub(super) fn find(reading: &Reading<'_>) -> Result<Kustomizations> {
    let mut found = Kustomizations::default();
    let mut texts: BTreeMap<Utf8PathBuf, Value> = BTreeMap::new();
    for file in reading.files.iter().filter(|path| NAMES.contains(&name_of(path))) {
        texts.entry(directory_of(file).to_owned()).or_insert(reading.value(file)?);
    }
    found.owned = texts.keys().cloned().collect();
    let mut used = BTreeSet::new();
    let mut components = BTreeSet::new();
    let mut edges = BTreeMap::new();
    for (own, value) in &texts {
        if value["kind"] == "Component" {
            components.insert(own.clone());
        }
        found.charts.extend(charts(own, value));
        if value.get("helmCharts").or(value.get("helmChartInflationGenerator")).is_some() {
            found.inflating.insert(own.clone());
        }
        let named: BTreeSet<Utf8PathBuf> =
            strings(value).into_iter().filter_map(|text| joined(own, text)).collect();
        found.files.extend(named.iter().filter(|path| reading.files.contains(*path)).cloned());
        let others: BTreeSet<Utf8PathBuf> =
            named.into_iter().filter(|path| path != own && texts.contains_key(path)).collect();
        if gathers(own, &others) {
            found.gathering.push(own.clone());
        } else {
            used.extend(others.iter().cloned());
        }
        edges.insert(own.clone(), others);
    }
    spread(&mut found.inflating, &edges);
    for (directory, value) in texts {
        if used.contains(&directory)
            || components.contains(&directory)
            || found.gathering.contains(&directory)
        {
            continue;
        }
        let is_empty = is_empty(reading, &directory, &value)?;
        let list = if is_empty { &mut found.empty } else { &mut found.roots };
        list.push(directory);
    }
    Ok(found)
}

/// Adds whatever uses one of them, over any number of steps.
fn spread(all: &mut BTreeSet<Utf8PathBuf>, edges: &BTreeMap<Utf8PathBuf, BTreeSet<Utf8PathBuf>>) {
    loop {
        let more = edges.iter().filter(|(own, others)| !all.contains(*own) && !others.is_disjoint(all));
        let more: Vec<Utf8PathBuf> = more.map(|(own, _)| own.clone()).collect();
        if more.is_empty() {
            return;
        }
        all.extend(more);
    }
}

/// Whether a kustomization that belongs to no environment uses those of several.
fn gathers(own: &Utf8Path, others: &BTreeSet<Utf8PathBuf>) -> bool {
    let environment = |path: &Utf8Path| {
        let parts: Vec<&str> = path.as_str().split('/').collect();
        stages::place_in(&parts, false).map(|at| parts[at].to_owned())
    };
    let environments: BTreeSet<String> = others.iter().filter_map(|other| environment(other)).collect();
    environment(own).is_none() && environments.len() > 1
}

/// Every text in a value, keys left out.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(entries) => entries.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// Charts beside a kustomization that it inflates.
fn charts(own: &Utf8Path, value: &Value) -> Vec<Utf8PathBuf> {
    let home = value["helmGlobals"]["chartHome"].as_str().unwrap_or("charts");
    let named = value["helmCharts"].as_array().into_iter().flatten();
    named
        .filter_map(|chart| chart["name"].as_str())
        .filter_map(|name| joined(own, &format!("{home}/{name}")))
        .collect()
}

/// Whether a kustomization names nothing but files without a manifest.
fn is_empty(reading: &Reading<'_>, own: &Utf8Path, value: &Value) -> Result<bool> {
    if !value.is_object() || MAKERS.iter().any(|key| value.get(*key).is_some()) {
        // What cannot be read is kustomize's to complain about.
        return Ok(false);
    }
    for resource in value["resources"].as_array().into_iter().flatten() {
        let Some(path) = resource.as_str().and_then(|text| joined(own, text)) else { return Ok(false) };
        let is_file = reading.files.contains(&path);
        if !is_file || reading.manifests(&path)?.is_none_or(|manifests| !manifests.is_empty()) {
            return Ok(false);
        }
    }
    Ok(true)
}
