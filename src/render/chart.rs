//! A helm chart in the DRY tree and where its dependencies come from; decided before helm starts. Reads the tree.

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{paths, yaml};
use crate::error::{Failure, Place};
use crate::model::{DryTree, EntryKind};

/// Charts that depend on charts in the tree nest this deep.
const DEEPEST: usize = 16;

/// A chart in the tree.
#[derive(Clone, Debug)]
pub(crate) struct Chart {
    /// Its directory, without links.
    pub(crate) path: Utf8PathBuf,
    /// Its version as written.
    version: String,
    /// What is not in its `charts/` directory yet.
    pub(crate) missing: Vec<Missing>,
}

/// A dependency that is not in the chart's `charts/` directory.
#[derive(Clone, Debug)]
pub(crate) enum Missing {
    /// Another chart in the tree (`file://`).
    Local(Chart),
    /// A chart to fetch, with the version of the lock file.
    Remote(Pull),
}

/// A chart to fetch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pull {
    /// `https://…` or `oci://…`.
    pub(crate) url: String,
    /// Its name there.
    pub(crate) chart: String,
    /// The exact version.
    pub(crate) version: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    version: String,
    dependencies: Option<Vec<Dependency>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Dependency {
    name: String,
    version: String,
    repository: String,
}

impl Chart {
    /// Reads the chart in directory `path`.
    pub(crate) fn load(tree: &dyn DryTree, path: &Utf8Path) -> anyhow::Result<Self> {
        Reader { tree, above: Vec::new() }.chart(path)
    }

    /// The directories of the tree that it is made of.
    pub(crate) fn directories(&self) -> Vec<Utf8PathBuf> {
        let mut directories = vec![self.path.clone()];
        for missing in &self.missing {
            if let Missing::Local(chart) = missing {
                directories.extend(chart.directories());
            }
        }
        directories
    }

    /// The first thing that would be fetched for it.
    pub(crate) fn first_remote(&self) -> Option<(&Utf8Path, &Pull)> {
        self.missing.iter().find_map(|missing| match missing {
            Missing::Local(chart) => chart.first_remote(),
            Missing::Remote(pull) => Some((self.path.as_path(), pull)),
        })
    }
}

struct Reader<'tree> {
    tree: &'tree dyn DryTree,
    /// The charts that lead here, to notice cycles.
    above: Vec<Utf8PathBuf>,
}

impl Reader<'_> {
    fn chart(&mut self, path: &Utf8Path) -> anyhow::Result<Chart> {
        let path = paths::resolve(self.tree, path)?.path;
        if self.above.contains(&path) || self.above.len() >= DEEPEST {
            bail!(Failure::render(format!(
                "the chart `{path}` depends on itself through `file://` dependencies"
            )));
        }
        let Some(metadata) = self.read::<Metadata>(&path, "Chart.yaml")? else {
            bail!(Failure::render(format!("`{path}` is not a chart: it has no `Chart.yaml`")));
        };
        let old = self.read::<Metadata>(&path, "requirements.yaml")?.and_then(|old| old.dependencies);
        let dependencies = metadata.dependencies.or(old).unwrap_or_default();
        let lock = match self.read::<Metadata>(&path, "Chart.lock")? {
            None => self.read::<Metadata>(&path, "requirements.lock")?,
            lock => lock,
        };
        let lock = lock.map(|lock| lock.dependencies.unwrap_or_default());
        let present = self.present(&path)?;
        self.above.push(path.clone());
        let mut missing = Vec::new();
        for dependency in &dependencies {
            if !present.iter().any(|present| present.is(&dependency.name)) {
                missing.push(self.missing(&path, dependency, lock.as_deref())?);
            }
        }
        self.above.pop();
        Ok(Chart { path, version: metadata.version, missing })
    }

    fn missing(
        &mut self,
        chart: &Utf8Path,
        wanted: &Dependency,
        lock: Option<&[Dependency]>,
    ) -> anyhow::Result<Missing> {
        let name = &wanted.name;
        let locked = match lock.map(|lock| lock.iter().find(|locked| locked.name == *name)) {
            Some(None) => {
                let message = format!("`Chart.lock` does not know the dependency `{name}`");
                bail!(refusal(chart, message, LOCK_HINT));
            }
            found => found.flatten(),
        };
        match wanted.repository.strip_prefix("file://") {
            Some(reference) => self.local(chart, name, reference, locked).map(Missing::Local),
            None => remote(chart, wanted, locked).map(Missing::Remote),
        }
    }

    /// A dependency in the tree, by its path from the chart.
    fn local(
        &mut self,
        chart: &Utf8Path,
        name: &str,
        reference: &str,
        locked: Option<&Dependency>,
    ) -> anyhow::Result<Chart> {
        let Some(path) = paths::join_relative(chart, reference) else {
            let message = format!("the dependency `{name}` is outside of the repository: `{reference}`");
            bail!(refusal(chart, message, INSIDE_HINT));
        };
        let local = self.chart(&path)?;
        if let Some(locked) = locked.filter(|locked| locked.version != local.version) {
            let message =
                format!("`Chart.lock` has `{name}` {}, but `{path}` is {}", locked.version, local.version);
            bail!(refusal(chart, message, LOCK_HINT));
        }
        Ok(local)
    }

    /// What is in `charts/`.
    fn present(&self, chart: &Utf8Path) -> anyhow::Result<Vec<Present>> {
        let directory = paths::resolve(self.tree, &paths::child(chart, "charts"))?.path;
        let mut present = Vec::new();
        for entry in self.tree.list(&directory)?.unwrap_or_default() {
            let path = directory.join(&entry.name);
            if entry.kind == EntryKind::Submodule {
                return Err(super::content::submodule(&path));
            }
            let metadata = self.read::<Metadata>(&path, "Chart.yaml")?;
            present.push(
                metadata.map_or(Present::Archive(entry.name), |metadata| Present::Directory(metadata.name)),
            );
        }
        Ok(present)
    }

    fn read<T: DeserializeOwned + Send + 'static>(
        &self,
        directory: &Utf8Path,
        name: &str,
    ) -> anyhow::Result<Option<T>> {
        let path = paths::child(directory, name);
        let resolved = paths::resolve(self.tree, &path)?;
        if !resolved.is_file() {
            return Ok(None);
        }
        let content = self.tree.read(&resolved.path)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&content);
        let read = yaml::parse::<Option<T>>(&text).map_err(|problem| {
            let place = Place { file: path, line: problem.line, column: 0 };
            Failure::render(format!("the chart cannot be read: it {}", problem.message)).at(place)
        })?;
        Ok(read)
    }
}

const LOCK_HINT: &str = "run `helm dependency update` and commit `Chart.lock`";
const INSIDE_HINT: &str = "`file://` dependencies are relative to the chart and stay inside the repository";

/// A dependency to fetch: only what a lock file pins.
fn remote(chart: &Utf8Path, wanted: &Dependency, locked: Option<&Dependency>) -> anyhow::Result<Pull> {
    let Dependency { name, repository, .. } = wanted;
    if !["https://", "http://", "oci://"].iter().any(|scheme| repository.starts_with(scheme)) {
        let message = format!("the dependency `{name}` is not in `charts/`, and `{repository}` is not a URL");
        let hint = "put it into `charts/`, or give the full URL: a repository's name is known only where it was added";
        bail!(refusal(chart, message, hint));
    }
    let Some(locked) = locked else {
        let message = format!(
            "the dependency `{name}` is not pinned: it is neither in `charts/` nor in a `Chart.lock`"
        );
        bail!(refusal(
            chart,
            message,
            "run `helm dependency update` and commit `Chart.lock`, or commit `charts/`"
        ));
    };
    Ok(Pull { url: repository.clone(), chart: name.clone(), version: locked.version.clone() })
}

fn refusal(chart: &Utf8Path, message: String, hint: &str) -> Failure {
    Failure::render(message).hint(hint).at(Place { file: chart.join("Chart.yaml"), line: 0, column: 0 })
}

/// An entry of `charts/`.
enum Present {
    /// A chart by the name that it gives itself.
    Directory(String),
    /// Anything else, by its file name.
    Archive(String),
}

impl Present {
    fn is(&self, name: &str) -> bool {
        match self {
            Self::Directory(own) => own == name,
            Self::Archive(file) => file
                .strip_prefix(name)
                .and_then(|rest| rest.strip_prefix('-'))
                .and_then(|rest| rest.strip_suffix(".tgz").or_else(|| rest.strip_suffix(".tar.gz")))
                .is_some_and(|version| super::version::Version::parse(version).is_some()),
        }
    }
}
