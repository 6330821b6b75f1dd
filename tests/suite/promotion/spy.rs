//! The local forge, with the model looking over hydrator's shoulder: a merge that the rules do not allow fails the
//! test at that very moment.

use std::collections::BTreeMap;
use std::rc::Rc;

use anyhow::Result;
use hydrator::forge::diagnosis::{Finding, Grounds};
use hydrator::forge::{
    ArmOutcome, Comment, Conversation, Deployment, Forge, Landing, MergeOutcome, Mergeability,
    NewPullRequest, Pair, Permission, PullRequestLook, Reaction, Records,
};
use hydrator::model::{
    BranchName, CommitId, CommitState, CommitStatus, MergeMethod, PullRequest, PullRequestOutline,
};

use super::ground::Ground;
use super::model;

/// A forge that is watched.
pub(super) struct Spy(pub(super) Rc<Ground>);

impl Spy {
    fn must_be_allowed(&self, number: u64, head: CommitId, verb: &str) {
        let open = self.0.forge.open_pull_requests().expect("the forge answers");
        let Some(request) = open.into_iter().find(|request| request.number == number) else { return };
        let at = self.0.place(request.base.as_str());
        assert_eq!(self.0.tip(request.head.as_str()), Some(head), "{verb} of something else than the head");
        if let Err(why) = model::allows(&self.0, at) {
            panic!("{verb} of #{number} into {}: {why}\n{}", request.base, model::picture(&self.0));
        }
        let gate = self.0.state_of(head, "hydrator/promotion");
        assert_eq!(gate, Some(CommitState::Success), "{verb} of #{number} over its gate");
    }
}

impl Conversation for Spy {
    fn comments(&self, number: u64) -> Result<Vec<Comment>> {
        self.0.forge.comments(number)
    }

    fn say(&self, number: u64, body: &str) -> Result<Comment> {
        self.0.forge.say(number, body)
    }

    fn change_comment(&self, number: u64, id: u64, body: &str) -> Result<()> {
        let before = self.0.forge.comments(number)?;
        let same = before.iter().any(|comment| comment.id == id && comment.body == body);
        assert!(!same, "a comment was written that does not differ: {body}");
        self.0.forge.change_comment(number, id, body)
    }

    fn delete_comment(&self, number: u64, id: u64) -> Result<()> {
        self.0.forge.delete_comment(number, id)
    }

    fn react(&self, number: u64, id: u64, reaction: Reaction) -> Result<bool> {
        self.0.forge.react(number, id, reaction)
    }

    fn is_answered(&self, number: u64, id: u64) -> Result<bool> {
        self.0.forge.is_answered(number, id)
    }

    fn permission(&self, login: &str) -> Result<Permission> {
        self.0.forge.permission(login)
    }

    fn remove_label(&self, number: u64, label: &str) -> Result<()> {
        self.0.forge.remove_label(number, label)
    }
}

impl Records for Spy {
    fn landings(&self, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
        self.0.forge.landings(commits)
    }

    fn approvers(&self, number: u64) -> Result<Vec<String>> {
        self.0.forge.approvers(number)
    }

    fn deployments(&self, environments: &[&str]) -> Result<BTreeMap<String, Deployment>> {
        self.0.forge.deployments(environments)
    }

    fn record_deployment(&self, deployment: &Deployment) -> Result<()> {
        self.0.forge.record_deployment(deployment)
    }
}

impl Forge for Spy {
    fn open_pull_requests(&self) -> Result<Vec<PullRequest>> {
        self.0.forge.open_pull_requests()
    }

    fn newest_pull_request(&self, head: &BranchName, base: &BranchName) -> Result<Option<PullRequest>> {
        self.0.forge.newest_pull_request(head, base)
    }

    fn newest_of(&self, pairs: &[Pair<'_>]) -> Result<Vec<Option<PullRequestOutline>>> {
        self.0.forge.newest_of(pairs)
    }

    fn merged_of(&self, pairs: &[Pair<'_>]) -> Result<Vec<Option<PullRequestOutline>>> {
        self.0.forge.merged_of(pairs)
    }

    fn open(&self, wanted: &NewPullRequest) -> Result<PullRequest> {
        let head = self.0.tip(wanted.head.as_str()).expect("what is offered is there");
        let gate = self.0.state_of(head, "hydrator/promotion");
        assert!(gate.is_some(), "#{} is opened before its gate is there", wanted.head);
        self.0.forge.open(wanted)
    }

    fn update(&self, number: u64, look: &PullRequestLook) -> Result<PullRequest> {
        self.0.forge.update(number, look)
    }

    fn close(&self, number: u64, comment: &str) -> Result<()> {
        self.0.forge.close(number, comment)
    }

    fn statuses(&self, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Vec<CommitStatus>>> {
        self.0.forge.statuses(commits)
    }

    fn set_status(&self, commit: CommitId, status: &CommitStatus) -> Result<()> {
        assert!(status.description.chars().count() <= 140, "{}", status.description);
        let before = self.0.forge.statuses(&[commit])?.remove(&commit).unwrap_or_default();
        let same = |old: &CommitStatus| {
            (&old.context, old.state, &old.description)
                == (&status.context, status.state, &status.description)
        };
        assert!(!before.iter().any(same), "a status was written that does not differ: {status:?}");
        self.0.forge.set_status(commit, status)
    }

    fn diagnose(&self, grounds: &Grounds) -> Result<Vec<Finding>> {
        self.0.forge.diagnose(grounds)
    }

    fn requires_status(&self, branch: &BranchName, context: &str) -> Result<bool> {
        self.0.forge.requires_status(branch, context)
    }

    fn mergeability_of(&self, numbers: &[u64]) -> Result<BTreeMap<u64, Mergeability>> {
        self.0.forge.mergeability_of(numbers)
    }

    fn mergeability(&self, number: u64) -> Result<Mergeability> {
        self.0.forge.mergeability(number)
    }

    fn merge(&self, number: u64, head_sha: CommitId, method: Option<MergeMethod>) -> Result<MergeOutcome> {
        self.must_be_allowed(number, head_sha, "the merge");
        let merged = self.0.forge.merge(number, head_sha, method)?;
        self.0.follow_activations();
        Ok(merged)
    }

    fn arm(&self, number: u64, head_sha: CommitId, method: Option<MergeMethod>) -> Result<ArmOutcome> {
        self.must_be_allowed(number, head_sha, "the auto-merge");
        self.0.forge.arm(number, head_sha, method)
    }

    fn disarm(&self, number: u64) -> Result<()> {
        self.0.forge.disarm(number)
    }

    fn compare_url(&self, _: &BranchName, _: &BranchName) -> Option<String> {
        None
    }
}
