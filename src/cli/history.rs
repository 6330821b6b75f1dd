//! `hydrator history`: arguments into a question, the states onto stdout.

use anyhow::Result;
use clap::Args;

use super::Surroundings;
use super::arguments::{ForgeArgs, Format, RepositoryArgs, world};
use crate::history::{self, Question, Reference};
use crate::model::EnvironmentName;

/// Arguments of `hydrator history`.
#[derive(Debug, Args)]
pub(super) struct HistoryArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    /// The environment
    #[arg(long, short = 'e', value_name = "NAME")]
    environment: String,
    /// The most states to list
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: usize,
    /// Show what going back to a state would change; the previous one if none is named. Values of Secrets are hidden
    #[arg(long, value_name = "STATE", num_args = 0..=1, default_missing_value = "previous")]
    diff: Option<Reference>,
    /// How the states are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(args: &HistoryArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let world = world(&args.repository, &args.forge, surroundings)?;
    let question = Question {
        environment: EnvironmentName::new(args.environment.trim()),
        limit: args.limit,
        difference: args.diff.clone(),
        activations: args.format == Format::Json,
    };
    let report = history::list(&world, &question)?;
    let text = match args.format {
        Format::Text => history::text(&report),
        Format::Json => history::json(&report)?,
        Format::Markdown => history::markdown(&report),
    };
    surroundings.out.write_all(text.as_bytes())?;
    Ok(0)
}
