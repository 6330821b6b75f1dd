//! The status for a terminal: the environments as a tree, each below one that it waits for. Pure.

use super::{DryStatus, EnvironmentStatus, Status, held};
use crate::escape::{cut, log_text, one_line};
use crate::overview::State;

const SUBJECT_LIMIT: usize = 60;
const HOLD_LIMIT: usize = 300;

/// The status as text, ending with a line feed.
pub fn text(status: &Status, colour: bool) -> String {
    let mut rows: Vec<(usize, &EnvironmentStatus)> = Vec::new();
    for (at, environment) in status.environments.iter().enumerate() {
        if parent(status, environment).is_none() {
            below(status, at, 0, &mut rows);
        }
    }
    let label = |depth: usize, environment: &EnvironmentStatus| {
        let branch = if depth == 0 { String::new() } else { format!("{}└ ", "  ".repeat(depth - 1)) };
        format!("{branch}{}", line(environment.name.as_str()))
    };
    let width = rows.iter().map(|(depth, one)| label(*depth, one).chars().count()).max().unwrap_or_default();
    let mut lines = vec![format!("{} is at {}", line(status.dry_branch.as_str()), status.dry_sha.short())];
    for (depth, environment) in rows {
        let word = format!("{:<8}", environment.state.word());
        let word = if colour { coloured(environment.state, &word) } else { word };
        let runs = environment.active.as_ref().map_or_else(|| "nothing yet".to_owned(), dry);
        lines.push(format!("  {:<width$}  {word}  {runs}", label(depth, environment)));
        lines.extend(
            details(status, environment).iter().map(|detail| format!("  {:width$}            {detail}", "")),
        );
    }
    lines.join("\n") + "\n"
}

/// The environment that this one is drawn below: the last of those that it waits for.
fn parent(status: &Status, environment: &EnvironmentStatus) -> Option<usize> {
    let last = environment.after.last()?;
    status.environments.iter().position(|one| one.name == *last)
}

fn below<'a>(status: &'a Status, at: usize, depth: usize, rows: &mut Vec<(usize, &'a EnvironmentStatus)>) {
    rows.push((depth, &status.environments[at]));
    for (next, environment) in status.environments.iter().enumerate() {
        if parent(status, environment) == Some(at) {
            below(status, next, depth + 1, rows);
        }
    }
}

fn details(status: &Status, environment: &EnvironmentStatus) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((_, others @ [_, ..])) = environment.after.split_last() {
        let names: Vec<String> = others.iter().map(|name| line(name.as_str())).collect();
        lines.push(format!("also after {}", names.join(", ")));
    }
    if let Some(proposal) = &environment.proposal {
        let number = proposal.number.map_or_else(|| "proposed".to_owned(), |number| format!("#{number}"));
        let brings = proposal.brings.as_ref().map(|brings| format!(" {}", dry(brings))).unwrap_or_default();
        lines.push(format!("{number}{brings}"));
        lines.push(line(&proposal.words()));
    }
    match environment.behind {
        Some(0) => {}
        Some(1) => lines.push("1 DRY commit behind".to_owned()),
        Some(count) => lines.push(format!("{count} DRY commits behind")),
        None if environment.active.is_some() => {
            lines.push(format!("runs what is not on {}", line(status.dry_branch.as_str())));
        }
        None => {}
    }
    lines.extend(environment.passed_over.as_ref().map(|passed| line(&passed.words())));
    lines.extend(environment.hold.as_ref().map(|hold| line(&cut(&held(hold), HOLD_LIMIT))));
    lines.extend(environment.error.as_ref().map(|error| format!("error: {}", line(error))));
    if environment.ungated == Some(true) {
        lines.push("warning: ungated: the forge does not require `hydrator/promotion`".to_owned());
    }
    lines
}

/// The DRY commit on one line.
fn dry(commit: &DryStatus) -> String {
    let short: String = commit.dry_sha.chars().take(7).collect();
    line(&format!("{short} {} ({})", cut(&commit.subject, SUBJECT_LIMIT), commit.origin()))
}

fn coloured(state: State, text: &str) -> String {
    let code = match state {
        State::Current | State::Ready => "32",
        State::Waiting | State::Behind | State::Held | State::Rejected => "33",
        State::Failed => "31",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

fn line(text: &str) -> String {
    log_text(&one_line(text))
}
