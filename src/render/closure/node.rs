//! A part of what targets read, and how one is put together: look-ups in the tree. Reads the tree.

use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::Input;
use super::edge::EdgeKind;
use super::parsed_tree::ParsedTree;
use super::remote::RemoteInput;
use crate::error::{Failure, Place};
use crate::model::{DryTree as _, EntryKind, ObjectId};
use crate::render::content;
use crate::render::paths::{self, Resolved};

/// What one kustomization, one directory or one target's own options read directly.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it looks at, in order of the paths, each once.
    pub inputs: Vec<(Utf8PathBuf, Input)>,
    /// What it would fetch.
    pub remote: Vec<RemoteInput>,
    /// What is not understood about it.
    pub unknown: Vec<String>,
    /// Its file, if nothing can be told about it, and why.
    pub unreadable: Vec<(Utf8PathBuf, String)>,
    /// Why rendering cannot succeed.
    pub problems: Vec<Failure>,
    /// Stands for all of the above.
    pub digest: ObjectId,
    /// What it leads to.
    pub(super) next: Vec<Key>,
}

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

/// A node in the making.
pub(super) struct Builder<'c, 'tree> {
    pub(super) tree: &'c ParsedTree<'tree>,
    inputs: Vec<(Utf8PathBuf, Input)>,
    pub(super) remote: Vec<RemoteInput>,
    pub(super) unknown: Vec<String>,
    pub(super) unreadable: Vec<(Utf8PathBuf, String)>,
    pub(super) problems: Vec<Failure>,
    next: Vec<Key>,
}

/// Where a look-up stands in the tree.
#[derive(Clone, Copy)]
pub(super) struct Site<'a> {
    /// The directory that references are relative to.
    pub(super) root: &'a Utf8Path,
    /// The file that holds the reference; empty for the configuration.
    pub(super) file: &'a Utf8Path,
    /// The key that holds it.
    pub(super) field: &'a str,
}

impl<'c, 'tree> Builder<'c, 'tree> {
    pub(super) fn new(tree: &'c ParsedTree<'tree>) -> Self {
        Self {
            tree,
            inputs: Vec::new(),
            remote: Vec::new(),
            unknown: Vec::new(),
            unreadable: Vec::new(),
            problems: Vec::new(),
            next: Vec::new(),
        }
    }

    pub(super) fn finish(mut self) -> anyhow::Result<Node> {
        self.inputs.sort_unstable();
        self.inputs.dedup();
        self.next.sort_unstable();
        self.next.dedup();
        let mut text = String::new();
        for (path, input) in &self.inputs {
            let id = input.id().map(|id| id.to_string()).unwrap_or_default();
            // Writing to a string cannot fail.
            let _ = write!(text, "{}{id} {path}\0", input.letter());
        }
        for problem in &self.problems {
            let _ = write!(text, "! {problem}\0");
        }
        let digest = crate::git::hash_of(text.as_bytes())?;
        let Self { inputs, remote, unknown, unreadable, problems, next, .. } = self;
        Ok(Node { inputs, remote, unknown, unreadable, problems, digest, next })
    }

    /// Goes on at `key`.
    pub(super) fn follow(&mut self, key: Key) {
        self.next.push(key);
    }

    /// Looks `path` up as a program would: the links on the way and what is there belong to the closure. `None` if the
    /// way leads out of the tree, which is a problem.
    pub(super) fn look(&mut self, path: &Utf8Path) -> anyhow::Result<Option<Resolved>> {
        match self.resolve(path)? {
            Ok(resolved) => {
                self.note(&resolved)?;
                Ok(Some(resolved))
            }
            Err(problem) => {
                self.problems.push(problem);
                Ok(None)
            }
        }
    }

    /// [`Self::look`] for what need not be a path at all.
    pub(super) fn look_if_path(&mut self, path: &Utf8Path) -> anyhow::Result<Option<Resolved>> {
        let Ok(resolved) = self.resolve(path)? else { return Ok(None) };
        self.note(&resolved)?;
        Ok(Some(resolved))
    }

    fn resolve(&self, path: &Utf8Path) -> anyhow::Result<Result<Resolved, Failure>> {
        match paths::resolve(&self.tree.files, path) {
            Ok(resolved) => Ok(Ok(resolved)),
            Err(error) => error.downcast::<Failure>().map(Err),
        }
    }

    fn note(&mut self, resolved: &Resolved) -> anyhow::Result<()> {
        for link in &resolved.links {
            if let Some(entry) = self.tree.files.entry(link)?
                && self.tree.wants(EdgeKind::Link)
            {
                self.inputs.push((link.clone(), Input::Link(entry.id)));
            }
        }
        if !resolved.links.is_empty() && !self.tree.wants(EdgeKind::LinkTarget) {
            return Ok(());
        }
        let path = &resolved.path;
        match &resolved.entry {
            Some(entry) => {
                if entry.kind == EntryKind::Submodule {
                    self.submodule(path);
                }
                self.add(path, Input::new(entry.kind, entry.id));
            }
            None if path.as_str().is_empty() => {}
            None => {
                self.add(path, Input::Absent);
                self.above(path)?;
            }
        }
        Ok(())
    }

    /// Nothing is found below a submodule, for a reason that people should be told.
    fn above(&mut self, path: &Utf8Path) -> anyhow::Result<()> {
        for above in path.ancestors().skip(1).filter(|above| !above.as_str().is_empty()) {
            if let Some(entry) = self.tree.files.entry(above)? {
                if entry.kind == EntryKind::Submodule {
                    self.submodule(above);
                }
                break;
            }
        }
        Ok(())
    }

    fn submodule(&mut self, path: &Utf8Path) {
        let error = content::submodule(path);
        self.problems.push(error.downcast().unwrap_or_else(|error| Failure::render(error.to_string())));
    }

    /// Adds an input.
    pub(super) fn add(&mut self, path: &Utf8Path, input: Input) {
        let input = match input {
            Input::Executable(id) if !self.tree.wants(EdgeKind::Mode) => Input::File(id),
            input => input,
        };
        self.inputs.push((path.to_owned(), input));
    }

    /// Adds what would be fetched.
    pub(super) fn fetch(&mut self, site: Site<'_>, spec: &str, pinned: bool) {
        self.remote.push(RemoteInput {
            spec: spec.to_owned(),
            pinned,
            file: site.file.to_owned(),
            field: site.field.to_owned(),
        });
    }

    /// Says that something leads out of the tree.
    pub(super) fn outside(&mut self, site: Site<'_>, reference: &str) {
        let message = format!("`{}` names `{reference}`, which is outside of the repository", site.field);
        let failure = Failure::render(message);
        let place = Place { file: site.file.to_owned(), line: 0, column: 0 };
        self.problems.push(if site.file.as_str().is_empty() { failure } else { failure.at(place) });
    }
}
