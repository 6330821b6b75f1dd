//! What a reviewer should not overlook in a change. Pure.

mod data;
mod exposure;
mod fixed;
mod rbac;
mod routes;
mod workload;

use schemars::JsonSchema;
use serde::Serialize;

use super::fields::FieldChange;
use super::tree::Node;
use crate::model::{ManifestId, SignalKind};

/// One thing that a reviewer should not overlook.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Signal {
    /// What it is about.
    pub kind: SignalKind,
    /// One line. Names and values in it come from the manifests.
    pub text: String,
}

/// A manifest that changes.
pub(super) struct Subject<'s, 't> {
    pub(super) before: Option<(&'s ManifestId, &'t Node)>,
    pub(super) after: Option<(&'s ManifestId, &'t Node)>,
    pub(super) changes: &'s [FieldChange<'t>],
    /// With those that are not shown: Kubernetes looks at them, too.
    pub(super) all: &'s [FieldChange<'t>],
}

/// Groups under which Kubernetes keeps one and the same object.
const MOVED: &[(&str, &str)] = &[
    ("extensions", "apps"),
    ("extensions", "networking.k8s.io"),
    ("extensions", "policy"),
    ("", "events.k8s.io"),
];

impl Subject<'_, '_> {
    /// The kind with its group, such as `apps/Deployment`, on the side where it is.
    fn kind(&self) -> (&str, &str) {
        let id = self.after.or(self.before).map(|(id, _)| id);
        id.map_or(("", ""), |id| (id.group.as_str(), id.kind.as_str()))
    }

    /// Whether it gets another identity, so that Kubernetes sees one object go and another one come.
    fn is_replaced(&self) -> bool {
        let (Some((old, _)), Some((new, _))) = (self.before, self.after) else { return false };
        is_another(old, new)
    }
}

/// Whether two identities are those of two objects.
fn is_another(old: &ManifestId, new: &ManifestId) -> bool {
    let groups = (old.group.as_str(), new.group.as_str());
    let is_one_group =
        groups.0 == groups.1 || MOVED.iter().any(|pair| *pair == groups || (pair.1, pair.0) == groups);
    !is_one_group || (&old.kind, &old.namespace, &old.name) != (&new.kind, &new.namespace, &new.name)
}

/// All signals of a change.
pub(super) fn signals(subject: &Subject<'_, '_>) -> Vec<Signal> {
    let mut found = Vec::new();
    let mut say = |kind, text: String| found.push(Signal { kind, text });
    data::find(subject, &mut say);
    fixed::find(subject, &mut say);
    rbac::find(subject, &mut say);
    exposure::find(subject, &mut say);
    workload::find(subject, &mut say);
    found.sort();
    found.dedup();
    found
}

/// Those of a manifest whose fields cannot be read: whether it goes is all that is known.
pub(super) fn unread(old: Option<&ManifestId>, new: Option<&ManifestId>) -> Vec<Signal> {
    let is_gone = old.filter(|old| new.is_none_or(|new| data::is_replaced(old, new)));
    is_gone.map(|id| Signal { kind: data::gone(id), text: format!("deletes {id}") }).into_iter().collect()
}

/// That of a Secret some of whose keys say something else.
pub(super) fn of_keys<'k>(keys: impl IntoIterator<Item = &'k String>) -> Signal {
    let keys: Vec<&str> = keys.into_iter().map(String::as_str).collect();
    Signal { kind: SignalKind::Secret, text: format!("keys of the Secret: {}", keys.join(", ")) }
}

/// That of values that are hidden, where no line tells of them.
pub(super) fn of_hidden_values(text: &str) -> Signal {
    Signal { kind: SignalKind::Secret, text: text.to_owned() }
}

/// Takes up a signal.
type Say<'s> = &'s mut dyn FnMut(SignalKind, String);

/// A scalar's text on one line, or what else is there.
fn shown(node: Option<&Node>) -> String {
    match node.map(Node::text) {
        Some(Some(text)) => crate::escape::cut(&crate::escape::one_line(text), 200),
        Some(None) => "(several)".to_owned(),
        None => "none".to_owned(),
    }
}
