//! Merging on the local forge: what stands in the way, the commit, and the move of the base branch. Does I/O.

use anyhow::Result;
use jiff::Timestamp;

use super::state::{Record, State};
use crate::error::Failure;
use crate::forge::MergeOutcome;
use crate::git::bare::{BareRepository, Combined};
use crate::model::{BranchName, CommitId, CommitState, MergeMethod, PullRequestState};

/// How a person or hydrator wants a pull request merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergeRequest {
    /// The head that was looked at; `None` takes the one that is there.
    pub head_sha: Option<CommitId>,
    /// How; `None` makes a merge commit.
    pub method: Option<MergeMethod>,
    /// Whether the head branch goes away afterwards.
    pub delete_branch: bool,
}

/// Merges pull request `number`, or says what stands in the way. The state is up to date with the branches.
pub(super) fn merge(
    state: &mut State,
    repository: &BareRepository,
    number: u64,
    request: &MergeRequest,
    now: Timestamp,
) -> Result<MergeOutcome> {
    let record = state.find(number).ok_or_else(|| missing(number))?.clone();
    if let Some(reason) = obstacle(state, &record, request) {
        return Ok(MergeOutcome::Blocked(reason));
    }
    let Some(base) = repository.tip(&record.base)? else {
        return Ok(MergeOutcome::Blocked(format!("its base branch `{}` is gone", record.base)));
    };
    let commit = match combine(repository, &record, base, request.method)? {
        Combined::Commit(commit) => commit,
        Combined::Conflicts(paths) => return Ok(MergeOutcome::Blocked(conflicts(&record.base, &paths))),
        Combined::Impossible(reason) => return Ok(MergeOutcome::Blocked(reason.to_owned())),
    };
    if !repository.move_branch(&record.base, base, commit)? {
        return Ok(MergeOutcome::Blocked(format!("its base branch `{}` was moved meanwhile", record.base)));
    }
    state.find(number).ok_or_else(|| missing(number))?.merged(commit, now);
    if request.delete_branch {
        repository.delete_branch(&record.head, record.head_sha)?;
    }
    Ok(MergeOutcome::Merged(commit))
}

/// The error about a pull request that does not exist.
pub(super) fn missing(number: u64) -> Failure {
    Failure::forge(format!("the local forge has no pull request #{number}"))
        .hint("`hydrator local list` shows those that there are")
}

/// Merges what is armed and may be merged by now, as forges do by themselves.
pub(super) fn armed(state: &mut State, repository: &BareRepository, now: Timestamp) -> Result<()> {
    let waiting: Vec<_> = state.pull_requests.iter().filter(|record| record.auto_merge).cloned().collect();
    for record in waiting {
        let request = MergeRequest { head_sha: None, method: record.auto_merge_method, delete_branch: false };
        // One that cannot be merged stays armed.
        merge(state, repository, record.number, &request, now)?;
    }
    Ok(())
}

/// Why the two branches cannot be put together.
pub(super) fn hindrance(repository: &BareRepository, record: &Record) -> Result<Option<String>> {
    let Some(base) = repository.tip(&record.base)? else {
        return Ok(Some(format!("its base branch `{}` is gone", record.base)));
    };
    Ok(match combine(repository, record, base, None)? {
        Combined::Commit(_) => None,
        Combined::Conflicts(paths) => Some(conflicts(&record.base, &paths)),
        Combined::Impossible(reason) => Some(reason.to_owned()),
    })
}

/// What the forge's rules have against a merge, whatever the branches say.
pub(super) fn rules(state: &State, record: &Record) -> Option<String> {
    obstacle(state, record, &MergeRequest::default())
}

fn obstacle(state: &State, record: &Record, request: &MergeRequest) -> Option<String> {
    match record.state {
        PullRequestState::Open => {}
        PullRequestState::Closed => return Some("it is closed".to_owned()),
        PullRequestState::Merged => return Some("it is merged already".to_owned()),
    }
    if record.draft {
        return Some("it is a draft".to_owned());
    }
    let seen = request.head_sha.unwrap_or(record.head_sha);
    if seen != record.head_sha {
        return Some(format!("its head was moved from {} to {}", seen.short(), record.head_sha.short()));
    }
    state.required_statuses.iter().find_map(|context| missing_status(state, record.head_sha, context))
}

fn missing_status(state: &State, head: CommitId, context: &str) -> Option<String> {
    match state.state_of(head, context) {
        Some(CommitState::Success) => None,
        Some(other) => {
            Some(format!("the required status `{context}` on {} is {}", head.short(), other.word()))
        }
        None => Some(format!("the required status `{context}` on {} is missing", head.short())),
    }
}

fn combine(
    repository: &BareRepository,
    record: &Record,
    base: CommitId,
    method: Option<MergeMethod>,
) -> Result<Combined> {
    let head = record.head_sha;
    if !repository.related(base, head)? {
        return Ok(Combined::Impossible("its head and its base have no history in common"));
    }
    match method.unwrap_or(MergeMethod::Merge) {
        MergeMethod::Merge => {
            let message =
                format!("Merge pull request #{} from {}\n\n{}\n", record.number, record.head, record.title);
            repository.merge(base, head, &message)
        }
        MergeMethod::Squash => {
            let message =
                format!("{} (#{})\n\n{}", record.title, record.number, repository.message_body(head)?);
            repository.squash(base, head, &format!("{}\n", message.trim_end()))
        }
        MergeMethod::Rebase => repository.rebase(base, head),
    }
}

fn conflicts(base: &BranchName, paths: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = paths.iter().take(SHOWN).map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ");
    if paths.len() > SHOWN {
        text = format!("{text} and {} more", paths.len() - SHOWN);
    }
    format!("it conflicts with `{base}` in {text}")
}
