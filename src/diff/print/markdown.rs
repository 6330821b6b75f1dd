//! For a comment or a step's summary: a table first, details folded below it. Pure.

use super::{counts, sign};
use crate::diff::report::{DiffReport, EnvironmentDiff, ManifestChange, TargetDiff};
use crate::escape::{code, code_in_cell, fence, html, log_text, prose};

/// What changes, environment by environment.
pub fn markdown(report: &DiffReport) -> String {
    let (base, head) = (code(&report.base_sha.short()), code(&report.head_sha.short()));
    let news: Vec<&EnvironmentDiff> = report.environments.iter().filter(|one| one.is_news()).collect();
    if news.is_empty() {
        return format!("hydrator: from {base} to {head} no manifest changes.\n");
    }
    let mut parts = vec![format!("## hydrator: what changes from {base} to {head}")];
    let mut rows =
        vec!["| environment | targets | manifests | |".to_owned(), "| --- | ---: | --- | --- |".to_owned()];
    rows.extend(news.iter().map(|environment| row(environment)));
    parts.push(rows.join("\n"));
    for environment in news {
        for target in environment.targets.iter().filter(|target| target.is_news()) {
            parts.push(details(environment, target));
        }
    }
    parts.join("\n\n") + "\n"
}

fn row(environment: &EnvironmentDiff) -> String {
    let changed = environment.targets.iter().filter(|target| target.is_news()).count();
    let hold = environment.hold.as_ref().map(|hold| format!("held: {}", prose(hold))).unwrap_or_default();
    format!(
        "| {} | {changed}/{} | {} | {hold} |",
        code_in_cell(environment.name.as_str()),
        environment.targets_in_all,
        counts(environment.counts()),
    )
}

fn details(environment: &EnvironmentDiff, target: &TargetDiff) -> String {
    let mut parts = Vec::new();
    if let Some(error) = &target.error {
        let hint = error.hint.as_ref().map(|hint| format!("\n{}", prose(hint))).unwrap_or_default();
        parts.push(format!("{}{hint}", fence("text", &log_text(&error.message))));
    }
    parts.extend(target.changes.iter().map(change));
    let open = if target.error.is_some() { " open" } else { "" };
    let title = html(&format!("{}/{}", environment.name, target.name));
    let counts = counts([target.added, target.changed, target.removed]);
    format!("<details{open}>\n<summary>{title} {counts}</summary>\n\n{}\n\n</details>", parts.join("\n\n"))
}

fn change(change: &ManifestChange) -> String {
    let (added, removed) = change.lines();
    let mut text = String::new();
    for hunk in &change.hunks {
        text.push_str(&hunk.heading());
        text.push('\n');
        text.extend(hunk.lines.iter().map(ToString::to_string));
    }
    let title = code(&change.manifest.to_string());
    format!(
        "{} {title} (+{added} -{removed})\n\n{}",
        code(&sign(change.operation).to_string()),
        fence("diff", &text)
    )
}
