//! The configuration that gates go by: that of the DRY branch's tip, also in a run for an older DRY commit. A freeze
//! that was added since counts at once.
//!
//! Does I/O: it may fetch the tip.

use crate::dry::{self, Dry, Wanted};
use crate::gate::Verdict;
use crate::git::RemoteRefs;
use crate::model::{CommitId, Environment};
use crate::world::World;

/// What the DRY branch's tip is to a run.
pub(super) enum Newest {
    /// The run's own DRY commit.
    Own,
    /// Another one.
    Other(Box<Dry>),
    /// Another one, whose configuration cannot be read.
    Unreadable(CommitId),
}

impl Newest {
    pub(super) fn find(world: &World, dry: &Dry, refs: &RemoteRefs) -> Self {
        let Some(tip) = refs.branch(&dry.branch).filter(|tip| *tip != dry.commit.id) else {
            return Self::Own;
        };
        // The run for that commit says what is wrong with it.
        dry::load(&world.repository.scratch, refs, Wanted::Commit(tip), &world.config)
            .map_or(Self::Unreadable(tip), |newest| Self::Other(Box::new(newest)))
    }

    /// The DRY commit whose configuration counts, as far as it can be read.
    pub(super) fn rules<'a>(&'a self, own: &'a Dry) -> &'a Dry {
        match self {
            Self::Other(newest) => newest,
            Self::Own | Self::Unreadable(_) => own,
        }
    }

    /// What is against a proposal that the rules would let through, given its environment as the run knows it.
    pub(super) fn objection(&self, own: &Environment) -> Option<Verdict> {
        let what = match self {
            Self::Own => return None,
            Self::Unreadable(tip) => format!("the configuration of {} cannot be read", tip.short()),
            Self::Other(newest) => {
                let tip = newest.commit.id.short();
                let now = newest.loaded.project.environment(&own.name);
                match now.map(|now| (now.delivery == own.delivery, now.active == own.active)) {
                    None => format!("{} left the configuration with {tip}", own.name),
                    Some((true, true)) => return None,
                    Some(_) => format!("{} is delivered in another way since {tip}", own.name),
                }
            }
        };
        Some(Verdict::Waits(what))
    }
}
