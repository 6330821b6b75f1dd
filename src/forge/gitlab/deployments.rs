//! Deployments. GitLab keeps no words with one, so that two of the same commit are one to it; ours are told from those
//! of jobs, which have a job, and from those of other people.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::shapes::each;
use super::{GitLab, statuses};
use crate::error::Failure;
use crate::forge::Deployment;
use crate::forge::http::{Class, Effect, Method, Refused, encoded};
use crate::model::CommitId;

/// How many of an environment's newest deployments are looked at: others may deploy to it more often than we do.
const LOOKED_AT: usize = 30;
const ATTEMPTS: u32 = 4;

/// The newest deployment of ours in each environment.
pub(super) fn read(forge: &GitLab, environments: &[&str]) -> Result<BTreeMap<String, Deployment>> {
    let found =
        look(forge, environments).map_err(|refused| refused.while_doing("cannot read the deployments"))?;
    let mut deployed = forge.deployed.borrow_mut();
    deployed.extend(found.iter().map(|(environment, commit)| (environment.clone(), *commit)));
    let shown = |(environment, commit): (String, CommitId)| {
        let deployment =
            Deployment { environment: environment.clone(), commit, description: String::new(), url: None };
        (environment, deployment)
    };
    Ok(found.into_iter().map(shown).collect())
}

fn look(forge: &GitLab, environments: &[&str]) -> Result<BTreeMap<String, CommitId>, Refused> {
    let mut found = BTreeMap::new();
    let mut left: Vec<&str> = environments.to_vec();
    if let Some((graphql, path)) = forge.graphql().filter(|_| environments.len() > 1) {
        match forge.ask(graphql, question(path)) {
            Err(refused) if refused.class == Class::Invalid => {}
            project => {
                let login = forge.viewer("username")?;
                let login = login.as_str().unwrap_or_default();
                let (ours, unclear) = ours_of(&project?, environments, login);
                found = ours;
                left = unclear;
            }
        }
    }
    for environment in left {
        let newest = newest(forge, environment)?;
        found.extend(newest.map(|commit| (environment.to_owned(), commit)));
    }
    Ok(found)
}

/// The question for what was deployed last to each environment.
fn question(path: &str) -> Value {
    let text = "query environments($path: ID!) {
  project(fullPath: $path) {
    environments(first: 100) {
      pageInfo { hasNextPage }
      nodes { name lastDeployment(status: SUCCESS) { sha triggerer { username } job { id } } }
    }
  }
}";
    json!({"query": text, "variables": {"path": path}})
}

/// What an account without a job deployed last, by environment; and the environments of which the answer does not tell.
fn ours_of<'a>(
    project: &Value,
    names: &[&'a str],
    account: &str,
) -> (BTreeMap<String, CommitId>, Vec<&'a str>) {
    let page = &project["environments"];
    let is_whole = page["nodes"].is_array() && page["pageInfo"]["hasNextPage"] == false;
    let shown: BTreeMap<&str, &Value> = each(&page["nodes"])
        .filter_map(|one| Some((one["name"].as_str()?, &one["lastDeployment"])))
        .collect();
    let (mut ours, mut unclear) = (BTreeMap::new(), Vec::new());
    for name in names {
        match shown.get(name) {
            Some(last) if last["job"].is_null() && last["triggerer"]["username"] == account => {
                ours.extend(
                    last["sha"].as_str().and_then(CommitId::parse).map(|sha| ((*name).to_owned(), sha)),
                );
            }
            // Nothing was deployed there.
            Some(last) if last.is_null() => {}
            None if is_whole => {}
            // Somebody else was the last one: ours may be below it.
            _ => unclear.push(*name),
        }
    }
    (ours, unclear)
}

/// The newest deployment of ours in one environment.
fn newest(forge: &GitLab, environment: &str) -> Result<Option<CommitId>, Refused> {
    let account = forge.account()?;
    let name = encoded(environment);
    let path =
        format!("/deployments?environment={name}&status=success&order_by=id&sort=desc&per_page={LOOKED_AT}");
    let answer = forge.get(&path)?;
    let is_ours = |one: &&Value| one["deployable"].is_null() && one["user"]["id"].as_u64() == Some(account);
    Ok(each(&answer).find(is_ours).and_then(|one| CommitId::parse(one["sha"].as_str()?)))
}

/// Records a deployment, unless the newest one is of the same commit.
pub(super) fn record(forge: &GitLab, deployment: &Deployment) -> Result<()> {
    let Deployment { environment, commit, .. } = deployment;
    let doing = || format!("cannot record the deployment of {} to `{environment}`", commit.short());
    if forge.deployed.borrow().get(environment) == Some(commit) {
        return Ok(());
    }
    let branch = statuses::branch_of(forge, *commit).map_err(|refused| refused.while_doing(&doing()))?;
    let Some(branch) = branch else {
        return Err(Failure::forge(format!("{}: no branch on GitLab has that commit", doing())).into());
    };
    let body = json!({
        "environment": environment, "sha": commit.to_string(), "ref": branch, "tag": false, "status": "success",
    });
    create(forge, (environment, *commit), &body)
        .map_err(|refused| explained(refused).while_doing(&doing()))?;
    forge.deployed.borrow_mut().insert(environment.clone(), *commit);
    Ok(())
}

/// Makes it. One whose answer was lost is looked for before it is made again.
fn create(forge: &GitLab, (environment, commit): (&str, CommitId), body: &Value) -> Result<(), Refused> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let Err(refused) = forge.write(Method::Post, "/deployments", body.clone(), Effect::Write) else {
            return Ok(());
        };
        let lost = refused.class == Class::Transient && !refused.unsent;
        if lost && newest(forge, environment)? == Some(commit) {
            return Ok(());
        }
        if attempt >= ATTEMPTS || !lost || !forge.http.back_off(attempt) {
            return Err(refused);
        }
    }
}

fn explained(refused: Refused) -> Refused {
    match refused.class {
        Class::Permission | Class::NotFound => refused.hint(
            "the token's account needs the role Developer, and where the environment is protected, to be allowed to deploy \
             to it; take `deployments: true` out of the configuration to do without deployments",
        ),
        _ => refused,
    }
}
