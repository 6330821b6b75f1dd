//! Directories of templates and of plain manifests: as few as possible, so that no file is rendered twice. Reads the DRY
//! tree.
//!
//! The built-in renderers take everything below a directory. So the outermost directory stands for those below it, unless
//! they belong to an environment and it does not, or something else is among them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::kind::Kind;
use super::left::Why;
use super::reading::{Reading, directory_of, is_yaml, name_of};
use super::stages;

/// Our own configuration, which the renderer leaves out.
const CONFIGURATION: &str = "hydrator.yaml";

/// Directories to render, and those that are left to people, each with the reason.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// To render.
    pub(super) units: BTreeMap<Utf8PathBuf, Kind>,
    /// Not to render.
    pub(super) left: Vec<(Why, String)>,
}

/// The outermost directories of templates.
pub(super) fn templates(reading: &Reading<'_>, is_taken: &dyn Fn(&Utf8Path) -> bool) -> Found {
    let is_template = |path: &&Utf8PathBuf| {
        let name = name_of(path);
        !name.starts_with('_')
            && [".yaml.j2", ".yml.j2", ".json.j2"].iter().any(|end| name.ends_with(end))
            && !is_taken(directory_of(path))
    };
    let all: BTreeSet<&Utf8Path> =
        reading.files.iter().filter(is_template).map(|path| directory_of(path)).collect();
    let mut found = Found::default();
    for directory in &all {
        if directory.ancestors().skip(1).any(|above| found.units.contains_key(above)) {
            continue;
        }
        let mut below =
            all.iter().copied().filter(|other| other != directory && other.starts_with(directory));
        if below.any(|other| changes_environment(directory, other)) {
            found.left.push((Why::Gathers, shown(directory)));
        } else {
            found.units.insert((*directory).to_owned(), Kind::Template);
        }
    }
    found
}

/// What the YAML files of one directory are.
#[derive(Debug, Default)]
struct Held {
    manifests: usize,
    /// Those that deploy with Argo CD.
    applications: usize,
    others: Vec<String>,
    is_used: bool,
}

/// The outermost directories of plain manifests. `is_taken` are directories that others render, `used` files that
/// kustomizations read.
pub(super) fn plain(
    reading: &Reading<'_>,
    is_taken: &dyn Fn(&Utf8Path) -> bool,
    used: &BTreeSet<Utf8PathBuf>,
) -> Result<Found> {
    let mut held: BTreeMap<&Utf8Path, Held> = BTreeMap::new();
    for path in reading.files.iter().filter(|path| is_yaml(name_of(path)) && *path != CONFIGURATION) {
        let directory = directory_of(path);
        if is_taken(directory) {
            continue;
        }
        let held = held.entry(directory).or_default();
        held.is_used |= used.contains(path);
        match reading.manifests(path)? {
            Some(manifests) => {
                held.manifests += manifests.len();
                held.applications +=
                    manifests.iter().filter(|manifest| manifest.id.group == "argoproj.io").count();
            }
            None => held.others.push(name_of(path).to_owned()),
        }
    }
    let mut walk = Walk { reading, is_taken, held, found: Found::default() };
    walk.directory(Utf8Path::new(""));
    Ok(walk.found)
}

struct Walk<'a> {
    reading: &'a Reading<'a>,
    is_taken: &'a dyn Fn(&Utf8Path) -> bool,
    held: BTreeMap<&'a Utf8Path, Held>,
    found: Found,
}

impl Walk<'_> {
    fn directory(&mut self, directory: &Utf8Path) {
        match self.held.get(directory) {
            Some(held) if is_good(held) => {
                let stands_for_all = self.is_pure(directory);
                let has_more = self.below(directory).next().is_some();
                let kind = match (stands_for_all, has_more) {
                    (true, true) => Kind::Deep,
                    (true, false) => Kind::Plain,
                    (false, _) => Kind::Flat,
                };
                self.found.units.insert(directory.to_owned(), kind);
                if stands_for_all {
                    return;
                }
            }
            Some(held) if held.manifests > 0 && !held.is_used => {
                let (why, more) = if held.others.is_empty() {
                    (Why::Applications, String::new())
                } else {
                    (Why::Mixed, format!(" ({})", held.others.join(", ")))
                };
                self.found.left.push((why, shown(directory) + &more));
            }
            _ => {}
        }
        let children: Vec<Utf8PathBuf> = self
            .reading
            .directories
            .iter()
            .filter(|path| !path.as_str().is_empty() && directory_of(path) == directory)
            .cloned()
            .collect();
        for child in children {
            self.directory(&child);
        }
    }

    /// Directories of YAML files below one.
    fn below(&self, directory: &Utf8Path) -> impl Iterator<Item = (&Utf8Path, &Held)> {
        let other = move |path: &Utf8Path| path != directory && path.starts_with(directory);
        self.held.iter().map(|(path, held)| (*path, held)).filter(move |(path, _)| other(path))
    }

    /// Whether everything below a directory may be rendered with it.
    fn is_pure(&self, directory: &Utf8Path) -> bool {
        let is_below = |path: &&Utf8PathBuf| path.starts_with(directory);
        let holds_others = self.reading.directories.iter().filter(is_below).any(|path| (self.is_taken)(path));
        let is_odd = self.reading.odd.iter().any(|path| path.starts_with(directory));
        let is_good = |(path, held): (&Utf8Path, &Held)| {
            (is_good(held) || held.manifests == 0 && held.others.is_empty())
                && !changes_environment(directory, path)
        };
        !holds_others && !is_odd && self.below(directory).all(is_good)
    }
}

fn is_good(held: &Held) -> bool {
    held.manifests > held.applications && held.others.is_empty() && !held.is_used
}

/// Whether the environment of a directory below is another one than that of the directory above it.
fn changes_environment(above: &Utf8Path, below: &Utf8Path) -> bool {
    let place = |path: &Utf8Path| {
        let parts: Vec<&str> = path.as_str().split('/').collect();
        stages::place_in(&parts, true)
    };
    place(above) != place(below)
}

/// A directory for people.
pub(super) fn shown(directory: &Utf8Path) -> String {
    if directory.as_str().is_empty() { ".".to_owned() } else { directory.to_string() }
}
