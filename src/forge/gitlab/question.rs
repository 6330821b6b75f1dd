//! Questions in GraphQL, each about the statuses of many commits at once, and statuses out of the answers. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value, json};

use super::asked::Asked;
use super::pairs;
use super::shapes::{each, meaning, number_of};
use crate::forge::pair::Of;
use crate::model::{CommitId, CommitStatus};

/// The pipeline that statuses of a commit belong to and others of it do not: the one that runs for its merge request, and
/// on the DRY branch the first one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum OwnPipeline {
    /// Nobody told.
    #[default]
    Unknown,
    /// There is no such pipeline.
    Missing,
    /// The one with this number.
    Number(u64),
}

impl OwnPipeline {
    /// The first one of a list that holds all that there are.
    fn first<'a>(mut pipelines: impl Iterator<Item = &'a Value>) -> Self {
        pipelines
            .next()
            .map_or(Self::Missing, |one| number_of(&one["id"]).map_or(Self::Unknown, Self::Number))
    }

    /// What was found.
    pub(super) fn of(number: Option<u64>) -> Self {
        number.map_or(Self::Missing, Self::Number)
    }
}

/// The jobs of each pipeline of a head, of which a status is one. What was said with a status is the label of its state.
const OF_HEAD: &str = "fragment ofHead on PipelineConnection {
  pageInfo { hasNextPage }
  nodes {
    id sha mergeRequestEventType
    jobs(first: 20, retried: false) { nodes { id name status createdAt detailedStatus { label } } }
  }
}";

/// The same of another commit.
const OF_COMMIT: &str = "fragment ofCommit on PipelineConnection {
  nodes { jobs(first: 20, retried: false) { nodes { id name status createdAt detailedStatus { label } } } }
}";

/// As many pipelines and jobs as these fragments and questions ask for: where there are fewer, nothing is missing.
const PIPELINES_OF_HEAD: usize = 10;
const PIPELINES_OF_COMMIT: usize = 5;
const JOBS: usize = 20;

/// What was merged last, with what was said there: some 50 points.
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
pub(super) fn statuses(path: &str, asked: &Asked<'_>) -> Value {
    // A variable or a fragment that is not used is an error.
    let mut text = "query statuses($path: ID!".to_owned();
    let mut variables = json!({ "path": path });
    if !asked.heads.is_empty() {
        text.push_str(", $iids: [String!]");
        variables["iids"] = asked.heads.iter().map(|(number, _)| number.to_string()).collect();
    }
    if !asked.pairs.is_empty() {
        text.push_str(pairs::DECLARED);
        pairs::give(&mut variables, asked.pairs);
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
    if !asked.pairs.is_empty() {
        text.push_str(&pairs::field(asked.pairs.len(), Of::Merged));
    }
    for_commits(&mut text, asked);
    text.push_str("  }\n}\n");
    if !asked.heads.is_empty() {
        text.push_str(OF_HEAD);
    }
    if !asked.commits.is_empty() {
        text.push_str(OF_COMMIT);
    }
    json!({"query": text, "variables": variables})
}

fn for_commits(text: &mut String, asked: &Asked<'_>) {
    // Writing to a string cannot fail; an id holds hexadecimal digits only.
    if !asked.heads.is_empty() {
        let count = asked.heads.len();
        _ = writeln!(
            text,
            "    mergeRequests(iids: $iids, first: {count}) {{
      nodes {{ iid diffHeadSha pipelines(first: {PIPELINES_OF_HEAD}) {{ ...ofHead }} }}
    }}"
        );
    }
    for (number, commit) in asked.commits.iter().enumerate() {
        let first = PIPELINES_OF_COMMIT;
        _ = writeln!(
            text,
            "    commit{number}: pipelines(sha: \"{commit}\", first: {first}) {{ ...ofCommit }}"
        );
    }
    for (number, commit) in asked.landed.iter().enumerate() {
        // However many run later, the first one stays the first one.
        _ = writeln!(
            text,
            "    landed{number}: pipelines(sha: \"{commit}\", ref: $base, last: 1) {{
      nodes {{ id job(name: $status) {{ id name status createdAt detailedStatus {{ label }} }} }}
    }}"
        );
    }
}

/// The statuses of DRY commits out of the answer.
pub(super) fn landed_of(project: &Value, asked: &Asked<'_>) -> BTreeMap<CommitId, Vec<CommitStatus>> {
    let landed = asked.landed.iter().enumerate().filter_map(|(number, commit)| {
        let pipelines = project[format!("landed{number}")]["nodes"].as_array()?;
        let found = pipelines.iter().filter_map(|one| status(&one["job"]));
        Some((*commit, found.map(|(_, status)| status).collect()))
    });
    landed.collect()
}

/// The statuses out of the answer. A commit of which it does not tell everything is not among them.
pub(super) fn statuses_of(project: &Value, asked: &Asked<'_>) -> BTreeMap<CommitId, Vec<CommitStatus>> {
    let heads = heads_of(project, asked)
        .filter_map(|(commit, pipelines)| Some((commit, newest_of_head(pipelines, commit)?)));
    let commits = asked.commits.iter().enumerate().filter_map(|(number, commit)| {
        newest_of(&project[format!("commit{number}")]).map(|all| (*commit, all))
    });
    heads.chain(commits).collect()
}

/// The heads that GitLab has seen, with the pipelines of their merge requests.
fn heads_of<'a>(project: &'a Value, asked: &'a Asked<'_>) -> impl Iterator<Item = (CommitId, &'a Value)> {
    let shown: BTreeMap<&str, &Value> = each(&project["mergeRequests"]["nodes"])
        .filter_map(|one| Some((one["iid"].as_str()?, one)))
        .collect();
    asked.heads.iter().filter_map(move |(number, commit)| {
        let found = *shown.get(number.to_string().as_str())?;
        let is_seen = found["diffHeadSha"] == commit.to_string();
        is_seen.then_some((*commit, &found["pipelines"]))
    })
}

/// The pipelines that statuses of the commits belong to, as far as the answer tells: of a head the newest one that runs
/// for its merge request, of a DRY commit the first one; none where there is no such one.
pub(super) fn pipelines_of(project: &Value, asked: &Asked<'_>) -> BTreeMap<CommitId, OwnPipeline> {
    let heads = heads_of(project, asked).filter_map(|(commit, pipelines)| {
        newest_of_head(pipelines, commit)?;
        let ours = commit.to_string();
        let own = each(&pipelines["nodes"]).filter(|one| one["sha"] == ours && is_of_request(one));
        Some((commit, OwnPipeline::first(own)))
    });
    let landed = asked.landed.iter().enumerate().filter_map(|(number, commit)| {
        let all = project[format!("landed{number}")]["nodes"].as_array()?;
        Some((*commit, OwnPipeline::first(all.iter())))
    });
    heads.chain(landed).collect()
}

/// The newest status of each context of the head of a merge request, of ours those in the pipeline that decides. GitLab lists pipelines of the heads before as well:
/// newest first, and those that run for the merge request itself before all others. So behind the first one of an earlier
/// head nothing is missing.
fn newest_of_head(pipelines: &Value, commit: CommitId) -> Option<Vec<CommitStatus>> {
    let is_ours = |one: &&Value| one["sha"] == commit.to_string();
    let mut others = each(&pipelines["nodes"]).filter(|one| !is_of_request(one));
    let is_whole = pipelines["nodes"].is_array() && pipelines["pageInfo"]["hasNextPage"] == false;
    let is_enough = is_whole || others.position(|one| !is_ours(&one)) > Some(0);
    let ours = || each(&pipelines["nodes"]).filter(is_ours);
    let decisive = ours().find(|one| is_of_request(one)).or_else(|| ours().next());
    let decisive = decisive.map(|one| &one["id"]);
    is_enough
        .then(|| newest_in(ours(), |one, context| !is_own(context) || decisive == Some(&one["id"])))
        .flatten()
}

/// Whether a pipeline runs for a merge request itself.
fn is_of_request(pipeline: &Value) -> bool {
    !pipeline["mergeRequestEventType"].is_null()
}

/// Whether a status is one of hydrator's. On the head of a merge request it is worth something only in the pipeline that
/// decides about the merge, which may have begun after the status was set.
pub(super) fn is_own(context: &str) -> bool {
    context.starts_with("hydrator/")
}

/// The newest status of each context in the pipelines of a commit, if nothing is missing there.
fn newest_of(pipelines: &Value) -> Option<Vec<CommitStatus>> {
    let all = pipelines["nodes"].as_array().filter(|all| all.len() < PIPELINES_OF_COMMIT)?;
    newest_in(all.iter(), |_, _| true)
}

/// Of the statuses that count in their pipelines.
fn newest_in<'a>(
    pipelines: impl Iterator<Item = &'a Value>,
    counts: impl Fn(&Value, &str) -> bool,
) -> Option<Vec<CommitStatus>> {
    let mut found = Vec::new();
    for pipeline in pipelines {
        let jobs = pipeline["jobs"]["nodes"].as_array().filter(|jobs| jobs.len() < JOBS)?;
        found.extend(jobs.iter().filter_map(status).filter(|(_, one)| counts(pipeline, &one.context)));
    }
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
    Some((number_of(&job["id"])?, status))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{BranchName, CommitState};

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
        project["commit0"]["nodes"][0]["jobs"]["nodes"] = vec![job(1, "SUCCESS", "x"); JOBS].into();
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
        let text = |asked: &Asked<'_>| statuses("a/b", asked)["query"].as_str().unwrap().to_owned();
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
