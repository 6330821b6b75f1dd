//! What the commenter could not see yet: what came to an environment, or was offered to it, after the comment was written.
//!
//! Does I/O: it asks the forge, and git where the forge knows nothing.

use std::collections::BTreeSet;

use anyhow::Result;
use jiff::Timestamp;

use crate::forge::Forge;
use crate::git::RemoteRefs;
use crate::history::came;
use crate::model::{CommitId, Environment, PullRequest, PullRequestState};
use crate::world::World;

/// Why a rollback would undo or replace what was not there when it was asked for; nothing if all of it was. `newest` is the
/// newest pull request in any state.
pub(super) fn news(
    world: &World,
    asked: Timestamp,
    (environment, newest): (&Environment, Option<&PullRequest>),
    refs: &RemoteRefs,
) -> Result<Option<String>> {
    let name = &environment.name;
    let merged = newest.and_then(|newest| newest.merged_at);
    let tip = refs.branch(&environment.active);
    let active = tip.map(|tip| since(world, environment, tip)).transpose()?.flatten();
    if merged.max(active).is_some_and(|time| time > asked) {
        return Ok(Some(format!("{name} was promoted after this was written: look again")));
    }
    let Some(open) = newest.filter(|newest| newest.state == PullRequestState::Open) else { return Ok(None) };
    let head = world.forge.head_since(open.number)?;
    Ok(head.filter(|(_, since)| *since > asked).map(|_| changed(environment, open.number)))
}

/// The head of an open pull request, if it was there when the comment was written; else why nothing is done about it.
pub(super) fn head(
    forge: &dyn Forge,
    asked: Timestamp,
    (environment, number): (&Environment, u64),
) -> Result<std::result::Result<CommitId, String>> {
    Ok(match forge.head_since(number)? {
        None => Err(format!(
            "somebody else pushed to the branch of #{number}, and this forge does not tell when: look at it, and do it there"
        )),
        Some((_, since)) if since > asked => Err(changed(environment, number)),
        Some((head, _)) => Ok(head),
    })
}

/// That a proposal is another one than the commenter saw.
pub(super) fn changed(environment: &Environment, number: u64) -> String {
    let name = &environment.name;
    format!("what #{number} offers to {name} was changed after this was written: look again")
}

/// Since when the environment is where it is: by the forge, else by the commit, which may say too little of a push.
fn since(world: &World, environment: &Environment, tip: CommitId) -> Result<Option<Timestamp>> {
    let told = world.forge.landings(&[tip])?.remove(&tip);
    if let Some(time) = told.and_then(|landing| came(environment, &landing)) {
        return Ok(Some(time));
    }
    let scratch = &world.repository.scratch;
    if !scratch.objects().has(tip) {
        scratch.fetch_tips(&BTreeSet::from([tip]))?;
    }
    Ok(Timestamp::from_second(scratch.objects().commit(tip)?.committed.seconds).ok())
}
