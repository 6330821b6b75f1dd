//! An environment while it is put together: what is understood of it so far. Pure.

use std::collections::BTreeMap;

use super::super::node::Node;
use super::super::raw::{RawConfig, RawDelivery, RawDrift, RawEnvironment, RawMergeMethod, RawPullRequest};
use crate::model::{
    AfterPolicy, BranchName, Delivery, DriftPolicy, Environment, EnvironmentName, Freeze, Gates, MergeMethod,
    MergeWindow, PullRequestSettings, Target,
};

/// An environment of which some parts may be wrong.
pub(super) struct Draft<'a> {
    pub(super) raw: &'a RawEnvironment,
    pub(super) node: &'a Node,
    pub(super) active: Option<BranchName>,
    pub(super) proposed: Option<BranchName>,
    pub(super) vars: BTreeMap<String, String>,
    pub(super) targets: Vec<Target>,
    pub(super) gates: Gates,
    pub(super) windows: (Vec<MergeWindow>, Vec<Freeze>),
}

impl Draft<'_> {
    /// Its name as written.
    pub(super) fn name(&self) -> &str {
        &self.raw.name
    }

    /// The environment; nothing if a part is missing, which has been said.
    pub(super) fn finish(self, config: &RawConfig) -> Option<Environment> {
        let raw = self.raw;
        Some(Environment {
            name: EnvironmentName::new(&raw.name),
            active: self.active?,
            proposed: self.proposed?,
            delivery: match raw.delivery {
                Some(RawDelivery::Push) => Delivery::Push,
                Some(RawDelivery::Branch) => Delivery::Branch,
                Some(RawDelivery::PullRequest) | None => Delivery::PullRequest,
            },
            auto_merge: raw.auto_merge.unwrap_or(false),
            merge_method: raw.merge_method.map(|method| match method {
                RawMergeMethod::Merge => MergeMethod::Merge,
                RawMergeMethod::Squash => MergeMethod::Squash,
                RawMergeMethod::Rebase => MergeMethod::Rebase,
            }),
            after: match &raw.after {
                Some(names) => AfterPolicy::Named(names.iter().map(EnvironmentName::new).collect()),
                None => AfterPolicy::Order,
            },
            gates: self.gates,
            merge_windows: self.windows.0,
            freezes: self.windows.1,
            pull_request: pull_request(config.pull_request.as_ref(), raw.pull_request.as_ref()),
            drift: match raw.drift {
                Some(RawDrift::Repair) => DriftPolicy::Repair,
                Some(RawDrift::Hold) | None => DriftPolicy::Hold,
            },
            allow_empty: raw.allow_empty.unwrap_or(false),
            renamed_from: raw.renamed_from.as_ref().map(EnvironmentName::new),
            vars: self.vars,
            targets: self.targets,
        })
    }
}

/// What an environment gives replaces what holds for all.
fn pull_request(all: Option<&RawPullRequest>, own: Option<&RawPullRequest>) -> PullRequestSettings {
    let none = RawPullRequest::default();
    let (all, own) = (all.unwrap_or(&none), own.unwrap_or(&none));
    let list = |own: &Option<Vec<String>>, all: &Option<Vec<String>>| {
        own.clone().or(all.clone()).unwrap_or_default()
    };
    PullRequestSettings {
        title: own.title.clone().or(all.title.clone()),
        body: own.body.clone().or(all.body.clone()),
        labels: list(&own.labels, &all.labels),
        reviewers: list(&own.reviewers, &all.reviewers),
        team_reviewers: list(&own.team_reviewers, &all.team_reviewers),
        assignees: list(&own.assignees, &all.assignees),
        draft: own.draft.or(all.draft).unwrap_or(false),
    }
}
