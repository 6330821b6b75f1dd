//! `hydrator schema`: the JSON Schema of the configuration, or of the report.

use anyhow::Result;
use clap::Args;

use super::Surroundings;

/// Arguments of `hydrator schema`.
#[derive(Debug, Args)]
pub(super) struct SchemaArgs {
    /// The schema of `--format json`
    #[arg(long)]
    report: bool,
}

/// Runs the command.
pub(super) fn run(args: &SchemaArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let schema = if args.report { crate::report::report_schema() } else { crate::config::schema() };
    writeln!(surroundings.out, "{schema:#}")?;
    Ok(0)
}
