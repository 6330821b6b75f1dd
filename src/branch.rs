//! A hydrated branch's tip as it was found: its commit, its metadata, and the manifests that we own on it.
//!
//! Does I/O: it reads objects of the scratch repository.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::git::{Objects, Scratch, TreeEntry, hash_of};
use crate::hydrate::message::DRY_SHA_TRAILER;
use crate::hydrate::{GIT_ATTRIBUTES_FILE, Hold, Intent, METADATA_FILE, Metadata, README_FILE};
use crate::model::{Commit, EntryKind, ObjectId};

/// The manifests that we own on a branch: by output path, the tree of the manifest files alone.
pub type Content = BTreeMap<String, ObjectId>;

/// The tip of an active or a proposed branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tip {
    /// The commit.
    pub commit: Commit,
    /// The root's metadata; `None` if there is no such file or it is not ours to read.
    pub metadata: Option<Metadata>,
    /// The manifests that its metadata lists as ours.
    pub content: Content,
    /// The tree of everything that is not ours; `None` if there is nothing else.
    pub foreign: Option<ObjectId>,
    /// Whether the manifests are what the metadata's writer wrote.
    pub intact: bool,
}

/// The blob of a commit's root metadata, to be fetched before the tip is read.
pub fn metadata_blob(objects: Objects<'_>, commit: ObjectId) -> Result<Option<ObjectId>> {
    let tree = objects.commit(commit)?.tree;
    let entry = objects.entry(tree, METADATA_FILE.into())?;
    Ok(entry
        .filter(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable))
        .map(|entry| entry.id))
}

/// A digest of owned manifests: it names every output and its tree.
pub fn digest(content: &Content) -> Result<ObjectId> {
    let lines: Vec<String> = content.iter().map(|(output, tree)| format!("{output}\0{tree}\n")).collect();
    hash_of(lines.concat().as_bytes())
}

impl Tip {
    /// Reads the tip; the metadata's blob must be here.
    pub fn read(objects: Objects<'_>, id: ObjectId) -> Result<Self> {
        let commit = objects.commit(id)?;
        let blob = metadata_blob(objects, id)?;
        let bytes = blob.map(|blob| objects.blob(blob)).transpose()?.flatten();
        let metadata = bytes.and_then(|bytes| Metadata::parse(&bytes));
        let targets = metadata.as_ref().map(|metadata| metadata.targets.as_slice()).unwrap_or_default();
        let content = content_at(objects, commit.tree, targets.iter())?;
        let foreign = foreign_tree(objects, commit.tree, targets)?;
        let digest = digest(&content)?.to_string();
        let intact = metadata
            .as_ref()
            .is_some_and(|metadata| metadata.manifests == digest && content.len() == targets.len());
        Ok(Self { commit, metadata, content, foreign, intact })
    }

    /// What another tree holds at the paths that `like` owns.
    pub fn content_of(objects: Objects<'_>, tree: ObjectId, like: &Self) -> Result<Content> {
        content_at(objects, tree, like.content.keys())
    }

    /// What it holds at these outputs, owned or not.
    pub fn content_at<'a>(
        &self,
        objects: Objects<'_>,
        outputs: impl Iterator<Item = &'a String>,
    ) -> Result<Content> {
        content_at(objects, self.commit.tree, outputs)
    }

    /// Whether all that it holds besides our own is what the other one holds, but for what either of them owns.
    pub fn has_only_foreign_of(&self, objects: Objects<'_>, other: &Self) -> Result<bool> {
        let owned = [self, other].map(|tip| tip.metadata.as_ref().map(|metadata| metadata.targets.clone()));
        let owned: Vec<String> = owned.into_iter().flatten().flatten().collect();
        Ok(self.foreign == foreign_tree(objects, other.commit.tree, &owned)?)
    }

    /// Whether a proposed tip may carry other files than the active branch has now: those that the active branch had when
    /// a run made the commit, or when it was merged into it.
    pub fn may_differ(&self) -> bool {
        self.commit.parents.len() > 1 || self.commit.trailer(DRY_SHA_TRAILER).is_some()
    }

    /// Whether the branch holds nothing at all yet, as after its first commit.
    pub fn is_blank(&self) -> bool {
        self.metadata.is_none() && self.foreign.is_none()
    }

    /// Why it, or some of its targets, stay where they are.
    pub fn hold(&self) -> Option<&Hold> {
        self.metadata.as_ref()?.hold.as_ref()
    }

    /// What it is, where it is no ordinary proposal.
    pub fn intent(&self) -> Option<Intent> {
        self.metadata.as_ref()?.intent
    }

    /// Whether this is what it holds: the same manifests, and the same held back. A hold counts as content.
    pub fn is(&self, content: &Content, hold: Option<&Hold>) -> bool {
        let same_hold = match (self.hold(), hold) {
            (None, None) => true,
            (Some(own), Some(other)) => own.holds_as(other),
            _ => false,
        };
        self.content == *content && same_hold
    }

    /// Whether both hold the same.
    pub fn is_like(&self, other: &Self) -> bool {
        self.is(&other.content, other.hold())
    }

    /// Whether what it says of itself was never there before on its branch, down to a thousand commits: it was written as
    /// a proposal, such as a rollback, and the forge's squash left our words out, as GitLab's does. What a Revert button
    /// puts back says the same again.
    pub fn is_new_there(&self, scratch: &Scratch) -> Result<bool> {
        let objects = scratch.objects();
        let said = metadata_blob(objects, self.commit.id)?;
        if !self.intact {
            return Ok(false);
        }
        for depth in [50, 1000] {
            scratch.fetch_history(&BTreeSet::from([self.commit.id]), depth)?;
            let mut current = self.commit.id;
            let mut said_otherwise = false;
            while objects.has(current) {
                let same = metadata_blob(objects, current)? == said;
                if same && said_otherwise {
                    return Ok(false);
                }
                said_otherwise |= !same;
                match objects.commit(current)?.parents.first() {
                    Some(parent) => current = *parent,
                    None => return Ok(true),
                }
            }
        }
        Ok(true)
    }

    /// The DRY commit that its metadata names.
    pub fn dry_sha(&self) -> Option<ObjectId> {
        self.metadata.as_ref().and_then(Metadata::dry_commit)
    }
}

fn content_at<'a>(
    objects: Objects<'_>,
    tree: ObjectId,
    outputs: impl Iterator<Item = &'a String>,
) -> Result<Content> {
    let mut content = Content::new();
    for output in outputs {
        if let Some(tree) = manifest_tree(objects, tree, output)? {
            content.insert(output.clone(), tree);
        }
    }
    Ok(content)
}

/// The tree of a target's manifest files: its directory without our metadata and README.
fn manifest_tree(objects: Objects<'_>, root: ObjectId, output: &str) -> Result<Option<ObjectId>> {
    let Some(entry) = objects.entry(root, output.into())? else { return Ok(None) };
    if entry.kind != EntryKind::Directory {
        // A file where our directory was: not what we wrote, and not empty either.
        return Ok(Some(entry.id));
    }
    let entries = objects.tree(entry.id)?;
    let manifests: Vec<TreeEntry> = entries
        .into_iter()
        .filter(|entry| entry.name != METADATA_FILE && entry.name != README_FILE)
        .collect();
    if manifests.is_empty() { Ok(None) } else { objects.write_tree(&manifests).map(Some) }
}

fn foreign_tree(objects: Objects<'_>, root: ObjectId, targets: &[String]) -> Result<Option<ObjectId>> {
    let own = targets.iter().map(String::as_str).chain([METADATA_FILE, GIT_ATTRIBUTES_FILE]);
    objects.replace_all(Some(root), &own.map(|path| (path.to_owned(), None)).collect())
}
