//! Argo CD's Applications, as far as they say how directories of this repository are deployed. Reads the DRY tree.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::reading::{Reading, is_yaml, joined, name_of};
use crate::render;

/// An Application that deploys a directory of this repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Application {
    /// The file that it is in.
    pub(super) file: Utf8PathBuf,
    /// Its name.
    pub(super) name: String,
    /// The directory that it deploys.
    pub(super) directory: Utf8PathBuf,
    /// The namespace that it deploys to.
    pub(super) namespace: Option<String>,
    /// The cluster's name.
    pub(super) cluster: Option<String>,
    /// The helm release's name: Argo CD takes the Application's where none is given.
    pub(super) release: String,
    /// Its value files, from the directory, or from the root with a leading `/`.
    pub(super) values: Vec<String>,
    /// What of it is not understood here: keys of helm's that set values without a file.
    pub(super) dropped: Vec<String>,
}

/// All of them, and the files with sets of them, which are not understood.
pub(super) fn find(reading: &Reading<'_>) -> Result<(Vec<Application>, Vec<Utf8PathBuf>)> {
    let (mut found, mut sets) = (Vec::new(), Vec::new());
    for path in reading.files.iter().filter(|path| is_yaml(name_of(path))) {
        if !reading.text(path)?.contains("argoproj.io/") {
            continue;
        }
        for manifest in reading.manifests(path)?.unwrap_or_default() {
            if manifest.id.group != "argoproj.io" {
                continue;
            }
            let text = String::from_utf8_lossy(&manifest.text);
            match (manifest.id.kind.as_str(), render::value(&text)) {
                ("Application", Some(value)) => found.extend(of_value(reading, path, &value)),
                ("ApplicationSet", _) if !sets.contains(path) => sets.push(path.clone()),
                _ => {}
            }
        }
    }
    Ok((found, sets))
}

/// One for each of its sources that is a directory of this tree.
fn of_value(reading: &Reading<'_>, file: &Utf8Path, value: &Value) -> Vec<Application> {
    let spec = &value["spec"];
    let several = spec["sources"].as_array().into_iter().flatten();
    let sources = several.chain(spec.get("source"));
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let name = text(&value["metadata"]["name"]).unwrap_or_default();
    sources
        .filter_map(|source| {
            let path = source["path"].as_str()?;
            let directory = joined(Utf8Path::new(""), if path.is_empty() { "." } else { path })?;
            let helm = &source["helm"];
            let files = helm["valueFiles"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let (values, unknown) = value_files(reading, &directory, files);
            let keys = ["values", "valuesObject", "parameters", "fileParameters"];
            let keys = keys.iter().filter(|key| helm.get(**key).is_some()).map(|key| format!("helm.{key}"));
            reading.directories.contains(&directory).then(|| Application {
                file: file.to_owned(),
                name: name.clone(),
                namespace: text(&spec["destination"]["namespace"]),
                cluster: text(&spec["destination"]["name"]),
                release: text(&helm["releaseName"]).unwrap_or_else(|| name.clone()),
                values,
                dropped: keys.chain(unknown).collect(),
                directory,
            })
        })
        .collect()
}

/// The value files that are there, and the others. A `$reference` stands for the root of a repository: this one, if the
/// file is here.
fn value_files<'v>(
    reading: &Reading<'_>,
    directory: &Utf8Path,
    files: impl Iterator<Item = &'v str>,
) -> (Vec<String>, Vec<String>) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for file in files {
        let text = match file.strip_prefix('$').and_then(|rest| rest.split_once('/')) {
            Some((_, rest)) => format!("/{rest}"),
            None => file.to_owned(),
        };
        match whole(directory, &text).filter(|path| reading.files.contains(path)) {
            Some(_) => known.push(text),
            None => unknown.push(file.to_owned()),
        }
    }
    (known, unknown)
}

/// The path of a value file from the root.
pub(super) fn whole(directory: &Utf8Path, file: &str) -> Option<Utf8PathBuf> {
    match file.strip_prefix('/') {
        Some(rest) => joined(Utf8Path::new(""), rest),
        None => joined(directory, file),
    }
}
