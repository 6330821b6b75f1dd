//! GitLab's API over the state of a forge: REST and GraphQL, as far as anybody here asks.

mod graphql;
pub(crate) mod pipelines;
mod rest;
mod shapes;
mod talk;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hydrator::forge::gitlab;
use hydrator::forge::http::{Connection, Limits};
use hydrator::progress::Silent;
use hydrator::secret::Secret;
use hydrator::variables::Variables;
use serde_json::{Value, json};

use super::state::State;
use super::{Call, Dialect, ForgeServer, Hosted};
use crate::support::command::Run;
use crate::support::git::TestRepo;
use crate::support::http::{ServiceRequest, TOKEN};

/// The project's number.
const ID: &str = "42";
/// A job's own token.
pub(crate) const JOB_TOKEN: &str = "job-5b0e6f1d9c3a4e27";

/// `oauth2` with an access token in base64, and `gitlab-ci-token` with a job's own.
const ACCESS: &str = "b2F1dGgyOnRvay0zZjlkMWM3N2UyYTg0YjA2";
const JOB: &str = "Z2l0bGFiLWNpLXRva2VuOmpvYi01YjBlNmYxZDljM2E0ZTI3";

/// GitLab with one project on it.
#[derive(Clone)]
pub(crate) struct GitLabApi {
    /// With all its groups.
    path: String,
    /// A path before everything, as some servers have it.
    base: String,
    web: String,
}

impl Dialect for GitLabApi {
    fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(&self.base)?;
        rest.strip_prefix("/api/v4").or_else(|| rest.strip_prefix("/api").filter(|rest| *rest == "/graphql"))
    }

    fn is_authorized(&self, request: &ServiceRequest<'_>) -> bool {
        let header = |name: &str| request.headers.first(name).unwrap_or_default();
        // A job's own token reads, and nothing else, and not by GraphQL.
        let by_job = header("job-token") == JOB_TOKEN
            && request.method == "GET"
            && request.path.contains("/merge_requests");
        by_job || header("authorization") == format!("Bearer {TOKEN}") || header("private-token") == TOKEN
    }

    fn operation(&self, body: &Value) -> Option<String> {
        let rest = body["query"].as_str()?.trim_start().split_once(' ')?.1;
        Some(rest.split(|c: char| !c.is_alphanumeric()).next()?.to_owned())
    }

    fn serve(&self, state: &mut State, call: &Call, query: &str) -> (u16, Value) {
        if call.path == "/graphql" { self.graphql(state, &call.body) } else { self.rest(state, call, query) }
    }

    /// Where a list goes on.
    fn headers(
        &self,
        request: &ServiceRequest<'_>,
        state: &mut State,
        call: &Call,
        answer: &Value,
    ) -> Vec<(&'static str, String)> {
        if call.method != "GET" || answer.as_array().is_none_or(Vec::is_empty) {
            return Vec::new();
        }
        let parts = || call.query.split('&');
        let page = parts().find_map(|part| part.strip_prefix("page="));
        let next = page.map_or(1, |page| page.parse::<u64>().expect("it is a number")) + 1;
        let others: Vec<&str> = parts().filter(|part| !part.starts_with("page=")).collect();
        let query = format!("{}&page={next}", others.join("&"));
        let (_, after) = self.serve(state, call, &query);
        let is_last = after.as_array().is_none_or(Vec::is_empty);
        let host = request.headers.first("host").unwrap_or_default();
        let link = format!("<http://{host}{}/api/v4{}?{query}>; rel=\"next\"", self.base, call.path);
        let next = if is_last { String::new() } else { next.to_string() };
        let link = (!is_last).then_some(("Link", link));
        link.into_iter().chain([("X-Next-Page", next)]).collect()
    }

    fn unauthorized(&self) -> (u16, Value) {
        (401, json!({"message": "401 Unauthorized"}))
    }

    fn repository_path(&self, path: &str) -> String {
        let ours = format!("{}/{}", self.base, self.path);
        match path.strip_prefix(&ours) {
            Some(rest) => format!("/remote.git{}", rest.strip_prefix(".git").unwrap_or(rest)),
            None => path.to_owned(),
        }
    }

    fn credentials(&self) -> &'static [&'static str] {
        &[ACCESS, JOB]
    }
}

/// A running GitLab, and jobs of its CI.
pub(crate) struct GitLab {
    /// The server.
    pub(crate) server: ForgeServer,
    api: GitLabApi,
}

impl GitLab {
    /// A URL of the server.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.server.git.host(), self.api.base)
    }

    /// The project's URL for git.
    pub(crate) fn remote(&self) -> String {
        self.address(&format!("/{}.git", self.api.path))
    }

    /// The variables that every job has, without a token.
    pub(crate) fn variables(&self, run: Run) -> Run {
        run.variable("GITLAB_CI", "true")
            .variable("CI_API_V4_URL", &self.address("/api/v4"))
            .variable("CI_API_GRAPHQL_URL", &self.address("/api/graphql"))
            .variable("CI_SERVER_URL", &self.address(""))
            .variable("CI_PROJECT_ID", ID)
            .variable("CI_PROJECT_PATH", &self.api.path)
            .variable("CI_PROJECT_URL", &self.address(&format!("/{}", self.api.path)))
            .variable("CI_JOB_URL", &self.address(&format!("/{}/-/jobs/9", self.api.path)))
    }

    /// hydrator in the job of a push to the DRY branch's tip, with no pauses.
    fn pushed(&self, repo: &TestRepo) -> Run {
        let commit = repo.tip("main").expect("there is a DRY branch");
        self.variables(Run::hydrator(repo))
            .variable("CI_PIPELINE_SOURCE", "push")
            .variable("CI_COMMIT_BRANCH", "main")
            .variable("CI_COMMIT_SHA", &commit)
            .variable("CI_JOB_TOKEN", JOB_TOKEN)
            .variable("HYDRATOR_TOKEN", TOKEN)
            .variable("HYDRATOR_FORGE_PACE", "0")
    }

    /// `hydrator run` in a checkout of the runner's.
    pub(crate) fn in_checkout(&self, repo: &TestRepo, checkout: &Path) -> Run {
        self.pushed(repo).directory(checkout).arguments(["run", "--format", "json"])
    }

    /// The library's own connection, with no pauses, to a server of some version.
    pub(crate) fn forge(&self, version: Option<&str>) -> gitlab::GitLab {
        let place = gitlab::Place {
            api: self.address("/api/v4"),
            graphql: Some(self.address("/api/graphql")),
            web: self.address(&format!("/{}", self.api.path)),
            project: self.api.path.clone(),
            path: Some(self.api.path.clone()),
            version: version.map(str::to_owned),
            job_url: None,
            pipeline: None,
        };
        let connection = Connection {
            token: Secret::new(TOKEN),
            variables: &Variables::default(),
            url: &place.api.clone(),
            limits: Limits { pace: Duration::ZERO, ..Limits::default() },
            listener: Arc::new(Silent),
            stop: Arc::default(),
        };
        gitlab::GitLab::new(place, gitlab::TokenKind::Access, connection).expect("nothing is wrong with it")
    }
}

impl Hosted for GitLab {
    const OPENING: &'static str = "POST /projects/42/merge_requests";
    const LISTING: &'static str = "GET /projects/42/merge_requests";
    const MOVED: &'static str = "/api/v4/projects/42/merge_requests?moved";
    const JOB_PAGE: &'static str = "/acme/shop/-/jobs/9";
    const KEEPS: &'static str = "the job's log";
    const NEW_WORDS: usize = 2;
    const WAITS: bool = false;
    const COMMENTS: &'static str = "/notes";
    const FIRST_PAGE: &'static str = "/acme/shop/-/merge_requests/1";

    fn start_at(repo: &TestRepo, owner: &str, name: &str, base: &str) -> Self {
        let (path, web) = (format!("{owner}/{name}"), format!("http://forge{base}/{owner}/{name}"));
        let api = GitLabApi { path, base: base.to_owned(), web };
        let server = ForgeServer::start(repo, Box::new(api.clone()));
        server.with(|state| (state.gitlab_merges, state.unmet) = (true, pipelines::unmet));
        Self { server, api }
    }

    fn server(&self) -> &ForgeServer {
        &self.server
    }

    fn command(&self, repo: &TestRepo, command: &str) -> Run {
        self.pushed(repo).arguments([command, "--remote", &self.remote()])
    }

    fn reviewing(&self, repo: &TestRepo, command: &str, (number, head): (u64, &str), from_fork: bool) -> Run {
        let (sha, full_ref) =
            (repo.tip(head).expect("it is pushed"), format!("refs/merge-requests/{number}/head"));
        let pipeline = self.server.with(|state| {
            let known = state.pipelines.iter().find(|one| one.commit == sha && one.branch == full_ref);
            let known = known.map(|one| one.id);
            known.unwrap_or_else(|| state.start_pipeline(&sha, &full_ref, "merge_request_event"))
        });
        self.command(repo, command)
            .without("CI_COMMIT_BRANCH")
            .variable("CI_PIPELINE_SOURCE", "merge_request_event")
            .variable("CI_PIPELINE_ID", &pipeline.to_string())
            .variable("CI_COMMIT_SHA", &sha)
            .variable("CI_MERGE_REQUEST_IID", &number.to_string())
            .variable("CI_MERGE_REQUEST_PROJECT_ID", ID)
            .variable("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", if from_fork { "43" } else { ID })
            .variable("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", head)
            .variable("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main")
            .variable("CI_MERGE_REQUEST_REF_PATH", &full_ref)
    }
}

/// The number of an account.
pub(crate) fn number_of(login: &str) -> u64 {
    shapes::id(login)
}
