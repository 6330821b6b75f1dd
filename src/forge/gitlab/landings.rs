//! How DRY commits came in: their statuses, their merged merge requests and our notes there.
//!
//! GitLab has no question in GraphQL for what brought a commit in. What was merged last is asked for instead, and only
//! of what that leaves open REST is asked, commit by commit.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::asked::Asked;
use super::price::LANDED_AT_ONCE;
use super::question;
use super::shapes::merge_commit;
use super::{GitLab, comments, expected, gates};
use crate::forge::http::{Class, Refused};
use crate::forge::{Extent, Landing, MergedPullRequest};
use crate::model::{BranchName, CommitId};

/// What is known of each commit.
pub(super) fn read(forge: &GitLab, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
    let mut found = BTreeMap::new();
    if let Some(expected) = forge.expected.borrow_mut().as_mut() {
        found.extend(commits.iter().filter_map(|commit| expected.found.remove_entry(commit)));
    }
    let left: Vec<CommitId> = commits.iter().filter(|commit| !found.contains_key(commit)).copied().collect();
    found.extend(ask(forge, &left)?);
    let left: Vec<CommitId> = left.into_iter().filter(|commit| !found.contains_key(commit)).collect();
    let (mut statuses, _) = gates::read(forge, &left, &[])?;
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
    for batch in commits.chunks(LANDED_AT_ONCE) {
        let base = Some(announced.base.clone());
        let asked = Asked { landed: batch.to_vec(), base, status: announced.status, ..Asked::default() };
        match forge.ask_all(graphql, question::statuses(path, &asked)) {
            Err(refused) if refused.class == Class::Invalid => break,
            answer => {
                let data =
                    answer.map_err(|refused| refused.while_doing("cannot read how DRY commits came in"))?;
                found.extend(expected::told(forge, &announced, (&asked, &data)));
            }
        }
    }
    Ok(found)
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
