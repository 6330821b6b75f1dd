//! What people are told once everything is done: how far DRY commits have come, what runs where, and pictures in pull
//! requests. Does I/O through the forge.
//!
//! Nothing depends on it: what cannot be told is said, and the next run or `promote` tells it. Nothing is written that
//! reads the same already.

mod active;
mod deployments;
mod landings;
mod pages;
mod pictures;
mod previewed;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

pub use self::active::mark_active;
pub use self::landings::Landings;
pub use self::pictures::picture;
use crate::dry::Dry;
use crate::error::message_of;
use crate::forge::{Announced, Forge};
use crate::model::{BranchName, Commit, CommitId, CommitStatus, Project, PullRequest};
use crate::overview::{PROGRESS, Stand, is_page};
use crate::world::World;

/// What is known when pull requests are written.
#[derive(Debug, Default)]
pub struct Overview {
    /// Where every environment of the configuration stands; empty where that is not known.
    pub stands: Vec<Stand>,
    /// What the forge said of DRY commits.
    pub landings: Landings,
}

/// What there is to tell.
pub struct Scene<'a> {
    /// The outside world.
    pub world: &'a World,
    /// The configuration of the DRY branch's tip.
    pub project: &'a Project,
    /// The DRY branch.
    pub dry_branch: &'a BranchName,
    /// Its tip.
    pub tip: &'a Commit,
    /// Where every environment of the configuration stands.
    pub stands: &'a [Stand],
    /// Their open pull requests as they are now; none where that is not known.
    pub open: &'a [Option<PullRequest>],
}

/// Tells the forge which DRY commits [`tell`] will ask it about, before anything else is asked.
/// Of hydrated commits it is told the branches.
pub fn announce(
    forge: &dyn Forge,
    dry: &Dry,
    commits: &BTreeSet<CommitId>,
    branches: BTreeMap<CommitId, BranchName>,
) {
    let tip = &dry.commit;
    let newest: Vec<CommitId> = tip.parents.first().copied().into_iter().chain([tip.id]).collect();
    let others = commits.iter().filter(|commit| !newest.contains(commit)).copied().collect();
    forge.announce(Announced {
        base: dry.branch.clone(),
        newest,
        others,
        status: PROGRESS,
        is_about: is_page,
        branches,
    });
}

/// What was said last of how far the DRY branch's tip has come: nothing else remembers where it could not be rendered.
pub fn said_of_tip(forge: &dyn Forge, dry: &Dry) -> Result<Option<CommitStatus>> {
    announce(forge, dry, &BTreeSet::new(), BTreeMap::new());
    pages::said_of_tip(forge, dry)
}

/// Asks the forge about the DRY commits that pages and pull requests will speak of, all at once.
pub fn prepare(world: &World, tip: &Commit, overview: &Overview, also: &[CommitId]) {
    let mut commits = pages::tracked(tip, &overview.stands);
    commits.extend(also);
    // Whoever needs the answer asks again, and says what is wrong.
    drop(overview.landings.ask(world.forge.as_ref(), &commits));
}

/// Says of each proposal whether a preview showed it, before it may be merged. Returns what could not be told.
pub fn compare_with_previews(scene: &Scene<'_>, landings: &Landings) -> Option<String> {
    let done = previewed::update(scene, landings);
    done.err().map(|error| {
        format!("whether previews showed what is proposed is not up to date: {}", message_of(&error))
    })
}

/// Tells everything, and returns what could not be told, one line each.
pub fn tell(scene: &Scene<'_>, landings: &Landings) -> Vec<String> {
    let mut problems = Vec::new();
    let mut note = |doing: &str, done: Result<()>| {
        if let Err(error) = done {
            problems.push(format!("{doing}: {}", message_of(&error)));
        }
    };
    note("the pictures in pull requests are not up to date", pictures::update(scene));
    note("how far DRY commits have come is not up to date", pages::update(scene, landings));
    if scene.project.deployments {
        note("not every deployment is recorded", deployments::update(scene));
    }
    problems
}
