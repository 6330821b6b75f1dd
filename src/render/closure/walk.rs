//! The closures of one DRY tree: walks from a target's options to everything that they lead to. Reads the tree.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::edge::EdgeKind;
use super::kustomization::{self, Parsed, Reference, What};
use super::node::{Builder, Node, Site};
use super::{Closure, Input, WholeTree, plugin, remote, root_id, shown};
use crate::cached_tree::CachedTree;
use crate::model::{DryTree, ObjectId, Target};
use crate::render::paths::{self, Resolved};
use crate::render::version::Version;

/// The names of a kustomization file.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// What a node is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Key {
    /// The kustomization in a directory, by its path without links.
    Kustomization(Utf8PathBuf),
    /// Configurations of generators or transformers, in a file or made by a kustomization, by its path without links.
    /// The files that they name are relative to the kustomization that uses them.
    Plugin {
        /// That kustomization's directory.
        root: Utf8PathBuf,
        /// The file or directory.
        path: Utf8PathBuf,
    },
    /// A directory that is read as a whole, by its path without links.
    Directory(Utf8PathBuf),
    /// A chart of the tree with its dependencies, by its path without links.
    Chart(Utf8PathBuf),
}

/// How a file is parsed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Grammar {
    Kustomization,
    Plugin,
}

/// The closures of the targets of one DRY tree; remembers everything that several of them read.
pub struct Closures<'tree> {
    pub(super) tree: CachedTree<'tree>,
    nodes: RefCell<HashMap<Key, Arc<Node>>>,
    parsed: RefCell<HashMap<(ObjectId, Grammar), Arc<Parsed>>>,
    root: RefCell<Option<ObjectId>>,
    without: Option<EdgeKind>,
}

impl<'tree> Closures<'tree> {
    /// Closures in `tree`, which must not change as long as this lives.
    pub fn new(tree: &'tree dyn DryTree) -> Self {
        Self {
            tree: CachedTree::new(tree),
            nodes: RefCell::default(),
            parsed: RefCell::default(),
            root: RefCell::default(),
            without: None,
        }
    }

    /// Closures that miss one kind of edge: for tests, which show that this would be noticed.
    #[doc(hidden)]
    #[must_use]
    pub fn without(mut self, edge: EdgeKind) -> Self {
        self.without = Some(edge);
        self
    }

    /// Whether edges of this kind are followed.
    pub(super) fn wants(&self, edge: EdgeKind) -> bool {
        self.without != Some(edge)
    }

    /// Everything that `target` reads. An error means that the tree cannot be read; what is wrong with the target's
    /// files is in the closure.
    pub fn closure(&self, target: &Target) -> Result<Closure> {
        let mut own = Builder::new(self);
        own.target(target)?;
        let own = Arc::new(own.finish()?);
        let mut waiting: Vec<Key> = own.next.clone();
        let mut seen: BTreeSet<Key> = BTreeSet::new();
        let mut nodes = vec![own];
        while let Some(key) = waiting.pop() {
            if seen.contains(&key) {
                continue;
            }
            let node = self.node(&key)?;
            waiting.extend(node.next.iter().cloned());
            seen.insert(key);
            nodes.push(node);
        }
        self.joined(nodes)
    }

    fn joined(&self, mut nodes: Vec<Arc<Node>>) -> Result<Closure> {
        // The target's own node stays first; the others have an order that does not depend on the walk.
        nodes[1..].sort_unstable_by_key(|node| node.digest);
        let mut closure = Closure::default();
        for node in &nodes {
            closure.remote.extend(node.remote.iter().cloned());
            closure.unreadable.extend(node.unreadable.iter().cloned());
            closure.problems.extend(node.problems.iter().cloned());
        }
        let mut reasons = nodes.iter().flat_map(|node| &node.unknown);
        if let Some(reason) = reasons.next().filter(|_| self.wants(EdgeKind::WholeTree)) {
            closure.whole_tree = Some(WholeTree { reason: reason.clone(), id: self.root_id()? });
        }
        closure.nodes = nodes;
        Ok(closure)
    }

    fn root_id(&self) -> Result<ObjectId> {
        let known = *self.root.borrow();
        if let Some(known) = known {
            return Ok(known);
        }
        let id = root_id(&self.tree)?;
        *self.root.borrow_mut() = Some(id);
        Ok(id)
    }

    fn node(&self, key: &Key) -> Result<Arc<Node>> {
        if let Some(known) = self.nodes.borrow().get(key) {
            return Ok(Arc::clone(known));
        }
        let mut builder = Builder::new(self);
        match key {
            Key::Kustomization(directory) => builder.kustomization(directory)?,
            Key::Plugin { root, path } => builder.plugin(root, path)?,
            Key::Directory(directory) => builder.directory(directory)?,
            Key::Chart(directory) => builder.helm_chart(directory)?,
        }
        let node = Arc::new(builder.finish()?);
        self.nodes.borrow_mut().insert(key.clone(), Arc::clone(&node));
        Ok(node)
    }

    fn parse(&self, file: &Resolved, grammar: Grammar) -> Result<Arc<Parsed>> {
        let id = file.entry.as_ref().map_or(ObjectId::from_bytes([0; 20]), |entry| entry.id);
        if let Some(known) = self.parsed.borrow().get(&(id, grammar)) {
            return Ok(Arc::clone(known));
        }
        let content = self.tree.read(&file.path)?.unwrap_or_default();
        let parsed = Arc::new(match grammar {
            Grammar::Kustomization => kustomization::parse(&content),
            Grammar::Plugin => plugin::parse(&content),
        });
        self.parsed.borrow_mut().insert((id, grammar), Arc::clone(&parsed));
        Ok(parsed)
    }
}

impl Builder<'_, '_> {
    /// The kustomization of a directory: its file, whichever of the three names it has, and what that names.
    pub(super) fn kustomization(&mut self, directory: &Utf8Path) -> Result<()> {
        for name in FILE_NAMES {
            let file = paths::child(directory, name);
            let found = if self.closures.wants(EdgeKind::Kustomization) {
                self.look(&file)?
            } else {
                paths::resolve(&self.closures.tree, &file).ok()
            };
            if let Some(found) = found.filter(Resolved::is_file) {
                let parsed = self.closures.parse(&found, Grammar::Kustomization)?;
                self.references(directory, &file, &parsed)?;
                if !self.closures.wants(EdgeKind::KustomizationName) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Configurations of generators or transformers.
    fn plugin(&mut self, root: &Utf8Path, path: &Utf8Path) -> Result<()> {
        let Some(found) = self.look(path)? else { return Ok(()) };
        if found.is_file() {
            let parsed = self.closures.parse(&found, Grammar::Plugin)?;
            return self.references(root, path, &parsed);
        }
        // Made by a kustomization: as long as that changes nothing, its resources are the configurations.
        for name in FILE_NAMES {
            let Some(file) = self.look(&paths::child(path, name))?.filter(Resolved::is_file) else {
                continue;
            };
            let parsed = self.closures.parse(&file, Grammar::Kustomization)?;
            if !parsed.is_plain || parsed.unreadable.is_some() {
                let reason = "makes configurations of generators or transformers".to_owned();
                self.unreadable(&file.path, reason);
            }
            for reference in &parsed.references {
                let What::Resource(text) = &reference.what else { continue };
                if remote::is_directory(text) {
                    self.unreadable(
                        &file.path,
                        "fetches configurations of generators or transformers".to_owned(),
                    );
                }
                let site = Site { root: path, file: &file.path, field: &reference.field };
                if let Some(resolved) = self.local(site, text)? {
                    self.follow(Key::Plugin { root: root.to_owned(), path: resolved.path });
                }
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, file: &Utf8Path, reason: String) {
        self.unknown.push(format!("`{file}` {reason}"));
        self.unreadable.push((file.to_owned(), reason));
    }

    fn references(&mut self, root: &Utf8Path, file: &Utf8Path, parsed: &Parsed) -> Result<()> {
        if let Some(reason) = &parsed.unreadable {
            self.unreadable(file, reason.clone());
        }
        self.unknown.extend(parsed.unknown.iter().map(|what| format!("{what} in `{file}`")));
        for reference in &parsed.references {
            if self.closures.wants(reference.edge) {
                self.reference(Site { root, file, field: &reference.field }, reference)?;
            }
        }
        Ok(())
    }

    fn reference(&mut self, site: Site<'_>, reference: &Reference) -> Result<()> {
        match &reference.what {
            What::Resource(text) => self.resource(site, text),
            What::Plugin(text) => self.plugin_reference(site, text),
            What::File(text) => self.file(site, text),
            What::MaybeFile(text) => self.maybe_file(site, text),
            What::Chart(chart) => self.chart(site, chart),
        }
    }

    /// A file, a directory with a kustomization, or something to clone. Kustomize tries a file first, whatever it is
    /// called, and a repository before a directory.
    fn resource(&mut self, site: Site<'_>, text: &str) -> Result<()> {
        if remote::is_directory(text) {
            self.fetch(site, text, remote::is_pinned(text));
            return self.maybe_path(site, text);
        }
        if let Some(found) = self.local(site, text)?
            && found.is_directory()
        {
            self.follow(Key::Kustomization(found.path));
        }
        Ok(())
    }

    fn plugin_reference(&mut self, site: Site<'_>, text: &str) -> Result<()> {
        if remote::is_directory(text) {
            self.unknown
                .push(format!("the remote configurations that `{}` names in `{}`", site.field, site.file));
        }
        self.resource(site, text)?;
        if let Some(path) = paths::join_relative(site.root, text)
            && let Ok(found) = paths::resolve(&self.closures.tree, &path)
            && (found.is_file() || found.is_directory())
        {
            self.follow(Key::Plugin { root: site.root.to_owned(), path: found.path });
        }
        Ok(())
    }

    fn file(&mut self, site: Site<'_>, text: &str) -> Result<()> {
        if remote::is_file(text) {
            self.fetch(site, text, false);
            return self.maybe_path(site, text);
        }
        self.local(site, text).map(|_| ())
    }

    /// Content where the path of a file may stand; kustomize tries one after the other.
    fn maybe_file(&mut self, site: Site<'_>, text: &str) -> Result<()> {
        if remote::is_directory(text) || remote::is_file(text) {
            self.fetch(site, text, remote::is_pinned(text));
        }
        if text.contains('\n') || text.trim_start().starts_with('{') {
            return self.maybe_path(site, text);
        }
        self.local(site, text).map(|_| ())
    }

    /// A file of the tree that would be taken before anything is fetched.
    fn maybe_path(&mut self, site: Site<'_>, text: &str) -> Result<()> {
        match paths::join_relative(site.root, text).filter(|_| self.closures.wants(EdgeKind::Shadow)) {
            Some(path) if path.as_str().len() < 1024 => self.look_if_path(&path).map(|_| ()),
            _ => Ok(()),
        }
    }

    fn local(&mut self, site: Site<'_>, text: &str) -> Result<Option<Resolved>> {
        match paths::join_relative(site.root, text) {
            Some(path) => self.look(&path),
            // Not a path, but content on one line.
            None if text.starts_with('{') => Ok(None),
            None => {
                self.outside(site, text);
                Ok(None)
            }
        }
    }

    /// A chart is read from the directory of charts if it is there, else it is pulled.
    fn chart(&mut self, site: Site<'_>, chart: &kustomization::Chart) -> Result<()> {
        let kustomization::Chart { name, version, repository, home } = chart;
        let Some(home) = paths::join_relative(site.root, home) else {
            self.outside(site, home);
            return Ok(());
        };
        // Newer versions of kustomize keep what they pull apart by version.
        let versioned = format!("{name}-{version}/{name}");
        let is_pulled = !version.is_empty() && !repository.is_empty();
        let mut is_here = false;
        for candidate in [name, &versioned] {
            let Some(path) = paths::join_relative(&home, candidate).filter(|_| !name.is_empty()) else {
                continue;
            };
            let Some(found) = self.look(&path)? else { continue };
            if found.is_directory() {
                is_here |= !is_pulled || *candidate == versioned;
                self.follow(Key::Directory(found.path));
            }
        }
        if !is_here {
            let from = if repository.is_empty() { String::new() } else { format!(" from {repository}") };
            let pinned = Version::parse(version).is_some();
            self.fetch(site, &format!("chart {name}{from}"), pinned);
        }
        Ok(())
    }

    /// A directory of which every file counts, with what the links in it lead to.
    fn directory(&mut self, directory: &Utf8Path) -> Result<()> {
        if !self.closures.wants(EdgeKind::Directory) {
            return Ok(());
        }
        let input = match self.closures.tree.entry(directory)? {
            Some(entry) => Input::Tree(entry.id),
            None if directory.as_str().is_empty() => Input::Tree(self.closures.root_id()?),
            None => Input::Absent,
        };
        self.add(directory, input);
        self.links_below(directory)
    }

    fn links_below(&mut self, directory: &Utf8Path) -> Result<()> {
        use crate::model::EntryKind;
        if paths::check_length(directory).is_err() || !self.closures.wants(EdgeKind::LinkInDirectory) {
            return Ok(());
        }
        let Some(entries) = self.closures.tree.entries(directory)? else { return Ok(()) };
        for entry in entries.iter() {
            let path = paths::child(directory, &entry.name);
            match entry.kind {
                EntryKind::Directory => self.links_below(&path)?,
                EntryKind::Link => {
                    // A link that leads out of the tree is an error when it is exported, and its text is in the tree.
                    if let Some(found) = self.look_if_path(&path)?
                        && found.is_directory()
                    {
                        self.follow(Key::Directory(found.path));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The name of a node's directory, for reasons.
pub(super) fn name_of(directory: &Utf8Path) -> String {
    format!("`{}`", shown(directory))
}
