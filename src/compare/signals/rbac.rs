//! Who may do more than before. Pure.

use std::collections::BTreeSet;

use super::{Node, Say, SignalKind, Subject};

/// More rights than this are counted, not named.
const NAMED: usize = 5;

pub(super) fn find(subject: &Subject<'_, '_>, say: Say<'_>) {
    let (group, kind) = subject.kind();
    let Some((id, after)) = subject.after.filter(|_| group == "rbac.authorization.k8s.io") else { return };
    let before = subject.before.map(|(_, node)| node);
    if kind.ends_with("Role") {
        let old = before.map(rights).unwrap_or_default();
        let new = rights(after);
        let more: Vec<&Right> = new.iter().filter(|right| !old.iter().any(|old| old.covers(right))).collect();
        if !more.is_empty() {
            let named: Vec<String> = more.iter().take(NAMED).map(|right| right.words()).collect();
            let rest = more.len() - named.len();
            let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            say(SignalKind::Rbac, format!("{} may: {}{rest}", id.name, named.join("; ")));
        }
    } else if kind.ends_with("RoleBinding") {
        let old = before.map(subjects).unwrap_or_default();
        let role = |node: &Node| super::shown(node.at(&["roleRef", "name"]));
        for who in subjects(after).difference(&old) {
            say(SignalKind::Rbac, format!("{who} gets the role {}", role(after)));
        }
        if let Some(before) = before.filter(|before| role(before) != role(after)) {
            say(SignalKind::Rbac, format!("another role: {} → {}", role(before), role(after)));
        }
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
