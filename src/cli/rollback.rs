//! `hydrator rollback`: arguments into a request, the report and the differences onto stdout.

use anyhow::Result;
use clap::Args;
use jiff::Timestamp;

use super::arguments::{EnvironmentsArgs, ForgeArgs, Format, RepositoryArgs, world};
use super::run::print;
use super::{Surroundings, actions};
use crate::error::Failure;
use crate::history::Reference;
use crate::mask::Mask;
use crate::model::EnvironmentName;
use crate::plan::Permissions;
use crate::report;
use crate::rollback::{Request, rollback};
use crate::variables::Variables;

/// Arguments of `hydrator rollback`.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    environments: EnvironmentsArgs,
    /// Also all environments that come after this one
    #[arg(long, value_name = "NAME")]
    all_after: Option<String>,
    /// The state: `previous`, `last-healthy`, a number of states back, or the id of a hydrated or a DRY commit
    #[arg(long, value_name = "STATE", default_value = "previous")]
    to: Reference,
    /// Only this target, by name or output; may be repeated. The others go on
    #[arg(long = "target", value_name = "NAME", value_delimiter = ',')]
    targets: Vec<String>,
    /// Why: for the pull request, the commit and the hold
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Who asks; by default whom the CI system names
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Straight to the active branch, without a pull request
    #[arg(long)]
    push: bool,
    /// Do not hold it there: the next DRY commit is proposed as usual
    #[arg(long)]
    no_hold: bool,
    /// Later environments need not wait for this one
    #[arg(long)]
    let_pass: bool,
    /// Also open a pull request that takes back the DRY commits in between from the DRY branch
    #[arg(long)]
    revert_dry: bool,
    /// Show what would change, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Replace a person's content on proposed branches
    #[arg(long)]
    overwrite: bool,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(args: &RollbackArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    if args.no_hold && args.let_pass {
        return Err(Failure::usage("`--let-pass` is about a hold, and `--no-hold` makes none").into());
    }
    if args.revert_dry && !args.targets.is_empty() {
        return Err(Failure::usage(
            "`--revert-dry` takes back whole DRY commits, and `--target` is about a part",
        )
        .hint("revert on the DRY branch by hand what concerns the target")
        .into());
    }
    let mask = Mask::of(surroundings.variables);
    if mask.apply(&args.reason) != args.reason {
        return Err(Failure::usage("`--reason` has a token of this job in it, and everybody would read it")
            .hint("say it in other words")
            .into());
    }
    let now = now(surroundings.variables)?;
    let request = Request {
        environments: args.environments.names(),
        all_after: args.all_after.as_deref().map(EnvironmentName::new),
        to: args.to.clone(),
        targets: args.targets.iter().map(|target| target.trim().to_owned()).collect(),
        actor: args.actor.clone().unwrap_or_else(|| crate::ci::actor(surroundings.variables)),
        reason: args.reason.clone(),
        now,
        hold: !args.no_hold,
        let_pass: args.let_pass,
        push: args.push,
        dry_run: args.dry_run,
        revert_dry: args.revert_dry,
        permissions: Permissions { overwrite: args.overwrite, ..Permissions::default() },
    };
    let world = world(&args.repository, &args.forge, surroundings)?;
    let done = rollback(&world, &request)?;
    actions::show(&done.report, surroundings);
    print(&done.report, args.format, false, surroundings)?;
    for (environment, difference) in &done.differences {
        match args.format {
            Format::Text => write!(surroundings.out, "\n=== {environment}\n{difference}")?,
            Format::Markdown => {
                let block = crate::escape::fence("diff", difference);
                write!(surroundings.out, "\n### {}\n\n{block}\n", crate::escape::code(environment.as_str()))?;
            }
            // `history --diff` has it.
            Format::Json => {}
        }
    }
    Ok(report::exit_code(&done.report))
}

/// The time, or what stands for it in reproducible runs: <https://reproducible-builds.org/specs/source-date-epoch/>.
pub(super) fn now(variables: &Variables) -> Result<Timestamp> {
    let Some(seconds) = variables.get("SOURCE_DATE_EPOCH") else { return Ok(Timestamp::now()) };
    let time = seconds.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    time.ok_or_else(|| {
        Failure::usage("the variable `SOURCE_DATE_EPOCH` is no number of seconds since 1970").into()
    })
}
