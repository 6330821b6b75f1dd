//! Paths inside the DRY tree: joins them, and follows symbolic links without ever leaving the tree. Reads the tree.

use anyhow::bail;
use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use crate::error::Failure;
use crate::model::{DryEntry, DryTree, EntryKind};

/// As many links in one path as Linux follows.
const MOST_LINKS: usize = 40;

/// `reference` as seen from directory `base`, or from the root with a leading `/`; `None` if it leaves the tree.
pub(crate) fn join(base: &Utf8Path, reference: &str) -> Option<Utf8PathBuf> {
    match reference.strip_prefix('/') {
        Some(from_root) => below(Utf8Path::new(""), from_root),
        None => below(base, reference),
    }
}

/// `reference` as a program sees it from directory `base`; `None` if it is absolute or leaves the tree.
pub(crate) fn join_relative(base: &Utf8Path, reference: &str) -> Option<Utf8PathBuf> {
    if reference.starts_with('/') { None } else { below(base, reference) }
}

fn below(base: &Utf8Path, reference: &str) -> Option<Utf8PathBuf> {
    let mut path = base.to_owned();
    for part in reference.split('/') {
        match part {
            "" | "." => {}
            ".." if path.as_str().is_empty() => return None,
            ".." => {
                path.pop();
            }
            name => path.push(name),
        }
    }
    Some(path)
}

/// `name` inside directory `path`, where the empty path is the root.
pub(crate) fn child(path: &Utf8Path, name: &str) -> Utf8PathBuf {
    if path.as_str().is_empty() { name.into() } else { path.join(name) }
}

/// As long as Linux takes a path; it also bounds how deep directories nest.
const LONGEST_PATH: usize = 4000;

/// Refuses paths that no file system takes.
pub(crate) fn check_length(path: &Utf8Path) -> anyhow::Result<()> {
    if path.as_str().len() > LONGEST_PATH {
        let start: String = path.as_str().chars().take(60).collect();
        bail!(Failure::render(format!("`{start}…` is a path of more than {LONGEST_PATH} bytes")));
    }
    Ok(())
}

/// Where a path leads once every link in it is followed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The path without links.
    pub(crate) path: Utf8PathBuf,
    /// What is there; `None` for the root, and when nothing is there.
    pub(crate) entry: Option<DryEntry>,
    /// The links that were followed, by their own paths.
    pub(crate) links: Vec<Utf8PathBuf>,
}

impl Resolved {
    /// Whether it leads to a directory.
    pub(crate) fn is_directory(&self) -> bool {
        match &self.entry {
            Some(entry) => entry.kind == EntryKind::Directory,
            None => self.path.as_str().is_empty(),
        }
    }

    /// Whether it leads to a regular file.
    pub(crate) fn is_file(&self) -> bool {
        self.entry.as_ref().is_some_and(|entry| matches!(entry.kind, EntryKind::File | EntryKind::Executable))
    }
}

/// Follows `path` through the tree as a file system would; a link that leaves the tree is an error.
pub(crate) fn resolve(tree: &dyn DryTree, path: &Utf8Path) -> anyhow::Result<Resolved> {
    let mut resolved = Resolved::default();
    let mut rest: Vec<String> = parts_reversed(path);
    while let Some(part) = rest.pop() {
        if part == ".." {
            if resolved.path.as_str().is_empty() {
                return Err(leaves(path, &resolved));
            }
            resolved.path.pop();
            continue;
        }
        let next = child(&resolved.path, &part);
        let Some(entry) = tree.entry(&next)? else {
            return Ok(Resolved {
                path: rest.iter().rev().fold(next, |path, part| path.join(part)),
                entry: None,
                ..resolved
            });
        };
        if entry.kind == EntryKind::Link {
            let target = link_target(tree, &next)?;
            if target.starts_with('/') {
                return Err(leaves(path, &Resolved { path: next, ..resolved }));
            }
            resolved.links.push(next);
            if resolved.links.len() > MOST_LINKS {
                bail!(Failure::render(format!(
                    "`{path}` leads through more than {MOST_LINKS} symbolic links"
                )));
            }
            rest.extend(parts_reversed(Utf8Path::new(&target)));
        } else {
            resolved.path = next;
        }
    }
    if !resolved.path.as_str().is_empty() {
        resolved.entry = tree.entry(&resolved.path)?;
    }
    Ok(resolved)
}

fn link_target(tree: &dyn DryTree, path: &Utf8Path) -> anyhow::Result<String> {
    let content = tree.read(path)?.unwrap_or_default();
    String::from_utf8(content)
        .map_err(|_| Failure::render(format!("the symbolic link `{path}` does not hold a UTF-8 path")).into())
}

fn leaves(path: &Utf8Path, at: &Resolved) -> anyhow::Error {
    let link = at.links.last().map_or(at.path.as_path(), Utf8PathBuf::as_path);
    let message = if link == path {
        format!("the symbolic link `{path}` points out of the repository")
    } else {
        format!("`{path}` leads out of the repository through the symbolic link `{link}`")
    };
    Failure::render(message).hint("links must be relative and stay inside the repository").into()
}

fn parts_reversed(path: &Utf8Path) -> Vec<String> {
    let parts = path.components().filter_map(|component| match component {
        Utf8Component::Normal(name) => Some(name.to_owned()),
        Utf8Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    let mut parts: Vec<String> = parts.collect();
    parts.reverse();
    parts
}
