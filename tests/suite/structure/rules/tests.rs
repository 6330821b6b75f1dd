//! Each rule on a bad example: a rule that finds nothing anywhere is no rule.

use super::*;

fn files(pairs: &[(&str, &str)]) -> Vec<Source> {
    pairs.iter().map(|(path, text)| Source::new(path, text)).collect()
}

#[test]
fn finds_a_circle_of_modules() {
    let circle = files(&[
        ("src/plan.rs", "use crate::{model::Target, render::Job};"),
        ("src/render/mod.rs", "use crate::report::line;"),
        ("src/render/exec.rs", "// crate::nothing\nuse super::super::report;"),
        ("src/report.rs", "fn f() { super::plan::go(); }"),
        ("src/model/mod.rs", "use super::error;"),
        ("src/error.rs", ""),
        ("src/lib.rs", "pub mod plan; pub use crate::report::X;"),
    ]);
    assert_eq!(
        module_cycles(&circle),
        ["`plan` uses `render` at src/plan.rs:1, `render` uses `report` at src/render/mod.rs:1, \
          `report` uses `plan` at src/report.rs:1"]
    );
}

#[test]
fn finds_a_circle_of_files() {
    let circle = files(&[
        ("src/a/mod.rs", "mod b; mod c; use b::X; pub struct Face;"),
        ("src/a/b.rs", "use super::Face; use super::c::{Y, Z};"),
        ("src/a/c.rs", "use crate::a::b::X;"),
    ]);
    assert_eq!(
        file_cycles(&circle),
        ["`src/a/b.rs` uses `src/a/c.rs` at src/a/b.rs:1, `src/a/c.rs` uses `src/a/b.rs` at src/a/c.rs:1"]
    );
    let straight =
        files(&[("src/a/b.rs", "use super::c::Y;"), ("src/a/c.rs", "use crate::d;"), ("src/d.rs", "")]);
    assert!(file_cycles(&straight).is_empty());
}

#[test]
fn finds_a_circle_through_a_grandchild() {
    let circle = files(&[("src/a/b.rs", "use super::super::c;"), ("src/c.rs", "use crate::a::b;")]);
    assert_eq!(module_cycles(&circle).len(), 1);
    let siblings =
        files(&[("src/a/b.rs", "use super::c;"), ("src/a/c.rs", ""), ("src/c.rs", "use crate::a::b;")]);
    assert!(module_cycles(&siblings).is_empty(), "`super::c` of `a::b` is `a::c`");
}

#[test]
fn tests_may_use_anything() {
    let source = "use crate::b;\n#[cfg(test)]\nmod tests { use crate::a; use git2::Repository; }";
    let tests = "use crate::a; use std::process::Command;";
    let sources =
        files(&[("src/a.rs", "use crate::b;"), ("src/b.rs", &source[14..]), ("src/b/tests.rs", tests)]);
    assert!(module_cycles(&sources).is_empty());
    assert!(crate_walls(&sources).is_empty());
}

#[test]
fn finds_a_leaf_that_grows() {
    let sources = files(&[
        ("src/model/mod.rs", "use crate::error;\nuse crate::git::Repo;"),
        ("src/error.rs", "use crate::model::X;"),
        ("src/git/mod.rs", ""),
    ]);
    let wanted = ["src/error.rs:1: `error` uses `model`", "src/model/mod.rs:2: `model` uses `git`"];
    assert_eq!(leaf_modules(&sources), wanted);
}

#[test]
fn finds_what_is_outside_its_wall() {
    let bad = "use git2::Oid;\nuse std::{env, fs};\nuse std::process::{self, Command};\nfn f() { process::Command::new(1); }\n\
               #[derive(clap::Parser)]\nstruct A;\nfn g() { serde_yaml::from_str(1); std::env::var(2); }\n\
               use saphyr::*;\nuse minijinja as m;\nuse std::process::*;\nfn h() { ureq::get(1); }";
    let problems = crate_walls(&files(&[("src/plan.rs", bad)]));
    let lines: Vec<&str> = problems.iter().filter_map(|problem| problem.split(':').nth(1)).collect();
    assert_eq!(lines, ["1", "2", "3", "4", "5", "7", "7", "8", "9", "10", "11"]);
    assert_eq!(problems[0], "src/plan.rs:1: `git2` belongs in src/git/");
}

#[test]
fn leaves_alone_what_is_inside_its_wall() {
    let good = files(&[
        ("src/git/mod.rs", "use git2::Oid;"),
        ("src/git/program.rs", "use std::process::Command;"),
        ("src/main.rs", "use clap::Parser; use std::process::ExitCode; fn f() { std::env::args(); }"),
        (
            "src/plan.rs",
            "use std::process::ExitCode; // git2::Oid\nconst A: &str = \"git2::Oid\"; fn f() { env!(1) }",
        ),
    ]);
    assert_eq!(crate_walls(&good), Vec::<String>::new());
}

#[test]
fn finds_empty_names_and_missing_headers() {
    let sources = files(&[
        ("src/utils.rs", "//! X"),
        ("src/a/common/b.rs", "fn f() {}"),
        ("src/utilities.rs", "//! X"),
    ]);
    assert_eq!(empty_names(&sources), ["src/utils.rs", "src/a/common/b.rs"]);
    assert_eq!(missing_headers(&sources), ["src/a/common/b.rs"]);
}

#[test]
fn finds_long_files() {
    let long = "fn f() {}\n".repeat(LONGEST + 1);
    let tested = format!("{}#[cfg(test)]\nmod tests {{\n{long}}}\n", "\n".repeat(LONGEST));
    let sources = files(&[
        ("src/a.rs", &long),
        ("src/b.rs", &tested),
        ("src/c.rs", &long[10..]),
        ("src/c/tests.rs", &long),
    ]);
    assert_eq!(long_files(&sources), ["src/a.rs: 401 lines, the most is 400"]);
}

#[test]
fn finds_forgotten_files() {
    let sources = files(&[
        ("src/lib.rs", "pub mod a;\nmod d;\n// mod e;"),
        ("src/a/mod.rs", "mod b;\npub(crate) mod c;"),
        ("src/a/b.rs", "#[cfg(test)]\n#[path = \"b_tests.rs\"]\nmod tests;"),
        ("src/a/c.rs", "#[cfg(test)]\nmod tests;"),
        ("src/a/c/tests.rs", ""),
        ("src/a/lost.rs", ""),
        ("src/a/b_tests.rs", ""),
        ("src/d.rs", ""),
        ("src/e.rs", ""),
        ("tests/suite/main.rs", "mod area;"),
        ("tests/suite/area.rs", ""),
        ("tests/suite/forgotten.rs", ""),
    ]);
    assert_eq!(forgotten_files(&sources), ["src/a/lost.rs", "src/e.rs", "tests/suite/forgotten.rs"]);
}

#[test]
fn finds_cases_without_a_story() {
    let names = |files: &[&str]| files.iter().map(|file| (*file).to_owned()).collect();
    let cases =
        [("good", names(&["case.yaml", "want.md"])), ("new", names(&["case.yaml"])), ("empty", names(&[]))];
    let cases = Cases(cases.into_iter().map(|(case, files)| (case.to_owned(), files)).collect());
    assert_eq!(
        unfinished_cases(&cases),
        ["tests/cases/empty has no case.yaml", "tests/cases/new has no want.md"]
    );
}
