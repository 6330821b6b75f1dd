//! Stages 9 and 10, promote and report: pull requests for what was published, and what there is to say about it.
//!
//! Does I/O through the forge and the remote. An environment whose forge call fails is reported as failed; the others
//! go on, and the next run repairs what is missing.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::dry::Dry;
use crate::model::{
    Delivery, EnvironmentName, EnvironmentReport, ErrorReport, HoldReport, Operation, PullRequest,
    PullRequestOperation, PullRequestOutline, RunReport,
};
use crate::observe::Observation;
use crate::plan::Decision;
use crate::planned::Planned;
use crate::remarks;
use crate::rendering::Rendering;
use crate::settle::{self, Outcome, Stage};
use crate::world::World;

/// What promoting came to.
pub struct Promoted {
    /// One report for each environment, in their order.
    pub environments: Vec<EnvironmentReport>,
    /// The environments where another writer was faster at the last moment: they are to be observed again.
    pub lost: BTreeSet<EnvironmentName>,
}

/// The report of a run that stopped before it changed anything.
pub fn planned(
    dry: &Dry,
    planned: &[Planned<'_>],
    observation: &Observation,
    rendering: &Rendering<'_>,
) -> Result<RunReport> {
    let outcome = |planned: &Planned<'_>| Outcome {
        pull_request: planned.seen.open.clone(),
        active: planned.seen.active.as_ref().map(|active| active.commit.id),
        proposed: planned.seen.proposed.as_ref().map(|proposed| proposed.commit.id),
        pushed: planned.environment.delivery == Delivery::Push
            && matches!(planned.decision, Ok(Decision::Propose)),
        ..Outcome::default()
    };
    let reports = planned.iter().map(|planned| report(planned, outcome(planned), rendering));
    let mut environments: Vec<EnvironmentReport> = reports.collect();
    environments
        .extend(crate::orphans::find(dry, observation).into_iter().map(crate::orphans::Orphan::planned));
    Ok(RunReport { dry_sha: dry.commit.id, environments, picture: None })
}

/// Closes what went away, opens and updates pull requests, delivers, and reports.
pub fn promote(stage: &Stage<'_>, planned: Vec<Planned<'_>>, rendering: &Rendering<'_>) -> Result<Promoted> {
    let scratch = &stage.world.repository.scratch;
    let needs_text = |planned: &&Planned<'_>| settle::needs_text(scratch.objects(), planned);
    let offered: Vec<&Planned<'_>> = planned.iter().filter(needs_text).collect();
    crate::proposal::fetch_changed_manifests(scratch, &offered)?;
    let mut promoted = Promoted { environments: Vec::new(), lost: BTreeSet::new() };
    for planned in planned {
        let outcome = settle::settle(stage, &planned);
        if outcome.lost {
            promoted.lost.insert(planned.environment.name.clone());
        }
        promoted.environments.push(report(&planned, outcome, rendering));
    }
    Ok(promoted)
}

/// Closes the pull requests of environments that left the configuration, and reports them.
pub fn close_orphans(world: &World, dry: &Dry, observation: &Observation) -> Vec<EnvironmentReport> {
    let orphans = crate::orphans::find(dry, observation);
    orphans.into_iter().map(|orphan| orphan.close(world.forge.as_ref())).collect()
}

fn report(planned: &Planned<'_>, outcome: Outcome, rendering: &Rendering<'_>) -> EnvironmentReport {
    let environment = planned.environment;
    let failure = outcome.failure.clone().or_else(|| planned.decision.as_ref().err().cloned());
    let operation = if failure.is_some() { Operation::Failed } else { operation(planned, &outcome) };
    let takeover = remarks::takeover(rendering.objects(), planned);
    let mut warnings = rendering.warnings(environment);
    warnings.extend(outcome.warning.clone());
    warnings.extend(takeover.as_ref().and_then(remarks::Takeover::warning));
    EnvironmentReport {
        name: environment.name.clone(),
        operation,
        proposed_branch: environment.proposed.clone(),
        active_branch: environment.active.clone(),
        proposed_sha: outcome.proposed,
        active_sha: outcome.active,
        pull_request: shown_request(planned, &outcome).map(|request| {
            request.report(outcome.pull_request_operation.unwrap_or(PullRequestOperation::None))
        }),
        promotion: planned.verdict.as_ref().map(crate::gate::Verdict::report),
        hold: hold(planned),
        targets: rendering.reports(environment),
        error: failure.map(|failure| ErrorReport {
            kind: failure.kind,
            message: failure.to_string(),
            hint: failure.hint,
        }),
        dry_revert: None,
        note: outcome.note.or_else(|| remarks::note(planned, operation, takeover.as_ref())),
        warnings,
    }
}

fn operation(planned: &Planned<'_>, outcome: &Outcome) -> Operation {
    match planned.decision.as_ref() {
        _ if outcome.pushed => Operation::Pushed,
        Err(_) => Operation::Failed,
        Ok(Decision::Superseded) => Operation::Superseded,
        Ok(Decision::Held(_)) => Operation::Held,
        Ok(Decision::Rejected) => Operation::Rejected,
        Ok(Decision::Withdraw) => Operation::Closed,
        Ok(Decision::Leave | Decision::Reparent | Decision::Propose) if is_new(planned) => Operation::Created,
        Ok(Decision::Reparent | Decision::Propose) => Operation::Updated,
        Ok(Decision::Leave) if outcome.pull_request_operation == Some(PullRequestOperation::Updated) => {
            Operation::Updated
        }
        Ok(Decision::Leave | Decision::Nothing | Decision::NotHeld | Decision::Finishing(_)) => {
            Operation::None
        }
    }
}

/// Whether nothing was offered before: neither a proposal, nor its pull request where it takes one.
fn is_new(planned: &Planned<'_>) -> bool {
    let takes_one = planned.environment.delivery == Delivery::PullRequest;
    !planned.waits() || (takes_one && planned.seen.open.is_none())
}

/// The pull request that the report is about; of a rejected proposal, the one that a person closed.
fn shown_request(planned: &Planned<'_>, outcome: &Outcome) -> Option<PullRequestOutline> {
    let rejected = matches!(planned.decision, Ok(Decision::Rejected));
    let own = outcome.pull_request.as_ref().map(PullRequest::outline);
    own.or_else(|| planned.seen.last.clone().filter(|_| rejected))
}

fn hold(planned: &Planned<'_>) -> Option<HoldReport> {
    let is_held = matches!(planned.decision, Ok(Decision::Held(_)));
    match crate::plan::hold(&planned.seen) {
        Some(hold) if is_held || !hold.is_whole() => Some(hold.report()),
        _ => is_held.then(HoldReport::drift),
    }
}
