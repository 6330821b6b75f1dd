//! The resolved configuration: what `hydrator.yaml` means for one DRY tree.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::{Deserialize, Serialize};

use super::{BranchName, DiffSettings, EnvironmentName, Target, Tool};

/// The resolved configuration of one DRY commit.
#[derive(Clone, Debug, PartialEq)]
pub struct Project {
    /// The configuration's path in the DRY tree.
    pub config_path: Utf8PathBuf,
    /// The branch that people edit; `None` means the forge's default branch.
    pub dry_branch: Option<BranchName>,
    /// How manifests become files.
    pub layout: Layout,
    /// Whether environments wait for each other.
    pub order: Order,
    /// What a newer DRY commit does to a waiting proposal.
    pub contention: Contention,
    /// Whether proposals that no preview has shown are marked as such.
    pub as_previewed: bool,
    /// Whether what runs where is recorded as deployments on the forge.
    pub deployments: bool,
    /// Accepted versions of tools, as written (`5.8.x`).
    pub tools: BTreeMap<Tool, String>,
    /// How hydrated commits look.
    pub commit: CommitSettings,
    /// Text of the `branches.active` pattern.
    pub active_pattern: String,
    /// Text of the `branches.proposed` pattern, to find proposals of environments that left the configuration.
    pub proposed_pattern: String,
    /// How `hydrator diff` shows changes.
    pub diff: DiffSettings,
    /// Programs with their arguments that look at what each target renders to, and refuse it by failing.
    pub validators: Vec<Vec<String>>,
    /// The most refs that one push may move; `None` means no limit.
    pub max_refs_per_push: Option<usize>,
    /// The environments, in the order of the file.
    pub environments: Vec<Environment>,
}

impl Project {
    /// The environment called `name`.
    pub fn environment(&self, name: &EnvironmentName) -> Option<&Environment> {
        self.environments.iter().find(|environment| environment.name == *name)
    }

    /// The environments that the one at `index` waits for: by its `after`, else by the order.
    pub fn predecessors(&self, index: usize) -> Vec<&Environment> {
        match (self.environments.get(index).map(|environment| &environment.after), self.order) {
            (Some(AfterPolicy::Named(names)), _) => {
                names.iter().filter_map(|name| self.environment(name)).collect()
            }
            (Some(AfterPolicy::Order), Order::Linear) => {
                index.checked_sub(1).and_then(|before| self.environments.get(before)).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// How manifests become files of a target's output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Layout {
    /// One `manifest.yaml`.
    #[default]
    Single,
    /// One file per manifest.
    Split,
}

/// Whether environments wait for each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Each environment waits for the one above it.
    #[default]
    Linear,
    /// None waits.
    None,
}

/// What a newer DRY commit does to a waiting proposal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Contention {
    /// It replaces it.
    #[default]
    Latest,
    /// It waits until the waiting one is merged.
    Finish,
}

/// How an environment's predecessors are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AfterPolicy {
    /// Follow `promotion.order`.
    #[default]
    Order,
    /// Exactly these; an empty list means no predecessor.
    Named(Vec<EnvironmentName>),
}

/// A name and an address, as git signs commits with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The name.
    pub name: String,
    /// The mail address.
    pub email: String,
}

/// How hydrated commits look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitSettings {
    /// Author and committer.
    pub identity: Identity,
    /// Template of the message above the trailers; `None` for the standard one.
    pub message: Option<String>,
}

/// How the proposed branch becomes the active one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// By a pull request.
    #[default]
    PullRequest,
    /// By a fast-forward of ours once the gate is open.
    Push,
    /// By somebody else: we stop at the proposed branch.
    Branch,
}

/// How the forge merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MergeMethod {
    /// A merge commit.
    Merge,
    /// One new commit.
    Squash,
    /// The commits again, on the active branch.
    Rebase,
}

impl MergeMethod {
    /// The word as it is configured.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
        }
    }
}

/// What happens to an active branch that differs from what we wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DriftPolicy {
    /// It is left alone and reported.
    #[default]
    Hold,
    /// The next proposal puts it right.
    Repair,
}

/// What later environments ask of this one before they are promoted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// Seconds that it must have been active.
    pub soak_seconds: u64,
    /// Status contexts that must be successful on its active commit.
    pub statuses: Vec<String>,
    /// What to do when one of them fails on what was just promoted.
    pub on_failure: Option<OnFailure>,
}

/// What a failed status does besides keeping later environments waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The environment goes back to its last healthy state.
    Rollback,
}

/// A time in which an environment may be merged, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeWindow {
    /// Such as `mon-thu` or `mon,wed`.
    pub days: String,
    /// Such as `09:00-16:00`.
    pub hours: String,
    /// An IANA name.
    pub timezone: String,
}

/// A time in which an environment is not merged, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Freeze {
    /// A day such as `2026-12-20`, or a time such as `2026-12-20T18:00`.
    pub from: String,
    /// The same; a day is frozen to its end.
    pub to: String,
    /// An IANA name.
    pub timezone: String,
    /// Why, for people.
    pub reason: String,
}

/// How the pull request looks; templates are checked when the configuration is loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullRequestSettings {
    /// Template of the title.
    pub title: Option<String>,
    /// Template of the body.
    pub body: Option<String>,
    /// Labels to add.
    pub labels: Vec<String>,
    /// Logins.
    pub reviewers: Vec<String>,
    /// Team names.
    pub team_reviewers: Vec<String>,
    /// Logins.
    pub assignees: Vec<String>,
    /// Whether it is opened as a draft.
    pub draft: bool,
}

/// A place that manifests are for.
#[derive(Clone, Debug, PartialEq)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// The branch that the cluster syncs.
    pub active: BranchName,
    /// The branch that proposals are written to.
    pub proposed: BranchName,
    /// How a proposal gets onto the active branch.
    pub delivery: Delivery,
    /// Whether the forge may merge without a person.
    pub auto_merge: bool,
    /// How; `None` leaves it to the forge's default.
    pub merge_method: Option<MergeMethod>,
    /// Its predecessors as configured.
    pub after: AfterPolicy,
    /// What later environments ask of it.
    pub gates: Gates,
    /// When it may be merged; empty means always.
    pub merge_windows: Vec<MergeWindow>,
    /// When it may not be merged, whatever the windows say.
    pub freezes: Vec<Freeze>,
    /// How its pull request looks.
    pub pull_request: PullRequestSettings,
    /// What to do about hand edits of the active branch.
    pub drift: DriftPolicy,
    /// Whether the whole environment may render to nothing.
    pub allow_empty: bool,
    /// The name it had before.
    pub renamed_from: Option<EnvironmentName>,
    /// Variables: the project's, overridden by the environment's.
    pub vars: BTreeMap<String, String>,
    /// Its targets, sorted by output.
    pub targets: Vec<Target>,
}

impl Environment {
    /// Whether time alone may keep it from being merged.
    pub fn has_times(&self) -> bool {
        !self.merge_windows.is_empty() || !self.freezes.is_empty()
    }
}
