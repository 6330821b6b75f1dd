//! What a push does to an open pull request, by the rules that GitHub follows. Pure but for the look at the branches.

use anyhow::Result;
use jiff::Timestamp;

use super::state::{Record, State};
use crate::git::bare::BareRepository;
use crate::model::{CommitId, PullRequestState};

/// What the branches say about an open pull request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// It stays open, with this head.
    Open(CommitId),
    /// A branch is gone, or the head was moved to the base's tip: nothing is left to merge.
    Closed,
    /// The base contains the head.
    Merged { head: CommitId, base: CommitId },
}

/// Brings every open pull request up to date with the branches.
pub(super) fn reconcile(state: &mut State, repository: &BareRepository, now: Timestamp) -> Result<()> {
    for record in &mut state.pull_requests {
        if record.state == PullRequestState::Open {
            let verdict = verdict(record, repository)?;
            apply(record, verdict, now);
        }
    }
    Ok(())
}

fn verdict(record: &Record, repository: &BareRepository) -> Result<Verdict> {
    let (Some(head), Some(base)) = (repository.tip(&record.head)?, repository.tip(&record.base)?) else {
        return Ok(Verdict::Closed);
    };
    // A head that was moved to the base's tip is withdrawn; a base that was moved to the head has taken it.
    if head == base && head != record.head_sha {
        return Ok(Verdict::Closed);
    }
    if repository.is_ancestor(head, base)? {
        return Ok(Verdict::Merged { head, base });
    }
    Ok(Verdict::Open(head))
}

fn apply(record: &mut Record, verdict: Verdict, now: Timestamp) {
    match verdict {
        Verdict::Open(head) => record.head_sha = head,
        Verdict::Closed => record.closed(),
        Verdict::Merged { head, base } => {
            record.head_sha = head;
            record.merged(base, now);
        }
    }
}
