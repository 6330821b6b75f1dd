//! How DRY commits came in: their statuses, their merged pull requests and our comments there, in one question.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::comments::{self, FIELDS};
use super::query::{self, BATCH, nodes};
use super::{GitHub, Place, Question};
use crate::forge::{Extent, Landing, MergedPullRequest, Statuses};
use crate::model::{BranchName, CommitId};

/// What GitHub says of commits that came in, and the statuses of others.
pub(super) type Told = (BTreeMap<CommitId, Landing>, Statuses);

/// What is known of each commit.
pub(super) fn read(forge: &GitHub, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
    Ok(read_with(forge, commits, &[])?.0)
}

/// The same, and the statuses of other commits on the way.
pub(super) fn read_with(forge: &GitHub, commits: &[CommitId], others: &[CommitId]) -> Result<Told> {
    let all: Vec<(CommitId, bool)> = commits
        .iter()
        .map(|commit| (*commit, true))
        .chain(others.iter().map(|commit| (*commit, false)))
        .collect();
    let (mut landings, mut statuses) = Told::default();
    for batch in all.chunks(BATCH) {
        let data = forge
            .ask(&question(&forge.place, batch))
            .map_err(|refused| refused.while_doing("cannot read how DRY commits came in"))?;
        for (number, (commit, came_in)) in batch.iter().enumerate() {
            let node = &data["repository"][format!("commit{number}")];
            if *came_in {
                landings.insert(*commit, landing(forge, node)?);
            } else {
                statuses.insert(*commit, query::statuses_of(node));
            }
        }
    }
    Ok((landings, statuses))
}

fn question(place: &Place, commits: &[(CommitId, bool)]) -> Question {
    let Place { owner, name, .. } = place;
    let mut asked = String::new();
    for (number, (commit, came_in)) in commits.iter().enumerate() {
        let fragment = if *came_in { "landing" } else { "statuses" };
        // Writing to a string cannot fail; an id holds hexadecimal digits only.
        _ = write!(asked, "\n    commit{number}: object(oid: \"{commit}\") {{ ...{fragment} }}");
    }
    // GitHub takes no fragment that nobody uses.
    let used = |wanted: bool| commits.iter().any(|(_, came_in)| *came_in == wanted);
    let mut fragments = String::new();
    if used(false) {
        fragments += query::STATUSES;
    }
    if used(true) {
        _ = write!(
            fragments,
            "\nfragment landing on Commit {{
  oid
  status {{ contexts {{ context state description createdAt }} }}
  associatedPullRequests(first: 5) {{ nodes {{
    number url title merged mergedAt baseRefName mergeCommit {{ oid }}
    comments(last: 100) {{ totalCount nodes {{ {FIELDS} }} }}
  }} }}
}}"
        );
    }
    let text = format!(
        "query landings($owner: String!, $name: String!) {{
  repository(owner: $owner, name: $name) {{{asked}
  }}
}}{fragments}"
    );
    Question { text, variables: json!({"owner": owner, "name": name}) }
}

/// Who approved and has not taken it back since. Only those count who may push, as for the forge's own rules.
pub(super) fn approvers(forge: &GitHub, number: u64) -> Result<Vec<String>> {
    let Place { owner, name, .. } = &forge.place;
    let text = "query approvers($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      latestOpinionatedReviews(first: 100, writersOnly: true) { nodes { state author { login } } }
    }
  }
}";
    let variables = json!({"owner": owner, "name": name, "number": number});
    let data = forge.ask(&Question { text: text.to_owned(), variables }).map_err(|refused| {
        refused.while_doing(&format!("cannot read who approved pull request #{number}"))
    })?;
    let reviews = nodes(&data["repository"]["pullRequest"]["latestOpinionatedReviews"]);
    let approved = reviews.filter(|review| review["state"] == "APPROVED");
    Ok(approved.filter_map(|review| review["author"]["login"].as_str().map(str::to_owned)).collect())
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
    Ok(Landing { statuses: query::statuses_of(node), pull_requests, told: Extent::All })
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
