//! The body of a pull request: what changes and why, within the length that forges allow. Pure.
//!
//! When it is too long, the longest lists lose their ends first; the counts of every target go last.

use super::rollback;
use super::summary::{DryLine, Intent, MoreCommits, ProposalSummary, ReferenceLine, TargetChange};
use super::words::{NAME_LIMIT, author, commit_link, link_to, name, subject};
use crate::escape::{code, code_in_cell, cut, html, link, marker};
use crate::model::ManifestId;

/// The longest body that we write.
pub const BODY_LIMIT: usize = 60_000;

/// A list that is longer is folded.
const FOLDED_FROM: usize = 10;

/// The body when the configuration has no template.
pub fn default_body(summary: &ProposalSummary) -> String {
    fitted(summary, BODY_LIMIT, |limits| {
        let parts = [head(summary), changes(summary, limits), where_it_goes(summary), foot(summary)];
        let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}\n{}\n", own_marker(summary), parts.join("\n\n"))
    })
}

/// What changes and which DRY commits bring it, for templates: at most `room` characters.
pub(super) fn changes_within(summary: &ProposalSummary, room: usize) -> String {
    fitted(summary, room, |limits| changes(summary, limits))
}

/// The hidden first line of every body.
pub(super) fn own_marker(summary: &ProposalSummary) -> String {
    let (change, text) = (summary.change.to_string(), &summary.text_version);
    marker(&[("environment", summary.environment.as_str()), ("change", &change), ("text", text)])
}

/// How much of each list is shown.
#[derive(Clone, Copy)]
struct Limits {
    items: usize,
    targets: usize,
}

/// The longest text that fits: first the lists are cut, all to the same length, then the table of targets.
fn fitted(summary: &ProposalSummary, room: usize, compose: impl Fn(Limits) -> String) -> String {
    let fits = |limits: Limits| {
        let text = (shortest(summary, limits) <= room).then(|| compose(limits))?;
        text.chars().nth(room).is_none().then_some(text)
    };
    let targets = summary.targets.len();
    let by_items = |items| fits(Limits { items, targets });
    let by_targets = |targets| fits(Limits { items: 0, targets });
    largest(longest_list(summary), by_items).or_else(|| largest(targets, by_targets)).unwrap_or_default()
}

/// No text within `limits` has fewer characters: a cheap look before thousands of names are written in vain.
fn shortest(summary: &ProposalSummary, limits: Limits) -> usize {
    const SHORTEST_LINE: usize = "- added `A b`".len();
    let lines = summary.targets.iter().map(|target| target.len().min(limits.items)).sum::<usize>();
    lines * SHORTEST_LINE
}

/// What `attempt` gives for the largest number up to `most` for which it gives anything.
fn largest(most: usize, attempt: impl Fn(usize) -> Option<String>) -> Option<String> {
    if let Some(text) = attempt(most) {
        return Some(text);
    }
    let mut best = attempt(0)?;
    let (mut fits, mut too_long) = (0, most);
    while too_long - fits > 1 {
        let middle = fits.midpoint(too_long);
        match attempt(middle) {
            Some(text) => (best, fits) = (text, middle),
            None => too_long = middle,
        }
    }
    Some(best)
}

fn longest_list(summary: &ProposalSummary) -> usize {
    let lists = [summary.dry_commits.listed.len(), summary.references.len()];
    summary.targets.iter().map(TargetChange::len).chain(lists).max().unwrap_or_default()
}

fn head(summary: &ProposalSummary) -> String {
    let warnings = [first_run(summary), undoes_drift(summary), large_deletion(summary)];
    let parts = std::iter::once(purpose(summary)).chain(warnings.into_iter().flatten());
    parts.collect::<Vec<_>>().join("\n\n")
}

fn purpose(summary: &ProposalSummary) -> String {
    let environment = name(summary.environment.as_str());
    let commit = commit_link(summary, &summary.dry.sha.to_string());
    let what = match &summary.intent {
        Intent::Promote => format!("Promotes DRY commit {commit} to {environment}"),
        Intent::Resume { .. } => format!("Ends the hold of {environment} and brings DRY commit {commit}"),
        Intent::Rollback { .. } => return rollback::purpose(summary),
    };
    let what = with_subject(&what, &summary.dry.subject, &summary.dry.author);
    let with = came_with(summary.dry.request.as_ref());
    format!("{what}{with}. Merging it changes {}, which the cluster syncs.", name(summary.active.as_str()))
}

fn with_subject(what: &str, text: &str, by: &str) -> String {
    match (text.is_empty(), by.is_empty()) {
        (true, _) => what.to_owned(),
        (false, true) => format!("{what}: {}", subject(text)),
        (false, false) => format!("{what}: {} ({})", subject(text), author(by)),
    }
}

/// The pull request that brought a DRY commit in.
fn came_with(request: Option<&(u64, String)>) -> String {
    request.map(|(number, url)| format!(", {}", link(&format!("\\#{number}"), url))).unwrap_or_default()
}

fn where_it_goes(summary: &ProposalSummary) -> String {
    if summary.picture.is_empty() {
        return String::new();
    }
    format!("### Where the environments are\n\n{}", summary.picture)
}

fn first_run(summary: &ProposalSummary) -> Option<String> {
    let text = "> [!NOTE]\n> This is the first proposal for this environment. \
                Point the cluster at the branch after it is merged, not before.";
    summary.first_run.then(|| text.to_owned())
}

fn undoes_drift(summary: &ProposalSummary) -> Option<String> {
    let active = name(summary.active.as_str());
    let text = format!(
        "> [!NOTE]\n> {active} was changed by hand. Merging this makes it again what the DRY branch says."
    );
    summary.undoes_drift.then_some(text)
}

fn large_deletion(summary: &ProposalSummary) -> Option<String> {
    let deletion = summary.large_deletion?;
    Some(format!(
        "> [!CAUTION]\n> **LARGE DELETION: {} of {} manifests are removed.** \
         Make sure that this is meant before you merge.",
        deletion.removed, deletion.of
    ))
}

fn changes(summary: &ProposalSummary, limits: Limits) -> String {
    let mut parts = vec![format!("### What changes\n\nManifests: {}.", summary.totals_text())];
    parts.extend(table(summary, limits));
    if limits.items > 0 {
        let targets = summary.targets.iter().take(limits.targets).filter(|target| !target.is_empty());
        parts.extend(targets.map(|target| target_details(target, limits)));
    }
    parts.extend(dry_commits(summary, limits));
    parts.extend(references(summary, limits));
    parts.join("\n\n")
}

fn table(summary: &ProposalSummary, limits: Limits) -> Option<String> {
    let changing = summary.targets.iter().filter(|target| !target.is_empty()).collect::<Vec<_>>();
    if changing.is_empty() {
        return None;
    }
    let mut lines =
        vec!["| target | added | changed | removed |".to_owned(), "| --- | ---: | ---: | ---: |".to_owned()];
    lines.extend(changing.iter().take(limits.targets).map(|target| row(target)));
    let hidden = changing.len().saturating_sub(limits.targets);
    if hidden > 0 {
        lines.push(format!("| and {hidden} more | | | |"));
    }
    Some(lines.join("\n"))
}

fn row(target: &TargetChange) -> String {
    format!(
        "| {} | {} | {} | {} |",
        code_in_cell(&cut(&target.name, NAME_LIMIT)),
        target.added.len(),
        target.changed.len(),
        target.removed.len()
    )
}

fn target_details(target: &TargetChange, limits: Limits) -> String {
    let kinds = [("removed", &target.removed), ("added", &target.added), ("changed", &target.changed)];
    let lines = kinds.into_iter().flat_map(|(word, ids)| ids.iter().map(move |id| manifest_line(word, id)));
    let list = listed(lines.take(limits.items).collect(), target.len());
    if target.len() <= FOLDED_FROM {
        return format!("In {}:\n\n{list}", code(&cut(&target.name, NAME_LIMIT)));
    }
    let summary = format!("{}: {} manifests", html(&cut(&target.name, NAME_LIMIT)), target.len());
    folded(&summary, &list)
}

fn manifest_line(word: &str, id: &ManifestId) -> String {
    format!("- {word} {}", code(&cut(&id.to_string(), NAME_LIMIT)))
}

/// The lines, and how many of `all` are missing.
fn listed(mut lines: Vec<String>, all: usize) -> String {
    let hidden = all.saturating_sub(lines.len());
    if hidden > 0 {
        lines.push(format!("- and {hidden} more"));
    }
    lines.join("\n")
}

fn folded(summary: &str, content: &str) -> String {
    format!("<details>\n<summary>{summary}</summary>\n\n{content}\n\n</details>")
}

fn dry_commits(summary: &ProposalSummary, limits: Limits) -> Option<String> {
    let commits = &summary.dry_commits;
    let takes_back = matches!(summary.intent, Intent::Rollback { .. });
    // A single commit is in the first paragraph already, unless that is the merge which brought it in.
    let is_said = match commits.listed.as_slice() {
        [] => true,
        [line] => !takes_back && line.sha == summary.dry.sha,
        _ => false,
    };
    if is_said && commits.more == MoreCommits::None {
        return None;
    }
    let mut lines =
        commits.listed.iter().take(limits.items).map(|line| dry_line(summary, line)).collect::<Vec<_>>();
    let hidden = commits.listed.len() - lines.len();
    match commits.more {
        MoreCommits::Count(more) if more + hidden > 0 => lines.push(format!("- and {} more", more + hidden)),
        MoreCommits::Unknown => {
            lines.push("- and perhaps more: the rest of the history was not at hand".to_owned());
        }
        _ if hidden > 0 => lines.push(format!("- and {hidden} more")),
        _ => {}
    }
    let list = lines.join("\n");
    let content = if lines.len() > FOLDED_FROM { folded("all of them", &list) } else { list };
    let heading = if takes_back { "DRY commits that it takes back" } else { "DRY commits" };
    Some(format!("### {heading}\n\n{content}"))
}

fn dry_line(summary: &ProposalSummary, line: &DryLine) -> String {
    let commit = commit_link(summary, &line.sha.to_string());
    let with = came_with(line.request.as_ref());
    format!("- {commit} {} ({}){with}", subject(&line.subject), author(&line.author))
}

fn references(summary: &ProposalSummary, limits: Limits) -> Option<String> {
    if summary.references.is_empty() || limits.items == 0 {
        return None;
    }
    let lines = summary.references.iter().take(limits.items).map(reference_line).collect();
    Some(format!("### Application commits\n\n{}", listed(lines, summary.references.len())))
}

fn reference_line(line: &ReferenceLine) -> String {
    let label = code(&line.sha.chars().take(7).collect::<String>());
    let commit = line.repo_url.as_ref().map_or_else(|| label.clone(), |url| link_to(&label, url, &line.sha));
    format!("- {commit} {} ({})", subject(&line.subject), author(&line.author))
}

fn foot(summary: &ProposalSummary) -> String {
    let after = match &summary.intent {
        Intent::Rollback { .. } => rollback::foot(summary),
        Intent::Resume { still_held } => rollback::resume_foot(still_held),
        Intent::Promote => {
            "Closing this unmerged rejects it: it is not offered again until its manifests change.".to_owned()
        }
    };
    format!("---\n\n{after}")
}
