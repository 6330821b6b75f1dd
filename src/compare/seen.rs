//! Both texts of a manifest as they may be seen. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::mask::{Mask, masked};
use super::rules::Rules;
use super::same::Lists;
use super::signals::{Signal, of_hidden_values, of_keys};
use super::tree::{self, Node, Tree};
use super::{Document, ManifestId};

/// A text that can be shown, with its tree where it can be read.
#[derive(Default)]
pub(super) struct Side {
    pub(super) text: String,
    pub(super) tree: Option<Tree>,
}

impl Side {
    fn of(text: String) -> Self {
        Self { tree: tree::parse(&text), text }
    }
}

/// Both sides, and what became of that which is hidden.
pub(super) struct Seen {
    /// `None` where nothing of a text may be seen.
    pub(super) sides: [Option<Side>; 2],
    hidden: Hidden,
}

/// What is known of the values that are hidden.
enum Hidden {
    /// They are the same, or none are.
    Same,
    /// Some differ; of a Secret, the keys where.
    Differ(BTreeSet<String>),
    /// A text cannot be read: they may differ.
    Unknown,
}

impl Seen {
    /// What may be seen of two documents.
    pub(super) fn of(
        rules: &Rules<'_>,
        lists: Lists,
        old: Option<&Document>,
        new: Option<&Document>,
    ) -> Self {
        let documents = [old, new];
        let text = |side: Option<&Document>| side.and_then(|side| side.text.clone());
        let masks = documents.map(|side| side.and_then(|side| rules.mask(&side.id)));
        let Some(mask) = Mask::of_both(masks) else {
            let sides = documents.map(|side| text(side).map(Side::of));
            return Self { sides, hidden: Hidden::Same };
        };
        let trees = documents.map(|side| text(side).map(|text| tree::parse_with_doubles(&text)));
        // What cannot be read may hold anything.
        let trees = match trees {
            [Some(None), _] | [_, Some(None)] => {
                let is_one = documents.iter().any(Option::is_none);
                let hidden = if is_one { Hidden::Same } else { Hidden::Unknown };
                return Self { sides: [None, None], hidden };
            }
            trees => trees.map(Option::flatten),
        };
        let [old, new] = trees.each_ref().map(|tree| tree.as_ref().map(|tree| &tree.root));
        let there = [old.is_some(), new.is_some()];
        let [before, after] = masked(&mask, old, new);
        let sides =
            [(there[0], before), (there[1], after)].map(|(is_there, text)| is_there.then(|| Side::of(text)));
        Self { sides, hidden: hidden(lists, documents.map(|side| side.map(|side| &side.id)), old, new) }
    }

    /// What there is to say where the fields of what may be seen cannot be compared.
    pub(super) fn unread(&self) -> Option<Signal> {
        match &self.hidden {
            Hidden::Differ(keys) if !keys.is_empty() => Some(of_keys(keys)),
            Hidden::Unknown => Some(of_hidden_values("hidden values may change: the text cannot be read")),
            Hidden::Same | Hidden::Differ(_) => None,
        }
    }

    /// What there is to say where nothing else tells of a difference.
    pub(super) fn unseen(&self) -> Option<Signal> {
        matches!(self.hidden, Hidden::Differ(_)).then(|| of_hidden_values("hidden values change"))
    }
}

fn hidden(lists: Lists, ids: [Option<&ManifestId>; 2], old: Option<&Node>, new: Option<&Node>) -> Hidden {
    let (Some(old), Some(new)) = (old, new) else { return Hidden::Same };
    if lists.same("", old, new) {
        return Hidden::Same;
    }
    let is_secret = |id: &ManifestId| id.group.is_empty() && id.kind == "Secret";
    let are_secrets = ids.iter().flatten().all(|id| is_secret(id));
    Hidden::Differ(if are_secrets { differing_keys(old, new) } else { BTreeSet::new() })
}

/// The values of a Secret by field and key; several where a key stands more than once.
fn values(secret: &Node) -> BTreeMap<(&str, &str), Vec<&Node>> {
    let mut found: BTreeMap<(&str, &str), Vec<&Node>> = BTreeMap::new();
    let fields = secret.entries().iter().filter(|field| ["data", "stringData"].contains(&field.key.as_str()));
    for field in fields {
        for entry in field.value.entries() {
            found.entry((&field.key, &entry.key)).or_default().push(&entry.value);
        }
    }
    found
}

/// The keys of two Secrets that say something else.
fn differing_keys(old: &Node, new: &Node) -> BTreeSet<String> {
    let (before, after) = (values(old), values(new));
    let differs = |place: &&(&str, &str)| match (before.get(*place), after.get(*place)) {
        (Some(was), Some(is)) => {
            was.len() != is.len() || was.iter().zip(is).any(|(was, is)| !Lists::Kubernetes.same("", was, is))
        }
        _ => true,
    };
    before.keys().chain(after.keys()).filter(differs).map(|(_, key)| (*key).to_owned()).collect()
}
