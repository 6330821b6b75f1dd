//! GitLab, gitlab.com or self-managed: merge requests, commit statuses, merging. Does I/O through
//! [`crate::forge::http`]. Outside this module they are pull requests, as on every forge.

mod asked;
mod comments;
mod conversation;
mod deployments;
mod diagnosis;
mod dialect;
mod expected;
mod gates;
mod landings;
mod listing;
mod merge_requests;
mod merging;
mod methods;
mod pairs;
mod people;
mod price;
mod question;
mod records;
mod shapes;
mod standing;
mod statuses;

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use self::dialect::GitLabDialect;
use self::shapes::each;
use super::diagnosis::{Finding, Grounds};
use super::http::{Class, Connection, Effect, Http, Method, Refused, Request, encoded};
use super::pair::Of;
use super::{ArmOutcome, Forge, MergeOutcome, Mergeability, NewPullRequest, Pair, PullRequestLook, Statuses};
use crate::error::Failure;
use crate::model::{BranchName, CommitId, CommitStatus, MergeMethod, PullRequest, PullRequestOutline};

/// Merge requests of a page; the most that GitLab gives.
const PAGE: usize = 100;

/// What to do where a job's own token is not enough.
const JOB_TOKEN_HINT: &str = "make a project access token with the role Maintainer and the scopes `api` and \
                              `write_repository`, and keep it in the masked and protected variable `HYDRATOR_TOKEN`, \
                              which reaches jobs of protected branches only";

/// Where a project is on which GitLab. No address is derived from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The REST API, without a slash at the end.
    pub api: String,
    /// The GraphQL endpoint, where it is known: it answers for many branches at once.
    pub graphql: Option<String>,
    /// The project's web page, without a slash at the end.
    pub web: String,
    /// The project's number, or its path with all its groups.
    pub project: String,
    /// Its path, which GraphQL asks for.
    pub path: Option<String>,
    /// The server's version, where a job's variables tell it.
    pub version: Option<String>,
    /// The page of the job that runs us: what statuses link to.
    pub job_url: Option<String>,
    /// The pipeline that it belongs to, where that runs for the head of a merge request.
    pub pipeline: Option<JobPipeline>,
}

/// The pipeline of a job for a merge request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPipeline {
    /// Its number.
    pub id: u64,
    /// What it runs for, such as `refs/merge-requests/7/head`.
    pub full_ref: String,
    /// The head.
    pub commit: CommitId,
}

/// What kind of token there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A project's, a group's or a person's access token.
    Access,
    /// A job's own, which reads, and may push where the project allows it, and does nothing else.
    Job,
}

/// A project on GitLab.
pub struct GitLab {
    place: Place,
    kind: TokenKind,
    http: Http<GitLabDialect>,
    /// Pull requests as they were last seen.
    known: RefCell<BTreeMap<u64, PullRequest>>,
    /// Whether the box for squashing was ticked on them, as they were last seen.
    squashed: RefCell<BTreeMap<u64, bool>>,
    /// Numbers of the newest merge requests between branches that were asked about, by their heads.
    newest: RefCell<BTreeMap<CommitId, u64>>,
    /// Accounts by user name, as far as they were seen.
    accounts: RefCell<BTreeMap<String, u64>>,
    /// The project's settings, once they were read.
    project: RefCell<Option<Value>>,
    /// The server's major and minor version, once it is known.
    version: RefCell<Option<(u32, u32)>>,
    /// The token's own account, once it is known.
    viewer: RefCell<Option<Value>>,
    /// What runs in environments, as far as that was read or recorded.
    deployed: RefCell<BTreeMap<String, CommitId>>,
    /// DRY commits that will be asked about.
    expected: RefCell<Option<expected::Expected>>,
    /// What answers told for the next status of a commit.
    told: RefCell<BTreeMap<CommitId, statuses::Told>>,
}

impl GitLab {
    /// Prepares the connection; nothing is sent yet.
    pub fn new(place: Place, kind: TokenKind, connection: Connection<'_>) -> Result<Self, Failure> {
        let dialect = GitLabDialect::new(&connection.token, kind);
        Ok(Self {
            place,
            kind,
            http: Http::new(connection, dialect)?,
            known: RefCell::default(),
            squashed: RefCell::default(),
            newest: RefCell::default(),
            accounts: RefCell::default(),
            project: RefCell::default(),
            version: RefCell::default(),
            viewer: RefCell::default(),
            deployed: RefCell::default(),
            expected: RefCell::default(),
            told: RefCell::default(),
        })
    }

    /// A URL of the REST API below the project.
    fn url(&self, rest: &str) -> String {
        format!("{}/projects/{}{rest}", self.place.api, encoded(&self.place.project))
    }

    fn get(&self, rest: &str) -> Result<Value, Refused> {
        self.http.send(&Request::get(self.url(rest))).map(|answer| answer.body)
    }

    fn write(&self, method: Method, rest: &str, body: Value, effect: Effect) -> Result<Value, Refused> {
        self.http.send(&Request::send(method, self.url(rest), body, effect)).map(|answer| answer.body)
    }

    /// All elements of a list, page by page.
    fn list(&self, rest: &str) -> Result<Vec<Value>, Refused> {
        let mut found = Vec::new();
        let more = if rest.contains('?') { '&' } else { '?' };
        for page in 1_u64.. {
            let request = Request::get(self.url(&format!("{rest}{more}per_page={PAGE}&page={page}")));
            let answer = self.http.send(&request)?;
            if !answer.body.is_array() {
                let hint = "is this the address of GitLab's API?";
                return Err(self.http.refuse(&request, Class::Invalid, answer).hint(hint));
            }
            let count = each(&answer.body).count();
            found.extend(each(&answer.body).cloned());
            let is_last = answer.header("x-next-page").map_or(count < PAGE, str::is_empty);
            if is_last || count == 0 {
                break;
            }
        }
        Ok(found)
    }

    /// Takes note of a merge request, and of the accounts in it.
    fn learn(&self, answer: &Value) -> Option<PullRequest> {
        let people = each(&answer["reviewers"]).chain(each(&answer["assignees"]));
        self.learn_accounts(people.filter_map(|one| Some((one["username"].as_str()?, one["id"].as_u64()?))));
        let pull_request = shapes::of_rest(answer)?;
        self.squashed.borrow_mut().insert(pull_request.number, answer["squash"] == true);
        self.remember(&pull_request);
        Some(pull_request)
    }

    /// Takes note of the numbers of accounts.
    fn learn_accounts<'a>(&self, people: impl Iterator<Item = (&'a str, u64)>) {
        self.accounts.borrow_mut().extend(people.map(|(name, id)| (name.to_lowercase(), id)));
    }

    fn remember(&self, pull_request: &PullRequest) {
        self.known.borrow_mut().insert(pull_request.number, pull_request.clone());
    }

    /// A pull request as it was last seen, else as it is now.
    fn known(&self, number: u64) -> Result<PullRequest> {
        let known = self.known.borrow().get(&number).cloned();
        known.map_or_else(|| self.read(number), Ok)
    }

    /// A pull request as it is now.
    fn read(&self, number: u64) -> Result<PullRequest> {
        let doing = || format!("cannot read merge request !{number}");
        let answer = self.look(number).map_err(|refused| refused.while_doing(&doing()))?;
        self.learn(&answer)
            .ok_or_else(|| Failure::forge(format!("{}: GitLab does not describe it", doing())).into())
    }

    /// Everything that GitLab says about one merge request.
    fn look(&self, number: u64) -> Result<Value, Refused> {
        self.get(&format!("/merge_requests/{number}"))
    }

    /// One of the project's settings.
    fn setting(&self, key: &str) -> Result<Value> {
        self.settings().map(|project| project[key].clone())
    }

    /// The project's settings.
    fn settings(&self) -> Result<Ref<'_, Value>> {
        if self.project.borrow().is_none() {
            let project = self
                .get("")
                .map_err(|refused| refused.while_doing("cannot read the settings of the project"))?;
            *self.project.borrow_mut() = Some(project);
        }
        Ok(Ref::map(self.project.borrow(), |project| project.as_ref().unwrap_or(&Value::Null)))
    }

    /// Something about the token's own account.
    fn viewer(&self, key: &str) -> Result<Value, Refused> {
        if let Some(viewer) = self.viewer.borrow().as_ref() {
            return Ok(viewer[key].clone());
        }
        let request = Request::get(format!("{}/user", self.place.api));
        let answer = self.http.send(&request)?;
        if answer.body["id"].as_u64().is_none() {
            return Err(self.http.refuse(&request, Class::Invalid, answer));
        }
        Ok(self.viewer.borrow_mut().insert(answer.body)[key].clone())
    }

    /// The number of the token's own account.
    fn account(&self) -> Result<u64, Refused> {
        self.viewer("id").map(|id| id.as_u64().unwrap_or_default())
    }

    /// Asks about the project in GraphQL.
    fn ask(&self, graphql: &str, body: Value) -> Result<Value, Refused> {
        self.ask_all(graphql, body).map(|mut data| data["project"].take())
    }

    /// Asks anything in GraphQL.
    fn ask_all(&self, graphql: &str, body: Value) -> Result<Value, Refused> {
        let request = Request::send(Method::Post, graphql.to_owned(), body, Effect::Read);
        self.http.send(&request).map(|mut answer| answer.body["data"].take())
    }

    /// Where GraphQL is, and the path that it wants. It knows no job's token.
    fn graphql(&self) -> Option<(&str, &str)> {
        let Place { graphql, path, .. } = &self.place;
        let is_known = self.kind == TokenKind::Access;
        graphql.as_deref().zip(path.as_deref()).filter(|_| is_known)
    }
}

impl Forge for GitLab {
    fn ready_to_write(&self) -> Result<()> {
        if self.kind == TokenKind::Access {
            return Ok(());
        }
        let words = "there is only the job's own token, `CI_JOB_TOKEN`, which can neither open, change or merge \
                     merge requests nor set statuses";
        Err(Failure::forge(words).hint(JOB_TOKEN_HINT).for_want_of_a_right().into())
    }

    fn open_pull_requests(&self) -> Result<Vec<PullRequest>> {
        listing::open(self)
    }

    fn newest_pull_request(&self, head: &BranchName, base: &BranchName) -> Result<Option<PullRequest>> {
        listing::newest_of_one(self, (head, base), Of::All)
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
        merge_requests::open(self, wanted)
    }

    fn update(&self, number: u64, look: &PullRequestLook) -> Result<PullRequest> {
        merge_requests::update(self, number, look)
    }

    fn close(&self, number: u64, comment: &str) -> Result<()> {
        merge_requests::close(self, number, comment)
    }

    fn statuses(&self, commits: &[CommitId]) -> Result<Statuses> {
        Ok(gates::read(self, commits, &[])?.0)
    }

    fn statuses_and_merged(
        &self,
        commits: &[CommitId],
        pairs: &[Pair<'_>],
    ) -> Result<(Statuses, Vec<Option<PullRequestOutline>>)> {
        gates::read(self, commits, pairs)
    }

    fn note_head(&self, number: u64, head: CommitId) -> Result<()> {
        statuses::note_head(self, number, head)
    }

    fn set_status(&self, commit: CommitId, status: &CommitStatus) -> Result<()> {
        statuses::set(self, commit, status)
    }

    /// Every status counts where the project says that pipelines must succeed, and none where it does not.
    fn requires_status(&self, _: &BranchName, _: &str) -> Result<bool> {
        self.setting("only_allow_merge_if_pipeline_succeeds")?.as_bool().ok_or_else(|| {
            Failure::forge("GitLab does not tell this token whether pipelines must succeed before a merge")
                .hint("give the token the role Maintainer in the project (Developer, where no branch asks for more)")
                .into()
        })
    }

    fn mergeability_of(&self, numbers: &[u64]) -> Result<BTreeMap<u64, Mergeability>> {
        standing::of(self, numbers)
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
        let path =
            |branch: &BranchName| branch.as_str().split('/').map(encoded).collect::<Vec<_>>().join("/");
        Some(format!("{}/-/compare/{}...{}", self.place.web, path(base), path(head)))
    }
}
