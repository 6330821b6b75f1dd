//! Whether a proposal offers what a preview on the DRY pull request showed: a status on the proposed commit. Does I/O
//! through the forge.
//!
//! It is set where that is so. Where it is not, it is set only if the configuration asks for it: on GitLab a failed status
//! fails the pipeline, which would close every gate.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::{Landings, Scene, pages};
use crate::branch::{Content, Tip};
use crate::escape::{cut, one_line};
use crate::forge::{Extent, Landing};
use crate::model::{CommitId, CommitState, CommitStatus, EnvironmentName};
use crate::overview::{Offer, Stand};
use crate::previewed::{Prints, STATUS};

/// DRY commits that are asked about for one proposal.
const CARRIED: usize = 50;
/// Targets that are named.
const NAMED: usize = 3;
/// Descriptions of statuses are no longer.
const DESCRIPTION_LIMIT: usize = 140;

/// What a preview showed, and on which pull request.
struct Preview {
    number: u64,
    prints: Prints,
}

/// Sets the status on every proposed commit that has not got it.
pub(super) fn update(scene: &Scene<'_>, landings: &Landings) -> Result<()> {
    let waiting: Vec<(&Stand, &Offer)> = scene.stands.iter().filter_map(unanswered).collect();
    if waiting.is_empty() {
        return Ok(());
    }
    let forge = scene.world.forge.as_ref();
    let mut carried: BTreeSet<CommitId> = waiting.iter().filter_map(|(_, offer)| offer.dry).collect();
    if scene.project.as_previewed {
        for (stand, offer) in &waiting {
            carried.extend(brought(scene, stand, offer)?);
        }
    }
    let mut asked = pages::tracked(scene.tip, scene.stands);
    asked.extend(&carried);
    landings.ask(forge, &asked)?;
    let mut known = landings.all();
    // What nobody offers is not worth a question of its own, unless somebody asked for an answer.
    let is_worth_it = |commit: &CommitId| scene.project.as_previewed || carried.contains(commit);
    known.retain(|commit, landing| landing.told != Extent::Nothing || is_worth_it(commit));
    let mut approvers = BTreeMap::new();
    for (stand, offer) in waiting {
        let Some(wanted) = answer(scene, (stand, offer), (landings, &known), &mut approvers)? else {
            continue;
        };
        let is_set = offer
            .previewed
            .as_ref()
            .is_some_and(|status| (status.state, &status.description) == (wanted.state, &wanted.description));
        if !is_set {
            forge.set_status(offer.head, &wanted)?;
        }
    }
    Ok(())
}

/// What was shown once stays so: the commit names its manifests.
fn unanswered(stand: &Stand) -> Option<(&Stand, &Offer)> {
    let is_answered =
        |offer: &&Offer| offer.previewed.as_ref().is_some_and(|said| said.state == CommitState::Success);
    let offer = stand.offer.as_ref().filter(|offer| !offer.rejected && !is_answered(offer))?;
    Some((stand, offer))
}

/// The DRY commits that the proposal brings.
fn brought(scene: &Scene<'_>, stand: &Stand, offer: &Offer) -> Result<Vec<CommitId>> {
    let Some((runs, dry)) = stand.runs.zip(offer.dry).filter(|(runs, dry)| runs != dry) else {
        return Ok(Vec::new());
    };
    Ok(scene.world.repository.ancestry()?.came_in(runs, dry, CARRIED)?.unwrap_or_default())
}

/// What there is to say of a proposal; nothing where nobody asked.
fn answer(
    scene: &Scene<'_>,
    (stand, offer): (&Stand, &Offer),
    known: (&Landings, &BTreeMap<CommitId, Landing>),
    approvers: &mut BTreeMap<u64, Vec<String>>,
) -> Result<Option<CommitStatus>> {
    let must_tell = scene.project.as_previewed;
    if offer.is_rollback {
        let words = "a rollback: these manifests were active before";
        return Ok(must_tell.then(|| status(CommitState::Success, words)));
    }
    let previews = previews(scene, offer, known)?;
    if previews.is_empty() && !must_tell {
        return Ok(None);
    }
    let changed = changed(scene, stand, offer)?;
    let (shown, unshown) = judge(&stand.name, &changed, &previews)?;
    if !unshown.is_empty() || (shown.is_empty() && !must_tell) {
        return Ok(must_tell.then(|| status(CommitState::Failure, &refusal(offer, &unshown, &previews))));
    }
    let mut names = BTreeSet::new();
    for number in &shown {
        if !approvers.contains_key(number) {
            approvers.insert(*number, scene.world.forge.approvers(*number)?);
        }
        names.extend(approvers.get(number).into_iter().flatten().cloned());
    }
    Ok(Some(status(CommitState::Success, &approval(&shown, &names))))
}

/// The previews that are known, that of the offered DRY commit first, then from the newest on.
fn previews(
    scene: &Scene<'_>,
    offer: &Offer,
    (landings, known): (&Landings, &BTreeMap<CommitId, Landing>),
) -> Result<Vec<Preview>> {
    let forge = scene.world.forge.as_ref();
    let config = scene.world.config.as_str();
    let mut found: BTreeMap<(bool, u64), Prints> = BTreeMap::new();
    for (commit, landing) in known {
        let requests = landings.known_of(forge, (*commit, landing))?;
        for request in requests.iter().filter(|request| request.base == *scene.dry_branch) {
            let prints = request.own_comments.iter().find_map(|said| Prints::of_comment(&said.body, config));
            if let Some(prints) = prints {
                found.insert((Some(*commit) == offer.dry, request.number), prints);
            }
        }
    }
    Ok(found.into_iter().rev().map(|((_, number), prints)| Preview { number, prints }).collect())
}

/// What the proposal changes: each output with its manifests, or none where it goes.
fn changed(scene: &Scene<'_>, stand: &Stand, offer: &Offer) -> Result<BTreeMap<String, Option<CommitId>>> {
    let objects = scene.world.repository.scratch.objects();
    let active = match stand.active {
        Some(active) => Tip::read(objects, active)?.content,
        None => Content::new(),
    };
    let offered = Tip::read(objects, offer.head)?.content;
    let outputs: BTreeSet<&String> = active.keys().chain(offered.keys()).collect();
    let changes = outputs.into_iter().filter(|output| active.get(*output) != offered.get(*output));
    Ok(changes.map(|output| (output.clone(), offered.get(output).copied())).collect())
}

/// The pull requests whose previews showed this, and the outputs that none showed.
fn judge(
    name: &EnvironmentName,
    changed: &BTreeMap<String, Option<CommitId>>,
    previews: &[Preview],
) -> Result<(BTreeSet<u64>, Vec<String>)> {
    let (mut shown, mut unshown) = (BTreeSet::new(), Vec::new());
    'outputs: for (output, tree) in changed {
        for preview in previews {
            if preview.prints.has(name.as_str(), output, *tree)? {
                shown.insert(preview.number);
                continue 'outputs;
            }
        }
        unshown.push(output.clone());
    }
    Ok((shown, unshown))
}

fn numbers<'n>(numbers: impl Iterator<Item = &'n u64>) -> String {
    numbers.map(|number| format!("#{number}")).collect::<Vec<_>>().join(", ")
}

fn approval(shown: &BTreeSet<u64>, approvers: &BTreeSet<String>) -> String {
    if shown.is_empty() {
        return "no manifest changes".to_owned();
    }
    let names: Vec<&str> = approvers.iter().map(String::as_str).collect();
    let by = if names.is_empty() { String::new() } else { format!(", approved by {}", names.join(", ")) };
    format!("as previewed in {}{by}", numbers(shown.iter()))
}

fn refusal(offer: &Offer, unshown: &[String], previews: &[Preview]) -> String {
    let more = unshown.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let named = unshown.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let dry = offer.dry.map(|dry| format!(" of {}", dry.short())).unwrap_or_default();
    if previews.is_empty() {
        format!("no preview{dry} is known: {named}{more}")
    } else {
        format!("no preview{dry} showed this: {named}{more}")
    }
}

fn status(state: CommitState, words: &str) -> CommitStatus {
    let description = cut(&one_line(words), DESCRIPTION_LIMIT);
    CommitStatus { context: STATUS.to_owned(), state, description, created_at: None }
}
