//! Questions in GraphQL, each about many things at once, and merge requests and statuses out of the answers. Pure.
//!
//! GitLab refuses a question that costs more than 250 of its points. A field costs one, and a list multiplies what is
//! in it by a hundredth of its length. Source: GitLab's documentation of GraphQL, "Limits", and its resolvers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::shapes::{each, meaning, read_title, sorted, state};
use crate::model::{BranchName, CommitId, CommitStatus, PullRequest};

/// Commits that are asked about in one question by themselves, of some 22 points each, or 14 on the DRY branch.
pub(super) const COMMITS: usize = 7;
/// Merge requests whose heads are asked about in one question, of some 50 points together.
pub(super) const HEADS: usize = 100;

/// Commits that are asked about along with the newest merge requests.
pub(super) const COMMITS_WITH_PAIRS: usize = 4;

/// The newest merge requests between branches, in any state: some 35 points for two pairs, and 60 for many.
fn newest_field(pairs: usize) -> String {
    let first = (pairs * 10).clamp(10, 100);
    format!(
        "    newest: mergeRequests(sourceBranches: $heads, targetBranches: $bases, sort: CREATED_DESC, first: {first}) {{
      pageInfo {{ hasNextPage }}
      nodes {{
        iid webUrl state title description draft sourceBranch targetBranch sourceProjectId targetProjectId diffHeadSha
        mergedAt autoMergeEnabled
        labels {{ nodes {{ title }} }}
        reviewers {{ nodes {{ username }} }}
        assignees {{ nodes {{ username }} }}
      }}
    }}\n"
    )
}

/// The branches that it asks about.
fn newest_variables(variables: &mut Value, pairs: &[(&BranchName, &BranchName)]) {
    let names = |branches: BTreeSet<&str>| json!(branches);
    variables["heads"] = names(pairs.iter().map(|(head, _)| head.as_str()).collect());
    variables["bases"] = names(pairs.iter().map(|(_, base)| base.as_str()).collect());
}

/// The question for the newest merge requests between branches.
pub(super) fn newest(path: &str, pairs: &[(&BranchName, &BranchName)]) -> Value {
    let field = newest_field(pairs.len());
    let text = format!(
        "query newest($path: ID!, $heads: [String!], $bases: [String!]) {{\n  project(fullPath: $path) {{\n{field}  }}\n}}"
    );
    let mut variables = json!({ "path": path });
    newest_variables(&mut variables, pairs);
    json!({"query": text, "variables": variables})
}

/// A merge request as GraphQL describes it, unless it comes from a fork.
pub(super) fn of_graphql(node: &Value) -> Option<PullRequest> {
    if node["sourceProjectId"] != node["targetProjectId"] {
        return None;
    }
    let text = |key: &str| node[key].as_str().map(str::to_owned);
    let names =
        |key: &str, name: &str| sorted(each(&node[key]["nodes"]).filter_map(|one| one[name].as_str()));
    let draft = node["draft"].as_bool().unwrap_or_default();
    Some(PullRequest {
        number: node["iid"].as_str()?.parse().ok()?,
        url: text("webUrl")?,
        state: state(node["state"].as_str()?),
        head: BranchName::new(text("sourceBranch")?).ok()?,
        head_sha: CommitId::parse(node["diffHeadSha"].as_str()?)?,
        base: BranchName::new(text("targetBranch")?).ok()?,
        title: read_title(node["title"].as_str()?, draft),
        body: text("description").unwrap_or_default(),
        labels: names("labels", "title"),
        reviewers: names("reviewers", "username"),
        team_reviewers: Vec::new(),
        assignees: names("assignees", "username"),
        draft,
        auto_merge: node["autoMergeEnabled"].as_bool().unwrap_or_default(),
        merged_at: node["mergedAt"].as_str().and_then(|time| time.parse().ok()),
        head_statuses: None,
    })
}

/// Whose statuses are asked for.
#[derive(Default)]
pub(super) struct Asked {
    /// Heads of open merge requests, by number: any number of them costs the same.
    pub(super) heads: Vec<(u64, CommitId)>,
    /// Other commits.
    pub(super) commits: Vec<CommitId>,
    /// DRY commits, of which also is asked what brought them in.
    pub(super) landed: Vec<CommitId>,
    /// The branch that those are on.
    pub(super) base: Option<BranchName>,
    /// The status that is looked for there.
    pub(super) status: &'static str,
}

/// The jobs of each pipeline, of which a status is one. What was said with a status is the label of its state.
const PIPELINES: &str = "fragment pipelines on PipelineConnection {
  pageInfo { hasNextPage }
  nodes {
    sha mergeRequestEventType
    jobs(first: 20, retried: false) {
      pageInfo { hasNextPage }
      nodes { id name status createdAt detailedStatus { label } }
    }
  }
}";

/// What was merged last, with what was said there: some 40 points.
const MERGED: &str = "    mergeRequestsFfOnlyEnabled
    merged: mergeRequests(state: merged, targetBranches: [$base], sort: MERGED_AT_DESC, first: 20) {
      pageInfo { hasNextPage }
      nodes {
        iid webUrl title targetBranch mergeCommitSha diffHeadSha squash squashOnMerge mergedAt
        notes(first: 100) { pageInfo { hasNextPage } nodes { id system body author { username } } }
      }
    }
";

/// The question for the statuses of commits, and for the newest merge requests of pairs of branches.
pub(super) fn statuses(path: &str, asked: &Asked, pairs: &[(&BranchName, &BranchName)]) -> Value {
    // A variable that is not used is an error.
    let mut text = "query statuses($path: ID!".to_owned();
    let mut variables = json!({ "path": path });
    if !asked.heads.is_empty() {
        text.push_str(", $iids: [String!]");
        variables["iids"] = asked.heads.iter().map(|(number, _)| number.to_string()).collect();
    }
    if !pairs.is_empty() {
        text.push_str(", $heads: [String!], $bases: [String!]");
        newest_variables(&mut variables, pairs);
    }
    let base = asked.base.as_ref().filter(|_| !asked.landed.is_empty());
    if let Some(base) = base {
        text.push_str(", $base: String!, $status: String!");
        variables["base"] = json!(base.as_str());
        variables["status"] = json!(asked.status);
    }
    text.push_str(") {\n");
    if base.is_some() {
        text.push_str("  currentUser { username }\n");
    }
    text.push_str("  project(fullPath: $path) {\n");
    if base.is_some() {
        text.push_str(MERGED);
    }
    if !pairs.is_empty() {
        text.push_str(&newest_field(pairs.len()));
    }
    if !asked.heads.is_empty() {
        text.push_str(
            "    mergeRequests(iids: $iids, first: 100) {
      nodes { iid diffHeadSha pipelines(first: 10) { ...pipelines } }
    }\n",
        );
    }
    for (number, commit) in asked.commits.iter().enumerate() {
        // Writing to a string cannot fail; an id holds hexadecimal digits only.
        _ = writeln!(text, "    commit{number}: pipelines(sha: \"{commit}\", first: 5) {{ ...pipelines }}");
    }
    for (number, commit) in asked.landed.iter().enumerate() {
        // However many run later, the first one stays the first one.
        _ = writeln!(
            text,
            "    landed{number}: pipelines(sha: \"{commit}\", ref: $base, last: 1) {{
      nodes {{ job(name: $status) {{ id name status createdAt detailedStatus {{ label }} }} }}
    }}"
        );
    }
    text.push_str("  }\n}\n");
    // A fragment that is not used is an error, too.
    if !asked.heads.is_empty() || !asked.commits.is_empty() {
        text.push_str(PIPELINES);
    }
    json!({"query": text, "variables": variables})
}

/// The statuses of DRY commits out of the answer.
pub(super) fn landed_of(project: &Value, asked: &Asked) -> BTreeMap<CommitId, Vec<CommitStatus>> {
    let landed = asked.landed.iter().enumerate().filter_map(|(number, commit)| {
        let pipelines = project[format!("landed{number}")]["nodes"].as_array()?;
        let found = pipelines.iter().filter_map(|one| status(&one["job"]));
        Some((*commit, found.map(|(_, status)| status).collect()))
    });
    landed.collect()
}

/// The statuses out of the answer. A commit of which it does not tell everything is not among them.
pub(super) fn statuses_of(project: &Value, asked: &Asked) -> BTreeMap<CommitId, Vec<CommitStatus>> {
    let shown: BTreeMap<&str, &Value> = each(&project["mergeRequests"]["nodes"])
        .filter_map(|one| Some((one["iid"].as_str()?, one)))
        .collect();
    let heads = asked.heads.iter().filter_map(|(number, commit)| {
        let found = shown.get(number.to_string().as_str())?;
        // Its pipelines are those of the head that GitLab has seen.
        let is_seen = found["diffHeadSha"] == commit.to_string();
        is_seen.then(|| newest_of_head(&found["pipelines"], *commit)).flatten().map(|all| (*commit, all))
    });
    let commits = asked.commits.iter().enumerate().filter_map(|(number, commit)| {
        newest_of(&project[format!("commit{number}")], *commit).map(|all| (*commit, all))
    });
    heads.chain(commits).collect()
}

fn is_whole(list: &Value) -> bool {
    list["nodes"].is_array() && list["pageInfo"]["hasNextPage"] == false
}

/// The newest status of each context of the head of a merge request. GitLab lists pipelines of the heads before as well:
/// newest first, and those that run for the merge request itself before all others. So behind the first one of an earlier
/// head nothing is missing.
fn newest_of_head(pipelines: &Value, commit: CommitId) -> Option<Vec<CommitStatus>> {
    let ours = commit.to_string();
    let mut others = each(&pipelines["nodes"]).filter(|one| one["mergeRequestEventType"].is_null());
    let is_enough = is_whole(pipelines) || others.position(|one| one["sha"] != ours.as_str()) > Some(0);
    is_enough.then(|| newest_in(pipelines, commit)).flatten()
}

/// The newest status of each context in the pipelines of a commit, if nothing is missing there.
fn newest_of(pipelines: &Value, commit: CommitId) -> Option<Vec<CommitStatus>> {
    is_whole(pipelines).then(|| newest_in(pipelines, commit)).flatten()
}

fn newest_in(pipelines: &Value, commit: CommitId) -> Option<Vec<CommitStatus>> {
    let ours = commit.to_string();
    let all: Vec<&Value> =
        each(&pipelines["nodes"]).filter(|one| one["sha"] == ours.as_str()).map(|one| &one["jobs"]).collect();
    if !all.iter().all(|jobs| is_whole(jobs)) {
        return None;
    }
    let mut found: Vec<(u64, CommitStatus)> =
        all.iter().flat_map(|jobs| each(&jobs["nodes"])).filter_map(status).collect();
    Some(newest_by_context(&mut found))
}

/// Of each context the status with the highest number.
pub(super) fn newest_by_context(found: &mut [(u64, CommitStatus)]) -> Vec<CommitStatus> {
    found.sort_by_key(|(number, _)| *number);
    let newest: BTreeMap<&str, &CommitStatus> =
        found.iter().map(|(_, status)| (status.context.as_str(), status)).collect();
    newest.into_values().cloned().collect()
}

/// A status and its number.
fn status(job: &Value) -> Option<(u64, CommitStatus)> {
    let id = job["id"].as_str()?;
    // The label of a real job is a word for its state.
    let said = id.contains("GenericCommitStatus").then(|| job["detailedStatus"]["label"].as_str()).flatten();
    let status = CommitStatus {
        context: job["name"].as_str()?.to_owned(),
        state: meaning(job["status"].as_str()?),
        description: said.unwrap_or_default().to_owned(),
        created_at: job["createdAt"].as_str().and_then(|time| time.parse().ok()),
    };
    Some((id.rsplit('/').next()?.parse().ok()?, status))
}

/// The question for what was deployed last to each environment.
pub(super) fn environments(path: &str) -> Value {
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
pub(super) fn deployments_of<'a>(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CommitState;

    fn commit(digit: &str) -> CommitId {
        CommitId::parse(&digit.repeat(40)).unwrap()
    }

    fn jobs(jobs: &Value) -> Value {
        json!({"pageInfo": {"hasNextPage": false}, "nodes": jobs})
    }

    fn job(number: u64, state: &str, label: &str) -> Value {
        json!({"id": format!("gid://gitlab/GenericCommitStatus/{number}"), "name": "x", "status": state,
            "createdAt": "2026-01-01T10:00:00Z", "detailedStatus": {"label": label}})
    }

    #[test]
    fn the_newest_status_of_all_pipelines_counts() {
        let asked = Asked {
            heads: vec![(7, commit("1"))],
            commits: vec![commit("2"), commit("3")],
            ..Asked::default()
        };
        let pipelines = |sha: &str, first: Value, second: Value| {
            jobs(
                &json!([{"sha": sha.repeat(40), "jobs": jobs(&first)}, {"sha": sha.repeat(40), "jobs": jobs(&second)}]),
            )
        };
        let mut project = json!({
            "mergeRequests": {"nodes": [{"iid": "7", "diffHeadSha": "1".repeat(40),
                "pipelines": pipelines("1", json!([job(5, "SUCCESS", "new")]), json!([job(3, "FAILED", "old")]))}]},
            "commit0": pipelines("2", json!([{"id": "gid://gitlab/Ci::Build/9", "name": "e2e", "status": "RUNNING",
                "createdAt": null, "detailedStatus": {"label": "running"}}]), json!([])),
            "commit1": jobs(&json!([])),
        });
        let found = statuses_of(&project, &asked);
        let first = &found[&commit("1")];
        assert_eq!(
            (first.len(), first[0].state, first[0].description.as_str()),
            (1, CommitState::Success, "new")
        );
        assert_eq!(found[&commit("2")][0].description, "");
        assert_eq!(found[&commit("3")], []);
        // What is not told whole is not believed.
        project["mergeRequests"]["nodes"][0]["diffHeadSha"] = json!("4".repeat(40));
        project["commit0"]["nodes"][0]["jobs"]["pageInfo"]["hasNextPage"] = json!(true);
        project["commit1"] = Value::Null;
        assert_eq!(statuses_of(&project, &asked), BTreeMap::new());
    }

    #[test]
    fn of_a_head_nothing_is_missing_before_the_head_before_it() {
        let pipeline = |sha: &str, event: Value, number: u64| {
            json!({"sha": sha.repeat(40), "mergeRequestEventType": event,
                "jobs": jobs(&json!([job(number, "SUCCESS", "said")]))})
        };
        let found = |all: Value| {
            newest_of_head(&json!({"pageInfo": {"hasNextPage": true}, "nodes": all}), commit("1"))
                .map(|all| all.len())
        };
        let (ours, theirs) = (pipeline("1", Value::Null, 9), pipeline("2", Value::Null, 8));
        let detached = |sha: &str| pipeline(sha, json!("DETACHED"), 7);
        assert_eq!(found(json!([ours, theirs])), Some(1));
        assert_eq!(found(json!([detached("1"), detached("2"), ours, theirs])), Some(1));
        // More of the same head may follow, or it was moved back to.
        assert_eq!(found(json!([ours])), None);
        assert_eq!(found(json!([theirs, ours, theirs])), None);
        assert_eq!(found(json!([detached("1"), detached("2")])), None);
        assert_eq!(found(json!([])), None);
    }

    #[test]
    fn only_what_is_asked_is_in_the_question() {
        let text = |asked: &Asked| statuses("a/b", asked, &[])["query"].as_str().unwrap().to_owned();
        let one = text(&Asked { commits: vec![commit("1")], ..Asked::default() });
        assert!(one.contains("commit0: pipelines(sha: \"1111") && !one.contains("mergeRequests"), "{one}");
        let other = text(&Asked { heads: vec![(7, commit("1"))], ..Asked::default() });
        assert!(other.contains("mergeRequests") && !other.contains("commit0"), "{other}");
        let base = Some(BranchName::new("main").unwrap());
        let landed = text(&Asked { landed: vec![commit("1")], base, ..Asked::default() });
        assert!(landed.contains("landed0: pipelines") && landed.contains("MERGED_AT_DESC"), "{landed}");
        assert!(!landed.contains("fragment"), "{landed}");
        // A variable that is declared is used.
        for (text, iids, base) in [(&one, false, false), (&other, true, false), (&landed, false, true)] {
            assert_eq!((text.contains("$iids: "), text.contains("$base: ")), (iids, base), "{text}");
        }
    }
}
