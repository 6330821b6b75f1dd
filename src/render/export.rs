//! Writes parts of the DRY tree into a directory for an outside program. I/O.
//!
//! Blobs are written raw, links as links. Nothing is written that is not in the tree, nothing outside the directory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, symlink};

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

use super::{content, paths};
use crate::model::{DryEntry, DryTree, EntryKind};

/// Writes every file and link of `tree` that is at or below one of `prefixes` into `directory`, which must be empty;
/// the empty prefix is the whole tree. What links lead to is written too. A prefix where nothing is adds nothing.
pub(crate) fn export(
    tree: &dyn DryTree,
    prefixes: &[Utf8PathBuf],
    directory: &Utf8Path,
) -> anyhow::Result<()> {
    for (path, entry) in selected(tree, prefixes)? {
        let place = directory.join(&path);
        if let Some(parent) = place.parent() {
            create_directory(parent)?;
        }
        write_entry(tree, &path, &entry, &place).with_context(|| format!("cannot export `{path}`"))?;
    }
    Ok(())
}

/// Creates `path` and its parents for this user alone.
pub(crate) fn create_directory(path: &Utf8Path) -> anyhow::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(path).with_context(|| format!("cannot create the directory `{path}`"))
}

/// Writes a new file for this user.
pub(crate) fn write_file(path: &Utf8Path, content: &[u8], mode: u32) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content)?;
    Ok(())
}

fn write_entry(
    tree: &dyn DryTree,
    path: &Utf8Path,
    entry: &DryEntry,
    place: &Utf8Path,
) -> anyhow::Result<()> {
    let content = tree.read(path)?.context("the object is missing")?;
    match entry.kind {
        EntryKind::Link => {
            let target = std::str::from_utf8(&content).context("the link's target is not UTF-8")?;
            symlink(target, place)?;
        }
        EntryKind::Executable => {
            content::check_content(&content, path)?;
            write_file(place, &content, 0o755)?;
        }
        EntryKind::File | EntryKind::Directory | EntryKind::Submodule => {
            content::check_content(&content, path)?;
            write_file(place, &content, 0o644)?;
        }
    }
    Ok(())
}

/// The files and links at or below `prefixes`, and those that links among them lead to.
fn selected(tree: &dyn DryTree, prefixes: &[Utf8PathBuf]) -> anyhow::Result<BTreeMap<Utf8PathBuf, DryEntry>> {
    let mut files = BTreeMap::new();
    let mut seen = BTreeSet::new();
    let mut waiting: VecDeque<Utf8PathBuf> = prefixes.iter().cloned().collect();
    while let Some(path) = waiting.pop_front() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let resolved = paths::resolve(tree, &path)?;
        for link in resolved.links {
            if let Some(entry) = tree.entry(&link)? {
                files.insert(link, entry);
            }
        }
        for (path, entry) in below(tree, &resolved.path, resolved.entry)? {
            if entry.kind == EntryKind::Link {
                waiting.push_back(path);
            } else {
                files.insert(path, entry);
            }
        }
    }
    Ok(files)
}

/// What is at or below `path`: files and links.
fn below(
    tree: &dyn DryTree,
    path: &Utf8Path,
    entry: Option<DryEntry>,
) -> anyhow::Result<Vec<(Utf8PathBuf, DryEntry)>> {
    let mut found = Vec::new();
    match entry {
        Some(entry) if entry.kind != EntryKind::Directory => found.push((path.to_owned(), entry)),
        None if !path.as_str().is_empty() => {}
        _ => walk(tree, path, &mut found)?,
    }
    for (path, entry) in &found {
        if entry.kind == EntryKind::Submodule {
            return Err(content::submodule(path));
        }
    }
    for name in path.components() {
        content::check_name(name.as_str(), path)?;
    }
    Ok(found)
}

fn walk(tree: &dyn DryTree, path: &Utf8Path, found: &mut Vec<(Utf8PathBuf, DryEntry)>) -> anyhow::Result<()> {
    for entry in tree.list(path)?.unwrap_or_default() {
        content::check_name(&entry.name, path)?;
        let full = paths::child(path, &entry.name);
        paths::check_length(&full)?;
        if entry.kind == EntryKind::Directory {
            walk(tree, &full, found)?;
        } else {
            found.push((full, entry));
        }
    }
    Ok(())
}
