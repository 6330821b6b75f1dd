//! Splits a YAML stream into its documents and keeps each one's text byte for byte. Pure.
//!
//! A line scan is exact for this. In YAML a line that starts with `---` or `...` followed by a blank or the line's end
//! is a document marker wherever it stands: it ends even a block scalar, and it is forbidden inside quoted and plain
//! scalars that span lines (YAML 1.2.2, section 9.1.2, `c-forbidden`). An indented `---` is content. Whatever the scan
//! could still get wrong (lone carriage returns as line breaks) shows when the document is parsed: the parser then
//! finds two documents in it, which is an error.

use crate::model::Manifest;

use super::identity::{self, Shape};
use super::list;
use super::yaml::Problem;

/// The manifests of `stream`, in order; documents without content are dropped.
pub(crate) fn manifests(stream: &[u8]) -> Result<Vec<Manifest>, Problem> {
    let text = as_text(stream)?;
    let mut found = Vec::new();
    for (index, document) in documents(text).into_iter().enumerate() {
        if let Some(manifest) = manifest(document, index + 1)? {
            found.push(manifest);
        }
    }
    Ok(found)
}

fn manifest(document: Document, number: usize) -> Result<Option<Manifest>, Problem> {
    let problem = |problem: Problem| Problem {
        line: document.stream_line(problem.line),
        message: format!("document {number} {}", problem.message),
    };
    let head = match identity::shape_of(&document.text).map_err(problem)? {
        Shape::Empty => return Ok(None),
        Shape::Object(head) => head,
    };
    let (id, parts) = if head.is_list() {
        (head.list_id(), list::parts(&document.text).map_err(problem)?)
    } else {
        (head.id().map_err(|message| problem(Problem { line: 1, message }))?, Vec::new())
    };
    Ok(Some(Manifest { id, line: document.line(), text: document.text.into_bytes(), parts }))
}

fn as_text(stream: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(stream).map_err(|error| {
        let line = stream[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        let utf_16 = stream.starts_with(&[0xff, 0xfe]) || stream.starts_with(&[0xfe, 0xff]);
        let message = if utf_16 { "is UTF-16, not UTF-8" } else { "is not UTF-8" };
        Problem { line, message: message.to_owned() }
    })
}

/// One document with content.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Document {
    /// Its text, with a final newline.
    pub(crate) text: String,
    /// Lines of comments in `text` that stand before the `---`.
    prefix_lines: usize,
    /// The stream's line of the first of them.
    prefix_line: usize,
    /// The stream's line of the first line after those.
    body_line: usize,
}

impl Document {
    /// The stream's line on which the document starts.
    fn line(&self) -> usize {
        if self.prefix_lines > 0 { self.prefix_line } else { self.body_line }
    }

    /// The stream's line of line `line` of the text.
    pub(crate) fn stream_line(&self, line: usize) -> usize {
        let line = line.max(1);
        if line <= self.prefix_lines {
            self.prefix_line + line - 1
        } else {
            self.body_line + line - 1 - self.prefix_lines
        }
    }
}

/// The documents of `stream` that have content: more than blanks and comments.
///
/// Comments and blank lines before a document's `---` belong to it, unless a `---` stands before them too: then they
/// are the content of an empty document of their own, which is dropped. Directives (`%YAML`) are dropped with the
/// marker that they belong to.
pub(crate) fn documents(stream: &str) -> Vec<Document> {
    let mut scan = Scan::default();
    for (index, line) in stream.split_inclusive('\n').enumerate() {
        scan.take(line, index + 1);
    }
    scan.finish();
    scan.done
}

#[derive(Default)]
struct Scan {
    done: Vec<Document>,
    open: Document,
    /// The open document began with a `---`.
    is_explicit: bool,
    /// The open document has more than blanks and comments.
    has_content: bool,
}

impl Scan {
    fn take(&mut self, line: &str, number: usize) {
        let line =
            if self.open.text.is_empty() { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
        if let Some(rest) = after_marker(line, "---") {
            self.start(rest, number);
        } else if let Some(rest) = after_marker(line, "...") {
            self.finish();
            self.push_unless_blank(rest, number);
        } else if !line.starts_with('%') || self.is_explicit || self.has_content {
            self.push(line, number);
        }
    }

    /// A document starts explicitly; comments so far are its prefix if no document was open.
    fn start(&mut self, rest: &str, number: usize) {
        if self.is_explicit || self.has_content || is_blank(&self.open.text) {
            self.finish();
        } else {
            self.open.prefix_lines = self.open.text.lines().count();
            self.open.prefix_line = self.open.body_line;
            self.open.body_line = 0;
        }
        self.is_explicit = true;
        self.push_unless_blank(rest, number);
    }

    /// What stands on the marker's own line: a comment, or content.
    fn push_unless_blank(&mut self, rest: &str, number: usize) {
        if !is_blank(rest) {
            self.push(rest, number);
        }
    }

    fn push(&mut self, line: &str, number: usize) {
        if self.open.body_line == 0 {
            self.open.body_line = number;
        }
        self.open.text.push_str(line);
        let line = line.trim_start();
        self.has_content |= !line.is_empty() && !line.starts_with('#');
    }

    fn finish(&mut self) {
        let mut document = std::mem::take(&mut self.open);
        if self.has_content {
            if !document.text.ends_with('\n') {
                document.text.push('\n');
            }
            self.done.push(document);
        }
        self.is_explicit = false;
        self.has_content = false;
    }
}

/// What follows `marker` on `line`, without the blanks between, if the line starts with it as a document marker.
fn after_marker<'line>(line: &'line str, marker: &str) -> Option<&'line str> {
    let rest = line.strip_prefix(marker)?;
    if rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']) {
        Some(rest.trim_start_matches([' ', '\t']))
    } else {
        None
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
