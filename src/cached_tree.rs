//! A DRY tree that lists each directory once, for stages that look at many paths. Reads the tree it wraps.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::model::{DryEntry, DryTree};

/// A directory's entries, sorted by name; `None` where there is no directory.
type Listing = Option<Arc<[DryEntry]>>;

/// A [`DryTree`] with a memory; contents are read anew each time.
pub struct CachedTree<'a> {
    tree: &'a dyn DryTree,
    directories: Mutex<HashMap<Utf8PathBuf, Listing>>,
}

impl<'a> CachedTree<'a> {
    /// Wraps `tree`, which must not change as long as this lives.
    pub fn new(tree: &'a dyn DryTree) -> Self {
        Self { tree, directories: Mutex::default() }
    }

    /// The entries of directory `path`, without copying them.
    pub fn entries(&self, path: &Utf8Path) -> Result<Listing> {
        if let Some(known) = self.known(path) {
            return Ok(known);
        }
        // Not under the lock: reading may take long, and reading twice does no harm.
        let listing: Listing = self.tree.list(path)?.map(Arc::from);
        let mut directories = self.directories.lock().unwrap_or_else(PoisonError::into_inner);
        directories.insert(path.to_owned(), listing.clone());
        Ok(listing)
    }

    fn known(&self, path: &Utf8Path) -> Option<Listing> {
        self.directories.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned()
    }
}

impl DryTree for CachedTree<'_> {
    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<DryEntry>>> {
        Ok(self.entries(path)?.map(|entries| entries.to_vec()))
    }

    fn entry(&self, path: &Utf8Path) -> Result<Option<DryEntry>> {
        let Some(name) = path.file_name() else { return Ok(None) };
        let Some(entries) = self.entries(path.parent().unwrap_or(Utf8Path::new("")))? else {
            return Ok(None);
        };
        let found = entries.binary_search_by(|entry| entry.name.as_str().cmp(name));
        Ok(found.ok().and_then(|index| entries.get(index)).cloned())
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>> {
        self.tree.read(path)
    }
}
