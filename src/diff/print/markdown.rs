//! For a step's summary or a file: everything, a table first, details folded below it. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{counts, error, note, sign, summary, title, unshown, without_base};
use crate::diff::report::{DiffReport, EnvironmentDiff, ManifestChange, TargetDiff};
use crate::escape::{code, fence, html, one_line, prose};

/// Everything that changes, environment by environment.
pub fn markdown(report: &DiffReport) -> String {
    let mut parts = vec![summary::summary(report, None)];
    parts.extend(blocks(report).iter().map(Block::whole));
    parts.join("\n\n") + "\n"
}

/// The details of one target: pieces that can stand on different pages.
pub(super) struct Block {
    /// The environment.
    pub(super) environment: String,
    /// What stands in the line that is seen when it is folded, as HTML.
    title: String,
    /// Whether it is unfolded.
    is_open: bool,
    /// One for each manifest, and for what else there is to say.
    pub(super) pieces: Vec<String>,
}

impl Block {
    /// The pieces, folded.
    pub(super) fn folded(&self, pieces: &[String], is_continued: bool) -> String {
        let open = if self.is_open { " open" } else { "" };
        let more = if is_continued { " (continued)" } else { "" };
        let pieces = pieces.join("\n");
        format!("<details{open}>\n<summary>{}{more}</summary>\n\n{pieces}\n</details>", self.title)
    }

    fn whole(&self) -> String {
        self.folded(&self.pieces, false)
    }
}

/// The details of every target that has some. What reads like in another environment is told once.
pub(super) fn blocks(report: &DiffReport) -> Vec<Block> {
    let mut told = BTreeMap::new();
    let mut blocks = Vec::new();
    for environment in &report.environments {
        for target in environment.targets.iter().filter(|target| target.is_news()) {
            blocks.push(block(environment, target, &mut told));
        }
    }
    blocks
}

/// What was shown before, by its text, and where.
type Told = BTreeMap<String, String>;

fn block(environment: &EnvironmentDiff, target: &TargetDiff, told: &mut Told) -> Block {
    let mut pieces = Vec::new();
    pieces.extend(target.error.as_ref().map(|problem| error(problem) + "\n"));
    let before = target.base_error.as_ref();
    pieces.extend(before.map(|problem| note(without_base(target), problem) + "\n"));
    let place = format!("{}/{}", environment.name, target.name);
    pieces.extend(target.changes.iter().map(|one| change((target, one), &place, told)));
    pieces.extend(unshown(target.form, target.hidden).map(|unshown| format!("{unshown}.\n")));
    let counts = counts([target.added, target.changed, target.removed]);
    Block {
        environment: environment.name.to_string(),
        title: format!("<b>{}</b> {} {counts}", html(environment.name.as_str()), html(&target.name)),
        is_open: target.error.is_some(),
        pieces,
    }
}

fn change((target, change): (&TargetDiff, &ManifestChange), place: &str, told: &mut Told) -> String {
    let (added, removed) = change.lines();
    let mut text = format!(
        "{} {} (+{added} -{removed})\n",
        code(&sign(change.operation).to_string()),
        code(&title(change))
    );
    // Writing to a string never fails.
    for complaint in target.complaints_of(&change.manifest) {
        let _ = writeln!(text, "- **refused**: {}", prose(&one_line(complaint)));
    }
    for signal in &change.signals {
        let _ = writeln!(text, "- {}: {}", summary::words(signal.kind).0, prose(&signal.text));
    }
    if let Some(what) = change.what(code) {
        let _ = writeln!(text, "- {what}");
    }
    for reference in &change.references {
        let (field, from, to) = (code(&reference.field), code(&reference.from), code(&reference.to));
        let _ = writeln!(text, "- {field} names {to}, no more {from}");
    }
    text.push('\n');
    if change.hunks.is_empty() {
        if change.references.is_empty() {
            text.push_str("Its text is not shown.\n");
        }
        return text;
    }
    let mut lines = String::new();
    for hunk in &change.hunks {
        lines.push_str(&hunk.heading());
        lines.push('\n');
        lines.extend(hunk.lines.iter().map(ToString::to_string));
    }
    let key = format!("{}\n{lines}", change.manifest.unplaced());
    // A short one is read faster than it is looked up.
    if lines.lines().count() > 12
        && let Some(before) = told.get(&key)
    {
        let _ = writeln!(text, "The same lines as in {}.", code(before));
        return text;
    }
    told.entry(key).or_insert_with(|| place.to_owned());
    text.push_str(&fence("diff", &lines));
    text
}
