//! GitHub's GraphQL over the state: objects are written down in full, and a question picks from them.

use serde_json::{Map, Value, json};

use super::GitHubApi;
use super::rest::life;
use super::shapes::{node_id, time, word};
use crate::forge_server::question::{Question, Selection, read};
use crate::forge_server::state::{Hindrance, Life, Method, Pull, State};

/// What a mutation or a question refuses to do.
struct Refused {
    kind: &'static str,
    message: String,
}

fn refused(message: &str) -> Refused {
    Refused { kind: "UNPROCESSABLE", message: message.to_owned() }
}

impl GitHubApi {
    pub(super) fn graphql(&self, state: &mut State, body: &Value) -> Value {
        let question = read(body["query"].as_str().unwrap_or_default(), &body["variables"]);
        let mut data = Map::new();
        for selection in &question.selections {
            let Selection::Field { alias, name, arguments, below } = selection else {
                panic!("{selection:?}")
            };
            match self.root(state, name, arguments) {
                Ok(object) => {
                    let picked = self.pick(state, &question, &object, below);
                    data.insert(alias.clone(), picked);
                }
                Err(Refused { kind, message }) => {
                    data.insert(alias.clone(), Value::Null);
                    let error = json!({"type": kind, "path": [alias], "message": message,
                        "locations": [{"line": 1, "column": 1}]});
                    return json!({"data": data, "errors": [error]});
                }
            }
        }
        json!({"data": data})
    }

    fn root(&self, state: &mut State, name: &str, arguments: &Map<String, Value>) -> Result<Value, Refused> {
        match name {
            "repository"
                if arguments["owner"] == self.owner.as_str() && arguments["name"] == self.name.as_str() =>
            {
                Ok(Self::repository_node(state))
            }
            "repository" => Err(Refused {
                kind: "NOT_FOUND",
                message: format!(
                    "Could not resolve to a Repository with the name '{}/{}'.",
                    arguments["owner"].as_str().unwrap_or_default(),
                    arguments["name"].as_str().unwrap_or_default()
                ),
            }),
            "viewer" => Ok(json!({"__typename": "User", "login": state.viewer})),
            "enablePullRequestAutoMerge" => self.arm(state, &arguments["input"]),
            "disablePullRequestAutoMerge" => self.disarm(state, &arguments["input"]),
            other => panic!("nobody answers {other}"),
        }
    }

    fn repository_node(state: &State) -> Value {
        json!({
            "__typename": "Repository", "autoMergeAllowed": state.allow_auto_merge,
            "deleteBranchOnMerge": state.delete_branch_on_merge, "viewerPermission": state.role,
            "mergeCommitAllowed": !state.forbidden_methods.contains(&Method::Merge),
            "squashMergeAllowed": !state.forbidden_methods.contains(&Method::Squash),
            "rebaseMergeAllowed": !state.forbidden_methods.contains(&Method::Rebase),
            "viewerDefaultMergeMethod": word(state.default_method).to_uppercase(),
        })
    }

    fn by_id(state: &mut State, input: &Value) -> Result<u64, Refused> {
        let wanted = input["pullRequestId"].as_str().unwrap_or_default();
        let found = state.pulls.iter().find(|pull| node_id(pull.number) == wanted);
        found.map(|pull| pull.number).ok_or_else(|| Refused {
            kind: "NOT_FOUND",
            message: format!("Could not resolve to a node with the global id of '{wanted}'"),
        })
    }

    fn arm(&self, state: &mut State, input: &Value) -> Result<Value, Refused> {
        let number = Self::by_id(state, input)?;
        if !state.allow_auto_merge {
            return Err(refused("Pull request Auto merge is not allowed for this repository"));
        }
        if state.required_statuses.is_empty()
            && state.classic_statuses.is_empty()
            && state.required_reviews == 0
        {
            return Err(refused("Pull request Protected branch rules not configured for this branch"));
        }
        match state.hindrance(number) {
            None => return Err(refused("Pull request Pull request is in clean status")),
            Some(Hindrance::Draft | Hindrance::NotOpen | Hindrance::Conflict) => {
                return Err(refused("Can't enable auto-merge for this pull request."));
            }
            Some(_) => {}
        }
        let method = input["mergeMethod"].as_str().and_then(Method::parse).unwrap_or(Method::Merge);
        let pull = state.pull(number).expect("it was found");
        if input["expectedHeadOid"].as_str().is_some_and(|head| head != pull.head_sha) {
            return Err(refused("Head sha didn't match expected head oid"));
        }
        pull.auto_merge = Some(method);
        let node = self.node(state, number);
        Ok(json!({"__typename": "EnablePullRequestAutoMergePayload", "pullRequest": node}))
    }

    fn disarm(&self, state: &mut State, input: &Value) -> Result<Value, Refused> {
        let number = Self::by_id(state, input)?;
        let pull = state.pull(number).expect("it was found");
        if pull.auto_merge.take().is_none() {
            return Err(refused("Can't disable auto-merge for this pull request."));
        }
        let node = self.node(state, number);
        Ok(json!({"__typename": "DisablePullRequestAutoMergePayload", "pullRequest": node}))
    }

    /// What a question picks from an object.
    fn pick(
        &self,
        state: &mut State,
        question: &Question,
        object: &Value,
        selections: &[Selection],
    ) -> Value {
        if object.is_null() {
            return Value::Null;
        }
        if let Some(list) = object.as_array() {
            return list.iter().map(|one| self.pick(state, question, one, selections)).collect();
        }
        if selections.is_empty() {
            return object.clone();
        }
        let mut picked = Map::new();
        self.pick_into(&mut picked, state, question, (object, selections));
        Value::Object(picked)
    }

    fn pick_into(
        &self,
        picked: &mut Map<String, Value>,
        state: &mut State,
        question: &Question,
        (object, selections): (&Value, &[Selection]),
    ) {
        let kind = object["__typename"].as_str().unwrap_or_default();
        let is_of =
            |of: &str| of == kind || (of == "RequestedReviewer" && ["User", "Bot", "Team"].contains(&kind));
        for selection in selections {
            match selection {
                Selection::Spread(name) => {
                    let (of, below) = &question.fragments[name];
                    if is_of(of) {
                        self.pick_into(picked, state, question, (object, below));
                    }
                }
                Selection::On(of, below) if is_of(of) => {
                    self.pick_into(picked, state, question, (object, below));
                }
                Selection::On(..) => {}
                Selection::Field { alias, name, arguments, below } => {
                    let found = self.field(state, object, name, arguments);
                    let value = self.pick(state, question, &found, below);
                    picked.insert(alias.clone(), value);
                }
            }
        }
    }

    fn field(&self, state: &mut State, object: &Value, name: &str, arguments: &Map<String, Value>) -> Value {
        let kind = object["__typename"].as_str().unwrap_or_default();
        match (kind, name) {
            ("Repository", "pullRequests") => self.pull_requests(state, arguments),
            ("Repository", "pullRequest") => {
                let number = arguments["number"].as_u64().unwrap_or_default();
                if state.pull(number).is_some() { self.node(state, number) } else { Value::Null }
            }
            ("Repository", "object") => self.landed(state, arguments["oid"].as_str().unwrap_or_default()),
            ("Repository", "deployments") => {
                limited(deployments(state, &arguments["environments"]), arguments)
            }
            ("PullRequest", "timelineItems")
                if arguments["itemTypes"] == json!(["HEAD_REF_FORCE_PUSHED_EVENT"]) =>
            {
                object["forcePushes"].clone()
            }
            ("PullRequest", "timelineItems") if arguments["itemTypes"] == json!(["LABELED_EVENT"]) => {
                object["labelled"].clone()
            }
            ("PullRequest", "comments") => paged(object[name].clone(), arguments),
            ("PullRequest", "mergeStateStatus") if state.unknown > 0 => {
                state.unknown -= 1;
                json!("UNKNOWN")
            }
            _ => {
                let found = object.get(name).unwrap_or_else(|| panic!("{kind} has no {name}")).clone();
                limited(found, arguments)
            }
        }
    }

    fn pull_requests(&self, state: &mut State, arguments: &Map<String, Value>) -> Value {
        let text = |key: &str| arguments.get(key).and_then(Value::as_str).map(str::to_owned);
        let (states, head, base) = (text("states"), text("headRefName"), text("baseRefName"));
        let mut numbers: Vec<u64> = state
            .pulls
            .iter()
            .filter(|pull| states.as_ref().is_none_or(|wanted| life(pull.life) == wanted.as_str()))
            .filter(|pull| head.as_ref().is_none_or(|head| pull.head == *head))
            .filter(|pull| base.as_ref().is_none_or(|base| pull.base == *base))
            .map(|pull| pull.number)
            .collect();
        if arguments.get("orderBy").is_some_and(|order| order["direction"] == "DESC") {
            numbers.reverse();
        }
        let first = arguments["first"].as_u64().expect("a page has a size");
        assert!(first <= 100, "GitHub gives at most 100");
        let after = text("after").and_then(|cursor| cursor.strip_prefix("after-")?.parse::<u64>().ok());
        if let Some(after) = after {
            let at = numbers.iter().position(|number| *number == after).map_or(0, |at| at + 1);
            numbers.drain(..at);
        }
        let more = numbers.len() as u64 > first;
        numbers.truncate(usize::try_from(first).expect("it is small"));
        let nodes: Vec<Value> = numbers.iter().map(|number| self.node(state, *number)).collect();
        let cursor = numbers.last().map(|last| format!("after-{last}"));
        json!({"__typename": "PullRequestConnection", "nodes": nodes,
            "pageInfo": {"__typename": "PageInfo", "hasNextPage": more, "endCursor": cursor}})
    }

    fn node(&self, state: &State, number: u64) -> Value {
        let pull = state.pulls.iter().find(|pull| pull.number == number).expect("it is there");
        let hindrance = state.hindrance(number);
        let user = |login: &String| json!({"__typename": if login.ends_with("[bot]") { "Bot" } else { "User" }, "login": login});
        let team = |slug: &String| json!({"__typename": "Team", "slug": slug});
        let asked = |people: &[String], teams: &[String]| -> Vec<Value> {
            people.iter().map(user).chain(teams.iter().map(team)).collect()
        };
        let requests: Vec<Value> = asked(&pull.reviewers, &pull.teams)
            .into_iter()
            .map(|who| json!({"__typename": "ReviewRequest", "requestedReviewer": who}))
            .collect();
        let events: Vec<Value> = asked(&pull.asked, &pull.asked_teams)
            .into_iter()
            .map(|who| json!({"__typename": "ReviewRequestedEvent", "requestedReviewer": who}))
            .collect();
        let reviews: Vec<Value> = pull.reviews.iter().map(|(who, _)| json!({"author": user(who)})).collect();
        let opinions: Vec<Value> = pull
            .reviews
            .iter()
            .map(|(who, approved)| {
                let state = if *approved { "APPROVED" } else { "CHANGES_REQUESTED" };
                json!({"__typename": "PullRequestReview", "state": state, "author": user(who)})
            })
            .collect();
        let labels: Vec<Value> = pull.labels.iter().map(|name| json!({"name": name})).collect();
        let comments: Vec<Value> = pull
            .comments
            .iter()
            .map(|said| {
                json!({"__typename": "IssueComment", "fullDatabaseId": said.id.to_string(), "body": said.body,
                    "url": self.comment_page(number, said.id), "author": user(&said.author),
                    "viewerDidAuthor": said.author == state.viewer})
            })
            .collect();
        json!({
            "__typename": "PullRequest", "id": node_id(number), "number": number,
            "url": format!("{}/{}/pull/{number}", self.web(), self.slug()), "state": life(pull.life),
            "title": pull.title, "body": pull.body, "isDraft": pull.draft, "headRefName": pull.head,
            "headRefOid": pull.head_sha, "baseRefName": pull.base, "isCrossRepository": pull.from_fork,
            "mergedAt": pull.merged_at.map(time),
            "autoMergeRequest": pull.auto_merge.map(|_| json!({"enabledAt": time(pull.created_at)})),
            "labels": {"nodes": labels}, "assignees": {"nodes": pull.assignees.iter().map(user).collect::<Vec<_>>()},
            "reviewRequests": {"nodes": requests}, "latestReviews": {"nodes": reviews},
            "latestOpinionatedReviews": {"nodes": opinions},
            "timelineItems": {"nodes": events}, "createdAt": time(pull.created_at),
            "forcePushes": {"nodes": pull.forced.iter().map(|(at, to)| {
                json!({"__typename": "HeadRefForcePushedEvent", "createdAt": time(*at),
                    "afterCommit": {"__typename": "Commit", "oid": to}})
            }).collect::<Vec<_>>()},
            "labelled": {"nodes": labelled(pull)},
            "commits": {"totalCount": state.offered(pull)},
            "comments": {"__typename": "IssueCommentConnection", "totalCount": comments.len(), "nodes": comments},
            "merged": pull.life == Life::Merged, "headRef": Self::head(state, pull),
            "mergeStateStatus": merge_state(state, pull, hindrance.as_ref()),
            "mergeable": if hindrance == Some(Hindrance::Conflict) { "CONFLICTING" } else { "MERGEABLE" },
            "reviewDecision": (hindrance == Some(Hindrance::Review)).then_some("REVIEW_REQUIRED"),
            "isMergeQueueEnabled": state.merge_queue, "isInMergeQueue": false,
            "mergeCommit": pull.merge_commit.as_ref().map(|oid| json!({"oid": oid})),
        })
    }
}

impl GitHubApi {
    /// A commit with what it came in with.
    fn landed(&self, state: &State, oid: &str) -> Value {
        let mut found = commit(state, oid);
        if let Some(object) = found.as_object_mut() {
            let merged = state.merged_with(oid);
            let nodes: Vec<Value> = merged.iter().map(|number| self.node(state, *number)).collect();
            object.insert("associatedPullRequests".to_owned(), json!({"nodes": nodes}));
        }
        found
    }

    /// The branch that a pull request offers, as long as it is there.
    fn head(state: &State, pull: &Pull) -> Value {
        let Some(tip) = state.tip(&pull.head).filter(|_| !pull.from_fork) else { return Value::Null };
        json!({"__typename": "Ref", "target": commit(state, &tip.to_string())})
    }
}

fn merge_state(state: &State, pull: &Pull, hindrance: Option<&Hindrance>) -> &'static str {
    match hindrance {
        None if state.newest_of_all(&pull.head_sha).iter().any(|status| status.state != "success") => {
            "UNSTABLE"
        }
        None => "CLEAN",
        Some(Hindrance::NotOpen) => "UNKNOWN",
        Some(Hindrance::Conflict) => "DIRTY",
        Some(_) => "BLOCKED",
    }
}

/// At most as many nodes as were asked for.
fn limited(mut connection: Value, arguments: &Map<String, Value>) -> Value {
    let number = |key: &str| arguments.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok());
    if let Some(nodes) = connection.get_mut("nodes").and_then(Value::as_array_mut) {
        if let Some(first) = number("first") {
            nodes.truncate(first);
        }
        if let Some(last) = number("last") {
            nodes.drain(..nodes.len().saturating_sub(last));
        }
    }
    connection
}

/// A page of a connection; the cursor is the number of nodes before.
fn paged(mut connection: Value, arguments: &Map<String, Value>) -> Value {
    let before = arguments.get("after").and_then(Value::as_str).and_then(|after| after.parse().ok());
    let nodes = connection["nodes"].as_array_mut().expect("it is a connection");
    let before: usize = before.unwrap_or_default();
    nodes.drain(..before.min(nodes.len()));
    let left = nodes.len();
    let mut page = limited(connection, arguments);
    let shown = page["nodes"].as_array().expect("it is a connection").len();
    page["pageInfo"] = json!({"__typename": "PageInfo", "hasNextPage": left > shown,
        "endCursor": (before + shown).to_string()});
    page
}

fn deployments(state: &State, environments: &Value) -> Value {
    let wanted = |name: &str| environments.as_array().into_iter().flatten().any(|one| one == name);
    let nodes: Vec<Value> = state
        .deployments
        .iter()
        .rev()
        .filter(|one| wanted(&one.environment))
        .map(|one| {
            let status = one.statuses.last().map(|(state, page)| {
                json!({"__typename": "DeploymentStatus", "state": state.to_uppercase(), "logUrl": page})
            });
            json!({"__typename": "Deployment", "task": one.task, "commitOid": one.commit,
                "description": one.description, "latestStatus": status})
        })
        .collect();
    json!({"__typename": "DeploymentConnection", "nodes": nodes})
}

fn commit(state: &State, oid: &str) -> Value {
    if git2::Oid::from_str(oid).ok().is_none_or(|id| state.git().find_commit(id).is_err()) {
        return Value::Null;
    }
    let contexts: Vec<Value> = state
        .newest_of_all(oid)
        .into_iter()
        .map(|status| {
            json!({"__typename": "StatusContext", "context": status.context, "state": status.state.to_uppercase(),
                "description": status.description, "createdAt": time(status.created_at)})
        })
        .collect();
    let runs: Vec<Value> = state
        .checks
        .get(oid)
        .into_iter()
        .flatten()
        .map(|(name, conclusion)| {
            json!({"__typename": "CheckRun", "name": name, "conclusion": conclusion, "startedAt": time(0),
            "status": if conclusion.is_some() { "COMPLETED" } else { "IN_PROGRESS" },
            "completedAt": conclusion.map(|_| time(60))})
        })
        .collect();
    let rollup: Vec<Value> = contexts.iter().cloned().chain(runs).collect();
    let some = |list: &[Value], value: Value| if list.is_empty() { Value::Null } else { value };
    json!({
        "__typename": "Commit", "oid": oid, "status": some(&contexts, json!({"contexts": contexts})),
        "statusCheckRollup": some(&rollup, json!({"contexts": {"nodes": rollup}})),
    })
}

/// The times that labels were put on.
fn labelled(pull: &Pull) -> Vec<Value> {
    let event = |(name, at): &(String, i64)| json!({"__typename": "LabeledEvent", "createdAt": time(*at), "label": {"name": name}});
    pull.labelled.iter().map(event).collect()
}
