//! What users touch first: the action, the GitLab template, the installer, the examples.

use std::path::PathBuf;

mod action;
mod archives;
mod examples;
mod install;
mod pipeline;
mod release;
mod runner;
mod template;
mod workflows;

/// A file of the project.
fn project(path: &str) -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(project(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}
