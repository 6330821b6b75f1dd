//! What a page says in its hidden mark: the same as the status, for forges where that can say so only at the end. Pure.

use crate::escape::{marker, marker_value};
use crate::model::{CommitId, CommitState, CommitStatus};

/// The status on a DRY commit that says how far it has come.
pub const PROGRESS: &str = "hydrator/progress";

/// What a page's hidden mark is called.
const MARK: &str = "progress";

const STATE: &str = "state";
const WORDS: &str = "says";

/// The mark of the page of a DRY commit.
pub(super) fn mark(commit: CommitId, status: &CommitStatus) -> String {
    let id = commit.to_string();
    marker(&[(MARK, &id), (STATE, status.state.word()), (WORDS, &status.description)])
}

/// Whether a comment is the page of a DRY commit. Whoever asks knows that it is ours.
pub fn is_page(body: &str, commit: CommitId) -> bool {
    marker_value(body, MARK).as_deref() == Some(&commit.to_string())
}

/// What a comment says of a DRY commit, if it is its page.
pub fn told(body: &str, commit: CommitId) -> Option<CommitStatus> {
    if !is_page(body, commit) {
        return None;
    }
    let word = marker_value(body, STATE);
    let states = [CommitState::Success, CommitState::Failure];
    let state = states.into_iter().find(|state| word.as_deref() == Some(state.word()));
    Some(CommitStatus {
        context: PROGRESS.to_owned(),
        state: state.unwrap_or(CommitState::Pending),
        description: marker_value(body, WORDS).unwrap_or_default(),
        created_at: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_says_what_the_status_would() {
        let commit = CommitId::from_bytes([7; 20]);
        for (state, words) in [
            (CommitState::Pending, "in dev; not yet in prod"),
            (CommitState::Failure, "error in dev, a\"b=--><c…"),
            (CommitState::Success, "changes no environment"),
        ] {
            let status = CommitStatus {
                context: PROGRESS.to_owned(),
                state,
                description: words.to_owned(),
                created_at: None,
            };
            let page = format!("{}\n### DRY commit", mark(commit, &status));
            assert_eq!(told(&page, commit), Some(status));
            assert_eq!(told(&page, CommitId::from_bytes([8; 20])), None);
        }
        // As earlier versions wrote it.
        let page = marker(&[(MARK, &commit.to_string())]);
        assert_eq!(told(&page, commit).unwrap().state, CommitState::Pending);
    }
}
