//! What a target's rendering depends on, as one id that is known without rendering, and why it changed. Reads the tree.
//!
//! Equal fingerprints mean equal output, for renderers that give the same for the same input. A fingerprint is the id
//! that git would give to a text of everything that counts: it is as strong as the ids of the files that are listed in
//! it (SHA-1 with collision detection), so a stronger hash would gain nothing.

mod explain;
mod options;
mod parts;
mod stored;

use std::fmt::Write as _;

use anyhow::Result;

use crate::model::{Layout, ObjectId, Target};
use crate::render::closure::Closure;
use crate::variables::Variables;

pub use explain::{Reason, explain};
pub use parts::FingerprintParts;
pub use stored::{Stored, decode, encode};

/// The version of everything that lies between inputs and output and is ours: raised whenever the same inputs may give
/// another output, or a closure may be another one.
pub const FORMAT: u32 = 1;

/// What counts beside the target and the files that it reads.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The renderer's program with its version, such as `kustomize 5.8.1`; `None` for the built-in ones.
    pub tool: Option<&'a str>,
    /// How manifests become files.
    pub layout: Layout,
    /// The process's variables, of which the target may see those that it names.
    pub variables: &'a Variables,
}

/// The fingerprint of `target`, whose closure is `closure`. It says nothing where [`Closure::is_closed`] does not hold.
pub fn fingerprint(target: &Target, closure: &Closure, circumstances: Circumstances<'_>) -> Result<ObjectId> {
    let mut text = format!("hydrator fingerprint {FORMAT}\0");
    // Writing to a string cannot fail. No value holds a zero byte that could be taken for an end.
    let mut line = |name: &str, value: &str| {
        let _ = write!(text, "{name} {} {value}\0", value.len());
    };
    line("renderer", target.renderer.name());
    line("tool", circumstances.tool.unwrap_or_default());
    for (name, value) in options::options(target, circumstances.layout) {
        line(name, &value);
    }
    for name in &target.environment_variables {
        // An unset variable is not an empty one, and an id has another length than either.
        let value = circumstances.variables.get(name);
        let value = value.map(|value| crate::git::hash_of(value.as_bytes())).transpose()?;
        line("variable", name);
        line("value", &value.map(|id| id.to_string()).unwrap_or_default());
    }
    for node in &closure.nodes {
        line("input", &node.digest.to_string());
    }
    if let Some(whole) = &closure.whole_tree {
        line("tree", &whole.id.to_string());
    }
    crate::git::hash_of(text.as_bytes())
}

#[cfg(test)]
mod tests;
