//! Lists of merge requests: those that are open, and the newest ones between branches.

use anyhow::Result;
use serde_json::{Value, json};

use super::shapes::{each, number_of, read_title, sorted, state};
use super::{GitLab, pairs};
use crate::error::Failure;
use crate::forge::Pair;
use crate::forge::http::{Class, Refused, encoded};
use crate::model::{BranchName, CommitId, PullRequest, PullRequestOutline, PullRequestState};

const DOING: &str = "cannot look for the newest merge requests";

/// All that are open, oldest first.
const OPEN: &str = "    open: mergeRequests(state: opened, sort: CREATED_ASC, first: 100) {
      pageInfo { hasNextPage }
      nodes {
        iid webUrl state title description draft sourceBranch targetBranch sourceProjectId targetProjectId diffHeadSha
        mergedAt autoMergeEnabled
        labels { nodes { title } }
        reviewers { nodes { id username } }
        assignees { nodes { id username } }
      }
    }\n";

fn about(name: &str, path: &str, fields: &str, pairs: &[Pair<'_>]) -> Value {
    let (declared, newest) = (pairs::DECLARED, pairs::field(pairs.len()));
    let text = format!(
        "query {name}($path: ID!{declared}) {{\n  project(fullPath: $path) {{\n{fields}{newest}  }}\n}}"
    );
    let mut variables = json!({ "path": path });
    pairs::give(&mut variables, pairs);
    json!({"query": text, "variables": variables})
}

/// The open merge requests.
pub(super) fn open(forge: &GitLab) -> Result<Vec<PullRequest>> {
    let path = "/merge_requests?state=opened&scope=all&order_by=created_at&sort=asc";
    let all = forge.list(path).map_err(|refused| refused.while_doing(&doing(forge)))?;
    Ok(really_open(all.iter().filter_map(|one| forge.learn(one)).collect()))
}

fn doing(forge: &GitLab) -> String {
    format!("cannot list the open merge requests of `{}`", forge.place.project)
}

/// A page that changed meanwhile may bring one twice.
fn really_open(mut found: Vec<PullRequest>) -> Vec<PullRequest> {
    found.sort_by_key(|one| one.number);
    found.dedup_by_key(|one| one.number);
    found.retain(|one| one.state == PullRequestState::Open);
    found
}

/// The open merge requests, and what became of the newest ones between branches, in one question. Where not all that
/// are open are on one page, the rest is asked for again, page by page.
pub(super) fn open_and_newest(
    forge: &GitLab,
    pairs: &[Pair<'_>],
) -> Result<(Vec<PullRequest>, Vec<Option<PullRequestOutline>>)> {
    let Some((graphql, path)) = forge.graphql().filter(|_| !pairs.is_empty()) else {
        return Ok((open(forge)?, newest_of(forge, pairs)?));
    };
    let project = match forge.ask(graphql, about("open", path, OPEN, pairs)) {
        // A server that has other limits, or that does not know one of the fields.
        Err(refused) if refused.class == Class::Invalid => {
            return Ok((open(forge)?, one_by_one(forge, pairs)?));
        }
        project => project.map_err(|refused| refused.while_doing(&doing(forge)))?,
    };
    let newest = newest_in(forge, &project["newest"], pairs)?;
    let page = &project["open"];
    if !page["nodes"].is_array() || page["pageInfo"]["hasNextPage"] != false {
        return Ok((open(forge)?, newest));
    }
    let found = each(&page["nodes"]).filter_map(|node| {
        let people = each(&node["reviewers"]["nodes"]).chain(each(&node["assignees"]["nodes"]));
        forge.learn_accounts(
            people.filter_map(|one| Some((one["username"].as_str()?, number_of(&one["id"])?))),
        );
        let found = of_graphql(node)?;
        forge.remember(&found);
        Some(found)
    });
    Ok((really_open(found.collect()), newest))
}

/// What became of the newest one of each pair.
pub(super) fn newest_of(forge: &GitLab, pairs: &[Pair<'_>]) -> Result<Vec<Option<PullRequestOutline>>> {
    let (Some((graphql, path)), [_, _, ..]) = (forge.graphql(), pairs) else {
        return one_by_one(forge, pairs);
    };
    match forge.ask(graphql, about("newest", path, "", pairs)) {
        Err(refused) if refused.class == Class::Invalid => one_by_one(forge, pairs),
        project => {
            let project = project.map_err(|refused: Refused| refused.while_doing(DOING))?;
            newest_in(forge, &project["newest"], pairs)
        }
    }
}

fn one_by_one(forge: &GitLab, pairs: &[Pair<'_>]) -> Result<Vec<Option<PullRequestOutline>>> {
    let newest = |pair: &Pair<'_>| Ok(newest_of_one(forge, *pair)?.map(|one| one.outline()));
    pairs.iter().map(newest).collect()
}

/// The newest of each pair out of the page that was told. Of pairs that are not on it the rest is asked one by one.
pub(super) fn newest_in(
    forge: &GitLab,
    page: &Value,
    pairs: &[Pair<'_>],
) -> Result<Vec<Option<PullRequestOutline>>> {
    if !page["nodes"].is_array() {
        let path = forge.place.path.as_deref().unwrap_or(&forge.place.project);
        return Err(Failure::forge(format!("{DOING}: GitLab shows this token no project `{path}`"))
            .hint("check `CI_PROJECT_PATH`, and that the token may see it")
            .into());
    }
    let newest = |(head, base): &Pair<'_>| {
        let is_between = |node: &&Value| {
            node["sourceBranch"] == head.as_str()
                && node["targetBranch"] == base.as_str()
                && node["sourceProjectId"] == node["targetProjectId"]
        };
        let between = each(&page["nodes"]).filter(is_between).filter_map(outline);
        match between.max_by_key(|one| one.number) {
            None if page["pageInfo"]["hasNextPage"] == true => {
                Ok(newest_of_one(forge, (*head, *base))?.map(|one| one.outline()))
            }
            newest => Ok(newest),
        }
    };
    pairs.iter().map(newest).collect()
}

/// The newest one between two branches, with everything about it.
pub(super) fn newest_of_one(forge: &GitLab, (head, base): Pair<'_>) -> Result<Option<PullRequest>> {
    let (source, target) = (encoded(head.as_str()), encoded(base.as_str()));
    let path = format!(
        "/merge_requests?state=all&scope=all&order_by=created_at&sort=desc&per_page=20&source_branch={source}&target_branch={target}"
    );
    let doing = format!("cannot look for the newest merge request from `{head}` to `{base}`");
    let answer = forge.get(&path).map_err(|refused| refused.while_doing(&doing))?;
    Ok(each(&answer).filter_map(|one| forge.learn(one)).max_by_key(|one| one.number))
}

/// What became of a merge request, as GraphQL tells it.
fn outline(node: &Value) -> Option<PullRequestOutline> {
    Some(PullRequestOutline {
        number: node["iid"].as_str()?.parse().ok()?,
        url: node["webUrl"].as_str()?.to_owned(),
        state: state(node["state"].as_str()?),
        head_sha: CommitId::parse(node["diffHeadSha"].as_str()?)?,
        merged_at: node["mergedAt"].as_str().and_then(|time| time.parse().ok()),
    })
}

/// A merge request as GraphQL describes it, unless it comes from a fork.
fn of_graphql(node: &Value) -> Option<PullRequest> {
    if node["sourceProjectId"] != node["targetProjectId"] {
        return None;
    }
    let names =
        |key: &str, name: &str| sorted(each(&node[key]["nodes"]).filter_map(|one| one[name].as_str()));
    let branch = |key: &str| BranchName::new(node[key].as_str()?.to_owned()).ok();
    let draft = node["draft"].as_bool().unwrap_or_default();
    let PullRequestOutline { number, url, state, head_sha, merged_at } = outline(node)?;
    Some(PullRequest {
        number,
        url,
        state,
        head: branch("sourceBranch")?,
        head_sha,
        base: branch("targetBranch")?,
        title: read_title(node["title"].as_str()?, draft),
        body: node["description"].as_str().unwrap_or_default().to_owned(),
        labels: names("labels", "title"),
        reviewers: names("reviewers", "username"),
        team_reviewers: Vec::new(),
        assignees: names("assignees", "username"),
        draft,
        auto_merge: node["autoMergeEnabled"].as_bool().unwrap_or_default(),
        merged_at,
        head_statuses: None,
    })
}
