//! A DRY tree in the making: files, links, kustomizations as lists of entries, and the targets that are rendered.

use std::collections::BTreeMap;

use hydrator::model::{KustomizeOptions, Renderer, Target};
use hydrator::render::closure::EdgeKind;

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    File(String),
    Executable(String),
    Link(String),
}

/// A kustomization: its fields with their items, each as YAML on one or more lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kustomization {
    pub(super) items: BTreeMap<&'static str, Vec<String>>,
    pub(super) lines: BTreeMap<&'static str, String>,
    /// Under which of the three names; the first one mostly.
    pub(super) name: usize,
    pub(super) is_broken: bool,
}

pub(super) const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

impl Kustomization {
    fn text(&self) -> String {
        let item = |item: &String| format!("- {}\n", item.replace('\n', "\n  "));
        let items = self.items.iter().map(|(field, items)| {
            format!("{field}:\n{}", items.iter().map(item).collect::<Vec<_>>().concat())
        });
        let lines = self.lines.iter().map(|(field, value)| format!("{field}: {value}\n"));
        let end = if self.is_broken { "{{ broken }}\n- [" } else { "" };
        items.chain(lines).collect::<String>() + end
    }
}

/// A change that must show in the output of some target, by one kind of edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Spot {
    /// Another edition of a file.
    Edit(String),
    /// A file that stops being what is expected there, and becomes it again.
    Break(String),
    /// Something where nothing was.
    Add(String, String),
    /// Two links change places.
    Swap(String, String),
    /// The executable bit.
    Mode(String),
    /// Another edition of the kustomization in a directory.
    Suffix(String),
}

/// The tree at one commit.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    pub(super) files: BTreeMap<String, Entry>,
    pub(super) kustomizations: BTreeMap<String, Kustomization>,
    pub(super) targets: Vec<Target>,
    pub(super) spots: Vec<(EdgeKind, Spot)>,
    pub(super) deleted: Vec<(String, Entry)>,
    counter: usize,
}

impl State {
    /// Every file and link.
    pub(super) fn all_files(&self) -> BTreeMap<String, Entry> {
        let mut files = self.files.clone();
        for (directory, kustomization) in &self.kustomizations {
            let path = format!("{directory}/{}", NAMES[kustomization.name]);
            files.entry(path).or_insert_with(|| Entry::File(kustomization.text()));
        }
        files
    }

    /// A number that was not used yet.
    pub(super) fn number(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    pub(super) fn file(&mut self, path: impl Into<String>, text: impl Into<String>) {
        self.files.insert(path.into(), Entry::File(text.into()));
    }

    pub(super) fn link(&mut self, path: impl Into<String>, to: impl Into<String>) {
        self.files.insert(path.into(), Entry::Link(to.into()));
    }

    /// Adds an item to a field of the kustomization in a directory, which is made if there is none.
    pub(super) fn item(&mut self, directory: &str, field: &'static str, item: impl Into<String>) {
        let kustomization = self.kustomizations.entry(directory.to_owned()).or_default();
        kustomization.items.entry(field).or_default().push(item.into());
    }

    pub(super) fn line(&mut self, directory: &str, field: &'static str, value: impl Into<String>) {
        self.kustomizations.entry(directory.to_owned()).or_default().lines.insert(field, value.into());
    }

    pub(super) fn spot(&mut self, edge: EdgeKind, spot: Spot) {
        self.spots.push((edge, spot));
    }

    pub(super) fn edit_spot(&mut self, edge: EdgeKind, path: &str) {
        self.spot(edge, Spot::Edit(path.to_owned()));
    }

    pub(super) fn target(&mut self, name: &str, source: &str, renderer: Renderer) {
        self.targets.push(Target {
            name: name.into(),
            source: source.into(),
            output: name.into(),
            renderer,
            allow_empty: true,
            environment_variables: Vec::new(),
        });
    }

    pub(super) fn overlay(&mut self, name: &str, source: &str, reads_elsewhere: bool) {
        let option = reads_elsewhere.then_some("--load-restrictor=LoadRestrictionsNone");
        let build_options = option.map(str::to_owned).into_iter().collect();
        let options = KustomizeOptions { build_options, allow_remote: true };
        self.target(name, source, Renderer::Kustomize(options));
    }
}

/// A config map with an edition.
pub(super) fn config_map(name: &str, key: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  {key}: edition-0\n")
}

/// A JSON patch that adds a key to every config map.
pub(super) fn patch(key: &str) -> String {
    format!("- op: add\n  path: /data/{key}\n  value: edition-0\n")
}
