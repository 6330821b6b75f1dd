//! Merging: whether GitLab would, doing it with the head named, and having GitLab do it by itself.

use anyhow::Result;
use serde_json::{Value, json};

use super::shapes::merge_commit;
use super::{GitLab, methods};
use crate::error::Failure;
use crate::forge::http::{Class, Effect, Method, Refused, Request};
use crate::forge::{ArmOutcome, MergeOutcome, MergeState, Mergeability};
use crate::model::{CommitId, MergeMethod, PullRequest, PullRequestState};

const ATTEMPTS: u32 = 5;
/// GitLab has not found out yet: it is asked again this often.
const LOOKS: u32 = 4;

/// A train merges a commit of its own, behind other ones.
const TRAIN: &str = "the project has merge trains, which merge by themselves and check other commits than ours: turn \
                     them off in its settings, or merge by hand";

/// Servers before this one merge at once where the pipeline has succeeded, or else refuse.
const MERGES_AT_ONCE: (u32, u32) = (18, 0);

/// Whether an open merge request could be merged, and whether the pipeline that decides has succeeded.
struct Looked {
    found: Mergeability,
    has_succeeded: bool,
}

/// Whether an open merge request could be merged.
pub(super) fn mergeability(forge: &GitLab, number: u64) -> Result<Mergeability> {
    look(forge, number).map(|looked| looked.found)
}

fn look(forge: &GitLab, number: u64) -> Result<Looked> {
    let mut look = 0;
    loop {
        look += 1;
        let doing = || format!("cannot tell whether merge request !{number} can be merged");
        let answer = forge.look(number).map_err(|refused| refused.while_doing(&doing()))?;
        let seen = forge
            .learn(&answer)
            .ok_or_else(|| Failure::forge(format!("{}: GitLab does not describe it", doing())))?;
        let has_trains = forge.setting("merge_trains_enabled")? == true;
        let found = Mergeability {
            head_sha: seen.head_sha,
            armed: seen.auto_merge,
            state: state(&seen, &answer, has_trains),
        };
        if found.state != MergeState::Unknown || look >= LOOKS || !forge.http.back_off(look) {
            return Ok(Looked { found, has_succeeded: answer["head_pipeline"]["status"] == "success" });
        }
    }
}

/// Source: the documentation of `detailed_merge_status`, which grows with GitLab's versions.
fn state(seen: &PullRequest, answer: &Value, has_trains: bool) -> MergeState {
    if seen.state != PullRequestState::Open {
        return MergeState::Stuck("it is not open".to_owned());
    }
    if has_trains {
        return MergeState::Stuck(TRAIN.to_owned());
    }
    meaning(answer["detailed_merge_status"].as_str().unwrap_or_default(), seen.draft)
}

/// What the word says of an open merge request.
pub(super) fn meaning(word: &str, is_draft: bool) -> MergeState {
    let stuck = |words: &str| MergeState::Stuck(words.to_owned());
    let blocked = |words: &str| MergeState::Blocked(words.to_owned());
    match word {
        "mergeable" => MergeState::Ready,
        "" | "unchecked" | "checking" | "preparing" | "approvals_syncing" => MergeState::Unknown,
        _ if is_draft => stuck("it is a draft"),
        "draft_status" => stuck("it is a draft"),
        "not_open" => stuck("it is not open"),
        "conflict" | "broken_status" => stuck("it has conflicts with its base branch"),
        "need_rebase" => stuck("its head is behind its base branch, and the project merges only what is not"),
        "commits_status" => stuck("its head is gone, or has nothing that its base branch lacks"),
        "ci_must_pass" => blocked("its pipeline must succeed"),
        "ci_still_running" => blocked("its pipeline is still running"),
        "not_approved" => blocked("an approval is required"),
        "requested_changes" => blocked("a reviewer asks for changes"),
        "discussions_not_resolved" => blocked("discussions must be resolved"),
        "external_status_checks" | "status_checks_must_pass" => blocked("external status checks must pass"),
        "blocked_status" | "merge_request_blocked" => blocked("another merge request must be merged before"),
        other => MergeState::Blocked(format!("GitLab says `{other}`")),
    }
}

/// Merges if the head still is `head_sha`.
pub(super) fn merge(
    forge: &GitLab,
    number: u64,
    head_sha: CommitId,
    method: Option<MergeMethod>,
) -> Result<MergeOutcome> {
    let body = match methods::prepare(forge, number, (head_sha, method))? {
        Ok(body) => body,
        Err(why) => return Ok(MergeOutcome::Blocked(why)),
    };
    let mut attempt = 0;
    loop {
        attempt += 1;
        let refused = match send(forge, number, body.clone()) {
            Ok(answer) => match merged_as(&answer, head_sha) {
                Some(commit) => return Ok(MergeOutcome::Merged(commit)),
                None => None,
            },
            Err(refused) => Some(refused),
        };
        // An answer that was lost, a merge that is still going on, or somebody who was faster.
        let doing = || format!("cannot merge merge request !{number}");
        let now = forge.look(number).map_err(|refused| refused.while_doing(&doing()))?;
        if let Some(merged) = merged_as(&now, head_sha) {
            return Ok(MergeOutcome::Merged(merged));
        }
        let why = refused.as_ref().and_then(Refused::status);
        // GitLab says 405 also while it finds out, and it forgets that it knew after a push.
        let passes = match why {
            None => true,
            Some(405) => is_passing(&now),
            Some(status) => status >= 500,
        };
        if attempt < ATTEMPTS && passes && forge.http.back_off(attempt) {
            continue;
        }
        let Some(refused) = refused else {
            let words = "GitLab has begun to merge it, and has not finished yet";
            return Ok(MergeOutcome::Blocked(words.to_owned()));
        };
        return match why {
            Some(405 | 406 | 409 | 422) => Ok(MergeOutcome::Blocked(explained(&refused, &now))),
            _ => Err(allowed(refused).while_doing(&doing()).into()),
        };
    }
}

fn send(forge: &GitLab, number: u64, body: Value) -> Result<Value, Refused> {
    forge.write(Method::Put, &format!("/merge_requests/{number}/merge"), body, Effect::Notify)
}

/// Whether GitLab may answer otherwise in a moment.
fn is_passing(now: &Value) -> bool {
    let known = now["detailed_merge_status"].as_str().unwrap_or_default();
    ["mergeable", "unchecked", "checking", "preparing", "approvals_syncing"].contains(&known)
}

/// A 401 here is about the branch and not about the token.
fn allowed(refused: Refused) -> Refused {
    if refused.class != Class::Auth {
        return refused;
    }
    refused.hint(
        "the token's account may not merge into this branch: allow it in the settings of the protected branch, under \
         \"Allowed to merge\"",
    )
}

/// GitLab's words, which say little, with what it knows.
fn explained(refused: &Refused, now: &Value) -> String {
    let meaning = match refused.status() {
        Some(409) => Some("its head was moved meanwhile".to_owned()),
        _ => now["detailed_merge_status"].as_str().map(|known| format!("GitLab says `{known}`")),
    };
    let error = now["merge_error"].as_str().filter(|error| !error.is_empty());
    let known: Vec<String> = error.map(str::to_owned).into_iter().chain(meaning).collect();
    if known.is_empty() { refused.words.clone() } else { format!("{} ({})", refused.words, known.join("; ")) }
}

/// The base's new tip, if the merge request was merged with this head.
fn merged_as(answer: &Value, head_sha: CommitId) -> Option<CommitId> {
    let is = answer["state"] == "merged" && answer["sha"] == head_sha.to_string();
    merge_commit(answer).filter(|_| is)
}

/// Has GitLab merge by itself once its rules are met.
pub(super) fn arm(
    forge: &GitLab,
    number: u64,
    head_sha: CommitId,
    method: Option<MergeMethod>,
) -> Result<ArmOutcome> {
    if let Some(why) = methods::contradiction(forge, method)? {
        return Ok(ArmOutcome::Refused(why));
    }
    let before = look(forge, number)?;
    match before.found.state {
        MergeState::Ready => return Ok(ArmOutcome::MergeableNow),
        MergeState::Stuck(why) => return Ok(ArmOutcome::Refused(why)),
        MergeState::Blocked(_) if before.has_succeeded && version(forge)? < MERGES_AT_ONCE => {
            return Ok(ArmOutcome::Refused(unable(&before.found.state)));
        }
        MergeState::Blocked(_) | MergeState::Unknown => {}
    }
    let mut body = match methods::prepare(forge, number, (head_sha, method))? {
        Ok(body) => body,
        Err(why) => return Ok(ArmOutcome::Refused(why)),
    };
    body[name_of_arming(forge)?] = json!(true);
    let refused = match send(forge, number, body) {
        // Its pipeline was faster, and it is merged: whoever merges it now finds it so.
        Ok(answer) if answer["state"] == "merged" => return Ok(ArmOutcome::MergeableNow),
        // It answers so also where it found no way to wait.
        Ok(answer) if answer["merge_when_pipeline_succeeds"] == false => None,
        Ok(_) => {
            note(forge, number, true);
            return Ok(ArmOutcome::Armed);
        }
        Err(refused) => Some(refused),
    };
    let now = mergeability(forge, number)?;
    if now.armed && now.head_sha == head_sha {
        return Ok(ArmOutcome::Armed);
    }
    if now.state == MergeState::Ready {
        return Ok(ArmOutcome::MergeableNow);
    }
    let Some(refused) = refused else { return Ok(ArmOutcome::Refused(unable(&now.state))) };
    let why = match refused.status() {
        // The last one where its pipeline has succeeded, and something else is missing: then it tries to merge at once.
        Some(405 | 406 | 422) => unable(&now.state),
        Some(409) => "its head was moved meanwhile".to_owned(),
        _ => {
            let doing = format!("cannot turn on auto-merge of merge request !{number}");
            return Err(allowed(refused).while_doing(&doing).into());
        }
    };
    Ok(ArmOutcome::Refused(format!("{} ({why})", refused.words)))
}

/// Why it has to be merged by us.
fn unable(state: &MergeState) -> String {
    let what = match state {
        MergeState::Blocked(words) | MergeState::Stuck(words) => words,
        MergeState::Ready | MergeState::Unknown => "it does not say what for",
    };
    format!(
        "this GitLab does not wait by itself here: {what}; the next `hydrator promote` after that merges it"
    )
}

/// The parameter got a new name in 17.11; the old one goes on until the next version of the API.
fn name_of_arming(forge: &GitLab) -> Result<&'static str> {
    Ok(if version(forge)? >= (17, 11) { "auto_merge" } else { "merge_when_pipeline_succeeds" })
}

/// The server's major and minor version.
fn version(forge: &GitLab) -> Result<(u32, u32)> {
    if let Some(known) = *forge.version.borrow() {
        return Ok(known);
    }
    let told = match &forge.place.version {
        Some(version) => version.clone(),
        None => ask_version(forge)?,
    };
    let number = number_of(&told);
    *forge.version.borrow_mut() = Some(number);
    Ok(number)
}

fn ask_version(forge: &GitLab) -> Result<String> {
    let request = Request::get(format!("{}/version", forge.place.api));
    let answer =
        forge.http.send(&request).map_err(|refused| refused.while_doing("cannot read GitLab's version"))?;
    Ok(answer.body["version"].as_str().unwrap_or_default().to_owned())
}

/// Such as 17 and 11 of `17.11.2-ee`.
fn number_of(version: &str) -> (u32, u32) {
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

/// Takes it back; one that is not armed is left alone.
pub(super) fn disarm(forge: &GitLab, number: u64) -> Result<()> {
    let known = forge.known(number)?;
    if known.state != PullRequestState::Open || !known.auto_merge {
        return Ok(());
    }
    let path = format!("/merge_requests/{number}/cancel_merge_when_pipeline_succeeds");
    if let Err(refused) = forge.write(Method::Post, &path, json!({}), Effect::Write) {
        // It may have been merged, closed or disarmed meanwhile.
        let now = forge.read(number)?;
        if now.state == PullRequestState::Open && now.auto_merge {
            let doing = format!("cannot turn off auto-merge of merge request !{number}");
            return Err(allowed(refused).while_doing(&doing).into());
        }
    }
    note(forge, number, false);
    Ok(())
}

fn note(forge: &GitLab, number: u64, armed: bool) {
    if let Some(known) = forge.known.borrow_mut().get_mut(&number) {
        known.auto_merge = armed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_numbers() {
        assert!(number_of("17.11.2-ee") >= (17, 11) && number_of("18.0") >= (17, 11));
        assert!(
            number_of("17.2.0") < (17, 11) && number_of("16.11.10") < (17, 11) && number_of("") < (17, 11)
        );
    }

    #[test]
    fn every_word_of_gitlabs_says_whether_it_can_come_about_by_itself() {
        let seen = json!({
            "iid": 7, "web_url": "https://e.org/7", "state": "opened", "title": "t", "draft": false,
            "source_project_id": 1, "target_project_id": 1, "sha": "1".repeat(40), "source_branch": "h",
            "target_branch": "b",
        });
        let seen = super::super::shapes::of_rest(&seen).unwrap();
        let kind = |word: &str| match state(&seen, &json!({"detailed_merge_status": word}), false) {
            MergeState::Ready => ("ready", String::new()),
            MergeState::Unknown => ("unknown", String::new()),
            MergeState::Blocked(words) => ("blocked", words),
            MergeState::Stuck(words) => ("stuck", words),
        };
        for (word, wanted, sign) in [
            ("mergeable", "ready", ""),
            ("approvals_syncing", "unknown", ""),
            ("", "unknown", ""),
            ("need_rebase", "stuck", "behind"),
            ("conflict", "stuck", "conflicts"),
            ("commits_status", "stuck", "gone"),
            ("discussions_not_resolved", "blocked", "discussions"),
            ("requested_changes", "blocked", "asks for changes"),
            ("status_checks_must_pass", "blocked", "external status checks"),
            ("merge_request_blocked", "blocked", "another merge request"),
            ("jira_association_missing", "blocked", "`jira_association_missing`"),
        ] {
            let (found, words) = kind(word);
            assert!(found == wanted && words.contains(sign), "{word}: {found}, {words}");
        }
    }

    #[test]
    fn the_new_tip_is_what_the_merge_made() {
        let (head, merge, squash) = ("1".repeat(40), "2".repeat(40), "3".repeat(40));
        let tip = |merge: &Value, squash: &Value| {
            let answer = json!({"state": "merged", "sha": head, "merge_commit_sha": merge, "squash_commit_sha": squash});
            merged_as(&answer, CommitId::parse(&head).unwrap()).unwrap().to_string()
        };
        assert_eq!(tip(&json!(merge), &json!(squash)), merge);
        assert_eq!(tip(&Value::Null, &json!(squash)), squash);
        assert_eq!(tip(&Value::Null, &Value::Null), head);
        assert_eq!(
            merged_as(&json!({"state": "opened", "sha": head}), CommitId::parse(&head).unwrap()),
            None
        );
    }
}
