//! The preview as text, Markdown and JSON. Pure.

mod markdown;
mod pages;
mod summary;
mod text;

use anyhow::{Context as _, Result};

use super::report::{DiffReport, ManifestChange, TargetDiff};
use crate::compare::Operation;
use crate::escape::{fence, log_text, prose};
use crate::model::ErrorReport;

pub use markdown::markdown;
pub use pages::{PAGE_LIMIT, PAGES, pages};
pub use text::{Style, text};

/// For programs: one object.
pub fn json(report: &DiffReport) -> Result<String> {
    let text = serde_json::to_string_pretty(report).context("cannot write the preview as JSON")?;
    // GitHub's runner takes this for the start of a command wherever it stands in a line. Only strings can hold it.
    Ok(text.replace("##[", "##\\u005b") + "\n")
}

/// Why something cannot be told.
fn error(error: &ErrorReport) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("\n{}", prose(hint))).unwrap_or_default();
    format!("{}{hint}", fence("text", &log_text(&error.message)))
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

/// Who it is, and who it was.
fn title(change: &ManifestChange) -> String {
    match &change.was {
        Some(was) => format!("{was} → {}", change.manifest),
        None => change.manifest.to_string(),
    }
}

/// What is not shown, and why; nothing where all is.
fn unshown(form: usize, hidden: usize) -> Option<String> {
    let are = |count: usize, one: &str, many: &str| {
        (count > 0).then(|| if count == 1 { format!("1 {one}") } else { format!("{count} {many}") })
    };
    let parts = [
        are(
            form,
            "manifest is written differently and means the same",
            "manifests are written differently and mean the same",
        ),
        are(hidden, "change is hidden by `diff.ignore`", "changes are hidden by `diff.ignore`"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The same for all targets.
fn unshown_in_all(report: &DiffReport) -> Option<String> {
    let targets = || report.environments.iter().flat_map(|one| &one.targets);
    unshown(targets().map(|one| one.form).sum(), targets().map(|one| one.hidden).sum())
}

/// Whether there are details to tell.
const fn has_details(target: &TargetDiff) -> bool {
    !target.changes.is_empty() || target.error.is_some()
}
