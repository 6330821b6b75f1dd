//! `hydrator check`: is the configuration right, what does it mean, and is the forge ready for it.

use anyhow::Result;
use clap::Args;

use super::arguments::{ForgeArgs, RepositoryArgs, SourceArgs};
use super::{Surroundings, actions};
use crate::checkup;
use crate::config;
use crate::forge::diagnosis::Finding;

/// Arguments of `hydrator check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    forge: ForgeArgs,
}

/// Runs the command.
pub(super) fn run(args: &CheckArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let source = args.source.load(&args.repository, surroundings)?;
    let warnings: Vec<String> = source.loaded.warnings.iter().map(ToString::to_string).collect();
    actions::warn(&warnings, surroundings);
    write!(surroundings.out, "{}", config::describe(&source.loaded.project))?;
    let Some((repository, refs)) = &source.remote else { return Ok(0) };
    let forge = match args.forge.connect(repository, surroundings) {
        Ok(forge) => forge,
        // Without a token the configuration is all that can be looked at.
        Err(error) if args.forge.forge.is_none() => {
            surroundings.progress.say(&format!("the forge's settings were not looked at: {error:#}"));
            return Ok(0);
        }
        Err(error) => return Err(error),
    };
    let found = checkup::look(forge.as_ref(), &source.loaded.project, refs, source.tree())?;
    let words: Vec<String> = found.iter().map(Finding::words).collect();
    actions::warn(&words, surroundings);
    if found.is_empty() {
        surroundings.progress.say("nothing in the forge's settings stands in the way");
    }
    Ok(0)
}
