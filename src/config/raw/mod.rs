//! The configuration one for one as written: serde structs, whose comments are the JSON Schema's descriptions.
//!
//! Structure only; what the values mean is checked in [`super::resolve`]. Pure.

mod diff;
mod environment;
mod target;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub(super) use diff::{RawDiff, RawDiffRule, RawPreset, RawSecretRule};
pub(super) use environment::{
    RawDelivery, RawDrift, RawEnvironment, RawMergeMethod, RawOnFailure, RawPullRequest, RawWindow,
};
pub(super) use target::{RawHelm, RawOptions, RawRenderer, RawTarget};

/// The name by which [`super::de`] knows [`Text`].
pub(super) const TEXT: &str = "Text";

/// A scalar whose text counts as written: `1.10` is not `1.1`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename = "Text")]
pub(super) struct Text(pub(super) String);

impl JsonSchema for Text {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        TEXT.into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// The configuration of hydrator: which environments there are, and what is rendered for each.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(title = "hydrator.yaml")]
pub(super) struct RawConfig {
    /// The version of this file's format: 1.
    #[schemars(range(min = 1, max = 1))]
    #[expect(dead_code, reason = "checked before anything else is read; here for the schema")]
    pub(super) version: i64,
    /// The branch that people edit. Default: the forge's default branch.
    pub(super) dry_branch: Option<String>,
    /// Patterns of the branches' names.
    pub(super) branches: Option<RawBranches>,
    /// How manifests become files of a target's output. Default: `single`.
    pub(super) layout: Option<RawLayout>,
    /// How environments wait for each other.
    pub(super) promotion: Option<RawPromotion>,
    /// Whether the forge's own pages of environments show what runs where: a deployment is recorded for each DRY commit
    /// that comes to run in an environment. Default: false.
    pub(super) deployments: Option<bool>,
    /// Variables of all environments, used as `{vars.name}` and, in templates, as `vars.name`.
    pub(super) vars: Option<BTreeMap<String, Text>>,
    /// The environments, in the order of promotion.
    #[schemars(length(min = 1))]
    pub(super) environments: Vec<RawEnvironment>,
    /// What is rendered: every environment gets one target per match of a pattern.
    pub(super) targets: Option<Vec<RawTarget>>,
    /// Accepted versions of tools; a run fails when it finds another one.
    pub(super) tools: Option<RawTools>,
    /// How hydrated commits look.
    pub(super) commit: Option<RawCommit>,
    /// How pull requests look, where an environment does not say otherwise.
    pub(super) pull_request: Option<RawPullRequest>,
    /// How `hydrator diff` shows changes.
    pub(super) diff: Option<RawDiff>,
    /// Programs with their arguments, run without a shell over each target that is rendered: the last argument is a
    /// directory with one file for each manifest. One that fails makes the target fail.
    pub(super) validate: Option<Vec<Vec<String>>>,
    /// Whether renderers may fetch from the network: remote resources, charts and dependencies. Default: false.
    pub(super) allow_remote: Option<bool>,
    /// The most refs that one push may move, for forges that cap them.
    #[schemars(range(min = 1, max = 100_000))]
    pub(super) max_refs_per_push: Option<u32>,
}

/// Patterns of the branches' names.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawBranches {
    /// The branch that the cluster syncs. Default: `hydrator/{environment}`.
    pub(super) active: Option<String>,
    /// The branch that proposals are written to. Default: the active branch's name and `-next`.
    pub(super) proposed: Option<String>,
}

/// How manifests become files.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum RawLayout {
    /// `<output>/manifest.yaml`
    Single,
    /// One file per manifest.
    Split,
}

/// How environments wait for each other.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawPromotion {
    /// The order of environments without `after`. Default: `linear`.
    pub(super) order: Option<RawOrder>,
    /// What a newer DRY commit does to a waiting proposal. Default: `latest`.
    pub(super) contention: Option<RawContention>,
    /// Whether the status `hydrator/as-previewed` is set on every proposal, and fails where a preview on the DRY pull
    /// request has not shown its manifests. Default: false, it is set where they were shown.
    pub(super) as_previewed: Option<bool>,
}

/// The order of environments without `after`.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum RawOrder {
    /// Each environment waits for the one above it.
    Linear,
    /// None waits.
    None,
}

/// What a newer DRY commit does to a waiting proposal.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum RawContention {
    /// It replaces it.
    Latest,
    /// It waits until the waiting one is merged.
    Finish,
}

/// Accepted versions of tools, such as `5.8.x` or `3.19.0`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawTools {
    /// Accepted versions of kustomize.
    pub(super) kustomize: Option<String>,
    /// Accepted versions of helm.
    pub(super) helm: Option<String>,
}

/// How hydrated commits look.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawCommit {
    /// Template of the message above the trailers.
    pub(super) message: Option<String>,
    /// Author and committer.
    pub(super) author: Option<RawIdentity>,
}

/// A name and a mail address.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawIdentity {
    /// The name.
    pub(super) name: String,
    /// The mail address.
    pub(super) email: String,
}
