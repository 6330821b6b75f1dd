//! Killed at any moment, the next run leads to exactly the state of an undisturbed one; asked to end, a run cleans up;
//! programs that hang or leave something behind do not hold it up.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::command::{Outcome, Run, write_script};
use crate::support::git::TestRepo;
use crate::support::http::{Answer, GitServer, TOKEN};
use crate::support::hydrating::{Meaning, RemoteState};
use crate::support::processes::processes_of;
use crate::support::project;

/// A remote where a run has everything to do: open, update, close, leave.
fn much_to_do() -> TestRepo {
    let repo = TestRepo::with_files(&project::embedded());
    _ = repo.hydration().run().success();
    repo.merge_pull_request("hydrator/dev-next");
    repo.merge_pull_request("hydrator/staging-next");
    let namespace = |name: &str| format!("apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {name}\n");
    repo.write("plain/dev/namespace.yaml", &namespace("shop-dev-2"));
    repo.write("plain/staging/namespace.yaml", &namespace("shop-staging-2"));
    repo.commit("Rename two");
    _ = repo.hydration().run().success();
    // Staging goes back, dev goes on, prod's proposal changes.
    repo.write("plain/staging/namespace.yaml", &namespace("shop-staging"));
    repo.write("plain/dev/namespace.yaml", &namespace("shop-dev-3"));
    repo.write("plain/prod/namespace.yaml", &namespace("shop-prod-3"));
    repo.commit("Rename one back, the others on");
    repo
}

/// A remote where nothing is there yet.
fn fresh() -> TestRepo {
    TestRepo::with_files(&project::embedded())
}

/// The state of an undisturbed run, from the state that the remote has; it is put back.
fn undisturbed(repo: &TestRepo) -> (RemoteState, Meaning) {
    let before = repo.state();
    _ = repo.hydration().run().success();
    let wanted = repo.meaning();
    repo.restore(&before);
    (before, wanted)
}

/// A process to kill, which a thread learns of once it is started.
#[derive(Clone, Default)]
struct Victim {
    pid: Arc<OnceLock<Pid>>,
    killed: Arc<AtomicBool>,
}

impl Victim {
    /// Kills it once it is known; waits for that. Once only: after that its id may be another process's.
    fn kill(&self) {
        if self.killed.swap(true, Ordering::SeqCst) {
            return;
        }
        let pid = self.pid.wait();
        // It may have ended by itself, and is waited for only later.
        let _ = kill_process(*pid, Signal::KILL);
    }
}

fn over_http(repo: &TestRepo, server: &GitServer) -> Run {
    repo.hydration().arguments(["--remote", &server.url()]).variable("HYDRATOR_TOKEN", TOKEN)
}

/// Kills a run at its nth request: before the server does what it is asked, or after.
fn kill_at_request(repo: &TestRepo, server: &GitServer, nth: usize, is_done: bool) -> Outcome {
    let victim = Victim::default();
    let (target, mut seen) = (victim.clone(), 0);
    server.decide(move |_| {
        seen += 1;
        if seen < nth {
            return Answer::Serve;
        }
        target.kill();
        if is_done { Answer::Forget } else { Answer::Status(503) }
    });
    let running = over_http(repo, server).start();
    victim.pid.set(running.pid()).unwrap();
    let outcome = running.wait();
    server.decide(|_| Answer::Serve);
    outcome
}

/// Kills runs at every request that one makes, until one is not reached.
fn kill_everywhere(repo: &TestRepo) {
    let server = GitServer::start(repo);
    // Over HTTP the metadata names the server: the state to reach is that of a run over HTTP.
    let before = repo.state();
    _ = over_http(repo, &server).run().success();
    let wanted = repo.meaning();
    let mut killed = 0;
    for is_done in [false, true] {
        for nth in 1.. {
            repo.restore(&before);
            if kill_at_request(repo, &server, nth, is_done).exit_code().is_some() {
                break;
            }
            killed += 1;
            _ = over_http(repo, &server).run().success();
            assert_eq!(repo.meaning(), wanted, "killed at request {nth}, done: {is_done}");
        }
    }
    assert!(killed >= 8, "only {killed} runs were killed");
}

#[test]
fn killed_at_any_request_of_a_first_run_the_next_one_converges() {
    kill_everywhere(&fresh());
}

#[test]
fn killed_at_any_request_of_a_run_with_much_to_do_the_next_one_converges() {
    kill_everywhere(&much_to_do());
}

/// Kills the hydrator that a hook of the remote works for: the hook looks for it among its ancestors.
const KILL_ANCESTOR: &str = "process=$$
while [ \"$process\" -gt 1 ]; do
  [ \"$(cat /proc/$process/comm)\" != hydrator ] || { kill -KILL \"$process\"; break; }
  process=$(sed 's/.*) . //; s/ .*//' /proc/$process/stat)
done";

#[test]
fn killed_in_a_hook_of_the_push_the_next_run_converges() {
    for repo in [fresh(), much_to_do()] {
        let (before, wanted) = undisturbed(&repo);
        for (hook, then) in [("pre-receive", "exit 0"), ("pre-receive", "exit 1"), ("post-receive", "exit 0")]
        {
            repo.restore(&before);
            repo.hook(hook, &format!("{KILL_ANCESTOR}\n{then}"));
            _ = repo.hydration().run().killed();
            wait_for_orphans(&repo);
            std::fs::remove_file(repo.remote().join("hooks").join(hook)).unwrap();
            _ = repo.hydration().run().success();
            assert_eq!(repo.meaning(), wanted, "killed in {hook}, {then}");
        }
    }
}

/// The command lines of the test's processes.
fn commands_of(repo: &TestRepo) -> Vec<String> {
    let command = |path: PathBuf| std::fs::read_to_string(path.join("cmdline")).unwrap_or_default();
    processes_of(repo.root()).into_iter().map(command).collect()
}

/// Waits until no process of the test is left: what a killed run had started may go on for a moment.
fn wait_for_orphans(repo: &TestRepo) {
    for _ in 0..2000 {
        if processes_of(repo.root()).is_empty() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("still running: {:?}", commands_of(repo));
}

#[test]
fn killed_between_the_push_and_the_forge_the_next_run_converges() {
    for repo in [fresh(), much_to_do()] {
        let (before, wanted) = undisturbed(&repo);
        repo.restore(&before);
        let held = hold_forge_after_the_push(&repo);
        let running = repo.hydration().start();
        wait_until(|| waits_for_a_lock(running.pid()) && repo.refs() != before.refs);
        running.signal(Signal::KILL);
        _ = running.wait().killed();
        drop(held);
        std::fs::remove_file(repo.remote().join("hooks/post-receive")).unwrap();
        assert_ne!(repo.refs(), before.refs, "it had pushed");
        assert_eq!(repo.state().forge, before.forge, "and not told the forge");
        _ = repo.hydration().run().success();
        assert_eq!(repo.meaning(), wanted);
    }
}

/// Waits for something that is about to happen; the limit is only there so that a defect does not hang the tests.
#[track_caller]
fn wait_until(happened: impl Fn() -> bool) {
    for _ in 0..6000 {
        if happened() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it did not happen");
}

fn waits_for_a_lock(process: Pid) -> bool {
    let locks = std::fs::read_to_string("/proc/locks").unwrap();
    let process = process.as_raw_nonzero().to_string();
    locks.lines().any(|line| line.contains("->") && line.split_whitespace().any(|word| word == process))
}

#[test]
fn killed_between_two_pull_requests_the_next_run_converges() {
    let repo = fresh();
    let (before, wanted) = undisturbed(&repo);
    let count = |repo: &TestRepo| repo.pull_requests().as_array().map_or(0, Vec::len);
    for open in 1..=3 {
        repo.restore(&before);
        let running = repo.hydration().start();
        while count(&repo) < open {
            std::thread::yield_now();
        }
        running.signal_if_running(Signal::KILL);
        _ = running.wait().exit_code();
        _ = repo.hydration().run().success();
        assert_eq!(repo.meaning(), wanted, "killed after pull request {open}");
    }
    // What such a kill leaves, for certain: the branches, and the first pull requests.
    for left in 0..=3 {
        repo.restore(&before);
        _ = repo.hydration().run().success();
        let mut state = repo.state();
        let mut forge: serde_json::Value = serde_json::from_str(state.forge.as_ref().unwrap()).unwrap();
        forge["pullRequests"].as_array_mut().unwrap().truncate(left);
        state.forge = Some(forge.to_string());
        repo.restore(&state);
        _ = repo.hydration().run().success();
        assert_eq!(repo.meaning(), wanted, "{left} pull requests were left");
    }
}

#[test]
fn killed_between_the_steps_of_taking_a_proposal_back_a_newer_commit_still_gets_it() {
    // Closed by us, with the branch still there: no person rejected it.
    let repo = much_to_do();
    let wish = repo.work_git().run(&["show", "HEAD~1:plain/staging/namespace.yaml"]);
    let server = GitServer::start(&repo);
    let victim = Victim::default();
    let (target, mut pushes) = (victim.clone(), 0);
    server.decide(move |request| {
        pushes += usize::from(request.is_push());
        if pushes < 2 {
            return Answer::Serve;
        }
        target.kill();
        Answer::Status(503)
    });
    let running = over_http(&repo, &server).start();
    victim.pid.set(running.pid()).unwrap();
    _ = running.wait().killed();
    server.decide(|_| Answer::Serve);
    assert_eq!(repo.open_pull_request("hydrator/staging-next"), None, "it was closed");
    repo.write("plain/staging/namespace.yaml", &format!("{wish}\n"));
    repo.commit("Want it after all");
    _ = over_http(&repo, &server).run().success();
    let open = repo.open_pull_request("hydrator/staging-next");
    assert!(open.is_some(), "nothing is offered: {:#}", repo.pull_requests());
    assert!(repo.show("hydrator/staging-next", "plain/manifest.yaml").contains("shop-staging-2"));
}

/// A project whose one target runs a script; what the script tells goes to a file.
fn with_script(script: &str) -> (TestRepo, PathBuf) {
    let repo = TestRepo::new();
    let said = repo.root().join("said");
    let configuration = format!(
        "version: 1\ndryBranch: main\nenvironments: [{{name: dev}}]\ntargets:\n  - path: app\n    name: app\n    command: [sh, ./render.sh, '{}']\n",
        said.display()
    );
    repo.write("hydrator.yaml", &configuration);
    repo.write("app/render.sh", script);
    repo.commit("Render by a script");
    (repo, said)
}

fn with_temporary(repo: &TestRepo, run: Run) -> (Run, PathBuf) {
    let temporary = repo.root().join("temporary");
    std::fs::create_dir_all(&temporary).unwrap();
    (run.variable("TMPDIR", temporary.to_str().unwrap()), temporary)
}

/// Nothing is left: no process, no file.
#[track_caller]
fn nothing_left(repo: &TestRepo, temporary: &Path) {
    assert_eq!(commands_of(repo), Vec::<String>::new());
    let left: Vec<_> = std::fs::read_dir(temporary).unwrap().flatten().map(|entry| entry.path()).collect();
    assert_eq!(left, Vec::<PathBuf>::new(), "left in the temporary directory");
}

/// The processes of a script and of what it started.
#[track_caller]
fn all_gone(said: &Path) {
    for process in std::fs::read_to_string(said).unwrap().split_whitespace() {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
        assert!(stat.is_empty() || stat.contains(") Z "), "{process} still runs: {stat}");
    }
}

const STUBBORN: &str =
    "trap '' TERM\nsleep 1000 & one=$!\nsleep 1000 & two=$!\necho $$ $one $two >\"$1\"\nwait\nsleep 1000\n";

#[test]
fn a_signal_ends_renderers_with_all_their_children_and_leaves_nothing() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let (repo, said) = with_script(STUBBORN);
        let before = repo.refs();
        let (run, temporary) = with_temporary(&repo, repo.hydration());
        let running = run.start();
        wait_until(|| std::fs::read_to_string(&said).is_ok_and(|text| text.ends_with('\n')));
        running.signal(signal);
        let outcome = running.wait();
        assert!(!matches!(outcome.exit_code(), Some(0) | None), "{signal:?}: {outcome:?}");
        all_gone(&said);
        nothing_left(&repo, &temporary);
        assert_eq!(repo.refs(), before);
    }
}

#[test]
fn a_signal_ends_git_and_leaves_nothing() {
    let repo = fresh();
    let server = GitServer::start(&repo);
    for service in ["git-upload-pack", "git-receive-pack"] {
        let before = repo.state();
        let (waiting, waits) = mpsc::channel();
        server.decide(move |request| {
            if request.service.as_deref() != Some(service) {
                return Answer::Serve;
            }
            // Nobody listens any more when git asks again.
            let _ = waiting.send(());
            Answer::Hang
        });
        let (run, temporary) = with_temporary(&repo, over_http(&repo, &server));
        let running = run.start();
        waits.recv_timeout(Duration::from_secs(60)).expect("git asks the server");
        running.signal(Signal::TERM);
        let outcome = running.wait();
        assert!(!matches!(outcome.exit_code(), Some(0) | None), "{service}: {outcome:?}");
        assert!(outcome.stderr().contains("stopped by a signal"), "{service}: {outcome:?}");
        nothing_left(&repo, &temporary);
        assert_eq!(repo.state(), before);
    }
}

#[test]
fn a_signal_after_the_push_is_no_success() {
    let repo = fresh();
    let (before, wanted) = undisturbed(&repo);
    let lock = hold_forge_after_the_push(&repo);
    let (run, temporary) = with_temporary(&repo, repo.hydration());
    let running = run.start();
    wait_until(|| waits_for_a_lock(running.pid()) && repo.refs() != before.refs);
    running.signal(Signal::TERM);
    drop(lock);
    let outcome = running.wait();
    assert!(!matches!(outcome.exit_code(), Some(0) | None), "{outcome:?}");
    wait_for_orphans(&repo);
    nothing_left(&repo, &temporary);
    std::fs::remove_file(repo.remote().join("hooks/post-receive")).unwrap();
    _ = repo.hydration().run().success();
    assert_eq!(repo.meaning(), wanted);
}

/// Holds the forge's lock from the push on, until the value is dropped.
struct Held(PathBuf);

impl Drop for Held {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.0));
    }
}

fn hold_forge_after_the_push(repo: &TestRepo) -> Held {
    let held = repo.root().join("held");
    let lock = repo.remote().join("hydrator-forge/lock");
    let script = format!(
        "mkdir -p hydrator-forge; : >>'{0}'
flock '{0}' sh -c ': >\"{1}\"; while [ -e \"{1}\" ]; do sleep 0.01; done' >/dev/null 2>&1 &
while [ ! -e '{1}' ]; do sleep 0.01; done",
        lock.display(),
        held.display()
    );
    repo.hook("post-receive", &script);
    Held(held)
}

#[test]
fn what_a_renderer_leaves_behind_does_not_hold_the_run_up() {
    let manifest = "printf 'apiVersion: v1\\nkind: Namespace\\nmetadata: {name: x}\\n'\n";
    // In the renderer's own process group, and out of it with the pipes still open.
    for (start, stays) in [("sleep 1000 &", false), ("setsid sleep 1000 &", true)] {
        let (repo, said) = with_script(&format!("{start}\necho $! >\"$1\"\n{manifest}"));
        let (run, temporary) = with_temporary(&repo, repo.hydration());
        let outcome = run.limit(Duration::from_secs(60)).start().wait();
        _ = outcome.success();
        assert!(repo.show("hydrator/dev-next", "app/manifest.yaml").contains("Namespace"));
        if stays {
            // Nobody but the test can end it.
            end_sleep(std::fs::read_to_string(&said).unwrap().trim());
        } else {
            all_gone(&said);
        }
        wait_for_orphans(&repo);
        nothing_left(&repo, &temporary);
    }
}

/// Ends a `sleep` that still runs, and nothing else that may have its id by now.
fn end_sleep(process: &str) {
    let command = std::fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
    assert!(command.starts_with("sleep"), "{process} is {command:?}");
    kill_process(Pid::from_raw(process.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn what_git_leaves_behind_does_not_hold_the_run_up() {
    // Such as a credential cache or a shared ssh connection, which keep git's pipes open.
    let repo = fresh();
    let bin = repo.root().join("bin");
    let git = ["/usr/bin/git", "/usr/local/bin/git", "/bin/git"].map(Path::new);
    let git = git.iter().find(|path| path.exists()).unwrap().display();
    let pids = repo.root().join("pids");
    write_script(
        &bin.join("git"),
        &format!("sleep 1000 &\necho $! >>'{}'\nexec '{git}' \"$@\"", pids.display()),
    );
    let path = format!("{}:{}", bin.display(), crate::support::tools::search_path());
    let run = repo.hydration().variable("PATH", &path).limit(Duration::from_secs(60));
    _ = run.start().wait().success();
    assert!(repo.open_pull_request("hydrator/prod-next").is_some());
    for process in std::fs::read_to_string(&pids).unwrap().split_whitespace() {
        end_sleep(process);
    }
}
