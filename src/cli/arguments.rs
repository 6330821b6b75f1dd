//! Arguments that several commands share, and variables as their defaults.

use std::time::Duration;

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::builder::OsStr;
use clap::{Arg, ArgAction, Args, Command, ValueEnum};

use super::Surroundings;
use crate::config::{self, Loaded};
use crate::dry::{self, Wanted};
use crate::error::Failure;
use crate::forge::Forge;
use crate::forge::local::LocalForge;
use crate::git::Login;
use crate::model::{CommitId, DryTree, EnvironmentName};
use crate::rendering::Limits;
use crate::secret::Secret;
use crate::variables::Variables;
use crate::worktree::WorkTree;
use crate::world::{Location, Repository, World, local_forge_directory};

/// Where the repository is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Repository")]
pub(super) struct RepositoryArgs {
    /// The checkout, or a bare repository
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    pub(super) repo: Utf8PathBuf,
    /// The remote: its name in the checkout, or a URL
    #[arg(long, value_name = "NAME|URL", default_value = "origin")]
    pub(super) remote: String,
    /// The configuration, in the DRY tree
    #[arg(long, value_name = "PATH", default_value = "hydrator.yaml")]
    pub(super) config: Utf8PathBuf,
    /// The user name that goes with the token
    #[arg(long, value_name = "NAME", default_value = "x-access-token")]
    pub(super) token_user: String,
}

/// Which forge, and where it is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Forge")]
pub(super) struct ForgeArgs {
    /// Where pull requests live
    #[arg(long, value_enum)]
    pub(super) forge: Option<ForgeKind>,
    /// The bare repository that the local forge is kept beside; by default the remote itself
    #[arg(long, value_name = "DIRECTORY")]
    pub(super) forge_directory: Option<Utf8PathBuf>,
}

/// A forge by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ForgeKind {
    /// Pull requests in a file beside a plain git remote, to try things out
    Local,
}

/// The form of what is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people
    #[default]
    Text,
    /// One object, for programs
    Json,
    /// For a step summary
    Markdown,
}

/// Which environments.
#[derive(Clone, Debug, Args)]
pub(super) struct EnvironmentsArgs {
    /// Only these environments; may be repeated, or a list with commas
    #[arg(long = "environment", short = 'e', value_name = "NAME", value_delimiter = ',')]
    pub(super) environments: Vec<String>,
}

/// How rendering is done.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Rendering")]
pub(super) struct RenderingArgs {
    /// How many targets are rendered at the same time; by default one per processor
    #[arg(long, value_name = "NUMBER")]
    pub(super) jobs: Option<usize>,
    /// How many seconds one program may take
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    pub(super) time_limit: u64,
    /// How many MiB one program may print
    #[arg(long, value_name = "MIB", default_value_t = 256)]
    pub(super) output_limit: u64,
}

impl RepositoryArgs {
    /// Opens the repository.
    pub(super) fn open(&self, surroundings: &Surroundings<'_>) -> Result<Repository> {
        let token = surroundings.variables.get("HYDRATOR_TOKEN");
        let login = token.map(|token| Login { user: self.token_user.clone(), token: Secret::new(token) });
        let location = Location { repository: self.repo.clone(), remote: self.remote.clone(), login };
        Repository::open(location, surroundings.variables, &surroundings.stop)
    }
}

impl ForgeArgs {
    /// Connects to the forge.
    pub(super) fn connect(&self, repository: &Repository) -> Result<Box<dyn Forge>> {
        match self.forge {
            Some(ForgeKind::Local) => {
                let directory = local_forge_directory(repository, self.forge_directory.as_deref())?;
                Ok(Box::new(LocalForge::open(&directory)?))
            }
            None => Err(Failure::usage("no forge is known for this repository")
                .hint("name one with `--forge local`; other forges are not supported yet")
                .into()),
        }
    }
}

impl EnvironmentsArgs {
    /// The names, trimmed.
    pub(super) fn names(&self) -> Vec<EnvironmentName> {
        let names = self.environments.iter().flat_map(|names| names.split(['\n', ',']));
        names.map(str::trim).filter(|name| !name.is_empty()).map(EnvironmentName::new).collect()
    }
}

/// Everything that a run needs.
pub(super) fn world(
    repository: &RepositoryArgs,
    forge: &ForgeArgs,
    surroundings: &Surroundings<'_>,
) -> Result<World> {
    let opened = repository.open(surroundings)?;
    let forge = forge.connect(&opened)?;
    Ok(World {
        forge,
        repository: opened,
        trigger: crate::ci::detect(surroundings.variables)?,
        config: repository.config.clone(),
        variables: surroundings.variables.clone(),
        stop: std::sync::Arc::clone(&surroundings.stop),
    })
}

/// The command with `HYDRATOR_<OPTION>` as each option's default; an empty variable counts as unset.
pub(super) fn with_variables(command: Command, variables: &Variables) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = command.mut_args(|argument| with_variable(argument, variables));
    names
        .into_iter()
        .fold(command, |command, name| command.mut_subcommand(name, |sub| with_variables(sub, variables)))
}

fn with_variable(argument: Arg, variables: &Variables) -> Arg {
    let Some(long) = argument.get_long() else { return argument };
    let name = format!("HYDRATOR_{}", long.replace('-', "_").to_uppercase());
    let Some(value) = variables.get(&name) else { return argument };
    match argument.get_action() {
        ArgAction::SetTrue if matches!(value, "true" | "1" | "yes") => argument.default_value("true"),
        ArgAction::SetTrue => argument,
        ArgAction::Append => {
            let values = value.split(['\n', ',']).map(str::trim).filter(|value| !value.is_empty());
            argument.default_values(values.map(|value| OsStr::from(value.to_owned())).collect::<Vec<_>>())
        }
        _ => argument.default_value(OsStr::from(value.to_owned())),
    }
}

impl RenderingArgs {
    /// The limits of every program that is started.
    pub(super) const fn limits(&self) -> Limits {
        Limits {
            workers: self.jobs,
            time_limit: Duration::from_secs(self.time_limit),
            output_limit: self.output_limit.saturating_mul(1024 * 1024),
        }
    }
}

/// Where the DRY tree is read from.
#[derive(Clone, Debug, Args)]
pub(super) struct SourceArgs {
    /// Read the DRY tree from the work tree as it is, not from the remote's DRY branch
    #[arg(long)]
    pub(super) worktree: bool,
}

/// The DRY tree and its configuration.
pub(super) struct Source {
    /// The configuration.
    pub(super) loaded: Loaded,
    tree: Box<dyn DryTree>,
    _repository: Option<Repository>,
}

impl Source {
    /// The DRY tree.
    pub(super) fn tree(&self) -> &dyn DryTree {
        self.tree.as_ref()
    }
}

impl SourceArgs {
    /// Loads the configuration from the work tree, or from the tip of the remote's DRY branch.
    pub(super) fn load(&self, args: &RepositoryArgs, surroundings: &Surroundings<'_>) -> Result<Source> {
        if self.worktree {
            let tree = WorkTree::open(&args.repo)?;
            let loaded = config::load(&tree, &args.config)?;
            return Ok(Source { loaded, tree: Box::new(tree), _repository: None });
        }
        let repository = args.open(surroundings)?;
        let refs = repository.scratch.look()?;
        let dry = dry::load(&repository.scratch, &refs, Wanted::Tip, &args.config)?;
        Ok(Source { loaded: dry.loaded, tree: Box::new(dry.tree), _repository: Some(repository) })
    }
}

/// A commit id as a person gives it.
pub(super) fn full_id(text: &str) -> Result<CommitId> {
    CommitId::parse(text).ok_or_else(|| {
        Failure::usage(format!("`{text}` is not a full commit id"))
            .hint("give all 40 digits, as `git rev-parse COMMIT` prints them")
            .into()
    })
}
