//! Runs outside programs: the only place that spawns renderers. I/O.
//!
//! A program gets a cleared environment with what its caller names, no stdin, a process group of its own, a time limit
//! and an output limit. When it ends, by itself or not, its whole group is ended, so nothing that it started outlives
//! it or holds up the run by keeping a pipe open.

use std::io::{ErrorKind, Read};
use std::os::unix::process::CommandExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use camino::Utf8PathBuf;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

/// How long a program has to end by itself after it was asked to.
const GRACE: Duration = Duration::from_secs(2);
/// How long we read on after a program has ended, before what it left behind is ended too.
const LINGER: Duration = Duration::from_millis(500);
/// How often the cancel flag and the program's end are looked at while nothing is written.
const POLL: Duration = Duration::from_millis(20);

/// A program to run.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    /// The program's absolute path.
    pub(crate) program: Utf8PathBuf,
    /// Its arguments; they are visible to everyone on the machine, so no values and no secrets.
    pub(crate) arguments: Vec<String>,
    /// Its working directory.
    pub(crate) directory: Utf8PathBuf,
    /// Its whole environment.
    pub(crate) environment: Vec<(String, String)>,
}

/// What a program may use up, together with everything that it starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits<'a> {
    /// Wall time.
    pub(crate) time: Duration,
    /// Bytes on stdout and stderr together.
    pub(crate) output: u64,
    /// Ends it early when set.
    pub(crate) cancel: &'a AtomicBool,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) enum End {
    /// By itself, with exit status 0.
    Success,
    /// By itself, with another exit status.
    Failure(i32),
    /// By a signal that was not ours.
    Signal(i32),
    /// It took too long.
    TimedOut,
    /// It wrote too much.
    Flooded,
    /// The run was asked to stop.
    Cancelled,
}

/// What a program did.
#[derive(Debug)]
pub(crate) struct Finished {
    /// How it ended.
    pub(crate) end: End,
    /// All of its stdout.
    pub(crate) stdout: Vec<u8>,
    /// All of its stderr.
    pub(crate) stderr: Vec<u8>,
    /// Whether something that it started was still running after it.
    pub(crate) left_behind: bool,
}

/// Runs `invocation` to its end; an error means that it could not be started or watched.
pub(crate) fn run(invocation: &Invocation, limits: Limits<'_>) -> anyhow::Result<Finished> {
    let mut child = spawn(invocation)?;
    let result = watch(&mut child, limits);
    if result.is_err() {
        signal(&child, Signal::KILL);
        let _ = child.wait();
    }
    result
}

/// Another thread that starts a program at this moment holds a script that we just wrote open for writing until its
/// program runs; the system then calls ours busy.
fn spawn(invocation: &Invocation) -> anyhow::Result<Child> {
    let mut tries = 100;
    loop {
        tries -= 1;
        match command(invocation).spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries > 0 => {
                std::thread::sleep(Duration::from_millis(2));
            }
            result => return result.with_context(|| format!("cannot start `{}`", invocation.program)),
        }
    }
}

fn command(invocation: &Invocation) -> Command {
    let mut command = Command::new(&invocation.program);
    command
        .args(&invocation.arguments)
        .current_dir(&invocation.directory)
        .env_clear()
        .envs(invocation.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    command
}

fn watch(child: &mut Child, limits: Limits<'_>) -> anyhow::Result<Finished> {
    let (sender, events) = channel();
    let budget = Arc::new(AtomicU64::new(limits.output));
    let stdout = child.stdout.take().context("the program has no stdout")?;
    let stderr = child.stderr.take().context("the program has no stderr")?;
    let stdout = collect(stdout, Arc::clone(&budget), sender.clone());
    let stderr = collect(stderr, budget, sender);

    let mut stop = wait_for_end(child, limits, &events)?;
    if stop.reason.is_some() {
        ask_to_end(child)?;
    } else {
        stop.drain(&events, LINGER);
    }
    let left_behind = stop.reason.is_none() && stop.open > 0;
    // The program is not reaped yet, so its id still names its group and nobody else's.
    signal(child, Signal::KILL);
    let status = child.wait().context("cannot learn how the program ended")?;
    stop.drain(&events, LINGER);
    let end = stop.reason.unwrap_or_else(|| end_of(status));
    Ok(Finished { end, stdout: taken(&stdout), stderr: taken(&stderr), left_behind })
}

/// What a reader tells the watcher.
enum Event {
    Closed,
    Flooded,
}

/// Why watching stopped, if not because the program ended by itself, and how many pipes are open.
struct Stop {
    reason: Option<End>,
    open: usize,
}

impl Stop {
    /// Waits until every pipe is closed, at most for `patience`.
    fn drain(&mut self, events: &Receiver<Event>, patience: Duration) {
        let deadline = Instant::now() + patience;
        while self.open > 0 {
            match events.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(event) => self.take(&event),
                Err(_) => return,
            }
        }
    }

    fn take(&mut self, event: &Event) {
        self.open -= 1;
        if matches!(event, Event::Flooded) && self.reason.is_none() {
            self.reason = Some(End::Flooded);
        }
    }
}

fn wait_for_end(child: &Child, limits: Limits<'_>, events: &Receiver<Event>) -> anyhow::Result<Stop> {
    let started = Instant::now();
    let mut stop = Stop { reason: None, open: 2 };
    let mut pause = Duration::from_micros(200);
    loop {
        if stop.open == 0 {
            // With both pipes closed the end is near; it is looked for closely, then less and less.
            std::thread::sleep(pause);
            pause = (pause * 2).min(POLL);
        } else if let Ok(event) = events.recv_timeout(POLL) {
            stop.take(&event);
        }
        if stop.reason.is_some() || has_ended(child)? {
            return Ok(stop);
        }
        if limits.cancel.load(Ordering::Relaxed) {
            stop.reason = Some(End::Cancelled);
        } else if started.elapsed() >= limits.time {
            stop.reason = Some(End::TimedOut);
        }
        if stop.reason.is_some() {
            return Ok(stop);
        }
    }
}

/// Asks the group to end and gives it a little time to clean up.
fn ask_to_end(child: &Child) -> anyhow::Result<()> {
    signal(child, Signal::TERM);
    let asked = Instant::now();
    while !has_ended(child)? && asked.elapsed() < GRACE {
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// Whether the program has ended; it stays a zombie until it is waited for, which keeps its id from being reused.
fn has_ended(child: &Child) -> anyhow::Result<bool> {
    let Some(pid) = pid_of(child) else { return Ok(true) };
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(pid), options).context("cannot watch the program")?.is_some())
}

fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = pid_of(child) {
        // It fails only when the whole group is gone, which is what is wanted.
        let _ = kill_process_group(pid, signal);
    }
}

fn pid_of(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(0), _) => End::Success,
        (Some(code), _) => End::Failure(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

type Collected = Arc<Mutex<Vec<u8>>>;

/// Reads `pipe` to its end on a thread of its own, which nobody waits for: a process that left the group could keep
/// the pipe open for ever.
fn collect(mut pipe: impl Read + Send + 'static, budget: Arc<AtomicU64>, events: Sender<Event>) -> Collected {
    let collected = Collected::default();
    let into = Arc::clone(&collected);
    std::thread::spawn(move || {
        let mut buffer = vec![0; 64 * 1024];
        let event = loop {
            let Ok(count) = read(&mut pipe, &mut buffer) else { break Event::Closed };
            if count == 0 {
                break Event::Closed;
            }
            if !spend(&budget, count) {
                break Event::Flooded;
            }
            into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&buffer[..count]);
        };
        // Nobody listens any more once the program has been given up.
        let _ = events.send(event);
    });
    collected
}

fn read(pipe: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    loop {
        match pipe.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

fn spend(budget: &AtomicU64, count: usize) -> bool {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(count)).is_ok()
}

fn taken(collected: &Collected) -> Vec<u8> {
    std::mem::take(&mut *collected.lock().unwrap_or_else(PoisonError::into_inner))
}
