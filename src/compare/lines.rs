//! Lines that differ, with a few around them. Pure.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::arrange::Out;
use super::gap::{Mark, gap};
use crate::escape::unbroken;

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

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}{}", self.mark.sign(), unbroken(&self.text))
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

/// The lines that differ between two texts, however they end.
pub fn hunks(was: &str, is: &str) -> Vec<Hunk> {
    of_lines(&was.lines().collect::<Vec<_>>(), &is.lines().collect::<Vec<_>>())
}

/// The lines that differ between two texts, also where only their ends do.
pub(super) fn exact(was: &str, is: &str) -> Vec<Hunk> {
    let (old, new) = exact_lines(was, is);
    of_lines(&old, &new)
}

/// The lines of two texts with all but their line feeds.
pub(super) fn exact_lines<'l>(was: &'l str, is: &'l str) -> (Vec<&'l str>, Vec<&'l str>) {
    let (was, is) = match (was.strip_suffix('\n'), is.strip_suffix('\n')) {
        (Some(was), Some(is)) => (was, is),
        _ => (was, is),
    };
    (was.split('\n').collect(), is.split('\n').collect())
}

fn of_lines(old: &[&str], new: &[&str]) -> Vec<Hunk> {
    let new: Vec<Out<'_>> = new.iter().map(|line| Out { text: (*line).into(), base: None }).collect();
    between(old, &new)
}

/// The lines that differ between the base and the head, whose lines know which of the base they are.
pub(super) fn between(old: &[&str], new: &[Out<'_>]) -> Vec<Hunk> {
    let mut all = Vec::new();
    let mut next = 0;
    let mut added: Vec<&str> = Vec::new();
    for line in new {
        match line.base {
            Some(base) if base >= next && base < old.len() => {
                gap(&mut all, &old[next..base], &added);
                added.clear();
                all.push((Mark::Same, old[base]));
                next = base + 1;
            }
            _ => added.push(&line.text),
        }
    }
    gap(&mut all, &old[next.min(old.len())..], &added);
    grouped(&all)
}

/// What differs, with a few lines around it.
fn grouped(all: &[(Mark, &str)]) -> Vec<Hunk> {
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut old, mut new) = (1, 1);
    let mut wanted = vec![false; all.len()];
    for (index, _) in all.iter().enumerate().filter(|(_, (mark, _))| *mark != Mark::Same) {
        let end = (index + CONTEXT + 1).min(all.len());
        wanted[index.saturating_sub(CONTEXT)..end].fill(true);
    }
    let mut is_open = false;
    for ((mark, text), wanted) in all.iter().zip(wanted) {
        if wanted {
            if !is_open {
                hunks.push(Hunk { old, new, lines: Vec::new() });
            }
            if let Some(hunk) = hunks.last_mut() {
                hunk.lines.push(Line { mark: *mark, text: (*text).to_owned() });
            }
        }
        is_open = wanted;
        old += usize::from(*mark != Mark::Added);
        new += usize::from(*mark != Mark::Removed);
    }
    hunks
}
