//! Commit statuses: read for many commits at once, set one by one.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::query::{self, Along, BATCH};
use super::{GitHub, Place, landings};
use crate::escape::{cut, one_line};
use crate::forge::Statuses;
use crate::forge::http::{Class, Effect, Method};
use crate::model::{CommitId, CommitStatus};

/// GitHub's limits of a status.
const DESCRIPTION: usize = 140;
const ATTEMPTS: u32 = 4;

/// The newest status of each context of each commit.
pub(super) fn read(forge: &GitHub, commits: &[CommitId]) -> Result<Statuses> {
    let Place { owner, name, .. } = &forge.place;
    let mut found = BTreeMap::new();
    for batch in commits.chunks(BATCH) {
        let question = |along: &Along| query::statuses(owner, name, batch, along);
        let data = landings::ask_along(forge, batch.len(), question)
            .map_err(|refused| refused.while_doing("cannot read the statuses of commits"))?;
        found.extend(found_in(&data, batch));
    }
    Ok(found)
}

/// The answer for these commits.
pub(super) fn found_in(data: &Value, commits: &[CommitId]) -> Statuses {
    let of_one = |(number, commit): (usize, &CommitId)| {
        (*commit, query::statuses_of(&data["repository"][format!("commit{number}")]))
    };
    commits.iter().enumerate().map(of_one).collect()
}

/// Sets a status. One whose answer was lost is looked for before it is set again.
pub(super) fn set(forge: &GitHub, commit: CommitId, status: &CommitStatus) -> Result<()> {
    let description = cut(&one_line(&status.description), DESCRIPTION);
    let mut body =
        json!({"state": status.state.word(), "context": status.context, "description": description});
    if let Some(url) = &forge.place.job_url {
        body["target_url"] = json!(url);
    }
    let mut attempt = 0;
    loop {
        attempt += 1;
        let path = format!("/statuses/{commit}");
        let Err(refused) = forge.write(Method::Post, &path, body.clone(), Effect::Write) else {
            return Ok(());
        };
        let lost = refused.class == Class::Transient && !refused.unsent;
        let is_set = |one: &CommitStatus| {
            one.context == status.context && one.state == status.state && one.description == description
        };
        if lost && read(forge, &[commit])?.values().flatten().any(is_set) {
            return Ok(());
        }
        // A commit that was just pushed may not be seen yet.
        let passes = lost || refused.says("no commit found");
        if attempt >= ATTEMPTS || !passes || !forge.http.back_off(attempt) {
            let refused = if refused.class == Class::Invalid && refused.says("maximum number of statuses") {
                refused
                    .hint("GitHub takes 1,000 statuses of one name for one commit: any new DRY commit helps")
            } else {
                refused
            };
            let doing = format!("cannot set the status `{}` of commit {}", status.context, commit.short());
            return Err(refused.while_doing(&doing).into());
        }
    }
}
