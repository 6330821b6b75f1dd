//! How DRY commits came in: their statuses, their merged pull requests and our comments there, in one question.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::comments::{self, FIELDS};
use super::query::{self, BATCH, nodes};
use super::{GitHub, Place, Question};
use crate::forge::{Landing, MergedPullRequest};
use crate::model::{BranchName, CommitId};

/// What is known of each commit.
pub(super) fn read(forge: &GitHub, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
    let mut found = BTreeMap::new();
    for batch in commits.chunks(BATCH) {
        let data = forge
            .ask(&question(&forge.place, batch))
            .map_err(|refused| refused.while_doing("cannot read how DRY commits came in"))?;
        for (number, commit) in batch.iter().enumerate() {
            let node = &data["repository"][format!("commit{number}")];
            found.insert(*commit, landing(forge, node)?);
        }
    }
    Ok(found)
}

fn question(place: &Place, commits: &[CommitId]) -> Question {
    let Place { owner, name, .. } = place;
    let mut asked = String::new();
    for (number, commit) in commits.iter().enumerate() {
        // Writing to a string cannot fail; an id holds hexadecimal digits only.
        _ = write!(asked, "\n    commit{number}: object(oid: \"{commit}\") {{ ...landing }}");
    }
    let text = format!(
        "query landings($owner: String!, $name: String!) {{
  repository(owner: $owner, name: $name) {{{asked}
  }}
}}
fragment landing on Commit {{
  oid
  status {{ contexts {{ context state description createdAt }} }}
  associatedPullRequests(first: 5) {{ nodes {{
    number url title merged mergedAt baseRefName mergeCommit {{ oid }}
    comments(last: 100) {{ totalCount nodes {{ {FIELDS} }} }}
  }} }}
}}"
    );
    Question { text, variables: json!({"owner": owner, "name": name}) }
}

fn landing(forge: &GitHub, node: &Value) -> Result<Landing> {
    let mut pull_requests = Vec::new();
    for node in nodes(&node["associatedPullRequests"]).filter(|node| node["merged"] == true) {
        let Some(mut merged) = merged(node) else { continue };
        let all = node["comments"]["totalCount"].as_u64().unwrap_or_default();
        if merged.own_comments.is_empty() && all > 100 {
            merged.own_comments = comments::read(forge, merged.number)?;
            merged.own_comments.retain(|comment| comment.mine);
        }
        pull_requests.push(merged);
    }
    Ok(Landing { statuses: query::statuses_of(node), pull_requests })
}

fn merged(node: &Value) -> Option<MergedPullRequest> {
    let comments = nodes(&node["comments"]).filter_map(comments::of_node);
    Some(MergedPullRequest {
        number: node["number"].as_u64()?,
        url: node["url"].as_str()?.to_owned(),
        title: node["title"].as_str()?.to_owned(),
        base: BranchName::new(node["baseRefName"].as_str()?).ok()?,
        merge_commit: node["mergeCommit"]["oid"].as_str().and_then(CommitId::parse),
        merged_at: node["mergedAt"].as_str().and_then(|time| time.parse().ok()),
        own_comments: comments.filter(|comment| comment.mine).collect(),
    })
}
