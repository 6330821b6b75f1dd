//! The history as text, Markdown and JSON. Pure.

use anyhow::{Context as _, Result};
use schemars::generate::SchemaSettings;

use super::changes::{Counts, OutputChange};
use super::list::{HistoryReport, StateKind, StateReport};
use crate::escape::{code, cut, fence, log_text, one_line, prose};
use crate::model::CommitId;

const SUBJECT_LIMIT: usize = 72;

/// For people.
pub fn text(report: &HistoryReport) -> String {
    let mut lines = vec![format!("{}: states of {}, newest first", report.environment, report.active_branch)];
    for state in &report.states {
        lines.push(format!("  {:>3}  {}", state.number, headline(state)));
        lines.push(format!("       {}", line(&about(state))));
        lines.extend(state.changes.iter().map(|change| format!("       {}", line(&change_words(change)))));
    }
    if report.states.is_empty() {
        lines.push("  none yet".to_owned());
    }
    if report.more {
        lines.push("  and older ones: `--limit` lists more".to_owned());
    }
    if let Some(difference) = &report.difference {
        lines.push(String::new());
        lines.push(if difference.is_empty() {
            "no difference".to_owned()
        } else {
            difference.trim_end().to_owned()
        });
    }
    lines.join("\n") + "\n"
}

fn headline(state: &StateReport) -> String {
    let dry = state.dry_sha.map(|dry| dry.short()).unwrap_or_default();
    let marks = marks(state);
    let marks = if marks.is_empty() { String::new() } else { format!("  [{}]", marks.join(", ")) };
    let subject = line(&cut(&state.subject, SUBJECT_LIMIT));
    format!("{} from {dry}  {subject}{marks}", state.hydrated_sha.short())
}

fn marks(state: &StateReport) -> Vec<String> {
    let mut marks = Vec::new();
    if state.number == 0 {
        marks.push("active".to_owned());
    }
    if state.previous {
        marks.push("previous".to_owned());
    }
    match state.kind {
        StateKind::Promotion => {}
        StateKind::Rollback => marks.push("rollback".to_owned()),
        StateKind::Resume => marks.push("resume".to_owned()),
        StateKind::Edit => marks.push("edited by hand".to_owned()),
        StateKind::Revert => marks.push("moved back by hand".to_owned()),
    }
    if let Some(hold) = &state.hold {
        let what = if hold.targets.is_empty() {
            "held".to_owned()
        } else {
            format!("held: {}", line(&hold.targets.join(", ")))
        };
        marks.push(what);
    }
    match state.healthy {
        Some(true) => marks.push("healthy".to_owned()),
        Some(false) => marks.push("not healthy".to_owned()),
        None => {}
    }
    marks
}

fn about(state: &StateReport) -> String {
    let request = state.pull_request.map(|number| format!("#{number}"));
    let held = state.hold.as_ref().and_then(|hold| hold.actor.clone()).map(|actor| format!("by {actor}"));
    let parts = [
        Some(state.date.clone()),
        request,
        Some(state.author.clone()).filter(|author| !author.is_empty()),
        held,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
}

fn change_words(change: &OutputChange) -> String {
    let word = |(kind, counts): (&String, &Counts)| {
        let marks = [('+', counts.added), ('~', counts.changed), ('-', counts.removed)];
        let counts: Vec<String> = marks
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(mark, count)| format!("{mark}{count}"))
            .collect();
        format!("{} {kind}", counts.join(" "))
    };
    let kinds: Vec<String> = change.kinds.iter().map(word).collect();
    let kinds = if kinds.is_empty() { "files moved".to_owned() } else { kinds.join(", ") };
    format!("{}: {kinds}", change.output)
}

/// For a step summary.
pub fn markdown(report: &HistoryReport) -> String {
    let mut lines = vec![
        format!(
            "## {}: states of {}",
            code(report.environment.as_str()),
            code(report.active_branch.as_str())
        ),
        String::new(),
        "| | state | DRY commit | when | pull request | | changes |".to_owned(),
        "| ---: | --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    for state in &report.states {
        let dry = state.dry_sha.as_ref().map(CommitId::short).unwrap_or_default();
        let request = state.pull_request.map(|number| format!("\\#{number}")).unwrap_or_default();
        let changes: Vec<String> = state.changes.iter().map(change_words).collect();
        lines.push(format!(
            "| {} | {} | {} {} | {} | {request} | {} | {} |",
            state.number,
            code(&state.hydrated_sha.short()),
            code(&dry),
            prose(&cut(&state.subject, SUBJECT_LIMIT)),
            state.date,
            prose(&marks(state).join(", ")),
            prose(&changes.join("; ")),
        ));
    }
    if report.more {
        lines.push("\nThere are older ones.".to_owned());
    }
    if let Some(difference) = &report.difference {
        lines.push(format!("\n{}", fence("diff", difference)));
    }
    lines.join("\n") + "\n"
}

/// For programs: one object.
pub fn json(report: &HistoryReport) -> Result<String> {
    Ok(serde_json::to_string_pretty(report).context("cannot write the history as JSON")? + "\n")
}

/// The JSON Schema of that object.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<HistoryReport>().to_value()
}

fn line(text: &str) -> String {
    log_text(&one_line(text))
}
