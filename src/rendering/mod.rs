//! Stage 5, render: which targets are rendered, each once, and their manifests into the object database as they come.
//!
//! Does I/O: it starts renderers and writes objects to the scratch repository. Manifests are dropped once written, so
//! that memory does not grow with the number of targets.

mod jobs;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use crate::cache::Cache;
use crate::commit::{TargetOutput, write_target};
use crate::dry::Dry;
use crate::error::{Failure, FailureKind, hint_of, kind_of, message_of};
use crate::fingerprint::Stored;
use crate::git::SharedObjects;
use crate::model::{Environment, EnvironmentName, ObjectId, SecretRule, Target, TargetReport};
use crate::progress::{Progress, Stage};
use crate::render::{Complaint, Refusal, RenderJob, Rendered};
use crate::world::World;
pub use jobs::{Ground, Limits, Request, render_to_memory};
use jobs::{job, render_jobs, tell};
use reading::{Inputs, Reading};

/// What the cache is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// Only targets whose inputs changed are rendered.
    #[default]
    Affected,
    /// All of them are.
    Full,
    /// All of them are, and one whose inputs did not change must render to what the cache says.
    Verify,
}

/// A target's place: its environment's name and its index there.
type Key = (EnvironmentName, usize);

/// What a target rendered to, and what validators have against it.
type Judged = (TargetOutput, Option<Refusal>);

/// A target that rendered and must not be hydrated.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What it rendered to.
    pub output: TargetOutput,
    /// Why not.
    pub failure: Failure,
    /// The same by manifest, where one was named.
    pub complaints: Vec<Complaint>,
}

/// The rendering of one run: every target at most once, however often the run observes and decides again.
pub struct Rendering<'a> {
    request: Request<'a>,
    scope: Scope,
    objects: SharedObjects,
    reading: Reading<'a>,
    done: BTreeMap<Key, Result<TargetOutput, Failure>>,
    inputs: BTreeMap<Key, Inputs>,
    rendered: BTreeSet<Key>,
    /// What rendered, and is refused; their failures stand in `done`.
    refused: BTreeMap<Key, Refused>,
    held: BTreeSet<Key>,
    warnings: BTreeMap<EnvironmentName, Vec<String>>,
}

impl<'a> Rendering<'a> {
    /// Prepares the rendering of a DRY commit; nothing is started.
    pub fn new(world: &'a World, dry: &'a Dry, limits: Limits, scope: Scope) -> Result<Self> {
        Self::on(Ground::of(world), dry, limits, scope)
    }

    /// The same without a forge.
    pub fn on(ground: Ground<'a>, dry: &'a Dry, limits: Limits, scope: Scope) -> Result<Self> {
        let project = &dry.loaded.project;
        let request = Request {
            tree: &dry.tree,
            project,
            validators: &project.validators,
            secrets: &project.diff.secrets,
            variables: ground.variables,
            limits,
            stop: ground.stop,
        };
        Ok(Self {
            reading: Reading::new(request),
            request,
            scope,
            objects: SharedObjects::open(ground.scratch)?,
            done: BTreeMap::new(),
            inputs: BTreeMap::new(),
            rendered: BTreeSet::new(),
            refused: BTreeMap::new(),
            held: BTreeSet::new(),
            warnings: BTreeMap::new(),
        })
    }

    /// Other validators than those of its own configuration.
    #[must_use]
    pub const fn validated_by(mut self, validators: &'a [Vec<String>]) -> Self {
        self.request.validators = validators;
        self
    }

    /// Other secret fields than those of its own configuration.
    #[must_use]
    pub const fn hiding(mut self, secrets: &'a [SecretRule]) -> Self {
        self.request.secrets = secrets;
        self
    }

    /// Where the manifests are written.
    pub const fn objects(&self) -> &SharedObjects {
        &self.objects
    }

    /// From now on these outputs of an environment, and no others of it, stay as they are and are not rendered.
    pub fn hold<T>(&mut self, environment: &Environment, outputs: Option<&BTreeMap<String, T>>) {
        self.held.retain(|(name, _)| *name != environment.name);
        for (index, target) in environment.targets.iter().enumerate() {
            if outputs.is_some_and(|outputs| outputs.contains_key(target.output.as_str())) {
                self.held.insert((environment.name.clone(), index));
            }
        }
    }

    /// Reads what needs no answer of the remote. What goes wrong here comes again, and is told, when a target's turn
    /// comes.
    pub fn read_ahead(&mut self, environments: &[Environment]) {
        self.reading.ahead(environments);
    }

    /// Renders those targets of these environments that are affected and have not been rendered yet.
    pub fn render(
        &mut self,
        environments: &[&Environment],
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<()> {
        let mut waiting: Vec<(Key, &Environment)> = Vec::new();
        for environment in environments {
            for (index, target) in environment.targets.iter().enumerate() {
                let key = (environment.name.clone(), index);
                if self.done.contains_key(&key) || self.held.contains(&key) {
                    continue;
                }
                let stored = cache.get(&environment.name, target.output.as_str());
                let inputs = self.reading.inputs(&key, target, stored)?;
                match inputs.hit.as_ref().filter(|hit| self.scope == Scope::Affected && self.is_here(hit)) {
                    Some(hit) => {
                        let output = TargetOutput {
                            tree: hit.output,
                            count: hit.manifests,
                            ..TargetOutput::default()
                        };
                        self.done.insert(key.clone(), Ok(output));
                    }
                    None => waiting.push((key.clone(), environment)),
                }
                self.inputs.insert(key, inputs);
            }
        }
        if !waiting.is_empty() {
            progress.enter(Stage::Render);
        }
        let results = self.render_now(&waiting, progress)?;
        for ((key, _), result) in waiting.iter().zip(results) {
            self.rendered.insert(key.clone());
            let done = result.and_then(|(output, refusal)| match refusal {
                None => Ok(output),
                Some(Refusal { failure, complaints }) => {
                    let refused = Refused { output, failure: failure.clone(), complaints };
                    self.refused.insert(key.clone(), refused);
                    Err(failure)
                }
            });
            self.done.insert(key.clone(), done);
        }
        if self.scope == Scope::Verify {
            self.verify(&waiting, progress)?;
        }
        progress.enter(Stage::Plan);
        Ok(())
    }

    /// Whether the tree that the cache names can be used: it is part of one of the branches' tips.
    fn is_here(&self, stored: &Stored) -> bool {
        stored.output.is_none_or(|tree| self.objects.with(|objects| objects.has(tree)))
    }

    fn render_now(
        &self,
        waiting: &[(Key, &Environment)],
        progress: &dyn Progress,
    ) -> Result<Vec<Result<Judged, Failure>>> {
        let jobs: Vec<RenderJob<'_>> =
            waiting.iter().map(|((_, index), environment)| job(environment, *index)).collect();
        let layout = self.request.project.layout;
        let results: Vec<Mutex<Option<Result<Judged, Failure>>>> =
            jobs.iter().map(|_| Mutex::new(None)).collect();
        let finished = AtomicUsize::new(0);
        let objects = &self.objects;
        render_jobs(&self.request, self.reading.toolbox(), &jobs, &|index, rendered| {
            let took = rendered.as_ref().ok().map(|rendered| rendered.duration);
            let written =
                rendered.and_then(|rendered| objects.with(|objects| write(objects, layout, rendered)));
            let count = finished.fetch_add(1, Ordering::Relaxed) + 1;
            tell(
                progress,
                (count, jobs.len()),
                &jobs[index],
                took.filter(|_| matches!(written, Ok((_, None)))),
            );
            *results[index].lock().unwrap_or_else(PoisonError::into_inner) =
                Some(written.map_err(|error| as_failure(&error)));
        })?;
        let missing = || Err(Failure::new(FailureKind::Unexpected, "a target was not rendered"));
        let take = |result: Mutex<Option<Result<Judged, Failure>>>| {
            result.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(missing)
        };
        Ok(results.into_iter().map(take).collect())
    }

    /// A target whose inputs did not change must render to what the cache says, unless it never renders the same.
    fn verify(&mut self, waiting: &[(Key, &Environment)], progress: &dyn Progress) -> Result<()> {
        let differs = |(key, _): &&(Key, &Environment)| {
            let hit = self.inputs.get(key).and_then(|inputs| inputs.hit.as_ref());
            matches!((hit, self.done.get(key)), (Some(hit), Some(Ok(output))) if hit.output != output.tree)
        };
        let doubtful: Vec<(Key, &Environment)> = waiting.iter().filter(differs).cloned().collect();
        let again = self.render_now(&doubtful, progress)?;
        for ((key, environment), second) in doubtful.into_iter().zip(again) {
            let name = &environment.targets[key.1].name;
            let first =
                self.done.get(&key).and_then(|output| output.as_ref().ok()).and_then(|output| output.tree);
            if second.is_ok_and(|(second, _)| second.tree == first) {
                let failure = Failure::new(
                    FailureKind::Unexpected,
                    format!(
                        "target `{name}` of environment `{}` was skipped, yet it renders to something else",
                        environment.name
                    ),
                );
                let hint = "this is a defect of hydrator, please report it; `run --full` renders everything";
                self.done.insert(key, Err(failure.hint(hint)));
            } else {
                let warning = format!("{name}: not deterministic: it renders differently each time");
                self.warnings.entry(environment.name.clone()).or_default().push(warning);
            }
        }
        Ok(())
    }

    /// Puts what is known of every environment's targets into the cache.
    pub fn remember(&self, cache: &mut Cache, narrowed: bool) {
        let configured = &self.request.project.environments;
        if !narrowed {
            cache.keep_only(&configured.iter().map(|environment| &environment.name).collect());
        }
        for environment in configured {
            let mut targets = BTreeMap::new();
            for (index, target) in environment.targets.iter().enumerate() {
                let key = (environment.name.clone(), index);
                let known = self.inputs.get(&key).and_then(|inputs| inputs.known.clone());
                if let (Some(Ok(output)), Some((fingerprint, parts))) = (self.done.get(&key), known) {
                    let stored = Stored { fingerprint, output: output.tree, manifests: output.count, parts };
                    targets.insert(target.output.to_string(), stored);
                }
            }
            if !targets.is_empty() {
                cache.set(environment.name.clone(), targets);
            }
        }
    }

    /// What a target's rendering depends on, as one id; `None` where two renderings are not sure to read the same.
    pub fn fingerprint(&self, environment: &Environment, index: usize) -> Result<Option<ObjectId>> {
        let key = (environment.name.clone(), index);
        environment.targets.get(index).map_or(Ok(None), |target| self.reading.fingerprint_of(&key, target))
    }

    /// The output of one target, or why it failed; `None` where it was not asked for.
    pub fn output(&self, environment: &Environment, index: usize) -> Option<Result<TargetOutput, Failure>> {
        let key = (environment.name.clone(), index);
        let target = environment.targets.get(index).filter(|_| !self.held.contains(&key))?;
        Some(match self.done.get(&key)? {
            Ok(output) if output.tree.is_none() && !may_be_empty(environment, target) => {
                Err(rendered_to_nothing(environment, target))
            }
            done => done.clone(),
        })
    }

    /// What a target rendered to although validators refuse it; `None` where they do not.
    pub fn refused(&self, environment: &Environment, index: usize) -> Option<&Refused> {
        self.refused.get(&(environment.name.clone(), index))
    }

    /// The outputs of an environment's targets, or what failed.
    pub fn outputs(&self, environment: &Environment) -> Result<BTreeMap<String, TargetOutput>, Failure> {
        let mut outputs = BTreeMap::new();
        let mut failures: Vec<Failure> = Vec::new();
        for (index, target) in environment.targets.iter().enumerate() {
            match self.output(environment, index) {
                Some(Ok(output)) => drop(outputs.insert(target.output.to_string(), output)),
                Some(Err(failure)) => failures.push(failure),
                None => {}
            }
        }
        join(failures).map_or(Ok(outputs), Err)
    }

    /// What the report says about an environment's targets.
    pub fn reports(&self, environment: &Environment) -> Vec<TargetReport> {
        let report = |(index, target): (usize, &Target)| {
            let key = (environment.name.clone(), index);
            let done = self.done.get(&key);
            let inputs = self.inputs.get(&key);
            TargetReport {
                name: target.name.clone(),
                output: target.output.to_string(),
                affected: !self.held.contains(&key)
                    && done.is_some()
                    && inputs.is_some_and(|inputs| inputs.hit.is_none()),
                reasons: if self.held.contains(&key) {
                    vec!["held".to_owned()]
                } else {
                    inputs.map(|inputs| inputs.reasons.clone()).unwrap_or_default()
                },
                rendered: self.rendered.contains(&key),
                error: done.and_then(|done| done.as_ref().err()).map(|failure| failure.message.clone()),
            }
        };
        environment.targets.iter().enumerate().map(report).collect()
    }

    /// What the renderers of an environment warned about.
    pub fn warnings(&self, environment: &Environment) -> Vec<String> {
        let mut warnings = self.warnings.get(&environment.name).cloned().unwrap_or_default();
        for (index, target) in environment.targets.iter().enumerate() {
            if let Some(Ok(output)) = self.done.get(&(environment.name.clone(), index)) {
                warnings.extend(output.warnings.iter().map(|warning| format!("{}: {warning}", target.name)));
            }
        }
        warnings
    }
}

fn write(
    objects: crate::git::Objects<'_>,
    layout: crate::model::Layout,
    rendered: Rendered,
) -> Result<Judged> {
    let mut output = write_target(objects, layout, &rendered.manifests)?;
    output.commands = rendered.commands;
    output.warnings = rendered.warnings;
    Ok((output, rendered.refused))
}

fn as_failure(error: &anyhow::Error) -> Failure {
    let kind = match kind_of(error) {
        FailureKind::Unexpected => FailureKind::Render,
        kind => kind,
    };
    Failure { hint: hint_of(error), ..Failure::new(kind, message_of(error)) }
}

const fn may_be_empty(environment: &Environment, target: &Target) -> bool {
    target.allow_empty || environment.allow_empty
}

fn rendered_to_nothing(environment: &Environment, target: &Target) -> Failure {
    let (name, source) = (&target.name, &target.source);
    Failure::render(format!(
        "target `{name}` of environment `{}` (`{source}`) renders to nothing",
        environment.name
    ))
    .hint("if that is meant, set `allowEmpty: true` for the target")
}

/// Several targets' failures as the environment's one.
fn join(failures: Vec<Failure>) -> Option<Failure> {
    let mut failures = failures.into_iter();
    let mut first = failures.next()?;
    for failure in failures {
        first.message.push('\n');
        first.message.push_str(&failure.message);
        first.kind = first.kind.max(failure.kind);
        first.hint = first.hint.or(failure.hint);
    }
    Some(first)
}
