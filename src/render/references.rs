//! Follows a kustomization through the DRY tree: which files it reads, and what it would fetch. Reads the tree.
//!
//! Kustomize decodes its files with Go's JSON decoder, which matches keys without regard to case; so does this walk,
//! or `Resources:` would hide a remote reference from it.

use std::collections::BTreeSet;

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};
use serde_yaml::Value;

use super::split::{self, Problem};
use super::{paths, yaml};
use crate::error::{Failure, Place};
use crate::model::DryTree;

/// The names of a kustomization file.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Kinds of generators and transformers that read no files.
const FILELESS: [&str; 10] = [
    "AnnotationsTransformer",
    "HashTransformer",
    "ImageTagTransformer",
    "LabelTransformer",
    "NamespaceTransformer",
    "PrefixTransformer",
    "PrefixSuffixTransformer",
    "ReplicaCountTransformer",
    "SuffixTransformer",
    "ValueAddTransformer",
];

/// Something that kustomize would fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remote {
    /// The file that names it.
    pub(crate) file: Utf8PathBuf,
    /// Under which key.
    pub(crate) field: String,
    /// What it names.
    pub(crate) reference: String,
}

/// What a kustomization reads.
#[derive(Debug, Default)]
pub(crate) struct References {
    /// Files, and directories that are read as a whole. Some may not exist: that they do not is part of the input.
    pub(crate) paths: BTreeSet<Utf8PathBuf>,
    /// What it would fetch.
    pub(crate) remote: Vec<Remote>,
    /// Whether something was met that this walk does not understand, so that more may be read.
    pub(crate) is_incomplete: bool,
}

/// Follows the kustomization in directory `source`.
pub(crate) fn references(tree: &dyn DryTree, source: &Utf8Path) -> anyhow::Result<References> {
    let mut walk = Walk { tree, found: References::default(), seen: BTreeSet::new(), waiting: Vec::new() };
    walk.waiting.push(source.to_owned());
    while let Some(directory) = walk.waiting.pop() {
        walk.directory(&directory)?;
    }
    Ok(walk.found)
}

struct Walk<'tree> {
    tree: &'tree dyn DryTree,
    found: References,
    seen: BTreeSet<Utf8PathBuf>,
    waiting: Vec<Utf8PathBuf>,
}

/// Where a reference stands.
#[derive(Clone, Copy)]
struct Site<'a> {
    /// The kustomization's directory: references are relative to it.
    root: &'a Utf8Path,
    /// The file that holds the reference.
    file: &'a Utf8Path,
    /// The key that holds it.
    field: &'a str,
}

impl Walk<'_> {
    fn directory(&mut self, directory: &Utf8Path) -> anyhow::Result<()> {
        self.found.paths.insert(directory.join(FILE_NAMES[0]));
        let resolved = paths::resolve(self.tree, directory)?;
        self.found.paths.extend(resolved.links.iter().cloned());
        if !self.seen.insert(resolved.path.clone()) {
            return Ok(());
        }
        for name in FILE_NAMES {
            let file = paths::child(&resolved.path, name);
            let resolved_file = paths::resolve(self.tree, &file)?;
            if resolved_file.is_file() {
                self.found.paths.insert(file.clone());
                let content = self.tree.read(&resolved_file.path)?.unwrap_or_default();
                self.kustomization(&resolved.path, &file, &content)?;
            }
        }
        Ok(())
    }

    fn kustomization(&mut self, root: &Utf8Path, file: &Utf8Path, content: &[u8]) -> anyhow::Result<()> {
        for document in documents(content, file)? {
            let site = |field| Site { root, file, field };
            for field in ["resources", "bases", "components"] {
                self.entries(&document, field, |walk, text| walk.resource(site(field), text))?;
            }
            for field in ["generators", "transformers", "validators"] {
                self.entries(&document, field, |walk, text| walk.plugin(site(field), text))?;
            }
            for field in ["crds", "configurations", "patchesstrategicmerge"] {
                self.entries(&document, field, |walk, text| walk.file_or_inline(site(field), text))?;
            }
            for field in ["patches", "patchesjson6902", "replacements", "openapi"] {
                self.each(&document, field, |walk, item| walk.paths_in(site(field), item, &["path"]))?;
            }
            for field in ["configmapgenerator", "secretgenerator"] {
                self.each(&document, field, |walk, item| walk.key_value_sources(site(field), item))?;
            }
            let globals = document.get("helmglobals").cloned().unwrap_or_default();
            for field in ["helmcharts", "helmchartinflationgenerator"] {
                self.each(&document, field, |walk, item| walk.chart(site(field), item, &globals))?;
            }
        }
        Ok(())
    }

    /// Every text under `field`.
    fn entries(
        &mut self,
        document: &Value,
        field: &str,
        mut take: impl FnMut(&mut Self, &str) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.each(document, field, |walk, item| item.as_str().map_or(Ok(()), |text| take(walk, text)))
    }

    /// Every item under `field`, which may be a sequence or a single item.
    fn each(
        &mut self,
        document: &Value,
        field: &str,
        mut take: impl FnMut(&mut Self, &Value) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        match document.get(field) {
            None => Ok(()),
            Some(Value::Sequence(items)) => items.iter().try_for_each(|item| take(self, item)),
            Some(item) => take(self, item),
        }
    }

    /// A file, a directory with a kustomization, or something to fetch.
    fn resource(&mut self, site: Site<'_>, reference: &str) -> anyhow::Result<()> {
        if is_remote_directory(reference) {
            self.remote(site, reference);
            return Ok(());
        }
        let path = self.local(site, reference)?;
        if paths::resolve(self.tree, &path)?.is_directory() {
            self.waiting.push(path);
        }
        Ok(())
    }

    /// A generator's or transformer's own configuration: inline, in a file, or made by a kustomization.
    fn plugin(&mut self, site: Site<'_>, reference: &str) -> anyhow::Result<()> {
        if yaml::parse::<Value>(reference).is_ok_and(|value| value.is_mapping()) {
            return self.plugin_documents(site, reference.as_bytes());
        }
        self.resource(site, reference)?;
        if is_remote_directory(reference) {
            return Ok(());
        }
        let resolved = paths::resolve(self.tree, &self.local(site, reference)?)?;
        if resolved.is_file() {
            let content = self.tree.read(&resolved.path)?.unwrap_or_default();
            self.plugin_documents(Site { file: &resolved.path, ..site }, &content)?;
        } else {
            self.found.is_incomplete = true;
        }
        Ok(())
    }

    fn plugin_documents(&mut self, site: Site<'_>, content: &[u8]) -> anyhow::Result<()> {
        for document in documents(content, site.file)? {
            match document.get("kind").and_then(Value::as_str).unwrap_or_default() {
                "HelmChartInflationGenerator" => self.chart(site, &document, &document)?,
                "ConfigMapGenerator" | "SecretGenerator" => self.key_value_sources(site, &document)?,
                "PatchTransformer" | "PatchJson6902Transformer" => {
                    self.paths_in(site, &document, &["path"])?;
                }
                "PatchStrategicMergeTransformer" => self.paths_in(site, &document, &["paths"])?,
                "ReplacementTransformer" => {
                    self.each(&document, "replacements", |walk, item| walk.paths_in(site, item, &["path"]))?;
                }
                kind if FILELESS.contains(&kind) => {}
                _ => self.found.is_incomplete = true,
            }
        }
        Ok(())
    }

    fn key_value_sources(&mut self, site: Site<'_>, item: &Value) -> anyhow::Result<()> {
        self.paths_in(site, item, &["envs", "env"])?;
        self.entries(item, "files", |walk, text| {
            // `key=path`; what has no key is the path itself.
            walk.file(site, text.split_once('=').map_or(text, |(_, path)| path))
        })
    }

    /// A chart is read from the chart home if it is there, else it is pulled.
    fn chart(&mut self, site: Site<'_>, chart: &Value, globals: &Value) -> anyhow::Result<()> {
        self.paths_in(site, chart, &["valuesfile", "additionalvaluesfiles", "values"])?;
        let text =
            |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let own_home = text(chart, "charthome");
        let home = if own_home.is_empty() { text(globals, "charthome") } else { own_home };
        let home = self.local(site, if home.is_empty() { "charts" } else { &home })?;
        let named = text(chart, "name");
        let name = if named.is_empty() { text(chart, "chartname") } else { named };
        let versioned = format!("{name}-{}/{name}", text(chart, "version"));
        for candidate in [&name, &versioned] {
            let path = paths::join_relative(&home, candidate);
            if let Some(path) = path
                && !name.is_empty()
                && paths::resolve(self.tree, &path)?.is_directory()
            {
                return Ok(());
            }
        }
        let repository =
            [text(chart, "repo"), text(chart, "chartrepourl"), text(chart, "chartrepo")].concat();
        let reference =
            if repository.is_empty() { format!("chart {name}") } else { format!("{name} from {repository}") };
        self.remote(site, &reference);
        Ok(())
    }

    /// Paths of files under `fields` of `item`; text with line breaks is inline content.
    fn paths_in(&mut self, site: Site<'_>, item: &Value, fields: &[&str]) -> anyhow::Result<()> {
        for field in fields {
            self.entries(item, field, |walk, text| walk.file_or_inline(site, text))?;
        }
        Ok(())
    }

    fn file_or_inline(&mut self, site: Site<'_>, text: &str) -> anyhow::Result<()> {
        if is_inline(text) { Ok(()) } else { self.file(site, text) }
    }

    fn file(&mut self, site: Site<'_>, reference: &str) -> anyhow::Result<()> {
        if is_remote_file(reference) {
            self.remote(site, reference);
            return Ok(());
        }
        self.local(site, reference).map(|_| ())
    }

    /// Notes a path of the tree; one that leaves it is an error.
    fn local(&mut self, site: Site<'_>, reference: &str) -> anyhow::Result<Utf8PathBuf> {
        let Some(path) = paths::join_relative(site.root, reference) else {
            let message = format!("`{}` names `{reference}`, which is outside of the repository", site.field);
            bail!(Failure::render(message).at(Place { file: site.file.to_owned(), line: 0, column: 0 }));
        };
        // A link on the way that leaves the tree is found here, before anything starts.
        let resolved = paths::resolve(self.tree, &path)?;
        self.found.paths.extend(resolved.links.iter().cloned());
        if !resolved.is_directory()
            || matches!(site.field, "helmcharts" | "helmchartinflationgenerator" | "generators")
        {
            self.found.paths.insert(path.clone());
        }
        Ok(path)
    }

    fn remote(&mut self, site: Site<'_>, reference: &str) {
        self.found.remote.push(Remote {
            file: site.file.to_owned(),
            field: site.field.to_owned(),
            reference: reference.to_owned(),
        });
    }
}

/// The mappings in a YAML file, merge keys resolved and keys folded as Go's JSON decoder folds them.
fn documents(content: &[u8], file: &Utf8Path) -> anyhow::Result<Vec<Value>> {
    let failure =
        |message: String, line| Failure::render(message).at(Place { file: file.to_owned(), line, column: 0 });
    let text = std::str::from_utf8(content).map_err(|_| failure("is not UTF-8".to_owned(), 0))?;
    let mut found = Vec::new();
    for document in split::documents(text) {
        let problem = |problem: Problem| failure(problem.message, document.stream_line(problem.line));
        let mut value: Value = yaml::parse(&document.text).map_err(problem)?;
        value.apply_merge().map_err(|error| problem(yaml::problem_of(&error)))?;
        fold_keys(&mut value);
        found.push(value);
    }
    Ok(found)
}

fn fold_keys(value: &mut Value) {
    match value {
        Value::Mapping(mapping) => {
            let entries = std::mem::take(mapping);
            for (mut key, mut value) in entries {
                fold_keys(&mut value);
                if let Value::String(text) = &mut key {
                    // By way of upper case, so that the long s and the Kelvin sign fold too.
                    *text = text.to_uppercase().to_lowercase();
                }
                append(mapping.entry(key).or_insert(Value::Null), value);
            }
        }
        Value::Sequence(items) => items.iter_mut().for_each(fold_keys),
        _ => {}
    }
}

/// Of two keys that differ only in case both count, as far as Go's decoder lets them.
fn append(into: &mut Value, value: Value) {
    match (&mut *into, value) {
        (Value::Sequence(into), Value::Sequence(more)) => into.extend(more),
        (Value::Mapping(into), Value::Mapping(more)) => {
            for (key, value) in more {
                append(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (_, value) => *into = value,
    }
}

/// Inline content where the path of a file may stand.
fn is_inline(text: &str) -> bool {
    text.contains('\n') || text.trim_start().starts_with('{')
}

fn is_remote_file(reference: &str) -> bool {
    let start: String = reference.chars().take(8).collect::<String>().to_ascii_lowercase();
    start.starts_with("http://") || start == "https://"
}

/// Whether kustomize takes `reference` for a repository to clone, even if a directory of that name exists.
fn is_remote_directory(reference: &str) -> bool {
    let lower = reference.trim().to_ascii_lowercase();
    let has_user = lower.split_once('@').is_some_and(|(user, _)| {
        user.starts_with(|c: char| c.is_ascii_alphabetic())
            && user.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    });
    let is_hosted =
        ["git::", "gh:", "github.com/", "github.com:"].iter().any(|start| lower.starts_with(start));
    lower.contains("://") || has_user || is_hosted || is_remote_file(&lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kustomize_would_clone_or_fetch() {
        for remote in [
            "https://github.com/acme/base?ref=v1",
            "HTTPS://example.com/x.yaml",
            "git@github.com:acme/base",
            "github.com/acme/base//k8s",
            "git::https://example.com/base",
            "ssh://git@example.com/base",
            "file:///etc",
            "org-1234@github.com:acme/base",
        ] {
            assert!(is_remote_directory(remote), "{remote}");
        }
        for local in [
            "../base",
            "base.yaml",
            "a@b/c.yaml".trim_start_matches("a@"),
            "https",
            "github.com.yaml",
            "./github.com/x",
        ] {
            assert!(!is_remote_directory(local), "{local}");
        }
        assert!(
            is_remote_file("Https://example.com/x") && !is_remote_file("http:/x") && !is_remote_file("é://")
        );
    }

    #[test]
    fn keys_fold_as_in_go() {
        let found =
            documents("RE\u{17f}OURCES: [a]\nresources: [b]\n".as_bytes(), Utf8Path::new("k")).unwrap();
        assert_eq!(found[0]["resources"], serde_yaml::from_str::<Value>("[a, b]").unwrap());
        let found =
            documents(b"OpenAPI: {path: p}\nopenapi: {x: y}\nOPENAPI: ~\n", Utf8Path::new("k")).unwrap();
        assert_eq!(found[0]["openapi"], serde_yaml::from_str::<Value>("{path: p, x: y}").unwrap());
    }
}
