//! Path patterns of targets: which directories of the DRY tree they match, and what they capture. Pure but for the
//! listing of directories.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

use super::placeholders::{Bindings, Piece, pieces};
use super::tree::{Found, TreeReader};
use crate::model::EntryKind;

/// A pattern, bound to one environment: only its captures are open.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    components: Vec<Component>,
}

#[derive(Debug, PartialEq, Eq)]
enum Component {
    Literal(String),
    Captures(Vec<Part>),
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Capture(String),
}

/// A directory that a pattern matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Match {
    /// The path as the pattern spells it, links in it not followed.
    pub(super) path: Utf8PathBuf,
    /// What is there.
    pub(super) found: Found,
    /// What its captures matched.
    pub(super) captures: BTreeMap<String, String>,
}

impl Pattern {
    /// Binds `{environment}` and variables in `text`. The error says what is wrong with the pattern.
    pub(super) fn bind(text: &str, bindings: Bindings<'_>) -> Result<Self, String> {
        if text == "." {
            return Ok(Self { components: Vec::new() });
        }
        let text = text.strip_suffix('/').unwrap_or(text);
        if text.starts_with('/') || text.is_empty() {
            return Err(
                "the path must be relative to the repository's root; the root itself is `.`".to_owned()
            );
        }
        let components = text.split('/').map(|component| bind_component(component, bindings));
        Ok(Self { components: components.collect::<Result<_, _>>()? })
    }

    /// The directories that match, in byte order, with what is at each of them.
    pub(super) fn matches(&self, tree: &TreeReader<'_>) -> anyhow::Result<Vec<Match>> {
        let root = Match { found: Found::Directory(Utf8PathBuf::new()), ..Match::default() };
        let mut frontier = vec![root];
        for (index, component) in self.components.iter().enumerate() {
            let last = index + 1 == self.components.len();
            let mut next = Vec::new();
            for at in frontier {
                match component {
                    Component::Literal(name) => next.extend(step(tree, at, name, last)?),
                    Component::Captures(parts) => capture(tree, &at, parts, last, &mut next)?,
                }
            }
            frontier = next;
        }
        Ok(frontier)
    }
}

fn bind_component(text: &str, bindings: Bindings<'_>) -> Result<Component, String> {
    if matches!(text, "" | "." | "..") {
        return Err("the path must not contain empty, `.` or `..` components".to_owned());
    }
    let mut parts: Vec<Part> = Vec::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) if text.contains(['{', '}']) => {
                return Err(format!("`{text}` has a brace that is no placeholder: write `{{word}}`"));
            }
            Piece::Text(text) => push_text(&mut parts, text),
            Piece::Placeholder(word) => match bindings.value(word) {
                Some(value) => push_text(&mut parts, value),
                None if word.starts_with("vars.") => {
                    return Err(format!("the variable `{word}` is not defined"));
                }
                None => push_capture(&mut parts, word)?,
            },
        }
    }
    match parts.as_slice() {
        [Part::Text(text)] if text.contains('/') || text == ".." || text == "." => {
            Err(format!("`{text}` must stay within one path component"))
        }
        [Part::Text(text)] => Ok(Component::Literal(text.clone())),
        _ => Ok(Component::Captures(parts)),
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) {
    match parts.last_mut() {
        Some(Part::Text(before)) => before.push_str(text),
        _ => parts.push(Part::Text(text.to_owned())),
    }
}

fn push_capture(parts: &mut Vec<Part>, word: &str) -> Result<(), String> {
    if parts.iter().any(|part| matches!(part, Part::Capture(name) if name == word)) {
        return Err(format!("`{{{word}}}` is twice in one path component"));
    }
    if matches!(parts.last(), Some(Part::Capture(_))) {
        return Err(format!("there must be text between `{{{word}}}` and the capture before it"));
    }
    parts.push(Part::Capture(word.to_owned()));
    Ok(())
}

/// One literal component further. What is no directory ends the search, unless it is the pattern's last component:
/// then the reason is worth a message.
fn step(tree: &TreeReader<'_>, at: Match, name: &str, last: bool) -> anyhow::Result<Option<Match>> {
    let Found::Directory(directory) = &at.found else { return Ok(None) };
    let found = tree.find(&directory.join(name))?;
    let path = at.path.join(name);
    let keep = match &found {
        Found::Directory(_) => true,
        Found::Missing => false,
        Found::File | Found::Submodule | Found::Outside => last || at.captures.is_empty(),
    };
    Ok(keep.then_some(Match { path, found, captures: at.captures }))
}

fn capture(
    tree: &TreeReader<'_>,
    at: &Match,
    parts: &[Part],
    last: bool,
    next: &mut Vec<Match>,
) -> anyhow::Result<()> {
    let Found::Directory(directory) = &at.found else { return Ok(()) };
    let entries = tree.list(directory)?;
    for entry in entries.iter().flat_map(|entries| entries.iter()) {
        if matches!(entry.kind, EntryKind::File | EntryKind::Executable) {
            continue;
        }
        let Some(captures) = match_name(&entry.name, parts, &at.captures) else { continue };
        let found = tree.find(&directory.join(&entry.name))?;
        let keep = match found {
            Found::Directory(_) => true,
            Found::Submodule | Found::Outside => last,
            Found::File | Found::Missing => false,
        };
        if keep {
            next.push(Match { path: at.path.join(&entry.name), found, captures });
        }
    }
    Ok(())
}

/// The captures of `name`, together with `before`. An earlier capture takes as little as it can: every later text then
/// has the most room, so no other split could match where this one does not.
fn match_name(
    name: &str,
    parts: &[Part],
    before: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    // As in a shell: what is hidden is not meant unless the dot is written.
    if name.starts_with('.') && matches!(parts.first(), Some(Part::Capture(_))) {
        return None;
    }
    let mut captures = before.clone();
    let mut rest = name;
    let mut open: Option<&str> = None;
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Capture(word) => open = Some(word),
            Part::Text(text) => {
                let at = match open {
                    None => rest.starts_with(text.as_str()).then_some(0)?,
                    Some(_) if index + 1 == parts.len() => rest.strip_suffix(text.as_str())?.len(),
                    Some(_) => find_after_first(rest, text)?,
                };
                if let Some(word) = open.take() {
                    bind_capture(&mut captures, word, &rest[..at])?;
                }
                rest = &rest[at + text.len()..];
            }
        }
    }
    match open {
        Some(word) => bind_capture(&mut captures, word, rest)?,
        None if !rest.is_empty() => return None,
        None => {}
    }
    Some(captures)
}

fn find_after_first(rest: &str, text: &str) -> Option<usize> {
    let first = rest.chars().next()?.len_utf8();
    rest[first..].find(text).map(|at| at + first)
}

/// A capture is never empty, and has one value in the whole path.
fn bind_capture(captures: &mut BTreeMap<String, String>, word: &str, value: &str) -> Option<()> {
    match captures.get(word) {
        Some(bound) => (bound == value).then_some(()),
        None if value.is_empty() => None,
        None => {
            captures.insert(word.to_owned(), value.to_owned());
            Some(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captures(pattern: &str, name: &str) -> Option<Vec<String>> {
        let (vars, none) = (BTreeMap::new(), BTreeMap::new());
        let bindings = Bindings { environment: "prod", vars: &vars, captures: &none };
        let parts = match bind_component(pattern, bindings).unwrap() {
            Component::Captures(parts) => parts,
            Component::Literal(text) => return (text == name).then(Vec::new),
        };
        match_name(name, &parts, &BTreeMap::new()).map(|captures| captures.into_values().collect())
    }

    #[test]
    fn captures_stay_within_literal_text() {
        assert_eq!(captures("{environment}-{cluster}", "prod-eu-1").unwrap(), ["eu-1"]);
        assert_eq!(captures("{environment}-{cluster}", "dev-eu-1"), None);
        assert_eq!(captures("{a}-{b}", "x-y-z").unwrap(), ["x", "y-z"]);
        assert_eq!(captures("{a}-{b}", "-y").as_deref(), None);
        assert_eq!(captures("{a}-x-{b}.d", "q-x-x-x-r.d").unwrap(), ["q", "x-x-r"]);
        assert_eq!(captures("{a}.d", ".d"), None);
        assert_eq!(captures("{a}", ".github"), None);
        assert_eq!(captures(".{a}", ".github").unwrap(), ["github"]);
        assert_eq!(captures("{environment}", "prod").unwrap(), [""; 0]);
    }

    #[test]
    fn refuses_ambiguous_patterns() {
        let (vars, none) = (BTreeMap::new(), BTreeMap::new());
        let bindings = Bindings { environment: "prod", vars: &vars, captures: &none };
        for text in ["{a}{b}", "{a}-{a}", "{a", "a}", "..", "{vars.x}", "{{a}}"] {
            assert!(Pattern::bind(&format!("apps/{text}"), bindings).is_err(), "{text}");
        }
    }
}
