//! GitHub's API over the state of a forge: REST and GraphQL, as far as anybody here asks.

mod graphql;
mod rest;
mod shapes;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hydrator::forge::github;
use hydrator::forge::http::Limits;
use hydrator::progress::Silent;
use hydrator::secret::Secret;
use hydrator::variables::Variables;
use serde_json::{Value, json};

use super::state::State;
use super::{Call, Dialect, ForgeServer, Hosted};
use crate::support::command::Run;
use crate::support::git::{TestRepo, write_below};
use crate::support::http::{BASIC, ServiceRequest, TOKEN};

/// GitHub with one repository on it.
#[derive(Clone)]
pub(crate) struct GitHubApi {
    owner: String,
    name: String,
    /// A path before everything, as some servers have it.
    base: String,
    /// `host:port`, once that is known: answers name their own addresses.
    host: Arc<OnceLock<String>>,
}

impl GitHubApi {
    fn new(owner: &str, name: &str, base: &str) -> Self {
        Self { owner: owner.to_owned(), name: name.to_owned(), base: base.to_owned(), host: Arc::default() }
    }

    fn web(&self) -> String {
        let host = self.host.get().map_or("forge", String::as_str);
        format!("http://{host}{}", self.base)
    }

    fn api(&self) -> String {
        format!("{}/api/v3", self.web())
    }

    fn slug(&self) -> String {
        format!("{}/{}", self.owner, self.name)
    }
}

impl Dialect for GitHubApi {
    fn below<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(&self.base)?;
        rest.strip_prefix("/api/v3").or_else(|| rest.strip_prefix("/api").filter(|rest| *rest == "/graphql"))
    }

    fn is_authorized(&self, request: &ServiceRequest<'_>) -> bool {
        let given = request.headers.first("authorization").unwrap_or_default();
        // Octokit writes the older word.
        [format!("Bearer {TOKEN}"), format!("token {TOKEN}")].contains(&given.to_owned())
    }

    fn operation(&self, body: &Value) -> Option<String> {
        let text = body["query"].as_str()?.trim_start();
        let rest = text.split_once(' ')?.1;
        Some(rest.split(|c: char| !c.is_alphanumeric()).next()?.to_owned())
    }

    fn serve(&self, state: &mut State, call: &Call, query: &str) -> (u16, Value) {
        if call.path == "/graphql" {
            (200, self.graphql(state, &call.body))
        } else {
            self.rest(state, call, query)
        }
    }

    fn unauthorized(&self) -> (u16, Value) {
        (
            401,
            json!({"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest", "status": "401"}),
        )
    }

    fn repository_path(&self, path: &str) -> String {
        let ours = format!("{}/{}", self.base, self.slug());
        match path.strip_prefix(&ours) {
            Some(rest) => format!("/remote.git{}", rest.strip_prefix(".git").unwrap_or(rest)),
            None => path.to_owned(),
        }
    }

    fn credentials(&self) -> &'static [&'static str] {
        &[BASIC]
    }
}

impl Hosted for GitHub {
    const OPENING: &'static str = "POST /repos/acme/shop/pulls";
    const LISTING: &'static str = "open";
    const MOVED: &'static str = "/api/v3/repos/acme/shop/pulls?moved";
    const JOB_PAGE: &'static str = "/acme/shop/actions/runs/42";
    const KEEPS: &'static str = "the step's summary";
    const NEW_WORDS: usize = 1;
    const WAITS: bool = true;
    const COMMENTS: &'static str = "/comments";
    const FIRST_PAGE: &'static str = "/acme/shop/pull/1";

    fn start_at(repo: &TestRepo, owner: &str, name: &str, base: &str) -> Self {
        Self::start_at(repo, owner, name, base)
    }

    fn server(&self) -> &ForgeServer {
        &self.server
    }

    fn command(&self, repo: &TestRepo, command: &str) -> Run {
        self.command(repo, command)
    }

    fn reviewing(&self, repo: &TestRepo, command: &str, (number, head): (u64, &str), from_fork: bool) -> Run {
        let commit = repo.tip(head).expect("it is pushed");
        let side = |branch: &str, id: u64| json!({"ref": branch, "sha": commit, "repo": {"id": id}});
        let event = json!({"action": "opened", "pull_request": {
            "number": number, "merged": false, "head": side(head, 1 + u64::from(from_fork)), "base": side("main", 1),
        }});
        write_below(repo.root(), "event.json", &event.to_string());
        let at = |name: &str| repo.root().join(name).display().to_string();
        self.command(repo, command)
            .variable("GITHUB_EVENT_NAME", "pull_request")
            .variable("GITHUB_EVENT_PATH", &at("event.json"))
            .variable("GITHUB_REF", &format!("refs/pull/{number}/merge"))
            .variable("GITHUB_SHA", &commit)
            .variable("GITHUB_STEP_SUMMARY", &at("summary.md"))
    }
}

/// A running GitHub, and jobs of its Actions.
pub(crate) struct GitHub {
    /// The server.
    pub(crate) server: ForgeServer,
    api: GitHubApi,
}

impl GitHub {
    /// A GitHub with the repository `acme/shop`.
    pub(crate) fn start(repo: &TestRepo) -> Self {
        Self::start_at(repo, "acme", "shop", "")
    }

    /// The same for a repository of another name, on a server below a path.
    pub(crate) fn start_at(repo: &TestRepo, owner: &str, name: &str, base: &str) -> Self {
        let api = GitHubApi::new(owner, name, base);
        let server = ForgeServer::start(repo, Box::new(api.clone()));
        api.host.set(server.git.host()).expect("it is set once");
        Self { server, api }
    }

    /// The address of something on the server.
    pub(crate) fn address(&self, path: &str) -> String {
        format!("http://{}{}{path}", self.server.git.host(), self.api.base)
    }

    /// The variables that a job has, without a token.
    pub(crate) fn variables(&self, run: Run) -> Run {
        run.variable("GITHUB_ACTIONS", "true")
            .variable("GITHUB_API_URL", &self.address("/api/v3"))
            .variable("GITHUB_GRAPHQL_URL", &self.address("/api/graphql"))
            .variable("GITHUB_SERVER_URL", &self.address(""))
            .variable("GITHUB_REPOSITORY", &self.api.slug())
            .variable("GITHUB_RUN_ID", "42")
    }

    /// The repository's URL for git.
    pub(crate) fn remote(&self) -> String {
        self.address(&format!("/{}", self.api.slug()))
    }

    /// The library's own connection, with no pauses.
    pub(crate) fn forge(&self) -> github::GitHub {
        let place = github::Place {
            api: self.address("/api/v3"),
            graphql: self.address("/api/graphql"),
            web: self.address(""),
            owner: self.api.owner.clone(),
            name: self.api.name.clone(),
            job_url: None,
        };
        let around = github::Surroundings {
            variables: &Variables::default(),
            limits: Limits { pace: Duration::ZERO, ..Limits::default() },
            listener: Arc::new(Silent),
            stop: Arc::default(),
        };
        github::GitHub::new(place, &Secret::new(TOKEN), around).expect("nothing is wrong with it")
    }

    /// `hydrator run` as the job of a push to the DRY branch's tip, with no pauses.
    pub(crate) fn job(&self, repo: &TestRepo) -> Run {
        self.command(repo, "run").arguments(["--format", "json"])
    }

    /// Any command in such a job.
    pub(crate) fn command(&self, repo: &TestRepo, command: &str) -> Run {
        let commit = repo.tip("main").expect("there is a DRY branch");
        self.variables(Run::hydrator(repo))
            .variable("GITHUB_EVENT_NAME", "push")
            .variable("GITHUB_REF", "refs/heads/main")
            .variable("GITHUB_SHA", &commit)
            .variable("GITHUB_TOKEN", TOKEN)
            .variable("HYDRATOR_FORGE_PACE", "0")
            .arguments([command, "--remote", &self.remote()])
    }
}
