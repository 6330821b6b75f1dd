//! `environments[]` as written. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{RawTarget, Text};

/// A place that manifests are for.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawEnvironment {
    /// Its name: lower-case letters, digits, `.`, `_`, `-`.
    pub(in crate::config) name: String,
    /// The branch that the cluster syncs. Default: from `branches.active`.
    pub(in crate::config) active: Option<String>,
    /// The branch that proposals are written to. Default: from `branches.proposed`.
    pub(in crate::config) proposed: Option<String>,
    /// How a proposal gets onto the active branch. Default: `pull-request`.
    pub(in crate::config) delivery: Option<RawDelivery>,
    /// Whether the forge may merge without a person, once the gates are open. Default: false.
    pub(in crate::config) auto_merge: Option<bool>,
    /// How the forge merges. Default: as the forge does.
    pub(in crate::config) merge_method: Option<RawMergeMethod>,
    /// The environments that it waits for; replaces `promotion.order`; an empty list means none.
    pub(in crate::config) after: Option<Vec<String>>,
    /// What the environments after this one ask of it.
    pub(in crate::config) gates: Option<RawGates>,
    /// When it may be merged. Default: always.
    pub(in crate::config) merge_windows: Option<Vec<RawWindow>>,
    /// Variables; they win over the ones of all environments.
    pub(in crate::config) vars: Option<BTreeMap<String, Text>>,
    /// How its pull request looks; what is given replaces the default for all environments.
    pub(in crate::config) pull_request: Option<RawPullRequest>,
    /// What to do about an active branch that was edited by hand. Default: `hold`.
    pub(in crate::config) drift: Option<RawDrift>,
    /// Whether the whole environment may render to nothing. Default: false.
    pub(in crate::config) allow_empty: Option<bool>,
    /// The name that it had before; its state is carried over.
    pub(in crate::config) renamed_from: Option<String>,
    /// Targets of this environment alone.
    pub(in crate::config) targets: Option<Vec<RawTarget>>,
}

/// How a proposal gets onto the active branch.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawDelivery {
    /// By a pull request.
    PullRequest,
    /// By a fast-forward of ours, once the gate is open.
    Push,
    /// By somebody else: hydrator stops at the proposed branch.
    Branch,
}

/// How the forge merges.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::config) enum RawMergeMethod {
    /// A merge commit.
    Merge,
    /// One new commit.
    Squash,
    /// The commits again, on the active branch.
    Rebase,
}

/// What to do about an active branch that was edited by hand.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::config) enum RawDrift {
    /// Leave it, report it, wait for `hydrator resume`.
    Hold,
    /// The next proposal puts it right.
    Repair,
}

/// What the environments after this one ask of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawGates {
    /// How long it must have been active, such as `30m` or `1h30m`.
    pub(in crate::config) soak: Option<String>,
    /// Status contexts that must be successful on its active commit.
    pub(in crate::config) statuses: Option<Vec<String>>,
    /// What to do when one of these statuses fails on what was just promoted.
    pub(in crate::config) on_failure: Option<RawOnFailure>,
}

/// What a failed status does besides keeping later environments waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::config) enum RawOnFailure {
    /// `hydrator promote` rolls the environment back to the last state whose statuses were all successful, once.
    Rollback,
}

/// A time in which an environment may be merged; with `from` and `to` a freeze, in which it may not.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawWindow {
    /// Days, such as `mon-thu` or `mon,wed`. Default: every day.
    pub(in crate::config) days: Option<String>,
    /// Hours, such as `09:00-16:00`; the end may be before the start and is then on the next day. Default: all day.
    pub(in crate::config) hours: Option<String>,
    /// An IANA time zone, such as `Europe/Berlin`. Default: `UTC`.
    pub(in crate::config) timezone: Option<String>,
    /// Where a freeze begins: a day such as `2026-12-20`, or a time such as `2026-12-20T18:00`.
    pub(in crate::config) from: Option<String>,
    /// Where it ends; a day is frozen to its end.
    pub(in crate::config) to: Option<String>,
    /// Why it is frozen; people read it where something waits.
    pub(in crate::config) reason: Option<String>,
}

/// How a pull request looks. Title and body are templates.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawPullRequest {
    /// Template of the title.
    pub(in crate::config) title: Option<String>,
    /// Template of the body.
    pub(in crate::config) body: Option<String>,
    /// Labels to add.
    pub(in crate::config) labels: Option<Vec<String>>,
    /// People who are asked for a review.
    pub(in crate::config) reviewers: Option<Vec<String>>,
    /// Teams that are asked for a review.
    pub(in crate::config) team_reviewers: Option<Vec<String>>,
    /// People to whom it is assigned.
    pub(in crate::config) assignees: Option<Vec<String>>,
    /// Whether it is opened as a draft. Default: false.
    pub(in crate::config) draft: Option<bool>,
}
