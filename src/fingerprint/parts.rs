//! What is kept of a fingerprint to say later why it changed: short digests, nothing to decide by. Reads the tree.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::{Circumstances, options};
use crate::model::{DryTree, EntryKind, ObjectId, Target};
use crate::render::closure::{Closure, Input};

/// Larger directories are kept as one line.
const MOST_FILES: usize = 100;

/// What a fingerprint was made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FingerprintParts {
    /// The renderer's name.
    pub renderer: String,
    /// Its program with its version.
    pub tool: Option<String>,
    /// The options with short digests of their values.
    pub options: BTreeMap<String, String>,
    /// What was there, with a letter for what it is and a short digest. What was not there is left out: when it comes,
    /// it is new.
    pub inputs: BTreeMap<Utf8PathBuf, String>,
    /// Why the whole tree counts, if it does.
    pub whole_tree: Option<String>,
    /// What may change without the tree changing.
    pub unpinned: Vec<String>,
}

impl FingerprintParts {
    /// The parts of `target`'s fingerprint in `tree`.
    pub fn new(
        target: &Target,
        closure: &Closure,
        circumstances: Circumstances<'_>,
        tree: &dyn DryTree,
    ) -> Result<Self> {
        let options = options::options(target, circumstances.layout).into_iter();
        let mut inputs = BTreeMap::new();
        for (path, input) in closure.inputs() {
            match input {
                Input::Absent | Input::Directory => {}
                Input::Tree(id) => directory(tree, &path, id, &mut inputs)?,
                input => {
                    inputs.insert(path, digest(input));
                }
            }
        }
        Ok(Self {
            renderer: target.renderer.name().to_owned(),
            tool: circumstances.tool.map(str::to_owned),
            options: options
                .map(|(name, value)| Ok((name.to_owned(), short(crate::git::hash_of(value.as_bytes())?))))
                .collect::<Result<_>>()?,
            inputs,
            whole_tree: closure.whole_tree.as_ref().map(|whole| whole.reason.clone()),
            unpinned: closure.unpinned().map(|remote| remote.spec.clone()).collect(),
        })
    }
}

/// The files of a directory if they are few, else the directory.
fn directory(
    tree: &dyn DryTree,
    path: &Utf8Path,
    id: ObjectId,
    inputs: &mut BTreeMap<Utf8PathBuf, String>,
) -> Result<()> {
    let mut files = Vec::new();
    let is_small = collect(tree, path, &mut files)?;
    if is_small {
        inputs.extend(files);
    } else if path.as_str().is_empty() {
        for entry in tree.list(path)?.unwrap_or_default() {
            inputs.insert(entry.name.into(), of_entry(entry.kind, entry.id));
        }
    } else {
        inputs.insert(path.to_owned(), digest(Input::Tree(id)));
    }
    Ok(())
}

/// False if there are too many.
fn collect(tree: &dyn DryTree, path: &Utf8Path, files: &mut Vec<(Utf8PathBuf, String)>) -> Result<bool> {
    for entry in tree.list(path)?.unwrap_or_default() {
        let full = path.join(&entry.name);
        if files.len() >= MOST_FILES {
            return Ok(false);
        }
        if entry.kind != EntryKind::Directory {
            files.push((full, of_entry(entry.kind, entry.id)));
        } else if !collect(tree, &full, files)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn of_entry(kind: EntryKind, id: ObjectId) -> String {
    digest(match kind {
        EntryKind::Directory => Input::Tree(id),
        EntryKind::File => Input::File(id),
        EntryKind::Executable => Input::Executable(id),
        EntryKind::Link => Input::Link(id),
        EntryKind::Submodule => Input::Submodule(id),
    })
}

fn digest(input: Input) -> String {
    format!("{}{}", input.letter(), input.id().map(short).unwrap_or_default())
}

fn short(id: ObjectId) -> String {
    id.to_string()[..8].to_owned()
}
