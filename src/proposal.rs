//! What a proposal says of itself: which manifests it changes, and which DRY commits bring them.
//!
//! Does I/O, reads only: the manifests that the active branch has now, and the DRY branch's history.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::branch::{Content, Tip, digest, metadata_blob};
use crate::commit::TargetOutput;
use crate::error::Failure;
use crate::git::{Objects, Scratch, hash_of};
use crate::hydrate::{self, Hold, Metadata, message};
use crate::model::{Commit, CommitId, EntryKind, Environment, ManifestId, ObjectId, Target};
use crate::plan;
use crate::planned::{Planned, Stage};
use crate::promote::{
    DryCommits, DryInfo, DryLine, Intent, LargeDeletion, MoreCommits, ProposalSummary, ReferenceLine,
    TargetChange,
};
use crate::world::World;

/// How many DRY commits a pull request lists.
const LISTED_COMMITS: usize = 50;

/// A deletion of at least this share of all manifests, and of more than a few, is said loudly.
const LARGE_SHARE: usize = 3;
const LARGE_COUNT: usize = 5;

/// The manifests of a branch, each with the id of its text.
pub type Index = BTreeMap<ManifestId, ObjectId>;

/// Fetches what the active branches hold where proposals change something: one fetch for all of them.
pub fn fetch_changed_manifests(scratch: &Scratch, planned: &[&Planned<'_>]) -> Result<()> {
    let objects = scratch.objects();
    let mut blobs = BTreeSet::new();
    for environment in planned {
        if let Some(active) = &environment.seen.active {
            for tree in changed_outputs(objects, active, &environment.outputs)?.values() {
                blobs.extend(blobs_of(objects, *tree)?.into_values());
            }
        }
        for tree in cached_changes(environment.seen.active.as_ref(), &environment.outputs).values() {
            blobs.extend(blobs_of(objects, *tree)?.into_values());
        }
        if let Some(proposed) = environment.proposed {
            blobs.extend(metadata_blob(objects, proposed)?);
        }
    }
    blobs.retain(|blob| !objects.has(*blob));
    scratch.fetch_blobs(&blobs)
}

/// Names what a proposal changes: both sides' manifests and DRY commits. A proposal that only gets another parent keeps
/// its text.
pub fn change_id(objects: Objects<'_>, planned: &Planned<'_>, proposed: CommitId) -> Result<ObjectId> {
    let side = |tip: Option<&Tip>| -> Result<String> {
        // An active branch that is not there yet will be blank.
        let Some(tip) = tip.filter(|tip| !tip.is_blank()) else { return Ok(String::new()) };
        let dry_sha = tip.dry_sha().map(|dry| dry.to_string()).unwrap_or_default();
        Ok(format!("{dry_sha} {}{}", digest(&tip.content)?, terms(tip)?))
    };
    let active = side(planned.seen.active.as_ref())?;
    let proposed = side(Some(&Tip::read(objects, proposed)?))?;
    hash_of(format!("{active}\n{proposed}\n").as_bytes())
}

/// What a proposal means beyond its manifests; nothing for an ordinary one.
fn terms(tip: &Tip) -> Result<String> {
    let (hold, intent) = (tip.hold(), tip.intent());
    if hold.is_none() && intent.is_none() {
        Ok(String::new())
    } else {
        Ok(serde_json::to_string(&(hold, intent))?)
    }
}

/// Everything that there is to say about the proposal of an environment.
pub fn summary(stage: &Stage<'_>, planned: &Planned<'_>, proposed: CommitId) -> Result<ProposalSummary> {
    let world = stage.world;
    let objects = world.repository.scratch.objects();
    let environment = planned.environment;
    let active = planned.seen.active.as_ref();
    let tip = Tip::read(objects, proposed)?;
    let metadata = tip.metadata.clone().unwrap_or_default();
    let before = active
        .map(|active| index(objects, changed_outputs(objects, active, &planned.outputs)?))
        .transpose()?
        .unwrap_or_default();
    let cached = index(objects, cached_changes(active, &planned.outputs))?;
    let targets = changes(environment, active, &planned.outputs, (&before, &cached));
    let removed = gone(&targets);
    let kept = planned.outputs.values().map(|output| output.count).sum::<usize>();
    let added: usize = targets.iter().map(|target| target.added.len()).sum();
    let of = (kept + targets.iter().map(|target| target.removed.len()).sum::<usize>()).saturating_sub(added);
    let mut dry_commits = match metadata.intent {
        Some(hydrate::Intent::Rollback) => undone(world, active, &metadata),
        _ => dry_commits(world, active.and_then(Tip::dry_sha), &metadata)?,
    };
    // What a rollback puts back has its own; else it is what all DRY commits together bring.
    let references = match metadata.intent {
        Some(hydrate::Intent::Rollback) => lines_of(&metadata.references),
        _ => references(&dry_commits),
    };
    let mut dry = dry_info(&metadata)?;
    add_requests(stage, &mut dry, &mut dry_commits);
    Ok(ProposalSummary {
        environment: environment.name.clone(),
        active: environment.active.clone(),
        proposed: environment.proposed.clone(),
        change: change_id(objects, planned, proposed)?,
        intent: intent(active, &tip),
        dry,
        repo_url: Some(world.repository.web_url()).filter(|url| !url.is_empty()),
        text_version: crate::promote::text_version(&environment.pull_request),
        vars: environment.vars.clone(),
        targets,
        dry_commits,
        references,
        first_run: active.is_none_or(Tip::is_blank),
        undoes_drift: active.is_some_and(|active| plan::drift(environment, &planned.seen, active).is_some()),
        picture: picture(stage, environment),
        large_deletion: is_large(removed, of, kept).then_some(LargeDeletion { removed, of }),
    })
}

/// Adds the pull requests that brought the DRY commits in.
fn add_requests(stage: &Stage<'_>, dry: &mut DryInfo, commits: &mut DryCommits) {
    let asked: Vec<CommitId> =
        commits.listed.iter().map(|line| line.sha).chain(std::iter::once(dry.sha)).collect();
    let overview = stage.overview;
    crate::tell::prepare(stage.world, &stage.dry.commit, overview, &asked);
    let forge = stage.world.forge.as_ref();
    let mut requests = overview.landings.requests(forge, &stage.dry.branch, &asked);
    for line in &mut commits.listed {
        line.request = requests.get(&line.sha).cloned();
    }
    dry.request = requests.remove(&dry.sha);
}

/// Where all environments are, if that is known.
fn picture(stage: &Stage<'_>, environment: &Environment) -> String {
    let environments = &stage.dry.loaded.project.environments;
    let stands = &stage.overview.stands;
    // They are those of the DRY branch's tip, where this run is for an older commit.
    let at = stands.iter().position(|one| one.name == environment.name);
    // One alone makes no picture.
    let at = at.filter(|_| stands.len() > 1);
    at.map(|at| crate::tell::picture(stage.world.forge.as_ref(), environments, stands, at))
        .unwrap_or_default()
}

/// Why it is offered: what its metadata says, seen from what is active.
fn intent(active: Option<&Tip>, proposed: &Tip) -> Intent {
    let outputs = |hold: Option<&Hold>| -> Vec<String> {
        hold.map(|hold| hold.targets.keys().cloned().collect()).unwrap_or_default()
    };
    let hold = proposed.hold();
    let said = |trailer: &str| proposed.commit.trailer(trailer).unwrap_or_default().to_owned();
    match proposed.intent() {
        None => Intent::Promote,
        Some(hydrate::Intent::Resume) => Intent::Resume { still_held: outputs(hold) },
        Some(hydrate::Intent::Rollback) => {
            let before = outputs(active.and_then(Tip::hold));
            let mut targets = outputs(hold);
            // Targets that were held before are not what this one is about.
            if targets.iter().any(|target| !before.contains(target)) {
                targets.retain(|target| !before.contains(target));
            }
            Intent::Rollback {
                actor: hold.map_or_else(|| said(message::ACTOR_TRAILER), |hold| hold.actor.clone()),
                reason: hold.map_or_else(|| said(message::REASON_TRAILER), |hold| hold.reason.clone()),
                targets,
                holds: hold.is_some(),
                lets_pass: hold.is_some_and(|hold| hold.let_pass),
            }
        }
    }
}

/// How many manifests are removed and not added again in another output.
fn gone(targets: &[TargetChange]) -> usize {
    let added: BTreeSet<&ManifestId> = targets.iter().flat_map(|target| &target.added).collect();
    targets.iter().flat_map(|target| &target.removed).filter(|id| !added.contains(id)).count()
}

/// A large part of more than a few, or all there is.
const fn is_large(removed: usize, of: usize, kept: usize) -> bool {
    removed > 0 && (kept == 0 || (removed >= LARGE_COUNT && removed * LARGE_SHARE >= of))
}

/// Outputs of the active branch whose manifests the proposal changes or removes; also those that it takes over.
fn changed_outputs(
    objects: Objects<'_>,
    active: &Tip,
    outputs: &BTreeMap<String, TargetOutput>,
) -> Result<Content> {
    let mut content = active.content_at(objects, outputs.keys())?;
    content.extend(active.content.clone());
    let stays = |output: &String, tree: ObjectId| outputs.get(output).and_then(|new| new.tree) == Some(tree);
    content.retain(|output, tree| !stays(output, *tree));
    Ok(content)
}

/// Outputs that were rendered before this run and that the active branch does not have.
fn cached_changes(
    active: Option<&Tip>,
    outputs: &BTreeMap<String, TargetOutput>,
) -> BTreeMap<String, ObjectId> {
    let mut found = BTreeMap::new();
    for (path, output) in outputs {
        let before = active.and_then(|active| active.content.get(path)).copied();
        if let (None, Some(tree)) = (&output.manifests, output.tree.filter(|tree| Some(*tree) != before)) {
            found.insert(path.clone(), tree);
        }
    }
    found
}

/// Every file below a tree, by path.
pub fn blobs_of(objects: Objects<'_>, tree: ObjectId) -> Result<BTreeMap<String, ObjectId>> {
    let mut found = BTreeMap::new();
    // A person may have put a file where a directory was.
    let Ok(entries) = objects.tree(tree) else { return Ok(found) };
    for entry in entries {
        match entry.kind {
            EntryKind::Directory => {
                let below = blobs_of(objects, entry.id)?;
                found.extend(below.into_iter().map(|(path, id)| (format!("{}/{path}", entry.name), id)));
            }
            EntryKind::File | EntryKind::Executable => {
                found.insert(entry.name, entry.id);
            }
            EntryKind::Link | EntryKind::Submodule => {}
        }
    }
    Ok(found)
}

/// The manifests in these outputs, by output. A file that cannot be read as manifests counts as one of its own name.
pub fn index(objects: Objects<'_>, outputs: BTreeMap<String, ObjectId>) -> Result<BTreeMap<String, Index>> {
    let mut indexes = BTreeMap::new();
    for (output, tree) in outputs {
        let mut index = Index::new();
        for (path, blob) in blobs_of(objects, tree)? {
            let bytes = objects.blob(blob)?.unwrap_or_default();
            if let Some(manifests) = crate::render::manifests(&bytes) {
                index.extend(crate::commit::index(&manifests)?);
            } else {
                index.insert(file_id(path), blob);
            }
        }
        indexes.insert(output, index);
    }
    Ok(indexes)
}

/// What stands for a file that holds no manifests.
fn file_id(path: String) -> ManifestId {
    ManifestId { group: String::new(), kind: "File".to_owned(), namespace: String::new(), name: path }
}

fn changes(
    environment: &Environment,
    active: Option<&Tip>,
    outputs: &BTreeMap<String, TargetOutput>,
    (before, cached): (&BTreeMap<String, Index>, &BTreeMap<String, Index>),
) -> Vec<TargetChange> {
    let nothing = Index::new();
    let names: BTreeMap<&str, &Target> =
        environment.targets.iter().map(|target| (target.output.as_str(), target)).collect();
    let paths: BTreeSet<&String> = outputs.keys().chain(before.keys()).collect();
    let mut changes = Vec::new();
    for path in paths.iter().copied() {
        let tree = outputs.get(path).and_then(|output| output.tree);
        if active.and_then(|active| active.content.get(path)).copied() == tree {
            continue;
        }
        let old = before.get(path).unwrap_or(&nothing);
        let rendered = outputs.get(path).and_then(|output| output.manifests.as_ref());
        let new = rendered.or_else(|| cached.get(path)).unwrap_or(&nothing);
        // A removed output may have the name that a target has elsewhere now: then only the outputs tell them apart.
        let target = names.get(path.as_str());
        let target =
            target.filter(|target| target.name == *path || !paths.iter().any(|other| **other == target.name));
        changes.push(TargetChange {
            name: target.map_or_else(|| path.clone(), |target| target.name.clone()),
            output: path.clone(),
            added: new.keys().filter(|id| !old.contains_key(*id)).cloned().collect(),
            changed: new
                .iter()
                .filter(|(id, text)| old.get(*id).is_some_and(|old| old != *text))
                .map(|(id, _)| id.clone())
                .collect(),
            removed: old.keys().filter(|id| !new.contains_key(*id)).cloned().collect(),
        });
    }
    changes
}

fn dry_info(metadata: &Metadata) -> Result<DryInfo, Failure> {
    let sha =
        metadata.dry_commit().ok_or_else(|| Failure::git("a proposal's metadata names no DRY commit"))?;
    Ok(DryInfo {
        sha,
        subject: metadata.subject.lines().next().unwrap_or_default().to_owned(),
        body: metadata.body.clone(),
        author: metadata.author.clone(),
        date: metadata.date.clone(),
        request: None,
    })
}

/// The DRY commits between what is active and what is proposed.
fn dry_commits(world: &World, active: Option<CommitId>, metadata: &Metadata) -> Result<DryCommits> {
    let Some(proposed) = metadata.dry_commit() else { return Ok(DryCommits::default()) };
    let own = DryLine {
        sha: proposed,
        subject: metadata.subject.lines().next().unwrap_or_default().to_owned(),
        author: metadata.author.clone(),
        request: None,
        references: lines_of(&metadata.references),
    };
    let Some(active) = active else { return Ok(DryCommits { listed: vec![own], more: MoreCommits::None }) };
    // Where every push is promoted, one commit after the other, no history is needed. A merge brings what it merges.
    let here = world.repository.scratch.objects();
    if here.has(proposed) && here.commit(proposed)?.parents == [active] {
        return Ok(DryCommits { listed: vec![own], more: MoreCommits::None });
    }
    let Some(mut commits) = world.repository.ancestry()?.between(active, proposed, LISTED_COMMITS + 1)?
    else {
        return Ok(DryCommits { listed: vec![own], more: MoreCommits::Unknown });
    };
    let more = if commits.len() > LISTED_COMMITS { MoreCommits::Unknown } else { MoreCommits::None };
    commits.truncate(LISTED_COMMITS);
    let mut listed: Vec<DryLine> = commits.iter().map(dry_line).collect();
    // Merges are not listed, unless they say something themselves.
    let says_more = listed.is_empty() || !own.references.is_empty();
    if says_more && listed.iter().all(|line| line.sha != proposed) {
        listed.insert(0, own);
    }
    Ok(DryCommits { listed, more })
}

fn dry_line(commit: &Commit) -> DryLine {
    DryLine {
        sha: commit.id,
        subject: commit.headline().to_owned(),
        author: format!("{} <{}>", commit.author.name, commit.author.email),
        request: None,
        references: lines_of(&hydrate::references::part(commit.body()).0),
    }
}

/// The DRY commits that a rollback takes back. It may lead to one that is gone from the remote: then nothing is said.
fn undone(world: &World, active: Option<&Tip>, to: &Metadata) -> DryCommits {
    let newest = active.and_then(|active| active.metadata.as_ref());
    let Some((newest, to)) =
        newest.zip(to.dry_commit()).filter(|(newest, to)| newest.dry_commit() != Some(*to))
    else {
        return DryCommits::default();
    };
    let commits = dry_commits(world, Some(to), newest).unwrap_or_default();
    if commits.more == MoreCommits::Unknown && commits.listed.len() < LISTED_COMMITS {
        return DryCommits::default();
    }
    commits
}

/// The commits of applications that these DRY commits name, each once.
fn references(commits: &DryCommits) -> Vec<ReferenceLine> {
    let mut found: Vec<ReferenceLine> = Vec::new();
    for line in commits.listed.iter().flat_map(|commit| &commit.references) {
        if !found.contains(line) {
            found.push(line.clone());
        }
    }
    found
}

fn lines_of(references: &[hydrate::references::Reference]) -> Vec<ReferenceLine> {
    let line = |reference: &hydrate::references::Reference| ReferenceLine {
        sha: reference.commit.sha.clone(),
        repo_url: Some(reference.commit.repo_url.clone()).filter(|url| !url.is_empty()),
        subject: reference.commit.subject.clone(),
        author: reference.commit.author.clone(),
    };
    references.iter().map(line).collect()
}
