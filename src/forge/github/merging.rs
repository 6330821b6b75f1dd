//! Merging: whether GitHub would, doing it with the head named, and having GitHub do it by itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::query::BATCH;
use super::{GitHub, Place, Question};
use crate::error::Failure;
use crate::forge::http::{Class, Effect, Method, Refused};
use crate::forge::{ArmOutcome, MergeOutcome, MergeState, Mergeability};
use crate::model::{CommitId, MergeMethod, PullRequestState};

const ATTEMPTS: u32 = 4;

/// GitHub has not found out yet: it is asked again this often.
const LOOKS: u32 = 4;

/// Whether an open pull request could be merged.
pub(super) fn mergeability(forge: &GitHub, number: u64) -> Result<Mergeability> {
    let mut look = 0;
    loop {
        look += 1;
        let node = look_at(forge, number)?;
        let found = read(&node).ok_or_else(|| {
            Failure::forge(format!(
                "cannot tell whether pull request #{number} can be merged: GitHub knows none"
            ))
        })?;
        if found.state != MergeState::Unknown || look >= LOOKS || !forge.http.back_off(look) {
            return Ok(found);
        }
    }
}

/// What tells whether a pull request could be merged.
const STANDING: &str = "
fragment standing on PullRequest {
  id number state isDraft headRefOid mergeStateStatus mergeable reviewDecision isMergeQueueEnabled isInMergeQueue
  autoMergeRequest { enabledAt } mergeCommit { oid }
}";

/// The same for several of them.
pub(super) fn mergeability_of(forge: &GitHub, numbers: &[u64]) -> Result<BTreeMap<u64, Mergeability>> {
    let Place { owner, name, .. } = &forge.place;
    let mut found = BTreeMap::new();
    for batch in numbers.chunks(BATCH) {
        let mut asked = String::new();
        for number in batch {
            // Writing to a string cannot fail.
            _ = write!(asked, "\n    pull{number}: pullRequest(number: {number}) {{ ...standing }}");
        }
        let text = format!(
            "query mergeabilityOf($owner: String!, $name: String!) {{
  repository(owner: $owner, name: $name) {{{asked}
  }}
}}{STANDING}"
        );
        let data = forge
            .ask(&Question { text, variables: json!({"owner": owner, "name": name}) })
            .map_err(|refused| refused.while_doing("cannot read whether pull requests can be merged"))?;
        let repository = &data["repository"];
        found.extend(
            batch.iter().filter_map(|number| Some((*number, read(&repository[format!("pull{number}")])?))),
        );
    }
    Ok(found)
}

fn look_at(forge: &GitHub, number: u64) -> Result<Value> {
    let Place { owner, name, .. } = &forge.place;
    let text = format!(
        "query mergeability($owner: String!, $name: String!, $number: Int!) {{
  repository(owner: $owner, name: $name) {{
    viewerDefaultMergeMethod
    pullRequest(number: $number) {{ ...standing }}
  }}
}}{STANDING}"
    );
    let variables = json!({"owner": owner, "name": name, "number": number});
    let data = forge.ask(&Question { text, variables }).map_err(|refused| {
        refused.while_doing(&format!("cannot read whether pull request #{number} can be merged"))
    })?;
    let repository = &data["repository"];
    *forge.preferred.borrow_mut() = repository["viewerDefaultMergeMethod"].as_str().and_then(method_of);
    Ok(repository["pullRequest"].clone())
}

fn read(node: &Value) -> Option<Mergeability> {
    let is = |key: &str| node[key] == true;
    let queue = "its base branch has a merge queue, which merges by itself and checks other commits than ours: take \
                 the branch out of the queue's rule";
    let state = match node["mergeStateStatus"].as_str()? {
        _ if node["state"] != "OPEN" => MergeState::Stuck("it is not open".to_owned()),
        _ if is("isMergeQueueEnabled") || is("isInMergeQueue") => MergeState::Stuck(queue.to_owned()),
        _ if is("isDraft") => MergeState::Stuck("it is a draft".to_owned()),
        "CLEAN" | "HAS_HOOKS" | "UNSTABLE" => MergeState::Ready,
        "DIRTY" => MergeState::Stuck("it has conflicts with its base branch".to_owned()),
        "DRAFT" => MergeState::Stuck("it is a draft".to_owned()),
        "BEHIND" => MergeState::Blocked("its head is behind its base branch".to_owned()),
        "BLOCKED" => MergeState::Blocked(why_blocked(node)),
        _ => MergeState::Unknown,
    };
    Some(Mergeability {
        head_sha: CommitId::parse(node["headRefOid"].as_str()?)?,
        state,
        armed: !node["autoMergeRequest"].is_null(),
    })
}

fn why_blocked(node: &Value) -> String {
    match node["reviewDecision"].as_str() {
        Some("REVIEW_REQUIRED") => "a review is required".to_owned(),
        Some("CHANGES_REQUESTED") => "a reviewer asks for changes".to_owned(),
        _ => "the base branch's rules are not met: a required status, a conversation, or who may push"
            .to_owned(),
    }
}

fn method_of(word: &str) -> Option<MergeMethod> {
    match word.to_lowercase().as_str() {
        "merge" => Some(MergeMethod::Merge),
        "squash" => Some(MergeMethod::Squash),
        "rebase" => Some(MergeMethod::Rebase),
        _ => None,
    }
}

/// The method that was asked for, else the one that the repository prefers, else GitHub's own default.
fn chosen(forge: &GitHub, method: Option<MergeMethod>) -> &'static str {
    method.or(*forge.preferred.borrow()).map_or("merge", MergeMethod::word)
}

/// Merges if the head still is `head_sha`.
pub(super) fn merge(
    forge: &GitHub,
    number: u64,
    head_sha: CommitId,
    method: Option<MergeMethod>,
) -> Result<MergeOutcome> {
    let body = json!({"sha": head_sha.to_string(), "merge_method": chosen(forge, method)});
    let mut attempt = 0;
    loop {
        attempt += 1;
        let answer =
            forge.write(Method::Put, &format!("/pulls/{number}/merge"), body.clone(), Effect::Notify);
        let refused = match answer {
            Ok(answer) => {
                let merged = answer["sha"].as_str().and_then(CommitId::parse);
                return merged.map(MergeOutcome::Merged).ok_or_else(|| {
                    Failure::forge(format!("GitHub merged pull request #{number} and names no commit")).into()
                });
            }
            Err(refused) => refused,
        };
        // An answer that was lost, or somebody who was faster.
        if let Some(merged) = merged(forge, number, head_sha)? {
            return Ok(MergeOutcome::Merged(merged));
        }
        let recomputes = refused.says("base branch was modified")
            || (refused.status() == Some(405) && refused.words == "Pull Request is not mergeable");
        if attempt < ATTEMPTS && recomputes && forge.http.back_off(attempt) {
            continue;
        }
        return match (refused.class, refused.status()) {
            (_, Some(405)) | (Class::Conflict, _) => Ok(MergeOutcome::Blocked(explained(&refused))),
            _ => Err(refused.while_doing(&format!("cannot merge pull request #{number}")).into()),
        };
    }
}

fn explained(refused: &Refused) -> String {
    let words = refused.words.clone();
    if refused.says("merge queue") {
        return format!("{words} (take the branch out of the merge queue's rule, or merge by hand)");
    }
    let forbidden =
        ["merge commits are not allowed", "squash merges are not allowed", "rebase merges are not allowed"];
    if forbidden.iter().any(|sign| refused.says(sign)) {
        return format!("{words} (set `mergeMethod` to one that the repository allows)");
    }
    words
}

/// The merge commit, if the pull request was merged with this head.
fn merged(forge: &GitHub, number: u64, head_sha: CommitId) -> Result<Option<CommitId>> {
    let node = look_at(forge, number)?;
    let is = node["state"] == "MERGED" && node["headRefOid"] == head_sha.to_string();
    Ok(node["mergeCommit"]["oid"].as_str().filter(|_| is).and_then(CommitId::parse))
}

/// Has GitHub merge by itself once its rules are met.
pub(super) fn arm(
    forge: &GitHub,
    number: u64,
    head_sha: CommitId,
    method: Option<MergeMethod>,
) -> Result<ArmOutcome> {
    let text = "mutation arm($id: ID!, $head: GitObjectID!, $method: PullRequestMergeMethod!) {
  enablePullRequestAutoMerge(input: {pullRequestId: $id, expectedHeadOid: $head, mergeMethod: $method}) {
    pullRequest { autoMergeRequest { enabledAt } }
  }
}";
    let method = chosen(forge, method).to_uppercase();
    let variables = json!({"id": id(forge, number)?, "head": head_sha.to_string(), "method": method});
    let question = Question { text: text.to_owned(), variables };
    let Err(refused) = forge.graphql(&question, Effect::Write) else {
        note(forge, number, true);
        return Ok(ArmOutcome::Armed);
    };
    if refused.class == Class::Transient {
        let now = mergeability(forge, number)?;
        if now.armed && now.head_sha == head_sha {
            return Ok(ArmOutcome::Armed);
        }
    }
    if ["is in clean status", "is in unstable status", "is in has_hooks status"]
        .iter()
        .any(|sign| refused.says(sign))
    {
        return Ok(ArmOutcome::MergeableNow);
    }
    match why_not_armed(&refused) {
        Some(why) => Ok(ArmOutcome::Refused(format!("{} ({why})", refused.words))),
        None => {
            Err(refused.while_doing(&format!("cannot turn on auto-merge of pull request #{number}")).into())
        }
    }
}

/// What stands behind a refusal to arm. The texts are GitHub's; some come with a doubled "Pull request".
fn why_not_armed(refused: &Refused) -> Option<&'static str> {
    let known = [
        (
            "auto merge is not allowed for this repository",
            "turn on \"Allow auto-merge\" in the repository's settings",
        ),
        (
            "protected branch rules not configured",
            "nothing guards this branch, so there is nothing to wait for: require the status `hydrator/promotion` on it",
        ),
        ("not authorized for this protected branch", "allow the token's account to push to the branch"),
        ("can't enable auto-merge", "the token's account may not, or it is a draft"),
        ("head sha", "its head was moved meanwhile"),
        ("head ref", "its head was moved meanwhile"),
        ("expected head", "its head was moved meanwhile"),
    ];
    known.iter().find(|(words, _)| refused.says(words)).map(|(_, why)| *why)
}

/// Takes auto-merge back; one that is not armed is left alone.
pub(super) fn disarm(forge: &GitHub, number: u64) -> Result<()> {
    let known = forge.known(number)?;
    if known.pull_request.state != PullRequestState::Open || !known.pull_request.auto_merge {
        return Ok(());
    }
    let text = "mutation disarm($id: ID!) {
  disablePullRequestAutoMerge(input: {pullRequestId: $id}) { pullRequest { autoMergeRequest { enabledAt } } }
}";
    let question = Question { text: text.to_owned(), variables: json!({"id": id(forge, number)?}) };
    if let Err(refused) = forge.graphql(&question, Effect::Write) {
        // It may have been merged, closed or disarmed meanwhile.
        let now = forge.read(number)?.pull_request;
        if now.state == PullRequestState::Open && now.auto_merge {
            let doing = format!("cannot turn off auto-merge of pull request #{number}");
            return Err(refused.while_doing(&doing).into());
        }
    }
    note(forge, number, false);
    Ok(())
}

fn note(forge: &GitHub, number: u64, armed: bool) {
    if let Some(known) = forge.known.borrow_mut().get_mut(&number) {
        known.pull_request.auto_merge = armed;
    }
}

/// The global id that mutations ask for.
fn id(forge: &GitHub, number: u64) -> Result<String> {
    let known = forge.known(number)?;
    if known.id.is_empty() { Ok(forge.read(number)?.id) } else { Ok(known.id) }
}
