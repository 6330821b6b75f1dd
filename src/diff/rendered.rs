//! The manifests of both sides, of those targets alone that read something else, and how they differ.
//!
//! Does I/O: it starts renderers, and fetches what the hydrated branches have.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use super::contents::{Contents, add_files};
use super::hydrated::{self, Hydrated};
use super::report::{Behind, EnvironmentDiff, TargetDiff};
use super::settings::Settings;
use super::sides::Sides;
use super::trust::Allowed;
use super::{Ground, Question};
use crate::commit::TargetOutput;
use crate::compare::compare;
use crate::dry::Dry;
use crate::error::Failure;
use crate::git::{RemoteRefs, SharedObjects};
use crate::model::{Environment, EnvironmentName, ObjectId, SecretRule};
use crate::progress::Progress;
use crate::proposal::blobs_of;
use crate::rendering::{self, Refused, Rendering, Scope};

/// Times are often written in whole seconds: after this much one is another.
const NEXT_SECOND: std::time::Duration = std::time::Duration::from_millis(1_100);

/// Commits that are named of those that an environment has not got yet.
const COMMITS_SHOWN: usize = 20;

/// A target of one environment, on the sides that have it.
struct Pair<'a> {
    name: &'a EnvironmentName,
    base: Option<Place<'a>>,
    head: Option<Place<'a>>,
    /// Why the head must not be rendered.
    refused: Option<Failure>,
}

/// A target's place in the configuration.
#[derive(Clone, Copy)]
struct Place<'a> {
    environment: &'a Environment,
    index: usize,
}

impl<'a> Place<'a> {
    fn target(self) -> Option<&'a crate::model::Target> {
        self.environment.targets.get(self.index)
    }
}

/// One side's rendering.
struct Side<'a> {
    rendering: Rendering<'a>,
    environments: Vec<&'a Environment>,
}

impl<'a> Side<'a> {
    fn validated_by(mut self, validators: &'a [Vec<String>]) -> Self {
        self.rendering = self.rendering.validated_by(validators);
        self
    }

    fn hiding(mut self, secrets: &'a [SecretRule]) -> Self {
        self.rendering = self.rendering.hiding(secrets);
        self
    }
}

/// What changes in each environment.
pub(super) fn environments(
    ground: &Ground<'_>,
    question: &Question,
    refs: &RemoteRefs,
    sides: &Sides,
    progress: &dyn Progress,
) -> Result<Vec<EnvironmentDiff>> {
    let scratch = &ground.repository.scratch;
    let all = both(sides);
    let chosen: Vec<(Option<&Environment>, Option<&Environment>)> = all
        .into_iter()
        .filter(|(base, head)| {
            let name = head.or(*base).map(|environment| &environment.name);
            question.environments.is_empty() || name.is_some_and(|name| question.environments.contains(name))
        })
        .collect();
    let hydrated = hydrated::look(scratch, refs, &newest(&chosen))?;
    let settings = Settings::of(question, sides);
    // What a branch has already was rendered at another time: to be rendered twice, each side renders for itself.
    let scope = if question.determinism { Scope::Full } else { Scope::Affected };
    let mut base = sides
        .base
        .as_ref()
        .map(|dry| Ok::<_, anyhow::Error>(side(ground, question, dry, scope)?.validated_by(&[])))
        .transpose()?;
    // The base is not on trial, and a pull request does not choose its own judges.
    let judges = sides.agreed().map(|agreed| agreed.loaded.project.validators.as_slice()).unwrap_or_default();
    // A fingerprint says nothing of validators: what a run rendered, others may have judged, or nobody.
    let scope = if judges.is_empty() { scope } else { Scope::Full };
    let mut head =
        side(ground, question, &sides.head, scope)?.validated_by(judges).hiding(settings.secrets());
    let mut affected = Vec::new();
    for pair in chosen.iter().flat_map(|(old, new)| pairs_of(*old, *new)) {
        if question.determinism || is_affected(&pair, base.as_ref(), &head)? {
            affected.push(pair);
        }
    }
    let allowed = Allowed::of(sides, ground.config, question.trusts)?;
    for pair in &mut affected {
        pair.refused = pair.head.and_then(|place| allowed.refusal(place.environment, place.target()?));
    }
    if let Some(base) = &mut base {
        let may = |pair: &&Pair<'_>| !question.determinism || pair.refused.is_none();
        render(base, affected.iter().filter(may).filter_map(|pair| pair.base), &hydrated, progress)?;
        let_time_pass(question);
    }
    let rendered = affected.iter().filter(|pair| pair.refused.is_none()).filter_map(|pair| pair.head);
    render(&mut head, rendered, &hydrated, progress)?;
    let outputs: Vec<Outputs> = affected.iter().map(|pair| outputs(pair, base.as_ref(), &head)).collect();
    fetch(ground, &outputs)?;
    let mut found: BTreeMap<&EnvironmentName, Vec<TargetDiff>> = BTreeMap::new();
    let objects = SharedObjects::open(scratch)?;
    let jobs: Vec<(&Pair<'_>, Outputs)> = affected.iter().zip(outputs).collect();
    for ((pair, _), target) in jobs.iter().zip(targets(&objects, &jobs, &settings)) {
        found.entry(pair.name).or_default().push(target?);
    }
    settings.choose(found.values_mut());
    let behind = behind(ground, sides, &hydrated);
    let report = |(base, head): &(Option<&Environment>, Option<&Environment>)| {
        let environment = head.or(*base)?;
        Some(EnvironmentDiff {
            name: environment.name.clone(),
            active_branch: environment.active.clone(),
            targets_in_all: environment.targets.len(),
            hold: hydrated.hold(&environment.name),
            behind: behind.get(&environment.name).cloned(),
            targets: found.remove(&environment.name).unwrap_or_default(),
        })
    };
    Ok(chosen.iter().filter_map(report).collect())
}

/// Where a commit is compared with itself, both sides are on trial, and the second one is rendered in another second.
fn let_time_pass(question: &Question) {
    if question.determinism {
        std::thread::sleep(NEXT_SECOND);
    }
}

/// The environments of both sides: the head's in their order, then those that went away.
fn both(sides: &Sides) -> Vec<(Option<&Environment>, Option<&Environment>)> {
    let old = sides.base.as_ref().map(|base| &base.loaded.project);
    let new = &sides.head.loaded.project;
    let mut all: Vec<_> = new
        .environments
        .iter()
        .map(|environment| (old.and_then(|old| old.environment(&environment.name)), Some(environment)))
        .collect();
    let gone = old.into_iter().flat_map(|old| &old.environments);
    all.extend(gone.filter(|old| new.environment(&old.name).is_none()).map(|old| (Some(old), None)));
    all
}

fn newest<'a>(chosen: &[(Option<&'a Environment>, Option<&'a Environment>)]) -> Vec<&'a Environment> {
    chosen.iter().filter_map(|(base, head)| head.or(*base)).collect()
}

fn side<'a>(ground: &'a Ground<'_>, question: &Question, dry: &'a Dry, scope: Scope) -> Result<Side<'a>> {
    let place = rendering::Ground {
        scratch: &ground.repository.scratch,
        variables: ground.variables,
        stop: ground.stop,
    };
    let mut rendering = Rendering::on(place, dry, question.limits, scope)?;
    let environments = &dry.loaded.project.environments;
    rendering.read_ahead(environments);
    Ok(Side { rendering, environments: environments.iter().collect() })
}

/// The targets of an environment by their outputs.
fn pairs_of<'a>(base: Option<&'a Environment>, head: Option<&'a Environment>) -> Vec<Pair<'a>> {
    let places = |environment: Option<&'a Environment>| -> BTreeMap<&'a str, Place<'a>> {
        let targets = environment.into_iter().flat_map(|environment| {
            let place = move |index| Place { environment, index };
            environment
                .targets
                .iter()
                .enumerate()
                .map(move |(index, target)| (target.output.as_str(), place(index)))
        });
        targets.collect()
    };
    let Some(name) = head.or(base).map(|environment| &environment.name) else { return Vec::new() };
    let (old, new) = (places(base), places(head));
    let outputs: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let pair = |output: &str| Pair {
        name,
        base: old.get(output).copied(),
        head: new.get(output).copied(),
        refused: None,
    };
    outputs.into_iter().map(pair).collect()
}

/// Whether both sides are not sure to render to the same.
fn is_affected(pair: &Pair<'_>, base: Option<&Side<'_>>, head: &Side<'_>) -> Result<bool> {
    let (Some(old), Some(new), Some(base)) = (pair.base, pair.head, base) else { return Ok(true) };
    let before = base.rendering.fingerprint(old.environment, old.index)?;
    let after = head.rendering.fingerprint(new.environment, new.index)?;
    Ok(before.is_none() || before != after)
}

fn render<'a>(
    side: &mut Side<'_>,
    places: impl Iterator<Item = Place<'a>>,
    hydrated: &Hydrated,
    progress: &dyn Progress,
) -> Result<()> {
    let mut wanted: BTreeMap<&EnvironmentName, BTreeSet<usize>> = BTreeMap::new();
    for place in places {
        wanted.entry(&place.environment.name).or_default().insert(place.index);
    }
    let mut environments = Vec::new();
    for environment in &side.environments {
        let Some(indexes) = wanted.get(&environment.name) else { continue };
        let others = environment.targets.iter().enumerate().filter(|(index, _)| !indexes.contains(index));
        let others: BTreeMap<String, usize> =
            others.map(|(index, target)| (target.output.to_string(), index)).collect();
        side.rendering.hold(environment, Some(&others));
        environments.push(*environment);
    }
    side.rendering.render(&environments, &hydrated.cache, progress)
}

/// What a target renders to on both sides; `None` where it is not there.
struct Outputs {
    base: Option<Result<TargetOutput, Failure>>,
    head: Option<Result<TargetOutput, Failure>>,
    /// What validators have against the head.
    refused: Option<Refused>,
}

fn outputs(pair: &Pair<'_>, base: Option<&Side<'_>>, head: &Side<'_>) -> Outputs {
    let output = |side: &Side<'_>, place: Place<'_>| side.rendering.output(place.environment, place.index);
    let mine = pair.head.filter(|_| pair.refused.is_none());
    let refused = mine.and_then(|place| head.rendering.refused(place.environment, place.index)).cloned();
    Outputs {
        base: base.zip(pair.base).and_then(|(side, place)| output(side, place)),
        head: match (&pair.refused, &refused) {
            (Some(refused), _) => Some(Err(refused.clone())),
            (None, Some(refused)) => Some(Ok(refused.output.clone())),
            (None, None) => pair.head.and_then(|place| output(head, place)),
        },
        refused,
    }
}

impl Outputs {
    /// The two trees where the head rendered, and they differ. A base that did not render has nothing.
    fn trees(&self) -> Option<[Option<ObjectId>; 2]> {
        let head = match &self.head {
            Some(output) => output.as_ref().ok()?.tree,
            None => None,
        };
        let base = self.base.as_ref().and_then(|output| output.as_ref().ok()?.tree);
        (base != head).then_some([base, head])
    }
}

/// Brings those manifests here that only a branch has.
fn fetch(ground: &Ground<'_>, outputs: &[Outputs]) -> Result<()> {
    let scratch = &ground.repository.scratch;
    let objects = scratch.objects();
    let mut blobs = BTreeSet::new();
    for tree in outputs.iter().filter_map(Outputs::trees).flatten().flatten() {
        blobs.extend(blobs_of(objects, tree)?.into_values().filter(|blob| !objects.has(*blob)));
    }
    scratch.fetch_blobs(&blobs)
}

/// Compares every target, several at the same time.
fn targets(
    objects: &SharedObjects,
    jobs: &[(&Pair<'_>, Outputs)],
    settings: &Settings,
) -> Vec<Result<TargetDiff>> {
    let results: Vec<Mutex<Option<Result<TargetDiff>>>> = jobs.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some((index, (pair, outputs))) =
            Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|index| Some((index, jobs.get(index)?)))
        {
            let done = target(objects, pair, outputs, settings);
            *results[index].lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(jobs.len());
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(work);
        }
        work();
    });
    let missing = || Err(anyhow::anyhow!("a target was not compared"));
    let take = |result: Mutex<Option<Result<TargetDiff>>>| {
        result.into_inner().unwrap_or_else(PoisonError::into_inner).unwrap_or_else(missing)
    };
    results.into_iter().map(take).collect()
}

fn target(
    objects: &SharedObjects,
    pair: &Pair<'_>,
    outputs: &Outputs,
    settings: &Settings,
) -> Result<TargetDiff> {
    let (name, output) = pair
        .head
        .or(pair.base)
        .and_then(Place::target)
        .map(|target| (target.name.clone(), target.output.to_string()))
        .unwrap_or_default();
    let mut diff = TargetDiff::new(name, output);
    if let Some(Err(failure)) = &outputs.base {
        diff = diff.without_base(failure);
    }
    if let Some(Err(failure)) = &outputs.head {
        return Ok(diff.failed(failure));
    }
    if let Some(refused) = &outputs.refused {
        diff = diff.failed(&refused.failure).complained(&refused.complaints);
    }
    if let Some([base, head]) = outputs.trees() {
        (diff.base_tree, diff.head_tree) = (base, head);
        let rules = settings.rules();
        let (base, head) = (Contents::read(objects, base)?, Contents::read(objects, head)?);
        let mut found = compare(&diff.name, base.documents(), head.documents(), &rules);
        add_files(&mut found, &base, &head, rules.form);
        return Ok(diff.with(found));
    }
    Ok(diff)
}

/// What each environment has not got yet of the DRY branch. Where history does not tell, nothing is said.
fn behind(ground: &Ground<'_>, sides: &Sides, hydrated: &Hydrated) -> BTreeMap<EnvironmentName, Behind> {
    let mut found = BTreeMap::new();
    for (name, tip) in &hydrated.active {
        let Some(active) = tip.dry_sha().filter(|active| *active != sides.base_id) else { continue };
        let between = ground
            .repository
            .ancestry()
            .and_then(|ancestry| ancestry.between(active, sides.base_id, COMMITS_SHOWN + 1));
        let Ok(Some(mut commits)) = between else { continue };
        let more = commits.len() > COMMITS_SHOWN;
        commits.truncate(COMMITS_SHOWN);
        let commits: Vec<String> =
            commits.iter().map(|commit| format!("{} {}", commit.id.short(), commit.headline())).collect();
        if !commits.is_empty() {
            found.insert(name.clone(), Behind { active, commits, more });
        }
    }
    found
}
