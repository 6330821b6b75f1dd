//! Lists of pull requests: those that are open, and the newest ones between branches.

use anyhow::Result;
use serde_json::Value;

use super::query::{self, BATCH, nodes};
use super::{GitHub, Place};
use crate::error::Failure;
use crate::forge::pair::{Of, Pair, open_or_newest};
use crate::model::{PullRequest, PullRequestOutline, PullRequestState};

/// The open pull requests, and what became of the newest ones of pairs, in one question as long as they have room.
pub(super) fn open_and_newest(
    forge: &GitHub,
    pairs: &[Pair<'_>],
) -> Result<(Vec<PullRequest>, Vec<Option<PullRequestOutline>>)> {
    let Place { owner, name, .. } = &forge.place;
    let doing = format!("cannot list the open pull requests of `{owner}/{name}`");
    let (joined, others) = pairs.split_at(pairs.len().min(BATCH));
    let question = query::open_page(owner, name, None, joined);
    let data = forge.ask(&question).map_err(|refused| refused.while_doing(&doing))?;
    let first = &data["repository"]["pullRequests"];
    check(first, &doing)?;
    let more = behind(forge, first, &doing)?;
    let all = [first].into_iter().chain(&more).flat_map(nodes);
    let mut open: Vec<PullRequest> = all.filter_map(|node| forge.learn(node)).collect();
    // A page that changed meanwhile may bring one twice.
    open.sort_by_key(|one| one.number);
    open.dedup_by_key(|one| one.number);
    open.retain(|one| one.state == PullRequestState::Open);
    let others = open_or_newest(&open, others, |lacking| newest_of(forge, lacking, Of::All))?;
    let newest = newest_in(&data, joined.len()).chain(others);
    Ok((open, newest.collect()))
}

fn check(page: &Value, doing: &str) -> Result<(), Failure> {
    if page["nodes"].is_array() {
        return Ok(());
    }
    Err(Failure::forge(format!("{doing}: GitHub shows this token no such repository"))
        .hint("check `GITHUB_REPOSITORY`, and that the token may see it"))
}

/// The pages of open pull requests behind the first one.
fn behind(forge: &GitHub, first: &Value, doing: &str) -> Result<Vec<Value>> {
    let Place { owner, name, .. } = &forge.place;
    let cursor = |page: &Value| {
        let next = page["pageInfo"]["endCursor"].as_str().map(str::to_owned);
        next.filter(|_| page["pageInfo"]["hasNextPage"] == true)
    };
    let (mut found, mut after) = (Vec::new(), cursor(first));
    while let Some(at) = after {
        let question = query::open_page(owner, name, Some(&at), &[]);
        let mut data = forge.ask(&question).map_err(|refused| refused.while_doing(doing))?;
        let page = data["repository"]["pullRequests"].take();
        check(&page, doing)?;
        // A cursor that does not move would never end.
        after = cursor(&page).filter(|next| *next != at);
        found.push(page);
    }
    Ok(found)
}

/// What became of the newest one of each pair.
pub(super) fn newest_of(
    forge: &GitHub,
    pairs: &[Pair<'_>],
    of: Of,
) -> Result<Vec<Option<PullRequestOutline>>> {
    let Place { owner, name, .. } = &forge.place;
    let mut found = Vec::with_capacity(pairs.len());
    for batch in pairs.chunks(BATCH) {
        let data = forge
            .ask(&query::newest_of(owner, name, batch, of))
            .map_err(|refused| refused.while_doing("cannot look for the newest pull requests"))?;
        found.extend(newest_in(&data, batch.len()));
    }
    Ok(found)
}

/// The same out of an answer about so many pairs.
pub(super) fn newest_in(data: &Value, count: usize) -> impl Iterator<Item = Option<PullRequestOutline>> + '_ {
    (0..count).map(|number| {
        let found = nodes(&data["repository"][format!("pair{number}")]);
        found.filter_map(query::outline).max_by_key(|one| one.number)
    })
}

/// The newest one between two branches, with everything about it.
pub(super) fn newest(forge: &GitHub, pair: Pair<'_>) -> Result<Option<PullRequest>> {
    let Place { owner, name, .. } = &forge.place;
    let data = forge
        .ask(&query::newest(owner, name, pair))
        .map_err(|refused| refused.while_doing("cannot look for the newest pull request"))?;
    let found = nodes(&data["repository"]["pullRequests"]).filter_map(|node| forge.learn(node));
    Ok(found.max_by_key(|one| one.number))
}
