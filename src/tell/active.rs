//! Since when a commit is active, where no merge tells: the time of a status of ours. Does I/O through the forge.

use anyhow::Result;

use crate::forge::Forge;
use crate::gate::ACTIVE;
use crate::model::{CommitId, CommitState, CommitStatus, Environment};

/// Lets the forge's clock tell since when a commit is active.
pub fn mark_active(forge: &dyn Forge, environment: &Environment, commit: CommitId) -> Result<()> {
    let status = CommitStatus {
        context: ACTIVE.to_owned(),
        state: CommitState::Success,
        description: format!("active in {}", environment.name),
        created_at: None,
    };
    forge.set_status(commit, &status)
}
