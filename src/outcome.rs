//! Stages 9 and 10, promote and report: pull requests for what was published, and what there is to say about it.
//!
//! Does I/O through the forge and the remote. An environment whose forge call fails is reported as failed; the others
//! go on, and the next run repairs what is missing.

use anyhow::Result;

use crate::dry::Dry;
use crate::error::Failure;
use crate::forge::NewPullRequest;
use crate::git::{Objects, RefUpdate};
use crate::model::{
    CommitId, Delivery, EnvironmentReport, ErrorReport, HoldReport, Operation, PullRequest,
    PullRequestOperation, PullRequestReport, RunReport,
};
use crate::observe::Observation;
use crate::plan::Decision;
use crate::planned::{Planned, as_failure, publisher};
use crate::promote::{self, Applied, PullRequestStep, Wanted};
use crate::publish::Change;
use crate::remarks;
use crate::rendering::Rendering;
use crate::template::Template;
use crate::world::World;

/// What became of one environment beyond its branches.
#[derive(Debug, Default)]
struct Outcome {
    pull_request: Option<PullRequest>,
    pull_request_operation: Option<PullRequestOperation>,
    active: Option<CommitId>,
    proposed: Option<CommitId>,
    pushed: bool,
    failure: Option<Failure>,
    note: Option<String>,
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
    environments.extend(crate::orphans::find(dry, observation).into_iter().map(|orphan| orphan.report));
    Ok(RunReport { dry_sha: dry.commit.id, environments })
}

/// Closes what went away, opens and updates pull requests, delivers, and reports.
pub fn promote(
    world: &World,
    dry: &Dry,
    planned: Vec<Planned<'_>>,
    observation: &Observation,
    rendering: &Rendering<'_>,
) -> Result<RunReport> {
    let scratch = &world.repository.scratch;
    let offered: Vec<&Planned<'_>> =
        planned.iter().filter(|planned| needs_text(scratch.objects(), planned)).collect();
    crate::proposal::fetch_changed_manifests(scratch, &offered)?;
    let mut environments = Vec::new();
    for planned in planned {
        let outcome = settle(world, dry, &planned).unwrap_or_else(|error| failed(&planned, &error));
        environments.push(report(&planned, outcome, rendering));
    }
    for orphan in crate::orphans::find(dry, observation) {
        environments.push(orphan.close(world.forge.as_ref()));
    }
    Ok(RunReport { dry_sha: dry.commit.id, environments })
}

fn failed(planned: &Planned<'_>, error: &anyhow::Error) -> Outcome {
    Outcome {
        pull_request: planned.seen.open.clone(),
        active: planned.seen.active.as_ref().map(|active| active.commit.id),
        proposed: planned.proposed,
        failure: Some(as_failure(error)),
        ..Outcome::default()
    }
}

/// Brings the forge and, for `delivery: push`, the active branch to where the decision says.
fn settle(world: &World, dry: &Dry, planned: &Planned<'_>) -> Result<Outcome> {
    let mut outcome = Outcome {
        pull_request: planned.seen.open.clone(),
        active: planned.seen.active.as_ref().map(|active| active.commit.id).or(planned.first),
        proposed: planned.proposed,
        ..Outcome::default()
    };
    match &planned.decision {
        Ok(Decision::Withdraw) => withdraw(world, dry, planned, &mut outcome)?,
        Ok(Decision::Leave | Decision::Reparent | Decision::Propose) => {
            deliver(world, dry, planned, &mut outcome)?;
        }
        _ => {}
    }
    Ok(outcome)
}

/// First the pull request, then the branch: a forge calls a pull request merged whose head moves onto its base.
fn withdraw(world: &World, dry: &Dry, planned: &Planned<'_>, outcome: &mut Outcome) -> Result<()> {
    let environment = planned.environment;
    if let Some(open) = &planned.seen.open {
        let short = dry.commit.id.short();
        world.forge.close(
            open.number,
            &format!(
                "The change went away: with DRY commit {short}, `{}` has what it should have.",
                environment.name
            ),
        )?;
        outcome.pull_request_operation = Some(PullRequestOperation::Closed);
        outcome.pull_request =
            Some(PullRequest { state: crate::model::PullRequestState::Closed, ..open.clone() });
    }
    let update = RefUpdate {
        name: environment.proposed.full(),
        expected: planned.seen.proposed.as_ref().map(|proposed| proposed.commit.id),
        new: outcome.active,
    };
    push(world, dry, Change { environment, updates: vec![update], noted: outcome.active })?;
    outcome.proposed = outcome.active;
    Ok(())
}

fn push(world: &World, dry: &Dry, change: Change<'_>) -> Result<()> {
    let publisher = publisher(world, dry);
    let refs = world.repository.scratch.look()?;
    let environment = change.environment;
    let mut published = publisher.publish(&[change], &refs, None)?;
    if published.moved {
        return Err(Failure::git(format!(
            "the branches of `{}` moved while this run worked",
            environment.name
        ))
        .hint("run again")
        .into());
    }
    published.refused.remove(&environment.name).map_or(Ok(()), |failure| Err(failure.into()))
}

fn deliver(world: &World, dry: &Dry, planned: &Planned<'_>, outcome: &mut Outcome) -> Result<()> {
    let environment = planned.environment;
    match environment.delivery {
        Delivery::PullRequest => {
            let Some(proposed) = planned.proposed else { return Ok(()) };
            let applied = open_or_update(world, planned, proposed)?;
            outcome.pull_request = applied.pull_request.or_else(|| planned.seen.open.clone());
            outcome.pull_request_operation = Some(match applied.operation {
                // The head is part of what people see of it.
                PullRequestOperation::None if moves(planned) => PullRequestOperation::Updated,
                operation => operation,
            });
        }
        Delivery::Push => {
            let update = RefUpdate {
                name: environment.active.full(),
                expected: outcome.active,
                new: planned.proposed,
            };
            push(world, dry, Change { environment, updates: vec![update], noted: None })?;
            outcome.active = planned.proposed;
            outcome.pushed = true;
        }
        Delivery::Branch => {
            let url = world.forge.compare_url(&environment.active, &environment.proposed);
            outcome.note = Some(url.map_or_else(
                || format!("waits on `{}` for somebody to merge it", environment.proposed),
                |url| format!("waits for somebody to merge it: {url}"),
            ));
        }
    }
    Ok(())
}

/// Whether the proposed branch got another commit.
const fn moves(planned: &Planned<'_>) -> bool {
    matches!(planned.decision, Ok(Decision::Reparent | Decision::Propose))
}

/// Whether this run has to say something new about a proposal. What an open pull request says of the same change,
/// made by the same templates, is still right.
fn needs_text(objects: Objects<'_>, planned: &Planned<'_>) -> bool {
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

fn open_or_update(world: &World, planned: &Planned<'_>, proposed: CommitId) -> Result<Applied> {
    if is_described(world.repository.scratch.objects(), planned) {
        return Ok(Applied { operation: PullRequestOperation::None, pull_request: None });
    }
    let environment = planned.environment;
    let summary = crate::proposal::summary(world, planned, proposed)?;
    let look = promote::look(&summary, &environment.pull_request, &fill_in)?;
    let wanted =
        NewPullRequest { head: environment.proposed.clone(), base: environment.active.clone(), look };
    let open: Vec<PullRequest> = planned.seen.open.iter().cloned().collect();
    let step: PullRequestStep = promote::decide(&Wanted::Open(wanted), &open);
    promote::apply(&step, world.forge.as_ref())
}

fn fill_in(source: &str, context: &serde_json::Value) -> Result<String> {
    Ok(Template::parse("pullRequest", source)?.render(context)?)
}

fn report(planned: &Planned<'_>, outcome: Outcome, rendering: &Rendering<'_>) -> EnvironmentReport {
    let environment = planned.environment;
    let failure = outcome.failure.clone().or_else(|| planned.decision.as_ref().err().cloned());
    let operation = if failure.is_some() { Operation::Failed } else { operation(planned, &outcome) };
    let takeover = remarks::takeover(rendering.objects(), planned);
    let mut warnings = rendering.warnings(environment);
    warnings.extend(takeover.as_ref().and_then(remarks::Takeover::warning));
    EnvironmentReport {
        name: environment.name.clone(),
        operation,
        proposed_branch: environment.proposed.clone(),
        active_branch: environment.active.clone(),
        proposed_sha: outcome.proposed,
        active_sha: outcome.active,
        pull_request: shown_request(planned, &outcome)
            .map(|request| pull_request(request, outcome.pull_request_operation)),
        promotion: None,
        hold: hold(planned),
        targets: rendering.reports(environment),
        error: failure.map(|failure| ErrorReport {
            kind: failure.kind,
            message: failure.to_string(),
            hint: failure.hint,
        }),
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
        Ok(Decision::Leave | Decision::Nothing) => Operation::None,
    }
}

/// Whether nothing was offered before: neither a proposal, nor its pull request where it takes one.
fn is_new(planned: &Planned<'_>) -> bool {
    let takes_one = planned.environment.delivery == Delivery::PullRequest;
    !planned.waits() || (takes_one && planned.seen.open.is_none())
}

/// The pull request that the report is about; of a rejected proposal, the one that a person closed.
fn shown_request<'a>(planned: &'a Planned<'_>, outcome: &'a Outcome) -> Option<&'a PullRequest> {
    let rejected = matches!(planned.decision, Ok(Decision::Rejected));
    outcome.pull_request.as_ref().or_else(|| planned.seen.last.as_ref().filter(|_| rejected))
}

fn pull_request(request: &PullRequest, operation: Option<PullRequestOperation>) -> PullRequestReport {
    PullRequestReport {
        number: request.number,
        url: request.url.clone(),
        operation: operation.unwrap_or(PullRequestOperation::None),
        state: promote::state_word(request.state).to_owned(),
    }
}

fn hold(planned: &Planned<'_>) -> Option<HoldReport> {
    let Ok(Decision::Held(_)) = &planned.decision else { return None };
    let recorded = planned
        .seen
        .active
        .as_ref()
        .and_then(|active| active.metadata.as_ref())
        .and_then(|metadata| metadata.hold.clone());
    Some(recorded.map_or_else(
        || HoldReport { reason: "drift".to_owned(), actor: None, since: None },
        |hold| HoldReport { reason: "rollback".to_owned(), actor: Some(hold.actor), since: Some(hold.since) },
    ))
}
