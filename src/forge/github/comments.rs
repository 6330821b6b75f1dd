//! Comments on pull requests, reactions to them, and what their authors may do. Comments are read by GraphQL, which
//! knows which are ours whatever the token belongs to, and written by REST.

use anyhow::Result;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::query::nodes;
use super::{GitHub, Place, Question};
use crate::error::Failure;
use crate::forge::http::{Class, Effect, Method, Refused, Request, encoded};
use crate::forge::{Comment, Permission, Reaction, same_text};
use crate::model::CommitId;

/// How often something is tried whose answer was lost.
const ATTEMPTS: u32 = 4;

/// The fields of a comment, for GraphQL.
pub(super) const FIELDS: &str = "fullDatabaseId body url viewerDidAuthor author { login }";

/// A comment out of an answer by GraphQL.
pub(super) fn of_node(node: &Value) -> Option<Comment> {
    let id = &node["fullDatabaseId"];
    Some(Comment {
        id: id.as_u64().or_else(|| id.as_str()?.parse().ok())?,
        author: node["author"]["login"].as_str().unwrap_or_default().to_owned(),
        mine: node["viewerDidAuthor"] == true,
        body: node["body"].as_str()?.to_owned(),
        url: node["url"].as_str().unwrap_or_default().to_owned(),
    })
}

/// All comments on a pull request.
pub(super) fn read(forge: &GitHub, number: u64) -> Result<Vec<Comment>> {
    let Place { owner, name, .. } = &forge.place;
    let text = format!(
        "query comments($owner: String!, $name: String!, $number: Int!, $after: String) {{
  repository(owner: $owner, name: $name) {{
    pullRequest(number: $number) {{
      comments(first: 100, after: $after) {{ pageInfo {{ hasNextPage endCursor }} nodes {{ {FIELDS} }} }}
    }}
  }}
}}"
    );
    let doing = || format!("cannot read the comments on pull request #{number}");
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let variables = json!({"owner": owner, "name": name, "number": number, "after": after});
        let question = Question { text: text.clone(), variables };
        let data = forge.ask(&question).map_err(|refused| refused.while_doing(&doing()))?;
        let page = &data["repository"]["pullRequest"]["comments"];
        if !page["nodes"].is_array() {
            return Err(Failure::forge(format!("{}: GitHub knows none of this number", doing())).into());
        }
        found.extend(nodes(page).filter_map(of_node));
        let next = page["pageInfo"]["endCursor"].as_str().map(str::to_owned);
        // A cursor that does not move would never end.
        if page["pageInfo"]["hasNextPage"] != true || next.is_none() || next == after {
            return Ok(found);
        }
        after = next;
    }
}

/// Writes a comment. One whose answer was lost is looked for before it is written again.
pub(super) fn say(forge: &GitHub, number: u64, body: &str) -> Result<Comment> {
    let doing = || format!("cannot comment on pull request #{number}");
    let mut attempt = 0;
    loop {
        attempt += 1;
        let path = format!("/issues/{number}/comments");
        let refused = match forge.write(Method::Post, &path, json!({"body": body}), Effect::Notify) {
            Ok(answer) => {
                let said = of_rest(&answer);
                let unclear = || Failure::forge(format!("{}: GitHub does not say what came of it", doing()));
                return Ok(said.ok_or_else(unclear)?);
            }
            Err(refused) => refused,
        };
        let lost = refused.is_lost();
        if lost {
            let ours = |comment: &Comment| comment.mine && same_text(&comment.body, body);
            if let Some(said) = read(forge, number)?.into_iter().rev().take(20).find(ours) {
                return Ok(said);
            }
        }
        if attempt >= ATTEMPTS || !lost || !forge.http.back_off(attempt) {
            return Err(refused.while_doing(&doing()).into());
        }
    }
}

/// A comment that we have just written.
fn of_rest(answer: &Value) -> Option<Comment> {
    Some(Comment {
        id: answer["id"].as_u64()?,
        author: answer["user"]["login"].as_str().unwrap_or_default().to_owned(),
        mine: true,
        body: answer["body"].as_str()?.to_owned(),
        url: answer["html_url"].as_str().unwrap_or_default().to_owned(),
    })
}

/// Replaces the text of a comment.
pub(super) fn change(forge: &GitHub, number: u64, id: u64, body: &str) -> Result<()> {
    let answer =
        forge.write(Method::Patch, &format!("/issues/comments/{id}"), json!({"body": body}), Effect::Write);
    answer.map(drop).map_err(|refused| {
        refused.while_doing(&format!("cannot change a comment on pull request #{number}")).into()
    })
}

/// Removes a comment, unless somebody has done so already.
pub(super) fn delete(forge: &GitHub, number: u64, id: u64) -> Result<()> {
    let url = forge.url(&format!("/issues/comments/{id}"));
    match forge.http.send(&Request { method: Method::Delete, url, body: None, effect: Effect::Write }) {
        Err(refused) if refused.class != Class::NotFound => {
            Err(refused.while_doing(&format!("cannot delete a comment on pull request #{number}")).into())
        }
        _ => Ok(()),
    }
}

/// Reacts to a comment: 201 says that this is new, 200 that it was there. Reacting twice changes nothing, so that it can be
/// said again; what is found after an answer was lost is taken for what was sent then.
pub(super) fn react(forge: &GitHub, number: u64, id: u64, reaction: Reaction) -> Result<bool> {
    let content = match reaction {
        Reaction::Seen => "eyes",
        Reaction::Done => "rocket",
        Reaction::Refused => "confused",
    };
    let url = forge.url(&format!("/issues/comments/{id}/reactions"));
    let request = Request::send(Method::Post, url, json!({"content": content}), Effect::Write);
    let (mut attempt, mut was_lost) = (0, false);
    loop {
        attempt += 1;
        let refused = match forge.http.send(&request) {
            Ok(answer) => return Ok(answer.status == 201 || was_lost),
            Err(refused) => refused,
        };
        was_lost |= refused.is_lost();
        if attempt >= ATTEMPTS || refused.class != Class::Transient || !forge.http.back_off(attempt) {
            let doing = format!("cannot react to a comment on pull request #{number}");
            return Err(refused.while_doing(&doing).into());
        }
    }
}

/// Whether a comment bears a reaction that says what came of it; whoever reacted, since GitHub counts them together.
pub(super) fn is_answered(forge: &GitHub, number: u64, id: u64) -> Result<bool> {
    let found = forge.get(&format!("/issues/comments/{id}")).map_err(|refused| {
        refused.while_doing(&format!("cannot read the reactions to a comment on pull request #{number}"))
    })?;
    let has = |content: &str| found["reactions"][content].as_u64().is_some_and(|count| count > 0);
    Ok(has("rocket") || has("confused"))
}

/// The head, and when it came: by the last forced push, as ours are, if that brought it; or with the pull request, if that
/// has one commit and nobody forced anything. GitHub keeps no time of any other push, such as that of "Update branch".
pub(super) fn head_since(forge: &GitHub, number: u64) -> Result<Option<(CommitId, Timestamp)>> {
    let Place { owner, name, .. } = &forge.place;
    let text = "query head($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      headRefOid createdAt commits { totalCount }
      timelineItems(last: 1, itemTypes: [HEAD_REF_FORCE_PUSHED_EVENT]) {
        nodes { ... on HeadRefForcePushedEvent { createdAt afterCommit { oid } } }
      }
    }
  }
}";
    let variables = json!({"owner": owner, "name": name, "number": number});
    let data = forge.ask(&Question { text: text.to_owned(), variables }).map_err(|refused| {
        refused.while_doing(&format!("cannot read since when pull request #{number} has its head"))
    })?;
    let node = &data["repository"]["pullRequest"];
    let head = node["headRefOid"].as_str().and_then(CommitId::parse);
    let brought = match nodes(&node["timelineItems"]).last() {
        Some(forced) => Some(forced).filter(|forced| forced["afterCommit"]["oid"] == node["headRefOid"]),
        None => Some(node).filter(|node| node["commits"]["totalCount"] == 1),
    };
    let since = brought.and_then(|by| by["createdAt"].as_str()?.parse().ok());
    Ok(head.zip(since))
}

/// When a label was last put on, in any case of its letters; among the newest hundred of all.
pub(super) fn labelled_since(forge: &GitHub, number: u64, label: &str) -> Result<Option<Timestamp>> {
    let Place { owner, name, .. } = &forge.place;
    let text = "query labelled($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      timelineItems(last: 100, itemTypes: [LABELED_EVENT]) { nodes { ... on LabeledEvent { createdAt label { name } } } }
    }
  }
}";
    let variables = json!({"owner": owner, "name": name, "number": number});
    let data = forge.ask(&Question { text: text.to_owned(), variables }).map_err(|refused| {
        refused.while_doing(&format!("cannot read since when pull request #{number} has its labels"))
    })?;
    let is_it =
        |event: &&Value| event["label"]["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(label));
    let events = nodes(&data["repository"]["pullRequest"]["timelineItems"]).filter(is_it);
    Ok(events.filter_map(|event| event["createdAt"].as_str()?.parse().ok()).max())
}

/// What somebody may do in the repository. GitHub maps every role to one of four words.
pub(super) fn permission(forge: &GitHub, login: &str) -> Result<Permission> {
    let found = forge.get(&format!("/collaborators/{}/permission", encoded(login)));
    let answer: Value = match found {
        Err(Refused { class: Class::NotFound, .. }) => Value::Null,
        other => other
            .map_err(|refused| refused.while_doing(&format!("cannot read what `{login}` may do here")))?,
    };
    Ok(match answer["permission"].as_str() {
        Some("admin") => Permission::Admin,
        Some("write") => Permission::Write,
        Some("read") => Permission::Read,
        _ => Permission::None,
    })
}
