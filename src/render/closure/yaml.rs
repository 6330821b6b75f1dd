//! YAML as kustomize sees it: every key that Go's decoder would take, duplicates included. Pure.
//!
//! Kustomize decodes its files with Go's JSON decoder, which matches keys without regard to case, and of a key that
//! occurs twice the last one counts. A reference must not be able to hide in either, so all of them are kept. What a
//! merge key (`<<`) brings in is kept beside what it would be hidden by.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess as _, Visitor};

/// Nothing that people write is larger; the parser's time must have a bound.
const LARGEST: usize = 4 * 1024 * 1024;
/// With fewer brackets a document cannot nest deep enough to matter: the parser's time grows with size times depth.
const MOST_BRACKETS: usize = 2_000;

/// A YAML value, without what no reference can be in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing.
    Null,
    /// Text.
    Text(String),
    /// A number or a boolean: kustomize might read it as text that is spelled otherwise.
    Other,
    /// A sequence.
    List(Vec<Value>),
    /// A mapping, in order; keys may repeat.
    Map(Vec<(Key, Value)>),
}

/// A mapping's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// As it is written.
    pub(super) written: String,
    /// As Go's decoder compares it.
    pub(super) folded: String,
}

impl Key {
    fn new(written: String) -> Self {
        // By way of upper case, so that the long s and the Kelvin sign fold too.
        let folded = written.to_uppercase().to_lowercase();
        Self { written, folded }
    }
}

impl Value {
    /// The entries, if it is a mapping.
    pub(super) fn entries(&self) -> &[(Key, Self)] {
        if let Self::Map(entries) = self { entries } else { &[] }
    }

    /// Every value of the key that folds to `folded`.
    pub(super) fn all<'a>(&'a self, folded: &'a str) -> impl Iterator<Item = &'a Self> {
        self.entries().iter().filter(move |(key, _)| key.folded == folded).map(|(_, value)| value)
    }

    /// Every item under the key that folds to `folded`: the items of a sequence, or the one value.
    pub(super) fn items<'a>(&'a self, folded: &'a str) -> impl Iterator<Item = &'a Self> {
        self.all(folded).flat_map(|value| match value {
            Self::Null => &[][..],
            Self::List(items) => items,
            one => std::slice::from_ref(one),
        })
    }

    /// The value of the key that is written exactly so, if it is the only one.
    pub(super) fn only_text(&self, written: &str) -> Option<&str> {
        let mut found = self.entries().iter().filter(|(key, _)| key.written == written);
        match (found.next(), found.next()) {
            (Some((_, Self::Text(text))), None) => Some(text),
            _ => None,
        }
    }
}

/// The documents of a YAML file; the error says why they cannot be told.
pub(super) fn documents(content: &[u8]) -> Result<Vec<Value>, String> {
    let text = std::str::from_utf8(content).map_err(|_| "is not UTF-8".to_owned())?;
    if text.len() > LARGEST {
        return Err(format!("is larger than {} MiB", LARGEST / 1024 / 1024));
    }
    if text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).nth(MOST_BRACKETS).is_some() {
        return Err(format!("has more than {MOST_BRACKETS} brackets"));
    }
    let documents = serde_yaml::Deserializer::from_str(text).map(Value::deserialize);
    documents.collect::<Result<_, _>>().map_err(|error| format!("is not valid YAML: {error}"))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_i128<E>(self, _: i128) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_u128<E>(self, _: u128) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
        Ok(Value::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Value, Value>()? {
            match key {
                Value::Text(key) if key == "<<" => merge(&mut map, value),
                Value::Text(key) => map.push((Key::new(key), value)),
                // No field has such a name.
                _ => map.push((Key::new(String::new()), value)),
            }
        }
        Ok(Value::Map(map))
    }

    /// A value with a tag of its own.
    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        let (_, contents) = data.variant::<serde::de::IgnoredAny>()?;
        contents.newtype_variant()
    }
}

fn merge(map: &mut Vec<(Key, Value)>, value: Value) {
    match value {
        Value::Map(entries) => map.extend(entries),
        Value::List(items) => items.into_iter().for_each(|item| merge(map, item)),
        other => map.push((Key::new("<<".to_owned()), other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(yaml: &str, key: &str) -> Vec<String> {
        let documents = documents(yaml.as_bytes()).unwrap();
        let items = documents.iter().flat_map(|document| document.items(key));
        items.map(|item| if let Value::Text(text) = item { text.clone() } else { "?".to_owned() }).collect()
    }

    #[test]
    fn every_key_that_go_would_take_counts() {
        assert_eq!(
            texts("RE\u{17f}OURCES: [a]\nresources: [b]\nresources: c\n", "resources"),
            ["a", "b", "c"]
        );
        assert_eq!(texts("resources: ~\n---\nResources: [1, !x d]\n", "resources"), ["?", "d"]);
        assert_eq!(texts("a: &a {resources: [x]}\n<<: [*a, {Resources: y}]\n", "resources"), ["x", "y"]);
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        assert_eq!(documents(b"\xff\xfe").unwrap_err(), "is not UTF-8");
        assert!(documents(b"a: {{ b }}\nc: [\n").unwrap_err().starts_with("is not valid YAML: "));
        assert!(documents("[".repeat(3000).as_bytes()).unwrap_err().contains("brackets"));
        assert_eq!(documents(b"").unwrap(), documents(b"# nothing\n").unwrap());
    }

    #[test]
    fn a_text_is_only_what_stands_alone() {
        let document = &documents(b"kind: A\nKind: B\n").unwrap()[0];
        assert_eq!((document.only_text("kind"), document.only_text("name")), (Some("A"), None));
        assert_eq!(documents(b"kind: A\nkind: B\n").unwrap()[0].only_text("kind"), None);
    }
}
