//! Environments that left the configuration: their pull requests are closed, their branches kept and reported.
//!
//! [`find`] is pure; closing does I/O through the forge.

use std::collections::BTreeSet;

use crate::dry::Dry;
use crate::error::{FailureKind, message_of};
use crate::forge::Forge;
use crate::model::{
    BranchName, EnvironmentName, EnvironmentReport, ErrorReport, Operation, PullRequest,
    PullRequestOperation, PullRequestReport,
};
use crate::observe::Observation;
use crate::promote::environment_of;

/// An environment that the configuration does not have any more.
pub struct Orphan {
    /// What there is to report about it.
    pub report: EnvironmentReport,
    /// What became of it.
    why: String,
    open: Option<PullRequest>,
}

/// Finds proposed branches that follow the configuration's pattern, and open pull requests with our marker, whose
/// environment is not configured.
pub fn find(dry: &Dry, observation: &Observation) -> Vec<Orphan> {
    let project = &dry.loaded.project;
    let configured: BTreeSet<&BranchName> = project
        .environments
        .iter()
        .flat_map(|environment| [&environment.active, &environment.proposed])
        .collect();
    let names: BTreeSet<&str> =
        project.environments.iter().map(|environment| environment.name.as_str()).collect();
    let mut found: Vec<Orphan> = Vec::new();
    for request in &observation.pull_requests {
        let environment = environment_of(&request.body).filter(|name| !names.contains(name.as_str()));
        if let Some(name) = environment.filter(|_| !configured.contains(&request.head)) {
            let branches = (request.head.clone(), request.base.clone());
            found.push(orphan(dry, observation, &name, branches, Some(request.clone())));
        }
    }
    for (branch, _) in observation.refs.branches() {
        let Some((name, proposed)) = follows(&project.proposed_pattern, branch) else { continue };
        let active = BranchName::new(project.active_pattern.replace("{environment}", name));
        let Some(active) = active.ok().filter(|active| observation.refs.branch(active).is_some()) else {
            continue;
        };
        let known = configured.contains(&proposed)
            || names.contains(name)
            || found.iter().any(|orphan| orphan.report.proposed_branch == proposed);
        if !known {
            found.push(orphan(dry, observation, name, (proposed, active), None));
        }
    }
    found
}

/// The environment's name in a branch that follows the pattern.
fn follows<'a>(pattern: &str, branch: &'a str) -> Option<(&'a str, BranchName)> {
    let (before, after) = pattern.split_once("{environment}")?;
    let name = branch.strip_prefix(before)?.strip_suffix(after)?;
    let proposed = BranchName::new(branch).ok()?;
    (!name.is_empty() && !name.contains('/')).then_some((name, proposed))
}

fn orphan(
    dry: &Dry,
    observation: &Observation,
    name: &str,
    (proposed, active): (BranchName, BranchName),
    open: Option<PullRequest>,
) -> Orphan {
    let environments = &dry.loaded.project.environments;
    let successor = environments
        .iter()
        .find(|one| one.renamed_from.as_ref().is_some_and(|former| former.as_str() == name));
    let why = successor.map_or_else(
        || "left the configuration".to_owned(),
        |successor| format!("is called `{}` now", successor.name),
    );
    let closed = open.as_ref().map(|open| format!("#{} is closed, ", open.number)).unwrap_or_default();
    let report = EnvironmentReport {
        name: EnvironmentName::new(name),
        operation: Operation::Orphan,
        proposed_sha: observation.refs.branch(&proposed),
        active_sha: observation.refs.branch(&active),
        proposed_branch: proposed,
        active_branch: active,
        pull_request: open.as_ref().map(|open| open.outline().report(PullRequestOperation::None)),
        promotion: None,
        hold: None,
        targets: Vec::new(),
        error: None,
        dry_revert: None,
        note: Some(format!("{why}: {closed}its branches are kept")),
        warnings: Vec::new(),
    };
    Orphan { report, why, open }
}

impl Orphan {
    /// What closing would report.
    pub fn planned(mut self) -> EnvironmentReport {
        self.report.pull_request =
            self.open.as_ref().map(|open| open.outline().report(PullRequestOperation::Closed));
        self.report
    }

    /// Closes its pull request, if one is open, and reports.
    pub fn close(mut self, forge: &dyn Forge) -> EnvironmentReport {
        let Some(open) = &self.open else { return self.report };
        let comment = format!("Environment `{}` {}. Its branches are kept.", self.report.name, self.why);
        match forge.close(open.number, &comment) {
            Ok(()) => {
                self.report.pull_request = Some(PullRequestReport {
                    state: "closed".to_owned(),
                    ..open.outline().report(PullRequestOperation::Closed)
                });
            }
            Err(error) => {
                let message = message_of(&error);
                self.report.error = Some(ErrorReport { kind: FailureKind::Forge, message, hint: None });
            }
        }
        self.report
    }
}
