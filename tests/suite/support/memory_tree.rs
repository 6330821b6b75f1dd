//! A DRY tree in memory, made from a list of paths: fast enough for thousands of directories.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use hydrator::model::{DryEntry, DryTree, EntryKind};

/// A DRY tree in memory.
#[derive(Default)]
pub(crate) struct MemoryTree {
    directories: BTreeMap<Utf8PathBuf, BTreeMap<String, EntryKind>>,
    contents: BTreeMap<Utf8PathBuf, Vec<u8>>,
}

impl MemoryTree {
    /// Makes a tree of `listing`, one entry a line: `path` is an empty file, `path -> target` a link, `path @` a
    /// submodule, `path/` an empty directory (which git does not have); `#` starts a comment.
    pub(crate) fn parse(listing: &str) -> Self {
        let mut tree = Self::default();
        for line in listing.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some((path, target)) = line.split_once(" -> ") {
                tree.add(path, EntryKind::Link, target.as_bytes());
            } else if let Some(path) = line.strip_suffix(" @") {
                tree.add(path, EntryKind::Submodule, b"");
            } else {
                tree.add(line, EntryKind::File, b"");
            }
        }
        tree
    }

    /// Adds a file.
    pub(crate) fn file(mut self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.add(path, EntryKind::File, content.as_ref());
        self
    }

    fn add(&mut self, path: &str, kind: EntryKind, content: &[u8]) {
        let path = Utf8Path::new(path);
        self.contents.insert(path.to_owned(), content.to_owned());
        let (mut child, mut kind) = (path, kind);
        while let (Some(name), Some(parent)) = (child.file_name(), child.parent()) {
            self.directories.entry(parent.to_owned()).or_default().insert(name.to_owned(), kind);
            (child, kind) = (parent, EntryKind::Directory);
        }
    }
}

impl DryTree for MemoryTree {
    fn list(&self, path: &Utf8Path) -> anyhow::Result<Option<Vec<DryEntry>>> {
        let Some(entries) = self.directories.get(path) else { return Ok(None) };
        let entry = |(name, kind): (&String, &EntryKind)| {
            // A directory's id is never asked for.
            let content = self.contents.get(&path.join(name)).map_or(&[][..], Vec::as_slice);
            Ok(DryEntry { name: name.clone(), kind: *kind, id: hydrator::git::hash_of(content)? })
        };
        entries.iter().map(entry).collect::<anyhow::Result<_>>().map(Some)
    }

    fn entry(&self, path: &Utf8Path) -> anyhow::Result<Option<DryEntry>> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return Ok(None) };
        let entries = self.list(parent)?.unwrap_or_default();
        Ok(entries.into_iter().find(|entry| entry.name == name))
    }

    fn read(&self, path: &Utf8Path) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.contents.get(path).cloned())
    }
}
