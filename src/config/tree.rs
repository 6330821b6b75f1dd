//! Looking into the DRY tree: directories are listed once, and links are followed as long as they stay inside.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{DryEntry, DryTree, EntryKind};

/// As many as Linux follows.
const MAX_LINKS: usize = 40;

/// What is at a path, links followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing, or a link to nothing.
    #[default]
    Missing,
    /// A directory, with the path that has no links in it.
    Directory(Utf8PathBuf),
    /// A file.
    File,
    /// A submodule, or something below one.
    Submodule,
    /// A link that leads out of the repository, or in a circle.
    Outside,
}

type Entries = Rc<Vec<DryEntry>>;

/// Reads a DRY tree and remembers its directories.
pub(super) struct TreeReader<'a> {
    tree: &'a dyn DryTree,
    directories: RefCell<HashMap<Utf8PathBuf, Option<Entries>>>,
}

impl<'a> TreeReader<'a> {
    pub(super) fn new(tree: &'a dyn DryTree) -> Self {
        Self { tree, directories: RefCell::default() }
    }

    /// The entries of the directory at `path`, which has no links in it.
    pub(super) fn list(&self, path: &Utf8Path) -> anyhow::Result<Option<Entries>> {
        if let Some(known) = self.directories.borrow().get(path) {
            return Ok(known.clone());
        }
        let entries = self.tree.list(path)?.map(Rc::new);
        self.directories.borrow_mut().insert(path.to_owned(), entries.clone());
        Ok(entries)
    }

    /// What is at `path`, which is relative to the root and may contain `..` that stay inside.
    pub(super) fn find(&self, path: &Utf8Path) -> anyhow::Result<Found> {
        let mut ahead: Vec<String> = path.as_str().rsplit('/').map(str::to_owned).collect();
        let mut at = Utf8PathBuf::new();
        let mut links = 0;
        while let Some(name) = ahead.pop() {
            match name.as_str() {
                "" | "." => continue,
                ".." if at.as_str().is_empty() => return Ok(Found::Outside),
                ".." => {
                    at.pop();
                    continue;
                }
                _ => {}
            }
            match self.kind(&at, &name)? {
                None => return Ok(Found::Missing),
                Some(EntryKind::Directory) => at.push(&name),
                Some(EntryKind::Submodule) => return Ok(Found::Submodule),
                Some(EntryKind::File | EntryKind::Executable) => {
                    let is_last = ahead.iter().all(String::is_empty);
                    return Ok(if is_last { Found::File } else { Found::Missing });
                }
                Some(EntryKind::Link) => {
                    links += 1;
                    let Some(target) = self.link(&at.join(&name))? else { return Ok(Found::Missing) };
                    if links > MAX_LINKS || target.starts_with('/') {
                        return Ok(Found::Outside);
                    }
                    ahead.extend(target.rsplit('/').map(str::to_owned));
                }
            }
        }
        Ok(Found::Directory(at))
    }

    /// Whether any file below `directory` has a name for which `wanted` holds; links are not followed.
    pub(super) fn any_file(&self, directory: &Utf8Path, wanted: fn(&str) -> bool) -> anyhow::Result<bool> {
        let mut ahead = vec![directory.to_owned()];
        while let Some(directory) = ahead.pop() {
            let entries = self.list(&directory)?;
            for entry in entries.iter().flat_map(|entries| entries.iter()) {
                match entry.kind {
                    EntryKind::Directory => ahead.push(directory.join(&entry.name)),
                    EntryKind::File | EntryKind::Executable | EntryKind::Link if wanted(&entry.name) => {
                        return Ok(true);
                    }
                    EntryKind::File | EntryKind::Executable | EntryKind::Link | EntryKind::Submodule => {}
                }
            }
        }
        Ok(false)
    }

    fn kind(&self, directory: &Utf8Path, name: &str) -> anyhow::Result<Option<EntryKind>> {
        let Some(entries) = self.list(directory)? else { return Ok(None) };
        let index = entries.binary_search_by(|entry| entry.name.as_str().cmp(name));
        Ok(index.ok().and_then(|index| entries.get(index)).map(|entry| entry.kind))
    }

    fn link(&self, path: &Utf8Path) -> anyhow::Result<Option<String>> {
        let target = self.tree.read(path)?;
        Ok(target.and_then(|bytes| String::from_utf8(bytes).ok()))
    }
}
