//! `hydrator.metadata`: what the root of a hydrated branch and each target's directory say about themselves. Pure.
//!
//! The keys, their order and their form are those of Argo CD's source hydrator, which GitOps Promoter reads too; our
//! own keys come after them, and both readers ignore those.

use camino::{Utf8Component, Utf8Path};
use serde::{Deserialize, Serialize};

use super::hold::Hold;
use super::references::Reference;
use crate::model::ObjectId;

/// The file's name, at the root and in each target's directory.
pub const METADATA_FILE: &str = "hydrator.metadata";

/// The root file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metadata {
    /// The repository's web URL, without user information and `.git`.
    #[serde(rename = "repoURL", skip_serializing_if = "String::is_empty")]
    pub repo_url: String,
    /// The DRY commit that made this hydrated commit.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub dry_sha: String,
    /// `Name <email>` of the DRY commit's author.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// RFC 3339; never empty when present, since GitOps Promoter's reader fails on that.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub date: String,
    /// The DRY commit's message up to the first blank line.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The rest, without the references' trailers.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// Commits of applications that the DRY commit names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<Reference>,
    /// Ours: the output paths that we own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Ours: the path of the configuration that wrote this.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub config: String,
    /// Ours: a digest of the owned manifests, so that a hand edit is noticed without any history.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub manifests: String,
    /// Ours: why the environment stays where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold: Option<Hold>,
    /// Ours: `rollback` or `resume` on a proposal that is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
}

/// What a proposal is, when it is not an ordinary one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// It puts back an older state.
    Rollback,
    /// It ends a hold.
    Resume,
}

/// What a proposal says besides where its manifests come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// What stays where it is.
    pub hold: Option<Hold>,
    /// What it is, where it is no ordinary proposal.
    pub intent: Option<Intent>,
}

impl Metadata {
    /// Reads a branch's root file; `None` if it is not one. Output paths that nobody could own are dropped.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut metadata: Self = serde_json::from_slice(bytes).ok()?;
        metadata.targets.retain(|path| is_output_path(path));
        if let Some(hold) = &mut metadata.hold {
            hold.targets.retain(|path, _| is_output_path(path));
        }
        Some(metadata)
    }

    /// The DRY commit, when the file names a full id.
    pub fn dry_commit(&self) -> Option<ObjectId> {
        ObjectId::parse(&self.dry_sha)
    }
}

/// The short form in a target's directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TargetMetadata {
    /// As at the root.
    #[serde(rename = "repoURL", skip_serializing_if = "String::is_empty")]
    pub repo_url: String,
    /// The last DRY commit that changed this target's manifests.
    #[serde(rename = "drySha")]
    pub dry_sha: String,
    /// How to make the manifests again; without values and secrets.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
}

/// JSON as both readers' own writers make it: two spaces, one newline at the end.
pub fn to_json(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

fn is_output_path(path: &str) -> bool {
    let path = Utf8Path::new(path);
    !path.as_str().is_empty() && path.components().all(|part| matches!(part, Utf8Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_fields_are_left_out_and_html_is_not_escaped() {
        let metadata = Metadata { dry_sha: "ab".into(), subject: "a < b & c".into(), ..Metadata::default() };
        let text = String::from_utf8(to_json(&metadata).unwrap()).unwrap();
        assert_eq!(text, "{\n  \"drySha\": \"ab\",\n  \"subject\": \"a < b & c\"\n}\n");
    }

    #[test]
    fn paths_that_nobody_could_own_are_dropped() {
        let metadata =
            Metadata::parse(br#"{"targets":["web","../x","/etc","a/../b","a/b",""],"other":1}"#).unwrap();
        assert_eq!(metadata.targets, ["web", "a/b"]);
        assert_eq!(Metadata::parse(b"not json"), None);
    }
}
