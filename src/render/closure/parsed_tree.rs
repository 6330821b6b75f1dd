//! The DRY tree as closures read it: files of kustomize are parsed once, whichever targets lead to them. Reads the tree.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;

use super::edge::EdgeKind;
use super::named::Parsed;
use super::{kustomization, plugin, root_id};
use crate::cached_tree::CachedTree;
use crate::model::{DryTree, ObjectId};
use crate::render::paths::Resolved;

/// How a file is parsed.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Grammar {
    Kustomization,
    Plugin,
}

/// A DRY tree, which must not change as long as this lives.
pub(super) struct ParsedTree<'tree> {
    pub(super) files: CachedTree<'tree>,
    parsed: RefCell<HashMap<(ObjectId, Grammar), Arc<Parsed>>>,
    root: RefCell<Option<ObjectId>>,
    without: Option<EdgeKind>,
}

impl<'tree> ParsedTree<'tree> {
    pub(super) fn new(tree: &'tree dyn DryTree) -> Self {
        Self {
            files: CachedTree::new(tree),
            parsed: RefCell::default(),
            root: RefCell::default(),
            without: None,
        }
    }

    /// Follows edges of this kind no more.
    pub(super) fn leave_out(&mut self, edge: EdgeKind) {
        self.without = Some(edge);
    }

    /// Whether edges of this kind are followed.
    pub(super) fn wants(&self, edge: EdgeKind) -> bool {
        self.without != Some(edge)
    }

    pub(super) fn root_id(&self) -> Result<ObjectId> {
        let known = *self.root.borrow();
        if let Some(known) = known {
            return Ok(known);
        }
        let id = root_id(&self.files)?;
        *self.root.borrow_mut() = Some(id);
        Ok(id)
    }

    pub(super) fn parse(&self, file: &Resolved, grammar: Grammar) -> Result<Arc<Parsed>> {
        let id = file.entry.as_ref().map_or(ObjectId::from_bytes([0; 20]), |entry| entry.id);
        if let Some(known) = self.parsed.borrow().get(&(id, grammar)) {
            return Ok(Arc::clone(known));
        }
        let content = self.files.read(&file.path)?.unwrap_or_default();
        let parsed = Arc::new(match grammar {
            Grammar::Kustomization => kustomization::parse(&content),
            Grammar::Plugin => plugin::parse(&content),
        });
        self.parsed.borrow_mut().insert((id, grammar), Arc::clone(&parsed));
        Ok(parsed)
    }
}
