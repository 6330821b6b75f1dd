//! Merge requests and statuses out of what REST answers. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::escape::neutralise_quick_actions;
use crate::model::{
    BranchName, CommitId, CommitState, CommitStatus, LabelNames, PullRequest, PullRequestState,
};

/// Stands before a title that would make a draft of its merge request, without being seen.
const BREAK: char = '\u{200b}';
const DRAFT: &str = "Draft: ";

/// A title as it is sent: GitLab tells a draft by its title.
pub(super) fn sent_title(title: &str, draft: bool) -> String {
    match (draft, without_draft(title).is_some()) {
        (true, _) => format!("{DRAFT}{title}"),
        (false, true) => format!("{BREAK}{title}"),
        (false, false) => title.to_owned(),
    }
}

/// A title as it was before [`sent_title`]; people write the mark in their own ways.
pub(super) fn read_title(title: &str, draft: bool) -> String {
    let read = if draft { without_draft(title).unwrap_or(title) } else { title };
    read.strip_prefix(BREAK).unwrap_or(read).to_owned()
}

/// The rest of a title behind the mark of a draft. Source: GitLab's documentation on draft merge requests.
fn without_draft(title: &str) -> Option<&str> {
    let title = title.trim_start();
    let found = ["draft:", "[draft]", "(draft)", "draft - "]
        .into_iter()
        .find(|mark| title.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark)))?;
    Some(title[found.len()..].trim_start())
}

/// Text as it is sent: nothing in it is a command to GitLab.
pub(super) fn sent_text(text: &str) -> String {
    neutralise_quick_actions(text)
}

/// A merge request as REST describes it, unless it comes from a fork: what is there is nobody's business here.
pub(super) fn of_rest(answer: &Value) -> Option<PullRequest> {
    if answer["source_project_id"] != answer["target_project_id"] {
        return None;
    }
    let text = |key: &str| answer[key].as_str().map(str::to_owned);
    let people = |key: &str| sorted(each(&answer[key]).filter_map(|one| one["username"].as_str()));
    let draft =
        answer["draft"].as_bool().or_else(|| answer["work_in_progress"].as_bool()).unwrap_or_default();
    Some(PullRequest {
        number: answer["iid"].as_u64()?,
        url: text("web_url")?,
        state: state(answer["state"].as_str()?),
        head: BranchName::new(text("source_branch")?).ok()?,
        head_sha: CommitId::parse(answer["sha"].as_str()?)?,
        base: BranchName::new(text("target_branch")?).ok()?,
        title: read_title(answer["title"].as_str()?, draft),
        body: text("description").unwrap_or_default(),
        labels: sorted(each(&answer["labels"]).filter_map(Value::as_str)),
        label_names: LabelNames::Scoped,
        reviewers: people("reviewers"),
        team_reviewers: Vec::new(),
        assignees: people("assignees"),
        draft,
        auto_merge: answer["merge_when_pipeline_succeeds"].as_bool().unwrap_or_default(),
        merged_at: answer["merged_at"].as_str().and_then(|time| time.parse().ok()),
        head_statuses: None,
    })
}

/// What a merge made: without a merge commit the base is at the squashed one, and without that at the head.
pub(super) fn merge_commit(answer: &Value) -> Option<CommitId> {
    let commits = ["merge_commit_sha", "squash_commit_sha", "sha"];
    commits.iter().find_map(|key| answer[*key].as_str()).and_then(CommitId::parse)
}

/// While it is being merged, a merge request is `locked` for a moment.
pub(super) fn state(word: &str) -> PullRequestState {
    match word {
        "merged" => PullRequestState::Merged,
        "closed" => PullRequestState::Closed,
        _ => PullRequestState::Open,
    }
}

/// The elements of a list.
pub(super) fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The number at the end of a global id.
pub(super) fn number_of(id: &Value) -> Option<u64> {
    id.as_str()?.rsplit('/').next()?.parse().ok()
}

/// Each once, in order.
pub(super) fn sorted<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    names.into_iter().collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
}

/// A status out of a list.
pub(super) fn status(node: &Value) -> Option<CommitStatus> {
    Some(CommitStatus {
        context: node["name"].as_str()?.to_owned(),
        state: meaning(node["status"].as_str()?),
        description: node["description"].as_str().unwrap_or_default().to_owned(),
        created_at: node["created_at"].as_str().and_then(|time| time.parse().ok()),
    })
}

/// What the word for a state means, which GraphQL writes in capitals.
pub(super) fn meaning(word: &str) -> CommitState {
    match word.to_ascii_lowercase().as_str() {
        "success" => CommitState::Success,
        "failed" => CommitState::Failure,
        "canceled" => CommitState::Error,
        // `skipped` too: what a job would have said is not known.
        _ => CommitState::Pending,
    }
}

/// The word for a state, where it is set.
pub(super) const fn word(state: CommitState) -> &'static str {
    match state {
        CommitState::Pending => "pending",
        CommitState::Success => "success",
        CommitState::Failure => "failed",
        CommitState::Error => "canceled",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn titles_make_drafts_only_where_that_is_meant() {
        for (title, draft, sent) in [
            ("Promote", false, "Promote"),
            ("Promote", true, "Draft: Promote"),
            ("Draft: x", true, "Draft: Draft: x"),
            ("DRAFT: x", false, "\u{200b}DRAFT: x"),
            ("[Draft] x", false, "\u{200b}[Draft] x"),
            ("Drafting x", false, "Drafting x"),
            ("ä", false, "ä"),
        ] {
            assert_eq!(sent_title(title, draft), sent);
            assert_eq!(read_title(sent, draft), title);
        }
        assert_eq!(read_title("(draft) by hand", true), "by hand");
    }

    #[test]
    fn merge_requests_from_forks_are_left_out() {
        let mut found = json!({
            "iid": 7, "web_url": "https://e.org/7", "state": "locked", "title": "Draft: t", "draft": true,
            "source_project_id": 1, "target_project_id": 1, "sha": "0123456789abcdef0123456789abcdef01234567",
            "source_branch": "h", "target_branch": "b", "labels": ["b", "a"], "merged_at": null, "description": null,
            "reviewers": [{"username": "carol", "id": 3}], "assignees": [], "merge_when_pipeline_succeeds": true,
        });
        let read = of_rest(&found).unwrap();
        assert_eq!((read.state, read.title.as_str(), read.draft), (PullRequestState::Open, "t", true));
        assert_eq!(
            (read.labels, read.reviewers),
            (vec!["a".to_owned(), "b".to_owned()], vec!["carol".to_owned()])
        );
        assert!(read.auto_merge);
        found["source_project_id"] = json!(2);
        assert_eq!(of_rest(&found), None);
    }

    #[test]
    fn states_keep_their_meaning_on_the_way() {
        for state in [CommitState::Pending, CommitState::Success, CommitState::Failure, CommitState::Error] {
            let found = status(&json!({"name": "x", "status": word(state), "description": null})).unwrap();
            assert_eq!(found.state, state);
        }
        assert_eq!(status(&json!({"name": "x", "status": "skipped"})).unwrap().state, CommitState::Pending);
    }
}
