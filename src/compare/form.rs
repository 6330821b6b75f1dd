//! Which fields of a manifest are written differently, whether or not they mean the same. Pure.

use std::collections::BTreeSet;

use super::gap::{Mark, gap};
use super::lines::exact_lines;
use super::mask::Mask;
use super::path::Path;
use super::same::names;
use super::tree::{self, Kind, Tree};

/// The fields on whose lines two texts differ, comments above them included. Nothing is named below what `mask` hides.
pub(super) fn fields(mask: Option<&Mask<'_>>, old: &str, new: &str) -> Vec<String> {
    let [Some(before), Some(after)] = [old, new].map(tree::parse_with_doubles) else { return Vec::new() };
    let (old, new) = exact_lines(old, new);
    let mut all = Vec::new();
    gap(&mut all, &old, &new);
    let (mut was, mut is) = (0, 0);
    let mut found = BTreeSet::new();
    for (mark, _) in all {
        match mark {
            Mark::Same => {}
            Mark::Removed => drop(found.insert(field_at(&before, was, mask))),
            Mark::Added => drop(found.insert(field_at(&after, is, mask))),
        }
        was += usize::from(mark != Mark::Added);
        is += usize::from(mark != Mark::Removed);
    }
    found.into_iter().filter(|path| !path.0.is_empty()).map(|path| path.to_string()).collect()
}

/// The innermost field that has this line for itself; a comment is that of the field below it.
fn field_at(tree: &Tree, line: usize, mask: Option<&Mask<'_>>) -> Path {
    let (mut path, mut node) = (Path::default(), &tree.root);
    // What an item is called may be hidden, and then it is called by its place.
    let mut shown = Path::default();
    let mut own = None;
    while !mask.is_some_and(|mask| mask.hides(&path, node)) && own != Some(line) {
        match &node.kind {
            Kind::Mapping { entries, block: true } => {
                let Some(entry) = entries.iter().find(|one| line < one.last) else { break };
                (path, shown, node) = (path.key(&entry.key), shown.key(&entry.key), &entry.value);
                own = Some(entry.line);
            }
            Kind::Sequence { items, block: true } => {
                let Some((index, item)) = items.iter().enumerate().find(|(_, one)| line < one.last) else {
                    break;
                };
                let names = names(path.field(), &item.value);
                let name = names.first().filter(|_| mask.is_none());
                shown = shown.item(index, name.map(String::as_str));
                (path, node) = (path.item_of(index, names), &item.value);
                own = None;
            }
            _ => break,
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str =
        "kind: A\nspec:\n  a: 1\n  flow: {x: 1, y: 2}\n  env:\n  - name: A\n    value: x\n  - name: B\n";

    #[test]
    fn the_innermost_field_of_a_line_is_named() {
        for (from, to, wanted) in [
            ("a: 1", "# why\n  a: 1", "spec.a"),
            ("x: 1, y: 2", "y: 2, x: 1", "spec.flow"),
            ("value: x", "value: 'x'", "spec.env[A].value"),
            ("  env:\n", "  env: # all\n", "spec.env"),
            ("  env:\n", "  env:\n  # first\n", "spec.env[A].name"),
            ("kind: A", "kind: A\r", "kind"),
        ] {
            assert_eq!(fields(None, OLD, &OLD.replace(from, to)), [wanted], "{to}");
        }
        assert_eq!(fields(None, OLD, OLD), [""; 0]);
        assert_eq!(fields(None, "a: [", "a: ["), [""; 0]);
    }

    #[test]
    fn nothing_is_named_that_is_hidden() {
        let mask = Mask::Fields(vec!["/spec/env/*/name", "/spec/flow"]);
        let new = OLD.replace("name: A", "name: 'A'").replace("{x: 1, y: 2}", "\n    x: 1\n    y: 2");
        assert_eq!(fields(Some(&mask), OLD, &new), ["spec.env[0].name", "spec.flow"]);
    }
}
