//! How GitHub's REST API writes things down.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::GitHubApi;
use crate::forge_server::state::{Deployed, Life, Method, Pull, Said, State, Status};

/// A time as the API writes it.
pub(super) fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).expect("it is in range").to_string()
}

/// A number that stays the same for a name.
fn id(name: &str) -> u64 {
    name.bytes().fold(7, |sum, byte| (sum * 31 + u64::from(byte)) % 1_000_003)
}

/// Keys that end with `_url`.
fn urls(into: &mut Map<String, Value>, base: &str, names: &str) {
    for name in names.split_whitespace() {
        into.insert(format!("{name}_url"), json!(format!("{base}/{name}")));
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

impl GitHubApi {
    pub(super) fn user(&self, login: &str) -> Value {
        let base = format!("{}/users/{login}", self.api());
        let kind = if login.ends_with("[bot]") { "Bot" } else { "User" };
        let mut user = object(json!({
            "login": login, "id": id(login), "node_id": format!("U_{login}"), "gravatar_id": "", "url": base,
            "type": kind, "site_admin": false,
        }));
        let names = "avatar events followers following gists html organizations received_events repos starred \
                     subscriptions";
        urls(&mut user, &base, names);
        Value::Object(user)
    }

    pub(super) fn repository(&self) -> Value {
        let base = format!("{}/repos/{}", self.api(), self.slug());
        let mut repository = object(json!({
            "id": 1, "node_id": "R_1", "name": self.name, "full_name": self.slug(), "owner": self.user(&self.owner),
            "private": false, "description": null, "fork": false, "url": base, "default_branch": "main", "forks": 0,
            "forks_count": 0, "has_downloads": true, "has_issues": true, "has_projects": false, "has_wiki": false,
            "has_pages": false, "has_discussions": false, "homepage": null, "language": null, "archived": false,
            "disabled": false, "open_issues": 0, "open_issues_count": 0, "license": null, "pushed_at": time(0),
            "size": 0, "stargazers_count": 0, "watchers": 0, "watchers_count": 0, "created_at": time(0),
            "updated_at": time(0), "network_count": 0, "subscribers_count": 0,
        }));
        let names = "archive assignees blobs branches collaborators comments commits compare contents contributors \
                     deployments downloads events forks git_commits git_refs git_tags hooks issue_comment issue_events \
                     issues keys labels languages merges milestones notifications pulls releases stargazers statuses \
                     subscribers subscription tags teams trees clone git ssh svn mirror";
        urls(&mut repository, &base, names);
        repository.insert("html_url".to_owned(), json!(format!("{}/{}", self.web(), self.slug())));
        Value::Object(repository)
    }

    fn team(&self, slug: &str) -> Value {
        let base = format!("{}/teams/{slug}", self.api());
        json!({
            "id": id(slug), "node_id": format!("T_{slug}"), "url": base, "members_url": base, "name": slug,
            "description": null, "permission": "push", "html_url": base, "repositories_url": base, "slug": slug,
            "parent": null, "type": "organization",
        })
    }

    pub(super) fn label(&self, name: &str) -> Value {
        let url = format!("{}/repos/{}/labels/{name}", self.api(), self.slug());
        json!({
            "id": id(name), "node_id": format!("L_{name}"), "url": url, "name": name, "description": "",
            "color": "ededed", "default": false,
        })
    }

    fn side(&self, branch: &str, sha: &str) -> Value {
        json!({
            "label": format!("{}:{branch}", self.owner), "ref": branch, "sha": sha, "repo": self.repository(),
            "user": self.user(&self.owner),
        })
    }

    /// A pull request in full.
    pub(super) fn pull(&self, state: &State, pull: &Pull) -> Value {
        let mut shown = object(self.simple_pull(pull));
        let hindrance = state.hindrance(pull.number);
        shown.extend(object(json!({
            "additions": 1, "changed_files": 1, "comments": pull.comments.len(), "commits": 1, "deletions": 0,
            "mergeable": hindrance.is_none(), "mergeable_state": if hindrance.is_none() { "clean" } else { "blocked" },
            "merged": pull.life == Life::Merged, "maintainer_can_modify": false, "merged_by": null,
            "review_comments": 0, "rebaseable": true,
        })));
        Value::Object(shown)
    }

    pub(super) fn simple_pull(&self, pull: &Pull) -> Value {
        let number = pull.number;
        let base = format!("{}/repos/{}/pulls/{number}", self.api(), self.slug());
        let users = |names: &[String]| names.iter().map(|name| self.user(name)).collect::<Vec<_>>();
        let link = json!({"href": base});
        let closed = (!pull.is_open()).then(|| time(pull.merged_at.unwrap_or(pull.created_at)));
        let auto_merge = pull.auto_merge.map(|method| {
            json!({"enabled_by": self.user("alice"), "merge_method": word(method), "commit_title": "", "commit_message": ""})
        });
        let mut shown = object(json!({
            "id": number, "node_id": node_id(number), "number": number, "url": base,
            "html_url": format!("{}/{}/pull/{number}", self.web(), self.slug()),
            "state": if pull.is_open() { "open" } else { "closed" }, "locked": false, "title": pull.title,
            "user": self.user(&pull.author), "body": pull.body,
            "labels": pull.labels.iter().map(|name| self.label(name)).collect::<Vec<_>>(), "milestone": null,
            "created_at": time(pull.created_at), "updated_at": time(pull.created_at), "closed_at": closed,
            "merged_at": pull.merged_at.map(time), "merge_commit_sha": pull.merge_commit, "draft": pull.draft,
            "assignee": pull.assignees.first().map(|name| self.user(name)), "assignees": users(&pull.assignees),
            "requested_reviewers": users(&pull.reviewers),
            "requested_teams": pull.teams.iter().map(|slug| self.team(slug)).collect::<Vec<_>>(),
            "head": self.side(&pull.head, &pull.head_sha), "base": self.side(&pull.base, &pull.base_sha),
            "_links": {"self": link, "html": link, "issue": link, "comments": link, "review_comments": link,
                "review_comment": link, "commits": link, "statuses": link},
            "author_association": "CONTRIBUTOR", "auto_merge": auto_merge,
        }));
        urls(&mut shown, &base, "comments commits diff patch review_comment review_comments statuses");
        let issue = format!("{}/repos/{}/issues/{number}", self.api(), self.slug());
        shown.insert("comments_url".to_owned(), json!(format!("{issue}/comments")));
        shown.insert("issue_url".to_owned(), json!(issue));
        Value::Object(shown)
    }

    pub(super) fn issue(&self, pull: &Pull) -> Value {
        let base = format!("{}/repos/{}/issues/{}", self.api(), self.slug(), pull.number);
        let mut shown = object(json!({
            "id": pull.number, "node_id": node_id(pull.number), "number": pull.number, "url": base,
            "state": if pull.is_open() { "open" } else { "closed" }, "locked": false, "title": pull.title,
            "user": self.user(&pull.author), "labels": [], "milestone": null, "comments": pull.comments.len(),
            "assignee": pull.assignees.first().map(|name| self.user(name)),
            "assignees": pull.assignees.iter().map(|name| self.user(name)).collect::<Vec<_>>(),
            "closed_at": null, "created_at": time(pull.created_at), "updated_at": time(pull.created_at),
        }));
        urls(&mut shown, &base, "comments events html labels repository");
        Value::Object(shown)
    }

    pub(super) fn comment(&self, number: u64, said: &Said) -> Value {
        let (id, body) = (said.id, &said.body);
        let issue = format!("{}/repos/{}/issues/{number}", self.api(), self.slug());
        let count = |content: &str| said.reactions.iter().filter(|(_, own)| own == content).count();
        let reactions = json!({"url": format!("{}/repos/{}/issues/comments/{id}/reactions", self.api(), self.slug()),
            "total_count": said.reactions.len(), "+1": 0, "-1": 0, "laugh": 0, "hooray": 0, "heart": 0,
            "confused": count("confused"), "rocket": count("rocket"), "eyes": count("eyes")});
        json!({
            "id": id, "node_id": format!("IC_{id}"), "reactions": reactions,
            "url": format!("{}/repos/{}/issues/comments/{id}", self.api(), self.slug()),
            "html_url": self.comment_page(number, id), "issue_url": issue, "body": body,
            "user": self.user(&said.author), "created_at": time(0), "updated_at": time(0),
        })
    }

    pub(super) fn comment_page(&self, number: u64, id: u64) -> String {
        format!("{}/{}/pull/{number}#issuecomment-{id}", self.web(), self.slug())
    }

    pub(super) fn collaborator(&self, login: &str) -> Value {
        let mut user = object(self.user(login));
        user.insert("role_name".to_owned(), json!("write"));
        Value::Object(user)
    }

    pub(super) fn deployment(&self, deployed: &Deployed) -> Value {
        let repository = format!("{}/repos/{}", self.api(), self.slug());
        let url = format!("{repository}/deployments/{}", deployed.id);
        json!({
            "url": url, "id": deployed.id, "node_id": format!("DE_{}", deployed.id), "sha": deployed.commit,
            "ref": deployed.commit, "task": deployed.task, "payload": {}, "original_environment": deployed.environment,
            "environment": deployed.environment, "description": deployed.description, "creator": self.user("alice"),
            "created_at": time(deployed.created_at), "updated_at": time(deployed.created_at),
            "statuses_url": format!("{url}/statuses"), "repository_url": repository,
        })
    }

    pub(super) fn deployment_status(&self, deployed: &Deployed) -> Value {
        let repository = format!("{}/repos/{}", self.api(), self.slug());
        let url = format!("{repository}/deployments/{}", deployed.id);
        let (state, page) = deployed.statuses.last().expect("it has one");
        json!({
            "url": format!("{url}/statuses/1"), "id": 1, "node_id": "DES_1", "state": state,
            "creator": self.user("alice"), "description": deployed.description, "environment": deployed.environment,
            "target_url": page.clone().unwrap_or_default(), "log_url": page.clone().unwrap_or_default(),
            "created_at": time(0), "updated_at": time(0), "deployment_url": url, "repository_url": repository,
        })
    }

    pub(super) fn status(&self, commit: &str, status: &Status) -> Value {
        let url = format!("{}/repos/{}/statuses/{commit}", self.api(), self.slug());
        json!({
            "url": url, "avatar_url": null, "id": 1, "node_id": "S_1", "state": status.state,
            "description": status.description, "target_url": status.target_url, "context": status.context,
            "created_at": time(status.created_at), "updated_at": time(status.created_at),
            "creator": self.user("alice"),
        })
    }

    pub(super) fn branch(&self, state: &State, name: &str, sha: &str) -> Value {
        let url = format!("{}/repos/{}/branches/{name}", self.api(), self.slug());
        let contexts = &state.classic_statuses;
        let checks: Vec<Value> =
            contexts.iter().map(|context| json!({"context": context, "app_id": null})).collect();
        let person = json!({"name": "Alice", "email": "alice@example.com", "date": time(0)});
        let tree = json!({"sha": sha, "url": url});
        json!({
            "name": name, "protected": !contexts.is_empty(), "protection_url": url,
            "_links": {"html": url, "self": url},
            "protection": {"enabled": !contexts.is_empty(), "required_status_checks": {
                "enforcement_level": "non_admins", "contexts": contexts, "checks": checks}},
            "commit": {
                "url": url, "sha": sha, "node_id": "C_1", "html_url": url, "comments_url": url, "author": null,
                "committer": null, "parents": [],
                "commit": {"url": url, "author": person, "committer": person, "message": "m", "comment_count": 0, "tree": tree},
            },
        })
    }
}

/// The global id of a pull request.
pub(super) fn node_id(number: u64) -> String {
    format!("PR_{number}")
}

/// A method as REST writes it.
pub(super) const fn word(method: Method) -> &'static str {
    match method {
        Method::Merge => "merge",
        Method::Squash => "squash",
        Method::Rebase => "rebase",
    }
}
