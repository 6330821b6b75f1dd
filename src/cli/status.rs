//! `hydrator status`: where every environment is, onto stdout.

use anyhow::Result;
use clap::Args;

use super::Surroundings;
use super::arguments::{ForgeArgs, Format, RepositoryArgs, world};
use super::rollback::now;
use crate::status;

/// Arguments of `hydrator status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(args: &StatusArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let world = world(&args.repository, &args.forge, surroundings)?;
    let found = status::status(&world, now(surroundings.variables)?)?;
    let text = match args.format {
        Format::Text => status::text(&found, surroundings.colour),
        Format::Json => status::json(&found)?,
        Format::Markdown => status::markdown(&found),
    };
    surroundings.out.write_all(text.as_bytes())?;
    Ok(0)
}
