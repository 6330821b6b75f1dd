//! Lines that differ, with a few around them. Pure.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use similar::{ChangeTag, TextDiff};

/// Lines that did not change around those that did.
const CONTEXT: usize = 3;

/// Lines that stand together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Hunk {
    /// The line of the old text that it starts at, from 1.
    pub old: usize,
    /// The line of the new text that it starts at, from 1.
    pub new: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What becomes of it.
    pub mark: Mark,
    /// Its text, without the line feed.
    pub text: String,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mark {
    /// It stays.
    Same,
    /// It is new.
    Added,
    /// It goes.
    Removed,
}

impl Mark {
    /// What stands before the line.
    pub const fn sign(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Added => '+',
            Self::Removed => '-',
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}{}", self.mark.sign(), self.text)
    }
}

impl Hunk {
    /// How many lines have this mark.
    pub fn count(&self, mark: Mark) -> usize {
        self.lines.iter().filter(|line| line.mark == mark).count()
    }

    /// The line above it, as in unified diffs.
    pub fn heading(&self) -> String {
        let same = self.count(Mark::Same);
        let (old, new) = (same + self.count(Mark::Removed), same + self.count(Mark::Added));
        format!("@@ -{},{old} +{},{new} @@", self.old, self.new)
    }
}

/// The lines that differ between two texts.
pub(super) fn hunks(was: &str, is: &str) -> Vec<Hunk> {
    let diff = TextDiff::from_lines(was, is);
    let mut hunks = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        let Some(first) = group.first() else { continue };
        let start = |range: std::ops::Range<usize>| {
            if range.is_empty() && range.start == 0 { 0 } else { range.start + 1 }
        };
        let mut hunk =
            Hunk { old: start(first.old_range()), new: start(first.new_range()), lines: Vec::new() };
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let mark = match change.tag() {
                ChangeTag::Equal => Mark::Same,
                ChangeTag::Insert => Mark::Added,
                ChangeTag::Delete => Mark::Removed,
            };
            let text = change.value();
            hunk.lines.push(Line { mark, text: text.strip_suffix('\n').unwrap_or(text).to_owned() });
        }
        hunks.push(hunk);
    }
    hunks
}
