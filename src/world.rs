//! The outside world of a run: the scratch repository, the forge, the tools. Built once, passed by reference.
//!
//! Does I/O: it looks at the checkout and makes the scratch repository.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use crate::ci::Trigger;
use crate::error::Failure;
use crate::forge::Forge;
use crate::git::{Ancestry, Checkout, GitProgram, Login, RemoteRefs, Scratch, remembered};
use crate::model::CommitId;
use crate::variables::Variables;

/// Where the repository is and how it is reached.
#[derive(Clone, Debug)]
pub struct Location {
    /// The checkout.
    pub repository: Utf8PathBuf,
    /// A remote's name, or a URL.
    pub remote: String,
}

/// The repository's side of the world: enough for commands that only read.
pub struct Repository {
    /// Where it is.
    pub location: Location,
    /// What the checkout is.
    pub checkout: Checkout,
    /// The private repository in which all git work happens.
    pub scratch: Scratch,
    git: GitProgram,
    login: Option<Login>,
    ancestry: OnceCell<Ancestry>,
}

impl Repository {
    /// Looks at the checkout and makes the scratch repository. `login` gives the token for the remote's URL, if that is
    /// one that a token goes to.
    pub fn open(
        location: Location,
        variables: &Variables,
        stop: &Arc<AtomicBool>,
        login: &dyn Fn(&str) -> Option<Login>,
    ) -> Result<Self> {
        let git = GitProgram::new(variables, Arc::clone(stop));
        let checkout = Checkout::inspect(&git, &location.repository, &location.remote)?;
        let login = login(&checkout.remote_url);
        let scratch = Scratch::create(git.clone(), &checkout, &location.remote, login.as_ref())?;
        Ok(Self { location, checkout, scratch, git, login, ancestry: OnceCell::new() })
    }

    /// A repository of its own for questions about history, made when the first one is asked: what it fetched for one
    /// environment answers for the others too.
    pub fn ancestry(&self) -> Result<&Ancestry> {
        if let Some(made) = self.ancestry.get() {
            return Ok(made);
        }
        let location = &self.location;
        let scratch =
            Scratch::create(self.git.clone(), &self.checkout, &location.remote, self.login.as_ref())?;
        Ok(self.ancestry.get_or_init(|| Ancestry::new(scratch)))
    }

    /// The commit that a revision of the checkout names, such as `HEAD`; `None` if it names none.
    pub fn revision(&self, name: &str) -> Result<Option<CommitId>> {
        let revision = format!("{name}^{{commit}}");
        let arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", &revision];
        let answer = self.git.run(&self.location.repository, &arguments, b"")?;
        let text = String::from_utf8_lossy(&answer.stdout);
        Ok(text.lines().last().and_then(CommitId::parse))
    }

    /// The remote's branches as the checkout remembers them from its last fetch; `None` where it remembers none.
    pub fn remembered(&self) -> Result<Option<RemoteRefs>> {
        remembered(&self.git, &self.location.repository, &self.location.remote)
    }

    /// The remote as a directory of this machine, where it is one.
    pub fn remote_directory(&self) -> Option<&Utf8Path> {
        let url = &self.checkout.remote_url;
        let path = url.strip_prefix("file://").unwrap_or(url);
        path.starts_with('/').then(|| Utf8Path::new(path))
    }

    /// The repository's web URL, without user information and `.git`; empty for a directory of this machine.
    pub fn web_url(&self) -> String {
        web_url(&self.scratch.remote_url)
    }
}

/// Everything that `run` and `plan` need.
pub struct World {
    /// The repository.
    pub repository: Repository,
    /// The forge.
    pub forge: Box<dyn Forge>,
    /// What the CI system says this run is about.
    pub trigger: Option<Trigger>,
    /// The configuration's path in the DRY tree.
    pub config: Utf8PathBuf,
    /// The process's variables: `PATH` for the tools, and those that a target's `env` names.
    pub variables: Variables,
    /// Raised by a signal: children are ended, and the run stops.
    pub stop: Arc<AtomicBool>,
    /// What time it is, for soaks and merge windows; nothing else depends on it.
    pub clock: fn() -> Timestamp,
}

/// `git@host:a/b.git`, `ssh://git@host/a/b.git` and `https://user@host/a/b.git` all mean `https://host/a/b`.
fn web_url(url: &str) -> String {
    let rest = match url.split_once("://") {
        Some(("http" | "https", _)) => return url.trim_end_matches('/').trim_end_matches(".git").to_owned(),
        Some(("ssh" | "git", rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = authority.split(':').next().unwrap_or_default();
            format!("{host}/{path}")
        }
        Some(_) => return String::new(),
        None => match url.split_once(':') {
            Some((host, path)) if !host.contains('/') => {
                format!(
                    "{}/{}",
                    host.rsplit_once('@').map_or(host, |(_, host)| host),
                    path.trim_start_matches('/')
                )
            }
            _ => return String::new(),
        },
    };
    format!("https://{}", rest.trim_end_matches('/').trim_end_matches(".git"))
}

/// The checkout's remote must be a directory of this machine: the local forge lives beside it.
pub fn local_forge_directory(
    repository: &Repository,
    named: Option<&Utf8Path>,
) -> Result<Utf8PathBuf, Failure> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let directory = repository.remote_directory().ok_or_else(|| {
        Failure::usage(format!(
            "the local forge needs its remote's directory, and `{}` is not one",
            repository.scratch.remote_url
        ))
        .hint("name the bare repository's directory with `--forge-directory`")
    })?;
    let inner = directory.join(".git");
    Ok(if inner.is_dir() { inner } else { directory.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::web_url;

    #[test]
    fn every_way_to_write_a_remote_gives_one_web_url() {
        for url in ["https://e.org/a/b.git", "git@e.org:a/b.git", "ssh://e.org:2222/a/b.git", "e.org:/a/b"] {
            assert_eq!(web_url(url), "https://e.org/a/b", "{url}");
        }
        assert_eq!(web_url("/srv/git/b.git"), "");
        assert_eq!(web_url("file:///srv/git/b.git"), "");
    }
}
