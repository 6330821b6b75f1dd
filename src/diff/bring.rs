//! A commit from the remote, where it is not here. Does I/O.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::git::{Objects, Scratch};
use crate::model::{CommitId, EntryKind, ObjectId};

/// Brings a commit here as a whole. Most of its files are here already: those of the other side.
pub(super) fn bring(scratch: &Scratch, id: CommitId) -> Result<()> {
    let objects = scratch.objects();
    if objects.has(id) {
        return Ok(());
    }
    scratch.fetch_tips(&BTreeSet::from([id]))?;
    let mut missing = BTreeSet::new();
    missing_blobs(objects, objects.commit(id)?.tree, &mut missing)?;
    scratch.fetch_blobs(&missing)
}

fn missing_blobs(objects: Objects<'_>, tree: ObjectId, missing: &mut BTreeSet<ObjectId>) -> Result<()> {
    for entry in objects.tree(tree)? {
        match entry.kind {
            EntryKind::Directory => missing_blobs(objects, entry.id, missing)?,
            EntryKind::Submodule => {}
            _ if objects.has(entry.id) => {}
            _ => drop(missing.insert(entry.id)),
        }
    }
    Ok(())
}
