//! Names of active and proposed branches, and the rules among all of them. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::node::Node;
use super::super::placeholders::Bindings;
use super::super::problem::Findings;
use super::super::raw::{RawConfig, RawEnvironment};
use super::draft::Draft;
use crate::error::Failure;
use crate::model::{BranchName, Project};

const DEFAULT_ACTIVE: &str = "hydrator/{environment}";
const NEXT: &str = "-next";
/// The limit on branch names of `GitOps` Promoter.
const PROMOTER_LONGEST: usize = 100;

/// The patterns of `branches:`.
pub(super) struct Patterns {
    pub(super) active: String,
    pub(super) proposed: String,
}

pub(super) fn patterns(raw: &RawConfig) -> Patterns {
    let branches = raw.branches.as_ref();
    let active =
        branches.and_then(|branches| branches.active.clone()).unwrap_or_else(|| DEFAULT_ACTIVE.to_owned());
    let proposed = branches.and_then(|branches| branches.proposed.clone());
    Patterns { proposed: proposed.unwrap_or_else(|| format!("{active}{NEXT}")), active }
}

/// A branch name, or a problem at `node`.
pub(super) fn branch_name(name: &str, node: &Node, findings: &mut Findings) -> Option<BranchName> {
    BranchName::new(name).map_err(|reason| findings.problem(node, reason)).ok()
}

/// The active and the proposed branch of an environment.
pub(super) fn names(
    config: (&RawConfig, &Node),
    raw: &RawEnvironment,
    node: &Node,
    findings: &mut Findings,
) -> (Option<BranchName>, Option<BranchName>) {
    let (config, root) = config;
    let patterns = patterns(config);
    let branches = root.at("branches");
    let proposed_pattern = config.branches.as_ref().and_then(|branches| branches.proposed.as_ref());
    let (active, active_node) = match &raw.active {
        Some(name) => (name.as_str(), node.at("active")),
        None => (patterns.active.as_str(), branches.get("active").unwrap_or(node.at("name"))),
    };
    let next = format!("{active}{NEXT}");
    let (proposed, proposed_node) = match (&raw.proposed, proposed_pattern) {
        (Some(name), _) => (name.as_str(), node.at("proposed")),
        (None, Some(pattern)) => (pattern.as_str(), branches.at("proposed")),
        (None, None) => (next.as_str(), active_node),
    };
    let active = bind(active, &raw.name, active_node, findings);
    if active.is_none() && proposed == next {
        return (None, None);
    }
    let proposed = bind(proposed, &raw.name, proposed_node, findings);
    if let (Some(active), Some(proposed)) = (&active, &proposed) {
        warn_about_promoter(active, proposed, proposed_node, findings);
    }
    (active, proposed)
}

fn bind(pattern: &str, environment: &str, node: &Node, findings: &mut Findings) -> Option<BranchName> {
    let (vars, captures) = (BTreeMap::new(), BTreeMap::new());
    match (Bindings { environment, vars: &vars, captures: &captures }).expand(pattern) {
        Ok(name) => branch_name(&name, node, findings),
        Err(word) => {
            let message = format!("unknown placeholder `{{{word}}}`");
            findings.problem_with_hint(node, message, "branch names know `{environment}` only");
            None
        }
    }
}

fn warn_about_promoter(active: &BranchName, proposed: &BranchName, node: &Node, findings: &mut Findings) {
    if proposed.as_str() != format!("{active}{NEXT}") {
        let hint = "name it `<active>-next` if you may want to use GitOps Promoter";
        findings.warning(
            node,
            "the proposed branch is not `<active>-next`, which shuts out GitOps Promoter",
            hint,
        );
    } else if proposed.as_str().len() > PROMOTER_LONGEST {
        let message = format!(
            "`{proposed}` is longer than {PROMOTER_LONGEST} characters, which shuts out GitOps Promoter"
        );
        findings.warning(node, message, "use a shorter name if you may want to use it");
    }
}

/// Checks that all branches can be there together, in one repository.
pub(super) fn check(dry: Option<&BranchName>, drafts: &[Draft<'_>], root: &Node, findings: &mut Findings) {
    let mut claims: Vec<(&BranchName, String, &Node)> = Vec::new();
    if let Some(dry) = dry {
        claims.push((dry, "the DRY branch".to_owned(), root.at("dryBranch")));
    }
    let mut seen = HashSet::new();
    for draft in drafts.iter().filter(|draft| seen.insert(draft.name())) {
        for (branch, key) in [(&draft.active, "active"), (&draft.proposed, "proposed")] {
            let Some(branch) = branch else { continue };
            let node = draft.node.get(key).unwrap_or(draft.node.at("name"));
            claims.push((branch, format!("the {key} branch of `{}`", draft.name()), node));
        }
    }
    for (first, second) in conflicts(claims.iter().map(|(branch, ..)| *branch)) {
        let ((one, one_is, _), (other, other_is, node)) = (&claims[first], &claims[second]);
        let message = if one == other {
            format!("`{other}` is {one_is} and {other_is}")
        } else {
            format!(
                "`{other}` ({other_is}) and `{one}` ({one_is}) cannot both be there: git keeps one as a file and the other below a directory of that name"
            )
        };
        findings.problem(node, message);
    }
}

/// Pairs of equal or nesting names, the earlier one first, each name at most once as the later one.
fn conflicts<'a>(names: impl Iterator<Item = &'a BranchName>) -> Vec<(usize, usize)> {
    let mut whole: HashMap<&str, usize> = HashMap::new();
    let mut folders: HashMap<&str, usize> = HashMap::new();
    let mut found = Vec::new();
    for (index, name) in names.enumerate() {
        let name = name.as_str();
        let above = || name.match_indices('/').map(|(at, _)| &name[..at]);
        let clash = whole
            .get(name)
            .or_else(|| folders.get(name))
            .or_else(|| above().find_map(|folder| whole.get(folder)));
        if let Some(first) = clash {
            found.push((*first, index));
        }
        whole.entry(name).or_insert(index);
        for folder in above() {
            folders.entry(folder).or_insert(index);
        }
    }
    found
}

/// Checks the branches of `project` against the DRY branch, which only the forge knows when the configuration does
/// not name it.
pub fn check_dry_branch(project: &Project, dry: &BranchName) -> Result<(), Failure> {
    for environment in &project.environments {
        for branch in [&environment.active, &environment.proposed] {
            if !conflicts([dry, branch].into_iter()).is_empty() {
                let message = format!(
                    "branch `{branch}` of environment `{}` clashes with the DRY branch `{dry}`",
                    environment.name
                );
                return Err(
                    Failure::config(message).hint("choose other names with `branches:` in the configuration")
                );
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(names: &[&str]) -> Vec<(usize, usize)> {
        let names: Vec<BranchName> = names.iter().map(|name| BranchName::new(*name).unwrap()).collect();
        conflicts(names.iter())
    }

    #[test]
    fn equal_and_nesting_names_conflict_in_any_order() {
        assert_eq!(pairs(&["main", "env/dev", "env/dev-next"]), []);
        assert_eq!(pairs(&["main", "main/dev"]), [(0, 1)]);
        assert_eq!(pairs(&["env/dev/next", "env/dev"]), [(0, 1)]);
        assert_eq!(pairs(&["a", "b", "a"]), [(0, 2)]);
    }
}
