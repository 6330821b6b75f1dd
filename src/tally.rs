//! The reports of a run as they come in, and what promotion makes of it in the end. Does I/O through promotion.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{
    CommitId, CommitState, Environment, EnvironmentName, EnvironmentReport, Operation, PromotionReport,
    RunReport,
};
use crate::planned::Planned;
use crate::progress::Progress;
use crate::promotion;
use crate::world::World;

/// The reports so far: of an environment that is given back and done again, the last one counts.
pub struct Tally {
    order: Vec<EnvironmentName>,
    done: BTreeMap<EnvironmentName, EnvironmentReport>,
    orphans: Option<Vec<EnvironmentReport>>,
    /// The environments whose proposals may have to be merged now.
    due: BTreeSet<EnvironmentName>,
}

impl Tally {
    /// Nothing is reported yet of these environments.
    pub fn of(environments: &[Environment]) -> Self {
        let order = environments.iter().map(|environment| environment.name.clone()).collect();
        Self { order, done: BTreeMap::new(), orphans: None, due: BTreeSet::new() }
    }

    /// Whether nothing is reported yet.
    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    /// Takes down whose proposals may have to be merged.
    pub fn expect(&mut self, planned: &[Planned<'_>]) {
        self.due.extend(planned.iter().filter(|one| promotion::is_due(one)).map(Planned::name));
    }

    /// The environments that left the configuration are dealt with once.
    pub fn take_orphans(&mut self, close: impl FnOnce() -> Vec<EnvironmentReport>) {
        self.orphans.get_or_insert_with(close);
    }

    /// Adds reports.
    pub fn take(&mut self, reports: Vec<EnvironmentReport>) {
        self.done.extend(reports.into_iter().map(|report| (report.name.clone(), report)));
    }

    /// Merges what is due, and gives the whole report.
    pub fn finish(mut self, world: &World, dry_sha: CommitId, progress: &dyn Progress) -> RunReport {
        let waits = |gate: &PromotionReport| gate.state != CommitState::Success.word();
        if self.done.values().any(|report| report.promotion.as_ref().is_some_and(waits)) {
            let was_pushed = |report: &&EnvironmentReport| report.operation == Operation::Pushed;
            self.due.extend(self.done.values().filter(was_pushed).map(|report| report.name.clone()));
        }
        let mut environments: Vec<_> = self.order.iter().filter_map(|name| self.done.remove(name)).collect();
        environments.extend(self.orphans.unwrap_or_default());
        let mut report = RunReport { dry_sha, environments };
        if !self.due.is_empty() {
            promotion::follow(world, &mut report, &self.due, &|line| progress.say(line));
        }
        report
    }
}
