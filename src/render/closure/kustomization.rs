//! What a kustomization file names, by its content alone: the same in whatever directory it stands. Pure.

use super::edge::EdgeKind;
use super::plugin;
use super::yaml::{self, Value};

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

/// Fields that name no files.
const FILELESS: [&str; 21] = [
    "apiversion",
    "kind",
    "metadata",
    "nameprefix",
    "namesuffix",
    "namespace",
    "commonlabels",
    "labels",
    "commonannotations",
    "images",
    "imagetags",
    "replicas",
    "vars",
    "sortoptions",
    "generatoroptions",
    "buildmetadata",
    "inventory",
    "helmglobals",
    "<<",
    "",
    "$schema",
];
/// Fields that leave it to `resources` what comes out, so that what the files say holds.
const HARMLESS: [&str; 12] = [
    "apiversion",
    "kind",
    "metadata",
    "resources",
    "nameprefix",
    "namesuffix",
    "namespace",
    "commonlabels",
    "labels",
    "commonannotations",
    "sortoptions",
    "buildmetadata",
];

/// Reads a kustomization file.
pub(super) fn parse(content: &[u8]) -> Parsed {
    let mut parsed = Parsed { is_plain: true, ..Parsed::default() };
    let documents = match yaml::documents(content) {
        Ok(documents) => documents,
        Err(problem) => return Parsed { unreadable: Some(problem), ..Parsed::default() },
    };
    for document in &documents {
        parsed.kustomization(document);
    }
    if is_rewritten(content) {
        parsed.unreadable =
            Some("holds `imageTags:`, which kustomize replaces wherever it stands".to_owned());
    }
    parsed
}

/// Kustomize replaces the text `imageTags:` before it parses; that is harmless only where a key stands.
fn is_rewritten(content: &[u8]) -> bool {
    let text = String::from_utf8_lossy(content);
    text.matches("imageTags:").count() > text.lines().filter(|line| line.starts_with("imageTags:")).count()
}

impl Parsed {
    fn kustomization(&mut self, document: &Value) {
        for (key, value) in document.entries() {
            let folded = key.folded.as_str();
            self.is_plain &= HARMLESS.contains(&folded);
            let is_known = FILELESS.contains(&folded) || self.field(folded, document);
            if !is_known && *value != Value::Null {
                self.unknown.push(format!("the field `{}`", key.written));
            }
        }
    }

    /// Takes what is named under `field`; false if no such field is known. A key that repeats is taken repeatedly.
    fn field(&mut self, field: &str, document: &Value) -> bool {
        match field {
            "resources" => self.texts(EdgeKind::Resource, document, field, What::Resource),
            "bases" => self.texts(EdgeKind::Base, document, field, What::Resource),
            "components" => self.texts(EdgeKind::Component, document, field, What::Resource),
            "generators" => self.plugins(EdgeKind::Generator, document, field),
            "transformers" => self.plugins(EdgeKind::Transformer, document, field),
            "validators" => self.plugins(EdgeKind::Validator, document, field),
            "crds" => self.texts(EdgeKind::Crd, document, field, What::File),
            "configurations" => self.texts(EdgeKind::Configuration, document, field, What::File),
            "patchesstrategicmerge" => {
                self.texts(EdgeKind::PatchStrategicMerge, document, field, What::MaybeFile);
            }
            "patches" => self.paths(EdgeKind::Patch, document, field),
            "patchesjson6902" => self.paths(EdgeKind::PatchJson6902, document, field),
            "replacements" => self.paths(EdgeKind::Replacement, document, field),
            "openapi" => self.paths(EdgeKind::OpenApi, document, field),
            "configmapgenerator" => self.key_values(EdgeKind::ConfigMapGenerator, document, field),
            "secretgenerator" => self.key_values(EdgeKind::SecretGenerator, document, field),
            "helmcharts" | "helmchartinflationgenerator" => {
                let globals: Vec<&Value> = document.all("helmglobals").collect();
                for chart in document.items(field) {
                    self.chart(field, chart, &globals);
                }
            }
            _ => return false,
        }
        true
    }

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

    fn key_values(&mut self, edge: EdgeKind, document: &Value, field: &str) {
        for item in document.items(field) {
            self.sources(edge, item);
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

    fn plugins(&mut self, edge: EdgeKind, document: &Value, field: &str) {
        for item in document.items(field) {
            match item {
                Value::Text(text) => self.plugin(edge, field, text),
                Value::Null => {}
                _ => self.unknown.push(format!("what `{field}` holds")),
            }
        }
    }

    /// A configuration, or the path of one: kustomize takes for a path what it cannot take for content.
    fn plugin(&mut self, edge: EdgeKind, field: &str, text: &str) {
        let inline = yaml::documents(text.as_bytes()).unwrap_or_default();
        for document in &inline {
            plugin::document(self, document);
        }
        let is_inline = inline.iter().any(|document| !document.entries().is_empty());
        let what = if is_inline && text.contains('\n') { What::MaybeFile } else { What::Plugin };
        self.add(edge, field, what(text.to_owned()));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn named(yaml: &str) -> Vec<String> {
        let parsed = parse(yaml.as_bytes());
        assert_eq!((&parsed.unreadable, &parsed.unknown), (&None, &Vec::new()), "{yaml}");
        let show = |reference: Reference| match reference.what {
            What::Chart(chart) => format!("{}/{}", chart.home, chart.name),
            What::Resource(text) | What::Plugin(text) | What::File(text) | What::MaybeFile(text) => text,
        };
        parsed.references.into_iter().map(show).collect()
    }

    #[test]
    fn every_field_that_names_files() {
        let all = "resources: [a]\nbases: [b]\ncomponents: [c]\ncrds: [d]\nconfigurations: [e]\n\
            patchesStrategicMerge: [f]\npatches: [{path: g}, h]\npatchesJson6902: [{path: i, target: {}}]\n\
            replacements: [{path: j}]\nopenapi: {path: k}\nconfigMapGenerator: [{files: [x=l, m], envs: [n], env: o}]\n\
            secretGenerator: [{files: [p]}]\nhelmGlobals: {chartHome: q}\n\
            helmCharts: [{name: r, valuesFile: s, additionalValuesFiles: [t]}]\ngenerators: [u]\ntransformers: [v]\n\
            validators: [w]\n";
        let expected: Vec<String> =
            "a b c d e f g h i j k n o l m p s t q/r u v w".split(' ').map(str::to_owned).collect();
        assert_eq!(named(all), expected);
    }

    #[test]
    fn inline_configurations_name_files_too() {
        let yaml = "generators:\n- |\n  kind: ConfigMapGenerator\n  files: [a]\ntransformers:\n- |-\n  kind: PatchTransformer\n  path: b\n  ---\n  kind: ReplacementTransformer\n  replacements: [{path: c}]\n";
        let found = named(yaml);
        assert!(["a", "b", "c"].iter().all(|path| found.contains(&(*path).to_owned())), "{found:?}");
    }

    #[test]
    fn what_is_not_understood_is_said() {
        assert_eq!(parse(b"resources: []\nplugins: [x]\n").unknown, ["the field `plugins`"]);
        assert_eq!(parse(b"resources: [1]\n").unknown, ["what `resources` holds"]);
        assert!(parse(b"resources: {{ x }}\n- [").unreadable.is_some());
        assert!(parse(b"namePrefix: imageTags:\n").unreadable.is_some());
        assert!(parse(b"imageTags: []\n").unreadable.is_none());
        assert!(parse(b"resources: [a]\nnamespace: b\n").is_plain && !parse(b"patches: []\n").is_plain);
    }
}
