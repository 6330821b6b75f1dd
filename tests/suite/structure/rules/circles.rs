//! Circles: modules, or files of one module, that use each other.

use std::collections::{BTreeMap, BTreeSet};

use super::super::lexer::PathUse;
use super::Source;

/// Who uses whom, and the place of the first use.
type Uses = BTreeMap<String, BTreeMap<String, String>>;

/// Which top-level module uses which.
pub(super) fn module_uses(sources: &[Source]) -> Uses {
    let modules: BTreeSet<&str> = sources.iter().filter_map(Source::module).collect();
    uses(sources, Source::module, |words| modules.get(words.first()?.as_str()).copied())
}

/// Circles among the library's top-level modules.
pub(crate) fn module_cycles(sources: &[Source]) -> Vec<String> {
    circles(&module_uses(sources))
}

/// Circles among files. A `mod.rs` is the face of its directory: it names its files, and they name what it holds.
pub(crate) fn file_cycles(sources: &[Source]) -> Vec<String> {
    let is_face = |source: &&Source| source.path.ends_with("/mod.rs");
    let name = |source: &Source| source.words().join("::");
    let faces: BTreeSet<String> = sources.iter().filter(is_face).map(name).collect();
    let files: BTreeMap<String, &str> =
        sources.iter().map(|source| (name(source), source.path.as_str())).collect();
    let holder = |words: &[String]| {
        let mut longest = (1..=words.len()).rev().map(|end| words[..end].join("::"));
        let found = longest.find_map(|name| files.get_key_value(&name))?;
        (!faces.contains(found.0)).then_some(*found.1)
    };
    let file = |source: &'_ Source| (!is_face(&source)).then(|| files.get(&name(source)).copied()).flatten();
    circles(&uses(sources, file, holder))
}

/// The uses among whatever `of` says a file belongs to and `at` says a path from the crate's root leads to.
fn uses<'a>(
    sources: &'a [Source],
    of: impl Fn(&'a Source) -> Option<&'a str>,
    at: impl Fn(&[String]) -> Option<&'a str>,
) -> Uses {
    let mut found = Uses::new();
    for source in sources {
        let Some(owner) = of(source) else { continue };
        for PathUse { words, line } in source.paths() {
            let Some(used) = from_root(source, &words).and_then(|words| at(&words)) else { continue };
            if used != owner {
                let place = format!("{}:{line}", source.path);
                found.entry(owner.to_owned()).or_default().entry(used.to_owned()).or_insert(place);
            }
        }
    }
    found
}

/// The path from the crate's root, where it starts with `crate` or `super`.
fn from_root(source: &Source, words: &[String]) -> Option<Vec<String>> {
    let supers = words.iter().take_while(|word| *word == "super").count();
    if words.first().is_some_and(|word| word == "crate") {
        return Some(words[1..].to_vec());
    }
    let own = source.words();
    let above = own.len().checked_sub(supers).filter(|_| supers > 0)?;
    Some(own[..above].iter().map(|word| (*word).to_owned()).chain(words[supers..].iter().cloned()).collect())
}

fn circles(uses: &Uses) -> Vec<String> {
    let mut problems = BTreeSet::new();
    for start in uses.keys() {
        if let Some(circle) = circle_from(start, &mut vec![start.clone()], &mut BTreeSet::new(), uses) {
            let smallest =
                circle[1..].iter().enumerate().min_by_key(|(_, name)| *name).map_or(0, |(at, _)| at);
            let mut turned = circle[1..].to_vec();
            turned.rotate_left(smallest);
            problems.insert(describe(&turned, uses));
        }
    }
    problems.into_iter().collect()
}

/// A way back to `start`; `seen` are those from which there is none.
fn circle_from(
    start: &str,
    trail: &mut Vec<String>,
    seen: &mut BTreeSet<String>,
    uses: &Uses,
) -> Option<Vec<String>> {
    let last = trail.last().expect("a trail has a start").clone();
    for next in uses.get(&last).into_iter().flat_map(BTreeMap::keys) {
        if next == start {
            trail.push(next.clone());
            return Some(trail.clone());
        }
        if seen.insert(next.clone()) {
            trail.push(next.clone());
            if let Some(circle) = circle_from(start, trail, seen, uses) {
                return Some(circle);
            }
            trail.pop();
        }
    }
    None
}

fn describe(circle: &[String], uses: &Uses) -> String {
    let after = circle.iter().cycle().skip(1);
    let step = |(from, to): (&String, &String)| format!("`{from}` uses `{to}` at {}", uses[from][to]);
    circle.iter().zip(after).map(step).collect::<Vec<_>>().join(", ")
}
