//! Object ids as git2 has them and as we have them, and what id some bytes would have. Pure.

use anyhow::{Context as _, Result};
use git2::{ObjectType, Oid};

use crate::model::ObjectId;

pub(super) fn oid(id: ObjectId) -> Oid {
    // Twenty bytes are always an id.
    Oid::from_bytes(id.as_bytes()).unwrap_or(Oid::ZERO_SHA1)
}

pub(super) fn object_id(id: Oid) -> ObjectId {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&id.as_bytes()[..20]);
    ObjectId::from_bytes(bytes)
}

/// The id that `bytes` would have as a blob.
pub fn hash_of(bytes: &[u8]) -> Result<ObjectId> {
    Ok(object_id(Oid::hash_object(ObjectType::Blob, bytes).context("cannot hash")?))
}
