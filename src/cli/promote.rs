//! `hydrator promote`: arguments into a request, the report onto stdout.

use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::arguments::{ForgeArgs, Format, RepositoryArgs, world};
use super::rollback::now;
use super::run::print;
use super::{Surroundings, actions};
use crate::model::EnvironmentName;
use crate::promotion::PromoteRequest;
use crate::report;

/// Arguments of `hydrator promote`.
#[derive(Debug, Args)]
pub(super) struct PromoteArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    /// Wait this long, such as `10m`, for proposals that cannot be merged yet
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "0s")]
    wait: Duration,
    /// Offer a proposal again whose pull request a person closed; may be repeated, or a list with commas
    #[arg(long, value_name = "ENVIRONMENT", value_delimiter = ',')]
    reopen: Vec<String>,
    /// How the report is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(args: &PromoteArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let world = world(&args.repository, &args.forge, surroundings)?;
    let names = args.reopen.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    let reopen = names.map(EnvironmentName::new).collect();
    let request = PromoteRequest { reopen, approved: Vec::new(), wait: args.wait };
    let now = now(surroundings.variables)?;
    let progress = &surroundings.progress;
    let report = crate::recovery::promote(&world, &request, now, &|line| progress.say(line))?;
    actions::show(&report, surroundings);
    print(&report, args.format, false, surroundings)?;
    Ok(report::exit_code(&report))
}

/// A length of time, such as `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let seconds = crate::config::seconds(text).ok_or("write `10m`, `1h30m` or `90s`")?;
    Ok(Duration::from_secs(seconds))
}
