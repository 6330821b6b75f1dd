//! The picture of all environments in each promotion pull request. Does I/O through the forge.

use anyhow::Result;

use super::Scene;
use crate::forge::{Forge, PullRequestLook};
use crate::model::Environment;
use crate::overview::{Stand, around, redrawn};
use crate::promote::BODY_LIMIT;

/// The picture in the pull request of the environment at this place.
pub fn picture(forge: &dyn Forge, environments: &[Environment], stands: &[Stand], at: usize) -> String {
    let page = |place: usize| {
        let name = &stands.get(place)?.name;
        let environment = environments.iter().find(|one| one.name == *name)?;
        forge.compare_url(&environment.active, &environment.proposed)
    };
    around(stands, at, page)
}

/// Draws every picture again that shows something else now.
pub(super) fn update(scene: &Scene<'_>) -> Result<()> {
    let forge = scene.world.forge.as_ref();
    for (at, open) in scene.open.iter().enumerate() {
        let Some(open) = open else { continue };
        let now = picture(forge, &scene.project.environments, scene.stands, at);
        // People may have made it longer than we would.
        let Some(body) = redrawn(&open.body, &now).filter(|body| body.chars().count() <= BODY_LIMIT) else {
            continue;
        };
        let look = PullRequestLook { title: open.title.clone(), body, ..PullRequestLook::default() };
        forge.update(open.number, &look)?;
    }
    Ok(())
}
