//! The notes of `refs/notes/hydrator.metadata`: which DRY commit each hydrated commit has been brought up to.
//!
//! Shared with other writers (Argo CD, GitOps Promoter): foreign notes are kept, and an entry is found and replaced
//! wherever it stands, flat (`<40 digits>`) or fanned out (`ab/cd…`), as git's own reader does.

use std::collections::BTreeMap;

use anyhow::Result;
use camino::Utf8PathBuf;

use super::encode::NewCommit;
use super::objects::Objects;
use crate::model::{EntryKind, Moment, ObjectId, Person};

/// The ref of the notes.
pub const NOTES_REF: &str = "refs/notes/hydrator.metadata";

/// Names the DRY commit of the notes in a notes commit's message.
const TRAILER: &str = "Hydrator-Dry-Sha";

/// A note as it is written: `{"drySha":"…"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Note {
    /// The DRY commit that the commit has been brought up to.
    #[serde(rename = "drySha")]
    pub dry_sha: ObjectId,
    /// Whether it is a proposal that a run is taking back: its pull request is closed by us then, not by a person.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

impl Objects<'_> {
    /// The blobs that hold notes about each of `commits`, by commit; several if several writers left some.
    pub fn note_blobs(
        self,
        notes: ObjectId,
        commits: &[ObjectId],
    ) -> Result<BTreeMap<ObjectId, Vec<ObjectId>>> {
        let tree = self.commit(notes)?.tree;
        let mut found = BTreeMap::new();
        for commit in commits {
            let entries = self.note_entries(tree, *commit)?;
            if !entries.is_empty() {
                found.insert(*commit, entries.into_iter().map(|(_, id)| id).collect());
            }
        }
        Ok(found)
    }

    /// The first readable note of `blobs`.
    pub fn note(self, blobs: &[ObjectId]) -> Result<Option<Note>> {
        for blob in blobs {
            let note = self.blob(*blob)?.and_then(|bytes| serde_json::from_slice::<Note>(&bytes).ok());
            if note.is_some() {
                return Ok(note);
            }
        }
        Ok(None)
    }

    /// Writes one notes commit on top of `notes` that says what `entries` say; `None` if the notes say so already.
    pub fn write_notes(
        self,
        notes: Option<ObjectId>,
        entries: &BTreeMap<ObjectId, Note>,
        signed: (&Person, Moment),
    ) -> Result<Option<ObjectId>> {
        let old = notes.map(|notes| self.commit(notes)).transpose()?;
        let old_tree = old.as_ref().map(|old| old.tree);
        let mut edits = BTreeMap::new();
        for (commit, note) in entries {
            let blob = self.write_note(*note)?;
            let standing =
                old_tree.map(|tree| self.note_entries(tree, *commit)).transpose()?.unwrap_or_default();
            let home = standing.first().map_or_else(|| commit.to_string().into(), |(path, _)| path.clone());
            edits.extend(standing.into_iter().skip(1).map(|(path, _)| (path.into_string(), None)));
            edits.insert(home.into_string(), Some((EntryKind::File, blob)));
        }
        let Some(tree) = self.replace_all(old_tree, &edits)? else { return Ok(None) };
        if Some(tree) == old_tree {
            return Ok(None);
        }
        let (identity, moment) = signed;
        let committed = old.as_ref().map_or(moment, |old| old.committed.later(moment));
        let named =
            entries.values().next().map(|note| format!("{TRAILER}: {}\n", note.dry_sha)).unwrap_or_default();
        let message = format!("Notes added by hydrator\n\n{named}");
        let parents: Vec<ObjectId> = notes.into_iter().collect();
        let new = NewCommit {
            tree,
            parents: &parents,
            identity,
            authored: committed,
            committed,
            message: &message,
        };
        self.write_commit(&new).map(Some)
    }

    /// Makes the notes readable that say what the newest notes commit said, without fetching them: nearly all of
    /// them are the same few bytes, and those are known from the commit's message.
    pub fn expect_notes(self, notes: ObjectId) -> Result<()> {
        let commit = self.commit(notes)?;
        match commit.trailer(TRAILER).and_then(ObjectId::parse) {
            Some(dry_sha) => self.write_note(Note { dry_sha, withdrawn: false }).map(drop),
            None => Ok(()),
        }
    }

    fn write_note(self, note: Note) -> Result<ObjectId> {
        self.write_blob(format!("{}\n", serde_json::to_string(&note)?).as_bytes())
    }

    /// Every place where a note about `commit` stands: the fan-out may be two digits deep at each level.
    fn note_entries(self, tree: ObjectId, commit: ObjectId) -> Result<Vec<(Utf8PathBuf, ObjectId)>> {
        let digits = commit.to_string();
        let mut found = Vec::new();
        let mut directory = Utf8PathBuf::new();
        let mut tree = tree;
        let mut start = 0;
        loop {
            if let Some(entry) =
                self.entry(tree, digits[start..].into())?.filter(|entry| entry.kind != EntryKind::Directory)
            {
                found.push((directory.join(&digits[start..]), entry.id));
            }
            if start + 2 >= digits.len() {
                return Ok(found);
            }
            let fan = &digits[start..start + 2];
            let Some(below) =
                self.entry(tree, fan.into())?.filter(|entry| entry.kind == EntryKind::Directory)
            else {
                return Ok(found);
            };
            tree = below.id;
            directory.push(fan);
            start += 2;
        }
    }
}
