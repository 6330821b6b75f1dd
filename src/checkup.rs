//! What a repository's settings will do to a run, found before the first one: for `hydrator check`.
//!
//! Does I/O through the forge; it reads only.

use anyhow::Result;
use camino::Utf8Path;

use crate::forge::Forge;
use crate::forge::diagnosis::{Finding, Ground, Grounds};
use crate::gate::PROMOTION;
use crate::git::RemoteRefs;
use crate::model::{DryTree, Project};

/// Where GitHub looks for workflows; GitLab is asked for its schedules.
const WORKFLOWS: &str = ".github/workflows";
/// What a workflow says that calls us.
const PROGRAM: &str = "hydrator";

/// Looks at the forge's settings for the branches of a configuration.
pub fn look(
    forge: &dyn Forge,
    project: &Project,
    refs: &RemoteRefs,
    tree: &dyn DryTree,
) -> Result<Vec<Finding>> {
    let grounds = (0..project.environments.len()).map(|at| ground(project, at, refs));
    let grounds =
        Grounds { environments: grounds.collect(), has_schedule: has_schedule(tree)?, gate: PROMOTION };
    forge.diagnose(&grounds)
}

fn ground(project: &Project, at: usize, refs: &RemoteRefs) -> Ground {
    let environment = &project.environments[at];
    Ground {
        environment: environment.name.clone(),
        active: environment.active.clone(),
        is_active_there: refs.branch(&environment.active).is_some(),
        proposed: environment.proposed.clone(),
        delivery: environment.delivery,
        auto_merge: environment.auto_merge,
        merge_method: environment.merge_method,
        labels: environment.pull_request.labels.clone(),
        is_gated: !project.predecessors(at).is_empty(),
    }
}

/// Whether a workflow of the DRY branch calls hydrator on a schedule. Read as text: a workflow that only mentions both
/// costs a warning that is left out, no more.
fn has_schedule(tree: &dyn DryTree) -> Result<bool> {
    let directory = Utf8Path::new(WORKFLOWS);
    for entry in tree.list(directory)?.unwrap_or_default() {
        let text = tree.read(&directory.join(&entry.name))?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let is_scheduled = text.lines().any(|line| line.trim_start().starts_with("schedule:"));
        if is_scheduled && text.contains(PROGRAM) {
            return Ok(true);
        }
    }
    Ok(false)
}
