//! Runs a program as a user's shell or a CI job would, with nothing of this machine's environment, and with a time
//! limit after which it and all its children are killed.

use std::io::{Read, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::git::{TestRepo, scrub};
use super::http::{BASIC, TOKEN};
use super::tools;

/// Far more than any run takes; a test that hits it has found a hang.
const LIMIT: Duration = Duration::from_secs(120);

/// The built program.
pub(crate) const HYDRATOR: &str = env!("CARGO_BIN_EXE_hydrator");

/// A program to run.
pub(crate) struct Run {
    command: Command,
    limit: Duration,
}

impl Run {
    /// A program with a scrubbed environment, its own home, and the outside tools first in its path.
    pub(crate) fn program(program: impl AsRef<Path>, home: &Path) -> Self {
        use std::os::unix::process::CommandExt as _;
        let mut command = Command::new(program.as_ref());
        scrub(&mut command, home);
        command.env("PATH", tools::search_path()).stdin(Stdio::null());
        command.process_group(0);
        Self { command, limit: LIMIT }
    }

    /// hydrator in the work clone of a repository.
    pub(crate) fn hydrator(repo: &TestRepo) -> Self {
        Self::program(HYDRATOR, &repo.home()).directory(&repo.work())
    }

    /// Adds arguments.
    pub(crate) fn arguments<S: AsRef<std::ffi::OsStr>>(
        mut self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Self {
        self.command.args(arguments);
        self
    }

    /// Runs it in another directory.
    pub(crate) fn directory(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Adds a variable.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable away, such as `PATH`.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Another time limit.
    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Runs it to its end.
    pub(crate) fn run(self) -> Outcome {
        self.start().wait()
    }

    /// Starts it.
    pub(crate) fn start(mut self) -> Running {
        let shown = format!("{:?}", self.command.get_program());
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            self.command.spawn().unwrap_or_else(|error| panic!("{shown} does not start: {error}"));
        let stdout = read_all(child.stdout.take().expect("stdout is piped"));
        let stderr = read_all(child.stderr.take().expect("stderr is piped"));
        Running { group: group_of(&child), child, stdout, stderr, limit: self.limit }
    }
}

/// Writes a shell script, without its first line, that can be run. Another process writes it: were it open for writing
/// here, a program that is started elsewhere at this moment would hold it open too, and it could not be run ("Text file
/// busy").
pub(crate) fn write_script(path: &Path, script: &str) {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "mkdir -p \"${1%/*}\" && cat >\"$1\" && chmod 755 \"$1\"", "sh"]).arg(path);
    let mut shell = shell.stdin(Stdio::piped()).spawn().expect("a shell starts");
    let mut stdin = shell.stdin.take().expect("stdin is piped");
    stdin.write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).expect("the shell reads");
    drop(stdin);
    assert!(shell.wait().expect("the shell ends").success(), "{} is not written", path.display());
}

fn group_of(child: &Child) -> Pid {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a child has a process id")
}

fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe can be read");
        bytes
    })
}

/// A program that runs.
#[must_use]
pub(crate) struct Running {
    child: Child,
    group: Pid,
    stdout: JoinHandle<Vec<u8>>,
    stderr: JoinHandle<Vec<u8>>,
    limit: Duration,
}

impl Running {
    /// Signals the program alone, not its children, as a CI runner does.
    pub(crate) fn signal(&self, signal: Signal) {
        rustix::process::kill_process(self.group, signal).expect("it still runs");
    }

    /// The same, unless it has ended.
    pub(crate) fn signal_if_running(&self, signal: Signal) {
        let _ = rustix::process::kill_process(self.group, signal);
    }

    /// Its process id.
    pub(crate) fn pid(&self) -> Pid {
        self.group
    }

    /// Waits for its end and the end of everything that holds its pipes, at most for the limit.
    pub(crate) fn wait(mut self) -> Outcome {
        let (ended, end) = mpsc::channel::<()>();
        let (group, limit) = (self.group, self.limit);
        let guard = std::thread::spawn(move || {
            let late = end.recv_timeout(limit) == Err(mpsc::RecvTimeoutError::Timeout);
            if late {
                // It may end at this very moment; then there is nobody to kill.
                let _ = kill_process_group(group, Signal::KILL);
            }
            late
        });
        let status = self.child.wait().expect("a child can be waited for");
        let stdout = self.stdout.join().expect("reading ends");
        let stderr = self.stderr.join().expect("reading ends");
        drop(ended);
        let late = guard.join().expect("the guard ends");
        let outcome = Outcome { code: status.code(), late, stdout: text(stdout), stderr: text(stderr) };
        outcome.holds_no_token();
        outcome
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// How a program ended. Every outcome must be looked at.
#[must_use = "say how it must have ended: `.success()` or `.code(n)`"]
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    code: Option<i32>,
    late: bool,
    stdout: String,
    stderr: String,
}

impl Outcome {
    /// Fails if the token can be read in it: so that every log of every test is looked at.
    fn holds_no_token(&self) {
        for secret in [TOKEN, BASIC] {
            let seen = self.stdout.contains(secret) || self.stderr.contains(secret);
            assert!(!seen, "the token is in the output");
        }
    }

    /// Fails unless the exit code is 0.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        self.code(0)
    }

    /// Fails unless the exit code is this one.
    #[track_caller]
    pub(crate) fn code(self, wanted: i32) -> Self {
        assert!(!self.late, "it was killed at its time limit\n{}", self.shown());
        assert_eq!(self.code, Some(wanted), "exit code\n{}", self.shown());
        self
    }

    /// Fails unless a signal ended it.
    #[track_caller]
    pub(crate) fn killed(self) -> Self {
        assert!(!self.late, "it was killed at its time limit\n{}", self.shown());
        assert_eq!(self.code, None, "it should have been ended by a signal\n{}", self.shown());
        self
    }

    /// The exit code; nothing when a signal ended it.
    pub(crate) fn exit_code(&self) -> Option<i32> {
        self.code
    }

    /// Its data.
    pub(crate) fn stdout(&self) -> &str {
        &self.stdout
    }

    /// Its talk.
    pub(crate) fn stderr(&self) -> &str {
        &self.stderr
    }

    /// Its data as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("stdout is not JSON: {error}\n{}", self.shown()))
    }

    /// The same with a temporary directory's path replaced, in stdout and stderr.
    pub(crate) fn normalised(&self, root: &Path, name: &str) -> Self {
        let replace = |text: &str| text.replace(root.to_str().expect("it is UTF-8"), name);
        Self { stdout: replace(&self.stdout), stderr: replace(&self.stderr), ..self.clone() }
    }

    fn shown(&self) -> String {
        format!("--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
    }
}

mod tests {
    use super::*;

    fn shell(script: &str) -> Run {
        Run::program("/bin/sh", Path::new("/nonexistent")).arguments(["-c", script])
    }

    #[test]
    fn tells_code_and_both_streams_apart() {
        let outcome = shell("echo out; echo err >&2; exit 3").run().code(3);
        assert_eq!((outcome.stdout(), outcome.stderr(), outcome.exit_code()), ("out\n", "err\n", Some(3)));
        let outcome = shell("pwd; pwd >&2")
            .directory(Path::new("/tmp"))
            .run()
            .success()
            .normalised(Path::new("/tmp"), "<x>");
        assert_eq!((outcome.stdout(), outcome.stderr()), ("<x>\n", "<x>\n"));
        assert_eq!(shell("echo '[1]'").run().success().json(), serde_json::json!([1]));
    }

    #[test]
    fn environment_is_only_what_is_given() {
        let outcome = shell("env | cut -d= -f1 | sort | tr '\\n' ' '")
            .variable("EXTRA", "1")
            .without("TZ")
            .run()
            .success();
        assert_eq!(outcome.stdout(), "EXTRA GIT_CONFIG_NOSYSTEM GIT_TERMINAL_PROMPT HOME LC_ALL PATH PWD ");
        let outcome = shell("command -v helm3").run().success();
        assert_eq!(Path::new(outcome.stdout().trim_end()), tools::program("helm3"));
    }

    #[test]
    #[should_panic(expected = "exit code")]
    fn a_wrong_code_fails() {
        _ = shell("exit 1").run().success();
    }

    #[test]
    #[should_panic(expected = "killed at its time limit")]
    fn a_hanging_program_is_killed() {
        _ = shell("sleep 1000").limit(Duration::from_millis(50)).run().success();
    }

    #[test]
    #[should_panic(expected = "killed at its time limit")]
    fn a_grandchild_that_holds_the_pipe_is_killed() {
        _ = shell("sleep 1000 & exit 0").limit(Duration::from_millis(50)).run().success();
    }

    #[test]
    fn a_signal_reaches_it() {
        let running = shell("kill -STOP $$; exit 0").start();
        running.signal(Signal::KILL);
        _ = running.wait().killed();
    }

    #[test]
    fn hydrator_is_the_built_program() {
        let repo = TestRepo::new();
        let outcome = Run::hydrator(&repo).arguments(["--version"]).run();
        assert!(outcome.exit_code().is_some(), "{outcome:?}");
    }
}
