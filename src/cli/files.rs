//! Files that a run leaves for what comes after it: the whole report, and outputs as variables. Does I/O, and only where
//! it was asked for: jobs of GitLab CI keep such files as artifacts and reports.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::Surroundings;
use crate::error::Failure;
use crate::model::RunReport;
use crate::report;

/// Where the files go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files for later jobs")]
pub(super) struct FilesArgs {
    /// Also write the report, as JSON, to this file
    #[arg(long, value_name = "FILE")]
    report: Option<Utf8PathBuf>,
    /// Also write what was done as variables, `HYDRATED_<OUTPUT>=value`, to this file: a dotenv report of GitLab CI
    #[arg(long, value_name = "FILE")]
    dotenv: Option<Utf8PathBuf>,
}

impl FilesArgs {
    /// Leaves what a finished run came to.
    pub(super) fn keep(&self, run: &RunReport, surroundings: &Surroundings<'_>) -> Result<()> {
        if let Some(path) = &self.report {
            write(path, &report::json(run)?)?;
        }
        if let Some(path) = &self.dotenv {
            let outputs = report::actions::outputs(run, self.report.as_ref().map(|path| path.as_str()));
            let (text, left_out) = report::dotenv::text(&outputs);
            for name in left_out {
                let line = format!("warning: `{name}` is too long for `{path}` and left out: see the report");
                surroundings.progress.say(&line);
            }
            write(path, &text)?;
        }
        Ok(())
    }

    /// Leaves that a command failed as a whole, so that nothing older is taken for its outcome.
    pub(super) fn keep_failure(&self, surroundings: &Surroundings<'_>) {
        let Some(path) = &self.dotenv else { return };
        let outputs = [("changed", "false".to_owned()), ("operation", "failed".to_owned())];
        if let Err(error) = write(path, &report::dotenv::text(&outputs).0) {
            surroundings.progress.say(&format!("warning: {error}"));
        }
    }
}

fn write(path: &Utf8Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| {
        Failure::usage(format!("cannot write to `{path}`: {error}")).hint("the directory must exist")
    })
}
