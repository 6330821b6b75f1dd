//! How the manifests of a target become files: one `manifest.yaml`, or one file per manifest. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::model::{Layout, Manifest, ManifestId};

/// The file of the `single` layout.
pub const MANIFEST_FILE: &str = "manifest.yaml";

/// A path component stays below what file systems and tar take, 255 bytes.
const LONGEST_NAME: usize = 200;

/// The files of one target, by name within its output directory.
pub fn files(layout: Layout, manifests: &[Manifest]) -> BTreeMap<String, Vec<u8>> {
    match layout {
        Layout::Single if manifests.is_empty() => BTreeMap::new(),
        Layout::Single => BTreeMap::from([(MANIFEST_FILE.to_owned(), stream(manifests))]),
        Layout::Split => split(manifests),
    }
}

/// The manifests by the name of their file in the layout of one file for each.
pub fn names(manifests: &[Manifest]) -> BTreeMap<String, ManifestId> {
    let mut names = BTreeSet::new();
    let whole = |manifest: &&Manifest| manifest.parts.is_empty();
    let ids = manifests.iter().flat_map(|manifest| {
        let parts = manifest.parts.iter().map(|part| &part.id);
        Some(manifest).filter(whole).map(|manifest| &manifest.id).into_iter().chain(parts)
    });
    ids.map(|id| (free_name(id, &mut names), id.clone())).collect()
}

/// Documents in the renderer's order, parted by `---`, none in front.
fn stream(manifests: &[Manifest]) -> Vec<u8> {
    let mut text = Vec::with_capacity(manifests.iter().map(|manifest| manifest.text.len() + 4).sum());
    for (index, manifest) in manifests.iter().enumerate() {
        if index > 0 {
            text.extend_from_slice(b"---\n");
        }
        text.extend_from_slice(&manifest.text);
    }
    text
}

fn split(manifests: &[Manifest]) -> BTreeMap<String, Vec<u8>> {
    let mut names = BTreeSet::new();
    let mut files = BTreeMap::new();
    for manifest in manifests {
        if manifest.parts.is_empty() {
            files.insert(free_name(&manifest.id, &mut names), manifest.text.clone());
        }
        for part in &manifest.parts {
            files.insert(free_name(&part.id, &mut names), part.text.clone());
        }
    }
    files
}

/// Only manifests with `generateName`, or kinds that differ in case alone, can ask for a name twice.
fn free_name(id: &ManifestId, names: &mut BTreeSet<String>) -> String {
    let stem = stem(id);
    let mut name = format!("{stem}.yaml");
    let mut number = 2;
    while !names.insert(name.clone()) {
        name = format!("{stem}_{number}.yaml");
        number += 1;
    }
    name
}

/// `deployment.apps_shop_web`: kind and group, namespace, name. `_` is in none of the parts, so two ids never meet.
fn stem(id: &ManifestId) -> String {
    let mut stem = part(&id.kind.to_lowercase());
    if !id.group.is_empty() {
        let _ = write!(stem, ".{}", part(&id.group));
    }
    for text in [&id.namespace, &id.name] {
        if !text.is_empty() {
            let _ = write!(stem, "_{}", part(text));
        }
    }
    if stem.len() <= LONGEST_NAME {
        return stem;
    }
    let digest = crate::digest::short(stem.as_bytes());
    stem.truncate(LONGEST_NAME - digest.len() - 1);
    format!("{stem}_{digest}")
}

/// Lower-case letters, digits, `-` and `.` stay; everything else (`:` of RBAC names, upper case) becomes `%XX`, so
/// that no two names differ in case only and none is special to a file system. A leading `.` would hide the file.
fn part(text: &str) -> String {
    let mut clean = String::new();
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'.' if index == 0 => clean.push_str("%2E"),
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' => clean.push(char::from(byte)),
            b'*' if index + 1 == text.len() => {}
            other => {
                let _ = write!(clean, "%{other:02X}");
            }
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(group: &str, kind: &str, namespace: &str, name: &str) -> Manifest {
        let owned = str::to_owned;
        let id = ManifestId {
            group: owned(group),
            kind: owned(kind),
            namespace: owned(namespace),
            name: owned(name),
        };
        Manifest { id, text: format!("# {name}\n").into_bytes(), parts: Vec::new(), line: 1 }
    }

    fn names(manifests: &[Manifest]) -> Vec<String> {
        files(Layout::Split, manifests).into_keys().collect()
    }

    #[test]
    fn names_never_collide() {
        let manifests = [
            manifest("", "Service", "a", "b-c"),
            manifest("", "Service", "a-b", "c"),
            manifest("", "ServiceAccount", "", "x"),
            manifest("talos.dev", "ServiceAccount", "", "x"),
            manifest("rbac.authorization.k8s.io", "ClusterRole", "", "system:Node"),
            manifest("rbac.authorization.k8s.io", "ClusterRole", "", "system:node"),
            manifest("batch", "Job", "", "run-*"),
            manifest("batch", "Job", "", "run-*"),
            manifest("", "ConfigMap", "", &"x".repeat(300)),
            manifest("", "ConfigMap", "", &format!("{}y", "x".repeat(300))),
        ];
        let names = names(&manifests);
        let lower: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(lower.len(), manifests.len(), "{names:?}");
        assert!(names.contains(&"service_a-b_c.yaml".to_owned()));
        assert!(names.contains(&"serviceaccount.talos.dev_x.yaml".to_owned()));
        assert!(names.iter().all(|name| name.len() < 255));
    }

    #[test]
    fn documents_are_parted_and_otherwise_untouched() {
        let manifests = [manifest("", "A", "", "one"), manifest("", "A", "", "two")];
        let files = files(Layout::Single, &manifests);
        assert_eq!(files[MANIFEST_FILE], b"# one\n---\n# two\n");
    }
}
