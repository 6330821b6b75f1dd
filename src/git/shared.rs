//! The scratch repository's objects for several threads. Does I/O on the scratch repository only.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;

use super::objects::Objects;
use super::pending::Pending;
use super::scratch::Scratch;

/// A second handle to the scratch repository, used by one thread at a time.
pub struct SharedObjects(Mutex<git2::Repository>, Arc<Pending>);

impl SharedObjects {
    /// Opens the handle.
    pub fn open(scratch: &Scratch) -> Result<Self> {
        let (repository, pending) = scratch.reopen()?;
        Ok(Self(Mutex::new(repository), pending))
    }

    /// Lends the objects to `work`.
    pub fn with<T>(&self, work: impl FnOnce(Objects<'_>) -> T) -> T {
        // A thread that panicked has left no half-written object behind: they are written whole.
        let repository = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(Objects::written_late(&repository, &self.1))
    }
}
