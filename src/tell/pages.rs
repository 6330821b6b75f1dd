//! One page for the developer: on the pull request that brought a DRY commit in, a comment that says how far it has
//! come, and on the commit a status that says so in one line. Does I/O through the forge.
//!
//! Looked at are the DRY branch's tip and what environments run, are offered, and ran before they were rolled back. DRY
//! commits between those are looked for only when something arrived somewhere or went back, or when the tip was not the
//! only one that came in: then fifty before the tip, and fifty of those that rollbacks took back.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Landings, Scene};
use crate::dry::Dry;
use crate::forge::{Comment, Forge, Landing, MergedPullRequest, same_text};
use crate::model::{Commit, CommitId, CommitState, CommitStatus};
use crate::overview::{Journey, PROGRESS, Stand, is_page, is_rolled_back, journey, told};

/// How many DRY commits before the tip are looked at when something arrived, and how many when environments were rolled
/// back.
const RECENT: usize = 50;

/// What the forge knows of DRY commits.
type Known = BTreeMap<CommitId, Landing>;

/// The DRY commits whose pages may have to change, the tip last.
pub(super) fn tracked(tip: &Commit, stands: &[Stand]) -> Vec<CommitId> {
    let runs = stands.iter().filter_map(|stand| stand.runs);
    let offered = stands.iter().filter_map(|stand| stand.offer.as_ref()?.dry);
    let left = stands.iter().filter_map(|stand| stand.left);
    let mut all: Vec<CommitId> =
        runs.chain(offered).chain(left).chain(tip.parents.first().copied()).collect();
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
    /// What was said of it before.
    before: Option<CommitStatus>,
    /// Whether the comment is made where there is none yet.
    may_comment: bool,
    /// Whether the status is.
    may_begin: bool,
}

/// Writes the pages that differ.
pub(super) fn update(scene: &Scene<'_>, landings: &Landings) -> Result<()> {
    let forge = scene.world.forge.as_ref();
    let tracked = tracked(scene.tip, scene.stands);
    let known = landings.ask(forge, &tracked)?;
    let mut history = History::of(scene);
    let mut pages = Vec::new();
    for commit in &tracked {
        let Some(landing) = known.get(commit) else { continue };
        let is_tip = *commit == scene.tip.id;
        // What is over stays so; what nobody began is begun when it is found among the recent ones.
        let is_on_its_way = status(landing).map_or(!forge.dry_status_may_wait(), is_unfinished);
        if is_tip || is_on_its_way || history.went_back(*commit)? {
            let before = said(forge, *commit, (landing, &landing.pull_requests));
            let journey = history.journey(*commit, before.as_ref())?;
            let begins = !forge.dry_status_may_wait();
            let may_comment = is_tip || (begins && !journey.is_over());
            pages.push(Page { journey, landing, before, may_comment, may_begin: is_tip || begins });
        }
    }
    let further = looks_further(scene, &known, &pages);
    let others = if further { further_ones(scene, &pages, &mut history)? } else { Known::new() };
    for (commit, landing) in &others {
        let is_over = status(landing).is_some_and(|status| !is_unfinished(status));
        if is_over && !history.went_back(*commit)? {
            continue;
        }
        let request =
            if status(landing).is_none() { maker(scene, landings, *commit, landing)? } else { None };
        let before = said(forge, *commit, (landing, request.as_slice()));
        if before.is_some() || request.is_some() {
            let journey = history.journey(*commit, before.as_ref())?;
            let may_comment = !journey.is_over();
            let may_begin = may_comment || before.is_some();
            write(scene, landings, &Page { journey, landing, before, may_comment, may_begin })?;
        }
    }
    // The tip's is the last one: as long as it differs, the others are looked for again.
    pages.iter().try_for_each(|page| write(scene, landings, page))
}

/// Whether something arrived somewhere, or came in before the tip and has no page yet.
fn looks_further(scene: &Scene<'_>, known: &Known, pages: &[Page<'_>]) -> bool {
    let may_wait = scene.world.forge.dry_status_may_wait();
    let arrived = |page: &Page<'_>| {
        // Where nothing could be said before, it is news that it is everywhere.
        let is_late = !may_wait && page.journey.is_over() && page.journey.matters();
        // Where it is said already, and stays so, there is no news.
        if status(page.landing).is_some() && wanted(page, may_wait).is_none() {
            return false;
        }
        let before = page.before.as_ref();
        before.map_or(is_late, |before| before.description != page.journey.status().description)
    };
    let is_new = |commit: &CommitId| {
        let Some(landing) = known.get(commit) else { return true };
        // Without a pull request there may be no place that would ever tell.
        let is_told = may_wait || !landing.pull_requests.is_empty();
        is_told && said(scene.world.forge.as_ref(), *commit, (landing, &landing.pull_requests)).is_none()
    };
    let before = scene.tip.parents.first();
    pages.iter().any(arrived) || (is_new(&scene.tip.id) && before.is_some_and(is_new))
}

/// The DRY commits before the tip, and those that rollbacks took back, but for those whose page is known already.
fn further_ones(scene: &Scene<'_>, pages: &[Page<'_>], history: &mut History<'_>) -> Result<Known> {
    let mut commits = scene.world.repository.ancestry()?.recent(scene.tip.id, RECENT)?;
    commits.extend(history.all_that_went_back()?);
    commits.sort();
    commits.dedup();
    commits.retain(|commit| pages.iter().all(|page| page.journey.commit != *commit));
    scene.world.forge.landings(&commits)
}

/// What was said last of the DRY branch's tip. Where a status says so at the end only, comments are looked at as far as
/// the token may.
pub(super) fn said_of_tip(forge: &dyn Forge, dry: &Dry) -> Result<Option<CommitStatus>> {
    let tip = dry.commit.id;
    let told = if forge.dry_status_may_wait() { None } else { forge.landings(&[tip]).ok() };
    if let Some(landing) = told.and_then(|mut told| told.remove(&tip)) {
        return Ok(said(forge, tip, (&landing, &landing.pull_requests)));
    }
    let statuses = forge.statuses(&[tip])?.remove(&tip).unwrap_or_default();
    Ok(statuses.into_iter().find(|status| status.context == PROGRESS))
}

fn status(landing: &Landing) -> Option<&CommitStatus> {
    landing.statuses.iter().find(|status| status.context == PROGRESS)
}

/// One that may not wait stays successful, and its words alone tell of a rollback.
fn is_unfinished(status: &CommitStatus) -> bool {
    status.state != CommitState::Success || is_rolled_back(status)
}

/// What was said of a commit last: by its status, or by the comment where the status says so at the end only.
fn said(
    forge: &dyn Forge,
    commit: CommitId,
    (landing, requests): (&Landing, &[MergedPullRequest]),
) -> Option<CommitStatus> {
    let by_status = status(landing).cloned();
    if forge.dry_status_may_wait() {
        return by_status;
    }
    let mut comments = requests.iter().flat_map(|request| &request.own_comments);
    by_status.or_else(|| comments.find_map(|comment| told(&comment.body, commit)))
}

fn maker(
    scene: &Scene<'_>,
    landings: &Landings,
    commit: CommitId,
    landing: &Landing,
) -> Result<Option<MergedPullRequest>> {
    landings.maker(scene.world.forge.as_ref(), scene.dry_branch, (commit, landing))
}

/// Writes the comment, then the status, each where it differs.
fn write(scene: &Scene<'_>, landings: &Landings, page: &Page<'_>) -> Result<()> {
    let Page { journey, landing, may_comment, .. } = page;
    let forge = scene.world.forge.as_ref();
    if let Some(request) = maker(scene, landings, journey.commit, landing)? {
        let text = journey.page();
        let ours = |comment: &&Comment| is_page(&comment.body, journey.commit);
        match request.own_comments.iter().find(ours) {
            Some(comment) if same_text(&comment.body, &text) => {}
            Some(comment) => forge.change_comment(request.number, comment.id, &text)?,
            None if *may_comment && journey.matters() => drop(forge.say(request.number, &text)?),
            None => {}
        }
    }
    let now = status(landing);
    let differs = |wanted: &CommitStatus| {
        now.is_none_or(|now| (now.state, &now.description) != (wanted.state, &wanted.description))
    };
    match wanted(page, forge.dry_status_may_wait()).filter(differs) {
        Some(wanted) => forge.set_status(journey.commit, &wanted),
        None => Ok(()),
    }
}

/// What the status shall be, if there is to be one.
fn wanted(page: &Page<'_>, may_wait: bool) -> Option<CommitStatus> {
    let wanted = page.journey.status();
    let now = status(page.landing);
    if may_wait {
        return (now.is_some() || page.may_begin).then_some(wanted);
    }
    let is_back = now.is_some() && page.journey.is_rolled_back();
    let is_due = if page.journey.is_over() { now.map_or(page.may_begin, is_unfinished) } else { is_back };
    is_due.then_some(CommitStatus { state: CommitState::Success, ..wanted })
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

    fn journey(&mut self, commit: CommitId, before: Option<&CommitStatus>) -> Result<Journey> {
        let stands = self.scene.stands;
        let mut journey = journey(commit, stands, |other| self.has(other, commit))?;
        if let Some(before) = before {
            journey.keep_failed(before);
        }
        Ok(journey)
    }

    /// Whether an environment ran a DRY commit, and does not since it was rolled back.
    fn went_back(&mut self, commit: CommitId) -> Result<bool> {
        for stand in self.scene.stands {
            let Some((left, runs)) = stand.left.zip(stand.runs) else { continue };
            if self.has(left, commit)? && !self.has(runs, commit)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The newest of those on the DRY branch's line of first parents, over all environments.
    fn all_that_went_back(&mut self) -> Result<Vec<CommitId>> {
        let ancestry = self.scene.world.repository.ancestry()?;
        let mut all = Vec::new();
        for stand in self.scene.stands {
            let Some((left, runs)) = stand.left.zip(stand.runs) else { continue };
            if !self.is_ancestor(left, self.scene.tip.id)? {
                continue;
            }
            for commit in ancestry.recent(left, RECENT - all.len())? {
                if self.has(runs, commit)? {
                    break;
                }
                all.push(commit);
            }
        }
        Ok(all)
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
