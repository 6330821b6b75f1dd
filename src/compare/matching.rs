//! Which manifest of the base became which one of the head: by identity, then by name, then by what they say. Pure.

use std::collections::BTreeMap;

use super::Document;
use crate::model::ManifestId;

/// Manifests are alike from this part of their lines on.
const ALIKE: f64 = 0.6;
/// Fewer lines than this tell nothing.
const FEWEST_LINES: usize = 4;
/// More pairs than this are not compared.
const MOST_PAIRS: usize = 40_000;

/// Places in the two lists; one side is missing where there is no match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) old: Option<usize>,
    pub(super) new: Option<usize>,
}

/// All manifests of both sides, each in one pair.
pub(super) fn pairs(base: &[Document], head: &[Document]) -> Vec<Pair> {
    let mut matcher = Matcher { base, head, old: vec![None; base.len()], new: vec![None; head.len()] };
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
    matcher.by_likeness(|old, new| old.namespace == new.namespace && old.name == new.name);
    matcher.by_likeness(|old, new| old.group == new.group && old.kind == new.kind);
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

struct Matcher<'d> {
    base: &'d [Document],
    head: &'d [Document],
    old: Vec<Option<usize>>,
    new: Vec<Option<usize>>,
}

impl Matcher<'_> {
    fn join(&mut self, old: usize, new: usize) {
        self.old[old] = Some(new);
        self.new[new] = Some(old);
    }

    fn left(matches: &[Option<usize>]) -> Vec<usize> {
        (0..matches.len()).filter(|index| matches[*index].is_none()).collect()
    }

    /// Joins those with the same key, in order; keys that a side has more often stay alone there.
    fn by_key<K: Ord>(&mut self, key: impl Fn(&Document) -> Option<K>) {
        let mut found: BTreeMap<K, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
        for index in Self::left(&self.old) {
            if let Some(key) = key(&self.base[index]) {
                found.entry(key).or_default().0.push(index);
            }
        }
        for index in Self::left(&self.new) {
            if let Some(key) = key(&self.head[index]) {
                found.entry(key).or_default().1.push(index);
            }
        }
        for (old, new) in found.into_values() {
            for (old, new) in old.into_iter().zip(new) {
                self.join(old, new);
            }
        }
    }

    /// Joins those that are alike, the most alike first.
    fn by_likeness(&mut self, may: impl Fn(&ManifestId, &ManifestId) -> bool) {
        let (old, new) = (Self::left(&self.old), Self::left(&self.new));
        if old.len().saturating_mul(new.len()) > MOST_PAIRS {
            return;
        }
        let before: Vec<Lines<'_>> = old.iter().map(|index| Lines::of(&self.base[*index])).collect();
        let after: Vec<Lines<'_>> = new.iter().map(|index| Lines::of(&self.head[*index])).collect();
        let mut found = Vec::new();
        for (one, lines) in old.iter().zip(&before) {
            for (other, others) in new.iter().zip(&after) {
                if may(&self.base[*one].id, &self.head[*other].id) && lines.is_like(others) {
                    found.push((lines.likeness(others), *one, *other));
                }
            }
        }
        found.sort_by(|one, other| other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
        for (_, one, other) in found {
            if self.old[one].is_none() && self.new[other].is_none() {
                self.join(one, other);
            }
        }
    }
}

/// The lines of a manifest that say more than who it is, each as often as it has it.
struct Lines<'d> {
    counts: BTreeMap<&'d str, usize>,
    total: usize,
}

impl<'d> Lines<'d> {
    fn of(document: &'d Document) -> Self {
        let says_who = |line: &str| {
            ["apiVersion:", "kind:", "metadata:", "name:", "namespace:"]
                .iter()
                .any(|start| line.starts_with(start))
        };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let text = document.text.as_deref().unwrap_or_default();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !says_who(line)) {
            *counts.entry(line).or_default() += 1;
        }
        Self { total: counts.values().sum(), counts }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.total >= FEWEST_LINES && other.total >= FEWEST_LINES && self.likeness(other) >= ALIKE
    }

    #[expect(clippy::cast_precision_loss, reason = "a part of a whole")]
    fn likeness(&self, other: &Self) -> f64 {
        let both =
            |(line, count): (&&str, &usize)| other.counts.get(line).map_or(0, |others| *count.min(others));
        let common: usize = self.counts.iter().map(both).sum();
        2.0 * common as f64 / (self.total + other.total).max(1) as f64
    }
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
    fn generated_names_are_matched_one_by_one() {
        let id = ["batch", "Job", "", "run-*"];
        let (old, new) = (
            [document(id, "1"), document(id, "2")],
            [document(id, "2"), document(id, "3"), document(id, "4")],
        );
        assert_eq!(joined(&old, &new), [(Some(0), Some(1)), (Some(1), Some(0)), (None, Some(2))]);
    }
}
