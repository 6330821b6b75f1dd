//! GitHub and GitHub Enterprise Server: pull requests and statuses read by GraphQL, many in one call, and written by
//! REST. Does I/O through [`crate::forge::http`].

mod comments;
mod deployments;
mod diagnosis;
mod dialect;
mod landings;
mod listing;
mod merging;
mod pull_requests;
mod query;
mod rules;
mod statuses;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Result;
use jiff::Timestamp;
use serde_json::Value;

use self::dialect::{GitHubDialect, graphql_type};
use self::query::{Along, BATCH, Question};
use super::diagnosis::{Finding, Grounds};
use super::http::{Class, Connection, Effect, Http, Limits, Listener, Method, Refused, Request, encoded};
use super::pair::Of;
use super::{
    Announced, ArmOutcome, Comment, Conversation, Deployment, Forge, Landing, MergeOutcome, Mergeability,
    NewPullRequest, Pair, Permission, PullRequestLook, Reaction, Records, Statuses,
};
use crate::error::Failure;
use crate::model::{BranchName, CommitId, CommitStatus, MergeMethod, PullRequest, PullRequestOutline};
use crate::secret::Secret;
use crate::variables::Variables;

/// Where a repository is on which GitHub. No address is derived from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The REST API, without a slash at the end.
    pub api: String,
    /// The GraphQL endpoint.
    pub graphql: String,
    /// The web pages, without a slash at the end.
    pub web: String,
    /// The account that the repository belongs to.
    pub owner: String,
    /// The repository's name.
    pub name: String,
    /// The page of the job that runs us: what statuses link to.
    pub job_url: Option<String>,
}

/// What surrounds the forge in the process.
pub struct Surroundings<'a> {
    /// Proxies and certificates.
    pub variables: &'a Variables,
    /// How long things may take.
    pub limits: Limits,
    /// Who hears that something is waited for.
    pub listener: Listener,
    /// Raised by a signal.
    pub stop: Arc<AtomicBool>,
}

/// A repository on GitHub.
pub struct GitHub {
    place: Place,
    http: Http<GitHubDialect>,
    /// Pull requests as they were last seen, with their global ids.
    known: RefCell<BTreeMap<u64, Known>>,
    /// The statuses that each branch's rules ask for.
    required: RefCell<BTreeMap<BranchName, Vec<String>>>,
    /// The method that the repository's settings prefer.
    preferred: RefCell<Option<MergeMethod>>,
    /// Deployments that were made and got no status: an earlier run stopped between the two.
    unfinished: RefCell<Vec<Deployment>>,
    /// The DRY commits that will be asked about.
    expected: RefCell<landings::Expected>,
}

#[derive(Clone)]
struct Known {
    id: String,
    pull_request: PullRequest,
}

impl GitHub {
    /// Prepares the connection; nothing is sent yet.
    pub fn new(place: Place, token: &Secret, surroundings: Surroundings<'_>) -> Result<Self, Failure> {
        let Surroundings { variables, limits, listener, stop } = surroundings;
        let connection =
            Connection { token: token.clone(), variables, url: &place.api, limits, listener, stop };
        let http = Http::new(connection, GitHubDialect::new(token))?;
        Ok(Self {
            place,
            http,
            known: RefCell::default(),
            required: RefCell::default(),
            preferred: RefCell::default(),
            unfinished: RefCell::default(),
            expected: RefCell::default(),
        })
    }

    /// A URL of the REST API below the repository.
    fn url(&self, rest: &str) -> String {
        let Place { api, owner, name, .. } = &self.place;
        format!("{api}/repos/{}/{}{rest}", encoded(owner), encoded(name))
    }

    fn get(&self, rest: &str) -> Result<Value, Refused> {
        self.http.send(&Request::get(self.url(rest))).map(|answer| answer.body)
    }

    fn write(&self, method: Method, rest: &str, body: Value, effect: Effect) -> Result<Value, Refused> {
        self.http.send(&Request::send(method, self.url(rest), body, effect)).map(|answer| answer.body)
    }

    fn ask(&self, question: &Question) -> Result<Value, Refused> {
        self.graphql(question, Effect::Read)
    }

    /// GraphQL answers with 200 and its errors beside what it could find. What a token may not see of check runs and of
    /// teams is missing in the answer, and nothing else.
    fn graphql(&self, question: &Question, effect: Effect) -> Result<Value, Refused> {
        let request = Request::send(Method::Post, self.place.graphql.clone(), question.body(), effect);
        let mut answer = self.http.send(&request)?;
        let serious = |error: &Value| {
            let of =
                |part: &str| error["path"].as_array().is_some_and(|path| path.iter().any(|one| one == part));
            let unseen = error["type"] == "FORBIDDEN" && (of("statusCheckRollup") || of("requestedReviewer"));
            // An object that does not exist is null in the answer.
            !unseen
        };
        if answer.body["errors"].as_array().is_some_and(|errors| errors.iter().any(serious)) {
            let class = match graphql_type(&answer) {
                Some("NOT_FOUND") => Class::NotFound,
                Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => Class::Permission,
                _ => Class::Invalid,
            };
            return Err(self.http.refuse(&request, class, answer));
        }
        if !answer.body["data"].is_object() {
            return Err(self
                .http
                .refuse(&request, Class::Invalid, answer)
                .hint("is this GitHub's GraphQL endpoint?"));
        }
        Ok(answer.body["data"].take())
    }

    /// Takes note of a pull request in a GraphQL answer.
    fn learn(&self, node: &Value) -> Option<PullRequest> {
        let pull_request = query::pull_request(node)?;
        self.remember(node["id"].as_str().unwrap_or_default(), &pull_request);
        Some(pull_request)
    }

    fn remember(&self, id: &str, pull_request: &PullRequest) {
        let known = Known { id: id.to_owned(), pull_request: pull_request.clone() };
        self.known.borrow_mut().insert(pull_request.number, known);
    }

    /// A pull request as it was last seen, else as it is now.
    fn known(&self, number: u64) -> Result<Known> {
        let known = self.known.borrow().get(&number).cloned();
        known.map_or_else(|| self.read(number), Ok)
    }

    /// A pull request as it is now.
    fn read(&self, number: u64) -> Result<Known> {
        let Place { owner, name, .. } = &self.place;
        let doing = || format!("cannot read pull request #{number}");
        let data =
            self.ask(&query::one(owner, name, number)).map_err(|refused| refused.while_doing(&doing()))?;
        let found = self.learn(&data["repository"]["pullRequest"]);
        found.ok_or_else(|| Failure::forge(format!("{}: GitHub knows none of this number", doing())))?;
        Ok(self.known.borrow()[&number].clone())
    }
}

impl Conversation for GitHub {
    fn comments(&self, number: u64) -> Result<Vec<Comment>> {
        comments::read(self, number)
    }

    fn say(&self, number: u64, body: &str) -> Result<Comment> {
        comments::say(self, number, body)
    }

    fn change_comment(&self, number: u64, id: u64, body: &str) -> Result<()> {
        comments::change(self, number, id, body)
    }

    fn delete_comment(&self, number: u64, id: u64) -> Result<()> {
        comments::delete(self, number, id)
    }

    fn react(&self, number: u64, id: u64, reaction: Reaction) -> Result<bool> {
        comments::react(self, number, id, reaction)
    }

    fn is_answered(&self, number: u64, id: u64) -> Result<bool> {
        comments::is_answered(self, number, id)
    }

    fn permission(&self, login: &str) -> Result<Permission> {
        comments::permission(self, login)
    }

    fn head_since(&self, number: u64) -> Result<Option<(CommitId, Timestamp)>> {
        comments::head_since(self, number)
    }

    fn labelled_since(&self, number: u64, label: &str) -> Result<Option<Timestamp>> {
        comments::labelled_since(self, number, label)
    }

    fn remove_label(&self, number: u64, label: &str) -> Result<()> {
        pull_requests::remove_label(self, number, label)
    }
}

impl Records for GitHub {
    fn announce(&self, announced: Announced) {
        landings::expect(self, announced);
    }

    fn landings(&self, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
        landings::read(self, commits)
    }

    fn approvers(&self, number: u64) -> Result<Vec<String>> {
        landings::approvers(self, number)
    }

    fn deployments(&self, environments: &[&str]) -> Result<BTreeMap<String, Deployment>> {
        deployments::read(self, environments)
    }

    fn record_deployment(&self, deployment: &Deployment) -> Result<()> {
        deployments::record(self, deployment)
    }
}

impl Forge for GitHub {
    fn open_pull_requests(&self) -> Result<Vec<PullRequest>> {
        Ok(listing::open_and_newest(self, &[])?.0)
    }

    fn newest_pull_request(&self, head: &BranchName, base: &BranchName) -> Result<Option<PullRequest>> {
        listing::newest(self, (head, base))
    }

    fn newest_of(&self, pairs: &[Pair<'_>]) -> Result<Vec<Option<PullRequestOutline>>> {
        listing::newest_of(self, pairs, Of::All)
    }

    fn merged_of(&self, pairs: &[Pair<'_>]) -> Result<Vec<Option<PullRequestOutline>>> {
        listing::newest_of(self, pairs, Of::Merged)
    }

    fn open_and_newest(
        &self,
        pairs: &[Pair<'_>],
    ) -> Result<(Vec<PullRequest>, Vec<Option<PullRequestOutline>>)> {
        listing::open_and_newest(self, pairs)
    }

    fn open(&self, wanted: &NewPullRequest) -> Result<PullRequest> {
        pull_requests::open(self, wanted)
    }

    fn update(&self, number: u64, look: &PullRequestLook) -> Result<PullRequest> {
        pull_requests::update(self, number, look)
    }

    fn close(&self, number: u64, comment: &str) -> Result<()> {
        pull_requests::close(self, number, comment)
    }

    fn statuses(&self, commits: &[CommitId]) -> Result<Statuses> {
        statuses::read(self, commits)
    }

    fn statuses_and_merged(
        &self,
        commits: &[CommitId],
        pairs: &[Pair<'_>],
    ) -> Result<(Statuses, Vec<Option<PullRequestOutline>>)> {
        if commits.is_empty() || pairs.is_empty() || commits.len().max(pairs.len()) > BATCH {
            return Ok((self.statuses(commits)?, self.merged_of(pairs)?));
        }
        let Place { owner, name, .. } = &self.place;
        let question = |along: &Along| query::gates(owner, name, (commits, pairs), along);
        let data = landings::ask_along(self, commits.len(), question)
            .map_err(|refused| refused.while_doing("cannot read what gates wait for"))?;
        Ok((statuses::found_in(&data, commits), listing::newest_in(&data, pairs.len()).collect()))
    }

    fn set_status(&self, commit: CommitId, status: &CommitStatus) -> Result<()> {
        statuses::set(self, commit, status)
    }

    fn requires_status(&self, branch: &BranchName, context: &str) -> Result<bool> {
        // GitHub does not tell upper from lower case in them.
        let wanted = context.to_lowercase();
        Ok(rules::required(self, branch)?.iter().any(|required| required.to_lowercase() == wanted))
    }

    fn mergeability_of(&self, numbers: &[u64]) -> Result<BTreeMap<u64, Mergeability>> {
        merging::mergeability_of(self, numbers)
    }

    fn mergeability(&self, number: u64) -> Result<Mergeability> {
        merging::mergeability(self, number)
    }

    fn merge(&self, number: u64, head_sha: CommitId, method: Option<MergeMethod>) -> Result<MergeOutcome> {
        merging::merge(self, number, head_sha, method)
    }

    fn arm(&self, number: u64, head_sha: CommitId, method: Option<MergeMethod>) -> Result<ArmOutcome> {
        merging::arm(self, number, head_sha, method)
    }

    fn disarm(&self, number: u64) -> Result<()> {
        merging::disarm(self, number)
    }

    fn diagnose(&self, grounds: &Grounds) -> Result<Vec<Finding>> {
        diagnosis::diagnose(self, grounds)
    }

    fn compare_url(&self, base: &BranchName, head: &BranchName) -> Option<String> {
        let Place { web, owner, name, .. } = &self.place;
        let path =
            |branch: &BranchName| branch.as_str().split('/').map(encoded).collect::<Vec<_>>().join("/");
        let (owner, name) = (encoded(owner), encoded(name));
        Some(format!("{web}/{owner}/{name}/compare/{}...{}?expand=1", path(base), path(head)))
    }
}
