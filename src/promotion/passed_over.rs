//! With `contention: finish`: which environments newer DRY commits pass over, and what they wait for there. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::places;
use crate::gate::{Board, REPLACE_LABEL, finishing};
use crate::model::{CommitId, Contention, EnvironmentName, Project};
use crate::observe::Seen;

/// Why newer DRY commits are not offered to an environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PassedOver {
    /// The DRY commit that it keeps.
    pub keeps: CommitId,
    /// The environment that has to be merged first; none where newer ones wait for nothing but `hydrator run`.
    pub until: Option<EnvironmentName>,
}

impl PassedOver {
    /// One line for people.
    pub fn words(&self) -> String {
        let keeps = self.keeps.short();
        self.until.as_ref().map_or_else(
            || "newer DRY commits wait for `hydrator run`".to_owned(),
            |until| {
                format!(
                    "keeps {keeps} until {until} has it (`contention: finish`); newer ones then need `hydrator run`"
                )
            },
        )
    }
}

/// The environments that were passed over, by their places: those that keep their DRY commit for now, and those that could
/// take newer ones, which a run alone renders.
pub fn passed_over(project: &Project, board: &Board<'_>, seen: &[Seen]) -> BTreeMap<usize, PassedOver> {
    if project.contention != Contention::Finish {
        return BTreeMap::new();
    }
    let replaced = |at: &usize| places::has_label(seen[*at].open.as_ref(), REPLACE_LABEL);
    let kept = finishing(board, &(0..seen.len()).filter(replaced).collect());
    let one = |at: usize| {
        let place = &board.places[at];
        let keeps = place.processed.filter(|processed| *processed != board.tip)?;
        let until = kept.get(&at).map(|waiting| board.places[*waiting].environment.name.clone());
        // What is held waits for more than a run.
        (until.is_some() || place.held.is_none()).then_some((at, PassedOver { keeps, until }))
    };
    (0..seen.len()).filter_map(one).collect()
}
