//! What the environments' branches hold. Does I/O, reads only: one fetch of the tips, one of the few blobs that are read.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::branch::{Tip, metadata_blob};
use crate::cache::{self, CACHE_REF, Cache};
use crate::git::{RemoteRefs, Scratch};
use crate::model::{Environment, EnvironmentName, ObjectId};

/// The branches' tips, and what earlier runs rendered.
#[derive(Debug, Default)]
pub(super) struct Hydrated {
    /// The active branches' tips.
    pub(super) active: BTreeMap<EnvironmentName, Tip>,
    /// The cache; what it names is here, as far as the branches have it.
    pub(super) cache: Cache,
}

impl Hydrated {
    /// Why an environment, or some of its targets, stay where they are.
    pub(super) fn hold(&self, environment: &EnvironmentName) -> Option<String> {
        let hold = self.active.get(environment)?.hold()?;
        if hold.is_whole() {
            return Some(hold.words());
        }
        let targets: Vec<&str> = hold.targets.keys().map(String::as_str).collect();
        Some(format!("{} {}", targets.join(", "), hold.words()))
    }
}

/// Looks at the branches of these environments.
pub(super) fn look(scratch: &Scratch, refs: &RemoteRefs, environments: &[&Environment]) -> Result<Hydrated> {
    let objects = scratch.objects();
    let active =
        |environment: &&Environment| Some((environment.name.clone(), refs.branch(&environment.active)?));
    let active: BTreeMap<EnvironmentName, ObjectId> = environments.iter().filter_map(active).collect();
    let proposed = environments.iter().filter_map(|environment| refs.branch(&environment.proposed));
    let tips: BTreeSet<ObjectId> = active.values().copied().chain(proposed).collect();
    let cache = refs.get(CACHE_REF);
    let missing = tips.iter().copied().chain(cache).filter(|id| !objects.has(*id)).collect();
    scratch.fetch_tips(&missing)?;
    let mut blobs = BTreeSet::new();
    if let Some(cache) = cache {
        cache::unpack(objects, cache)?;
        blobs.extend(cache::stored_blobs(objects, cache).into_values());
    }
    for tip in &tips {
        blobs.extend(metadata_blob(objects, *tip)?);
    }
    blobs.retain(|blob| !objects.has(*blob));
    scratch.fetch_blobs(&blobs)?;
    // Reading a tip also makes the trees that the cache names: those of the manifests alone.
    let mut read =
        tips.iter().map(|tip| Ok((*tip, Tip::read(objects, *tip)?))).collect::<Result<BTreeMap<_, _>>>()?;
    let active = active.into_iter().filter_map(|(name, id)| Some((name, read.remove(&id)?))).collect();
    let cache = cache.map(|commit| Cache::read(objects, commit)).unwrap_or_default();
    Ok(Hydrated { active, cache })
}
