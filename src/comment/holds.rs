//! Holds that came after a comment was written: each comment has a job of its own, and the later one may run first.
//!
//! Does I/O through the forge.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Asked;
use super::words::{Verb, wish};
use crate::escape::{code, marker, marker_value};
use crate::forge::{Comment, Forge, Permission};
use crate::gate::HOLD_LABEL;
use crate::model::{Environment, PullRequest};

/// The keys of the marker on what is said of a hold: the environment, and the comment that asked for it.
const HELD: &str = "held";
const BY: &str = "by";

/// Says on the environment's own pull request who holds it, where that was asked for elsewhere: an older comment that ends
/// holds has to find it there, although its label says nothing where it was on already.
pub(super) fn tell(
    forge: &dyn Forge,
    asked: &Asked,
    (environment, open): (&Environment, &PullRequest),
) -> Result<()> {
    if open.number == asked.number {
        return Ok(());
    }
    let mark = marker(&[(HELD, environment.name.as_str()), (BY, &asked.id.to_string())]);
    let words = format!(
        "Held: {} asked for it on pull request {}.",
        code(&asked.author),
        code(&asked.number.to_string())
    );
    forge.say(open.number, &format!("{mark}\n{words}")).map(drop)
}

/// Why a comment must not end what holds the environment: it was held again since, by another comment or by the label.
pub(super) fn newer(
    forge: &dyn Forge,
    asked: &Asked,
    (environment, open): (&Environment, Option<&PullRequest>),
) -> Result<Option<String>> {
    let why = || Some(format!("{} was held after this was written: look again", environment.name));
    if let Some(open) = open
        && forge.labelled_since(open.number, HOLD_LABEL)?.is_some_and(|since| since > asked.at)
    {
        return Ok(why());
    }
    let places: BTreeSet<u64> = open.map(|open| open.number).into_iter().chain([asked.number]).collect();
    for number in places {
        for comment in forge.comments(number)? {
            if is_marked(&comment, asked, environment) || asks(forge, &comment, asked, environment)? {
                return Ok(why());
            }
        }
    }
    Ok(None)
}

/// Forges count comments up: a larger number is a newer comment.
fn is_marked(comment: &Comment, asked: &Asked, environment: &Environment) -> bool {
    let value = |key| marker_value(&comment.body, key);
    comment.mine
        && value(HELD).as_deref() == Some(environment.name.as_str())
        && value(BY).and_then(|id| id.parse().ok()).is_some_and(|id: u64| id > asked.id)
}

/// Whether it asks for a hold, however far its own job is, and may.
fn asks(forge: &dyn Forge, comment: &Comment, asked: &Asked, environment: &Environment) -> Result<bool> {
    let is_hold = || match wish(&comment.body) {
        Some(Ok(wish)) => wish.verb == Verb::Hold && wish.environment == environment.name,
        _ => false,
    };
    Ok(comment.id > asked.id && is_hold() && forge.permission(&comment.author)? >= Permission::Write)
}
