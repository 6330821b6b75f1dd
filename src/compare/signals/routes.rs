//! What objects that route say they serve: hosts with their paths, ports that are listened on, what they hang on. Pure.
//!
//! Sources: the references of Kubernetes' Ingress, of the Gateway API, of Istio, Traefik and `OpenShift`.

use std::collections::BTreeSet;

use super::Node;

const EVERY_HOST: &str = "every host";

/// What an object opens.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Served {
    /// Hosts, with their paths.
    pub(super) places: BTreeSet<String>,
    /// Ports with their protocols and hosts.
    pub(super) listeners: BTreeSet<String>,
    /// The gateways that it hangs on.
    pub(super) parents: BTreeSet<String>,
}

/// Whether objects of this kind route what comes from elsewhere.
pub(super) fn is_route(group: &str, kind: &str) -> bool {
    match kind {
        "Ingress" => ["networking.k8s.io", "extensions"].contains(&group),
        "Gateway" | "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute" | "VirtualService" => {
            group.ends_with("networking.k8s.io") || group == "networking.istio.io"
        }
        "IngressRoute" | "IngressRouteTCP" | "IngressRouteUDP" => group.starts_with("traefik."),
        "Route" => group == "route.openshift.io",
        _ => false,
    }
}

/// What an object of such a kind serves.
pub(super) fn served((group, kind): (&str, &str), object: &Node) -> Served {
    let spec = object.get("spec");
    let list = |key: &str| spec.and_then(|spec| spec.get(key)).into_iter().flat_map(Node::items);
    let mut served = Served::default();
    match kind {
        "Ingress" => {
            served.places = list("rules").flat_map(rule).collect();
            let catches_all =
                spec.is_some_and(|spec| spec.get("defaultBackend").or(spec.get("backend")).is_some());
            served.places.extend(catches_all.then(|| EVERY_HOST.to_owned()));
        }
        "Gateway" if group == "networking.istio.io" => {
            served.listeners = list("servers").flat_map(server).collect();
        }
        "Gateway" => served.listeners = list("listeners").map(listener).collect(),
        "VirtualService" => {
            served.places = texts(list("hosts"));
            served.parents = texts(list("gateways"));
        }
        "IngressRoute" | "IngressRouteTCP" | "IngressRouteUDP" => {
            let rule = |route: &Node| text(route, "match").unwrap_or(EVERY_HOST).to_owned();
            served.places = list("routes").map(rule).collect();
            served.parents = texts(list("entryPoints"));
        }
        "Route" => {
            let part = |key| spec.and_then(|spec| text(spec, key));
            served.places.insert(place(part("host"), part("path")));
        }
        _ => {
            served.places = texts(list("hostnames"));
            if served.places.is_empty() {
                served.places.insert(EVERY_HOST.to_owned());
            }
            served.parents = list("parentRefs").map(parent).collect();
        }
    }
    served
}

fn text<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::text).filter(|text| !text.is_empty())
}

fn texts<'n>(items: impl Iterator<Item = &'n Node>) -> BTreeSet<String> {
    items.filter_map(Node::text).map(str::to_owned).collect()
}

/// A host with a path; the whole host has none.
fn place(host: Option<&str>, path: Option<&str>) -> String {
    format!("{}{}", host.unwrap_or(EVERY_HOST), path.filter(|path| *path != "/").unwrap_or_default())
}

/// The places of one rule of an Ingress.
fn rule(rule: &Node) -> Vec<String> {
    let host = text(rule, "host");
    let paths = rule.at(&["http", "paths"]).into_iter().flat_map(Node::items);
    let places: Vec<String> = paths.map(|path| place(host, text(path, "path"))).collect();
    if places.is_empty() { vec![place(host, None)] } else { places }
}

fn listener(listener: &Node) -> String {
    let part = |key| text(listener, key).unwrap_or_default();
    let host = text(listener, "hostname").unwrap_or(EVERY_HOST);
    let from = listener.at(&["allowedRoutes", "namespaces", "from"]).and_then(Node::text);
    let from =
        from.filter(|from| *from != "Same").map(|from| format!(", routes from {from}")).unwrap_or_default();
    format!("{} {} for {host}{from}", part("protocol"), part("port"))
}

/// The listeners of one server of Istio's Gateway.
fn server(server: &Node) -> Vec<String> {
    let part = |key| server.at(&["port", key]).and_then(Node::text).unwrap_or_default();
    let hosts = texts(server.get("hosts").into_iter().flat_map(Node::items));
    hosts.into_iter().map(|host| format!("{} {} for {host}", part("protocol"), part("number"))).collect()
}

fn parent(parent: &Node) -> String {
    let namespace = text(parent, "namespace").map(|namespace| format!("{namespace}/")).unwrap_or_default();
    let section = text(parent, "sectionName").or(text(parent, "port"));
    let section = section.map(|section| format!(" ({section})")).unwrap_or_default();
    format!("{namespace}{}{section}", text(parent, "name").unwrap_or_default())
}
