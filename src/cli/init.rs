//! `hydrator init`: writes a first configuration and a first workflow, and says what comes next.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::Arc;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use clap::{Args, ValueEnum};

use super::{Surroundings, actions};
use crate::ci::{self, System};
use crate::config::Loaded;
use crate::error::Failure;
use crate::git::{GitProgram, Standing};
use crate::init::{Home, Proposal, Wish, propose, steps};
use crate::model::Project;
use crate::secret::without_userinfo;
use crate::worktree::WorkTree;

/// The remote that tells the forge.
const REMOTE: &str = "origin";

/// Arguments of `hydrator init`.
#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The repository's work tree, or a directory of it
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
    let git = GitProgram::new(surroundings.variables, Arc::clone(&surroundings.stop));
    let standing = Standing::look(&git, &args.repo, REMOTE);
    let top = top(args, &standing, surroundings);
    let tree = WorkTree::open(&top)?;
    let (home, why_none) = home(args, &standing, &top, surroundings);
    let branch = standing.branch.as_deref().unwrap_or("main");
    let proposal = propose(&tree, Wish { home, branch, config: &args.config })?;
    if let Some(why) = why_none {
        surroundings.progress.say(&why);
    }
    if args.dry_run {
        writeln!(surroundings.out, "--- {}\n{}", args.config, proposal.configuration)?;
        if let Some((path, text)) = &proposal.workflow {
            writeln!(surroundings.out, "--- {path}\n{text}")?;
        }
        return warned(&proposal, &tree, args, surroundings).map(|_| 0);
    }
    if is_all_there(&proposal, &top, args) {
        let config = &args.config;
        return Err(Failure::usage(format!("`{config}` is there already, and is not overwritten"))
            .hint("`hydrator init --dry-run` prints a proposal to compare it with")
            .into());
    }
    let mut words = String::new();
    if !top.join(&args.config).exists() {
        let loaded = warned(&proposal, &tree, args, surroundings)?;
        words = summary(&proposal, &loaded.project, home.map(|_| branch), &args.config);
    }
    leave(&top, &args.config, &proposal.configuration, "prints a proposal to compare it with", surroundings)?;
    if let Some((path, text)) = &proposal.workflow {
        leave(&top, path, text, "prints what it would hold", surroundings)?;
    }
    write!(surroundings.out, "{words}\nNext, in this order:\n{}", steps(home, &args.config))?;
    Ok(0)
}

/// The top of the work tree, wherever in it the command was started.
fn top(args: &InitArgs, standing: &Standing, surroundings: &Surroundings<'_>) -> Utf8PathBuf {
    let Some(top) = &standing.top else { return args.repo.clone() };
    let is_here = args.repo.canonicalize_utf8().ok() == top.canonicalize_utf8().ok();
    if !is_here {
        let line = format!(
            "the repository begins at {top}: all of it is looked at, and files and commands belong there"
        );
        surroundings.progress.say(&line);
    }
    if is_here { args.repo.clone() } else { top.clone() }
}

/// The forge: as asked for, else the one that the remote is on, else the one that has its directory here; or a word about
/// why there is none.
fn home(
    args: &InitArgs,
    standing: &Standing,
    top: &Utf8Path,
    surroundings: &Surroundings<'_>,
) -> (Option<Home>, Option<String>) {
    match args.forge {
        Some(HomeName::GitHub) => return (Some(Home::GitHub), None),
        Some(HomeName::GitLab) => return (Some(Home::GitLab), None),
        Some(HomeName::None) => return (None, None),
        None => {}
    }
    let remote = standing.remote_url.as_deref().unwrap_or_default();
    let there = |path: &str| top.join(path).exists();
    match (ci::system_of(surroundings.variables, remote), there(".github"), there(".gitlab-ci.yml")) {
        (Some(System::GitHub), _, _) | (None, true, false) => (Some(Home::GitHub), None),
        (Some(System::GitLab), _, _) | (None, false, true) => (Some(Home::GitLab), None),
        (None, _, _) => {
            let why = match without_userinfo(remote) {
                url if url.is_empty() => format!("there is no remote `{REMOTE}`"),
                url => format!("the remote `{url}` tells none"),
            };
            let words = "no forge recognised, so there is no workflow";
            (None, Some(format!("{words}: {why}; pass --forge github or --forge gitlab")))
        }
    }
}

/// Reads the proposal as a run would, and passes warnings on.
fn warned(
    proposal: &Proposal,
    tree: &WorkTree,
    args: &InitArgs,
    surroundings: &Surroundings<'_>,
) -> Result<Loaded> {
    let loaded = proposal.load(tree, &args.config)?;
    let warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
    actions::warn(&warnings, surroundings);
    Ok(loaded)
}

/// Whether there is nothing left to write.
fn is_all_there(proposal: &Proposal, top: &Utf8Path, args: &InitArgs) -> bool {
    let mut paths = proposal.workflow.iter().map(|(path, _)| path).chain([&args.config]);
    paths.all(|path| top.join(path).exists())
}

/// What was proposed, in a line or two.
fn summary(proposal: &Proposal, project: &Project, branch: Option<&str>, config: &Utf8Path) -> String {
    let targets: usize = project.environments.iter().map(|environment| environment.targets.len()).sum();
    let names = &proposal.environments;
    let from = branch.map_or_else(String::new, |branch| format!(", hydrated from `{branch}`"));
    let left = if proposal.left == 0 {
        String::new()
    } else {
        let paths = counted(proposal.left, "path");
        format!("{paths} left to you: the end of {config} says which and why\n")
    };
    let (environments, targets) = (counted(names.len(), "environment"), counted(targets, "target"));
    format!("{environments} ({}), {targets}{from}\n{left}", names.join(", "))
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// Writes a file, or leaves one that is there as it is, and says so.
fn leave(
    top: &Utf8Path,
    path: &Utf8Path,
    text: &str,
    dry_run: &str,
    surroundings: &mut Surroundings<'_>,
) -> Result<()> {
    if write(&top.join(path), text)? {
        writeln!(surroundings.out, "wrote {path}")?;
    } else {
        writeln!(surroundings.out, "left {path} as it is; `hydrator init --dry-run` {dry_run}")?;
    }
    Ok(())
}

/// Writes a file that is not there; false if it is.
fn write(path: &Utf8Path, text: &str) -> Result<bool> {
    let failed = |error: std::io::Error| Failure::usage(format!("cannot write `{path}`: {error}"));
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(failed)?;
    }
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| true).map_err(|error| failed(error).into()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error).into()),
    }
}
