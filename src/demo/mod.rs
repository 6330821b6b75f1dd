//! `hydrator demo`: a throwaway repository with three environments, and what pushes to it become.
//!
//! Does I/O: it makes a directory that stays, works in it, and writes the story to what it is given. It needs nothing
//! but git, and the story is the same every time, commit ids included.

mod acts;
mod files;
mod page;
mod picture;
mod stage;

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

use crate::error::Failure;
use crate::git::{GitProgram, Workshop};
use crate::variables::Variables;
use page::Page;
use stage::Stage;

/// What was asked for.
pub struct Request<'a> {
    /// Where to play; a new temporary directory if nothing is named.
    pub directory: Option<&'a Utf8Path>,
    /// This program, so that the commands to try next find it.
    pub program: Option<&'a Utf8Path>,
    /// The process's variables.
    pub variables: &'a Variables,
    /// Raised by a signal.
    pub stop: &'a Arc<AtomicBool>,
    /// Whether colours can be shown.
    pub colour: bool,
}

/// Makes the directory and tells the story.
pub fn run(request: &Request<'_>, out: &mut dyn Write) -> Result<()> {
    let git = GitProgram::new(request.variables, Arc::clone(request.stop));
    // Before anything is made.
    git.expect(Utf8Path::new("/"), &["version"], b"")?;
    let directory = directory(request.directory)?;
    let stage = Stage::set(Workshop::create(git, &directory)?, request.variables, request.stop)?;
    let program = program(&directory, request.program);
    acts::play(stage, &mut Page::new(out, request.colour), &directory, program)
}

/// A directory with nothing in it.
fn directory(wanted: Option<&Utf8Path>) -> Result<Utf8PathBuf> {
    let Some(wanted) = wanted else {
        let made = tempfile::Builder::new().prefix("hydrator-demo-").tempdir();
        let made = made.context("cannot make a temporary directory")?.keep();
        return Utf8PathBuf::from_path_buf(made).map_err(|path| {
            Failure::usage(format!("the directory `{}` is not UTF-8", path.display())).into()
        });
    };
    let cannot = |error| Failure::usage(format!("cannot use `{wanted}` for the demo: {error}"));
    fs::create_dir_all(wanted).map_err(cannot)?;
    if fs::read_dir(wanted).map_err(cannot)?.next().is_some() {
        let failure = Failure::usage(format!("the directory `{wanted}` is not empty"));
        return Err(failure
            .hint("name a new one, or none: the demo then makes a temporary directory")
            .into());
    }
    Ok(wanted.canonicalize_utf8().map_err(cannot)?)
}

/// How the program is called from the checkout: by a link beside it, since it may be in no directory of `PATH`.
fn program(directory: &Utf8Path, program: Option<&Utf8Path>) -> &'static str {
    let linked = program.is_some_and(|program| symlink(program, directory.join("hydrator")).is_ok());
    if linked { "../hydrator" } else { "hydrator" }
}
