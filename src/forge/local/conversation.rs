//! Comments, reactions and records on the local forge. Does I/O on its file.
//!
//! There are no accounts: what the program writes is its own, what people write bears the name that they give, and
//! whoever can write the file may do everything.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

use super::merge::missing;
use super::state::{CommentRecord, Record};
use super::{BODY_LIMIT, DESCRIPTION_LIMIT, LocalForge, OURSELVES, at_most};
use crate::error::Failure;
use crate::forge::{
    Comment, Conversation, Deployment, Landing, MergedPullRequest, Permission, Reaction, Records,
};
use crate::git::bare::BareRepository;
use crate::model::{CommitId, PullRequestState};

impl LocalForge {
    /// Writes a comment as a person does.
    pub fn comment_as(&self, login: &str, number: u64, body: &str) -> Result<Comment> {
        ensure!(!body.trim().is_empty(), Failure::forge("a comment is empty"));
        at_most("a comment", body, BODY_LIMIT)?;
        self.change(|state, _| {
            let id = state.next_comment();
            let record = state.find(number).ok_or_else(|| missing(number))?;
            let comment = CommentRecord::new(id, login, body);
            let shown = self.comment_of(number, &comment);
            record.comments.push(comment);
            Ok(shown)
        })
    }

    /// The reactions to a comment, such as `seen`.
    pub fn reactions(&self, number: u64, id: u64) -> Result<Vec<String>> {
        self.look(|state| {
            let record = state.find(number).ok_or_else(|| missing(number))?;
            Ok(found(record, id)?.reactions.clone())
        })
    }

    fn comment_of(&self, number: u64, record: &CommentRecord) -> Comment {
        Comment {
            id: record.id,
            author: record.author.clone(),
            mine: record.author == OURSELVES,
            body: record.body.clone(),
            url: format!("{}-comment-{}", self.url(number), record.id),
        }
    }

    fn merged(&self, record: &Record) -> MergedPullRequest {
        let shown = record.comments.iter().map(|comment| self.comment_of(record.number, comment));
        MergedPullRequest {
            number: record.number,
            url: self.url(record.number),
            title: record.title.clone(),
            base: record.base.clone(),
            merge_commit: record.merge_commit,
            merged_at: record.merged_at.map(|instant| instant.0),
            own_comments: shown.filter(|comment| comment.mine).collect(),
        }
    }
}

fn found(record: &mut Record, id: u64) -> Result<&mut CommentRecord, Failure> {
    let number = record.number;
    record
        .comments
        .iter_mut()
        .find(|comment| comment.id == id)
        .ok_or_else(|| Failure::forge(format!("pull request #{number} has no comment {id}")))
}

const fn word(reaction: Reaction) -> &'static str {
    match reaction {
        Reaction::Seen => "seen",
        Reaction::Done => "done",
        Reaction::Refused => "refused",
    }
}

impl Conversation for LocalForge {
    fn comments(&self, number: u64) -> Result<Vec<Comment>> {
        self.look(|state| {
            let record = state.find(number).ok_or_else(|| missing(number))?;
            Ok(record.comments.iter().map(|comment| self.comment_of(number, comment)).collect())
        })
    }

    fn say(&self, number: u64, body: &str) -> Result<Comment> {
        self.comment_as(OURSELVES, number, body)
    }

    fn change_comment(&self, number: u64, id: u64, body: &str) -> Result<()> {
        at_most("a comment", body, BODY_LIMIT)?;
        self.change(|state, _| {
            let record = state.find(number).ok_or_else(|| missing(number))?;
            body.clone_into(&mut found(record, id)?.body);
            Ok(())
        })
    }

    fn delete_comment(&self, number: u64, id: u64) -> Result<()> {
        self.change(|state, _| {
            state.find(number).ok_or_else(|| missing(number))?.comments.retain(|comment| comment.id != id);
            Ok(())
        })
    }

    fn react(&self, number: u64, id: u64, reaction: Reaction) -> Result<bool> {
        self.change(|state, _| {
            let record = state.find(number).ok_or_else(|| missing(number))?;
            let reactions = &mut found(record, id)?.reactions;
            let is_new = !reactions.iter().any(|known| known == word(reaction));
            reactions.extend(is_new.then(|| word(reaction).to_owned()));
            Ok(is_new)
        })
    }

    fn is_answered(&self, number: u64, id: u64) -> Result<bool> {
        let ends = [word(Reaction::Done), word(Reaction::Refused)];
        Ok(self.reactions(number, id)?.iter().any(|known| ends.contains(&known.as_str())))
    }

    fn permission(&self, _: &str) -> Result<Permission> {
        Ok(Permission::Admin)
    }

    fn remove_label(&self, number: u64, label: &str) -> Result<()> {
        self.label(number, label, false)
    }
}

impl Records for LocalForge {
    fn landings(&self, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
        let repository = BareRepository::open(&self.bare)?;
        self.look(|state| {
            let mut found = BTreeMap::new();
            for commit in commits {
                let mut landing = Landing { statuses: state.statuses_of(*commit), ..Landing::default() };
                for record in &state.pull_requests {
                    if brought(record, *commit, &repository)? {
                        landing.pull_requests.push(self.merged(record));
                    }
                }
                found.insert(*commit, landing);
            }
            Ok(found)
        })
    }

    fn approvers(&self, _: u64) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    fn deployments(&self, environments: &[&str]) -> Result<BTreeMap<String, Deployment>> {
        self.look(|state| {
            let wanted = |one: &&Deployment| environments.contains(&one.environment.as_str());
            let all: Vec<Deployment> = state.deployments().collect();
            Ok(all.iter().filter(wanted).map(|one| (one.environment.clone(), one.clone())).collect())
        })
    }

    fn record_deployment(&self, deployment: &Deployment) -> Result<()> {
        at_most("the description of a deployment", &deployment.description, DESCRIPTION_LIMIT)?;
        self.change(|state, repository| {
            ensure!(
                repository.has_commit(deployment.commit),
                Failure::forge(format!(
                    "cannot record a deployment: there is no commit {} in `{}`",
                    deployment.commit, self.bare
                ))
            );
            state.record_deployment(deployment);
            Ok(())
        })
    }
}

/// Whether a merged pull request brought a commit in: it is what the merge made, or was between the base and the head.
fn brought(record: &Record, commit: CommitId, repository: &BareRepository) -> Result<bool> {
    let Some(made) = record.merge_commit.filter(|_| record.state == PullRequestState::Merged) else {
        return Ok(false);
    };
    if commit == made || commit == record.head_sha {
        return Ok(true);
    }
    if !repository.has_commit(commit) || !repository.is_ancestor(commit, record.head_sha)? {
        return Ok(false);
    }
    match repository.first_parent(made)? {
        Some(base) => Ok(!repository.is_ancestor(commit, base)?),
        None => Ok(false),
    }
}
