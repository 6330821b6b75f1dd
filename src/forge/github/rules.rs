//! What a branch's rules ask for: rulesets, which everybody may read, and classic protection, as far as it is shown.

use anyhow::Result;
use serde_json::Value;

use super::GitHub;
use crate::forge::http::{Class, Refused, encoded};
use crate::model::BranchName;

/// The contexts of statuses that must be successful before `branch` takes a pull request.
pub(super) fn required(forge: &GitHub, branch: &BranchName) -> Result<Vec<String>> {
    if let Some(known) = forge.required.borrow().get(branch) {
        return Ok(known.clone());
    }
    let refuse =
        |refused: Refused| refused.while_doing(&format!("cannot read the rules of branch `{branch}`"));
    let mut found = Vec::new();
    for rule in rules(forge, branch).map_err(refuse)? {
        if rule["type"] == "required_status_checks" {
            let checks = rule["parameters"]["required_status_checks"].as_array().into_iter().flatten();
            found.extend(checks.filter_map(|check| check["context"].as_str().map(str::to_owned)));
        }
    }
    let classic = classic(forge, branch).map_err(refuse)?;
    let contexts =
        classic["protection"]["required_status_checks"]["contexts"].as_array().into_iter().flatten();
    found.extend(contexts.filter_map(|context| context.as_str().map(str::to_owned)));
    forge.required.borrow_mut().insert(branch.clone(), found.clone());
    Ok(found)
}

/// The rules of all rulesets that concern a branch, whether it exists or not. Servers that are too old for them have none.
pub(super) fn rules(forge: &GitHub, branch: &BranchName) -> Result<Vec<Value>, Refused> {
    let path = format!("/rules/branches/{}?per_page=100", encoded(branch.as_str()));
    let answer = or_nothing(forge.get(&path))?;
    Ok(answer.as_array().cloned().unwrap_or_default())
}

/// A branch with its classic protection, as far as it is shown; nothing if it does not exist.
pub(super) fn classic(forge: &GitHub, branch: &BranchName) -> Result<Value, Refused> {
    or_nothing(forge.get(&format!("/branches/{}", encoded(branch.as_str()))))
}

fn or_nothing(answer: Result<Value, Refused>) -> Result<Value, Refused> {
    match answer {
        Err(refused) if refused.class == Class::NotFound => Ok(Value::Null),
        other => other,
    }
}
