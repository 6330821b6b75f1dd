//! `hydrator history`: the states of one environment as a report.
//!
//! Does I/O, reads only: the active branch's history as deep as is asked for, and the states' statuses.

use anyhow::Result;
use schemars::JsonSchema;
use serde::Serialize;

use super::changes::{self, OutputChange};
use super::{
    Activations, DEPTHS, Found, Health, History, Previous, Reference, State, difference, resolve, walk,
};
use crate::branch::Content;
use crate::dry::{self, Wanted};
use crate::error::Failure;
use crate::hydrate::{Hold, Intent};
use crate::model::{BranchName, CommitId, Environment, EnvironmentName, HoldReport, Moment};
use crate::world::World;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question {
    /// The environment.
    pub environment: EnvironmentName,
    /// The most states to list.
    pub limit: usize,
    /// The state that one would go back to: what would that change?
    pub difference: Option<Reference>,
    /// Whether the forge is asked since when states were active, where git does not tell.
    pub activations: bool,
}

/// The states of an environment's active branch.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryReport {
    /// The environment.
    pub environment: EnvironmentName,
    /// What the cluster syncs.
    pub active_branch: BranchName,
    /// The states, newest first; the first one is active.
    pub states: Vec<StateReport>,
    /// Whether there are older ones that are not listed.
    pub more: bool,
    /// What going back to the state that was asked for would change; values of Secrets are hidden.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
}

/// One state.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StateReport {
    /// How many states back it is: 0 is active.
    pub number: usize,
    /// What brought it.
    pub kind: StateKind,
    /// Whether `rollback --to previous` means it.
    pub previous: bool,
    /// The commit on the active branch that brought it.
    pub hydrated_sha: CommitId,
    /// The DRY commit whose manifests it has.
    pub dry_sha: Option<CommitId>,
    /// That commit's subject.
    pub subject: String,
    /// That commit's author.
    pub author: String,
    /// When that commit was written, RFC 3339.
    pub dry_date: String,
    /// Since when it was active, RFC 3339: the time of the merge, else of the status `hydrator/active`; none where nobody
    /// knows.
    pub activated_at: Option<String>,
    /// When a rollback, or somebody who moved the branch back by hand, took its place; none where nobody did.
    pub rolled_back_at: Option<String>,
    /// When the state came onto the branch, by the commit's own date, RFC 3339.
    pub date: String,
    /// The pull request that brought it, as far as the commit's message tells.
    pub pull_request: Option<u64>,
    /// What it holds back.
    pub hold: Option<HoldReport>,
    /// Whether every status that the environment's gates name was successful; unknown where they name none.
    pub healthy: Option<bool>,
    /// What it changed, compared with the state before.
    pub changes: Vec<OutputChange>,
}

/// What brought a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StateKind {
    /// A proposal that was merged.
    Promotion,
    /// A rollback.
    Rollback,
    /// A resume.
    Resume,
    /// Somebody's own edit of the manifests.
    Edit,
    /// Somebody put back an older state without hydrator.
    Revert,
}

/// Lists the states of an environment.
pub fn list(world: &World, question: &Question) -> Result<HistoryReport> {
    let scratch = &world.repository.scratch;
    let refs = scratch.look()?;
    let dry = dry::load(scratch, &refs, Wanted::Tip, &world.config)?;
    let selected = crate::run::select(&dry.loaded.project, std::slice::from_ref(&question.environment))?;
    let Some(environment) = selected.first() else {
        return Err(Failure::usage("no environment was named").into());
    };
    let Some(tip) = refs.branch(&environment.active) else {
        let failure = Failure::usage(format!(
            "environment `{}` has no history: there is no branch `{}`",
            environment.name, environment.active
        ));
        return Err(failure.hint("`hydrator run` makes it").into());
    };
    let history = deep_enough(world, environment, tip, question)?;
    report(world, environment, &history, question)
}

/// The history as deep as the question needs.
fn deep_enough(
    world: &World,
    environment: &Environment,
    tip: CommitId,
    question: &Question,
) -> Result<History> {
    let scratch = &world.repository.scratch;
    let mut history = History::default();
    for depth in DEPTHS {
        history = walk(scratch, tip, depth)?;
        let knows_previous = history.previous(&[]) != Previous::Deeper;
        let knows_other = match &question.difference {
            Some(reference) => found(world, environment, &history, reference)? != Some(Found::Deeper),
            None => true,
        };
        if history.complete || (history.states.len() > question.limit && knows_previous && knows_other) {
            break;
        }
    }
    Ok(history)
}

/// The state that is meant; nothing where "previous" was asked for and there is none: then the list says so.
fn found(
    world: &World,
    environment: &Environment,
    history: &History,
    reference: &Reference,
) -> Result<Option<Found>> {
    if *reference == Reference::Previous && history.previous(&[]) == Previous::None {
        return Ok(None);
    }
    let asks_health = *reference == Reference::LastHealthy;
    let health = Health::of(world.forge.as_ref(), environment, history, asks_health)?;
    let is_healthy = |state: &State| health.of_state(state) == Some(true);
    Ok(Some(resolve(history, &environment.name, reference, &[], &is_healthy)?))
}

fn report(
    world: &World,
    environment: &Environment,
    history: &History,
    question: &Question,
) -> Result<HistoryReport> {
    let scratch = &world.repository.scratch;
    let nothing = Content::new();
    let listed = history.states.len().min(question.limit);
    let older = |index: usize| history.states.get(index + 1).map_or(&nothing, |state| &state.tip.content);
    let shown = || history.states.iter().take(listed).enumerate();
    let mut pairs: Vec<(&Content, &Content)> =
        shown().map(|(index, state)| (older(index), &state.tip.content)).collect();
    let target = match &question.difference {
        Some(reference) => match found(world, environment, history, reference)? {
            Some(Found::State(index)) => history.states.get(index),
            Some(Found::Deeper) | None => None,
        },
        None => None,
    };
    let now = history.states.first().map_or(&nothing, |state| &state.tip.content);
    pairs.extend(target.map(|target| (now, &target.tip.content)));
    changes::fetch(scratch, &pairs)?;
    let objects = scratch.objects();
    let health = Health::of(world.forge.as_ref(), environment, history, true)?;
    let asked: Vec<&State> = shown().map(|(_, state)| state).filter(|_| question.activations).collect();
    let activations = Activations::of(world.forge.as_ref(), environment, &asked)?;
    let previous = history.previous(&[]);
    let mut states = Vec::new();
    for (number, state) in shown() {
        let mut one = state_report(history, number, state);
        one.previous = previous == Previous::State(number);
        one.activated_at = activations.of_state(state).map(Moment::rfc3339);
        one.rolled_back_at = rolled_back(history, number)
            .map(|back| activations.of_state(back).unwrap_or(back.tip.commit.committed).rfc3339());
        one.healthy = health.of_state(state);
        one.changes = changes::count(objects, older(number), &state.tip.content)?;
        states.push(one);
    }
    Ok(HistoryReport {
        environment: environment.name.clone(),
        active_branch: environment.active.clone(),
        states,
        more: !history.complete || history.states.len() > listed,
        difference: target.map(|target| difference(objects, now, &target.tip.content)).transpose()?,
    })
}

fn state_report(history: &History, number: usize, state: &State) -> StateReport {
    let tip = &state.tip;
    let metadata = tip.metadata.clone().unwrap_or_default();
    StateReport {
        number,
        kind: kind(history, number, state),
        previous: false,
        hydrated_sha: tip.commit.id,
        dry_sha: tip.dry_sha(),
        subject: metadata.subject.lines().next().unwrap_or_default().to_owned(),
        author: metadata.author,
        dry_date: metadata.date,
        activated_at: None,
        rolled_back_at: None,
        date: tip.commit.committed.rfc3339(),
        pull_request: pull_request(&tip.commit.message),
        hold: metadata.hold.as_ref().map(Hold::report),
        healthy: None,
        changes: Vec::new(),
    }
}

/// What took the place of the state with this number by going back to an older one.
pub fn rolled_back(history: &History, number: usize) -> Option<&State> {
    let next = number.checked_sub(1)?;
    let goes_back =
        matches!(kind(history, next, &history.states[next]), StateKind::Rollback | StateKind::Revert);
    goes_back.then(|| &history.states[next])
}

/// What brought the state with this number.
pub fn kind(history: &History, number: usize, state: &State) -> StateKind {
    let same =
        |older: &State| older.tip.content == state.tip.content && older.tip.metadata == state.tip.metadata;
    if !state.tip.intact {
        return StateKind::Edit;
    }
    // What somebody put back says the very same as when hydrator wrote it.
    if !state.ours && history.states.iter().skip(number + 1).any(same) {
        return StateKind::Revert;
    }
    match state.tip.intent() {
        Some(Intent::Rollback) => StateKind::Rollback,
        Some(Intent::Resume) => StateKind::Resume,
        None => StateKind::Promotion,
    }
}

/// The number in what forges write into merges: `Merge pull request #12 from …`, `Subject (#12)`, and GitLab's
/// `See merge request group/project!12`.
fn pull_request(message: &str) -> Option<u64> {
    let number = |text: &str| -> Option<u64> {
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().ok()
    };
    let first = message.lines().next().unwrap_or_default();
    let merged = first.strip_prefix("Merge pull request #").and_then(number);
    let squashed = || {
        first.strip_suffix(')').and_then(|first| first.rsplit_once("(#")).and_then(|(_, rest)| number(rest))
    };
    let on_gitlab = || {
        let line = message.lines().find(|line| line.starts_with("See merge request "))?;
        line.rsplit_once('!').and_then(|(_, rest)| number(rest))
    };
    merged.or_else(squashed).or_else(on_gitlab)
}

#[cfg(test)]
mod tests {
    use super::pull_request;

    #[test]
    fn merges_of_every_forge_tell_their_number() {
        assert_eq!(pull_request("Merge pull request #12 from a/b\n\nx"), Some(12));
        assert_eq!(pull_request("Promote 1234567 to prod (#7)\n\nx"), Some(7));
        assert_eq!(
            pull_request("Merge branch 'a' into 'b'\n\nPromote\n\nSee merge request g/p!345"),
            Some(345)
        );
        for none in ["1234567: web (see #5)", "Merge pull request #x", "(#)", ""] {
            assert_eq!(pull_request(none), None, "{none}");
        }
    }
}
