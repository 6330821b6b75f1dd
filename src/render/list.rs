//! Takes a `List` apart into its items, each with its own lines as its text. Pure.
//!
//! The lines are found by indentation, or by brackets when the items are in flow style (JSON). Each text is then parsed
//! and compared with what the parser sees in the list, so a guess that was wrong is noticed and the item is written as
//! JSON instead (anchors that are used across items, for one, cannot be kept as they are).

use serde_yaml::Value;

use super::identity::{self, Shape};
use super::yaml::{self, Problem};
use crate::model::ManifestPart;

/// Lists inside lists are taken apart this deep.
const DEEPEST: usize = 4;

/// The items of the list document `text`.
pub(crate) fn parts(text: &str) -> Result<Vec<ManifestPart>, Problem> {
    let mut found = Vec::new();
    collect(text, DEEPEST, &mut found)?;
    Ok(found)
}

fn collect(text: &str, depth: usize, found: &mut Vec<ManifestPart>) -> Result<(), Problem> {
    let value: Value = yaml::parse(text)?;
    let items = value.get("items").and_then(Value::as_sequence).map_or(&[][..], Vec::as_slice);
    for (index, text) in item_texts(text, items)?.into_iter().enumerate() {
        let problem =
            |message: String| Problem { line: 1, message: format!("item {}: {message}", index + 1) };
        match identity::shape_of(&text).map_err(|error| problem(error.message))? {
            Shape::Empty => {}
            Shape::Object(head) if head.is_list() && depth == 0 => {
                return Err(problem("is a list inside too many lists".to_owned()));
            }
            Shape::Object(head) if head.is_list() => collect(&text, depth - 1, found)?,
            Shape::Object(head) => {
                found.push(ManifestPart { id: head.id().map_err(problem)?, text: text.into_bytes() });
            }
        }
    }
    Ok(())
}

fn item_texts(text: &str, items: &[Value]) -> Result<Vec<String>, Problem> {
    let guesses = [block_items(text), flow_items(text)];
    if let Some(texts) = guesses.into_iter().find(|texts| are_the_items(texts, items)) {
        return Ok(texts);
    }
    items.iter().map(as_json).collect()
}

fn are_the_items(texts: &[String], items: &[Value]) -> bool {
    texts.len() == items.len()
        && texts
            .iter()
            .zip(items)
            .all(|(text, item)| yaml::parse::<Value>(text).is_ok_and(|own| own == *item))
}

fn as_json(item: &Value) -> Result<String, Problem> {
    let mut text = serde_json::to_string_pretty(item).map_err(|error| Problem {
        line: 1,
        message: format!("has an item that cannot be written as JSON: {error}"),
    })?;
    text.push('\n');
    Ok(text)
}

/// The items of a block sequence under a top-level `items:`, un-indented.
fn block_items(text: &str) -> Vec<String> {
    let mut block = Block::default();
    for line in text.split_inclusive('\n').skip_while(|line| !is_items_key(line)).skip(1) {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let content = line[indent..].trim_end();
        if content.is_empty() || content.starts_with('#') {
            block.waiting.push((indent, line));
            continue;
        }
        let dash = *block.dash.get_or_insert(indent);
        let is_start = indent == dash && (content == "-" || content.starts_with("- "));
        if is_start {
            block.start(after_dash(line, dash));
        } else if indent > dash {
            block.go_on(line);
        } else {
            break;
        }
    }
    block.give_to_item();
    block.items
}

/// The items of a block sequence so far.
#[derive(Default)]
struct Block<'text> {
    items: Vec<String>,
    /// The column of the dashes.
    dash: Option<usize>,
    /// Blank lines and comments, with their indentation: it is not known yet which item they belong to.
    waiting: Vec<(usize, &'text str)>,
}

impl Block<'_> {
    /// A new item: comments that are not deeper than its dash are about it.
    fn start(&mut self, first_line: &str) {
        self.give_to_item();
        let comments = self.waiting.drain(..).map(|(_, line)| line.trim()).filter(|line| !line.is_empty());
        let mut item = comments.fold(String::new(), |text, line| text + line + "\n");
        item.push_str(first_line);
        self.items.push(item);
    }

    fn go_on(&mut self, line: &str) {
        let waiting = std::mem::take(&mut self.waiting);
        for (_, line) in waiting {
            self.push(line);
        }
        self.push(line);
    }

    /// Lines that start with `#` deeper than the dash are the last item's, as are the blank lines before them.
    fn give_to_item(&mut self) {
        let dash = self.dash.unwrap_or_default();
        let is_deeper = |(indent, line): &(usize, &str)| *indent > dash && !line.trim().is_empty();
        let count = self.waiting.iter().rposition(is_deeper).map_or(0, |last| last + 1);
        let lines: Vec<_> = self.waiting.drain(..count).collect();
        for (_, line) in lines {
            self.push(line);
        }
    }

    fn push(&mut self, line: &str) {
        let depth = self.dash.unwrap_or_default() + 2;
        if let Some(item) = self.items.last_mut() {
            item.push_str(unindented(line, depth));
        }
    }
}

fn is_items_key(line: &str) -> bool {
    line.strip_prefix("items:").is_some_and(|rest| {
        let rest = rest.trim();
        rest.is_empty() || rest.starts_with('#')
    })
}

/// What follows an item's dash; nothing if the item starts on the next line.
fn after_dash(line: &str, at: usize) -> &str {
    let rest = &line[at + 1..];
    if rest.trim().is_empty() { "" } else { rest.strip_prefix(' ').unwrap_or(rest) }
}

/// `line` without up to `count` leading blanks.
fn unindented(line: &str, count: usize) -> &str {
    let blanks = line.len() - line.trim_start_matches(' ').len();
    &line[blanks.min(count)..]
}

/// The items of a flow sequence under `items`, as they are written: finds the sequence, then cuts it at the commas that
/// are neither quoted nor inside brackets.
fn flow_items(text: &str) -> Vec<String> {
    let Some(start) = flow_sequence_start(text) else { return Vec::new() };
    let mut items = Vec::new();
    let mut item_start = start;
    let mut depth = 0_usize;
    for (at, byte) in unquoted(text, start) {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' if depth == 0 => {
                items.push(&text[item_start..at]);
                break;
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                items.push(&text[item_start..at]);
                item_start = at + 1;
            }
            _ => {}
        }
    }
    items
        .iter()
        .map(|item| item.trim())
        .filter(|item| !item.is_empty())
        .map(|item| format!("{item}\n"))
        .collect()
}

/// The position after the `[` of the first `items` key that is followed by one.
fn flow_sequence_start(text: &str) -> Option<usize> {
    ["\"items\"", "items"].iter().find_map(|key| {
        text.match_indices(key).find_map(|(at, _)| {
            let colon = text[at + key.len()..].trim_start().strip_prefix(':')?;
            let sequence = colon.trim_start().strip_prefix('[')?;
            Some(text.len() - sequence.len())
        })
    })
}

/// The bytes of `text` from `start` that are not inside a double-quoted string.
fn unquoted(text: &str, start: usize) -> impl Iterator<Item = (usize, u8)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    text.bytes().enumerate().skip(start).filter(move |(_, byte)| {
        let was_quoted = is_quoted;
        if is_escaped {
            is_escaped = false;
        } else if is_quoted && *byte == b'\\' {
            is_escaped = true;
        } else if *byte == b'"' {
            is_quoted = !is_quoted;
        }
        !was_quoted && !is_quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(list: &str) -> Vec<String> {
        let parts = parts(list).unwrap();
        parts.into_iter().map(|part| String::from_utf8(part.text).unwrap()).collect()
    }

    #[test]
    fn block_items_keep_their_own_lines() {
        let list = "kind: List\nitems:\n# about a\n- apiVersion: v1\n  kind: A\n  metadata: {name: a}\n  data:\n    \"on\": |\n      x\n\n      y # no comment\n\n    # about z\n    z: 0644\n-\n  kind: B\n  metadata:\n    name: b\napiVersion: v1\n";
        assert_eq!(
            texts(list),
            [
                "# about a\napiVersion: v1\nkind: A\nmetadata: {name: a}\ndata:\n  \"on\": |\n    x\n\n    y # no comment\n\n  # about z\n  z: 0644\n",
                "kind: B\nmetadata:\n  name: b\n",
            ]
        );
    }

    #[test]
    fn indented_items_lose_their_whole_indentation() {
        let list = "kind: List\nitems:\n    - kind: A\n      metadata:\n        name: a\n    - kind: B\n      metadata:\n        name: b\n";
        assert_eq!(texts(list), ["kind: A\nmetadata:\n  name: a\n", "kind: B\nmetadata:\n  name: b\n"]);
    }

    #[test]
    fn json_items_are_cut_out_as_they_are() {
        let list = r#"{"kind": "List", "items": [{"kind":"A","metadata":{"name":"a"},"x":[1.10,"],\"{"]},
  {"kind":"B","metadata":{"name":"b"}}]}"#;
        assert_eq!(
            texts(list),
            [
                "{\"kind\":\"A\",\"metadata\":{\"name\":\"a\"},\"x\":[1.10,\"],\\\"{\"]}\n",
                "{\"kind\":\"B\",\"metadata\":{\"name\":\"b\"}}\n"
            ]
        );
    }

    #[test]
    fn anchors_across_items_are_resolved() {
        let list = "kind: List\nitems:\n- kind: A\n  metadata: {name: a, labels: &l {x: y}}\n- kind: B\n  metadata: {name: b, labels: *l}\n";
        let texts = texts(list);
        let second: Value = serde_yaml::from_str(&texts[1]).unwrap();
        assert_eq!(second["metadata"]["labels"]["x"], Value::from("y"));
    }

    #[test]
    fn lists_in_lists_are_taken_apart_and_bad_items_are_named() {
        let list = "kind: List\nitems:\n- kind: List\n  items:\n  - kind: A\n    metadata: {name: a}\n- kind: B\n  metadata: {name: b}\n";
        assert_eq!(texts(list), ["kind: A\nmetadata: {name: a}\n", "kind: B\nmetadata: {name: b}\n"]);
        let problem = parts("kind: List\nitems:\n- kind: A\n  metadata: {name: a}\n- kind: B\n").unwrap_err();
        assert_eq!(problem.message, "item 2: (B) has no `metadata.name`");
        assert!(parts("kind: List\nitems: []\n").unwrap().is_empty());
    }
}
