//! Where every environment stands, in the few words that pictures and pages need, and how they are drawn. Pure.

mod journey;
mod picture;
mod told;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::journey::{Journey, Stop, StopState, failed_in, is_rolled_back, journey};
pub use self::picture::{Node, around, mermaid, nodes, redrawn};
pub use self::told::{PROGRESS, is_page, told};
use crate::gate::{Board, Kind, Place, Verdict};
use crate::model::{CommitId, CommitStatus, EnvironmentName, EnvironmentReport, Operation, PullRequest};

/// One word for where an environment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It has what the DRY branch says.
    Current,
    /// A newer DRY commit was not hydrated yet.
    Behind,
    /// Its proposal may be merged.
    Ready,
    /// Its proposal has to wait.
    Waiting,
    /// A person closed its proposal.
    Rejected,
    /// It stays where it is.
    Held,
    /// Nothing can be done for it.
    Failed,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Current, Self::Behind, Self::Ready, Self::Waiting, Self::Rejected, Self::Held, Self::Failed];

    /// The word as it stands in the report.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Behind => "behind",
            Self::Ready => "ready",
            Self::Waiting => "waiting",
            Self::Rejected => "rejected",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}

/// Where one environment stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// The environment.
    pub name: EnvironmentName,
    /// The environments that it waits for, by their places.
    pub after: Vec<usize>,
    /// All of it in one word, whatever this run could do for it.
    pub state: State,
    /// Whether this run could do nothing for it.
    pub failed: bool,
    /// The active branch's tip.
    pub active: Option<CommitId>,
    /// The DRY commit that runs.
    pub runs: Option<CommitId>,
    /// T: the newest DRY commit that it has processed.
    pub processed: Option<CommitId>,
    /// What is offered to it.
    pub offer: Option<Offer>,
    /// Why it stays where it is, if it does.
    pub hold: Option<String>,
    /// The DRY commit that it ran before all of it was rolled back.
    pub left: Option<CommitId>,
}

impl Stand {
    /// What this run found, in one word.
    pub const fn found(&self) -> State {
        if self.failed { State::Failed } else { self.state }
    }

    /// Takes over what became of the environment after it was looked at.
    pub fn follow(&mut self, report: &EnvironmentReport) {
        let request = report.pull_request.as_ref();
        if let (Some(offer), Some(request)) = (&mut self.offer, request) {
            offer.request.get_or_insert_with(|| (request.number, request.url.clone()));
        }
        if report.error.is_some() {
            self.failed = true;
        } else if report.operation == Operation::Pushed {
            self.active = report.active_sha;
            self.runs = self.offer.take().and_then(|offer| offer.dry).or(self.runs);
            self.state = State::Current;
        }
    }
}

/// What is offered to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The proposed commit.
    pub head: CommitId,
    /// What is said of it as to previews.
    pub previewed: Option<CommitStatus>,
    /// The DRY commit that it brings.
    pub dry: Option<CommitId>,
    /// Whether it puts back an older state.
    pub is_rollback: bool,
    /// Whether a person closed its pull request.
    pub rejected: bool,
    /// Number and web page of its open pull request.
    pub request: Option<(u64, String)>,
    /// What the gate says.
    pub verdict: Verdict,
}

/// Where the environments of a board stand; for each its verdict, its open pull request and whether it failed.
/// `statuses` are those of the proposed commits.
pub fn stands(
    board: &Board<'_>,
    known: impl Iterator<Item = (Option<Verdict>, Option<PullRequest>, bool)>,
    statuses: &BTreeMap<CommitId, Vec<CommitStatus>>,
) -> Vec<Stand> {
    let known = board.places.iter().zip(known);
    known.map(|(place, known)| stand(board, (place, statuses), known)).collect()
}

fn stand(
    board: &Board<'_>,
    (place, statuses): (&Place<'_>, &BTreeMap<CommitId, Vec<CommitStatus>>),
    (verdict, request, has_failed): (Option<Verdict>, Option<PullRequest>, bool),
) -> Stand {
    let is_open = verdict.as_ref().is_some_and(Verdict::is_open);
    let offer = place.proposal.as_ref().zip(verdict).map(|(proposal, verdict)| Offer {
        head: proposal.head,
        previewed: statuses.get(&proposal.head).and_then(|all| previewed(all)).cloned(),
        dry: proposal.dry,
        is_rollback: proposal.kind == Kind::Rollback,
        rejected: proposal.rejected,
        request: request.map(|request| (request.number, request.url)),
        verdict,
    });
    Stand {
        name: place.environment.name.clone(),
        after: place.after.clone(),
        state: state(place, is_open, false, board.tip),
        failed: has_failed,
        active: place.active.commit,
        runs: place.active.dry,
        processed: place.processed,
        offer,
        hold: place.held.as_ref().map(|held| held.by.clone()),
        left: place.held.as_ref().and_then(|held| held.left),
    }
}

fn previewed(statuses: &[CommitStatus]) -> Option<&CommitStatus> {
    statuses.iter().find(|status| status.context == crate::previewed::STATUS)
}

/// One word for a place, given whether its gate is open.
pub fn state(place: &Place<'_>, is_open: bool, has_failed: bool, tip: CommitId) -> State {
    match &place.proposal {
        _ if has_failed => State::Failed,
        // Of one that is held in part, the rest goes on.
        proposal if place.held.as_ref().is_some_and(|held| held.whole || proposal.is_none()) => State::Held,
        Some(proposal) if proposal.rejected => State::Rejected,
        Some(_) if is_open => State::Ready,
        Some(_) => State::Waiting,
        None if place.processed == Some(tip) => State::Current,
        None => State::Behind,
    }
}
