//! Stage 9 for one environment: its pull request, and for `delivery: push` its active branch, follow what was published.
//!
//! Does I/O through the forge and the remote. Another run may be at the same place at the same time: nothing is written
//! over what it wrote, and an environment where it was faster is given back, to be observed again.

use std::sync::atomic::Ordering;

use anyhow::Result;

use crate::error::{Failure, FailureKind};
use crate::forge::{NewPullRequest, PullRequestLook};
use crate::gate::PROMOTION;
use crate::gate::REPLACE_LABEL;
use crate::git::{Objects, RefUpdate};
use crate::model::{
    BranchName, CommitId, Contention, Delivery, PullRequest, PullRequestOperation, PullRequestState,
};
use crate::plan::Decision;
pub use crate::planned::Stage;
use crate::planned::{Planned, as_failure, publisher};
use crate::promote::{self, PullRequestStep, Wanted};
use crate::publish::Change;
use crate::tell::mark_active;
use crate::template::Template;

/// What became of one environment beyond its branches.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The pull request, as the forge has it now.
    pub pull_request: Option<PullRequest>,
    /// What was done to it.
    pub pull_request_operation: Option<PullRequestOperation>,
    /// The active branch's tip.
    pub active: Option<CommitId>,
    /// The proposed branch's tip.
    pub proposed: Option<CommitId>,
    /// Whether the active branch was moved to the proposal.
    pub pushed: bool,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What there is to say besides.
    pub note: Option<String>,
    /// What somebody should look at.
    pub warning: Option<String>,
    /// Whether another writer was faster.
    pub lost: bool,
}

/// Brings the forge and, for `delivery: push`, the active branch to where the decision says.
pub fn settle(stage: &Stage<'_>, planned: &Planned<'_>) -> Outcome {
    let mut outcome = Outcome {
        pull_request: planned.seen.open.clone(),
        active: planned.seen.active.as_ref().map(|active| active.commit.id).or(planned.first),
        proposed: planned.proposed,
        ..Outcome::default()
    };
    let settled = match &planned.decision {
        _ if stage.world.stop.load(Ordering::Relaxed) => {
            Err(Failure::new(FailureKind::Unexpected, "stopped by a signal").into())
        }
        Ok(Decision::Withdraw) => withdraw(stage, planned, &mut outcome),
        Ok(Decision::Leave | Decision::Reparent | Decision::Propose) => deliver(stage, planned, &mut outcome),
        _ => Ok(true),
    };
    match settled {
        Ok(settled) => outcome.lost = !settled,
        Err(error) => outcome.failure = Some(as_failure(&error)),
    }
    if outcome.lost {
        let name = &planned.environment.name;
        let failure = Failure::git(format!("the branches of `{name}` moved while this run worked"));
        outcome.failure =
            Some(failure.hint("run again; if it goes on, give the jobs one `concurrency` group"));
    }
    outcome
}

/// First the pull request, then the branch: a forge calls a pull request merged whose head moves onto its base. The
/// note on the proposal said beforehand that it is being taken back.
fn withdraw(stage: &Stage<'_>, planned: &Planned<'_>, outcome: &mut Outcome) -> Result<bool> {
    let environment = planned.environment;
    if let Some(open) = &planned.seen.open {
        if !is_as_seen(open_now(stage, planned)?.as_ref(), Some(open)) {
            return Ok(false);
        }
        let short = stage.dry.commit.id.short();
        let name = &environment.name;
        let comment =
            format!("The change went away: with DRY commit {short}, `{name}` has what it should have.");
        stage.world.forge.close(open.number, &comment)?;
        outcome.pull_request_operation = Some(PullRequestOperation::Closed);
        outcome.pull_request = Some(PullRequest { state: PullRequestState::Closed, ..open.clone() });
    }
    let proposed = planned.seen.proposed.as_ref().map(|proposed| proposed.commit.id);
    let active = planned.seen.active.as_ref().map(|active| active.commit.id);
    let updates = vec![
        update(&environment.proposed, proposed, outcome.active),
        update(&environment.active, active, outcome.active),
    ];
    if !push(
        stage,
        Change { environment, updates, noted: outcome.active, processed: None, withdrawn: false },
    )? {
        give_back(stage, planned)?;
        return Ok(false);
    }
    outcome.proposed = outcome.active;
    Ok(true)
}

/// Another run wants the proposal that this one was about to take back, or has made another one: the pull request that
/// was closed over it is opened again, as it was then. A run that says something else of it will do so.
fn give_back(stage: &Stage<'_>, planned: &Planned<'_>) -> Result<()> {
    let Some(closed) = &planned.seen.open else { return Ok(()) };
    let forge = stage.world.forge.as_ref();
    let refs = stage.world.repository.scratch.look()?;
    let tip = refs.branch(&closed.head);
    if tip.is_none() || tip == refs.branch(&closed.base) {
        return Ok(());
    }
    let newest = forge.newest_pull_request(&closed.head, &closed.base)?;
    let Some(newest) = newest.filter(|newest| newest.number == closed.number) else { return Ok(()) };
    let look = PullRequestLook {
        title: newest.title,
        body: newest.body,
        labels: newest.labels,
        reviewers: newest.reviewers,
        team_reviewers: newest.team_reviewers,
        assignees: newest.assignees,
        draft: newest.draft,
    };
    forge.open(&NewPullRequest { head: newest.head, base: newest.base, look }).map(drop)
}

/// The open pull request, as the forge has it at this moment.
fn open_now(stage: &Stage<'_>, planned: &Planned<'_>) -> Result<Option<PullRequest>> {
    let environment = planned.environment;
    let newest = stage.world.forge.newest_pull_request(&environment.proposed, &environment.active)?;
    Ok(newest.filter(|newest| newest.state == PullRequestState::Open))
}

fn update(branch: &BranchName, expected: Option<CommitId>, new: Option<CommitId>) -> RefUpdate {
    RefUpdate { name: branch.full(), expected, new }
}

/// False if a race was lost.
fn push(stage: &Stage<'_>, change: Change<'_>) -> Result<bool> {
    let environment = change.environment;
    let mut published = publisher(stage.world, stage.dry).publish(&[change], stage.refs, None)?;
    match published.refused.remove(&environment.name) {
        Some(failure) if !published.moved => Err(failure.into()),
        _ => Ok(!published.moved),
    }
}

/// False if a race was lost.
fn deliver(stage: &Stage<'_>, planned: &Planned<'_>, outcome: &mut Outcome) -> Result<bool> {
    let environment = planned.environment;
    match environment.delivery {
        Delivery::PullRequest => {
            let Some(proposed) = planned.proposed else { return Ok(true) };
            let Some((operation, request)) = open_or_update(stage, planned, proposed)? else {
                return Ok(false);
            };
            outcome.pull_request = request.or_else(|| planned.seen.open.clone());
            take_off_replace(stage, planned)?;
            outcome.pull_request_operation = Some(match operation {
                PullRequestOperation::Created => {
                    outcome.warning = ungated(stage, planned);
                    operation
                }
                // The head is part of what people see of it.
                PullRequestOperation::None if moves(planned) => PullRequestOperation::Updated,
                operation => operation,
            });
        }
        Delivery::Push if planned.verdict.as_ref().is_some_and(|verdict| !verdict.is_open()) => {}
        Delivery::Push => {
            let updates = vec![
                update(&environment.active, outcome.active, planned.proposed),
                // Asserted unchanged: a newer run's proposal must not be passed over.
                update(&environment.proposed, planned.proposed, planned.proposed),
            ];
            if !push(stage, Change { environment, updates, noted: None, processed: None, withdrawn: false })?
            {
                return Ok(false);
            }
            outcome.active = planned.proposed;
            outcome.pushed = true;
            if let Some(head) = planned.proposed {
                // What is pushed is pushed: that its time is not known stops nothing.
                let marked = mark_active(stage.world.forge.as_ref(), environment, head);
                outcome.warning = marked.err().map(|error| format!("{error:#}"));
            }
        }
        Delivery::Branch => {
            let url = stage.world.forge.compare_url(&environment.active, &environment.proposed);
            outcome.note = Some(url.map_or_else(
                || format!("waits on `{}` for somebody to merge it", environment.proposed),
                |url| format!("waits for somebody to merge it: {url}"),
            ));
        }
    }
    Ok(true)
}

/// Said when it bites: the pull request is there, its gate says wait, and nobody has to listen. A token that may not
/// read the rules is no reason to say anything.
fn ungated(stage: &Stage<'_>, planned: &Planned<'_>) -> Option<String> {
    let environment = planned.environment;
    planned.verdict.as_ref().filter(|verdict| !verdict.is_open())?;
    let required = stage.world.forge.requires_status(&environment.active, PROMOTION);
    matches!(required, Ok(false)).then(|| {
        format!(
            "ungated: the pull request waits, and can be merged all the same; require the status `{PROMOTION}` on the active branch"
        )
    })
}

/// The label let this run replace what waited; the next one has to ask again.
fn take_off_replace(stage: &Stage<'_>, planned: &Planned<'_>) -> Result<()> {
    let finishes = stage.dry.loaded.project.contention == Contention::Finish;
    let open = planned.seen.open.as_ref();
    match open.filter(|_| finishes && matches!(planned.decision, Ok(Decision::Propose))) {
        Some(open) if open.has_label(REPLACE_LABEL) => {
            stage.world.forge.remove_label(open.number, REPLACE_LABEL)
        }
        _ => Ok(()),
    }
}

/// Whether the proposed branch got another commit.
const fn moves(planned: &Planned<'_>) -> bool {
    matches!(planned.decision, Ok(Decision::Reparent | Decision::Propose))
}

/// Whether this run has to say something new about a proposal. What an open pull request says of the same change,
/// made by the same templates, is still right.
pub fn needs_text(objects: Objects<'_>, planned: &Planned<'_>) -> bool {
    planned.environment.delivery == Delivery::PullRequest
        && matches!(planned.decision, Ok(Decision::Leave | Decision::Reparent | Decision::Propose))
        && !is_described(objects, planned)
}

fn is_described(objects: Objects<'_>, planned: &Planned<'_>) -> bool {
    let (Some(open), Some(proposed)) = (&planned.seen.open, planned.proposed) else { return false };
    let settings = &planned.environment.pull_request;
    // What cannot be read is said again.
    let same = crate::proposal::change_id(objects, planned, proposed)
        .is_ok_and(|change| promote::is_current(open, change, settings));
    same || planned.outputs.is_empty()
}

/// What was done to the pull request, and the pull request; `None` if another run was faster.
type Done = Option<(PullRequestOperation, Option<PullRequest>)>;

fn open_or_update(stage: &Stage<'_>, planned: &Planned<'_>, proposed: CommitId) -> Result<Done> {
    if is_described(stage.world.repository.scratch.objects(), planned) {
        return Ok(Some((PullRequestOperation::None, None)));
    }
    let environment = planned.environment;
    let forge = stage.world.forge.as_ref();
    let summary = crate::proposal::summary(stage, planned, proposed)?;
    let look = promote::look(&summary, &environment.pull_request, &fill_in)?;
    let wanted =
        NewPullRequest { head: environment.proposed.clone(), base: environment.active.clone(), look };
    let open = open_now(stage, planned)?;
    if !is_as_seen(open.as_ref(), planned.seen.open.as_ref()) {
        return Ok(None);
    }
    match promote::decide(&Wanted::Open(wanted), open.as_slice()) {
        PullRequestStep::Open(new) => {
            let opened = forge.open(&new)?;
            let found = [opened.clone()];
            let done = match promote::decide(&Wanted::Open(new), &found) {
                PullRequestStep::Leave => Some(opened),
                _ if promote::environment_of(&opened.body).is_some() => None,
                step => promote::apply(&step, forge)?.pull_request,
            };
            Ok(done.map(|request| (PullRequestOperation::Created, Some(request))))
        }
        step => promote::apply(&step, forge).map(|applied| Some((applied.operation, applied.pull_request))),
    }
}

/// Whether a pull request still is what this run's decision rests on: one that another run opened, described or closed
/// meanwhile may be about something newer.
fn is_as_seen(now: Option<&PullRequest>, seen: Option<&PullRequest>) -> bool {
    match (now, seen) {
        (None, None) => true,
        (Some(now), Some(seen)) => now.number == seen.number && now.body == seen.body,
        _ => false,
    }
}

fn fill_in(source: &str, context: &serde_json::Value) -> Result<String> {
    Ok(Template::parse("pullRequest", source)?.render(context)?)
}
