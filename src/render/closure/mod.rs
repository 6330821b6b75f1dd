//! What a target reads of the DRY tree, told without rendering it: one walk that finds what is exported for its
//! renderer, what its fingerprint is made of, and what it would fetch. Reads the tree; starts nothing.
//!
//! A closure may be too wide, never too narrow. What a renderer looks up and does not find belongs to it, and so do
//! the links on the way to something. Where something is not understood the whole DRY tree counts, with the reason.
//! Targets share the parts ([`Node`]) of what they read, so that thousands of overlays of one base cost little.

mod edge;
mod kustomization;
mod kustomize;
mod named;
mod node;
mod parsed_tree;
mod plugin;
mod remote;
mod sources;
mod walk;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Failure;
use crate::model::{DryTree, EntryKind, ObjectId};

pub use edge::EdgeKind;
pub use node::Node;
pub use remote::RemoteInput;
pub use walk::Closures;

/// What is at a path that a target looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Input {
    /// Nothing, and that matters.
    Absent,
    /// A directory, of which only counts that it is one.
    Directory,
    /// A directory that is read as a whole, by its tree.
    Tree(ObjectId),
    /// A regular file.
    File(ObjectId),
    /// A regular file with the executable bit.
    Executable(ObjectId),
    /// A symbolic link, by the path that it holds.
    Link(ObjectId),
    /// A submodule, whose files are not here.
    Submodule(ObjectId),
}

impl Input {
    fn new(kind: EntryKind, id: ObjectId) -> Self {
        match kind {
            EntryKind::Directory => Self::Directory,
            EntryKind::File => Self::File(id),
            EntryKind::Executable => Self::Executable(id),
            EntryKind::Link => Self::Link(id),
            EntryKind::Submodule => Self::Submodule(id),
        }
    }

    /// The object, if its content counts.
    pub const fn id(self) -> Option<ObjectId> {
        match self {
            Self::Absent | Self::Directory => None,
            Self::Tree(id) | Self::File(id) | Self::Executable(id) | Self::Link(id) | Self::Submodule(id) => {
                Some(id)
            }
        }
    }

    /// A letter for what it is.
    pub const fn letter(self) -> char {
        match self {
            Self::Absent => '-',
            Self::Directory => 'd',
            Self::Tree(_) => 't',
            Self::File(_) => 'f',
            Self::Executable(_) => 'x',
            Self::Link(_) => 'l',
            Self::Submodule(_) => 's',
        }
    }
}

/// Everything that one target reads.
#[derive(Clone, Debug, Default)]
pub struct Closure {
    /// The parts, in a fixed order; shared with other targets.
    pub nodes: Vec<Arc<Node>>,
    /// The root's tree, when everything counts, and why.
    pub whole_tree: Option<WholeTree>,
    /// What would be fetched.
    pub remote: BTreeSet<RemoteInput>,
    /// Files of which not even that is known, with the reason: what they would fetch must be refused too.
    pub unreadable: BTreeMap<Utf8PathBuf, String>,
    /// Why rendering cannot succeed: paths and links that lead out of the tree, submodules.
    pub problems: Vec<Failure>,
}

/// That everything counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeTree {
    /// What is not understood: one line.
    pub reason: String,
    /// Stands for the content of the whole tree.
    pub id: ObjectId,
}

impl Closure {
    /// Every path with what is there, the whole tree as the empty path.
    pub fn inputs(&self) -> BTreeMap<Utf8PathBuf, Input> {
        let mut inputs = BTreeMap::new();
        for (path, input) in self.nodes.iter().flat_map(|node| &node.inputs) {
            let known = inputs.entry(path.clone()).or_insert(*input);
            // A directory that is somewhere read as a whole is more than one that is only looked at.
            *known = (*known).max(*input);
        }
        inputs.extend(self.whole_tree.iter().map(|whole| (Utf8PathBuf::new(), Input::Tree(whole.id))));
        inputs
    }

    /// What has to be exported for an outside program: files, and directories with everything in them.
    pub fn exported(&self) -> Vec<Utf8PathBuf> {
        if self.whole_tree.is_some() {
            return vec![Utf8PathBuf::new()];
        }
        let inputs = self.inputs();
        let is_content = |(_, input): &(&Utf8PathBuf, &Input)| input.id().is_some();
        inputs.iter().filter(is_content).map(|(path, _)| path.clone()).collect()
    }

    /// Remote inputs that may change without the tree changing; with one, a result must not be remembered.
    pub fn unpinned(&self) -> impl Iterator<Item = &RemoteInput> {
        self.remote.iter().filter(|remote| !remote.pinned)
    }

    /// Whether two renderings are sure to read the same.
    pub fn is_closed(&self) -> bool {
        self.unreadable.is_empty() && self.unpinned().next().is_none()
    }
}

/// The name of a directory in a sentence.
fn shown(path: &Utf8Path) -> &str {
    if path.as_str().is_empty() { "." } else { path.as_str() }
}

/// Stands for the content of a whole tree, whose root has no id of its own.
fn root_id(tree: &dyn DryTree) -> anyhow::Result<ObjectId> {
    let entries = tree.list(Utf8Path::new(""))?.unwrap_or_default();
    let lines = entries.into_iter().map(|entry| {
        let input = Input::new(entry.kind, entry.id);
        format!("{} {} {}\0", input.letter(), entry.id, entry.name)
    });
    crate::git::hash_of(lines.collect::<String>().as_bytes())
}
