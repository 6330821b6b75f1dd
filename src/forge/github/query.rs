//! Questions in GraphQL, and pull requests and statuses out of the answers. Pure.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::forge::pair::{Of, Pair};
use crate::model::{
    BranchName, CommitId, CommitState, CommitStatus, LabelNames, PullRequest, PullRequestOutline,
    PullRequestState,
};

/// Pull requests of a page; the most that GitHub gives.
pub(super) const PAGE: usize = 100;
/// Questions that go together into one call.
pub(super) const BATCH: usize = 50;
/// Pull requests of a pair: those from forks do not count, and stand among them.
const FEW: usize = 10;

/// Everything that is compared. People who were asked once count as asked for ever: whoever took a reviewer off again
/// meant it. No connection stands inside another one, so that a page costs a handful of GitHub's points.
const FRAGMENT: &str = "fragment pullRequest on PullRequest {
  id number url state title body isDraft headRefName headRefOid baseRefName isCrossRepository mergedAt
  autoMergeRequest { enabledAt }
  headRef { target { ... on Commit { oid status { contexts { context state description createdAt } } } } }
  labels(first: 100) { nodes { name } }
  assignees(first: 20) { nodes { login } }
  reviewRequests(first: 50) { nodes { requestedReviewer { ...reviewer } } }
  latestReviews(first: 50) { nodes { author { login } } }
  timelineItems(first: 50, itemTypes: [REVIEW_REQUESTED_EVENT]) {
    nodes { ... on ReviewRequestedEvent { requestedReviewer { ...reviewer } } }
  }
}
fragment reviewer on RequestedReviewer { ... on User { login } ... on Bot { login } ... on Team { slug } }";

/// What else is asked in a question, with the fragment that it uses.
#[derive(Default)]
pub(super) struct Along {
    pub(super) asked: String,
    pub(super) fragment: String,
}

/// Statuses and check runs of a commit.
pub(super) const STATUSES: &str = "
fragment statuses on Commit {
  oid
  status { contexts { context state description createdAt } }
  statusCheckRollup { contexts(first: 100) { nodes {
    ... on CheckRun { name status conclusion startedAt completedAt }
  } } }
}";

/// A question with its variables.
pub(super) struct Question {
    pub(super) text: String,
    pub(super) variables: Value,
}

impl Question {
    /// The JSON that is sent.
    pub(super) fn body(&self) -> Value {
        json!({"query": self.text, "variables": self.variables})
    }
}

/// What became of a pull request.
const OUTLINE: &str = "\nfragment outline on PullRequest { number url state headRefOid isCrossRepository mergedAt mergeCommit { oid } }";

/// The open pull requests behind a cursor, along with what became of the newest ones of pairs of a head and a base.
pub(super) fn open_page(owner: &str, name: &str, after: Option<&str>, pairs: &[Pair<'_>]) -> Question {
    let (declared, newest, mut variables) = for_pairs(owner, name, pairs, Of::All);
    variables.insert("after".to_owned(), json!(after));
    // GitHub takes no fragment that nobody uses.
    let outline = if pairs.is_empty() { "" } else { OUTLINE };
    let text = format!(
        "query open($owner: String!, $name: String!, $after: String{declared}) {{
  repository(owner: $owner, name: $name) {{{newest}
    pullRequests(states: OPEN, first: {PAGE}, after: $after, orderBy: {{field: CREATED_AT, direction: ASC}}) {{
      pageInfo {{ hasNextPage endCursor }}
      nodes {{ ...pullRequest }}
    }}
  }}
}}
{FRAGMENT}{outline}"
    );
    Question { text, variables: Value::Object(variables) }
}

/// The newest pull requests from a head to a base.
pub(super) fn newest(owner: &str, name: &str, (head, base): Pair<'_>) -> Question {
    let text = format!(
        "query newest($owner: String!, $name: String!, $head: String!, $base: String!) {{
  repository(owner: $owner, name: $name) {{
    pullRequests(headRefName: $head, baseRefName: $base, first: {FEW},
      orderBy: {{field: CREATED_AT, direction: DESC}}) {{ nodes {{ ...pullRequest }} }}
  }}
}}
{FRAGMENT}"
    );
    let variables = json!({"owner": owner, "name": name, "head": head.as_str(), "base": base.as_str()});
    Question { text, variables }
}

/// What became of the newest pull requests of each pair.
pub(super) fn newest_of(owner: &str, name: &str, pairs: &[Pair<'_>], of: Of) -> Question {
    let (declared, asked, variables) = for_pairs(owner, name, pairs, of);
    let text = format!(
        "query newestOf($owner: String!, $name: String!{declared}) {{
  repository(owner: $owner, name: $name) {{{asked}
  }}
}}{OUTLINE}"
    );
    Question { text, variables: Value::Object(variables) }
}

/// Both [`newest_of`] those that were merged and [`statuses`] in one question.
pub(super) fn gates(
    owner: &str,
    name: &str,
    (commits, pairs): (&[CommitId], &[Pair<'_>]),
    Along { asked: along, fragment }: &Along,
) -> Question {
    let (declared, asked, variables) = for_pairs(owner, name, pairs, Of::Merged);
    let commits = for_commits(commits);
    let text = format!(
        "query gates($owner: String!, $name: String!{declared}) {{
  repository(owner: $owner, name: $name) {{{asked}{commits}{along}
  }}
}}
{OUTLINE}{STATUSES}{fragment}"
    );
    Question { text, variables: Value::Object(variables) }
}

/// What is declared, asked and given for pairs of a head and a base.
fn for_pairs(owner: &str, name: &str, pairs: &[Pair<'_>], of: Of) -> (String, String, Map<String, Value>) {
    let states = if of == Of::Merged { "states: MERGED, " } else { "" };
    let (mut declared, mut asked) = (String::new(), String::new());
    let mut variables =
        Map::from_iter([("owner".to_owned(), json!(owner)), ("name".to_owned(), json!(name))]);
    for (number, (head, base)) in pairs.iter().enumerate() {
        // Writing to a string cannot fail.
        _ = write!(declared, ", $head{number}: String!, $base{number}: String!");
        _ = write!(
            asked,
            "
    pair{number}: pullRequests(headRefName: $head{number}, baseRefName: $base{number}, {states}first: {FEW},
      orderBy: {{field: CREATED_AT, direction: DESC}}) {{ nodes {{ ...outline }} }}"
        );
        variables.insert(format!("head{number}"), json!(head.as_str()));
        variables.insert(format!("base{number}"), json!(base.as_str()));
    }
    (declared, asked, variables)
}

/// One pull request by number.
pub(super) fn one(owner: &str, name: &str, number: u64) -> Question {
    let text = format!(
        "query one($owner: String!, $name: String!, $number: Int!) {{
  repository(owner: $owner, name: $name) {{ pullRequest(number: $number) {{ ...pullRequest }} }}
}}
{FRAGMENT}"
    );
    Question { text, variables: json!({"owner": owner, "name": name, "number": number}) }
}

/// The newest statuses and check runs of commits.
pub(super) fn statuses(
    owner: &str,
    name: &str,
    commits: &[CommitId],
    Along { asked: along, fragment }: &Along,
) -> Question {
    let asked = for_commits(commits);
    let text = format!(
        "query statuses($owner: String!, $name: String!) {{
  repository(owner: $owner, name: $name) {{{asked}{along}
  }}
}}{STATUSES}{fragment}"
    );
    Question { text, variables: json!({"owner": owner, "name": name}) }
}

fn for_commits(commits: &[CommitId]) -> String {
    let mut asked = String::new();
    for (number, commit) in commits.iter().enumerate() {
        // Writing to a string cannot fail; an id holds hexadecimal digits only.
        _ = write!(asked, "\n    commit{number}: object(oid: \"{commit}\") {{ ...statuses }}");
    }
    asked
}

/// A pull request, unless it comes from a fork: what is there is nobody's business here.
pub(super) fn pull_request(node: &Value) -> Option<PullRequest> {
    if node["isCrossRepository"].as_bool()? {
        return None;
    }
    let text = |key: &str| node[key].as_str().map(str::to_owned);
    let people = |requests: &Value, key: &str| -> Vec<String> {
        nodes(requests)
            .filter_map(|node| node["requestedReviewer"][key].as_str().map(str::to_owned))
            .collect()
    };
    let asked =
        |key: &str| [people(&node["reviewRequests"], key), people(&node["timelineItems"], key)].concat();
    let answered =
        nodes(&node["latestReviews"]).filter_map(|node| node["author"]["login"].as_str().map(str::to_owned));
    Some(PullRequest {
        number: node["number"].as_u64()?,
        url: text("url")?,
        state: state(node["state"].as_str()?),
        head: BranchName::new(text("headRefName")?).ok()?,
        head_sha: CommitId::parse(node["headRefOid"].as_str()?)?,
        base: BranchName::new(text("baseRefName")?).ok()?,
        title: text("title")?,
        body: text("body").unwrap_or_default(),
        labels: sorted(nodes(&node["labels"]).filter_map(|node| node["name"].as_str().map(str::to_owned))),
        label_names: LabelNames::AnyCase,
        reviewers: sorted(asked("login").into_iter().chain(answered)),
        team_reviewers: sorted(asked("slug")),
        assignees: sorted(
            nodes(&node["assignees"]).filter_map(|node| node["login"].as_str().map(str::to_owned)),
        ),
        draft: node["isDraft"].as_bool().unwrap_or_default(),
        auto_merge: !node["autoMergeRequest"].is_null(),
        merged_at: node["mergedAt"].as_str().and_then(|time| time.parse().ok()),
        head_statuses: head_statuses(node),
    })
}

/// What became of a pull request, unless it comes from a fork.
pub(super) fn outline(node: &Value) -> Option<PullRequestOutline> {
    if node["isCrossRepository"].as_bool()? {
        return None;
    }
    Some(PullRequestOutline {
        number: node["number"].as_u64()?,
        url: node["url"].as_str()?.to_owned(),
        state: state(node["state"].as_str()?),
        head_sha: CommitId::parse(node["headRefOid"].as_str()?)?,
        merged_at: node["mergedAt"].as_str().and_then(|time| time.parse().ok()),
        merged_as: node["mergeCommit"]["oid"].as_str().and_then(CommitId::parse),
    })
}

fn state(word: &str) -> PullRequestState {
    match word {
        "OPEN" => PullRequestState::Open,
        "MERGED" => PullRequestState::Merged,
        _ => PullRequestState::Closed,
    }
}

/// The statuses of the head, unless the branch was moved and GitHub has not followed yet.
fn head_statuses(node: &Value) -> Option<Vec<CommitStatus>> {
    let head = &node["headRef"]["target"];
    let is_head = head["oid"].is_string() && head["oid"] == node["headRefOid"];
    is_head.then(|| statuses_of(head))
}

/// The nodes of a connection.
pub(super) fn nodes(connection: &Value) -> impl Iterator<Item = &Value> {
    connection["nodes"].as_array().into_iter().flatten()
}

/// Each once, in order.
pub(super) fn sorted(names: impl IntoIterator<Item = String>) -> Vec<String> {
    names.into_iter().collect::<BTreeSet<String>>().into_iter().collect()
}

/// The newest status of each context of a commit; a check run counts as one, under its own name.
pub(super) fn statuses_of(commit: &Value) -> Vec<CommitStatus> {
    let mut all: Vec<CommitStatus> =
        commit["status"]["contexts"].as_array().into_iter().flatten().filter_map(status).collect();
    all.extend(nodes(&commit["statusCheckRollup"]["contexts"]).filter_map(check_run));
    let mut newest: Vec<CommitStatus> = Vec::new();
    for status in all {
        match newest.iter_mut().find(|known| known.context == status.context) {
            Some(known) if known.created_at < status.created_at => *known = status,
            Some(_) => {}
            None => newest.push(status),
        }
    }
    newest.sort_by(|one, other| one.context.cmp(&other.context));
    newest
}

fn status(node: &Value) -> Option<CommitStatus> {
    Some(CommitStatus {
        context: node["context"].as_str()?.to_owned(),
        state: match node["state"].as_str()? {
            "SUCCESS" => CommitState::Success,
            "FAILURE" => CommitState::Failure,
            "ERROR" => CommitState::Error,
            _ => CommitState::Pending,
        },
        description: node["description"].as_str().unwrap_or_default().to_owned(),
        created_at: node["createdAt"].as_str().and_then(|time| time.parse().ok()),
    })
}

fn check_run(node: &Value) -> Option<CommitStatus> {
    let state = match node["conclusion"].as_str() {
        None => CommitState::Pending,
        // As branch protection counts them.
        Some("SUCCESS" | "NEUTRAL" | "SKIPPED") => CommitState::Success,
        Some(_) => CommitState::Failure,
    };
    let time = node["completedAt"].as_str().or_else(|| node["startedAt"].as_str());
    Some(CommitStatus {
        context: node["name"].as_str()?.to_owned(),
        state,
        description: String::new(),
        created_at: time.and_then(|time| time.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_who_were_asked_or_answered_count() {
        let node = json!({
            "number": 7, "url": "https://e.org/7", "state": "OPEN", "title": "t", "body": "b", "isDraft": false,
            "headRefName": "h", "headRefOid": "0123456789abcdef0123456789abcdef01234567", "baseRefName": "b",
            "isCrossRepository": false, "mergedAt": null, "autoMergeRequest": {"enabledAt": "2026-01-01T00:00:00Z"},
            "labels": {"nodes": [{"name": "b"}, {"name": "a"}]}, "assignees": {"nodes": []},
            "reviewRequests": {"nodes": [{"requestedReviewer": {"login": "carol"}}, {"requestedReviewer": null}]},
            "latestReviews": {"nodes": [{"author": {"login": "bob"}}, {"author": null}]},
            "timelineItems": {"nodes": [{"requestedReviewer": {"slug": "sre"}}, {"requestedReviewer": {"login": "bob"}}]},
        });
        let found = pull_request(&node).unwrap();
        assert_eq!(found.reviewers, ["bob", "carol"]);
        assert_eq!(found.team_reviewers, ["sre"]);
        assert_eq!(found.labels, ["a", "b"]);
        assert!(found.auto_merge);
        let mut fork = node;
        fork["isCrossRepository"] = json!(true);
        assert_eq!(pull_request(&fork), None);
    }

    #[test]
    fn the_newest_of_a_context_counts() {
        let commit = json!({
            "status": {"contexts": [
                {"context": "smoke", "state": "FAILURE", "description": null, "createdAt": "2026-01-01T00:00:00Z"},
                {"context": "wait", "state": "EXPECTED", "description": "x", "createdAt": "2026-01-01T00:00:00Z"},
            ]},
            "statusCheckRollup": {"contexts": {"nodes": [
                {},
                {"name": "smoke", "status": "COMPLETED", "conclusion": "SKIPPED", "startedAt": "2026-01-02T00:00:00Z"},
                {"name": "run", "status": "IN_PROGRESS", "conclusion": null, "startedAt": "2026-01-02T00:00:00Z"},
            ]}},
        });
        let states: Vec<_> = statuses_of(&commit).into_iter().map(|one| (one.context, one.state)).collect();
        let wanted = [
            ("run".to_owned(), CommitState::Pending),
            ("smoke".to_owned(), CommitState::Success),
            ("wait".to_owned(), CommitState::Pending),
        ];
        assert_eq!(states, wanted);
    }
}
