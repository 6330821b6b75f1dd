//! Deployments: read for many environments at once, recorded one by one, each with a status that makes it the active one.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Map, Value, json};

use super::query::{BATCH, nodes};
use super::{GitHub, Place, Question};
use crate::forge::Deployment;
use crate::forge::http::{Class, Effect, Method, Refused, encoded};
use crate::model::CommitId;

/// What tells our deployments from those of others.
const TASK: &str = "hydrator";

/// How many of an environment's newest deployments are looked at: others may deploy to it more often than we do.
const LOOKED_AT: usize = 30;

const ATTEMPTS: u32 = 4;

/// The newest deployment of ours in each environment.
pub(super) fn read(forge: &GitHub, environments: &[&str]) -> Result<BTreeMap<String, Deployment>> {
    let mut found = BTreeMap::new();
    for batch in environments.chunks(BATCH) {
        let data = forge
            .ask(&question(&forge.place, batch))
            .map_err(|refused| refused.while_doing("cannot read the deployments"))?;
        for (number, environment) in batch.iter().enumerate() {
            let ours = |node: &&Value| node["task"] == TASK;
            let newest = nodes(&data["repository"][format!("environment{number}")]).find(ours);
            let Some((node, deployment)) = newest.and_then(|node| Some((node, of_node(node, environment)?)))
            else {
                continue;
            };
            if node["latestStatus"].is_null() {
                forge.unfinished.borrow_mut().push(deployment);
            } else {
                found.insert((*environment).to_owned(), deployment);
            }
        }
    }
    Ok(found)
}

fn question(place: &Place, environments: &[&str]) -> Question {
    let Place { owner, name, .. } = place;
    let (mut declared, mut asked) = (String::new(), String::new());
    let mut variables =
        Map::from_iter([("owner".to_owned(), json!(owner)), ("name".to_owned(), json!(name))]);
    for (number, environment) in environments.iter().enumerate() {
        // Writing to a string cannot fail.
        _ = write!(declared, ", $name{number}: String!");
        _ = write!(
            asked,
            "
    environment{number}: deployments(environments: [$name{number}], first: {LOOKED_AT},
      orderBy: {{field: CREATED_AT, direction: DESC}}) {{ nodes {{ ...deployment }} }}"
        );
        variables.insert(format!("name{number}"), json!(environment));
    }
    let text = format!(
        "query deployments($owner: String!, $name: String!{declared}) {{
  repository(owner: $owner, name: $name) {{{asked}
  }}
}}
fragment deployment on Deployment {{
  task commitOid description latestStatus {{ state logUrl }}
}}"
    );
    Question { text, variables: Value::Object(variables) }
}

fn of_node(node: &Value, environment: &str) -> Option<Deployment> {
    Some(Deployment {
        environment: environment.to_owned(),
        commit: CommitId::parse(node["commitOid"].as_str()?)?,
        description: node["description"].as_str().unwrap_or_default().to_owned(),
        url: node["latestStatus"]["logUrl"].as_str().map(str::to_owned),
    })
}

/// Records a deployment. GitHub makes the older ones of the environment inactive by itself.
pub(super) fn record(forge: &GitHub, deployment: &Deployment) -> Result<()> {
    let Deployment { environment, commit, description, url } = deployment;
    let doing = || format!("cannot record the deployment of {} to `{environment}`", commit.short());
    // The page belongs to the status that it lacks.
    let begun = Deployment { url: None, ..deployment.clone() };
    let is_unfinished = forge.unfinished.borrow().contains(&begun);
    let begun = if is_unfinished { look(forge, deployment) } else { Ok(None) };
    let begun = begun.map_err(|refused| refused.while_doing(&doing()))?;
    let id = match begun {
        Some(id) => id,
        None => create(forge, deployment).map_err(|refused| explained(refused).while_doing(&doing()))?,
    };
    let mut body = json!({"state": "success", "description": description, "auto_inactive": true});
    if let Some(url) = url {
        body["log_url"] = json!(url);
    }
    // Should it be lost, the next one finds the deployment without a status.
    let answer = forge.write(Method::Post, &format!("/deployments/{id}/statuses"), body, Effect::Write);
    answer.map(drop).map_err(|refused| refused.while_doing(&doing()).into())
}

/// Makes a deployment and returns its number.
fn create(forge: &GitHub, deployment: &Deployment) -> Result<u64, Refused> {
    let Deployment { environment, commit, description, .. } = deployment;
    let body = json!({
        "ref": commit.to_string(), "task": TASK, "environment": environment, "description": description,
        "auto_merge": false, "required_contexts": [], "production_environment": false,
    });
    let mut attempt = 0;
    loop {
        attempt += 1;
        let refused = match forge.write(Method::Post, "/deployments", body.clone(), Effect::Write) {
            Ok(answer) => return Ok(answer["id"].as_u64().unwrap_or_default()),
            Err(refused) => refused,
        };
        let lost = refused.class == Class::Transient && !refused.unsent;
        if lost && let Some(id) = look(forge, deployment)? {
            return Ok(id);
        }
        if attempt >= ATTEMPTS || !lost || !forge.http.back_off(attempt) {
            return Err(refused);
        }
    }
}

/// The number of a deployment that was made; GraphQL gives numbers that may be too large for its own type.
fn look(forge: &GitHub, deployment: &Deployment) -> Result<Option<u64>, Refused> {
    let Deployment { environment, commit, description, .. } = deployment;
    let environment = encoded(environment);
    let path = format!("/deployments?sha={commit}&task={TASK}&environment={environment}&per_page=1");
    let newest = forge.get(&path)?[0].take();
    let same = newest["description"] == description.as_str();
    Ok(newest["id"].as_u64().filter(|_| same))
}

fn explained(refused: Refused) -> Refused {
    match refused.class {
        Class::Permission | Class::NotFound => refused.hint(
            "recording deployments needs the permission `deployments: write`; take `deployments: true` out of the \
             configuration to do without them",
        ),
        _ => refused,
    }
}
