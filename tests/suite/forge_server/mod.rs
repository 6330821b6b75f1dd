//! A forge on a loopback port: a real git server, and beside it the API of a forge over one state. What is kept is in
//! `state`, how it is spoken about in one module for each forge.

pub(crate) mod github;
pub(crate) mod gitlab;
pub(crate) mod question;
pub(crate) mod state;

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use self::state::State;
use crate::support::command::Run;
use crate::support::git::TestRepo;
use crate::support::http::{GitServer, Response, Served, Service, ServiceRequest};

/// One call of the API, with its answer.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Such as `GET`.
    pub(crate) method: String,
    /// Below the API's address, without the query.
    pub(crate) path: String,
    /// The query, as it was sent.
    pub(crate) query: String,
    /// The name of a GraphQL operation.
    pub(crate) operation: Option<String>,
    /// What was sent.
    pub(crate) body: Value,
    /// The answer's status.
    pub(crate) status: u16,
    /// What was answered.
    pub(crate) answer: Value,
}

impl Call {
    /// What was asked in a word: the operation, else method and path.
    pub(crate) fn what(&self) -> String {
        self.operation.clone().unwrap_or_else(|| format!("{} {}", self.method, self.path))
    }

    /// Whether it changes something.
    pub(crate) fn is_write(&self) -> bool {
        match &self.operation {
            Some(_) => {
                self.body["query"].as_str().is_some_and(|text| text.trim_start().starts_with("mutation"))
            }
            None => self.method != "GET",
        }
    }
}

/// What goes wrong with a call.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// This answer, and nothing is done.
    Answer(u16, Value, Vec<(&'static str, String)>),
    /// It is done, and the answer never arrives.
    Lost,
    /// It is not done, and no answer arrives.
    Dropped,
    /// No answer until the server is dropped.
    Hang,
    /// It is done, and the answer breaks off in the middle.
    Truncated,
    /// This text instead of JSON, and nothing is done.
    Text(u16, &'static str),
}

impl Fault {
    /// A refusal in a forge's words.
    pub(crate) fn refusal(status: u16, message: &str) -> Self {
        Self::Answer(status, serde_json::json!({"message": message}), Vec::new())
    }
}

/// Decides about a call before it is done.
type Rule = Box<dyn FnMut(&Call) -> Option<Fault> + Send>;

/// The API of a forge: from a call to a status and JSON.
pub(crate) trait Dialect: Send + Sync {
    /// The part of a path below the API's address, if it is one of this API.
    fn below<'a>(&self, path: &'a str) -> Option<&'a str>;
    /// Whether the request has the right token.
    fn is_authorized(&self, request: &ServiceRequest<'_>) -> bool;
    /// The name of what is asked, where the path does not tell.
    fn operation(&self, body: &Value) -> Option<String>;
    /// Does what is asked.
    fn serve(&self, state: &mut State, call: &Call, query: &str) -> (u16, Value);
    /// Headers that go with an answer.
    fn headers(
        &self,
        _request: &ServiceRequest<'_>,
        _state: &mut State,
        _call: &Call,
        _answer: &Value,
    ) -> Vec<(&'static str, String)> {
        Vec::new()
    }
    /// What is answered to the wrong token.
    fn unauthorized(&self) -> (u16, Value);
    /// Git's path for a repository's URL.
    fn repository_path(&self, path: &str) -> String;
    /// What git may log in with, as it stands in a header.
    fn credentials(&self) -> &'static [&'static str];
}

/// A running forge of one kind, and jobs of its CI: what stories that are the same on every forge need.
pub(crate) trait Hosted: Sized {
    /// The repository `acme/shop`.
    fn start(repo: &TestRepo) -> Self {
        Self::start_at(repo, "acme", "shop", "")
    }
    /// A repository of another name, on a server below a path.
    fn start_at(repo: &TestRepo, owner: &str, name: &str, base: &str) -> Self;
    /// The server.
    fn server(&self) -> &ForgeServer;
    /// Any command in the job of a push to the DRY branch's tip, with no pauses.
    fn command(&self, repo: &TestRepo, command: &str) -> Run;
    /// Any command in the job of a pull request: its number, and the branch that is to go into `main`.
    fn reviewing(&self, repo: &TestRepo, command: &str, pull: (u64, &str), from_fork: bool) -> Run;
    /// `hydrator run` in the job of a push.
    fn job(&self, repo: &TestRepo) -> Run {
        self.command(repo, "run").arguments(["--format", "json"])
    }
    /// What it is called in [`Call::what`] when a pull request of `acme/shop` is opened.
    const OPENING: &'static str;
    /// What it is called there when open pull requests are listed.
    const LISTING: &'static str;
    /// Another address of the one where pull requests are opened.
    const MOVED: &'static str;
    /// How the address of a job ends.
    const JOB_PAGE: &'static str;
    /// Where a job keeps what it may not comment.
    const KEEPS: &'static str;
    /// What the addresses of comments have in them.
    const COMMENTS: &'static str;
    /// How many writes other words of a status that waits take.
    const NEW_WORDS: usize;
    /// Whether statuses on DRY commits say that something is still to come.
    const WAITS: bool;
    /// How the address of the first pull request of `acme/shop` ends.
    const FIRST_PAGE: &'static str;
}

/// What the server shares with its tests.
struct Shared {
    state: Mutex<State>,
    calls: Mutex<Vec<Call>>,
    /// Wakes who waits for a call.
    asked: Condvar,
    rule: Mutex<Rule>,
    dialect: Box<dyn Dialect>,
}

/// A running forge.
pub(crate) struct ForgeServer {
    /// The git server, with its own log and faults.
    pub(crate) git: GitServer,
    shared: Arc<Shared>,
}

impl ForgeServer {
    /// Starts a forge over a test's remote.
    pub(crate) fn start(repo: &TestRepo, dialect: Box<dyn Dialect>) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new(repo.remote())),
            calls: Mutex::default(),
            asked: Condvar::new(),
            rule: Mutex::new(Box::new(|_| None)),
            dialect,
        });
        let service = Arc::clone(&shared) as Arc<dyn Service>;
        Self { git: GitServer::start_with(repo, Some(service)), shared }
    }

    /// Looks at the state, or changes it as people do.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = lock(&self.shared.state);
        state.follow_pushes();
        let done = work(&mut state);
        state.follow_labels();
        state.merge_armed();
        done
    }

    /// Every call so far; the log is empty then.
    pub(crate) fn take_calls(&self) -> Vec<Call> {
        std::mem::take(&mut *lock(&self.shared.calls))
    }

    /// Decides about every later call.
    pub(crate) fn decide(&self, rule: impl FnMut(&Call) -> Option<Fault> + Send + 'static) {
        *lock(&self.shared.rule) = Box::new(rule);
    }

    /// Lets the first calls of what a text names go wrong, `times` times.
    pub(crate) fn fail(&self, what: &str, times: usize, fault: &Fault) {
        let (what, fault, mut left) = (what.to_owned(), fault.clone(), times);
        self.decide(move |call| {
            let hit = left > 0 && call.what().contains(&what);
            left -= usize::from(hit);
            hit.then(|| fault.clone())
        });
    }

    /// Waits until something was asked; false if it never is.
    pub(crate) fn waits_for(&self, what: &str) -> bool {
        let calls = lock(&self.shared.calls);
        let missing = |calls: &mut Vec<Call>| !calls.iter().any(|call| call.what() == what);
        let limit = Duration::from_secs(30);
        let waited = self.shared.asked.wait_timeout_while(calls, limit, missing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Everything goes well again.
    pub(crate) fn recover(&self) {
        self.decide(|_| None);
    }
}

fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A part of a URL without its encoding.
pub(crate) fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digit = |byte: Option<u8>| char::from(byte.unwrap_or(b'0')).to_digit(16).unwrap_or(0);
        bytes.push(if byte == b'%' {
            u8::try_from(digit(rest.next()) * 16 + digit(rest.next())).expect("two digits")
        } else {
            byte
        });
    }
    String::from_utf8(bytes).expect("it is UTF-8")
}

impl Service for Shared {
    fn answer(&self, request: &ServiceRequest<'_>) -> Option<Served> {
        let (path, query) = request.path.split_once('?').unwrap_or((request.path, ""));
        let below = self.dialect.below(path)?;
        let body: Value = serde_json::from_slice(request.body).unwrap_or_default();
        let mut call = Call {
            method: request.method.to_owned(),
            path: below.to_owned(),
            query: query.to_owned(),
            operation: self.dialect.operation(&body),
            body,
            status: 0,
            answer: Value::Null,
        };
        if !self.dialect.is_authorized(request) {
            let (status, answer) = self.dialect.unauthorized();
            return Some(self.done(call, status, answer, &[]));
        }
        let fault = (lock(&self.rule))(&call);
        match fault {
            Some(Fault::Answer(status, answer, headers)) => {
                return Some(self.done(call, status, answer, &headers));
            }
            Some(Fault::Dropped) => {
                self.log(call);
                return Some(Served::Nothing);
            }
            Some(Fault::Hang) => {
                self.log(call);
                return Some(Served::Hang);
            }
            Some(Fault::Text(status, text)) => {
                call.status = status;
                self.log(call);
                let headers = "Content-Type: text/html\r\n".to_owned();
                return Some(Served::Answer(Response { code: status, headers, body: text.into() }));
            }
            Some(Fault::Lost | Fault::Truncated) | None => {}
        }
        let (status, answer, headers) = self.serve(request, &call);
        Some(match fault {
            Some(Fault::Lost) => {
                self.log(call);
                Served::Nothing
            }
            Some(Fault::Truncated) => {
                call.status = status;
                self.log(call);
                let text = answer.to_string();
                let half = &text[..text.len() / 2];
                let head = format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\n\r\n", text.len());
                Served::Bytes(
                    format!("{head}{}", half.chars().filter(char::is_ascii).collect::<String>()).into(),
                )
            }
            _ => self.done(call, status, answer, &headers),
        })
    }

    fn repository_path(&self, path: &str) -> String {
        self.dialect.repository_path(path)
    }

    fn credentials(&self) -> &'static [&'static str] {
        self.dialect.credentials()
    }
}

impl Shared {
    /// Does what is asked, as a forge that has followed all pushes.
    fn serve(&self, request: &ServiceRequest<'_>, call: &Call) -> (u16, Value, Vec<(&'static str, String)>) {
        let mut state = lock(&self.state);
        state.follow_pushes();
        let (status, answer) = self.dialect.serve(&mut state, call, &call.query);
        let headers = self.dialect.headers(request, &mut state, call, &answer);
        state.follow_labels();
        state.merge_armed();
        (status, answer, headers)
    }

    fn log(&self, call: Call) {
        lock(&self.calls).push(call);
        self.asked.notify_all();
    }

    fn done(&self, mut call: Call, status: u16, answer: Value, headers: &[(&str, String)]) -> Served {
        let content = ("Content-Type", "application/json; charset=utf-8".to_owned());
        let all = std::iter::once(&content).chain(headers);
        let lines = all.fold(String::new(), |text, (name, value)| text + name + ": " + value + "\r\n");
        let body = if answer.is_null() { Vec::new() } else { answer.to_string().into_bytes() };
        call.status = status;
        call.answer = answer;
        self.log(call);
        Served::Answer(Response { code: status, headers: lines, body })
    }
}
