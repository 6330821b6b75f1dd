//! The ground of a simulated history: a real bare repository, the local forge beside it, and hydrator in this process.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use camino::Utf8PathBuf;
use git2::{Oid, Repository as Git, Signature, Time};
use hydrator::forge::Forge;
use hydrator::forge::local::LocalForge;
use hydrator::model::{CommitId, CommitState, CommitStatus, EnvironmentName, RunReport};
use hydrator::plan::Permissions;
use hydrator::promotion::{PromoteRequest, promote};
use hydrator::rollback;
use hydrator::run::{RunRequest, run};
use hydrator::variables::Variables;
use hydrator::world::{Location, Repository, World};
use jiff::Timestamp;

use super::plan::Plan;
use super::spy::Spy;

/// A Monday morning in summer, in UTC.
pub(super) const MORNING: i64 = 1_783_321_200;

thread_local! {
    static NOW: Cell<i64> = const { Cell::new(MORNING) };
}

/// The forge's clock, and hydrator's.
pub(super) fn clock() -> Timestamp {
    Timestamp::from_second(NOW.get()).expect("a time of this century")
}

/// Moves both clocks.
pub(super) fn step(seconds: i64) {
    NOW.set(NOW.get() + seconds);
}

/// Goes on to ten o'clock of the next day.
pub(super) fn next_day() {
    NOW.set((NOW.get().div_euclid(86_400) + 1) * 86_400 + 36_000);
}

/// The repository and its forge.
pub(super) struct Ground {
    pub(super) plan: Plan,
    pub(super) git: Git,
    pub(super) forge: LocalForge,
    pub(super) path: Utf8PathBuf,
    /// The DRY commits: each with its parent and what it says for each environment.
    pub(super) dry: RefCell<BTreeMap<CommitId, Dry>>,
    /// The tip of the notes when they were last read.
    pub(super) notes: Cell<Option<Oid>>,
    /// What happened, for people who look at a failure.
    pub(super) story: RefCell<Vec<String>>,
    /// Of each environment what it runs, and since when.
    activations: RefCell<BTreeMap<usize, (Option<String>, i64)>>,
    _directory: tempfile::TempDir,
    variables: Variables,
}

/// A DRY commit.
#[derive(Clone, Debug)]
pub(super) struct Dry {
    pub(super) parent: Option<CommitId>,
    pub(super) values: Vec<u32>,
}

pub(super) fn id(oid: Oid) -> CommitId {
    CommitId::parse(&oid.to_string()).expect("git's ids are ids")
}

pub(super) fn oid(id: CommitId) -> Oid {
    Oid::from_bytes(id.as_bytes()).expect("our ids are git's")
}

impl Ground {
    /// A repository with one DRY commit.
    pub(super) fn new(plan: Plan) -> Rc<Self> {
        NOW.set(MORNING);
        let directory = tempfile::Builder::new().prefix("hydrator-history-").tempdir().expect("a directory");
        let path = Utf8PathBuf::from_path_buf(directory.path().join("remote.git")).expect("it is UTF-8");
        let mut options = git2::RepositoryInitOptions::new();
        let git = Git::init_opts(&path, options.bare(true).initial_head("main")).expect("a repository");
        let mut settings = git.config().expect("settings");
        settings.set_bool("uploadpack.allowAnySHA1InWant", true).expect("a setting");
        let forge = LocalForge::open(&path).expect("a forge").with_clock(clock);
        let path_variable = std::env::var("PATH").unwrap_or_default();
        let home = directory.path().display().to_string();
        let variables = [("PATH", path_variable), ("HOME", home), ("GIT_CONFIG_NOSYSTEM", "1".to_owned())];
        let variables = Variables::new(variables.map(|(name, value)| (name.to_owned(), value)));
        let ground = Rc::new(Self {
            plan,
            git,
            forge,
            path,
            dry: RefCell::default(),
            notes: Cell::default(),
            story: RefCell::default(),
            activations: RefCell::default(),
            _directory: directory,
            variables,
        });
        for context in ground.plan.required.clone() {
            ground.forge.require_status(&context).expect("a status");
        }
        let values = vec![0; ground.plan.environments.len()];
        ground.commit_dry(values);
        ground
    }

    /// Alice pushes a DRY commit with these values.
    pub(super) fn commit_dry(&self, values: Vec<u32>) -> CommitId {
        self.tell(format!("push {values:?}"));
        let parent = self.tip("main");
        let mut files = vec![("hydrator.yaml".to_owned(), self.plan.yaml())];
        for (environment, value) in self.plan.environments.iter().zip(&values) {
            for target in TARGETS {
                let text = if *value == BROKEN { "kind: [".to_owned() } else { manifest(target, *value) };
                files.push((format!("deploy/{}/{target}/all.yaml", environment.name), text));
            }
        }
        let tree = self.tree(None, &files);
        let commit = self.commit(tree, parent, &self.words());
        self.set_branch("main", commit);
        self.dry.borrow_mut().insert(commit, Dry { parent, values });
        commit
    }

    /// The message of a DRY commit; some name the commit of an application.
    fn words(&self) -> String {
        let count = self.dry.borrow().len();
        let subject = format!("DRY {count}");
        if count.is_multiple_of(2) {
            return subject;
        }
        format!("{subject}\n\nArgocd-reference-commit-sha: {:040x}\n", count + 1)
    }

    /// Somebody edits an active branch by hand.
    pub(super) fn edit_active(&self, environment: &str) -> bool {
        self.tell(format!("edit {environment}"));
        let branch = format!("hydrator/{environment}");
        let Some(tip) = self.tip(&branch) else { return false };
        let base = self.git.find_commit(oid(tip)).expect("a commit").tree_id();
        if self.manifest(tip).is_none() {
            return false;
        }
        let tree = self.tree(Some(base), &[("web/manifest.yaml".to_owned(), manifest("web", 999))]);
        let commit = self.commit(tree, Some(tip), "By hand");
        self.set_branch(&branch, commit);
        true
    }

    fn tree(&self, base: Option<Oid>, files: &[(String, String)]) -> Oid {
        let base = base.map(|base| self.git.find_tree(base).expect("a tree"));
        let empty = self.git.treebuilder(None).and_then(|builder| builder.write()).expect("an empty tree");
        let base = base.unwrap_or_else(|| self.git.find_tree(empty).expect("a tree"));
        let mut update = git2::build::TreeUpdateBuilder::new();
        for (path, text) in files {
            let blob = self.git.blob(text.as_bytes()).expect("a blob");
            update.upsert(path, blob, git2::FileMode::Blob);
        }
        update.create_updated(&self.git, &base).expect("a tree")
    }

    fn commit(&self, tree: Oid, parent: Option<CommitId>, message: &str) -> CommitId {
        let time = Time::new(NOW.get(), 0);
        let signature = Signature::new("Alice", "alice@example.com", &time).expect("a signature");
        let parent = parent.map(|parent| self.git.find_commit(oid(parent)).expect("a commit"));
        let tree = self.git.find_tree(tree).expect("a tree");
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        id(self.git.commit(None, &signature, &signature, message, &tree, &parents).expect("a commit"))
    }

    pub(super) fn set_branch(&self, branch: &str, commit: CommitId) {
        let name = format!("refs/heads/{branch}");
        drop(self.git.reference(&name, oid(commit), true, "simulated").expect("a branch"));
    }

    pub(super) fn delete_branch(&self, branch: &str) {
        self.tell(format!("delete {branch}"));
        if let Ok(mut found) = self.git.find_reference(&format!("refs/heads/{branch}")) {
            found.delete().expect("a branch goes away");
        }
    }

    pub(super) fn tip(&self, branch: &str) -> Option<CommitId> {
        self.git.refname_to_id(&format!("refs/heads/{branch}")).ok().map(id)
    }

    /// All refs and what the forge keeps: everything that a run could change.
    pub(super) fn everything(&self) -> String {
        let references = self.git.references().expect("refs").flatten();
        let line = |one: git2::Reference<'_>| format!("{} {:?}\n", one.name().unwrap_or("?"), one.target());
        let text: String = references.map(line).collect();
        text + &std::fs::read_to_string(self.path.join("hydrator-forge/state.json")).unwrap_or_default()
    }

    /// The text of a file of a commit.
    pub(super) fn file(&self, commit: CommitId, path: &str) -> Option<String> {
        let tree = self.git.find_commit(oid(commit)).and_then(|commit| commit.tree()).ok()?;
        let entry = tree.get_path(std::path::Path::new(path)).ok()?;
        let blob = self.git.find_blob(entry.id()).ok()?;
        Some(String::from_utf8_lossy(blob.content()).into_owned())
    }

    /// The manifests of a hydrated commit, of all targets.
    pub(super) fn manifest(&self, commit: CommitId) -> Option<String> {
        TARGETS.iter().map(|target| self.file(commit, &format!("{target}/manifest.yaml"))).collect()
    }

    /// What the note on a commit says.
    pub(super) fn note(&self, commit: CommitId) -> Option<String> {
        let notes = self.git.refname_to_id("refs/notes/hydrator.metadata").ok()?;
        let digits = commit.to_string();
        let flat = self.file(id(notes), &digits);
        flat.or_else(|| self.file(id(notes), &format!("{}/{}", &digits[..2], &digits[2..])))
    }

    fn world(&self, forge: Box<dyn Forge>) -> World {
        let location = Location { repository: self.path.clone(), remote: "origin".to_owned() };
        let stop = Arc::new(AtomicBool::new(false));
        World {
            repository: Repository::open(location, &self.variables, &stop, &|_| None)
                .expect("the repository opens"),
            forge,
            trigger: None,
            config: "hydrator.yaml".into(),
            variables: self.variables.clone(),
            stop,
            clock,
        }
    }

    /// `hydrator run`, for the tip or for an older DRY commit that a late job is for.
    pub(super) fn run(self: &Rc<Self>, late: Option<CommitId>) -> RunReport {
        self.run_of(late, &[])
    }

    /// The same of some environments only.
    pub(super) fn run_of(self: &Rc<Self>, late: Option<CommitId>, environments: &[&str]) -> RunReport {
        let before = self.active_tips();
        let mut world = self.world(Box::new(Spy(Rc::clone(self))));
        world.trigger =
            late.map(|commit| hydrator::ci::Trigger { commit, full_ref: "refs/heads/main".to_owned() });
        self.tell(format!("run, late: {late:?}, only {environments:?}"));
        let environments = environments.iter().map(|name| EnvironmentName::new(*name)).collect();
        let request = RunRequest { environments, ..RunRequest::default() };
        let report = run(&world, &request, &hydrator::progress::Silent);
        self.follow_activations();
        let report = report.unwrap_or_else(|error| panic!("run: {error:?}"));
        super::model::check_pushed(self, &before);
        report
    }

    /// The tips of all active branches.
    fn active_tips(&self) -> Vec<Option<CommitId>> {
        let environments = self.plan.environments.iter();
        environments.map(|environment| self.tip(&format!("hydrator/{}", environment.name))).collect()
    }

    /// `hydrator promote`.
    pub(super) fn promote(self: &Rc<Self>, reopen: &[&str]) -> RunReport {
        let reopen = reopen.iter().map(|name| EnvironmentName::new(*name)).collect();
        self.tell("promote");
        self.promote_as(&PromoteRequest { reopen, ..PromoteRequest::default() })
    }

    pub(super) fn promote_as(self: &Rc<Self>, request: &PromoteRequest) -> RunReport {
        let before = self.active_tips();
        let world = self.world(Box::new(Spy(Rc::clone(self))));
        let report = promote(&world, request, &|_| ());
        self.follow_activations();
        let report = report.unwrap_or_else(|error| panic!("promote: {error:?}"));
        super::model::check_pushed(self, &before);
        report
    }

    /// `hydrator rollback` of an environment, or of one target there; false where there is nothing to go back to.
    pub(super) fn rollback(self: &Rc<Self>, environment: &str, target: Option<&str>, let_pass: bool) -> bool {
        self.roll_back(environment, target, (let_pass, false))
    }

    /// The same, without a pull request where `push` says so.
    pub(super) fn roll_back(
        self: &Rc<Self>,
        environment: &str,
        target: Option<&str>,
        (let_pass, push): (bool, bool),
    ) -> bool {
        let world = self.world(Box::new(Spy(Rc::clone(self))));
        self.tell(format!("rollback {environment}, target {target:?}, others pass: {let_pass}"));
        let request = rollback::Request {
            environments: vec![EnvironmentName::new(environment)],
            all_after: None,
            to: "previous".parse().expect("a state"),
            targets: target.map(str::to_owned).into_iter().collect(),
            actor: "carol".to_owned(),
            reason: "simulated".to_owned(),
            now: clock(),
            hold: true,
            let_pass,
            push,
            dry_run: false,
            revert_dry: false,
            permissions: Permissions::default(),
        };
        let done = rollback::rollback(&world, &request);
        self.follow_activations();
        done.is_ok_and(|done| done.report.environments.iter().all(|one| one.error.is_none()))
    }

    /// Whether anybody ever rolled back.
    pub(super) fn was_rolled_back(&self) -> bool {
        self.story.borrow().iter().any(|line| line.starts_with("rollback "))
    }

    /// `hydrator resume`.
    pub(super) fn resume(self: &Rc<Self>, environments: &[String]) {
        let world = self.world(Box::new(Spy(Rc::clone(self))));
        self.tell(format!("resume {environments:?}"));
        let request = RunRequest {
            environments: environments.iter().map(EnvironmentName::new).collect(),
            permissions: Permissions { resume: true, ..Permissions::default() },
            ..RunRequest::default()
        };
        let report = run(&world, &request, &hydrator::progress::Silent);
        self.follow_activations();
        drop(report.unwrap_or_else(|error| panic!("resume: {error:?}")));
    }

    /// Takes down what happens.
    pub(super) fn tell(&self, what: impl Into<String>) {
        self.story.borrow_mut().push(what.into());
    }

    /// Takes down since when each environment runs what it runs: asked after everything that may change that.
    pub(super) fn follow_activations(&self) {
        let mut activations = self.activations.borrow_mut();
        for (at, environment) in self.plan.environments.iter().enumerate() {
            let tip = self.tip(&format!("hydrator/{}", environment.name));
            let runs = tip.and_then(|tip| self.manifest(tip));
            if activations.get(&at).is_none_or(|(before, _)| *before != runs) {
                activations.insert(at, (runs, NOW.get()));
            }
        }
    }

    /// Since when an environment runs what it runs.
    pub(super) fn active_since(&self, at: usize) -> Option<i64> {
        self.activations.borrow().get(&at).map(|(_, since)| *since)
    }

    /// Whether an environment runs what no DRY commit says.
    pub(super) fn is_edited(&self, at: usize) -> bool {
        let tip = self.tip(&format!("hydrator/{}", self.plan.environments[at].name));
        tip.and_then(|tip| self.file(tip, "web/manifest.yaml")) == Some(manifest("web", 999))
    }

    /// Whether one DRY commit is a true ancestor of another one.
    pub(super) fn is_before(&self, older: CommitId, newer: CommitId) -> bool {
        let dry = self.dry.borrow();
        let mut at = dry.get(&newer).and_then(|dry| dry.parent);
        while let Some(parent) = at {
            if parent == older {
                return true;
            }
            at = dry.get(&parent).and_then(|dry| dry.parent);
        }
        false
    }

    /// The environment whose active branch this is.
    pub(super) fn place(&self, active: &str) -> usize {
        let is = |name: &str| active == format!("hydrator/{name}");
        self.plan.environments.iter().position(|one| is(&one.name)).expect("an active branch of ours")
    }

    /// Another program reports on a commit.
    pub(super) fn report(&self, commit: CommitId, context: &str, state: CommitState) {
        let status =
            CommitStatus { context: context.to_owned(), state, description: String::new(), created_at: None };
        self.forge.set_status(commit, &status).expect("the forge takes a status");
    }

    /// The state of a status; `None` if nobody reported.
    pub(super) fn state_of(&self, commit: CommitId, context: &str) -> Option<CommitState> {
        let statuses = self.forge.statuses(&[commit]).expect("the forge answers");
        let found = statuses.get(&commit)?.iter().find(|status| status.context == context)?;
        Some(found.state)
    }
}

/// The value of what cannot be rendered.
pub(super) const BROKEN: u32 = 4;

/// The targets of every environment.
pub(super) const TARGETS: [&str; 2] = ["web", "jobs"];

/// What an environment has for a value.
pub(super) fn manifests(value: u32) -> String {
    TARGETS.map(|target| manifest(target, value)).concat()
}

/// One target of it: not every value is another one for the jobs.
fn manifest(target: &str, value: u32) -> String {
    let value = if target == "jobs" { value / 2 } else { value };
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {target} }}\ndata: {{ value: \"{value}\" }}\n"
    )
}
