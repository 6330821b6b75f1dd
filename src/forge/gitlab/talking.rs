//! What hydrator says on GitLab beside its merge requests and statuses, and to whom it listens.

use std::collections::BTreeMap;

use anyhow::Result;

use super::GitLab;
use crate::error::Failure;
use crate::forge::{Comment, Conversation, Deployment, Landing, Permission, Reaction, Records};
use crate::model::CommitId;

fn missing(what: &str) -> Failure {
    Failure::forge(format!("{what} on GitLab is being built"))
}

impl Conversation for GitLab {
    fn comments(&self, _: u64) -> Result<Vec<Comment>> {
        Err(missing("reading comments").into())
    }

    fn say(&self, _: u64, _: &str) -> Result<Comment> {
        Err(missing("writing comments").into())
    }

    fn change_comment(&self, _: u64, _: u64, _: &str) -> Result<()> {
        Err(missing("changing comments").into())
    }

    fn delete_comment(&self, _: u64, _: u64) -> Result<()> {
        Err(missing("deleting comments").into())
    }

    fn react(&self, _: u64, _: u64, _: Reaction) -> Result<bool> {
        Err(missing("reacting to comments").into())
    }

    fn permission(&self, _: &str) -> Result<Permission> {
        Err(missing("reading permissions").into())
    }

    fn remove_label(&self, _: u64, _: &str) -> Result<()> {
        Err(missing("removing labels").into())
    }
}

impl Records for GitLab {
    fn landings(&self, _: &[CommitId]) -> Result<BTreeMap<CommitId, Landing>> {
        Err(missing("looking up how commits came in").into())
    }

    fn deployments(&self, _: &[&str]) -> Result<BTreeMap<String, Deployment>> {
        Err(missing("reading deployments").into())
    }

    fn record_deployment(&self, _: &Deployment) -> Result<()> {
        Err(missing("recording deployments").into())
    }
}
