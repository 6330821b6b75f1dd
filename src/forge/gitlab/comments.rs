//! Notes on merge requests, which are comments everywhere else, and award emoji for them.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::GitLab;
use super::shapes::{each, sent_text};
use crate::error::Failure;
use crate::forge::http::{Class, Effect, Method, Refused, Request};
use crate::forge::{Comment, Reaction, Written, same_text};

/// How often something is tried whose answer was lost.
const ATTEMPTS: u32 = 4;
/// Of so many of the newest notes one is looked for whose answer was lost.
const NEWEST: usize = 20;

/// What a note is read with besides: whose it may be, and where it stands.
struct Reader {
    /// The number of the token's own account.
    account: u64,
    /// The merge request's page.
    page: String,
}

impl Reader {
    fn new(forge: &GitLab, number: u64) -> Result<Self, Refused> {
        let page = format!("{}/-/merge_requests/{number}", forge.place.web);
        Ok(Self { account: forge.account()?, page })
    }

    /// A note, unless GitLab itself says there what was done.
    fn comment(&self, note: &Value) -> Option<Comment> {
        if note["system"] == true {
            return None;
        }
        let id = note["id"].as_u64()?;
        Some(Comment {
            id,
            author: note["author"]["username"].as_str().unwrap_or_default().to_owned(),
            mine: note["author"]["id"].as_u64() == Some(self.account),
            body: note["body"].as_str()?.to_owned(),
            url: format!("{}#note_{id}", self.page),
        })
    }
}

fn path(number: u64) -> String {
    format!("/merge_requests/{number}/notes")
}

/// All notes of people and programs, oldest first.
pub(super) fn read(forge: &GitLab, number: u64) -> Result<Vec<Comment>> {
    let doing = format!("cannot read the notes on merge request !{number}");
    let found = || {
        let reader = Reader::new(forge, number)?;
        let all = forge.list(&format!("{}?sort=asc&order_by=created_at", path(number)))?;
        Ok(all.iter().filter_map(|note| reader.comment(note)).collect())
    };
    found().map_err(|refused: Refused| refused.while_doing(&doing).into())
}

/// A note by its id, unless it is gone, or GitLab's own.
pub(super) fn written(forge: &GitLab, number: u64, id: u64) -> Result<Option<Written>> {
    let note = match forge.get(&format!("{}/{id}", path(number))) {
        Err(refused) if refused.class == Class::NotFound => return Ok(None),
        found => found.map_err(|refused| {
            refused.while_doing(&format!("cannot read the note {id} on merge request !{number}"))
        })?,
    };
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let read = || {
        let author = text(&note["author"]["username"])?;
        Some(Written { author, body: text(&note["body"])?, at: note["created_at"].as_str()?.parse().ok()? })
    };
    Ok(read().filter(|_| note["system"] != true && note["id"].as_u64() == Some(id)))
}

/// Writes a note. One whose answer was lost is looked for before it is written again.
pub(super) fn say(forge: &GitLab, number: u64, body: &str) -> Result<Comment> {
    let doing = format!("cannot comment on merge request !{number}");
    try_to_say(forge, number, &sent_text(body))
        .map_err(|refused| refused.while_doing(&doing))?
        .ok_or_else(|| Failure::forge(format!("{doing}: GitLab does not say what came of it")).into())
}

fn try_to_say(forge: &GitLab, number: u64, note: &str) -> Result<Option<Comment>, Refused> {
    let reader = Reader::new(forge, number)?;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let refused = match forge.write(Method::Post, &path(number), json!({"body": note}), Effect::Notify) {
            Ok(answer) => return Ok(reader.comment(&answer)),
            Err(refused) => refused,
        };
        let lost = refused.is_lost();
        if lost {
            let newest = format!("{}?sort=desc&order_by=created_at&per_page={NEWEST}", path(number));
            let answer = forge.get(&newest)?;
            let ours = |one: &Comment| one.mine && same_text(&one.body, note);
            if let Some(said) = each(&answer).filter_map(|one| reader.comment(one)).find(ours) {
                return Ok(Some(said));
            }
        }
        if attempt >= ATTEMPTS || !lost || !forge.http.back_off(attempt) {
            return Err(refused);
        }
    }
}

/// Replaces the text of a note.
pub(super) fn change(forge: &GitLab, number: u64, id: u64, body: &str) -> Result<()> {
    let body = json!({"body": sent_text(body)});
    let answer = forge.write(Method::Put, &format!("{}/{id}", path(number)), body, Effect::Write);
    answer.map(drop).map_err(|refused| {
        refused.while_doing(&format!("cannot change a note on merge request !{number}")).into()
    })
}

/// Removes a note, unless somebody has done so already.
pub(super) fn delete(forge: &GitLab, number: u64, id: u64) -> Result<()> {
    let url = forge.url(&format!("{}/{id}", path(number)));
    match forge.http.send(&Request { method: Method::Delete, url, body: None, effect: Effect::Write }) {
        Err(refused) if refused.class != Class::NotFound => {
            Err(refused.while_doing(&format!("cannot delete a note on merge request !{number}")).into())
        }
        _ => Ok(()),
    }
}

/// Reacts to a note. GitLab refuses to do so twice, as something that it does not find; what is there after an answer was
/// lost is taken for what was sent then.
pub(super) fn react(forge: &GitLab, number: u64, id: u64, reaction: Reaction) -> Result<bool> {
    let name = match reaction {
        Reaction::Seen => "eyes",
        Reaction::Done => "rocket",
        Reaction::Refused => "confused",
    };
    let award = awards(number, id);
    let (mut attempt, mut was_lost) = (0, false);
    loop {
        attempt += 1;
        let refused = match forge.write(Method::Post, &award, json!({"name": name}), Effect::Write) {
            Ok(_) => return Ok(true),
            Err(refused) if refused.says("already been taken") => return Ok(was_lost),
            Err(refused) => refused,
        };
        was_lost |= refused.is_lost();
        if attempt >= ATTEMPTS || refused.class != Class::Transient || !forge.http.back_off(attempt) {
            let doing = format!("cannot react to a note on merge request !{number}");
            return Err(refused.while_doing(&doing).into());
        }
    }
}

fn awards(number: u64, id: u64) -> String {
    format!("{}/{id}/award_emoji", path(number))
}

/// Whether our own account said by a reaction what came of a note.
pub(super) fn is_answered(forge: &GitLab, number: u64, id: u64) -> Result<bool> {
    let found = || {
        let account = forge.account()?;
        let is_end = |award: &Value| award["name"] == "rocket" || award["name"] == "confused";
        let all = forge.list(&awards(number, id))?;
        Ok(all.iter().any(|award| award["user"]["id"].as_u64() == Some(account) && is_end(award)))
    };
    found().map_err(|refused: Refused| {
        refused.while_doing(&format!("cannot read the reactions to a note on merge request !{number}")).into()
    })
}

/// When a label was last put on, in any case of its letters.
pub(super) fn labelled_since(forge: &GitLab, number: u64, label: &str) -> Result<Option<Timestamp>> {
    let all = forge.list(&format!("/merge_requests/{number}/resource_label_events")).map_err(|refused| {
        refused.while_doing(&format!("cannot read since when merge request !{number} has its labels"))
    })?;
    let is_it = |event: &&Value| {
        let name = event["label"]["name"].as_str();
        event["action"] == "add" && name.is_some_and(|name| name.eq_ignore_ascii_case(label))
    };
    Ok(all.iter().filter(is_it).filter_map(|event| event["created_at"].as_str()?.parse().ok()).max())
}
