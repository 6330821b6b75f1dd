//! Why a template failed: its name, the line, the reason; never a value of the context. Pure.

use std::error::Error as _;
use std::fmt;

use minijinja::ErrorKind;

/// A template that does not parse or render.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// The template in which it failed: the one asked for, or one that it includes.
    pub template: String,
    /// The line in it, from 1, when that is known.
    pub line: Option<usize>,
    /// What failed.
    pub reason: String,
    /// Whether it names something that no template could ever use: a filter, test, function or method.
    pub unknown_name: bool,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "template `{}`", self.template)?;
        if let Some(line) = self.line {
            write!(out, ", line {line}")?;
        }
        write!(out, ": {}", self.reason)
    }
}

impl std::error::Error for TemplateError {}

/// A reason of ours inside an error of the engine: its text may be shown.
#[derive(Clone, Debug)]
pub(super) struct Reason(pub(super) String);

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Reason {}

/// An error of the engine whose reason may be shown.
pub(super) fn refuse(reason: impl Into<String>) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, "refused").with_source(Reason(reason.into()))
}

impl TemplateError {
    /// An error without a line.
    pub(super) fn bare(template: &str, reason: &str) -> Self {
        Self { template: template.to_owned(), line: None, reason: reason.to_owned(), unknown_name: false }
    }

    /// What the engine says about the template `asked`, whose source is `source`.
    pub(super) fn new(asked: &str, source: &str, error: &minijinja::Error) -> Self {
        let innermost = innermost(error);
        let kind = innermost.kind();
        let unknown = matches!(
            kind,
            ErrorKind::UnknownFilter
                | ErrorKind::UnknownTest
                | ErrorKind::UnknownFunction
                | ErrorKind::UnknownMethod
        );
        Self {
            template: innermost.name().unwrap_or(asked).to_owned(),
            line: innermost.line(),
            reason: own_reason(innermost).unwrap_or_else(|| engine_reason(innermost, source)),
            unknown_name: unknown,
        }
    }
}

/// The error in the included template says more than the one about the `include`.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut current = error;
    while let Some(inner) = current.source().and_then(|source| source.downcast_ref::<minijinja::Error>()) {
        current = inner;
    }
    current
}

fn own_reason(error: &minijinja::Error) -> Option<String> {
    error.source().and_then(|source| source.downcast_ref::<Reason>()).map(ToString::to_string)
}

/// Most details of the engine may hold values; the ones that name something of the template's own text may not.
fn engine_reason(error: &minijinja::Error, source: &str) -> String {
    let kind = error.kind();
    let detail = error.detail().unwrap_or_default();
    match kind {
        ErrorKind::OutOfFuel => "it takes too long or too much memory".to_owned(),
        ErrorKind::SyntaxError | ErrorKind::UndefinedError if !detail.is_empty() => {
            format!("{kind}: {detail}")
        }
        ErrorKind::UnknownFilter
        | ErrorKind::UnknownTest
        | ErrorKind::UnknownFunction
        | ErrorKind::UnknownMethod
        | ErrorKind::TemplateNotFound
            if is_written(detail, source) =>
        {
            format!("{kind}: {detail}")
        }
        _ => kind.to_string(),
    }
}

/// Whether every word of the engine's that is not its own stands in the template, so that it is no value.
fn is_written(detail: &str, source: &str) -> bool {
    const OWN: &str = "filter test function method template is unknown does not exist has no named object map string \
        sequence number bool none tried to include non-existing one of multiple templates which existed";
    let separator = |c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '/' | '-'));
    !detail.is_empty()
        && detail
            .split(separator)
            .filter(|word| !word.is_empty())
            .all(|word| OWN.split(' ').any(|own| own == word) || source.contains(word))
}
