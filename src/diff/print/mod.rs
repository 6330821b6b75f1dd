//! The preview as text, Markdown and JSON. Pure.

mod markdown;
mod text;

use anyhow::{Context as _, Result};

use super::report::DiffReport;
use crate::compare::Operation;

pub use markdown::markdown;
pub use text::{Style, text};

/// For programs: one object.
pub fn json(report: &DiffReport) -> Result<String> {
    let text = serde_json::to_string_pretty(report).context("cannot write the preview as JSON")?;
    // GitHub's runner takes this for the start of a command wherever it stands in a line. Only strings can hold it.
    Ok(text.replace("##[", "##\\u005b") + "\n")
}

/// `+1 ~2 -3`, without what is nothing.
fn counts([added, changed, removed]: [usize; 3]) -> String {
    let marks = [('+', added), ('~', changed), ('-', removed)];
    let marks = marks.iter().filter(|(_, count)| *count > 0);
    marks.map(|(mark, count)| format!("{mark}{count}")).collect::<Vec<_>>().join(" ")
}

const fn sign(operation: Operation) -> char {
    match operation {
        Operation::Added => '+',
        Operation::Changed => '~',
        Operation::Removed => '-',
    }
}
