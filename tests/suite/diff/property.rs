//! Generated manifests, written in generated styles: nothing of a change is lost, nothing is shown that is none, and the
//! same gives the same.

use std::fmt::Write as _;

use hydrator::compare::{Change, Comparison, Document, Mark, Rules, compare};
use hydrator::model::{DiffRule, ManifestId};

use crate::support::random::Random;

/// A value without a style.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Text(String),
    Number(u64),
    Map(Vec<(String, Value)>),
    List(Vec<Value>),
}

const TEXTS: &[&str] = &[
    "x",
    "a b",
    "true",
    "0644",
    "- a",
    "# b",
    "a: b",
    "```",
    "@alice",
    "<b>",
    "ünï\u{1f600}",
    "'q'",
    "\"",
    "{a}",
    "&a",
    "*a",
    "line\nother\n",
    "#!/bin/sh\n\nif true\n  # no comment\nfi\n",
    "---\na\n",
    "",
    "null",
    "12",
    "a\\n",
    "$(A)",
    " lead",
    "trail ",
    "````\n</details>\n",
];

fn text(random: &mut Random) -> Value {
    let number = random.below(30);
    if random.below(4) == 0 {
        Value::Number(number as u64)
    } else {
        let base = TEXTS[random.below(TEXTS.len())];
        Value::Text(if random.below(3) == 0 { format!("{base}{number}") } else { base.to_owned() })
    }
}

fn named(random: &mut Random, index: usize) -> Value {
    let mut entries = vec![("name".to_owned(), Value::Text(format!("n{index}")))];
    for key in ["image", "value", "more"].iter().take(random.below(4)) {
        entries.push(((*key).to_owned(), text(random)));
    }
    if random.below(3) == 0 {
        let count = random.below(4);
        entries.push(("args".to_owned(), Value::List((0..count).map(|_| text(random)).collect())));
    }
    shuffle(random, &mut entries);
    Value::Map(entries)
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth > 3 { 2 } else { 6 }) {
        0 | 1 => text(random),
        2 => {
            let count = random.below(4);
            Value::List((0..count).map(|_| value(random, depth + 1)).collect())
        }
        _ => map(random, depth),
    }
}

fn map(random: &mut Random, depth: usize) -> Value {
    let mut entries = Vec::new();
    for index in 0..random.below(5) {
        entries.push((format!("k{index}"), value(random, depth + 1)));
    }
    if random.below(2) == 0 {
        let count = random.below(4);
        let items = (0..count).map(|index| named(random, index)).collect();
        entries.push(("containers".to_owned(), Value::List(items)));
    }
    Value::Map(entries)
}

fn manifest(random: &mut Random, kind: &str, name: &str) -> Value {
    let own = |text: &str| Value::Text(text.to_owned());
    Value::Map(vec![
        ("apiVersion".to_owned(), own("example.org/v1")),
        ("kind".to_owned(), own(kind)),
        ("metadata".to_owned(), Value::Map(vec![("name".to_owned(), own(name))])),
        ("spec".to_owned(), map(random, 0)),
    ])
}

fn shuffle<T>(random: &mut Random, items: &mut [T]) {
    for index in (1..items.len()).rev() {
        items.swap(index, random.below(index + 1));
    }
}

/// Changes something below; what a manifest is known by stays.
fn edit(random: &mut Random, value: &mut Value) {
    match value {
        Value::Map(entries) => {
            let kept = ["apiVersion", "kind", "metadata", "name"];
            for (key, value) in entries.iter_mut().filter(|(key, _)| !kept.contains(&key.as_str())) {
                if random.below(3) == 0 {
                    if key == "containers" {
                        edit_named(random, value);
                    } else {
                        edit(random, value);
                    }
                }
            }
            if random.below(6) == 0 {
                entries.retain(|(key, _)| kept.contains(&key.as_str()) || key == "spec" || key == "k0");
            }
            if random.below(5) == 0 && !entries.iter().any(|(key, _)| key == "new") {
                let at = random.below(entries.len() + 1);
                let new = self::value(random, 2);
                entries.insert(at, ("new".to_owned(), new));
            }
        }
        Value::List(items) => {
            if !items.is_empty() && random.below(2) == 0 {
                let at = random.below(items.len());
                edit(random, &mut items[at]);
            }
            if random.below(3) == 0 {
                let at = random.below(items.len() + 1);
                let new = self::value(random, 3);
                items.insert(at, new);
            }
            if !items.is_empty() && random.below(3) == 0 {
                let at = random.below(items.len());
                items.remove(at);
            }
        }
        Value::Text(_) | Value::Number(_) => *value = text(random),
    }
}

fn edit_named(random: &mut Random, value: &mut Value) {
    let Value::List(items) = value else { return };
    for item in items.iter_mut() {
        if random.below(2) == 0 {
            edit(random, item);
        }
    }
    if !items.is_empty() && random.below(3) == 0 {
        let at = random.below(items.len());
        items.remove(at);
    }
    if random.below(3) == 0 {
        items.push(named(random, 9));
        let last = items.len() - 1;
        items.swap(0, last);
    }
}

/// Another order where order means nothing.
fn stir(random: &mut Random, value: &mut Value) {
    match value {
        Value::Map(entries) => {
            for (key, value) in entries.iter_mut() {
                stir(random, value);
                if let (true, Value::List(items)) = (key == "containers", value) {
                    shuffle(random, items);
                }
            }
            shuffle(random, entries);
        }
        Value::List(items) => items.iter_mut().for_each(|item| stir(random, item)),
        Value::Text(_) | Value::Number(_) => {}
    }
}

/// Writes a value as YAML, in one of many styles.
struct Writer<'r> {
    random: &'r mut Random,
    step: usize,
    indents_lists: bool,
}

impl Writer<'_> {
    fn document(random: &mut Random, value: &Value) -> String {
        let step = 2 + 2 * random.below(2);
        let indents_lists = random.below(2) == 0;
        let mut writer = Writer { random, step, indents_lists };
        let mut out = String::new();
        writer.block(&mut out, value, 0, false);
        out
    }

    /// The lines of a collection; the first one may stand behind a dash.
    fn block(&mut self, out: &mut String, value: &Value, depth: usize, behind_dash: bool) {
        let mut indent = !behind_dash;
        let mut start = |out: &mut String| {
            if indent {
                out.push_str(&" ".repeat(depth));
            }
            indent = true;
        };
        match value {
            Value::Map(entries) => {
                for (key, value) in entries {
                    if self.random.below(12) == 0 && out.ends_with('\n') {
                        let _ = writeln!(out, "{}# about {key}: - x", " ".repeat(depth));
                    }
                    start(out);
                    let _ = write!(out, "{key}:");
                    self.rest(out, value, depth, depth + self.step);
                }
            }
            Value::List(items) => {
                for item in items {
                    start(out);
                    out.push('-');
                    if is_collection(item) && self.random.below(5) > 0 {
                        out.push(' ');
                        self.block(out, item, depth + 2, true);
                    } else {
                        self.rest(out, item, depth, depth + 2);
                    }
                }
            }
            Value::Text(_) | Value::Number(_) => {}
        }
    }

    /// What follows a key or a dash.
    fn rest(&mut self, out: &mut String, value: &Value, depth: usize, below: usize) {
        if is_collection(value) && self.random.below(8) > 0 {
            out.push('\n');
            let is_list = matches!(value, Value::List(_));
            let is_key = out.trim_end().ends_with(':');
            let column = if is_list && is_key && !self.indents_lists { depth } else { below };
            self.block(out, value, column, false);
            return;
        }
        out.push(' ');
        match value {
            Value::Text(text)
                if text.contains('\n') && !text.starts_with([' ', '\n']) && self.random.below(3) > 0 =>
            {
                let _ = writeln!(out, "|{}", if text.ends_with('\n') { "" } else { "-" });
                for line in text.trim_end_matches('\n').split('\n') {
                    let indent = if line.is_empty() { 0 } else { depth + 3 };
                    let _ = writeln!(out, "{}{line}", " ".repeat(indent));
                }
            }
            other => {
                let _ = writeln!(out, "{}", self.flow(other));
            }
        }
    }

    fn flow(&mut self, value: &Value) -> String {
        match value {
            Value::Number(number) => number.to_string(),
            Value::Text(text) => {
                let is_word = text.len() > 1 && text.bytes().all(|byte| (b'm'..=b'z').contains(&byte));
                if is_word && self.random.below(2) == 0 {
                    text.clone()
                } else {
                    serde_json::to_string(text).unwrap()
                }
            }
            Value::Map(entries) => {
                let parts: Vec<String> =
                    entries.iter().map(|(key, value)| format!("{key}: {}", self.flow(value))).collect();
                format!("{{{}}}", parts.join(", "))
            }
            Value::List(items) => {
                let parts: Vec<String> = items.iter().map(|item| self.flow(item)).collect();
                format!("[{}]", parts.join(", "))
            }
        }
    }
}

fn is_collection(value: &Value) -> bool {
    match value {
        Value::Map(entries) => !entries.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Text(_) | Value::Number(_) => false,
    }
}

/// What a text means: maps sorted, and containers by their names.
fn meaning(text: &str) -> serde_json::Value {
    let value: serde_json::Value =
        serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    normal("", value)
}

fn normal(field: &str, value: serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let mut entries: Vec<_> =
                map.into_iter().map(|(key, value)| (key.clone(), normal(&key, value))).collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            entries.into_iter().collect()
        }
        serde_json::Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(|item| normal("", item)).collect();
            if field == "containers" {
                items.sort_by_key(|item| item["name"].to_string());
            }
            items.into()
        }
        other => other,
    }
}

fn document(name: &str, text: &str) -> Document {
    let own = str::to_owned;
    let id = ManifestId { group: own("apps"), kind: own("App"), namespace: String::new(), name: own(name) };
    Document { id, text: Some(own(text)) }
}

/// The base with what is shown applied to it.
fn applied(base: &str, change: &Change) -> String {
    let old: Vec<&str> = base.lines().collect();
    let (mut out, mut next) = (String::new(), 0);
    let mut push = |line: &str| {
        out.push_str(line);
        out.push('\n');
    };
    for hunk in &change.hunks {
        let has_old = hunk.lines.iter().any(|line| line.mark != Mark::Added);
        let start = if has_old || hunk.old > 0 { hunk.old - 1 } else { 0 };
        old[next..start].iter().for_each(|line| push(line));
        next = start;
        for line in &hunk.lines {
            if line.mark != Mark::Added {
                assert_eq!(old[next], line.text, "a line of the base");
                next += 1;
            }
            if line.mark != Mark::Removed {
                push(&line.text);
            }
        }
    }
    old[next..].iter().for_each(|line| push(line));
    out
}

fn one(base: &str, head: &str, rules: &Rules<'_>) -> Comparison {
    compare("web", &[document("a", base)], &[document("a", head)], rules)
}

#[test]
fn what_is_shown_makes_the_head_of_the_base() {
    for seed in 0..3_000 {
        let mut random = Random::new(seed);
        let before = manifest(&mut random, "App", "a");
        let mut after = before.clone();
        edit(&mut random, &mut after);
        stir(&mut random, &mut after);
        let (base, head) = (Writer::document(&mut random, &before), Writer::document(&mut random, &after));
        let found = one(&base, &head, &Rules::default());
        assert_eq!(found, one(&base, &head, &Rules::default()), "seed {seed}: twice the same");
        let is_same = meaning(&base) == meaning(&head);
        let Some(change) = found.changes.first() else {
            assert!(is_same, "seed {seed}: a change is lost\n{base}\n---\n{head}");
            continue;
        };
        assert!(!is_same, "seed {seed}: nothing changed\n{base}\n---\n{head}");
        let result = applied(&base, change);
        assert_eq!(meaning(&result), meaning(&head), "seed {seed}\n{base}\n---\n{head}\n---\n{result}");
        assert!(!change.hunks.is_empty() && found.hidden == 0, "seed {seed}");
    }
}

#[test]
fn order_and_style_alone_are_no_change() {
    for seed in 0..1_000 {
        let mut random = Random::new(seed);
        let before = manifest(&mut random, "App", "a");
        let mut after = before.clone();
        stir(&mut random, &mut after);
        let (base, head) = (Writer::document(&mut random, &before), Writer::document(&mut random, &after));
        let found = one(&base, &head, &Rules::default());
        let form = usize::from(base != head);
        assert_eq!(found, Comparison { form, ..Comparison::default() }, "seed {seed}\n{base}\n---\n{head}");
    }
}

#[test]
fn the_form_is_shown_to_the_byte_where_it_is_asked_for() {
    let rules = Rules { form: true, ..Rules::default() };
    for seed in 0..2_000 {
        let mut random = Random::new(seed);
        let before = manifest(&mut random, "App", "a");
        let mut after = before.clone();
        if seed % 2 == 0 {
            edit(&mut random, &mut after);
        }
        stir(&mut random, &mut after);
        let (base, head) = (Writer::document(&mut random, &before), Writer::document(&mut random, &after));
        let found = one(&base, &head, &rules);
        assert_eq!((found.changes.len(), found.form), (usize::from(base != head), 0), "seed {seed}");
        for change in &found.changes {
            assert_eq!(applied(&base, change), head, "seed {seed}");
            assert_eq!(change.form, meaning(&base) == meaning(&head), "seed {seed}\n{base}\n---\n{head}");
            assert!(!change.fields.is_empty(), "seed {seed}: no field is named\n{base}\n---\n{head}");
        }
    }
}

#[test]
fn what_is_not_shown_is_counted() {
    let ignore = [DiffRule { path: Some("/spec/*".to_owned()), ..DiffRule::default() }];
    let rules = Rules { ignore: &ignore, secrets: &[], form: false };
    for seed in 0..500 {
        let mut random = Random::new(seed);
        let before = manifest(&mut random, "App", "a");
        let mut after = before.clone();
        edit(&mut random, &mut after);
        let (base, head) = (Writer::document(&mut random, &before), Writer::document(&mut random, &after));
        let found = one(&base, &head, &rules);
        let result = found.changes.first().map_or_else(|| base.clone(), |change| applied(&base, change));
        let (mut shown, mut wanted) = (meaning(&result), meaning(&head));
        let differs = meaning(&base)["spec"].clone();
        let changes = wanted["spec"] != differs && wanted.get("spec").is_some();
        let is_shown = shown["spec"] == wanted["spec"] && shown["spec"] != differs;
        assert_eq!(found.hidden > 0, changes && !is_shown, "seed {seed}\n{base}\n---\n{head}");
        shown["spec"] = serde_json::Value::Null;
        wanted["spec"] = serde_json::Value::Null;
        assert_eq!(shown, wanted, "seed {seed}\n{base}\n---\n{head}");
    }
}

#[test]
fn every_manifest_is_shown_or_counted() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let (mut base, mut head) = (Vec::new(), Vec::new());
        for index in 0..random.below(8) {
            let mut one = manifest(&mut random, "App", "a");
            let name = format!("n{index}");
            let side = random.below(4);
            if side != 0 {
                base.push(document(&name, &Writer::document(&mut random, &one)));
            }
            if side == 2 {
                edit(&mut random, &mut one);
            }
            if side != 1 {
                head.push(document(&name, &Writer::document(&mut random, &one)));
            }
        }
        shuffle(&mut random, &mut head);
        let found = compare("web", &base, &head, &Rules::default());
        let same = |old: &&Document| head.iter().any(|new| new == *old);
        let unchanged = base.iter().filter(same).count();
        // Every one of the base is unchanged, written differently, changed, renamed or removed.
        let of_base =
            found.changes.iter().filter(|change| change.operation != hydrator::compare::Operation::Added);
        assert_eq!(unchanged + found.form + of_base.count(), base.len(), "seed {seed}");
        let of_head =
            found.changes.iter().filter(|change| change.operation != hydrator::compare::Operation::Removed);
        assert_eq!(unchanged + found.form + of_head.count(), head.len(), "seed {seed}");
    }
}
