//! Images, replicas, resources, and what containers may do. Pure.

use super::{Node, Say, SignalKind, Subject, shown};
use crate::compare::path::{Path, Step};

pub(super) fn find(subject: &Subject<'_, '_>, say: Say<'_>) {
    if ["ConfigMap", "Secret"].contains(&subject.kind().1) {
        return;
    }
    for change in subject.changes {
        walk(&change.path, change.before, change.after, say);
    }
    if subject.before.is_none()
        && let Some((_, node)) = subject.after
    {
        privileges(&Path::default(), None, Some(node), say);
    }
}

/// A field that differs, and those below it.
fn walk(path: &Path, before: Option<&Node>, after: Option<&Node>, say: Say<'_>) {
    privileges(path, before, after, say);
    let is_leaf = [before, after].into_iter().flatten().all(|node| node.text().is_some());
    if !is_leaf {
        let keys = [before, after].into_iter().flatten().flat_map(Node::entries);
        let mut keys: Vec<&str> = keys.map(|entry| entry.key.as_str()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let of = |node: Option<&'_ Node>| node.and_then(|node| node.get(key)).cloned();
            let (before, after) = (of(before), of(after));
            leaf(&path.key(key), before.as_ref(), after.as_ref(), say);
        }
        return;
    }
    leaf(path, before, after, say);
}

fn leaf(path: &Path, before: Option<&Node>, after: Option<&Node>, say: Say<'_>) {
    if path.starts_with(&["metadata"]) {
        return;
    }
    let is_text = |node: Option<&Node>| node.is_none_or(|node| node.text().is_some());
    let change = || format!("{} → {}", shown(before), shown(after));
    let fields = fields(path);
    match fields.as_slice() {
        [.., "image"] if is_text(before) && is_text(after) => {
            say(SignalKind::Image, image(&shown(before), &shown(after)));
        }
        ["spec", name @ ("replicas" | "minReplicas" | "maxReplicas")] => {
            say(SignalKind::Replicas, format!("{name} {}", change()));
        }
        [.., "resources", "requests" | "limits"] if !(is_text(before) && is_text(after)) => {
            let both = [before, after].into_iter().flatten().flat_map(Node::entries);
            let mut keys: Vec<&str> = both.map(|entry| entry.key.as_str()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                let of = |node: Option<&'_ Node>| shown(node.and_then(|node| node.get(key)));
                say(
                    SignalKind::Resources,
                    format!("{}.{key} {} → {}", below_container(path), of(before), of(after)),
                );
            }
        }
        [.., "resources", "requests" | "limits", _] => {
            say(SignalKind::Resources, format!("{} {}", below_container(path), change()));
        }
        _ => {}
    }
}

/// From one image to another: where only the tag differs, the name is said once.
fn image(before: &str, after: &str) -> String {
    // A port has a slash behind it.
    let parts = |image: &'_ str| {
        let at = image.rfind([':', '@']).filter(|at| !image[*at..].contains('/'))?;
        Some((image[..at].to_owned(), image[at + 1..].to_owned()))
    };
    match (parts(before), parts(after)) {
        (Some((name, old)), Some((other, new))) if name == other => format!("{name} {old} → {new}"),
        _ => format!("{before} → {after}"),
    }
}

/// The keys on the way, without items.
fn fields(path: &Path) -> Vec<&str> {
    path.0
        .iter()
        .filter_map(|step| if let Step::Key(key) = step { Some(key.as_str()) } else { None })
        .collect()
}

/// The innermost item with a name.
fn container(path: &Path) -> Option<&str> {
    path.0.iter().rev().find_map(|step| match step {
        Step::Item { labels, .. } => labels.first().map(String::as_str),
        Step::Key(_) => None,
    })
}

/// `app: limits.memory`
fn below_container(path: &Path) -> String {
    let name = container(path).map(|name| format!("{name}: ")).unwrap_or_default();
    let fields = fields(path);
    let from = fields.iter().rposition(|field| *field == "resources").map_or(0, |index| index + 1);
    format!("{name}{}", fields[from..].join("."))
}

/// What lets a container do more than before.
fn privileges(path: &Path, before: Option<&Node>, after: Option<&Node>, say: Say<'_>) {
    let Some(after) = after else { return };
    let is_true = |node: Option<&Node>| node.and_then(Node::text) == Some("true");
    match path.field() {
        field @ ("privileged" | "hostNetwork" | "hostPID" | "hostIPC" | "allowPrivilegeEscalation")
            if is_true(Some(after)) && !is_true(before) =>
        {
            let container = container(path).map(|name| format!("{name}: ")).unwrap_or_default();
            say(SignalKind::Privilege, format!("{container}{field}"));
        }
        "hostPath" if before.is_none() => {
            say(SignalKind::Privilege, format!("mounts {} of its machine", shown(after.get("path"))));
        }
        _ => {}
    }
    if before.is_some() {
        return;
    }
    for entry in after.entries() {
        privileges(&path.key(&entry.key), None, Some(&entry.value), say);
    }
    for (index, item) in after.items().enumerate() {
        let name = item.get("name").and_then(Node::text);
        privileges(&path.item(index, name), None, Some(item), say);
    }
}
