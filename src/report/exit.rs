//! The exit code of a run. Pure.

use crate::error::FailureKind;
use crate::model::{EnvironmentReport, Operation, PullRequestOperation, RunReport};

/// The exit code: 0, or that of the worst environment.
pub fn exit_code(report: &RunReport) -> u8 {
    let kinds = report.environments.iter().filter_map(failure);
    kinds.max_by_key(|kind| severity(*kind)).map_or(0, FailureKind::exit_code)
}

/// Whether anything was changed, or would be: for `plan --exit-code`.
pub fn changes_found(report: &RunReport) -> bool {
    report.environments.iter().any(changed)
}

fn failure(environment: &EnvironmentReport) -> Option<FailureKind> {
    let failed = environment.operation == Operation::Failed;
    environment.error.as_ref().map(|error| error.kind).or(failed.then_some(FailureKind::Unexpected))
}

/// What a second attempt is least likely to cure is worst: a defect, then what the user wrote, then what the forge
/// forbids, then a race.
const fn severity(kind: FailureKind) -> u8 {
    match kind {
        FailureKind::Git => 1,
        FailureKind::Forge => 2,
        FailureKind::Render => 3,
        FailureKind::Config => 4,
        FailureKind::Usage => 5,
        FailureKind::Unexpected => 6,
    }
}

pub(super) fn changed(environment: &EnvironmentReport) -> bool {
    let moved = matches!(
        environment.operation,
        Operation::Created | Operation::Updated | Operation::Closed | Operation::Pushed | Operation::Merged
    );
    let request = environment.pull_request.as_ref();
    moved || request.is_some_and(|request| request.operation != PullRequestOperation::None)
}
