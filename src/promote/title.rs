//! The title of a pull request. Pure.

use super::summary::{Intent, ProposalSummary};
use crate::escape::{cut, neutralise_skip_markers, one_line};

/// The longest title that we write.
pub const TITLE_LIMIT: usize = 200;

/// The title when the configuration has no template.
pub fn default_title(summary: &ProposalSummary) -> String {
    let (environment, dry) = (&summary.environment, summary.dry.sha.short());
    let start = match &summary.intent {
        Intent::Promote => format!("Promote {dry} to {environment}"),
        Intent::Rollback { targets, .. } if !targets.is_empty() => {
            return tidy(&format!("Roll back {} of {environment}", targets.join(", ")));
        }
        Intent::Rollback { .. } => format!("Roll back {environment} to {dry}"),
        Intent::Resume { .. } => format!("Resume {environment} with {dry}"),
    };
    let subject = one_line(&summary.dry.subject);
    if subject.is_empty() { tidy(&start) } else { tidy(&format!("{start}: {subject}")) }
}

/// One line of at most [`TITLE_LIMIT`] characters: a title becomes the subject of a squash commit.
pub(super) fn tidy(title: &str) -> String {
    cut(&neutralise_skip_markers(&one_line(title)), TITLE_LIMIT)
}
