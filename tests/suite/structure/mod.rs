//! Keeps what is easily lost: module cycles, crate walls, file names and sizes, forgotten files. Reads sources as text.

mod lexer;
mod rules;

use std::path::Path;

use rules::{Cases, Source};

/// Everything below `src` and `tests/suite`.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Vec::new();
    for directory in ["src", "tests/suite"] {
        Source::read_all(root, Path::new(directory), &mut sources);
    }
    assert!(sources.len() > 10, "the sources were not found");
    sources
}

#[track_caller]
fn none(problems: &[String], advice: &str) {
    assert!(problems.is_empty(), "\n{}\n\n{advice}\n", problems.join("\n"));
}

#[test]
fn modules_do_not_use_each_other_in_a_circle() {
    none(
        &rules::module_cycles(&sources()),
        "Move what both need into `model` or a module of its own, or hand it over as a value.",
    );
}

#[test]
fn files_do_not_use_each_other_in_a_circle() {
    none(
        &rules::file_cycles(&sources()),
        "Move what both need into a file of its own: that is the idea they share.",
    );
}

#[test]
fn leaf_modules_stay_leaves() {
    none(
        &rules::leaf_modules(&sources()),
        "`model` holds the field's words and `error` what went wrong: let the caller bring what they need.",
    );
}

#[test]
fn outside_crates_stay_behind_their_walls() {
    none(
        &rules::crate_walls(&sources()),
        "Call the module behind the wall instead, or move the code there. The table is in tests/suite/structure/rules/mod.rs.",
    );
}

#[test]
fn modules_have_names_that_say_something() {
    none(&rules::empty_names(&sources()), "Name the module after what it is about, in the field's words.");
}

#[test]
fn every_file_says_what_it_is_for() {
    none(
        &rules::missing_headers(&sources()),
        "Start the file with `//!`: what it is for, and whether it is pure or does I/O.",
    );
}

#[test]
fn files_hold_one_idea() {
    none(
        &rules::long_files(&sources()),
        "Split the file by ideas. Tests do not count: move long ones to `<module>/tests.rs`.",
    );
}

#[test]
fn no_file_is_forgotten() {
    none(
        &rules::forgotten_files(&sources()),
        "Add the `mod` line, or remove the file: without the line it is never compiled, and its tests never run.",
    );
}

#[test]
fn every_case_has_its_story() {
    let cases = Cases::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"));
    assert!(!cases.0.is_empty(), "no golden case was found in tests/cases");
    none(
        &rules::unfinished_cases(&cases),
        "Write it with `UPDATE_CASES=1 scripts/test.sh cases`, then read it.",
    );
}
