//! DRY commits that will be asked about: a question about statuses takes them along, and its answer tells how they came
//! in.

use std::collections::BTreeMap;

use serde_json::Value;

use super::GitLab;
use super::asked::{Asked, Wish};
use super::question;
use super::shapes::each;
use crate::forge::{Announced, Comment, Extent, Landing, MergedPullRequest};
use crate::model::{BranchName, CommitId};

/// What was announced, and what is known of it already.
pub(super) struct Expected {
    pub(super) announced: Announced,
    pub(super) found: BTreeMap<CommitId, Landing>,
}

/// Takes note of what will be asked. What was known is old by now.
pub(super) fn expect(forge: &GitLab, announced: Announced) {
    *forge.expected.borrow_mut() = Some(Expected { announced, found: BTreeMap::new() });
}

/// The branch of a commit, if it was announced.
pub(super) fn branch_of(forge: &GitLab, commit: CommitId) -> Option<BranchName> {
    let expected = forge.expected.borrow();
    let known = expected.as_ref()?.announced.branches.get(&commit).cloned();
    drop(expected);
    known.or_else(|| base_of(forge, commit))
}

/// The DRY branch, if a commit on it was announced.
fn base_of(forge: &GitLab, commit: CommitId) -> Option<BranchName> {
    let expected = forge.expected.borrow();
    let announced = &expected.as_ref()?.announced;
    let is_dry = announced.newest.contains(&commit) || announced.others.contains(&commit);
    is_dry.then(|| announced.base.clone())
}

/// The branches that were announced, the DRY branch first.
pub(super) fn branches(forge: &GitLab) -> Vec<BranchName> {
    let expected = forge.expected.borrow();
    let announced = expected.as_ref().map(|expected| &expected.announced);
    announced
        .into_iter()
        .flat_map(|all| [&all.base].into_iter().chain(all.branches.values()))
        .cloned()
        .collect()
}

/// What was announced, and is not known yet.
pub(super) fn wish<'a>(forge: &GitLab) -> Wish<'a> {
    let expected = forge.expected.borrow();
    let Some(Expected { announced, found }) = expected.as_ref() else { return Wish::default() };
    let all = announced.newest.iter().chain(&announced.others);
    Wish {
        landed: all.filter(|commit| !found.contains_key(commit)).copied().collect(),
        base: Some(announced.base.clone()),
        status: announced.status,
        ..Wish::default()
    }
}

/// Keeps what the answer says of them.
pub(super) fn keep(forge: &GitLab, asked: &Asked<'_>, data: &Value) {
    let mut expected = forge.expected.borrow_mut();
    let Some(Expected { announced, found }) = expected.as_mut() else { return };
    found.extend(told(forge, announced, (asked, data)));
}

/// What an answer says of the commits; nothing of those whose statuses it does not tell whole.
pub(super) fn told(
    forge: &GitLab,
    announced: &Announced,
    (asked, data): (&Asked<'_>, &Value),
) -> BTreeMap<CommitId, Landing> {
    let reader = Reader { forge, login: data["currentUser"]["username"].as_str().unwrap_or_default() };
    let project = &data["project"];
    let mut found = BTreeMap::new();
    for (commit, statuses) in question::landed_of(project, asked) {
        let is_newest = announced.newest.contains(&commit);
        let (told, pull_requests) = reader.maker(project, (commit, is_newest), announced.is_about);
        found.insert(commit, Landing { statuses, pull_requests, told });
    }
    found
}

/// What a merge request is read with besides.
struct Reader<'a> {
    forge: &'a GitLab,
    login: &'a str,
}

impl Reader<'_> {
    /// The merge request whose merge made a commit, if the answer tells. A commit that came in last would be among those
    /// that were merged last.
    fn maker(
        &self,
        project: &Value,
        (commit, is_newest): (CommitId, bool),
        is_about: fn(&str, CommitId) -> bool,
    ) -> (Extent, Vec<MergedPullRequest>) {
        let page = &project["merged"];
        // Without merge commits the head itself comes in; what was squashed then is told by our own comment only, also after
        // the project began to make merge commits.
        let Some(is_fast) = project["mergeRequestsFfOnlyEnabled"].as_bool() else {
            return (Extent::Nothing, Vec::new());
        };
        let key = if is_fast { "diffHeadSha" } else { "mergeCommitSha" };
        let made = each(&page["nodes"]).find(|node| node[key] == commit.to_string());
        let is_said = |comment: &Comment| comment.mine && is_about(&comment.body, commit);
        let said = || each(&page["nodes"]).find(|node| self.comments(node).any(|comment| is_said(&comment)));
        let made = made.or_else(said);
        let is_whole = page["nodes"].is_array() && (is_newest || page["pageInfo"]["hasNextPage"] == false);
        // The project's setting of today may not be that of the merge.
        let is_squash = |node: &Value| node["squash"] != false || node["squashOnMerge"] != false;
        let is_told = !is_fast || !each(&page["nodes"]).any(is_squash);
        match made.map(|node| self.merged(node, commit)) {
            Some(Some(merged)) => (Extent::Maker, vec![merged]),
            None if is_whole && is_told => (Extent::Maker, Vec::new()),
            _ => (Extent::Nothing, Vec::new()),
        }
    }

    fn merged(&self, node: &Value, commit: CommitId) -> Option<MergedPullRequest> {
        let number: u64 = node["iid"].as_str()?.parse().ok()?;
        let notes = &node["notes"];
        // Ours may be further down.
        if notes["pageInfo"]["hasNextPage"] != false {
            return None;
        }
        let own_comments: Vec<Comment> = self.comments(node).filter(|comment| comment.mine).collect();
        Some(MergedPullRequest {
            number,
            url: node["webUrl"].as_str()?.to_owned(),
            title: node["title"].as_str()?.to_owned(),
            base: BranchName::new(node["targetBranch"].as_str()?).ok()?,
            merge_commit: Some(commit),
            merged_at: node["mergedAt"].as_str().and_then(|time| time.parse().ok()),
            own_comments,
        })
    }

    fn comments<'a>(&'a self, node: &'a Value) -> impl Iterator<Item = Comment> + 'a {
        let number = node["iid"].as_str().and_then(|iid| iid.parse().ok()).unwrap_or_default();
        each(&node["notes"]["nodes"]).filter_map(move |note| self.comment(number, note))
    }

    fn comment(&self, number: u64, note: &Value) -> Option<Comment> {
        let id = note["id"].as_str()?.rsplit('/').next()?.parse().ok()?;
        let author = note["author"]["username"].as_str().unwrap_or_default().to_owned();
        (note["system"] == false).then(|| Comment {
            id,
            mine: !author.is_empty() && author == self.login,
            author,
            body: note["body"].as_str().unwrap_or_default().to_owned(),
            url: format!("{}/-/merge_requests/{number}#note_{id}", self.forge.place.web),
        })
    }
}
