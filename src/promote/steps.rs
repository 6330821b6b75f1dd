//! What has to happen to an environment's pull request, and doing it. Only [`apply`] does I/O, through the forge.

use anyhow::Result;

use crate::forge::{Forge, NewPullRequest, PullRequestLook, same_text};
use crate::model::{BranchName, PullRequest, PullRequestOperation, PullRequestState};

/// What an environment should have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// An open pull request like this.
    Open(NewPullRequest),
    /// No open pull request between these branches.
    Closed {
        /// The proposed branch.
        head: BranchName,
        /// The active branch.
        base: BranchName,
        /// What to say when one is closed.
        comment: String,
    },
}

/// What has to happen to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullRequestStep {
    /// There is none: open one.
    Open(NewPullRequest),
    /// It looks different: make it look so.
    Update {
        /// Its number.
        number: u64,
        /// How it shall look.
        look: PullRequestLook,
    },
    /// It is not wanted any more.
    Close {
        /// Its number.
        number: u64,
        /// What to say.
        comment: String,
    },
    /// Nothing differs.
    Leave,
}

/// What was done to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// For the report.
    pub operation: PullRequestOperation,
    /// The pull request as the forge has it now, where the step asked for it.
    pub pull_request: Option<PullRequest>,
}

/// The open pull request between exactly these branches; those from the head to another base are nobody's business.
pub fn find_open<'a>(
    open: &'a [PullRequest],
    head: &BranchName,
    base: &BranchName,
) -> Option<&'a PullRequest> {
    let between =
        |one: &&PullRequest| one.head == *head && one.base == *base && one.state == PullRequestState::Open;
    open.iter().filter(between).min_by_key(|one| one.number)
}

/// Compares what is wanted with the open pull requests. One that a person opened from the same branches is taken over.
pub fn decide(wanted: &Wanted, open: &[PullRequest]) -> PullRequestStep {
    match wanted {
        Wanted::Open(new) => match find_open(open, &new.head, &new.base) {
            None => PullRequestStep::Open(new.clone()),
            Some(found) => update_if_different(found, &new.look),
        },
        Wanted::Closed { head, base, comment } => {
            find_open(open, head, base).map_or(PullRequestStep::Leave, |found| PullRequestStep::Close {
                number: found.number,
                comment: comment.clone(),
            })
        }
    }
}

fn update_if_different(found: &PullRequest, look: &PullRequestLook) -> PullRequestStep {
    if looks_like(found, look) {
        return PullRequestStep::Leave;
    }
    PullRequestStep::Update { number: found.number, look: look.clone() }
}

/// Whether nothing that we want is missing. The draft state and what people added is theirs.
fn looks_like(found: &PullRequest, look: &PullRequestLook) -> bool {
    same_text(&found.title, &look.title)
        && same_text(&found.body, &look.body)
        && found.label_names.missing(&found.labels, &look.labels).is_empty()
        && has_all(&found.reviewers, &look.reviewers)
        && has_all(&found.team_reviewers, &look.team_reviewers)
        && has_all(&found.assignees, &look.assignees)
}

/// Whether all who are wanted are there: forges do not tell upper from lower case in logins.
pub(super) fn has_all(found: &[String], wanted: &[String]) -> bool {
    let has = |name: &String| found.iter().any(|one| one.to_lowercase() == name.to_lowercase());
    wanted.iter().all(has)
}

/// Takes a step. A pull request that somebody else opened in the meantime is made to look as wanted.
pub fn apply(step: &PullRequestStep, forge: &dyn Forge) -> Result<Applied> {
    let (operation, pull_request) = match step {
        PullRequestStep::Leave => (PullRequestOperation::None, None),
        PullRequestStep::Update { number, look } => {
            (PullRequestOperation::Updated, Some(forge.update(*number, look)?))
        }
        PullRequestStep::Close { number, comment } => {
            forge.close(*number, comment)?;
            (PullRequestOperation::Closed, None)
        }
        PullRequestStep::Open(new) => {
            let opened = forge.open(new)?;
            let settled = if looks_like(&opened, &new.look) {
                opened
            } else {
                forge.update(opened.number, &new.look)?
            };
            (PullRequestOperation::Created, Some(settled))
        }
    };
    Ok(Applied { operation, pull_request })
}

#[cfg(test)]
#[path = "steps_tests.rs"]
mod tests;
