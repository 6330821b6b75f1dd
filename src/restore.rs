//! Stages 6 and 7 of a rollback: one commit on the active tip in which our paths are what they were, byte for byte.
//!
//! Does I/O on the scratch repository only: it writes objects, no refs. Nothing is rendered.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::branch::{Content, Tip, digest};
use crate::commit::{Base, Hydration};
use crate::error::Failure;
use crate::hydrate::Metadata;
use crate::hydrate::message::{RollbackMessage, rollback_text};
use crate::hydrate::metadata::to_json;
use crate::model::{CommitId, Moment};

/// What is brought back.
pub struct Restoration<'a> {
    /// What it is put on, and what it says of holds.
    pub base: Base<'a>,
    /// The state whose bytes come back.
    pub source: &'a Tip,
    /// The outputs that come back; none means all of them.
    pub outputs: &'a [String],
    /// What all outputs are afterwards.
    pub content: &'a Content,
    /// What the commit says.
    pub message: RollbackMessage<'a>,
    /// When it was asked for.
    pub since: Moment,
}

/// The commit.
pub fn restore(hydration: &Hydration<'_>, wanted: &Restoration<'_>) -> Result<CommitId> {
    let objects = hydration.objects;
    let active = wanted.base.seen.active.as_ref();
    let mut edits = BTreeMap::new();
    for output in
        wanted.content.keys().filter(|output| wanted.outputs.is_empty() || wanted.outputs.contains(output))
    {
        let entry = objects.entry(wanted.source.commit.tree, output.as_str().into())?;
        edits.insert(output.clone(), entry.map(|entry| (entry.kind, entry.id)));
    }
    refuse_overlaps(wanted.content)?;
    let whole = wanted.outputs.is_empty();
    let said = if whole {
        wanted.source.metadata.as_ref()
    } else {
        active.and_then(|active| active.metadata.as_ref())
    };
    let metadata = Metadata {
        repo_url: hydration.repo_url.to_owned(),
        targets: wanted.content.keys().cloned().collect(),
        config: hydration.config.to_owned(),
        manifests: digest(wanted.content)?.to_string(),
        hold: wanted.base.terms.hold.clone(),
        intent: wanted.base.terms.intent,
        ..said.cloned().unwrap_or_default()
    };
    let root = objects.write_blob(&to_json(&metadata)?)?;
    let tree = hydration.tree(&wanted.base, wanted.content, edits, root)?;
    hydration.write(wanted.base.parent, tree, &rollback_text(&wanted.message), (wanted.since, wanted.since))
}

/// A directory that comes back must not lie around, or in, one that stays.
fn refuse_overlaps(content: &Content) -> Result<(), Failure> {
    let paths: Vec<&String> = content.keys().collect();
    for path in &paths {
        let below = format!("{path}/");
        if let Some(inner) = paths.iter().find(|other| other.starts_with(&below)) {
            return Err(Failure::usage(format!(
                "the output `{inner}` lies inside `{path}`: one of them is older than the other's place"
            ))
            .hint("roll the whole environment back, without `--target`"));
        }
    }
    Ok(())
}
