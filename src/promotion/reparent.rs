//! Proposals whose active branch moved on: the same content on the new tip. Does I/O on the scratch repository, and
//! pushes.

use anyhow::Result;

use super::post::close_old;
use crate::commit::{Base, Hydration};
use crate::dry::Dry;
use crate::git::{RefUpdate, RemoteRefs};
use crate::hydrate::Terms;
use crate::model::{CommitId, Environment};
use crate::observe::Seen;
use crate::plan::{self, Permissions, Standing};
use crate::planned::publisher;
use crate::publish::Change;
use crate::world::World;

/// What became of a proposal.
pub(super) enum Reparented {
    /// It stands where it should.
    No,
    /// It has another commit now.
    To(CommitId),
    /// Another writer was faster.
    Lost,
}

/// Puts the proposal onto the active tip where it is not.
pub(super) fn reparent(
    world: &World,
    dry: &Dry,
    (environment, seen): (&Environment, &Seen),
    refs: &mut RemoteRefs,
) -> Result<Reparented> {
    let (Some(active), Some(proposed), Some(noted)) = (&seen.active, plan::offer(seen), seen.processed)
    else {
        return Ok(Reparented::No);
    };
    let standing = plan::standing(environment, seen, world.config.as_str(), Permissions::default());
    let is_ours = matches!(standing, Ok(Standing::Pending | Standing::Frozen)) && proposed.intact;
    if !is_ours || plan::is_rejected(seen) || plan::sits_on_active(seen) {
        return Ok(Reparented::No);
    }
    let scratch = &world.repository.scratch;
    let hydration = Hydration {
        objects: scratch.objects(),
        dry: &dry.commit,
        repo_url: &world.repository.web_url(),
        config: world.config.as_str(),
        settings: &dry.loaded.project.commit,
    };
    let terms = Terms::default();
    let base = Base { parent: active.commit.id, seen, adopts: false, terms: &terms };
    let new = hydration.reparent(&base, proposed)?;
    let forge = world.forge.as_ref();
    close_old(forge.statuses(&[new])?, forge)?;
    let updates = vec![
        RefUpdate { name: environment.proposed.full(), expected: Some(proposed.commit.id), new: Some(new) },
        RefUpdate {
            name: environment.active.full(),
            expected: Some(active.commit.id),
            new: Some(active.commit.id),
        },
    ];
    // The note goes on saying what the environment has processed, which may be less than the DRY branch's tip.
    let change = Change { environment, updates, noted: Some(new), processed: Some(noted), withdrawn: false };
    let mut pushed = publisher(world, dry).publish(&[change], refs, None)?;
    if pushed.moved {
        return Ok(Reparented::Lost);
    }
    if let Some(failure) = pushed.refused.remove(&environment.name) {
        return Err(failure.into());
    }
    *refs = pushed.refs;
    Ok(Reparented::To(new))
}
