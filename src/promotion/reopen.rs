//! `--reopen`: a proposal whose pull request a person closed is offered again, as it was. Does I/O through the forge.

use anyhow::Result;

use crate::error::Failure;
use crate::forge::{NewPullRequest, PullRequestLook};
use crate::gate::HOLD_LABEL;
use crate::model::{Environment, EnvironmentName, Project, PullRequest};
use crate::observe::Seen;
use crate::plan;
use crate::world::World;

/// The names must be environments' names.
pub(super) fn check(project: &Project, names: &[EnvironmentName]) -> Result<(), Failure> {
    match names.iter().find(|name| project.environment(name).is_none()) {
        Some(name) => Err(Failure::usage(format!("the configuration has no environment `{name}`"))
            .hint("`hydrator check` shows those that it has")),
        None => Ok(()),
    }
}

/// A new pull request that says what the closed one said: forges do not open one again whose head was moved since.
pub(super) fn reopen(world: &World, environment: &Environment, seen: &Seen) -> Result<Option<PullRequest>> {
    let Some(closed) = seen.last.as_ref().filter(|_| plan::is_rejected(seen)) else { return Ok(None) };
    let look = PullRequestLook {
        title: closed.title.clone(),
        body: closed.body.clone(),
        // Whoever offers it again wants it merged.
        labels: closed
            .labels
            .iter()
            .filter(|label| !label.eq_ignore_ascii_case(HOLD_LABEL))
            .cloned()
            .collect(),
        reviewers: closed.reviewers.clone(),
        team_reviewers: closed.team_reviewers.clone(),
        assignees: closed.assignees.clone(),
        draft: closed.draft,
    };
    let wanted =
        NewPullRequest { head: environment.proposed.clone(), base: environment.active.clone(), look };
    world.forge.open(&wanted).map(Some)
}
