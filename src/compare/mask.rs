//! Manifests without the values that nobody shall see. Pure.
//!
//! What is shown of a Secret is written anew from its fields, so that neither a comment nor an odd way of writing shows a
//! value: only what is known to be harmless stays, everything else is named and hidden.

use std::collections::BTreeMap;

use super::path::Path;
use super::same::{Lists, names};
use super::tree::{Kind, Node};

const HIDDEN: &str = "(hidden)";
const CHANGED: &str = "(hidden, changed)";

/// What of a manifest must not be seen.
pub(super) enum Mask<'r> {
    /// It is a Secret: everything but who it is.
    Secret,
    /// The fields that these JSON pointers mean.
    Fields(Vec<&'r str>),
}

/// What one may see of a Secret: its outermost fields, and those of `metadata`.
const SHOWN: &[&str] = &["apiVersion", "kind", "type", "immutable"];
const SHOWN_OF_METADATA: &[&str] = &["name", "generateName", "namespace", "labels"];

/// The whole manifest once more, as `kubectl apply` leaves it behind.
const LAST_APPLIED: &[&str] =
    &["metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"];

impl Mask<'_> {
    /// What must not be seen of two manifests that are compared.
    pub(super) fn of_both(masks: [Option<Self>; 2]) -> Option<Self> {
        match masks {
            [Some(Self::Secret), _] | [_, Some(Self::Secret)] => Some(Self::Secret),
            [Some(Self::Fields(one)), Some(Self::Fields(other))] => Some(Self::Fields([one, other].concat())),
            [Some(mask), None] | [None, Some(mask)] => Some(mask),
            [None, None] => None,
        }
    }

    /// Whether a part must not be seen, and so everything in it.
    pub(super) fn hides(&self, path: &Path, node: &Node) -> bool {
        match self {
            Self::Fields(pointers) => {
                path.is(LAST_APPLIED) || pointers.iter().any(|pointer| path.is_meant_by(pointer))
            }
            Self::Secret => {
                let is_map = matches!(node.kind, Kind::Mapping { .. });
                match path.0.len() {
                    0 => false,
                    1 if ["data", "stringData", "metadata"].contains(&path.field()) => !is_map,
                    1 => !SHOWN.contains(&path.field()) || !matches!(node.kind, Kind::Scalar { .. }),
                    2 if path.starts_with(&["metadata"]) && path.field() == "annotations" => !is_map,
                    2 if path.starts_with(&["metadata"]) => !SHOWN_OF_METADATA.contains(&path.field()),
                    _ => !path.starts_with(&["metadata", "labels"]),
                }
            }
        }
    }
}

/// Both sides as they may be seen: equal hidden values look the same, others do not.
pub(super) fn masked(mask: &Mask<'_>, old: Option<&Node>, new: Option<&Node>) -> [String; 2] {
    let write = |node: Option<&Node>, other: Option<&Node>| {
        let mut writer = Writer { mask, text: String::new() };
        if let Some(node) = node {
            writer.value(&Path::default(), node, other, 0);
        }
        writer.text
    };
    [write(old, None), write(new, old)]
}

struct Writer<'m, 'r> {
    mask: &'m Mask<'r>,
    text: String,
}

impl Writer<'_, '_> {
    /// A value whose lines start in column `depth`; `other` is what it is compared with.
    fn value(&mut self, path: &Path, node: &Node, other: Option<&Node>, depth: usize) {
        match &node.kind {
            Kind::Mapping { entries, .. } => {
                let mut times: BTreeMap<&str, usize> = BTreeMap::new();
                for entry in entries {
                    self.text.push_str(&" ".repeat(depth));
                    self.text.push_str(&quoted(&entry.key, true));
                    self.text.push(':');
                    let nth = times.entry(&entry.key).or_default();
                    let other = other.and_then(|other| other.nth(&entry.key, *nth));
                    *nth += 1;
                    self.part(&path.key(&entry.key), &entry.value, other, depth);
                }
            }
            Kind::Sequence { items, .. } => {
                let twins = twins(path.field(), node, other);
                for (index, (item, twin)) in items.iter().zip(twins).enumerate() {
                    self.text.push_str(&" ".repeat(depth));
                    self.text.push('-');
                    let path = path.item_of(index, names(path.field(), &item.value));
                    self.part(&path, &item.value, twin, depth);
                }
            }
            Kind::Scalar { text, plain } => {
                self.text.push_str(&quoted(text, *plain));
                self.text.push('\n');
            }
        }
    }

    /// What follows a key or a dash. `other` is the same part on the other side, if it is there.
    fn part(&mut self, path: &Path, node: &Node, other: Option<&Node>, depth: usize) {
        if self.mask.hides(path, node) {
            let is_changed = other.is_some_and(|other| !Lists::Custom.same(path.field(), other, node));
            self.text.push(' ');
            self.text.push_str(if is_changed { CHANGED } else { HIDDEN });
            self.text.push('\n');
            return;
        }
        match &node.kind {
            Kind::Mapping { entries, .. } if entries.is_empty() => self.text.push_str(" {}\n"),
            Kind::Sequence { items, .. } if items.is_empty() => self.text.push_str(" []\n"),
            Kind::Scalar { .. } => {
                self.text.push(' ');
                self.value(path, node, None, 0);
            }
            _ => {
                self.text.push('\n');
                self.value(path, node, other, depth + 2);
            }
        }
    }
}

/// What each item of a list is compared with: the one of the same label, else the one in the same place.
fn twins<'t>(field: &str, list: &Node, other: Option<&'t Node>) -> Vec<Option<&'t Node>> {
    let Some(other) = other else { return vec![None; list.items().count()] };
    match Lists::Custom.labels(field, other, list) {
        Some([theirs, ours]) => {
            let found: BTreeMap<&String, &Node> = theirs.labels.iter().zip(other.items()).collect();
            ours.labels.iter().map(|label| found.get(label).copied()).collect()
        }
        None => (0..list.items().count()).map(|index| other.items().nth(index)).collect(),
    }
}

/// A scalar on one line.
fn quoted(text: &str, plain: bool) -> String {
    let is_simple = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    let is_word = !text.is_empty()
        && text.chars().all(is_simple)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric());
    if plain && is_word { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::tree::parse;
    use super::*;

    #[test]
    fn nothing_of_a_secret_shows_but_who_it_is() {
        let old = "# hunter0\napiVersion: v1\nkind: Secret\ntype: Opaque\nextra: hunter1\nmetadata:\n  name: a\n  labels: {app: web}\n  annotations: {last: hunter2}\n  more: [hunter3]\ndata: {same: hunter4, other: hunter5, deep: {x: hunter6}}\nstringData: hunter7\n";
        let new = old.replace("hunter5", "hunter8").replace("hunter2", "hunter9");
        let (old, new) = (parse(old).unwrap(), parse(&new).unwrap());
        let [was, is] = masked(&Mask::Secret, Some(&old.root), Some(&new.root));
        assert_eq!(
            is,
            "apiVersion: v1\nkind: Secret\ntype: Opaque\nextra: (hidden)\nmetadata:\n  name: a\n  labels:\n    app: web\n  \
             annotations:\n    last: (hidden, changed)\n  more: (hidden)\ndata:\n  same: (hidden)\n  other: (hidden, changed)\n  \
             deep: (hidden)\nstringData: (hidden)\n"
        );
        assert!(!was.contains("hunter") && !was.contains("changed"), "{was}");
    }

    #[test]
    fn a_copy_of_a_manifest_with_hidden_fields_is_hidden() {
        let text = "metadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{\"spec\":\"hunter1\"}'\n    \
                    other: shown\nspec: hunter1\n";
        let tree = parse(text).unwrap();
        let [_, is] = masked(&Mask::Fields(vec!["/spec"]), None, Some(&tree.root));
        assert!(
            !is.contains("hunter") && is.contains("other: shown") && is.contains("spec: (hidden)"),
            "{is}"
        );
    }

    #[test]
    fn items_are_meant_by_their_place_or_by_whatever_they_are_called() {
        let text = "containers:\n- name: app\n  env: [{name: A, value: hunter1}, {name: B, value: shown}]\n  ports:\n  - {containerPort: 80, protocol: TCP, token: hunter2}\n";
        let tree = parse(text).unwrap();
        for (env, port) in
            [("app/env/A", "app/ports/80"), ("0/env/0", "*/ports/0"), ("app/env/A", "app/ports/80~1TCP")]
        {
            let pointers = [format!("/containers/{env}/value"), format!("/containers/{port}/token")];
            let [_, is] =
                masked(&Mask::Fields(pointers.iter().map(String::as_str).collect()), None, Some(&tree.root));
            assert!(!is.contains("hunter") && is.contains("value: shown"), "{env} {port}: {is}");
        }
        // One name for two is no label, and yet both are meant.
        let tree = parse("env: [{name: A, value: hunter1}, {name: A, value: hunter2}]\n").unwrap();
        let [_, is] = masked(&Mask::Fields(vec!["/env/A/value"]), None, Some(&tree.root));
        assert!(!is.contains("hunter"), "{is}");
    }

    #[test]
    fn items_that_changed_places_are_compared_by_what_they_are_called() {
        let list = |items: &str| parse(&format!("env: [{items}]\n")).unwrap().root;
        let (a, b, c) =
            ("{name: A, value: hunter1}", "{name: B, value: hunter2}", "{name: B, value: hunter1}");
        let mask = Mask::Fields(vec!["/env/*/value"]);
        let [_, is] = masked(&mask, Some(&list(&format!("{a}, {b}"))), Some(&list(&format!("{b}, {a}"))));
        assert!(!is.contains("changed"), "{is}");
        let [_, is] = masked(&mask, Some(&list(&format!("{a}, {b}"))), Some(&list(&format!("{c}, {a}"))));
        assert_eq!(is.matches("(hidden, changed)").count(), 1, "{is}");
    }

    #[test]
    fn chosen_fields_of_other_kinds_are_hidden() {
        let tree = parse("spec:\n  items:\n  - name: a\n    value: hunter1\n").unwrap();
        let [_, is] = masked(&Mask::Fields(vec!["/spec/items/*/value"]), None, Some(&tree.root));
        assert_eq!(is, "spec:\n  items:\n    -\n      name: a\n      value: (hidden)\n");
    }
}
