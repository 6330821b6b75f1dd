//! Putting two sides together over what they come from, in the object database alone. Does I/O on the scratch
//! repository only.

use anyhow::{Context as _, Result};

use super::ids::{object_id, oid};
use super::objects::Objects;
use crate::model::ObjectId;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Merged {
    /// The tree with both sides' changes.
    Tree(ObjectId),
    /// Both sides changed these paths, sorted.
    Conflicts(Vec<String>),
}

impl Objects<'_> {
    /// The tree `ours` with what `theirs` changed since `base`. All three must be here with everything below them.
    pub fn merge_trees(self, base: ObjectId, ours: ObjectId, theirs: ObjectId) -> Result<Merged> {
        self.keep(&[base, ours, theirs])?;
        let repository = self.repository();
        let tree = |id| repository.find_tree(oid(id)).with_context(|| format!("cannot read tree {id}"));
        let mut index = repository
            .merge_trees(&tree(base)?, &tree(ours)?, &tree(theirs)?, None)
            .context("cannot put the two sides together")?;
        if !index.has_conflicts() {
            let written = index.write_tree_to(repository).context("cannot write the tree")?;
            return Ok(Merged::Tree(object_id(written)));
        }
        let conflicts = index.conflicts().context("cannot read the conflicts")?;
        let sides = conflicts.flatten().filter_map(|one| one.our.or(one.their).or(one.ancestor));
        let mut paths: Vec<String> =
            sides.map(|side| String::from_utf8_lossy(&side.path).into_owned()).collect();
        paths.sort();
        paths.dedup();
        Ok(Merged::Conflicts(paths))
    }
}
