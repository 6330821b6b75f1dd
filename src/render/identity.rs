//! Who a document is: reads `apiVersion`, `kind` and `metadata` and skips the rest. Pure.
//!
//! The rest is only walked over by the parser, event by event, so deep nesting and aliases of aliases cost nothing.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_yaml::Value;

use super::yaml::{self, Problem, problem_of};
use crate::model::ManifestId;

/// What a document is at its top.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Nothing, or `null`.
    Empty,
    /// A mapping.
    Object(Head),
}

/// The part of a mapping that says who it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    api_version: Field,
    kind: Field,
    metadata: Metadata,
    has_items: bool,
    has_merge: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Metadata {
    name: Field,
    generate_name: Field,
    namespace: Field,
    has_merge: bool,
}

/// A value that must be text.
#[derive(Debug, Default, PartialEq, Eq)]
enum Field {
    #[default]
    Missing,
    Text(String),
    Other,
}

/// Reads the top of the one document that `text` is.
pub(crate) fn shape_of(text: &str) -> Result<Shape, Problem> {
    match yaml::parse::<Top>(text)? {
        Top::Empty => Ok(Shape::Empty),
        Top::Other(what) => Err(Problem { line: 1, message: format!("is {what}, not a mapping") }),
        Top::Object(head) if head.has_merge || head.metadata.has_merge => merged(text).map(Shape::Object),
        Top::Object(head) => Ok(Shape::Object(head)),
    }
}

/// The head of a document that uses merge keys (`<<`) where its identity is.
fn merged(text: &str) -> Result<Head, Problem> {
    let mut value: Value = yaml::parse(text)?;
    value.apply_merge().map_err(|error| problem_of(&error))?;
    match serde_yaml::from_value::<Top>(value).map_err(|error| problem_of(&error))? {
        Top::Object(head) => Ok(head),
        Top::Empty | Top::Other(_) => Ok(Head::default()),
    }
}

impl Head {
    /// Whether the object stands for its items. Any object with `items` is a list to Kubernetes' clients when its kind
    /// ends with `List`; one with a name of its own is taken for what it says it is, unless it is a plain `List`.
    pub(crate) fn is_list(&self) -> bool {
        let Field::Text(kind) = &self.kind else { return false };
        let is_named = self.metadata.name.is_some() || self.metadata.generate_name.is_some();
        self.has_items && (kind == "List" || (kind.ends_with("List") && !is_named))
    }

    /// The identity of a list itself.
    pub(crate) fn list_id(&self) -> ManifestId {
        ManifestId {
            group: self.group(),
            kind: self.kind.or_empty(),
            namespace: String::new(),
            name: String::new(),
        }
    }

    /// The identity, or what is missing for one.
    pub(crate) fn id(&self) -> Result<ManifestId, String> {
        let fields = [
            ("apiVersion", &self.api_version),
            ("kind", &self.kind),
            ("metadata.name", &self.metadata.name),
            ("metadata.generateName", &self.metadata.generate_name),
            ("metadata.namespace", &self.metadata.namespace),
        ];
        for (name, field) in fields {
            field.check(name)?;
        }
        if !self.kind.is_some() {
            return Err("has no `kind`".to_owned());
        }
        let name = if self.metadata.name.is_some() {
            self.metadata.name.or_empty()
        } else if self.metadata.generate_name.is_some() {
            format!("{}*", self.metadata.generate_name.or_empty())
        } else {
            return Err(format!("({}) has no `metadata.name`", self.kind.or_empty()));
        };
        let namespace = self.metadata.namespace.or_empty();
        Ok(ManifestId { group: self.group(), kind: self.kind.or_empty(), namespace, name })
    }

    fn group(&self) -> String {
        self.api_version.or_empty().split_once('/').map_or_else(String::new, |(group, _)| group.to_owned())
    }
}

impl Field {
    fn is_some(&self) -> bool {
        matches!(self, Self::Text(text) if !text.is_empty())
    }

    fn or_empty(&self) -> String {
        if let Self::Text(text) = self { text.clone() } else { String::new() }
    }

    fn check(&self, name: &str) -> Result<(), String> {
        match self {
            Self::Other => Err(format!("has a `{name}` that is not a string")),
            Self::Text(text) if text.chars().any(char::is_control) => {
                Err(format!("has a `{name}` with control characters in it"))
            }
            Self::Text(_) | Self::Missing => Ok(()),
        }
    }

    fn set<'de, A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        if *self != Self::Missing {
            return Err(twice(name));
        }
        *self = map.next_value()?;
        Ok(())
    }
}

fn twice<E: serde::de::Error>(name: &str) -> E {
    E::custom(format_args!("`{name}` is given twice"))
}

enum Top {
    Empty,
    Object(Head),
    Other(&'static str),
}

impl<'de> Deserialize<'de> for Top {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TopVisitor)
    }
}

struct TopVisitor;

impl<'de> Visitor<'de> for TopVisitor {
    type Value = Top;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a mapping")
    }

    fn visit_unit<E>(self) -> Result<Top, E> {
        Ok(Top::Empty)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Top, E> {
        Ok(Top::Other("a boolean"))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Top, E> {
        Ok(Top::Other("a number"))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Top, E> {
        Ok(Top::Other("a number"))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Top, E> {
        Ok(Top::Other("a number"))
    }

    fn visit_str<E>(self, _: &str) -> Result<Top, E> {
        Ok(Top::Other("a string"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Top, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Top::Other("a sequence"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Top, A::Error> {
        let mut head = Head::default();
        let (mut has_metadata, mut has_items) = (false, false);
        while let Some(key) = map.next_key::<Key>()? {
            match key.0.as_str() {
                "apiVersion" => head.api_version.set("apiVersion", &mut map)?,
                "kind" => head.kind.set("kind", &mut map)?,
                "metadata" if std::mem::replace(&mut has_metadata, true) => return Err(twice("metadata")),
                "metadata" => head.metadata = map.next_value()?,
                "items" if std::mem::replace(&mut has_items, true) => return Err(twice("items")),
                "items" => head.has_items = map.next_value::<IsSequence>()?.0,
                other => {
                    head.has_merge |= other == "<<";
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Top::Object(head))
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MetadataVisitor)
    }
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
    type Value = Metadata;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("`metadata` to be a mapping")
    }

    fn visit_unit<E>(self) -> Result<Metadata, E> {
        Ok(Metadata::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
        let mut metadata = Metadata::default();
        while let Some(key) = map.next_key::<Key>()? {
            match key.0.as_str() {
                "name" => metadata.name.set("metadata.name", &mut map)?,
                "generateName" => metadata.generate_name.set("metadata.generateName", &mut map)?,
                "namespace" => metadata.namespace.set("metadata.namespace", &mut map)?,
                other => {
                    metadata.has_merge |= other == "<<";
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(metadata)
    }
}

/// A mapping's key; one that is not text is none of ours.
struct Key(String);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Field::deserialize(deserializer).map(|field| Self(field.or_empty()))
    }
}

struct IsSequence(bool);

impl<'de> Deserialize<'de> for IsSequence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let field = deserializer.deserialize_any(FieldVisitor)?;
        Ok(Self(field.1))
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor).map(|field| field.0)
    }
}

/// Takes text, and anything else as [`Field::Other`]; also says whether it was a sequence.
struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = (Field, bool);

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok((Field::Missing, false))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok((Field::Other, false))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok((Field::Other, false))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok((Field::Other, false))
    }

    fn visit_i128<E>(self, _: i128) -> Result<Self::Value, E> {
        Ok((Field::Other, false))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Self::Value, E> {
        Ok((Field::Other, false))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok((Field::Other, false))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok((Field::Text(text.to_owned()), false))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok((Field::Other, true))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok((Field::Other, false))
    }
}
