//! `hydrator schema`: the JSON Schema of the configuration, or of the report.

use anyhow::Result;
use clap::Args;

use super::Surroundings;

/// Arguments of `hydrator schema`.
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
}

/// Runs the command.
pub(super) fn run(args: &SchemaArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let schema = match (args.report, args.history, args.status) {
        (true, _, _) => crate::report::report_schema(),
        (_, true, _) => crate::history::schema(),
        (_, _, true) => crate::status::schema(),
        _ => crate::config::schema(),
    };
    writeln!(surroundings.out, "{schema:#}")?;
    Ok(0)
}
