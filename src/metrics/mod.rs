//! `hydrator status --metrics`: how fast and how well DRY commits are delivered, for each environment and a period.
//!
//! Does I/O, reads only: active branches as deep as the period reaches, and what the forge knows of commits that do not
//! tell themselves when they came.

mod figures;
mod print;

use anyhow::Result;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub use self::figures::{Figures, Promotion, figures};
pub use self::print::{json, markdown, schema, text};
use crate::dry::{self, Wanted};
use crate::git::RemoteRefs;
use crate::history::{Activations, DEPTHS, History, State, StateKind, kind, rolled_back, walk};
use crate::model::{Environment, EnvironmentName};
use crate::world::World;

/// The figures of all environments.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metrics {
    /// The start of the period, RFC 3339.
    pub since: String,
    /// Its end, which is now.
    pub until: String,
    /// One entry for each environment, in the configuration's order.
    pub environments: Vec<EnvironmentMetrics>,
}

/// The figures of one environment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentMetrics {
    /// The environment.
    pub name: EnvironmentName,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// The figures from `since` to `until`.
pub fn metrics(world: &World, (since, until): (Timestamp, Timestamp)) -> Result<Metrics> {
    let scratch = &world.repository.scratch;
    let refs = scratch.look()?;
    let dry = dry::load(scratch, &refs, Wanted::Tip, &world.config)?;
    let period = (since.as_second(), until.as_second());
    let of_one = |environment: &Environment| {
        let promotions = promotions(world, environment, &refs, period.0)?;
        Ok(EnvironmentMetrics { name: environment.name.clone(), figures: figures(&promotions, period) })
    };
    let environments = dry.loaded.project.environments.iter().map(of_one).collect::<Result<_>>()?;
    Ok(Metrics { since: since.to_string(), until: until.to_string(), environments })
}

/// The promotions of an environment since then, and some older ones.
fn promotions(
    world: &World,
    environment: &Environment,
    refs: &RemoteRefs,
    since: i64,
) -> Result<Vec<Promotion>> {
    let Some(tip) = refs.branch(&environment.active) else { return Ok(Vec::new()) };
    let mut history = History::default();
    for depth in DEPTHS {
        history = walk(&world.repository.scratch, tip, depth)?;
        let oldest = history.states.last();
        if history.complete || oldest.is_some_and(|oldest| oldest.tip.commit.committed.seconds < since) {
            break;
        }
    }
    // What was made before the period can have been merged in it; then it is the one before the first of the period.
    let before = |state: &&State| state.tip.commit.committed.seconds < since;
    let count = history.states.iter().take_while(|state| !before(state)).count() + 1;
    let recent: Vec<&State> = history.states.iter().take(count).collect();
    let activations = Activations::of(world.forge.as_ref(), environment, &recent)?;
    let moment = |state: &State| activations.of_state(state).map(|moment| moment.seconds);
    let found = recent.iter().enumerate().filter(|(number, state)| {
        matches!(kind(&history, *number, state), StateKind::Promotion | StateKind::Resume)
    });
    let found = found.map(|(number, state)| Promotion {
        written: written(state),
        activated: moment(state),
        dated: state.tip.commit.committed.seconds,
        rolled_back: rolled_back(&history, number)
            .map(|back| moment(back).unwrap_or(back.tip.commit.committed.seconds)),
    });
    Ok(found.collect())
}

fn written(state: &State) -> Option<i64> {
    let date: Timestamp = state.tip.metadata.as_ref()?.date.parse().ok()?;
    Some(date.as_second())
}
