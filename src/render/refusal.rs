//! What validators have against a target's manifests, by manifest where they name one. Pure.

use std::collections::BTreeMap;

use crate::error::Failure;
use crate::model::ManifestId;

/// A target that rendered, and that a validator refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Everything that was said.
    pub failure: Failure,
    /// What was said of single manifests.
    pub complaints: Vec<Complaint>,
}

/// What a validator says of one manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The manifest.
    pub manifest: ManifestId,
    /// One or more lines.
    pub text: String,
}

/// The lines that name a manifest's file, each with the lines that go on below it: indented, or items of a list.
pub(super) fn complaints(names: &BTreeMap<String, ManifestId>, lines: &[String]) -> Vec<Complaint> {
    let mut found: Vec<Complaint> = Vec::new();
    let mut goes_on = false;
    for line in lines {
        if let Some(manifest) = named(names, line) {
            found.push(Complaint { manifest: manifest.clone(), text: line.clone() });
            goes_on = true;
        } else if goes_on
            && line.starts_with([' ', '-'])
            && let Some(last) = found.last_mut()
        {
            last.text.push('\n');
            last.text.push_str(line);
        } else {
            goes_on = false;
        }
    }
    found
}

fn named<'n>(names: &'n BTreeMap<String, ManifestId>, line: &str) -> Option<&'n ManifestId> {
    let is_other = |c: char| !c.is_ascii_alphanumeric() && !"._%-".contains(c);
    line.split(is_other).find_map(|word| names.get(word.trim_end_matches('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_to_the_manifest_that_they_name() {
        let id = |name: &str| ManifestId {
            group: String::new(),
            kind: "ConfigMap".to_owned(),
            namespace: String::new(),
            name: name.to_owned(),
        };
        let names = ["a", "b", "xa"].map(|name| (format!("configmap_{name}.yaml"), id(name)));
        let lines = [
            "checking",
            "manifests/configmap_xa.yaml - ConfigMap xa is invalid:",
            "- at '/data': got number",
            "  want string",
            "FAIL (configmap_a.yaml:3): no owner",
            "",
            "  2 files",
            "see configmap_b.yaml.",
            "configmap_c.yaml is fine",
        ]
        .map(str::to_owned);
        let found = complaints(&BTreeMap::from(names), &lines);
        let told: Vec<(&str, usize)> =
            found.iter().map(|one| (one.manifest.name.as_str(), one.text.lines().count())).collect();
        assert_eq!(told, [("xa", 3), ("a", 1), ("b", 1)]);
    }
}
