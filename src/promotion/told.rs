//! What a round did to one environment, and what is reported of it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::places;
use crate::error::Failure;
use crate::gate::{Board, Place, REPLACE_LABEL, Verdict, finishing};
use crate::hydrate::Hold;
use crate::model::{
    CommitId, Contention, EnvironmentName, EnvironmentReport, ErrorReport, HoldReport, Operation, Project,
    PullRequest, PullRequestOperation, PullRequestReport,
};
use crate::observe::Seen;
use crate::plan::{self, Permissions};
use crate::promote::state_word;
use crate::world::World;

/// What a report says of an environment that kept its DRY commit for others, and does so no more: a run alone renders.
const LEFT_BEHIND: &str = "newer DRY commits wait for `hydrator run`";

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
    let behind = left_behind(project, board, seen);
    let one = |(at, mut deed): (usize, Deed)| {
        deed.note = deed.note.or_else(|| behind.contains(&at).then(|| LEFT_BEHIND.to_owned()));
        report(world, &board.places[at], &seen[at], (deed, verdicts[at].as_ref()), failures)
    };
    deeds.into_iter().enumerate().map(one).collect()
}

/// With `contention: finish`, the environments that were passed over and could take newer DRY commits now.
fn left_behind(project: &Project, board: &Board<'_>, seen: &[Seen]) -> BTreeSet<usize> {
    if project.contention != Contention::Finish {
        return BTreeSet::new();
    }
    let replaced = |at: &usize| places::has_label(seen[*at].open.as_ref(), REPLACE_LABEL);
    let kept = finishing(board, &(0..seen.len()).filter(replaced).collect());
    let is_left = |at: &usize| {
        let place = &board.places[*at];
        let is_behind = place.processed.is_some_and(|processed| processed != board.tip);
        is_behind && place.held.is_none() && !kept.contains_key(at)
    };
    (0..seen.len()).filter(is_left).collect()
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
    let open = seen.open.clone().or_else(|| seen.last.clone().filter(|_| rejected));
    let request = deed.request.or_else(|| open.map(|open| (open, PullRequestOperation::None)));
    EnvironmentReport {
        name: environment.name.clone(),
        operation: if failure.is_some() { Operation::Failed } else { deed.operation.unwrap_or(calm) },
        proposed_branch: environment.proposed.clone(),
        active_branch: environment.active.clone(),
        proposed_sha: seen.proposed.as_ref().map(|tip| tip.commit.id),
        active_sha: deed.active.or(place.active.commit),
        pull_request: request.map(|(request, operation)| PullRequestReport {
            number: request.number,
            url: request.url,
            operation,
            state: state_word(request.state).to_owned(),
        }),
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
