//! The local forge's file: read, changed and replaced as a whole, by one process at a time. Does I/O.

use std::fs::File;
use std::io::{ErrorKind, Write as _};

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use rustix::fs::{FlockOperation, flock};

use super::state::State;
use crate::error::Failure;

/// The directory below the bare repository that holds the file and its lock.
const DIRECTORY: &str = "hydrator-forge";

/// The place of the local forge's file.
#[derive(Clone, Debug)]
pub(super) struct Store {
    directory: Utf8PathBuf,
}

impl Store {
    /// The store of the forge of a bare repository. Touches nothing.
    pub(super) fn of(bare: &Utf8Path) -> Self {
        Self { directory: bare.join(DIRECTORY) }
    }

    /// Whether anything was ever stored. An empty forge leaves nothing behind, not even a lock file.
    pub(super) fn exists(&self) -> bool {
        self.file().exists()
    }

    /// Lets `work` change the state, alone among all processes, and stores what it left unless it failed.
    pub(super) fn change<T>(&self, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        let _lock = self.lock()?;
        let before = self.load()?;
        let mut state = before.clone();
        let done = work(&mut state)?;
        if state != before || !self.exists() {
            self.save(&state)?;
        }
        Ok(done)
    }

    fn file(&self) -> Utf8PathBuf {
        self.directory.join("state.json")
    }

    /// The lock is a file of its own because the state's file is replaced. It is released when it is dropped.
    fn lock(&self) -> Result<File> {
        let path = self.directory.join("lock");
        let lock = || {
            std::fs::create_dir_all(&self.directory)?;
            let file = File::options().create(true).truncate(false).write(true).open(&path)?;
            lock_exclusively(&file)?;
            Ok(file)
        };
        lock().map_err(|error: std::io::Error| {
            Failure::forge(format!("cannot lock the local forge with `{path}`: {error}")).into()
        })
    }

    fn load(&self) -> Result<State> {
        let path = self.file();
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(State::default()),
            Err(error) => {
                return Err(
                    Failure::forge(format!("cannot read the local forge's state `{path}`: {error}")).into()
                );
            }
        };
        State::parse(&text).map_err(|problem| {
            Failure::forge(format!("the local forge's state `{path}` is damaged: {problem}"))
                .hint("repair the file, or remove it to start with an empty forge; the branches are not touched")
                .into()
        })
    }

    fn save(&self, state: &State) -> Result<()> {
        let path = self.file();
        let save = || {
            let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
            file.write_all(state.text()?.as_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        save().map_err(|error: std::io::Error| {
            Failure::forge(format!("cannot write the local forge's state `{path}`: {error}")).into()
        })
    }
}

/// Waits for the lock, also when a signal interrupts the waiting.
fn lock_exclusively(file: &File) -> std::io::Result<()> {
    loop {
        match flock(file, FlockOperation::LockExclusive) {
            Ok(()) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
