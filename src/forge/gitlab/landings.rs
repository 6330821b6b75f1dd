//! How DRY commits came in: their statuses, their merged merge requests and our notes there.
//!
//! GitLab has no question in GraphQL for what brought a commit in. What was merged last is asked for instead, and only
//! of what that leaves open REST is asked, commit by commit.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::question::{self, Asked, COMMITS};
use super::shapes::{each, merge_commit};
use super::{GitLab, comments, statuses};
use crate::forge::http::{Class, Refused};
use crate::forge::{Announced, Comment, Extent, Landing, MergedPullRequest};
use crate::model::{BranchName, CommitId};

/// What was announced, and what is known of it already.
pub(super) struct Expected {
    announced: Announced,
    found: BTreeMap<CommitId, Landing>,
}

/// Takes note of what will be asked. What was known is old by now.
pub(super) fn expect(forge: &GitLab, announced: Announced) {
    *forge.expected.borrow_mut() = Some(Expected { announced, found: BTreeMap::new() });
}

/// Adds what was announced, and is not known yet, to a question that is about few other commits.
pub(super) fn join(forge: &GitLab, asked: &mut Asked) {
    let expected = forge.expected.borrow();
    let Some(Expected { announced, found }) = expected.as_ref() else { return };
    let room = COMMITS.saturating_sub(asked.commits.len());
    let all = announced.newest.iter().chain(&announced.others);
    asked.landed = all.filter(|commit| !found.contains_key(commit)).take(room).copied().collect();
    asked.base = Some(announced.base.clone());
}

/// Keeps what the answer says of them.
pub(super) fn keep(forge: &GitLab, asked: &Asked, data: &Value) {
    let mut expected = forge.expected.borrow_mut();
    let Some(Expected { announced, found }) = expected.as_mut() else { return };
    found.extend(told(forge, announced, (asked, data)));
}

/// What is known of each commit.
pub(super) fn read(forge: &GitLab, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
    let mut found = BTreeMap::new();
    if let Some(expected) = forge.expected.borrow_mut().as_mut() {
        found.extend(commits.iter().filter_map(|commit| expected.found.remove_entry(commit)));
    }
    let left: Vec<CommitId> = commits.iter().filter(|commit| !found.contains_key(commit)).copied().collect();
    found.extend(ask(forge, &left)?);
    let left: Vec<CommitId> = left.into_iter().filter(|commit| !found.contains_key(commit)).collect();
    let mut statuses = statuses::read_all(forge, &left)?;
    for commit in left {
        let pull_requests = carriers(forge, commit)?;
        let statuses = statuses.remove(&commit).unwrap_or_default();
        found.insert(commit, Landing { statuses, pull_requests, told: Extent::All });
    }
    Ok(found)
}

/// Asks about several at once, where that can be done.
fn ask(forge: &GitLab, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
    let announced = forge.expected.borrow().as_ref().map(|expected| expected.announced.clone());
    let (Some(announced), Some((graphql, path))) = (announced, forge.graphql()) else {
        return Ok(BTreeMap::new());
    };
    let mut found = BTreeMap::new();
    for batch in commits.chunks(COMMITS) {
        let base = Some(announced.base.clone());
        let asked = Asked { landed: batch.to_vec(), base, ..Asked::default() };
        match forge.ask_all(graphql, question::statuses(path, &asked)) {
            Err(refused) if refused.class == Class::Invalid => break,
            answer => {
                let data =
                    answer.map_err(|refused| refused.while_doing("cannot read how DRY commits came in"))?;
                found.extend(told(forge, &announced, (&asked, &data)));
            }
        }
    }
    Ok(found)
}

/// What an answer says of the commits; nothing of those whose statuses it does not tell whole.
fn told(
    forge: &GitLab,
    announced: &Announced,
    (asked, data): (&Asked, &Value),
) -> BTreeMap<CommitId, Landing> {
    let reader = Reader { forge, login: data["currentUser"]["username"].as_str().unwrap_or_default() };
    let project = &data["project"];
    let mut found = BTreeMap::new();
    for (commit, statuses) in question::landed_of(project, asked) {
        let is_newest = announced.newest.contains(&commit);
        let (told, pull_requests) = reader.maker(project, commit, is_newest);
        found.insert(commit, Landing { statuses, pull_requests, told });
    }
    found
}

/// What a merge request is read with besides.
struct Reader<'a> {
    forge: &'a GitLab,
    login: &'a str,
}

impl Reader<'_> {
    /// The merge request whose merge made a commit, if the answer tells. A commit that came in last would be among those
    /// that were merged last.
    fn maker(&self, project: &Value, commit: CommitId, is_newest: bool) -> (Extent, Vec<MergedPullRequest>) {
        let page = &project["merged"];
        // Without merge commits the head itself comes in; what was squashed then is not told.
        let Some(is_fast) = project["mergeRequestsFfOnlyEnabled"].as_bool() else {
            return (Extent::Nothing, Vec::new());
        };
        let key = if is_fast { "diffHeadSha" } else { "mergeCommitSha" };
        let made = each(&page["nodes"]).find(|node| node[key] == commit.to_string());
        let is_whole = page["nodes"].is_array() && (is_newest || page["pageInfo"]["hasNextPage"] == false);
        match made.map(|node| self.merged(node, commit)) {
            Some(Some(merged)) => (Extent::Maker, vec![merged]),
            None if is_whole && !is_fast => (Extent::Maker, Vec::new()),
            _ => (Extent::Nothing, Vec::new()),
        }
    }

    fn merged(&self, node: &Value, commit: CommitId) -> Option<MergedPullRequest> {
        let number: u64 = node["iid"].as_str()?.parse().ok()?;
        let notes = &node["notes"];
        // Ours may be further down.
        if notes["pageInfo"]["hasNextPage"] != false {
            return None;
        }
        let all = each(&notes["nodes"]).filter_map(|note| self.comment(number, note));
        let own_comments: Vec<Comment> = all.filter(|comment| comment.mine).collect();
        Some(MergedPullRequest {
            number,
            url: node["webUrl"].as_str()?.to_owned(),
            title: node["title"].as_str()?.to_owned(),
            base: BranchName::new(node["targetBranch"].as_str()?).ok()?,
            merge_commit: Some(commit),
            merged_at: node["mergedAt"].as_str().and_then(|time| time.parse().ok()),
            own_comments,
        })
    }

    fn comment(&self, number: u64, note: &Value) -> Option<Comment> {
        let id = note["id"].as_str()?.rsplit('/').next()?.parse().ok()?;
        let author = note["author"]["username"].as_str().unwrap_or_default().to_owned();
        (note["system"] == false).then(|| Comment {
            id,
            mine: !author.is_empty() && author == self.login,
            author,
            body: note["body"].as_str().unwrap_or_default().to_owned(),
            url: format!("{}/-/merge_requests/{number}#note_{id}", self.forge.place.web),
        })
    }
}

/// The merged merge requests that a commit came in with, and our notes there.
pub(super) fn carriers(forge: &GitLab, commit: CommitId) -> Result<Vec<MergedPullRequest>> {
    let path = format!("/repository/commits/{commit}/merge_requests?state=merged");
    let all = match forge.list(&path) {
        // A commit that GitLab does not know.
        Err(refused) if refused.class == Class::NotFound => Vec::new(),
        all => all.map_err(|refused: Refused| {
            refused.while_doing(&format!("cannot read which merge requests brought {} in", commit.short()))
        })?,
    };
    // Servers before 16.9 do not know the parameter.
    let merged = all.iter().filter(|one| one["state"] == "merged").filter_map(of_rest);
    let told = merged.map(|mut merged| {
        merged.own_comments = comments::read(forge, merged.number)?;
        merged.own_comments.retain(|comment| comment.mine);
        Ok(merged)
    });
    told.collect()
}

/// Who approved and has not taken it back since.
pub(super) fn approvers(forge: &GitLab, number: u64) -> Result<Vec<String>> {
    let path = format!("/merge_requests/{number}/approvals");
    let answer = forge.get(&path).map_err(|refused| {
        refused.while_doing(&format!("cannot read who approved merge request !{number}"))
    })?;
    let approvals = answer["approved_by"].as_array().into_iter().flatten();
    Ok(approvals.filter_map(|one| one["user"]["username"].as_str().map(str::to_owned)).collect())
}

/// One from a fork counts as well: it brought the commit in.
fn of_rest(answer: &Value) -> Option<MergedPullRequest> {
    Some(MergedPullRequest {
        number: answer["iid"].as_u64()?,
        url: answer["web_url"].as_str()?.to_owned(),
        title: answer["title"].as_str()?.to_owned(),
        base: BranchName::new(answer["target_branch"].as_str()?).ok()?,
        merge_commit: merge_commit(answer),
        merged_at: answer["merged_at"].as_str().and_then(|time| time.parse().ok()),
        own_comments: Vec::new(),
    })
}
