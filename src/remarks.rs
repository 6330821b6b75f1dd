//! What an operation alone does not say about an environment: one line for people, and what an adoption takes over.
//!
//! Does I/O on the scratch repository only: it reads trees.

use anyhow::Result;

use crate::branch::Tip;
use crate::git::{Objects, SharedObjects};
use crate::hydrate::Intent;
use crate::model::{Delivery, Operation};
use crate::plan::Decision;
use crate::planned::Planned;

/// Paths that are named before the rest is counted.
const PATHS_SHOWN: usize = 5;

/// What becomes ours of an active branch that another program or a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takeover {
    branch: String,
    owned: Vec<String>,
    removed: Vec<String>,
    replaced: Vec<String>,
    kept: Vec<String>,
}

/// What the proposal takes over; `None` where the active branch is ours already.
pub fn takeover(objects: &SharedObjects, planned: &Planned<'_>) -> Option<Takeover> {
    let active = planned.seen.active.as_ref().filter(|_| planned.is_foreign)?;
    if !matches!(planned.decision, Ok(Decision::Propose)) {
        return None;
    }
    objects.with(|objects| takeover_of(objects, planned, active)).ok()
}

fn takeover_of(objects: Objects<'_>, planned: &Planned<'_>, active: &Tip) -> Result<Takeover> {
    let owned: Vec<String> = planned.outputs.keys().cloned().collect();
    let files = active.foreign.map(|tree| crate::proposal::blobs_of(objects, tree)).transpose()?;
    let inside = |path: &String| {
        owned.iter().any(|output| {
            path.strip_prefix(output).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    };
    let (replaced, kept) = files.unwrap_or_default().into_keys().partition(inside);
    let before = active.content.keys().cloned();
    let removed = before.filter(|output| !planned.outputs.contains_key(output)).collect();
    Ok(Takeover { branch: planned.environment.active.to_string(), owned, removed, replaced, kept })
}

impl Takeover {
    fn note(&self) -> String {
        let parts = [("owns", &self.owned), ("removes", &self.removed), ("keeps", &self.kept)];
        let parts = parts.iter().filter(|(_, paths)| !paths.is_empty());
        let parts: Vec<String> = parts.map(|(verb, paths)| format!("{verb} {}", list(paths))).collect();
        format!("takes over `{}`: {}", self.branch, parts.join("; "))
    }

    /// Files of others that the proposal replaces or removes.
    pub fn warning(&self) -> Option<String> {
        let replaced = list(&self.replaced);
        (!self.replaced.is_empty()).then(|| format!("replaces what hydrator did not write: {replaced}"))
    }
}

fn list(paths: &[String]) -> String {
    let shown: Vec<String> = paths.iter().take(PATHS_SHOWN).map(|path| format!("`{path}`")).collect();
    let hidden = paths.len() - shown.len();
    let more = if hidden > 0 { format!(" and {hidden} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

/// The line.
pub fn note(planned: &Planned<'_>, operation: Operation, takeover: Option<&Takeover>) -> Option<String> {
    let environment = planned.environment;
    let active = planned.seen.active.as_ref();
    if let Some(takeover) = takeover {
        return Some(takeover.note());
    }
    if let (Some(former), false) = (&planned.seen.renamed_from, planned.decision.is_err()) {
        return Some(format!("goes on from `{former}`"));
    }
    let held = crate::holding::note(&planned.seen);
    match planned.decision.as_ref().ok()? {
        Decision::Held(why) | Decision::Finishing(why) => Some(why.clone()),
        Decision::Rejected => {
            Some("a person closed its pull request: offered again when its manifests change".to_owned())
        }
        Decision::Superseded => Some("a newer DRY commit has been processed".to_owned()),
        Decision::NotHeld => Some(not_held(planned)),
        Decision::Propose | Decision::Reparent | Decision::Leave
            if operation != Operation::None
                && environment.delivery != Delivery::Push
                && active.is_none_or(Tip::is_blank) =>
        {
            Some("empty until the first merge: do not point a cluster at it before".to_owned())
        }
        Decision::Propose | Decision::Leave | Decision::Reparent
            if planned.terms.intent == Some(Intent::Resume) =>
        {
            Some(ends(planned))
        }
        Decision::Propose if undoes_an_edit(planned) => Some("undoes what was changed by hand".to_owned()),
        Decision::Leave | Decision::Reparent if planned.terms.intent.is_none() => waits(planned).or(held),
        _ => held,
    }
}

/// Whether the active branch was edited or reverted by hand, and the proposal puts that right.
fn undoes_an_edit(planned: &Planned<'_>) -> bool {
    let active = planned.seen.active.as_ref();
    active.is_some_and(|active| crate::plan::drift(planned.environment, &planned.seen, active).is_some())
}

/// What a resume ends.
fn ends(planned: &Planned<'_>) -> String {
    crate::plan::hold(&planned.seen)
        .map_or_else(|| "ends the hold".to_owned(), |hold| format!("ends the hold: {}", hold.words()))
}

/// Why there is nothing to resume.
fn not_held(planned: &Planned<'_>) -> String {
    match crate::plan::frozen(&planned.seen) {
        Some(_) => "not held; a rollback waits: close its pull request to cancel it".to_owned(),
        None => "not held: nothing to resume".to_owned(),
    }
}

/// What waits before newer DRY commits can be proposed.
fn waits(planned: &Planned<'_>) -> Option<String> {
    let what = match crate::plan::frozen(&planned.seen)? {
        Intent::Rollback => "a rollback",
        Intent::Resume => "a resume",
    };
    Some(format!("{what} waits: merge its pull request, or close it to cancel"))
}
