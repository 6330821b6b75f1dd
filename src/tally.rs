//! The reports of a run as they come in, and what promotion makes of it in the end. Does I/O through promotion.

use std::collections::{BTreeMap, BTreeSet};

use crate::dry::Dry;
use crate::model::{
    CommitId, CommitState, Environment, EnvironmentName, EnvironmentReport, Operation, PromotionReport,
    PullRequest, PullRequestOperation, RunReport,
};
use crate::overview::{mermaid, nodes};
use crate::planned::Planned;
use crate::progress::Progress;
use crate::promotion;
use crate::tell::{Overview, Scene, compare_with_previews, tell};
use crate::world::World;

/// The reports so far: of an environment that is given back and done again, the last one counts.
pub struct Tally {
    order: Vec<EnvironmentName>,
    done: BTreeMap<EnvironmentName, EnvironmentReport>,
    orphans: Option<Vec<EnvironmentReport>>,
    /// The environments whose proposals may have to be merged now.
    due: BTreeSet<EnvironmentName>,
    /// The pull requests that were open before.
    open: BTreeMap<EnvironmentName, PullRequest>,
    /// The DRY branch's tip when this was pushed.
    tip: Option<CommitId>,
}

impl Tally {
    /// Nothing is reported yet of these environments.
    pub fn of(environments: &[Environment]) -> Self {
        let order = environments.iter().map(|environment| environment.name.clone()).collect();
        Self {
            order,
            done: BTreeMap::new(),
            orphans: None,
            due: BTreeSet::new(),
            open: BTreeMap::new(),
            tip: None,
        }
    }

    /// Whether nothing is reported yet.
    pub fn is_empty(&self) -> bool {
        self.done.is_empty()
    }

    /// Takes down whose proposals may have to be merged, which pull requests there are, and where the DRY branch is.
    pub fn expect(&mut self, planned: &[Planned<'_>], tip: Option<CommitId>) {
        self.due.extend(planned.iter().filter(|one| promotion::is_due(one)).map(Planned::name));
        let open = planned.iter().filter_map(|one| Some((one.name(), one.seen.open.clone()?)));
        self.open.extend(open);
        self.tip = tip;
    }

    /// The environments that left the configuration are dealt with once.
    pub fn take_orphans(&mut self, close: impl FnOnce() -> Vec<EnvironmentReport>) {
        self.orphans.get_or_insert_with(close);
    }

    /// Adds reports.
    pub fn take(&mut self, reports: Vec<EnvironmentReport>) {
        self.done.extend(reports.into_iter().map(|report| (report.name.clone(), report)));
    }

    /// Merges what is due, tells people about it, and gives the whole report.
    pub fn finish(
        mut self,
        world: &World,
        dry: &Dry,
        mut overview: Overview,
        progress: &dyn Progress,
    ) -> RunReport {
        let waits = |gate: &PromotionReport| gate.state != CommitState::Success.word();
        if self.done.values().any(|report| report.promotion.as_ref().is_some_and(waits)) {
            let was_pushed = |report: &&EnvironmentReport| report.operation == Operation::Pushed;
            self.due.extend(self.done.values().filter(was_pushed).map(|report| report.name.clone()));
        }
        let orphans = self.orphans.take().unwrap_or_default();
        let mut environments: Vec<_> = self.order.iter().filter_map(|name| self.done.remove(name)).collect();
        for stand in &mut overview.stands {
            if let Some(report) = environments.iter().find(|report| report.name == stand.name) {
                stand.follow(report);
            }
        }
        environments.extend(orphans);
        let picture = (!overview.stands.is_empty()).then(|| mermaid(&nodes(&overview.stands), None));
        let mut report = RunReport { dry_sha: dry.commit.id, environments, picture };
        if !self.due.is_empty() {
            promotion::follow(world, &mut report, &self.due, &|line| progress.say(line));
        } else if self.tip == Some(dry.commit.id) && !overview.stands.is_empty() {
            self.tell(world, dry, &overview, &report).iter().for_each(|problem| progress.say(problem));
        }
        report
    }

    /// What this run did not write itself is told now. Pull requests that it wrote say everything already.
    fn tell(&self, world: &World, dry: &Dry, overview: &Overview, report: &RunReport) -> Vec<String> {
        let was_written = |name: &EnvironmentName| {
            let request = report.environments.iter().find(|one| one.name == *name)?.pull_request.as_ref()?;
            Some(request.operation != PullRequestOperation::None)
        };
        // After an error, everything stays as it is but what is said of the DRY commit.
        let has_failed = overview.stands.iter().any(|stand| stand.failed);
        let open = overview.stands.iter().map(|stand| {
            let written = has_failed || was_written(&stand.name).unwrap_or_default();
            self.open.get(&stand.name).filter(|_| !written).cloned()
        });
        let scene = Scene {
            world,
            project: &dry.loaded.project,
            dry_branch: &dry.branch,
            tip: &dry.commit,
            stands: &overview.stands,
            open: &open.collect::<Vec<_>>(),
        };
        let unsaid = compare_with_previews(&scene, &overview.landings);
        unsaid.into_iter().chain(tell(&scene, &overview.landings)).collect()
    }
}
