//! The status for a step summary: the picture, and a table with links. Pure.

use super::{DryStatus, EnvironmentStatus, Status, held, picture};
use crate::escape::{code, code_in_cell, cut, cut_markdown, fence, link, prose};

const LIMIT: usize = 200_000;
const CELL_LIMIT: usize = 200;
const HOLD_LIMIT: usize = 300;

/// The status as Markdown, ending with a line feed.
pub fn markdown(status: &Status) -> String {
    let mut lines = vec![
        format!("## {} is at {}", code(status.dry_branch.as_str()), code(&status.dry_sha.short())),
        String::new(),
        fence("mermaid", &picture(status)),
        String::new(),
        "| environment | state | runs | behind | proposed | |".to_owned(),
        "| --- | --- | --- | ---: | --- | --- |".to_owned(),
    ];
    lines.extend(status.environments.iter().map(row));
    cut_markdown(&(lines.join("\n") + "\n"), LIMIT)
}

fn row(environment: &EnvironmentStatus) -> String {
    let runs = environment.active.as_ref().map_or_else(|| "nothing yet".to_owned(), dry);
    let behind = environment.behind.map_or_else(|| "?".to_owned(), |count| count.to_string());
    format!(
        "| {} | {} | {runs} | {behind} | {} | {} |",
        code_in_cell(environment.name.as_str()),
        environment.state.word(),
        proposed(environment),
        remarks(environment),
    )
}

fn proposed(environment: &EnvironmentStatus) -> String {
    let Some(proposal) = &environment.proposal else { return String::new() };
    let number = proposal.number.zip(proposal.url.as_ref());
    let number = number.map(|(number, url)| link(&format!("\\#{number}"), url)).unwrap_or_default();
    let brings = proposal.brings.as_ref().map(dry).unwrap_or_default();
    format!("{number} {brings}").trim().to_owned()
}

fn remarks(environment: &EnvironmentStatus) -> String {
    let mut said = Vec::new();
    said.extend(environment.proposal.as_ref().map(|proposal| prose(&proposal.words())));
    said.extend(environment.passed_over.as_ref().map(|passed| prose(&passed.words())));
    said.extend(environment.hold.as_ref().map(|hold| prose(&cut(&held(hold), HOLD_LIMIT))));
    said.extend(environment.error.as_ref().map(|error| format!("**{}**", prose(&cut(error, CELL_LIMIT)))));
    if environment.ungated == Some(true) {
        said.push("**ungated**: the forge does not require `hydrator/promotion`".to_owned());
    }
    said.join("; ")
}

fn dry(commit: &DryStatus) -> String {
    let short: String = commit.dry_sha.chars().take(7).collect();
    let subject = prose(&cut(&commit.subject, CELL_LIMIT));
    format!("{} {subject} ({})", code_in_cell(&short), prose(&commit.origin()))
}
