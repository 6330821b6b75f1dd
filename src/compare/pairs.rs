//! Which keys and items of two blocks belong together, in the order in which they are shown. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::same::Lists;
use super::tree::{Entry, Kind, Node};

/// The places of two lists of names: those of the first in its order, new ones after the one that is before them.
pub(super) fn merged(old: &[&str], new: &[&str]) -> Vec<(Option<usize>, Option<usize>)> {
    let places: BTreeMap<&str, usize> = new.iter().enumerate().map(|(index, name)| (*name, index)).collect();
    let known: BTreeSet<&str> = old.iter().copied().collect();
    let mut behind: BTreeMap<Option<&str>, Vec<usize>> = BTreeMap::new();
    let mut before = None;
    for (index, name) in new.iter().enumerate() {
        if known.contains(name) {
            before = Some(*name);
        } else {
            behind.entry(before).or_default().push(index);
        }
    }
    let added = |name: Option<&str>| -> Vec<(Option<usize>, Option<usize>)> {
        behind.get(&name).into_iter().flatten().map(|index| (None, Some(*index))).collect()
    };
    let mut pairs = added(None);
    for (index, name) in old.iter().enumerate() {
        pairs.push((Some(index), places.get(name).copied()));
        pairs.extend(added(Some(name)));
    }
    pairs
}

/// Two items that belong together, or one alone.
#[derive(Clone, Debug, Default)]
pub(super) struct ItemPair {
    pub(super) old: Option<usize>,
    pub(super) new: Option<usize>,
    pub(super) label: Option<String>,
}

/// Which items of two lists belong together, in the order in which they are shown.
pub(super) fn pairs(lists: Lists, field: &str, old: &Node, new: &Node) -> Vec<ItemPair> {
    match lists.labels(field, old, new) {
        Some([before, after]) if !before.ordered => {
            let old: Vec<&str> = before.labels.iter().map(String::as_str).collect();
            let new: Vec<&str> = after.labels.iter().map(String::as_str).collect();
            let label = |pair: &(Option<usize>, Option<usize>)| {
                pair.0.map(|index| old[index]).or(pair.1.map(|index| new[index])).map(str::to_owned)
            };
            merged(&old, &new)
                .into_iter()
                .map(|pair| ItemPair { label: label(&pair), old: pair.0, new: pair.1 })
                .collect()
        }
        Some([before, after]) => in_order(&before.labels, &after.labels, true),
        None => {
            let text = |node: &Node| {
                let mut text = String::new();
                canonical(node, &mut text);
                text
            };
            in_order(
                &old.items().map(text).collect::<Vec<_>>(),
                &new.items().map(text).collect::<Vec<_>>(),
                false,
            )
        }
    }
}

/// Items whose order counts: those that stay, and between them what comes and goes. Known by a name or not.
fn in_order(old: &[String], new: &[String], named: bool) -> Vec<ItemPair> {
    let label = |text: &String| named.then(|| text.clone());
    let mut pairs = Vec::new();
    for op in similar::capture_diff_slices(similar::Algorithm::Myers, old, new) {
        let (before, after) = (op.old_range(), op.new_range());
        // Nameless items that were replaced are taken for changed ones, one by one.
        let together =
            if op.tag() == similar::DiffTag::Equal || !named { before.len().min(after.len()) } else { 0 };
        for step in 0..together {
            let (one, other) = (before.start + step, after.start + step);
            pairs.push(ItemPair { old: Some(one), new: Some(other), label: label(&old[one]) });
        }
        let gone = before.skip(together).map(|index| ItemPair {
            old: Some(index),
            new: None,
            label: label(&old[index]),
        });
        pairs.extend(gone);
        let come = after.skip(together).map(|index| ItemPair {
            old: None,
            new: Some(index),
            label: label(&new[index]),
        });
        pairs.extend(come);
    }
    pairs
}

fn canonical(node: &Node, out: &mut String) {
    match &node.kind {
        Kind::Scalar { text, plain } => {
            out.push(if *plain { 'p' } else { 'q' });
            out.push_str(&text.len().to_string());
            out.push(' ');
            out.push_str(text);
        }
        Kind::Mapping { entries, .. } => {
            out.push('{');
            let mut sorted: Vec<&Entry> = entries.iter().collect();
            sorted.sort_by(|one, other| one.key.cmp(&other.key));
            for entry in sorted {
                out.push_str(&entry.key.len().to_string());
                out.push(' ');
                out.push_str(&entry.key);
                canonical(&entry.value, out);
            }
            out.push('}');
        }
        Kind::Sequence { items, .. } => {
            out.push('[');
            for item in items {
                canonical(&item.value, out);
            }
            out.push(']');
        }
    }
}
