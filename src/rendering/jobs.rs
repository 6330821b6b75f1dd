//! Jobs for the renderers: what they are given, and their results as they come.
//!
//! Does I/O: it makes a scratch directory and starts renderers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use tempfile::TempDir;

use super::{may_be_empty, rendered_to_nothing};
use crate::git::Scratch;
use crate::model::{DryTree, Environment, Manifest, Project, SecretRule};
use crate::progress::{FinishedTarget, Progress};
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

/// Where rendering happens.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// Where manifests are written.
    pub scratch: &'a Scratch,
    /// The process's variables.
    pub variables: &'a Variables,
    /// Raised by a signal.
    pub stop: &'a AtomicBool,
}

impl<'a> Ground<'a> {
    /// That of a run.
    pub fn of(world: &'a World) -> Self {
        Self { scratch: &world.repository.scratch, variables: &world.variables, stop: &world.stop }
    }
}

/// What is rendered, and with what.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The DRY tree.
    pub tree: &'a dyn DryTree,
    /// Its configuration.
    pub project: &'a Project,
    /// Programs that look at what each target renders to.
    pub validators: &'a [Vec<String>],
    /// Fields that are as secret as the values of Secrets.
    pub secrets: &'a [SecretRule],
    /// The process's variables.
    pub variables: &'a Variables,
    /// Limits.
    pub limits: Limits,
    /// Raised by a signal.
    pub stop: &'a AtomicBool,
}

/// Renders one environment without a repository: each target's manifests, in the order of its targets.
pub fn render_to_memory(
    request: &Request<'_>,
    environment: &Environment,
    progress: &dyn Progress,
) -> Result<Vec<Result<Vec<Manifest>>>> {
    let jobs: Vec<RenderJob<'_>> =
        (0..environment.targets.len()).map(|index| job(environment, index)).collect();
    let results: Vec<Mutex<Option<Result<Vec<Manifest>>>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let finished = AtomicUsize::new(0);
    render_jobs(request, &toolbox(request), &jobs, &|index, rendered| {
        let rendered = rendered.and_then(|mut rendered| match rendered.refused.take() {
            Some(refused) => Err(refused.failure.into()),
            None => Ok(rendered),
        });
        let count = finished.fetch_add(1, Ordering::Relaxed) + 1;
        let took = rendered.as_ref().ok().map(|rendered| rendered.duration);
        tell(progress, (count, jobs.len()), &jobs[index], took);
        for warning in rendered.iter().flat_map(|rendered| &rendered.warnings) {
            progress.say(&format!("warning: {}: {warning}", jobs[index].target.name));
        }
        *results[index].lock().unwrap_or_else(PoisonError::into_inner) =
            Some(rendered.map(|rendered| rendered.manifests));
    })?;
    let take = |(index, result): (usize, Mutex<Option<Result<Vec<Manifest>>>>)| {
        let result = result.into_inner().unwrap_or_else(PoisonError::into_inner);
        let manifests = result.unwrap_or_else(|| Err(anyhow::anyhow!("a target was not rendered")))?;
        let target = &environment.targets[index];
        if manifests.is_empty() && !may_be_empty(environment, target) {
            return Err(rendered_to_nothing(environment, target).into());
        }
        Ok(manifests)
    };
    Ok(results.into_iter().enumerate().map(take).collect())
}

pub(super) fn job(environment: &Environment, index: usize) -> RenderJob<'_> {
    RenderJob { environment: &environment.name, target: &environment.targets[index], inputs: None }
}

pub(super) fn toolbox(request: &Request<'_>) -> Toolbox {
    Toolbox::discover(request.variables.get("PATH").unwrap_or_default()).require(&request.project.tools)
}

pub(super) fn render_jobs(
    request: &Request<'_>,
    toolbox: &Toolbox,
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
    let variables =
        request.variables.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let templates = Engine;
    let setup = RenderSetup {
        toolbox,
        tree: request.tree,
        scratch: path,
        variables: &variables,
        templates: &templates,
        cancel: request.stop,
        options: options(request.limits),
    };
    let renderers = Renderers::new(setup).validated_by(request.validators).hiding(request.secrets);
    renderers.render_all(jobs, on_done);
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

pub(super) fn tell(
    progress: &dyn Progress,
    (finished, total): (usize, usize),
    job: &RenderJob<'_>,
    took: Option<Duration>,
) {
    let (environment, target) = (job.environment, job.target.name.as_str());
    progress.finished(FinishedTarget { environment, target, took, finished, total });
}
