//! Accounts: GitLab takes numbers where people write user names.

use anyhow::Result;
use serde_json::Value;

use super::GitLab;
use super::shapes::each;
use crate::error::Failure;
use crate::forge::http::{Class, Refused, Request, encoded};
use crate::forge::{Permission, PullRequestLook};
use crate::model::PullRequest;

/// Whom a pull request shall have besides those that it has.
#[derive(Default)]
pub(super) struct Wanted {
    /// All reviewers by number, those that are there too, since the list is replaced; `None` if nobody is missing.
    pub(super) reviewers: Option<Vec<u64>>,
    /// The same for assignees.
    pub(super) assignees: Option<Vec<u64>>,
    unknown: Vec<String>,
}

/// The accounts of everybody who is missing.
pub(super) fn wanted(forge: &GitLab, now: Option<&PullRequest>, look: &PullRequestLook) -> Result<Wanted> {
    let mut unknown = Vec::new();
    let none: &[String] = &[];
    let mut all = |have: &[String], wanted: &[String]| -> Result<Option<Vec<u64>>> {
        let missing = missing(have, wanted);
        if missing.is_empty() {
            return Ok(None);
        }
        let mut ids = Vec::new();
        for name in have.iter().chain(&missing) {
            match number(forge, name)
                .map_err(|refused| refused.while_doing(&format!("cannot find the account `{name}`")))?
            {
                Some(id) => ids.push(id),
                None => unknown.push(name.clone()),
            }
        }
        Ok(Some(ids))
    };
    let reviewers = all(now.map_or(none, |now| &now.reviewers), &look.reviewers)?;
    let assignees = all(now.map_or(none, |now| &now.assignees), &look.assignees)?;
    Ok(Wanted { reviewers, assignees, unknown })
}

/// The number of an account, by its user name.
fn number(forge: &GitLab, name: &str) -> Result<Option<u64>, Refused> {
    let key = name.to_lowercase();
    if let Some(known) = forge.accounts.borrow().get(&key) {
        return Ok(Some(*known));
    }
    let url = format!("{}/users?username={}", forge.place.api, encoded(name));
    let answer = forge.http.send(&Request::get(url))?.body;
    let is_it = |one: &&Value| one["username"].as_str().is_some_and(|found| found.to_lowercase() == key);
    let found = each(&answer).find(is_it).and_then(|one| one["id"].as_u64());
    if let Some(id) = found {
        forge.accounts.borrow_mut().insert(key, id);
    }
    Ok(found)
}

/// What somebody may do in the project, through all its groups. Source: GitLab's documentation of the members API.
pub(super) fn permission(forge: &GitLab, name: &str) -> Result<Permission> {
    let level = level(forge, name)
        .map_err(|refused| refused.while_doing(&format!("cannot read what `{name}` may do here")))?;
    Ok(match level {
        40.. => Permission::Admin,
        30.. => Permission::Write,
        20.. => Permission::Read,
        _ => Permission::None,
    })
}

/// Such as 30 for a Developer; 0 for everybody who is no member, or who may not log in.
fn level(forge: &GitLab, name: &str) -> Result<u64, Refused> {
    match number(forge, name)? {
        Some(id) => level_of(forge, id),
        None => Ok(0),
    }
}

/// The same for an account by number.
pub(super) fn level_of(forge: &GitLab, id: u64) -> Result<u64, Refused> {
    match forge.get(&format!("/members/all/{id}")) {
        Ok(member) if member["state"] == "active" => Ok(member["access_level"].as_u64().unwrap_or_default()),
        Err(refused) if refused.class != Class::NotFound => Err(refused),
        _ => Ok(0),
    }
}

/// Those that are wanted and not there; GitLab does not tell upper from lower case in names.
pub(super) fn missing(have: &[String], wanted: &[String]) -> Vec<String> {
    let has = |name: &&String| have.iter().any(|one| one.to_lowercase() == name.to_lowercase());
    wanted.iter().filter(|name| !has(name)).cloned().collect()
}

/// An error if somebody is not there who shall be: GitLab ignores whom it does not like, without a word.
pub(super) fn refuse_ignored(
    now: &PullRequest,
    look: &PullRequestLook,
    asked: &Wanted,
) -> Result<(), Failure> {
    let number = now.number;
    if let Some(name) = asked.unknown.first() {
        return Err(Failure::forge(format!(
            "cannot add {name} to merge request !{number}: GitLab knows no such user name"
        ))
        .hint("correct `pullRequest.reviewers` and `pullRequest.assignees`: user names, not addresses"));
    }
    let hint = "they need access to the project, and without a paid plan GitLab takes one reviewer and one assignee: \
                correct `pullRequest.reviewers` and `pullRequest.assignees`";
    let reviewers = missing(&now.reviewers, &look.reviewers);
    if !reviewers.is_empty() {
        let names = reviewers.join(", ");
        let words = format!("cannot ask {names} to review merge request !{number}: GitLab ignores {names}");
        return Err(Failure::forge(words).hint(hint));
    }
    let assignees = missing(&now.assignees, &look.assignees);
    if !assignees.is_empty() {
        let names = assignees.join(", ");
        let words = format!("cannot assign {names} to merge request !{number}: GitLab ignores {names}");
        return Err(Failure::forge(words).hint(hint));
    }
    if look.team_reviewers.is_empty() {
        return Ok(());
    }
    let names = look.team_reviewers.join(", ");
    Err(Failure::forge(format!(
        "cannot ask {names} to review merge request !{number}: GitLab asks people, and no groups"
    ))
    .hint("take `pullRequest.teamReviewers` away; approval rules and code owners of the project ask groups"))
}
