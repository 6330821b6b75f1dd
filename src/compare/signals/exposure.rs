//! What can be reached from elsewhere, or in another way. Pure.

use std::collections::BTreeSet;

use super::{Node, Say, SignalKind, Subject, shown};

pub(super) fn find(subject: &Subject<'_, '_>, say: Say<'_>) {
    match subject.kind() {
        ("", "Service") => service(subject, say),
        (
            _,
            "Ingress" | "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "Gateway" | "VirtualService"
            | "IngressRoute",
        ) => {
            let before = subject.before.map(|(_, node)| hosts(node)).unwrap_or_default();
            let after = subject.after.map(|(_, node)| hosts(node)).unwrap_or_default();
            for host in after.difference(&before) {
                say(SignalKind::Exposure, format!("serves {host}"));
            }
            for host in before.difference(&after) {
                say(SignalKind::Exposure, format!("serves {host} no more"));
            }
            if before == after && !before.is_empty() && is_routed_anew(subject) {
                say(SignalKind::Exposure, "routes differently".to_owned());
            }
        }
        ("networking.k8s.io", "NetworkPolicy") if subject.before.is_some() => {
            let what = if subject.after.is_some() { "another" } else { "no" };
            let is_one = subject.after.is_none()
                || subject.changes.iter().any(|change| change.path.starts_with(&["spec"]));
            if is_one {
                say(SignalKind::Exposure, format!("{what} network policy"));
            }
        }
        _ => {}
    }
}

fn is_routed_anew(subject: &Subject<'_, '_>) -> bool {
    subject.changes.iter().any(|change| change.path.starts_with(&["spec"]))
}

fn service(subject: &Subject<'_, '_>, say: Say<'_>) {
    let spec = |side: Option<(_, &'_ Node)>, key: &str| {
        side.and_then(|(_, node): (_, &Node)| node.at(&["spec", key]).cloned())
    };
    let text = |node: Option<Node>| node.as_ref().and_then(Node::text).map(str::to_owned);
    let kind = |side| text(spec(side, "type")).unwrap_or_else(|| "ClusterIP".to_owned());
    let Some(after) = subject.after else { return };
    let (was, is) = (subject.before.map(|before| kind(Some(before))), kind(Some(after)));
    let is_open = |kind: &str| kind == "LoadBalancer" || kind == "NodePort";
    match &was {
        Some(was) if *was != is => say(SignalKind::Exposure, format!("type of the Service: {was} → {is}")),
        None if is_open(&is) => say(SignalKind::Exposure, format!("a Service of type {is}")),
        _ => {}
    }
    for change in subject.changes {
        let one_of = |keys: &[&str]| keys.iter().any(|key| change.path.starts_with(&["spec", key]));
        if one_of(&["externalIPs", "loadBalancerSourceRanges", "loadBalancerIP"]) {
            say(SignalKind::Exposure, format!("{} of the Service", change.path));
        } else if one_of(&["ports"]) && is_open(&is) {
            say(SignalKind::Exposure, format!("ports of a Service of type {is}"));
        } else if one_of(&["selector"]) {
            let (old, new) = (shown(change.before), shown(change.after));
            say(SignalKind::Exposure, format!("{}: {old} → {new}", change.path));
        }
    }
}

/// Every host that is named.
fn hosts(node: &Node) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(node, "", &mut found);
    found
}

fn collect(node: &Node, field: &str, found: &mut BTreeSet<String>) {
    match node.text() {
        Some(text) if ["host", "hosts", "hostname", "hostnames"].contains(&field) => {
            found.insert(text.to_owned());
        }
        Some(_) => {}
        None => {
            node.entries().iter().for_each(|entry| collect(&entry.value, &entry.key, found));
            node.items().for_each(|item| collect(item, field, found));
        }
    }
}
