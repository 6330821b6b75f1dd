//! The rules, each a function from sources to the problems in them, each tried on a bad example below.

mod circles;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::lexer::{PathUse, code_of, paths, test_lines, without_tests};
use circles::module_uses;
pub(crate) use circles::{file_cycles, module_cycles};

/// One source file.
pub(crate) struct Source {
    /// Relative to the repository, such as `src/git/mod.rs`.
    path: String,
    text: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    /// Reads every Rust file below `root/directory`.
    pub(crate) fn read_all(root: &Path, directory: &Path, sources: &mut Vec<Self>) {
        for path in sorted(&root.join(directory)) {
            let below = path.strip_prefix(root).expect("it is below the root").to_owned();
            if path.is_dir() {
                Self::read_all(root, &below, sources);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).expect("a source is text");
                sources.push(Self::new(below.to_str().expect("it is UTF-8"), &text));
            }
        }
    }

    fn in_src(&self) -> Option<&str> {
        self.path.strip_prefix("src/")
    }

    /// The top-level module of the library that it belongs to.
    fn module(&self) -> Option<&str> {
        self.words().first().copied()
    }

    /// Its words below the crate's root, such as `git`, `notes`; nothing for the roots themselves.
    fn words(&self) -> Vec<&str> {
        let path = self.in_src().filter(|path| !["main.rs", "lib.rs"].contains(path)).unwrap_or_default();
        let words = path.trim_end_matches(".rs").split('/').filter(|word| !word.is_empty());
        words.filter(|word| *word != "mod").collect()
    }

    fn is_test(&self) -> bool {
        let names_tests = ["/tests.rs", "_tests.rs"].iter().any(|end| self.path.ends_with(end));
        !self.path.starts_with("src/") || names_tests || self.path.contains("/tests/")
    }

    /// Its paths outside comments, strings and tests.
    fn paths(&self) -> Vec<PathUse> {
        if self.is_test() { Vec::new() } else { paths(&without_tests(&code_of(&self.text))) }
    }
}

fn sorted(directory: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("it can be listed").path()).collect();
    paths.sort();
    paths
}

/// Modules that may use these others of the crate only.
const LEAVES: &[(&str, &[&str])] = &[("error", &[]), ("model", &["error"])];

/// Leaf modules that use more than they may.
pub(crate) fn leaf_modules(sources: &[Source]) -> Vec<String> {
    let uses = module_uses(sources);
    let mut problems = Vec::new();
    for (module, allowed) in LEAVES {
        for (used, place) in uses.get(*module).into_iter().flatten() {
            if !allowed.contains(&used.as_str()) {
                problems.push(format!("{place}: `{module}` uses `{used}`"));
            }
        }
    }
    problems
}

/// Paths that may occur in these files and directories only.
const WALLS: &[(&[&str], &[&str])] = &[
    (&["git2"], &["src/git/"]),
    (&["ureq"], &["src/forge/http/agent.rs"]),
    (
        &["std::process::Command", "std::process::*", "process::Command"],
        &["src/render/exec.rs", "src/git/program.rs"],
    ),
    (&["clap"], &["src/cli/", "src/main.rs"]),
    (&["serde_yaml"], &["src/config/", "src/render/"]),
    (&["saphyr", "saphyr_parser"], &["src/config/", "src/render/", "src/compare/"]),
    (&["minijinja"], &["src/template.rs", "src/template/"]),
    (&["std::env"], &["src/main.rs", "src/ci/"]),
];

/// Outside crates and dangerous paths used where they have no place.
pub(crate) fn crate_walls(sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources {
        for PathUse { words, line } in source.paths() {
            for (walled, allowed) in WALLS {
                let inside = allowed.iter().any(|place| source.path.starts_with(place));
                if !inside && let Some(wall) = walled.iter().find(|wall| is_below(&words, wall)) {
                    problems.push(format!(
                        "{}:{line}: `{wall}` belongs in {}",
                        source.path,
                        allowed.join(", ")
                    ));
                }
            }
        }
    }
    problems
}

fn is_below(words: &[String], wall: &str) -> bool {
    let wall: Vec<&str> = wall.split("::").collect();
    words.len() >= wall.len() && words.iter().zip(&wall).all(|(word, wanted)| word == wanted)
}

/// Modules whose names say nothing.
pub(crate) fn empty_names(sources: &[Source]) -> Vec<String> {
    let bad = ["common", "helper", "helpers", "misc", "util", "utils"];
    let is_bad = |path: &str| path.trim_end_matches(".rs").split('/').any(|part| bad.contains(&part));
    sources.iter().filter(|source| is_bad(&source.path)).map(|source| source.path.clone()).collect()
}

/// Files that do not start with `//!`.
pub(crate) fn missing_headers(sources: &[Source]) -> Vec<String> {
    sources
        .iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path.clone())
        .collect()
}

/// Lines of a file that are not tests.
const LONGEST: usize = 400;

/// Files with more than [`LONGEST`] lines that are not tests.
pub(crate) fn long_files(sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources {
        let lines = source.text.lines().count() - test_lines(&code_of(&source.text));
        let is_area = source.is_test() && !source.path.starts_with("tests/suite/support/");
        if lines > LONGEST && !is_area {
            problems.push(format!("{}: {lines} lines, the most is {LONGEST}", source.path));
        }
    }
    problems
}

/// Files that no module declares.
pub(crate) fn forgotten_files(sources: &[Source]) -> Vec<String> {
    let declared: BTreeSet<String> = sources.iter().flat_map(declarations).collect();
    let is_root = |path: &str| ["src/main.rs", "src/lib.rs", "tests/suite/main.rs"].contains(&path);
    let module = |path: &str| path.trim_end_matches("/mod.rs").trim_end_matches(".rs").to_owned();
    let paths = sources.iter().map(|source| &source.path);
    paths.filter(|path| !is_root(path) && !declared.contains(&module(path))).cloned().collect()
}

/// The files, without their ends, that a source declares by `mod x;` or `#[path = "x.rs"]`.
fn declarations(source: &Source) -> Vec<String> {
    let path = Path::new(&source.path);
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let parent = path.parent().unwrap_or(path);
    let home = if ["main", "lib", "mod"].contains(&stem) { parent.to_owned() } else { parent.join(stem) };
    let declared = |line: &str| {
        let name = line.trim().strip_suffix(';')?.rsplit_once("mod ")?.1;
        Some(format!("{}/{name}", home.display()))
    };
    let beside = |line: &str| {
        let name = line.trim().strip_prefix("#[path = \"")?.strip_suffix(".rs\"]")?;
        Some(format!("{}/{name}", parent.display()))
    };
    let code = code_of(&source.text);
    code.lines().filter_map(declared).chain(source.text.lines().filter_map(beside)).collect()
}

/// The golden cases: name, and the files directly in it.
pub(crate) struct Cases(pub(crate) BTreeMap<String, BTreeSet<String>>);

impl Cases {
    /// Reads a directory of cases.
    pub(crate) fn read(directory: &Path) -> Self {
        let name = |path: &Path| path.file_name().expect("it has a name").to_string_lossy().into_owned();
        let files = |path: &Path| sorted(path).iter().map(|file| name(file)).collect();
        Self(
            sorted(directory)
                .iter()
                .filter(|path| path.is_dir())
                .map(|path| (name(path), files(path)))
                .collect(),
        )
    }
}

/// Cases without a script or without a story.
pub(crate) fn unfinished_cases(cases: &Cases) -> Vec<String> {
    let missing = |(case, files): (&String, &BTreeSet<String>)| {
        let lacks = ["case.yaml", "want.md"].into_iter().find(|wanted| !files.contains(*wanted))?;
        Some(format!("tests/cases/{case} has no {lacks}"))
    };
    cases.0.iter().filter_map(missing).collect()
}

mod tests;
