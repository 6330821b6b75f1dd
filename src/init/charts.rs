//! Charts and the value files that they have for each environment. Pure.

use std::collections::BTreeSet;

use camino::Utf8Path;

use super::stages;
use super::survey::{Application, Chart, Survey};

/// Where people keep the values of an environment; `{e}` stands for it, `{c}` for the chart. A leading `/` is the root.
const PLACES: [&str; 19] = [
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
    "/envs/{e}/{c}.yaml",
    "/environments/{e}/{c}.yaml",
    "/environments/{e}/{c}/values.yaml",
    "/envs/{e}/{c}/values.yaml",
    "/values/{e}/{c}.yaml",
    "/values/{c}/{e}.yaml",
];

/// A chart as a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChartTarget {
    /// Where it is, and what it is called.
    pub(super) chart: Chart,
    /// Its value files, with `{environment}`.
    pub(super) values: Vec<String>,
    /// The environments that it has values for.
    pub(super) environments: BTreeSet<String>,
    /// What Argo CD says of it.
    pub(super) application: Option<Application>,
}

/// The charts of a survey; `known` are environments that other directories have named.
pub(super) fn targets(survey: &Survey, known: &BTreeSet<String>) -> Vec<ChartTarget> {
    survey.charts.iter().map(|chart| target(survey, chart, known)).collect()
}

fn target(survey: &Survey, chart: &Chart, known: &BTreeSet<String>) -> ChartTarget {
    let mut values = Vec::new();
    if survey.files.contains(&chart.path.join("values.yaml")) {
        values.push("values.yaml".to_owned());
    }
    let mut environments = BTreeSet::new();
    for place in PLACES {
        let found = at(survey, chart, place, known);
        if !found.is_empty() {
            // One that an environment lacks is no error.
            values.push(place.replace("{e}", "{environment}").replace("{c}", &chart.name) + "?");
            environments.extend(found);
        }
    }
    ChartTarget {
        chart: chart.clone(),
        values,
        environments,
        application: survey.applications.get(&chart.path).cloned(),
    }
}

/// The environments that have a file at this place.
fn at(survey: &Survey, chart: &Chart, place: &str, known: &BTreeSet<String>) -> BTreeSet<String> {
    let place = place.replace("{c}", &chart.name);
    let whole = match place.strip_prefix('/') {
        Some(from_root) => from_root.to_owned(),
        None => chart.path.join(&place).into_string(),
    };
    let Some((before, after)) = whole.split_once("{e}") else { return BTreeSet::new() };
    let named = |path: &Utf8Path| {
        let name = path.as_str().strip_prefix(before)?.strip_suffix(after)?;
        let is_one = !name.is_empty() && !name.contains('/');
        (is_one && (known.contains(name) || stages::step(name).is_some())).then(|| name.to_owned())
    };
    survey.files.iter().filter_map(|path| named(path)).collect()
}
