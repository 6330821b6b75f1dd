//! `hydrator demo`: arguments into a request.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;

use super::Surroundings;
use crate::demo::{Request, run as play};

/// Arguments of `hydrator demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Where to play: a new or an empty directory; by default a new temporary one. It stays
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<Utf8PathBuf>,
}

/// Runs the command.
pub(super) fn run(args: &DemoArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let request = Request {
        directory: args.directory.as_deref(),
        program: surroundings.program.as_deref(),
        variables: surroundings.variables,
        stop: &surroundings.stop,
        colour: surroundings.colour,
    };
    play(&request, surroundings.out)?;
    Ok(0)
}
