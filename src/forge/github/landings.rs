//! How DRY commits came in: their statuses, their merged pull requests and our comments there, in one question.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::comments::{self, FIELDS};
use super::query::{self, Along, BATCH, nodes};
use super::{GitHub, Place, Question};
use crate::forge::http::{Class, Refused};
use crate::forge::{Announced, Extent, Landing, MergedPullRequest};
use crate::model::{BranchName, CommitId};

/// What was announced, and what is known of it already.
#[derive(Default)]
pub(super) struct Expected {
    announced: Vec<CommitId>,
    found: BTreeMap<CommitId, Landing>,
}

/// Takes note of what will be asked. What was known is old by now.
pub(super) fn expect(forge: &GitHub, announced: Announced) {
    let Announced { newest, others, .. } = announced;
    let announced = newest.into_iter().chain(others).collect();
    *forge.expected.borrow_mut() = Expected { announced, found: BTreeMap::new() };
}

/// Asks a question about `taken` other commits, along with what was announced and is not known yet. Where that is what
/// GitHub refuses, the question is asked alone.
pub(super) fn ask_along(
    forge: &GitHub,
    taken: usize,
    question: impl Fn(&Along) -> Question,
) -> Result<Value, Refused> {
    let room = BATCH.saturating_sub(taken);
    let joined: Vec<CommitId> = {
        let expected = forge.expected.borrow();
        let unknown = expected.announced.iter().filter(|commit| !expected.found.contains_key(commit));
        unknown.take(room).copied().collect()
    };
    match forge.ask(&question(&part(&joined))) {
        Ok(data) => {
            keep(forge, &joined, &data);
            Ok(data)
        }
        Err(refused) if joined.is_empty() || !is_about_content(refused.class) => Err(refused),
        Err(_) => {
            *forge.expected.borrow_mut() = Expected::default();
            forge.ask(&question(&Along::default()))
        }
    }
}

const fn is_about_content(class: Class) -> bool {
    matches!(class, Class::Permission | Class::NotFound | Class::Invalid)
}

/// Keeps what an answer says of them.
fn keep(forge: &GitHub, joined: &[CommitId], data: &Value) {
    for (number, commit) in joined.iter().enumerate() {
        let node = &data["repository"][format!("landing{number}")];
        // One that cannot be read whole is asked about again, by whoever needs it.
        if let Ok(landing) = landing(forge, node) {
            forge.expected.borrow_mut().found.insert(*commit, landing);
        }
    }
}

/// What is known of each commit.
pub(super) fn read(forge: &GitHub, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
    let mut found = BTreeMap::new();
    {
        let mut expected = forge.expected.borrow_mut();
        found.extend(commits.iter().filter_map(|commit| expected.found.remove_entry(commit)));
    }
    let left: Vec<CommitId> = commits.iter().filter(|commit| !found.contains_key(commit)).copied().collect();
    for batch in left.chunks(BATCH) {
        let data = forge
            .ask(&question(&forge.place, batch))
            .map_err(|refused| refused.while_doing("cannot read how DRY commits came in"))?;
        for (number, commit) in batch.iter().enumerate() {
            found.insert(*commit, landing(forge, &data["repository"][format!("landing{number}")])?);
        }
    }
    Ok(found)
}

fn question(place: &Place, commits: &[CommitId]) -> Question {
    let Place { owner, name, .. } = place;
    let Along { asked, fragment } = part(commits);
    let text = format!(
        "query landings($owner: String!, $name: String!) {{
  repository(owner: $owner, name: $name) {{{asked}
  }}
}}{fragment}"
    );
    Question { text, variables: json!({"owner": owner, "name": name}) }
}

/// What is asked about these commits, and the fragment that it uses; GitHub takes none that nobody uses.
fn part(commits: &[CommitId]) -> Along {
    if commits.is_empty() {
        return Along::default();
    }
    let mut asked = String::new();
    for (number, commit) in commits.iter().enumerate() {
        // Writing to a string cannot fail; an id holds hexadecimal digits only.
        _ = write!(asked, "\n    landing{number}: object(oid: \"{commit}\") {{ ...landing }}");
    }
    let fragment = format!(
        "\nfragment landing on Commit {{
  oid
  status {{ contexts {{ context state description createdAt }} }}
  associatedPullRequests(first: 5) {{ nodes {{
    number url title merged mergedAt baseRefName mergeCommit {{ oid }}
    comments(last: 100) {{ totalCount nodes {{ {FIELDS} }} }}
  }} }}
}}"
    );
    Along { asked, fragment }
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
