//! Lists of merge requests: those that are open, and the newest ones between branches.

use anyhow::Result;
use serde_json::{Value, json};

use super::shapes::{each, number_of, read_title, sorted, state};
use super::{GitLab, PAGE, pairs};
use crate::forge::http::{Class, encoded};
use crate::forge::pair::{Of, Pair, open_or_newest};
use crate::model::{BranchName, CommitId, LabelNames, PullRequest, PullRequestOutline, PullRequestState};

/// So many are looked at first: mostly there is one.
const FEW: usize = 20;
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

fn about(name: &str, path: &str, fields: &str, (pairs, of): (&[Pair<'_>], Of)) -> Value {
    let (declared, newest) = (pairs::DECLARED, pairs::field(pairs.len(), of));
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

/// The open merge requests, and what became of the newest ones between branches, in one question. Where it does not tell
/// all that are open, they are listed again, page by page.
pub(super) fn open_and_newest(
    forge: &GitLab,
    pairs: &[Pair<'_>],
) -> Result<(Vec<PullRequest>, Vec<Option<PullRequestOutline>>)> {
    let told = match forge.graphql().filter(|_| !pairs.is_empty()) {
        None => Value::Null,
        Some((graphql, path)) => match forge.ask(graphql, about("open", path, OPEN, (pairs, Of::All))) {
            // A server that has other limits, or that does not know one of the fields.
            Err(refused) if refused.class == Class::Invalid => Value::Null,
            told => told.map_err(|refused| refused.while_doing(&doing(forge)))?,
        },
    };
    let page = &told["open"];
    let open = if is_list(page) && page["pageInfo"]["hasNextPage"] == false {
        really_open(each(&page["nodes"]).filter_map(|node| learn(forge, node)).collect())
    } else {
        open(forge)?
    };
    let newest = open_or_newest(&open, pairs, |lacking| match &told["newest"] {
        page if is_list(page) => newest_in(forge, page, (lacking, Of::All)),
        _ => newest_of(forge, lacking, Of::All),
    })?;
    Ok((open, newest))
}

fn is_list(page: &Value) -> bool {
    page["nodes"].is_array()
}

fn learn(forge: &GitLab, node: &Value) -> Option<PullRequest> {
    let people = each(&node["reviewers"]["nodes"]).chain(each(&node["assignees"]["nodes"]));
    forge.learn_accounts(people.filter_map(|one| Some((one["username"].as_str()?, number_of(&one["id"])?))));
    let found = of_graphql(node)?;
    forge.remember(&found);
    Some(found)
}

/// What became of the newest one of each pair.
pub(super) fn newest_of(
    forge: &GitLab,
    pairs: &[Pair<'_>],
    of: Of,
) -> Result<Vec<Option<PullRequestOutline>>> {
    let (Some((graphql, path)), [_, _, ..]) = (forge.graphql(), pairs) else {
        return one_by_one(forge, pairs, of);
    };
    match forge.ask(graphql, about("newest", path, "", (pairs, of))) {
        Err(refused) if refused.class == Class::Invalid => one_by_one(forge, pairs, of),
        told => {
            let told = told.map_err(|refused| refused.while_doing(DOING))?;
            newest_in(forge, &told["newest"], (pairs, of))
        }
    }
}

fn one_by_one(forge: &GitLab, pairs: &[Pair<'_>], of: Of) -> Result<Vec<Option<PullRequestOutline>>> {
    let newest = |pair: &Pair<'_>| Ok(newest_of_one(forge, *pair, of)?.map(|one| one.outline()));
    pairs.iter().map(newest).collect()
}

/// The newest of each pair out of the page that was told. Those that the page is too short for are asked for again.
pub(super) fn newest_in(
    forge: &GitLab,
    page: &Value,
    (pairs, of): (&[Pair<'_>], Of),
) -> Result<Vec<Option<PullRequestOutline>>> {
    let newest = |(head, base): &Pair<'_>| {
        let is_between = |node: &&Value| {
            node["sourceBranch"] == head.as_str()
                && node["targetBranch"] == base.as_str()
                && node["sourceProjectId"] == node["targetProjectId"]
        };
        each(&page["nodes"]).filter(is_between).filter_map(outline).max_by_key(|one| one.number)
    };
    let mut found: Vec<Option<PullRequestOutline>> = pairs.iter().map(newest).collect();
    forge.newest.borrow_mut().extend(found.iter().flatten().map(|one| (one.head_sha, one.number)));
    if is_list(page) && page["pageInfo"]["hasNextPage"] == false {
        return Ok(found);
    }
    let missing: Vec<usize> = (0..pairs.len()).filter(|at| found[*at].is_none()).collect();
    let asked: Vec<Pair<'_>> = missing.iter().map(|at| pairs[*at]).collect();
    // A shorter question leaves more room for each.
    let is_fewer = asked.len() < pairs.len();
    let more = if is_fewer { newest_of(forge, &asked, of)? } else { one_by_one(forge, &asked, of)? };
    for (at, one) in missing.into_iter().zip(more) {
        found[at] = one;
    }
    Ok(found)
}

/// The newest one between two branches, with everything about it.
pub(super) fn newest_of_one(forge: &GitLab, (head, base): Pair<'_>, of: Of) -> Result<Option<PullRequest>> {
    let state = if of == Of::Merged { "merged" } else { "all" };
    let (source, target) = (encoded(head.as_str()), encoded(base.as_str()));
    let path = format!(
        "/merge_requests?state={state}&scope=all&order_by=created_at&sort=desc&source_branch={source}&target_branch={target}"
    );
    let doing = format!("cannot look for the newest merge request from `{head}` to `{base}`");
    let look = |length: usize, page: u64| {
        let path = format!("{path}&per_page={length}&page={page}");
        let answer = forge.get(&path).map_err(|refused| refused.while_doing(&doing))?;
        let newest = each(&answer).filter_map(|one| forge.learn(one)).max_by_key(|one| one.number);
        anyhow::Ok((newest, each(&answer).count() < length))
    };
    let (mut found, mut is_all) = look(FEW, 1)?;
    // Whoever has a fork may open as many from a branch of the same name as they like.
    for page in 1_u64.. {
        if found.is_some() || is_all {
            break;
        }
        (found, is_all) = look(PAGE, page)?;
    }
    Ok(found)
}

/// What became of a merge request, as GraphQL tells it.
fn outline(node: &Value) -> Option<PullRequestOutline> {
    Some(PullRequestOutline {
        number: node["iid"].as_str()?.parse().ok()?,
        url: node["webUrl"].as_str()?.to_owned(),
        state: state(node["state"].as_str()?),
        head_sha: CommitId::parse(node["diffHeadSha"].as_str()?)?,
        merged_at: node["mergedAt"].as_str().and_then(|time| time.parse().ok()),
        merged_as: node["mergeCommitSha"].as_str().and_then(CommitId::parse),
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
    let PullRequestOutline { number, url, state, head_sha, merged_at, .. } = outline(node)?;
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
        label_names: LabelNames::Scoped,
        reviewers: names("reviewers", "username"),
        team_reviewers: Vec::new(),
        assignees: names("assignees", "username"),
        draft,
        auto_merge: node["autoMergeEnabled"].as_bool().unwrap_or_default(),
        merged_at,
        head_statuses: None,
    })
}
