//! `hydrator rollback`: the straight line from a word for an older state to a pull request that brings it back.
//!
//! Observe, find the state, decide, commit its exact bytes, publish, open the pull request: the stages of a run but for
//! rendering, which never happens here. The only way back is a lost race: then everything is observed and decided again.

mod decide;
mod find;
mod revert;

use anyhow::Result;
use jiff::Timestamp;

use crate::branch::Content;
use crate::commit::{Base, Hydration};
use crate::dry::{self, Dry, Wanted};
use crate::error::Failure;
use crate::history::{Reference, changes, difference};
use crate::model::{
    Delivery, Environment, EnvironmentName, EnvironmentReport, HoldReport, Moment, Operation, Project,
    RunReport,
};
use crate::observe::Observation;
use crate::outcome;
use crate::plan::{Decision, Permissions};
use crate::planned::{Planned, as_failure, publisher};
use crate::rendering::{Limits, Rendering, Scope};
use crate::restore::{Restoration, restore};
use crate::run::{ATTEMPTS, change, lost_race, observe, select, stop_or_pause};
use crate::settle::Stage;
use crate::tell::Overview;
use crate::world::World;

use decide::Wish;
use revert::{revert_all, spans};

/// What was asked for.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Clone, Debug)]
pub struct Request {
    /// These environments.
    pub environments: Vec<EnvironmentName>,
    /// And all that come after this one.
    pub all_after: Option<EnvironmentName>,
    /// The state to go back to.
    pub to: Reference,
    /// Only these targets, by name or output; none means the whole environment.
    pub targets: Vec<String>,
    /// Who asks, by the CI system's word.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub now: Timestamp,
    /// Whether it stays there until it is resumed.
    pub hold: bool,
    /// Whether later environments need not wait for it.
    pub let_pass: bool,
    /// Straight to the active branch, without a pull request.
    pub push: bool,
    /// Stop before anything is pushed or written.
    pub dry_run: bool,
    /// Also a pull request that takes back the DRY commits in between.
    pub revert_dry: bool,
    /// What may be replaced.
    pub permissions: Permissions,
}

/// What came of it.
#[derive(Debug)]
pub struct RolledBack {
    /// The report.
    pub report: RunReport,
    /// For a dry run: what would change, by environment; values of Secrets are hidden.
    pub differences: Vec<(EnvironmentName, String)>,
}

/// Rolls back, or shows what that would change.
pub fn rollback(world: &World, request: &Request) -> Result<RolledBack> {
    let scratch = &world.repository.scratch;
    let mut refs = scratch.look()?;
    let dry = dry::load(scratch, &refs, Wanted::Tip, &world.config)?;
    let environments = asked_for(&dry.loaded.project, request)?;
    let rendering = Rendering::new(world, &dry, Limits::default(), Scope::Affected)?;
    for attempt in 1.. {
        let observation = observe(world, &dry, &environments, refs)?;
        let mut wishes = wishes(world, request, &dry, &environments, &observation)?;
        if request.dry_run {
            return dry_run(world, (&dry, request), &observation, wishes, &rendering);
        }
        world.forge.ready_to_write()?;
        commit(world, request, &dry, &mut wishes);
        withdraw_open_requests(world, request, &wishes)?;
        let changes: Vec<_> = wishes.iter().filter_map(|wish| change(&wish.planned)).collect();
        let published = publisher(world, &dry).publish(&changes, &observation.refs, None)?;
        if !published.moved {
            let spans = spans(&wishes);
            for wish in &mut wishes {
                if let Some(failure) = published.refused.get(&wish.planned.environment.name) {
                    wish.planned.decision = Err(failure.clone());
                }
            }
            let overview = Overview::default();
            let stage = Stage { world, dry: &dry, refs: &published.refs, overview: &overview };
            let report = settle(&stage, wishes, &rendering, request)?;
            if let Some(mut report) = report {
                revert_all(world, &dry, request, (&spans, &mut report));
                return Ok(RolledBack { report, differences: Vec::new() });
            }
        }
        if attempt >= ATTEMPTS {
            break;
        }
        stop_or_pause(world, attempt)?;
        refs = scratch.look()?;
    }
    Err(lost_race().into())
}

/// The environments that were named, and those after one, in the configuration's order.
fn asked_for(project: &Project, request: &Request) -> Result<Vec<Environment>> {
    let mut names = request.environments.clone();
    if let Some(first) = &request.all_after {
        select(project, std::slice::from_ref(first))?;
        names.extend(decide::after(project, first));
    }
    if names.is_empty() {
        let failure = match &request.all_after {
            Some(last) => Failure::usage(format!("no environment comes after `{last}`")),
            None => Failure::usage("which environment shall be rolled back?"),
        };
        return Err(failure.hint("name it with `--environment`, or several with `--all-after`").into());
    }
    let mut environments = select(project, &names)?;
    for environment in &mut environments {
        if request.push {
            environment.delivery = Delivery::Push;
        }
    }
    Ok(environments)
}

/// What shall become of each environment. One that cannot be rolled back does not stop the others.
fn wishes<'a>(
    world: &World,
    request: &Request,
    dry: &Dry,
    environments: &'a [Environment],
    observation: &Observation,
) -> Result<Vec<Wish<'a>>> {
    let mut wishes = Vec::new();
    for (environment, seen) in environments.iter().zip(&observation.environments) {
        let mut wish = Wish::new(Planned::of(environment, seen, world.config.as_str()));
        let found = find::source(world, request, &observation.refs, environment, seen);
        match found.and_then(|source| {
            decide::decide(request, dry.commit.id, world.config.as_str(), &mut wish, source)
                .map_err(Into::into)
        }) {
            Ok(decision) => wish.planned.decision = Ok(decision),
            Err(error) => wish.planned.decision = Err(as_failure(&error)),
        }
        wishes.push(wish);
    }
    let pairs: Vec<(Content, Content)> = wishes.iter().filter_map(Wish::sides).collect();
    changes::fetch(
        &world.repository.scratch,
        &pairs.iter().map(|(now, then)| (now, then)).collect::<Vec<_>>(),
    )?;
    for wish in &mut wishes {
        if let Err(error) = decide::describe(world.repository.scratch.objects(), wish) {
            wish.planned.decision = Err(as_failure(&error));
        }
    }
    Ok(wishes)
}

/// Makes the commits: exact old bytes on the active tip.
fn commit(world: &World, request: &Request, dry: &Dry, wishes: &mut [Wish<'_>]) {
    let repo_url = world.repository.web_url();
    let hydration = Hydration {
        objects: world.repository.scratch.objects(),
        dry: &dry.commit,
        repo_url: &repo_url,
        config: world.config.as_str(),
        settings: &dry.loaded.project.commit,
    };
    for wish in wishes {
        if let Err(error) = commit_one(&hydration, request, wish) {
            wish.planned.decision = Err(as_failure(&error));
        }
    }
}

fn commit_one(hydration: &Hydration<'_>, request: &Request, wish: &mut Wish<'_>) -> Result<()> {
    let planned = &wish.planned;
    let (Some(active), Some(source)) = (&planned.seen.active, &wish.source) else { return Ok(()) };
    let (proposed, parent) = (planned.seen.proposed.as_ref(), active.commit.id);
    let base = Base { parent, seen: &planned.seen, adopts: planned.is_foreign, terms: &planned.terms };
    let commit = match (&planned.decision, proposed) {
        (Ok(Decision::Propose), _) => {
            let headline = wish.headline();
            restore(
                hydration,
                &Restoration {
                    base,
                    source,
                    outputs: &wish.outputs,
                    content: &wish.content,
                    message: wish.message(request, &headline, source.commit.id),
                    since: Moment { seconds: request.now.as_second(), offset_minutes: 0 },
                },
            )?
        }
        (Ok(Decision::Reparent), Some(proposed)) => hydration.reparent(&base, proposed)?,
        _ => {
            wish.planned.proposed = proposed.map(|proposed| proposed.commit.id);
            return Ok(());
        }
    };
    wish.planned.proposed = Some(commit);
    Ok(())
}

/// An open pull request must not merge other content by itself; and where the rollback is pushed, it has no use any more.
fn withdraw_open_requests(world: &World, request: &Request, wishes: &[Wish<'_>]) -> Result<()> {
    for wish in wishes {
        let Some(open) = wish.planned.seen.open.as_ref().filter(|_| wish.changes_something()) else {
            continue;
        };
        if open.auto_merge {
            world.forge.disarm(open.number)?;
        }
        if request.push {
            let name = &wish.planned.environment.active;
            let comment = format!("Closed by a rollback that was pushed straight to `{name}`.");
            world.forge.close(open.number, &comment)?;
        }
    }
    Ok(())
}

/// Opens or updates the pull requests, or moves the active branches; nothing where a race was lost.
fn settle(
    stage: &Stage<'_>,
    wishes: Vec<Wish<'_>>,
    rendering: &Rendering<'_>,
    request: &Request,
) -> Result<Option<RunReport>> {
    let (mut planned, said): (Vec<_>, Vec<_>) = wishes.into_iter().map(Wish::into_parts).unzip();
    if request.push {
        // Closed beforehand.
        for planned in &mut planned {
            planned.seen.open = None;
        }
    }
    let stands = crate::promotion::gates(stage.world, stage.dry, &mut planned, stage.refs)?;
    let overview = Overview { stands, ..Overview::default() };
    let promoted = outcome::promote(&Stage { overview: &overview, ..*stage }, planned, rendering)?;
    if !promoted.lost.is_empty() {
        return Ok(None);
    }
    let mut report =
        RunReport { dry_sha: stage.dry.commit.id, environments: promoted.environments, picture: None };
    for (environment, said) in report.environments.iter_mut().zip(said) {
        said.add_to(environment);
    }
    Ok(Some(report))
}

/// What would happen, and what that would change.
fn dry_run(
    world: &World,
    (dry, request): (&Dry, &Request),
    observation: &Observation,
    wishes: Vec<Wish<'_>>,
    rendering: &Rendering<'_>,
) -> Result<RolledBack> {
    let objects = world.repository.scratch.objects();
    let mut differences = Vec::new();
    let spans = spans(&wishes);
    for wish in &wishes {
        if let Some((now, then)) = wish.sides() {
            differences.push((wish.planned.environment.name.clone(), difference(objects, &now, &then)?));
        }
    }
    let (planned, said): (Vec<_>, Vec<_>) = wishes.into_iter().map(Wish::into_parts).unzip();
    let mut report = outcome::planned(dry, &planned, observation, rendering)?;
    report.environments.truncate(planned.len());
    for (environment, said) in report.environments.iter_mut().zip(said) {
        said.add_to(environment);
    }
    revert_all(world, dry, request, (&spans, &mut report));
    Ok(RolledBack { report, differences })
}

/// What a report says of a rollback beyond what it says of a run.
#[derive(Debug, Default)]
struct Said {
    note: Option<String>,
    outputs: Vec<String>,
    hold: Option<HoldReport>,
    source: String,
}

impl Said {
    fn add_to(self, report: &mut EnvironmentReport) {
        for target in report.targets.iter_mut().filter(|target| self.outputs.contains(&target.output)) {
            target.affected = true;
            target.reasons = vec![format!("rolled back to {}", self.source)];
        }
        if report.operation != Operation::Failed {
            report.note = self.note;
        }
        if report.operation == Operation::Pushed {
            report.hold = self.hold;
        }
    }
}

impl<'a> Wish<'a> {
    fn into_parts(self) -> (Planned<'a>, Said) {
        let said = Said {
            note: self.note.clone(),
            outputs: self.changed_outputs(),
            hold: self.planned.terms.hold.as_ref().map(crate::hydrate::Hold::report),
            source: self.source.as_ref().map(|source| source.commit.id.short()).unwrap_or_default(),
        };
        (self.planned, said)
    }

    const fn changes_something(&self) -> bool {
        matches!(self.planned.decision, Ok(Decision::Propose | Decision::Reparent))
    }
}
