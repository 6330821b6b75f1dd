//! Commit statuses. On GitLab each one is a job of a pipeline from outside, and a job goes from state to state: to say
//! the same state again is refused there, and so is a change of nothing but the description.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use super::question::OwnPipeline;
use super::shapes::{self, each};
use super::{GitLab, JobPipeline, PAGE, TokenKind, expected, question};
use crate::escape::{cut, one_line};
use crate::forge::http::{Class, Effect, Method, Refused, encoded};
use crate::model::{BranchName, CommitId, CommitState, CommitStatus, PullRequestState};

/// GitLab's limit of a description.
const DESCRIPTION: usize = 255;
const ATTEMPTS: u32 = 4;

/// What is known of a commit before a status of it is set; true for one status, which may change all of it.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// The contexts that wait.
    pub(super) waiting: BTreeSet<String>,
    /// The pipeline that they belong to.
    pub(super) pipeline: OwnPipeline,
}

/// The newest status of each context of a commit, of all its pipelines together; on the head of a merge request, of ours
/// those in the pipeline that decides.
pub(super) fn read(forge: &GitLab, commit: CommitId) -> Result<Vec<CommitStatus>> {
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
    let elsewhere = elsewhere(forge, commit, &all).map_err(|refused| {
        refused.while_doing(&format!("cannot tell which statuses of commit {} count", commit.short()))
    })?;
    let counts = |one: &&Value| !elsewhere.contains(&one["id"].as_u64());
    let numbered = |one: &Value| Some((one["id"].as_u64()?, shapes::status(one)?));
    Ok(question::newest_by_context(&mut all.iter().filter(counts).filter_map(numbered).collect::<Vec<_>>()))
}

/// The statuses of ours on the head of a merge request that are not in the pipeline that decides. That is asked for where
/// the list leaves it open: jobs of child pipelines are in it, too.
fn elsewhere(forge: &GitLab, commit: CommitId, all: &[Value]) -> Result<BTreeSet<Option<u64>>, Refused> {
    let is_own = |one: &&Value| one["name"].as_str().is_some_and(question::is_own);
    let own: Vec<&Value> = all.iter().filter(is_own).collect();
    let is_outside = |decisive: Option<u64>| move |one: &&&Value| one["pipeline_id"].as_u64() != decisive;
    let outside = |decisive: Option<u64>| {
        own.iter().filter(is_outside(decisive)).map(|one| one["id"].as_u64()).collect()
    };
    if let Some(pipeline) = of_job(forge, commit) {
        return Ok(outside(Some(pipeline.id)));
    }
    // Old servers do not tell the pipeline.
    let (Some((number, head)), true) =
        (offered(forge, commit), own.iter().all(|one| one["pipeline_id"].is_u64()))
    else {
        return Ok(BTreeSet::new());
    };
    let newest_on = |branch: &str| {
        all.iter().filter(|one| one["ref"] == branch).filter_map(|one| one["pipeline_id"].as_u64()).max()
    };
    let likely = newest_on(&of_request(number)).or_else(|| newest_on(head.as_str()));
    if own.iter().all(|one| !is_outside(likely)(&one)) {
        return Ok(BTreeSet::new());
    }
    let decisive = &forge.look(number)?["head_pipeline"];
    // One of a merged result is of another commit, and takes no status of this one.
    let decisive = decisive["id"].as_u64().filter(|_| decisive["sha"] == commit.to_string()).or(likely);
    Ok(outside(decisive))
}

/// The pipeline that this job belongs to, if it runs for the merge request whose head a commit is.
fn of_job(forge: &GitLab, commit: CommitId) -> Option<&JobPipeline> {
    forge.place.pipeline.as_ref().filter(|own| own.commit == commit)
}

/// Looks at a merge request, unless the job tells where statuses of its head belong.
pub(super) fn note_head(forge: &GitLab, number: u64, head: CommitId) -> Result<()> {
    if of_job(forge, head).is_some() || offered(forge, head).is_some() {
        return Ok(());
    }
    let doing = format!("cannot read merge request !{number}");
    let answer = forge.look(number).map_err(|refused| refused.while_doing(&doing))?;
    // One from a fork has no branch here.
    forge.learn(&answer);
    Ok(())
}

/// The open merge request whose head a commit is, with its branch.
fn offered(forge: &GitLab, commit: CommitId) -> Option<(u64, BranchName)> {
    let known = forge.known.borrow();
    let mut known = known.values();
    let found = known.find(|one| one.head_sha == commit && one.state == PullRequestState::Open);
    found.map(|one| (one.number, one.head.clone()))
}

/// Where pipelines run for a merge request itself.
fn of_request(number: u64) -> String {
    format!("refs/merge-requests/{number}/head")
}

/// Sets a status. One whose answer was lost is looked for before it is set again.
pub(super) fn set(forge: &GitLab, commit: CommitId, status: &CommitStatus) -> Result<()> {
    let doing = || format!("cannot set the status `{}` of commit {}", status.context, commit.short());
    let wanted =
        CommitStatus { description: cut(&one_line(&status.description), DESCRIPTION), ..status.clone() };
    let body = |told: OwnPipeline| {
        body(forge, commit, &wanted, told).map_err(|refused| refused.while_doing(&doing()))
    };
    let mut told = forge.told.borrow_mut().remove(&commit).unwrap_or_default();
    let mut body_now = body(told.pipeline)?;
    // A job that waits keeps its description: it makes room for another one.
    let is_in_the_way = wanted.state == CommitState::Pending && told.waiting.contains(&wanted.context);
    if is_in_the_way && let Err(refused) = post(forge, commit, &body_now, "canceled") {
        let is_done = refused.says("cannot transition") || refused.class == Class::NotFound;
        if !is_done {
            return Err(refused.while_doing(&doing()).into());
        }
    }
    let mut attempt = 0;
    loop {
        attempt += 1;
        let Err(refused) = post(forge, commit, &body_now, shapes::word(wanted.state)) else { return Ok(()) };
        let lost = refused.class == Class::Transient && !refused.unsent;
        let repeated = refused.says("cannot transition");
        if lost || repeated {
            let same = |one: &&CommitStatus| one.context == wanted.context && one.state == wanted.state;
            let found = read(forge, commit)?;
            match found.iter().find(same) {
                Some(found) if found.description == wanted.description => return Ok(()),
                // It may be below a newer one of another pipeline.
                _ if repeated && wanted.state == CommitState::Pending => {
                    post(forge, commit, &body_now, "canceled")
                        .map_err(|refused| refused.while_doing(&doing()))?;
                }
                _ => {}
            }
        }
        // The pipeline may be gone by now.
        if refused.class == Class::NotFound && matches!(told.pipeline, OwnPipeline::Number(_)) {
            told.pipeline = OwnPipeline::Unknown;
            body_now = body(told.pipeline)?;
            continue;
        }
        // A commit that was just pushed may not be seen yet.
        let passes = lost || repeated || refused.class == Class::NotFound;
        if attempt >= ATTEMPTS || !passes || !forge.http.back_off(attempt) {
            return Err(refused.while_doing(&doing()).into());
        }
    }
}

/// What is sent, but for the state.
fn body(
    forge: &GitLab,
    commit: CommitId,
    wanted: &CommitStatus,
    told: OwnPipeline,
) -> Result<Value, Refused> {
    let mut body = place(forge, commit, told)?;
    body["name"] = json!(wanted.context);
    body["description"] = json!(wanted.description);
    if let Some(url) = &forge.place.job_url {
        body["target_url"] = json!(url);
    }
    Ok(body)
}

fn post(forge: &GitLab, commit: CommitId, body: &Value, state: &str) -> Result<Value, Refused> {
    let mut body = body.clone();
    body["state"] = json!(state);
    forge.write(Method::Post, &format!("/statuses/{commit}"), body, Effect::Write)
}

/// Which pipeline a status belongs to: by the branch, else GitLab takes the first one that holds the commit, whosever it is; and where
/// the merge request has a pipeline of its own, that one, since only one of them decides about the merge. On the DRY
/// branch the first pipeline, where it is found again however many follow. Asked for unless it was told.
fn place(forge: &GitLab, commit: CommitId, told: OwnPipeline) -> Result<Value, Refused> {
    if let Some(own) = of_job(forge, commit) {
        return Ok(json!({"ref": own.full_ref, "pipeline_id": own.id}));
    }
    if let Some((number, head)) = offered(forge, commit) {
        let own = match told {
            OwnPipeline::Unknown => pipeline_of_request(forge, number, commit)?,
            told => told,
        };
        return Ok(match own {
            OwnPipeline::Number(id) => {
                json!({"ref": of_request(number), "pipeline_id": id})
            }
            _ => json!({"ref": head.as_str()}),
        });
    }
    let Some(branch) = branch_of(forge, commit)? else { return Ok(json!({})) };
    let first = match told {
        _ if !branch_is_dry(forge, &branch) => OwnPipeline::Missing,
        OwnPipeline::Unknown => first_pipeline(forge, commit, &branch)?,
        told => told,
    };
    Ok(match first {
        OwnPipeline::Number(id) => json!({"ref": branch, "pipeline_id": id}),
        _ => json!({"ref": branch}),
    })
}

/// The pipeline that runs for a merge request.
fn pipeline_of_request(forge: &GitLab, number: u64, commit: CommitId) -> Result<OwnPipeline, Refused> {
    let pipeline = forge.look(number)?["head_pipeline"].take();
    let is_its_own = pipeline["source"] == "merge_request_event" && pipeline["sha"] == commit.to_string();
    Ok(OwnPipeline::of(pipeline["id"].as_u64().filter(|_| is_its_own)))
}

fn branch_is_dry(forge: &GitLab, branch: &str) -> bool {
    expected::branches(forge).first().is_some_and(|base| base.as_str() == branch)
}

fn first_pipeline(forge: &GitLab, commit: CommitId, branch: &str) -> Result<OwnPipeline, Refused> {
    let branch = encoded(branch);
    let path = format!("/pipelines?sha={commit}&ref={branch}&order_by=id&sort=asc&per_page=1");
    let found = forge.get(&path)?;
    Ok(OwnPipeline::of(each(&found).find_map(|one| one["id"].as_u64())))
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
