//! A work tree as a [`DryTree`], for local commands with `--worktree`. Does I/O: it reads files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Failure;
use crate::git::hash_of;
use crate::model::{DryEntry, DryTree, EntryKind, ObjectId};

/// A directory of this machine. Ids are computed as git would, for files; a directory's id is all zeros.
pub struct WorkTree {
    root: Utf8PathBuf,
}

impl WorkTree {
    /// The work tree at `root`.
    pub fn open(root: &Utf8Path) -> Result<Self, Failure> {
        if root.is_dir() {
            return Ok(Self { root: root.to_owned() });
        }
        Err(Failure::usage(format!("`{root}` is not a directory"))
            .hint("pass the work tree with `--repo DIRECTORY`"))
    }

    fn read_entry(&self, path: &Utf8Path) -> Result<Option<DryEntry>> {
        let full = self.root.join(path);
        let Ok(metadata) = full.symlink_metadata() else { return Ok(None) };
        let kind = if metadata.is_symlink() {
            EntryKind::Link
        } else if metadata.is_dir() {
            if full.join(".git").exists() { EntryKind::Submodule } else { EntryKind::Directory }
        } else if metadata.permissions().mode() & 0o100 != 0 {
            EntryKind::Executable
        } else {
            EntryKind::File
        };
        let id = match kind {
            EntryKind::Directory | EntryKind::Submodule => ObjectId::from_bytes([0; 20]),
            _ => hash_of(&Self::bytes(&full, kind)?)?,
        };
        Ok(Some(DryEntry { name: path.file_name().unwrap_or_default().to_owned(), kind, id }))
    }

    fn bytes(full: &Utf8Path, kind: EntryKind) -> Result<Vec<u8>> {
        let bytes = if kind == EntryKind::Link {
            full.read_link_utf8().map(|target| target.into_string().into_bytes())
        } else {
            fs::read(full)
        };
        bytes.with_context(|| format!("cannot read `{full}`"))
    }
}

impl DryTree for WorkTree {
    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<DryEntry>>> {
        let full = self.root.join(path);
        if !full.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Ok(None);
        }
        let mut entries = Vec::new();
        for entry in full.read_dir_utf8().with_context(|| format!("cannot read `{full}`"))? {
            let name = entry.with_context(|| format!("cannot read `{full}`"))?.file_name().to_owned();
            if name != ".git" {
                entries.extend(self.read_entry(&path.join(&name))?);
            }
        }
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Some(entries))
    }

    fn entry(&self, path: &Utf8Path) -> Result<Option<DryEntry>> {
        if path.as_str().is_empty() { Ok(None) } else { self.read_entry(path) }
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>> {
        match self.entry(path)? {
            Some(entry) if !matches!(entry.kind, EntryKind::Directory | EntryKind::Submodule) => {
                Self::bytes(&self.root.join(path), entry.kind).map(Some)
            }
            _ => Ok(None),
        }
    }
}
