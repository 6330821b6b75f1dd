//! The gate: may an environment's proposal be merged, and if not, what does it wait for? Pure.
//!
//! A [`Board`] says where every environment stands; [`Board::verdict`] is the rule. It knows the time only as a value,
//! and what it says never counts time: the same wait has the same words until it is over.

mod finish;
mod judge;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff::Timestamp;

pub use self::finish::finishing;
pub use self::words::DESCRIPTION_LIMIT;
use crate::model::{BranchName, CommitId, CommitState, CommitStatus, Environment, PromotionReport};

/// The status on a proposed commit that says what the gate says.
pub const PROMOTION: &str = "hydrator/promotion";

/// The status on an active commit whose age is how long the environment has been at it.
pub const ACTIVE: &str = "hydrator/active";

/// The label on a pull request that keeps it from being merged.
pub const HOLD_LABEL: &str = "hold";

/// The label on a pull request that lets newer DRY commits replace it, with `contention: finish`.
pub const REPLACE_LABEL: &str = "replace";

/// What somebody who edits an active branch by hand holds an environment by.
pub const HAND_EDIT: &str = "a hand edit";

/// What runs in an environment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Active {
    /// The active branch's tip.
    pub commit: Option<CommitId>,
    /// The DRY commit that it was hydrated from; `None` where nothing was merged yet.
    pub dry: Option<CommitId>,
    /// Whether somebody edited it since: then it runs what no DRY commit says, also where something that undoes it is
    /// offered.
    pub edited: bool,
    /// Since when, by the forge's clock; asked only where the environment soaks.
    pub since: Option<Timestamp>,
    /// What was said about the commit; asked only where somebody waits for it.
    pub statuses: Vec<CommitStatus>,
}

/// What kind of proposal waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// It brings a newer DRY commit, or ends a hold.
    #[default]
    Ordinary,
    /// It ends a hold: an ordinary one that a held environment takes.
    Resume,
    /// It puts back an older state, and waits for nobody.
    Rollback,
}

/// What is offered to an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The proposed branch's tip.
    pub head: CommitId,
    /// The DRY commit that it was hydrated from. Unlike T it does not move with commits that change nothing here, and
    /// so it is what people are told.
    pub dry: Option<CommitId>,
    /// What kind it is.
    pub kind: Kind,
    /// Whether a person closed its pull request.
    pub rejected: bool,
    /// Whether its pull request has the label `hold`.
    pub labelled_hold: bool,
}

/// Why an environment stays where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// `rollback`, or [`HAND_EDIT`].
    pub by: String,
    /// Whether all of it is held; else only some of its targets, and the others go on.
    pub whole: bool,
    /// Whether later environments may pass it.
    pub lets_pass: bool,
    /// The DRY commit that it ran before all of it was rolled back.
    pub left: Option<CommitId>,
}

/// Where one environment stands.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// The environments that it waits for, by their places.
    pub after: Vec<usize>,
    /// What runs there.
    pub active: Active,
    /// T: the newest DRY commit that it has processed.
    pub processed: Option<CommitId>,
    /// What is offered to it and differs from what runs.
    pub proposal: Option<Proposal>,
    /// Why it stays where it is, if it does.
    pub held: Option<Held>,
}

impl Place<'_> {
    /// Whether later environments wait for those before this one in its stead: all of it was rolled back, and whoever did
    /// that lets others pass. It takes no newer DRY commit until it is resumed.
    fn steps_aside(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.whole && held.lets_pass)
    }
}

/// Answers whether the first commit is an ancestor of the second one, or the second one itself.
pub type IsAncestor<'a> = dyn Fn(CommitId, CommitId) -> Result<bool> + 'a;

/// Where all environments stand at one moment.
pub struct Board<'a> {
    /// In the configuration's order.
    pub places: Vec<Place<'a>>,
    /// The DRY branch's tip.
    pub tip: CommitId,
    /// The moment.
    pub now: Timestamp,
    /// The DRY branch's history; asked only where an environment is not at the tip.
    pub is_ancestor: &'a IsAncestor<'a>,
}

/// What the gate says of a proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may be merged.
    Open,
    /// It has to wait; for what, in one line.
    Waits(String),
}

impl Verdict {
    /// Whether it may be merged.
    pub fn is_open(&self) -> bool {
        *self == Self::Open
    }

    /// One line for people.
    pub fn description(&self) -> &str {
        match self {
            Self::Open => "may be merged",
            Self::Waits(what) => what,
        }
    }

    /// The same for reports.
    pub fn report(&self) -> PromotionReport {
        PromotionReport {
            state: self.status().state.word().to_owned(),
            description: self.description().to_owned(),
        }
    }

    /// The status that says so.
    pub fn status(&self) -> CommitStatus {
        CommitStatus {
            context: PROMOTION.to_owned(),
            state: if self.is_open() { CommitState::Success } else { CommitState::Pending },
            description: self.description().to_owned(),
            created_at: None,
        }
    }
}

impl Board<'_> {
    /// What runs in the environments, is offered to them, and ran before they were rolled back.
    pub fn dry_commits(&self) -> BTreeSet<CommitId> {
        let offered = |place: &Place<'_>| place.proposal.as_ref().and_then(|proposal| proposal.dry);
        let left = |place: &Place<'_>| place.held.as_ref().and_then(|held| held.left);
        self.places
            .iter()
            .flat_map(|place| [place.active.dry, offered(place), left(place)])
            .flatten()
            .collect()
    }

    /// The branches of what is active and of what is offered.
    pub fn branches(&self) -> BTreeMap<CommitId, BranchName> {
        let offered = self
            .places
            .iter()
            .filter_map(|place| Some((place.proposal.as_ref()?.head, place.environment.proposed.clone())));
        let active = self
            .places
            .iter()
            .filter_map(|place| Some((place.active.commit?, place.environment.active.clone())));
        offered.chain(active).collect()
    }

    /// Everything before an environment, in no particular order.
    pub fn before(&self, at: usize) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open = self.places[at].after.clone();
        while let Some(next) = open.pop() {
            if found.insert(next) {
                open.extend(&self.places[next].after);
            }
        }
        found
    }
}
