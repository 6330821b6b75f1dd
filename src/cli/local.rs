//! `hydrator local`: the local forge worked by hand, as a person would work a real one. Does I/O through the forge.

use std::io::Write;

use anyhow::{Result, bail, ensure};
use camino::Utf8Path;
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::error::Failure;
use crate::escape::{log_text, marker_value, one_line};
use crate::forge::local::{LocalForge, MergeRequest, parse_state};
use crate::forge::{Forge as _, MergeOutcome};
use crate::model::{CommitState, CommitStatus, MergeMethod, PullRequest};

/// Work the local forge of a bare repository by hand.
#[derive(Args, Clone, Debug)]
pub struct LocalArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: LocalCommand,
}

/// What can be done by hand.
#[derive(Subcommand, Clone, Debug)]
pub enum LocalCommand {
    /// List all pull requests.
    List {
        /// How to print them.
        #[arg(long, value_enum, default_value_t = ListFormat::Text)]
        format: ListFormat,
    },
    /// Merge a pull request, unless a required status or a conflict stands in the way.
    Merge {
        /// The pull request's number.
        number: u64,
        /// How to merge.
        #[arg(long, value_enum, default_value_t = Method::Merge)]
        method: Method,
        /// Delete the head branch afterwards.
        #[arg(long)]
        delete_branch: bool,
    },
    /// Close a pull request without merging it.
    Close {
        /// The pull request's number.
        number: u64,
        /// A comment to leave.
        #[arg(long, default_value = "")]
        comment: String,
    },
    /// Set a status on a commit.
    Status {
        /// The commit: its id or the beginning of it, or a branch whose tip it is.
        sha: String,
        /// The status's name, such as `smoke-test`.
        context: String,
        /// pending, success, failure or error.
        #[arg(value_parser = state)]
        state: CommitState,
        /// One line for people.
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Put a label on a pull request, such as `hold`, or take it off.
    Label {
        /// The pull request's number.
        number: u64,
        /// The label.
        label: String,
        /// Take it off.
        #[arg(long)]
        remove: bool,
    },
    /// Make a status required before a merge, as branch protection does.
    Require {
        /// The status's name, such as `hydrator/promotion`.
        context: String,
    },
}

/// How `hydrator local list` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// A table.
    Text,
    /// An array of objects.
    Json,
}

/// How a pull request is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Method {
    /// A merge commit.
    Merge,
    /// One new commit.
    Squash,
    /// The commits again, on the active branch.
    Rebase,
}

impl From<Method> for MergeMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Merge => Self::Merge,
            Method::Squash => Self::Squash,
            Method::Rebase => Self::Rebase,
        }
    }
}

/// Works the local forge of the bare repository at `bare` and prints to `out`.
pub fn run(args: &LocalArgs, bare: &Utf8Path, out: &mut dyn Write) -> Result<()> {
    let forge = LocalForge::open(bare)?;
    match &args.command {
        LocalCommand::List { format } => list(&forge, *format, out),
        LocalCommand::Merge { number, method, delete_branch } => {
            let request = MergeRequest {
                head_sha: None,
                method: Some((*method).into()),
                delete_branch: *delete_branch,
            };
            merge(&forge, *number, &request, out)
        }
        LocalCommand::Close { number, comment } => {
            forge.close(*number, comment)?;
            Ok(writeln!(out, "closed #{number}")?)
        }
        LocalCommand::Status { sha, context, state, description } => {
            let status = CommitStatus {
                context: context.clone(),
                state: *state,
                description: one_line(description),
                created_at: None,
            };
            set_status(&forge, sha, &status, out)
        }
        LocalCommand::Label { number, label, remove } => {
            forge.label(*number, label, !remove)?;
            let word = if *remove { "lost" } else { "has" };
            Ok(writeln!(out, "#{number} {word} the label `{}`", log_text(&one_line(label)))?)
        }
        LocalCommand::Require { context } => {
            forge.require_status(context)?;
            Ok(writeln!(out, "status `{context}` is required now")?)
        }
    }
}

fn state(word: &str) -> Result<CommitState, String> {
    parse_state(word).ok_or_else(|| "a state is pending, success, failure or error".to_owned())
}

fn merge(forge: &LocalForge, number: u64, request: &MergeRequest, out: &mut dyn Write) -> Result<()> {
    match forge.merge_as(number, request)? {
        MergeOutcome::Merged(commit) => Ok(writeln!(out, "merged #{number} as {}", commit.short())?),
        MergeOutcome::Blocked(reason) => {
            bail!(Failure::forge(format!("pull request #{number} cannot be merged: {reason}")))
        }
    }
}

fn set_status(forge: &LocalForge, sha: &str, status: &CommitStatus, out: &mut dyn Write) -> Result<()> {
    ensure!(sha.len() >= 4, Failure::usage(format!("`{sha}` is too short for a commit id")));
    let commit = forge.commit(sha)?;
    forge.set_status(commit, status)?;
    Ok(writeln!(out, "status `{}` on {} is {}", status.context, commit.short(), status.state.word())?)
}

/// One pull request as `list --format json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    number: u64,
    state: &'static str,
    environment: Option<String>,
    head: String,
    base: String,
    title: String,
}

impl Listed {
    fn of(pull_request: &PullRequest) -> Self {
        Self {
            number: pull_request.number,
            state: pull_request.state.word(),
            environment: marker_value(&pull_request.body, "environment"),
            head: pull_request.head.to_string(),
            base: pull_request.base.to_string(),
            title: pull_request.title.clone(),
        }
    }

    fn cells(&self) -> [String; 5] {
        let environment = self.environment.as_deref().map_or_else(|| "-".to_owned(), one_line);
        let branches = format!("{} -> {}", self.head, self.base);
        let title = log_text(&one_line(&self.title));
        [format!("#{}", self.number), self.state.to_owned(), environment, branches, title]
    }
}

fn list(forge: &LocalForge, format: ListFormat, out: &mut dyn Write) -> Result<()> {
    let listed = forge.pull_requests()?.iter().map(Listed::of).collect::<Vec<_>>();
    match format {
        ListFormat::Json => writeln!(out, "{}", serde_json::to_string_pretty(&listed)?)?,
        ListFormat::Text if listed.is_empty() => writeln!(out, "no pull requests")?,
        ListFormat::Text => write_table(&listed, out)?,
    }
    Ok(())
}

fn write_table(listed: &[Listed], out: &mut dyn Write) -> Result<()> {
    let rows = listed.iter().map(Listed::cells).collect::<Vec<_>>();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths = [width(0), width(1), width(2), width(3)];
    for [number, state, environment, branches, title] in &rows {
        writeln!(
            out,
            "{number:>0$}  {state:<1$}  {environment:<2$}  {branches:<3$}  {title}",
            widths[0], widths[1], widths[2], widths[3]
        )?;
    }
    Ok(())
}
