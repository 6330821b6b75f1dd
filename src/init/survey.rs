//! What a repository holds that could be rendered: overlays, charts, templates, plain manifests. Reads the DRY tree.
//!
//! Files are read as text, line by line: a survey may be wrong, what it leads to is checked afterwards.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{DryTree, EntryKind};

/// The names by which kustomize knows a directory as its own.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// The largest file that is looked into.
const LARGEST: usize = 4 << 20;

/// How a directory would be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// By kustomize.
    Kustomize,
    /// By the built-in templates.
    Template,
    /// As it is.
    Plain,
}

impl Kind {
    /// What people call it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Kustomize => "kustomize overlays",
            Self::Template => "templates",
            Self::Plain => "plain manifests",
        }
    }
}

/// A helm chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chart {
    /// Its directory.
    pub(super) path: Utf8PathBuf,
    /// Its name.
    pub(super) name: String,
}

/// An Argo CD Application that deploys a directory of this repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Application {
    /// Its name.
    pub(super) name: String,
    /// The namespace that it deploys to.
    pub(super) namespace: Option<String>,
    /// The release's name, where it gives one.
    pub(super) release: Option<String>,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Every directory.
    pub(super) directories: BTreeSet<Utf8PathBuf>,
    /// Every file.
    pub(super) files: BTreeSet<Utf8PathBuf>,
    /// Directories to render, and how.
    pub(super) units: BTreeMap<Utf8PathBuf, Kind>,
    /// Kustomizations that would render to nothing.
    pub(super) empty: Vec<Utf8PathBuf>,
    /// Charts that are no parts of others.
    pub(super) charts: Vec<Chart>,
    /// Applications by the directory that they deploy.
    pub(super) applications: BTreeMap<Utf8PathBuf, Application>,
}

/// Looks at a whole tree.
pub(super) fn survey(tree: &dyn DryTree) -> Result<Survey> {
    let mut survey = Survey::default();
    list(tree, Utf8Path::new(""), &mut survey)?;
    let read = |path: &Utf8Path| -> Result<String> {
        let bytes = tree.read(path)?.unwrap_or_default();
        Ok(if bytes.len() > LARGEST { String::new() } else { String::from_utf8_lossy(&bytes).into_owned() })
    };
    let owned = overlays(&mut survey, &read)?;
    let charts = charts(&mut survey, &read)?;
    templates(&mut survey);
    plain(&mut survey, &owned, &charts, &read)?;
    applications(&mut survey, &read)?;
    Ok(survey)
}

type Read<'a> = &'a dyn Fn(&Utf8Path) -> Result<String>;

fn list(tree: &dyn DryTree, directory: &Utf8Path, survey: &mut Survey) -> Result<()> {
    for entry in tree.list(directory)?.unwrap_or_default() {
        // `.git`, `.github` and the like hold nothing to render.
        if entry.name.starts_with('.') || entry.name == "node_modules" {
            continue;
        }
        let path = if directory.as_str().is_empty() {
            entry.name.clone().into()
        } else {
            directory.join(&entry.name)
        };
        match entry.kind {
            EntryKind::Directory => {
                list(tree, &path, survey)?;
                survey.directories.insert(path);
            }
            EntryKind::File | EntryKind::Executable => drop(survey.files.insert(path)),
            EntryKind::Link | EntryKind::Submodule => {}
        }
    }
    Ok(())
}

fn name_of(path: &Utf8Path) -> &str {
    path.file_name().unwrap_or_default()
}

fn directory_of(path: &Utf8Path) -> Utf8PathBuf {
    path.parent().unwrap_or_else(|| Utf8Path::new("")).to_owned()
}

/// Kustomizations that no other one uses; returns all directories that have one.
fn overlays(survey: &mut Survey, read: Read<'_>) -> Result<BTreeSet<Utf8PathBuf>> {
    let files: Vec<Utf8PathBuf> =
        survey.files.iter().filter(|path| KUSTOMIZATIONS.contains(&name_of(path))).cloned().collect();
    let all: BTreeSet<Utf8PathBuf> = files.iter().map(|file| directory_of(file)).collect();
    let (mut used, mut components) = (BTreeSet::new(), BTreeSet::new());
    for file in &files {
        let own = directory_of(file);
        let text = read(file)?;
        for line in text.lines() {
            let word = line.trim().trim_start_matches("- ").trim_matches(['"', '\'', ' ']);
            if line.trim() == "kind: Component" {
                components.insert(own.clone());
            }
            if let Some(named) = joined(&own, word).filter(|named| *named != own && all.contains(named)) {
                used.insert(named);
            }
        }
    }
    for file in files {
        let directory = directory_of(&file);
        if used.contains(&directory) || components.contains(&directory) {
            continue;
        }
        if is_empty(survey, &file, read)? {
            survey.empty.push(directory);
        } else {
            survey.units.insert(directory, Kind::Kustomize);
        }
    }
    Ok(all)
}

/// Whether a kustomization names nothing but files without a manifest.
fn is_empty(survey: &Survey, file: &Utf8Path, read: Read<'_>) -> Result<bool> {
    let (own, text) = (directory_of(file), read(file)?);
    if ["Generator:", "generators:", "helmCharts:", "components:"].iter().any(|key| text.contains(key)) {
        return Ok(false);
    }
    let (mut named, mut key) = (0, "");
    for line in text.lines() {
        key = if line.starts_with(char::is_alphabetic) { line.trim() } else { key };
        let Some(entry) = line.trim().strip_prefix("- ").filter(|_| key == "resources:") else { continue };
        let Some(path) = joined(&own, entry.trim_matches(['"', '\'', ' '])) else { return Ok(false) };
        if !survey.files.contains(&path) || read(&path)?.contains("kind:") {
            return Ok(false);
        }
        named += 1;
    }
    Ok(named > 0)
}

/// A relative path from a directory, without its dots; `None` where it leaves the tree or is none.
fn joined(directory: &Utf8Path, relative: &str) -> Option<Utf8PathBuf> {
    if relative.is_empty() || relative.contains([' ', ':']) {
        return None;
    }
    let mut parts: Vec<&str> = directory.as_str().split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/").into())
}

/// Charts that are no parts of others; returns the directories of all of them.
fn charts(survey: &mut Survey, read: Read<'_>) -> Result<BTreeSet<Utf8PathBuf>> {
    let files: Vec<Utf8PathBuf> =
        survey.files.iter().filter(|path| name_of(path) == "Chart.yaml").cloned().collect();
    let all: BTreeSet<Utf8PathBuf> = files.iter().map(|file| directory_of(file)).collect();
    for file in &files {
        let path = directory_of(file);
        let text = read(file)?;
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).map(scalar);
        let is_part = all.iter().any(|other| *other != path && path.starts_with(other));
        if is_part || value("type:").as_deref() == Some("library") {
            continue;
        }
        let name =
            value("name:").filter(|name| !name.is_empty()).unwrap_or_else(|| name_of(&path).to_owned());
        survey.charts.push(Chart { path, name });
    }
    Ok(all)
}

/// The plain text of a YAML scalar.
fn scalar(text: &str) -> String {
    text.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']).to_owned()
}

fn templates(survey: &mut Survey) {
    let found: Vec<Utf8PathBuf> = survey
        .files
        .iter()
        .filter(|path| name_of(path).ends_with(".yaml.j2") || name_of(path).ends_with(".yml.j2"))
        .map(|path| directory_of(path))
        .filter(|directory| !survey.units.contains_key(directory))
        .collect();
    survey.units.extend(found.into_iter().map(|directory| (directory, Kind::Template)));
}

/// Directories that hold manifests and nothing else that is rendered.
fn plain(
    survey: &mut Survey,
    owned: &BTreeSet<Utf8PathBuf>,
    charts: &BTreeSet<Utf8PathBuf>,
    read: Read<'_>,
) -> Result<()> {
    let taken = |directory: &Utf8Path| {
        owned.iter().chain(charts).chain(survey.units.keys()).any(|other| {
            !other.as_str().is_empty() && (directory.starts_with(other) || other.starts_with(directory))
        }) || owned.contains(Utf8Path::new(""))
    };
    let mut manifests: BTreeMap<Utf8PathBuf, bool> = BTreeMap::new();
    for path in survey.files.iter().filter(|path| is_yaml(name_of(path))) {
        let directory = directory_of(path);
        if directory.as_str().is_empty() || taken(&directory) {
            continue;
        }
        let is_manifest = is_manifest(&read(path)?);
        let known = manifests.entry(directory).or_insert(true);
        *known &= is_manifest;
    }
    let good = manifests.into_iter().filter(|(_, good)| *good);
    let found: Vec<Utf8PathBuf> = good.map(|(directory, _)| directory).collect();
    survey.units.extend(found.into_iter().map(|directory| (directory, Kind::Plain)));
    Ok(())
}

fn is_yaml(name: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
}

fn is_manifest(text: &str) -> bool {
    let has =
        |key: &str| text.lines().any(|line| line.starts_with(key)) || text.trim_start().starts_with('{');
    has("kind:") && has("apiVersion:")
}

/// Argo CD Applications that deploy directories of this tree.
fn applications(survey: &mut Survey, read: Read<'_>) -> Result<()> {
    let mut found = BTreeMap::new();
    for path in survey.files.iter().filter(|path| is_yaml(name_of(path))) {
        let text = read(path)?;
        if !text.contains("argoproj.io/") {
            continue;
        }
        for document in text
            .split("\n---")
            .filter(|document| document.lines().any(|line| scalar(line) == "kind: Application"))
        {
            let value = |key: &str| {
                let lines = document.lines().map(|line| line.trim().trim_start_matches("- "));
                lines.filter_map(|line| line.strip_prefix(key)).map(scalar).find(|value| !value.is_empty())
            };
            let Some(directory) = value("path:").and_then(|path| joined(Utf8Path::new(""), &path)) else {
                continue;
            };
            if !survey.directories.contains(&directory) {
                continue;
            }
            // The last one: the first may be the Application's own.
            let namespaces =
                document.lines().map(str::trim).filter_map(|line| line.strip_prefix("namespace:"));
            let application = Application {
                name: value("name:").unwrap_or_default(),
                namespace: namespaces.map(scalar).rfind(|name| !name.is_empty()),
                release: value("releaseName:"),
            };
            found.entry(directory).or_insert(application);
        }
    }
    survey.applications = found;
    Ok(())
}
