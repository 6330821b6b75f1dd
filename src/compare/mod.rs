//! Two renderings of a target, manifest by manifest. Pure.
//!
//! Manifests are matched (`matching`), read as trees that know their lines (`tree`), stripped of what nobody shall
//! see (`mask`), and the head's lines are put into the base's order (`arrange`): what then differs is what changes.
//! Nothing gets lost on the way: what is shown, applied to the base, gives the head, but for what is counted as hidden.

mod arrange;
mod fields;
mod form;
mod gap;
mod lines;
mod mask;
mod matching;
mod pairs;
mod path;
mod rules;
mod same;
mod seen;
mod signals;
mod tree;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::model::ManifestId;
use arrange::{Arranged, Read, arrange};
use fields::FieldChange;
use mask::Mask;
use path::Path;
use rules::OwnRules;
use same::Lists;
use seen::Seen;
use signals::Subject;

pub use gap::Mark;
pub use lines::{Hunk, Line, hunks};
pub use rules::Rules;
pub use signals::Signal;
pub use values::{Scalar, hidden_values, line_values, scalars, values_of_secrets};

/// One manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Who it is.
    pub id: ManifestId,
    /// Its own text; nothing where it holds no manifests and must not be shown.
    pub text: Option<String>,
}

/// What became of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Operation {
    /// It is new.
    Added,
    /// It says something else.
    Changed,
    /// It went away.
    Removed,
}

/// A manifest that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What becomes of it.
    pub operation: Operation,
    /// Who it is; where it gets another identity, who it will be.
    pub id: ManifestId,
    /// Who it was, where it gets another identity.
    pub was: Option<ManifestId>,
    /// The lines that differ, with a few around them; none where nothing of it may be shown.
    pub hunks: Vec<Hunk>,
    /// Whether it means the same, and is only written differently.
    pub form: bool,
    /// The fields that differ, where they are asked for.
    pub fields: Vec<String>,
    /// Where it uses a generated manifest that gets another name.
    pub references: Vec<Reference>,
    /// How many fields differ and are not shown.
    pub hidden: usize,
    /// What a reviewer should not overlook.
    pub signals: Vec<Signal>,
}

/// A field that names a generated manifest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reference {
    /// The field.
    pub field: String,
    /// The name that it had.
    pub from: String,
    /// The name that it has.
    pub to: String,
}

/// What differs between two renderings of a target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The manifests that change, in order of their identity, definitions of custom resources last.
    pub changes: Vec<Change>,
    /// How many are written differently, mean the same, and are not shown.
    pub form: usize,
    /// How many changes of fields or of whole manifests the rules hide.
    pub hidden: usize,
}

/// Compares two renderings of a target.
pub fn compare(target: &str, base: &[Document], head: &[Document], rules: &Rules<'_>) -> Comparison {
    let pairs = matching::pairs(base, head);
    let sides = |pair: &matching::Pair| (pair.old.map(|old| &base[old]), pair.new.map(|new| &head[new]));
    let renamed: BTreeMap<&str, &str> = pairs.iter().map(sides).filter_map(renamed).collect();
    let mut found = Comparison::default();
    for (old, new) in pairs.iter().map(sides) {
        if old.zip(new).is_some_and(|(old, new)| old == new) {
            continue;
        }
        let Some(id) = new.or(old).map(|document| &document.id) else { continue };
        let ids: Vec<&ManifestId> = [old, new].into_iter().flatten().map(|document| &document.id).collect();
        let own = rules.about(target, &ids);
        if own.hides_all {
            found.hidden += 1;
            continue;
        }
        let change = Comparing { own, rules, renamed: &renamed }.change(id, old, new);
        found.hidden += change.hidden;
        if is_shown(&change) {
            found.changes.push(change);
        } else if change.hidden == 0 {
            found.form += 1;
        }
    }
    let is_definition = |id: &ManifestId| id.kind == "CustomResourceDefinition";
    found.changes.sort_by(|one, other| {
        (is_definition(&one.id), &one.id, one.operation).cmp(&(
            is_definition(&other.id),
            &other.id,
            other.operation,
        ))
    });
    found
}

impl Change {
    /// One of which nothing is known but what becomes of it.
    pub fn new(operation: Operation, id: ManifestId) -> Self {
        Self {
            operation,
            id,
            was: None,
            hunks: Vec::new(),
            form: false,
            fields: Vec::new(),
            references: Vec::new(),
            hidden: 0,
            signals: Vec::new(),
        }
    }
}

/// The old and the new name of a generated manifest.
fn renamed<'d>((old, new): (Option<&'d Document>, Option<&'d Document>)) -> Option<(&'d str, &'d str)> {
    let (old, new) = (&old?.id, &new?.id);
    let is_generated = matching::stem(old).is_some() && matching::stem(old) == matching::stem(new);
    (is_generated && old.name != new.name).then_some((old.name.as_str(), new.name.as_str()))
}

fn is_shown(change: &Change) -> bool {
    change.operation != Operation::Changed
        || change.was.is_some()
        || !change.hunks.is_empty()
        || change.form
        || !change.references.is_empty()
        || !change.signals.is_empty()
}

fn paths(changes: &[FieldChange<'_>]) -> Vec<String> {
    let paths: BTreeSet<&Path> = changes.iter().map(|change| &change.path).collect();
    paths.into_iter().map(ToString::to_string).collect()
}

struct Comparing<'c, 'r> {
    own: OwnRules<'r>,
    rules: &'c Rules<'r>,
    renamed: &'c BTreeMap<&'c str, &'c str>,
}

impl Comparing<'_, '_> {
    fn change(&self, id: &ManifestId, old: Option<&Document>, new: Option<&Document>) -> Change {
        let operation = match (old, new) {
            (None, _) => Operation::Added,
            (_, None) => Operation::Removed,
            _ => Operation::Changed,
        };
        let was = old.map(|old| &old.id).filter(|old| new.is_some() && *old != id).cloned();
        let mut change = Change { was, ..Change::new(operation, id.clone()) };
        let lists = Lists::of(&id.group);
        let seen = Seen::of(self.rules, lists, old, new);
        let [before, after] = &seen.sides;
        let (was, is) = (
            before.as_ref().and_then(|side| side.tree.as_ref()),
            after.as_ref().and_then(|side| side.tree.as_ref()),
        );
        let both = old.is_some() && new.is_some();
        let (mut changes, mut all) = (Vec::new(), Vec::new());
        match (was, is, before, after) {
            (Some(was), Some(is), Some(before), Some(after)) => {
                let (old, new) =
                    (Read { text: &before.text, tree: was }, Read { text: &after.text, tree: is });
                changes = self.arranged(&mut change, lists, (old, new));
                let is_all = change.hidden == 0 && change.references.is_empty();
                all = if is_all { changes.clone() } else { arrange(lists, old, new, &|_| false).changes };
            }
            (_, _, Some(before), Some(after)) => change.hunks = hunks(&before.text, &after.text),
            (_, _, Some(side), None) if !both => change.hunks = hunks(&side.text, ""),
            (_, _, None, Some(side)) if !both => change.hunks = hunks("", &side.text),
            _ => {}
        }
        let is_read = was.is_some() == old.is_some() && is.is_some() == new.is_some();
        if is_read {
            change.signals = signals::signals(&Subject {
                before: old.zip(was).map(|(old, tree)| (&old.id, &tree.root)),
                after: new.zip(is).map(|(new, tree)| (&new.id, &tree.root)),
                changes: &changes,
                all: &all,
            });
        } else {
            change.signals = signals::unread(old.map(|old| &old.id), new.map(|new| &new.id));
            change.signals.extend(seen.unread());
        }
        if !is_shown(&change) && change.hidden == 0 {
            change.signals.extend(seen.unseen());
        }
        if self.rules.form
            && let (Some(old), Some(new)) = (old, new)
        {
            change.fields = paths(&changes);
            self.as_written(&mut change, &seen, (old, new));
        }
        change
    }

    /// Shows all of how it is written differently, as far as it may be seen.
    fn as_written(&self, change: &mut Change, seen: &Seen, (old, new): (&Document, &Document)) {
        change.form = !is_shown(change) && change.hidden == 0;
        if change.fields.is_empty() {
            let mask = Mask::of_both([old, new].map(|side| self.rules.mask(&side.id)));
            let texts = (old.text.as_deref().unwrap_or_default(), new.text.as_deref().unwrap_or_default());
            change.fields = form::fields(mask.as_ref(), texts.0, texts.1);
        }
        if let [Some(before), Some(after)] = &seen.sides {
            change.hunks = lines::exact(&before.text, &after.text);
        }
    }

    /// Fills in the lines, the references and what is hidden.
    fn arranged<'t>(
        &self,
        change: &mut Change,
        lists: Lists,
        (old, new): (Read<'t>, Read<'t>),
    ) -> Vec<FieldChange<'t>> {
        let hides = |path: &Path| self.own.hide(path);
        let mut arranged = arrange(lists, old, new, &hides);
        let references: BTreeMap<Path, Reference> =
            arranged.changes.iter().filter_map(|change| self.reference(change)).collect();
        if !references.is_empty() {
            let of_references: BTreeSet<&Path> = references.keys().collect();
            arranged = arrange(lists, old, new, &|path| hides(path) || of_references.contains(path));
            if !self.own.hides_references {
                arranged.hidden -= references.len().min(arranged.hidden);
                change.references = references.into_values().collect();
                change.references.sort();
            }
        }
        let Arranged { lines, changes, hidden } = arranged;
        change.hunks = lines::between(&old.text.lines().collect::<Vec<_>>(), &lines);
        change.hidden = hidden;
        changes
    }

    fn reference(&self, change: &FieldChange<'_>) -> Option<(Path, Reference)> {
        let (from, to) = (change.before?.text()?, change.after?.text()?);
        // A generated manifest does not refer to itself.
        let is_own = change.path.is(&["metadata", "name"]);
        let is_one = !is_own && self.renamed.get(from) == Some(&to);
        let reference =
            Reference { field: change.path.to_string(), from: from.to_owned(), to: to.to_owned() };
        is_one.then_some((change.path.clone(), reference))
    }
}

#[cfg(test)]
mod tests;
