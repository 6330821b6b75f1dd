//! Finds and reads the files of a source directory for the built-in renderers, without an export. Reads the tree.

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};

use super::{content, paths};
use crate::error::Failure;
use crate::model::{DryTree, EntryKind};

/// A file of the source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// Where it is seen: the path with the links that lead there.
    pub(crate) path: Utf8PathBuf,
    /// Where its content is.
    real: Utf8PathBuf,
}

impl Found {
    /// Its content.
    pub(crate) fn read(&self, tree: &dyn DryTree) -> anyhow::Result<Vec<u8>> {
        let content = tree.read(&self.real)?.unwrap_or_default();
        content::check_content(&content, &self.path)?;
        Ok(content)
    }
}

/// The files in `source`, in byte order of their paths; hidden ones (`.x`) are left out, links are followed.
pub(crate) fn files(tree: &dyn DryTree, source: &Utf8Path, recurse: bool) -> anyhow::Result<Vec<Found>> {
    let resolved = paths::resolve(tree, source)?;
    if !resolved.is_directory() {
        bail!(Failure::render(format!("`{source}` is not a directory of the DRY branch")));
    }
    let mut finder = Finder { tree, recurse, found: Vec::new(), above: Vec::new() };
    finder.directory(source, &resolved.path)?;
    finder.found.sort();
    Ok(finder.found)
}

struct Finder<'tree> {
    tree: &'tree dyn DryTree,
    recurse: bool,
    found: Vec<Found>,
    /// The real directories that lead here, so that links cannot go round in circles.
    above: Vec<Utf8PathBuf>,
}

impl Finder<'_> {
    fn directory(&mut self, seen_as: &Utf8Path, real: &Utf8Path) -> anyhow::Result<()> {
        if self.above.iter().any(|above| above == real) {
            bail!(Failure::render(format!("`{seen_as}` leads back to `{real}` through a symbolic link")));
        }
        paths::check_length(real)?;
        let entries = self.tree.list(real)?.unwrap_or_default();
        self.above.push(real.to_owned());
        for entry in entries.into_iter().filter(|entry| !entry.name.starts_with('.')) {
            content::check_name(&entry.name, real)?;
            let path = paths::child(seen_as, &entry.name);
            let real = paths::child(real, &entry.name);
            match entry.kind {
                EntryKind::File | EntryKind::Executable => self.found.push(Found { path, real }),
                EntryKind::Directory if self.recurse => self.directory(&path, &real)?,
                EntryKind::Link => self.link(&path, &real)?,
                EntryKind::Submodule if self.recurse => return Err(content::submodule(&path)),
                EntryKind::Directory | EntryKind::Submodule => {}
            }
        }
        self.above.pop();
        Ok(())
    }

    fn link(&mut self, path: &Utf8Path, real: &Utf8Path) -> anyhow::Result<()> {
        let resolved = paths::resolve(self.tree, real)?;
        if resolved.is_file() {
            self.found.push(Found { path: path.to_owned(), real: resolved.path });
            return Ok(());
        }
        if resolved.is_directory() {
            return if self.recurse { self.directory(path, &resolved.path) } else { Ok(()) };
        }
        bail!(Failure::render(format!("the symbolic link `{path}` leads to nothing: `{}`", resolved.path)))
    }
}
