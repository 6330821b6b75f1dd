//! How a merge is made: what goes along with a request to merge, whether it squashes, and whether a configured method is
//! one that the project has.
//!
//! A merge request has a box for squashing, which people tick, and which a request to merge can tick and not clear.

use anyhow::Result;
use serde_json::{Value, json};

use super::GitLab;
use crate::forge::http::{Class, Effect, Method};
use crate::model::{CommitId, MergeMethod};

/// What a request to merge says, or in words why there is none. The box of a merge request that is not to be squashed is
/// cleared before.
pub(super) fn prepare(
    forge: &GitLab,
    number: u64,
    (head_sha, method): (CommitId, Option<MergeMethod>),
) -> Result<Result<Value, String>> {
    if let Some(why) = contradiction(forge, method)? {
        return Ok(Err(why));
    }
    // The head's branch is hydrator's, and stays.
    let mut body = json!({"sha": head_sha.to_string(), "should_remove_source_branch": false});
    let squashes = match method {
        Some(MergeMethod::Squash) => {
            body["squash"] = json!(true);
            true
        }
        Some(_) if is_squashed(forge, number)? => {
            if !clear(forge, number)? {
                return Ok(Err("GitLab goes on squashing it, which `mergeMethod` says otherwise".to_owned()));
            }
            false
        }
        Some(_) => false,
        None => is_squashed(forge, number)?,
    };
    if squashes && let Some(message) = message(forge, number, head_sha)? {
        body["squash_commit_message"] = json!(message);
    }
    Ok(Ok(body))
}

/// Whether a merge of it squashes, as it was last seen.
fn is_squashed(forge: &GitLab, number: u64) -> Result<bool> {
    let seen = || forge.squashed.borrow().get(&number).copied();
    if seen().is_none() {
        forge.read(number)?;
    }
    let is_ticked = seen().unwrap_or_default();
    let option = forge.setting("squash_option")?;
    Ok(option == "always" || is_ticked && option != "never")
}

/// Clears the box, and returns whether it is clear.
fn clear(forge: &GitLab, number: u64) -> Result<bool> {
    let path = format!("/merge_requests/{number}");
    let answer =
        forge.write(Method::Put, &path, json!({"squash": false}), Effect::Write).map_err(|refused| {
            refused.while_doing(&format!("cannot have merge request !{number} merged without a squash"))
        })?;
    forge.learn(&answer);
    Ok(!is_squashed(forge, number)?)
}

/// What a squash says: by itself GitLab would leave out all but the title, and the trailers tell that a commit is
/// hydrator's. Nothing where the head is gone. Source: GitLab's documentation of commit message templates.
fn message(forge: &GitLab, number: u64, head_sha: CommitId) -> Result<Option<String>> {
    let commit = match forge.get(&format!("/repository/commits/{head_sha}")) {
        Ok(commit) => commit,
        Err(refused) if refused.class == Class::NotFound => return Ok(None),
        Err(refused) => {
            return Err(refused.while_doing(&format!("cannot read the commit {}", head_sha.short())).into());
        }
    };
    let title = forge.known(number)?.title;
    let own = commit["message"].as_str().unwrap_or_default();
    let body = own.split_once('\n').map_or("", |(_, body)| body).trim();
    let path = forge.place.path.as_deref().unwrap_or_default();
    Ok(Some(format!("{title}\n\nSee merge request {path}!{number}\n\n{body}\n")))
}

/// On GitLab the project has one way to merge, and one word about squashing; a request can only squash besides.
pub(super) fn contradicts(project: &Value, method: MergeMethod) -> Option<String> {
    let squash = project["squash_option"].as_str().unwrap_or_default();
    let (wanted, fits, squashes): (_, &[&str], _) = match method {
        MergeMethod::Merge => ("merge", &["merge", "rebase_merge"], false),
        MergeMethod::Rebase => ("rebase", &["ff"], false),
        MergeMethod::Squash => ("squash", &[], true),
    };
    let set = match (squashes, squash) {
        (true, "never") => {
            return Some(format!("`mergeMethod: {wanted}` contradicts the project, which never squashes"));
        }
        (true, _) => return None,
        (false, "always") => {
            return Some(format!("`mergeMethod: {wanted}` contradicts the project, which always squashes"));
        }
        (false, _) => project["merge_method"].as_str()?,
    };
    (!fits.contains(&set))
        .then(|| format!("`mergeMethod: {wanted}` contradicts the project's own merge method, `{set}`"))
}

/// Why a configured method cannot be had here, and what helps.
pub(super) fn contradiction(forge: &GitLab, method: Option<MergeMethod>) -> Result<Option<String>> {
    let Some(method) = method else { return Ok(None) };
    let settings = forge.settings()?;
    Ok(contradicts(&settings, method).map(|why| format!("{why} (change one of them)")))
}
