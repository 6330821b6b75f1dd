//! The surface of a job of GitHub Actions: annotations, the step's summary and outputs. Does I/O: it appends to the files
//! that the runner names. Elsewhere nothing of this happens.

use std::fs::OpenOptions;
use std::io::Write as _;

use super::Surroundings;
use crate::escape::{cut_markdown, fence};
use crate::mask::Mask;
use crate::model::RunReport;
use crate::report;

/// The runner takes 1 MiB for all of a step's summaries.
const SUMMARY: u64 = 900 * 1024;

fn is_here(surroundings: &Surroundings<'_>) -> bool {
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
    summarise(surroundings, &report::markdown(report));
    let path = keep(report, surroundings);
    let outputs = report::actions::outputs(report, path.as_deref());
    append(surroundings, "GITHUB_OUTPUT", &report::actions::output_text(&outputs));
}

/// Shows a text in the step's summary; whether all of it is there.
pub(super) fn show_text(text: &str, surroundings: &Surroundings<'_>) -> bool {
    is_here(surroundings) && summarise(surroundings, text)
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
    summarise(surroundings, &cut_markdown(&format!("## hydrator failed\n\n{text}\n"), 100_000));
    let outputs = [
        ("changed", "false".to_owned()),
        ("environments", "[]".to_owned()),
        ("pull-requests", "[]".to_owned()),
        ("operation", "failed".to_owned()),
    ];
    append(surroundings, "GITHUB_OUTPUT", &report::actions::output_text(&outputs));
}

/// All runs of a step share one file, and one that is too large is not shown at all.
fn summarise(surroundings: &Surroundings<'_>, text: &str) -> bool {
    let Some(path) = surroundings.variables.get("GITHUB_STEP_SUMMARY") else { return false };
    let size = std::fs::metadata(path).map_or(0, |about| about.len());
    let left = usize::try_from(SUMMARY.saturating_sub(size)).unwrap_or(0);
    let fits = text.len() < left;
    if fits {
        append(surroundings, "GITHUB_STEP_SUMMARY", text);
    } else if left > 2_000 {
        // A character has at most four bytes.
        append(surroundings, "GITHUB_STEP_SUMMARY", &cut_markdown(text, left / 4));
    }
    fits
}

/// Writes the whole report where later steps find it.
fn keep(report: &RunReport, surroundings: &Surroundings<'_>) -> Option<String> {
    let directory = surroundings.variables.get("RUNNER_TEMP")?;
    let path = format!("{}/hydrator-report.json", directory.trim_end_matches('/'));
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
