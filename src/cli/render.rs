//! `hydrator render`: environments rendered into a directory; no branch is read or written.

use std::fs;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;

use super::Surroundings;
use super::arguments::{EnvironmentsArgs, RenderingArgs, RepositoryArgs, SourceArgs};
use crate::error::{Failure, hint_of, message_of};
use crate::hydrate::layout;
use crate::rendering;

/// Arguments of `hydrator render`.
#[derive(Debug, Args)]
pub(super) struct RenderArgs {
    #[command(flatten)]
    repository: RepositoryArgs,
    #[command(flatten)]
    source: SourceArgs,
    #[command(flatten)]
    environments: EnvironmentsArgs,
    /// Where the manifests go: one directory per environment, below it one per target
    #[arg(long, short, value_name = "DIRECTORY")]
    output: Utf8PathBuf,
    #[command(flatten)]
    rendering: RenderingArgs,
}

/// Runs the command.
pub(super) fn run(args: &RenderArgs, surroundings: &mut Surroundings<'_>) -> Result<u8> {
    let source = args.source.load(&args.repository, surroundings)?;
    let project = &source.loaded.project;
    let environments = crate::run::select(project, &args.environments.names())?;
    let request = rendering::Request {
        tree: source.tree(),
        project,
        validators: &project.validators,
        secrets: &project.diff.secrets,
        variables: surroundings.variables,
        limits: args.rendering.limits(),
        stop: &surroundings.stop,
    };
    let mut failures = Vec::new();
    for environment in &environments {
        let rendered = rendering::render_to_memory(&request, environment, surroundings.progress.as_ref())?;
        for (target, manifests) in environment.targets.iter().zip(rendered) {
            let directory = args.output.join(environment.name.as_str()).join(&target.output);
            match manifests {
                Ok(manifests) => write(&directory, layout::files(project.layout, &manifests))?,
                Err(error) => failures.push(error),
            }
        }
    }
    joined(&failures).map_or(Ok(0), |failure| Err(failure.into()))
}

/// All failures as one; each names its environment and its target.
fn joined(failures: &[anyhow::Error]) -> Option<Failure> {
    let messages: Vec<String> = failures.iter().map(message_of).collect();
    let failure = Failure::render(messages.join("\n"));
    let hint = failures.iter().find_map(hint_of);
    (!failures.is_empty()).then_some(Failure { hint, ..failure })
}

fn write(directory: &Utf8Path, files: std::collections::BTreeMap<String, Vec<u8>>) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("cannot make the directory `{directory}`"))?;
    for (name, bytes) in files {
        let path = directory.join(name);
        fs::write(&path, bytes).with_context(|| format!("cannot write `{path}`"))?;
    }
    Ok(())
}
