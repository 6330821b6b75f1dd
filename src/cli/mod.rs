//! The command line: what can be asked, translated into requests to the library. The only place that knows clap.

mod actions;
mod arguments;
mod check;
mod comment;
mod demo;
mod diff;
mod files;
mod history;
mod init;
mod kept;
pub mod local;
mod plan;
mod progress;
mod promote;
mod render;
mod resume;
mod rollback;
mod run;
mod schema;
mod status;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

pub use self::progress::{Console, Groups};
use crate::error::Failure;
use crate::progress::Progress;
use crate::variables::Variables;
use crate::world::{Location, Repository, local_forge_directory};

/// Renders each environment's Kubernetes manifests and proposes them as pull requests.
#[derive(Debug, Parser)]
#[command(name = "hydrator", version, propagate_version = true)]
#[command(
    after_help = "Every option can also be set by a variable, HYDRATOR_<OPTION> (`--dry-run`: HYDRATOR_DRY_RUN=true); an empty \
                        variable counts as unset. The token comes from HYDRATOR_TOKEN only.\n\
                        Exit codes: 0 done or nothing to do, 1 unexpected, 2 usage, 3 configuration, 4 render, 5 git or lost race, \
                        6 forge refused, 10 changes found (`plan --exit-code`, `diff --exit-code`)."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Hydrate a DRY commit: render, push the proposed branches, open or update pull requests
    Run(run::RunArgs),
    /// Show what `run` would do, and do nothing
    Plan(plan::PlanArgs),
    /// Show what a change of the DRY branch changes in every environment's manifests
    Diff(diff::DiffArgs),
    /// Bring back an older state of an environment or a target, exactly, and hold it there
    Rollback(rollback::RollbackArgs),
    /// End a hold: propose the newest DRY commit again
    Resume(resume::ResumeArgs),
    /// List the states that an environment can be rolled back to
    History(history::HistoryArgs),
    /// Look at every proposal again, without rendering: gates, merges for `autoMerge`
    Promote(promote::PromoteArgs),
    /// Do what a comment on a pull request asks for, such as `/hydrator promote prod`
    Comment(comment::CommentArgs),
    /// Show where every environment is, and what it waits for
    Status(status::StatusArgs),
    /// Render environments into a directory; no branch is read or written
    Render(render::RenderArgs),
    /// Propose a configuration and a workflow for a repository
    Init(init::InitArgs),
    /// Check the configuration and show what it means
    Check(check::CheckArgs),
    /// Print the JSON Schema of the configuration or of the report
    Schema(schema::SchemaArgs),
    /// Work the local forge by hand
    Local(LocalForgeArgs),
    /// Try everything on a throwaway repository
    Demo(demo::DemoArgs),
}

/// What the program gives to a command.
pub struct Surroundings<'a> {
    /// The process's variables.
    pub variables: &'a Variables,
    /// Raised by a signal.
    pub stop: Arc<AtomicBool>,
    /// Where data goes.
    pub out: &'a mut dyn Write,
    /// Who hears how far it is.
    pub progress: Arc<dyn Progress + Send>,
    /// Whether data may be coloured: it is read on a terminal by somebody who wants colours.
    pub colour: bool,
    /// This program's own file, where that is known.
    pub program: Option<Utf8PathBuf>,
}

/// Parses the arguments and runs the command; the exit code is that of a command that did what it was asked.
pub fn main(arguments: Vec<String>, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let done = carry_out(arguments, surroundings);
    if let Err(error) = &done {
        actions::show_error(error, surroundings);
    }
    done
}

fn carry_out(arguments: Vec<String>, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let command = arguments::with_variables(Cli::command(), surroundings.variables);
    let matches = match command.try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return usage(&error, surroundings),
    };
    let cli = match Cli::from_arg_matches(&matches) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, surroundings),
    };
    match cli.command {
        Command::Run(args) => run::run(&args, surroundings),
        Command::Plan(args) => plan::run(&args, surroundings),
        Command::Diff(args) => diff::run(&args, surroundings),
        Command::Rollback(args) => rollback::run(&args, surroundings),
        Command::Resume(args) => resume::run(&args, surroundings),
        Command::History(args) => history::run(&args, surroundings),
        Command::Promote(args) => promote::run(&args, surroundings),
        Command::Comment(args) => comment::run(&args, surroundings),
        Command::Status(args) => status::run(&args, surroundings),
        Command::Render(args) => render::run(&args, surroundings),
        Command::Init(args) => init::run(&args, surroundings),
        Command::Check(args) => check::run(&args, surroundings),
        Command::Schema(args) => schema::run(&args, surroundings),
        Command::Local(args) => local_forge(&args, surroundings),
        Command::Demo(args) => demo::run(&args, surroundings),
    }
}

/// Where the local forge is, and what is to be done there.
#[derive(Debug, clap::Args)]
struct LocalForgeArgs {
    /// A checkout of the repository, or the bare repository itself
    #[arg(long, global = true, value_name = "DIRECTORY", default_value = ".")]
    repo: Utf8PathBuf,
    /// The remote's name in the checkout
    #[arg(long, global = true, value_name = "NAME|URL", default_value = "origin")]
    remote: String,
    /// The bare repository that the local forge is kept beside; by default the remote itself
    #[arg(long, global = true, value_name = "DIRECTORY")]
    forge_directory: Option<Utf8PathBuf>,
    #[command(flatten)]
    local: local::LocalArgs,
}

fn local_forge(args: &LocalForgeArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let directory = if let Some(directory) = &args.forge_directory {
        directory.clone()
    } else {
        let location = Location { repository: args.repo.clone(), remote: args.remote.clone() };
        let repository = Repository::open(location, surroundings.variables, &surroundings.stop, &|_| None)?;
        local_forge_directory(&repository, None)?
    };
    local::run(&args.local, &directory, surroundings.out)?;
    Ok(0)
}

/// Help and version are data; everything else about the arguments is a usage error.
fn usage(error: &clap::Error, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    if error.use_stderr() {
        let text = error.render().to_string();
        let text = text.trim_end().strip_prefix("error: ").unwrap_or(&text).to_owned();
        return Err(Failure::usage(text).into());
    }
    write!(surroundings.out, "{}", error.render())?;
    Ok(0)
}
