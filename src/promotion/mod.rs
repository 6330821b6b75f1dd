//! `hydrator promote`: everything is looked at again without rendering, and what the gates let through is merged.
//!
//! Does I/O: git and the forge. Level-triggered: each round observes everything anew, writes what differs, merges what
//! is due, and if that moved an environment, another round looks at those that waited for it.

mod gather;
mod merge;
mod newest;
mod passed_over;
mod places;
mod post;
mod reopen;
mod reparent;
mod round;
mod run;
mod told;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::Result;

pub use self::gather::{Tips, Writes, gather};
pub use self::passed_over::{PassedOver, passed_over};
pub use self::places::{has_label, observed};
pub use self::round::{LEFT_TO_THE_FORGE, tips_of};
pub use self::run::{close_old, disarm, follow, gates, is_due, keep};
use crate::error::Failure;
use crate::model::{CommitId, EnvironmentName, EnvironmentReport, Operation, RunReport};
use crate::tell::Landings;
use crate::world::World;
use round::{Round, round};

/// How long `--wait` sleeps between two looks.
const PAUSE: Duration = Duration::from_secs(10);

/// How often a round that lost a race is repeated.
const ATTEMPTS: u32 = 5;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub struct PromoteRequest {
    /// Environments whose rejected proposals are offered again.
    pub reopen: Vec<EnvironmentName>,
    /// Environments whose proposals are merged as with `autoMerge`, each with the head that was looked at.
    pub approved: Vec<(EnvironmentName, CommitId)>,
    /// How long to wait for proposals that cannot be merged yet.
    pub wait: Duration,
}

/// Looks at everything and merges what is due, until nothing moves.
pub fn promote(world: &World, request: &PromoteRequest, talk: &(dyn Fn(&str) + Sync)) -> Result<RunReport> {
    world.forge.ready_to_write()?;
    let start = Instant::now();
    let mut done = Done::default();
    let mut reopen = request.reopen.as_slice();
    loop {
        let round = settle(world, (reopen, &request.approved), &mut done, talk)?;
        reopen = &[];
        let left = request.wait.saturating_sub(start.elapsed());
        if !round.waits || left.is_zero() || !pause(world, PAUSE.min(left)) {
            return Ok(done.finish(round));
        }
    }
}

/// Rounds until nothing moves any more.
fn settle(
    world: &World,
    (reopen, approved): (&[EnvironmentName], &[(EnvironmentName, CommitId)]),
    done: &mut Done,
    talk: &(dyn Fn(&str) + Sync),
) -> Result<Round> {
    let mut lost = 0;
    let landings = Landings::default();
    let mut reopen = reopen;
    loop {
        if world.stop.load(Ordering::Relaxed) {
            return Err(Failure::new(crate::error::FailureKind::Unexpected, "stopped by a signal").into());
        }
        let Some(round) = round(world, (reopen, approved), &done.failures, &landings)? else {
            lost += 1;
            if lost >= ATTEMPTS {
                return Err(Failure::git(
                    "other writers moved the branches each time that this looked at them",
                )
                .hint("run it again; if it goes on, give the jobs one `concurrency` group")
                .into());
            }
            continue;
        };
        reopen = &[];
        done.take(&round, talk);
        if !round.moved {
            round.problems.iter().for_each(|problem| talk(problem));
            return Ok(round);
        }
    }
}

/// Sleeps unless a signal comes; false if one came.
fn pause(world: &World, duration: Duration) -> bool {
    let end = Instant::now() + duration;
    while Instant::now() < end && !world.stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(100).min(end.saturating_duration_since(Instant::now())));
    }
    !world.stop.load(Ordering::Relaxed)
}

/// What earlier rounds did, which the last one does not see any more.
#[derive(Default)]
struct Done {
    reports: BTreeMap<EnvironmentName, EnvironmentReport>,
    failures: BTreeMap<EnvironmentName, Failure>,
}

impl Done {
    fn take(&mut self, round: &Round, talk: &(dyn Fn(&str) + Sync)) {
        for report in &round.reports {
            let name = &report.name;
            match report.operation {
                Operation::Merged => talk(&format!("merged {} of {name}", number(report))),
                Operation::Pushed => talk(&format!("moved {} to its proposal", report.active_branch)),
                _ => {}
            }
            if let Some(failure) = round.failures.get(name) {
                self.failures.insert(name.clone(), failure.clone());
            }
            if !matches!(report.operation, Operation::None | Operation::Held | Operation::Rejected) {
                self.reports.insert(name.clone(), report.clone());
            }
        }
    }

    /// The last round's report, with what earlier ones did.
    fn finish(mut self, round: Round) -> RunReport {
        let environments = round.reports.into_iter().map(|last| {
            let Some(before) = self.reports.remove(&last.name).filter(|_| last.error.is_none()) else {
                return last;
            };
            let pull_request = last.pull_request.or(before.pull_request);
            EnvironmentReport { operation: before.operation.max(last.operation), pull_request, ..last }
        });
        RunReport {
            dry_sha: round.dry_sha,
            environments: environments.collect(),
            picture: Some(round.picture),
        }
    }
}

fn number(report: &EnvironmentReport) -> String {
    report.pull_request.as_ref().map(|request| format!("#{}", request.number)).unwrap_or_default()
}
