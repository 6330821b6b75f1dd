//! What the demo happens on: a throwaway repository with its local forge, and hydrator run on it in this process.
//!
//! Does I/O in the demo's own directory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::files;
use super::picture::{Branch, Lane, Scene};
use crate::branch::metadata_blob;
use crate::error::Failure;
use crate::forge::local::{LocalForge, MergeRequest};
use crate::forge::{Forge as _, MergeOutcome};
use crate::git::{BRANCH, Workshop};
use crate::history::Reference;
use crate::hydrate::Metadata;
use crate::model::{BranchName, CommitId, EnvironmentName, ObjectId, PullRequest, RunReport};
use crate::plan::Permissions;
use crate::progress::Silent;
use crate::rollback::{Request, rollback};
use crate::run::{RunRequest, run};
use crate::variables::Variables;
use crate::world::{Location, Repository, World};

/// Everything on the remote that a run could change: refs and pull requests.
type State = (BTreeMap<String, ObjectId>, Vec<PullRequest>);

/// When everything happens: the demo is the same every time.
const NOW: i64 = 1_767_225_600;

/// The repository, its forge, and what is needed to run on them.
pub(super) struct Stage<'a> {
    workshop: Workshop,
    forge: LocalForge,
    variables: &'a Variables,
    stop: &'a Arc<AtomicBool>,
}

impl<'a> Stage<'a> {
    /// Gives the repository a forge.
    pub(super) fn set(
        workshop: Workshop,
        variables: &'a Variables,
        stop: &'a Arc<AtomicBool>,
    ) -> Result<Self> {
        let forge = LocalForge::open(&workshop.remote())?;
        Ok(Self { workshop, forge, variables, stop })
    }

    /// A person commits and pushes.
    pub(super) fn push(&mut self, message: &str, files: &[(&str, &str)]) -> Result<CommitId> {
        self.workshop.commit(message, files)
    }

    /// `hydrator run --forge local` in the checkout.
    pub(super) fn run(&self) -> Result<RunReport> {
        succeeded(run(&self.world()?, &RunRequest::default(), &Silent)?)
    }

    /// `hydrator rollback --environment ENVIRONMENT --reason REASON`.
    pub(super) fn roll_back(&self, environment: &str, reason: &str) -> Result<RunReport> {
        let request = Request {
            environments: vec![EnvironmentName::new(environment)],
            all_after: None,
            to: Reference::Previous,
            targets: Vec::new(),
            actor: "you".to_owned(),
            reason: reason.to_owned(),
            now: Timestamp::from_second(NOW)?,
            hold: true,
            let_pass: false,
            push: false,
            dry_run: false,
            revert_dry: false,
            permissions: Permissions::default(),
        };
        succeeded(rollback(&self.world()?, &request)?.report)
    }

    fn world(&self) -> Result<World> {
        let location = Location { repository: self.workshop.checkout(), remote: "origin".to_owned() };
        Ok(World {
            repository: Repository::open(location, self.variables, self.stop, &|_| None)?,
            forge: Box::new(self.forge.clone()),
            // The demo may run in a CI job, but it is not about that job's repository.
            trigger: None,
            config: files::CONFIGURATION.0.into(),
            variables: self.variables.clone(),
            stop: Arc::clone(self.stop),
            clock: Timestamp::now,
        })
    }

    /// `hydrator local merge`.
    pub(super) fn merge(&self, number: u64) -> Result<()> {
        match self.forge.merge_as(number, &MergeRequest::default())? {
            MergeOutcome::Merged(_) => Ok(()),
            MergeOutcome::Blocked(why) => {
                Err(Failure::forge(format!("pull request #{number} cannot be merged: {why}")).into())
            }
        }
    }

    /// All pull requests, oldest first.
    pub(super) fn pull_requests(&self) -> Result<Vec<PullRequest>> {
        self.forge.pull_requests()
    }

    /// The remote as it is now, to compare.
    pub(super) fn state(&self) -> Result<State> {
        Ok((self.workshop.refs()?, self.forge.pull_requests()?))
    }

    /// The branches and pull requests as they are now.
    pub(super) fn scene(&self) -> Result<Scene> {
        let environments = ["dev", "staging", "prod"];
        let lanes = environments.into_iter().map(|name| self.lane(name)).collect::<Result<_>>()?;
        let dry = self.branch(BRANCH)?.tip.context("the DRY branch has no commit")?;
        Ok(Scene { dry_branch: BRANCH.to_owned(), dry, lanes })
    }

    fn lane(&self, environment: &str) -> Result<Lane> {
        let active = self.branch(&format!("hydrator/{environment}"))?;
        let proposed = self.branch(&format!("hydrator/{environment}-next"))?;
        let newest = self.forge.newest_pull_request(&proposed.name, &active.name)?;
        let pull_request = newest.map(|newest| (newest.number, newest.state));
        Ok(Lane { proposed, active, pull_request })
    }

    fn branch(&self, name: &str) -> Result<Branch> {
        let name = BranchName::new(name).map_err(Failure::config)?;
        let tip = self.workshop.refs()?.get(&name.full()).copied();
        let dry = tip.map(|tip| self.dry_of(tip)).transpose()?.flatten();
        Ok(Branch { name, tip, dry })
    }

    /// The DRY commit that a hydrated commit names.
    fn dry_of(&self, commit: CommitId) -> Result<Option<CommitId>> {
        let objects = self.workshop.objects();
        let Some(blob) = metadata_blob(objects, commit)? else { return Ok(None) };
        let bytes = objects.blob(blob)?.unwrap_or_default();
        Ok(Metadata::parse(&bytes).and_then(|metadata| metadata.dry_commit()))
    }

    /// The text of a file on a branch of the remote; empty if there is none.
    pub(super) fn file(&self, branch: &Branch, path: &str) -> Result<String> {
        let objects = self.workshop.objects();
        let Some(tip) = branch.tip else { return Ok(String::new()) };
        let entry = objects.entry(objects.commit(tip)?.tree, path.into())?;
        let bytes = entry.map(|entry| objects.blob(entry.id)).transpose()?.flatten().unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// The report, unless an environment failed.
fn succeeded(report: RunReport) -> Result<RunReport> {
    match report.environments.iter().find_map(|environment| environment.error.as_ref()) {
        Some(error) => Err(Failure::new(error.kind, error.message.clone()).into()),
        None => Ok(report),
    }
}
