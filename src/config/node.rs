//! The YAML of a configuration as a tree of nodes that know their line and column. Pure.

/// One node of the YAML tree.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    /// The line on which it starts, from 1.
    pub(super) line: usize,
    /// The column at which it starts, from 1.
    pub(super) column: usize,
    /// What it is.
    pub(super) kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum NodeKind {
    /// A scalar: its text as written, without quotes.
    Scalar {
        /// The text.
        text: String,
        /// How it was written.
        style: Style,
    },
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping in the order of the file; keys are scalars; duplicates are still there.
    Mapping(Vec<(Node, Node)>),
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes: may be a number, a boolean or null.
    Plain,
    /// Within quotes, or folded: a string.
    Quoted,
    /// After `|`: a string whose lines are the file's, the first of them at the node.
    Literal,
}

/// What a scalar means by YAML's core schema.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(&'a str),
}

impl Node {
    /// The meaning of a scalar; `None` for a collection.
    pub(super) fn scalar(&self) -> Option<Scalar<'_>> {
        match &self.kind {
            NodeKind::Scalar { text, style: Style::Plain } => Some(core_schema(text)),
            NodeKind::Scalar { text, .. } => Some(Scalar::Text(text)),
            _ => None,
        }
    }

    /// The text of a scalar as written; empty for a collection.
    pub(super) fn text(&self) -> &str {
        match &self.kind {
            NodeKind::Scalar { text, .. } => text,
            _ => "",
        }
    }

    pub(super) fn is_null(&self) -> bool {
        self.scalar() == Some(Scalar::Null)
    }

    /// The value of `key`; without one, this node itself, so that a problem has the nearest place.
    pub(super) fn at(&self, key: &str) -> &Self {
        self.get(key).unwrap_or(self)
    }

    /// The value of `key`.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|(name, _)| name.text() == key).map(|(_, value)| value)
    }

    /// The node of `key` itself; without one, this node.
    pub(super) fn key(&self, key: &str) -> &Self {
        self.entries().iter().find(|(name, _)| name.text() == key).map_or(self, |(name, _)| name)
    }

    /// The item at `index`; without one, this node itself.
    pub(super) fn item(&self, index: usize) -> &Self {
        self.items().get(index).unwrap_or(self)
    }

    /// The entries of a mapping; none of anything else.
    pub(super) fn entries(&self) -> &[(Self, Self)] {
        match &self.kind {
            NodeKind::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none of anything else.
    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            NodeKind::Sequence(items) => items,
            _ => &[],
        }
    }

    /// Whether the lines of its text are lines of the file, the first one at the node.
    pub(super) fn is_line_by_line(&self) -> bool {
        match &self.kind {
            NodeKind::Scalar { style: Style::Literal, .. } => true,
            NodeKind::Scalar { text, .. } => !text.contains('\n'),
            _ => false,
        }
    }

    /// What it is, for people.
    pub(super) fn describe(&self) -> &'static str {
        match &self.kind {
            NodeKind::Sequence(_) => "a list",
            NodeKind::Mapping(_) => "a mapping",
            NodeKind::Scalar { .. } => match self.scalar() {
                Some(Scalar::Null) => "nothing",
                Some(Scalar::Boolean(_)) => "a boolean",
                Some(Scalar::Integer(_) | Scalar::Float(_)) => "a number",
                _ => "a string",
            },
        }
    }
}

/// Source: YAML 1.2.2, section 10.3.2 (tag resolution of the core schema).
fn core_schema(text: &str) -> Scalar<'_> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Boolean(true),
        "false" | "False" | "FALSE" => return Scalar::Boolean(false),
        _ => {}
    }
    integer(text)
        .map(Scalar::Integer)
        .or_else(|| float(text).map(Scalar::Float))
        .unwrap_or(Scalar::Text(text))
}

fn integer(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return i64::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with(['+', '-']));
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return i64::from_str_radix(digits, 8).ok().filter(|_| !digits.starts_with(['+', '-']));
    }
    text.parse().ok()
}

fn float(text: &str) -> Option<f64> {
    let starts_like_a_number =
        text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    (starts_like_a_number && has_digit).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars_follow_the_core_schema() {
        assert_eq!(core_schema("1.33"), Scalar::Float(1.33));
        assert_eq!(core_schema("010"), Scalar::Integer(10));
        assert_eq!(core_schema("0x1F"), Scalar::Integer(31));
        assert_eq!(core_schema("0x-1"), Scalar::Text("0x-1"));
        assert_eq!(core_schema("yes"), Scalar::Text("yes"));
        assert_eq!(core_schema("1.2.3"), Scalar::Text("1.2.3"));
        assert_eq!(core_schema("inf"), Scalar::Text("inf"));
        assert_eq!(core_schema("~"), Scalar::Null);
    }
}
