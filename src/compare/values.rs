//! What of a manifest must not be seen, as texts: so that it can be hidden wherever a program says it. Pure.
//!
//! What is hidden is what a preview hides (`mask`); here it is found in every way in which it is written.

use std::collections::BTreeSet;

use super::mask::Mask;
use super::path::{Path, Step};
use super::rules::Rules;
use super::same::names;
use super::tree::{self, Kind, Node};
use crate::model::{ManifestId, SecretRule};

/// Fields whose values say what something is and where, of a text that cannot be read as YAML.
const TELLING: &[&str] = &[
    "apiVersion",
    "kind",
    "name",
    "generateName",
    "namespace",
    "type",
    "op",
    "path",
    "group",
    "version",
    "target",
    "fieldPath",
    "labelSelector",
    "annotationSelector",
];
/// Copies of manifests inside of manifests are looked into this deep.
const DEEPEST: usize = 4;

/// A scalar of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scalar {
    /// The keys on the way to it.
    pub keys: Vec<String>,
    /// What it says.
    pub text: String,
}

/// The values of a manifest that a preview does not show; of one that cannot be read, all that its lines say.
pub fn hidden_values(id: &ManifestId, text: &str, secrets: &[SecretRule]) -> BTreeSet<String> {
    let rules = Rules { secrets, ..Rules::default() };
    let Some(mask) = rules.mask(id) else { return BTreeSet::new() };
    let Some(tree) = tree::parse_with_doubles(text) else { return line_values(text) };
    let mut finder = Finder::new(text, DEEPEST);
    finder.visit(&Path::default(), &tree.root, Some(&mask));
    if matches!(mask, Mask::Secret) {
        finder.comments();
    }
    finder.values
}

/// The values of all Secrets in a text, whatever they stand in; `None` where it cannot be read.
pub fn values_of_secrets(text: &str) -> Option<BTreeSet<String>> {
    let tree = tree::parse_with_doubles(text)?;
    let mut finder = Finder::new(text, DEEPEST);
    finder.secrets(&tree.root);
    Some(finder.values)
}

/// All scalars of a text; `None` where it cannot be read.
pub fn scalars(text: &str) -> Option<Vec<Scalar>> {
    let tree = tree::parse_with_doubles(text)?;
    let mut found = Vec::new();
    collect(&mut Vec::new(), &tree.root, &mut found);
    Some(found)
}

fn collect(keys: &mut Vec<String>, node: &Node, found: &mut Vec<Scalar>) {
    match &node.kind {
        Kind::Scalar { text, .. } => {
            found.push(Scalar { keys: keys.clone(), text: untagged(text).to_owned() });
        }
        Kind::Mapping { entries, .. } => {
            for entry in entries {
                keys.push(entry.key.clone());
                collect(keys, &entry.value, found);
                keys.pop();
            }
        }
        Kind::Sequence { items, .. } => items.iter().for_each(|item| collect(keys, &item.value, found)),
    }
}

/// What the lines of a text say that cannot be read as YAML: each behind its key, without quotes.
pub fn line_values(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let quotes = ['"', '\''];
    for line in text.lines() {
        // Whole, as far as it is one value, and its parts, as far as it is a mapping or a list on one line.
        for part in std::iter::once(line).chain(line.split(['{', '}', '[', ']', ','])) {
            let part = part.trim().trim_start_matches("- ").trim_start();
            let (key, value) = part.split_once(": ").unwrap_or(("", part));
            if TELLING.contains(&key.trim_matches(quotes)) || part.ends_with(':') {
                continue;
            }
            found.insert(value.trim().to_owned());
            found.insert(value.trim().trim_matches(quotes).to_owned());
            found.extend(value.split_once('=').map(|(_, value)| value.trim_matches(quotes).to_owned()));
        }
    }
    found
}

/// A text without the tag that is written before it.
fn untagged(text: &str) -> &str {
    if text.starts_with('!') { text.split_once(' ').map_or(text, |(_, rest)| rest) } else { text }
}

struct Finder<'t> {
    lines: Vec<&'t str>,
    depth: usize,
    values: BTreeSet<String>,
}

impl<'t> Finder<'t> {
    fn new(text: &'t str, depth: usize) -> Self {
        Self { lines: text.lines().collect(), depth, values: BTreeSet::new() }
    }

    /// Takes up what the mask hides; without one, everything.
    fn visit(&mut self, path: &Path, node: &Node, mask: Option<&Mask<'_>>) {
        match &node.kind {
            Kind::Scalar { text, .. } => {
                if mask.is_none() {
                    self.scalar(text, node);
                }
            }
            Kind::Mapping { entries, .. } => {
                for entry in entries {
                    let path = path.key(&entry.key);
                    self.part(&path, &entry.value, (entry.line, entry.last), mask);
                }
            }
            Kind::Sequence { items, .. } => {
                for (index, item) in items.iter().enumerate() {
                    let path = path.item_of(index, names(path.field(), &item.value));
                    self.part(&path, &item.value, (item.line, item.last), mask);
                }
            }
        }
    }

    fn part(&mut self, path: &Path, node: &Node, (first, last): (usize, usize), mask: Option<&Mask<'_>>) {
        let mask = mask.filter(|mask| !mask.hides(path, node));
        if mask.is_none() {
            // As it is written: a text of several lines may be folded in another way than it is meant.
            let below = self.lines.get(first + 1..last.min(self.lines.len())).unwrap_or_default();
            self.values.extend(below.iter().map(|line| line.trim().to_owned()));
        }
        self.visit(path, node, mask);
        if mask.is_none() && path.0.iter().any(|step| matches!(step, Step::Key(key) if key == "annotations"))
        {
            self.copy(node);
        }
    }

    fn scalar(&mut self, text: &str, node: &Node) {
        self.values.insert(text.to_owned());
        self.values.insert(untagged(text).to_owned());
        let line = self.lines.get(node.line).copied().unwrap_or_default();
        let written: String = line.chars().skip(node.column).collect();
        self.values.extend(between_quotes(&written).map(str::to_owned));
    }

    /// A whole manifest inside of an annotation, such as the one that `kubectl apply` leaves there.
    fn copy(&mut self, node: &Node) {
        let Some(text) = node.text().filter(|text| self.depth > 0 && text.trim_start().starts_with('{'))
        else {
            return;
        };
        if let Some(tree) = tree::parse_with_doubles(text) {
            let mut finder = Finder::new(text, self.depth - 1);
            if tree.root.get("metadata").is_some() {
                finder.visit(&Path::default(), &tree.root, Some(&Mask::Secret));
            } else {
                finder.visit(&Path::default(), &tree.root, None);
            }
            self.values.extend(finder.values);
        }
    }

    fn comments(&mut self) {
        for line in &self.lines {
            let comment =
                if line.trim_start().starts_with('#') { line.split_once('#') } else { line.split_once(" #") };
            // Helm says where a manifest comes from.
            let said = comment.map(|(_, said)| said.trim()).filter(|said| !said.starts_with("Source: "));
            self.values.extend(said.map(str::to_owned));
        }
    }

    fn secrets(&mut self, node: &Node) {
        if node.get("kind").and_then(Node::text) == Some("Secret") {
            self.visit(&Path::default(), node, Some(&Mask::Secret));
            return;
        }
        node.entries().iter().for_each(|entry| self.secrets(&entry.value));
        node.items().for_each(|item| self.secrets(item));
    }
}

/// What stands between the quotes that a text starts with, as it is written.
fn between_quotes(written: &str) -> Option<&str> {
    let quote = written.chars().next().filter(|quote| ['"', '\''].contains(quote))?;
    let inner = &written[1..];
    let mut rest = inner.char_indices().peekable();
    while let Some((index, c)) = rest.next() {
        match (quote, c) {
            ('"', '\\') => drop(rest.next()),
            ('\'', '\'') if rest.peek().is_some_and(|(_, next)| *next == '\'') => drop(rest.next()),
            (_, c) if c == quote => return Some(&inner[..index]),
            _ => {}
        }
    }
    Some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> ManifestId {
        ManifestId {
            group: String::new(),
            kind: "Secret".to_owned(),
            namespace: String::new(),
            name: "a".to_owned(),
        }
    }

    fn found(text: &str) -> BTreeSet<String> {
        hidden_values(&secret(), text, &[])
    }

    #[track_caller]
    fn has(text: &str, values: &[&str]) {
        let found = found(text);
        for value in values {
            assert!(found.contains(*value), "{value} is not in {found:?}");
        }
        assert!(!found.contains("shown"), "{found:?}");
    }

    #[test]
    fn values_are_found_however_they_are_written() {
        let head = "apiVersion: v1\nkind: Secret\nmetadata: {name: shown, labels: {a: shown}}\n";
        has(
            &format!("{head}stringData:\n  a: |\n    one\n    two\n  b: >-\n    three\n    four\n"),
            &["one\ntwo\n", "one", "two", "three four", "three", "four"],
        );
        has(
            &format!("{head}stringData: {{a: \"hunt\\x65r\", b: 'it''s'}}\n"),
            &["hunter", "hunt\\x65r", "it's", "it''s"],
        );
        has(&format!("{head}stringData: {{n: 12345678, t: !!str hunter}}\n"), &["12345678", "hunter"]);
        has(&format!("{head}stringData: {{a: one, a: two}}\n"), &["one", "two"]);
        has(&format!("{head}stringData: {{a: x}} # it is two\n"), &["it is two"]);
        let copy =
            "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"shown\"},\"stringData\":{\"a\":\"hunter1\"}}";
        has(
            &format!("kind: Secret\nmetadata:\n  name: shown\n  annotations:\n    last: '{copy}'\n"),
            &["hunter1", copy],
        );
    }

    #[test]
    fn chosen_fields_and_secrets_inside_of_lists_are_found() {
        let rule = SecretRule { path: "/spec/containers/app/token".to_owned(), ..SecretRule::default() };
        let text = "kind: App\nspec: {containers: [{name: app, token: hunter1}, {name: b, token: shown}]}\n";
        let id = ManifestId { kind: "App".to_owned(), ..secret() };
        assert_eq!(hidden_values(&id, text, &[rule]), BTreeSet::from(["hunter1".to_owned()]));
        let list = "kind: List\nitems:\n- {kind: Secret, metadata: {name: shown}, data: {a: hunter1}}\n- {kind: App, x: shown}\n";
        assert_eq!(values_of_secrets(list).unwrap(), BTreeSet::from(["hunter1".to_owned()]));
        assert_eq!(values_of_secrets("a: [\n"), None);
    }

    #[test]
    fn what_cannot_be_read_is_taken_line_by_line() {
        let found = found(
            "kind: Secret\nmetadata: {name: shown}\nstringData: {a: hunter1, b: [\nc: \"hunter2\"\n- d=hunter3\n",
        );
        for value in ["hunter1", "hunter2", "hunter3"] {
            assert!(found.contains(value), "{found:?}");
        }
        assert!(!found.contains("shown"), "{found:?}");
    }

    #[test]
    fn quotes_end_where_they_do() {
        for (written, inner) in
            [("\"a\\\"b\"}", "a\\\"b"), ("'a''b', c: 'd'", "a''b"), ("'a'''", "a''"), ("\"open", "open")]
        {
            assert_eq!(between_quotes(written), Some(inner), "{written}");
        }
        assert_eq!(between_quotes("plain"), None);
    }
}
