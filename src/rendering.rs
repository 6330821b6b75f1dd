//! Stage 5, render: which targets are rendered, each once, and their manifests into the object database as they come.
//!
//! Does I/O: it starts renderers and writes objects to the scratch repository. Manifests are dropped once written, so
//! that memory does not grow with the number of targets.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use tempfile::TempDir;

use crate::branch::Tip;
use crate::cache::{Cache, CachedTarget};
use crate::commit::{TargetOutput, write_target};
use crate::dry::Dry;
use crate::error::{Failure, FailureKind, hint_of, kind_of, message_of};
use crate::git::SharedObjects;
use crate::model::{
    DryTree, Environment, EnvironmentName, Manifest, ObjectId, Project, Target, TargetReport,
};
use crate::render::{RenderJob, RenderOptions, RenderSetup, Rendered, Renderers, Toolbox};
use crate::template::Engine;
use crate::variables::Variables;
use crate::world::World;

/// Limits of rendering, as the user set them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// How many targets at the same time; `None` for one per processor.
    pub workers: Option<usize>,
    /// How long one program may take; zero for the default.
    pub time_limit: Duration,
    /// How many bytes one program may print; zero for the default.
    pub output_limit: u64,
}

/// What is rendered, and with what.
pub struct Request<'a> {
    /// The DRY tree.
    pub tree: &'a dyn DryTree,
    /// Its configuration.
    pub project: &'a Project,
    /// The process's variables.
    pub variables: &'a Variables,
    /// Limits.
    pub limits: Limits,
    /// Raised by a signal.
    pub stop: &'a AtomicBool,
}

/// A target's place: its environment's name and its index there.
type Key = (EnvironmentName, usize);

/// The rendering of one run: every target at most once, however often the run observes and decides again.
pub struct Rendering<'a> {
    request: Request<'a>,
    objects: SharedObjects,
    done: BTreeMap<Key, Result<TargetOutput, Failure>>,
    fingerprints: BTreeMap<Key, String>,
}

impl<'a> Rendering<'a> {
    /// Prepares the rendering of a DRY commit; nothing is started.
    pub fn new(world: &'a World, dry: &'a Dry, limits: Limits) -> Result<Self> {
        let project = &dry.loaded.project;
        let request =
            Request { tree: &dry.tree, project, variables: &world.variables, limits, stop: &world.stop };
        Ok(Self {
            request,
            objects: SharedObjects::open(&world.repository.scratch)?,
            done: BTreeMap::new(),
            fingerprints: BTreeMap::new(),
        })
    }

    /// Where the manifests are written.
    pub const fn objects(&self) -> &SharedObjects {
        &self.objects
    }

    /// Renders all targets of these environments that have not been rendered yet.
    pub fn render(&mut self, environments: &[&Environment], talk: &(dyn Fn(&str) + Sync)) -> Result<()> {
        let keys: Vec<(Key, &Environment)> = environments
            .iter()
            .flat_map(|environment| {
                (0..environment.targets.len()).map(|index| ((environment.name.clone(), index), *environment))
            })
            .filter(|(key, _)| !self.done.contains_key(key))
            .collect();
        let jobs: Vec<RenderJob<'_>> =
            keys.iter().map(|((_, index), environment)| job(environment, *index)).collect();
        let layout = self.request.project.layout;
        let results: Vec<Mutex<Option<Result<TargetOutput, Failure>>>> =
            jobs.iter().map(|_| Mutex::new(None)).collect();
        let finished = AtomicUsize::new(0);
        render_jobs(&self.request, &jobs, &|index, rendered| {
            let written =
                rendered.and_then(|rendered| self.objects.with(|objects| write(objects, layout, rendered)));
            let job = &jobs[index];
            let count = finished.fetch_add(1, Ordering::Relaxed) + 1;
            say(talk, (count, jobs.len()), job, written.is_ok());
            *results[index].lock().unwrap_or_else(PoisonError::into_inner) =
                Some(written.map_err(|error| as_failure(&error)));
        })?;
        for ((key, _), result) in keys.into_iter().zip(results) {
            let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
            let missing = || Err(Failure::new(FailureKind::Unexpected, "a target was not rendered"));
            self.done.insert(key, result.unwrap_or_else(missing));
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
                if let (Some(Ok(output)), Some(fingerprint)) =
                    (self.done.get(&key), self.fingerprints.get(&key))
                {
                    let cached = CachedTarget {
                        fingerprint: fingerprint.clone(),
                        tree: output.tree,
                        manifests: output.count,
                    };
                    targets.insert(target.output.to_string(), cached);
                }
            }
            if !targets.is_empty() {
                cache.set(environment.name.clone(), targets);
            }
        }
    }

    /// The outputs of an environment's targets, or what failed.
    pub fn outputs(&self, environment: &Environment) -> Result<BTreeMap<String, TargetOutput>, Failure> {
        let mut outputs = BTreeMap::new();
        let mut failures: Vec<Failure> = Vec::new();
        for (index, target) in environment.targets.iter().enumerate() {
            match self.done.get(&(environment.name.clone(), index)) {
                Some(Ok(output))
                    if output.tree.is_none() && !(target.allow_empty || environment.allow_empty) =>
                {
                    failures.push(rendered_to_nothing(environment, target));
                }
                Some(Ok(output)) => {
                    outputs.insert(target.output.to_string(), output.clone());
                }
                Some(Err(failure)) => failures.push(failure.clone()),
                None => {}
            }
        }
        join(failures).map_or(Ok(outputs), Err)
    }

    /// What the report says about an environment's targets.
    pub fn reports(&self, environment: &Environment, current: Option<&Tip>) -> Vec<TargetReport> {
        let report = |(index, target): (usize, &Target)| {
            let done = self.done.get(&(environment.name.clone(), index));
            let before = current.and_then(|current| current.content.get(target.output.as_str())).copied();
            let now = done.and_then(|done| done.as_ref().ok()).map(|output| output.tree);
            TargetReport {
                name: target.name.clone(),
                output: target.output.to_string(),
                affected: now.is_some_and(|now| now != before),
                reasons: now.and_then(|now| reason(before, now)).map(str::to_owned).into_iter().collect(),
                rendered: now.is_some(),
                error: done.and_then(|done| done.as_ref().err()).map(|failure| failure.message.clone()),
            }
        };
        environment.targets.iter().enumerate().map(report).collect()
    }

    /// What the renderers of an environment warned about.
    pub fn warnings(&self, environment: &Environment) -> Vec<String> {
        let mut warnings = Vec::new();
        for (index, target) in environment.targets.iter().enumerate() {
            if let Some(Ok(output)) = self.done.get(&(environment.name.clone(), index)) {
                warnings.extend(output.warnings.iter().map(|warning| format!("{}: {warning}", target.name)));
            }
        }
        warnings
    }
}

/// Renders one environment without a repository: each target's manifests, in the order of its targets.
pub fn render_to_memory(
    request: &Request<'_>,
    environment: &Environment,
    talk: &(dyn Fn(&str) + Sync),
) -> Result<Vec<Result<Vec<Manifest>>>> {
    let jobs: Vec<RenderJob<'_>> =
        (0..environment.targets.len()).map(|index| job(environment, index)).collect();
    let results: Vec<Mutex<Option<Result<Vec<Manifest>>>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let finished = AtomicUsize::new(0);
    render_jobs(request, &jobs, &|index, rendered| {
        let count = finished.fetch_add(1, Ordering::Relaxed) + 1;
        say(talk, (count, jobs.len()), &jobs[index], rendered.is_ok());
        for warning in rendered.iter().flat_map(|rendered| &rendered.warnings) {
            talk(&format!("warning: {}: {warning}", jobs[index].target.name));
        }
        *results[index].lock().unwrap_or_else(PoisonError::into_inner) =
            Some(rendered.map(|rendered| rendered.manifests));
    })?;
    let take = |result: Mutex<Option<Result<Vec<Manifest>>>>| {
        let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        result.unwrap_or_else(|| Err(anyhow::anyhow!("a target was not rendered")))
    };
    Ok(results.into_iter().map(take).collect())
}

fn job(environment: &Environment, index: usize) -> RenderJob<'_> {
    RenderJob { environment: &environment.name, target: &environment.targets[index], inputs: None }
}

fn render_jobs(
    request: &Request<'_>,
    jobs: &[RenderJob<'_>],
    on_done: &(dyn Fn(usize, Result<Rendered>) + Sync),
) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let scratch: TempDir = tempfile::Builder::new()
        .prefix("hydrator-render-")
        .tempdir()
        .context("cannot make a scratch directory")?;
    let path = Utf8Path::from_path(scratch.path()).context("the temporary directory's path is not UTF-8")?;
    let toolbox =
        Toolbox::discover(request.variables.get("PATH").unwrap_or_default()).require(&request.project.tools);
    let variables =
        request.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let templates = Engine::default();
    let setup = RenderSetup {
        toolbox: &toolbox,
        tree: request.tree,
        scratch: path,
        variables: &variables,
        templates: &templates,
        cancel: request.stop,
        options: options(request.limits),
    };
    Renderers::new(setup).render_all(jobs, on_done);
    Ok(())
}

fn options(limits: Limits) -> RenderOptions {
    let standard = RenderOptions::default();
    RenderOptions {
        workers: limits.workers.filter(|workers| *workers > 0).unwrap_or(standard.workers),
        time_limit: if limits.time_limit.is_zero() { standard.time_limit } else { limits.time_limit },
        output_limit: if limits.output_limit == 0 { standard.output_limit } else { limits.output_limit },
    }
}

fn write(
    objects: crate::git::Objects<'_>,
    layout: crate::model::Layout,
    rendered: Rendered,
) -> Result<TargetOutput> {
    let mut output = write_target(objects, layout, &rendered.manifests)?;
    output.commands = rendered.commands;
    output.warnings = rendered.warnings;
    Ok(output)
}

fn say(talk: &(dyn Fn(&str) + Sync), count: (usize, usize), job: &RenderJob<'_>, good: bool) {
    let verb = if good { "rendered" } else { "failed" };
    talk(&format!("[{}/{}] {verb} {} of {}", count.0, count.1, job.target.name, job.environment));
}

fn reason(before: Option<ObjectId>, now: Option<ObjectId>) -> Option<&'static str> {
    match (before, now) {
        (None, Some(_)) => Some("first time"),
        (Some(_), None) => Some("renders to nothing now"),
        (Some(before), Some(now)) if before != now => Some("renders differently"),
        _ => None,
    }
}

fn as_failure(error: &anyhow::Error) -> Failure {
    let kind = match kind_of(error) {
        FailureKind::Unexpected => FailureKind::Render,
        kind => kind,
    };
    Failure { kind, message: message_of(error), hint: hint_of(error), place: None }
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
