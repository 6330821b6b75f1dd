//! What a kustomization file names, by its content alone: the same in whatever directory it stands. Pure.

use super::edge::EdgeKind;
use super::named::{Parsed, What};
use super::plugin;
use super::yaml::{self, Value};

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

    fn key_values(&mut self, edge: EdgeKind, document: &Value, field: &str) {
        for item in document.items(field) {
            self.sources(edge, item);
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
}

#[cfg(test)]
mod tests {
    use super::super::named::Reference;
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
