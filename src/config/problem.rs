//! What is wrong with a configuration: each problem has its place, and all of them are reported together. Pure.

use std::fmt;

use camino::{Utf8Path, Utf8PathBuf};

use super::node::Node;
use crate::error::{Failure, Place};

/// One thing that is wrong, or one warning, with its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where the text is that it is about.
    pub place: Place,
    /// What is wrong, in one line.
    pub message: String,
    /// What the user can do about it.
    pub hint: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.place, self.message)?;
        match &self.hint {
            Some(hint) => write!(out, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a configuration, sorted by position; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                out.write_str("\n")?;
            }
            write!(out, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

impl Problems {
    /// The problems as the error of a configuration; [`Problems`] can be found again with `downcast_ref`.
    pub(super) fn into_error(self) -> anyhow::Error {
        let count = self.0.len();
        let file = self.0.first().map_or_else(String::new, |first| format!(" in `{}`", first.place.file));
        let noun = if count == 1 { "problem" } else { "problems" };
        let failure = Failure::config(format!("{count} {noun}{file}"));
        anyhow::Error::new(self).context(failure)
    }
}

/// More help nobody, and a hostile file could have a million.
const MOST: usize = 500;

/// Collects problems and warnings about one configuration file.
#[derive(Debug)]
pub(super) struct Findings {
    file: Utf8PathBuf,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Findings {
    pub(super) fn new(file: &Utf8Path) -> Self {
        Self { file: file.to_owned(), problems: Vec::new(), warnings: Vec::new() }
    }

    /// A problem about the text of `node`.
    pub(super) fn problem(&mut self, node: &Node, message: impl Into<String>) {
        let problem = self.about(node, message.into(), None);
        self.keep(problem);
    }

    /// A problem about the text of `node`, with what to do about it.
    pub(super) fn problem_with_hint(
        &mut self,
        node: &Node,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let problem = self.about(node, message.into(), Some(hint.into()));
        self.keep(problem);
    }

    /// A problem `lines` below the start of `node`.
    pub(super) fn problem_below(&mut self, node: &Node, lines: usize, message: impl Into<String>) {
        let mut problem = self.about(node, message.into(), None);
        if lines > 0 {
            problem.place.line += lines;
            problem.place.column = 0;
        }
        self.keep(problem);
    }

    /// Something that works, but hardly as meant.
    pub(super) fn warning(&mut self, node: &Node, message: impl Into<String>, hint: impl Into<String>) {
        let problem = self.about(node, message.into(), Some(hint.into()));
        if self.warnings.len() < MOST {
            self.warnings.push(problem);
        }
    }

    /// Whether there are so many problems that the rest can go unsaid.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MOST
    }

    fn keep(&mut self, problem: Problem) {
        if !self.is_full() {
            self.problems.push(problem);
        }
    }

    fn about(&self, node: &Node, message: String, hint: Option<String>) -> Problem {
        let place = Place { file: self.file.clone(), line: node.line, column: node.column };
        Problem { place, message, hint }
    }

    /// The warnings, sorted, each once; or the problems, if there are any.
    pub(super) fn finish(self) -> Result<Vec<Problem>, Problems> {
        if self.problems.is_empty() {
            Ok(sorted(self.warnings))
        } else {
            Err(Problems(sorted(self.problems)))
        }
    }
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort();
    problems.dedup();
    problems
}
