//! One rendered Kubernetes document: who it is, and its own text.

use std::fmt;

/// What makes a Kubernetes object the one it is, within one rendered stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ManifestId {
    /// The API group; empty for the core group. The version is no part of the identity.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// `metadata.namespace`; empty when it has none.
    pub namespace: String,
    /// `metadata.name`, or `metadata.generateName` followed by `*` (those never clash: each apply makes a new one).
    pub name: String,
}

impl fmt::Display for ManifestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.kind)?;
        if !self.group.is_empty() {
            write!(out, ".{}", self.group)?;
        }
        if self.namespace.is_empty() {
            write!(out, " {}", self.name)
        } else {
            write!(out, " {}/{}", self.namespace, self.name)
        }
    }
}

/// One document of a rendered stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The identity of the object. For a `kind: List`, the list's own kind with an empty name: its items are in `parts`.
    pub id: ManifestId,
    /// The document's own text, byte for byte as the renderer wrote it, without separators, with a final newline.
    pub text: Vec<u8>,
    /// The items of a `kind: List`; empty for an ordinary document.
    pub parts: Vec<ManifestPart>,
    /// The line of the stream on which the document starts, from 1.
    pub line: usize,
}

/// One item of a `kind: List`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestPart {
    /// The item's identity.
    pub id: ManifestId,
    /// The item as a document of its own, for the `split` layout: its own lines, un-indented; with a final newline.
    pub text: Vec<u8>,
}

impl Manifest {
    /// The identities of the objects in this document: its own, or its items'.
    pub fn ids(&self) -> impl Iterator<Item = &ManifestId> {
        let own = self.parts.is_empty().then_some(&self.id);
        own.into_iter().chain(self.parts.iter().map(|part| &part.id))
    }
}
