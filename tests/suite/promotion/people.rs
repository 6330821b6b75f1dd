//! What people do on the ground of a simulated history: they look at pull requests, merge them, and leave them to others.

use std::rc::Rc;

use hydrator::forge::local::MergeRequest;
use hydrator::forge::{Forge as _, MergeOutcome};
use hydrator::model::{CommitId, EnvironmentName, MergeMethod, PullRequest, RunReport};
use hydrator::promotion::PromoteRequest;

use super::ground::Ground;

impl Ground {
    /// `/hydrator promote` in a comment, about what is open for an environment.
    pub(super) fn approve(self: &Rc<Self>, open: &PullRequest) -> RunReport {
        self.tell(format!("a comment asks for #{}", open.number));
        let name = &self.plan.environments[self.place(open.base.as_str())].name;
        let approved = vec![(EnvironmentName::new(name), open.head_sha)];
        self.promote_as(&PromoteRequest { approved, ..PromoteRequest::default() })
    }

    /// The open pull request of an environment.
    pub(super) fn open(&self, environment: &str) -> Option<PullRequest> {
        let open = self.forge.open_pull_requests().expect("the forge answers");
        let head = format!("hydrator/{environment}-next");
        open.into_iter().find(|request| request.head.as_str() == head)
    }

    /// The newest pull request of an environment, in any state.
    pub(super) fn newest(&self, environment: &str) -> Option<PullRequest> {
        let all = self.forge.pull_requests().expect("the forge answers");
        let head = format!("hydrator/{environment}-next");
        all.into_iter().rfind(|request| request.head.as_str() == head)
    }

    /// Whether two commits have the same manifests of the same DRY commit.
    pub(super) fn is_same(&self, one: CommitId, other: CommitId) -> bool {
        ["web/manifest.yaml", "jobs/manifest.yaml", "hydrator.metadata"]
            .iter()
            .all(|path| self.file(one, path) == self.file(other, path))
    }

    /// A person merges; false if the forge does not let them.
    pub(super) fn merge(&self, number: u64, method: MergeMethod) -> bool {
        self.merge_and(number, method, false)
    }

    /// The same, with a choice of what happens to the proposed branch.
    pub(super) fn merge_and(&self, number: u64, method: MergeMethod, delete_branch: bool) -> bool {
        let request = MergeRequest { head_sha: None, method: Some(method), delete_branch };
        self.tell(format!("a person merges #{number} by {method:?}, deletes the branch: {delete_branch}"));
        let merged = matches!(self.forge.merge_as(number, &request), Ok(MergeOutcome::Merged(_)));
        self.follow_activations();
        merged
    }

    /// A person leaves a pull request to the forge's auto-merge.
    pub(super) fn press_auto_merge(&self, open: &PullRequest) {
        self.tell(format!("a person presses auto-merge of #{}", open.number));
        drop(self.forge.arm(open.number, open.head_sha, None).expect("the forge answers"));
    }
}
