//! The files of a repository, listed once and read when somebody asks. Reads the DRY tree.

use std::collections::BTreeSet;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{DryTree, EntryKind, Manifest};
use crate::render;

/// The largest file that is looked into.
const LARGEST: usize = 4 << 20;

/// A tree with its listing. What is hidden is left out: `.git`, `.github` and the like hold nothing to render.
pub(super) struct Reading<'a> {
    tree: &'a dyn DryTree,
    /// Every directory; the root is the empty path.
    pub(super) directories: BTreeSet<Utf8PathBuf>,
    /// Every file.
    pub(super) files: BTreeSet<Utf8PathBuf>,
    /// Directories that hold links or submodules, which cannot always be followed.
    pub(super) odd: BTreeSet<Utf8PathBuf>,
}

impl<'a> Reading<'a> {
    /// Lists a whole tree.
    pub(super) fn new(tree: &'a dyn DryTree) -> Result<Self> {
        let mut reading =
            Self { tree, directories: BTreeSet::new(), files: BTreeSet::new(), odd: BTreeSet::new() };
        reading.list(Utf8Path::new(""))?;
        Ok(reading)
    }

    fn list(&mut self, directory: &Utf8Path) -> Result<()> {
        for entry in self.tree.list(directory)?.unwrap_or_default() {
            if entry.name.starts_with('.') || entry.name == "node_modules" {
                continue;
            }
            let path = child(directory, &entry.name);
            match entry.kind {
                EntryKind::Directory => self.list(&path)?,
                EntryKind::File | EntryKind::Executable => drop(self.files.insert(path)),
                EntryKind::Link | EntryKind::Submodule => drop(self.odd.insert(directory.to_owned())),
            }
        }
        self.directories.insert(directory.to_owned());
        Ok(())
    }

    fn bytes(&self, path: &Utf8Path) -> Result<Vec<u8>> {
        let bytes = self.tree.read(path)?.unwrap_or_default();
        Ok(if bytes.len() > LARGEST { Vec::new() } else { bytes })
    }

    /// A file as text.
    pub(super) fn text(&self, path: &Utf8Path) -> Result<String> {
        Ok(String::from_utf8_lossy(&self.bytes(path)?).into_owned())
    }

    /// A file of one YAML document as a value; null where it cannot be read.
    pub(super) fn value(&self, path: &Utf8Path) -> Result<serde_json::Value> {
        Ok(render::value(&self.text(path)?).unwrap_or_default())
    }

    /// The manifests of a file, as the renderers would take it; `None` if they would refuse it.
    pub(super) fn manifests(&self, path: &Utf8Path) -> Result<Option<Vec<Manifest>>> {
        Ok(render::manifests(&self.bytes(path)?))
    }
}

/// The name of a file.
pub(super) fn name_of(path: &Utf8Path) -> &str {
    path.file_name().unwrap_or_default()
}

/// The directory of a file.
pub(super) fn directory_of(path: &Utf8Path) -> &Utf8Path {
    path.parent().unwrap_or_else(|| Utf8Path::new(""))
}

/// Whether the built-in renderer would take a file of this name for manifests.
pub(super) fn is_yaml(name: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|end| name.ends_with(end))
}

/// A path below a directory; nothing stands before what is at the root.
pub(super) fn child(directory: &Utf8Path, name: &str) -> Utf8PathBuf {
    if directory.as_str().is_empty() { name.into() } else { directory.join(name) }
}

/// A relative path from a directory, without its dots; `None` where it leaves the tree or is none.
pub(super) fn joined(directory: &Utf8Path, relative: &str) -> Option<Utf8PathBuf> {
    if relative.is_empty() || relative.contains([' ', ':', '\n']) {
        return None;
    }
    let mut parts: Vec<&str> = directory.as_str().split('/').filter(|part| !part.is_empty()).collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/").into())
}
