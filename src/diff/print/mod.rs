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
pub use pages::{PAGE_LIMIT, PAGES, Whole, pages};
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

/// What is wrong, and is no error of what is looked at.
fn note(what: &str, error: &ErrorReport) -> String {
    let mut letters = what.chars();
    let what: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    format!("{what}:\n\n{}", fence("text", &log_text(&error.message)))
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

/// What follows from a base that does not render.
const fn without_base(target: &TargetDiff) -> &'static str {
    if target.error.is_some() && target.head_tree.is_none() {
        "the base does not render either"
    } else if target.is_gone() {
        "the base does not render, so it cannot be told what goes away"
    } else {
        "the base does not render, so everything counts as new"
    }
}

/// What is wrong with other configurations than the head's, and what follows from it.
fn remarks(report: &DiffReport) -> Vec<(&'static str, &ErrorReport)> {
    let agreed = report.agreed.as_ref();
    let wrong = agreed.and_then(|agreed| agreed.error.as_ref());
    let is_one = agreed.map(|agreed| agreed.sha) == report.base_sha;
    let base = match wrong.filter(|_| is_one) {
        Some(_) => {
            "the configuration of the base is wrong, so everything counts as new, and nothing is rendered that it would \
             have to allow"
        }
        None => "the configuration of the base is wrong, so everything counts as new",
    };
    let agreed =
        "the configuration of the DRY branch is wrong, so nothing is rendered that it would have to allow";
    let wrong = wrong.filter(|_| !is_one || report.base_error.is_none());
    let base = report.base_error.iter().map(|error| (base, error));
    base.chain(wrong.map(|error| (agreed, error))).collect()
}

/// What stands in for what the remote did not tell.
fn stand_ins(report: &DiffReport) -> Vec<String> {
    // Whose rights, validators and rules count, where these are not the protected branch's.
    let agreed = report.agreed.as_ref().filter(|agreed| agreed.branch.is_none());
    let agreed = agreed.map(|agreed| agreed.sha.short()).map(|sha| {
        format!("the remote has no DRY branch, so rights, validators and rules are those of {sha}")
    });
    let words = "the remote could not be asked, so its branches are those of the last fetch";
    report.unreachable.iter().map(|_| words.to_owned()).chain(agreed).collect()
}

/// Whether nothing is wrong with any configuration.
fn is_sound(report: &DiffReport) -> bool {
    report.error.is_none() && remarks(report).is_empty()
}
