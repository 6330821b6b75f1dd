//! Where people keep the values of a chart for each environment. Pure.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::applications::whole;
use super::patterns::ENVIRONMENT;
use super::stages;

/// Places of value files; `{e}` stands for the environment, `{c}` for the chart. A leading `/` is the root.
const PLACES: [&str; 24] = [
    "values-{e}.yaml",
    "values.{e}.yaml",
    "values_{e}.yaml",
    "{e}-values.yaml",
    "{e}.values.yaml",
    "values/{e}.yaml",
    "values/values-{e}.yaml",
    "values/{e}/values.yaml",
    "env/{e}.yaml",
    "envs/{e}.yaml",
    "envs/{e}/values.yaml",
    "environments/{e}.yaml",
    "environments/{e}/values.yaml",
    "config/{e}.yaml",
    "config/{e}/values.yaml",
    "/envs/{e}/{c}.yaml",
    "/envs/{e}/{c}/values.yaml",
    "/environments/{e}/{c}.yaml",
    "/environments/{e}/{c}/values.yaml",
    "/values/{e}/{c}.yaml",
    "/values/{c}/{e}.yaml",
    "/config/{e}/{c}.yaml",
    "/config/{e}/{c}/values.yaml",
    "/config/{c}/{e}.yaml",
];
/// Places that could be any chart's, and are one's where there is only one.
const SHARED: [&str; 5] = [
    "/values/{e}.yaml",
    "/values/{e}/values.yaml",
    "/envs/{e}/values.yaml",
    "/environments/{e}/values.yaml",
    "/config/{e}/values.yaml",
];

/// A chart, as far as its value files are concerned.
#[derive(Clone, Copy)]
pub(super) struct Of<'a> {
    pub(super) files: &'a BTreeSet<Utf8PathBuf>,
    /// Environments that something else has named.
    pub(super) known: &'a BTreeSet<String>,
    pub(super) is_only_chart: bool,
    pub(super) directory: &'a Utf8Path,
    pub(super) name: &'a str,
}

/// Value files with `{environment}`, and the environments that have them.
pub(super) fn by_environment(of: Of<'_>) -> Vec<(String, BTreeSet<String>)> {
    let shared = SHARED.iter().filter(|_| of.is_only_chart);
    let places =
        PLACES.iter().chain(shared).flat_map(|place| [(*place).to_owned(), place.replace(".yaml", ".yml")]);
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for place in places {
        let place = place.replace("{c}", of.name);
        let Some(path) = whole(of.directory, &place).filter(|path| seen.insert(path.clone())) else {
            continue;
        };
        let environments = at(of, path.as_str());
        if !environments.is_empty() {
            found.push((place.replace("{e}", ENVIRONMENT), environments));
        }
    }
    found
}

/// The environments that have a file at a place.
fn at(of: Of<'_>, place: &str) -> BTreeSet<String> {
    let Some((before, after)) = place.split_once("{e}") else { return BTreeSet::new() };
    let named = |path: &Utf8PathBuf| {
        let name = path.as_str().strip_prefix(before)?.strip_suffix(after)?;
        let is_one = !name.is_empty() && !name.contains('/');
        (is_one && (of.known.contains(name) || stages::step(name).is_some())).then(|| name.to_owned())
    };
    of.files.iter().filter_map(named).collect()
}
