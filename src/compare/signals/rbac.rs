//! Who may do more than before. Pure.

use std::collections::BTreeSet;

use super::{Node, Say, SignalKind, Subject};
use crate::compare::same::Lists;
use crate::compare::tree::Entry;
use crate::model::ManifestId;

/// More rights than this are counted, not named.
const NAMED: usize = 5;

/// Labels that pass the rights of a cluster role on to another one.
const AGGREGATES: &str = "rbac.authorization.k8s.io/aggregate-to-";

pub(super) fn find(subject: &Subject<'_, '_>, say: Say<'_>) {
    let (group, kind) = subject.kind();
    if group != "rbac.authorization.k8s.io" {
        return;
    }
    if kind.ends_with("Role") {
        role(subject, say);
    } else if kind.ends_with("RoleBinding") {
        binding(subject, say);
    }
}

/// What it was, if it held in the same place: rights elsewhere are other rights.
fn before<'t>(subject: &Subject<'_, 't>, id: &ManifestId) -> Option<&'t Node> {
    let here = |old: &ManifestId| (&old.kind, &old.namespace) == (&id.kind, &id.namespace);
    subject.before.filter(|(old, _)| here(old)).map(|(_, node)| node)
}

/// Where rights hold, as far as that is news.
fn place(subject: &Subject<'_, '_>, id: &ManifestId) -> String {
    let was = subject.before.map(|(old, _)| old);
    if id.kind == "ClusterRoleBinding"
        || (id.kind == "ClusterRole" && was.is_some_and(|old| old.kind != id.kind))
    {
        return " in every namespace".to_owned();
    }
    let is_moved = was.is_some_and(|old| old.namespace != id.namespace);
    if is_moved { format!(" in namespace {}", id.namespace) } else { String::new() }
}

fn role(subject: &Subject<'_, '_>, say: Say<'_>) {
    let Some((id, after)) = subject.after else { return };
    let before = before(subject, id);
    let old = before.map(rights).unwrap_or_default();
    let new = rights(after);
    let more: Vec<&Right> = new.iter().filter(|right| !old.iter().any(|old| old.covers(right))).collect();
    if !more.is_empty() {
        let named: Vec<String> = more.iter().take(NAMED).map(|right| right.words()).collect();
        let rest = more.len() - named.len();
        let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        say(SignalKind::Rbac, format!("{} may{}: {}{rest}", id.name, place(subject, id), named.join("; ")));
    }
    let taken_in = |node: &Node| node.get("aggregationRule").cloned();
    let (was, is) = (before.and_then(taken_in), taken_in(after));
    let is_as_before = match (&was, &is) {
        (Some(was), Some(is)) => Lists::Kubernetes.same("aggregationRule", was, is),
        (_, is) => is.is_none(),
    };
    if !is_as_before {
        say(SignalKind::Rbac, format!("{} takes in the rights of other roles (aggregationRule)", id.name));
    }
    let known = before.map(receivers).unwrap_or_default();
    for receiver in receivers(after).difference(&known) {
        say(SignalKind::Rbac, format!("the rights of {} go to {receiver}, too", id.name));
    }
}

/// The roles that take in this one's rights.
fn receivers(role: &Node) -> BTreeSet<String> {
    let labels = role.at(&["metadata", "labels"]).map(Node::entries).unwrap_or_default();
    let is_on = |entry: &&Entry| entry.value.text() == Some("true");
    labels
        .iter()
        .filter(is_on)
        .filter_map(|entry| entry.key.strip_prefix(AGGREGATES).map(str::to_owned))
        .collect()
}

fn binding(subject: &Subject<'_, '_>, say: Say<'_>) {
    let Some((id, after)) = subject.after else { return };
    let before = before(subject, id);
    let old = before.map(subjects).unwrap_or_default();
    let part = |node: &Node, key| super::shown(node.at(&["roleRef", key]));
    for who in subjects(after).difference(&old) {
        let place = place(subject, id);
        say(SignalKind::Rbac, format!("{who} gets the role {}{place}", part(after, "name")));
    }
    let Some(before) = before else { return };
    let (was, is) = (part(before, "name"), part(after, "name"));
    let (kind_was, kind_is) = (part(before, "kind"), part(after, "kind"));
    if kind_was != kind_is {
        say(SignalKind::Rbac, format!("another role: {kind_was} {was} → {kind_is} {is}"));
    } else if was != is {
        say(SignalKind::Rbac, format!("another role: {was} → {is}"));
    }
}

fn subjects(node: &Node) -> BTreeSet<String> {
    let who = |item: &Node| {
        let part = |key| item.get(key).and_then(Node::text).unwrap_or_default();
        let namespace = part("namespace");
        let slash = if namespace.is_empty() { "" } else { "/" };
        format!("{} {namespace}{slash}{}", part("kind"), part("name"))
    };
    node.get("subjects").into_iter().flat_map(Node::items).map(who).collect()
}

/// One verb on one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    group: String,
    resource: String,
    name: Option<String>,
    verb: String,
}

impl Right {
    fn covers(&self, other: &Self) -> bool {
        let is = |own: &str, other: &str| own == "*" || own == other;
        is(&self.group, &other.group)
            && is(&self.resource, &other.resource)
            && is(&self.verb, &other.verb)
            && (self.name.is_none() || self.name == other.name)
    }

    fn words(&self) -> String {
        let group = if self.group.is_empty() { String::new() } else { format!(".{}", self.group) };
        let name = self.name.as_ref().map(|name| format!(" {name}")).unwrap_or_default();
        format!("{} {}{group}{name}", self.verb, self.resource)
    }
}

fn rights(role: &Node) -> BTreeSet<Right> {
    let mut rights = BTreeSet::new();
    for rule in role.get("rules").into_iter().flat_map(Node::items) {
        let list = |key: &str| -> Vec<String> {
            rule.get(key)
                .into_iter()
                .flat_map(Node::items)
                .filter_map(Node::text)
                .map(str::to_owned)
                .collect()
        };
        let names: Vec<Option<String>> = match list("resourceNames") {
            names if names.is_empty() => vec![None],
            names => names.into_iter().map(Some).collect(),
        };
        let or_one = |list: Vec<String>| if list.is_empty() { vec![String::new()] } else { list };
        for verb in list("verbs") {
            for resource in list("resources").into_iter().chain(list("nonResourceURLs")) {
                for group in or_one(list("apiGroups")) {
                    for name in &names {
                        rights.insert(Right {
                            group: group.clone(),
                            resource: resource.clone(),
                            name: name.clone(),
                            verb: verb.clone(),
                        });
                    }
                }
            }
        }
    }
    rights
}
