//! What a checkout says of itself: where its top is, which branch people edit, where its remote is. Does I/O through the
//! git program; the remote is not asked.

use camino::{Utf8Path, Utf8PathBuf};

use super::program::GitProgram;

/// What was found; nothing in a directory that is no checkout.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// The top of the work tree.
    pub top: Option<Utf8PathBuf>,
    /// The remote's default branch, as the clone remembers it, else the branch that is checked out.
    pub branch: Option<String>,
    /// The remote's URL, which may hold a password.
    pub remote_url: Option<String>,
}

impl Standing {
    /// Looks at the checkout at `directory` and at its remote `remote`.
    pub fn look(git: &GitProgram, directory: &Utf8Path, remote: &str) -> Self {
        let ask = |arguments: &[&str]| {
            let answer = git.run(directory, arguments, b"").ok().filter(|answer| answer.status.success())?;
            let text = String::from_utf8(answer.stdout).ok()?;
            let line = text.strip_suffix('\n').unwrap_or(&text).to_owned();
            (!line.is_empty()).then_some(line)
        };
        let head = format!("refs/remotes/{remote}/HEAD");
        let remembered = ask(&["symbolic-ref", "--quiet", &head]);
        let remembered = remembered
            .and_then(|name| name.strip_prefix(&format!("refs/remotes/{remote}/")).map(str::to_owned));
        Self {
            top: ask(&["rev-parse", "--show-toplevel"]).map(Utf8PathBuf::from),
            branch: remembered.or_else(|| ask(&["symbolic-ref", "--quiet", "--short", "HEAD"])),
            remote_url: ask(&["remote", "get-url", remote]),
        }
    }
}
