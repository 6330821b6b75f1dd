//! `hydrator schema`: the JSON Schema of the configuration, or of the report.

use anyhow::Result;
use clap::Args;

use super::Surroundings;

/// Arguments of `hydrator schema`.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// The schema of `--format json` of `run`, `plan`, `promote`, `rollback` and `resume`
    #[arg(long)]
    report: bool,
    /// The schema of `history --format json`
    #[arg(long, conflicts_with = "report")]
    history: bool,
    /// The schema of `status --format json`
    #[arg(long, conflicts_with_all = ["report", "history"])]
    status: bool,
    /// The schema of `diff --format json`
    #[arg(long, conflicts_with_all = ["report", "history", "status"])]
    diff: bool,
    /// The schema of `status --metrics --format json`
    #[arg(long, conflicts_with_all = ["report", "history", "status", "diff"])]
    metrics: bool,
}

/// Runs the command.
pub(super) fn run(args: &SchemaArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let schema = match (args.report, args.history, args.status, args.diff, args.metrics) {
        (true, ..) => crate::report::report_schema(),
        (_, true, ..) => crate::history::schema(),
        (_, _, true, ..) => crate::status::schema(),
        (.., true, _) => crate::diff::schema(),
        (.., true) => crate::metrics::schema(),
        _ => crate::config::schema(),
    };
    writeln!(surroundings.out, "{schema:#}")?;
    Ok(0)
}
