//! `hydrator resume`: a run of some environments in which their holds end.

use anyhow::Result;
use clap::Args;

use super::arguments::{EnvironmentsArgs, ForgeArgs, Format, RenderingArgs, RepositoryArgs, world};
use super::run::print;
use super::{Surroundings, actions};
use crate::error::Failure;
use crate::plan::Permissions;
use crate::rendering::Scope;
use crate::report;
use crate::run::RunRequest;

/// Arguments of `hydrator resume`.
#[derive(Debug, Args)]
pub(super) struct ResumeArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    environments: EnvironmentsArgs,
    /// Only this held target, by name or output; may be repeated
    #[arg(long = "target", value_name = "NAME", value_delimiter = ',')]
    targets: Vec<String>,
    /// Do everything but push and write
    #[arg(long)]
    dry_run: bool,
    /// Replace a person's content on proposed branches
    #[arg(long)]
    overwrite: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    rendering: RenderingArgs,
}

/// Runs the command.
pub(super) fn run(args: &ResumeArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let environments = args.environments.names();
    if environments.is_empty() {
        let failure = Failure::usage("which environment shall be resumed?");
        return Err(failure.hint("name it with `--environment`").into());
    }
    let mut world = world(&args.repository, &args.forge, surroundings)?;
    // It brings the newest DRY commit, whichever one the job was started for.
    world.trigger = None;
    let request = RunRequest {
        environments,
        dry_sha: None,
        dry_run: args.dry_run,
        permissions: Permissions { overwrite: args.overwrite, adopt: false, resume: true },
        release: args.targets.iter().map(|target| target.trim().to_owned()).collect(),
        limits: args.rendering.limits(),
        scope: Scope::Affected,
    };
    let report = crate::run::run(&world, &request, surroundings.progress.as_ref())?;
    actions::show(&report, surroundings);
    print(&report, args.format, false, surroundings)?;
    Ok(report::exit_code(&report))
}
