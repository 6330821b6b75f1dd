//! `environments[]`: names, variables, gates, windows, looks of pull requests. Pure.

use std::collections::{BTreeMap, HashMap};

use super::super::freeze::FrozenTime;
use super::super::node::Node;
use super::super::placeholders::is_name;
use super::super::problem::Findings;
use super::super::raw::{RawConfig, RawEnvironment, RawOnFailure, RawWindow, Text};
use super::super::structure::shown;
use super::super::window::Window;
use super::branches;
use super::draft::Draft;
use crate::model::{Freeze, Gates, MergeWindow, OnFailure};

/// The environments as far as they can be understood one by one.
pub(super) fn drafts<'a>(raw: &'a RawConfig, root: &'a Node, findings: &mut Findings) -> Vec<Draft<'a>> {
    let list = root.at("environments");
    check_names(&raw.environments, list, findings);
    check_vars(raw.vars.as_ref(), root, findings);
    let environments = raw.environments.iter().enumerate();
    environments
        .map(|(index, environment)| draft((raw, root), environment, list.item(index), findings))
        .collect()
}

fn draft<'a>(
    config: (&RawConfig, &Node),
    raw: &'a RawEnvironment,
    node: &'a Node,
    findings: &mut Findings,
) -> Draft<'a> {
    let (active, proposed) = branches::names(config, raw, node, findings);
    check_vars(raw.vars.as_ref(), node, findings);
    let shared = config.0.vars.iter().flatten();
    let vars =
        shared.chain(raw.vars.iter().flatten()).map(|(name, Text(value))| (name.clone(), value.clone()));
    Draft {
        raw,
        node,
        active,
        proposed,
        vars: vars.collect(),
        targets: Vec::new(),
        gates: gates(raw, node.at("gates"), findings),
        windows: windows(raw.merge_windows.as_deref().unwrap_or_default(), node.at("mergeWindows"), findings),
    }
}

fn check_names(environments: &[RawEnvironment], list: &Node, findings: &mut Findings) {
    let mut owners: HashMap<&str, &Node> = HashMap::new();
    for (index, environment) in environments.iter().enumerate() {
        let node = list.item(index).at("name");
        check_name(&environment.name, node, findings);
        if let Some(first) = owners.insert(&environment.name, node) {
            let message = format!(
                "environment `{}` is there twice, first in line {}",
                shown(&environment.name),
                first.line
            );
            findings.problem(node, message);
        }
    }
    for (index, environment) in environments.iter().enumerate() {
        let Some(former) = &environment.renamed_from else { continue };
        let node = list.item(index).at("renamedFrom");
        check_name(former, node, findings);
        if owners.insert(former, node).is_some() {
            findings.problem(
                node,
                format!(
                    "`{}` is the name of an environment that is still there, or renamed twice",
                    shown(former)
                ),
            );
        }
    }
}

fn check_name(name: &str, node: &Node, findings: &mut Findings) {
    const LONGEST: usize = 63;
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let good = name.chars().all(inner) && edge(name.chars().next()) && edge(name.chars().next_back());
    if !good || name.len() > LONGEST {
        let hint = format!(
            "at most {LONGEST} lower-case letters, digits, `.`, `_` and `-`, with a letter or digit at both ends"
        );
        findings.problem_with_hint(node, format!("`{}` is not a name of an environment", shown(name)), hint);
    }
}

fn check_vars(vars: Option<&BTreeMap<String, Text>>, owner: &Node, findings: &mut Findings) {
    for name in vars.into_iter().flat_map(BTreeMap::keys).filter(|name| !is_name(name)) {
        if findings.is_full() {
            return;
        }
        let message = format!("`{}` is not a name of a variable: letters, digits, `_` and `-`", shown(name));
        findings.problem(owner.at("vars").key(name), message);
    }
}

fn gates(raw: &RawEnvironment, node: &Node, findings: &mut Findings) -> Gates {
    let Some(raw) = &raw.gates else { return Gates::default() };
    let soak_seconds = raw.soak.as_deref().map_or(0, |soak| {
        seconds(soak).unwrap_or_else(|| {
            let message = format!("`{}` is not a duration", shown(soak));
            findings.problem_with_hint(node.at("soak"), message, "write `30m`, `1h30m` or `2d`");
            0
        })
    });
    let statuses = raw.statuses.clone().unwrap_or_default();
    for (index, status) in statuses.iter().enumerate() {
        if status.trim().is_empty() || status.contains(char::is_control) {
            findings.problem(
                node.at("statuses").item(index),
                "the context of a status must not be empty or contain control characters",
            );
        }
    }
    let on_failure = raw.on_failure.map(|RawOnFailure::Rollback| OnFailure::Rollback);
    if on_failure.is_some() && statuses.is_empty() {
        findings.problem_with_hint(
            node.at("onFailure"),
            "nothing can fail: the environment names no `statuses`",
            "name the statuses that tell whether it is healthy",
        );
    }
    Gates { soak_seconds, statuses, on_failure }
}

/// `1h30m` in seconds: whole numbers with `d`, `h`, `m` or `s`, larger units first.
pub fn seconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0_u64;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        let unit = match rest.as_bytes()[digits] {
            b'd' => 86_400,
            b'h' => 3_600,
            b'm' => 60,
            b's' => 1,
            _ => return None,
        };
        if unit >= smallest {
            return None;
        }
        smallest = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    // Longer than ten years is a slip, and would overflow dates.
    (smallest != u64::MAX && total <= 3_650 * 86_400).then_some(total)
}

/// The windows, and the freezes among them.
fn windows(raw: &[RawWindow], node: &Node, findings: &mut Findings) -> (Vec<MergeWindow>, Vec<Freeze>) {
    let (mut windows, mut freezes) = (Vec::new(), Vec::new());
    for (index, raw) in raw.iter().enumerate() {
        let timezone = raw.timezone.clone().unwrap_or_else(|| "UTC".to_owned());
        let problem = match (&raw.from, &raw.to) {
            (None, None) if raw.reason.is_some() => {
                Some("a `reason` belongs to a freeze: give `from` and `to` too".to_owned())
            }
            (None, None) => {
                let window = MergeWindow {
                    days: raw.days.clone().unwrap_or_else(|| "mon-sun".to_owned()),
                    hours: raw.hours.clone().unwrap_or_else(|| "00:00-24:00".to_owned()),
                    timezone,
                };
                let problem = Window::parse(&window).err();
                windows.push(window);
                problem
            }
            (Some(from), Some(to)) if raw.days.is_none() && raw.hours.is_none() => {
                let reason = raw.reason.clone().unwrap_or_default();
                let freeze = Freeze { from: from.clone(), to: to.clone(), timezone, reason };
                let problem = FrozenTime::parse(&freeze).err();
                freezes.push(freeze);
                problem
            }
            (Some(_), Some(_)) => {
                Some("a freeze has no `days` and `hours`: it lasts all the time".to_owned())
            }
            _ => Some("a freeze has both `from` and `to`".to_owned()),
        };
        if let Some(problem) = problem {
            findings.problem(node.item(index), problem);
        }
    }
    (windows, freezes)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn durations() {
        assert_eq!(seconds("30m"), Some(1_800));
        assert_eq!(seconds("1h30m"), Some(5_400));
        assert_eq!(seconds("2d"), Some(172_800));
        assert_eq!(seconds("0s"), Some(0));
        for bad in
            ["", "30", "m", "30m1h", "1h1h", "-5m", "1.5h", "30 m", "99999999999999999999d", "5000d", "1ü"]
        {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
