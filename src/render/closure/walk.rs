//! The closures of one DRY tree: walks from a target's options to everything that they lead to. Reads the tree.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Result;
use camino::Utf8PathBuf;

use super::edge::EdgeKind;
use super::kustomization::{self, Parsed};
use super::node::{Builder, Node};
use super::{Closure, WholeTree, plugin, root_id};
use crate::cached_tree::CachedTree;
use crate::model::{DryTree, ObjectId, Target};
use crate::render::paths::Resolved;

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
pub(super) enum Grammar {
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

    pub(super) fn root_id(&self) -> Result<ObjectId> {
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

    pub(super) fn parse(&self, file: &Resolved, grammar: Grammar) -> Result<Arc<Parsed>> {
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
