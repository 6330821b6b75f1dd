//! Two renderings of a target, manifest by manifest. Pure.
//!
//! Values of Secrets never leave this module: only which of their keys changed does.

mod lines;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::ManifestId;
use crate::render::outline;

pub use lines::{Hunk, Line, Mark};

/// One manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Who it is.
    pub id: ManifestId,
    /// Its own text; nothing where it holds no manifests and must not be shown.
    pub text: Option<String>,
}

/// What became of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// It is new.
    Added,
    /// It has another text.
    Changed,
    /// It went away.
    Removed,
}

/// A manifest that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What becomes of it.
    pub operation: Operation,
    /// Who it is; where it gets another identity, who it will be.
    pub id: ManifestId,
    /// The lines that differ, with a few around them.
    pub hunks: Vec<Hunk>,
}

/// The manifests that differ, in order of their identity.
pub fn compare(base: &[Document], head: &[Document]) -> Vec<Change> {
    let by_id = |documents: &[Document]| -> BTreeMap<ManifestId, Vec<Document>> {
        let mut found: BTreeMap<ManifestId, Vec<Document>> = BTreeMap::new();
        for document in documents {
            found.entry(document.id.clone()).or_default().push(document.clone());
        }
        found
    };
    let (old, new) = (by_id(base), by_id(head));
    let mut changes = Vec::new();
    for id in old.keys().chain(new.keys()).collect::<BTreeSet<_>>() {
        let (old, new) =
            (old.get(id).map_or(&[][..], Vec::as_slice), new.get(id).map_or(&[][..], Vec::as_slice));
        for index in 0..old.len().max(new.len()) {
            let (was, is) = (old.get(index), new.get(index));
            if was.map(|was| &was.text) != is.map(|is| &is.text) {
                changes.push(change(id, was, is));
            }
        }
    }
    changes
}

fn change(id: &ManifestId, was: Option<&Document>, is: Option<&Document>) -> Change {
    let operation = match (was, is) {
        (None, _) => Operation::Added,
        (_, None) => Operation::Removed,
        _ => Operation::Changed,
    };
    let text = |document: Option<&Document>| document.and_then(|one| one.text.clone()).unwrap_or_default();
    let (was, is) = (text(was), text(is));
    let hunks = if is_secret(id) { secret(&was, &is) } else { lines::hunks(&was, &is) };
    Change { operation, id: id.clone(), hunks }
}

fn is_secret(id: &ManifestId) -> bool {
    id.group.is_empty() && id.kind.starts_with("Secret")
}

/// The keys whose values differ, and whether anything else does.
fn secret(was: &str, is: &str) -> Vec<Hunk> {
    let (old, new) = (outline(was), outline(is));
    let mut lines = Vec::new();
    let mut say = |mark, text: String| lines.push(Line { mark, text });
    for key in old.keys.keys().chain(new.keys.keys()).collect::<BTreeSet<_>>() {
        let (was, is) = (old.keys.get(key), new.keys.get(key));
        if was == is {
            continue;
        }
        if was.is_some() {
            say(Mark::Removed, format!("{key}: (hidden)"));
        }
        if is.is_some() {
            let changed = if was.is_some() { "(hidden, changed)" } else { "(hidden)" };
            say(Mark::Added, format!("{key}: {changed}"));
        }
    }
    if old.rest != new.rest {
        say(Mark::Same, "(other fields: hidden, changed)".to_owned());
    }
    vec![Hunk { old: 1, new: 1, lines }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_never_show() {
        let id = ManifestId {
            group: String::new(),
            kind: "Secret".to_owned(),
            namespace: String::new(),
            name: "a".to_owned(),
        };
        let document = |text: &str| Document { id: id.clone(), text: Some(text.to_owned()) };
        let was = document(
            "kind: Secret\nmetadata: {name: a}\nstringData: {pass: hunter1, same: hunter3, gone: hunter4}\n",
        );
        let is = document(
            "kind: Secret\nmetadata: {name: a}\nstringData: {pass: hunter2, same: hunter3, new: hunter5}\n",
        );
        let changes = compare(std::slice::from_ref(&was), &[is]);
        let text: String = changes[0].hunks[0].lines.iter().map(ToString::to_string).collect();
        assert_eq!(
            text,
            "-stringData: gone: (hidden)\n+stringData: new: (hidden)\n-stringData: pass: (hidden)\n\
             +stringData: pass: (hidden, changed)\n"
        );
        assert_eq!(compare(&[], std::slice::from_ref(&was))[0].operation, Operation::Added);
        assert!(compare(std::slice::from_ref(&was), std::slice::from_ref(&was)).is_empty());
    }
}
