//! Which manifest of the base became which one of the head: by identity, then by name, then by what they say. Pure.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use super::Document;
use crate::model::ManifestId;

/// Manifests are alike from this part of their lines on.
const ALIKE: f64 = 0.6;
/// Fewer lines than this tell nothing.
const FEWEST_LINES: usize = 4;
/// Two manifests are compared in as many steps as they have lines; for one target no more steps than this are taken.
const MOST_STEPS: usize = 400_000_000;

/// Places in the two lists; one side is missing where there is no match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) old: Option<usize>,
    pub(super) new: Option<usize>,
}

/// All manifests of both sides, each in one pair.
pub(super) fn pairs(base: &[Document], head: &[Document]) -> Vec<Pair> {
    let (old, new) = (vec![None; base.len()], vec![None; head.len()]);
    let mut matcher = Matcher { base, head, old, new, steps: MOST_STEPS };
    // The same text first: objects with generated names have no other identity.
    matcher.by_key(|document| Some((document.id.clone(), document.text.clone())));
    matcher.by_key(|document| Some(document.id.clone()));
    matcher.by_key(|document| {
        Some((document.id.kind.clone(), document.id.namespace.clone(), document.id.name.clone()))
    });
    matcher.by_key(|document| {
        Some((document.id.group.clone(), document.id.kind.clone(), document.id.name.clone()))
    });
    matcher.by_key(|document| {
        let stem = stem(&document.id)?.to_owned();
        Some((document.id.kind.clone(), document.id.namespace.clone(), stem))
    });
    let lines = matcher.lines();
    matcher.by_likeness(&lines, |id| vec![(&id.namespace, &id.name)]);
    matcher.by_likeness(&lines, |id| vec![&id.name]);
    // A prefix or a suffix that all names get, however many they are.
    matcher.by_likeness(&lines, |id| parts(&id.name).map(|part| (part, &id.group, &id.kind)).collect());
    matcher.by_likeness(&lines, |id| vec![(&id.group, &id.kind)]);
    let mut pairs: Vec<Pair> =
        matcher.old.iter().enumerate().map(|(old, new)| Pair { old: Some(old), new: *new }).collect();
    let added = matcher.new.iter().enumerate().filter(|(_, old)| old.is_none());
    pairs.extend(added.map(|(new, _)| Pair { old: None, new: Some(new) }));
    pairs
}

/// The name without the hash that kustomize puts behind it, of the kinds that it generates.
///
/// Source: kustomize's `api/hasher`: ten characters, hexadecimal with what could make words replaced.
pub(super) fn stem(id: &ManifestId) -> Option<&str> {
    if !id.group.is_empty() || !["ConfigMap", "Secret"].contains(&id.kind.as_str()) {
        return None;
    }
    let (stem, hash) = id.name.rsplit_once('-')?;
    let is_hash = hash.len() == 10 && hash.chars().all(|c| "bcdfghkmt2456789".contains(c));
    is_hash.then_some(stem)
}

/// The starts and the ends of a name at its dashes, the longest first.
fn parts(name: &str) -> impl Iterator<Item = (Reverse<usize>, &str)> {
    let dashes = || name.match_indices('-').map(|(at, _)| at);
    let all = std::iter::once(name).chain(dashes().flat_map(|at| [&name[..at], &name[at + 1..]]));
    all.map(|part| (Reverse(part.len()), part))
}

struct Matcher<'d> {
    base: &'d [Document],
    head: &'d [Document],
    old: Vec<Option<usize>>,
    new: Vec<Option<usize>>,
    /// How many more may be taken.
    steps: usize,
}

impl<'d> Matcher<'d> {
    fn join(&mut self, old: usize, new: usize) {
        self.old[old] = Some(new);
        self.new[new] = Some(old);
    }

    fn left(matches: &[Option<usize>]) -> Vec<usize> {
        (0..matches.len()).filter(|index| matches[*index].is_none()).collect()
    }

    /// Joins those with the same key, in order; keys that a side has more often stay alone there.
    fn by_key<K: Ord>(&mut self, key: impl Fn(&Document) -> Option<K>) {
        for (old, new) in self.buckets(|document| key(document).into_iter().collect()) {
            for (old, new) in old.into_iter().zip(new) {
                self.join(old, new);
            }
        }
    }

    /// Those that are left, by their keys, in the keys' order.
    fn buckets<K: Ord>(&self, keys: impl Fn(&'d Document) -> Vec<K>) -> Vec<(Vec<usize>, Vec<usize>)> {
        let mut found: BTreeMap<K, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for index in Self::left(&self.old) {
            for key in keys(&self.base[index]) {
                found.entry(key).or_default().0.push(index);
            }
        }
        for index in Self::left(&self.new) {
            for key in keys(&self.head[index]) {
                // What one side alone has leads to no pair.
                if let Some(bucket) = found.get_mut(&key) {
                    bucket.1.push(index);
                }
            }
        }
        found.into_values().filter(|(_, new)| !new.is_empty()).collect()
    }

    /// The lines of those that are left, by side and place.
    fn lines(&self) -> [HashMap<usize, Lines>; 2] {
        let mut numbers = HashMap::new();
        let [old, new] = [(self.base, &self.old), (self.head, &self.new)].map(|(documents, matches)| {
            let left = Self::left(matches).into_iter();
            left.map(|index| (index, Lines::of(&documents[index], &mut numbers))).collect()
        });
        [old, new]
    }

    /// Joins those with a common key that are alike, the most alike first.
    fn by_likeness<K: Ord>(
        &mut self,
        [before, after]: &[HashMap<usize, Lines>; 2],
        keys: impl Fn(&'d ManifestId) -> Vec<K>,
    ) {
        for (old, new) in self.buckets(|document| keys(&document.id)) {
            let old: Vec<usize> = old.into_iter().filter(|index| self.old[*index].is_none()).collect();
            let new: Vec<usize> = new.into_iter().filter(|index| self.new[*index].is_none()).collect();
            let mut found = Vec::new();
            for (one, lines) in old.iter().filter_map(|index| Some((*index, before.get(index)?))) {
                for (other, others) in new.iter().filter_map(|index| Some((*index, after.get(index)?))) {
                    let Some(left) = self.steps.checked_sub(lines.steps(others)) else { return };
                    self.steps = left;
                    let likeness = lines.likeness(others);
                    if likeness >= ALIKE {
                        found.push((likeness, one, other));
                    }
                }
            }
            found.sort_by(|one, other| {
                other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2)))
            });
            for (_, one, other) in found {
                if self.old[one].is_none() && self.new[other].is_none() {
                    self.join(one, other);
                }
            }
        }
    }
}

/// The lines of a manifest that say more than who it is: their numbers in order, with how often it has them.
struct Lines {
    counts: Vec<(usize, usize)>,
    total: usize,
}

impl Lines {
    /// Equal lines have equal numbers.
    fn of<'d>(document: &'d Document, numbers: &mut HashMap<&'d str, usize>) -> Self {
        let says_who = |line: &str| {
            ["apiVersion:", "kind:", "metadata:", "name:", "namespace:"]
                .iter()
                .any(|start| line.starts_with(start))
        };
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        let text = document.text.as_deref().unwrap_or_default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !says_who(line)) {
            let next = numbers.len();
            *counts.entry(*numbers.entry(line).or_insert(next)).or_default() += 1;
        }
        Self { total: counts.values().sum(), counts: counts.into_iter().collect() }
    }

    /// Whether they can be alike at all, by their lengths.
    fn may_be_like(&self, other: &Self) -> bool {
        let (fewer, more) = (self.total.min(other.total), self.total.max(other.total));
        fewer >= FEWEST_LINES && part_of(2 * fewer, fewer + more) >= ALIKE
    }

    /// What it costs to learn how alike they are.
    fn steps(&self, other: &Self) -> usize {
        if self.may_be_like(other) { self.counts.len() + other.counts.len() } else { 1 }
    }

    fn likeness(&self, other: &Self) -> f64 {
        if !self.may_be_like(other) {
            return 0.0;
        }
        let mut common = 0;
        let mut others = other.counts.iter().peekable();
        for (line, count) in &self.counts {
            while others.next_if(|(other, _)| other < line).is_some() {}
            common += others.next_if(|(other, _)| other == line).map_or(0, |(_, others)| *count.min(others));
        }
        part_of(2 * common, self.total + other.total)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a part of a whole")]
fn part_of(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: [&str; 4], text: &str) -> Document {
        let [group, kind, namespace, name] = id.map(str::to_owned);
        Document { id: ManifestId { group, kind, namespace, name }, text: Some(text.to_owned()) }
    }

    fn joined(base: &[Document], head: &[Document]) -> Vec<(Option<usize>, Option<usize>)> {
        pairs(base, head).into_iter().map(|pair| (pair.old, pair.new)).collect()
    }

    #[test]
    fn another_group_namespace_or_hash_is_the_same_manifest() {
        for (old, new) in [
            (["extensions", "Ingress", "a", "web"], ["networking.k8s.io", "Ingress", "a", "web"]),
            (["", "ConfigMap", "", "web"], ["", "ConfigMap", "shop", "web"]),
            (["", "ConfigMap", "a", "web-5b7d8f6ghm"], ["", "ConfigMap", "a", "web-m2456789bc"]),
        ] {
            assert_eq!(joined(&[document(old, "1")], &[document(new, "2")]), [(Some(0), Some(0))], "{old:?}");
        }
        let apart = [(Some(0), None), (None, Some(0))];
        let (old, new) =
            (["", "ConfigMap", "a", "web-5b7d8f6ghm"], ["", "ConfigMap", "a", "shop-m2456789bc"]);
        assert_eq!(joined(&[document(old, "1")], &[document(new, "2")]), apart);
        let (old, new) = (["", "Service", "a", "web"], ["", "Ingress", "a", "web"]);
        assert_eq!(joined(&[document(old, "a\nb\nc\nd\n")], &[document(new, "e\nf\ng\nh\n")]), apart);
    }

    #[test]
    fn renames_and_other_kinds_are_found_by_what_they_say() {
        let text = "spec:\n  a: 1\n  b: 2\n  c: 3\n  d: 4\n";
        let old = [
            document(["apps", "Deployment", "a", "web"], text),
            document(["apps", "Deployment", "a", "other"], "x\ny\nz\nw\n"),
        ];
        let new = [
            document(["apps", "Deployment", "a", "shop"], text),
            document(["apps", "StatefulSet", "a", "other"], "x\ny\nz\nv\n"),
        ];
        assert_eq!(joined(&old, &new), [(Some(0), Some(0)), (Some(1), Some(1))]);
    }

    #[test]
    fn names_that_all_get_a_prefix_or_a_suffix_stay_themselves() {
        let many = |name: &dyn Fn(usize) -> String| -> Vec<Document> {
            let text = |index: usize| format!("a: {index}\nb: 2\nc: 3\nd: 4\ne: 5\n");
            let one = |index| document(["", "ConfigMap", "", &name(index)], &text(index % 7));
            (0..1_000).map(one).collect()
        };
        let base = many(&|index| format!("shop-{index}-config"));
        for head in [
            many(&|index| format!("acme-shop-{index}-config")),
            many(&|index| format!("store-{index}-config")),
            many(&|index| format!("shop-{index}-config-v2")),
        ] {
            let straight: Vec<_> = (0..1_000).map(|index| (Some(index), Some(index))).collect();
            assert_eq!(joined(&base, &head), straight, "{}", head[0].id.name);
        }
    }

    #[test]
    fn generated_names_are_matched_one_by_one() {
        let id = ["batch", "Job", "", "run-*"];
        let (old, new) = (
            [document(id, "1"), document(id, "2")],
            [document(id, "2"), document(id, "3"), document(id, "4")],
        );
        assert_eq!(joined(&old, &new), [(Some(0), Some(1)), (Some(1), Some(0)), (None, Some(2))]);
    }
}
