//! One page for the developer: on the pull request that brought a DRY commit in, a comment that says how far it has
//! come, and on the commit a status that says so in one line. Does I/O through the forge.
//!
//! Looked at are the DRY branch's tip and what environments run and are offered. DRY commits between those are looked
//! for only when something arrived somewhere, or when the tip was not the only one that came in.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Landings, Scene};
use crate::escape::marker_value;
use crate::forge::{Comment, Landing, same_text};
use crate::model::{Commit, CommitId, CommitState, CommitStatus};
use crate::overview::{Journey, MARK, PROGRESS, Stand, journey};

/// How many DRY commits before the tip are looked at when something arrived.
const RECENT: usize = 50;

/// What the forge knows of DRY commits.
type Known = BTreeMap<CommitId, Landing>;

/// The DRY commits whose pages may have to change, the tip last.
pub(super) fn tracked(tip: &Commit, stands: &[Stand]) -> Vec<CommitId> {
    let runs = stands.iter().filter_map(|stand| stand.runs);
    let offered = stands.iter().filter_map(|stand| stand.offer.as_ref()?.dry);
    let mut all: Vec<CommitId> = runs.chain(offered).chain(tip.parents.first().copied()).collect();
    all.sort();
    all.dedup();
    all.retain(|commit| *commit != tip.id);
    all.push(tip.id);
    all
}

/// A page as it should be.
struct Page<'a> {
    journey: Journey,
    landing: &'a Landing,
    /// Whether it is made where there is none yet.
    may_begin: bool,
}

/// Writes the pages that differ.
pub(super) fn update(scene: &Scene<'_>, landings: &Landings) -> Result<()> {
    let tracked = tracked(scene.tip, scene.stands);
    let known = landings.ask(scene.world.forge.as_ref(), &tracked)?;
    let mut history = History::of(scene);
    let mut pages = Vec::new();
    for commit in &tracked {
        let Some(landing) = known.get(commit) else { continue };
        let is_tip = *commit == scene.tip.id;
        // What is over stays so; what nobody began is begun when it is found among the recent ones.
        if is_tip || said(landing).is_some_and(|status| status.state != CommitState::Success) {
            let journey = history.journey(*commit, landing)?;
            pages.push(Page { journey, landing, may_begin: is_tip });
        }
    }
    let ask = (scene.world.forge.as_ref(), scene.dry_branch);
    let request = |commit: CommitId, landing: &Landing| landings.maker(ask.0, ask.1, (commit, landing));
    let others = if looks_further(scene, &known, &pages) { recent(scene, &known)? } else { Known::new() };
    for (commit, landing) in &others {
        let has_begun = said(landing).is_some_and(|status| status.state != CommitState::Success);
        if has_begun || (said(landing).is_none() && request(*commit, landing)?.is_some()) {
            let journey = history.journey(*commit, landing)?;
            let may_begin = !journey.is_over();
            write(scene, landings, &Page { journey, landing, may_begin })?;
        }
    }
    // The tip's is the last one: as long as it differs, the others are looked for again.
    pages.iter().try_for_each(|page| write(scene, landings, page))
}

/// Whether something arrived somewhere, or came in before the tip and has no page yet.
fn looks_further(scene: &Scene<'_>, known: &Known, pages: &[Page<'_>]) -> bool {
    let arrived = |page: &Page<'_>| {
        said(page.landing).is_some_and(|status| status.description != page.journey.status().description)
    };
    let is_unsaid = |commit: &CommitId| known.get(commit).is_none_or(|landing| said(landing).is_none());
    let before = scene.tip.parents.first();
    pages.iter().any(arrived) || (is_unsaid(&scene.tip.id) && before.is_some_and(is_unsaid))
}

/// The DRY commits before the tip that have no page as far as is known.
fn recent(scene: &Scene<'_>, known: &Known) -> Result<Known> {
    let mut commits = scene.world.repository.ancestry()?.recent(scene.tip.id, RECENT)?;
    let is_unsaid = |commit: &CommitId| known.get(commit).is_none_or(|landing| said(landing).is_none());
    commits.retain(|commit| *commit != scene.tip.id && is_unsaid(commit));
    scene.world.forge.landings(&commits)
}

fn said(landing: &Landing) -> Option<&CommitStatus> {
    landing.statuses.iter().find(|status| status.context == PROGRESS)
}

/// Writes the comment, then the status, each where it differs.
fn write(scene: &Scene<'_>, landings: &Landings, page: &Page<'_>) -> Result<()> {
    let Page { journey, landing, may_begin } = page;
    let forge = scene.world.forge.as_ref();
    if let Some(request) = landings.maker(forge, scene.dry_branch, (journey.commit, landing))? {
        let text = journey.page();
        let ours = |comment: &&Comment| {
            marker_value(&comment.body, MARK).as_deref() == Some(&journey.commit.to_string())
        };
        match request.own_comments.iter().find(ours) {
            Some(comment) if same_text(&comment.body, &text) => {}
            Some(comment) => forge.change_comment(request.number, comment.id, &text)?,
            None if *may_begin && journey.matters() => drop(forge.say(request.number, &text)?),
            None => {}
        }
    }
    let wanted = journey.status();
    match said(landing) {
        Some(now) if (now.state, &now.description) == (wanted.state, &wanted.description) => Ok(()),
        None if !may_begin => Ok(()),
        _ => forge.set_status(journey.commit, &wanted),
    }
}

/// Which DRY commits have which; asked of the DRY branch's history where that is not plain, once for each pair.
struct History<'a> {
    scene: &'a Scene<'a>,
    answers: BTreeMap<(CommitId, CommitId), bool>,
}

impl<'a> History<'a> {
    const fn of(scene: &'a Scene<'a>) -> Self {
        Self { scene, answers: BTreeMap::new() }
    }

    fn journey(&mut self, commit: CommitId, landing: &Landing) -> Result<Journey> {
        let stands = self.scene.stands;
        let mut journey = journey(commit, stands, |other| self.has(other, commit))?;
        if let Some(before) = said(landing) {
            journey.keep_failed(before);
        }
        Ok(journey)
    }

    /// Whether `newer` is `older` or has it. What was taken off the DRY branch has nothing that matters.
    fn has(&mut self, newer: CommitId, older: CommitId) -> Result<bool> {
        let tip = self.scene.tip;
        if newer == older {
            return Ok(true);
        }
        if older == tip.id {
            return Ok(false);
        }
        if newer == tip.id && tip.parents.contains(&older) {
            return Ok(true);
        }
        Ok(self.is_ancestor(newer, tip.id)? && self.is_ancestor(older, newer)?)
    }

    fn is_ancestor(&mut self, older: CommitId, newer: CommitId) -> Result<bool> {
        if older == newer {
            return Ok(true);
        }
        if let Some(known) = self.answers.get(&(older, newer)) {
            return Ok(*known);
        }
        let answer = self.scene.world.repository.ancestry()?.is_ancestor(older, newer)?;
        self.answers.insert((older, newer), answer);
        Ok(answer)
    }
}
