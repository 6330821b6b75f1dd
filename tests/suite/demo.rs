//! `hydrator demo`: its story, that it is the same every time, and that what it says to try next works.

use std::path::{Path, PathBuf};

use similar::TextDiff;
use tempfile::TempDir;

use crate::support::command::{HYDRATOR, Outcome, Run};
use crate::support::git::Git;

/// The golden output. `UPDATE_CASES=1` rewrites it.
fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/demo/output.txt")
}

fn directory() -> TempDir {
    tempfile::Builder::new().prefix("hydrator-test-").tempdir().expect("a temporary directory")
}

/// The demo in a directory that is not there yet.
fn play(root: &Path) -> Outcome {
    std::fs::create_dir(root.join("home")).expect("the home is new");
    let play = root.join("play");
    let arguments = ["demo".as_ref(), "--directory".as_ref(), play.as_os_str()];
    Run::program(HYDRATOR, &root.join("home")).arguments(arguments).run()
}

#[test]
fn the_story_is_the_same_every_time() {
    let roots = [(); 2].map(|()| directory());
    let [told, again] = roots.each_ref().map(|root| {
        let outcome = play(root.path()).success();
        assert_eq!(outcome.stderr(), "");
        let play = root.path().join("play");
        assert_eq!(outcome.stdout().matches(play.to_str().unwrap()).count(), 1, "{}", outcome.stdout());
        outcome.normalised(&play, "<directory>").stdout().to_owned()
    });
    assert_eq!(told, again);
    if std::env::var_os("UPDATE_CASES").is_some() {
        std::fs::write(golden(), &told).expect("the golden output is written");
    }
    let wanted = std::fs::read_to_string(golden()).unwrap_or_default();
    let diff = TextDiff::from_lines(&wanted, &told);
    let diff = diff.unified_diff().header("tests/demo/output.txt", "what was told").to_string();
    assert!(
        wanted == told,
        "\n{diff}\nIf that is meant: UPDATE_CASES=1 scripts/test.sh demo, and read the diff.\n"
    );
}

/// The commands of the last chapter, as a person would paste them.
fn next_commands(story: &str) -> Vec<String> {
    let (_, last) = story.rsplit_once("Your turn\n").expect("the last chapter");
    let commands = last.lines().filter_map(|line| line.strip_prefix("     "));
    commands.map(str::to_owned).collect()
}

#[test]
fn the_commands_to_try_next_work() {
    let root = directory();
    let told = play(root.path()).success();
    let commands = next_commands(told.stdout());
    for verb in ["local list", "local merge", "git commit", "hydrator plan", "hydrator run", "git diff"] {
        assert!(commands.iter().any(|command| command.contains(verb)), "no `{verb}` in {commands:#?}");
    }
    let script: Vec<String> =
        commands.iter().map(|command| format!("echo '=' && {command} || exit 9\n")).collect();
    let script = script.concat();
    let outcome =
        Run::program("/bin/sh", &root.path().join("home")).arguments(["-c", &script]).run().success();
    let said: Vec<&str> = outcome.stdout().split("=\n").collect();
    let said = |verb: &str| said[commands.iter().position(|command| command.contains(verb)).unwrap() + 1];
    assert!(said("local list").contains("#3  open "), "{}", outcome.stdout());
    assert!(said("local merge").starts_with("merged #3 "), "{}", outcome.stdout());
    assert!(said("hydrator run").contains("prod     created    #9"), "{}", outcome.stdout());
    assert!(said("git diff").contains("+  replicas: 5\n"), "{}", outcome.stdout());
}

#[test]
fn what_is_left_is_an_ordinary_repository() {
    let root = directory();
    drop(play(root.path()).success());
    let (home, play) = (root.path().join("home"), root.path().join("play"));
    let git = |directory: &str| Git::new(play.join(directory), &home);
    assert_eq!(git("checkout").run(&["status", "--porcelain"]), "");
    for repository in ["checkout", "remote.git"] {
        assert_eq!(git(repository).run(&["fsck", "--strict", "--no-dangling"]), "");
    }
    assert_eq!(git("remote.git").run(&["symbolic-ref", "HEAD"]), "refs/heads/main");
}

#[test]
fn without_a_directory_it_makes_one_that_stays() {
    let root = directory();
    let temporary = root.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let run = Run::program(HYDRATOR, root.path()).variable("TMPDIR", temporary.to_str().unwrap());
    // It is not about the job that it may run in, and its colours are for terminals.
    let outcome = run.variable("GITHUB_ACTIONS", "true").arguments(["demo"]).run().success();
    assert!(!outcome.stdout().contains('\u{1b}'), "{}", outcome.stdout());
    let made: Vec<_> = std::fs::read_dir(&temporary).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [made] = made.as_slice() else { panic!("scratch directories were left: {made:?}") };
    assert!(next_commands(outcome.stdout())[0].contains(made.to_str().unwrap()), "{}", outcome.stdout());
    assert!(made.join("checkout/hydrator.yaml").is_file());
}

#[test]
fn nothing_of_a_directory_in_use_is_touched() {
    let root = directory();
    std::fs::create_dir(root.path().join("play")).unwrap();
    std::fs::write(root.path().join("play/mine"), "").unwrap();
    let outcome = play(root.path()).code(2);
    let said = outcome.normalised(root.path(), "<root>");
    assert!(said.stderr().contains("the directory `<root>/play` is not empty\n"), "{}", said.stderr());
    assert!(said.stderr().contains("hint: name a new one"), "{}", said.stderr());
    assert_eq!(std::fs::read_dir(root.path().join("play")).unwrap().count(), 1);
}

#[test]
fn a_machine_without_git_is_told_so() {
    let root = directory();
    let run = Run::program(HYDRATOR, root.path()).variable("PATH", "/nonexistent");
    let play = root.path().join("play");
    let outcome = run.arguments(["demo".as_ref(), "--directory".as_ref(), play.as_os_str()]).run().code(5);
    assert_eq!(outcome.stdout(), "");
    assert!(outcome.stderr().contains("install git"), "{}", outcome.stderr());
    assert!(!play.exists(), "a directory was left");
}
