//! What changed between two states: manifests by output and kind. Reads objects of the scratch repository.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use crate::branch::Content;
use crate::git::{Objects, Scratch};
use crate::model::ObjectId;
use crate::proposal::{Index, blobs_of, index};

/// What changed in one output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OutputChange {
    /// The target's directory on the branch.
    pub output: String,
    /// How many manifests of each kind.
    pub kinds: BTreeMap<String, Counts>,
}

/// How many manifests changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// New ones.
    pub added: usize,
    /// Those with another text.
    pub changed: usize,
    /// Those that went away.
    pub removed: usize,
}

/// The outputs that differ, with what they were and what they are.
pub fn differing<'a>(
    before: &'a Content,
    after: &'a Content,
) -> BTreeMap<&'a String, (Option<ObjectId>, Option<ObjectId>)> {
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let sides = |path: &'a String| (path, (before.get(path).copied(), after.get(path).copied()));
    paths.into_iter().map(sides).filter(|(_, (before, after))| before != after).collect()
}

/// Fetches the manifests that differ between each of these pairs: one fetch for all.
pub fn fetch(scratch: &Scratch, pairs: &[(&Content, &Content)]) -> Result<()> {
    let objects = scratch.objects();
    let mut blobs = BTreeSet::new();
    for (before, after) in pairs {
        for (old, new) in differing(before, after).into_values() {
            for tree in [old, new].into_iter().flatten() {
                blobs.extend(blobs_of(objects, tree)?.into_values());
            }
        }
    }
    blobs.retain(|blob| !objects.has(*blob));
    scratch.fetch_blobs(&blobs)
}

/// What changed, counted; the manifests must be here.
pub fn count(objects: Objects<'_>, before: &Content, after: &Content) -> Result<Vec<OutputChange>> {
    let mut changes = Vec::new();
    for (output, (old, new)) in differing(before, after) {
        let (old, new) = (manifests(objects, old)?, manifests(objects, new)?);
        let mut kinds: BTreeMap<String, Counts> = BTreeMap::new();
        for id in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
            let (was, is) = (old.get(id), new.get(id));
            if was == is {
                continue;
            }
            let counts = kinds.entry(id.kind.clone()).or_default();
            match (was, is) {
                (None, _) => counts.added += 1,
                (_, None) => counts.removed += 1,
                _ => counts.changed += 1,
            }
        }
        changes.push(OutputChange { output: output.clone(), kinds });
    }
    Ok(changes)
}

fn manifests(objects: Objects<'_>, tree: Option<ObjectId>) -> Result<Index> {
    let Some(tree) = tree else { return Ok(Index::new()) };
    Ok(index(objects, BTreeMap::from([(String::new(), tree)]))?.into_values().next().unwrap_or_default())
}
