//! `hydrator diff`: what a change of the DRY branch changes in every environment, before it is merged.
//!
//! One straight line, like a run: which two DRY commits ([`sides`]), which targets read something else, their
//! manifests on both sides ([`rendered`]), and how those differ ([`crate::compare`]). It reads branches and writes none.

mod hydrated;
mod print;
mod rendered;
mod report;
mod sides;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use camino::Utf8Path;

use crate::ci::Job;
use crate::model::EnvironmentName;
use crate::progress::{Progress, Stage};
use crate::rendering::Limits;
use crate::variables::Variables;
use crate::world::Repository;

pub use print::{Style, json, markdown, text};
pub use report::{DiffReport, EnvironmentDiff, ManifestChange, ManifestName, TargetDiff, schema};

/// What is asked.
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// What is compared with; by default the DRY branch.
    pub base: Option<String>,
    /// What is looked at; by default what the job is for, else the checkout's `HEAD`.
    pub head: Option<String>,
    /// Compare with `base` itself, not with the commit at which `head` left it.
    pub exact: bool,
    /// Only these environments; empty means all.
    pub environments: Vec<EnvironmentName>,
    /// Limits of rendering.
    pub limits: Limits,
}

/// The outside world of a preview; it needs no forge.
pub struct Ground<'a> {
    /// The repository.
    pub repository: &'a Repository,
    /// The configuration's path.
    pub config: &'a Utf8Path,
    /// What the CI system says this is about.
    pub job: Option<&'a Job>,
    /// The process's variables.
    pub variables: &'a Variables,
    /// Raised by a signal.
    pub stop: &'a Arc<AtomicBool>,
}

/// Finds out what changes.
pub fn preview(ground: &Ground<'_>, question: &Question, progress: &dyn Progress) -> Result<DiffReport> {
    progress.enter(Stage::Observe);
    let refs = ground.repository.scratch.look()?;
    let sides = sides::find(ground, question, &refs)?;
    let environments = rendered::environments(ground, question, &refs, &sides, progress)?;
    Ok(DiffReport { base_sha: sides.base_id, head_sha: sides.head.commit.id, environments })
}
