//! `hydrator diff`: arguments into a question, the preview onto stdout or into a file.

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use clap::Args;

use super::Surroundings;
use super::arguments::{EnvironmentsArgs, Format, RenderingArgs, RepositoryArgs};
use crate::ci;
use crate::diff::{self, Ground, Question, Style};

/// The exit code that says that something would change.
const CHANGES_FOUND: u8 = 10;

/// Arguments of `hydrator diff`.
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    environments: EnvironmentsArgs,
    /// What to compare with: a branch of the remote, a commit id or a revision of the checkout; by default the DRY branch
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// What to look at; by default what the CI job is for, else the checkout's HEAD
    #[arg(long, value_name = "REF")]
    head: Option<String>,
    /// Compare with the base itself, not with the commit at which the head left it
    #[arg(long)]
    exact: bool,
    /// Exit with 10 when a manifest would change
    #[arg(long)]
    exit_code: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Write it to this file, and nothing to stdout
    #[arg(long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    #[command(flatten)]
    rendering: RenderingArgs,
}

/// Runs the command.
pub(super) fn run(args: &DiffArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let repository = args.repository.open(surroundings)?;
    let job = ci::detect(surroundings.variables, &|path| std::fs::read(path))?;
    let ground = Ground {
        repository: &repository,
        config: &args.repository.config,
        job: job.as_ref(),
        variables: surroundings.variables,
        stop: &surroundings.stop,
    };
    let question = Question {
        base: args.base.clone(),
        head: args.head.clone(),
        exact: args.exact,
        environments: args.environments.names(),
        limits: args.rendering.limits(),
    };
    let report = diff::preview(&ground, &question, surroundings.progress.as_ref())?;
    let colour = surroundings.colour && args.output.is_none();
    let text = match args.format {
        Format::Text => diff::text(&report, Style { colour }),
        Format::Json => diff::json(&report)?,
        Format::Markdown => diff::markdown(&report),
    };
    match &args.output {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write `{path}`"))?,
        None => surroundings.out.write_all(text.as_bytes())?,
    }
    let code = report.exit_code();
    Ok(if code == 0 && args.exit_code && report.changes_found() { CHANGES_FOUND } else { code })
}
