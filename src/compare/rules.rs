//! What is not shown: changes that a rule calls noise, and values that are secret. Pure.

use glob::{MatchOptions, Pattern};

use super::mask::Mask;
use super::path::{Path, Step};
use crate::model::{DiffRule, ManifestId, SecretRule};

/// What the configuration says about showing changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rules<'r> {
    /// Changes that are counted, and not shown.
    pub ignore: &'r [DiffRule],
    /// Values that are never shown, besides those of Secrets.
    pub secrets: &'r [SecretRule],
    /// Whether what is only written differently is shown, too, and fields that differ are named.
    pub form: bool,
}

/// The rules that are about one manifest.
pub(super) struct OwnRules<'r> {
    rules: Vec<&'r DiffRule>,
    /// Whether the whole manifest is not shown.
    pub(super) hides_all: bool,
    /// Whether new names of generated manifests are not shown where they are used.
    pub(super) hides_references: bool,
}

impl<'r> Rules<'r> {
    /// Those about a manifest of a target. One that gets another identity has two: a rule that is about one of them
    /// must not hide what becomes of the other.
    pub(super) fn about(&self, target: &str, ids: &[&ManifestId]) -> OwnRules<'r> {
        let is_about = |rule: &DiffRule, id: &ManifestId| {
            is(rule.group.as_deref(), &id.group)
                && is(rule.kind.as_deref(), &id.kind)
                && is(rule.name.as_deref(), &id.name)
                && is(rule.target.as_deref(), target)
        };
        let names_field =
            |rule: &DiffRule| rule.path.is_some() || rule.annotation.is_some() || rule.label.is_some();
        let is_whole = |rule: &&DiffRule| !names_field(rule) && !rule.generated_hashes;
        let hides = |id: &&ManifestId| self.ignore.iter().filter(is_whole).any(|rule| is_about(rule, id));
        let is_about_all = |rule: &&DiffRule| ids.iter().all(|id| is_about(rule, id));
        let rules: Vec<&DiffRule> = self.ignore.iter().filter(is_about_all).collect();
        OwnRules {
            hides_all: ids.iter().all(hides),
            hides_references: rules.iter().any(|rule| rule.generated_hashes),
            rules,
        }
    }

    /// What must not be seen of a manifest.
    pub(super) fn mask(&self, id: &ManifestId) -> Option<Mask<'r>> {
        if id.group.is_empty() && id.kind == "Secret" {
            return Some(Mask::Secret);
        }
        let is_about = |rule: &&SecretRule| {
            is(rule.group.as_deref(), &id.group)
                && is(rule.kind.as_deref(), &id.kind)
                && is(rule.name.as_deref(), &id.name)
        };
        let paths: Vec<&str> = self.secrets.iter().filter(is_about).map(|rule| rule.path.as_str()).collect();
        (!paths.is_empty()).then_some(Mask::Fields(paths))
    }
}

impl OwnRules<'_> {
    /// Whether a field is not shown.
    pub(super) fn hide(&self, path: &Path) -> bool {
        self.rules.iter().any(|rule| {
            rule.path.as_ref().is_some_and(|pointer| path.is_meant_by(pointer))
                || is_key_of("annotations", rule.annotation.as_deref(), path)
                || is_key_of("labels", rule.label.as_deref(), path)
        })
    }
}

fn is_key_of(map: &str, glob: Option<&str>, path: &Path) -> bool {
    let Some(glob) = glob else { return false };
    match path.0.as_slice() {
        [.., Step::Key(above), Step::Key(parent), Step::Key(key)] => {
            above == "metadata" && parent == map && is(Some(glob), key)
        }
        _ => false,
    }
}

/// Whether a glob, where there is one, matches a text; `*` matches anything.
fn is(glob: Option<&str>, text: &str) -> bool {
    let options = MatchOptions { case_sensitive: true, ..MatchOptions::default() };
    glob.is_none_or(|glob| Pattern::new(glob).is_ok_and(|pattern| pattern.matches_with(text, options)))
}
