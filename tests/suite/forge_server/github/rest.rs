//! GitHub's REST API: which call does what to the state, and what it answers.

use serde_json::{Value, json};

use super::GitHubApi;
use super::shapes::{time, word};
use crate::forge_server::state::{Deployed, Hindrance, Life, Method, Refusal, State, Status};
use crate::forge_server::{Call, decoded};

type Answer = (u16, Value);

fn message(status: u16, text: &str) -> Answer {
    (
        status,
        json!({"message": text, "documentation_url": "https://docs.github.com/rest", "status": status.to_string()}),
    )
}

fn invalid(errors: &Value) -> Answer {
    (
        422,
        json!({"message": "Validation Failed", "errors": errors, "documentation_url": "https://docs.github.com/rest"}),
    )
}

fn custom(text: &str) -> Answer {
    invalid(&json!([{"resource": "PullRequest", "code": "custom", "message": text}]))
}

fn not_found() -> Answer {
    message(404, "Not Found")
}

fn names(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned)).collect()
}

fn add(into: &mut Vec<String>, names: &[String]) {
    for name in names {
        if !into.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            into.push(name.clone());
        }
    }
}

impl GitHubApi {
    pub(super) fn rest(&self, state: &mut State, call: &Call, query: &str) -> Answer {
        let parts: Vec<String> = call.path.split('/').skip(1).map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let ["repos", owner, name, rest @ ..] = parts.as_slice() else { return not_found() };
        if *owner != self.owner || *name != self.name {
            return not_found();
        }
        let number = || rest.get(1).and_then(|number| number.parse().ok()).unwrap_or(0);
        match (call.method.as_str(), rest) {
            ("GET", []) => (200, self.repository()),
            ("GET", ["pulls"]) => self.list(state, query),
            ("POST", ["pulls"]) => self.create(state, &call.body),
            ("GET", ["pulls", _]) => self.show(state, number()),
            ("PATCH", ["pulls", _]) => self.change(state, number(), &call.body),
            ("PUT", ["pulls", _, "merge"]) => Self::merge(state, number(), &call.body),
            ("POST", ["pulls", _, "requested_reviewers"]) => self.ask_people(state, number(), &call.body),
            ("POST", ["issues", _, "labels"]) => self.add_labels(state, number(), &call.body),
            ("POST", ["issues", _, "assignees"]) => self.assign(state, number(), &call.body),
            ("POST", ["issues", _, "comments"]) => self.say(state, number(), &call.body),
            ("GET", ["issues", _, "comments"]) => self.comments(state, number()),
            ("GET", ["issues", "comments", id]) => self.one_comment(state, id),
            ("PATCH", ["issues", "comments", id]) => {
                self.change_comment(state, id.parse().unwrap_or(0), Some(&call.body))
            }
            ("DELETE", ["issues", "comments", id]) => {
                self.change_comment(state, id.parse().unwrap_or(0), None)
            }
            ("POST", ["issues", "comments", id, "reactions"]) => {
                self.react(state, id.parse().unwrap_or(0), &call.body)
            }
            ("DELETE", ["issues", _, "labels", label]) => self.remove_label(state, number(), label),
            ("GET", ["collaborators", login, "permission"]) => self.permission(state, login),
            ("GET", ["deployments"]) => self.deployments(state, query),
            ("POST", ["deployments"]) => self.deploy(state, &call.body),
            ("POST", ["deployments", _, "statuses"]) => self.set_deployed(state, number(), &call.body),
            ("POST", ["statuses", sha]) => self.set_status(state, sha, &call.body),
            ("GET", ["commits", sha, "statuses"]) => self.statuses(state, sha),
            ("GET", ["rules", "branches", branch]) => rules(state, branch),
            ("GET", ["rulesets", id]) => ruleset(state, id),
            ("GET", ["actions", "permissions", "workflow"]) => match state.jobs_may_open {
                Some(may) => (
                    200,
                    json!({"default_workflow_permissions": "read", "can_approve_pull_request_reviews": may}),
                ),
                None => message(403, "Resource not accessible by integration"),
            },
            ("GET", ["branches", branch]) => match state.tip(branch) {
                Some(tip) => (200, self.branch(state, branch, &tip.to_string())),
                None => message(404, "Branch not found"),
            },
            _ => not_found(),
        }
    }

    fn list(&self, state: &State, query: &str) -> Answer {
        let wanted = |key: &str| {
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{key}=")));
            pair.map(decoded)
        };
        let life = wanted("state").unwrap_or_else(|| "open".to_owned());
        let head =
            wanted("head").and_then(|head| head.strip_prefix(&format!("{}:", self.owner)).map(str::to_owned));
        let base = wanted("base");
        let shown = state.pulls.iter().rev().filter(|pull| {
            (life == "all" || (life == "open") == pull.is_open())
                && head.as_ref().is_none_or(|head| pull.head == *head)
                && base.as_ref().is_none_or(|base| pull.base == *base)
        });
        (200, shown.map(|pull| self.simple_pull(pull)).collect())
    }

    fn show(&self, state: &State, number: u64) -> Answer {
        let found = state.pulls.iter().find(|pull| pull.number == number);
        found.map_or_else(not_found, |pull| (200, self.pull(state, pull)))
    }

    fn create(&self, state: &mut State, body: &Value) -> Answer {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let (title, body_text, head, base) = (text("title"), text("body"), text("head"), text("base"));
        if body["draft"] == true && !state.drafts_supported {
            return message(422, "Draft pull requests are not supported in this repository.");
        }
        if body_text.chars().count() > 65_536 {
            return custom("body is too long (maximum is 65536 characters)");
        }
        if title.chars().count() > 256 {
            return custom("title is too long (maximum is 256 characters)");
        }
        let field =
            |field: &str| invalid(&json!([{"resource": "PullRequest", "field": field, "code": "invalid"}]));
        match state.open(&head, &base, title.trim(), &body_text) {
            Ok(number) => {
                let pull = state.pull(number).expect("it was made");
                pull.draft = body["draft"] == true;
                (201, self.show(state, number).1)
            }
            Err(Refusal::NoHead) => field("head"),
            Err(Refusal::NoBase) => field("base"),
            Err(Refusal::Exists(_)) => {
                custom(&format!("A pull request already exists for {}:{head}.", self.owner))
            }
            Err(Refusal::NothingBetween) => custom(&format!("No commits between {base} and {head}")),
            Err(Refusal::Unrelated) => {
                custom(&format!("The {head} branch has no history in common with {base}"))
            }
        }
    }

    fn change(&self, state: &mut State, number: u64, body: &Value) -> Answer {
        let Some(pull) = state.pull(number) else { return not_found() };
        if let Some(title) = body["title"].as_str() {
            title.clone_into(&mut pull.title);
        }
        if let Some(text) = body["body"].as_str() {
            text.clone_into(&mut pull.body);
        }
        if body["state"] == "closed" {
            state.close(number);
        }
        self.show(state, number)
    }

    fn merge(state: &mut State, number: u64, body: &Value) -> Answer {
        let Some(pull) = state.pull(number).cloned() else { return not_found() };
        if pull.is_open() && body["sha"].as_str().is_some_and(|sha| sha != pull.head_sha) {
            return message(409, "Head branch was modified. Review and try the merge again.");
        }
        let method = body["merge_method"].as_str().and_then(Method::parse).unwrap_or(Method::Merge);
        match state.hindrance(number) {
            None => {}
            Some(Hindrance::NotOpen | Hindrance::Conflict) => {
                return message(405, "Pull Request is not mergeable");
            }
            Some(Hindrance::Draft) => return message(405, "Pull Request is still a draft"),
            Some(Hindrance::Status(context)) => {
                return message(405, &format!("Required status check \"{context}\" is expected."));
            }
            Some(Hindrance::Review) => {
                return message(
                    405,
                    "At least 1 approving review is required by reviewers with write access.",
                );
            }
            Some(Hindrance::Queue) => return message(405, "Changes must be made through the merge queue"),
        }
        let sha = state.merge(number, method).expect("nothing hinders it");
        (200, json!({"sha": sha, "merged": true, "message": "Pull Request successfully merged"}))
    }

    fn ask_people(&self, state: &mut State, number: u64, body: &Value) -> Answer {
        let (people, teams) = (names(&body["reviewers"]), names(&body["team_reviewers"]));
        if let Some(stranger) = people.iter().find(|name| !state.people.contains(&name.to_lowercase())) {
            return message(
                422,
                &format!(
                    "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the {} repository. ({stranger})",
                    self.slug()
                ),
            );
        }
        if teams.iter().any(|slug| !state.teams.contains(slug)) {
            return message(422, "Could not resolve to a node with the global id of 'T_1'.");
        }
        let Some(pull) = state.pull(number) else { return not_found() };
        if people.contains(&pull.author) {
            return message(422, "Review cannot be requested from pull request author.");
        }
        add(&mut pull.reviewers, &people);
        add(&mut pull.asked, &people);
        add(&mut pull.teams, &teams);
        add(&mut pull.asked_teams, &teams);
        (201, self.simple_pull(pull))
    }

    fn add_labels(&self, state: &mut State, number: u64, body: &Value) -> Answer {
        let Some(pull) = state.pull(number) else { return not_found() };
        add(&mut pull.labels, &names(&body["labels"]));
        (200, pull.labels.iter().map(|name| self.label(name)).collect())
    }

    fn assign(&self, state: &mut State, number: u64, body: &Value) -> Answer {
        let wanted: Vec<String> = names(&body["assignees"])
            .into_iter()
            .filter(|name| state.people.contains(&name.to_lowercase()))
            .collect();
        let Some(pull) = state.pull(number) else { return not_found() };
        add(&mut pull.assignees, &wanted);
        pull.assignees.truncate(10);
        (201, self.issue(pull))
    }

    fn say(&self, state: &mut State, number: u64, body: &Value) -> Answer {
        let author = state.viewer.clone();
        let text = body["body"].as_str().unwrap_or_default();
        if text.chars().count() > 65_536 {
            return custom("body is too long (maximum is 65536 characters)");
        }
        match state.say(number, &author, text).and_then(|id| state.comment(id)) {
            Some(said) => (201, self.comment(number, said)),
            None => not_found(),
        }
    }

    fn comments(&self, state: &mut State, number: u64) -> Answer {
        let Some(pull) = state.pull(number) else { return not_found() };
        (200, pull.comments.iter().map(|said| self.comment(number, said)).collect())
    }

    fn one_comment(&self, state: &State, id: &str) -> Answer {
        let all = state.pulls.iter().flat_map(|pull| pull.comments.iter().map(|said| (pull.number, said)));
        let found = all.into_iter().find(|(_, said)| said.id.to_string() == id);
        found.map_or_else(not_found, |(number, said)| (200, self.comment(number, said)))
    }

    /// A comment is changed or deleted by its own account only.
    fn change_comment(&self, state: &mut State, id: u64, body: Option<&Value>) -> Answer {
        let viewer = state.viewer.clone();
        let number = state.pulls.iter().find(|pull| pull.comments.iter().any(|said| said.id == id));
        let Some(number) = number.map(|pull| pull.number) else { return not_found() };
        let Some(said) = state.comment(id) else { return not_found() };
        if said.author != viewer {
            return message(403, "Resource not accessible by integration");
        }
        let Some(body) = body else {
            state.pull(number).expect("it was found").comments.retain(|said| said.id != id);
            return (204, Value::Null);
        };
        body["body"].as_str().unwrap_or_default().clone_into(&mut said.body);
        (200, self.comment(number, said))
    }

    fn react(&self, state: &mut State, id: u64, body: &Value) -> Answer {
        let viewer = state.viewer.clone();
        let at = time(state.now());
        let Some(said) = state.comment(id) else { return not_found() };
        let reaction = (viewer.clone(), body["content"].as_str().unwrap_or_default().to_owned());
        let is_new = !said.reactions.contains(&reaction);
        let shown = json!({"id": 1, "node_id": "R_1", "user": self.user(&viewer), "content": reaction.1,
            "created_at": at});
        said.reactions.extend(is_new.then_some(reaction));
        (if is_new { 201 } else { 200 }, shown)
    }

    fn permission(&self, state: &State, login: &str) -> Answer {
        match state.permission(login) {
            Some(word) => {
                (200, json!({"permission": word, "role_name": word, "user": self.collaborator(login)}))
            }
            None => message(404, &format!("{login} is not a user")),
        }
    }

    fn remove_label(&self, state: &mut State, number: u64, label: &str) -> Answer {
        let Some(pull) = state.pull(number) else { return not_found() };
        let before = pull.labels.len();
        pull.labels.retain(|own| !own.eq_ignore_ascii_case(label));
        if pull.labels.len() == before {
            return message(404, "Label does not exist");
        }
        (200, pull.labels.iter().map(|name| self.label(name)).collect())
    }

    fn deploy(&self, state: &mut State, body: &Value) -> Answer {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let wanted = text("ref");
        if git2::Oid::from_str(&wanted).ok().is_none_or(|id| state.git().find_commit(id).is_err()) {
            return message(422, &format!("No ref found for: {wanted}"));
        }
        let deployed = Deployed {
            id: 2_900_000_000 + state.deployments.len() as u64,
            environment: text("environment"),
            commit: wanted,
            task: text("task"),
            description: text("description"),
            statuses: Vec::new(),
            created_at: state.now(),
        };
        state.deployments.push(deployed.clone());
        (201, self.deployment(&deployed))
    }

    fn deployments(&self, state: &State, query: &str) -> Answer {
        let wanted = |key: &str| {
            let pair = query.split('&').find_map(|pair| pair.strip_prefix(&format!("{key}=")));
            pair.map(decoded)
        };
        let (sha, task, environment) = (wanted("sha"), wanted("task"), wanted("environment"));
        let shown = state.deployments.iter().rev().filter(|one| {
            sha.as_ref().is_none_or(|sha| one.commit == *sha)
                && task.as_ref().is_none_or(|task| one.task == *task)
                && environment.as_ref().is_none_or(|environment| one.environment == *environment)
        });
        (200, shown.map(|one| self.deployment(one)).collect())
    }

    fn set_deployed(&self, state: &mut State, id: u64, body: &Value) -> Answer {
        let Some(deployed) = state.deployments.iter_mut().find(|one| one.id == id) else {
            return not_found();
        };
        let status = (
            body["state"].as_str().unwrap_or_default().to_owned(),
            body["log_url"].as_str().map(str::to_owned),
        );
        deployed.statuses.push(status);
        (201, self.deployment_status(deployed))
    }

    fn set_status(&self, state: &mut State, sha: &str, body: &Value) -> Answer {
        if git2::Oid::from_str(sha).ok().is_none_or(|id| state.git().find_commit(id).is_err()) {
            return message(422, &format!("No commit found for SHA: {sha}"));
        }
        let text = |key: &str| body[key].as_str().map(str::to_owned);
        let description = text("description").unwrap_or_default();
        if description.chars().count() > 140 {
            return invalid(&json!([{"resource": "Status", "field": "description", "code": "custom",
                "message": "description is too long (maximum is 140 characters)"}]));
        }
        let status = Status {
            context: text("context").unwrap_or_else(|| "default".to_owned()),
            state: text("state").unwrap_or_default(),
            description,
            target_url: text("target_url"),
            branch: None,
            pipeline: None,
            created_at: state.now(),
        };
        let all = state.statuses.entry(sha.to_owned()).or_default();
        if all.iter().filter(|one| one.context == status.context).count() >= 1000 {
            return custom("This SHA and context has reached the maximum number of statuses.");
        }
        all.push(status.clone());
        (201, self.status(sha, &status))
    }

    fn statuses(&self, state: &State, sha: &str) -> Answer {
        let all = state.statuses.get(sha).into_iter().flatten().rev();
        (200, all.map(|status| self.status(sha, status)).collect())
    }
}

/// The rules of rulesets, which are there before the branch is.
fn rules(state: &State, branch: &str) -> Answer {
    let mut rules = state.rules.clone();
    let here = state.rules_for.iter().filter(|(start, _)| branch.starts_with(start));
    rules.extend(here.map(|(_, rule)| rule.clone()));
    let source = |rule: &str, parameters: Value| {
        json!({"type": rule, "ruleset_source_type": "Repository", "ruleset_source": "acme/shop", "ruleset_id": 1,
            "parameters": parameters})
    };
    if !state.required_statuses.is_empty() {
        let checks: Vec<Value> =
            state.required_statuses.iter().map(|context| json!({"context": context})).collect();
        let parameters =
            json!({"required_status_checks": checks, "strict_required_status_checks_policy": true});
        rules.push(source("required_status_checks", parameters));
    }
    if state.merge_queue {
        let parameters = json!({"check_response_timeout_minutes": 60, "grouping_strategy": "ALLGREEN",
            "max_entries_to_build": 5, "max_entries_to_merge": 5, "merge_method": word(Method::Merge).to_uppercase(),
            "min_entries_to_merge": 1, "min_entries_to_merge_wait_minutes": 5});
        rules.push(source("merge_queue", parameters));
    }
    (200, Value::Array(rules))
}

fn ruleset(state: &State, id: &str) -> Answer {
    let Ok(id) = id.parse::<u64>() else { return not_found() };
    let bypass = if state.bypassed.contains(&id) { "always" } else { "never" };
    (
        200,
        json!({"id": id, "name": format!("ruleset {id}"), "source": "acme/shop", "source_type": "Repository",
            "target": "branch", "enforcement": "active", "current_user_can_bypass": bypass}),
    )
}

/// The life of a pull request as GraphQL writes it.
pub(super) const fn life(life: Life) -> &'static str {
    match life {
        Life::Open => "OPEN",
        Life::Closed => "CLOSED",
        Life::Merged => "MERGED",
    }
}
