//! `hydrator demo`.

use anyhow::Result;
use clap::Args;

use super::Surroundings;

/// Arguments of `hydrator demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {}

/// Runs the command.
pub(super) fn run(_: &DemoArgs, _: &mut Surroundings<'_>) -> Result<u8> {
    Ok(0)
}
