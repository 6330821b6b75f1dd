//! Whether several merge requests could be merged, in one question as long as GitLab's lists allow. Reads only.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::shapes::each;
use super::{GitLab, PAGE, merging, shapes};
use crate::forge::http::Class;
use crate::forge::{MergeState, Mergeability};
use crate::model::{CommitId, PullRequestState};

/// Some fourteen points.
const QUESTION: &str = "query standing($path: ID!, $iids: [String!]) {
  project(fullPath: $path) {
    mergeRequests(iids: $iids, first: 100) {
      nodes { iid state draft diffHeadSha detailedMergeStatus autoMergeEnabled }
    }
  }
}";

/// Those that wait, as far as GraphQL tells. Of others more has to be known than this.
pub(super) fn of(forge: &GitLab, numbers: &[u64]) -> Result<BTreeMap<u64, Mergeability>> {
    let mut found = BTreeMap::new();
    let Some((graphql, path)) = forge.graphql() else { return Ok(found) };
    for batch in numbers.chunks(PAGE) {
        let iids: Vec<String> = batch.iter().map(u64::to_string).collect();
        let question = json!({"query": QUESTION, "variables": {"path": path, "iids": iids}});
        let project = match forge.ask(graphql, question) {
            // A server that does not know one of the fields.
            Err(refused) if refused.class == Class::Invalid => break,
            told => told
                .map_err(|refused| refused.while_doing("cannot read whether merge requests can be merged"))?,
        };
        found.extend(each(&project["mergeRequests"]["nodes"]).filter_map(standing));
    }
    Ok(found)
}

fn standing(node: &Value) -> Option<(u64, Mergeability)> {
    let number = node["iid"].as_str()?.parse().ok()?;
    let is_open = shapes::state(node["state"].as_str()?) == PullRequestState::Open;
    let is_draft = node["draft"].as_bool().unwrap_or_default();
    let status = node["detailedMergeStatus"].as_str()?.to_lowercase();
    let state = merging::meaning(&status, is_draft);
    let waits = matches!(state, MergeState::Blocked(_) | MergeState::Stuck(_));
    let told = Mergeability {
        head_sha: CommitId::parse(node["diffHeadSha"].as_str()?)?,
        state,
        armed: node["autoMergeEnabled"].as_bool().unwrap_or_default(),
    };
    (is_open && waits).then_some((number, told))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_waits_is_told() {
        let found = |state: &str, status: &str| {
            standing(&json!({"iid": "7", "state": state, "draft": false, "diffHeadSha": "1".repeat(40),
                "detailedMergeStatus": status, "autoMergeEnabled": true}))
        };
        let (number, told) = found("opened", "NOT_APPROVED").unwrap();
        assert_eq!((number, told.armed), (7, true));
        assert_eq!(told.state, MergeState::Blocked("an approval is required".to_owned()));
        assert_eq!(found("opened", "MERGEABLE"), None);
        assert_eq!(found("opened", "CHECKING"), None);
        assert_eq!(found("merged", "NOT_OPEN"), None);
    }
}
