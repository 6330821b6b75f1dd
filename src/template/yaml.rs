//! Values of the template engine as YAML and JSON text. Pure.
//!
//! Each node is paid for with the template's fuel: a value that holds itself many times is small in memory and
//! enormous as text.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::error::refuse;

/// Deeper is no manifest.
const MAX_DEPTH: usize = 64;

/// `value` as YAML in block style, without a final newline.
pub(super) fn block(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    let mut writer = Writer { state, text: String::new() };
    writer.block(value, 0)?;
    Ok(writer.text)
}

/// `value` as JSON in one line.
pub(super) fn json(state: &State<'_, '_>, value: &Value) -> Result<String, Error> {
    let mut writer = Writer { state, text: String::new() };
    writer.json(value, 0)?;
    Ok(writer.text)
}

struct Writer<'a, 's, 'e> {
    state: &'a State<'s, 'e>,
    text: String,
}

impl Writer<'_, '_, '_> {
    fn pay(&self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > MAX_DEPTH {
            return Err(refuse(format!("a value is nested deeper than {MAX_DEPTH} levels")));
        }
        let length = value.as_str().map_or(0, str::len) + 2 * depth;
        self.state.consume_fuel(1 + u64::try_from(length / 64).unwrap_or(u64::MAX))
    }

    fn block(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.pay(value, depth)?;
        match value.kind() {
            ValueKind::Map if value.len() != Some(0) => self.block_map(value, depth),
            ValueKind::Seq | ValueKind::Iterable if value.len() != Some(0) => self.block_list(value, depth),
            ValueKind::String => {
                let text = value.as_str().unwrap_or_default();
                match literal_header(text) {
                    Some(header) => self.literal(text, header, depth),
                    None => self.text.push_str(&scalar(text)),
                }
                Ok(())
            }
            _ => self.json(value, depth),
        }
    }

    fn block_map(&mut self, map: &Value, depth: usize) -> Result<(), Error> {
        for (index, key) in map.try_iter()?.enumerate() {
            if index > 0 {
                self.new_line(depth);
            }
            let value = map.get_item(&key)?;
            self.pay(&key, depth)?;
            self.text.push_str(&scalar(&key.to_string()));
            self.text.push(':');
            let nested = matches!(value.kind(), ValueKind::Map | ValueKind::Seq | ValueKind::Iterable);
            if nested && value.len() != Some(0) {
                // Lists are indented too: right in every parser and for every reader.
                self.new_line(depth + 1);
            } else {
                self.text.push(' ');
            }
            self.block(&value, depth + 1)?;
        }
        Ok(())
    }

    fn block_list(&mut self, list: &Value, depth: usize) -> Result<(), Error> {
        let mut empty = true;
        for item in list.try_iter()? {
            if !empty {
                self.new_line(depth);
            }
            empty = false;
            self.text.push_str("- ");
            self.block(&item, depth + 1)?;
        }
        if empty {
            self.text.push_str("[]");
        }
        Ok(())
    }

    fn literal(&mut self, text: &str, header: &str, depth: usize) {
        self.text.push_str(header);
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if line.is_empty() {
                self.text.push('\n');
            } else {
                self.new_line(depth.max(1));
                self.text.push_str(line);
            }
        }
    }

    fn new_line(&mut self, depth: usize) {
        self.text.push('\n');
        self.text.extend(std::iter::repeat_n("  ", depth));
    }

    fn json(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        self.pay(value, depth)?;
        match value.kind() {
            ValueKind::None => self.text.push_str("null"),
            ValueKind::Bool => self.text.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.text.push_str(&number(value)),
            ValueKind::String => self.text.push_str(&quoted(value.as_str().unwrap_or_default())),
            ValueKind::Seq | ValueKind::Iterable => {
                self.text.push('[');
                for (index, item) in value.try_iter()?.enumerate() {
                    self.text.push_str(if index > 0 { "," } else { "" });
                    self.json(&item, depth + 1)?;
                }
                self.text.push(']');
            }
            ValueKind::Map => {
                self.text.push('{');
                for (index, key) in value.try_iter()?.enumerate() {
                    self.text.push_str(if index > 0 { "," } else { "" });
                    self.text.push_str(&quoted(&key.to_string()));
                    self.text.push(':');
                    self.json(&value.get_item(&key)?, depth + 1)?;
                }
                self.text.push('}');
            }
            kind => return Err(refuse(format!("a value of type {kind} has no YAML or JSON form"))),
        }
        Ok(())
    }
}

fn number(value: &Value) -> String {
    let text = value.to_string();
    match text.as_str() {
        "NaN" => ".nan".to_owned(),
        "inf" => ".inf".to_owned(),
        "-inf" => "-.inf".to_owned(),
        _ => text,
    }
}

/// JSON strings are YAML strings in double quotes, once what YAML takes for a line break or not printable is escaped.
fn quoted(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    if !json.contains(needs_escape) {
        return json;
    }
    let escaped = json
        .chars()
        .map(|c| if needs_escape(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() });
    escaped.collect()
}

/// Source: YAML 1.1, productions b-char and c-printable; they are all in the basic plane.
fn needs_escape(c: char) -> bool {
    matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Without quotes only when no YAML parser, old or new, could take it for anything but the string.
fn scalar(text: &str) -> String {
    const WORDS: &[&str] = &["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '/')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'))
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text));
    if plain { text.to_owned() } else { quoted(text) }
}

/// The header of a block scalar that keeps `text` byte for byte; `None` if quotes are safer.
fn literal_header(text: &str) -> Option<&'static str> {
    let odd = |c: char| c != '\n' && (c.is_control() || needs_escape(c));
    let starts_blank = text.starts_with([' ', '\n']);
    let blank_line = text.split('\n').any(|line| !line.is_empty() && line.trim().is_empty());
    if !text.trim_end_matches('\n').contains('\n') && !text.ends_with('\n')
        || starts_blank
        || blank_line
        || text.contains(odd)
    {
        return None;
    }
    match text.len() - text.trim_end_matches('\n').len() {
        0 => Some("|-"),
        1 => Some("|"),
        _ => None,
    }
}
