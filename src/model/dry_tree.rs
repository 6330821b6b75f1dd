//! The DRY tree as a value to read from: a commit's tree, or a work tree for local commands.

use camino::{Utf8Path, Utf8PathBuf};

use super::ObjectId;

/// What an entry of a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A regular file with the executable bit.
    Executable,
    /// A symbolic link; its content is the target's path.
    Link,
    /// A submodule: a commit of another repository, which is not here.
    Submodule,
}

/// One entry of a directory of the DRY tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DryEntry {
    /// The entry's own name, without its directory.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its git object id: what its content is, without reading it.
    pub id: ObjectId,
}

/// Read access to the DRY tree. Paths are relative to the repository's root, `/`-separated, without `.` and `..`;
/// the empty path is the root. Symbolic links are never followed.
pub trait DryTree: Sync {
    /// The entries of directory `path`, sorted by name in byte order; `None` if it is not a directory of the tree.
    fn list(&self, path: &Utf8Path) -> anyhow::Result<Option<Vec<DryEntry>>>;

    /// The entry at `path`; `None` if there is none. The root has no entry.
    fn entry(&self, path: &Utf8Path) -> anyhow::Result<Option<DryEntry>>;

    /// The content of the file or link at `path`; `None` if there is no file or link.
    fn read(&self, path: &Utf8Path) -> anyhow::Result<Option<Vec<u8>>>;

    /// Every file and link below `path`, as full paths with their entries, in byte order of the path.
    fn walk(&self, path: &Utf8Path) -> anyhow::Result<Vec<(Utf8PathBuf, DryEntry)>> {
        let mut found = Vec::new();
        for entry in self.list(path)?.unwrap_or_default() {
            let full = if path.as_str().is_empty() { entry.name.clone().into() } else { path.join(&entry.name) };
            if entry.kind == EntryKind::Directory {
                found.extend(self.walk(&full)?);
            } else {
                found.push((full, entry));
            }
        }
        Ok(found)
    }
}
