//! How changes are shown: noise rules with their presets, secret fields, signals. Pure.

use super::super::node::Node;
use super::super::problem::Findings;
use super::super::raw::{RawDiff, RawDiffRule, RawPreset, RawSecretRule};
use super::paths::glob_pattern;
use crate::model::{DiffRule, DiffSettings, SecretRule};

/// The labels in which charts write their version.
const HELM_LABELS: &[&str] = &["helm.sh/chart", "chart", "app.kubernetes.io/version"];
const CHECKSUMS: &str = "checksum/*";

pub(super) fn settings(raw: Option<&RawDiff>, node: &Node, findings: &mut Findings) -> DiffSettings {
    let Some(raw) = raw else { return DiffSettings::default() };
    let mut settings = DiffSettings { signals: raw.signals.clone(), ..DiffSettings::default() };
    for (index, rule) in raw.ignore.iter().flatten().enumerate() {
        settings.ignore.extend(rules(rule, node.at("ignore").item(index), findings));
    }
    for (index, rule) in raw.secrets.iter().flatten().enumerate() {
        settings.secrets.push(secret(rule, node.at("secrets").item(index), findings));
    }
    settings
}

fn secret(raw: &RawSecretRule, node: &Node, findings: &mut Findings) -> SecretRule {
    check_pointer(Some(&raw.path), node, findings);
    check_globs(&[("group", &raw.group), ("kind", &raw.kind), ("name", &raw.name)], node, findings);
    let (group, kind, name) = (raw.group.clone(), raw.kind.clone(), raw.name.clone());
    SecretRule { path: raw.path.clone(), group, kind, name }
}

fn rules(raw: &RawDiffRule, node: &Node, findings: &mut Findings) -> Vec<DiffRule> {
    let about = [("group", &raw.group), ("kind", &raw.kind), ("name", &raw.name), ("target", &raw.target)];
    let fields = [("path", &raw.path), ("annotation", &raw.annotation), ("label", &raw.label)];
    let given =
        fields.iter().filter(|(_, value)| value.is_some()).count() + usize::from(raw.preset.is_some());
    if given == 0 && about.iter().all(|(_, value)| value.is_none()) {
        findings.problem(
            node,
            "the rule is empty and would hide every change: give a `preset`, `path`, `annotation`, `label`, `group`, \
             `kind`, `name` or `target`",
        );
    }
    if given > 1 {
        findings
            .problem(node, "a rule has one of `preset`, `path`, `annotation` and `label`: write two rules");
    }
    check_pointer(raw.path.as_deref(), node, findings);
    check_globs(&about, node, findings);
    check_globs(&fields[1..], node, findings);
    let rule = DiffRule {
        path: raw.path.clone(),
        annotation: raw.annotation.clone(),
        label: raw.label.clone(),
        generated_hashes: false,
        group: raw.group.clone(),
        kind: raw.kind.clone(),
        name: raw.name.clone(),
        target: raw.target.clone(),
    };
    match raw.preset {
        None => vec![rule],
        Some(RawPreset::ChecksumAnnotations) => {
            vec![DiffRule { annotation: Some(CHECKSUMS.to_owned()), ..rule }]
        }
        Some(RawPreset::GeneratedHashes) => vec![DiffRule { generated_hashes: true, ..rule }],
        Some(RawPreset::HelmLabels) => HELM_LABELS
            .iter()
            .map(|label| DiffRule { label: Some((*label).to_owned()), ..rule.clone() })
            .collect(),
    }
}

fn check_pointer(path: Option<&str>, node: &Node, findings: &mut Findings) {
    const INSIDE: &str = "write a `/` inside a key as `~1`, such as `/metadata/labels/helm.sh~1chart`";
    let Some(path) = path else { return };
    let Some(parts) = path.strip_prefix('/') else {
        findings.problem_with_hint(
            node.at("path"),
            "not a JSON pointer",
            format!("start with `/` and {INSIDE}"),
        );
        return;
    };
    if parts.split('/').any(str::is_empty) {
        let end = if path.ends_with('/') { "leave out the `/` at the end, and " } else { "" };
        let hint = format!("{end}{INSIDE}; `*` stands for any key or item");
        findings.problem_with_hint(
            node.at("path"),
            "a part of the path is empty, and no field is called so",
            hint,
        );
    }
}

fn check_globs(globs: &[(&str, &Option<String>)], node: &Node, findings: &mut Findings) {
    for (key, glob) in globs {
        // The core group's name is empty.
        let glob = glob.as_deref().filter(|glob| *key != "group" || !glob.is_empty());
        if let Some(Err(reason)) = glob.map(glob_pattern) {
            findings.problem(node.at(key), reason);
        }
    }
}
