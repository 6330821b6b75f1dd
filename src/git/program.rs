//! The git program as a child: a scrubbed environment, no prompts, no hooks, its messages without secrets.
//!
//! Does I/O: the only place of this crate besides the renderers that starts a process.

use std::io::{ErrorKind, Read, Write as _};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use camino::Utf8Path;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::login::Credential;
use crate::error::Failure;
use crate::secret::without_userinfo;
use crate::variables::Variables;

/// What git may see of our environment: where it finds programs, the user's own git configuration, certificates,
/// proxies and ssh. Everything else of `GIT_*` (directories, traces, indexes, identities) stays out.
const PASSED_ON: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_NO_VERIFY",
    "GIT_ASKPASS",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_EXEC_PATH",
];

/// Settings for every call. A checkout may belong to another user (container jobs): it is only read.
const SETTINGS: &[(&str, &str)] = &[
    ("safe.directory", "*"),
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("fetch.fsckObjects", "false"),
    ("push.recurseSubmodules", "no"),
    ("push.followTags", "false"),
    ("push.gpgSign", "false"),
    ("protocol.version", "2"),
    ("http.lowSpeedLimit", "1"),
    ("http.lowSpeedTime", "120"),
];

/// How the git program is started.
#[derive(Clone, Debug)]
pub struct GitProgram {
    variables: Vec<(String, String)>,
    inherited_settings: Vec<(String, String)>,
    credential: Option<Credential>,
    time_limit: Duration,
    stop: Arc<AtomicBool>,
}

/// What a finished call said.
#[derive(Debug)]
pub struct Output {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error, redacted.
    pub stderr: String,
}

impl GitProgram {
    /// Prepares calls with the parts of `variables` that git may see. Raising `stop` ends the call that is running.
    pub fn new(variables: &Variables, stop: Arc<AtomicBool>) -> Self {
        let passed =
            PASSED_ON.iter().filter_map(|name| Some(((*name).to_owned(), variables.get(name)?.to_owned())));
        Self {
            variables: passed.collect(),
            inherited_settings: certificates_of(variables)
                .into_iter()
                .chain(settings_of(variables))
                .collect(),
            credential: None,
            time_limit: Duration::from_secs(15 * 60),
            stop,
        }
    }

    /// The same program with a credential for one remote.
    #[must_use]
    pub fn with_credential(mut self, credential: Option<Credential>) -> Self {
        self.credential = credential;
        self
    }

    /// Runs git in `directory`; an exit status other than 0 is an answer too.
    pub fn run(&self, directory: &Utf8Path, arguments: &[&str], input: &[u8]) -> Result<Output> {
        let what = || format!("cannot run `git {}`", verb(arguments));
        let mut child = self.command(directory, arguments).spawn().map_err(|error| {
            Failure::git(format!("{}: {error}", what())).hint("install git 2.35 or newer and put it on PATH")
        })?;
        let stdin = child.stdin.take();
        let input = input.to_vec();
        // Nobody waits for it: it ends with git, or with whoever still holds the other end.
        drop(std::thread::spawn(move || stdin.map(|mut pipe| pipe.write_all(&input))));
        let mut stdout = Pipe::new(child.stdout.take())?;
        let mut stderr = Pipe::new(child.stderr.take())?;
        let status = self.wait(&mut child, &mut stdout, &mut stderr).with_context(what)?;
        let (stdout, stderr) = (stdout.bytes, stderr.bytes);
        Ok(Output { status, stdout, stderr: self.redact(&String::from_utf8_lossy(&stderr)) })
    }

    /// Runs git and returns its standard output; any other exit status is a failure with git's own words.
    pub fn expect(&self, directory: &Utf8Path, arguments: &[&str], input: &[u8]) -> Result<Vec<u8>> {
        let output = self.run(directory, arguments, input)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        Err(Failure::git(format!("`git {}` failed: {}", verb(arguments), output.words())).into())
    }

    /// `text` without the token and without user information in URLs.
    pub fn redact(&self, text: &str) -> String {
        let text = without_userinfo(text);
        match &self.credential {
            Some(credential) => credential.encoded.redact(&credential.token.redact(&text)),
            None => text,
        }
    }

    fn command(&self, directory: &Utf8Path, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.env("LC_ALL", "C").env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0");
        command.envs(self.settings());
        command.current_dir(directory).args(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        command
    }

    /// Settings go by environment: they win over every file, and the token stays out of argv and of the disk.
    fn settings(&self) -> Vec<(String, String)> {
        let own = SETTINGS.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let mut settings: Vec<_> = self.inherited_settings.iter().cloned().chain(own).collect();
        if let Some(credential) = &self.credential {
            // An empty value resets the list: a header left in the checkout's configuration would be sent as well.
            let key = format!("http.{}.extraheader", credential.url);
            settings.push(("http.extraheader".to_owned(), String::new()));
            settings.push((key.clone(), String::new()));
            settings.push((key, format!("Authorization: Basic {}", credential.encoded.reveal())));
        }
        let mut variables = vec![("GIT_CONFIG_COUNT".to_owned(), settings.len().to_string())];
        for (index, (key, value)) in settings.into_iter().enumerate() {
            variables.push((format!("GIT_CONFIG_KEY_{index}"), key));
            variables.push((format!("GIT_CONFIG_VALUE_{index}"), value));
        }
        variables
    }

    /// Waits for git itself. What it wrote is in the pipes when it has ended, and is read then; a helper that it left
    /// behind, such as a credential cache or a shared ssh connection, may keep them open for as long as it likes.
    fn wait(
        &self,
        child: &mut Child,
        stdout: &mut Pipe<ChildStdout>,
        stderr: &mut Pipe<ChildStderr>,
    ) -> Result<ExitStatus> {
        let deadline = Instant::now() + self.time_limit;
        let mut pause = Duration::from_micros(200);
        loop {
            let ended = child.try_wait()?;
            let has_read = [stdout.read_what_is_there(), stderr.read_what_is_there()].contains(&true);
            if let Some(status) = ended {
                return Ok(status);
            }
            if has_read {
                pause = Duration::from_micros(200);
            }
            if self.stop.load(Ordering::Relaxed) || Instant::now() > deadline {
                end_group(child);
                let why = if self.stop.load(Ordering::Relaxed) {
                    "stopped by a signal"
                } else {
                    "no answer in time"
                };
                return Err(Failure::git(why).into());
            }
            wait_for_either(stdout, stderr, pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
    }
}

/// The command among git's arguments: what comes after the settings.
fn verb<'a>(arguments: &[&'a str]) -> &'a str {
    let settings = arguments.chunks(2).take_while(|pair| pair.first() == Some(&"-c")).count();
    arguments.get(settings * 2).copied().unwrap_or_default()
}

impl Output {
    /// What git said, on one line, for a message.
    pub fn words(&self) -> String {
        let lines: Vec<&str> = self.stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        if lines.is_empty() { self.status.to_string() } else { lines.join("; ") }
    }
}

/// What GitLab's runner trusts its server by is for that server alone; `GIT_SSL_CAINFO` wins over it.
fn certificates_of(variables: &Variables) -> Option<(String, String)> {
    let server = variables.get("CI_SERVER_URL")?.trim_end_matches('/');
    let file = variables.get("CI_SERVER_TLS_CA_FILE")?;
    Some((format!("http.{server}/.sslCAInfo"), file.to_owned()))
}

/// `GIT_CONFIG_COUNT` and its pairs are the user's settings for this job: they stay, before ours.
fn settings_of(variables: &Variables) -> Vec<(String, String)> {
    let count = variables
        .get("GIT_CONFIG_COUNT")
        .and_then(|count| count.parse::<usize>().ok())
        .unwrap_or(0)
        .min(1000);
    let pair = |index| {
        let key = variables.get(&format!("GIT_CONFIG_KEY_{index}"))?;
        Some((
            key.to_owned(),
            variables.get(&format!("GIT_CONFIG_VALUE_{index}")).unwrap_or_default().to_owned(),
        ))
    };
    (0..count).filter_map(pair).collect()
}

/// One end of a pipe that is read without waiting.
struct Pipe<R> {
    end: Option<R>,
    bytes: Vec<u8>,
}

impl<R: Read + AsFd> Pipe<R> {
    fn new(end: Option<R>) -> Result<Self> {
        if let Some(end) = &end {
            let flags = fcntl_getfl(end).context("cannot prepare a pipe")?;
            fcntl_setfl(end, flags | OFlags::NONBLOCK).context("cannot prepare a pipe")?;
        }
        Ok(Self { end, bytes: Vec::new() })
    }

    /// Whether there was anything. A pipe that breaks has given what it had; the exit status tells the rest.
    fn read_what_is_there(&mut self) -> bool {
        let before = self.bytes.len();
        let Some(end) = &mut self.end else { return false };
        match end.read_to_end(&mut self.bytes) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            _ => self.end = None,
        }
        self.bytes.len() > before
    }
}

/// Waits until one of the pipes has something or is closed, `time` at most.
fn wait_for_either(stdout: &Pipe<ChildStdout>, stderr: &Pipe<ChildStderr>, time: Duration) {
    let ends = [stdout.end.as_ref().map(AsFd::as_fd), stderr.end.as_ref().map(AsFd::as_fd)];
    let mut waiting: Vec<PollFd<'_>> =
        ends.into_iter().flatten().map(|end| PollFd::from_borrowed_fd(end, PollFlags::IN)).collect();
    let time = Timespec::try_from(time).ok();
    // A signal that interrupts it is looked at by the caller.
    if waiting.is_empty() || rustix::event::poll(&mut waiting, time.as_ref()).is_err() {
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn end_group(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        // It may have ended by itself a moment ago.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    drop(child.wait());
}
