//! Nodes to structs: a serde deserializer over [`Node`], so that the file is parsed once and by one set of rules.
//!
//! A string field accepts only strings (the structure check has said so before); [`super::raw::Text`] accepts any
//! scalar and gets its text as written, which keeps `1.10` from becoming `1.1`. Pure.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::node::{Node, NodeKind, Scalar};

/// Why a struct could not be made: serde's message and where.
#[derive(Debug)]
pub(super) struct Unfit {
    pub(super) line: usize,
    pub(super) column: usize,
    pub(super) message: String,
}

impl std::fmt::Display for Unfit {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for Unfit {}

impl de::Error for Unfit {
    fn custom<T: std::fmt::Display>(message: T) -> Self {
        Self { line: 0, column: 0, message: message.to_string() }
    }
}

/// Makes a `T` of `node`.
pub(super) fn from_node<T: DeserializeOwned>(node: &Node) -> Result<T, Unfit> {
    T::deserialize(node)
}

impl Unfit {
    /// Inner nodes come first and are the most exact.
    fn placed(mut self, node: &Node) -> Self {
        if self.line == 0 {
            self.line = node.line;
            self.column = node.column;
        }
        self
    }
}

impl<'de> IntoDeserializer<'de, Unfit> for &'de Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> de::Deserializer<'de> for &'de Node {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let made = match &self.kind {
            NodeKind::Sequence(items) => visitor.visit_seq(SeqDeserializer::new(items.iter())),
            NodeKind::Mapping(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.text(), value));
                visitor.visit_map(MapDeserializer::new(entries))
            }
            NodeKind::Scalar { .. } => match self.scalar() {
                Some(Scalar::Boolean(value)) => visitor.visit_bool(value),
                Some(Scalar::Integer(value)) => visitor.visit_i64(value),
                Some(Scalar::Float(value)) => visitor.visit_f64(value),
                Some(Scalar::Text(value)) => visitor.visit_borrowed_str(value),
                Some(Scalar::Null) | None => visitor.visit_unit(),
            },
        };
        made.map_err(|error: Unfit| error.placed(self))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        match (&self.kind, name) {
            (NodeKind::Scalar { text, .. }, super::raw::TEXT) => {
                visitor.visit_newtype_struct(text.as_str().into_deserializer())
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        visitor.visit_enum(Word(self)).map_err(|error| error.placed(self))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

/// A scalar as the name of an enum's variant without content: our enums have no others.
struct Word<'de>(&'de Node);

impl<'de> EnumAccess<'de> for Word<'de> {
    type Error = Unfit;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Unfit> {
        let word = self.0.text().into_deserializer();
        seed.deserialize(de::value::StrDeserializer::<Unfit>::into_deserializer(word))
            .map(|value| (value, self))
    }
}

impl<'de> VariantAccess<'de> for Word<'de> {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _seed: T) -> Result<T::Value, Unfit> {
        Err(de::Error::custom("a word is expected"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _visitor: V) -> Result<V::Value, Unfit> {
        Err(de::Error::custom("a word is expected"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, Unfit> {
        Err(de::Error::custom("a word is expected"))
    }
}
