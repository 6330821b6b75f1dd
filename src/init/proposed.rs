//! A proposal is read as the program will read it, before anybody sees it: the work tree as if the file were in it already.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use crate::config::{self, Loaded};
use crate::error::Failure;
use crate::model::{DryEntry, DryTree};

/// A tree with one file more, which is only read by its path.
struct With<'a> {
    tree: &'a dyn DryTree,
    path: &'a Utf8Path,
    text: &'a str,
}

impl DryTree for With<'_> {
    fn list(&self, path: &Utf8Path) -> Result<Option<Vec<DryEntry>>> {
        self.tree.list(path)
    }

    fn entry(&self, path: &Utf8Path) -> Result<Option<DryEntry>> {
        self.tree.entry(path)
    }

    fn read(&self, path: &Utf8Path) -> Result<Option<Vec<u8>>> {
        if path == self.path { Ok(Some(self.text.as_bytes().to_vec())) } else { self.tree.read(path) }
    }

    fn walk(&self, path: &Utf8Path) -> Result<Vec<(Utf8PathBuf, DryEntry)>> {
        self.tree.walk(path)
    }
}

/// What a proposed configuration, `text` at `path`, means in a tree. The error is the one that `check` would end with.
pub(super) fn load(tree: &dyn DryTree, path: &Utf8Path, text: &str) -> Result<Loaded> {
    config::load(&With { tree, path, text }, path).map_err(|error| {
        let failure = Failure::config("nothing was written: hydrator's own proposal for this repository would not pass");
        error.context(failure.hint(
            "`hydrator init --dry-run` prints the proposal; mend what it stumbles over, or write it with that part left out",
        ))
    })
}
