//! The rule: what stands between a proposal and its merge. Pure.

use std::collections::BTreeSet;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};

use super::words::{end, line, moment};
use super::{Board, Kind, Place, Proposal, Verdict};
use crate::config::{FrozenTime, Window};
use crate::model::{CommitId, CommitState};

/// A walk through everything before an environment.
#[derive(Default)]
struct Walk {
    /// Where it has been.
    seen: BTreeSet<usize>,
    /// Those that have what is waited for, or nothing to do with it: their statuses and their time decide.
    decisive: BTreeSet<usize>,
    /// What stands in the way.
    waits: Vec<String>,
}

/// How a predecessor stands to a DRY commit.
enum Position {
    /// It runs that one.
    There,
    /// That one changed nothing there.
    Untouched,
    /// Neither; what it has instead.
    Elsewhere(String),
}

impl Board<'_> {
    /// What the gate says of the proposal of the environment at this place; `None` where nothing is proposed.
    pub fn verdict(&self, at: usize) -> Result<Option<Verdict>> {
        let place = &self.places[at];
        let Some(proposal) = &place.proposal else { return Ok(None) };
        let mut waits = Vec::new();
        if proposal.labelled_hold {
            waits.push(format!("held by the label `{}`", super::HOLD_LABEL));
        }
        if proposal.kind != Kind::Rollback {
            waits.extend(own_hold(place, proposal));
            waits.extend(self.waits_for_others(at)?);
            waits.extend(frozen(place, self.now));
            waits.extend(window(place, self.now));
        }
        Ok(Some(if waits.is_empty() { Verdict::Open } else { Verdict::Waits(line(&waits)) }))
    }

    fn waits_for_others(&self, at: usize) -> Result<Vec<String>> {
        let name = &self.places[at].environment.name;
        let Some(wanted) = self.places[at].processed else {
            return Ok(vec![format!("{name} has not processed {} yet", self.tip.short())]);
        };
        let mut walk = Walk { waits: self.overtaken(at, wanted)?.into_iter().collect(), ..Walk::default() };
        self.predecessors(at, wanted, &mut walk);
        Ok(walk.waits)
    }

    /// The environments that decide about something that waits by their statuses, and by how long they have been where
    /// they are.
    pub fn decisive(&self) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        for (at, place) in self.places.iter().enumerate() {
            let waits = place.proposal.as_ref().is_some_and(|proposal| proposal.kind != Kind::Rollback);
            let Some(wanted) = place.processed.filter(|_| waits) else { continue };
            let mut walk = Walk::default();
            self.predecessors(at, wanted, &mut walk);
            found.extend(walk.decisive);
        }
        found
    }

    /// Conditions a to d for everything before `at`; where a DRY commit changed nothing, one looks through, and past what
    /// was rolled back and lets others pass.
    fn predecessors(&self, at: usize, wanted: CommitId, walk: &mut Walk) {
        for before in &self.places[at].after {
            if !walk.seen.insert(*before) {
                continue;
            }
            let place = &self.places[*before];
            let name = &place.environment.name;
            if place.steps_aside() {
                self.predecessors(*before, wanted, walk);
                continue;
            }
            if let Some(held) = place.held.as_ref().filter(|held| !held.lets_pass) {
                walk.waits.push(format!("held by {} of {name}", held.by));
                continue;
            }
            let position = self.position(place, wanted);
            if let Position::Elsewhere(what) = position {
                walk.waits.push(what);
                continue;
            }
            if place.active.edited {
                walk.waits.push(format!("held by {} of {name}", super::HAND_EDIT));
                continue;
            }
            walk.decisive.insert(*before);
            walk.waits.extend(unhealthy(place));
            walk.waits.extend(soaking(place, self.now));
            if matches!(position, Position::Untouched) {
                self.predecessors(*before, wanted, walk);
            }
        }
    }

    fn position(&self, place: &Place<'_>, wanted: CommitId) -> Position {
        let name = &place.environment.name;
        let runs = place.active.dry;
        let is_there = runs == Some(wanted);
        let has_processed = place.processed == Some(wanted);
        match &place.proposal {
            _ if runs.is_none() => {
                let proposal = place.proposal.as_ref().filter(|_| has_processed);
                let offered = proposal.and_then(|proposal| proposal.dry).unwrap_or(wanted);
                Position::Elsewhere(format!("{name} runs nothing yet, waits for {}", offered.short()))
            }
            Some(proposal) if has_processed => {
                let offered = proposal.dry.unwrap_or(wanted);
                Position::Elsewhere(pending(place, proposal, is_there, offered))
            }
            _ if is_there => Position::There,
            None if has_processed => Position::Untouched,
            _ if wanted != self.tip && place.processed == Some(self.tip) => {
                Position::Elsewhere(format!("{name} is past {} already", wanted.short()))
            }
            _ => Position::Elsewhere(behind(place, wanted)),
        }
    }

    /// An environment is not moved to an older DRY commit than what a later one runs.
    fn overtaken(&self, at: usize, wanted: CommitId) -> Result<Option<String>> {
        if wanted == self.tip {
            return Ok(None);
        }
        for (index, later) in self.places.iter().enumerate() {
            let Some(runs) = later.active.dry.filter(|runs| *runs != wanted) else { continue };
            if !self.before(index).contains(&at) {
                continue;
            }
            // What a forced push took off the DRY branch is not newer than anything.
            let is_newer = (self.is_ancestor)(runs, self.tip)? && (self.is_ancestor)(wanted, runs)?;
            if is_newer {
                let name = &later.environment.name;
                return Ok(Some(format!("{name} runs {}, which is newer", runs.short())));
            }
        }
        Ok(None)
    }
}

fn own_hold(place: &Place<'_>, proposal: &Proposal) -> Option<String> {
    let held = place.held.as_ref().filter(|held| held.whole && proposal.kind != Kind::Resume)?;
    Some(format!("held by {}", held.by))
}

fn behind(place: &Place<'_>, wanted: CommitId) -> String {
    let runs = place.active.dry.map_or_else(|| "nothing".to_owned(), |runs| runs.short());
    format!("{} runs {runs}, waits for {}", place.environment.name, wanted.short())
}

fn pending(place: &Place<'_>, proposal: &Proposal, is_there: bool, offered: CommitId) -> String {
    let name = &place.environment.name;
    if proposal.rejected {
        return format!("{name}: a person closed the proposal of {}", offered.short());
    }
    if is_there {
        return format!("{name} has another proposal of {}", offered.short());
    }
    behind(place, offered)
}

/// Condition b: the statuses that later environments ask for.
fn unhealthy(place: &Place<'_>) -> Vec<String> {
    let name = &place.environment.name;
    let said = |context: &String| {
        let status = place.active.statuses.iter().find(|status| status.context == *context);
        match status.map(|status| status.state) {
            Some(CommitState::Success) => None,
            Some(CommitState::Pending) => Some(format!("{name}: {context} is pending")),
            Some(CommitState::Failure | CommitState::Error) => Some(format!("{name}: {context} failed")),
            None => Some(format!("{name}: {context} is missing")),
        }
    };
    place.environment.gates.statuses.iter().filter_map(said).collect()
}

/// Condition c: it has been active for a while.
fn soaking(place: &Place<'_>, now: Timestamp) -> Option<String> {
    let seconds = i64::try_from(place.environment.gates.soak_seconds).unwrap_or(i64::MAX);
    if seconds == 0 {
        return None;
    }
    let name = &place.environment.name;
    let Some(since) = place.active.since else { return Some(format!("soaking in {name}")) };
    // A soak beyond the end of time never ends.
    let Ok(over) = since.checked_add(SignedDuration::from_secs(seconds)) else {
        return Some(format!("soaking in {name}"));
    };
    (now < over).then(|| format!("soaking in {name} until {}", end(since, over)))
}

/// The environment's own freezes; of several that are on, the one that ends last.
fn frozen(place: &Place<'_>, now: Timestamp) -> Option<String> {
    // The configuration was checked: what is not understood here never ends.
    let on = place.environment.freezes.iter().filter_map(|freeze| match FrozenTime::parse(freeze) {
        Ok(time) if time.is_on(now) => Some((Some(time.to), freeze)),
        Ok(_) => None,
        Err(_) => Some((None, freeze)),
    });
    let (until, freeze) = on.max_by_key(|(until, _)| until.map_or(Timestamp::MAX, |until| until))?;
    let until = until.map(|until| format!(" until {}", moment(until))).unwrap_or_default();
    let reason = if freeze.reason.is_empty() { String::new() } else { format!(": {}", freeze.reason) };
    Some(format!("frozen{until}{reason}"))
}

/// The environment's own merge windows: one of them must be open.
fn window(place: &Place<'_>, now: Timestamp) -> Option<String> {
    let windows = &place.environment.merge_windows;
    if windows.is_empty() {
        return None;
    }
    // The configuration was checked: what is not understood here never opens.
    let windows: Vec<Window> = windows.iter().filter_map(|window| Window::parse(window).ok()).collect();
    if windows.iter().any(|window| window.is_open(now)) {
        return None;
    }
    let opens = windows.iter().filter_map(|window| window.next_opening(now)).min();
    Some(opens.map_or_else(
        || "no merge window opens within two weeks".to_owned(),
        |opens| format!("the merge window opens {}", moment(opens)),
    ))
}
