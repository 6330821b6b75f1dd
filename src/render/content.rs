//! Refuses names and contents of the DRY tree that must not reach a renderer. Pure.

use anyhow::bail;
use camino::Utf8Path;

use crate::error::Failure;

/// Refuses the name of an entry that could lead out of the export or into git's own files, or garble output.
pub(crate) fn check_name(name: &str, directory: &Utf8Path) -> anyhow::Result<()> {
    let shown: String = name.chars().flat_map(char::escape_debug).collect();
    if name.is_empty() || name == "." || name == ".." || name.contains('/') {
        bail!(Failure::render(format!("`{directory}` holds an entry with the forbidden name `{shown}`")));
    }
    if name.eq_ignore_ascii_case(".git") {
        bail!(Failure::render(format!("`{directory}` holds an entry named `{shown}`, which belongs to git")));
    }
    if name.chars().any(char::is_control) {
        bail!(Failure::render(format!(
            "`{directory}` holds an entry with control characters in its name: `{shown}`"
        )));
    }
    Ok(())
}

/// Refuses a file that stands for content which is not in the repository, or is encrypted.
pub(crate) fn check_content(content: &[u8], path: &Utf8Path) -> anyhow::Result<()> {
    if content.starts_with(b"version https://git-lfs.github.com/spec/") && content.len() < 1024 {
        bail!(
            Failure::render(format!("`{path}` is a Git LFS pointer: its content is not in the repository"))
                .hint("store what renderers read in git itself: `git lfs untrack`")
        );
    }
    if content.starts_with(b"\0GITCRYPT\0") {
        bail!(Failure::render(format!("`{path}` is encrypted with git-crypt")).hint(
            "renderers read what is committed; keep secrets out of what they read, or use sealed ones"
        ));
    }
    Ok(())
}

/// The error for a submodule that a target reads.
pub(crate) fn submodule(path: &Utf8Path) -> anyhow::Error {
    Failure::render(format!("`{path}` is a git submodule: its files are not in the repository"))
        .hint("copy what renderers read into the repository, or reference it as a pinned remote resource")
        .into()
}
