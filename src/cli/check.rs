//! `hydrator check`: is the configuration right, and what does it mean.

use anyhow::Result;
use clap::Args;

use super::Surroundings;
use super::arguments::{RepositoryArgs, SourceArgs};
use crate::config;

/// Arguments of `hydrator check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    source: SourceArgs,
}

/// Runs the command.
pub(super) fn run(args: &CheckArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let loaded = args.source.load(&args.repository, surroundings)?.loaded;
    for warning in &loaded.warnings {
        surroundings.progress.say(&format!("warning: {warning}"));
    }
    write!(surroundings.out, "{}", config::describe(&loaded.project))?;
    Ok(0)
}
