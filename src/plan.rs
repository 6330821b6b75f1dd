//! Stage 4, plan: from what was observed and what the DRY commit renders to, what changes where.
//!
//! Pure. [`standing`] says how an environment stands before anything is rendered, [`decide`] what is to be done once
//! its content is known. Commit ids are never compared to decide about content: a new version of this program must
//! not push everything again.

use crate::branch::{Content, Tip};
use crate::error::Failure;
use crate::hydrate::{Hold, Intent, Metadata, Terms};
use crate::model::{DriftPolicy, Environment, PullRequestState};
use crate::observe::{Past, Seen};

/// How a hold for drift ends.
const WAY_OUT: &str =
    "revert that, make the DRY branch say the same, `hydrator resume`, or set `drift: repair`";

/// What the user allowed for this run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Permissions {
    /// A person's content on a proposed branch may be replaced.
    pub overwrite: bool,
    /// An active branch that is not ours may become ours.
    pub adopt: bool,
    /// A hold may end.
    pub resume: bool,
}

/// What an environment should have.
#[derive(Clone, Copy, Debug)]
pub struct Goal<'a> {
    /// Its manifests.
    pub content: &'a Content,
    /// What stays held, and what the proposal of it is.
    pub terms: &'a Terms,
}

impl Goal<'_> {
    fn is_of(&self, tip: &Tip) -> bool {
        tip.is(self.content, self.terms.hold.as_ref())
    }

    fn is_offered_by(&self, proposed: &Tip) -> bool {
        proposed.intact && self.is_of(proposed) && proposed.intent() == self.terms.intent
    }
}

/// How an environment stands, before anything is rendered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// A newer DRY commit has been processed.
    Superseded,
    /// It was rolled back and stays there.
    Held,
    /// Its active branch is not what we wrote; why.
    Drifted(String),
    /// It keeps its DRY commit until what waits for it is merged.
    Finishing(String),
    /// A proposal that is no ordinary one waits; nothing is mixed into it.
    Frozen,
    /// It should be resumed, and nothing holds it.
    NotHeld,
    /// A proposal of ours waits.
    Pending,
    /// Nothing waits.
    Settled,
}

/// What is to be done for an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing at all, not even the note.
    Superseded,
    /// Nothing at all, not even the note: it is held, for this reason.
    Held(String),
    /// Nothing at all: there is no hold to end.
    NotHeld,
    /// Nothing at all, not even the note: it keeps its DRY commit for now, for this reason.
    Finishing(String),
    /// The active branch has what it should have; only the note moves.
    Nothing,
    /// The proposal has what it should have; only the note moves.
    Leave,
    /// The same, and a person does not want it.
    Rejected,
    /// The proposal's commit gets the active tip as its parent.
    Reparent,
    /// A new commit on the active tip.
    Propose,
    /// The proposal's change went away: close its pull request, then move the branch to the active tip.
    Withdraw,
}

impl Standing {
    /// Whether rendering can change anything.
    pub const fn needs_rendering(&self) -> bool {
        matches!(self, Self::Drifted(_) | Self::Pending | Self::Settled)
    }
}

/// How the environment stands; an error when one of its branches is not ours.
pub fn standing(
    environment: &Environment,
    seen: &Seen,
    config: &str,
    permissions: Permissions,
) -> Result<Standing, Failure> {
    check_active(environment, seen, config, permissions)?;
    if seen.superseded {
        return Ok(Standing::Superseded);
    }
    check_proposed(environment, seen, permissions)?;
    let drifted = seen.active.as_ref().and_then(|active| drift(environment, seen, active));
    if permissions.resume {
        let is_held = hold(seen).is_some() || drifted.is_some() || frozen(seen) == Some(Intent::Resume);
        return Ok(if is_held { pending_or_settled(seen) } else { Standing::NotHeld });
    }
    Ok(match drifted {
        _ if frozen(seen).is_some() => Standing::Frozen,
        _ if hold(seen).is_some_and(Hold::is_whole) => Standing::Held,
        Some(why) => Standing::Drifted(why),
        None => seen.kept.clone().map_or_else(|| pending_or_settled(seen), Standing::Finishing),
    })
}

/// That both branches are ours to go on with.
pub fn check(
    environment: &Environment,
    seen: &Seen,
    config: &str,
    permissions: Permissions,
) -> Result<(), Failure> {
    check_active(environment, seen, config, permissions)?;
    check_proposed(environment, seen, permissions)
}

/// Why the environment, or some of its targets, stay where they are.
pub fn hold(seen: &Seen) -> Option<&Hold> {
    seen.active.as_ref()?.hold()
}

/// Whether all of it was rolled back, and whoever did that lets later environments pass.
pub fn lets_pass(seen: &Seen) -> bool {
    hold(seen).is_some_and(|hold| hold.is_whole() && hold.let_pass)
}

/// What waits and is no ordinary proposal, unless a person closed its pull request.
pub fn frozen(seen: &Seen) -> Option<Intent> {
    offer(seen).filter(|_| !is_rejected(seen)).and_then(Tip::intent)
}

fn pending_or_settled(seen: &Seen) -> Standing {
    if offer(seen).is_some() { Standing::Pending } else { Standing::Settled }
}

/// The proposal, if it offers something that the active branch does not have.
pub fn offer(seen: &Seen) -> Option<&Tip> {
    let proposed = seen.proposed.as_ref().filter(|proposed| proposed.metadata.is_some())?;
    let is_active = seen.active.as_ref().is_some_and(|active| active.is_like(proposed));
    (!is_active && seen.past != Past::ProposalLeft).then_some(proposed)
}

/// A person closed the proposal's pull request without merging it.
pub fn is_rejected(seen: &Seen) -> bool {
    !seen.withdrawn
        && seen.open.is_none()
        && seen.last.as_ref().is_some_and(|last| last.state == PullRequestState::Closed)
}

fn check_active(
    environment: &Environment,
    seen: &Seen,
    config: &str,
    permissions: Permissions,
) -> Result<(), Failure> {
    let Some(active) = seen.active.as_ref().filter(|active| !active.is_blank()) else { return Ok(()) };
    if permissions.adopt || is_being_adopted(seen, config) {
        return Ok(());
    }
    let branch = &environment.active;
    let Some(metadata) = active.metadata.as_ref().filter(|metadata| !metadata.config.is_empty()) else {
        return Err(Failure::git(format!("the active branch `{branch}` has content that hydrator did not write"))
            .hint("`--adopt` makes the configured outputs on it hydrator's own and keeps every other file; or choose another branch"));
    };
    if metadata.config != config {
        let other = &metadata.config;
        return Err(Failure::git(format!(
            "the active branch `{branch}` was written from `{other}`, not from `{config}`"
        ))
        .hint("give the two configurations different branches, or take this one over with `--adopt`"));
    }
    Ok(())
}

/// Whether the active branch has content, and not from this configuration.
pub fn is_foreign(seen: &Seen, config: &str) -> bool {
    seen.active.as_ref().is_some_and(|active| !active.is_blank() && !is_from(active, config))
}

fn is_from(tip: &Tip, config: &str) -> bool {
    tip.metadata.as_ref().is_some_and(|metadata| metadata.config == config)
}

/// A proposal of ours sits on an active branch that is not ours yet: an adoption that waits for its merge.
fn is_being_adopted(seen: &Seen, config: &str) -> bool {
    let (Some(active), Some(proposed)) = (&seen.active, &seen.proposed) else { return false };
    let waits = proposed.intact && proposed.commit.parents.contains(&active.commit.id);
    is_from(proposed, config) && waits
}

/// Ours is a proposed tip whose manifests are what their writer wrote, or that offers nothing new.
fn check_proposed(environment: &Environment, seen: &Seen, permissions: Permissions) -> Result<(), Failure> {
    let Some(proposed) = seen.proposed.as_ref() else { return Ok(()) };
    let active = seen.active.as_ref();
    let nothing_new = active.is_some_and(|active| proposed.commit.tree == active.commit.tree)
        || seen.past == Past::ProposalLeft;
    let same_files = proposed.foreign == active.and_then(|active| active.foreign)
        || proposed.may_differ() && !seen.has_strangers;
    let blank = proposed.is_blank();
    if nothing_new || blank || permissions.overwrite || (proposed.intact && same_files) {
        return Ok(());
    }
    let (branch, commit) = (&environment.proposed, proposed.commit.id.short());
    let author = crate::escape::one_line(&proposed.commit.author.name);
    Err(Failure::git(format!("the proposed branch `{branch}` has content at {commit} that hydrator did not write (author: {author})"))
        .hint("move that change to the DRY branch, or let it be replaced with `--overwrite`"))
}

/// Why the active branch is not what our last hydrated commit made it.
pub fn drift(environment: &Environment, seen: &Seen, active: &Tip) -> Option<String> {
    let branch = &environment.active;
    if seen.checked
        || seen.proposed.as_ref().is_some_and(|proposed| proposed.intact && proposed.is_like(active))
    {
        return None;
    }
    let written = active.metadata.as_ref().is_some_and(|metadata| !metadata.config.is_empty());
    if written && !active.intact {
        return Some(format!("`{branch}` was edited by hand: {WAY_OUT}"));
    }
    let back = seen.past != Past::Kept;
    back.then(|| format!("`{branch}` was reverted or moved back by hand: {WAY_OUT}"))
}

/// What is to be done, given the content that the environment should have.
pub fn decide(environment: &Environment, seen: &Seen, standing: &Standing, goal: Goal<'_>) -> Decision {
    let nothing = goal.content.is_empty();
    let is_active = seen.active.as_ref().map_or(nothing, |active| goal.is_of(active));
    let offered = offer(seen).map(|proposed| goal.is_offered_by(proposed) && !seen.has_strangers);
    let is_ordinary = goal.terms.intent.is_none();
    match standing {
        Standing::Superseded => Decision::Superseded,
        Standing::NotHeld => Decision::NotHeld,
        Standing::Finishing(why) => Decision::Finishing(why.clone()),
        Standing::Held => Decision::Held(hold(seen).map(Hold::words).unwrap_or_default()),
        Standing::Drifted(why) if !is_active && environment.drift == DriftPolicy::Hold => {
            Decision::Held(why.clone())
        }
        Standing::Frozen if sits_on_active(seen) && !seen.has_strangers => Decision::Leave,
        Standing::Frozen => Decision::Reparent,
        _ if is_active && offered.is_some() => Decision::Withdraw,
        _ if is_active => Decision::Nothing,
        _ if offered != Some(true) => Decision::Propose,
        // What somebody asks for by name is offered anew.
        _ if is_rejected(seen) && is_ordinary => Decision::Rejected,
        _ if sits_on_active(seen) => Decision::Leave,
        _ => Decision::Reparent,
    }
}

/// Whether the proposed branch is missing, or left over from what a person undid on the active branch. Where nothing
/// is to be proposed it then belongs on the active tip, which also ends a hold for drift: the two agree again.
pub fn is_stale(seen: &Seen) -> bool {
    let Some(active) = &seen.active else { return false };
    let Some(proposed) = &seen.proposed else { return true };
    seen.open.is_none()
        && proposed.commit.id != active.commit.id
        && (!proposed.is_like(active) || !active.intact)
}

/// Whether the proposal already contains the active tip.
pub fn sits_on_active(seen: &Seen) -> bool {
    match (&seen.active, &seen.proposed) {
        (Some(active), Some(proposed)) => proposed.commit.parents.contains(&active.commit.id),
        _ => false,
    }
}

/// The paths that we own on the active branch, as its metadata lists them.
pub fn owned(active: Option<&Tip>) -> &[String] {
    active
        .and_then(|active| active.metadata.as_ref())
        .map(|metadata: &Metadata| metadata.targets.as_slice())
        .unwrap_or_default()
}
