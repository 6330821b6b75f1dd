//! A manifest's text as a tree whose parts know their lines. Pure.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

/// Deeper nesting is not looked into.
const DEEPEST: usize = 100;
/// The most nodes that aliases may stand for.
const MOST_COPIES: usize = 100_000;

/// A manifest's fields.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// The whole.
    pub(super) root: Node,
    /// Whether its lines must stay together as they are: parts of it refer to others.
    pub(super) rigid: bool,
}

/// A value and where it stands; lines and columns from 0.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// Text; `plain` is written without quotes, so that it may be a number.
    Scalar { text: String, plain: bool },
    /// Keys with their values; `block` ones have lines of their own.
    Mapping { entries: Vec<Entry>, block: bool },
    /// Values in order.
    Sequence { items: Vec<Item>, block: bool },
}

/// A key with its value, and their lines: `first..last`, comments right above included.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) value: Node,
}

/// An item, the line of its dash, and its lines.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) line: usize,
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) value: Node,
}

impl Node {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        let Kind::Mapping { entries, .. } = &self.kind else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The value of a key where it stands for the `nth` time, from 0.
    pub(super) fn nth(&self, key: &str, nth: usize) -> Option<&Self> {
        self.entries().iter().filter(|entry| entry.key == key).nth(nth).map(|entry| &entry.value)
    }

    /// The value at the end of several keys.
    pub(super) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Its text, where it is a scalar.
    pub(super) fn text(&self) -> Option<&str> {
        if let Kind::Scalar { text, .. } = &self.kind { Some(text) } else { None }
    }

    /// Its entries; none where it is no mapping.
    pub(super) fn entries(&self) -> &[Entry] {
        if let Kind::Mapping { entries, .. } = &self.kind { entries } else { &[] }
    }

    /// Its items' values; none where it is no sequence.
    pub(super) fn items(&self) -> impl Iterator<Item = &Self> {
        let items = if let Kind::Sequence { items, .. } = &self.kind { items.as_slice() } else { &[] };
        items.iter().map(|item| &item.value)
    }
}

/// The tree of a text that is one document; `None` where it is too strange to be looked into.
pub(super) fn parse(text: &str) -> Option<Tree> {
    built(text, Builder::default())
}

/// The same, also where a mapping has a key more than once: its entries are all there, in order.
pub(super) fn parse_with_doubles(text: &str) -> Option<Tree> {
    built(text, Builder { takes_doubles: true, ..Builder::default() })
}

fn built(text: &str, mut builder: Builder) -> Option<Tree> {
    for event in Parser::new_from_str(text) {
        let (event, span) = event.ok()?;
        builder.take(event, span)?;
    }
    let mut root = builder.root?;
    let lines: Vec<&str> = text.lines().collect();
    let mut rigid = builder.rigid;
    close(&mut root, &lines, lines.len(), &mut rigid);
    Some(Tree { root, rigid })
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    copies: usize,
    rigid: bool,
    takes_doubles: bool,
    root: Option<Node>,
}

struct Open {
    node: Node,
    anchor: usize,
    key: Option<(String, usize)>,
    keys: HashSet<String>,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::MappingStart(anchor, tag) => {
                self.rigid |= tag.is_some();
                self.start(Kind::Mapping { entries: Vec::new(), block: false }, anchor, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.rigid |= tag.is_some();
                self.start(Kind::Sequence { items: Vec::new(), block: false }, anchor, span)
            }
            Event::MappingEnd | Event::SequenceEnd => {
                let done = self.open.pop()?;
                self.add(done.node, done.anchor)
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.rigid |= tag.is_some();
                let mut text = Cow::into_owned(text);
                if let Some(tag) = &tag {
                    text = format!("!{}{} {text}", tag.handle, tag.suffix);
                }
                let plain = style == ScalarStyle::Plain && tag.is_none();
                self.add(node(span, Kind::Scalar { text, plain }), anchor)
            }
            Event::Alias(anchor) => {
                self.rigid = true;
                let target = self.anchors.get(&anchor)?.clone();
                self.copies += size(&target);
                (self.copies <= MOST_COPIES).then_some(())?;
                self.add(target, 0)
            }
            Event::DocumentStart(_) => self.root.is_none().then_some(()),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Some(()),
        }
    }

    fn start(&mut self, kind: Kind, anchor: usize, span: Span) -> Option<()> {
        self.open.push(Open { node: node(span, kind), anchor, key: None, keys: HashSet::new() });
        (self.open.len() <= DEEPEST).then_some(())
    }

    fn add(&mut self, value: Node, anchor: usize) -> Option<()> {
        if anchor > 0 {
            self.rigid = true;
            self.copies += size(&value);
            (self.copies <= MOST_COPIES).then_some(())?;
            self.anchors.insert(anchor, value.clone());
        }
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(value);
            return Some(());
        };
        let line = value.line;
        match &mut parent.node.kind {
            Kind::Sequence { items, .. } => items.push(Item { line, first: line, last: line, value }),
            Kind::Mapping { entries, .. } => {
                if let Some((key, line)) = parent.key.take() {
                    entries.push(Entry { key, line, first: line, last: line, value });
                    return Some(());
                }
                let Kind::Scalar { text, plain } = value.kind else { return None };
                // What is merged is told by the text alone.
                self.rigid |= plain && text == "<<";
                if !parent.keys.insert(text.clone()) && !self.takes_doubles {
                    return None;
                }
                parent.key = Some((text, line));
            }
            Kind::Scalar { .. } => {}
        }
        Some(())
    }
}

fn node(span: Span, kind: Kind) -> Node {
    Node { line: span.start.line().saturating_sub(1), column: span.start.col(), kind }
}

fn size(node: &Node) -> usize {
    match &node.kind {
        Kind::Scalar { .. } => 1,
        Kind::Mapping { entries, .. } => 1 + entries.iter().map(|entry| size(&entry.value)).sum::<usize>(),
        Kind::Sequence { items, .. } => 1 + items.iter().map(|item| size(&item.value)).sum::<usize>(),
    }
}

/// Finds out which lines belong to which part; `end` is the line after the node's last one.
fn close(node: &mut Node, lines: &[&str], end: usize, rigid: &mut bool) {
    step_back_to_dash(node, lines);
    let column = node.column;
    let starts_with = |line: usize, mark: char| {
        lines.get(line).and_then(|line| line.get(column..)).is_some_and(|rest| rest.starts_with(mark))
    };
    match &mut node.kind {
        Kind::Scalar { .. } => {}
        Kind::Mapping { entries, block } => {
            *block = !starts_with(node.line, '{') && !entries.is_empty();
            let mut end = end;
            for (index, entry) in entries.iter_mut().enumerate().rev() {
                entry.last = end;
                entry.first = if index == 0 { entry.line } else { above(lines, entry.line, column) };
                end = entry.first;
                close(&mut entry.value, lines, entry.last, rigid);
            }
            // Two keys on one line, or a key that does not stand in its column, as after `?`.
            let is_odd = |pair: &[Entry]| pair[1].line <= pair[0].line;
            *rigid |= *block
                && (entries.windows(2).any(is_odd) || entries.iter().any(|entry| odd(lines, entry, column)));
        }
        Kind::Sequence { items, block } => {
            *block = starts_with(node.line, '-') && !items.is_empty();
            let mut end = end;
            for (index, item) in items.iter_mut().enumerate().rev() {
                if *block {
                    let dash = (node.line..=item.line).rev().find(|line| starts_with(*line, '-'));
                    *rigid |= dash.is_none();
                    item.line = dash.unwrap_or(item.line);
                }
                item.last = end;
                item.first = if index == 0 { item.line } else { above(lines, item.line, column) };
                end = item.first;
                close(&mut item.value, lines, item.last, rigid);
            }
            *rigid |= *block && items.windows(2).any(|pair| pair[1].line <= pair[0].line);
        }
    }
}

/// A list that stands in its key's own column is said to start behind its first dash, where its first item does.
fn step_back_to_dash(node: &mut Node, lines: &[&str]) {
    let Kind::Sequence { items, .. } = &node.kind else { return };
    let Some(first) =
        items.first().filter(|first| (first.value.line, first.value.column) == (node.line, node.column))
    else {
        return;
    };
    let before = lines.get(first.line).and_then(|line| line.get(..node.column)).unwrap_or_default();
    if let Some(dash) = before.rfind('-') {
        node.column = dash;
    }
}

/// Whether a key is not the first thing in its line, but for dashes.
fn odd(lines: &[&str], entry: &Entry, column: usize) -> bool {
    let line = lines.get(entry.line).copied().unwrap_or_default();
    let before = line.get(..column);
    before.is_none_or(|before| before.contains(|c: char| c != ' ' && c != '-'))
        || line.get(column..).is_none_or(|rest| rest.starts_with([' ', '?']))
}

/// The first of the comment lines right above a line, in the same column.
fn above(lines: &[&str], line: usize, column: usize) -> usize {
    let is_comment = |line: &str| {
        line.len() - line.trim_start_matches(' ').len() == column && line[column..].starts_with('#')
    };
    let mut first = line;
    while first > 0 && lines.get(first - 1).is_some_and(|line| is_comment(line)) {
        first -= 1;
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_know_their_lines() {
        let text = "# about all\na: 1\n# about b\nb:\n- name: x\n  text: |\n    # no comment\n    y\n# about z\n- name: z\nc: {d: [1]}\n";
        let tree = parse(text).unwrap();
        assert!(!tree.rigid);
        let entries = tree.root.entries();
        let lines: Vec<(usize, usize)> = entries.iter().map(|entry| (entry.first, entry.last)).collect();
        assert_eq!(lines, [(1, 2), (2, 10), (10, 11)]);
        let Kind::Sequence { items, block: true } = &entries[1].value.kind else { panic!("{entries:?}") };
        assert_eq!(items.iter().map(|item| (item.first, item.last)).collect::<Vec<_>>(), [(4, 8), (8, 10)]);
        let inner: Vec<(usize, usize)> =
            items[0].value.entries().iter().map(|entry| (entry.first, entry.last)).collect();
        assert_eq!(inner, [(4, 5), (5, 8)]);
    }

    #[test]
    fn what_is_tied_together_is_rigid_and_what_is_strange_is_nothing() {
        for rigid in ["a: &x 1\nb: *x\n", "a: !t 1\n", "? a\n: b\n", "a: {<<: {b: 1}}\n"] {
            assert!(parse(rigid).is_none_or(|tree| tree.rigid), "{rigid}");
        }
        let doubled = parse_with_doubles("a: 1\nb: x\na: 2\n").unwrap().root;
        assert_eq!(doubled.nth("a", 1).and_then(Node::text), Some("2"));
        for strange in ["a: [\n", "a: 1\na: 2\n", "[a]: 1\n", "", &"[".repeat(200), "a: 1\n---\nb: 1\n"] {
            assert!(parse(strange).is_none(), "{strange}");
        }
    }
}
