//! Pairs of branches, between which pull requests are looked for. Pure.

use anyhow::Result;

use crate::model::{BranchName, PullRequest, PullRequestOutline};

/// A head and the base that it would change.
pub type Pair<'a> = (&'a BranchName, &'a BranchName);

/// Of which pull requests of a pair the newest one is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Whatever became of them.
    All,
    /// Those that were merged.
    Merged,
}

/// What became of the pull requests of pairs: the open one, and of pairs that have none open what `ask` says of those.
pub(super) fn open_or_newest<'a>(
    open: &[PullRequest],
    pairs: &[Pair<'a>],
    ask: impl FnOnce(&[Pair<'a>]) -> Result<Vec<Option<PullRequestOutline>>>,
) -> Result<Vec<Option<PullRequestOutline>>> {
    let find = |(head, base): &Pair<'a>| open.iter().find(|one| one.head == **head && one.base == **base);
    let lacking: Vec<Pair<'a>> = pairs.iter().filter(|pair| find(pair).is_none()).copied().collect();
    let found = if lacking.is_empty() { Vec::new() } else { ask(&lacking)? };
    let mut found = found.into_iter();
    let one = |pair| match find(pair) {
        Some(open) => Some(open.outline()),
        None => found.next().flatten(),
    };
    Ok(pairs.iter().map(one).collect())
}
