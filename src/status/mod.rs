//! `hydrator status`: where every environment is and what it waits for, as text, JSON and Markdown.
//!
//! Does I/O, reads only: one look at the refs, the pull requests and the statuses. How it is shown is pure.

mod markdown;
mod text;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

pub use self::markdown::markdown;
pub use self::text::text;
use crate::branch::Tip;
use crate::dry::{self, Dry, Wanted};
use crate::gate::{Board, PROMOTION, Place, Verdict};
use crate::hydrate::Hold;
use crate::model::{
    BranchName, CommitId, CommitStatus, Delivery, EnvironmentName, HoldReport, PromotionReport, PullRequest,
};
use crate::observe::{self, Seen};
use crate::overview::{self, Node, State, mermaid};
use crate::plan::{self, Permissions};
use crate::promotion::{PassedOver, Tips, Writes, gather, observed, passed_over, tips_of};
use crate::tell;
use crate::world::World;

/// How many DRY commits are counted before it is only said that there are more.
const COUNTED: usize = 1000;

/// Where every environment is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The DRY branch.
    pub dry_branch: BranchName,
    /// Its tip.
    pub dry_sha: CommitId,
    /// When this was looked at, RFC 3339.
    pub at: String,
    /// One entry for each environment, in the configuration's order.
    pub environments: Vec<EnvironmentStatus>,
}

/// Where one environment is.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentStatus {
    /// The environment.
    pub name: EnvironmentName,
    /// The environments that it waits for.
    pub after: Vec<EnvironmentName>,
    /// All of it in one word.
    pub state: State,
    /// What the cluster syncs.
    pub active_branch: BranchName,
    /// Its tip.
    pub active_sha: Option<CommitId>,
    /// What runs; none before the first merge.
    pub active: Option<DryStatus>,
    /// The newest DRY commit that it has processed.
    pub processed: Option<CommitId>,
    /// How many DRY commits the DRY branch has that do not run here, merges not counted; at most 1000, and none where
    /// that cannot be said.
    pub behind: Option<usize>,
    /// What is offered to it.
    pub proposal: Option<ProposalStatus>,
    /// With `contention: finish`: why newer DRY commits are not offered to it; none where they are, or where there is none.
    pub passed_over: Option<PassedOver>,
    /// Why all of it, or some of its targets, stay as they are.
    pub hold: Option<HoldReport>,
    /// Why nothing can be done for it.
    pub error: Option<String>,
    /// Whether the forge lets its pull request be merged before the gate is open; none where that does not matter, or
    /// where the forge does not say.
    pub ungated: Option<bool>,
}

/// A DRY commit, as hydrated branches know it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DryStatus {
    /// Its id.
    pub dry_sha: String,
    /// The first line of its message.
    pub subject: String,
    /// Its author.
    pub author: String,
    /// When it was written, RFC 3339.
    pub date: String,
    /// How long ago that was, in seconds; none where the date is none.
    pub age_seconds: Option<i64>,
}

/// What is offered to an environment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProposalStatus {
    /// The proposed branch's tip.
    pub sha: CommitId,
    /// The DRY commit that it brings.
    pub brings: Option<DryStatus>,
    /// The number of its pull request; none where there is none yet.
    pub number: Option<u64>,
    /// Its web page.
    pub url: Option<String>,
    /// Whether a person closed that pull request.
    pub rejected: bool,
    /// What the gate says; nothing of what a person closed.
    pub gate: Option<PromotionReport>,
}

/// Looks at everything, and writes nothing. Ages are counted up to `now`.
pub fn status(world: &World, now: Timestamp) -> Result<Status> {
    let scratch = &world.repository.scratch;
    let refs = scratch.look()?;
    let dry = dry::load(scratch, &refs, Wanted::Tip, &world.config)?;
    let project = &dry.loaded.project;
    let question = observe::Question {
        scratch,
        ancestry: &|| world.repository.ancestry(),
        forge: world.forge.as_ref(),
        environments: &project.environments,
        active_pattern: &project.active_pattern,
        dry: dry.commit.id,
        dry_branch: &dry.branch,
    };
    let seen = observe::observe(&question, refs.clone())?.environments;
    let is_ancestor =
        |older: CommitId, newer: CommitId| world.repository.ancestry()?.is_ancestor(older, newer);
    let config = world.config.as_str();
    let places = seen.iter().enumerate().map(|(at, seen)| observed(project, at, seen, config));
    let mut board = Board {
        places: places.collect(),
        tip: dry.commit.id,
        now: (world.clock)(),
        is_ancestor: &is_ancestor,
    };
    let tips: Vec<Tips> = seen.iter().map(tips_of).collect();
    gather(&mut board, &tips, (world.forge.as_ref(), Writes::Nothing))?;
    let said = said_of_tip(world, &dry, &board)?;
    let look = Look { world, dry: &dry, board: &board, now, said: said.as_ref() };
    let mut passed = passed_over(project, &board, &seen);
    let environments = seen
        .iter()
        .enumerate()
        .map(|(at, seen)| Ok(EnvironmentStatus { passed_over: passed.remove(&at), ..look.one(at, seen)? }));
    Ok(Status {
        dry_branch: dry.branch.clone(),
        dry_sha: dry.commit.id,
        at: now.to_string(),
        environments: environments.collect::<Result<_>>()?,
    })
}

/// What runs said of the newest DRY commit, if an environment has not processed it.
fn said_of_tip(world: &World, dry: &Dry, board: &Board<'_>) -> Result<Option<CommitStatus>> {
    if board.places.iter().all(|place| place.processed == Some(board.tip)) {
        return Ok(None);
    }
    tell::said_of_tip(world.forge.as_ref(), dry)
}

/// What every environment is looked at with.
struct Look<'a> {
    world: &'a World,
    dry: &'a Dry,
    board: &'a Board<'a>,
    now: Timestamp,
    said: Option<&'a CommitStatus>,
}

impl Look<'_> {
    fn one(&self, at: usize, seen: &Seen) -> Result<EnvironmentStatus> {
        let Self { world, dry, board, .. } = *self;
        let place = &board.places[at];
        let environment = place.environment;
        let gate = board.verdict(at)?;
        let proposal = place.proposal.as_ref().map(|proposal| {
            let open = seen.open.as_ref().map(PullRequest::outline);
            let request = open.or_else(|| seen.last.clone().filter(|_| proposal.rejected));
            ProposalStatus {
                sha: proposal.head,
                brings: seen.proposed.as_ref().and_then(|tip| self.dry_status(tip)),
                number: request.as_ref().map(|request| request.number),
                url: request.map(|request| request.url),
                rejected: proposal.rejected,
                gate: gate.as_ref().filter(|_| !proposal.rejected).map(Verdict::report),
            }
        });
        let is_open = gate.as_ref().is_some_and(Verdict::is_open);
        let error = self.error(place, seen);
        let is_ours =
            plan::standing(environment, seen, world.config.as_str(), Permissions::default()).is_ok();
        let hold = place.held.as_ref().filter(|_| is_ours);
        Ok(EnvironmentStatus {
            name: environment.name.clone(),
            after: place.after.iter().map(|before| board.places[*before].environment.name.clone()).collect(),
            state: overview::state(place, is_open, error.is_some(), board.tip),
            active_branch: environment.active.clone(),
            active_sha: place.active.commit,
            active: seen.active.as_ref().and_then(|tip| self.dry_status(tip)),
            processed: place.processed,
            behind: behind(world, dry, place)?,
            proposal,
            passed_over: None,
            hold: hold.map(|_| plan::hold(seen).map_or_else(HoldReport::drift, Hold::report)),
            error,
            ungated: ungated(world, place),
        })
    }

    fn error(&self, place: &Place<'_>, seen: &Seen) -> Option<String> {
        let config = self.world.config.as_str();
        let standing = plan::standing(place.environment, seen, config, Permissions::default());
        if let Err(failure) = standing {
            return Some(failure.message);
        }
        let name = &place.environment.name;
        let has_failed = self.said.is_some_and(|status| overview::failed_in(status, name));
        (has_failed && place.processed != Some(self.board.tip))
            .then(|| format!("{} could not be hydrated: see the last run", self.board.tip.short()))
    }

    fn dry_status(&self, tip: &Tip) -> Option<DryStatus> {
        let metadata = tip.metadata.as_ref()?;
        let written: Option<Timestamp> = metadata.date.parse().ok();
        Some(DryStatus {
            dry_sha: metadata.dry_sha.clone(),
            subject: metadata.subject.lines().next().unwrap_or_default().to_owned(),
            author: metadata.author.clone(),
            date: metadata.date.clone(),
            age_seconds: written.map(|written| self.now.as_second() - written.as_second()),
        })
    }
}

impl DryStatus {
    /// Who wrote it and how long ago, such as `Alice Example, 3 days ago`.
    fn origin(&self) -> String {
        let author = self.author.split('<').next().unwrap_or_default().trim();
        let age = self.age_seconds.map(ago);
        [Some(author.to_owned()).filter(|author| !author.is_empty()), age]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl ProposalStatus {
    /// What became of it, or what it waits for.
    fn words(&self) -> String {
        match &self.gate {
            None => "a person closed its pull request".to_owned(),
            Some(gate) if gate.state == "success" => gate.description.clone(),
            Some(gate) => format!("waits: {}", gate.description),
        }
    }
}

/// Why something is held, and what.
fn held(hold: &HoldReport) -> String {
    let what = match hold.targets.as_slice() {
        [] => "held".to_owned(),
        targets => format!("held in part ({})", targets.join(", ")),
    };
    if hold.reason == "drift" {
        return format!("{what}: its active branch was changed by hand");
    }
    let by = hold.actor.as_ref().map(|actor| format!(" by {actor}")).unwrap_or_default();
    let since = hold.since.as_ref().map(|since| format!(" on {since}")).unwrap_or_default();
    let why = hold.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let passed = if hold.let_pass { "; later environments may pass it" } else { "" };
    format!("{what}: rolled back{by}{since}{why}{passed}")
}

/// A time that has passed, in the largest unit that there are two of.
fn ago(seconds: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let unit = UNITS.iter().find(|(length, _)| seconds >= 2 * length);
    unit.map_or_else(|| "just now".to_owned(), |(length, name)| format!("{} {name} ago", seconds / length))
}

/// How many DRY commits do not run here; a DRY commit that changes nothing here runs as well.
fn behind(world: &World, dry: &Dry, place: &Place<'_>) -> Result<Option<usize>> {
    let runs = if place.proposal.is_none() { place.processed } else { place.active.dry };
    let Some(runs) = runs.filter(|_| place.active.dry.is_some()) else { return Ok(None) };
    if runs == dry.commit.id {
        return Ok(Some(0));
    }
    let between = world.repository.ancestry()?.between(runs, dry.commit.id, COUNTED)?;
    Ok(between.map(|commits| commits.len()))
}

/// Whether somebody can merge it before its gate is open. One that waits for nobody has nothing to lose.
fn ungated(world: &World, place: &Place<'_>) -> Option<bool> {
    let environment = place.environment;
    let waits = !place.after.is_empty() || environment.has_times();
    if !waits || environment.delivery != Delivery::PullRequest {
        return None;
    }
    // A token that may not read the rules is no reason to say nothing else.
    world.forge.requires_status(&environment.active, PROMOTION).ok().map(|required| !required)
}

/// The picture of all environments for Mermaid, without a fence.
pub fn picture(status: &Status) -> String {
    let place = |name: &EnvironmentName| status.environments.iter().position(|one| one.name == *name);
    let node = |environment: &EnvironmentStatus| {
        let runs = environment.active.as_ref().map(|active| active.dry_sha.chars().take(7).collect());
        Node {
            lines: vec![environment.name.to_string(), runs.unwrap_or_else(|| "nothing yet".to_owned())],
            after: environment.after.iter().filter_map(place).collect(),
            state: Some(environment.state),
            url: environment.proposal.as_ref().and_then(|proposal| proposal.url.clone()),
        }
    };
    let nodes: Vec<Node> = status.environments.iter().map(node).collect();
    mermaid(&nodes, None)
}

/// One JSON object, ending with a line feed.
pub fn json(status: &Status) -> Result<String> {
    Ok(serde_json::to_string_pretty(status).context("cannot write the status as JSON")? + "\n")
}

/// The JSON Schema of the status.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<Status>().to_value()
}

#[cfg(test)]
mod tests {
    use super::ago;

    #[test]
    fn ages_are_round() {
        for (seconds, words) in [
            (-5, "just now"),
            (119, "just now"),
            (120, "2 minutes ago"),
            (7_199, "119 minutes ago"),
            (7_200, "2 hours ago"),
            (172_800, "2 days ago"),
        ] {
            assert_eq!(ago(seconds), words);
        }
    }
}
