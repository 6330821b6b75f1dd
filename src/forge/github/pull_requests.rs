//! Pull requests opened, changed and closed by REST. Nothing that reads the same is written again, and a write whose
//! answer was lost is looked for before it is repeated.

use anyhow::Result;
use serde_json::{Value, json};

use super::query::sorted;
use super::{GitHub, comments};
use crate::error::Failure;
use crate::forge::http::{Class, Effect, Method, Refused, Request, encoded};
use crate::forge::{Forge as _, NewPullRequest, PullRequestLook, same_text};
use crate::model::{BranchName, CommitId, LabelNames, PullRequest, PullRequestState};

/// How often something is tried that GitHub does not see yet.
const ATTEMPTS: u32 = 4;

/// Opens a pull request, or returns the one that is open already, and asks whom the look names.
pub(super) fn open(forge: &GitHub, wanted: &NewPullRequest) -> Result<PullRequest> {
    let opened = create(forge, wanted)?;
    decorate(forge, opened, &wanted.look)
}

fn create(forge: &GitHub, wanted: &NewPullRequest) -> Result<PullRequest> {
    let NewPullRequest { head, base, look } = wanted;
    let mut draft = look.draft;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let body = json!({
            "title": look.title, "body": look.body, "head": head.as_str(), "base": base.as_str(),
            "draft": draft, "maintainer_can_modify": false,
        });
        let refused = match forge.write(Method::Post, "/pulls", body, Effect::Notify) {
            Ok(answer) => return opened(forge, &answer, wanted),
            Err(refused) => refused,
        };
        if draft && refused.says("draft pull requests are not supported") {
            draft = false;
            continue;
        }
        let exists = refused.says("a pull request already exists");
        let lost = refused.class == Class::Transient && !refused.unsent;
        if exists || lost {
            let newest = forge.newest_pull_request(head, base)?;
            if let Some(found) = newest.filter(|newest| newest.state == PullRequestState::Open) {
                return Ok(found);
            }
        }
        let unseen = refused.class == Class::Invalid && !is_final(&refused);
        let again = exists || unseen || lost;
        if attempt >= ATTEMPTS || !again || !forge.http.back_off(attempt) {
            return Err(explained(refused, head, base).into());
        }
    }
}

/// Whether the same request would be refused again: what is pushed may not be seen for a moment, but text stays text.
fn is_final(refused: &Refused) -> bool {
    let passing = ["no commits between", "head: invalid", "base: invalid", "could not resolve to a node"];
    !passing.iter().any(|words| refused.says(words))
}

/// The meaning of a refusal to open, with what helps.
fn explained(refused: Refused, head: &BranchName, base: &BranchName) -> Failure {
    let hints: &[(&str, String)] = &[
        (
            "no commits between",
            format!(
                "somebody merged or moved the branches meanwhile: run again (`{head}` has nothing that `{base}` lacks)"
            ),
        ),
        (
            "no history in common",
            format!("`{head}` must descend from `{base}`: delete `{head}` and run again"),
        ),
        (
            "head: invalid",
            format!("GitHub does not see `{head}`: run again, and look whether a rule deletes it"),
        ),
        (
            "base: invalid",
            format!("GitHub does not see `{base}`: run again, and look whether somebody deleted it"),
        ),
        ("body is too long", "shorten `pullRequest.body`".to_owned()),
        ("title is too long", "shorten `pullRequest.title`".to_owned()),
        ("already exists", "run again: GitHub says that one is open, and does not show it yet".to_owned()),
    ];
    let found = hints.iter().find(|(words, _)| refused.says(words)).map(|(_, hint)| hint.clone());
    let refused = match found {
        Some(hint) => refused.hint(hint),
        None => refused,
    };
    refused.while_doing(&format!("cannot open a pull request from `{head}` to `{base}`"))
}

fn opened(forge: &GitHub, answer: &Value, wanted: &NewPullRequest) -> Result<PullRequest> {
    let found = of_rest(answer).ok_or_else(|| {
        Failure::forge(format!(
            "GitHub opened a pull request from `{}` and does not describe it",
            wanted.head
        ))
        .hint("run again: it will be found then")
    })?;
    forge.remember(answer["node_id"].as_str().unwrap_or_default(), &found);
    Ok(found)
}

/// A pull request as REST describes it.
pub(super) fn of_rest(answer: &Value) -> Option<PullRequest> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let each = |key: &str, name: &str| {
        let all = answer[key].as_array().into_iter().flatten();
        sorted(all.filter_map(|one| text(&one[name])))
    };
    Some(PullRequest {
        number: answer["number"].as_u64()?,
        url: text(&answer["html_url"])?,
        state: match answer["state"].as_str()? {
            "open" => PullRequestState::Open,
            _ if answer["merged_at"].is_string() => PullRequestState::Merged,
            _ => PullRequestState::Closed,
        },
        head: BranchName::new(text(&answer["head"]["ref"])?).ok()?,
        head_sha: CommitId::parse(answer["head"]["sha"].as_str()?)?,
        base: BranchName::new(text(&answer["base"]["ref"])?).ok()?,
        title: text(&answer["title"])?,
        body: text(&answer["body"]).unwrap_or_default(),
        labels: each("labels", "name"),
        label_names: LabelNames::AnyCase,
        reviewers: each("requested_reviewers", "login"),
        team_reviewers: each("requested_teams", "slug"),
        assignees: each("assignees", "login"),
        draft: answer["draft"].as_bool().unwrap_or_default(),
        auto_merge: !answer["auto_merge"].is_null(),
        merged_at: answer["merged_at"].as_str().and_then(|time| time.parse().ok()),
        head_statuses: None,
    })
}

/// Makes an open pull request look as wanted.
pub(super) fn update(forge: &GitHub, number: u64, look: &PullRequestLook) -> Result<PullRequest> {
    let mut now = forge.known(number)?.pull_request;
    let mut changes = serde_json::Map::new();
    if !same_text(&now.title, &look.title) {
        changes.insert("title".to_owned(), json!(look.title));
    }
    if !same_text(&now.body, &look.body) {
        changes.insert("body".to_owned(), json!(look.body));
    }
    if !changes.is_empty() {
        let path = format!("/pulls/{number}");
        let answer = forge.write(Method::Patch, &path, Value::Object(changes), Effect::Write);
        answer.map_err(|refused| refused.while_doing(&format!("cannot change pull request #{number}")))?;
        now = PullRequest { title: look.title.clone(), body: look.body.clone(), ..now };
        remember(forge, &now);
    }
    decorate(forge, now, look)
}

pub(super) fn remember(forge: &GitHub, now: &PullRequest) {
    let id = forge.known.borrow().get(&now.number).map(|known| known.id.clone()).unwrap_or_default();
    forge.remember(&id, now);
}

/// Adds labels and people that are missing; each kind is one request.
fn decorate(forge: &GitHub, mut now: PullRequest, look: &PullRequestLook) -> Result<PullRequest> {
    let number = now.number;
    let labels = missing(&now.labels, &look.labels);
    if !labels.is_empty() {
        let body = json!({"labels": labels});
        add(forge, &format!("/issues/{number}/labels"), &body, Effect::Write).map_err(|refused| {
            refused.while_doing(&format!("cannot label pull request #{number} with {}", labels.join(", ")))
        })?;
        now.labels = sorted(now.labels.into_iter().chain(labels));
    }
    let (people, teams) =
        (missing(&now.reviewers, &look.reviewers), missing(&now.team_reviewers, &look.team_reviewers));
    if !people.is_empty() || !teams.is_empty() {
        let body = json!({"reviewers": people, "team_reviewers": teams});
        add(forge, &format!("/pulls/{number}/requested_reviewers"), &body, Effect::Notify)
            .map_err(|refused| cannot_ask(refused, number, &people, &teams))?;
        now.reviewers = sorted(now.reviewers.into_iter().chain(people));
        now.team_reviewers = sorted(now.team_reviewers.into_iter().chain(teams));
    }
    let assignees = missing(&now.assignees, &look.assignees);
    if !assignees.is_empty() {
        let body = json!({"assignees": assignees});
        let doing = format!("cannot assign {} to pull request #{number}", assignees.join(", "));
        let answer = add(forge, &format!("/issues/{number}/assignees"), &body, Effect::Write)
            .map_err(|refused| refused.while_doing(&doing))?;
        refuse_ignored(&answer, &assignees, &doing)?;
        now.assignees = sorted(now.assignees.into_iter().chain(assignees));
    }
    remember(forge, &now);
    Ok(now)
}

/// Adding what is there already changes nothing, so that it can be said again. A new pull request is not seen
/// everywhere at once.
fn add(forge: &GitHub, path: &str, body: &Value, effect: Effect) -> Result<Value, Refused> {
    let mut attempt = 0;
    loop {
        attempt += 1;
        let refused = match forge.write(Method::Post, path, body.clone(), effect) {
            Ok(answer) => return Ok(answer),
            Err(refused) => refused,
        };
        let lost = refused.class == Class::Transient && !refused.unsent;
        let passes = lost || refused.says("could not resolve to a node");
        if attempt >= ATTEMPTS || !passes || !forge.http.back_off(attempt) {
            return Err(refused);
        }
    }
}

fn cannot_ask(refused: Refused, number: u64, people: &[String], teams: &[String]) -> Failure {
    let named: Vec<&str> = people.iter().chain(teams).map(String::as_str).collect();
    let hint = if refused.says("review cannot be requested from pull request author") {
        Some(
            "whoever the token belongs to opened it and cannot review it: take them off `pullRequest.reviewers`",
        )
    } else if refused.says("could not resolve to a node")
        || (refused.class == Class::Invalid && !teams.is_empty())
    {
        Some(
            "teams need a token that may read the organisation's members (a GitHub App with `members: read`; not a \
              job's own token), and a team's name is its slug; people need access to the repository",
        )
    } else if refused.class == Class::Invalid {
        Some("reviewers must have access to the repository: correct `pullRequest.reviewers`")
    } else {
        None
    };
    let refused = match hint {
        Some(hint) => refused.hint(hint),
        None => refused,
    };
    refused.while_doing(&format!("cannot ask {} to review pull request #{number}", named.join(", ")))
}

/// GitHub ignores assignees that it does not like, without a word.
fn refuse_ignored(answer: &Value, wanted: &[String], doing: &str) -> Result<(), Failure> {
    let all = answer["assignees"].as_array().into_iter().flatten();
    let assigned: Vec<String> = all.filter_map(|one| one["login"].as_str().map(str::to_owned)).collect();
    let ignored = missing(&assigned, wanted);
    if ignored.is_empty() {
        return Ok(());
    }
    Err(Failure::forge(format!("{doing}: GitHub ignores {}", ignored.join(", "))).hint(
        "assignees need access to the repository, and there are at most ten: correct `pullRequest.assignees`",
    ))
}

/// Those that are wanted and not there; GitHub does not tell upper from lower case in names and labels.
fn missing(have: &[String], wanted: &[String]) -> Vec<String> {
    let has = |name: &&String| have.iter().any(|one| one.to_lowercase() == name.to_lowercase());
    wanted.iter().filter(|name| !has(name)).cloned().collect()
}

/// Leaves a comment on a pull request and closes it.
pub(super) fn close(forge: &GitHub, number: u64, comment: &str) -> Result<()> {
    let known = forge.known(number)?;
    if known.pull_request.state != PullRequestState::Open {
        return Ok(());
    }
    if !comment.is_empty() {
        comments::say(forge, number, comment)?;
    }
    let closed =
        forge.write(Method::Patch, &format!("/pulls/{number}"), json!({"state": "closed"}), Effect::Notify);
    closed.map_err(|refused| refused.while_doing(&format!("cannot close pull request #{number}")))?;
    let closed = PullRequest { state: PullRequestState::Closed, ..known.pull_request };
    remember(forge, &closed);
    Ok(())
}

/// Takes a label off; GitHub does not know one that is not there.
pub(super) fn remove_label(forge: &GitHub, number: u64, label: &str) -> Result<()> {
    let request = Request {
        method: Method::Delete,
        url: forge.url(&format!("/issues/{number}/labels/{}", encoded(label))),
        body: None,
        effect: Effect::Write,
    };
    match forge.http.send(&request) {
        Err(refused) if refused.class != Class::NotFound => Err(refused
            .while_doing(&format!("cannot take the label `{label}` off pull request #{number}"))
            .into()),
        _ => {
            if let Some(known) = forge.known.borrow_mut().get_mut(&number) {
                known.pull_request.labels.retain(|own| !own.eq_ignore_ascii_case(label));
            }
            Ok(())
        }
    }
}
