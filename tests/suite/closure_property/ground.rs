//! Where histories are tried: a real repository with all their trees, and the real renderers on whole trees.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use camino::{Utf8Path, Utf8PathBuf};
use hydrator::error::message_of;
use hydrator::fingerprint::{Circumstances, fingerprint};
use hydrator::git::{Checkout, CommitTree, GitProgram, Scratch};
use hydrator::model::{EnvironmentName, Layout, ObjectId, Target};
use hydrator::render::closure::{Closures, EdgeKind};
use hydrator::render::{RenderJob, RenderOptions, RenderSetup, Renderers, Toolbox};
use hydrator::template::Engine;
use hydrator::variables::Variables;

use super::state::{Entry, State};
use crate::support::git::TestRepo;
use crate::support::tools;

/// What a target renders to; why it fails does not matter, since failures are never remembered.
type Outcome = Result<String, String>;

/// One target of one tree.
type Key = (ObjectId, String);

/// A repository with histories, and what was rendered of them.
pub(super) struct Ground {
    scratch: Scratch,
    toolbox: Toolbox,
    rendered: BTreeMap<Key, Outcome>,
    directory: tempfile::TempDir,
    /// How many outcomes were compared, and how many of them were manifests.
    pub(super) compared: usize,
    pub(super) succeeded: usize,
    _repo: TestRepo,
}

/// A history in the repository: its states and their trees.
pub(super) struct Placed {
    pub(super) states: Vec<State>,
    trees: Vec<ObjectId>,
}

impl Ground {
    /// Commits every state of every history.
    pub(super) fn new(histories: Vec<Vec<State>>) -> (Self, Vec<Placed>) {
        let repo = TestRepo::new();
        let git = repo.work_git();
        let mut stream = Vec::new();
        let mut marks = 0;
        for state in histories.iter().flatten() {
            marks += 1;
            commit(&mut stream, marks, state);
        }
        git.feed(&["fast-import", "--quiet", "--export-marks=marks"], &stream);
        let text = std::fs::read_to_string(repo.work().join("marks")).unwrap();
        let ids: BTreeMap<usize, ObjectId> = text.lines().map(mark).collect();

        let variables = Variables::new([("PATH".to_owned(), tools::search_path())]);
        let program = GitProgram::new(&variables, Arc::new(AtomicBool::new(false)));
        let work = Utf8PathBuf::from_path_buf(repo.work()).unwrap();
        let checkout = Checkout::inspect(&program, &work, "origin").unwrap();
        let scratch = Scratch::create(program, &checkout, "origin", None).unwrap();
        let mut trees = ids.values().map(|id| scratch.objects().commit(*id).unwrap().tree);
        let placed = histories.into_iter().map(|states| {
            let trees = states.iter().map(|_| trees.next().unwrap()).collect();
            Placed { states, trees }
        });
        let placed = placed.collect();
        drop(trees);
        let toolbox = Toolbox::discover(&tools::search_path());
        let directory = tempfile::tempdir().unwrap();
        let (rendered, compared, succeeded) = (BTreeMap::new(), 0, 0);
        (Self { scratch, toolbox, rendered, directory, compared, succeeded, _repo: repo }, placed)
    }

    /// Looks for a target whose output changed while its fingerprint did not, and says where.
    pub(super) fn violation(&mut self, history: &Placed, without: Option<EdgeKind>) -> Option<String> {
        let groups = self.groups(history, without);
        let groups: Vec<_> = groups
            .into_iter()
            .filter(|(_, places)| {
                places.iter().map(|(index, _)| history.trees[*index]).collect::<BTreeSet<_>>().len() > 1
            })
            .collect();
        let wanted = groups.iter().flat_map(|(_, places)| places);
        for (index, target) in wanted {
            let _ = self.render(history.trees[*index], &history.states[*index].targets[*target], None);
        }
        for ((name, _), places) in groups {
            let outcomes: Vec<(usize, &Outcome)> = places
                .iter()
                .map(|(index, target)| {
                    let target = &history.states[*index].targets[*target];
                    (*index, &self.rendered[&key(history.trees[*index], target)])
                })
                .collect();
            self.compared += outcomes.len() - 1;
            self.succeeded += outcomes.iter().skip(1).filter(|(_, outcome)| outcome.is_ok()).count();
            let (first, before) = outcomes[0];
            if let Some((second, now)) =
                outcomes.iter().find(|(_, now)| now.as_ref().ok() != before.as_ref().ok())
            {
                let difference = differences(&history.states[first], &history.states[*second]);
                return Some(format!(
                    "target {name} of trees {first} and {second} has one fingerprint and two outputs\n{difference}\n--- {before:?}\n+++ {now:?}"
                ));
            }
        }
        None
    }

    /// The targets whose fingerprints differ between two states.
    pub(super) fn affected(&self, history: &Placed, one: usize, other: usize) -> Vec<String> {
        let groups = self.groups(history, None);
        let of = |index: usize| -> BTreeSet<&(String, ObjectId)> {
            let is_there = |places: &Vec<(usize, usize)>| places.iter().any(|(place, _)| *place == index);
            groups.iter().filter(|(_, places)| is_there(places)).map(|(key, _)| key).collect()
        };
        of(other).difference(&of(one)).map(|(name, _)| name.clone()).collect()
    }

    /// Looks for a target that renders otherwise when its program sees only the closure.
    pub(super) fn narrow_export(&mut self, history: &Placed) -> Option<String> {
        let tree = history.trees[0];
        for target in &history.states[0].targets {
            let whole = self.render(tree, target, None);
            let open = CommitTree::open(&self.scratch, tree).unwrap();
            let exported = Closures::new(&open).closure(target).unwrap().exported();
            let narrow = self.render(tree, target, Some(&exported));
            if whole.as_ref().ok() != narrow.as_ref().ok() {
                return Some(format!("target {}: {exported:?}\n--- {whole:?}\n+++ {narrow:?}", target.name));
            }
        }
        None
    }

    /// The states and targets that have the same name and the same fingerprint.
    fn groups(
        &self,
        history: &Placed,
        without: Option<EdgeKind>,
    ) -> BTreeMap<(String, ObjectId), Vec<(usize, usize)>> {
        let variables = Variables::default();
        let circumstances =
            Circumstances { tool: Some("kustomize 5"), layout: Layout::Single, variables: &variables };
        let mut groups: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (index, state) in history.states.iter().enumerate() {
            let tree = CommitTree::open(&self.scratch, history.trees[index]).unwrap();
            let closures = Closures::new(&tree);
            let closures = without.into_iter().fold(closures, Closures::without);
            for (place, target) in state.targets.iter().enumerate() {
                let closure = closures.closure(target).unwrap();
                if closure.is_closed() {
                    let fingerprint = fingerprint(target, &closure, circumstances).unwrap();
                    groups.entry((target.name.clone(), fingerprint)).or_default().push((index, place));
                }
            }
        }
        groups
    }

    /// Renders a target on an export of the whole tree, or of `inputs`.
    fn render(&mut self, tree: ObjectId, target: &Target, inputs: Option<&[Utf8PathBuf]>) -> Outcome {
        let key = key(tree, target);
        if inputs.is_none()
            && let Some(known) = self.rendered.get(&key)
        {
            return known.clone();
        }
        let open = CommitTree::open(&self.scratch, tree).unwrap();
        let path = self.directory.path().canonicalize().unwrap();
        let (cancel, variables) = (AtomicBool::new(false), BTreeMap::new());
        let renderers = Renderers::new(RenderSetup {
            toolbox: &self.toolbox,
            tree: &open,
            scratch: Utf8Path::from_path(&path).unwrap(),
            variables: &variables,
            templates: &Engine,
            cancel: &cancel,
            options: RenderOptions::default(),
        });
        let environment = EnvironmentName::new("dev");
        let whole = [Utf8PathBuf::new()];
        let job = RenderJob { environment: &environment, target, inputs: Some(inputs.unwrap_or(&whole)) };
        let rendered = renderers.render(&job).map_err(|error| message_of(&error));
        let text = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        let outcome: Outcome =
            rendered.map(|rendered| rendered.manifests.iter().map(|manifest| text(&manifest.text)).collect());
        if inputs.is_none() {
            self.rendered.insert(key, outcome.clone());
        }
        outcome
    }
}

fn key(tree: ObjectId, target: &Target) -> Key {
    (tree, format!("{target:?}"))
}

fn commit(stream: &mut Vec<u8>, mark: usize, state: &State) {
    let mut text = format!(
        "commit refs/heads/h{mark}\nmark :{mark}\ncommitter A <a@example.com> 1700000000 +0000\ndata 0\ndeleteall\n"
    );
    for (path, entry) in state.all_files() {
        let (mode, content) = match &entry {
            Entry::File(content) => ("100644", content),
            Entry::Executable(content) => ("100755", content),
            Entry::Link(content) => ("120000", content),
        };
        // Writing to a string cannot fail.
        let _ = write!(text, "M {mode} inline {path}\ndata {}\n{content}\n", content.len());
    }
    stream.extend(text.into_bytes());
}

fn mark(line: &str) -> (usize, ObjectId) {
    let (mark, id) = line.trim_start_matches(':').split_once(' ').unwrap();
    (mark.parse().unwrap(), ObjectId::parse(id).unwrap())
}

fn differences(one: &State, other: &State) -> String {
    let (one, other) = (one.all_files(), other.all_files());
    let paths: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    let changed = paths.into_iter().filter(|path| one.get(*path) != other.get(*path));
    let lines = changed.map(|path| format!("{path}: {:?} → {:?}\n", one.get(path), other.get(path)));
    lines.collect::<Vec<_>>().concat()
}
