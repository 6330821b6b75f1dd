//! How often a chart is deployed, and in which environments, by what Argo CD's Applications say. Pure.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;

use super::applications::Application;
use super::patterns::ENVIRONMENT;
use super::stages;
use super::varying::with_placeholder;

/// The Applications that deploy the same thing, by environment; those without one are for all.
pub(super) type Deployment<'a> = BTreeMap<Option<String>, &'a Application>;

/// One for each name that remains when that of the environment is taken off; with that name.
pub(super) fn deployments<'a>(
    applications: impl Iterator<Item = &'a Application>,
    known: &BTreeSet<String>,
) -> Vec<(String, Deployment<'a>)> {
    let mut found: BTreeMap<String, Deployment<'a>> = BTreeMap::new();
    for application in applications {
        let environment = environment(application, known);
        let base = base(&application.name, environment.as_deref());
        let is_taken = |name: &str| found.get(name).is_some_and(|one| one.contains_key(&environment));
        let base = if is_taken(&base) { application.name.clone() } else { base };
        found.entry(base).or_default().entry(environment).or_insert(application);
    }
    found.into_iter().map(|(name, deployment)| (name, with_the_last_one(deployment, known))).collect()
}

/// An Application without an environment among those that have one is that of the one environment that is left, as with
/// `web` beside `web-dev`.
fn with_the_last_one<'a>(mut deployment: Deployment<'a>, known: &BTreeSet<String>) -> Deployment<'a> {
    let mut open = known.iter().filter(|name| !deployment.contains_key(&Some((*name).clone())));
    if let (Some(last), None) = (open.next().cloned(), open.next())
        && deployment.len() > 1
        && let Some(application) = deployment.remove(&None)
    {
        deployment.insert(Some(last), application);
    }
    deployment
}

/// What an Application says of its environment: its value files, its name, where it deploys to, and where it stands.
fn environment(application: &Application, known: &BTreeSet<String>) -> Option<String> {
    let texts = || {
        let values = application.values.iter().map(String::as_str);
        let rest = [
            Some(application.name.as_str()),
            application.namespace.as_deref(),
            application.cluster.as_deref(),
        ];
        values.chain(rest.into_iter().flatten()).chain([application.file.as_str()])
    };
    // The longest: `prod-eu` before `prod`.
    let of_known = |text: &str| {
        let names = known.iter().filter(|name| with_placeholder(text, name).contains(ENVIRONMENT));
        names.max_by_key(|name| name.len()).cloned()
    };
    let by_place = || {
        let directory = application.file.parent().unwrap_or(Utf8Path::new(""));
        let parts: Vec<&str> = directory.as_str().split('/').collect();
        stages::place_in(&parts, false).map(|at| parts[at].to_owned())
    };
    texts().find_map(of_known).or_else(|| said(&application.name)).or_else(by_place)
}

/// The environment in a name of words: from the first word that is one to the end, or that word where it is the first.
fn said(name: &str) -> Option<String> {
    let words: Vec<&str> = name.split('-').collect();
    let at = words.iter().position(|word| stages::step(word).is_some())?;
    Some(if at == 0 { words[0].to_owned() } else { words[at..].join("-") })
}

/// A name without that of the environment.
fn base(name: &str, environment: Option<&str>) -> String {
    let Some(environment) = environment else { return name.to_owned() };
    let rest = with_placeholder(name, environment).replace(ENVIRONMENT, "");
    let rest = rest.replace("--", "-");
    let rest = rest.trim_matches(['-', '.', '_']);
    if rest.is_empty() { name.to_owned() } else { rest.to_owned() }
}
