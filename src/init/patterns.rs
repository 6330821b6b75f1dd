//! From directories to patterns: what differs from one environment to the next becomes `{environment}`, what differs from
//! one application to the next becomes `{app}`. Pure.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::entries::{Entry, Options};
use super::kind::Kind;
use super::stages;

/// The place of the environment in a pattern.
pub(super) const ENVIRONMENT: &str = "{environment}";
/// How many directories one pattern may leave out before each application gets a pattern of its own.
const MOST_EXCLUDED: usize = 10;

/// One directory, taken apart.
#[derive(Clone)]
struct Unit {
    parts: Vec<String>,
    at: usize,
    kind: Kind,
}

/// Directories by what their paths have in common: the renderer, the depth, the place of the environment, and the first
/// part.
type Families = BTreeMap<(Kind, usize, usize, String), Vec<Unit>>;

/// Directories that belong to environments, before they are made patterns.
pub(super) struct Sorted {
    families: Families,
    /// The environments that their paths name.
    pub(super) environments: BTreeSet<String>,
    /// Directories whose paths name none.
    pub(super) left: Vec<(Utf8PathBuf, Kind)>,
}

/// Finds the environment of each directory.
pub(super) fn sort(units: &BTreeMap<Utf8PathBuf, Kind>) -> Sorted {
    let known = units.keys().any(|path| place(path, false).is_some());
    let mut sorted = Sorted { families: BTreeMap::new(), environments: BTreeSet::new(), left: Vec::new() };
    for (path, kind) in units {
        let Some(at) = place(path, !known) else {
            sorted.left.push((path.clone(), *kind));
            continue;
        };
        let parts: Vec<String> = path.as_str().split('/').map(str::to_owned).collect();
        let first = if at == 0 { String::new() } else { parts[0].clone() };
        sorted.environments.insert(parts[at].clone());
        let family = sorted.families.entry((*kind, parts.len(), at, first)).or_default();
        family.push(Unit { parts, at, kind: *kind });
    }
    // Directories without others below them may be rendered with those that have some, either way; and an overlay
    // without charts is the same whether kustomize may call helm or not.
    join(&mut sorted.families, Kind::Plain, &[Kind::Flat, Kind::Deep]);
    join(&mut sorted.families, Kind::Kustomize, &[Kind::Inflating]);
    sorted
}

/// Families of a kind join the first that there is of other kinds.
fn join(families: &mut Families, guest: Kind, hosts: &[Kind]) {
    let guests: Vec<_> = families.keys().filter(|key| key.0 == guest).cloned().collect();
    for key in guests {
        let with = |kind: &Kind| (*kind, key.1, key.2, key.3.clone());
        let host = hosts.iter().map(with).find(|host| families.contains_key(host));
        if let Some(host) = host
            && let Some(units) = families.remove(&key)
        {
            let kind = host.0;
            let units = units.into_iter().map(|unit| Unit { kind, ..unit });
            families.entry(host).or_default().extend(units);
        }
    }
}

/// The patterns of what was sorted. `directories` are all that a pattern could match, `environments` all that there will
/// be.
pub(super) fn patterns(
    sorted: &Sorted,
    directories: &BTreeSet<Utf8PathBuf>,
    environments: &BTreeSet<String>,
) -> Vec<Entry> {
    let ground = (directories, environments);
    sorted.families.values().flat_map(|family| of_family(ground, family)).collect()
}

/// A directory without an environment in its path.
pub(super) fn literal(path: &Utf8Path, kind: Kind, only: BTreeSet<String>) -> Entry {
    let name = if path.as_str().is_empty() { "app".to_owned() } else { path.as_str().replace('/', "-") };
    Entry {
        comment: vec![kind.words().to_owned()],
        path: path.to_string(),
        names: BTreeSet::from([name.clone()]),
        name,
        exclude: Vec::new(),
        only,
        options: options(kind),
    }
}

const fn options(kind: Kind) -> Options {
    match kind {
        Kind::Inflating => Options::Inflating,
        Kind::Flat => Options::Flat,
        Kind::Kustomize | Kind::Template | Kind::Plain | Kind::Deep => Options::None,
    }
}

fn place(path: &Utf8Path, any: bool) -> Option<usize> {
    let parts: Vec<&str> = path.as_str().split('/').collect();
    stages::place_in(&parts, any)
}

type Ground<'a> = (&'a BTreeSet<Utf8PathBuf>, &'a BTreeSet<String>);

/// One pattern for all of them, unless it would match too much else.
fn of_family(ground: Ground<'_>, family: &[Unit]) -> Vec<Entry> {
    let Some(whole) = pattern(ground, family) else { return Vec::new() };
    if whole.exclude.len() <= MOST_EXCLUDED {
        return vec![whole];
    }
    let mut apart: BTreeMap<Vec<String>, Vec<Unit>> = BTreeMap::new();
    for unit in family {
        let mut key = unit.parts.clone();
        ENVIRONMENT.clone_into(&mut key[unit.at]);
        apart.entry(key).or_default().push(unit.clone());
    }
    apart.values().filter_map(|units| pattern(ground, units)).collect()
}

fn pattern((directories, environments): Ground<'_>, units: &[Unit]) -> Option<Entry> {
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
    let own: BTreeSet<String> = units.iter().map(|unit| unit.parts.join("/")).collect();
    let matches = |directory: &&Utf8PathBuf| {
        let parts: Vec<&str> = directory.as_str().split('/').collect();
        parts.len() == path.len()
            && environments.contains(parts[first.at])
            && path.iter().zip(&parts).all(|(word, part)| word.starts_with('{') || word == part)
    };
    let exclude = directories.iter().filter(matches).filter(|directory| !own.contains(directory.as_str()));
    let name = |unit: &Unit| match differs.as_slice() {
        [] => telling(unit),
        differs => differs.iter().map(|at| unit.parts[*at].clone()).collect::<Vec<_>>().join("-"),
    };
    let placeholders: Vec<String> = differs.iter().map(|at| word(*at)).collect();
    let count = units.len();
    let directories = if count == 1 { "directory" } else { "directories" };
    Some(Entry {
        comment: vec![format!("{count} {directories} of {}", first.kind.words())],
        name: if placeholders.is_empty() { telling(first) } else { placeholders.join("-") },
        names: units.iter().map(name).collect(),
        exclude: exclude.map(|directory| escaped(directory)).collect(),
        path: path.join("/"),
        only: BTreeSet::new(),
        options: options(first.kind),
    })
}

/// A path as a glob that matches nothing else.
fn escaped(path: &Utf8Path) -> String {
    path.as_str().replace('[', "[[]").replace('*', "[*]").replace('?', "[?]")
}

/// The part of the path that says most.
fn telling(unit: &Unit) -> String {
    let said = unit.parts.iter().enumerate().filter(|(at, part)| *at != unit.at && !stages::is_parent(part));
    said.map(|(_, part)| part.clone()).next_back().unwrap_or_else(|| "app".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::entries::name_apart;
    use super::*;

    fn found(units: &[&str], others: &[&str]) -> Vec<(String, String, Vec<String>)> {
        let directories: BTreeSet<Utf8PathBuf> =
            units.iter().chain(others).map(|path| (*path).into()).collect();
        let sorted = sort(&units.iter().map(|unit| ((*unit).into(), Kind::Kustomize)).collect());
        let mut entries = patterns(&sorted, &directories, &sorted.environments);
        name_apart(&mut entries);
        entries.into_iter().map(|entry| (entry.path, entry.name, entry.exclude)).collect()
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
        let units = ["base", "apps/dev"].map(|path| (path.into(), Kind::Kustomize));
        assert_eq!(sort(&units.into()).left, [("base".into(), Kind::Kustomize)]);
    }

    #[test]
    fn what_is_rendered_either_way_joins_what_is_not() {
        let units = [("k8s/dev", Kind::Plain), ("k8s/prod", Kind::Flat)];
        let sorted = sort(&units.map(|(path, kind)| (path.into(), kind)).into());
        let entries = patterns(&sorted, &BTreeSet::new(), &sorted.environments);
        assert_eq!(entries.len(), 1, "{entries:?}");
        assert_eq!((entries[0].path.as_str(), &entries[0].options), ("k8s/{environment}", &Options::Flat));
    }
}
