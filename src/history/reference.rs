//! What a person may call a state: `previous`, a number of states back, a hydrated commit, a DRY commit. Pure.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::{History, Previous, State};
use crate::error::Failure;
use crate::model::{CommitId, EnvironmentName};

/// The fewest digits of a short id; fewer digits are a number of states.
const SHORTEST_ID: usize = 4;

/// A state as a person names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reference {
    /// The newest older one with other manifests.
    #[default]
    Previous,
    /// The newest older one whose statuses were all successful.
    LastHealthy,
    /// This many states back, as `history` counts them.
    Back(usize),
    /// The beginning of a hydrated or a DRY commit's id, in lower case.
    Id(String),
}

impl FromStr for Reference {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().to_lowercase();
        match text.as_str() {
            "previous" => return Ok(Self::Previous),
            "last-healthy" => return Ok(Self::LastHealthy),
            _ => {}
        }
        let digits = |is: fn(&u8) -> bool| !text.is_empty() && text.bytes().all(|byte| is(&byte));
        if text.len() < SHORTEST_ID && digits(u8::is_ascii_digit) {
            return text.parse().map(Self::Back).map_err(|_| "it is no number".to_owned());
        }
        if (SHORTEST_ID..=40).contains(&text.len()) && digits(u8::is_ascii_hexdigit) {
            return Ok(Self::Id(text));
        }
        Err("a state is `previous`, `last-healthy`, a number of states back (up to 999), or at least four digits of a \
             hydrated or a DRY commit's id"
            .to_owned())
    }
}

/// What came of looking for a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// It is the one with this index.
    State(usize),
    /// Older states have to be known to tell.
    Deeper,
}

/// Finds the state that is meant; `outputs` are the targets that it is about, none means the whole environment.
/// `healthy` tells of each state whether its statuses were all successful.
pub fn resolve(
    history: &History,
    environment: &EnvironmentName,
    reference: &Reference,
    outputs: &[String],
    healthy: &dyn Fn(&State) -> bool,
) -> Result<Found, Failure> {
    let nothing = |message: String| {
        Err(Failure::usage(message)
            .hint(format!("`hydrator history --environment {environment}` lists what there is")))
    };
    match reference {
        Reference::Previous => match history.previous(outputs) {
            Previous::State(index) => Ok(Found::State(index)),
            Previous::Deeper => Ok(Found::Deeper),
            Previous::None => {
                let of = if outputs.is_empty() { "environment" } else { "the target in environment" };
                nothing(format!(
                    "there is no older state to roll back to: {of} `{environment}` had no other manifests before"
                ))
            }
        },
        Reference::LastHealthy => {
            let now = history.states.first();
            let other = |state: &&State| now.is_some_and(|now| now.view(outputs) != state.view(outputs));
            let found = history.states.iter().skip(1).position(|state| other(&state) && healthy(state));
            match found {
                Some(index) => Ok(Found::State(index + 1)),
                None if !history.complete => Ok(Found::Deeper),
                None => nothing(format!(
                    "no older state of environment `{environment}` had all its statuses successful"
                )),
            }
        }
        Reference::Back(back) if *back < history.states.len() => Ok(Found::State(*back)),
        Reference::Back(_) if !history.complete => Ok(Found::Deeper),
        Reference::Back(back) => {
            let older = history.states.len().saturating_sub(1);
            nothing(format!(
                "environment `{environment}` cannot go {back} states back: it has {older} older ones"
            ))
        }
        Reference::Id(digits) => by_id(history, environment, digits),
    }
}

fn by_id(history: &History, environment: &EnvironmentName, digits: &str) -> Result<Found, Failure> {
    let starts = |id: &CommitId| id.to_string().starts_with(digits);
    let states = || history.states.iter().enumerate();
    let names = |state: &State| starts(&state.tip.commit.id) || state.also.iter().any(starts);
    let hydrated: Vec<usize> = states().filter(|(_, state)| names(state)).map(|(index, _)| index).collect();
    let dry: BTreeSet<CommitId> =
        states().filter_map(|(_, state)| state.tip.dry_sha()).filter(starts).collect();
    match (hydrated.as_slice(), dry.len()) {
        ([one], 0) => Ok(Found::State(*one)),
        ([], 1) => {
            let has = |state: &State| state.tip.dry_sha().is_some_and(|dry_sha| dry.contains(&dry_sha));
            let plain = |state: &State| has(state) && state.tip.hold().is_none();
            let newest =
                history.states.iter().position(plain).or_else(|| history.states.iter().position(has));
            Ok(newest.map_or(Found::Deeper, Found::State))
        }
        ([], 0) if !history.complete => Ok(Found::Deeper),
        ([], 0) => Err(Failure::usage(format!(
            "`{digits}` is no state of environment `{environment}`: neither a commit of its \
                                               active branch, nor a DRY commit that was active there"
        ))
        .hint(format!("`hydrator history --environment {environment}` lists what there is"))),
        _ => {
            let own = hydrated
                .iter()
                .filter_map(|index| history.states.get(*index))
                .map(|state| state.tip.commit.id);
            let ids: Vec<String> = own.chain(dry.iter().copied()).map(|id| format!("`{id}`")).collect();
            Err(Failure::usage(format!(
                "`{digits}` is ambiguous in environment `{environment}`: it begins {}",
                ids.join(", ")
            ))
            .hint("give more digits"))
        }
    }
}
