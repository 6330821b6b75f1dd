//! Whether states were healthy: the statuses that the environment's gates name. Does I/O through the forge.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{History, State};
use crate::forge::Forge;
use crate::model::{CommitId, CommitState, Environment};

/// What the forge says of the states' commits.
pub struct Health {
    contexts: Vec<String>,
    good: BTreeMap<CommitId, Vec<(String, bool)>>,
}

impl Health {
    /// Asks the forge once for all states, where the environment's gates name statuses and anybody wants to know.
    pub fn of(forge: &dyn Forge, environment: &Environment, history: &History, wanted: bool) -> Result<Self> {
        let contexts = environment.gates.statuses.clone();
        let mut good = BTreeMap::new();
        if wanted && !contexts.is_empty() {
            let commits: Vec<CommitId> = history.states.iter().flat_map(commits).collect();
            for (commit, statuses) in forge.statuses(&commits)? {
                let said =
                    statuses.into_iter().map(|status| (status.context, status.state == CommitState::Success));
                good.insert(commit, said.collect());
            }
        }
        Ok(Self { contexts, good })
    }

    /// Whether every status was successful on one of the state's commits; nothing where none is named.
    pub fn of_state(&self, state: &State) -> Option<bool> {
        let is_good = |context: &String| {
            commits(state).any(|commit| {
                self.good.get(&commit).is_some_and(|said| said.contains(&(context.clone(), true)))
            })
        };
        (!self.contexts.is_empty()).then(|| self.contexts.iter().all(is_good))
    }
}

fn commits(state: &State) -> impl Iterator<Item = CommitId> + '_ {
    std::iter::once(state.tip.commit.id).chain(state.also.iter().copied())
}
