//! What can be reached from elsewhere, or in another way. Pure.

use std::collections::BTreeSet;

use super::routes::{self, Served};
use super::{Node, Say, SignalKind, Subject, shown};

/// Starts of annotations by which controllers of load balancers and ingresses open something, or close it.
///
/// Source: the documentation of AWS', Azure's and Google's load balancers, and of ingress-nginx.
const OPENING: &[&str] = &[
    "alb.ingress.kubernetes.io/inbound-cidrs",
    "alb.ingress.kubernetes.io/scheme",
    "cloud.google.com/load-balancer-type",
    "networking.gke.io/load-balancer-type",
    "nginx.ingress.kubernetes.io/auth-",
    "nginx.ingress.kubernetes.io/denylist-source-range",
    "nginx.ingress.kubernetes.io/whitelist-source-range",
    "service.beta.kubernetes.io/aws-load-balancer-internal",
    "service.beta.kubernetes.io/aws-load-balancer-scheme",
    "service.beta.kubernetes.io/azure-load-balancer-internal",
    "service.beta.kubernetes.io/load-balancer-source-ranges",
];

pub(super) fn find(subject: &Subject<'_, '_>, say: Say<'_>) {
    let (group, kind) = subject.kind();
    match (group, kind) {
        ("", "Service") => {
            service(subject, say);
            annotations(subject, say);
        }
        ("networking.k8s.io", "NetworkPolicy") if subject.before.is_some() => {
            let what = if subject.after.is_some() { "another" } else { "no" };
            if subject.after.is_none() || is_routed_anew(subject) {
                say(SignalKind::Exposure, format!("{what} network policy"));
            }
        }
        _ if routes::is_route(group, kind) => {
            routed(subject, say);
            annotations(subject, say);
        }
        _ => {}
    }
}

/// What is served, and through what.
fn routed(subject: &Subject<'_, '_>, say: Say<'_>) {
    let served =
        |side: Option<(_, &Node)>| side.map(|(_, node): (_, &Node)| routes::served(subject.kind(), node));
    let (was, is) = (served(subject.before), served(subject.after));
    let none = Served::default();
    let (before, after) = (was.as_ref().unwrap_or(&none), is.as_ref().unwrap_or(&none));
    let mut is_said = false;
    let mut tell = |verb: &str, before: &BTreeSet<String>, after: &BTreeSet<String>| {
        for place in after.difference(before) {
            say(SignalKind::Exposure, format!("{verb} {place}"));
        }
        for place in before.difference(after) {
            say(SignalKind::Exposure, format!("{verb} {place} no more"));
        }
        is_said |= before != after;
    };
    tell("serves", &before.places, &after.places);
    tell("listens on", &before.listeners, &after.listeners);
    tell("is reached through", &before.parents, &after.parents);
    if !is_said && was.is_some() && is.is_some() && is_routed_anew(subject) {
        say(SignalKind::Exposure, "routes differently".to_owned());
    }
}

fn is_routed_anew(subject: &Subject<'_, '_>) -> bool {
    subject.changes.iter().any(|change| change.path.starts_with(&["spec"]))
}

/// Annotations that open or close, of what is there already.
fn annotations(subject: &Subject<'_, '_>, say: Say<'_>) {
    let (Some((_, before)), Some((_, after))) = (subject.before, subject.after) else { return };
    let is_changed = |change: &&crate::compare::fields::FieldChange<'_>| {
        change.path.starts_with(&["metadata", "annotations"]) || change.path.is(&["metadata"])
    };
    if !subject.changes.iter().any(|change| is_changed(&change)) {
        return;
    }
    let of = |node: &'_ Node| node.at(&["metadata", "annotations"]).cloned();
    let (before, after) = (of(before), of(after));
    let entries = [&before, &after].into_iter().flatten().flat_map(Node::entries);
    let keys: BTreeSet<&str> = entries.map(|entry| entry.key.as_str()).collect();
    for key in keys.into_iter().filter(|key| OPENING.iter().any(|start| key.starts_with(start))) {
        let value = |node: &'_ Option<Node>| shown(node.as_ref().and_then(|node| node.get(key)));
        let (was, is) = (value(&before), value(&after));
        if was != is {
            say(SignalKind::Exposure, format!("{key}: {was} → {is}"));
        }
    }
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
