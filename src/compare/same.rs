//! When two values mean the same to Kubernetes: whatever the order of keys, of items with a key of their own, and
//! however a text is quoted. Pure.
//!
//! Source: the `+listType` and `+listMapKey` marks of Kubernetes' API, by the fields' names.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Kind, Node};

/// Lists whose items are known by the values of some keys: the first set of keys that all items have.
const KEYED: &[(&str, &[&[&str]])] = &[
    ("containers", &[&["name"]]),
    ("initContainers", &[&["name"]]),
    ("ephemeralContainers", &[&["name"]]),
    ("volumes", &[&["name"]]),
    ("env", &[&["name"]]),
    ("imagePullSecrets", &[&["name"]]),
    ("secrets", &[&["name"]]),
    ("webhooks", &[&["name"]]),
    ("versions", &[&["name"]]),
    (
        "ports",
        &[&["containerPort", "protocol"], &["containerPort"], &["port", "protocol"], &["port"], &["name"]],
    ),
    ("volumeMounts", &[&["mountPath"]]),
    ("volumeDevices", &[&["devicePath"]]),
    ("hostAliases", &[&["ip"]]),
    ("topologySpreadConstraints", &[&["topologyKey", "whenUnsatisfiable"]]),
    ("subjects", &[&["kind", "namespace", "name"], &["kind", "name"]]),
    ("conditions", &[&["type"]]),
];

/// Lists of texts whose order means nothing.
const SETS: &[&str] =
    &["verbs", "resources", "apiGroups", "resourceNames", "nonResourceURLs", "finalizers", "accessModes"];

/// What the items of a list are known by, where they are known by something.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// One for each item, each of them once.
    pub(super) labels: Vec<String>,
    /// Whether the order of the items means something nevertheless.
    pub(super) ordered: bool,
}

/// Whose lists they are: of what order and keys mean in a list, only its owner knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lists {
    /// Those of Kubernetes itself.
    Kubernetes,
    /// Those of others, in which order may mean anything.
    Custom,
}

/// The groups of Kubernetes' own objects, and of its Gateway API.
const GROUPS: &[&str] = &[
    "",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "apps",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "extensions",
    "gateway.networking.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

impl Lists {
    /// The lists of an object of this group.
    pub(super) fn of(group: &str) -> Self {
        if GROUPS.contains(&group) { Self::Kubernetes } else { Self::Custom }
    }

    /// The labels of the items of two lists in the field `field`; `None` where an item is known by its place alone.
    pub(super) fn labels(self, field: &str, old: &Node, new: &Node) -> Option<[Labels; 2]> {
        if SETS.contains(&field) && self == Self::Kubernetes {
            let texts = |node: &Node| {
                unique(node.items().map(|item| item.text().map(str::to_owned)).collect::<Option<_>>()?)
            };
            return Some([old, new].map(texts)).and_then(|[old, new]| Some([old?, new?])).map(unordered);
        }
        let (_, sets) = KEYED.iter().find(|(name, _)| *name == field)?;
        let pair = sets.iter().find_map(|keys| {
            let of = |node: &Node| unique(node.items().map(|item| label(item, keys)).collect::<Option<_>>()?);
            Some([of(old)?, of(new)?])
        })?;
        // They start one after the other; and a variable may refer to those before it.
        let refers = |node: &Node| {
            node.items()
                .any(|item| item.get("value").and_then(Node::text).is_some_and(|text| text.contains("$(")))
        };
        let ordered = self == Self::Custom
            || field == "initContainers"
            || (field == "env" && (refers(old) || refers(new)));
        Some(pair.map(|labels| Labels { labels, ordered }))
    }

    /// Whether both mean the same; `field` is the name of the field that they are in.
    pub(super) fn same(self, field: &str, old: &Node, new: &Node) -> bool {
        match (&old.kind, &new.kind) {
            (Kind::Scalar { text, plain }, Kind::Scalar { text: other, plain: other_plain }) => {
                text == other && (plain == other_plain || is_surely_text(text))
            }
            (Kind::Mapping { entries, .. }, Kind::Mapping { entries: others, .. }) => {
                let alike = |(one, other): (&super::tree::Entry, &super::tree::Entry)| {
                    one.key == other.key && self.same(&one.key, &one.value, &other.value)
                };
                // Both ways: where a key stands twice, one way alone would overlook its second value.
                entries.len() == others.len()
                    && (entries.iter().zip(others).all(alike)
                        || (self.has_all(new, entries) && self.has_all(old, others)))
            }
            (Kind::Sequence { items, .. }, Kind::Sequence { items: others, .. }) => {
                let alike = |(one, other): (&super::tree::Item, &super::tree::Item)| {
                    self.same("", &one.value, &other.value)
                };
                items.len() == others.len()
                    && (items.iter().zip(others).all(alike) || self.same_items(field, old, new))
            }
            _ => false,
        }
    }

    /// Whether a mapping says of every one of these keys what they say.
    fn has_all(self, mapping: &Node, entries: &[super::tree::Entry]) -> bool {
        let has = |entry: &super::tree::Entry| {
            mapping.get(&entry.key).is_some_and(|value| self.same(&entry.key, &entry.value, value))
        };
        entries.iter().all(has)
    }

    fn same_items(self, field: &str, old: &Node, new: &Node) -> bool {
        let Some([before, after]) = self.labels(field, old, new) else { return false };
        if before.ordered {
            return false;
        }
        let found: BTreeMap<&String, &Node> = after.labels.iter().zip(new.items()).collect();
        before
            .labels
            .iter()
            .zip(old.items())
            .all(|(label, item)| found.get(label).is_some_and(|other| self.same("", item, other)))
    }
}

/// Whatever an item of the list in the field `field` may be called, whether or not others are called the same.
pub(super) fn names(field: &str, item: &Node) -> Vec<String> {
    let sets = KEYED.iter().filter(|(name, _)| *name == field).flat_map(|(_, sets)| *sets);
    let mut names: Vec<String> = sets.filter_map(|keys| label(item, keys)).collect();
    if SETS.contains(&field) {
        names.extend(item.text().map(str::to_owned));
    }
    names
}

fn unordered(pair: [Vec<String>; 2]) -> [Labels; 2] {
    pair.map(|labels| Labels { labels, ordered: false })
}

fn label(item: &Node, keys: &[&str]) -> Option<String> {
    let texts: Option<Vec<&str>> = keys.iter().map(|key| item.get(key).and_then(Node::text)).collect();
    texts.map(|texts| texts.join("/"))
}

fn unique(labels: Vec<String>) -> Option<Vec<String>> {
    let distinct: BTreeSet<&String> = labels.iter().collect();
    (distinct.len() == labels.len()).then_some(labels)
}

/// Whether every YAML reader takes a text without quotes for a text.
fn is_surely_text(text: &str) -> bool {
    const WORDS: &[&str] = &["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
        && !text.chars().all(|c| c.is_ascii_hexdigit() || "_.:+-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::super::tree::parse;
    use super::*;

    fn alike(one: &str, other: &str) -> bool {
        Lists::Kubernetes.same("", &parse(one).unwrap().root, &parse(other).unwrap().root)
    }

    #[test]
    fn order_means_nothing_where_there_are_keys() {
        assert!(alike("a: 1\nb: {c: x, d: web}\n", "b:\n  d: \"web\"\n  c: 'x'\na: 1\n"));
        assert!(alike("ports: [{port: 1}, {port: 2}]\n", "ports: [{port: 2}, {port: 1}]\n"));
        assert!(alike("verbs: [get, list]\n", "verbs:\n- list\n- get\n"));
        assert!(alike("env: [{name: a, value: x}, {name: b}]\n", "env: [{name: b}, {name: a, value: x}]\n"));
    }

    #[test]
    fn order_may_mean_anything_in_lists_of_others() {
        let alike = |one: &str, other: &str| {
            Lists::Custom.same("", &parse(one).unwrap().root, &parse(other).unwrap().root)
        };
        assert!(alike("b: 1\na: [x, y]\n", "a: ['x', y]\nb: 1\n"));
        for (one, other) in [
            ("resources: [a, b]\n", "resources: [b, a]\n"),
            ("ports: [{port: 1}, {port: 2}]\n", "ports: [{port: 2}, {port: 1}]\n"),
            ("conditions: [{type: a}, {type: b}]\n", "conditions: [{type: b}, {type: a}]\n"),
        ] {
            assert!(!alike(one, other), "{one}{other}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_compared_twice() {
        let alike = |one: &str, other: &str| {
            let tree = |text: &str| super::super::tree::parse_with_doubles(text).unwrap().root;
            Lists::Kubernetes.same("", &tree(one), &tree(other))
        };
        for (one, other) in [("a: 1\na: 1\n", "a: 1\na: 2\n"), ("a: 1\na: 2\nb: 1\n", "a: 2\nb: 1\na: 1\n")] {
            assert!(!alike(one, other) && !alike(other, one), "{one}{other}");
        }
        assert!(alike("a: 1\na: 1\nb: x\n", "a: 1\nb: x\na: 1\n"));
    }

    #[test]
    fn what_differs_differs() {
        for (one, other) in [
            ("a: 1\n", "a: \"1\"\n"),
            ("a: yes\n", "a: \"yes\"\n"),
            ("a: 1e3\n", "a: \"1e3\"\n"),
            ("a:\n", "a: \"\"\n"),
            ("args: [a, b]\n", "args: [b, a]\n"),
            ("initContainers: [{name: a}, {name: b}]\n", "initContainers: [{name: b}, {name: a}]\n"),
            (
                "env: [{name: a, value: x}, {name: b, value: $(a)}]\n",
                "env: [{name: b, value: $(a)}, {name: a, value: x}]\n",
            ),
            ("ports: [{port: 1}]\n", "ports: [{port: 1}, {port: 2}]\n"),
            ("a: {}\n", "a: []\n"),
        ] {
            assert!(!alike(one, other), "{one}{other}");
        }
    }
}
