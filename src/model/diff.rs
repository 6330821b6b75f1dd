//! How a preview shows changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the configuration says about showing changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiffSettings {
    /// Changes that are counted, and not shown.
    pub ignore: Vec<DiffRule>,
    /// Values that are never shown, besides those of Secrets.
    pub secrets: Vec<SecretRule>,
    /// The signals that are shown; `None` means all.
    pub signals: Option<Vec<SignalKind>>,
}

/// Hides a change from `hydrator diff` when everything that is given matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DiffRule {
    /// A JSON pointer to the field (RFC 6901); a part that is `*` matches any one.
    pub path: Option<String>,
    /// A glob on the key of an annotation, of the manifest or of a template in it.
    pub annotation: Option<String>,
    /// A glob on the key of a label, in the same places.
    pub label: Option<String>,
    /// Whether it is about new names of generated `ConfigMaps` and Secrets where they are used.
    pub generated_hashes: bool,
    /// A glob on the manifest's API group.
    pub group: Option<String>,
    /// A glob on the manifest's kind.
    pub kind: Option<String>,
    /// A glob on the manifest's name.
    pub name: Option<String>,
    /// A glob on the target's name.
    pub target: Option<String>,
}

/// A field whose value is never shown, only whether it changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretRule {
    /// A JSON pointer to the field (RFC 6901); a part that is `*` matches any one.
    pub path: String,
    /// A glob on the manifest's API group.
    pub group: Option<String>,
    /// A glob on the manifest's kind.
    pub kind: Option<String>,
    /// A glob on the manifest's name.
    pub name: Option<String>,
}

/// What a signal is about. In the order in which they are shown: the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignalKind {
    /// An object that holds data is deleted.
    DataLoss,
    /// A field changes that Kubernetes does not let change: the apply will fail.
    Immutable,
    /// Somebody may do more.
    Rbac,
    /// A container may do more.
    Privilege,
    /// Something can be reached from elsewhere, or in another way.
    Exposure,
    /// A key of a Secret changes.
    Secret,
    /// An object is deleted.
    Deletion,
    /// The number of replicas changes.
    Replicas,
    /// Requests, limits or sizes change.
    Resources,
    /// An image changes.
    Image,
}
