//! What holds for all environments: layout, promotion, tools, commits, diff rules. Pure.

use std::collections::BTreeMap;

use camino::Utf8Path;

use super::super::node::Node;
use super::super::problem::Findings;
use super::super::raw::{RawConfig, RawContention, RawIdentity, RawLayout, RawOrder};
use super::branches::{branch_name, patterns};
use super::diff;
use crate::model::{CommitSettings, Contention, Identity, Layout, Order, Project, Tool};

/// A constant, so that the same inputs give the same commit ids everywhere.
const DEFAULT_NAME: &str = "hydrator";
/// `.invalid` belongs to nobody (RFC 2606): no forge takes the commits for some person's.
const DEFAULT_EMAIL: &str = "hydrator@noreply.invalid";

/// The project without its environments.
pub(super) fn project(
    raw: &RawConfig,
    node: &Node,
    config_path: &Utf8Path,
    findings: &mut Findings,
) -> Project {
    let dry_branch = raw.dry_branch.as_deref();
    Project {
        config_path: config_path.to_owned(),
        dry_branch: dry_branch.and_then(|name| branch_name(name, node.at("dryBranch"), findings)),
        layout: match raw.layout {
            Some(RawLayout::Split) => Layout::Split,
            Some(RawLayout::Single) | None => Layout::Single,
        },
        order: match raw.promotion.as_ref().and_then(|promotion| promotion.order) {
            Some(RawOrder::None) => Order::None,
            Some(RawOrder::Linear) | None => Order::Linear,
        },
        contention: match raw.promotion.as_ref().and_then(|promotion| promotion.contention) {
            Some(RawContention::Finish) => Contention::Finish,
            Some(RawContention::Latest) | None => Contention::Latest,
        },
        as_previewed: raw.promotion.as_ref().and_then(|promotion| promotion.as_previewed).unwrap_or_default(),
        deployments: raw.deployments.unwrap_or_default(),
        tools: tools(raw, node.at("tools"), findings),
        commit: commit(raw, node.at("commit"), findings),
        active_pattern: patterns(raw).active,
        proposed_pattern: patterns(raw).proposed,
        diff: diff::settings(raw.diff.as_ref(), node.at("diff"), findings),
        validators: validators(raw, node.at("validate"), findings),
        max_refs_per_push: raw.max_refs_per_push.and_then(|most| usize::try_from(most).ok()),
        environments: Vec::new(),
    }
}

fn validators(raw: &RawConfig, node: &Node, findings: &mut Findings) -> Vec<Vec<String>> {
    let commands = raw.validate.clone().unwrap_or_default();
    for (index, command) in commands.iter().enumerate() {
        match command.first().map(String::as_str) {
            None | Some("") => findings.problem(node.item(index), "the program is empty"),
            // What lies in the DRY tree is a pull request's own.
            Some(name) if name.contains('/') && !name.starts_with('/') => findings.problem_with_hint(
                node.item(index),
                format!("`{name}` is relative, and what it leads to may be anybody's"),
                "name a program on the path, or give an absolute path",
            ),
            Some(_) => {}
        }
    }
    commands
}

fn tools(raw: &RawConfig, node: &Node, findings: &mut Findings) -> BTreeMap<Tool, String> {
    let mut tools = BTreeMap::new();
    let Some(raw) = &raw.tools else { return tools };
    for (tool, pattern) in [(Tool::Kustomize, &raw.kustomize), (Tool::Helm, &raw.helm)] {
        let Some(pattern) = pattern else { continue };
        if !is_version_pattern(pattern) {
            let message = format!("`{pattern}` is not a version of {}", tool.name());
            findings.problem_with_hint(node.at(tool.name()), message, "write `5.8.x` or `5.8.1`");
        }
        tools.insert(tool, pattern.clone());
    }
    tools
}

/// `5`, `5.8`, `5.8.1`, with `x` or `*` for any number of a part; a `v` before it is accepted.
fn is_version_pattern(text: &str) -> bool {
    let parts: Vec<&str> = text.strip_prefix('v').unwrap_or(text).split('.').collect();
    let number =
        |part: &str| !part.is_empty() && part.len() < 10 && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() <= 3
        && number(parts[0])
        && parts[1..].iter().all(|part| number(part) || matches!(*part, "x" | "*"))
}

fn commit(raw: &RawConfig, node: &Node, findings: &mut Findings) -> CommitSettings {
    let raw = raw.commit.as_ref();
    let author = raw.and_then(|commit| commit.author.as_ref());
    let identity = match author {
        Some(author) => identity(author, node.at("author"), findings),
        None => Identity { name: DEFAULT_NAME.to_owned(), email: DEFAULT_EMAIL.to_owned() },
    };
    CommitSettings { identity, message: raw.and_then(|commit| commit.message.clone()) }
}

fn identity(raw: &RawIdentity, node: &Node, findings: &mut Findings) -> Identity {
    for (key, value) in [("name", &raw.name), ("email", &raw.email)] {
        // What git itself refuses or drops: it would end the field early in the commit object.
        if value.trim().is_empty() || value.contains(['<', '>']) || value.contains(char::is_control) {
            findings.problem(
                node.at(key),
                format!("`{key}` must not be empty or contain `<`, `>` or control characters"),
            );
        }
    }
    Identity { name: raw.name.trim().to_owned(), email: raw.email.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::is_version_pattern;

    #[test]
    fn version_patterns_are_numbers_with_open_ends() {
        for good in ["5.8.x", "5.8.1", "v3.19.*", "5", "5.8"] {
            assert!(is_version_pattern(good), "{good}");
        }
        for bad in ["", "x", ">=5", "5.8.1.2", "5..1", "latest", "^5.8"] {
            assert!(!is_version_pattern(bad), "{bad}");
        }
    }
}
