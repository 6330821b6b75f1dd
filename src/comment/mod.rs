//! `hydrator comment`: what somebody asks for in a comment on a pull request, done or refused.
//!
//! Does I/O through the forge, and through the commands that do the work. Who may ask is what the forge says of the
//! commenter's permission, never what the event says; what is done is done to what the commenter could see.

mod holds;
mod unseen;
mod visible;
mod words;

use anyhow::Result;
use jiff::Timestamp;

pub use self::words::{USAGE, Verb, Wish, wish};
use crate::dry::{self, Wanted};
use crate::error::{Failure, FailureKind, message_of};
use crate::escape::{code, cut, neutralise_quick_actions, prose};
use crate::forge::{Permission, PullRequestLook, Reaction, Written};
use crate::gate::HOLD_LABEL;
use crate::model::{CommitId, Environment, EnvironmentReport, Operation, PullRequest, RunReport};
use crate::plan::Permissions;
use crate::progress::Progress;
use crate::promotion::{self, PromoteRequest};
use crate::rollback;
use crate::run::RunRequest;
use crate::world::World;

const ANSWER_LIMIT: usize = 2_000;

/// A comment, as the event tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The pull request that it is on.
    pub number: u64,
    /// Its id.
    pub id: u64,
    /// Who wrote it.
    pub author: String,
    /// Its text.
    pub body: String,
    /// When it was written, by the forge's clock.
    pub at: Timestamp,
}

impl Asked {
    /// A comment as the forge keeps it, where nobody vouches for the event; nothing where no person wrote it, or it is gone.
    pub fn of_forge(world: &World, number: u64, id: u64) -> Result<Option<Self>> {
        let kept = world.forge.written(number, id)?;
        Ok(kept.map(|Written { author, body, at }| Self { number, id, author, body, at }))
    }
}

/// What came of a comment.
#[derive(Debug)]
pub enum Answer {
    /// It asks for nothing, or was acted on before.
    Nothing,
    /// It was done; what there is to say of it, if anything, and the report of the command.
    Done(Option<String>, Option<RunReport>),
    /// It was not done, and why.
    Refused(String),
}

/// Does what a comment asks for, and tells the commenter: by a reaction, and in words where it is refused.
pub fn act(world: &World, asked: &Asked, progress: &dyn Progress) -> Result<Answer> {
    let Some(wish) = wish(&asked.body) else { return Ok(Answer::Nothing) };
    let forge = world.forge.as_ref();
    if forge.permission(&asked.author)? < Permission::Write {
        return refuse(world, asked, "this takes the permission to write to the repository");
    }
    // The mark that it was read: a job that runs again does nothing twice. A mark whose answer was lost counts as our own:
    // each wish can be done twice without harm, and one that nobody does is worse.
    if !forge.react(asked.number, asked.id, Reaction::Seen)? {
        let is_answered = forge.is_answered(asked.number, asked.id)?;
        return if is_answered { Ok(Answer::Nothing) } else { Err(left_undone().into()) };
    }
    let wish = match wish {
        Ok(wish) => wish,
        Err(problem) => return refuse(world, asked, &problem),
    };
    match fulfil(world, asked, &wish, progress) {
        Ok(Ok((words, report))) => {
            forge.react(asked.number, asked.id, Reaction::Done)?;
            if let Some(words) = &words {
                forge.say(asked.number, &answer(words))?;
            }
            Ok(Answer::Done(words, report))
        }
        Ok(Err(refused)) => refuse(world, asked, &refused),
        Err(error) => {
            // The job fails with it, too; whoever asked reads it where they asked.
            refuse(world, asked, &message_of(&error))?;
            Err(error)
        }
    }
}

/// The error where a job was broken off after its mark. Nobody knows how far it got, or whether it is at it: so this one
/// does not begin as well.
fn left_undone() -> Failure {
    Failure::new(
        FailureKind::Unexpected,
        "an earlier job began with this comment, and did not say what came of it",
    )
    .hint("unless that job still runs, see how far it got, and ask for it in a new comment: write it again")
}

fn refuse(world: &World, asked: &Asked, why: &str) -> Result<Answer> {
    let forge = world.forge.as_ref();
    // Said once, however often the job runs.
    if forge.react(asked.number, asked.id, Reaction::Refused)? {
        forge.say(asked.number, &answer(&format!("Not done: {}", prose(why))))?;
    }
    Ok(Answer::Refused(why.to_owned()))
}

/// An answer never asks for anything itself.
fn answer(words: &str) -> String {
    neutralise_quick_actions(&cut(words, ANSWER_LIMIT))
}

/// What was done, or why it is refused.
type Fulfilled = std::result::Result<(Option<String>, Option<RunReport>), String>;

fn fulfil(world: &World, asked: &Asked, wish: &Wish, progress: &dyn Progress) -> Result<Fulfilled> {
    let scratch = &world.repository.scratch;
    let refs = scratch.look()?;
    let dry = dry::load(scratch, &refs, Wanted::Tip, &world.config)?;
    let project = &dry.loaded.project;
    let Some(environment) = project.environment(&wish.environment) else {
        let known: Vec<&str> = project.environments.iter().map(|one| one.name.as_str()).collect();
        let name = &wish.environment;
        return Ok(Err(format!("there is no environment {name}; there are {}", known.join(", "))));
    };
    let newest = world.forge.newest_pull_request(&environment.proposed, &environment.active)?;
    let open = newest.clone().filter(|one| one.state == crate::model::PullRequestState::Open);
    match &wish.verb {
        Verb::Promote => promote(world, asked, (environment, open.as_ref()), progress),
        Verb::Hold => hold(world, asked, (environment, open.as_ref()), progress),
        Verb::Resume => {
            if let Some(why) = holds::newer(world.forge.as_ref(), asked, (environment, open.as_ref()))? {
                return Ok(Err(why));
            }
            match open.as_ref().filter(|open| open.has_label(HOLD_LABEL)) {
                Some(open) => take_off(world, asked, (environment, open), progress),
                None => match unseen::news(world, asked.at, (environment, newest.as_ref()), &refs)? {
                    Some(why) => Ok(Err(why)),
                    None => resume(world, environment, progress),
                },
            }
        }
        Verb::Rollback(to) => {
            if let Some(why) = unseen::news(world, asked.at, (environment, newest.as_ref()), &refs)? {
                return Ok(Err(why));
            }
            let request = rollback::Request {
                environments: vec![environment.name.clone()],
                all_after: None,
                to: to.clone(),
                targets: Vec::new(),
                actor: asked.author.clone(),
                reason: format!("asked for in a comment on #{}", asked.number),
                now: asked.at,
                hold: true,
                let_pass: false,
                push: false,
                dry_run: false,
                revert_dry: false,
                permissions: Permissions::default(),
            };
            let report = rollback::rollback(world, &request)?.report;
            Ok(told(environment, report))
        }
    }
}

/// What is merged is the head that was there when the comment was written.
fn promote(
    world: &World,
    asked: &Asked,
    (environment, open): (&Environment, Option<&PullRequest>),
    progress: &dyn Progress,
) -> Result<Fulfilled> {
    let name = &environment.name;
    let Some(open) = open else { return Ok(Err(format!("{name} has no open pull request"))) };
    let head = match unseen::head(world.forge.as_ref(), asked.at, (environment, open.number))? {
        Ok(head) => head,
        Err(why) => return Ok(Err(why)),
    };
    let report = promoted(world, vec![(name.clone(), head)], progress)?;
    let Some(own) = own(environment, &report) else { return Ok(Err(format!("nothing came of {name}"))) };
    if matches!(own.operation, Operation::Merged | Operation::Pushed) {
        return Ok(Ok((None, Some(report))));
    }
    if own.note.as_deref() == Some(promotion::LEFT_TO_THE_FORGE) {
        let words = format!("Not merged yet: {}.", promotion::LEFT_TO_THE_FORGE);
        return Ok(Ok((Some(words), Some(report))));
    }
    let gate = own.promotion.as_ref().map(|gate| gate.description.clone());
    let error = own.error.as_ref().map(|error| error.message.clone());
    // An open gate says nothing: then it is the forge that waits.
    let is_open = own.promotion.as_ref().is_some_and(|gate| gate.state == "success");
    let why = error.or_else(|| own.note.clone()).or_else(|| gate.filter(|_| !is_open));
    Ok(Err(why.unwrap_or_else(|| format!("{name} is not merged yet"))))
}

/// The safe direction: whatever is offered, and whenever it came.
fn hold(
    world: &World,
    asked: &Asked,
    (environment, open): (&Environment, Option<&PullRequest>),
    progress: &dyn Progress,
) -> Result<Fulfilled> {
    let Some(open) = open else {
        return Ok(Err(format!("{} has no open pull request that could be held", environment.name)));
    };
    holds::tell(world.forge.as_ref(), asked, (environment, open))?;
    put_on(world, open)?;
    let report = promoted(world, Vec::new(), progress)?;
    Ok(Ok((None, Some(report))))
}

fn put_on(world: &World, open: &PullRequest) -> Result<()> {
    let look = PullRequestLook {
        title: open.title.clone(),
        body: open.body.clone(),
        labels: vec![HOLD_LABEL.to_owned()],
        ..PullRequestLook::default()
    };
    world.forge.update(open.number, &look).map(drop)
}

/// The label goes, for the head that was there when the comment was written and unless somebody held it again since. What
/// came while the label went brings it back.
fn take_off(
    world: &World,
    asked: &Asked,
    (environment, open): (&Environment, &PullRequest),
    progress: &dyn Progress,
) -> Result<Fulfilled> {
    let forge = world.forge.as_ref();
    if let Err(why) = unseen::head(forge, asked.at, (environment, open.number))? {
        return Ok(Err(why));
    }
    forge.remove_label(open.number, HOLD_LABEL)?;
    let news = || -> Result<Option<String>> {
        let newer = holds::newer(forge, asked, (environment, Some(open)))?;
        Ok(newer.or(unseen::head(forge, asked.at, (environment, open.number))?.err()))
    };
    let late = news();
    if !matches!(late, Ok(None)) {
        put_on(world, open)?;
    }
    if let Some(why) = late? {
        return Ok(Err(why));
    }
    let report = promoted(world, Vec::new(), progress)?;
    Ok(Ok((None, Some(report))))
}

/// What a rollback or a hand edit holds is proposed again.
fn resume(world: &World, environment: &Environment, progress: &dyn Progress) -> Result<Fulfilled> {
    let request = RunRequest {
        environments: vec![environment.name.clone()],
        permissions: Permissions { resume: true, ..Permissions::default() },
        ..RunRequest::default()
    };
    let report = crate::run::run(world, &request, progress)?;
    Ok(told(environment, report))
}

fn promoted(
    world: &World,
    approved: Vec<(crate::model::EnvironmentName, CommitId)>,
    progress: &dyn Progress,
) -> Result<RunReport> {
    let request = PromoteRequest { approved, ..PromoteRequest::default() };
    promotion::promote(world, &request, &|line| progress.say(line))
}

/// What a command came to for the environment, in words.
fn told(environment: &Environment, report: RunReport) -> Fulfilled {
    let Some(own) = own(environment, &report) else { return Err("nothing came of it".to_owned()) };
    if let Some(error) = &own.error {
        return Err(error.message.clone());
    }
    match (&own.pull_request, own.operation) {
        (_, Operation::None) => Err(own.note.clone().unwrap_or_else(|| "there is nothing to do".to_owned())),
        (Some(request), _) => {
            // Its address: forges have signs of their own for numbers, and show either as a link.
            let words = format!("See {} for {}.", request.url, code(environment.name.as_str()));
            Ok((Some(words), Some(report)))
        }
        _ => Ok((None, Some(report))),
    }
}

fn own<'a>(environment: &Environment, report: &'a RunReport) -> Option<&'a EnvironmentReport> {
    report.environments.iter().find(|own| own.name == environment.name)
}

/// The error where there is no comment to act on.
pub fn no_comment(event: &str) -> Failure {
    Failure::usage(format!("`hydrator comment` acts on comments, and this job was started by `{event}`"))
        .hint("start it for `issue_comment` with the type `created`; on GitLab, by a webhook for comments that triggers a pipeline")
}
