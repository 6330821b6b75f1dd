//! `hydrator run` and `hydrator plan`: the straight line from an event to pull requests.
//!
//! Every stage is a call to a module of its own. The only way back is a lost race: another writer moved a branch, so
//! everything is observed and decided again; what was rendered stays good, since it depends on the DRY commit alone.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use anyhow::Result;

use crate::branch::metadata_blob;
use crate::commit::{Base, Hydration, content};
use crate::dry::{self, Dry, Wanted};
use crate::error::{Failure, FailureKind};
use crate::git::{RefUpdate, RemoteRefs};
use crate::holding;
use crate::hydrate::Terms;
use crate::model::{CommitId, Environment, EnvironmentName, Project, RunReport};
use crate::observe::{self, Observation, Seen};
use crate::plan::{self, Decision, Goal, Permissions, Standing};
use crate::planned::{Planned, as_failure, publisher};
use crate::progress::{Progress, Stage};
use crate::promotion;
use crate::publish::{Change, NewCache, Published};
use crate::rendering::{Limits, Rendering, Scope};
use crate::settle;
use crate::tally::Tally;
use crate::tell::Overview;
use crate::world::World;

/// How often everything is observed again after a lost race.
pub const ATTEMPTS: u32 = 5;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct RunRequest {
    /// Only these environments; empty means all.
    pub environments: Vec<EnvironmentName>,
    /// A DRY commit by the user's word.
    pub dry_sha: Option<CommitId>,
    /// Stop before anything is pushed or written.
    pub dry_run: bool,
    /// What may be replaced.
    pub permissions: Permissions,
    /// Where a hold may end: the targets to release, by name or output; all of them if none is named.
    pub release: Vec<String>,
    /// Limits of rendering.
    pub limits: Limits,
    /// What the cache is believed.
    pub scope: Scope,
}

/// Runs the whole line.
pub fn run(world: &World, request: &RunRequest, progress: &dyn Progress) -> Result<RunReport> {
    let scratch = &world.repository.scratch;
    progress.enter(Stage::Observe);
    let mut refs = scratch.look()?;
    let wanted = wanted(world, request);
    let dry = dry::load(scratch, &refs, wanted, &world.config)?;
    let mut waiting = select(&dry.loaded.project, &request.environments)?;
    let mut rendering = Rendering::new(world, &dry, request.limits, request.scope)?;
    let mut reports = Tally::of(&waiting);
    let mut overview = Overview::default();
    for attempt in 1.. {
        // The remote takes its time to answer; meanwhile the DRY tree is read.
        let mut observation = std::thread::scope(|scope| {
            scope.spawn(|| rendering.read_ahead(&waiting));
            observe(world, &dry, &waiting, refs)
        })?;
        promotion::keep(world, &dry, &waiting, &mut observation)?;
        refuse_older(wanted, &observation, &dry)?;
        progress.enter(Stage::Plan);
        let mut planned = decide((world, request), &waiting, &observation, &mut rendering, progress)?;
        scratch.keep_nothing_read();
        if request.dry_run {
            return crate::outcome::planned(&dry, &planned, &observation, &rendering);
        }
        // Better nothing than branches without their pull requests and statuses.
        world.forge.ready_to_write()?;
        progress.enter(Stage::Commit);
        hydrate(world, request, &dry, &mut planned);
        let narrowed = waiting.len() < dry.loaded.project.environments.len();
        let cache = write_cache(world, &planned, &observation, &rendering, narrowed)?;
        progress.enter(Stage::Publish);
        promotion::disarm(world, &mut planned);
        promotion::close_old(world, &mut planned, (&dry, &overview.landings))?;
        let published = publish(world, &dry, &mut planned, &observation.refs, cache)?;
        if !published.moved {
            progress.enter(Stage::Promote);
            let stands = promotion::gates(world, &dry, &mut planned, &published.refs)?;
            overview.stands = stands;
            let stage = settle::Stage { world, dry: &dry, refs: &published.refs, overview: &overview };
            reports.expect(&planned, published.refs.branch(&dry.branch));
            let promoted = crate::outcome::promote(&stage, planned, &rendering)?;
            reports.take(promoted.environments);
            reports.take_orphans(|| crate::outcome::close_orphans(world, &dry, &observation));
            waiting.retain(|environment| promoted.lost.contains(&environment.name));
            if waiting.is_empty() || attempt >= ATTEMPTS {
                return Ok(reports.finish(world, &dry, overview, progress));
            }
        }
        match stop_or_pause(world, attempt) {
            // What other environments came to is not lost with those that are given up.
            Err(_) if !reports.is_empty() => return Ok(reports.finish(world, &dry, overview, progress)),
            stopped => stopped?,
        }
        progress.enter(Stage::Observe);
        refs = scratch.look()?;
    }
    Err(lost_race().into())
}

fn wanted<'a>(world: &'a World, request: &RunRequest) -> Wanted<'a> {
    match (request.dry_sha, &world.trigger) {
        (Some(commit), _) => Wanted::Commit(commit),
        (None, Some(trigger)) => Wanted::Triggered(trigger),
        (None, None) => Wanted::Tip,
    }
}

/// The environments with these names, in the configuration's order; all of them if no name is given.
pub fn select(project: &Project, names: &[EnvironmentName]) -> Result<Vec<Environment>> {
    let all = &project.environments;
    for name in names {
        if !all.iter().any(|environment| environment.name == *name) {
            let known: Vec<&str> = all.iter().map(|environment| environment.name.as_str()).collect();
            let failure = Failure::usage(format!("the configuration has no environment `{name}`"));
            return Err(failure.hint(format!("it has: {}", known.join(", "))).into());
        }
    }
    let selected = |environment: &&Environment| names.is_empty() || names.contains(&environment.name);
    Ok(all.iter().filter(selected).cloned().collect())
}

/// Stage 3: what the remote and the forge hold about these environments.
pub fn observe(
    world: &World,
    dry: &Dry,
    environments: &[Environment],
    refs: RemoteRefs,
) -> Result<Observation> {
    let question = observe::Question {
        scratch: &world.repository.scratch,
        ancestry: &|| world.repository.ancestry(),
        forge: world.forge.as_ref(),
        environments,
        active_pattern: &dry.loaded.project.active_pattern,
        dry: dry.commit.id,
        dry_branch: &dry.branch,
    };
    observe::observe(&question, refs)
}

/// An older commit that CI still runs for is superseded; one that a person names is a mistake.
fn refuse_older(wanted: Wanted<'_>, observation: &Observation, dry: &Dry) -> Result<()> {
    let Wanted::Commit(commit) = wanted else { return Ok(()) };
    if !observation.environments.iter().any(|seen| seen.superseded) {
        return Ok(());
    }
    let branch = &dry.branch;
    let message = format!(
        "{} is not the newest DRY commit: `{branch}` or its environments are past it",
        commit.short()
    );
    Err(Failure::usage(message)
        .hint(format!("to bring an older state back, revert what is newer on `{branch}`"))
        .into())
}

/// Stages 4 and 5: how each environment stands, the rendering of those that may change, and what is to be done.
fn decide<'a>(
    (world, request): (&World, &RunRequest),
    environments: &'a [Environment],
    observation: &Observation,
    rendering: &mut Rendering<'_>,
    progress: &dyn Progress,
) -> Result<Vec<Planned<'a>>> {
    let pairs = || environments.iter().zip(&observation.environments);
    let config = world.config.as_str();
    let release = request.permissions.resume.then_some(request.release.as_slice());
    let stand = |(environment, seen)| {
        let terms = holding::terms(environment, seen, release)?;
        Ok((plan::standing(environment, seen, config, request.permissions)?, terms))
    };
    let standings: Vec<Result<(Standing, Terms), Failure>> = pairs().map(stand).collect();
    for (environment, standing) in environments.iter().zip(&standings) {
        let hold = standing.as_ref().ok().and_then(|(_, terms)| terms.hold.as_ref());
        rendering.hold(environment, hold.map(|hold| &hold.targets));
    }
    let affected = |standing: &Result<(Standing, Terms), Failure>| {
        standing.as_ref().is_ok_and(|(standing, _)| standing.needs_rendering())
    };
    let to_render: Vec<&Environment> = environments
        .iter()
        .zip(&standings)
        .filter(|(_, standing)| affected(standing))
        .map(|(environment, _)| environment)
        .collect();
    rendering.render(&to_render, &observation.cache, progress)?;
    let decided = pairs().zip(standings).map(|((environment, seen), standing)| {
        let mut planned = Planned::of(environment, seen, config);
        planned.decision = standing.and_then(|(standing, terms)| {
            planned.terms = terms;
            if standing.needs_rendering() {
                planned.outputs = rendering.outputs(environment)?;
                planned.outputs.extend(holding::kept(seen, &planned.terms));
            }
            // The note of what is frozen moves along with it, and says no more than before.
            planned.processed = seen.processed.filter(|_| standing == Standing::Frozen);
            decide_one(environment, seen, &standing, &planned)
        });
        planned
    });
    Ok(decided.collect())
}

fn decide_one(
    environment: &Environment,
    seen: &Seen,
    standing: &Standing,
    planned: &Planned<'_>,
) -> Result<Decision, Failure> {
    let content = content(&planned.outputs);
    let had_something = seen.active.as_ref().is_some_and(|active| !active.content.is_empty());
    if standing.needs_rendering() && content.is_empty() && had_something && !environment.allow_empty {
        let name = &environment.name;
        return Err(Failure::render(format!(
            "environment `{name}` renders to nothing, which would empty `{}`",
            environment.active
        ))
        .hint("if that is meant, set `allowEmpty: true` for the environment"));
    }
    Ok(plan::decide(environment, seen, standing, Goal { content: &content, terms: &planned.terms }))
}

/// Stages 6 and 7: the commits of the environments that change. One that fails does not stop the others.
fn hydrate(world: &World, request: &RunRequest, dry: &Dry, planned: &mut [Planned<'_>]) {
    let repo_url = world.repository.web_url();
    let hydration = Hydration {
        objects: world.repository.scratch.objects(),
        dry: &dry.commit,
        repo_url: &repo_url,
        config: world.config.as_str(),
        settings: &dry.loaded.project.commit,
    };
    for environment in planned {
        if let Err(error) = hydrate_one(&hydration, environment, request.permissions.adopt) {
            environment.decision = Err(as_failure(&error));
        }
    }
}

fn hydrate_one(hydration: &Hydration<'_>, planned: &mut Planned<'_>, adopt: bool) -> Result<()> {
    let Ok(decision) = &planned.decision else { return Ok(()) };
    let active = planned.seen.active.as_ref();
    let tip = active.map(|active| active.commit.id);
    let proposed = planned.seen.proposed.as_ref();
    planned.proposed = proposed.map(|proposed| proposed.commit.id);
    match decision {
        Decision::Nothing if plan::is_stale(&planned.seen) => planned.proposed = tip,
        Decision::Propose | Decision::Reparent => {
            if tip.is_none() {
                planned.first = Some(hydration.first_commit(planned.environment)?);
            }
            let Some(parent) = tip.or(planned.first) else { return Ok(()) };
            let adopts = planned.is_foreign || adopt;
            let base = Base { parent, seen: &planned.seen, adopts, terms: &planned.terms };
            planned.proposed = Some(match (decision, proposed) {
                (Decision::Reparent, Some(proposed)) => hydration.reparent(&base, proposed)?,
                _ => hydration.propose(planned.environment, &base, &planned.outputs)?,
            });
        }
        _ => {}
    }
    Ok(())
}

/// What this run knows about every target's rendering, for the next one.
fn write_cache(
    world: &World,
    planned: &[Planned<'_>],
    observation: &Observation,
    rendering: &Rendering<'_>,
    narrowed: bool,
) -> Result<Option<NewCache>> {
    let objects = world.repository.scratch.objects();
    let mut shelf = BTreeSet::new();
    if narrowed {
        shelf.extend(observation.shelf.iter().copied());
    }
    for environment in planned {
        for tip in environment.tips_after() {
            shelf.extend(metadata_blob(objects, tip)?);
        }
    }
    let mut cache = observation.cache.clone();
    rendering.remember(&mut cache, narrowed);
    // What failed changes nothing on the remote: the cache goes along with what others push, and not by itself.
    let is_news = cache != observation.cache && planned.iter().all(|planned| planned.decision.is_ok());
    Ok(Some(NewCache { commit: cache.write(objects, &shelf)?, is_news }))
}

/// Stage 8: one push of everything.
fn publish(
    world: &World,
    dry: &Dry,
    planned: &mut [Planned<'_>],
    refs: &RemoteRefs,
    cache: Option<NewCache>,
) -> Result<Published> {
    let changes: Vec<Change<'_>> = planned.iter().filter_map(change).collect();
    let published = publisher(world, dry).publish(&changes, refs, cache)?;
    for environment in planned {
        if let Some(failure) = published.refused.get(&environment.environment.name) {
            environment.decision = Err(failure.clone());
            environment.first = None;
            environment.proposed = environment.seen.proposed.as_ref().map(|proposed| proposed.commit.id);
        }
    }
    Ok(published)
}

/// What is to be pushed for an environment; nothing where it failed or stays as it is.
pub fn change<'a>(planned: &Planned<'a>) -> Option<Change<'a>> {
    let decision = planned.decision.as_ref().ok()?;
    let processed = planned.processed;
    let environment = planned.environment;
    let tip = planned.seen.active.as_ref().map(|active| active.commit.id);
    let is_new = planned.seen.renamed_from.is_some();
    // Asserted unchanged where it is there: the new commit is meant for exactly this tip.
    let active = RefUpdate {
        name: environment.active.full(),
        expected: tip.filter(|_| !is_new),
        new: tip.or(planned.first),
    };
    if matches!(
        decision,
        Decision::Superseded | Decision::Held(_) | Decision::NotHeld | Decision::Finishing(_)
    ) {
        // Where later environments pass it, its note says that it has nothing to do with newer commits, as after one that
        // changes nothing: GitOps Promoter's gates look through it then.
        let noted = tip.filter(|_| plan::lets_pass(&planned.seen) && matches!(decision, Decision::Held(_)));
        let noted = noted.map(|tip| planned.proposed.unwrap_or(tip));
        let updates = if is_new { vec![active] } else { Vec::new() };
        return (is_new || noted.is_some()).then_some(Change {
            environment,
            updates,
            noted,
            processed,
            withdrawn: false,
        });
    }
    let before = planned.seen.proposed.as_ref().map(|proposed| proposed.commit.id);
    let mut updates = Vec::new();
    if planned.proposed != before {
        updates.push(RefUpdate {
            name: environment.proposed.full(),
            expected: before,
            new: planned.proposed,
        });
    }
    if planned.proposed != before || is_new {
        updates.push(active);
    }
    // A withdrawn proposal's branch moves only after its pull request is closed; the note says so beforehand, so that
    // nobody takes that for a person's doing.
    let withdrawn = *decision == Decision::Withdraw;
    Some(Change { environment, updates, noted: planned.proposed, processed, withdrawn })
}

/// Waits a little after a lost race; an error once there were too many, or when a signal came.
pub fn stop_or_pause(world: &World, attempt: u32) -> Result<(), Failure> {
    if attempt >= ATTEMPTS {
        return Err(lost_race());
    }
    if world.stop.load(Ordering::Relaxed) {
        return Err(Failure::new(FailureKind::Unexpected, "stopped by a signal"));
    }
    let noise = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |now| now.subsec_nanos());
    std::thread::sleep(Duration::from_millis(u64::from(50 * attempt + noise % 100)));
    Ok(())
}

/// The error of a command that lost every race.
pub fn lost_race() -> Failure {
    Failure::git(format!("other writers moved the branches {ATTEMPTS} times while this run tried to push"))
        .hint("run again; if it goes on, give the jobs one `concurrency` group")
}
