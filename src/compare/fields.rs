//! Which fields differ. Pure.

use super::pairs::pairs;
use super::path::Path;
use super::same::Lists;
use super::tree::{Kind, Node};

/// A field that differs: the smallest one that says so.
#[derive(Clone, Debug)]
pub(super) struct FieldChange<'t> {
    pub(super) path: Path,
    pub(super) before: Option<&'t Node>,
    pub(super) after: Option<&'t Node>,
}

/// The fields that differ, and how many of them are not shown.
pub(super) struct Fields<'t, 'r> {
    pub(super) changes: Vec<FieldChange<'t>>,
    pub(super) hidden: usize,
    pub(super) lists: Lists,
    hides: &'r dyn Fn(&Path) -> bool,
}

impl<'t, 'r> Fields<'t, 'r> {
    pub(super) fn new(lists: Lists, hides: &'r dyn Fn(&Path) -> bool) -> Self {
        Self { changes: Vec::new(), hidden: 0, lists, hides }
    }

    /// Whether the field is not shown; then it is counted.
    pub(super) fn hide(&mut self, path: &Path) -> bool {
        let hides = (self.hides)(path);
        self.hidden += usize::from(hides);
        hides
    }

    pub(super) fn push(&mut self, path: Path, before: Option<&'t Node>, after: Option<&'t Node>) {
        self.changes.push(FieldChange { path, before, after });
    }

    /// Finds what differs in two values; whether anything of it is shown.
    pub(super) fn collect(&mut self, path: &Path, old: Option<&'t Node>, new: Option<&'t Node>) -> bool {
        if let (Some(old), Some(new)) = (old, new)
            && self.lists.same(path.field(), old, new)
        {
            return false;
        }
        if !path.0.is_empty() && self.hide(path) {
            return false;
        }
        let (Some(before), Some(after)) = (old, new) else {
            self.push(path.clone(), old, new);
            return true;
        };
        let known = self.changes.len();
        match (&before.kind, &after.kind) {
            (Kind::Mapping { entries, .. }, Kind::Mapping { entries: others, .. }) => {
                for entry in entries {
                    self.collect(&path.key(&entry.key), Some(&entry.value), after.get(&entry.key));
                }
                for entry in others.iter().filter(|entry| before.get(&entry.key).is_none()) {
                    self.collect(&path.key(&entry.key), None, Some(&entry.value));
                }
            }
            (Kind::Sequence { items, .. }, Kind::Sequence { items: others, .. }) => {
                for pair in pairs(self.lists, path.field(), before, after) {
                    let path = path.item(pair.old.or(pair.new).unwrap_or_default(), pair.label.as_deref());
                    let old = pair.old.map(|index| &items[index].value);
                    let new = pair.new.map(|index| &others[index].value);
                    self.collect(&path, old, new);
                }
            }
            _ => self.push(path.clone(), old, new),
        }
        self.changes.len() > known
    }
}
