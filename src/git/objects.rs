//! Objects of the scratch repository: reading commits, trees and blobs, and writing new ones.
//!
//! Does I/O on the scratch repository only. An object that a partial fetch left out reads as `None`.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use git2::{ErrorCode, ObjectType, OdbLookupFlags, Repository};

use super::encode::{self, NewCommit, TreeEntry};
use super::ids::{object_id, oid};
use super::pending::Pending;
use crate::error::Failure;
use crate::model::{Commit, EntryKind, Moment, ObjectId, Person};

/// Reads and writes objects of one repository.
#[derive(Clone, Copy)]
pub struct Objects<'r> {
    repository: &'r Repository,
    /// Where new objects wait; without it they are written at once.
    pending: Option<&'r Pending>,
}

/// Edits of a tree by `/`-separated path: what shall be there, or `None` for nothing.
pub type Edits = BTreeMap<String, Option<(EntryKind, ObjectId)>>;

fn kind_of_mode(mode: i32) -> EntryKind {
    match mode {
        0o040_000 => EntryKind::Directory,
        0o120_000 => EntryKind::Link,
        0o160_000 => EntryKind::Submodule,
        0o100_755 => EntryKind::Executable,
        _ => EntryKind::File,
    }
}

impl<'r> Objects<'r> {
    pub(super) const fn repository(self) -> &'r Repository {
        self.repository
    }

    /// The objects of a repository to which new ones are written at once.
    pub(super) const fn written_at_once(repository: &'r Repository) -> Self {
        Self { repository, pending: None }
    }

    /// The objects of a repository to which new ones are written when they are needed.
    pub(super) const fn written_late(repository: &'r Repository, pending: &'r Pending) -> Self {
        Self { repository, pending: Some(pending) }
    }

    /// Whether the object is here. Packs that other processes wrote meanwhile are not looked for: who lets one write
    /// says so to the repository.
    pub fn has(self, id: ObjectId) -> bool {
        let written =
            || self.repository.odb().is_ok_and(|odb| odb.exists_ext(oid(id), OdbLookupFlags::NO_REFRESH));
        self.pending.is_some_and(|pending| pending.has(id)) || written()
    }

    /// Reads a commit.
    pub fn commit(self, id: ObjectId) -> Result<Commit> {
        self.keep(&[id])?;
        let commit =
            self.repository.find_commit(oid(id)).with_context(|| format!("cannot read commit {id}"))?;
        let encoding = commit.message_encoding().ok().flatten().map(str::to_owned);
        let author = commit.author();
        let moment =
            |time: git2::Time| Moment { seconds: time.seconds(), offset_minutes: time.offset_minutes() };
        let text = |bytes: &[u8]| decode(bytes, encoding.as_deref());
        Ok(Commit {
            id,
            tree: object_id(commit.tree_id()),
            parents: commit.parent_ids().map(object_id).collect(),
            author: Person { name: text(author.name_bytes()), email: text(author.email_bytes()) },
            authored: moment(author.when()),
            committed: moment(commit.committer().when()),
            message: text(commit.message_raw_bytes()),
        })
    }

    /// The entries of a tree, in git's order.
    pub fn tree(self, id: ObjectId) -> Result<Vec<TreeEntry>> {
        if let Some(bytes) = self.pending(id, ObjectType::Tree) {
            return encode::entries(&bytes).with_context(|| format!("cannot read tree {id}"));
        }
        let tree = self.repository.find_tree(oid(id)).with_context(|| format!("cannot read tree {id}"))?;
        tree.iter()
            .map(|entry| {
                let name = std::str::from_utf8(entry.name_bytes())
                    .map_err(|_| Failure::git(format!("tree {id} has a file name that is not UTF-8")))?;
                let kind = kind_of_mode(entry.filemode_raw());
                Ok(TreeEntry { name: name.to_owned(), kind, id: object_id(entry.id()) })
            })
            .collect()
    }

    /// The entry at `path` below `tree`.
    pub fn entry(self, tree: ObjectId, path: &Utf8Path) -> Result<Option<TreeEntry>> {
        if let Some(bytes) = self.pending(tree, ObjectType::Tree) {
            let entries = encode::entries(&bytes).with_context(|| format!("cannot read tree {tree}"))?;
            let (name, rest) = path.as_str().split_once('/').unwrap_or((path.as_str(), ""));
            let found = entries.into_iter().find(|entry| entry.name == name);
            return match found {
                Some(found) if rest.is_empty() => Ok(Some(found)),
                Some(found) if found.kind == EntryKind::Directory => self.entry(found.id, rest.into()),
                _ => Ok(None),
            };
        }
        let tree =
            self.repository.find_tree(oid(tree)).with_context(|| format!("cannot read tree {tree}"))?;
        match tree.get_path(path.as_std_path()) {
            Ok(entry) => Ok(Some(TreeEntry {
                name: path.file_name().unwrap_or_default().to_owned(),
                kind: kind_of_mode(entry.filemode_raw()),
                id: object_id(entry.id()),
            })),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read `{path}` of tree {}", tree.id())),
        }
    }

    /// A blob's content; `None` if it is not here.
    pub fn blob(self, id: ObjectId) -> Result<Option<Vec<u8>>> {
        if let Some(bytes) = self.pending(id, ObjectType::Blob) {
            return Ok(Some(bytes));
        }
        match self.repository.find_blob(oid(id)) {
            Ok(blob) => Ok(Some(blob.content().to_vec())),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read blob {id}")),
        }
    }

    /// Writes a blob.
    pub fn write_blob(self, bytes: &[u8]) -> Result<ObjectId> {
        self.add(ObjectType::Blob, bytes.to_vec()).context("cannot write a blob")
    }

    /// Writes a tree with exactly these files, given by `/`-separated path.
    pub fn write_files(self, files: &BTreeMap<String, ObjectId>) -> Result<ObjectId> {
        let mut own = Vec::new();
        let mut below: BTreeMap<&str, BTreeMap<String, ObjectId>> = BTreeMap::new();
        for (path, id) in files {
            match path.split_once('/') {
                Some((directory, rest)) => {
                    below.entry(directory).or_default().insert(rest.to_owned(), *id);
                }
                None => own.push(TreeEntry { name: path.clone(), kind: EntryKind::File, id: *id }),
            }
        }
        for (name, files) in below {
            let id = self.write_files(&files)?;
            own.push(TreeEntry { name: name.to_owned(), kind: EntryKind::Directory, id });
        }
        self.write_tree(&own)
    }

    /// Writes a tree with exactly these entries.
    pub fn write_tree(self, entries: &[TreeEntry]) -> Result<ObjectId> {
        self.add(ObjectType::Tree, encode::tree(entries)?).context("cannot write a tree")
    }

    /// `tree` with `path` replaced by `entry`, or removed; directories that become empty go too.
    ///
    /// A file in the place of a directory of `path` is an error: it is not ours to remove.
    pub fn replace(
        self,
        tree: Option<ObjectId>,
        path: &Utf8Path,
        entry: Option<(EntryKind, ObjectId)>,
    ) -> Result<Option<ObjectId>> {
        self.replace_all(tree, &BTreeMap::from([(path.to_string(), entry)]))
    }

    /// [`Self::replace`] for many paths at once, none of which lies inside another.
    pub fn replace_all(self, tree: Option<ObjectId>, edits: &Edits) -> Result<Option<ObjectId>> {
        let mut entries = tree.map(|tree| self.tree(tree)).transpose()?.unwrap_or_default();
        let mut below: BTreeMap<&str, Edits> = BTreeMap::new();
        for (path, edit) in edits {
            if let Some((directory, rest)) = path.split_once('/') {
                below.entry(directory).or_default().insert(rest.to_owned(), *edit);
            } else {
                entries.retain(|entry| entry.name != *path);
                entries.extend(edit.map(|(kind, id)| TreeEntry { name: path.clone(), kind, id }));
            }
        }
        for (name, edits) in below {
            let old = entries.iter().find(|entry| entry.name == name).cloned();
            if let Some(old) = old.as_ref().filter(|old| old.kind != EntryKind::Directory) {
                if edits.values().all(Option::is_none) {
                    continue;
                }
                return Err(
                    Failure::git(format!("`{}` is a file where a directory is needed", old.name)).into()
                );
            }
            let new = self.replace_all(old.map(|old| old.id), &edits)?;
            entries.retain(|entry| entry.name != name);
            entries.extend(new.map(|id| TreeEntry { name: name.to_owned(), kind: EntryKind::Directory, id }));
        }
        if entries.is_empty() { Ok(None) } else { self.write_tree(&entries).map(Some) }
    }

    /// Writes a commit; no ref moves.
    pub fn write_commit(self, new: &NewCommit<'_>) -> Result<ObjectId> {
        self.add(ObjectType::Commit, encode::commit(new)?).context("cannot write a commit")
    }

    /// Writes what is reachable from these objects and not written yet, for another process to see.
    pub(super) fn keep(self, ids: &[ObjectId]) -> Result<()> {
        self.pending.map_or(Ok(()), |pending| pending.keep(self.repository, ids))
    }

    fn pending(self, id: ObjectId, kind: ObjectType) -> Option<Vec<u8>> {
        self.pending.and_then(|pending| pending.get(id, kind))
    }

    fn add(self, kind: ObjectType, bytes: Vec<u8>) -> Result<ObjectId, git2::Error> {
        match self.pending {
            Some(pending) => pending.add(self.repository, kind, bytes),
            None => Ok(object_id(self.repository.odb()?.write(kind, &bytes)?)),
        }
    }
}

/// Bytes as text by the commit's encoding header, else UTF-8, lossily.
fn decode(bytes: &[u8], encoding: Option<&str>) -> String {
    let known = encoding.and_then(|label| encoding_rs::Encoding::for_label(label.as_bytes()));
    match (std::str::from_utf8(bytes), known) {
        (Ok(text), None) => text.to_owned(),
        (_, Some(known)) => known.decode(bytes).0.into_owned(),
        (Err(_), None) => String::from_utf8_lossy(bytes).into_owned(),
    }
}
