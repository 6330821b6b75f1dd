//! The cache in `refs/hydrator/cache`: what each target last rendered to, and from which inputs.
//!
//! A commit without parent, one small blob per environment. A pure function of content: a lost, stale, foreign or
//! older one only costs rendering. Its message carries the few blobs that the next run will read (the root metadata
//! of the branches' tips, the environments' own blobs), so that a fetch without blobs brings them along; each is
//! verified by its id, so nothing has to be believed. Does I/O: it reads and writes objects of the scratch repository.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::fingerprint::{self, Stored};
use crate::git::{NewCommit, Objects, TreeEntry};
use crate::model::{EntryKind, EnvironmentName, Identity, Moment, ObjectId};

/// The ref of the cache.
pub const CACHE_REF: &str = "refs/hydrator/cache";

/// What the message may carry, in bytes; more is fetched by the run that needs it.
const SHELF_LIMIT: usize = 512 * 1024;

const MESSAGE: &str = "What hydrator rendered last; safe to delete\n\n";

/// What all environments' targets last rendered to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    environments: BTreeMap<EnvironmentName, BTreeMap<String, Stored>>,
}

impl Cache {
    /// Reads the cache; whatever cannot be read counts as empty.
    pub fn read(objects: Objects<'_>, commit: ObjectId) -> Self {
        let mut cache = Self::default();
        for (name, blob) in stored_blobs(objects, commit) {
            let bytes = objects.blob(blob).ok().flatten();
            if let Some(targets) = bytes.and_then(|bytes| fingerprint::decode(&bytes)) {
                cache.environments.insert(name, targets);
            }
        }
        cache
    }

    /// What a target of an environment last rendered to.
    pub fn get(&self, environment: &EnvironmentName, output: &str) -> Option<&Stored> {
        self.environments.get(environment)?.get(output)
    }

    /// Replaces everything that is known about an environment.
    pub fn set(&mut self, environment: EnvironmentName, targets: BTreeMap<String, Stored>) {
        self.environments.insert(environment, targets);
    }

    /// Forgets environments that are not configured any more.
    pub fn keep_only(&mut self, configured: &BTreeSet<&EnvironmentName>) {
        self.environments.retain(|name, _| configured.contains(name));
    }

    /// Writes the cache as a commit whose message carries the environments' blobs and those `carried_along`.
    pub fn write(&self, objects: Objects<'_>, carried_along: &BTreeSet<ObjectId>) -> Result<ObjectId> {
        let mut entries = Vec::new();
        let mut carried = carried_along.clone();
        for (name, targets) in &self.environments {
            let id = objects.write_blob(&fingerprint::encode(targets))?;
            carried.insert(id);
            entries.push(TreeEntry { name: format!("{name}.json"), kind: EntryKind::File, id });
        }
        let message = format!("{MESSAGE}{}\n", serde_json::to_string(&texts(objects, &carried)?)?);
        // No clock and nobody's name: the same content is the same commit.
        let moment = Moment { seconds: 0, offset_minutes: 0 };
        let identity = Identity { name: "hydrator".to_owned(), email: "hydrator@noreply.invalid".to_owned() };
        objects.write_commit(&NewCommit {
            tree: objects.write_tree(&entries)?,
            parents: &[],
            identity: &identity,
            authored: moment,
            committed: moment,
            message: &message,
        })
    }
}

/// The environments' blobs, to be fetched where the message did not bring them.
pub fn stored_blobs(objects: Objects<'_>, commit: ObjectId) -> BTreeMap<EnvironmentName, ObjectId> {
    let entries = objects.commit(commit).and_then(|commit| objects.tree(commit.tree)).unwrap_or_default();
    let environment =
        |entry: TreeEntry| Some((EnvironmentName::new(entry.name.strip_suffix(".json")?), entry.id));
    entries.into_iter().filter_map(environment).collect()
}

/// Puts the blobs that the cache's message carries into the object database, under their own ids.
pub fn unpack(objects: Objects<'_>, commit: ObjectId) -> Result<Vec<ObjectId>> {
    let message = objects.commit(commit).map(|commit| commit.message).unwrap_or_default();
    let json = message.strip_prefix(MESSAGE).unwrap_or_default();
    let texts = serde_json::from_str::<Vec<String>>(json).unwrap_or_default();
    texts.iter().map(|text| objects.write_blob(text.as_bytes())).collect()
}

/// The texts of blobs that are here, the smallest first, up to the limit.
fn texts(objects: Objects<'_>, blobs: &BTreeSet<ObjectId>) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for blob in blobs {
        let bytes = objects.blob(*blob)?.unwrap_or_default();
        texts.extend(String::from_utf8(bytes).ok().filter(|text| !text.is_empty()));
    }
    texts.sort_by(|one, other| one.len().cmp(&other.len()).then_with(|| one.cmp(other)));
    let mut room = SHELF_LIMIT;
    texts.retain(|text| {
        let fits = text.len() <= room;
        room -= if fits { text.len() } else { 0 };
        fits
    });
    Ok(texts)
}
