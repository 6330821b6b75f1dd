//! `hydrator diff`: what a change of the DRY branch changes in every environment, before it is merged.
//!
//! One straight line, like a run: which two DRY commits (`sides`), what may be done for them (`protected`, `trust`), which targets read something else, their
//! manifests on both sides (`rendered`), and how those differ ([`crate::compare`]). It reads branches and writes none.

mod bring;
mod comment;
mod contents;
mod hydrated;
mod moves;
mod print;
mod protected;
mod rendered;
mod report;
mod settings;
mod sides;
mod trust;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use camino::Utf8Path;

use crate::ci::Job;
use crate::error::message_of;
use crate::git::RemoteRefs;
use crate::model::{CommitId, EnvironmentName, ErrorReport};
use crate::progress::{Progress, Stage};
use crate::rendering::Limits;
use crate::variables::Variables;
use crate::world::Repository;
use sides::Found;

pub use comment::{STATUS, comment, set_status};
pub use print::{PAGE_LIMIT, PAGES, Style, Whole, json, markdown, pages, text};
pub use report::{
    Agreed, Behind, Complaint, DiffReport, EnvironmentDiff, ManifestChange, ManifestName, TargetDiff, schema,
};

/// What is asked.
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
#[derive(Clone, Debug, Default)]
pub struct Question {
    /// What is compared with; by default the DRY branch.
    pub base: Option<String>,
    /// What is looked at; by default what the job is for, else the checkout's `HEAD`.
    pub head: Option<String>,
    /// Compare with `base` itself, not with the commit at which `head` left it.
    pub exact: bool,
    /// Compare the head with itself: everything is rendered twice, and what differs is not deterministic.
    pub determinism: bool,
    /// Show what the rules for noise hide, and what is only written differently.
    pub show_hidden: bool,
    /// Let the head's configuration bring programs, flags and the network along.
    pub trusts: bool,
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
    let (refs, unreachable) = look(ground)?;
    let sides = match sides::find(ground, question, &refs)? {
        Found::Sides(sides) => sides,
        Found::Broken(head, error) => return Ok(broken(head, error, unreachable)),
    };
    let environments = rendered::environments(ground, question, &refs, &sides, progress)?;
    Ok(DiffReport {
        base_sha: Some(sides.base_id),
        head_sha: sides.head.commit.id,
        error: None,
        base_error: sides.base_error,
        agreed: Some(sides.protected.agreed),
        unreachable,
        determinism: question.determinism,
        environments,
    })
}

/// The remote's branches. A person's clone that cannot reach it has those of its last fetch, and then it is said why they
/// may be old; a job never makes do with that.
fn look(ground: &Ground<'_>) -> Result<(RemoteRefs, Option<String>)> {
    let error = match ground.repository.scratch.look() {
        Err(error) if ground.job.is_none() => error,
        found => return found.map(|refs| (refs, None)),
    };
    match ground.repository.remembered()? {
        Some(refs) => Ok((refs, Some(message_of(&error)))),
        None => Err(error),
    }
}

/// A head whose configuration is wrong: what is wrong is what there is to tell.
fn broken(head: CommitId, error: ErrorReport, unreachable: Option<String>) -> DiffReport {
    DiffReport {
        base_sha: None,
        head_sha: head,
        error: Some(error),
        base_error: None,
        agreed: None,
        unreachable,
        determinism: false,
        environments: Vec::new(),
    }
}
