//! Names, subjects, authors and commits as pull requests show them: harmless, and no longer than they need be. Pure.

use super::summary::ProposalSummary;
use crate::escape::{code, cut, link, prose};

const SUBJECT_LIMIT: usize = 100;
const AUTHOR_LIMIT: usize = 80;
pub(super) const NAME_LIMIT: usize = 300;

/// The short id, linked where the repository is on the web.
pub(super) fn commit_link(summary: &ProposalSummary, sha: &str) -> String {
    let label = code(&sha.chars().take(7).collect::<String>());
    summary.repo_url.as_ref().map_or_else(|| label.clone(), |url| link_to(&label, url, sha))
}

/// The text, linked to the commit on the web where there is a page for it.
pub(super) fn link_to(label: &str, repo_url: &str, sha: &str) -> String {
    let is_id = !sha.is_empty() && sha.bytes().all(|byte| byte.is_ascii_hexdigit());
    let fits = repo_url.len() <= 500 && sha.len() <= 64;
    if is_id && fits {
        link(label, &format!("{}/commit/{sha}", repo_url.trim_end_matches('/')))
    } else {
        label.to_owned()
    }
}

pub(super) fn name(text: &str) -> String {
    code(&cut(text, NAME_LIMIT))
}

pub(super) fn subject(text: &str) -> String {
    prose(&cut(&crate::escape::one_line(text), SUBJECT_LIMIT))
}

pub(super) fn author(text: &str) -> String {
    prose(&cut(&crate::escape::one_line(text), AUTHOR_LIMIT))
}
