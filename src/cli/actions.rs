//! The surface of a job of GitHub Actions: annotations, the step's summary and outputs. Does I/O: it appends to the files
//! that the runner names. Elsewhere nothing of this happens.

use std::fs::OpenOptions;
use std::io::Write as _;

use super::Surroundings;
use crate::escape::{code, cut_markdown_bytes, fence};
use crate::mask::Mask;
use crate::model::RunReport;
use crate::report;

/// The bytes that GitHub takes for all of a step's summaries; it shows nothing of more. What comes first leaves room for an
/// error that may follow.
const SUMMARY: u64 = 1024 * 1024;
const FOR_ERRORS: u64 = 8 * 1024;
/// Longest error in a summary, in bytes; its annotation is cut as well, and the log has all of it.
const LONGEST_ERROR: usize = 100_000;

/// Whether this is a job of Actions.
pub(super) fn is_here(surroundings: &Surroundings<'_>) -> bool {
    surroundings.variables.get("GITHUB_ACTIONS") == Some("true")
}

/// Shows a finished run.
pub(super) fn show(report: &RunReport, surroundings: &Surroundings<'_>) {
    if !is_here(surroundings) {
        return;
    }
    for line in report::actions::annotations(report) {
        surroundings.progress.command(&line);
    }
    let path = keep(report, surroundings);
    let place = path.as_ref().map_or_else(|| "The log".to_owned(), |path| code(path));
    let rest = format!("*{place} has the rest, which is too long for this summary.*");
    if !summarise(surroundings, &report::markdown(report), (SUMMARY - FOR_ERRORS, &rest)) {
        surroundings
            .progress
            .say(&format!("warning: the report is too long for the step's summary; {place} has all of it"));
    }
    let outputs = report::actions::outputs(report, path.as_deref());
    append(surroundings, "GITHUB_OUTPUT", &report::actions::output_text(&outputs));
}

/// Shows a text in the step's summary; whether all of it is there, and `None` where there is no such summary. `rest` is
/// Markdown that says where all of it is.
pub(super) fn show_text(text: &str, rest: &str, surroundings: &Surroundings<'_>) -> Option<bool> {
    let has_one = is_here(surroundings) && surroundings.variables.get("GITHUB_STEP_SUMMARY").is_some();
    has_one.then(|| summarise(surroundings, text, (SUMMARY - FOR_ERRORS, rest)))
}

/// Where a file of this name can be left for later steps.
pub(super) fn place_for(name: &str, surroundings: &Surroundings<'_>) -> Option<String> {
    let directory = surroundings.variables.get("RUNNER_TEMP").filter(|_| is_here(surroundings))?;
    Some(format!("{}/{name}", directory.trim_end_matches('/')))
}

/// Tells later steps.
pub(super) fn tell(outputs: &[(&str, String)], surroundings: &Surroundings<'_>) {
    if is_here(surroundings) {
        append(surroundings, "GITHUB_OUTPUT", &report::actions::output_text(outputs));
    }
}

/// Says warnings of a command that has no report.
pub(super) fn warn(warnings: &[String], surroundings: &Surroundings<'_>) {
    for warning in warnings {
        surroundings.progress.say(&format!("warning: {warning}"));
    }
    if is_here(surroundings) {
        for line in report::actions::warnings(warnings) {
            surroundings.progress.command(&line);
        }
    }
}

/// Shows a command that failed as a whole.
pub(super) fn show_error(error: &anyhow::Error, surroundings: &Surroundings<'_>) {
    if !is_here(surroundings) {
        return;
    }
    for line in report::actions::error_annotations(error) {
        surroundings.progress.command(&line);
    }
    let text = fence("text", &report::error_text(error));
    let rest = "*The log has the rest, which is too long for this summary.*";
    let text = cut_markdown_bytes(&format!("## hydrator failed\n\n{text}\n"), LONGEST_ERROR, rest);
    summarise(surroundings, &text, (SUMMARY, rest));
    let outputs = [
        ("changed", "false".to_owned()),
        ("environments", "[]".to_owned()),
        ("pull-requests", "[]".to_owned()),
        ("operation", "failed".to_owned()),
    ];
    append(surroundings, "GITHUB_OUTPUT", &report::actions::output_text(&outputs));
}

/// All runs of a step share one file, and one that is too large is not shown at all. Whether all of the text is there;
/// where it is not, `rest` is what it ends with.
fn summarise(surroundings: &Surroundings<'_>, text: &str, (limit, rest): (u64, &str)) -> bool {
    let Some(path) = surroundings.variables.get("GITHUB_STEP_SUMMARY") else { return true };
    let size = std::fs::metadata(path).map_or(0, |about| about.len());
    let left = usize::try_from(limit.saturating_sub(size)).unwrap_or(0);
    append(surroundings, "GITHUB_STEP_SUMMARY", &cut_markdown_bytes(text, left, rest));
    text.len() <= left
}

/// Writes the whole report where later steps find it.
fn keep(report: &RunReport, surroundings: &Surroundings<'_>) -> Option<String> {
    let path = place_for("hydrator-report.json", surroundings)?;
    let text = report::json(report).ok()?;
    match std::fs::write(&path, text) {
        Ok(()) => Some(path),
        Err(error) => {
            surroundings.progress.say(&format!("warning: cannot write the report to `{path}`: {error}"));
            None
        }
    }
}

fn append(surroundings: &Surroundings<'_>, variable: &str, text: &str) {
    let Some(path) = surroundings.variables.get(variable) else { return };
    let text = Mask::of(surroundings.variables).apply(text);
    let opened = OpenOptions::new().create(true).append(true).open(path);
    if let Err(error) = opened.and_then(|mut file| file.write_all(text.as_bytes())) {
        let line = format!("warning: cannot write to `{path}`, which `{variable}` names: {error}");
        surroundings.progress.say(&line);
    }
}
