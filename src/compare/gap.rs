//! Which lines of a text were replaced by which: those that are in both stay. Pure.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::Serialize;
use similar::{Algorithm, DiffTag, capture_diff_slices};

/// More pairs of lines than this are not compared one by one.
const MOST_PAIRS: usize = 25_000_000;

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Mark {
    /// It stays.
    Same,
    /// It is new.
    Added,
    /// It goes.
    Removed,
}

impl Mark {
    /// What stands before the line.
    pub const fn sign(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Added => '+',
            Self::Removed => '-',
        }
    }
}

/// Adds the lines of both, in an order that makes the new ones of the old ones.
pub(super) fn gap<'l>(all: &mut Vec<(Mark, &'l str)>, old: &[&'l str], new: &[&'l str]) {
    let first = old.iter().zip(new).take_while(|(one, other)| one == other).count();
    let (head, old, new) = (&old[..first], &old[first..], &new[first..]);
    let last = old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| one == other).count();
    let (old, tail) = old.split_at(old.len() - last);
    let new = &new[..new.len() - last];
    all.extend(head.iter().map(|line| (Mark::Same, *line)));
    if old.len().saturating_mul(new.len()) > MOST_PAIRS {
        in_pieces(all, old, new);
    } else {
        one_by_one(all, old, new);
    }
    all.extend(tail.iter().map(|line| (Mark::Same, *line)));
}

/// Between the lines that are once in each text and in the same order in both.
fn in_pieces<'l>(all: &mut Vec<(Mark, &'l str)>, old: &[&'l str], new: &[&'l str]) {
    let (mut from, mut to) = (0, 0);
    for (one, other) in anchors(old, new).into_iter().chain([(old.len(), new.len())]) {
        one_by_one(all, &old[from..one], &new[to..other]);
        all.extend(old.get(one).map(|line| (Mark::Same, *line)));
        (from, to) = (one + 1, other + 1);
    }
}

fn one_by_one<'l>(all: &mut Vec<(Mark, &'l str)>, old: &[&'l str], new: &[&'l str]) {
    if old.is_empty() || new.is_empty() || old.len().saturating_mul(new.len()) > MOST_PAIRS {
        all.extend(old.iter().map(|line| (Mark::Removed, *line)));
        all.extend(new.iter().map(|line| (Mark::Added, *line)));
        return;
    }
    for op in capture_diff_slices(Algorithm::Myers, old, new) {
        let (before, after) = (&old[op.old_range()], &new[op.new_range()]);
        if op.tag() == DiffTag::Equal {
            all.extend(before.iter().map(|line| (Mark::Same, *line)));
        } else {
            all.extend(before.iter().map(|line| (Mark::Removed, *line)));
            all.extend(after.iter().map(|line| (Mark::Added, *line)));
        }
    }
}

/// Places of equal lines, ascending in both texts: as many as can be of those that are once in each.
fn anchors(old: &[&str], new: &[&str]) -> Vec<(usize, usize)> {
    let places = only_once(new);
    let once = only_once(old);
    let is_anchor =
        |(one, line): (usize, &&str)| once.contains_key(line).then(|| Some((one, *places.get(line)?)))?;
    let pairs: Vec<(usize, usize)> = old.iter().enumerate().filter_map(is_anchor).collect();
    ascending(&pairs)
}

fn only_once<'l>(lines: &[&'l str]) -> HashMap<&'l str, usize> {
    let mut places: HashMap<&str, Option<usize>> = HashMap::new();
    for (place, line) in lines.iter().enumerate() {
        places.entry(line).and_modify(|known| *known = None).or_insert(Some(place));
    }
    places.into_iter().filter_map(|(line, place)| Some((line, place?))).collect()
}

/// The longest part of the pairs whose second places ascend, too.
fn ascending(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // For each length, the pair that ends such a part with the lowest second place; and for each pair the one before.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (index, (_, place)) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| pairs[*end].1 < *place);
        before.push(length.checked_sub(1).map(|shorter| ends[shorter]));
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    let mut found: Vec<(usize, usize)> = std::iter::successors(ends.last().copied(), |index| before[*index])
        .map(|index| pairs[index])
        .collect();
    found.reverse();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(old: &[String], new: &[String]) -> (usize, usize) {
        let (old, new): (Vec<&str>, Vec<&str>) =
            (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
        let mut all = Vec::new();
        gap(&mut all, &old, &new);
        let side = |mark: Mark| -> Vec<&str> {
            all.iter().filter(|(of, _)| *of == Mark::Same || *of == mark).map(|(_, line)| *line).collect()
        };
        assert_eq!(side(Mark::Removed), old);
        assert_eq!(side(Mark::Added), new);
        let count = |mark: Mark| all.iter().filter(|(of, _)| *of == mark).count();
        (count(Mark::Removed), count(Mark::Added))
    }

    #[test]
    fn a_long_text_shows_what_changes_alone() {
        // Every third line is unlike all others; more pairs than are compared one by one.
        let line =
            |index: usize| if index.is_multiple_of(3) { format!("line {index}") } else { "}".to_owned() };
        let old: Vec<String> = (0..9_000).map(line).collect();
        let mut new = old.clone();
        new[6] = "first".to_owned();
        new[4_500] = "middle".to_owned();
        new.insert(8_990, "last".to_owned());
        assert_eq!(changed(&old, &new), (2, 3));
        let other: Vec<String> = (0..9_000).map(|index| format!("other {index}")).collect();
        assert_eq!(changed(&old, &other), (9_000, 9_000));
        new.reverse();
        changed(&old, &new);
    }

    #[test]
    fn what_both_begin_and_end_with_stays() {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(changed(&lines("a b a"), &lines("a a")), (1, 0));
        assert_eq!(changed(&lines("a"), &lines("a a a")), (0, 2));
        assert_eq!(changed(&lines("a b c"), &lines("a x c")), (1, 1));
    }
}
