//! The field's words as types. Depends on nothing else in the crate and does no I/O.

mod commit;
mod diff;
mod dry_tree;
mod manifest;
mod names;
mod project;
mod pull_request;
mod report;
mod target;

pub use commit::{Commit, Moment, Person};
pub use diff::{DiffRule, DiffSettings, SecretRule, SignalKind};
pub use dry_tree::{DryEntry, DryTree, EntryKind};
pub use manifest::{Manifest, ManifestId, ManifestPart};
pub use names::{BranchName, CommitId, EnvironmentName, ObjectId};
pub use project::{
    AfterPolicy, CommitSettings, Contention, Delivery, DriftPolicy, Environment, Freeze, Gates, Identity,
    Layout, MergeMethod, MergeWindow, OnFailure, Order, Project, PullRequestSettings,
};
pub use pull_request::{
    CommitState, CommitStatus, LabelNames, PullRequest, PullRequestOutline, PullRequestState,
};
pub use report::{
    DryRevertReport, EnvironmentReport, ErrorReport, HoldReport, Operation, PromotionReport,
    PullRequestOperation, PullRequestReport, RunReport, TargetReport,
};
pub use target::{
    ChartSource, CommandOptions, HelmOptions, KustomizeOptions, PlainOptions, Renderer, Target,
    TemplateOptions, Tool, ValueFile,
};
