//! One round: observe, put proposals onto their active tips, say what every gate says, merge what is due. Does I/O.

use std::collections::BTreeMap;

use anyhow::Result;

use super::gather::{Tips, Writes, gather};
use super::merge::{Advance, advance, disarm};
use super::reopen;
use super::reparent::{Reparented, reparent};
use super::told::{Deed, reports};
use super::{places, post};
use crate::branch::Tip;
use crate::dry::{self, Dry, Wanted};
use crate::error::Failure;
use crate::forge::{Mergeability, Statuses};
use crate::gate::{Board, Place, Verdict};
use crate::git::{RefUpdate, RemoteRefs};
use crate::model::{
    CommitId, Delivery, Environment, EnvironmentName, EnvironmentReport, Operation, PullRequest,
    PullRequestOperation, PullRequestState,
};
use crate::observe::{self, Seen};
use crate::overview::{Stand, mermaid, nodes, stands};
use crate::plan;
use crate::planned::{as_failure, publisher};
use crate::publish::Change;
use crate::tell::{Landings, Scene, announce, compare_with_previews, mark_active, tell};
use crate::world::World;

/// What a report says of a proposal that the forge's own auto-merge will merge.
pub const LEFT_TO_THE_FORGE: &str = "the forge merges it once its own rules are met";

/// What a round found and did.
pub(super) struct Round {
    /// The DRY branch's tip.
    pub(super) dry_sha: CommitId,
    /// One for each environment.
    pub(super) reports: Vec<EnvironmentReport>,
    /// The environments for which something failed.
    pub(super) failures: BTreeMap<EnvironmentName, Failure>,
    /// Whether an environment got something else: what waits for it has to be looked at again.
    pub(super) moved: bool,
    /// Whether something waits that time or others can let through.
    pub(super) waits: bool,
    /// All environments, for Mermaid.
    pub(super) picture: String,
    /// What could not be told.
    pub(super) problems: Vec<String>,
}

/// One round; `None` if another writer was faster. Environments in `given_up` failed before and are left alone.
pub(super) fn round(
    world: &World,
    (reopening, approved): (&[EnvironmentName], &[(EnvironmentName, CommitId)]),
    given_up: &BTreeMap<EnvironmentName, Failure>,
    landings: &Landings,
) -> Result<Option<Round>> {
    let scratch = &world.repository.scratch;
    let mut refs = scratch.look()?;
    let dry = dry::load(scratch, &refs, Wanted::Tip, &world.config)?;
    let project = &dry.loaded.project;
    reopen::check(project, reopening)?;
    let question = observe::Question {
        scratch,
        ancestry: &|| world.repository.ancestry(),
        forge: world.forge.as_ref(),
        environments: &project.environments,
        active_pattern: &project.active_pattern,
        dry: dry.commit.id,
        dry_branch: &dry.branch,
    };
    let mut seen = observe::observe(&question, refs.clone())?.environments;
    let mut failures = given_up.clone();
    let prepared = prepare_all(world, &dry, &mut seen, (reopening, &mut refs), &mut failures);
    let Some(mut deeds) = prepared else { return Ok(None) };
    let is_ancestor =
        |older: CommitId, newer: CommitId| world.repository.ancestry()?.is_ancestor(older, newer);
    let config = world.config.as_str();
    let places = seen.iter().enumerate().map(|(at, seen)| places::observed(project, at, seen, config));
    let mut board = Board {
        places: places.collect(),
        tip: dry.commit.id,
        now: (world.clock)(),
        is_ancestor: &is_ancestor,
    };
    announce(world.forge.as_ref(), &dry, &board.dry_commits(), board.branches());
    let (verdicts, statuses) = judge_all(world, &mut board, &seen, &mut failures)?;
    let stand = |failures: &BTreeMap<EnvironmentName, Failure>| {
        let known = board.places.iter().enumerate().map(|(at, place)| {
            let has_failed = failures.contains_key(&place.environment.name);
            (verdicts[at].clone(), seen[at].open.clone(), has_failed)
        });
        stands(&board, known, &statuses)
    };
    // Rules may ask for this before a merge.
    let before = stand(&failures);
    let unsaid = compare_with_previews(&scene(world, &dry, &before), landings);
    let mut act =
        Act { world, dry: &dry, board: &board, seen: &seen, refs: &refs, approved, told: BTreeMap::new() };
    act.ask(&verdicts, &failures);
    let moved = act.take_all(&verdicts, &mut deeds, &mut failures);
    let stands = stand(&failures);
    let open: Vec<Option<PullRequest>> = seen.iter().map(|seen| seen.open.clone()).collect();
    // What moved is looked at once more, and told then.
    let told = if moved {
        Vec::new()
    } else {
        tell(&Scene { open: &open, ..scene(world, &dry, &stands) }, landings)
    };
    let problems = unsaid.into_iter().chain(told).collect();
    let all = deeds.iter().zip(&board.places).zip(&verdicts);
    let waits = all.filter(|((_, place), _)| !failures.contains_key(&place.environment.name)).any(waits);
    let reports = reports(world, project, (&board, &seen), (deeds, &verdicts), &failures);
    let picture = mermaid(&nodes(&stands), None);
    Ok(Some(Round { dry_sha: dry.commit.id, reports, failures, moved, waits, picture, problems }))
}

/// Whether something waits that time or others can let through; what only people merge is no such thing.
fn waits(((deed, place), verdict): ((&Deed, &Place<'_>), &Option<Verdict>)) -> bool {
    let is_offered = place.proposal.as_ref().is_some_and(|proposal| !proposal.rejected);
    let has_moved = matches!(deed.operation, Some(Operation::Merged | Operation::Pushed));
    is_offered && !has_moved && !is_left_to_people(place.environment, verdict.as_ref())
}

/// Whether the gate is open, and hydrator has nothing more to do with it.
fn is_left_to_people(environment: &Environment, verdict: Option<&Verdict>) -> bool {
    let merges = match environment.delivery {
        Delivery::PullRequest => environment.auto_merge,
        Delivery::Push => true,
        Delivery::Branch => false,
    };
    !merges && verdict.is_some_and(Verdict::is_open)
}

/// What there is to tell people, but for their open pull requests.
fn scene<'a>(world: &'a World, dry: &'a Dry, stands: &'a [Stand]) -> Scene<'a> {
    Scene {
        world,
        project: &dry.loaded.project,
        dry_branch: &dry.branch,
        tip: &dry.commit,
        stands,
        open: &[],
    }
}

/// Prepares every environment; `None` if a race was lost.
fn prepare_all(
    world: &World,
    dry: &Dry,
    seen: &mut [Seen],
    (reopening, refs): (&[EnvironmentName], &mut RemoteRefs),
    failures: &mut BTreeMap<EnvironmentName, Failure>,
) -> Option<Vec<Deed>> {
    let mut deeds = Vec::new();
    for (environment, seen) in dry.loaded.project.environments.iter().zip(seen) {
        let name = &environment.name;
        let mut deed = Deed::default();
        if !failures.contains_key(name) {
            match prepare(world, dry, (environment, seen), (reopening, refs), &mut deed) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => drop(failures.insert(name.clone(), as_failure(&error))),
            }
        }
        deeds.push(deed);
    }
    Some(deeds)
}

/// What every gate says, written on the proposed commits, and all statuses that the forge gave.
fn judge_all(
    world: &World,
    board: &mut Board<'_>,
    seen: &[Seen],
    failures: &mut BTreeMap<EnvironmentName, Failure>,
) -> Result<(Vec<Option<Verdict>>, Statuses)> {
    let forge = world.forge.as_ref();
    let tips: Vec<Tips> = seen.iter().map(tips_of).collect();
    let statuses = gather(board, &tips, (forge, Writes::Gates))?;
    let mut verdicts = Vec::new();
    for (at, place) in board.places.iter().enumerate() {
        let name = &place.environment.name;
        let verdict = board.verdict(at)?;
        let open = seen[at].open.as_ref();
        let said = match &verdict {
            // Whatever failed, the forge must not merge by itself what it should not.
            Some(verdict) if failures.contains_key(name) => disarm(place.environment, open, verdict, forge),
            Some(verdict) => post::post(place, (verdict, open), &statuses, forge),
            None => Ok(()),
        };
        if let Err(error) = said {
            failures.entry(name.clone()).or_insert_with(|| as_failure(&error));
        }
        verdicts.push(verdict);
    }
    Ok((verdicts, statuses))
}

/// Opens what shall be opened again, and puts the proposal onto its active tip; false if a race was lost.
fn prepare(
    world: &World,
    dry: &Dry,
    (environment, seen): (&Environment, &mut Seen),
    (reopening, refs): (&[EnvironmentName], &mut RemoteRefs),
    deed: &mut Deed,
) -> Result<bool> {
    if reopening.contains(&environment.name)
        && let Some(opened) = reopen::reopen(world, environment, seen)?
    {
        seen.open = Some(opened.clone());
        seen.last = None;
        deed.operation = Some(Operation::Created);
        deed.request = Some((opened, PullRequestOperation::Created));
    }
    match reparent(world, dry, (environment, seen), refs)? {
        Reparented::Lost => return Ok(false),
        Reparented::No => {}
        Reparented::To(new) => {
            seen.proposed = Some(Tip::read(world.repository.scratch.objects(), new)?);
            deed.operation.get_or_insert(Operation::Updated);
            if deed.request.is_none() {
                deed.request = seen.open.clone().map(|open| (open, PullRequestOperation::Updated));
            }
        }
    }
    Ok(true)
}

/// The environments, each before those that it waits for: a merge changes nothing about the gates of those after it
/// in this order.
fn last_first(board: &Board<'_>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..board.places.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(board.before(*at).len()));
    order
}

/// What taking a step needs.
struct Act<'a> {
    world: &'a World,
    dry: &'a Dry,
    board: &'a Board<'a>,
    seen: &'a [Seen],
    refs: &'a RemoteRefs,
    approved: &'a [(EnvironmentName, CommitId)],
    /// Whether pull requests could be merged, as far as that was told of many at once.
    told: BTreeMap<u64, Mergeability>,
}

impl Act<'_> {
    /// Asks about everything that may be merged, at once where it is more than one.
    fn ask(&mut self, verdicts: &[Option<Verdict>], failures: &BTreeMap<EnvironmentName, Failure>) {
        let may_be_merged = |at: &usize| {
            let place = &self.board.places[*at];
            let is_open = verdicts[*at].as_ref().is_some_and(Verdict::is_open);
            is_open && !failures.contains_key(&place.environment.name) && self.mergeable_head(place).is_some()
        };
        let due = (0..self.board.places.len()).filter(may_be_merged);
        let numbers: Vec<u64> = due.filter_map(|at| Some(self.seen[at].open.as_ref()?.number)).collect();
        if numbers.len() > 1 {
            // What is not told now is asked one by one, and says then why it cannot be told.
            self.told = self.world.forge.mergeability_of(&numbers).unwrap_or_default();
        }
    }

    /// The head of a proposal that is merged through its pull request.
    fn mergeable_head(&self, place: &Place<'_>) -> Option<CommitId> {
        let environment = place.environment;
        let proposal = place.proposal.as_ref().filter(|proposal| !proposal.rejected)?;
        let is_merged = environment.delivery == Delivery::PullRequest
            && (environment.auto_merge || self.is_approved(environment, proposal.head));
        is_merged.then_some(proposal.head)
    }

    /// Takes every step that is due; true if an environment got something else.
    fn take_all(
        &self,
        verdicts: &[Option<Verdict>],
        deeds: &mut [Deed],
        failures: &mut BTreeMap<EnvironmentName, Failure>,
    ) -> bool {
        let mut moved = false;
        for at in last_first(self.board) {
            let name = &self.board.places[at].environment.name;
            let verdict = verdicts[at].as_ref().filter(|_| !failures.contains_key(name));
            let Some(verdict) = verdict else { continue };
            match self.take(at, verdict, &mut deeds[at]) {
                Ok(has_moved) => moved |= has_moved,
                Err(error) => drop(failures.insert(name.clone(), as_failure(&error))),
            }
        }
        moved
    }

    /// Merges or pushes the proposal if that is due; true if the environment got something else.
    fn take(&self, at: usize, verdict: &Verdict, deed: &mut Deed) -> Result<bool> {
        let place = &self.board.places[at];
        let environment = place.environment;
        let Some(proposal) = place.proposal.as_ref().filter(|proposal| !proposal.rejected) else {
            return Ok(false);
        };
        match environment.delivery {
            Delivery::PullRequest if self.mergeable_head(place).is_some() => {
                let Some(open) = &self.seen[at].open else {
                    deed.note = Some("has no pull request yet: `hydrator run` opens it".to_owned());
                    return Ok(false);
                };
                let known = self.told.get(&open.number);
                let advanced = advance(self.world, environment, (open, known), (proposal.head, verdict))?;
                Ok(told(advanced, open, deed))
            }
            Delivery::Push if verdict.is_open() && plan::sits_on_active(&self.seen[at]) => {
                self.push(at, proposal.head, deed)
            }
            _ => Ok(false),
        }
    }

    fn is_approved(&self, environment: &Environment, head: CommitId) -> bool {
        self.approved.iter().any(|(name, seen)| *name == environment.name && *seen == head)
    }

    /// Moves the active branch to the proposal. Asserts the proposed branch: a newer run's must not be passed over.
    fn push(&self, at: usize, head: CommitId, deed: &mut Deed) -> Result<bool> {
        let environment = self.board.places[at].environment;
        let update = |name: String, expected, new| RefUpdate { name, expected, new };
        let updates = vec![
            update(environment.active.full(), self.board.places[at].active.commit, Some(head)),
            update(environment.proposed.full(), Some(head), Some(head)),
        ];
        let change = Change { environment, updates, noted: None, processed: None, withdrawn: false };
        let mut published = publisher(self.world, self.dry).publish(&[change], self.refs, None)?;
        if let Some(failure) = published.refused.remove(&environment.name).filter(|_| !published.moved) {
            return Err(failure.into());
        }
        if !published.moved {
            deed.operation = Some(Operation::Pushed);
            deed.active = Some(head);
            // What is pushed is pushed: that its time is not known stops nothing.
            deed.note = mark_active(self.world.forge.as_ref(), environment, head)
                .err()
                .map(|error| format!("{error:#}"));
        }
        // After a lost race there is something new to look at as well.
        Ok(true)
    }
}

/// Takes down what came of a merge; true if the environment got something else.
fn told(advanced: Advance, open: &PullRequest, deed: &mut Deed) -> bool {
    match advanced {
        Advance::Merged(tip) => {
            let merged = PullRequest { state: PullRequestState::Merged, ..open.clone() };
            deed.operation = Some(Operation::Merged);
            deed.request = Some((merged, PullRequestOperation::Merged));
            deed.active = Some(tip);
            true
        }
        Advance::Armed => {
            deed.note = Some(LEFT_TO_THE_FORGE.to_owned());
            false
        }
        Advance::Waits(why) => {
            deed.note = why;
            false
        }
    }
}

/// What tells which pull request brought what is active.
pub fn tips_of(seen: &Seen) -> Tips {
    let parents = seen.active.as_ref().map(|tip| tip.commit.parents.as_slice()).unwrap_or_default();
    Tips {
        merged: parents.iter().skip(1).copied().collect(),
        proposed: seen.proposed.as_ref().map(|tip| tip.commit.id),
        told: seen.open.as_ref().and_then(|open| Some((open.head_sha, open.head_statuses.clone()?))),
    }
}
