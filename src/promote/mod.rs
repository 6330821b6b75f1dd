//! What a proposal says to people, and what has to happen to its pull request.
//!
//! The text and the decision are pure; only [`apply`] talks to a forge.

mod body;
mod steps;
mod summary;
mod template;
mod title;

pub use body::{BODY_LIMIT, default_body};
pub use steps::{Applied, PullRequestStep, Wanted, apply, decide, find_open};
pub use summary::{
    DryCommits, DryInfo, DryLine, Intent, LargeDeletion, MoreCommits, ProposalSummary, ReferenceLine,
    TargetChange,
};
pub use template::{Render, body_context, look, title_context};
pub use title::{TITLE_LIMIT, default_title};

use crate::escape::marker_value;

/// The label of a proposal that rolls back.
pub const ROLLBACK_LABEL: &str = "rollback";

/// The environment that a pull request's hidden marker names.
pub fn environment_of(body: &str) -> Option<String> {
    marker_value(body, "environment")
}

#[cfg(test)]
mod tests;
