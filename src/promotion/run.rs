//! The gates' part in a run: what they say of what was just pushed, before its pull requests are opened or updated.
//!
//! Does I/O through the forge.

use std::collections::BTreeSet;

use anyhow::Result;

use super::gather::{Tips, Writes, gather};
use super::newest::Newest;
use super::passed_over::{PassedOver, passed_over};
use super::{places, post};
use crate::branch::Tip;
use crate::dry::Dry;
use crate::forge::Statuses;
use crate::gate::{Board, Place, Verdict};
use crate::git::RemoteRefs;
use crate::model::{
    Commit, CommitId, Contention, Delivery, Environment, EnvironmentName, EnvironmentReport, ErrorReport,
    Operation, Project, PullRequest, RunReport,
};
use crate::observe::{self, Observation, Seen};
use crate::overview::{Stand, stands};
use crate::plan::Decision;
use crate::planned::{Planned, as_failure};
use crate::tell::{Landings, announce};
use crate::world::World;

/// Before a push: what is about to be merged by the forge itself must not be merged with another content.
pub fn disarm(world: &World, planned: &mut [Planned<'_>]) {
    for environment in planned {
        let changes = matches!(environment.decision, Ok(Decision::Propose | Decision::Withdraw));
        let Some(armed) = environment.seen.open.as_mut().filter(|open| open.auto_merge && changes) else {
            continue;
        };
        match world.forge.disarm(armed.number) {
            Ok(()) => armed.auto_merge = false,
            Err(error) => environment.decision = Err(as_failure(&error)),
        }
    }
}

/// Before a push: commits that were let through once and come again. On the way the forge is asked about the DRY commits
/// that people will be told of.
pub fn close_old(
    world: &World,
    planned: &mut [Planned<'_>],
    (dry, landings): (&Dry, &Landings),
) -> Result<()> {
    let moves = |environment: &Planned<'_>| {
        matches!(environment.decision, Ok(Decision::Propose | Decision::Reparent))
            && environment.proposed != environment.seen.proposed.as_ref().map(|tip| tip.commit.id)
    };
    let commits: Vec<CommitId> =
        planned.iter().filter(|one| moves(one)).filter_map(|one| one.proposed).collect();
    if commits.is_empty() {
        return Ok(());
    }
    let forge = world.forge.as_ref();
    let tips = planned.iter().flat_map(|one| [&one.seen.active, &one.seen.proposed]);
    let known: BTreeSet<CommitId> = tips.flatten().filter_map(Tip::dry_sha).collect();
    let branches = planned.iter().filter_map(|one| Some((one.proposed?, one.environment.proposed.clone())));
    announce(forge, dry, &known, branches.collect());
    let statuses = landings.ask_along(forge, &dry_commits(&dry.commit, known), &commits)?;
    let mut told = post::close_old(statuses, forge)?;
    for environment in planned {
        environment.told = environment.proposed.and_then(|commit| told.remove_entry(&commit));
    }
    Ok(())
}

/// The DRY commit, the one before, and what environments run and are offered.
fn dry_commits(dry: &Commit, mut known: BTreeSet<CommitId>) -> Vec<CommitId> {
    known.extend(dry.parents.first());
    known.insert(dry.id);
    known.into_iter().collect()
}

/// After a push: what the gate says of each proposal, written on its commit. Returns where all environments stand then;
/// nothing where this run is about some of them only, and nothing is offered to those.
pub fn gates(world: &World, dry: &Dry, planned: &mut [Planned<'_>], refs: &RemoteRefs) -> Result<Vec<Stand>> {
    let is_all = planned.len() == dry.loaded.project.environments.len();
    if !is_all && !planned.iter().any(|one| is_offered(world, dry, one)) {
        return Ok(Vec::new());
    }
    let newest = Newest::find(world, dry, refs);
    let project = &newest.rules(dry).loaded.project;
    let standing = standing(world, (dry, project), planned, refs)?;
    let is_ancestor =
        |older: CommitId, newer: CommitId| world.repository.ancestry()?.is_ancestor(older, newer);
    let tip = refs.branch(&dry.branch).unwrap_or(dry.commit.id);
    let Standing { places, tips, mut open } = standing;
    let mut board = Board { places, tip, now: (world.clock)(), is_ancestor: &is_ancestor };
    announce(world.forge.as_ref(), dry, &board.dry_commits(), board.branches());
    let statuses = gather(&mut board, &tips, (world.forge.as_ref(), Writes::Active))?;
    for own in planned.iter_mut().filter(|one| is_delivered(one)) {
        own.verdict = newest.objection(own.environment);
    }
    let mut known = Vec::new();
    for (at, place) in board.places.iter().enumerate() {
        let request = open[at].take();
        let own = planned.iter_mut().find(|one| one.environment.name == place.environment.name);
        let objection = own.as_ref().and_then(|own| own.verdict.clone());
        let verdict = board.verdict(at)?.map(|verdict| objection.unwrap_or(verdict));
        known.push((verdict.clone(), request.clone(), false));
        if let Some(own) = own {
            say(world, (place, verdict), own, (request.as_ref(), &statuses));
            known[at].2 = own.decision.is_err();
        }
    }
    Ok(stands(&board, known.into_iter(), &statuses))
}

const fn is_delivered(planned: &Planned<'_>) -> bool {
    matches!(planned.decision, Ok(Decision::Propose | Decision::Reparent | Decision::Leave))
}

/// Writes what the gate says of a proposal of this run.
fn say(
    world: &World,
    (place, verdict): (&Place<'_>, Option<Verdict>),
    own: &mut Planned<'_>,
    (request, statuses): (Option<&PullRequest>, &Statuses),
) {
    let forge = world.forge.as_ref();
    let rejected = place.proposal.as_ref().is_some_and(|proposal| proposal.rejected);
    own.verdict = verdict.filter(|_| !rejected);
    let Some(verdict) = &own.verdict else { return };
    let said = match &own.decision {
        Ok(_) => post::post(place, (verdict, request), statuses, forge),
        // Whatever failed, the forge must not merge by itself what it should not.
        Err(_) => super::merge::disarm(place.environment, request, verdict, forge),
    };
    if let (Err(error), true) = (said, own.decision.is_ok()) {
        own.decision = Err(as_failure(&error));
    }
}

/// Where all environments of a configuration stand after a push, in its order.
struct Standing<'a> {
    places: Vec<Place<'a>>,
    tips: Vec<Tips>,
    open: Vec<Option<PullRequest>>,
}

/// Those of this run as it left them, the others as they are observed. `project` is the configuration that counts.
fn standing<'a>(
    world: &World,
    (dry, project): (&Dry, &'a Project),
    planned: &[Planned<'_>],
    refs: &RemoteRefs,
) -> Result<Standing<'a>> {
    let config = world.config.as_str();
    let names: Vec<&EnvironmentName> = planned.iter().map(|one| &one.environment.name).collect();
    let others = observe_others(world, (dry, project), &names, refs)?;
    let mut standing = Standing { places: Vec::new(), tips: Vec::new(), open: Vec::new() };
    for (at, environment) in project.environments.iter().enumerate() {
        let own = planned.iter().find(|one| one.environment.name == environment.name);
        let other = others.iter().find(|(place, _)| *place == at).map(|(_, seen)| seen.clone());
        let seen = own.map(|own| own.seen.clone()).or(other).unwrap_or_default();
        standing.places.push(match own {
            Some(own) => places::after_push(project, at, own, (config, dry.commit.id)),
            None => places::observed(project, at, &seen, config),
        });
        let proposed = own.map_or(seen.proposed.as_ref().map(|tip| tip.commit.id), |own| own.proposed);
        let earlier = super::round::tips_of(&seen);
        let told = own.and_then(|own| own.told.clone()).or(earlier.told);
        standing.tips.push(Tips { proposed, told, merged: earlier.merged });
        standing.open.push(seen.open);
    }
    Ok(standing)
}

fn is_offered(world: &World, dry: &Dry, planned: &Planned<'_>) -> bool {
    let project = &dry.loaded.project;
    let at = project.environments.iter().position(|one| one.name == planned.environment.name);
    let rules = (world.config.as_str(), dry.commit.id);
    at.is_some_and(|at| places::after_push(project, at, planned, rules).proposal.is_some())
}

/// With `contention: finish`: says of each environment that keeps its DRY commit for now why it does.
pub fn keep(
    world: &World,
    dry: &Dry,
    environments: &[Environment],
    observation: &mut Observation,
) -> Result<()> {
    let project = &dry.loaded.project;
    if project.contention != Contention::Finish {
        return Ok(());
    }
    let own: Vec<&EnvironmentName> = environments.iter().map(|one| &one.name).collect();
    let others = observe_others(world, (dry, project), &own, &observation.refs)?;
    let seen_at = |at: usize| {
        let name = &project.environments[at].name;
        let mine = environments.iter().zip(&observation.environments);
        let mine = mine.filter(|(environment, _)| environment.name == *name).map(|(_, seen)| seen);
        mine.chain(others.iter().filter(|(other, _)| *other == at).map(|(_, seen)| seen)).next().cloned()
    };
    let all: Vec<Seen> = (0..project.environments.len()).map(|at| seen_at(at).unwrap_or_default()).collect();
    let config = world.config.as_str();
    let places = all.iter().enumerate().map(|(at, seen)| places::observed(project, at, seen, config));
    let is_ancestor = |_, _| Ok(false);
    let board = Board {
        places: places.collect(),
        tip: dry.commit.id,
        now: (world.clock)(),
        is_ancestor: &is_ancestor,
    };
    let passed = passed_over(project, &board, &all);
    for (environment, seen) in environments.iter().zip(&mut observation.environments) {
        let at = project.environments.iter().position(|one| one.name == environment.name);
        let passed = at.and_then(|at| passed.get(&at)).filter(|passed| passed.until.is_some());
        seen.kept = passed.map(PassedOver::words);
    }
    Ok(())
}

/// The environments that this run is not about, by their places: others may wait for them.
fn observe_others(
    world: &World,
    (dry, project): (&Dry, &Project),
    own: &[&EnvironmentName],
    refs: &RemoteRefs,
) -> Result<Vec<(usize, Seen)>> {
    let own = |environment: &Environment| own.contains(&&environment.name);
    let others: Vec<usize> =
        (0..project.environments.len()).filter(|at| !own(&project.environments[*at])).collect();
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let environments: Vec<Environment> = others.iter().map(|at| project.environments[*at].clone()).collect();
    let question = observe::Question {
        scratch: &world.repository.scratch,
        ancestry: &|| world.repository.ancestry(),
        forge: world.forge.as_ref(),
        environments: &environments,
        active_pattern: &project.active_pattern,
        dry: dry.commit.id,
        dry_branch: &dry.branch,
    };
    let observed = observe::observe(&question, refs.clone())?;
    Ok(others.into_iter().zip(observed.environments).collect())
}

/// Whether promotion may have something to merge for this environment after the run.
pub fn is_due(planned: &Planned<'_>) -> bool {
    let environment = planned.environment;
    let merges = environment.delivery == Delivery::PullRequest && environment.auto_merge;
    planned.verdict.as_ref().is_some_and(|verdict| merges && verdict.is_open())
}

/// Merges what a run made due, and puts what came of it into the run's report. `due` are the environments that were.
pub fn follow(
    world: &World,
    report: &mut RunReport,
    due: &BTreeSet<EnvironmentName>,
    talk: &(dyn Fn(&str) + Sync),
) {
    match super::promote(world, &super::PromoteRequest::default(), talk) {
        Ok(promoted) => {
            report.picture = promoted.picture;
            for news in promoted.environments {
                if let Some(own) = report.environments.iter_mut().find(|own| own.name == news.name) {
                    take_over(own, news);
                }
            }
        }
        Err(error) => {
            let failure = as_failure(&error);
            for own in report.environments.iter_mut().filter(|own| due.contains(&own.name)) {
                own.operation = Operation::Failed;
                own.error.get_or_insert_with(|| ErrorReport {
                    kind: failure.kind,
                    message: format!("what waits was not merged: {failure}"),
                    hint: failure.hint.clone(),
                });
            }
        }
    }
}

/// What promotion did, in place of what the run had to say of it.
fn take_over(own: &mut EnvironmentReport, news: EnvironmentReport) {
    let is_deed = matches!(news.operation, Operation::Merged | Operation::Pushed | Operation::Failed);
    if is_deed && own.error.is_none() {
        own.operation = own.operation.max(news.operation);
        own.active_sha = news.active_sha;
        own.error = news.error;
        // What it had to say was about the proposal.
        own.note = None;
        own.pull_request = news.pull_request.or_else(|| own.pull_request.take());
    }
    if own.error.is_none() {
        own.promotion = news.promotion;
        own.note = news.note.or_else(|| own.note.take());
    }
}
