//! What the configuration means: raw structs to [`Project`], with every problem of meaning at its node.
//!
//! Reads the DRY tree through [`TreeReader`]; an error (not a problem) means that the tree could not be read.

mod branches;
mod detect;
mod diff;
mod draft;
mod environments;
mod helm;
mod kustomize;
mod options;
mod order;
mod outputs;
mod paths;
mod settings;
mod targets;
mod texts;
mod unit;

use camino::Utf8Path;

pub use branches::check_dry_branch;
pub use environments::seconds;

use super::node::Node;
use super::problem::Findings;
use super::raw::RawConfig;
use super::structure::Damage;
use super::tree::TreeReader;
use crate::model::{DryTree, Environment, Project};

/// What resolving needs besides the configuration.
pub(super) struct Scope<'a> {
    /// The configuration's path in the DRY tree.
    pub(super) config_path: &'a Utf8Path,
    /// Which wrong parts were left out.
    pub(super) damage: Damage,
    /// Where problems go.
    pub(super) findings: &'a mut Findings,
}

/// Resolves `raw`, which is what `node` says. Nothing if there are problems that leave no project.
pub(super) fn resolve(
    raw: &RawConfig,
    node: &Node,
    tree: &dyn DryTree,
    scope: Scope<'_>,
) -> anyhow::Result<Option<Project>> {
    let findings = scope.findings;
    let mut project = settings::project(raw, node, scope.config_path, findings);
    let mut drafts = environments::drafts(raw, node, findings);
    branches::check(project.dry_branch.as_ref(), &drafts, node, findings);
    order::check(&drafts, project.order, &scope.damage, findings);
    let reader = TreeReader::new(tree);
    targets::Resolver { raw, node, tree: &reader, damage: &scope.damage, findings }.resolve(&mut drafts)?;
    texts::check(raw, node, &drafts, findings);
    let environments: Option<Vec<Environment>> = drafts.into_iter().map(|draft| draft.finish(raw)).collect();
    Ok(environments.map(|environments| {
        project.environments = environments;
        project
    }))
}
