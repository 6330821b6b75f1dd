//! For people at a terminal. Pure.

use std::fmt::Write as _;

use super::{counts, sign};
use crate::compare::{Line, Mark};
use crate::diff::report::{DiffReport, EnvironmentDiff, ManifestChange, TargetDiff};
use crate::escape::{log_text, one_line};

/// How it looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Whether it may be coloured.
    pub colour: bool,
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// What changes, environment by environment.
pub fn text(report: &DiffReport, style: Style) -> String {
    let mut out = String::new();
    let (base, head) = (report.base_sha.short(), report.head_sha.short());
    let news: Vec<&EnvironmentDiff> = report.environments.iter().filter(|one| one.is_news()).collect();
    // Writing to a string never fails.
    if news.is_empty() {
        let _ = writeln!(out, "from {base} to {head} no manifest changes");
        return out;
    }
    let of = report.environments.len();
    let _ = writeln!(out, "from {base} to {head}: {} of {of} environments change", news.len());
    for environment in &news {
        let hold = environment.hold.as_ref().map(|hold| format!(" (held: {})", one_line(hold)));
        let counts = counts(environment.counts());
        let _ = writeln!(out, "  {}: {counts}{}", environment.name, log_text(&hold.unwrap_or_default()));
    }
    for environment in news {
        for target in environment.targets.iter().filter(|target| target.is_news()) {
            target_text(&mut out, environment, target, style);
        }
    }
    out
}

fn target_text(out: &mut String, environment: &EnvironmentDiff, target: &TargetDiff, style: Style) {
    if let Some(error) = &target.error {
        let hint = error.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        let _ =
            writeln!(out, "\n{}", style.paint("31", &log_text(&format!("error: {}{hint}", error.message))));
    }
    for change in &target.changes {
        change_text(out, &format!("{}/{}", environment.name, target.name), change, style);
    }
}

fn change_text(out: &mut String, place: &str, change: &ManifestChange, style: Style) {
    let (added, removed) = change.lines();
    let heading = format!("{} {place}: {} (+{added} -{removed})", sign(change.operation), change.manifest);
    let _ = writeln!(out, "\n{}", style.paint("1", &log_text(&one_line(&heading))));
    for hunk in &change.hunks {
        let _ = writeln!(out, "{}", style.paint("36", &hunk.heading()));
        for line in &hunk.lines {
            let _ = writeln!(out, "{}", line_text(line, style));
        }
    }
}

fn line_text(line: &Line, style: Style) -> String {
    let text = log_text(&format!("{}{}", line.mark.sign(), line.text));
    match line.mark {
        Mark::Same => text,
        Mark::Added => style.paint("32", &text),
        Mark::Removed => style.paint("31", &text),
    }
}
