//! The configuration of a DRY commit: `hydrator.yaml` from text to [`Project`], and everything that is wrong with it.
//!
//! Three steps, each with all its problems: the text becomes nodes with places (`parse`), the nodes are checked
//! against the JSON Schema of the raw structs (`structure`), and what is left of them is resolved (`resolve`).
//! Reads the DRY tree through [`DryTree`]; does no other I/O.

mod de;
mod describe;
mod freeze;
mod node;
mod parse;
mod pattern;
mod placeholders;
mod problem;
mod raw;
mod resolve;
mod structure;
mod suggest;
mod tree;
mod window;

use camino::Utf8Path;

pub use describe::describe;
pub use freeze::FrozenTime;
pub use problem::{Problem, Problems};
pub use resolve::{check_dry_branch, seconds};
pub use window::Window;

use crate::error::{Failure, Place};
use crate::model::{BranchName, DryTree, Project};
use node::Node;
use parse::SyntaxError;
use problem::Findings;
use raw::RawConfig;
use structure::Damage;

/// The version of the configuration's format.
const VERSION: i64 = 1;

/// A configuration without problems.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// What it means.
    pub project: Project,
    /// What works, but hardly as meant; sorted by position.
    pub warnings: Vec<Problem>,
}

/// Reads the configuration at `config_path` of `tree` and resolves it against the tree. The error is of the kind
/// `Config`; [`Problems`] can be found in it with `downcast_ref`.
pub fn load(tree: &dyn DryTree, config_path: &Utf8Path) -> anyhow::Result<Loaded> {
    let bytes = read(tree, config_path)?;
    let root = match parse::parse(&bytes) {
        Ok(root) => root,
        Err(error) => return Err(Problems(vec![syntax_problem(config_path, error)]).into_error()),
    };
    let mut findings = Findings::new(config_path);
    check_version(&root, &mut findings)?;
    let project = resolve_nodes(&root, tree, config_path, &mut findings)?;
    match (findings.finish(), project) {
        (Ok(warnings), Some(project)) => Ok(Loaded { project, warnings }),
        (Ok(_), None) => {
            Err(Failure::config(format!("`{config_path}` cannot be read as a configuration")).into())
        }
        (Err(problems), _) => Err(problems.into_error()),
    }
}

/// The `dryBranch` of a configuration that is otherwise broken or of another version, as far as it can be read.
pub fn dry_branch_of(tree: &dyn DryTree, config_path: &Utf8Path) -> anyhow::Result<Option<BranchName>> {
    let bytes = read(tree, config_path)?;
    let Ok(root) = parse::parse(&bytes) else { return Ok(None) };
    Ok(root.get("dryBranch").and_then(|node| BranchName::new(node.text()).ok()))
}

/// The JSON Schema of the configuration.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RawConfig).to_value()
}

fn read(tree: &dyn DryTree, config_path: &Utf8Path) -> anyhow::Result<Vec<u8>> {
    let bytes = tree.read(config_path)?.ok_or_else(|| {
        Failure::config(format!("there is no `{config_path}` in the DRY tree"))
            .hint("`--config` names another path")
    })?;
    Ok(bytes)
}

/// A file of another version is not read any further: what it says may be right there.
fn check_version(root: &Node, findings: &mut Findings) -> anyhow::Result<()> {
    let Some(node::Scalar::Integer(version)) = root.get("version").and_then(Node::scalar) else {
        return Ok(());
    };
    if version == VERSION {
        return Ok(());
    }
    let message = format!(
        "version {version} of the configuration is not known to this hydrator, which knows version {VERSION}"
    );
    findings.problem_with_hint(
        root.at("version"),
        message,
        "use another version of hydrator, or `version: 1`",
    );
    let findings = std::mem::replace(findings, Findings::new(Utf8Path::new("")));
    findings.finish().map(|_| ()).map_err(Problems::into_error)
}

fn syntax_problem(file: &Utf8Path, error: SyntaxError) -> Problem {
    let place = Place { file: file.to_owned(), line: error.line, column: error.column };
    Problem { place, message: error.message, hint: None }
}

/// Nothing when what is left of the structure makes no configuration.
fn resolve_nodes(
    root: &Node,
    tree: &dyn DryTree,
    config_path: &Utf8Path,
    findings: &mut Findings,
) -> anyhow::Result<Option<Project>> {
    let Some(rest) = structure::check(root, &schema(), findings) else { return Ok(None) };
    let damage = Damage::of(root, &rest);
    match de::from_node::<RawConfig>(&rest) {
        Ok(raw) => resolve::resolve(&raw, &rest, tree, resolve::Scope { config_path, damage, findings }),
        Err(error) => {
            let at = Node { line: error.line, column: error.column, kind: rest.kind.clone() };
            findings.problem(&at, error.message);
            Ok(None)
        }
    }
}
