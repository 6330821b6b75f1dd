//! `hydrator init`: writes a first configuration and a first workflow, and says what comes next.

use std::fs::OpenOptions;
use std::io::Write as _;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};

use super::{Surroundings, actions};
use crate::ci;
use crate::error::Failure;
use crate::init::{Home, propose, steps};
use crate::worktree::WorkTree;
use crate::world::{Location, Repository};

/// Arguments of `hydrator init`.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The root of the repository's work tree
    #[arg(long, value_name = "DIRECTORY", default_value = ".")]
    repo: Utf8PathBuf,
    /// The configuration to write
    #[arg(long, value_name = "PATH", default_value = "hydrator.yaml")]
    config: Utf8PathBuf,
    /// The forge to write a workflow for; by default the one that the remote `origin` is on
    #[arg(long, value_enum)]
    forge: Option<HomeName>,
    /// Print the files, and write nothing
    #[arg(long)]
    dry_run: bool,
}

/// A forge by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HomeName {
    /// GitHub or GitHub Enterprise Server
    #[value(name = "github")]
    GitHub,
    /// GitLab
    #[value(name = "gitlab")]
    GitLab,
    /// No workflow
    None,
}

/// Runs the command.
pub(super) fn run(args: &InitArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let tree = WorkTree::open(&args.repo)?;
    let (home, branch) = place(args, surroundings);
    let proposal = propose(&tree, home, &branch)?;
    let mut files = vec![(args.config.clone(), proposal.configuration.as_str())];
    files.extend(proposal.workflow.iter().map(|(path, text)| (path.clone(), text.as_str())));
    if args.dry_run {
        for (path, text) in &files {
            writeln!(surroundings.out, "--- {path}\n{text}")?;
        }
    }
    actions::warn(&proposal.check(&tree, &args.config)?, surroundings);
    if args.dry_run {
        return Ok(0);
    }
    for (path, text) in &files {
        let is_configuration = *path == args.config;
        if write(&args.repo.join(path), text, is_configuration)? {
            writeln!(surroundings.out, "wrote {path}")?;
        } else {
            writeln!(
                surroundings.out,
                "left {path} as it is; `hydrator init --dry-run` prints what it would hold"
            )?;
        }
    }
    write!(surroundings.out, "\nNext, in this order:\n{}", steps(home))?;
    Ok(0)
}

/// The forge, and the branch that people edit: as far as the checkout tells.
fn place(args: &InitArgs, surroundings: &Surroundings<'_>) -> (Option<Home>, String) {
    let location = Location { repository: args.repo.clone(), remote: "origin".to_owned() };
    let opened = Repository::open(location, surroundings.variables, &surroundings.stop, &|_| None).ok();
    let remote = opened.as_ref().map(|repository| repository.scratch.remote_url.clone()).unwrap_or_default();
    let refs = opened.as_ref().and_then(|repository| repository.scratch.look().ok());
    let branch = refs.and_then(|refs| refs.default_branch().map(ToString::to_string));
    let there = |path: &str| args.repo.join(path).exists();
    let home = match args.forge {
        Some(HomeName::GitHub) => Some(Home::GitHub),
        Some(HomeName::GitLab) => Some(Home::GitLab),
        None if ci::github::is_at_home(surroundings.variables, &remote) || there(".github") => {
            Some(Home::GitHub)
        }
        None if remote.contains("gitlab") || there(".gitlab-ci.yml") => Some(Home::GitLab),
        Some(HomeName::None) | None => None,
    };
    (home, branch.unwrap_or_else(|| "main".to_owned()))
}

/// Writes a file that is not there; false if it is. For the configuration that is an error.
fn write(path: &Utf8Path, text: &str, is_needed: bool) -> Result<bool> {
    let failed = |error: std::io::Error| Failure::usage(format!("cannot write `{path}`: {error}"));
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true).map_err(|error| failed(error).into()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && is_needed => {
            Err(Failure::usage(format!("`{path}` is there already, and is not overwritten"))
                .hint("`hydrator init --dry-run` prints a proposal to compare it with")
                .into())
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error).into()),
    }
}
