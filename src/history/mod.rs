//! History: the states that an environment's active branch had, newest first, and which of them a word means.
//!
//! [`walk()`] reads them from git, [`changes`] what each of them changed; choosing among them is pure.

mod activation;
pub mod changes;
mod difference;
mod health;
mod list;
mod print;
mod reference;
mod walk;

use crate::branch::{Content, Tip};
use crate::hydrate::Intent;
use crate::model::{CommitId, Moment};

pub use activation::{Activations, came};
pub use difference::difference;
pub use health::Health;
pub use list::{Question, StateKind, kind, list, rolled_back};
pub use print::{json, markdown, schema, text};
pub use reference::{Found, Reference, resolve};
pub use walk::{DEPTHS, walk};

/// One state of an active branch: manifests and holds that were there until the next one came.
#[derive(Clone, Debug)]
pub struct State {
    /// The commit that brought it, as it is on the branch.
    pub tip: Tip,
    /// Other commits that have the same: merged proposals, and commits of people that changed nothing of ours.
    pub also: Vec<CommitId>,
    /// Whether hydrator wrote it; else somebody put it there by hand.
    pub ours: bool,
    /// When a merge made that commit; nothing where hydrator's own commit is on the branch as it was written.
    pub merged: Option<Moment>,
}

/// The states of an active branch, newest first.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The states; the first one is active.
    pub states: Vec<State>,
    /// Whether these are all that there ever were.
    pub complete: bool,
}

impl State {
    /// Whether it is a rollback.
    pub fn is_rollback(&self) -> bool {
        self.tip.intent() == Some(Intent::Rollback)
    }

    /// What it has in these outputs; in all if none is named.
    fn view(&self, outputs: &[String]) -> Content {
        let mut content = self.tip.content.clone();
        content.retain(|output, _| outputs.is_empty() || outputs.contains(output));
        content
    }
}

/// Which state "previous" means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Previous {
    /// This one.
    State(usize),
    /// There is none.
    None,
    /// Older states have to be known to tell.
    Deeper,
}

impl History {
    /// The newest older state with other manifests in these outputs (in all if none is named), without those that were
    /// rolled back from already and those that somebody edited by hand.
    pub fn previous(&self, outputs: &[String]) -> Previous {
        let views: Vec<Content> = self.states.iter().map(|state| state.view(outputs)).collect();
        let Some(now) = views.first() else { return self.nothing() };
        let mut left = vec![false; views.len()];
        for (index, _) in self.states.iter().enumerate().filter(|(_, state)| state.is_rollback()) {
            let source = (index + 1..views.len()).find(|older| views[*older] == views[index]);
            if source.is_none() && !self.complete {
                return Previous::Deeper;
            }
            // A state whose source is unknown (part of it came from elsewhere) at least left the one before it.
            let end = source.unwrap_or(index + 2).min(views.len());
            left[(index + 1).min(end)..end].fill(true);
        }
        let is_whole = |index: usize| {
            self.states[index].tip.intact && outputs.iter().all(|output| views[index].contains_key(output))
        };
        let older = (1..views.len()).find(|index| views[*index] != *now && !left[*index] && is_whole(*index));
        older.map_or_else(|| self.nothing(), Previous::State)
    }

    const fn nothing(&self) -> Previous {
        if self.complete { Previous::None } else { Previous::Deeper }
    }
}

#[cfg(test)]
mod tests;
