//! `hydrator status`: where every environment is, onto stdout.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::Surroundings;
use super::arguments::{ForgeArgs, Format, RepositoryArgs, world};
use super::promote::duration;
use super::rollback::now;
use crate::{metrics, status};

/// Arguments of `hydrator status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    /// Show how fast and how well DRY commits were delivered to each environment instead
    #[arg(long)]
    metrics: bool,
    /// How far `--metrics` looks back, such as `30d`
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30d")]
    period: Duration,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(args: &StatusArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let world = world(&args.repository, &args.forge, surroundings)?;
    let now = now(surroundings.variables)?;
    if args.metrics {
        let since = now.checked_sub(args.period)?;
        let found = metrics::metrics(&world, (since, now))?;
        let text = match args.format {
            Format::Text => metrics::text(&found),
            Format::Json => metrics::json(&found)?,
            Format::Markdown => metrics::markdown(&found),
        };
        surroundings.out.write_all(text.as_bytes())?;
        return Ok(0);
    }
    let found = status::status(&world, now)?;
    let text = match args.format {
        Format::Text => status::text(&found, surroundings.colour),
        Format::Json => status::json(&found)?,
        Format::Markdown => status::markdown(&found),
    };
    surroundings.out.write_all(text.as_bytes())?;
    Ok(0)
}
