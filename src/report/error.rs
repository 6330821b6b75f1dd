//! The one way in which the program says that it failed. Pure text.

use crate::error::{FailureKind, hint_of, kind_of};
use crate::escape::log_text;

/// `error:` with the message, its causes below it, and what to do. Ends with a line feed.
pub fn error_text(error: &anyhow::Error) -> String {
    let mut lines = Vec::new();
    let mut said = String::new();
    for cause in error.chain().map(ToString::to_string) {
        // A context often repeats the end of what it wraps, or wraps it whole.
        if !said.is_empty() && said.contains(&cause) {
            continue;
        }
        let start = if lines.is_empty() { "error: " } else { "  caused by: " };
        lines.push(with_start(start, &cause));
        said = cause;
    }
    lines.extend(hint(error).map(|hint| with_start("hint: ", &hint)));
    lines.join("\n") + "\n"
}

fn hint(error: &anyhow::Error) -> Option<String> {
    let unexpected = "this is not an error that hydrator knows; if the message does not say what to change, \
                      please report it with the output of `hydrator --version`";
    hint_of(error).or_else(|| (kind_of(error) == FailureKind::Unexpected).then(|| unexpected.to_owned()))
}

/// The text behind `start`, its further lines indented below.
pub(super) fn with_start(start: &str, text: &str) -> String {
    let indent = format!("\n{}", " ".repeat(start.chars().count()));
    format!("{start}{}", log_text(text.trim()).replace('\n', &indent))
}
