//! Objects that exist in memory only, until somebody else has to see them.
//!
//! Most trees are made only to learn their ids, and a run that pushes nothing needs none of them on disk. What a push
//! needs is written just before it. Does I/O on the object database that it is given.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result};
use git2::{ObjectType, Repository};

use super::encode;
use super::ids::object_id;
use crate::model::ObjectId;

/// A blob of more bytes is written at once, so that memory does not grow with what is rendered.
const LARGE_BLOB: usize = 4 * 1024;

/// Objects in memory, shared by all handles of a repository.
#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<HashMap<ObjectId, (ObjectType, Vec<u8>)>>);

impl Pending {
    /// The object's bytes, if it is here and of this kind.
    pub(super) fn get(&self, id: ObjectId, kind: ObjectType) -> Option<Vec<u8>> {
        let objects = self.lock();
        objects.get(&id).filter(|(own, _)| *own == kind).map(|(_, bytes)| bytes.clone())
    }

    /// Whether it is here.
    pub(super) fn has(&self, id: ObjectId) -> bool {
        self.lock().contains_key(&id)
    }

    /// Takes an object, or writes it at once if it is large.
    pub(super) fn add(
        &self,
        repository: &Repository,
        kind: ObjectType,
        bytes: Vec<u8>,
    ) -> Result<ObjectId, git2::Error> {
        if kind == ObjectType::Blob && bytes.len() > LARGE_BLOB {
            return Ok(object_id(repository.odb()?.write(kind, &bytes)?));
        }
        let id = object_id(git2::Oid::hash_object(kind, &bytes)?);
        self.lock().insert(id, (kind, bytes));
        Ok(id)
    }

    /// Writes what is reachable from `ids` and not written yet.
    pub(super) fn keep(&self, repository: &Repository, ids: &[ObjectId]) -> Result<()> {
        let odb = repository.odb().context("cannot open the scratch repository's objects")?;
        let mut waiting = ids.to_vec();
        while let Some(id) = waiting.pop() {
            let Some((kind, bytes)) = self.lock().get(&id).cloned() else { continue };
            waiting.extend(named_by(kind, &bytes)?);
            odb.write(kind, &bytes).context("cannot write to the scratch repository")?;
            self.lock().remove(&id);
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectId, (ObjectType, Vec<u8>)>> {
        // Objects are put in and taken out whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The objects that an object names.
fn named_by(kind: ObjectType, bytes: &[u8]) -> Result<Vec<ObjectId>> {
    Ok(match kind {
        ObjectType::Tree => encode::entries(bytes)?.into_iter().map(|entry| entry.id).collect(),
        ObjectType::Commit => encode::named_by_commit(bytes),
        _ => Vec::new(),
    })
}
