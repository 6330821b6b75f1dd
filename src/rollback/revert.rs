//! `rollback --revert-dry`: the DRY branch's side of a rollback, as a pull request that takes back the DRY commits in
//! between. Without it the source of truth goes on saying what was rolled back.
//!
//! Does I/O: git and the forge. Whole or nothing: where newer DRY commits changed the same lines, nothing is pushed and
//! the paths are told. What stands on the branch already is never replaced.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::dry::Dry;
use crate::error::Failure;
use crate::escape::{code, neutralise_skip_markers, one_line, prose};
use crate::forge::{NewPullRequest, PullRequestLook};
use crate::git::{Merged, NewCommit, PushOutcome, RefUpdate};
use crate::model::{
    BranchName, Commit, CommitId, DryRevertReport, EnvironmentName, EnvironmentReport, PullRequest,
    PullRequestState, RunReport,
};
use crate::planned::as_failure;
use crate::world::World;

use super::Request;
use super::decide::Wish;

/// DRY commits that are listed before the rest is counted.
const LISTED: usize = 50;
/// The most DRY commits that one revert takes back.
const MOST: usize = 1000;
const TITLE: usize = 200;

/// What a rollback went back over: DRY commits behind `old`, up to `now`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// The DRY commit of the state that came back.
    pub(super) old: CommitId,
    /// The DRY commit that was active.
    pub(super) now: CommitId,
}

/// The DRY commits that each rollback goes back over.
pub(super) fn spans(wishes: &[Wish<'_>]) -> Vec<Option<Span>> {
    let span = |wish: &Wish<'_>| {
        let old = wish.source.as_ref()?.dry_sha()?;
        let now = wish.planned.seen.active.as_ref()?.dry_sha()?;
        (old != now && wish.planned.decision.is_ok()).then_some(Span { old, now })
    };
    wishes.iter().map(span).collect()
}

/// Takes the same DRY commits back on the DRY branch, if that was asked for: once for all environments that went back
/// over them. What fails there does not undo a rollback; it is told.
pub(super) fn revert_all(
    world: &World,
    dry: &Dry,
    request: &Request,
    (spans, report): (&[Option<Span>], &mut RunReport),
) {
    let asked: BTreeSet<Span> = spans.iter().flatten().copied().filter(|_| request.revert_dry).collect();
    for span in asked {
        let mut reports: Vec<&mut EnvironmentReport> = report
            .environments
            .iter_mut()
            .zip(spans)
            .filter(|(report, own)| **own == Some(span) && report.error.is_none())
            .map(|(report, _)| report)
            .collect();
        let names: Vec<EnvironmentName> = reports.iter().map(|report| report.name.clone()).collect();
        if names.is_empty() {
            continue;
        }
        let names: Vec<&EnvironmentName> = names.iter().collect();
        let done = revert(world, dry, span, (&names, request.dry_run)).unwrap_or_else(|error| {
            DryRevertReport { error: Some(as_failure(&error).to_string()), ..DryRevertReport::default() }
        });
        for report in &mut reports {
            report.dry_revert = Some(done.clone());
        }
    }
}

/// Takes back the DRY commits of a span for the environments that were rolled back over it.
fn revert(
    world: &World,
    dry: &Dry,
    span: Span,
    (environments, dry_run): (&[&EnvironmentName], bool),
) -> Result<DryRevertReport> {
    let commits = commits_of(world, dry, span)?;
    let mut report = DryRevertReport {
        commits: commits.iter().map(|commit| commit.id).collect(),
        ..DryRevertReport::default()
    };
    let tree = match merged(world, dry, span)? {
        Merged::Conflicts(paths) => {
            report.conflicts = paths;
            return Ok(report);
        }
        Merged::Tree(tree) => tree,
    };
    if dry_run || tree == dry.commit.tree {
        return Ok(report);
    }
    let head = branch(span)?;
    if !push(world, dry, &head, (tree, &message(dry, span, &commits)))? {
        return Ok(report);
    }
    let request = offer(world, dry, &head, || look(dry, span, &commits, environments))?;
    report.pull_request = Some(request.url);
    Ok(report)
}

/// The DRY commits of a span, newest first.
fn commits_of(world: &World, dry: &Dry, span: Span) -> Result<Vec<Commit>> {
    let (old, now) = (span.old.short(), span.now.short());
    let branch = &dry.branch;
    let ancestry = world.repository.ancestry()?;
    let between = ancestry.between(span.old, span.now, MOST)?;
    let Some(commits) = between.filter(|commits| !commits.is_empty()) else {
        return Err(
            Failure::usage(format!("cannot revert DRY commits: {old} is not older than {now}")).into()
        );
    };
    if !ancestry.is_ancestor(span.now, dry.commit.id)? {
        let failure =
            Failure::usage(format!("cannot revert DRY commits: {now} is not on `{branch}` any more"));
        return Err(failure.hint("it was taken off by a forced push: nothing is left to revert").into());
    }
    Ok(commits)
}

fn merged(world: &World, dry: &Dry, span: Span) -> Result<Merged> {
    let scratch = &world.repository.scratch;
    let tree = |commit: CommitId| -> Result<_> {
        if !scratch.objects().has(commit) {
            scratch.fetch_whole(commit)?;
        }
        Ok(scratch.objects().commit(commit)?.tree)
    };
    let (old, now) = (tree(span.old)?, tree(span.now)?);
    scratch.objects().merge_trees(now, dry.commit.tree, old)
}

/// One branch for one span, whoever asks for it.
fn branch(span: Span) -> Result<BranchName> {
    BranchName::new(format!("hydrator-revert/{}-to-{}", span.now.short(), span.old.short()))
        .map_err(|why| Failure::git(format!("cannot name a branch for the revert: {why}")).into())
}

/// Makes the branch; one that is there is left as it is. False if there is nothing to offer.
fn push(
    world: &World,
    dry: &Dry,
    head: &BranchName,
    (tree, message): (crate::model::ObjectId, &str),
) -> Result<bool> {
    let scratch = &world.repository.scratch;
    if scratch.look()?.branch(head).is_some() {
        return Ok(true);
    }
    let new = scratch.objects().write_commit(&NewCommit {
        tree,
        parents: &[dry.commit.id],
        identity: &dry.loaded.project.commit.identity,
        authored: dry.commit.committed,
        committed: dry.commit.committed,
        message,
    })?;
    match scratch.push(&[RefUpdate { name: head.full(), expected: None, new: Some(new) }])? {
        PushOutcome::Done => Ok(true),
        PushOutcome::Refused(_) if scratch.look()?.branch(head).is_some() => Ok(true),
        PushOutcome::Refused(words) => {
            let said: Vec<&str> = words.iter().map(|(_, said)| said.as_str()).collect();
            Err(Failure::git(format!("the server refused the push of `{head}`: {}", said.join("; ")))
                .hint(format!("allow hydrator's account to create `{head}`"))
                .into())
        }
    }
}

/// The pull request. One that was there is left alone, whatever became of it.
fn offer(
    world: &World,
    dry: &Dry,
    head: &BranchName,
    look: impl Fn() -> PullRequestLook,
) -> Result<PullRequest> {
    let forge = world.forge.as_ref();
    if let Some(known) = forge.newest_pull_request(head, &dry.branch)?
        && known.state != PullRequestState::Merged
    {
        return Ok(known);
    }
    forge.open(&NewPullRequest { head: head.clone(), base: dry.branch.clone(), look: look() })
}

fn title(dry: &Dry, span: Span, commits: &[Commit]) -> String {
    let title = match commits {
        [one] => format!("Revert {}: {}", one.id.short(), one.headline()),
        many => format!(
            "Revert {} commits of {}, {}..{}",
            many.len(),
            dry.branch,
            span.old.short(),
            span.now.short()
        ),
    };
    neutralise_skip_markers(&one_line(&title)).chars().take(TITLE).collect()
}

fn message(dry: &Dry, span: Span, commits: &[Commit]) -> String {
    let listed = commits
        .iter()
        .take(LISTED)
        .fold(String::new(), |text, commit| text + "This reverts commit " + &commit.id.to_string() + ".\n");
    format!("{}\n\n{listed}", title(dry, span, commits))
}

fn look(dry: &Dry, span: Span, commits: &[Commit], environments: &[&EnvironmentName]) -> PullRequestLook {
    let names: Vec<String> = environments.iter().map(|name| code(name.as_str())).collect();
    let told = commits.iter().take(LISTED).map(|commit| {
        let (headline, author) = (prose(commit.headline()), prose(&commit.author.name));
        format!("- {} {headline} ({author})", code(&commit.id.short()))
    });
    let more = commits.len().saturating_sub(LISTED);
    let more = (more > 0).then(|| format!("- and {more} more"));
    let body = format!(
        "{} went back from DRY commit {} to {}. This takes back what lies between on {}, so that the source agrees with what \
         runs:\n\n{}\n\nMerging it does not end the hold: `hydrator resume` does, and then proposes what this branch says.\n",
        names.join(", "),
        code(&span.now.short()),
        code(&span.old.short()),
        code(dry.branch.as_str()),
        told.chain(more).collect::<Vec<_>>().join("\n"),
    );
    PullRequestLook { title: title(dry, span, commits), body, ..PullRequestLook::default() }
}
