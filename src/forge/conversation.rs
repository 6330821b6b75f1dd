//! The verbs of talking: comments on pull requests, reactions to them, who may do what, and labels taken off.

use anyhow::Result;
use jiff::Timestamp;

use crate::model::CommitId;

/// A comment on a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The forge's number for it; alone in the repository, or on its pull request (GitLab: the note's `id`). A later comment
    /// has a larger one.
    pub id: u64,
    /// The login of who wrote it; empty where the account is gone.
    pub author: String,
    /// Whether the token's own account wrote it.
    pub mine: bool,
    /// Markdown.
    pub body: String,
    /// Its web page.
    pub url: String,
}

/// What the forge keeps of a comment that a person wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The login of who wrote it.
    pub author: String,
    /// Its text.
    pub body: String,
    /// When it was written, by the forge's clock; a later change of the text leaves it.
    pub at: Timestamp,
}

/// Whether a forge keeps `wanted` when it shows `found`: forges trim texts, and may store line ends in another way.
pub fn same_text(found: &str, wanted: &str) -> bool {
    let plain = |text: &str| text.replace("\r\n", "\n").trim().to_owned();
    plain(found) == plain(wanted)
}

/// What somebody may do in a repository; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Nothing that the forge would tell.
    None,
    /// Look at it.
    Read,
    /// Push and merge, as far as branches allow it.
    Write,
    /// Everything.
    Admin,
}

/// An answer to a comment that needs no words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// It was read, and is being worked on.
    Seen,
    /// What it asked for was done.
    Done,
    /// What it asked for is not done.
    Refused,
}

/// What hydrator says on a forge, and to whom it listens. Every method either did it or is an error.
pub trait Conversation {
    /// The comments on a pull request in any state, oldest first.
    fn comments(&self, number: u64) -> Result<Vec<Comment>>;

    /// Writes a comment of at most 65,536 characters.
    fn say(&self, number: u64, body: &str) -> Result<Comment>;

    /// Replaces the text of one of our comments.
    fn change_comment(&self, number: u64, id: u64, body: &str) -> Result<()>;

    /// Removes one of our comments. One that is gone is no error.
    fn delete_comment(&self, number: u64, id: u64) -> Result<()>;

    /// A comment as the forge keeps it, for events that somebody else may have sent; nothing where there is no such
    /// comment, or where all events come from the forge itself.
    fn written(&self, _number: u64, _id: u64) -> Result<Option<Written>> {
        Ok(None)
    }

    /// Reacts to a comment; false if this account had surely reacted like that before. Where an answer was lost on the way,
    /// the reaction that is found is this one.
    fn react(&self, number: u64, id: u64, reaction: Reaction) -> Result<bool>;

    /// Whether a comment bears a reaction that says what came of it, [`Reaction::Done`] or [`Reaction::Refused`].
    fn is_answered(&self, number: u64, id: u64) -> Result<bool>;

    /// What somebody may do in the repository. Somebody whom the forge does not know may do nothing.
    fn permission(&self, login: &str) -> Result<Permission>;

    /// The head of an open pull request, and since when it has it by the forge's clock; nothing where the forge does not
    /// tell, as GitHub of a head that somebody pushed on top of another one.
    fn head_since(&self, _number: u64) -> Result<Option<(CommitId, Timestamp)>> {
        Ok(None)
    }

    /// When a label was last put on a pull request, by the forge's clock; nothing where it never was, or the forge keeps no such
    /// times.
    fn labelled_since(&self, _number: u64, _label: &str) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    /// Takes a label off a pull request. One that is not there is no error.
    fn remove_label(&self, number: u64, label: &str) -> Result<()>;
}
