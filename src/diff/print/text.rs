//! For people at a terminal. Pure.

use std::fmt::Write as _;

use super::{counts, is_sound, remarks, sign, stand_ins, summary, title, unshown_in_all, without_base};
use crate::compare::{Line, Mark};
use crate::diff::report::{DiffReport, EnvironmentDiff, ManifestChange, TargetDiff};
use crate::escape::{log_text, one_line, unbroken};
use crate::model::ErrorReport;

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
    let base = report.base_sha.map(|base| base.short()).unwrap_or_default();
    let head = report.head_sha.short();
    let news: Vec<&EnvironmentDiff> = report.environments.iter().filter(|one| one.is_news()).collect();
    let unshown = unshown_in_all(report);
    if let Some(error) = &report.error {
        error_text(&mut out, error, style);
    }
    for (what, error) in remarks(report) {
        note_text(&mut out, what, error, style);
    }
    if let Some(why) = &report.unreachable {
        let _ = writeln!(out, "{}", style.paint("33", &log_text(why)));
    }
    for words in stand_ins(report) {
        let _ = writeln!(out, "{}", style.paint("33", &log_text(&format!("note: {words}"))));
    }
    // Writing to a string never fails.
    if news.is_empty() && is_sound(report) {
        let but = unshown.map(|unshown| format!(" ({unshown})")).unwrap_or_default();
        let _ = if report.determinism {
            writeln!(out, "{head} renders to the same twice{but}")
        } else {
            writeln!(out, "from {base} to {head} no manifest changes{but}")
        };
        return out;
    }
    if news.is_empty() {
        return out;
    }
    let of = report.environments.len();
    let _ = if report.determinism {
        writeln!(out, "{head} is not rendered to the same twice: {} of {of} environments differ", news.len())
    } else {
        writeln!(out, "from {base} to {head}: {} of {of} environments change", news.len())
    };
    for environment in &news {
        let mut parts = vec![counts(environment.counts())];
        parts.extend(environment.hold.as_ref().map(|hold| format!("(held: {})", one_line(hold))));
        parts.extend(environment.behind.as_ref().map(|behind| format!("({})", one_line(&behind.words()))));
        let _ = writeln!(out, "{}", log_text(&format!("  {}: {}", environment.name, parts.join(" "))));
    }
    if let Some(unshown) = unshown {
        let _ = writeln!(out, "  {unshown}");
    }
    for environment in news {
        for target in environment.targets.iter().filter(|target| target.is_news()) {
            target_text(&mut out, environment, target, style);
        }
    }
    out
}

fn error_text(out: &mut String, error: &ErrorReport, style: Style) {
    let hint = error.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    let gap = if out.is_empty() { "" } else { "\n" };
    let text = log_text(&format!("error: {}{hint}", error.message));
    let _ = writeln!(out, "{gap}{}", style.paint("31", &text));
}

/// What is wrong, and is no error of what is looked at.
fn note_text(out: &mut String, what: &str, error: &ErrorReport, style: Style) {
    let gap = if out.is_empty() { "" } else { "\n" };
    let text = log_text(&format!("note: {what}: {}", error.message));
    let _ = writeln!(out, "{gap}{}", style.paint("33", &text));
}

fn target_text(out: &mut String, environment: &EnvironmentDiff, target: &TargetDiff, style: Style) {
    if let Some(error) = &target.error {
        error_text(out, error, style);
    }
    if let Some(error) = &target.base_error {
        note_text(out, without_base(target), error, style);
    }
    for change in &target.changes {
        change_text(out, &format!("{}/{}", environment.name, target.name), (target, change), style);
    }
}

fn change_text(
    out: &mut String,
    place: &str,
    (target, change): (&TargetDiff, &ManifestChange),
    style: Style,
) {
    let (added, removed) = change.lines();
    let heading = format!("{} {place}: {} (+{added} -{removed})", sign(change.operation), title(change));
    let _ = writeln!(out, "\n{}", style.paint("1", &log_text(&one_line(&heading))));
    for text in target.complaints_of(&change.manifest) {
        let _ = writeln!(out, "{}", style.paint("31", &log_text(&format!("! refused: {text}"))));
    }
    for signal in &change.signals {
        let line = format!("! {}: {}", summary::words(signal.kind).0, signal.text);
        let _ = writeln!(out, "{}", style.paint("33", &log_text(&one_line(&line))));
    }
    if let Some(what) = change.what(str::to_owned) {
        let _ = writeln!(out, "{}", log_text(&format!("  {}", one_line(&what))));
    }
    for reference in &change.references {
        let line = format!("{} names {}, no more {}", reference.field, reference.to, reference.from);
        let _ = writeln!(out, "{}", log_text(&format!("  {}", one_line(&line))));
    }
    if change.hunks.is_empty() && change.references.is_empty() {
        let _ = writeln!(out, "  its text is not shown");
    }
    for hunk in &change.hunks {
        let _ = writeln!(out, "{}", style.paint("36", &hunk.heading()));
        for line in &hunk.lines {
            let _ = writeln!(out, "{}", line_text(line, style));
        }
    }
}

fn line_text(line: &Line, style: Style) -> String {
    let text = log_text(&format!("{}{}", line.mark.sign(), unbroken(&line.text)));
    match line.mark {
        Mark::Same => text,
        Mark::Added => style.paint("32", &text),
        Mark::Removed => style.paint("31", &text),
    }
}
