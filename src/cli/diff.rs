//! `hydrator diff`: arguments into a question, the preview onto stdout or into a file.

use anyhow::{Context as _, Result};
use camino::Utf8PathBuf;
use clap::Args;

use super::arguments::{EnvironmentsArgs, ForgeArgs, Format, RenderingArgs, RepositoryArgs};
use super::{Surroundings, actions};
use crate::ci::{self, Event, Job, PullRequestEvent, System};
use crate::diff::{self, DiffReport, Ground, Question, Style};
use crate::error::Failure;
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
    /// Render the head twice, and show what differs: random passwords, times, the order of a map
    #[arg(long, conflicts_with_all = ["base", "exact", "comment"])]
    determinism: bool,
    /// Show also what `diff.ignore` and `diff.signals` hide
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
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
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
    let colour = surroundings.colour && args.output.is_none();
    let text = match args.format {
        Format::Text => diff::text(&report, Style { colour }),
        Format::Json => diff::json(&report)?,
        Format::Markdown => diff::markdown(&report),
    };
    match &args.output {
        Some(path) => std::fs::write(path, text).with_context(|| format!("cannot write `{path}`"))?,
        None => surroundings.out.write_all(text.as_bytes())?,
    }
    show(&report, surroundings);
    if args.comment {
        comment(args, &repository, job.as_ref(), &report, surroundings)?;
    }
    let code = report.exit_code();
    Ok(if code == 0 && args.exit_code && report.changes_found() { CHANGES_FOUND } else { code })
}

/// The step's summary has everything that fits.
fn show(report: &DiffReport, surroundings: &Surroundings<'_>) {
    let text = diff::markdown(report);
    let in_summary = surroundings.variables.get("GITHUB_STEP_SUMMARY").is_some();
    if in_summary && !actions::show_text(&text, surroundings) {
        let words = "the preview is too long for the step's summary: `--output FILE` keeps all of it, for an artifact";
        actions::warn(&[words.to_owned()], surroundings);
    }
}

/// Comments on the pull request and sets the status of its head.
fn comment(
    args: &DiffArgs,
    repository: &Repository,
    job: Option<&Job>,
    report: &DiffReport,
    surroundings: &Surroundings<'_>,
) -> Result<()> {
    let event =
        job.and_then(|job| if let Event::PullRequest(event) = &job.event { Some(event) } else { None });
    if let (Some(event), Some(job)) = (event.filter(|event| event.from_fork), job)
        && job.trigger.is_some()
    {
        actions::warn(&[fork_words(event, job.system)], surroundings);
        return Ok(());
    }
    let number = args.pull_request.or(event.map(|event| event.number)).ok_or_else(|| {
        Failure::usage("it is not known which pull request to comment on")
            .hint("run in a job for a pull request, or name one with `--pull-request NUMBER`")
    })?;
    let commit: CommitId = event.map_or(report.head_sha, |event| event.head_sha);
    let forge = args.forge.connect(repository, surroundings)?;
    let link = job_url(repository, surroundings);
    let prints = report.prints()?.text();
    let pages = diff::pages(report, diff::PAGE_LIMIT - prints.len(), diff::PAGES, link.as_deref());
    diff::set_status(forge.as_ref(), commit, report)?;
    diff::comment(forge.as_ref(), number, (args.repository.config.as_str(), &prints), &pages)
}

fn fork_words(event: &PullRequestEvent, system: System) -> String {
    let place = if system == System::GitHub { "the step's summary" } else { "the job's log" };
    let number = event.number;
    format!("pull request {number} comes from a fork, whose jobs may not comment: the preview is in {place}")
}

/// The web page of the job, where the whole preview is.
fn job_url(repository: &Repository, surroundings: &Surroundings<'_>) -> Option<String> {
    let (variables, remote) = (surroundings.variables, &repository.scratch.remote_url);
    let github = || ci::github::place(variables, remote).ok()?.job_url;
    let gitlab = || ci::gitlab::place(variables, remote).ok()?.job_url;
    github().or_else(gitlab)
}
