//! Golden cases: each directory of `tests/cases` is a behaviour that a user would name. Its `case.yaml` says what
//! happens, its `want.md` tells what came of it; the latter is generated, read by people, and compared ever after.

mod elsewhere;
mod looks;
mod play;
mod script;
mod story;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use similar::TextDiff;

use script::Script;

use crate::support::command::HYDRATOR;

/// `UPDATE_CASES=1` rewrites the stories; `CASE=word` plays only the cases whose names contain the word.
#[test]
fn every_case_goes_as_its_story_says() {
    let update = std::env::var_os("UPDATE_CASES").is_some();
    let filter = std::env::var("CASE").unwrap_or_default();
    let mut cases = directories(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"));
    cases.retain(|case| case.to_string_lossy().contains(&filter));
    assert!(!cases.is_empty(), "no case in tests/cases has `{filter}` in its name");
    let problems = check_all(&cases, update);
    assert!(
        problems.is_empty(),
        "\n{}\n{} of {} cases went otherwise. If that is meant: UPDATE_CASES=1 scripts/test.sh cases, and read the diff.\n",
        problems.join("\n"),
        problems.len(),
        cases.len()
    );
}

/// Cases that are played on the local forge alone, and why.
const HERE_ALONE: [(&str, &str); 2] = [
    ("run-for-an-older-commit", "its jobs are those of one CI system"),
    ("late-run-obeys-the-newest-configuration", "its jobs are those of one CI system"),
];

#[test]
fn cases_come_out_the_same_on_every_forge() {
    let filter = std::env::var("CASE").unwrap_or_default();
    let mut problems = Vec::new();
    for case in directories(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")) {
        let name = case.file_name().unwrap_or_default().to_string_lossy();
        if !name.contains(&filter) || HERE_ALONE.iter().any(|(alone, _)| *alone == name) {
            continue;
        }
        let script = Script::read(&case);
        let play = |forge| play::play_elsewhere(&case, &script, Path::new(HYDRATOR), forge);
        let played = std::thread::scope(|scope| {
            let playing = elsewhere::Elsewhere::all().map(|forge| scope.spawn(move || play(forge)));
            playing.map(|playing| playing.join().expect("the case can be played"))
        });
        let [local, others @ ..] = played.map(|story| elsewhere::of_every_forge(&story));
        for other in others.iter().filter(|other| **other != local) {
            let diff = TextDiff::from_lines(&local, other);
            let diff =
                diff.unified_diff().context_radius(3).header("the local forge", "another one").to_string();
            problems.push(format!("=== {name}\n{diff}"));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

fn directories(directory: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.retain(|path| path.is_dir());
    paths.sort();
    paths
}

/// Plays cases side by side; returns what went otherwise, in the cases' order.
fn check_all(cases: &[PathBuf], update: bool) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let checked = catch_unwind(AssertUnwindSafe(|| check(case, update)));
                    if let Err(problem) = checked.unwrap_or_else(|panic| Err(words_of(panic.as_ref()))) {
                        let problem = format!("=== {}\n{problem}", case.display());
                        problems.lock().expect("nothing panics with it").push(problem);
                    }
                }
            });
        }
    });
    let mut problems = problems.into_inner().expect("nothing panics with it");
    problems.sort();
    problems
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("a step panicked").to_owned()
}

/// Plays one case and compares its story with the one that is wanted, or rewrites that.
fn check(case: &Path, update: bool) -> Result<(), String> {
    let told = play::play(case, &Script::read(case), Path::new(HYDRATOR));
    let path = case.join("want.md");
    let wanted = std::fs::read_to_string(&path).ok();
    if wanted.as_ref() == Some(&told) {
        return Ok(());
    }
    if update {
        return std::fs::write(&path, told).map_err(|error| error.to_string());
    }
    let Some(wanted) = wanted else {
        return Err(
            "it has no want.md: write it with UPDATE_CASES=1 scripts/test.sh cases, then read it".to_owned()
        );
    };
    let diff = TextDiff::from_lines(&wanted, &told);
    Err(diff.unified_diff().context_radius(3).header("want.md", "what happened").to_string())
}

mod tests {
    use super::*;

    fn write(case: &Path, name: &str, text: &str) {
        std::fs::write(case.join(name), text).unwrap();
    }

    #[test]
    fn a_story_is_written_on_demand_and_compared_ever_after() {
        let directory = tempfile::tempdir().unwrap();
        let case = directory.path();
        write(
            case,
            "case.yaml",
            "title: T\nsteps:\n- commit: {message: One, files: {a: b}}\n- show: [branches]",
        );
        let none = check(case, false).unwrap_err();
        assert!(none.contains("UPDATE_CASES=1"), "{none}");
        check(case, true).unwrap();
        check(case, false).unwrap();
        write(
            case,
            "case.yaml",
            "title: T\nsteps:\n- commit: {message: Two, files: {a: b}}\n- show: [branches]",
        );
        let other = check(case, false).unwrap_err();
        assert!(
            other.contains("-## 1. Alice commits to main: One\n+## 1. Alice commits to main: Two"),
            "{other}"
        );
    }

    #[test]
    fn a_step_that_cannot_be_done_fails_its_case_alone() {
        let directory = tempfile::tempdir().unwrap();
        let cases = ["bad", "good", "new"].map(|name| directory.path().join(name));
        for case in &cases {
            std::fs::create_dir(case).unwrap();
            write(
                case,
                "case.yaml",
                "title: T\nsteps:\n- commit: {message: One, project: plain}\n- show: [tree: main]",
            );
        }
        check(&cases[1], true).unwrap();
        assert!(
            std::fs::read_to_string(cases[1].join("want.md"))
                .unwrap()
                .contains(" deploy/dev/web/service.yaml\n")
        );
        write(&cases[0], "case.yaml", "title: T\nsteps:\n- delete-branch: gone");
        let problems = check_all(&cases, false);
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(problems[0].contains("/bad\n") && problems[0].contains("gone"), "{problems:?}");
        assert!(problems[1].contains("/new\n"), "{problems:?}");
        assert_eq!(directories(directory.path()), cases);
    }
}
