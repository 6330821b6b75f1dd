//! The fingerprints of one environment as one small blob: what the cache holds. Pure.
//!
//! Paths and their digests stand in one table, since the targets of an environment share most of them. Anything that
//! is not exactly what this version writes reads as nothing: that only costs rendering.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::{FORMAT, FingerprintParts};
use crate::model::ObjectId;

/// What is known of a target that was rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The fingerprint that it had.
    pub fingerprint: ObjectId,
    /// The tree that it rendered to; `None` if it rendered to nothing.
    pub output: Option<ObjectId>,
    /// How many manifests it rendered to.
    pub manifests: usize,
    /// What the fingerprint was made of.
    pub parts: FingerprintParts,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    format: u32,
    /// `digest path`, in order.
    inputs: Vec<String>,
    targets: BTreeMap<String, Row>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    fingerprint: String,
    output: Option<String>,
    manifests: usize,
    renderer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    /// `name digest`, in order.
    options: Vec<String>,
    /// Places in the table.
    inputs: Vec<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tree: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unpinned: Vec<String>,
}

/// The targets of an environment, by their outputs, as bytes; the same targets always give the same bytes.
pub fn encode(targets: &BTreeMap<String, Stored>) -> Vec<u8> {
    let mut places: BTreeMap<(&Utf8PathBuf, &String), usize> =
        targets.values().flat_map(|stored| &stored.parts.inputs).map(|input| (input, 0)).collect();
    places.values_mut().enumerate().for_each(|(place, known)| *known = place);
    let row = |stored: &Stored| {
        let Stored { fingerprint, output, manifests, parts } = stored;
        Row {
            fingerprint: fingerprint.to_string(),
            output: output.map(|output| output.to_string()),
            manifests: *manifests,
            renderer: parts.renderer.clone(),
            tool: parts.tool.clone(),
            options: parts.options.iter().map(|(name, digest)| format!("{name} {digest}")).collect(),
            inputs: parts.inputs.iter().filter_map(|input| places.get(&input).copied()).collect(),
            tree: parts.whole_tree.clone(),
            unpinned: parts.unpinned.clone(),
        }
    };
    let table = Table {
        format: FORMAT,
        inputs: places.keys().map(|(path, digest)| format!("{digest} {path}")).collect(),
        targets: targets.iter().map(|(name, stored)| (name.clone(), row(stored))).collect(),
    };
    // Strings and numbers: there is nothing in it that JSON cannot hold.
    serde_json::to_vec(&table).unwrap_or_default()
}

/// What [`encode`] wrote; `None` for anything else.
pub fn decode(bytes: &[u8]) -> Option<BTreeMap<String, Stored>> {
    let table: Table = serde_json::from_slice(bytes).ok()?;
    if table.format != FORMAT {
        return None;
    }
    let inputs: Vec<(&str, &str)> =
        table.inputs.iter().map(|line| line.split_once(' ')).collect::<Option<_>>()?;
    let targets = table.targets.into_iter();
    targets.map(|(name, row)| Some((name, stored(row, &inputs)?))).collect()
}

fn stored(row: Row, inputs: &[(&str, &str)]) -> Option<Stored> {
    let input = |place: usize| {
        let (digest, path) = inputs.get(place)?;
        Some((Utf8PathBuf::from(*path), (*digest).to_owned()))
    };
    let option = |line: &String| {
        let (name, digest) = line.split_once(' ')?;
        Some((name.to_owned(), digest.to_owned()))
    };
    let output = match row.output {
        Some(output) => Some(ObjectId::parse(&output)?),
        None => None,
    };
    let parts = FingerprintParts {
        renderer: row.renderer,
        tool: row.tool,
        options: row.options.iter().map(option).collect::<Option<_>>()?,
        inputs: row.inputs.into_iter().map(input).collect::<Option<_>>()?,
        whole_tree: row.tree,
        unpinned: row.unpinned,
    };
    Some(Stored { fingerprint: ObjectId::parse(&row.fingerprint)?, output, manifests: row.manifests, parts })
}
