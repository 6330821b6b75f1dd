//! How DRY commits came in: their statuses, their merged merge requests and our notes there.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::shapes::merge_commit;
use super::{GitLab, comments, statuses};
use crate::forge::http::Class;
use crate::forge::{Landing, MergedPullRequest};
use crate::model::{BranchName, CommitId};

/// What is known of each commit.
pub(super) fn read(forge: &GitLab, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
    let mut statuses = statuses::read_all(forge, commits)?;
    let landing = |commit: &CommitId| {
        let pull_requests = merged_with(forge, *commit)?;
        Ok((*commit, Landing { statuses: statuses.remove(commit).unwrap_or_default(), pull_requests }))
    };
    commits.iter().map(landing).collect()
}

fn merged_with(forge: &GitLab, commit: CommitId) -> Result<Vec<MergedPullRequest>> {
    let path = format!("/repository/commits/{commit}/merge_requests?state=merged");
    let all = match forge.list(&path) {
        // A commit that GitLab does not know.
        Err(refused) if refused.class == Class::NotFound => Vec::new(),
        all => all.map_err(|refused| {
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
