//! Jobs of GitLab CI: the event, the project's addresses, the token. Pure.
//!
//! Source: GitLab's documentation of predefined variables, of pipeline sources, of triggers with the payload of a webhook,
//! of note events and of the job token.

use serde_json::Value;

use super::remote::{host_of, path_of};
use super::{CommentEvent, Event, Job, PullRequestEvent, ReadFile, System, Trigger, commit, need};
use crate::error::Failure;
use crate::forge::gitlab::{JobPipeline, Place, TokenKind};
use crate::model::{BranchName, CommitId};
use crate::secret::{Secret, without_userinfo};
use crate::variables::Variables;

/// gitlab.com itself, where no variable says otherwise.
const WEB: &str = "https://gitlab.com";
const API: &str = "https://gitlab.com/api/v4";
const GRAPHQL: &str = "https://gitlab.com/api/graphql";

/// What a job of GitLab CI is about.
pub(super) fn detect(variables: &Variables, read: ReadFile<'_>) -> Result<Job, Failure> {
    let event = match variables.get("CI_PIPELINE_SOURCE").unwrap_or("push") {
        "push" => Event::Push,
        "web" | "webide" => Event::Manual,
        "schedule" => Event::Schedule,
        "trigger" => triggered(variables, read)?,
        // Other programs, or other pipelines, ask for a pipeline of a branch.
        source @ ("api" | "pipeline" | "parent_pipeline" | "chat") => Event::Dispatch(source.to_owned()),
        "merge_request_event" => Event::PullRequest(merge_request(variables)?),
        other => Event::Other(other.to_owned()),
    };
    let trigger = match event {
        Event::Schedule | Event::Comment(_) => None,
        _ => Some(Trigger { commit: commit(variables, "CI_COMMIT_SHA")?, full_ref: full_ref(variables)? }),
    };
    Ok(Job { system: System::GitLab, event, trigger })
}

/// Whoever has a trigger's token, such as a webhook for comments, which sends its event along.
fn triggered(variables: &Variables, read: ReadFile<'_>) -> Result<Event, Failure> {
    let Some(path) = variables.get("TRIGGER_PAYLOAD") else {
        return Ok(Event::Dispatch("trigger".to_owned()));
    };
    // Only comments are read from it: without it everything else works as well.
    let payload = read(path).ok().and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let Some(payload) = payload else {
        return Ok(Event::Other("a trigger with a payload that cannot be read".to_owned()));
    };
    if payload["object_kind"] != "note" {
        return Ok(Event::Dispatch("trigger".to_owned()));
    }
    let project = payload["project_id"].as_u64().or_else(|| payload["project"]["id"].as_u64());
    if project.map(|id| id.to_string()).as_deref() != Some(need(variables, "CI_PROJECT_ID")?) {
        return Ok(Event::Other("a comment in another project".to_owned()));
    }
    note(&payload).map(Event::Comment)
}

/// A comment, of which nothing but the place is believed: whoever has the trigger's token can send anything.
fn note(payload: &Value) -> Result<CommentEvent, Failure> {
    let note = &payload["object_attributes"];
    let on_pull_request = note["noteable_type"] == "MergeRequest" && note["system"] != true;
    let wrong = |key: &str| Failure::usage(format!("the event `note` has no usable `{key}`"));
    // Servers of before 16.11 tell of new notes only, and do not say so.
    let action = match note["action"].as_str().unwrap_or("create") {
        "create" => "created",
        other => other,
    };
    let number = payload["merge_request"]["iid"].as_u64();
    Ok(CommentEvent {
        action: action.to_owned(),
        number: number.or((!on_pull_request).then_some(0)).ok_or_else(|| wrong("/merge_request/iid"))?,
        on_pull_request,
        id: note["id"].as_u64().ok_or_else(|| wrong("/object_attributes/id"))?,
        body: note["note"].as_str().ok_or_else(|| wrong("/object_attributes/note"))?.to_owned(),
        written: None,
    })
}

/// The checkout has no branch, so the variables tell: each kind of pipeline has its own.
fn full_ref(variables: &Variables) -> Result<String, Failure> {
    let named = |name: &str, start: &str| variables.get(name).map(|value| format!("{start}{value}"));
    let found = named("CI_COMMIT_BRANCH", "refs/heads/")
        .or_else(|| named("CI_COMMIT_TAG", "refs/tags/"))
        .or_else(|| named("CI_MERGE_REQUEST_REF_PATH", ""));
    match found {
        Some(found) => Ok(found),
        None => need(variables, "CI_COMMIT_REF_NAME").map(|name| format!("refs/{name}")),
    }
}

fn merge_request(variables: &Variables) -> Result<PullRequestEvent, Failure> {
    let wrong =
        |name: &str| Failure::usage(format!("the variable `{name}` makes no sense in a merge request's job"));
    let branch = |name: &str| BranchName::new(need(variables, name)?).map_err(|_| wrong(name));
    let iid = "CI_MERGE_REQUEST_IID";
    // Only pipelines of a merged result name the head: elsewhere the job's commit is it.
    let head_sha = match variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") {
        Some(head) => CommitId::parse(head).ok_or_else(|| wrong("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"))?,
        None => commit(variables, "CI_COMMIT_SHA")?,
    };
    let source = variables.get("CI_MERGE_REQUEST_SOURCE_PROJECT_ID");
    Ok(PullRequestEvent {
        action: "updated".to_owned(),
        number: need(variables, iid)?.parse().map_err(|_| wrong(iid))?,
        merged: false,
        head: branch("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME")?,
        head_sha,
        base: branch("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")?,
        // The fork itself may be gone.
        from_fork: source.is_none() || source != variables.get("CI_MERGE_REQUEST_PROJECT_ID"),
    })
}

/// Whether a remote is on GitLab: on gitlab.com, or on the server that a job's variables name.
pub fn is_at_home(variables: &Variables, remote: &str) -> bool {
    host_of(remote).is_some_and(|host| {
        let server = variables.get("CI_SERVER_URL").and_then(host_of);
        // Git over SSH has a port of its own.
        let is_ssh = !without_userinfo(remote).starts_with("http");
        let name = server.as_deref().map(|server| server.split(':').next().unwrap_or(server));
        host == server.as_deref().unwrap_or("gitlab.com") || (is_ssh && Some(host.as_str()) == name)
    })
}

/// The token for the API and for pushes: `HYDRATOR_TOKEN`, else a job's own `CI_JOB_TOKEN`, which is for its GitLab only
/// and can do little.
pub fn token(variables: &Variables, remote: &str) -> Option<(Secret, TokenKind)> {
    let of_job = variables.get("CI_JOB_TOKEN");
    // A job's own token under the other name can do no more, and wants its own header.
    let own = variables.get("HYDRATOR_TOKEN").filter(|token| Some(*token) != of_job);
    own.map(|token| (Secret::new(token), TokenKind::Access)).or_else(|| {
        let of_job = of_job.filter(|_| is_at_home(variables, remote));
        of_job.map(|token| (Secret::new(token), TokenKind::Job))
    })
}

/// The user name that goes with a token.
pub const fn user(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Access => "oauth2",
        TokenKind::Job => "gitlab-ci-token",
    }
}

/// Where the project is: by a job's variables, else by a remote on gitlab.com. A remote of another project on the same
/// server is that project.
pub fn place(variables: &Variables, remote: &str) -> Result<Place, Failure> {
    let is_job = variables.get("GITLAB_CI") == Some("true");
    let known = ["CI_API_V4_URL", "CI_SERVER_URL"].iter().any(|name| variables.get(name).is_some());
    let on_gitlab_com = !known && !is_job && host_of(remote).as_deref() == Some("gitlab.com");
    let url = |name: &str, public: &'static str| {
        let found = variables.get(name).or(on_gitlab_com.then_some(public));
        found.map(|url| url.trim_end_matches('/').to_owned())
    };
    let api = url("CI_API_V4_URL", API).ok_or_else(|| missing("CI_API_V4_URL"))?;
    let server = url("CI_SERVER_URL", WEB);
    let jobs_path = variables.get("CI_PROJECT_PATH").map(str::to_owned);
    let remotes_path = is_at_home(variables, remote).then(|| path_below(remote, server.as_deref())).flatten();
    let is_same =
        |path: &String| jobs_path.as_ref().is_some_and(|jobs| jobs.to_lowercase() == path.to_lowercase());
    let another = remotes_path.filter(|path| !is_same(path));
    let project = match &another {
        Some(path) => Some(path.clone()),
        None => variables.get("CI_PROJECT_ID").map(str::to_owned).or_else(|| jobs_path.clone()),
    };
    let project = project.ok_or_else(|| missing("CI_PROJECT_PATH"))?;
    let web = match (&another, &jobs_path, server) {
        (None, ..) if variables.get("CI_PROJECT_URL").is_some() => url("CI_PROJECT_URL", WEB),
        (Some(path), _, Some(server)) | (None, Some(path), Some(server)) => Some(format!("{server}/{path}")),
        _ => None,
    };
    let is_own = another.is_none();
    Ok(Place {
        api,
        graphql: url("CI_API_GRAPHQL_URL", GRAPHQL),
        web: web.ok_or_else(|| missing("CI_SERVER_URL"))?,
        project,
        path: another.or(jobs_path),
        version: variables.get("CI_SERVER_VERSION").map(str::to_owned),
        job_url: variables.get("CI_JOB_URL").map(str::to_owned),
        pipeline: is_own.then(|| own_pipeline(variables)).flatten(),
    })
}

/// The pipeline that the job belongs to, if it runs for the head of a merge request. One of a merged result runs for
/// another commit.
fn own_pipeline(variables: &Variables) -> Option<JobPipeline> {
    let is_of_head = variables.get("CI_PIPELINE_SOURCE") == Some("merge_request_event")
        && variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA").is_none()
        && variables.get("CI_MERGE_REQUEST_PROJECT_ID") == variables.get("CI_PROJECT_ID");
    let commit = CommitId::parse(variables.get("CI_COMMIT_SHA").filter(|_| is_of_head)?)?;
    let id = variables.get("CI_PIPELINE_ID")?.parse().ok()?;
    Some(JobPipeline { id, full_ref: variables.get("CI_MERGE_REQUEST_REF_PATH")?.to_owned(), commit })
}

/// The project's path in a remote; the server itself may be below a path.
fn path_below(remote: &str, server: Option<&str>) -> Option<String> {
    let path = path_of(&without_userinfo(remote))?;
    let root = server.and_then(path_of).filter(|root| !root.is_empty() && remote.starts_with("http"));
    let below = match root {
        Some(root) => path.strip_prefix(&root)?.strip_prefix('/')?.to_owned(),
        None => path,
    };
    Some(below).filter(|path| path.contains('/'))
}

fn missing(name: &str) -> Failure {
    let holds = match name {
        "CI_API_V4_URL" => "the API's address, such as `https://HOST/api/v4`",
        "CI_SERVER_URL" => "the server's address, such as `https://HOST`",
        _ => "the project's path with all its groups, such as `group/project`",
    };
    Failure::usage(format!(
        "the variable `{name}` is missing or makes no sense, and it says where GitLab's project is"
    ))
    .hint(format!("set it to {holds}; GitLab CI sets it by itself, and a remote on gitlab.com needs none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
    const HEAD: &str = "89abcdef0123456789abcdef0123456789abcdef";

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        Variables::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn detected(source: &str, more: &[(&str, &str)]) -> Result<Job, Failure> {
        let mut pairs = vec![("CI_PIPELINE_SOURCE", source), ("CI_COMMIT_SHA", SHA)];
        pairs.extend(more);
        detect(&variables(&pairs), &|_| Err(std::io::ErrorKind::NotFound.into()))
    }

    fn triggered_by(payload: &str) -> Result<Job, Failure> {
        let all = variables(&[
            ("CI_PIPELINE_SOURCE", "trigger"),
            ("CI_COMMIT_SHA", SHA),
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_PROJECT_ID", "42"),
            ("TRIGGER_PAYLOAD", "/builds/payload"),
        ]);
        detect(&all, &|path| {
            assert_eq!(path, "/builds/payload");
            Ok(payload.as_bytes().to_vec())
        })
    }

    #[test]
    fn notes_are_read_from_the_payload_of_a_trigger() {
        let mut payload = serde_json::json!({"object_kind": "note", "user": {"username": "alice"}, "project_id": 42,
            "object_attributes": {"id": 9, "note": "/hydrator hold dev", "noteable_type": "MergeRequest",
                "created_at": "2026-01-01 10:00:00 UTC", "action": "create", "system": false},
            "merge_request": {"iid": 7, "source_branch": "hydrator/dev-next", "target_branch": "hydrator/dev"}});
        let read = |payload: &Value| triggered_by(&payload.to_string());
        let job = read(&payload).unwrap();
        assert_eq!(job.trigger, None);
        let Event::Comment(found) = job.event else { panic!("no comment") };
        assert_eq!((found.number, found.id, found.action.as_str()), (7, 9, "created"));
        assert_eq!((found.on_pull_request, found.body.as_str()), (true, "/hydrator hold dev"));
        assert_eq!(found.written, None, "nobody's word is taken for it");
        for (key, value, event) in [
            ("/object_kind", "push".into(), Event::Dispatch("trigger".to_owned())),
            ("/project_id", 43.into(), Event::Other("a comment in another project".to_owned())),
        ] {
            let mut other = payload.clone();
            *other.pointer_mut(key).unwrap() = value;
            assert_eq!(read(&other).unwrap().event, event);
        }
        payload["object_attributes"]["noteable_type"] = "Issue".into();
        let Event::Comment(found) = read(&payload).unwrap().event else { panic!("no comment") };
        assert!(!found.on_pull_request);
        payload["object_attributes"]["id"] = Value::Null;
        assert!(read(&payload).unwrap_err().message.contains("/object_attributes/id"));
        for unreadable in ["", "[", "7"] {
            assert!(!matches!(triggered_by(unreadable).unwrap().event, Event::Comment(_)), "{unreadable}");
        }
    }

    #[test]
    fn every_kind_of_pipeline_says_what_it_is_about() {
        let branch: &[(&str, &str)] = &[("CI_COMMIT_BRANCH", "main"), ("CI_COMMIT_REF_NAME", "main")];
        let dispatch = |name: &str| Event::Dispatch(name.to_owned());
        for (source, event, about) in [
            ("push", Event::Push, true),
            ("web", Event::Manual, true),
            ("schedule", Event::Schedule, false),
            ("trigger", dispatch("trigger"), true),
            ("api", dispatch("api"), true),
            ("pipeline", dispatch("pipeline"), true),
            ("external", Event::Other("external".to_owned()), true),
        ] {
            let job = detected(source, branch).unwrap();
            let found = job.trigger.map(|trigger| trigger.full_ref);
            assert_eq!((job.event, found), (event, about.then(|| "refs/heads/main".to_owned())), "{source}");
        }
        let tag = detected("push", &[("CI_COMMIT_TAG", "v1")]).unwrap();
        assert_eq!(tag.trigger.unwrap().full_ref, "refs/tags/v1");
        let failure = detected("push", &[]).unwrap_err();
        assert!(failure.message.contains("CI_COMMIT_REF_NAME"), "{failure}");
    }

    #[test]
    fn merge_requests_are_read() {
        let all = [
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_PROJECT_ID", "1"),
            ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "1"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feature/x"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/7/merge"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", HEAD),
        ];
        let found = |more: &[(&str, &str)]| {
            let job = detected("merge_request_event", more).unwrap();
            let Event::PullRequest(found) = job.event else { panic!("no pull request") };
            (found, job.trigger.unwrap())
        };
        let (merged_result, trigger) = found(&all);
        assert_eq!((merged_result.number, merged_result.head_sha.to_string()), (7, HEAD.to_owned()));
        assert_eq!((merged_result.head.as_str(), merged_result.base.as_str()), ("feature/x", "main"));
        assert!(!merged_result.from_fork);
        assert_eq!(trigger.full_ref, "refs/merge-requests/7/merge");
        let (plain, _) = found(&all[..6]);
        assert_eq!(plain.head_sha.to_string(), SHA);
        let mut fork = all.to_vec();
        fork[2].1 = "2";
        assert!(found(&fork).0.from_fork);
    }

    #[test]
    fn addresses_come_from_the_variables_as_they_are() {
        let job = variables(&[
            ("GITLAB_CI", "true"),
            ("CI_API_V4_URL", "https://e.com/gitlab/api/v4/"),
            ("CI_API_GRAPHQL_URL", "https://e.com/gitlab/api/graphql"),
            ("CI_SERVER_URL", "https://e.com/gitlab"),
            ("CI_PROJECT_ID", "42"),
            ("CI_PROJECT_PATH", "group/sub/shop"),
            ("CI_PROJECT_URL", "https://e.com/gitlab/group/sub/shop"),
            ("CI_JOB_URL", "https://e.com/gitlab/group/sub/shop/-/jobs/9"),
        ]);
        let own = place(&job, "https://gitlab-ci-token:x@e.com/gitlab/group/sub/shop.git").unwrap();
        assert_eq!((own.api.as_str(), own.project.as_str()), ("https://e.com/gitlab/api/v4", "42"));
        assert_eq!(
            (own.path.as_deref(), own.web.as_str()),
            (Some("group/sub/shop"), "https://e.com/gitlab/group/sub/shop")
        );
        let other = place(&job, "https://e.com/gitlab/group/other.git").unwrap();
        assert_eq!(
            (other.project.as_str(), other.web.as_str()),
            ("group/other", "https://e.com/gitlab/group/other")
        );
        assert_eq!(place(&job, "ssh://git@e.com:2222/group/sub/shop.git").unwrap().project, "42");
        let failure = place(&variables(&[("GITLAB_CI", "true")]), "https://gitlab.com/a/b").unwrap_err();
        assert!(failure.message.contains("CI_API_V4_URL"), "{failure}");
    }

    #[test]
    fn the_pipeline_of_a_merge_requests_head_is_known() {
        let all = [
            ("CI_API_V4_URL", "https://e.com/api/v4"),
            ("CI_SERVER_URL", "https://e.com"),
            ("CI_PROJECT_ID", "42"),
            ("CI_PROJECT_PATH", "g/n"),
            ("CI_PIPELINE_ID", "501"),
            ("CI_PIPELINE_SOURCE", "merge_request_event"),
            ("CI_COMMIT_SHA", SHA),
            ("CI_MERGE_REQUEST_REF_PATH", "refs/merge-requests/7/head"),
            ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
        ];
        let found = |change: Option<(&'static str, &'static str)>, remote: &str| {
            let all: Vec<_> = all.into_iter().chain(change).collect();
            place(&variables(&all), remote).unwrap().pipeline
        };
        let own = found(None, "https://e.com/g/n").unwrap();
        assert_eq!((own.id, own.full_ref.as_str()), (501, "refs/merge-requests/7/head"));
        assert_eq!(own.commit.to_string(), SHA);
        assert_eq!(found(None, "https://e.com/g/another"), None);
        for change in [
            ("CI_PIPELINE_SOURCE", "push"),
            ("CI_MERGE_REQUEST_PROJECT_ID", "43"),
            // Of a merged result.
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", HEAD),
        ] {
            assert_eq!(found(Some(change), "https://e.com/g/n"), None, "{change:?}");
        }
    }

    #[test]
    fn a_remote_on_gitlab_com_needs_no_variables() {
        for remote in ["https://gitlab.com/g/s/n.x.git", "git@gitlab.com:g/s/n.x.git"] {
            let place = place(&variables(&[]), remote).unwrap();
            assert_eq!((place.project.as_str(), place.api.as_str()), ("g/s/n.x", API), "{remote}");
            assert_eq!(place.web, "https://gitlab.com/g/s/n.x");
        }
        assert!(place(&variables(&[]), "https://example.com/g/n.git").is_err());
    }

    #[test]
    fn a_jobs_own_token_goes_to_its_server_only() {
        let job = variables(&[("CI_JOB_TOKEN", "job"), ("CI_SERVER_URL", "https://g.e:8443")]);
        let kind = |remote: &str| token(&job, remote).map(|(_, kind)| kind);
        assert_eq!(kind("https://g.e:8443/o/n"), Some(TokenKind::Job));
        assert_eq!(kind("ssh://git@g.e:22/o/n"), Some(TokenKind::Job));
        assert_eq!(kind("https://g.e/o/n"), None);
        assert_eq!(kind("https://gitlab.com/o/n"), None);
        let own = variables(&[("CI_JOB_TOKEN", "job"), ("HYDRATOR_TOKEN", "own")]);
        assert_eq!(token(&own, "https://gitlab.com/o/n").unwrap().1, TokenKind::Access);
        let same = variables(&[
            ("CI_JOB_TOKEN", "job"),
            ("HYDRATOR_TOKEN", "job"),
            ("CI_SERVER_URL", "https://g.e:8443"),
        ]);
        let kind = |remote: &str| token(&same, remote).map(|(_, kind)| kind);
        assert_eq!(
            (kind("https://g.e:8443/o/n"), kind("https://gitlab.com/o/n")),
            (Some(TokenKind::Job), None)
        );
        assert_eq!((user(TokenKind::Access), user(TokenKind::Job)), ("oauth2", "gitlab-ci-token"));
    }
}
