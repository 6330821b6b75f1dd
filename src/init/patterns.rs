//! From directories to patterns: what differs from one environment to the next becomes `{environment}`, what differs from
//! one application to the next becomes `{app}`. Pure.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::stages;
use super::survey::{Kind, Survey};

/// The place of the environment in a pattern.
const ENVIRONMENT: &str = "{environment}";
/// How many directories one pattern may leave out before each application gets a pattern of its own.
const MOST_EXCLUDED: usize = 10;

/// Directories to render, as one entry of `targets`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    /// The path, with placeholders.
    pub(super) path: String,
    /// The name, with placeholders.
    pub(super) name: String,
    /// Directories that it matches and that are not meant.
    pub(super) exclude: Vec<String>,
    /// How they are rendered.
    pub(super) kind: Kind,
    /// The environments that it has directories for.
    pub(super) environments: BTreeSet<String>,
    /// How many directories.
    pub(super) count: usize,
}

/// One directory, taken apart.
struct Unit {
    parts: Vec<String>,
    at: usize,
    environment: String,
    kind: Kind,
}

/// The patterns of a survey, and the directories that belong to no environment.
pub(super) fn patterns(survey: &Survey) -> (Vec<Pattern>, Vec<Utf8PathBuf>) {
    let known = survey.units.keys().any(|path| place(path, false).is_some());
    let mut left = Vec::new();
    let mut families: BTreeMap<(Kind, usize, usize, String), Vec<Unit>> = BTreeMap::new();
    for (path, kind) in &survey.units {
        let Some(at) = place(path, !known) else {
            left.push(path.clone());
            continue;
        };
        let parts: Vec<String> = path.as_str().split('/').map(str::to_owned).collect();
        let first = if at == 0 { String::new() } else { parts[0].clone() };
        let environment = parts[at].clone();
        let family = families.entry((*kind, parts.len(), at, first)).or_default();
        family.push(Unit { parts, at, environment, kind: *kind });
    }
    let mut found: Vec<Pattern> =
        families.into_values().flat_map(|family| of_family(survey, &family)).collect();
    name_apart(&mut found);
    (found, left)
}

/// Patterns without environments, for a repository that has one only: every directory is its.
pub(super) fn without_environments(survey: &Survey, environment: &str) -> Vec<Pattern> {
    let mut found: Vec<Pattern> = Vec::new();
    for (path, kind) in survey.units.iter().filter(|(path, _)| !path.as_str().is_empty()) {
        found.push(Pattern {
            path: path.to_string(),
            name: path.as_str().replace('/', "-"),
            exclude: Vec::new(),
            kind: *kind,
            environments: BTreeSet::from([environment.to_owned()]),
            count: 1,
        });
    }
    found
}

fn place(path: &Utf8Path, any: bool) -> Option<usize> {
    let parts: Vec<&str> = path.as_str().split('/').collect();
    stages::place_in(&parts, any)
}

/// One pattern for all of them, unless it would match too much else.
fn of_family(survey: &Survey, family: &[Unit]) -> Vec<Pattern> {
    let Some(whole) = pattern(survey, family) else { return Vec::new() };
    if whole.exclude.len() <= MOST_EXCLUDED {
        return vec![whole];
    }
    let mut apart: BTreeMap<Vec<String>, Vec<Unit>> = BTreeMap::new();
    for unit in family {
        let mut key = unit.parts.clone();
        ENVIRONMENT.clone_into(&mut key[unit.at]);
        let unit = Unit { parts: unit.parts.clone(), environment: unit.environment.clone(), ..*unit };
        apart.entry(key).or_default().push(unit);
    }
    apart.values().filter_map(|units| pattern(survey, units)).collect()
}

fn pattern(survey: &Survey, units: &[Unit]) -> Option<Pattern> {
    let first = units.first()?;
    let differs: Vec<usize> = (0..first.parts.len())
        .filter(|at| *at != first.at && units.iter().any(|unit| unit.parts[*at] != first.parts[*at]))
        .collect();
    let word = |at: usize| match differs.iter().rev().position(|one| *one == at) {
        Some(0) => "{app}".to_owned(),
        Some(1) => "{group}".to_owned(),
        Some(more) => format!("{{part{more}}}"),
        None if at == first.at => ENVIRONMENT.to_owned(),
        None => first.parts[at].clone(),
    };
    let path: Vec<String> = (0..first.parts.len()).map(word).collect();
    let environments: BTreeSet<String> = units.iter().map(|unit| unit.environment.clone()).collect();
    let own: BTreeSet<String> = units.iter().map(|unit| unit.parts.join("/")).collect();
    let matches = |directory: &&Utf8PathBuf| {
        let parts: Vec<&str> = directory.as_str().split('/').collect();
        parts.len() == path.len()
            && environments.contains(parts[first.at])
            && path.iter().zip(&parts).all(|(word, part)| word.starts_with('{') || word == part)
    };
    let exclude = survey.directories.iter().filter(matches).map(ToString::to_string);
    Some(Pattern {
        name: name(&differs.iter().map(|at| word(*at)).collect::<Vec<_>>(), first),
        exclude: exclude.filter(|directory| !own.contains(directory)).collect(),
        path: path.join("/"),
        kind: first.kind,
        environments,
        count: units.len(),
    })
}

/// The placeholders, else the part of the path that says most.
fn name(placeholders: &[String], unit: &Unit) -> String {
    if !placeholders.is_empty() {
        return placeholders.join("-");
    }
    let said = unit.parts.iter().enumerate().filter(|(at, part)| *at != unit.at && !stages::is_parent(part));
    said.map(|(_, part)| part.clone()).next_back().unwrap_or_else(|| "app".to_owned())
}

/// Two patterns must not give one name to two targets.
fn name_apart(patterns: &mut [Pattern]) {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for pattern in &*patterns {
        *counts.entry(pattern.name.clone()).or_default() += 1;
    }
    let several = patterns.len() > 1;
    let mut taken = BTreeSet::new();
    for pattern in patterns {
        let is_shared = counts.get(&pattern.name).is_some_and(|count| *count > 1);
        if is_shared || (several && pattern.name.starts_with('{')) {
            let literal =
                pattern.path.split('/').filter(|part| !part.contains('{') && !stages::is_parent(part));
            let literal: Vec<&str> = literal.collect();
            if let Some(first) = literal.first() {
                pattern.name = format!("{first}-{}", pattern.name);
            }
        }
        let base = pattern.name.clone();
        for number in 2.. {
            if taken.insert(pattern.name.clone()) {
                break;
            }
            pattern.name = format!("{base}-{number}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn survey(units: &[&str], others: &[&str]) -> Survey {
        let mut survey = Survey::default();
        for unit in units.iter().chain(others) {
            survey.directories.insert((*unit).into());
        }
        survey.units = units.iter().map(|unit| ((*unit).into(), Kind::Kustomize)).collect();
        survey
    }

    fn found(units: &[&str], others: &[&str]) -> Vec<(String, String, Vec<String>)> {
        let (patterns, _) = patterns(&survey(units, others));
        patterns.into_iter().map(|pattern| (pattern.path, pattern.name, pattern.exclude)).collect()
    }

    #[test]
    fn applications_and_environments_become_placeholders() {
        assert_eq!(
            found(
                &["apps/web/overlays/dev", "apps/web/overlays/prod", "apps/api/overlays/prod"],
                &["apps/old/overlays/prod"]
            ),
            [(
                "apps/{app}/overlays/{environment}".to_owned(),
                "{app}".to_owned(),
                vec!["apps/old/overlays/prod".to_owned()]
            )]
        );
        assert_eq!(
            found(&["envs/prod-eu", "envs/qa"], &["envs"]),
            [("envs/{environment}".to_owned(), "app".to_owned(), Vec::new())]
        );
    }

    #[test]
    fn several_patterns_have_different_names() {
        let names: Vec<String> =
            found(&["apps/dev/web", "apps/dev/api", "infra/dev/db", "infra/dev/mq", "x/dev"], &[])
                .into_iter()
                .map(|(_, name, _)| name)
                .collect();
        assert_eq!(names, ["x", "apps-{app}", "infra-{app}"]);
    }

    #[test]
    fn what_belongs_to_no_environment_is_told() {
        let (_, left) = patterns(&survey(&["base", "apps/dev"], &[]));
        assert_eq!(left, [Utf8PathBuf::from("base")]);
    }
}
