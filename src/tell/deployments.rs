//! Deployment records: one for each DRY commit that comes to run in an environment. Does I/O through the forge.

use anyhow::Result;

use super::Scene;
use crate::forge::Deployment;
use crate::overview::Stand;

/// Records what runs where, unless the forge says so already. One that is refused does not stop the others.
pub(super) fn update(scene: &Scene<'_>) -> Result<()> {
    let forge = scene.world.forge.as_ref();
    let wanted: Vec<Deployment> = scene.stands.iter().filter_map(|stand| deployment(scene, stand)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = wanted.iter().map(|one| one.environment.as_str()).collect();
    let recorded = forge.deployments(&names)?;
    let mut done = Ok(());
    for wanted in &wanted {
        let differs =
            |known: &Deployment| (known.commit, &known.description) != (wanted.commit, &wanted.description);
        if recorded.get(&wanted.environment).is_none_or(differs) {
            done = done.and(forge.record_deployment(wanted));
        }
    }
    done
}

/// The DRY commit is what people know; the hydrated one tells it from the same DRY commit another time.
fn deployment(scene: &Scene<'_>, stand: &Stand) -> Option<Deployment> {
    let (active, runs) = stand.active.zip(stand.runs)?;
    let web = scene.world.repository.web_url();
    Some(Deployment {
        environment: stand.name.to_string(),
        commit: runs,
        description: format!("hydrated commit {}", active.short()),
        url: (!web.is_empty()).then(|| format!("{web}/commit/{active}")),
    })
}
