//! What gates wait for: statuses of many commits, and what became of the newest merge requests between branches; in as
//! few questions as GitLab's price of one allows.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::asked::Wish;
use super::price::questions;
use super::question::OwnPipeline;
use super::{GitLab, expected, listing, question, statuses};
use crate::forge::Statuses;
use crate::forge::http::Class;
use crate::forge::pair::{Of, Pair};
use crate::model::{CommitId, CommitState, PullRequestOutline, PullRequestState};

/// Both. Of commits that the questions leave out each is asked for by itself.
pub(super) fn read(
    forge: &GitLab,
    commits: &[CommitId],
    pairs: &[Pair<'_>],
) -> Result<(Statuses, Vec<Option<PullRequestOutline>>)> {
    let is_worth_it = match commits {
        _ if !pairs.is_empty() => true,
        [] => false,
        [_] => forge.expected.borrow().is_some(),
        _ => true,
    };
    let (mut found, page) = match forge.graphql() {
        Some(graphql) if is_worth_it => ask(forge, graphql, &wish(forge, commits, pairs))?,
        _ => (BTreeMap::new(), None),
    };
    for commit in commits {
        if !found.contains_key(commit) {
            // What was told of it before is old now.
            forge.told.borrow_mut().remove(commit);
            found.insert(*commit, statuses::read(forge, *commit)?);
        }
    }
    let newest = match page {
        Some(page) => listing::newest_in(forge, &page, (pairs, Of::Merged))?,
        None => listing::newest_of(forge, pairs, Of::Merged)?,
    };
    Ok((found, newest))
}

/// The statuses, and the page of merge requests, as far as they are told.
fn ask(forge: &GitLab, (graphql, path): (&str, &str), wish: &Wish<'_>) -> Result<(Statuses, Option<Value>)> {
    let (mut found, mut page) = (Statuses::new(), None);
    for asked in questions(wish) {
        let mut data = match forge.ask_all(graphql, question::statuses(path, &asked)) {
            // A server that has other limits, or that does not know one of the fields.
            Err(refused) if refused.class == Class::Invalid => break,
            data => data.map_err(|refused| refused.while_doing("cannot read the statuses of commits"))?,
        };
        expected::keep(forge, &asked, &data);
        let statuses = question::statuses_of(&data["project"], &asked);
        remember(forge, &statuses, question::pipelines_of(&data["project"], &asked));
        found.extend(statuses);
        if !asked.pairs.is_empty() {
            page = Some(data["project"]["newest"].take());
        }
    }
    Ok((found, page))
}

/// Keeps what whoever sets a status will need to know.
fn remember(forge: &GitLab, statuses: &Statuses, pipelines: BTreeMap<CommitId, OwnPipeline>) {
    let mut told = forge.told.borrow_mut();
    for (commit, all) in statuses {
        let waits = all.iter().filter(|one| one.state == CommitState::Pending);
        told.entry(*commit).or_default().waiting = waits.map(|one| one.context.clone()).collect();
    }
    for (commit, pipeline) in pipelines {
        told.entry(commit).or_default().pipeline = pipeline;
    }
}

/// Heads of merge requests, the open ones and the newest between branches, are cheap, since their pipelines are listed with these.
fn wish<'a>(forge: &GitLab, commits: &[CommitId], pairs: &'a [Pair<'a>]) -> Wish<'a> {
    let known = forge.known.borrow();
    let number = |commit: CommitId| {
        let mut open = known.values().filter(|one| one.state == PullRequestState::Open);
        let open = open.find(|one| one.head_sha == commit).map(|one| one.number);
        open.or_else(|| forge.newest.borrow().get(&commit).copied())
    };
    let mut wish = expected::wish(forge);
    wish.pairs = pairs;
    for commit in commits {
        match number(*commit) {
            Some(number) => wish.heads.push((number, *commit)),
            None => wish.commits.push(*commit),
        }
    }
    wish
}
