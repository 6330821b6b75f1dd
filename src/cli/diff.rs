//! `hydrator diff`: arguments into a question, the preview onto stdout or into a file.

use anyhow::Result;
use camino::Utf8PathBuf;
use clap::Args;

use super::arguments::{EnvironmentsArgs, ForgeArgs, Format, RenderingArgs, RepositoryArgs};
use super::kept::{self, Kept};
use super::{Surroundings, actions};
use crate::ci::{self, Event, Job};
use crate::diff::{self, DiffReport, Ground, Question, Style};
use crate::error::{Failure, hint_of, lacks_right, message_of};
use crate::model::CommitId;
use crate::world::Repository;

/// The exit code that says that something would change.
const CHANGES_FOUND: u8 = 10;

/// Arguments of `hydrator diff`.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    forge: ForgeArgs,
    #[command(flatten)]
    environments: EnvironmentsArgs,
    /// What to compare with: a branch of the remote, a commit id or a revision of the checkout; by default the DRY branch
    #[arg(long, value_name = "REF")]
    base: Option<String>,
    /// What to look at; by default what the CI job is for, else the checkout's HEAD
    #[arg(long, value_name = "REF")]
    head: Option<String>,
    /// Compare with the base itself, not with the commit at which the head left it
    #[arg(long)]
    exact: bool,
    /// Render the head twice, and show whatever differs, also in order or form alone: random passwords, times, the order
    /// of a map
    #[arg(long, conflicts_with_all = ["base", "exact", "comment"])]
    determinism: bool,
    /// Show also what `diff.ignore` and `diff.signals` hide, and what is only written differently
    #[arg(long)]
    show_hidden: bool,
    /// Let the head's own configuration bring commands, flags, variables and the network along
    #[arg(long)]
    trust: bool,
    /// Keep a comment on the pull request up to date, and the status `hydrator/diff` on its head
    #[arg(long)]
    comment: bool,
    /// The pull request to comment on; by default the one that the CI job is for
    #[arg(long, value_name = "NUMBER", requires = "comment")]
    pull_request: Option<u64>,
    /// Exit with 10 when a manifest would change
    #[arg(long)]
    exit_code: bool,
    /// How it is printed; by default as the name of FILE says (`.md`, `.json`), else as text
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write it to this file, and nothing to stdout
    #[arg(long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    #[command(flatten)]
    rendering: RenderingArgs,
}

/// Runs the command.
pub(super) fn run(args: &DiffArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let repository = args.repository.open(surroundings)?;
    let job = ci::detect(surroundings.variables, &|path| std::fs::read(path))?;
    let ground = Ground {
        repository: &repository,
        config: &args.repository.config,
        job: job.as_ref(),
        variables: surroundings.variables,
        stop: &surroundings.stop,
    };
    let question = Question {
        base: args.base.clone(),
        head: args.head.clone(),
        exact: args.exact,
        determinism: args.determinism,
        show_hidden: args.show_hidden,
        trusts: args.trust,
        environments: args.environments.names(),
        limits: args.rendering.limits(),
    };
    let report = diff::preview(&ground, &question, surroundings.progress.as_ref())?;
    print(args, &report, surroundings)?;
    let kept = kept::keep(&report, args.output.as_deref(), job_url(&repository, surroundings), surroundings);
    if job.is_some() {
        surroundings.progress.say(&kept.words_with_page());
    }
    if args.comment {
        comment(args, (&repository, job.as_ref()), (&report, &kept), surroundings)?;
    }
    let code = report.exit_code();
    Ok(if code == 0 && args.exit_code && report.changes_found() { CHANGES_FOUND } else { code })
}

/// Shows it in the form and in the place that are asked for.
fn print(args: &DiffArgs, report: &DiffReport, surroundings: &mut Surroundings<'_>) -> Result<()> {
    let colour = surroundings.colour && args.output.is_none();
    let text = match args.format() {
        Format::Text => diff::text(report, Style { colour }),
        Format::Json => diff::json(report)?,
        Format::Markdown => diff::markdown(report),
    };
    match &args.output {
        Some(path) => kept::write(path.as_str(), &text, surroundings)?,
        None => surroundings.out.write_all(text.as_bytes())?,
    }
    Ok(())
}

impl DiffArgs {
    fn format(&self) -> Format {
        let ending = self.output.as_ref().and_then(|path| path.extension());
        self.format.unwrap_or(match ending {
            Some("md") => Format::Markdown,
            Some("json") => Format::Json,
            _ => Format::Text,
        })
    }
}

/// Comments on the pull request and sets the status of its head. The job of a pull request that has no right to do so
/// shows everything all the same: it says why there is no comment, and fails for nothing but what it shows.
fn comment(
    args: &DiffArgs,
    (repository, job): (&Repository, Option<&Job>),
    (report, kept): (&DiffReport, &Kept),
    surroundings: &Surroundings<'_>,
) -> Result<()> {
    let reviewed = job.and_then(|job| match &job.event {
        Event::PullRequest(event) => Some((job, event)),
        _ => None,
    });
    // One for a pull request's base has that one's rights.
    let own = reviewed.filter(|(job, _)| job.trigger.is_some());
    let place = kept.words();
    if let Some((_, event)) = own.filter(|(_, event)| event.from_fork) {
        let number = event.number;
        let words = format!(
            "pull request {number} comes from a fork, whose jobs may not comment, so it gets no comment: {place}"
        );
        actions::warn(&[words], surroundings);
        return Ok(());
    }
    let number = args.pull_request.or(reviewed.map(|(_, event)| event.number)).ok_or_else(|| {
        Failure::usage("it is not known which pull request to comment on")
            .hint("run in a job for a pull request, or name one with `--pull-request NUMBER`")
    })?;
    let commit: CommitId = reviewed.map_or(report.head_sha, |(_, event)| event.head_sha);
    let mut warnings = Vec::new();
    for told in tell(args, repository, (number, commit), (report, kept), surroundings) {
        match told {
            Err(error) if own.is_some() && lacks_right(&error) => warnings.push(words_of(&error)),
            told => told?,
        }
    }
    if !warnings.is_empty() {
        let why = warnings.join("; ");
        actions::warn(&[format!("pull request {number} gets no comment: {why}; {place}")], surroundings);
    }
    Ok(())
}

/// Sets the status and comments: what came of each, or of getting there.
fn tell(
    args: &DiffArgs,
    repository: &Repository,
    (number, commit): (u64, CommitId),
    (report, kept): (&DiffReport, &Kept),
    surroundings: &Surroundings<'_>,
) -> Vec<Result<()>> {
    let ready = || {
        let forge = args.forge.connect(repository, surroundings)?;
        forge.ready_to_write()?;
        Ok((forge, report.prints()?.text()))
    };
    let (forge, prints) = match ready() {
        Ok(ready) => ready,
        Err(error) => return vec![Err(error)],
    };
    let limit = diff::PAGE_LIMIT - prints.len();
    let pages = diff::pages(report, limit, diff::PAGES, &kept.whole());
    let key = (args.repository.config.as_str(), prints.as_str());
    let status = diff::set_status(forge.as_ref(), (number, commit), report);
    vec![status, diff::comment(forge.as_ref(), number, key, &pages)]
}

fn words_of(error: &anyhow::Error) -> String {
    let message = message_of(error);
    hint_of(error).map_or_else(|| message.clone(), |hint| format!("{message} ({hint})"))
}

/// The web page of the job, where the whole preview is.
fn job_url(repository: &Repository, surroundings: &Surroundings<'_>) -> Option<String> {
    let (variables, remote) = (surroundings.variables, &repository.scratch.remote_url);
    let github = || ci::github::place(variables, remote).ok()?.job_url;
    let gitlab = || ci::gitlab::place(variables, remote).ok()?.job_url;
    github().or_else(gitlab)
}
