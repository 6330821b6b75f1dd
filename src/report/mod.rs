//! The report of a run for people and for programs: text, Markdown, JSON, its schema, and the exit code. Pure.

pub mod actions;
pub mod dotenv;
mod error;
mod exit;
mod json;
mod markdown;
mod text;

pub use error::error_text;
pub use exit::{changes_found, exit_code};
pub use json::{json, report_schema};
pub use markdown::markdown;
pub use text::{TextStyle, text};

use crate::model::{CommitState, EnvironmentReport, Operation, PromotionReport, RunReport, TargetReport};

/// How many environments ended with each operation, the strongest first.
fn operation_counts(report: &RunReport) -> Vec<(Operation, usize)> {
    let mut operations = report.environments.iter().map(|one| one.operation).collect::<Vec<_>>();
    operations.sort_by(|one, other| other.cmp(one));
    operations
        .chunk_by(|one, other| one == other)
        .filter_map(|same| Some((*same.first()?, same.len())))
        .collect()
}

/// What the operation alone does not say, on one line: the note, the hold, the gate.
fn remark(environment: &EnvironmentReport) -> Option<String> {
    let hold = environment.hold.as_ref().map(|hold| {
        let by = hold.actor.as_ref().map(|actor| format!(" by {actor}")).unwrap_or_default();
        let since = hold.since.as_ref().map(|since| format!(" since {since}")).unwrap_or_default();
        format!("{}{by}{since}", hold.reason)
    });
    // An open gate is worth a word only where there is something to let through, and none where it
    // failed or is held.
    let is_open = |gate: &PromotionReport| gate.state == CommitState::Success.word();
    let stays = environment.error.is_some() || environment.operation == Operation::Held;
    let shown = |gate: &&PromotionReport| !stays && (!is_open(gate) || environment.pull_request.is_some());
    let gate = environment.promotion.as_ref().filter(shown).map(|gate| {
        if is_open(gate) { gate.description.clone() } else { format!("waits: {}", gate.description) }
    });
    // The note of a held environment says more.
    let hold = hold.filter(|_| environment.note.is_none());
    let parts = [hold, gate, environment.note.clone()].into_iter().flatten().collect::<Vec<_>>();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Every warning with the environments that got it, in the order of the report.
fn by_warning(report: &RunReport) -> Vec<(&str, Vec<&str>)> {
    let mut found: Vec<(&str, Vec<&str>)> = Vec::new();
    for environment in &report.environments {
        for warning in &environment.warnings {
            let name = environment.name.as_str();
            match found.iter_mut().find(|(known, _)| known == warning) {
                Some((_, names)) => names.push(name),
                None => found.push((warning, vec![name])),
            }
        }
    }
    found
}

/// Names of environments, the first few of many.
fn listed(names: &[&str]) -> String {
    match names {
        [first, second, third, more @ ..] if more.len() > 2 => {
            format!("{first}, {second}, {third} and {} more environments", more.len())
        }
        names => names.join(", "),
    }
}

/// What became of the DRY branch in a rollback: a line, and whether it is a warning.
fn dry_revert(environment: &EnvironmentReport) -> Option<(bool, String)> {
    let revert = environment.dry_revert.as_ref()?;
    let count = revert.commits.len();
    let commits = if count == 1 { "1 DRY commit".to_owned() } else { format!("{count} DRY commits") };
    Some(match (&revert.error, &revert.pull_request) {
        (Some(error), _) => (true, error.clone()),
        (None, Some(url)) => (false, format!("{commits} taken back by {url}")),
        (None, None) if !revert.conflicts.is_empty() => (
            true,
            format!(
                "{commits} cannot be taken back: newer ones changed {} as well; revert by hand",
                revert.conflicts.join(", ")
            ),
        ),
        (None, None) => (false, format!("{commits} to take back")),
    })
}

/// Whether the environment's own error holds all that its target's error says.
fn is_told(environment: &EnvironmentReport, target: &TargetReport) -> bool {
    match (&environment.error, &target.error) {
        (Some(whole), Some(part)) => whole.message.contains(part.as_str()),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
