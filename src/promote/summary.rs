//! What there is to say about a proposal, as values. Pure; all text in it is as it came, and may be hostile.

use std::collections::BTreeMap;

use crate::model::{BranchName, CommitId, EnvironmentName, ManifestId, ObjectId};

/// Everything that a title or a body can speak of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalSummary {
    /// The environment.
    pub environment: EnvironmentName,
    /// The branch that the cluster syncs.
    pub active: BranchName,
    /// The branch that is offered.
    pub proposed: BranchName,
    /// Names what is changed: the text is right as long as this is the same.
    pub change: ObjectId,
    /// Why it is offered.
    pub intent: Intent,
    /// The DRY commit that it brings.
    pub dry: DryInfo,
    /// The repository's web address.
    pub repo_url: Option<String>,
    /// What the text depends on besides the proposal, see [`super::text_version`].
    pub text_version: String,
    /// The environment's variables, for templates.
    pub vars: BTreeMap<String, String>,
    /// The targets that change.
    pub targets: Vec<TargetChange>,
    /// The DRY commits since the active one.
    pub dry_commits: DryCommits,
    /// The commits of applications that the DRY commit names.
    pub references: Vec<ReferenceLine>,
    /// Whether the active branch has no manifests yet.
    pub first_run: bool,
    /// Whether it undoes what somebody did to the active branch by hand.
    pub undoes_drift: bool,
    /// The picture of all environments, in Markdown; empty where it is not known where they are.
    pub picture: String,
    /// Set when so much is removed that people must look twice.
    pub large_deletion: Option<LargeDeletion>,
}

impl ProposalSummary {
    /// How many manifests are added, changed and removed in all targets.
    pub fn totals(&self) -> (usize, usize, usize) {
        self.targets.iter().fold((0, 0, 0), |(added, changed, removed), target| {
            (added + target.added.len(), changed + target.changed.len(), removed + target.removed.len())
        })
    }

    /// The totals in words.
    pub fn totals_text(&self) -> String {
        let (added, changed, removed) = self.totals();
        if added + changed + removed == 0 {
            return "no manifest changes".to_owned();
        }
        format!("{added} added, {changed} changed, {removed} removed")
    }
}

/// Why a proposal is offered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// It brings a newer DRY commit.
    #[default]
    Promote,
    /// It brings an older state back.
    Rollback {
        /// Who asked for it.
        actor: String,
        /// Why.
        reason: String,
        /// The targets that it is about; empty means the whole environment.
        targets: Vec<String>,
        /// Whether what it brings back is held.
        holds: bool,
        /// Whether later environments need not wait.
        lets_pass: bool,
    },
    /// It ends a hold, or what somebody did by hand.
    Resume {
        /// What stays held.
        still_held: Vec<String>,
    },
}

/// A DRY commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryInfo {
    /// Its id.
    pub sha: CommitId,
    /// The first line of its message.
    pub subject: String,
    /// The rest of its message.
    pub body: String,
    /// Its author.
    pub author: String,
    /// When it was written, RFC 3339.
    pub date: String,
    /// Number and page of the pull request that brought it in.
    pub request: Option<(u64, String)>,
}

/// The manifests of one target that change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetChange {
    /// The target's name.
    pub name: String,
    /// Its directory on the hydrated branch.
    pub output: String,
    /// Manifests that are new.
    pub added: Vec<ManifestId>,
    /// Manifests that differ.
    pub changed: Vec<ManifestId>,
    /// Manifests that go away.
    pub removed: Vec<ManifestId>,
}

impl TargetChange {
    /// How many manifests are added, changed or removed.
    pub fn len(&self) -> usize {
        self.added.len() + self.changed.len() + self.removed.len()
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The DRY commits that a proposal brings, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DryCommits {
    /// Those that are known.
    pub listed: Vec<DryLine>,
    /// Whether there are others.
    pub more: MoreCommits,
}

/// DRY commits that are not listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MoreCommits {
    /// There are no others.
    #[default]
    None,
    /// There are this many.
    Count(usize),
    /// The history is not here, so nobody knows.
    Unknown,
}

/// One DRY commit in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryLine {
    /// Its id.
    pub sha: CommitId,
    /// The first line of its message.
    pub subject: String,
    /// Its author.
    pub author: String,
    /// Number and page of the pull request that brought it in.
    pub request: Option<(u64, String)>,
    /// The commits of applications that it names.
    pub references: Vec<ReferenceLine>,
}

/// A commit of an application, which a DRY commit names as the reason for the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceLine {
    /// Its full id, as written.
    pub sha: String,
    /// The application's repository.
    pub repo_url: Option<String>,
    /// The first line of its message.
    pub subject: String,
    /// Its author.
    pub author: String,
}

/// How much is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LargeDeletion {
    /// Manifests that go away.
    pub removed: usize,
    /// Manifests that the environment has now.
    pub of: usize,
}
