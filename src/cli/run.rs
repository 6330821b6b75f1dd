//! `hydrator run`: arguments into a request, the report onto stdout.

use anyhow::Result;
use clap::Args;

use super::arguments::{EnvironmentsArgs, ForgeArgs, Format, RenderingArgs, RepositoryArgs, full_id, world};
use super::files::FilesArgs;
use super::{Surroundings, actions};
use crate::model::RunReport;
use crate::plan::Permissions;
use crate::rendering::Scope;
use crate::report::{self, TextStyle};
use crate::run::RunRequest;

/// Arguments of `hydrator run`.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    environments: EnvironmentsArgs,
    /// The DRY commit, in full; by default the one that the CI job is for, else the DRY branch's tip
    #[arg(long, value_name = "SHA")]
    dry_sha: Option<String>,
    /// Do everything but push and write
    #[arg(long)]
    dry_run: bool,
    /// Replace a person's content on proposed branches
    #[arg(long)]
    overwrite: bool,
    /// Take over active branches that hydrator did not write
    #[arg(long)]
    adopt: bool,
    /// Render everything, whatever the inputs' fingerprints say
    #[arg(long, conflicts_with = "verify")]
    full: bool,
    /// Render everything, and fail if a target that would have been skipped renders to something else
    #[arg(long)]
    verify: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    rendering: RenderingArgs,
    #[command(flatten)]
    files: FilesArgs,
}

impl RunArgs {
    const fn scope(&self) -> Scope {
        match (self.full, self.verify) {
            (_, true) => Scope::Verify,
            (true, false) => Scope::Full,
            (false, false) => Scope::Affected,
        }
    }
}

/// Runs the command.
pub(super) fn run(args: &RunArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let done = hydrate(args, surroundings);
    if done.is_err() {
        args.files.keep_failure(surroundings);
    }
    done
}

fn hydrate(args: &RunArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let world = world(&args.repository, &args.forge, surroundings)?;
    let request = RunRequest {
        environments: args.environments.names(),
        dry_sha: args.dry_sha.as_deref().map(full_id).transpose()?,
        dry_run: args.dry_run,
        permissions: Permissions { overwrite: args.overwrite, adopt: args.adopt, resume: false },
        release: Vec::new(),
        limits: args.rendering.limits(),
        scope: args.scope(),
    };
    let report = crate::run::run(&world, &request, surroundings.progress.as_ref())?;
    actions::show(&report, surroundings);
    args.files.keep(&report, surroundings)?;
    print(&report, args.format, false, surroundings)?;
    Ok(report::exit_code(&report))
}

/// Prints a report in the form that was asked for.
pub(super) fn print(
    report: &RunReport,
    format: Format,
    explain: bool,
    surroundings: &mut Surroundings<'_>,
) -> Result<()> {
    let text = match format {
        Format::Text => report::text(report, TextStyle { colour: surroundings.colour, explain }),
        Format::Json => report::json(report)?,
        Format::Markdown => report::markdown(report),
    };
    surroundings.out.write_all(text.as_bytes())?;
    Ok(())
}
