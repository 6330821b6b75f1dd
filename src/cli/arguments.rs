//! Arguments that several commands share, and variables as their defaults.

use std::time::Duration;

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::builder::{BoolishValueParser, OsStr};
use clap::{Arg, ArgAction, Args, Command, ValueEnum};

use super::Surroundings;
use crate::ci;
use crate::config::{self, Loaded};
use crate::dry::{self, Wanted};
use crate::error::Failure;
use crate::forge::Forge;
use crate::forge::github::{self, GitHub};
use crate::forge::gitlab::GitLab;
use crate::forge::http::{Connection, Limits as HttpLimits, seconds};
use crate::forge::local::LocalForge;
use crate::git::{Login, RemoteRefs};
use crate::model::{CommitId, DryTree, EnvironmentName};
use crate::rendering::Limits;
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
    /// The user name that goes with the token; by default the one that the forge asks for
    #[arg(long, value_name = "NAME")]
    pub(super) token_user: Option<String>,
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
    /// How many seconds one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 60, hide_short_help = true)]
    pub(super) forge_timeout: u64,
    /// How many seconds to wait in all where the forge's rate limit is used up
    #[arg(long, value_name = "SECONDS", default_value_t = 300, hide_short_help = true)]
    pub(super) forge_patience: u64,
    /// How many milliseconds to pause between many writes, and at first before another attempt
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 1000, hide_short_help = true)]
    pub(super) forge_pace: u64,
}

/// A forge by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ForgeKind {
    /// GitHub or GitHub Enterprise Server
    #[value(name = "github")]
    GitHub,
    /// GitLab, gitlab.com or self-managed
    #[value(name = "gitlab")]
    GitLab,
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
        let location = Location { repository: self.repo.clone(), remote: self.remote.clone() };
        let login = |url: &str| {
            let (user, token) = ci::login(surroundings.variables, url)?;
            Some(Login { user: self.token_user.clone().unwrap_or_else(|| user.to_owned()), token })
        };
        Repository::open(location, surroundings.variables, &surroundings.stop, &login)
    }
}

impl ForgeArgs {
    /// Connects to the forge.
    pub(super) fn connect(
        &self,
        repository: &Repository,
        surroundings: &Surroundings<'_>,
    ) -> Result<Box<dyn Forge>> {
        let remote = &repository.scratch.remote_url;
        let recognised = || {
            let on_github = ci::github::is_at_home(surroundings.variables, remote);
            let on_gitlab = ci::gitlab::is_at_home(surroundings.variables, remote);
            on_github.then_some(ForgeKind::GitHub).or(on_gitlab.then_some(ForgeKind::GitLab))
        };
        match self.forge.or_else(recognised) {
            Some(ForgeKind::GitHub) => Ok(Box::new(self.github(remote, surroundings)?)),
            Some(ForgeKind::GitLab) => Ok(Box::new(self.gitlab(remote, surroundings)?)),
            Some(ForgeKind::Local) => {
                let directory = local_forge_directory(repository, self.forge_directory.as_deref())?;
                Ok(Box::new(LocalForge::open(&directory)?))
            }
            None => Err(Failure::usage("no forge is known for this repository")
                .hint("name one with `--forge github`, `--forge gitlab` or `--forge local`")
                .into()),
        }
    }

    fn github(&self, remote: &str, surroundings: &Surroundings<'_>) -> Result<GitHub> {
        let variables = surroundings.variables;
        let place = ci::github::place(variables, remote)?;
        let token = ci::github::token(variables, remote).ok_or_else(|| {
            Failure::usage("there is no token for GitHub").for_want_of_a_right().hint(
                "set `HYDRATOR_TOKEN`; in a job, `env: {GITHUB_TOKEN: \"${{ github.token }}\"}` will do",
            )
        })?;
        let around = github::Surroundings {
            variables,
            limits: self.limits(),
            listener: std::sync::Arc::clone(&surroundings.progress),
            stop: std::sync::Arc::clone(&surroundings.stop),
        };
        Ok(GitHub::new(place, &token, around)?)
    }

    fn gitlab(&self, remote: &str, surroundings: &Surroundings<'_>) -> Result<GitLab> {
        let variables = surroundings.variables;
        let place = ci::gitlab::place(variables, remote)?;
        let (token, kind) = ci::gitlab::token(variables, remote).ok_or_else(|| {
            Failure::usage("there is no token for GitLab").for_want_of_a_right().hint(
                "set `HYDRATOR_TOKEN` to a project access token with the scopes `api` and `write_repository`; a \
                 protected variable reaches jobs of protected branches only",
            )
        })?;
        let connection = Connection {
            token,
            variables,
            url: &place.api.clone(),
            limits: self.limits(),
            listener: std::sync::Arc::clone(&surroundings.progress),
            stop: std::sync::Arc::clone(&surroundings.stop),
        };
        Ok(GitLab::new(place, kind, connection)?)
    }

    const fn limits(&self) -> HttpLimits {
        HttpLimits {
            request: seconds(self.forge_timeout),
            patience: seconds(self.forge_patience),
            pace: Duration::from_millis(self.forge_pace),
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
    let forge = forge.connect(&opened, surroundings)?;
    let job = ci::detect(surroundings.variables, &|path| std::fs::read(path))?;
    Ok(World {
        forge,
        repository: opened,
        trigger: job.and_then(|job| job.trigger),
        config: repository.config.clone(),
        variables: surroundings.variables.clone(),
        stop: std::sync::Arc::clone(&surroundings.stop),
        clock: jiff::Timestamp::now,
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
    // To clap, a default does not stand in for what is required.
    let argument = argument.required(false);
    match argument.get_action() {
        // What is neither yes nor no is an error: `HYDRATOR_DRY_RUN=ture` must not push.
        ArgAction::SetTrue => {
            argument.value_parser(BoolishValueParser::new()).default_value(OsStr::from(value.to_owned()))
        }
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
    /// The repository and its remote's refs; none for a work tree.
    pub(super) remote: Option<(Repository, RemoteRefs)>,
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
            return Ok(Source { loaded, tree: Box::new(tree), remote: None });
        }
        let repository = args.open(surroundings)?;
        let refs = repository.scratch.look()?;
        let dry = dry::load(&repository.scratch, &refs, Wanted::Tip, &args.config)?;
        Ok(Source { loaded: dry.loaded, tree: Box::new(dry.tree), remote: Some((repository, refs)) })
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
