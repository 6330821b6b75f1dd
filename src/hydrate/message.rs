//! The message of a hydrated commit: the DRY commit's, and trailers that say where it comes from. Pure.

use std::fmt::Write as _;

use super::references::Reference;
use crate::model::{Commit, CommitId, EnvironmentName};

/// The trailer that names the DRY commit in full.
pub const DRY_SHA_TRAILER: &str = "Hydrator-Dry-Sha";
/// The trailer that names the environment.
pub const ENVIRONMENT_TRAILER: &str = "Hydrator-Environment";
/// The trailer that names the program's version.
pub const VERSION_TRAILER: &str = "Hydrator-Version";

/// The trailer that names who asked for a rollback.
pub const ACTOR_TRAILER: &str = "Hydrator-Actor";
/// The trailer that says why.
pub const REASON_TRAILER: &str = "Hydrator-Reason";
/// The trailer that names the commit whose manifests a rollback brings back.
pub const ROLLBACK_TRAILER: &str = "Hydrator-Rollback-To";

/// What the message says.
pub struct Message<'a> {
    /// The DRY commit.
    pub dry: &'a Commit,
    /// Its body without the references' trailers.
    pub body: &'a str,
    /// The references.
    pub references: &'a [Reference],
    /// The environment.
    pub environment: &'a EnvironmentName,
    /// What a template of the configuration made in place of subject and body.
    pub custom: Option<&'a str>,
}

/// The whole message. CI skip markers of the DRY message are defused: they would stop the required checks.
pub fn text(message: &Message<'_>) -> String {
    let standard = || format!("{}: {}\n\n{}", message.dry.id.short(), message.dry.headline(), message.body);
    let head = message.custom.map_or_else(standard, str::to_owned);
    let head = crate::escape::neutralise_skip_markers(&printable(&head));
    let mut text = head.trim().to_owned();
    text.push_str("\n\n");
    let authors = message
        .references
        .iter()
        .map(|reference| reference.commit.author.clone())
        .filter(|author| !author.is_empty());
    let author = format!("{} <{}>", message.dry.author.name, message.dry.author.email);
    let mut named = Vec::new();
    for author in authors.chain([author]) {
        let author = one_line(&author);
        if !named.contains(&author) {
            let _ = writeln!(text, "Co-authored-by: {author}");
            named.push(author);
        }
    }
    let _ = writeln!(text, "{DRY_SHA_TRAILER}: {}", message.dry.id);
    let _ = writeln!(text, "{ENVIRONMENT_TRAILER}: {}", message.environment);
    let _ = writeln!(text, "{VERSION_TRAILER}: {}", env!("CARGO_PKG_VERSION"));
    text
}

/// What the message of a rollback says.
pub struct RollbackMessage<'a> {
    /// The DRY commit that the root's metadata names.
    pub dry_sha: &'a str,
    /// The first line, after the DRY commit's short id.
    pub headline: &'a str,
    /// The hydrated commit whose manifests it has.
    pub source: CommitId,
    /// The environment.
    pub environment: &'a EnvironmentName,
    /// Who asked for it.
    pub actor: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// The whole message of a rollback.
pub fn rollback_text(message: &RollbackMessage<'_>) -> String {
    let short = message.dry_sha.get(..7).unwrap_or_default();
    let head = format!("{short}: {}\n\n{}", one_line(message.headline), printable(message.reason));
    let mut text = crate::escape::neutralise_skip_markers(&head).trim().to_owned();
    text.push_str("\n\n");
    let trailers = [
        (DRY_SHA_TRAILER, message.dry_sha.to_owned()),
        (ENVIRONMENT_TRAILER, message.environment.to_string()),
        (VERSION_TRAILER, env!("CARGO_PKG_VERSION").to_owned()),
        (ROLLBACK_TRAILER, message.source.to_string()),
        (ACTOR_TRAILER, message.actor.to_owned()),
        (REASON_TRAILER, message.reason.to_owned()),
    ];
    for (name, value) in trailers.iter().filter(|(_, value)| !value.is_empty()) {
        let value = crate::escape::neutralise_skip_markers(&crate::escape::one_line(value));
        let _ = writeln!(text, "{name}: {value}");
    }
    text
}

fn printable(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
