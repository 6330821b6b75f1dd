//! `--reopen`: a proposal whose pull request a person closed is offered again, as it was. Does I/O through the forge.

use anyhow::Result;

use super::post;
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
    if !plan::is_rejected(seen) {
        return Ok(None);
    }
    let newest = world.forge.newest_pull_request(&environment.proposed, &environment.active)?;
    // Somebody may have been faster.
    let is_as_seen = |one: &PullRequest| seen.last.as_ref().is_some_and(|last| *last == one.outline());
    let Some(closed) = newest.filter(is_as_seen) else { return Ok(None) };
    // It was looked at last before it was closed, and is offered as soon as it is open. What its gate says is found out then.
    post::close_old(world.forge.statuses(&[closed.head_sha])?, world.forge.as_ref())?;
    let look = PullRequestLook {
        title: closed.title,
        body: closed.body,
        // Whoever offers it again wants it merged.
        labels: closed.labels.into_iter().filter(|label| !label.eq_ignore_ascii_case(HOLD_LABEL)).collect(),
        reviewers: closed.reviewers,
        team_reviewers: closed.team_reviewers,
        assignees: closed.assignees,
        draft: closed.draft,
    };
    let wanted =
        NewPullRequest { head: environment.proposed.clone(), base: environment.active.clone(), look };
    world.forge.open(&wanted).map(Some)
}
