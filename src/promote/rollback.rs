//! What a pull request that rolls back or resumes says: who, why, what stays held, how it ends. Pure.

use super::summary::{Intent, ProposalSummary};
use super::words::{author, commit_link, name, subject};
use crate::escape::code;

/// Names of targets that are listed before the rest is counted.
const TARGETS_SHOWN: usize = 10;

/// The first paragraphs.
pub(super) fn purpose(summary: &ProposalSummary) -> String {
    let Intent::Rollback { actor, reason, targets, .. } = &summary.intent else { return String::new() };
    let environment = name(summary.environment.as_str());
    let commit = commit_link(summary, &summary.dry.sha.to_string());
    let what = if targets.is_empty() {
        format!("Rolls {environment} back to the exact manifests of DRY commit {commit}")
    } else {
        format!("Rolls {} of {environment} back to exact older manifests", list(targets))
    };
    let active = name(summary.active.as_str());
    let by = if actor.is_empty() { "unknown".to_owned() } else { author(actor) };
    let why = if reason.is_empty() { "no reason was given".to_owned() } else { subject(reason) };
    format!(
        "{what}. Nothing was rendered again. Merging it changes {active}, which the cluster syncs.\n\n\
         - Asked for by: {by}\n- Why: {why}\n- Held: {}",
        held(summary)
    )
}

/// What stays where it is once it is merged.
fn held(summary: &ProposalSummary) -> String {
    let Intent::Rollback { targets, holds, lets_pass, .. } = &summary.intent else { return String::new() };
    if !holds {
        return "nothing; the next DRY commit that changes these manifests is proposed as usual".to_owned();
    }
    let what = if targets.is_empty() {
        "the whole environment stays as it is, whatever is pushed to the DRY branch".to_owned()
    } else {
        format!("{}; the other targets go on", list(targets))
    };
    let after = if *lets_pass { "later environments need not wait" } else { "later environments wait" };
    format!("{what}; {after}")
}

/// The last paragraph of a rollback.
pub(super) fn foot(summary: &ProposalSummary) -> String {
    let Intent::Rollback { targets, holds, .. } = &summary.intent else { return String::new() };
    let cancel = "Closing this unmerged cancels the rollback.";
    if !holds {
        return cancel.to_owned();
    }
    let mut words = vec![format!("hydrator resume --environment {}", summary.environment)];
    words.extend(targets.iter().map(|target| format!("--target {target}")));
    let resume = code(&words.join(" "));
    format!("Once merged, it stays so until {resume}. {cancel}")
}

/// The last paragraph of a resume.
pub(super) fn resume_foot(still_held: &[String]) -> String {
    let cancel = "Closing this unmerged cancels it: what is held stays held.";
    if still_held.is_empty() {
        cancel.to_owned()
    } else {
        format!("Still held: {}. {cancel}", list(still_held))
    }
}

fn list(targets: &[String]) -> String {
    let shown: Vec<String> = targets.iter().take(TARGETS_SHOWN).map(|target| name(target)).collect();
    let hidden = targets.len() - shown.len();
    let more = if hidden > 0 { format!(" and {hidden} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
