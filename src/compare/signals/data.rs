//! Deletions, those of data among them, and keys of Secrets. Pure.

use super::{Node, Say, SignalKind, Subject, is_another, of_keys};
use crate::compare::matching::stem;
use crate::model::ManifestId;

/// What is gone with an object of these kinds is gone for good, or takes other objects along.
const HOLDS_DATA: &[(&str, &str)] = &[
    ("", "PersistentVolumeClaim"),
    ("", "PersistentVolume"),
    ("", "Namespace"),
    ("apps", "StatefulSet"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
];

pub(super) fn find(subject: &Subject<'_, '_>, say: Say<'_>) {
    secret(subject, say);
    let Some((old, _)) = subject.before else { return };
    if subject.after.is_none_or(|(new, _)| is_replaced(old, new)) {
        say(gone(old), format!("deletes {old}"));
    }
}

/// Whether an object goes and another one comes. A generated manifest with another content has another name; nobody
/// misses the old one.
pub(super) fn is_replaced(old: &ManifestId, new: &ManifestId) -> bool {
    let is_generated = stem(old).is_some() && stem(old) == stem(new);
    is_another(old, new) && !is_generated
}

/// What it means that an object goes.
pub(super) fn gone(id: &ManifestId) -> SignalKind {
    let holds_data = HOLDS_DATA.contains(&(id.group.as_str(), id.kind.as_str()));
    if holds_data { SignalKind::DataLoss } else { SignalKind::Deletion }
}

fn secret(subject: &Subject<'_, '_>, say: Say<'_>) {
    if subject.kind() != ("", "Secret") || subject.before.is_none() || subject.after.is_none() {
        return;
    }
    let mut keys: Vec<String> = Vec::new();
    for change in subject.all {
        let is_value = change.path.starts_with(&["data"]) || change.path.starts_with(&["stringData"]);
        if !is_value {
            continue;
        }
        let all = [change.before, change.after].into_iter().flatten().flat_map(Node::entries);
        keys.extend(all.map(|entry| entry.key.clone()));
        keys.extend((change.path.0.len() > 1).then(|| change.path.field().to_owned()));
    }
    keys.sort();
    keys.dedup();
    if !keys.is_empty() {
        let signal = of_keys(&keys);
        say(signal.kind, signal.text);
    }
}
