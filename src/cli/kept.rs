//! Where a whole preview is, besides in comments: a file, a step's summary, the job's page. Does I/O: it writes the file
//! and the summary.

use anyhow::Result;
use camino::Utf8Path;

use super::{Surroundings, actions};
use crate::diff::{self, DiffReport, Whole};
use crate::error::Failure;
use crate::escape::{code, link};
use crate::mask::Mask;

/// The file that a job of GitHub Actions leaves where no other was asked for.
const FILE: &str = "hydrator-diff.md";
/// The output that tells later steps where the file is.
const OUTPUT: &str = "diff";

/// Where it is.
pub(super) struct Kept {
    /// The file that has all of it.
    file: Option<String>,
    /// Whether a step's summary has all of it; `None` where there is no summary.
    in_summary: Option<bool>,
    /// The web page of the job.
    page: Option<String>,
}

/// Keeps a preview. `written` is the file that was asked for and has it already; a job of GitHub Actions always has one.
pub(super) fn keep(
    report: &DiffReport,
    written: Option<&Utf8Path>,
    page: Option<String>,
    surroundings: &Surroundings<'_>,
) -> Kept {
    let mut kept = Kept { file: written.map(ToString::to_string), in_summary: None, page };
    if !actions::is_here(surroundings) {
        return kept;
    }
    let markdown = diff::markdown(report);
    if let (None, Some(path)) = (&kept.file, actions::place_for(FILE, surroundings)) {
        match write(&path, &markdown, surroundings) {
            Ok(()) => kept.file = Some(path),
            Err(error) => surroundings.progress.say(&format!("warning: {error}")),
        }
    }
    if let Some(path) = &kept.file {
        actions::tell(&[(OUTPUT, path.clone())], surroundings);
    }
    kept.in_summary = actions::show_text(&markdown, &kept.rest(), surroundings);
    if kept.in_summary == Some(false) {
        let words = "the preview is too long for the step's summary";
        actions::warn(&[format!("{words}: {}", kept.words())], surroundings);
    }
    kept
}

/// Writes a preview to a file, which may become an artifact: nothing masks that later.
pub(super) fn write(path: &str, text: &str, surroundings: &Surroundings<'_>) -> Result<()> {
    let text = Mask::of(surroundings.variables).apply(text);
    std::fs::write(path, text).map_err(|error| {
        let failure = Failure::usage(format!("cannot write the preview to `{path}`: {error}"));
        failure.hint("the directory must exist").into()
    })
}

impl Kept {
    /// Where all of it is, as a clause.
    pub(super) fn words(&self) -> String {
        let file = self.file.as_ref().map(|path| format!("`{path}`"));
        match (self.in_summary, file) {
            (Some(true), Some(file)) => format!("the preview is in the step's summary and in {file}"),
            (Some(true), None) => "the preview is in the step's summary".to_owned(),
            (Some(false), file) => {
                let file = file.unwrap_or_else(|| "the job's log".to_owned());
                format!(
                    "the step's summary has as much of the preview as GitHub takes, and {file} has all of it"
                )
            }
            (None, Some(file)) => format!("the preview is in {file}"),
            (None, None) => "the preview is in the job's log".to_owned(),
        }
    }

    /// The same with the address of the job's page, for its log.
    pub(super) fn words_with_page(&self) -> String {
        let page = self.page.as_ref().map(|page| format!(": {page}")).unwrap_or_default();
        self.words() + &page
    }

    /// The same for the pages of the comment.
    pub(super) fn whole(&self) -> Whole {
        Whole { page: self.page.clone(), file: self.file.clone() }
    }

    /// What a summary ends with that has not all of it.
    fn rest(&self) -> String {
        let Some(file) = &self.file else {
            return "*The rest is too long for this summary: the job's log has all of it.*".to_owned();
        };
        let run = self.page.as_ref().map_or_else(|| "this run".to_owned(), |page| link("this run", page));
        format!(
            "*The rest is too long for this summary.* All of it is in the file {}, the step's output `{OUTPUT}`, and in an \
             artifact of {run} where the workflow uploads that file, as `examples/github/diff.yml` does.",
            code(file)
        )
    }
}
