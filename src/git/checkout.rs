//! The user's checkout, read only: where its objects are, whether they are complete, and how it reaches its remote.
//!
//! Does I/O through the git program. Nothing in the checkout is ever written, and git2 never opens it.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

use super::program::GitProgram;
use crate::error::Failure;

/// What a run needs to know of a checkout.
#[derive(Clone, Debug)]
pub struct Checkout {
    /// The directory that holds objects, refs and configuration, shared by all work trees.
    pub common_directory: Utf8PathBuf,
    /// Whether it has no work tree.
    pub bare: bool,
    /// Whether some objects were left out on purpose (partial clone).
    pub partial: bool,
    /// The settings that say how to reach remotes, in order.
    pub transport_settings: Vec<(String, String)>,
    /// The remote's URL.
    pub remote_url: String,
}

/// Sections of the checkout's configuration that a repository elsewhere would not see by itself.
const TRANSPORT_SECTIONS: &[&str] =
    &["http.", "credential.", "url.", "remote.", "core.sshcommand", "core.gitproxy", "ssh."];

impl Checkout {
    /// Looks at the repository at `path`. `remote` is the name of a remote or a URL.
    pub fn inspect(git: &GitProgram, path: &Utf8Path, remote: &str) -> Result<Self> {
        // Two answers, and each is worth a process's start: they are asked at the same time.
        let (facts, settings) = std::thread::scope(|scope| {
            let settings = scope.spawn(|| settings(git, path));
            (facts(git, path), settings.join())
        });
        let facts = facts?;
        let settings = settings.map_err(|_| Failure::git("cannot read git's settings"))??;
        refuse_unsupported(path, &settings)?;
        let own_path = facts.bare.then(|| facts.common_directory.clone());
        let remote_url = remote_url(path, remote, &settings, own_path)?;
        let truthy = |value: &str| !matches!(value, "false" | "no" | "0" | "off");
        let partial = settings.iter().any(|(key, value)| {
            key == "extensions.partialclone"
                || (key.starts_with("remote.") && key.ends_with(".promisor") && truthy(value))
        });
        let transport_settings = settings.into_iter().filter(|(key, _)| is_transport(key)).collect();
        Ok(Self {
            common_directory: facts.common_directory,
            bare: facts.bare,
            partial,
            transport_settings,
            remote_url,
        })
    }
}

struct Facts {
    common_directory: Utf8PathBuf,
    bare: bool,
}

fn facts(git: &GitProgram, path: &Utf8Path) -> Result<Facts> {
    if !path.is_dir() {
        return Err(Failure::usage(format!("`{path}` is not a directory"))
            .hint("pass the checkout with `--repo DIRECTORY`")
            .into());
    }
    let arguments = ["rev-parse", "--path-format=absolute", "--git-common-dir", "--is-bare-repository"];
    let output = git.run(path, &arguments, b"")?;
    if !output.status.success() {
        let words = output.words();
        let failure = Failure::git(format!("`{path}` is not a git repository that git can read: {words}"));
        return Err(failure
            .hint("run inside a checkout of the DRY branch, or pass one with `--repo DIRECTORY`")
            .into());
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|_| Failure::git(format!("the path of `{path}` is not UTF-8")))?;
    let mut lines = text.lines();
    let common_directory = Utf8PathBuf::from(lines.next().unwrap_or_default());
    Ok(Facts { common_directory, bare: lines.next() == Some("true") })
}

/// The checkout's own settings (files that it includes among them); global ones are seen by every git call anyway.
fn settings(git: &GitProgram, path: &Utf8Path) -> Result<Vec<(String, String)>> {
    let bytes = git.expect(path, &["config", "--list", "-z", "--show-scope"], b"")?;
    let text = String::from_utf8_lossy(&bytes);
    let mut fields = text.split_terminator('\0');
    let mut settings = Vec::new();
    while let (Some(scope), Some(pair)) = (fields.next(), fields.next()) {
        let (key, value) = pair.split_once('\n').unwrap_or((pair, "true"));
        if matches!(scope, "local" | "worktree") {
            settings.push((key.to_owned(), value.to_owned()));
        }
    }
    Ok(settings)
}

fn refuse_unsupported(path: &Utf8Path, settings: &[(String, String)]) -> Result<()> {
    let value =
        |name: &str| settings.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    if value("extensions.objectformat").is_some_and(|format| format != "sha1") {
        return Err(Failure::git(format!(
            "`{path}` is a SHA-256 repository, which hydrator does not support"
        ))
        .hint("use a SHA-1 repository: GitHub and GitLab both create those by default")
        .into());
    }
    if value("extensions.refstorage").is_some_and(|format| format != "files") {
        return Err(Failure::git(format!(
            "`{path}` keeps its refs in a reftable, which hydrator does not support"
        ))
        .hint("run `git refs migrate --ref-format=files` in it, or clone with `--ref-format=files`")
        .into());
    }
    Ok(())
}

fn remote_url(
    path: &Utf8Path,
    remote: &str,
    settings: &[(String, String)],
    own: Option<Utf8PathBuf>,
) -> Result<String> {
    let key = format!("remote.{remote}.url");
    if let Some((_, url)) = settings.iter().find(|(name, _)| *name == key) {
        return Ok(absolute(path, url));
    }
    if remote.contains(['/', ':']) {
        return Ok(absolute(path, remote));
    }
    if let Some(own) = own {
        return Ok(own.into_string());
    }
    Err(Failure::git(format!("the checkout `{path}` has no remote `{remote}`"))
        .hint("name one with `--remote NAME` or give its URL with `--remote URL`")
        .into())
}

/// A relative path of a remote is relative to the checkout; the scratch repository is elsewhere.
fn absolute(path: &Utf8Path, url: &str) -> String {
    if url.contains(':') || url.starts_with('/') {
        return url.to_owned();
    }
    let base = path.canonicalize_utf8().unwrap_or_else(|_| path.to_owned());
    let joined = base.join(url);
    joined.canonicalize_utf8().unwrap_or(joined).into_string()
}

fn is_transport(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    if let Some(rest) = key.strip_prefix("remote.") {
        // Only how to reach it: refspecs, mirroring and partial-clone marks are about the checkout's own refs.
        return ["proxy", "proxyauthmethod", "uploadpack", "receivepack", "vcs"]
            .iter()
            .any(|last| rest.rsplit_once('.').is_some_and(|(_, end)| end == *last));
    }
    TRANSPORT_SECTIONS.iter().any(|section| key.starts_with(section))
}
