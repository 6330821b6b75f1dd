//! The closures of one DRY tree: walks from a target's options to everything that they lead to. Reads the tree.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::Result;

use super::edge::EdgeKind;
use super::node::{Builder, Key, Node};
use super::parsed_tree::ParsedTree;
use super::{Closure, WholeTree};
use crate::model::{DryTree, Target};

/// The closures of the targets of one DRY tree; remembers everything that several of them read.
pub struct Closures<'tree> {
    tree: ParsedTree<'tree>,
    nodes: RefCell<HashMap<Key, Arc<Node>>>,
}

impl<'tree> Closures<'tree> {
    /// Closures in `tree`, which must not change as long as this lives.
    pub fn new(tree: &'tree dyn DryTree) -> Self {
        Self { tree: ParsedTree::new(tree), nodes: RefCell::default() }
    }

    /// Closures that miss one kind of edge: for tests, which show that this would be noticed.
    #[doc(hidden)]
    #[must_use]
    pub fn without(mut self, edge: EdgeKind) -> Self {
        self.tree.leave_out(edge);
        self
    }

    /// Everything that `target` reads. An error means that the tree cannot be read; what is wrong with the target's
    /// files is in the closure.
    pub fn closure(&self, target: &Target) -> Result<Closure> {
        let mut own = Builder::new(&self.tree);
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
        if let Some(reason) = reasons.next().filter(|_| self.tree.wants(EdgeKind::WholeTree)) {
            closure.whole_tree = Some(WholeTree { reason: reason.clone(), id: self.tree.root_id()? });
        }
        closure.nodes = nodes;
        Ok(closure)
    }

    fn node(&self, key: &Key) -> Result<Arc<Node>> {
        if let Some(known) = self.nodes.borrow().get(key) {
            return Ok(Arc::clone(known));
        }
        let mut builder = Builder::new(&self.tree);
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
}
