//! What people say about merge requests, and who they are.

use anyhow::Result;
use jiff::Timestamp;

use super::{GitLab, comments, merge_requests, people};
use crate::forge::{Comment, Conversation, Permission, Reaction, Written};
use crate::model::CommitId;

impl Conversation for GitLab {
    fn comments(&self, number: u64) -> Result<Vec<Comment>> {
        comments::read(self, number)
    }

    fn say(&self, number: u64, body: &str) -> Result<Comment> {
        comments::say(self, number, body)
    }

    fn change_comment(&self, number: u64, id: u64, body: &str) -> Result<()> {
        comments::change(self, number, id, body)
    }

    fn delete_comment(&self, number: u64, id: u64) -> Result<()> {
        comments::delete(self, number, id)
    }

    fn react(&self, number: u64, id: u64, reaction: Reaction) -> Result<bool> {
        comments::react(self, number, id, reaction)
    }

    fn is_answered(&self, number: u64, id: u64) -> Result<bool> {
        comments::is_answered(self, number, id)
    }

    fn written(&self, number: u64, id: u64) -> Result<Option<Written>> {
        comments::written(self, number, id)
    }

    fn permission(&self, login: &str) -> Result<Permission> {
        people::permission(self, login)
    }

    fn head_since(&self, number: u64) -> Result<Option<(CommitId, Timestamp)>> {
        merge_requests::head_since(self, number)
    }

    fn labelled_since(&self, number: u64, label: &str) -> Result<Option<Timestamp>> {
        comments::labelled_since(self, number, label)
    }

    fn remove_label(&self, number: u64, label: &str) -> Result<()> {
        merge_requests::remove_label(self, number, label)
    }
}
