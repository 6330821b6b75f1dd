//! The head's lines in the order of the base, so that what only moved does not differ. Pure.
//!
//! What means the same is taken from the base, line by line; everything else are the head's own lines, moved to where
//! the base has the field. What was arranged is read again: if it is not what the head says, the head is shown as it is.

use std::borrow::Cow;

use super::fields::{FieldChange, Fields};
use super::pairs::{merged, pairs};
use super::path::Path;
use super::same::Lists;
use super::tree::{self, Entry, Item, Kind, Node, Tree};

/// One line of the head as it is shown.
#[derive(Clone, Debug)]
pub(super) struct Out<'t> {
    pub(super) text: Cow<'t, str>,
    /// The line of the base that it is.
    pub(super) base: Option<usize>,
}

/// A text with its tree.
#[derive(Clone, Copy)]
pub(super) struct Read<'t> {
    pub(super) text: &'t str,
    pub(super) tree: &'t Tree,
}

/// The head as it is shown, and what differs in it.
pub(super) struct Arranged<'t> {
    pub(super) lines: Vec<Out<'t>>,
    pub(super) changes: Vec<FieldChange<'t>>,
    /// How many fields differ and are not shown.
    pub(super) hidden: usize,
}

/// Arranges the head's lines; fields for which `hides` holds stay as they are in the base.
pub(super) fn arrange<'t>(
    lists: Lists,
    old: Read<'t>,
    new: Read<'t>,
    hides: &dyn Fn(&Path) -> bool,
) -> Arranged<'t> {
    let mut arranger = Arranger {
        old: old.text.lines().collect(),
        new: new.text.lines().collect(),
        fields: Fields::new(lists, hides),
    };
    let (before, after) = (&old.tree.root, &new.tree.root);
    let is_free = !old.tree.rigid && !new.tree.rigid;
    let mut moved = Vec::new();
    if is_free && is_block(before) && is_block(after) && matches!(before.kind, Kind::Mapping { .. }) {
        arranger.base(&mut moved, 0..before.line, 0);
        arranger.children(&mut moved, &Path::default(), before, after);
        if arranger.fields.hidden > 0 || is_right(lists, &moved, after) {
            return arranger.finish(moved);
        }
    }
    let mut fields = Fields::new(lists, hides);
    fields.collect(&Path::default(), Some(before), Some(after));
    if !fields.changes.is_empty() && fields.hidden > 0 {
        // The head is shown as it is: nothing of it is hidden.
        fields = Fields::new(lists, &|_| false);
        fields.collect(&Path::default(), Some(before), Some(after));
    }
    let lines = if fields.changes.is_empty() {
        arranger
            .old
            .iter()
            .enumerate()
            .map(|(line, text)| Out { text: Cow::Borrowed(*text), base: Some(line) })
            .collect()
    } else {
        arranger.new.iter().map(|text| Out { text: Cow::Borrowed(*text), base: None }).collect()
    };
    Arranged { lines, changes: fields.changes, hidden: fields.hidden }
}

/// Whether the lines say what the head says.
fn is_right(lists: Lists, lines: &[Out<'_>], head: &Node) -> bool {
    let mut text = String::new();
    for line in lines {
        text.push_str(&line.text);
        text.push('\n');
    }
    tree::parse(&text).is_some_and(|tree| lists.same("", &tree.root, head))
}

const fn is_block(node: &Node) -> bool {
    matches!(&node.kind, Kind::Mapping { block: true, .. } | Kind::Sequence { block: true, .. })
}

struct Arranger<'t, 'r> {
    old: Vec<&'t str>,
    new: Vec<&'t str>,
    fields: Fields<'t, 'r>,
}

impl<'t> Arranger<'t, '_> {
    fn finish(self, mut lines: Vec<Out<'t>>) -> Arranged<'t> {
        let mut last = None;
        for line in &mut lines {
            let is_base =
                line.base.is_some_and(|base| self.old.get(base).is_some_and(|old| *old == line.text));
            if !is_base || line.base <= last {
                line.base = None;
            }
            last = line.base.or(last);
        }
        Arranged { lines, changes: self.fields.changes, hidden: self.fields.hidden }
    }

    /// Lines of the base, of which the first one with content may have a dash of another list before `column`.
    fn base(&self, out: &mut Vec<Out<'t>>, range: std::ops::Range<usize>, column: usize) {
        for line in range {
            let Some(text) = self.old.get(line) else { break };
            out.push(Out { text: blank(text, column), base: Some(line) });
        }
    }

    /// Lines of the head, moved from one column to another.
    fn head(&self, out: &mut Vec<Out<'t>>, range: std::ops::Range<usize>, from: usize, to: usize) {
        for line in range {
            let Some(text) = self.new.get(line) else { break };
            out.push(Out { text: shift(blank(text, from), from, to), base: None });
        }
    }

    /// The parts of two blocks of the same kind.
    fn children(&mut self, out: &mut Vec<Out<'t>>, path: &Path, old: &'t Node, new: &'t Node) {
        let columns = (old.column, new.column);
        match (&old.kind, &new.kind) {
            (Kind::Mapping { entries, .. }, Kind::Mapping { entries: others, .. }) => {
                let keys =
                    |entries: &'t [Entry]| entries.iter().map(|entry| entry.key.as_str()).collect::<Vec<_>>();
                for (before, after) in merged(&keys(entries), &keys(others)) {
                    let sides = [before.map(|index| &entries[index]), after.map(|index| &others[index])];
                    let Some(key) = sides[0].or(sides[1]).map(|entry| &entry.key) else { continue };
                    self.part(out, &path.key(key), sides.map(|side| side.map(Part::from)), columns);
                }
            }
            (Kind::Sequence { items, .. }, Kind::Sequence { items: others, .. }) => {
                for pair in pairs(self.fields.lists, path.field(), old, new) {
                    let sides = [pair.old.map(|index| &items[index]), pair.new.map(|index| &others[index])];
                    let place = pair.old.or(pair.new).unwrap_or_default();
                    let path = path.item(place, pair.label.as_deref());
                    self.part(out, &path, sides.map(|side| side.map(Part::from)), columns);
                }
            }
            _ => {}
        }
    }

    /// One key or item, on the sides that have it; `columns` are those of the blocks that it is in.
    fn part(
        &mut self,
        out: &mut Vec<Out<'t>>,
        path: &Path,
        sides: [Option<Part<'t>>; 2],
        (column, from): (usize, usize),
    ) {
        match sides {
            [Some(old), Some(new)] if self.fields.lists.same(path.field(), old.value, new.value) => {
                self.base(out, old.first..old.last, column);
            }
            [Some(old), _] if self.fields.hide(path) => self.base(out, old.first..old.last, column),
            [Some(old), Some(new)] if can_descend(old, new) => self.inside(out, path, (old, new), column),
            [Some(old), Some(new)] => {
                if self.fields.collect(path, Some(old.value), Some(new.value)) {
                    self.head(out, new.first..new.last, from, column);
                } else {
                    self.base(out, old.first..old.last, column);
                }
            }
            [Some(old), None] => self.fields.push(path.clone(), Some(old.value), None),
            [None, Some(new)] if !self.fields.hide(path) => {
                self.fields.push(path.clone(), None, Some(new.value));
                self.head(out, new.first..new.last, from, column);
            }
            [None, _] => {}
        }
    }

    /// Two parts that are blocks themselves: what is in them, behind the base's key or dash.
    fn inside(
        &mut self,
        out: &mut Vec<Out<'t>>,
        path: &Path,
        (old, new): (Part<'t>, Part<'t>),
        column: usize,
    ) {
        self.base(out, old.first..old.value.line, column);
        let start = out.len();
        self.children(out, path, old.value, new.value);
        if old.value.line > old.line {
            return;
        }
        let has_content = |line: &Out<'_>| {
            let text = line.text.trim_start();
            !text.is_empty() && !text.starts_with('#')
        };
        if let Some(first) = out[start..].iter_mut().find(|line| has_content(line)) {
            let mut text = first.text.to_string();
            if text.get(column..=column) == Some(" ") {
                text.replace_range(column..=column, "-");
            }
            first.text = Cow::Owned(text);
        }
    }
}

/// A key with its value, or an item.
#[derive(Clone, Copy)]
struct Part<'t> {
    line: usize,
    first: usize,
    last: usize,
    value: &'t Node,
    is_item: bool,
}

impl<'t> From<&'t Entry> for Part<'t> {
    fn from(entry: &'t Entry) -> Self {
        let (line, first, last) = (entry.line, entry.first, entry.last);
        Self { line, first, last, value: &entry.value, is_item: false }
    }
}

impl<'t> From<&'t Item> for Part<'t> {
    fn from(item: &'t Item) -> Self {
        let (line, first, last) = (item.line, item.first, item.last);
        Self { line, first, last, value: &item.value, is_item: true }
    }
}

/// Whether both are blocks of the same kind, with lines of their own.
fn can_descend(old: Part<'_>, new: Part<'_>) -> bool {
    let same_kind = matches!(
        (&old.value.kind, &new.value.kind),
        (Kind::Mapping { block: true, .. }, Kind::Mapping { block: true, .. })
            | (Kind::Sequence { block: true, .. }, Kind::Sequence { block: true, .. })
    );
    let stands_alone = |part: Part<'_>| part.is_item || part.value.line > part.line;
    same_kind && stands_alone(old) && stands_alone(new)
}

/// What stands before a column is blank, where it is a dash of a list around it.
fn blank(text: &str, column: usize) -> Cow<'_, str> {
    match text.get(..column) {
        Some(before) if before.contains('-') && before.bytes().all(|byte| byte == b' ' || byte == b'-') => {
            Cow::Owned(format!("{}{}", " ".repeat(column), &text[column..]))
        }
        _ => Cow::Borrowed(text),
    }
}

fn shift(text: Cow<'_, str>, from: usize, to: usize) -> Cow<'_, str> {
    if from == to || text.is_empty() {
        return text;
    }
    if to > from {
        return Cow::Owned(format!("{}{text}", " ".repeat(to - from)));
    }
    let blanks = text.len() - text.trim_start_matches(' ').len();
    Cow::Owned(text[blanks.min(from - to)..].to_owned())
}
