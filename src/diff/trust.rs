//! What a pull request's own configuration may not bring along: programs, flags, variables, the network. Pure, but for
//! reading the DRY trees.
//!
//! A preview renders what anybody may propose, on a machine that has tokens. So the head is rendered with what the protected
//! branch's configuration allows, seen over the head's files: a new application under an old pattern is as good as the others.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::sides::Sides;
use crate::config;
use crate::error::Failure;
use crate::model::{ChartSource, DryEntry, DryTree, Environment, EnvironmentName, Project, Renderer, Target};

/// What the protected branch allows.
pub(super) enum Allowed {
    /// Everything: the configuration is the same, or somebody said so by hand.
    Everything,
    /// What this configuration says; nothing where there is none.
    As(Option<Box<Project>>),
}

impl Allowed {
    /// What may be done for the head.
    pub(super) fn of(sides: &Sides, config: &Utf8Path, trusts: bool) -> Result<Self> {
        if trusts {
            return Ok(Self::Everything);
        }
        let Some(agreed) = sides.agreed() else { return Ok(Self::As(None)) };
        let text = agreed.tree.read(config)?;
        if text == sides.head.tree.read(config)? {
            return Ok(Self::Everything);
        }
        let tree = Transplanted { tree: &sides.head.tree, config: config.to_owned(), text };
        // What the head removed may make that configuration wrong for it.
        let project = match config::load(&tree, config) {
            Ok(loaded) => loaded.project,
            Err(_) => agreed.loaded.project.clone(),
        };
        Ok(Self::As(Some(Box::new(project))))
    }

    /// Why a target of the head must not be rendered.
    pub(super) fn refusal(&self, environment: &Environment, target: &Target) -> Option<Failure> {
        let Self::As(project) = self else { return None };
        let like = project.as_ref().and_then(|project| like(project, &environment.name, target));
        let what = excess(like, target)?;
        let message = format!(
            "target `{}` of environment `{}` is not rendered: {what} is not in the DRY branch's configuration, and a pull \
             request cannot bring it along",
            target.name, environment.name
        );
        Some(Failure::config(message).hint(
            "update the branch if the DRY branch has changed this; else change the configuration in a pull request of its \
             own; who trusts this change can pass `--trust` by hand",
        ))
    }
}

/// The target of the agreed configuration with the same source, in this environment if it has it.
fn like<'p>(project: &'p Project, name: &EnvironmentName, target: &Target) -> Option<&'p Target> {
    let same =
        |other: &&Target| other.source == target.source && other.renderer.name() == target.renderer.name();
    let own = project.environment(name).and_then(|own| own.targets.iter().find(same));
    own.or_else(|| project.environments.iter().flat_map(|one| &one.targets).find(same))
}

/// What a target may not do that it wants to.
fn excess(allowed: Option<&Target>, target: &Target) -> Option<String> {
    let variables = allowed.map(|allowed| allowed.environment_variables.as_slice()).unwrap_or_default();
    if let Some(name) = target.environment_variables.iter().find(|name| !variables.contains(name)) {
        return Some(format!("the variable `{name}`"));
    }
    match (&target.renderer, allowed.map(|allowed| &allowed.renderer)) {
        (Renderer::Command(command), Some(Renderer::Command(allowed))) if command.argv == allowed.argv => {
            None
        }
        (Renderer::Command(_), _) => Some("its `command`".to_owned()),
        (Renderer::Kustomize(options), allowed) => {
            let allowed = allowed.and_then(|allowed| match allowed {
                Renderer::Kustomize(allowed) => Some(allowed),
                _ => None,
            });
            let flags = allowed.map(|allowed| allowed.build_options.as_slice()).unwrap_or_default();
            let more = options.build_options.iter().find(|flag| !flags.contains(flag));
            let remote = options.allow_remote && !allowed.is_some_and(|allowed| allowed.allow_remote);
            more.map(|flag| format!("the flag `{flag}`")).or(remote.then(|| "`allowRemote`".to_owned()))
        }
        (Renderer::Helm(options), allowed) => {
            let allowed = allowed.and_then(|allowed| match allowed {
                Renderer::Helm(allowed) => Some(allowed),
                _ => None,
            });
            if let ChartSource::Repository { url, chart, .. } = &options.chart {
                // Another version of the same chart is what most pull requests are about.
                let is_known = |allowed: &&crate::model::HelmOptions| {
                    matches!(&allowed.chart, ChartSource::Repository { url: known, chart: name, .. }
                        if known == url && name == chart)
                };
                return (!allowed.as_ref().is_some_and(is_known))
                    .then(|| format!("the chart `{chart}` of `{url}`"));
            }
            let remote = options.allow_remote && !allowed.is_some_and(|allowed| allowed.allow_remote);
            remote.then(|| "`allowRemote`".to_owned())
        }
        (Renderer::Template(_) | Renderer::Plain(_), _) => None,
    }
}

/// A tree with another configuration in it.
struct Transplanted<'t> {
    tree: &'t dyn DryTree,
    config: Utf8PathBuf,
    text: Option<Vec<u8>>,
}

impl DryTree for Transplanted<'_> {
    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<DryEntry>>> {
        self.tree.list(path)
    }

    fn entry(&self, path: &Utf8Path) -> Result<Option<DryEntry>> {
        self.tree.entry(path)
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>> {
        if path == self.config { Ok(self.text.clone()) } else { self.tree.read(path) }
    }
}
