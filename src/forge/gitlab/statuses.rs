//! Commit statuses. On GitLab each one is a job of a pipeline from outside, and a job goes from state to state: to say
//! the same state again is refused there, and so is a change of nothing but the description.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::question::{self, Asked, COMMITS, COMMITS_WITH_PAIRS, HEADS};
use super::shapes::{self, each};
use super::{GitLab, PAGE, TokenKind, expected};
use crate::escape::{cut, one_line};
use crate::forge::Statuses;
use crate::forge::http::{Class, Effect, Method, Refused, encoded};
use crate::model::{BranchName, CommitId, CommitState, CommitStatus, PullRequestState};

/// GitLab's limit of a description.
const DESCRIPTION: usize = 255;
const ATTEMPTS: u32 = 4;

/// The newest status of each context of many commits. Of those that one question at once leaves out, each is asked for.
pub(super) fn read_all(forge: &GitLab, commits: &[CommitId]) -> Result<Statuses> {
    let mut found = match forge.graphql() {
        Some(graphql) if commits.len() > 1 || (!commits.is_empty() && forge.expected.borrow().is_some()) => {
            read_many(forge, graphql, commits)?
        }
        _ => BTreeMap::new(),
    };
    for commit in commits {
        if !found.contains_key(commit) {
            found.insert(*commit, read(forge, *commit)?);
        }
    }
    Ok(found)
}

fn read_many(forge: &GitLab, (graphql, path): (&str, &str), commits: &[CommitId]) -> Result<Statuses> {
    let mut found = BTreeMap::new();
    for mut asked in batches(forge, commits) {
        expected::join(forge, &mut asked, COMMITS);
        let data = match forge.ask_all(graphql, question::statuses(path, &asked, &[])) {
            // A server that has other limits, or that does not know one of the fields.
            Err(refused) if refused.class == Class::Invalid => break,
            data => data.map_err(|refused| refused.while_doing("cannot read the statuses of commits"))?,
        };
        expected::keep(forge, &asked, &data);
        found.extend(question::statuses_of(&data["project"], &asked));
    }
    Ok(found)
}

/// The same of few commits with the newest merge requests of pairs of branches: a page that GraphQL told. Nothing where
/// that is too much for one question, or more than it tells.
pub(super) fn read_with(
    forge: &GitLab,
    commits: &[CommitId],
    pairs: &[(&BranchName, &BranchName)],
) -> Result<Option<(Statuses, Value)>> {
    let Some((graphql, path)) = forge.graphql() else { return Ok(None) };
    let mut asked = match <[Asked; 1]>::try_from(batches(forge, commits)) {
        Ok([asked]) if asked.commits.len() <= COMMITS_WITH_PAIRS => asked,
        _ => return Ok(None),
    };
    expected::join(forge, &mut asked, COMMITS_WITH_PAIRS);
    let mut data = match forge.ask_all(graphql, question::statuses(path, &asked, pairs)) {
        Err(refused) if refused.class == Class::Invalid => return Ok(None),
        data => data.map_err(|refused| refused.while_doing("cannot read what gates wait for"))?,
    };
    expected::keep(forge, &asked, &data);
    let mut found = question::statuses_of(&data["project"], &asked);
    for commit in commits {
        if !found.contains_key(commit) {
            found.insert(*commit, read(forge, *commit)?);
        }
    }
    Ok(Some((found, data["project"]["newest"].take())))
}

/// Heads of open merge requests are many for one; other commits are few.
fn batches(forge: &GitLab, commits: &[CommitId]) -> Vec<Asked> {
    let known = forge.known.borrow();
    let number = |commit: &CommitId| {
        let mut open = known.values().filter(|one| one.state == PullRequestState::Open);
        open.find(|one| one.head_sha == *commit).map(|one| one.number)
    };
    let mut heads: Vec<(u64, CommitId)> = Vec::new();
    let mut others: Vec<CommitId> = Vec::new();
    for commit in commits {
        match number(commit) {
            Some(number) => heads.push((number, *commit)),
            None => others.push(*commit),
        }
    }
    let count = heads.len().div_ceil(HEADS).max(others.len().div_ceil(COMMITS));
    let mut batches: Vec<Asked> = (0..count).map(|_| Asked::default()).collect();
    for (batch, heads) in batches.iter_mut().zip(heads.chunks(HEADS)) {
        batch.heads = heads.to_vec();
    }
    for (batch, others) in batches.iter_mut().zip(others.chunks(COMMITS)) {
        batch.commits = others.to_vec();
    }
    batches
}

/// The newest status of each context of a commit, of all its pipelines together.
fn read(forge: &GitLab, commit: CommitId) -> Result<Vec<CommitStatus>> {
    let path = format!("/repository/commits/{commit}/statuses?all=false");
    let all = match forge.list(&path) {
        Err(refused) if refused.class == Class::NotFound => Vec::new(),
        // A job's own token may not read them, and does nothing on the strength of them.
        Err(refused)
            if forge.kind == TokenKind::Job && matches!(refused.class, Class::Auth | Class::Permission) =>
        {
            Vec::new()
        }
        all => all.map_err(|refused| {
            refused.while_doing(&format!("cannot read the statuses of commit {}", commit.short()))
        })?,
    };
    let numbered = |one: &Value| Some((one["id"].as_u64()?, shapes::status(one)?));
    Ok(question::newest_by_context(&mut all.iter().filter_map(numbered).collect::<Vec<_>>()))
}

/// Sets a status. One whose answer was lost is looked for before it is set again.
pub(super) fn set(forge: &GitLab, commit: CommitId, status: &CommitStatus) -> Result<()> {
    let doing = || format!("cannot set the status `{}` of commit {}", status.context, commit.short());
    let wanted =
        CommitStatus { description: cut(&one_line(&status.description), DESCRIPTION), ..status.clone() };
    let mut body = place(forge, commit).map_err(|refused| refused.while_doing(&doing()))?;
    body["name"] = json!(wanted.context);
    body["description"] = json!(wanted.description);
    if let Some(url) = &forge.place.job_url {
        body["target_url"] = json!(url);
    }
    let mut attempt = 0;
    loop {
        attempt += 1;
        let Err(refused) = post(forge, commit, &body, shapes::word(wanted.state)) else { return Ok(()) };
        let lost = refused.class == Class::Transient && !refused.unsent;
        let repeated = refused.says("cannot transition");
        if lost || repeated {
            let same = |one: &&CommitStatus| one.context == wanted.context && one.state == wanted.state;
            let found = read(forge, commit)?;
            match found.iter().find(same) {
                Some(found) if found.description == wanted.description => return Ok(()),
                // A job that waits keeps its description: it makes room for another one.
                Some(found) if repeated && found.state == CommitState::Pending => {
                    post(forge, commit, &body, "canceled")
                        .map_err(|refused| refused.while_doing(&doing()))?;
                }
                _ => {}
            }
        }
        // A commit that was just pushed may not be seen yet.
        let passes = lost || repeated || refused.class == Class::NotFound;
        if attempt >= ATTEMPTS || !passes || !forge.http.back_off(attempt) {
            return Err(refused.while_doing(&doing()).into());
        }
    }
}

fn post(forge: &GitLab, commit: CommitId, body: &Value, state: &str) -> Result<Value, Refused> {
    let mut body = body.clone();
    body["state"] = json!(state);
    forge.write(Method::Post, &format!("/statuses/{commit}"), body, Effect::Write)
}

/// Which pipeline a status belongs to: by the branch, else GitLab takes the first one that holds the commit, whosever it is; and where
/// the merge request has a pipeline of its own, that one, since only one of them decides about the merge.
fn place(forge: &GitLab, commit: CommitId) -> Result<Value, Refused> {
    let offered = {
        let known = forge.known.borrow();
        let mut known = known.values();
        known
            .find(|one| one.head_sha == commit && one.state == PullRequestState::Open)
            .map(|one| (one.number, one.head.clone()))
    };
    if let Some((number, head)) = offered {
        let pipeline = forge.look(number)?["head_pipeline"].take();
        let is_its_own = pipeline["source"] == "merge_request_event" && pipeline["sha"] == commit.to_string();
        if is_its_own {
            return Ok(json!({"ref": pipeline["ref"], "pipeline_id": pipeline["id"]}));
        }
        return Ok(json!({"ref": head.as_str()}));
    }
    // On the DRY branch the first pipeline, where it is found again however many follow.
    let Some(branch) = branch_of(forge, commit)? else { return Ok(json!({})) };
    if branch_is_dry(forge, &branch)
        && let Some(first) = first_pipeline(forge, commit, &branch)?
    {
        return Ok(json!({"ref": branch, "pipeline_id": first}));
    }
    Ok(json!({"ref": branch}))
}

fn branch_is_dry(forge: &GitLab, branch: &str) -> bool {
    expected::branches(forge).first().is_some_and(|base| base.as_str() == branch)
}

fn first_pipeline(forge: &GitLab, commit: CommitId, branch: &str) -> Result<Option<u64>, Refused> {
    let branch = encoded(branch);
    let path = format!("/pipelines?sha={commit}&ref={branch}&order_by=id&sort=asc&per_page=1");
    let found = forge.get(&path)?;
    Ok(each(&found).find_map(|one| one["id"].as_u64()))
}

/// The branch of a commit: the one that was announced, else one that holds it, ours before those of others.
pub(super) fn branch_of(forge: &GitLab, commit: CommitId) -> Result<Option<String>, Refused> {
    if let Some(branch) = expected::branch_of(forge, commit) {
        return Ok(Some(branch.as_str().to_owned()));
    }
    let found = match forge.get(&format!("/repository/commits/{commit}/refs?type=branch&per_page={PAGE}")) {
        Ok(found) => found,
        Err(refused) if refused.class == Class::NotFound => return Ok(None),
        Err(refused) => return Err(refused),
    };
    let names: Vec<&str> = each(&found).filter_map(|one| one["name"].as_str()).collect();
    let mut ours = expected::branches(forge);
    ours.extend(forge.known.borrow().values().flat_map(|one| [one.head.clone(), one.base.clone()]));
    let own = ours.iter().map(BranchName::as_str).find(|own| names.contains(own));
    Ok(own.or_else(|| names.first().copied()).map(str::to_owned))
}
