//! `gates.onFailure: rollback`: an environment whose statuses fail on what was just promoted goes back to the last state
//! whose statuses were all successful.
//!
//! Does I/O: git and the forge. Once for each active commit, never in a loop: the status `hydrator/recovery` on the
//! commit says what came of it, and whoever has it is left alone. A commit that was healthy once has it too: what fails
//! long after its promotion is a matter for people.

use anyhow::Result;
use jiff::Timestamp;

use crate::dry::{self, Dry, Wanted};
use crate::error::FailureKind;
use crate::forge::Forge;
use crate::history::Reference;
use crate::model::{
    CommitId, CommitState, CommitStatus, Environment, EnvironmentReport, OnFailure, Operation,
    PullRequestOperation, RunReport,
};
use crate::observe::Seen;
use crate::plan::{self, Permissions};
use crate::promotion::{self, PromoteRequest};
use crate::rollback::{Request, rollback};
use crate::run::observe;
use crate::world::World;

/// The status that says whether an active commit was healthy, or what was done about it.
pub const RECOVERY: &str = "hydrator/recovery";
/// Who asks for such a rollback.
const ACTOR: &str = "hydrator (gates.onFailure)";

/// What the statuses of an active commit ask for.
enum Finding {
    /// All of them are successful.
    Healthy,
    /// This one failed.
    Failed(String),
}

/// Rolls back what failed, then looks at everything and merges what is due. Holds are dated `now`.
pub fn promote(
    world: &World,
    request: &PromoteRequest,
    now: Timestamp,
    talk: &(dyn Fn(&str) + Sync),
) -> Result<RunReport> {
    let recovered = recover(world, now)?;
    let mut report = promotion::promote(world, request, talk)?;
    for back in recovered.into_iter().flat_map(|report| report.environments) {
        if let Some(own) = report.environments.iter_mut().find(|own| own.name == back.name) {
            take_over(own, back);
        }
    }
    Ok(report)
}

/// What was rolled back, and what promotion did about that.
fn take_over(own: &mut EnvironmentReport, back: EnvironmentReport) {
    own.operation = own.operation.max(back.operation);
    own.error = own.error.take().or(back.error);
    own.note = back.note.or_else(|| own.note.take());
    let is_told = own.pull_request.as_ref().is_some_and(|now| now.operation != PullRequestOperation::None);
    if !is_told {
        own.pull_request = back.pull_request.or_else(|| own.pull_request.take());
    }
}

/// Rolls back what failed, and tells of the environments where that was due.
fn recover(world: &World, now: Timestamp) -> Result<Option<RunReport>> {
    let scratch = &world.repository.scratch;
    let refs = scratch.look()?;
    let dry = dry::load(scratch, &refs, Wanted::Tip, &world.config)?;
    let guarded = guarded(&dry);
    if guarded.is_empty() {
        return Ok(None);
    }
    let observation = observe(world, &dry, &guarded, refs)?;
    let active: Vec<CommitId> = observation.environments.iter().filter_map(promoted).collect();
    let statuses = world.forge.statuses(&active)?;
    let mut reports = Vec::new();
    for (environment, seen) in guarded.iter().zip(&observation.environments) {
        let Some(commit) = promoted(seen) else { continue };
        let said = statuses.get(&commit).map(Vec::as_slice).unwrap_or_default();
        match finding(environment, said) {
            Some(Finding::Healthy) => {
                mark(world.forge.as_ref(), commit, CommitState::Success, "was healthy")?;
            }
            Some(Finding::Failed(context)) => {
                reports.extend(go_back(world, environment, (commit, &context), now)?);
            }
            None => {}
        }
    }
    Ok((!reports.is_empty()).then_some(RunReport {
        dry_sha: dry.commit.id,
        environments: reports,
        picture: None,
    }))
}

fn guarded(dry: &Dry) -> Vec<Environment> {
    let all = dry.loaded.project.environments.iter();
    let goes_back = |one: &&Environment| one.gates.on_failure == Some(OnFailure::Rollback);
    all.filter(goes_back).filter(|one| !one.gates.statuses.is_empty()).cloned().collect()
}

/// What was promoted last, where nobody has decided otherwise: nothing holds it, and no rollback or resume waits.
fn promoted(seen: &Seen) -> Option<CommitId> {
    let active = seen.active.as_ref().filter(|active| active.metadata.is_some())?;
    let is_free = active.hold().is_none() && plan::frozen(seen).is_none();
    is_free.then_some(active.commit.id)
}

fn finding(environment: &Environment, statuses: &[CommitStatus]) -> Option<Finding> {
    if statuses.iter().any(|status| status.context == RECOVERY) {
        return None;
    }
    let state = |context: &String| {
        statuses.iter().find(|status| status.context == *context).map(|status| status.state)
    };
    let contexts = &environment.gates.statuses;
    let has_failed =
        |context: &&String| matches!(state(context), Some(CommitState::Failure | CommitState::Error));
    if let Some(failed) = contexts.iter().find(has_failed) {
        return Some(Finding::Failed(failed.clone()));
    }
    contexts.iter().all(|context| state(context) == Some(CommitState::Success)).then_some(Finding::Healthy)
}

/// The rollback. Where there is nothing to go back to, that is told once; what another attempt may mend is not marked.
fn go_back(
    world: &World,
    environment: &Environment,
    (commit, context): (CommitId, &str),
    now: Timestamp,
) -> Result<Vec<EnvironmentReport>> {
    let context = crate::escape::one_line(context);
    let request = Request {
        environments: vec![environment.name.clone()],
        all_after: None,
        to: Reference::LastHealthy,
        targets: Vec::new(),
        actor: ACTOR.to_owned(),
        reason: format!("{context} failed on {}", commit.short()),
        now,
        hold: true,
        let_pass: false,
        push: false,
        dry_run: false,
        revert_dry: false,
        permissions: Permissions::default(),
    };
    let reports = rollback(world, &request)?.report.environments;
    let Some(report) = reports.first() else { return Ok(reports) };
    let forge = world.forge.as_ref();
    match &report.error {
        None if report.operation != Operation::None => {
            mark(forge, commit, CommitState::Failure, &format!("{context} failed: rolled back"))?;
        }
        Some(error) if error.kind == FailureKind::Usage => {
            mark(
                forge,
                commit,
                CommitState::Failure,
                &format!("{context} failed: no healthy state to go back to"),
            )?;
        }
        _ => {}
    }
    Ok(reports)
}

fn mark(forge: &dyn Forge, commit: CommitId, state: CommitState, words: &str) -> Result<()> {
    let description = words.chars().take(crate::gate::DESCRIPTION_LIMIT).collect();
    forge.set_status(
        commit,
        &CommitStatus { context: RECOVERY.to_owned(), state, description, created_at: None },
    )
}
