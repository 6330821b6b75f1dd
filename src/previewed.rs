//! What a preview showed, remembered in its comment, so that a promotion can be told to offer just that. Pure.
//!
//! Remembered is one print for each target that changes: of the environment, the target's output and the tree of its
//! manifests. Nothing in it depends on what the preview was compared with.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::escape::marker_value;
use crate::git::hash_of;
use crate::model::ObjectId;

/// The status on a proposed commit whose manifests a preview has shown.
pub const STATUS: &str = "hydrator/as-previewed";
/// The key of a preview's mark; its value is the configuration's path.
pub const MARK: &str = "preview";
/// The key of the prints in it.
pub const PRINTS: &str = "prints";

/// Targets that are remembered; a preview of more is not remembered at all, since half of it would be misleading.
pub const MOST: usize = 1_000;
/// Hexadecimal digits of a print.
const LENGTH: usize = 20;

/// What previews showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prints(BTreeSet<String>);

impl Prints {
    /// Remembers what a target will be; `None` if it will be gone.
    pub fn add(&mut self, environment: &str, output: &str, tree: Option<ObjectId>) -> Result<()> {
        self.0.insert(print(environment, output, tree)?);
        Ok(())
    }

    /// Whether this is remembered.
    pub fn has(&self, environment: &str, output: &str, tree: Option<ObjectId>) -> Result<bool> {
        Ok(self.0.contains(&print(environment, output, tree)?))
    }

    /// One word that holds all of them; empty if there are none, or too many.
    pub fn text(&self) -> String {
        if self.0.len() > MOST { String::new() } else { self.0.iter().map(String::as_str).collect() }
    }

    /// What a comment of ours remembers; `None` if it is no preview of this configuration that remembers something.
    pub fn of_comment(body: &str, config: &str) -> Option<Self> {
        marker_value(body, MARK).filter(|of| of == config)?;
        let text = marker_value(body, PRINTS)?;
        let digits: Vec<char> = text.chars().collect();
        let prints = digits.chunks_exact(LENGTH).map(|print| print.iter().collect());
        Some(Self(prints.collect()))
    }
}

/// Names of environments hold no control characters, nor do outputs.
fn print(environment: &str, output: &str, tree: Option<ObjectId>) -> Result<String> {
    let tree = tree.map(|tree| tree.to_string()).unwrap_or_default();
    let hash = hash_of(format!("{environment}\0{output}\0{tree}\0").as_bytes())?;
    Ok(hash.to_string().chars().take(LENGTH).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::escape::marker;

    fn tree(digit: u8) -> ObjectId {
        ObjectId::parse(&digit.to_string().repeat(40)).unwrap()
    }

    fn remembered(count: usize) -> Prints {
        let mut prints = Prints::default();
        for number in 0..count {
            prints.add("dev", &format!("app{number}"), Some(tree(1))).unwrap();
        }
        prints
    }

    #[test]
    fn what_was_shown_is_known_again_and_nothing_else() {
        let mut prints = remembered(2);
        prints.add("prod", "app0", None).unwrap();
        let mark = marker(&[(MARK, "hydrator.yaml"), ("page", "1"), (PRINTS, &prints.text())]);
        let read = Prints::of_comment(&format!("{mark}\ntext"), "hydrator.yaml").unwrap();
        assert_eq!(read, prints);
        for (environment, output, tree, known) in [
            ("dev", "app0", Some(tree(1)), true),
            ("prod", "app0", None, true),
            ("dev", "app0", None, false),
            ("dev", "app0", Some(tree(2)), false),
            ("dev", "app2", Some(tree(1)), false),
            ("prod", "app1", Some(tree(1)), false),
        ] {
            assert_eq!(read.has(environment, output, tree).unwrap(), known, "{environment} {output}");
        }
        assert_eq!(Prints::of_comment(&mark, "other.yaml"), None);
        assert_eq!(Prints::of_comment("text", "hydrator.yaml"), None);
    }

    #[test]
    fn too_many_are_not_remembered() {
        assert_eq!(remembered(MOST).text().len(), MOST * LENGTH);
        assert_eq!(remembered(MOST + 1).text(), "");
    }

    #[test]
    fn a_mark_that_people_changed_remembers_nothing_wrong() {
        for text in ["", "x", "ü𝄞", &"z".repeat(19), &"-".repeat(41)] {
            let mark = marker(&[(MARK, "hydrator.yaml"), (PRINTS, text)]);
            let prints = Prints::of_comment(&mark, "hydrator.yaml").unwrap_or_default();
            assert!(!prints.has("dev", "app0", Some(tree(1))).unwrap(), "{text}");
        }
    }
}
