//! What went wrong, whose part it is, and what to do: one error type with a kind, and the exit codes.
//!
//! `anyhow` carries the chain of causes; a [`Failure`] is put into it where the kind is known and found again by
//! walking the chain. Pure.

use std::fmt;

use camino::Utf8PathBuf;
use schemars::JsonSchema;
use serde::Serialize;

/// The part of the work that failed; it decides the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FailureKind {
    /// A defect of hydrator or of the machine: nothing the user wrote.
    Unexpected,
    /// The command line or the event cannot be served.
    Usage,
    /// `hydrator.yaml` or a path that it names.
    Config,
    /// A renderer or its output.
    Render,
    /// A git remote, a branch that is not ours, or a race that was lost too often.
    Git,
    /// The forge refused.
    Forge,
}

impl FailureKind {
    /// The process's exit code for this kind; 0 is success and 10 means that changes were found.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Unexpected => 1,
            Self::Usage => 2,
            Self::Config => 3,
            Self::Render => 4,
            Self::Git => 5,
            Self::Forge => 6,
        }
    }
}

/// A position in a file of the DRY tree; line and column start at 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, relative to the repository's root.
    pub file: Utf8PathBuf,
    /// The line, starting at 1; 0 when only the file is known.
    pub line: usize,
    /// The column, starting at 1; 0 when only the line is known.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.file)?;
        if self.line > 0 {
            write!(out, ":{}", self.line)?;
            if self.column > 0 {
                write!(out, ":{}", self.column)?;
            }
        }
        Ok(())
    }
}

/// One failure in words for the user: what was being done, to what, why it failed; with a hint at what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Decides the exit code.
    pub kind: FailureKind,
    /// One or more lines without a final period after an id.
    pub message: String,
    /// What the user can do about it.
    pub hint: Option<String>,
    /// Where it is, when it is in a file of the DRY tree.
    pub place: Option<Place>,
    /// Whether it failed for want of a token, or of a right of the one that is there.
    pub lacks_right: bool,
}

impl Failure {
    /// Makes a failure of `kind` without a hint or a place.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, place: None, lacks_right: false }
    }

    /// A failure of the command line or the event.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Usage, message)
    }

    /// A failure of the configuration.
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Config, message)
    }

    /// A failure of rendering or of what was rendered.
    pub fn render(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Render, message)
    }

    /// A failure of git: remote, branch, lost race.
    pub fn git(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Git, message)
    }

    /// A failure of the forge.
    pub fn forge(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Forge, message)
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says that it failed for want of a token, or of a right of the one that is there.
    #[must_use]
    pub const fn for_want_of_a_right(mut self) -> Self {
        self.lacks_right = true;
        self
    }

    /// Adds where it is.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(out, "{place}: ")?;
        }
        out.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The kind of the first failure in the chain; an error that nobody classified is [`FailureKind::Unexpected`].
pub fn kind_of(error: &anyhow::Error) -> FailureKind {
    error.downcast_ref::<Failure>().map_or_else(
        || in_chain(error).map_or(FailureKind::Unexpected, |failure| failure.kind),
        |failure| failure.kind,
    )
}

/// The first hint in the chain.
pub fn hint_of(error: &anyhow::Error) -> Option<String> {
    error.downcast_ref::<Failure>().and_then(|failure| failure.hint.clone()).or_else(|| {
        error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<Failure>())
            .find_map(|failure| failure.hint.clone())
    })
}

/// Whether the first failure in the chain is one for want of a token, or of a right of the one that is there.
pub fn lacks_right(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Failure>().or_else(|| in_chain(error)).is_some_and(|failure| failure.lacks_right)
}

fn in_chain(error: &anyhow::Error) -> Option<&Failure> {
    error.chain().find_map(|cause| cause.downcast_ref::<Failure>())
}

/// The error and its causes as one text: `message: cause: cause`, each said once.
pub fn message_of(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.ends_with(&cause) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&cause);
    }
    text
}
