//! Since when states were active. Does I/O through the forge, for what git does not tell.

use std::collections::BTreeMap;

use anyhow::Result;
use jiff::Timestamp;

use super::State;
use crate::forge::{Forge, Landing};
use crate::gate::ACTIVE;
use crate::model::{CommitId, Environment, Moment};

/// What the forge says of the states' commits.
#[derive(Debug, Default)]
pub struct Activations {
    told: BTreeMap<CommitId, Moment>,
}

impl Activations {
    /// Asks the forge about the states whose commits were not made by a merge, all at once.
    pub fn of(forge: &dyn Forge, environment: &Environment, states: &[&State]) -> Result<Self> {
        let unknown = states.iter().filter(|state| state.merged.is_none());
        let commits: Vec<CommitId> = unknown.map(|state| state.tip.commit.id).collect();
        if commits.is_empty() {
            return Ok(Self::default());
        }
        let landings = forge.landings(&commits)?;
        let told =
            landings.iter().filter_map(|(commit, landing)| Some((*commit, came(environment, landing)?)));
        let told = told.map(|(commit, time)| (commit, moment(time)));
        Ok(Self { told: told.collect() })
    }

    /// When the state came; nothing where nobody knows, or nobody asked.
    pub fn of_state(&self, state: &State) -> Option<Moment> {
        // A rollback that was pushed is dated by when it was asked for.
        let pushed = || state.is_rollback().then_some(state.tip.commit.committed);
        state.merged.or_else(|| self.told.get(&state.tip.commit.id).copied()).or_else(pushed)
    }
}

/// When a commit came to an active branch: with the first pull request that was merged with it, else by our own status.
pub fn came(environment: &Environment, landing: &Landing) -> Option<Timestamp> {
    let merged = landing.pull_requests.iter().filter(|request| request.base == environment.active);
    let merged = merged.filter_map(|request| request.merged_at).min();
    let status = || landing.statuses.iter().find(|status| status.context == ACTIVE)?.created_at;
    merged.or_else(status)
}

fn moment(time: Timestamp) -> Moment {
    Moment { seconds: time.as_second(), offset_minutes: 0 }
}
