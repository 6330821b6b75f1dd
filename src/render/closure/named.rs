//! What files of kustomize name: the references, and the forms in which fields hold them. Pure.

use super::edge::EdgeKind;
use super::yaml::Value;

/// Something that is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reference {
    /// How the target comes to depend on it.
    pub(super) edge: EdgeKind,
    /// The key that names it.
    pub(super) field: String,
    /// What is named.
    pub(super) what: What,
}

/// How a reference is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A file, else a directory with a kustomization, or something to clone.
    Resource(String),
    /// A file or a kustomization that configures a generator or a transformer.
    Plugin(String),
    /// A file.
    File(String),
    /// Content, or the path of a file: kustomize tries both.
    MaybeFile(String),
    /// A chart.
    Chart(Chart),
}

/// A chart that kustomize inflates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chart {
    /// Its name.
    pub(super) name: String,
    /// Its version; may be empty.
    pub(super) version: String,
    /// The repository that it may be pulled from; may be empty.
    pub(super) repository: String,
    /// The directory that charts are in; never empty.
    pub(super) home: String,
}

/// What a file names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    /// What is named.
    pub(super) references: Vec<Reference>,
    /// What is not understood, so that any file of the tree may be read.
    pub(super) unknown: Vec<String>,
    /// Why nothing can be said about the file, not even that it fetches nothing.
    pub(super) unreadable: Option<String>,
    /// Whether its resources come out as they went in, but for names and labels.
    pub(super) is_plain: bool,
}

impl Parsed {
    pub(super) fn add(&mut self, edge: EdgeKind, field: &str, what: What) {
        let reference = Reference { edge, field: field.to_owned(), what };
        if !self.references.contains(&reference) {
            self.references.push(reference);
        }
    }

    /// Every text under `field`.
    pub(super) fn texts(&mut self, edge: EdgeKind, item: &Value, field: &str, what: fn(String) -> What) {
        for value in item.items(field) {
            match value {
                Value::Text(text) => self.add(edge, field, what(text.clone())),
                Value::Null => {}
                _ => self.unknown.push(format!("what `{field}` holds")),
            }
        }
    }

    /// The `path` of every item under `field`; old versions took a text for one too.
    pub(super) fn paths(&mut self, edge: EdgeKind, document: &Value, field: &str) {
        for item in document.items(field) {
            if let Value::Text(text) = item {
                self.add(edge, field, What::MaybeFile(text.clone()));
            }
            self.texts(edge, item, "path", What::MaybeFile);
        }
    }

    /// The sources of a config map or a secret.
    pub(super) fn sources(&mut self, edge: EdgeKind, item: &Value) {
        self.texts(edge, item, "envs", What::File);
        self.texts(edge, item, "env", What::File);
        for source in item.items("files") {
            match source {
                // `key=path`; what has no key is the path itself.
                Value::Text(text) => {
                    let path = text.split_once('=').map_or(text.as_str(), |(_, path)| path);
                    self.add(edge, "files", What::File(path.to_owned()));
                }
                Value::Null => {}
                _ => self.unknown.push("what `files` holds".to_owned()),
            }
        }
    }

    /// A chart and the files of its values; `globals` may name the directory that charts are in.
    pub(super) fn chart(&mut self, field: &str, item: &Value, globals: &[&Value]) {
        self.texts(EdgeKind::HelmValues, item, "valuesfile", What::File);
        self.texts(EdgeKind::HelmValues, item, "additionalvaluesfiles", What::File);
        self.texts(EdgeKind::HelmValues, item, "values", What::File);
        for odd in ["confighome", "extraargs", "helmbin", "helmhome"] {
            let everywhere = globals.iter().copied().chain([item]);
            if everywhere.flat_map(|value| value.items(odd)).any(|value| *value != Value::Null) {
                self.unknown.push(format!("the field `{odd}` of a chart"));
            }
        }
        let home = last_text(item, "charthome")
            .or_else(|| globals.iter().rev().find_map(|value| last_text(value, "charthome")));
        let first = |keys: &[&str]| keys.iter().find_map(|key| last_text(item, key)).unwrap_or_default();
        let chart = Chart {
            name: first(&["name", "chartname"]),
            version: first(&["version", "chartversion"]),
            repository: first(&["repo", "chartrepourl", "chartrepo"]),
            home: home.unwrap_or_else(|| "charts".to_owned()),
        };
        self.add(EdgeKind::HelmChart, field, What::Chart(chart));
    }
}

/// The last text of a key that is not empty: the one that counts.
fn last_text(item: &Value, field: &str) -> Option<String> {
    let texts = item.all(field).filter_map(|value| match value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    });
    texts.last()
}
