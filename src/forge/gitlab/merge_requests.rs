//! Merge requests opened, changed and closed. Nothing that reads the same is written again, and a write whose answer
//! was lost is looked for before it is repeated.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::people::{self, refuse_ignored};
use super::shapes::{each, sent_text, sent_title};
use super::{GitLab, comments};
use crate::error::Failure;
use crate::forge::http::{Class, Effect, Method, Refused};
use crate::forge::{Forge as _, NewPullRequest, PullRequestLook, same_text};
use crate::model::{BranchName, CommitId, PullRequest, PullRequestState};

/// How often something is tried that GitLab does not see yet.
const ATTEMPTS: u32 = 4;
/// So many of the newest versions of a merge request are looked at.
const VERSIONS: usize = 20;

/// Opens a merge request with everything that the look names, or returns the one that is open already.
pub(super) fn open(forge: &GitLab, wanted: &NewPullRequest) -> Result<PullRequest> {
    let NewPullRequest { head, base, look } = wanted;
    refuse_commas(look)?;
    // It is opened also where nobody can be asked.
    let (asked, failed) = match people::wanted(forge, None, look) {
        Ok(asked) => (asked, None),
        Err(error) => (people::Wanted::default(), Some(error)),
    };
    let mut body = json!({
        "title": sent_title(&look.title, look.draft), "description": sent_text(&look.body),
        "source_branch": head.as_str(), "target_branch": base.as_str(), "remove_source_branch": false,
    });
    if !look.labels.is_empty() {
        body["labels"] = json!(look.labels.join(","));
    }
    if let Some(ids) = &asked.reviewers {
        body["reviewer_ids"] = json!(ids);
    }
    if let Some(ids) = &asked.assignees {
        body["assignee_ids"] = json!(ids);
    }
    let (opened, is_new) = create(forge, &body, head, base)?;
    if let Some(error) = failed {
        return Err(error);
    }
    // One that was there already is changed by whoever asked for it.
    if is_new {
        refuse_ignored(&opened, look, &asked)?;
    }
    Ok(opened)
}

/// GitLab's lists of labels are one text with commas, and no label of it has one.
pub(super) fn has_comma(labels: &[String]) -> Option<String> {
    let label = labels.iter().find(|label| label.contains(','))?;
    Some(format!("the label `{label}` has a comma, at which GitLab makes two labels of it"))
}

/// What to do about it.
pub(super) const COMMA_HINT: &str = "name the labels one by one in `pullRequest.labels`";

fn refuse_commas(look: &PullRequestLook) -> Result<(), Failure> {
    has_comma(&look.labels).map_or(Ok(()), |words| Err(Failure::forge(words).hint(COMMA_HINT)))
}

fn create(forge: &GitLab, body: &Value, head: &BranchName, base: &BranchName) -> Result<(PullRequest, bool)> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let refused = match forge.write(Method::Post, "/merge_requests", body.clone(), Effect::Notify) {
            Ok(answer) => {
                let opened = forge.learn(&answer).ok_or_else(|| {
                    Failure::forge(format!(
                        "GitLab opened a merge request from `{head}` and does not describe it"
                    ))
                    .hint("run again: it will be found then")
                })?;
                return Ok((opened, true));
            }
            Err(refused) => refused,
        };
        let exists = refused.class == Class::Conflict;
        let lost = refused.class == Class::Transient && !refused.unsent;
        if exists || lost {
            let newest = forge.newest_pull_request(head, base)?;
            if let Some(found) = newest.filter(|newest| newest.state == PullRequestState::Open) {
                return Ok((found, false));
            }
        }
        // What was pushed may not be seen for a moment.
        let unseen = refused.says("does not exist");
        if attempt >= ATTEMPTS || !(exists || lost || unseen) || !forge.http.back_off(attempt) {
            return Err(explained(refused, head, base).into());
        }
    }
}

/// The meaning of a refusal to open, with what helps.
fn explained(refused: Refused, head: &BranchName, base: &BranchName) -> Failure {
    let hints: &[(&str, String)] = &[
        (
            "already exists",
            format!(
                "GitLab allows one open merge request from a branch here: close the other one from `{head}`"
            ),
        ),
        (
            "source branch",
            format!("GitLab does not see `{head}`: run again, and look whether a rule deletes it"),
        ),
        (
            "target branch",
            format!("GitLab does not see `{base}`: run again, and look whether somebody deleted it"),
        ),
        ("description: is too long", "shorten `pullRequest.body`".to_owned()),
        ("title: is too long", "shorten `pullRequest.title`".to_owned()),
        ("quick action", "take the lines that start with `/` out of `pullRequest.body`".to_owned()),
    ];
    let found = hints.iter().find(|(words, _)| refused.says(words)).map(|(_, hint)| hint.clone());
    let refused = match found {
        Some(hint) => refused.hint(hint),
        None => refused,
    };
    refused.while_doing(&format!("cannot open a merge request from `{head}` to `{base}`"))
}

/// Makes an open merge request look as wanted, in one request. Labels are added; people too, beside those who are there.
pub(super) fn update(forge: &GitLab, number: u64, look: &PullRequestLook) -> Result<PullRequest> {
    refuse_commas(look)?;
    let now = forge.known(number)?;
    let asked = people::wanted(forge, Some(&now), look)?;
    let mut changes = Map::new();
    if !same_text(&now.title, &look.title) {
        changes.insert("title".to_owned(), json!(sent_title(&look.title, now.draft)));
    }
    if !same_text(&now.body, &sent_text(&look.body)) {
        changes.insert("description".to_owned(), json!(sent_text(&look.body)));
    }
    let labels = now.label_names.missing(&now.labels, &look.labels);
    if !labels.is_empty() {
        changes.insert("add_labels".to_owned(), json!(labels.join(",")));
    }
    if let Some(ids) = &asked.reviewers {
        changes.insert("reviewer_ids".to_owned(), json!(ids));
    }
    if let Some(ids) = &asked.assignees {
        changes.insert("assignee_ids".to_owned(), json!(ids));
    }
    let mut after = now;
    if !changes.is_empty() {
        let path = format!("/merge_requests/{number}");
        let doing = format!("cannot change merge request !{number}");
        let answer = forge
            .write(Method::Put, &path, Value::Object(changes), Effect::Write)
            .map_err(|refused| refused.while_doing(&doing))?;
        after = forge
            .learn(&answer)
            .ok_or_else(|| Failure::forge(format!("{doing}: GitLab does not describe it afterwards")))?;
    }
    refuse_ignored(&after, look, &asked)?;
    Ok(after)
}

/// Leaves a note on a merge request and closes it.
pub(super) fn close(forge: &GitLab, number: u64, comment: &str) -> Result<()> {
    let known = forge.known(number)?;
    if known.state != PullRequestState::Open {
        return Ok(());
    }
    if !comment.is_empty() {
        comments::say(forge, number, comment)?;
    }
    let body = json!({"state_event": "close"});
    let closed = forge.write(Method::Put, &format!("/merge_requests/{number}"), body, Effect::Notify);
    closed.map_err(|refused| refused.while_doing(&format!("cannot close merge request !{number}")))?;
    forge.remember(&PullRequest { state: PullRequestState::Closed, ..known });
    Ok(())
}

/// Takes a label off.
pub(super) fn remove_label(forge: &GitLab, number: u64, label: &str) -> Result<()> {
    let known = forge.known(number)?;
    // GitLab tells upper from lower case, and people who ask for this do not.
    let (found, labels): (Vec<String>, Vec<String>) =
        known.labels.iter().cloned().partition(|one| one.eq_ignore_ascii_case(label));
    if found.is_empty() {
        return Ok(());
    }
    let body = json!({"remove_labels": found.join(",")});
    let answer = forge.write(Method::Put, &format!("/merge_requests/{number}"), body, Effect::Write);
    answer.map_err(|refused| {
        refused.while_doing(&format!("cannot take the label `{label}` off merge request !{number}"))
    })?;
    forge.remember(&PullRequest { labels, ..known });
    Ok(())
}

/// The head, and when it came: with a version of the merge request, of which each push makes one. One of the same head is
/// made where only the base moved.
pub(super) fn head_since(forge: &GitLab, number: u64) -> Result<Option<(CommitId, Timestamp)>> {
    let doing = format!("cannot read since when merge request !{number} has its head");
    let found = forge.get(&format!("/merge_requests/{number}/versions?per_page={VERSIONS}"));
    let answer = found.map_err(|refused| refused.while_doing(&doing))?;
    let mut versions: Vec<&Value> = each(&answer).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version["id"].as_u64()));
    let Some(newest) = versions.first() else { return Ok(None) };
    let head = |version: &Value| version["head_commit_sha"].as_str().and_then(CommitId::parse);
    let same = versions.iter().take_while(|version| head(version) == head(newest));
    let since = same.last().and_then(|first| first["created_at"].as_str()?.parse().ok());
    Ok(head(newest).zip(since))
}
