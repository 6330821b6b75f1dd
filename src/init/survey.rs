//! What a repository holds that could be rendered: overlays, charts, templates, plain manifests. Reads the DRY tree.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::applications::{self, Application};
use super::kind::Kind;
use super::kustomizations::{self, Kustomizations};
use super::left::Why;
use super::manifests::{self, shown};
use super::reading::{Reading, directory_of, name_of};
use crate::model::DryTree;

/// A helm chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chart {
    /// Its directory.
    pub(super) path: Utf8PathBuf,
    /// Its name.
    pub(super) name: String,
}

/// Everything that was found.
pub(super) struct Survey<'a> {
    /// The files.
    pub(super) reading: Reading<'a>,
    /// Directories to render, and how.
    pub(super) units: BTreeMap<Utf8PathBuf, Kind>,
    /// Charts that are no parts of others.
    pub(super) charts: Vec<Chart>,
    /// What Argo CD says.
    pub(super) applications: Vec<Application>,
    /// What is left to people, and why.
    pub(super) left: Vec<(Why, String)>,
    /// Whether kustomize needs helm.
    pub(super) inflates: bool,
}

/// Looks at a whole tree.
pub(super) fn survey(tree: &dyn DryTree) -> Result<Survey<'_>> {
    let reading = Reading::new(tree)?;
    let Kustomizations { owned, roots, empty, gathering, files, charts: inflated, inflating } =
        kustomizations::find(&reading)?;
    let all = all_charts(&reading);
    let in_overlay = |path: &Utf8Path| owned.iter().any(|other| path.starts_with(other));
    let is_taken = |path: &Utf8Path| in_overlay(path) || all.iter().any(|chart| is_inside(path, chart));
    let templates = manifests::templates(&reading, &is_taken);
    let is_taken =
        |path: &Utf8Path| is_taken(path) || templates.units.keys().any(|other| path.starts_with(other));
    let plain = manifests::plain(&reading, &is_taken, &files)?;
    let (applications, sets) = applications::find(&reading)?;
    let mut left: Vec<(Why, String)> = Vec::new();
    left.extend(empty.iter().map(|path| (Why::Empty, shown(path))));
    left.extend(gathering.iter().map(|path| (Why::Gathers, shown(path))));
    left.extend(templates.left.iter().cloned().chain(plain.left));
    left.extend(sets.iter().map(|path| (Why::Sets, path.to_string())));
    let kind = |path: &Utf8PathBuf| {
        if inflating.contains(path) { Kind::Inflating } else { Kind::Kustomize }
    };
    let mut units: BTreeMap<Utf8PathBuf, Kind> =
        roots.into_iter().map(|path| (path.clone(), kind(&path))).collect();
    units.extend(templates.units.clone());
    units.extend(plain.units);
    let charts = charts(&reading, &all, &inflated)?;
    let mut survey = Survey { units, charts, applications, left, inflates: !inflating.is_empty(), reading };
    survey.leave_out_the_unspeakable();
    Ok(survey)
}

impl Survey<'_> {
    /// Paths that a pattern would read as something else.
    fn leave_out_the_unspeakable(&mut self) {
        let is_bad = |path: &Utf8Path| {
            path.as_str().contains(|c: char| matches!(c, '{' | '}' | '\\') || c.is_control())
        };
        let units = self.units.keys().filter(|path| is_bad(path)).map(|path| shown(path));
        let charts = self.charts.iter().map(|chart| &chart.path).filter(|path| is_bad(path));
        let bad: Vec<String> = units.chain(charts.map(|path| shown(path))).collect();
        self.left.extend(bad.into_iter().map(|path| (Why::Unspeakable, path.escape_debug().to_string())));
        self.units.retain(|path, _| !is_bad(path));
        self.charts.retain(|chart| !is_bad(&chart.path));
    }
}

fn all_charts(reading: &Reading<'_>) -> Vec<Utf8PathBuf> {
    let files = reading.files.iter().filter(|path| name_of(path) == "Chart.yaml");
    files.map(|file| directory_of(file).to_owned()).collect()
}

/// Whether a directory belongs to a chart. One at the root has only helm's own directories.
fn is_inside(path: &Utf8Path, chart: &Utf8Path) -> bool {
    if chart.as_str().is_empty() {
        let own = ["templates", "charts", "crds"];
        return path.as_str().is_empty() || own.iter().any(|own| path.starts_with(own));
    }
    path.starts_with(chart)
}

/// Charts that are neither parts of others nor inflated by kustomize.
fn charts(
    reading: &Reading<'_>,
    all: &[Utf8PathBuf],
    inflated: &std::collections::BTreeSet<Utf8PathBuf>,
) -> Result<Vec<Chart>> {
    let mut found = Vec::new();
    for path in all {
        let about = reading.value(&super::reading::child(path, "Chart.yaml"))?;
        let is_part = all.iter().any(|other| other != path && is_inside(path, other));
        if is_part || inflated.contains(path) || about["type"] == "library" {
            continue;
        }
        let name = about["name"].as_str().filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| name_of(path)).to_owned();
        found.push(Chart { path: path.clone(), name });
    }
    Ok(found)
}
