//! The verbs of records, each in a file of its own.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{GitLab, deployments, expected, landings};
use crate::forge::{Announced, Deployment, Landing, MergedPullRequest, Records};
use crate::model::CommitId;

impl Records for GitLab {
    fn announce(&self, announced: Announced) {
        expected::expect(self, announced);
    }

    /// A status is a job of the newest pipeline of its commit and branch: one of the DRY branch's own would wait for the
    /// last environment, and fail with any of them.
    fn dry_status_may_wait(&self) -> bool {
        false
    }

    fn carriers(&self, commit: CommitId) -> Result<Vec<MergedPullRequest>> {
        landings::carriers(self, commit)
    }

    fn landings(&self, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
        landings::read(self, commits)
    }

    fn approvers(&self, number: u64) -> Result<Vec<String>> {
        landings::approvers(self, number)
    }

    fn deployments(&self, environments: &[&str]) -> Result<BTreeMap<String, Deployment>> {
        deployments::read(self, environments)
    }

    fn record_deployment(&self, deployment: &Deployment) -> Result<()> {
        deployments::record(self, deployment)
    }
}
