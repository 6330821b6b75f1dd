//! What a round did to one environment, and what is reported of it. Pure.

use std::collections::BTreeMap;

use super::passed_over::{PassedOver, passed_over};
use crate::error::Failure;
use crate::gate::{Board, Place, Verdict};
use crate::hydrate::Hold;
use crate::model::{
    CommitId, EnvironmentName, EnvironmentReport, ErrorReport, HoldReport, Operation, Project, PullRequest,
    PullRequestOperation,
};
use crate::observe::Seen;
use crate::plan::{self, Permissions};
use crate::world::World;

/// What a round did to one environment.
#[derive(Default)]
pub(super) struct Deed {
    pub(super) operation: Option<Operation>,
    pub(super) request: Option<(PullRequest, PullRequestOperation)>,
    pub(super) active: Option<CommitId>,
    pub(super) note: Option<String>,
}

/// The reports of all environments.
pub(super) fn reports(
    world: &World,
    project: &Project,
    (board, seen): (&Board<'_>, &[Seen]),
    (deeds, verdicts): (Vec<Deed>, &[Option<Verdict>]),
    failures: &BTreeMap<EnvironmentName, Failure>,
) -> Vec<EnvironmentReport> {
    let passed = passed_over(project, board, seen);
    let one = |(at, mut deed): (usize, Deed)| {
        let behind = passed.get(&at).map(PassedOver::words);
        let said: Vec<String> = deed.note.take().into_iter().chain(behind).collect();
        deed.note = (!said.is_empty()).then(|| said.join("; "));
        report(world, &board.places[at], &seen[at], (deed, verdicts[at].as_ref()), failures)
    };
    deeds.into_iter().enumerate().map(one).collect()
}

fn report(
    world: &World,
    place: &Place<'_>,
    seen: &Seen,
    (deed, verdict): (Deed, Option<&Verdict>),
    failures: &BTreeMap<EnvironmentName, Failure>,
) -> EnvironmentReport {
    let environment = place.environment;
    let standing = plan::standing(environment, seen, world.config.as_str(), Permissions::default());
    let failure = failures.get(&environment.name).cloned().or_else(|| standing.err());
    let rejected = place.proposal.as_ref().is_some_and(|proposal| proposal.rejected);
    let calm = match &place.held {
        Some(_) => Operation::Held,
        None if rejected => Operation::Rejected,
        None => Operation::None,
    };
    let open = seen.open.as_ref().map(PullRequest::outline);
    let open = open.or_else(|| seen.last.clone().filter(|_| rejected));
    let done = deed.request.map(|(request, operation)| (request.outline(), operation));
    let request = done.or_else(|| open.map(|open| (open, PullRequestOperation::None)));
    EnvironmentReport {
        name: environment.name.clone(),
        operation: if failure.is_some() { Operation::Failed } else { deed.operation.unwrap_or(calm) },
        proposed_branch: environment.proposed.clone(),
        active_branch: environment.active.clone(),
        proposed_sha: seen.proposed.as_ref().map(|tip| tip.commit.id),
        active_sha: deed.active.or(place.active.commit),
        pull_request: request.map(|(request, operation)| request.report(operation)),
        promotion: verdict.filter(|_| !rejected).map(Verdict::report),
        hold: hold(place, seen).filter(|_| failure.is_none()),
        targets: Vec::new(),
        error: failure.map(|failure| ErrorReport {
            kind: failure.kind,
            message: failure.to_string(),
            hint: failure.hint,
        }),
        dry_revert: None,
        note: deed.note,
        warnings: Vec::new(),
    }
}

fn hold(place: &Place<'_>, seen: &Seen) -> Option<HoldReport> {
    place.held.as_ref()?;
    Some(plan::hold(seen).map_or_else(HoldReport::drift, Hold::report))
}
