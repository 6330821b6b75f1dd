//! Jobs of GitHub Actions: the event, the repository's addresses, the token. Pure.
//!
//! Source: GitHub's documentation of default variables and of events that trigger workflows.

use serde_json::Value;

use super::remote::{host_of, path_of};
use super::{CommentEvent, Event, Job, PullRequestEvent, ReadFile, System, Trigger, commit, need};
use crate::error::Failure;
use crate::forge::github::Place;
use crate::model::{BranchName, CommitId};
use crate::secret::Secret;
use crate::variables::Variables;

/// github.com itself, where no variable says otherwise.
const WEB: &str = "https://github.com";
const API: &str = "https://api.github.com";
const GRAPHQL: &str = "https://api.github.com/graphql";

/// Events that are about no commit of a branch, whatever `GITHUB_SHA` says: it names the default branch's tip then, or
/// that of a pull request's base.
const ABOUT_NO_COMMIT: &[&str] = &[
    "schedule",
    "repository_dispatch",
    "issue_comment",
    "issues",
    "pull_request_target",
    "pull_request_review",
    "status",
    "workflow_run",
    "check_run",
    "check_suite",
];

/// What a job of GitHub Actions is about.
pub(super) fn detect(variables: &Variables, read: ReadFile<'_>) -> Result<Job, Failure> {
    let name = variables.get("GITHUB_EVENT_NAME").unwrap_or("push");
    let event = match name {
        "push" => {
            refuse_deletion(variables, read)?;
            Event::Push
        }
        "workflow_dispatch" => Event::Manual,
        "schedule" => Event::Schedule,
        "repository_dispatch" => {
            let payload = payload(variables, read)?;
            Event::Dispatch(text(&payload, "/action", name)?)
        }
        "pull_request" | "pull_request_target" => {
            Event::PullRequest(pull_request(&payload(variables, read)?, name)?)
        }
        "issue_comment" => Event::Comment(comment(&payload(variables, read)?, name)?),
        other => Event::Other(other.to_owned()),
    };
    let trigger = if ABOUT_NO_COMMIT.contains(&name) {
        None
    } else {
        let full_ref = need(variables, "GITHUB_REF")?.to_owned();
        Some(Trigger { commit: commit(variables, "GITHUB_SHA")?, full_ref })
    };
    Ok(Job { system: System::GitHub, event, trigger })
}

/// The event that GitHub left in a file.
fn payload(variables: &Variables, read: ReadFile<'_>) -> Result<Value, Failure> {
    let path = need(variables, "GITHUB_EVENT_PATH")?;
    let bytes = read(path).map_err(|error| {
        Failure::usage(format!("cannot read the event's file `{path}`: {error}")).hint(
            "`GITHUB_EVENT_PATH` names it; in a container, mount the runner's directories as Actions does",
        )
    })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Failure::usage(format!("the event's file `{path}` is not JSON: {error}")))
}

/// Where a branch was deleted, `GITHUB_SHA` is the default branch's.
fn refuse_deletion(variables: &Variables, read: ReadFile<'_>) -> Result<(), Failure> {
    if variables.get("GITHUB_EVENT_PATH").is_none() {
        return Ok(());
    }
    let payload = payload(variables, read)?;
    if payload["deleted"] != true {
        return Ok(());
    }
    let deleted = payload["ref"].as_str().unwrap_or_default();
    Err(Failure::usage(format!(
        "this job runs because `{deleted}` was deleted, and there is nothing to hydrate"
    ))
    .hint("start the job for pushes to the DRY branch only"))
}

fn pull_request(payload: &Value, event: &str) -> Result<PullRequestEvent, Failure> {
    let wrong = |key: &str| Failure::usage(format!("the event `{event}` has no usable `{key}`"));
    let branch = |key: &str| {
        let name = text(payload, key, event)?;
        BranchName::new(name).map_err(|_| wrong(key))
    };
    let id = |key: &str| payload.pointer(key).and_then(Value::as_u64);
    let head_sha = text(payload, "/pull_request/head/sha", event)?;
    // The fork itself may be gone.
    let same =
        id("/pull_request/head/repo/id").is_some_and(|head| Some(head) == id("/pull_request/base/repo/id"));
    Ok(PullRequestEvent {
        action: text(payload, "/action", event)?,
        number: id("/pull_request/number").ok_or_else(|| wrong("/pull_request/number"))?,
        merged: payload.pointer("/pull_request/merged") == Some(&Value::Bool(true)),
        head: branch("/pull_request/head/ref")?,
        head_sha: CommitId::parse(&head_sha).ok_or_else(|| wrong("/pull_request/head/sha"))?,
        base: branch("/pull_request/base/ref")?,
        from_fork: !same,
    })
}

fn comment(payload: &Value, event: &str) -> Result<CommentEvent, Failure> {
    let id = |key: &str| {
        let found = payload.pointer(key).and_then(Value::as_u64);
        found.ok_or_else(|| Failure::usage(format!("the event `{event}` has no usable `{key}`")))
    };
    let at = text(payload, "/comment/created_at", event)?
        .parse()
        .map_err(|_| Failure::usage(format!("the event `{event}` has no usable `/comment/created_at`")))?;
    Ok(CommentEvent {
        action: text(payload, "/action", event)?,
        number: id("/issue/number")?,
        on_pull_request: payload.pointer("/issue/pull_request").is_some_and(Value::is_object),
        id: id("/comment/id")?,
        body: text(payload, "/comment/body", event)?,
        written: Some((text(payload, "/comment/user/login", event)?, at)),
    })
}

fn text(payload: &Value, key: &str, event: &str) -> Result<String, Failure> {
    let found = payload.pointer(key).and_then(Value::as_str).map(str::to_owned);
    found.ok_or_else(|| Failure::usage(format!("the event `{event}` has no usable `{key}`")))
}

/// Whether a remote is on GitHub: on github.com, or on the server that a job's variables name.
pub fn is_at_home(variables: &Variables, remote: &str) -> bool {
    host_of(remote).is_some_and(|host| {
        let server = variables.get("GITHUB_SERVER_URL").and_then(host_of);
        host == server.as_deref().unwrap_or("github.com")
    })
}

/// The token for the API and for pushes: `HYDRATOR_TOKEN`, else a job's `GITHUB_TOKEN`, which is for GitHub only.
pub fn token(variables: &Variables, remote: &str) -> Option<Secret> {
    let own = variables.get("HYDRATOR_TOKEN");
    let jobs = variables.get("GITHUB_TOKEN").filter(|_| is_at_home(variables, remote));
    own.or(jobs).map(Secret::new)
}

/// Where the repository is: by a job's variables, else by a remote on github.com.
pub fn place(variables: &Variables, remote: &str) -> Result<Place, Failure> {
    let is_job = variables.get("GITHUB_ACTIONS") == Some("true");
    let named = ["GITHUB_API_URL", "GITHUB_GRAPHQL_URL", "GITHUB_SERVER_URL"];
    let known = named.iter().filter(|name| variables.get(name).is_some()).count();
    let on_github_com = known == 0 && !is_job && host_of(remote).as_deref() == Some("github.com");
    let url = |name: &'static str, public: &'static str| {
        let found = variables.get(name).or(on_github_com.then_some(public));
        found.map(|url| url.trim_end_matches('/').to_owned()).ok_or_else(|| missing(name))
    };
    let (api, graphql, web) = (url(named[0], API)?, url(named[1], GRAPHQL)?, url(named[2], WEB)?);
    let slug = variables.get("GITHUB_REPOSITORY").map(str::to_owned).or_else(|| path_of(remote));
    let (owner, name) = slug
        .as_deref()
        .and_then(|slug| slug.split_once('/'))
        .filter(|(owner, name)| !owner.is_empty() && !name.is_empty() && !name.contains('/'))
        .ok_or_else(|| missing("GITHUB_REPOSITORY"))?;
    let run = variables.get("GITHUB_RUN_ID").filter(|run| run.bytes().all(|byte| byte.is_ascii_digit()));
    let job_url = run.map(|run| format!("{web}/{owner}/{name}/actions/runs/{run}"));
    Ok(Place { api, graphql, owner: owner.to_owned(), name: name.to_owned(), job_url, web })
}

fn missing(name: &str) -> Failure {
    let holds = match name {
        "GITHUB_API_URL" => "the REST API's address, such as `https://HOST/api/v3`",
        "GITHUB_GRAPHQL_URL" => "GraphQL's address, such as `https://HOST/api/graphql`",
        "GITHUB_SERVER_URL" => "the server's address, such as `https://HOST`",
        _ => "the repository as `owner/name`",
    };
    Failure::usage(format!(
        "the variable `{name}` is missing or makes no sense, and it says where GitHub's repository is"
    ))
    .hint(format!("set it to {holds}; Actions sets it by itself, and a remote on github.com needs none"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        Variables::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn detected(event: &str, payload: &Value) -> Result<Job, Failure> {
        let variables = variables(&[
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_EVENT_PATH", "/event.json"),
            ("GITHUB_REF", "refs/heads/main"),
            ("GITHUB_SHA", SHA),
        ]);
        detect(&variables, &|path| {
            assert_eq!(path, "/event.json");
            Ok(payload.to_string().into_bytes())
        })
    }

    #[test]
    fn every_event_says_what_it_is_about() {
        let nothing = json!({});
        for (event, wanted, about) in [
            ("push", Event::Push, true),
            ("workflow_dispatch", Event::Manual, true),
            ("schedule", Event::Schedule, false),
            ("workflow_run", Event::Other("workflow_run".to_owned()), false),
        ] {
            let job = detected(event, &nothing).unwrap();
            assert_eq!((job.event, job.trigger.is_some()), (wanted, about), "{event}");
        }
        let job = detected("repository_dispatch", &json!({"action": "promote"})).unwrap();
        assert_eq!((job.event, job.trigger), (Event::Dispatch("promote".to_owned()), None));
    }

    #[test]
    fn pull_requests_and_comments_are_read() {
        let payload = json!({"action": "closed", "pull_request": {
            "number": 7, "merged": true,
            "head": {"ref": "hydrator/dev-next", "sha": SHA, "repo": {"id": 1}},
            "base": {"ref": "hydrator/dev", "repo": {"id": 1}},
        }});
        let job = detected("pull_request_target", &payload).unwrap();
        let Event::PullRequest(found) = job.event else { panic!("{job:?}") };
        assert!(found.merged && !found.from_fork && found.number == 7 && found.action == "closed");
        assert_eq!((found.head.as_str(), found.base.as_str()), ("hydrator/dev-next", "hydrator/dev"));
        assert_eq!(job.trigger, None);
        let mut gone = payload;
        gone["pull_request"]["head"]["repo"] = Value::Null;
        let Event::PullRequest(found) = detected("pull_request", &gone).unwrap().event else { panic!() };
        assert!(found.from_fork);
        let payload = json!({"action": "created", "issue": {"number": 7, "pull_request": {}},
            "comment": {"id": 9, "body": "/rollback", "user": {"login": "alice"}, "created_at": "2026-01-01T10:00:00Z"}});
        let Event::Comment(found) = detected("issue_comment", &payload).unwrap().event else { panic!() };
        assert!(found.on_pull_request && found.id == 9 && found.body == "/rollback");
        assert_eq!(found.written, Some(("alice".to_owned(), "2026-01-01T10:00:00Z".parse().unwrap())));
    }

    #[test]
    fn what_is_missing_is_named() {
        let failure = detected("pull_request", &json!({"action": "closed"})).unwrap_err();
        assert!(failure.message.contains("/pull_request/head/sha"), "{failure}");
        let failure = detected("push", &json!({"deleted": true, "ref": "refs/heads/x"})).unwrap_err();
        assert!(failure.message.contains("`refs/heads/x` was deleted"), "{failure}");
        let job = variables(&[("GITHUB_ACTIONS", "true"), ("GITHUB_API_URL", "https://g/api/v3")]);
        let failure = place(&job, "https://github.com/o/n.git").unwrap_err();
        assert!(failure.message.contains("GITHUB_GRAPHQL_URL"), "{failure}");
    }

    #[test]
    fn a_remote_on_github_com_needs_no_variables() {
        for remote in
            ["https://github.com/o/n.x.git", "git@github.com:o/n.x.git", "ssh://git@github.com:22/o/n.x"]
        {
            let place = place(&variables(&[]), remote).unwrap();
            assert_eq!((place.owner.as_str(), place.name.as_str()), ("o", "n.x"), "{remote}");
            assert_eq!((place.api.as_str(), place.web.as_str()), (API, WEB));
        }
        assert!(place(&variables(&[]), "https://example.com/o/n.git").is_err());
        assert!(place(&variables(&[]), "/srv/github.com/o/n.git").is_err());
    }

    #[test]
    fn addresses_come_from_the_variables_as_they_are() {
        let all = variables(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", "https://ghe.example.com/base/api/v3/"),
            ("GITHUB_GRAPHQL_URL", "https://ghe.example.com/base/api/graphql"),
            ("GITHUB_SERVER_URL", "https://ghe.example.com/base"),
            ("GITHUB_REPOSITORY", "o/n"),
            ("GITHUB_RUN_ID", "12"),
        ]);
        let place = place(&all, "https://ghe.example.com/base/other/name.git").unwrap();
        assert_eq!(place.api, "https://ghe.example.com/base/api/v3");
        assert_eq!(place.job_url.as_deref(), Some("https://ghe.example.com/base/o/n/actions/runs/12"));
        assert_eq!((place.owner.as_str(), place.name.as_str()), ("o", "n"));
    }

    #[test]
    fn a_jobs_own_token_goes_to_github_only() {
        let job = variables(&[("GITHUB_TOKEN", "job")]);
        assert!(token(&job, "https://github.com/o/n").is_some());
        assert!(token(&job, "https://example.com/o/n").is_none());
        assert!(token(&job, "file:///srv/n").is_none());
        let own = variables(&[("GITHUB_TOKEN", "job"), ("HYDRATOR_TOKEN", "own")]);
        assert_eq!(token(&own, "https://example.com/o/n").unwrap().reveal(), "own");
        let ghes = variables(&[("GITHUB_TOKEN", "job"), ("GITHUB_SERVER_URL", "https://g.e:8443")]);
        assert!(token(&ghes, "https://g.e:8443/o/n").is_some());
        assert!(token(&ghes, "https://github.com/o/n").is_none());
    }
}
