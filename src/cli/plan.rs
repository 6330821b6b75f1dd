//! `hydrator plan`: the same line as `run`, stopped before anything is pushed or written.

use anyhow::Result;
use clap::Args;

use super::Surroundings;
use super::arguments::{EnvironmentsArgs, ForgeArgs, Format, RenderingArgs, RepositoryArgs, full_id, world};
use super::run::print;
use crate::plan::Permissions;
use crate::rendering::Scope;
use crate::report;
use crate::run::RunRequest;

/// Exit code of `--exit-code` when something would change.
const CHANGES_FOUND: u8 = 10;

/// Arguments of `hydrator plan`.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    environments: EnvironmentsArgs,
    /// The DRY commit, in full; by default the one that the CI job is for, else the DRY branch's tip
    #[arg(long, value_name = "SHA")]
    dry_sha: Option<String>,
    /// Exit with 10 when something would change
    #[arg(long)]
    exit_code: bool,
    /// Say of every target why it is affected, or that it is not
    #[arg(long)]
    explain: bool,
    /// How the plan is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    rendering: RenderingArgs,
}

/// Runs the command.
pub(super) fn run(args: &PlanArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let world = world(&args.repository, &args.forge, surroundings)?;
    let request = RunRequest {
        environments: args.environments.names(),
        dry_sha: args.dry_sha.as_deref().map(full_id).transpose()?,
        dry_run: true,
        permissions: Permissions::default(),
        release: Vec::new(),
        limits: args.rendering.limits(),
        scope: Scope::Affected,
    };
    let report = crate::run::run(&world, &request, surroundings.progress.as_ref())?;
    print(&report, args.format, args.explain, surroundings)?;
    let code = report::exit_code(&report);
    Ok(if code == 0 && args.exit_code && report::changes_found(&report) { CHANGES_FOUND } else { code })
}
