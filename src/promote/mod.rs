//! What a proposal says to people, and what has to happen to its pull request.
//!
//! The text and the decision are pure; only [`apply`] talks to a forge.

mod body;
mod rollback;
mod steps;
mod summary;
mod template;
mod title;
mod words;

pub use body::{BODY_LIMIT, default_body};
pub use steps::{Applied, PullRequestStep, Wanted, apply, decide, find_open};
pub use summary::{
    DryCommits, DryInfo, DryLine, Intent, LargeDeletion, MoreCommits, ProposalSummary, ReferenceLine,
    TargetChange,
};
pub use template::{Render, body_context, look, title_context};
pub use title::{TITLE_LIMIT, default_title};

use self::steps::has_all;
use crate::escape::marker_value;
use crate::model::{ObjectId, PullRequest, PullRequestSettings};

/// The label of a proposal that rolls back.
pub const ROLLBACK_LABEL: &str = "rollback";

/// The environment that a pull request's hidden marker names.
pub fn environment_of(body: &str) -> Option<String> {
    marker_value(body, "environment")
}

/// Whether an open pull request already says what these settings would make of this change: then nothing has to be
/// read to say it again.
pub fn is_current(open: &PullRequest, change: ObjectId, settings: &PullRequestSettings) -> bool {
    let says = |key: &str, value: &str| marker_value(&open.body, key).as_deref() == Some(value);
    says("change", &change.to_string())
        && says("text", &text_version(settings))
        && open.label_names.missing(&open.labels, &settings.labels).is_empty()
        && has_all(&open.reviewers, &settings.reviewers)
        && has_all(&open.team_reviewers, &settings.team_reviewers)
        && has_all(&open.assignees, &settings.assignees)
}

/// What decides how a proposal is described, besides the proposal itself.
pub fn text_version(settings: &PullRequestSettings) -> String {
    let templates =
        [settings.title.as_deref().unwrap_or_default(), settings.body.as_deref().unwrap_or_default()];
    let own = env!("CARGO_PKG_VERSION");
    format!("{own}-{}", crate::digest::short(templates.join("\0").as_bytes()))
}

#[cfg(test)]
mod tests;
