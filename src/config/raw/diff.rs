//! `diff` as written. Pure.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::model::SignalKind;

/// How `hydrator diff` shows changes. What counts is what the DRY branch says, not what a pull request makes of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawDiff {
    /// Changes that are counted but not shown.
    pub(in crate::config) ignore: Option<Vec<RawDiffRule>>,
    /// Values that are never shown, besides those of Secrets: only whether they changed.
    pub(in crate::config) secrets: Option<Vec<RawSecretRule>>,
    /// The signals that are shown. Default: all.
    pub(in crate::config) signals: Option<Vec<SignalKind>>,
}

/// Hides a change when everything that is given matches; at least one of them must be.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawDiffRule {
    /// A rule that is often wanted, by its name.
    pub(in crate::config) preset: Option<RawPreset>,
    /// A JSON pointer to the field, such as `/metadata/labels/helm.sh~1chart`; a part that is `*` matches any one.
    /// An item is named by its place, or by its key: `/spec/template/spec/containers/app/image`.
    pub(in crate::config) path: Option<String>,
    /// A glob on the key of an annotation, of the manifest or of a template in it.
    pub(in crate::config) annotation: Option<String>,
    /// A glob on the key of a label, of the manifest or of a template in it.
    pub(in crate::config) label: Option<String>,
    /// A glob on the manifest's API group; the core group is empty.
    pub(in crate::config) group: Option<String>,
    /// A glob on the manifest's kind.
    pub(in crate::config) kind: Option<String>,
    /// A glob on the manifest's name.
    pub(in crate::config) name: Option<String>,
    /// A glob on the target's name.
    pub(in crate::config) target: Option<String>,
}

/// A rule that is often wanted.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::config) enum RawPreset {
    /// The labels in which charts write their version: `helm.sh/chart`, `chart` and `app.kubernetes.io/version`.
    HelmLabels,
    /// Annotations whose key begins with `checksum/`.
    ChecksumAnnotations,
    /// New names of generated `ConfigMaps` and Secrets where they are used.
    GeneratedHashes,
}

/// A field whose value is never shown.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawSecretRule {
    /// A JSON pointer to the field, such as `/spec/values/password`; a part that is `*` matches any one.
    /// An item is named by its place, or by its key: `/spec/template/spec/containers/app/image`.
    pub(in crate::config) path: String,
    /// A glob on the manifest's API group; the core group is empty.
    pub(in crate::config) group: Option<String>,
    /// A glob on the manifest's kind.
    pub(in crate::config) kind: Option<String>,
    /// A glob on the manifest's name.
    pub(in crate::config) name: Option<String>,
}
