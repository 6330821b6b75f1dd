//! The private bare repository in which all of a run's git work happens.
//!
//! Does I/O: it makes a temporary directory, which is removed when the value is dropped.

use std::fs;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use tempfile::TempDir;

use super::checkout::Checkout;
use super::login::{Login, log_in};
use super::objects::Objects;
use super::pending::Pending;
use super::program::GitProgram;
use crate::error::Failure;

/// The name of the remote in the scratch repository, whatever the checkout calls it.
pub(super) const REMOTE: &str = "origin";

/// A private bare repository with one remote.
pub struct Scratch {
    /// How git is started in it.
    pub(super) git: GitProgram,
    /// Where it is.
    pub(super) path: Utf8PathBuf,
    /// The remote's URL without user information, for messages.
    pub remote_url: String,
    repository: git2::Repository,
    pending: Arc<Pending>,
    _directory: TempDir,
}

impl Scratch {
    /// From here on no object is kept in memory that was read: planning reads the same trees many times, what comes
    /// after it reads each object once.
    pub fn keep_nothing_read(&self) {
        git2::opts::enable_caching(false);
    }

    /// Makes a scratch repository that borrows the checkout's objects where they are complete.
    pub fn create(git: GitProgram, checkout: &Checkout, remote: &str, login: Option<&Login>) -> Result<Self> {
        let directory = tempfile::Builder::new()
            .prefix("hydrator-")
            .tempdir()
            .context("cannot make a scratch directory")?;
        let path = Utf8PathBuf::from_path_buf(directory.path().join("scratch.git")).map_err(|path| {
            Failure::git(format!("the temporary directory `{}` is not UTF-8", path.display()))
        })?;
        // Trees name blobs that the fetch left out; without this libgit2 refuses to write such a tree.
        git2::opts::strict_object_creation(false);
        // What a fetch brought was verified when it came, as git itself has it.
        git2::opts::strict_hash_verification(false);
        let repository = git2::Repository::init_bare(&path).context("cannot make the scratch repository")?;
        let (url, credential) = log_in(&checkout.remote_url, login);
        let has_login = credential.is_some();
        let scratch = Self {
            git: git.with_credential(credential),
            path,
            remote_url: crate::secret::without_userinfo(&checkout.remote_url),
            repository,
            pending: Arc::default(),
            _directory: directory,
        };
        scratch.configure(checkout, (remote, &url), has_login)?;
        if !checkout.partial {
            scratch.borrow_objects(&checkout.common_directory)?;
        }
        Ok(scratch)
    }

    /// Its objects, to read and to write.
    pub fn objects(&self) -> Objects<'_> {
        Objects::written_late(&self.repository, &self.pending)
    }

    /// A second handle to the same repository, for another thread, with the objects that are not written yet.
    pub(super) fn reopen(&self) -> Result<(git2::Repository, Arc<Pending>)> {
        let again = git2::Repository::open_bare(&self.path);
        Ok((again.context("cannot open the scratch repository again")?, Arc::clone(&self.pending)))
    }

    /// Another process wrote objects.
    pub(super) fn refresh(&self) -> Result<()> {
        let refreshed = self.repository.odb().and_then(|odb| odb.refresh());
        refreshed.context("cannot look for new objects in the scratch repository")
    }

    fn configure(&self, checkout: &Checkout, (remote, url): (&str, &str), has_login: bool) -> Result<()> {
        let mut config = self.repository.config().context("cannot configure the scratch repository")?;
        let own_prefix = format!("remote.{remote}.");
        for (key, value) in &checkout.transport_settings {
            let key = match key.strip_prefix(&own_prefix) {
                Some(last) => format!("remote.{REMOTE}.{last}"),
                None if key.starts_with("remote.") => continue,
                None => key.clone(),
            };
            // With a token of our own, a header that another step left behind would be a second one.
            if has_login && key.to_ascii_lowercase().ends_with(".extraheader") {
                continue;
            }
            // The pattern matches no value, so that this adds one: these settings may be lists.
            config
                .set_multivar(&key, "a^", value)
                .with_context(|| format!("cannot take over the setting `{key}`"))?;
        }
        config.set_str(&format!("remote.{REMOTE}.url"), url)?;
        Ok(())
    }

    fn borrow_objects(&self, common: &Utf8Path) -> Result<()> {
        let info = self.path.join("objects/info");
        fs::create_dir_all(&info).context("cannot write to the scratch repository")?;
        fs::write(info.join("alternates"), format!("{}\n", common.join("objects")))
            .context("cannot write to the scratch repository")?;
        let shallow = common.join("shallow");
        if shallow.exists() {
            fs::copy(&shallow, self.path.join("shallow"))
                .with_context(|| format!("cannot copy `{shallow}`"))?;
        }
        Ok(())
    }
}
