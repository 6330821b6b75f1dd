//! The remote's branches as a clone remembers them from its last fetch. Does I/O through the git program; the remote is
//! not asked.

use anyhow::Result;
use camino::Utf8Path;

use super::program::GitProgram;
use super::remote::{RemoteRefs, parse_refs};

/// What the clone at `directory` remembers of its remote `remote`; `None` where that is nothing, or where it is a URL. The
/// error is that git cannot be run.
pub fn remembered(git: &GitProgram, directory: &Utf8Path, remote: &str) -> Result<Option<RemoteRefs>> {
    let place = format!("refs/remotes/{remote}/");
    let format = "--format=%(objectname)%09%(refname)%09%(symref)";
    let answer = git.run(directory, &["for-each-ref", format, &place], b"")?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let lines: Vec<String> = text.lines().filter_map(|line| listed(line, &place)).collect();
    Ok((!lines.is_empty()).then(|| parse_refs(&lines.join("\n"))))
}

/// A line as the remote itself would give it.
fn listed(line: &str, place: &str) -> Option<String> {
    let (id, names) = line.split_once('\t')?;
    let (name, target) = names.split_once('\t')?;
    let name = name.strip_prefix(place)?;
    match target.strip_prefix(place) {
        Some(branch) => Some(format!("ref: refs/heads/{branch}\t{name}")),
        None => Some(format!("{id}\trefs/heads/{name}")),
    }
}
