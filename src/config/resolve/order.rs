//! Who waits for whom: `after` and the order of the file make a graph, which must have no cycle. Pure.

use std::collections::HashMap;

use super::super::node::Node;
use super::super::problem::Findings;
use super::super::structure::{Damage, shown};
use super::super::suggest::nearest;
use super::draft::Draft;
use crate::model::Order;

/// Checks `after` of all environments.
pub(super) fn check(drafts: &[Draft<'_>], order: Order, damage: &Damage, findings: &mut Findings) {
    let indexes: HashMap<&str, usize> =
        drafts.iter().enumerate().rev().map(|(index, draft)| (draft.name(), index)).collect();
    let mut edges = Vec::with_capacity(drafts.len());
    for (index, draft) in drafts.iter().enumerate() {
        edges.push(match (&draft.raw.after, order) {
            (Some(names), _) => {
                let known = |name: &str| indexes.get(name).copied();
                for (position, name) in names.iter().enumerate() {
                    let node = draft.node.at("after").item(position);
                    check_name(name, &names[..position], node, findings);
                    if known(name).is_none() && !damage.environments && !findings.is_full() {
                        unknown_environment(name, drafts, node, findings);
                    }
                }
                names.iter().filter_map(|name| known(name)).collect()
            }
            (None, Order::Linear) => index.checked_sub(1).into_iter().collect(),
            (None, Order::None) => Vec::new(),
        });
    }
    if let Some(cycle) = cycle(&edges) {
        let names: Vec<String> = cycle.iter().map(|index| format!("`{}`", drafts[*index].name())).collect();
        let node = cycle.iter().map(|index| drafts[*index].node).find_map(|node| node.get("after"));
        let node = node.unwrap_or(drafts[cycle[0]].node);
        let hint =
            "an environment without `after` waits for the one above it; `after: []` makes it wait for none";
        findings.problem_with_hint(
            node,
            format!("environments wait for each other: {}", names.join(" waits for ")),
            hint,
        );
    }
}

fn check_name(name: &str, before: &[String], node: &Node, findings: &mut Findings) {
    if !findings.is_full() && before.iter().any(|other| other == name) {
        findings.problem(node, format!("`{}` is named twice", shown(name)));
    }
}

/// A name that is no environment's.
pub(super) fn unknown_environment(name: &str, drafts: &[Draft<'_>], node: &Node, findings: &mut Findings) {
    let message = format!("there is no environment `{}`", shown(name));
    match nearest(name, drafts.iter().map(Draft::name)) {
        Some(known) => findings.problem_with_hint(node, message, format!("did you mean `{known}`?")),
        None => findings.problem(node, message),
    }
}

/// A cycle in the graph, its first node again at the end. Not recursive: there may be thousands of environments.
fn cycle(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut waiting: Vec<usize> = edges.iter().map(Vec::len).collect();
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); edges.len()];
    for (index, before) in edges.iter().enumerate() {
        for other in before {
            followers[*other].push(index);
        }
    }
    let mut free: Vec<usize> = (0..edges.len()).filter(|index| waiting[*index] == 0).collect();
    while let Some(index) = free.pop() {
        for follower in &followers[index] {
            waiting[*follower] -= 1;
            if waiting[*follower] == 0 {
                free.push(*follower);
            }
        }
    }
    // Whatever still waits has a predecessor that still waits: going back must come around.
    let mut path = vec![waiting.iter().position(|count| *count > 0)?];
    loop {
        let next = *edges[*path.last()?].iter().find(|index| waiting[**index] > 0)?;
        path.push(next);
        if let Some(start) = path.iter().position(|index| *index == next)
            && start + 1 < path.len()
        {
            return Some(path.split_off(start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::cycle;

    #[test]
    fn finds_the_cycle_and_only_it() {
        assert_eq!(cycle(&[vec![], vec![0], vec![1, 0]]), None);
        assert_eq!(cycle(&[vec![0]]), Some(vec![0, 0]));
        assert_eq!(cycle(&[vec![], vec![0, 2], vec![1], vec![2]]), Some(vec![1, 2, 1]));
        let long: Vec<Vec<usize>> =
            (0..10_000_usize).map(|index| index.checked_sub(1).into_iter().collect()).collect();
        assert_eq!(cycle(&long), None);
    }
}
