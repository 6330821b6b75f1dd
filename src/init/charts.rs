//! Charts as targets: their value files for each environment, and what Argo CD says of them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::applications::{Application, whole};
use super::deployments::{Deployment, deployments};
use super::entries::{Entry, Helm, Options};
use super::patterns::ENVIRONMENT;
use super::stages;
use super::survey::{Chart, Survey};
use super::values::{Of, by_environment};
use super::varying::settle;

/// Applications that are named in a comment before the rest is counted.
const NAMED: usize = 4;

/// The same chart in each of its environments' directories, or one chart for all environments.
struct Family<'a> {
    /// The path, with `{environment}` where it has a place for it.
    path: String,
    /// The charts, by environment.
    members: BTreeMap<Option<String>, &'a Chart>,
}

/// Entries for all charts, and the environments that they name. `known` are those that other directories have named.
pub(super) fn entries(survey: &Survey<'_>, known: &BTreeSet<String>) -> (Vec<Entry>, BTreeSet<String>) {
    let families = families(&survey.charts, known);
    let mut environments = BTreeSet::new();
    let mut entries = Vec::new();
    for family in &families {
        let chart = Whole { survey, family, values: values(survey, family, known) };
        let mut own: BTreeSet<String> = family.members.keys().flatten().cloned().collect();
        own.extend(chart.values.iter().flat_map(|(_, environments)| environments.iter().cloned()));
        let known = known.union(&own).cloned().collect();
        let mine = survey
            .applications
            .iter()
            .filter(|one| family.members.values().any(|chart| chart.path == one.directory));
        let mut found = deployments(mine, &known);
        if found.is_empty() {
            found.push((family.name(), Deployment::new()));
        }
        let is_one = found.len() == 1;
        for (name, deployment) in &found {
            let mut its: BTreeSet<String> = deployment.keys().flatten().cloned().collect();
            if is_one {
                its.extend(own.iter().cloned());
            }
            environments.extend(its.iter().cloned());
            let name = if is_one { family.name() } else { label(name) };
            entries.push(chart.entry(name, deployment, its));
        }
    }
    (entries, environments)
}

/// Charts whose paths differ in the environment only belong together.
fn families<'a>(charts: &'a [Chart], known: &BTreeSet<String>) -> Vec<Family<'a>> {
    let mut found: BTreeMap<String, BTreeMap<Option<String>, &Chart>> = BTreeMap::new();
    for chart in charts {
        let (path, environment) = apart(&chart.path);
        found.entry(path).or_default().insert(environment, chart);
    }
    let mut families = Vec::new();
    for (path, members) in found {
        let is_one = members.len() == 1;
        let is_chance = |name: &String| is_one && !known.contains(name) && !has_parent(&path);
        if members.keys().flatten().any(is_chance) {
            // A chart that is only called so, such as `charts/demo`.
            families.extend(members.into_values().map(|chart| Family {
                path: chart.path.to_string(),
                members: BTreeMap::from([(None, chart)]),
            }));
        } else {
            families.push(Family { path, members });
        }
    }
    families
}

/// A path with the placeholder, and the environment that stood there.
fn apart(path: &Utf8Path) -> (String, Option<String>) {
    let mut parts: Vec<&str> = path.as_str().split('/').collect();
    let Some(at) = stages::place_in(&parts, false) else { return (path.to_string(), None) };
    let environment = std::mem::replace(&mut parts[at], ENVIRONMENT).to_owned();
    (parts.join("/"), Some(environment))
}

fn has_parent(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    parts.windows(2).any(|pair| stages::is_parent(pair[0]) && pair[1] == ENVIRONMENT)
}

fn values(
    survey: &Survey<'_>,
    family: &Family<'_>,
    known: &BTreeSet<String>,
) -> Vec<(String, BTreeSet<String>)> {
    let mut found: Vec<(String, BTreeSet<String>)> = Vec::new();
    for (environment, chart) in &family.members {
        let of = Of {
            files: &survey.reading.files,
            known,
            is_only_chart: survey.charts.len() == 1,
            directory: &chart.path,
            name: &chart.name,
        };
        for (file, mut environments) in by_environment(of) {
            environments.retain(|one| environment.as_ref().is_none_or(|own| own == one));
            match found.iter_mut().find(|(known, _)| *known == file) {
                Some((_, known)) => known.extend(environments),
                None if environments.is_empty() => {}
                None => found.push((file, environments)),
            }
        }
    }
    found
}

impl Family<'_> {
    /// The name, as far as all have the same one: else that of the directory.
    fn name(&self) -> String {
        let names: BTreeSet<&str> = self.members.values().map(|chart| chart.name.as_str()).collect();
        let directory = || self.path.split('/').rfind(|part| !part.contains('{')).unwrap_or_default();
        let mut names = names.into_iter();
        label(match (names.next(), names.next()) {
            (Some(name), None) => name,
            _ => directory(),
        })
    }
}

/// A family with what is around it.
struct Whole<'a> {
    survey: &'a Survey<'a>,
    family: &'a Family<'a>,
    /// Value files with the placeholder, and who has them.
    values: Vec<(String, BTreeSet<String>)>,
}

impl Whole<'_> {
    fn entry(&self, name: String, deployment: &Deployment<'_>, its: BTreeSet<String>) -> Entry {
        let is_by_path = self.family.path.contains(ENVIRONMENT);
        let helm = self.helm(&name, deployment, &its);
        Entry {
            comment: comment(deployment),
            path: self.family.path.clone(),
            names: BTreeSet::from([name.clone()]),
            name,
            exclude: Vec::new(),
            only: if is_by_path { BTreeSet::new() } else { its },
            options: Options::Helm(helm),
        }
    }

    fn helm(&self, name: &str, deployment: &Deployment<'_>, its: &BTreeSet<String>) -> Helm {
        let mut others: BTreeMap<String, Vec<(&'static str, Vec<String>)>> = BTreeMap::new();
        let mut settled = |key: &'static str, of: &dyn Fn(&Application) -> Option<Vec<String>>| {
            let (all, different) = settle(&each(deployment, key == "valueFiles", of));
            for (environment, texts) in
                different.into_iter().filter(|(environment, _)| !environment.is_empty())
            {
                others.entry(stages::legal(&environment)).or_default().push((key, texts));
            }
            all
        };
        let one = |text: &String| Some(vec![text.clone()]);
        let release = settled("releaseName", &|one| Some(vec![one.release.clone()])).pop();
        let namespace =
            settled("namespace", &|application| application.namespace.as_ref().and_then(one)).pop();
        let files = settled("valueFiles", &|one| (!one.values.is_empty()).then(|| one.values.clone()));
        Helm {
            release: release.unwrap_or_else(|| name.to_owned()),
            is_guess: namespace.is_none(),
            namespace: namespace.unwrap_or_else(|| name.to_owned()),
            values: if files.is_empty() { self.found_values() } else { self.optional(files, its) },
            others,
        }
    }

    /// Value files as they lie there. One that an environment lacks is no error.
    fn found_values(&self) -> Vec<String> {
        let own = self.family.members.values().all(|chart| self.has(&chart.path, "values.yaml"));
        let own = own.then(|| "values.yaml".to_owned());
        own.into_iter().chain(self.values.iter().map(|(file, _)| format!("{file}?"))).collect()
    }

    /// Value files as Argo CD has them; those that an environment lacks are marked.
    fn optional(&self, files: Vec<String>, its: &BTreeSet<String>) -> Vec<String> {
        let is_everywhere = |file: &str| {
            let mut environments = its.iter().map(Some).chain(its.is_empty().then_some(None));
            environments.all(|environment| {
                let chart = self.family.members.get(&environment.cloned());
                let chart = chart.or(self.family.members.values().next());
                let file = environment.map_or(file.to_owned(), |name| file.replace(ENVIRONMENT, name));
                chart.is_some_and(|chart| self.has(&chart.path, &file))
            })
        };
        files.into_iter().map(|file| if is_everywhere(&file) { file } else { file + "?" }).collect()
    }

    fn has(&self, directory: &Utf8Path, file: &str) -> bool {
        whole(directory, file).is_some_and(|path: Utf8PathBuf| self.survey.reading.files.contains(&path))
    }
}

/// What the Applications say, by environment. Names are lower-case there, and as they are in paths of files.
fn each(
    deployment: &Deployment<'_>,
    is_path: bool,
    of: &dyn Fn(&Application) -> Option<Vec<String>>,
) -> BTreeMap<String, Vec<String>> {
    let said = deployment.iter().filter_map(|(environment, application)| {
        let environment = environment.clone().unwrap_or_default();
        let name = if is_path { environment } else { stages::legal(&environment) };
        Some((name, of(application)?))
    });
    said.collect()
}

fn comment(deployment: &Deployment<'_>) -> Vec<String> {
    let names: BTreeSet<&str> = deployment.values().map(|one| one.name.as_str()).collect();
    let shown = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let mut lines = vec![match names.len() {
        0 => "a chart".to_owned(),
        1 => format!("a chart, as the Argo CD Application {shown} deploys it"),
        count if count <= NAMED => format!("a chart, as the Argo CD Applications {shown} deploy it"),
        count => format!("a chart, as {count} Argo CD Applications deploy it: {shown} …"),
    }];
    let dropped: BTreeSet<&String> = deployment.values().flat_map(|one| &one.dropped).collect();
    if !dropped.is_empty() {
        let dropped: Vec<&str> = dropped.into_iter().map(String::as_str).collect();
        lines.push(format!("NOT carried over from there: {}", dropped.join(", ")));
    }
    lines
}

/// A name that Kubernetes and helm take.
fn label(name: &str) -> String {
    const LONGEST: usize = 53;
    let plain = stages::plain(name).replace(['.', '_'], "-");
    let short: String = plain.chars().take(LONGEST).collect();
    let short = short.trim_end_matches('-');
    if short.is_empty() { "app".to_owned() } else { short.to_owned() }
}
