//! A git server over HTTP with authentication: `git http-backend` behind a small server on a loopback port, with a
//! log of its requests and ways to make it fail.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::git::{TestRepo, scrub};

mod service;

pub(crate) use service::{Served, Service, ServiceRequest};

/// The user that the server knows.
pub(crate) const USER: &str = "x-access-token";
/// The user's token: a text that occurs nowhere else, so that tests can search for it.
pub(crate) const TOKEN: &str = "tok-3f9d1c77e2a84b06";

/// `user:token` in base64, as it stands in a header.
pub(crate) const BASIC: &str = "eC1hY2Nlc3MtdG9rZW46dG9rLTNmOWQxYzc3ZTJhODRiMDY=";

/// One request as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// `GET` or `POST`.
    pub(crate) method: String,
    /// With the query.
    pub(crate) path: String,
    /// `git-upload-pack` or `git-receive-pack`.
    pub(crate) service: Option<String>,
    /// How many `Authorization` headers it has.
    pub(crate) authorizations: usize,
    /// Whether the server lets it in: exactly one header, with the right token.
    pub(crate) authorized: bool,
    /// `gzip`, when its body is compressed.
    pub(crate) encoding: Option<String>,
    /// Whether its body comes in chunks.
    pub(crate) chunked: bool,
}

impl Request {
    /// Whether it sends a pack to the server.
    pub(crate) fn is_push(&self) -> bool {
        self.method == "POST" && self.path.ends_with("/git-receive-pack")
    }

    /// Whether it asks for a pack, or for refs by protocol version 2.
    pub(crate) fn is_fetch(&self) -> bool {
        self.method == "POST" && self.path.ends_with("/git-upload-pack")
    }
}

/// What to do with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Pass it on to git.
    Serve,
    /// This status, with nothing done.
    Status(u16),
    /// Do it, but close the connection instead of answering: the client cannot know that it was done.
    Forget,
    /// No answer until the server is dropped.
    Hang,
}

type Rule = Box<dyn FnMut(&Request) -> Answer + Send>;

struct Shared {
    root: PathBuf,
    home: PathBuf,
    backend: PathBuf,
    log: Mutex<Vec<Request>>,
    rule: Mutex<Rule>,
    service: Option<Arc<dyn Service>>,
    stopped: AtomicBool,
    /// Wakes the hanging requests.
    stop: (Mutex<bool>, Condvar),
}

/// A running server; it ends when dropped.
pub(crate) struct GitServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: Option<JoinHandle<()>>,
}

impl GitServer {
    /// Serves the repositories that are directly in a test's directory.
    pub(crate) fn start(repo: &TestRepo) -> Self {
        Self::start_with(repo, None)
    }

    /// The same, with another service on the same port.
    pub(crate) fn start_with(repo: &TestRepo, service: Option<Arc<dyn Service>>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a loopback port is free");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            root: repo.root().to_owned(),
            home: repo.home(),
            backend: PathBuf::from(repo.remote_git().run(&["--exec-path"])).join("git-http-backend"),
            log: Mutex::default(),
            rule: Mutex::new(Box::new(|_| Answer::Serve)),
            service,
            stopped: AtomicBool::new(false),
            stop: (Mutex::new(false), Condvar::new()),
        });
        let serving = Arc::clone(&shared);
        Self { address, shared, listener: Some(std::thread::spawn(move || listen(&listener, &serving))) }
    }

    /// `host:port`.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The URL of the remote, without a user.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/remote.git", self.address)
    }

    /// The URL of the remote with user and token in it.
    pub(crate) fn url_with_token(&self) -> String {
        format!("http://{USER}:{TOKEN}@{}/remote.git", self.address)
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        lock(&self.shared.log).clone()
    }

    /// Decides about each later request that is let in; the closure may do anything meanwhile, such as moving a ref.
    pub(crate) fn decide(&self, rule: impl FnMut(&Request) -> Answer + Send + 'static) {
        *lock(&self.shared.rule) = Box::new(rule);
    }

    /// Gives another answer to the `nth` push from now, counted from 1, and to no other.
    pub(crate) fn answer_push(&self, nth: usize, answer: Answer) {
        let mut seen = 0;
        self.decide(move |request| {
            seen += usize::from(request.is_push());
            if request.is_push() && seen == nth { answer } else { Answer::Serve }
        });
    }

    /// Does something just before the server takes the `nth` push from now, counted from 1: the client has seen the
    /// refs as they were, so that this forces a lost race.
    pub(crate) fn before_push(&self, nth: usize, action: impl FnOnce() + Send + 'static) {
        let (mut seen, mut action) = (0, Some(action));
        self.decide(move |request| {
            seen += usize::from(request.is_push());
            if request.is_push()
                && seen == nth
                && let Some(action) = action.take()
            {
                action();
            }
            Answer::Serve
        });
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        *lock(&self.shared.stop.0) = true;
        self.shared.stop.1.notify_all();
        // Wakes the listener, which then sees that it is over.
        drop(TcpStream::connect(self.address));
        if let Some(listener) = self.listener.take() {
            // A failure of the server has shown itself in the client's failure already.
            let _ = listener.join();
        }
    }
}

/// A failed assertion in a rule must not hide behind a poisoned lock.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut workers = Vec::new();
    for stream in listener.incoming() {
        if shared.stopped.load(Ordering::SeqCst) {
            break;
        }
        let (Ok(stream), shared) = (stream, Arc::clone(shared)) else { continue };
        // A client that went away is its own business: the test looks at the client.
        workers.push(std::thread::spawn(move || drop(serve(&stream, &shared))));
    }
    for worker in workers {
        let _ = worker.join();
    }
}

/// One request per connection: the simplest thing that git is content with.
fn serve(stream: &TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
    // Whoever takes this server for a proxy asks for the whole address.
    let path = match path.strip_prefix("http://").and_then(|rest| rest.find('/').map(|at| &rest[at..])) {
        Some(path) => path.to_owned(),
        None => path,
    };
    let headers = read_headers(&mut reader)?;
    if headers.has("expect", "100-continue") {
        let mut writer = stream;
        writer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body = read_body(&mut reader, &headers)?;
    if let Some(service) = &shared.service {
        let asked = ServiceRequest { method: &method, path: &path, headers: &headers, body: &body };
        match service.answer(&asked) {
            Some(Served::Answer(response)) => return response.write(stream),
            Some(Served::Bytes(bytes)) => return { stream }.write_all(&bytes),
            Some(Served::Nothing) => return Ok(()),
            Some(Served::Hang) => {
                wait_for_the_end(shared);
                return Ok(());
            }
            None => {}
        }
    }
    let path = shared.service.as_ref().map_or(path.clone(), |service| service.repository_path(&path));
    let known = shared.service.as_ref().map_or([BASIC].as_slice(), |service| service.credentials());
    let request = request(method, path, &headers, known);
    lock(&shared.log).push(request.clone());
    let answer = if request.authorized { (lock(&shared.rule))(&request) } else { Answer::Status(401) };
    let response = match answer {
        Answer::Serve => run_backend(shared, &request, &headers, &body)?,
        Answer::Status(code) => Response::empty(code),
        Answer::Forget => return run_backend(shared, &request, &headers, &body).map(drop),
        Answer::Hang => {
            wait_for_the_end(shared);
            return Ok(());
        }
    };
    response.write(stream)
}

fn wait_for_the_end(shared: &Shared) {
    let mut over = lock(&shared.stop.0);
    while !*over {
        over = shared.stop.1.wait(over).unwrap_or_else(PoisonError::into_inner);
    }
}

/// Header fields by lower-case name.
pub(crate) struct Headers(BTreeMap<String, Vec<String>>);

impl Headers {
    fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// A header's first value.
    pub(crate) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).first().map(String::as_str)
    }

    fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).iter().any(|have| have.eq_ignore_ascii_case(value))
    }
}

fn read_headers(reader: &mut BufReader<&TcpStream>) -> std::io::Result<Headers> {
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(Headers(headers)) };
        headers.entry(name.to_lowercase()).or_default().push(value.trim().to_owned());
    }
}

fn read_body(reader: &mut BufReader<&TcpStream>, headers: &Headers) -> std::io::Result<Vec<u8>> {
    let mut body = Vec::new();
    if !headers.has("transfer-encoding", "chunked") {
        let length = headers.first("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        reader.take(length).read_to_end(&mut body)?;
        return Ok(body);
    }
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = u64::from_str_radix(size, 16).map_err(std::io::Error::other)?;
        reader.by_ref().take(size).read_to_end(&mut body)?;
        reader.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(body);
        }
    }
}

fn request(method: String, path: String, headers: &Headers, known: &[&str]) -> Request {
    let given = headers.all("authorization");
    let service = ["git-upload-pack", "git-receive-pack"].into_iter().find(|service| path.ends_with(service));
    Request {
        service: service.map(str::to_owned),
        authorizations: given.len(),
        authorized: given.len() == 1
            && given[0]
                .split_once(' ')
                .is_some_and(|(kind, value)| kind.eq_ignore_ascii_case("basic") && known.contains(&value)),
        encoding: headers.first("content-encoding").map(str::to_owned),
        chunked: headers.has("transfer-encoding", "chunked"),
        method,
        path,
    }
}

/// An answer.
pub(crate) struct Response {
    /// The status.
    pub(crate) code: u16,
    /// Lines that end as HTTP has it.
    pub(crate) headers: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Response {
    fn empty(code: u16) -> Self {
        let headers = if code == 401 { "WWW-Authenticate: Basic realm=\"git\"\r\n" } else { "" };
        Self { code, headers: headers.to_owned(), body: Vec::new() }
    }

    fn write(&self, mut stream: &TcpStream) -> std::io::Result<()> {
        let Self { code, headers, body } = self;
        let length = body.len();
        let head =
            format!("HTTP/1.1 {code} -\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)
    }
}

/// Runs `git http-backend`, which speaks CGI.
fn run_backend(
    shared: &Shared,
    request: &Request,
    headers: &Headers,
    body: &[u8],
) -> std::io::Result<Response> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut command = Command::new(&shared.backend);
    scrub(&mut command, &shared.home);
    command.envs([
        ("GIT_PROJECT_ROOT", shared.root.to_str().expect("it is UTF-8")),
        ("GIT_HTTP_EXPORT_ALL", "1"),
        ("REMOTE_USER", USER),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("REQUEST_METHOD", &request.method),
        ("PATH_INFO", path),
        ("QUERY_STRING", query),
        ("CONTENT_LENGTH", &body.len().to_string()),
        ("CONTENT_TYPE", headers.first("content-type").unwrap_or_default()),
        ("GIT_PROTOCOL", headers.first("git-protocol").unwrap_or_default()),
        ("HTTP_CONTENT_ENCODING", request.encoding.as_deref().unwrap_or_default()),
    ]);
    parse_cgi(&pipe_through(command, body)?)
}

fn pipe_through(mut command: Command, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut stdin = child.stdin.take().expect("stdin is piped");
    std::thread::scope(|scope| {
        // A backend that answers before it has read everything closes the pipe; its answer tells why.
        scope.spawn(move || drop(stdin.write_all(body)));
        child.wait_with_output().map(|output| output.stdout)
    })
}

fn parse_cgi(output: &[u8]) -> std::io::Result<Response> {
    let end = output.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.ok_or_else(|| std::io::Error::other("the backend's answer has no header"))?;
    let mut response = Response { code: 200, headers: String::new(), body: output[end + 4..].to_vec() };
    for line in String::from_utf8_lossy(&output[..end]).lines() {
        if let Some(status) = line.strip_prefix("Status: ") {
            response.code = status.split(' ').next().and_then(|code| code.parse().ok()).unwrap_or(500);
        } else {
            response.headers.push_str(line);
            response.headers.push_str("\r\n");
        }
    }
    Ok(response)
}

mod tests;
