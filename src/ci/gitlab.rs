//! Jobs of GitLab CI. Pure.

use super::{Event, Job, System, Trigger, commit};
use crate::error::Failure;
use crate::variables::Variables;

/// What a job of GitLab CI is about.
pub(super) fn detect(variables: &Variables) -> Result<Job, Failure> {
    let branch = variables.get("CI_COMMIT_BRANCH").map(|branch| format!("refs/heads/{branch}"));
    let full_ref = branch
        .unwrap_or_else(|| format!("refs/{}", variables.get("CI_COMMIT_REF_NAME").unwrap_or("unknown")));
    let event = match variables.get("CI_PIPELINE_SOURCE") {
        None | Some("push") => Event::Push,
        Some("web") => Event::Manual,
        Some("schedule") => Event::Schedule,
        Some(other) => Event::Other(other.to_owned()),
    };
    let trigger = Some(Trigger { commit: commit(variables, "CI_COMMIT_SHA")?, full_ref });
    Ok(Job { system: System::GitLab, event, trigger })
}
