//! The tree of a DRY commit as a [`DryTree`]. Does I/O: it reads objects of the scratch repository.

use anyhow::{Context as _, Result};
use camino::Utf8Path;

use super::encode::TreeEntry;
use super::objects::Objects;
use super::scratch::Scratch;
use super::shared::SharedObjects;
use crate::model::{DryEntry, DryTree, EntryKind, ObjectId};

/// The tree of one DRY commit, readable from several threads.
pub struct CommitTree {
    objects: SharedObjects,
    tree: ObjectId,
}

impl CommitTree {
    /// The tree `tree`, whose objects are all in the scratch repository.
    pub fn open(scratch: &Scratch, tree: ObjectId) -> Result<Self> {
        Ok(Self { objects: SharedObjects::open(scratch)?, tree })
    }

    fn list_in(&self, objects: Objects<'_>, path: &Utf8Path) -> Result<Option<Vec<DryEntry>>> {
        let tree = if path.as_str().is_empty() {
            self.tree
        } else {
            match objects.entry(self.tree, path)? {
                Some(entry) if entry.kind == EntryKind::Directory => entry.id,
                _ => return Ok(None),
            }
        };
        let mut entries: Vec<DryEntry> = objects.tree(tree)?.into_iter().map(DryEntry::from).collect();
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Some(entries))
    }
}

impl From<TreeEntry> for DryEntry {
    fn from(entry: TreeEntry) -> Self {
        Self { name: entry.name, kind: entry.kind, id: entry.id }
    }
}

impl DryTree for CommitTree {
    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<DryEntry>>> {
        self.objects.with(|objects| self.list_in(objects, path))
    }

    fn entry(&self, path: &Utf8Path) -> Result<Option<DryEntry>> {
        if path.as_str().is_empty() {
            return Ok(None);
        }
        self.objects.with(|objects| Ok(objects.entry(self.tree, path)?.map(DryEntry::from)))
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>> {
        let Some(entry) = self.entry(path)? else { return Ok(None) };
        if matches!(entry.kind, EntryKind::Directory | EntryKind::Submodule) {
            return Ok(None);
        }
        let blob = self.objects.with(|objects| objects.blob(entry.id))?;
        blob.with_context(|| format!("the content of `{path}` is missing in the repository")).map(Some)
    }
}
