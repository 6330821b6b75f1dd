//! Renders targets: from a resolved target and the DRY tree to manifests. I/O.
//!
//! Renderers that are outside programs work on an export of what they read (`export`), run by `exec` alone. Their
//! stdout, or the files of the built-in renderers, is split into documents whose text is never changed (`split`).

mod chart;
pub mod closure;
mod command;
mod confidential;
mod content;
mod exec;
mod export;
mod files;
mod helm;
mod identity;
mod job;
mod kustomize;
mod list;
mod paths;
mod plain;
mod programs;
mod refusal;
mod secret;
mod split;
mod talk;
mod template;
mod tools;
mod unique;
mod validate;
mod values;
mod version;
mod yaml;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Failure, FailureKind};
use crate::model::{DryTree, EnvironmentName, Manifest, Renderer, SecretRule, Target};

pub use job::REMOTE_VARIABLES;
pub use refusal::{Complaint, Refusal};
pub use secret::{SecretOutline, outline};
pub use template::{TemplateEngine, TemplateProblem};
pub use tools::Toolbox;

/// The manifests of a stream; `None` if it holds anything else.
pub fn manifests(stream: &[u8]) -> Option<Vec<Manifest>> {
    split::manifests(stream).ok()
}

/// The one document of YAML that people wrote, as a value; `None` if it cannot be read.
pub fn value(text: &str) -> Option<serde_json::Value> {
    yaml::parse(text).ok()
}

/// How rendering is done.
#[derive(Clone, Copy, Debug)]
pub struct RenderOptions {
    /// How many targets are rendered at the same time; more than there are processors gains nothing.
    pub workers: usize,
    /// How long one program may take.
    pub time_limit: Duration,
    /// How many bytes one program may write.
    pub output_limit: u64,
}

impl Default for RenderOptions {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        Self { workers, time_limit: Duration::from_secs(300), output_limit: 64 * 1024 * 1024 }
    }
}

/// One target to render.
#[derive(Clone, Copy, Debug)]
pub struct RenderJob<'a> {
    /// The environment that it is for.
    pub environment: &'a EnvironmentName,
    /// The target.
    pub target: &'a Target,
    /// The paths (files or directories) that an outside program gets to see, when the caller knows them; else they are
    /// found here. The renderers `helm`, `template` and `plain` always find their own.
    pub inputs: Option<&'a [Utf8PathBuf]>,
}

/// What a target renders to.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// Its manifests, in the renderer's order; may be none.
    pub manifests: Vec<Manifest>,
    /// What the renderer complained about although it succeeded; one line each.
    pub warnings: Vec<String>,
    /// The commands that do the same at the root of the DRY branch, without values and secrets; none for the built-in
    /// renderers.
    pub commands: Vec<String>,
    /// The program and its version, such as `kustomize 5.8.1`; `None` for the built-in renderers and for commands.
    pub version: Option<String>,
    /// What validators have against it; then it must not be hydrated.
    pub refused: Option<Refusal>,
    /// How long it took.
    pub duration: Duration,
}

/// What rendering works with, for one run and one DRY commit.
pub struct RenderSetup<'a> {
    /// The outside programs.
    pub toolbox: &'a Toolbox,
    /// What is rendered.
    pub tree: &'a dyn DryTree,
    /// A private directory that exists and is empty, by its canonical path (programs print that one, and it is taken
    /// out of their messages); the caller removes it after the run.
    pub scratch: &'a Utf8Path,
    /// Variables of the caller's environment. Programs see only [`REMOTE_VARIABLES`] (when they may use the network)
    /// and those that their target names.
    pub variables: &'a BTreeMap<String, String>,
    /// Fills in templates.
    pub templates: &'a dyn TemplateEngine,
    /// Ends every program and starts no other once it is set.
    pub cancel: &'a AtomicBool,
    /// Limits.
    pub options: RenderOptions,
}

/// The renderers of one run.
pub struct Renderers<'a> {
    setup: RenderSetup<'a>,
    charts: helm::Charts,
    scratches: AtomicUsize,
    validators: &'a [Vec<String>],
    secrets: &'a [SecretRule],
}

impl<'a> Renderers<'a> {
    /// Makes the renderers of one run; nothing is started.
    pub fn new(setup: RenderSetup<'a>) -> Self {
        let (charts, scratches) = (helm::Charts::default(), AtomicUsize::new(0));
        Self { setup, charts, scratches, validators: &[], secrets: &[] }
    }

    /// The same, with programs that look at every target's manifests, and may refuse it.
    #[must_use]
    pub const fn validated_by(mut self, validators: &'a [Vec<String>]) -> Self {
        self.validators = validators;
        self
    }

    /// The same, with fields that are as secret as the values of Secrets: no validator gets to say them to anybody.
    #[must_use]
    pub const fn hiding(mut self, secrets: &'a [SecretRule]) -> Self {
        self.secrets = secrets;
        self
    }

    /// Renders every job, several at the same time. `on_done` gets each result with the job's index as soon as there is
    /// one, on the thread that made it, in no fixed order: it keeps what it needs, so that memory does not grow with
    /// the number of jobs.
    pub fn render_all(
        &self,
        jobs: &[RenderJob<'_>],
        on_done: &(dyn Fn(usize, anyhow::Result<Rendered>) + Sync),
    ) {
        let next = AtomicUsize::new(0);
        let work = || {
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(job) = jobs.get(index) else { break };
                on_done(index, self.render(job));
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..self.setup.options.workers.min(jobs.len()) {
                scope.spawn(work);
            }
            work();
        });
    }

    /// Renders one job. An error names the environment and the target.
    pub fn render(&self, job: &RenderJob<'_>) -> anyhow::Result<Rendered> {
        // A defect in one target's rendering must not take the other environments with it.
        let rendered = catch_unwind(AssertUnwindSafe(|| self.render_now(job)));
        let rendered = rendered.unwrap_or_else(|_| {
            Err(Failure::new(FailureKind::Unexpected, "the renderer panicked; this is a defect of hydrator")
                .into())
        });
        let what =
            || format!("cannot render target `{}` of environment `{}`", job.target.name, job.environment);
        let mut rendered = rendered.with_context(what)?;
        if let Some(refused) = &mut rendered.refused {
            refused.failure.message = format!("{}: {}", what(), refused.failure.message);
        }
        Ok(rendered)
    }

    fn render_now(&self, job: &RenderJob<'_>) -> anyhow::Result<Rendered> {
        if self.setup.cancel.load(Ordering::Relaxed) {
            return Err(Failure::new(FailureKind::Unexpected, "the run was interrupted").into());
        }
        let started = Instant::now();
        let output = self.output(job)?;
        let manifests = unique::manifests(output.streams)?;
        let refused = self.validate(job, &manifests)?;
        let (warnings, commands, version) = (output.warnings, output.commands, output.version);
        Ok(Rendered { manifests, warnings, commands, version, refused, duration: started.elapsed() })
    }

    fn output(&self, job: &RenderJob<'_>) -> anyhow::Result<job::Output> {
        match &job.target.renderer {
            Renderer::Template(options) => self.template(job.target, options),
            Renderer::Plain(options) => self.plain(job.target, options),
            Renderer::Kustomize(options) => self.kustomize(job, options, &self.new_scratch("job")?),
            Renderer::Helm(options) => self.helm(job, options, &self.new_scratch("job")?),
            Renderer::Command(options) => self.command(job, options, &self.new_scratch("job")?),
        }
    }

    /// A directory of its own, removed when it is dropped.
    fn new_scratch(&self, prefix: &str) -> anyhow::Result<job::Scratch> {
        let number = self.scratches.fetch_add(1, Ordering::Relaxed);
        job::Scratch::new(self.setup.scratch.join(format!("{prefix}-{number}")))
    }
}
