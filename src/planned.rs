//! One environment on its way through a run: what was seen, what is to be done, what came of it. Pure.

use std::collections::BTreeMap;

use crate::commit::TargetOutput;
use crate::dry::Dry;
use crate::error::{Failure, hint_of, kind_of, message_of};
use crate::gate::Verdict;
use crate::git::RemoteRefs;
use crate::hydrate::Terms;
use crate::model::{CommitId, CommitStatus, Delivery, Environment, EnvironmentName};
use crate::observe::Seen;
use crate::plan::{self, Decision};
use crate::publish::Publisher;
use crate::tell::Overview;
use crate::world::World;

/// One environment on its way through a run.
#[derive(Debug)]
pub struct Planned<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// What was observed.
    pub seen: Seen,
    /// What is to be done, or why the environment failed.
    pub decision: Result<Decision, Failure>,
    /// Whether its active branch has content that is not of this configuration.
    pub is_foreign: bool,
    /// Its targets' outputs, by path; empty where nothing was rendered.
    pub outputs: BTreeMap<String, TargetOutput>,
    /// What stays held, and what the proposal is.
    pub terms: Terms,
    /// The DRY commit that its note names, where it is not the run's own.
    pub processed: Option<CommitId>,
    /// The active branch's first commit, where the branch is missing.
    pub first: Option<CommitId>,
    /// The proposed branch's tip after the run; `None` where there is no branch.
    pub proposed: Option<CommitId>,
    /// The statuses of the proposed commit, where the forge told them before the push.
    pub told: Option<(CommitId, Vec<CommitStatus>)>,
    /// What the gate says of the proposal; `None` where there is none, or nobody has asked yet.
    pub verdict: Option<Verdict>,
}

/// What writing pull requests works with.
pub struct Stage<'a> {
    /// The outside world.
    pub world: &'a World,
    /// The DRY commit.
    pub dry: &'a Dry,
    /// The refs as this run's push left them.
    pub refs: &'a RemoteRefs,
    /// Where all environments stand, and what the forge said of DRY commits.
    pub overview: &'a Overview,
}

impl<'a> Planned<'a> {
    /// What was seen of an environment, with nothing decided yet.
    pub fn of(environment: &'a Environment, seen: &Seen, config: &str) -> Self {
        Self {
            environment,
            seen: seen.clone(),
            decision: Ok(Decision::Nothing),
            is_foreign: plan::is_foreign(seen, config),
            outputs: BTreeMap::new(),
            terms: Terms::default(),
            processed: None,
            first: None,
            proposed: None,
            told: None,
            verdict: None,
        }
    }

    /// The environment's name.
    pub fn name(&self) -> EnvironmentName {
        self.environment.name.clone()
    }

    /// Whether a proposal of ours waited already when this run began.
    pub fn waits(&self) -> bool {
        plan::offer(&self.seen).is_some()
    }

    /// Where its branches will be when this run is over.
    pub fn tips_after(&self) -> Vec<CommitId> {
        let active = self.seen.active.as_ref().map(|active| active.commit.id);
        let delivered = matches!(self.environment.delivery, Delivery::Push) && self.proposed.is_some();
        let tips = match self.decision {
            Ok(Decision::Withdraw) => [active, None],
            Ok(Decision::Propose | Decision::Reparent | Decision::Leave) if delivered => {
                [self.proposed, None]
            }
            _ => [active, self.proposed],
        };
        tips.into_iter().flatten().collect()
    }
}

/// What pushes, with the identity of this configuration.
pub fn publisher<'a>(world: &'a World, dry: &'a Dry) -> Publisher<'a> {
    Publisher {
        scratch: &world.repository.scratch,
        dry: &dry.commit,
        identity: &dry.loaded.project.commit.identity,
    }
}

/// An error of one environment as a failure of the report.
pub fn as_failure(error: &anyhow::Error) -> Failure {
    let mut failure = Failure::new(kind_of(error), message_of(error));
    failure.hint = hint_of(error);
    failure
}
