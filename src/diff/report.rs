//! The preview as values, for every form in which it is printed. Pure.

use anyhow::Result;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use crate::compare::{Change, Comparison, Hunk, Mark, Operation, Reference, Signal};
use crate::error::{Failure, hint_of, kind_of, message_of};
use crate::model::{BranchName, CommitId, EnvironmentName, ErrorReport, ManifestId, ObjectId};
use crate::previewed::Prints;

/// Fields beyond these are counted.
const FIELDS_SHOWN: usize = 5;

/// What a change of the DRY branch changes in every environment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffReport {
    /// The DRY commit that is compared with; unknown where the head's configuration is wrong.
    pub base_sha: Option<CommitId>,
    /// The DRY commit that is looked at.
    pub head_sha: CommitId,
    /// Why nothing can be told: the head's configuration is wrong.
    pub error: Option<ErrorReport>,
    /// What is wrong with the configuration that is compared with: then everything counts as new.
    pub base_error: Option<ErrorReport>,
    /// Whose configuration gives rights, validators and rules; unknown where the head's configuration is wrong.
    pub agreed: Option<Agreed>,
    /// Why the remote could not be asked, where its branches are those that the checkout remembers from its last fetch.
    pub unreachable: Option<String>,
    /// Whether one commit was rendered twice, to find what is not deterministic.
    pub determinism: bool,
    /// Every environment that either has, in the order of promotion.
    pub environments: Vec<EnvironmentDiff>,
}

/// The DRY commit whose configuration says what may be done for a change, who judges it, and how it is shown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Agreed {
    /// The commit.
    pub sha: CommitId,
    /// The protected branch, whose tip it is; `null` where the remote has none, and what is compared with stands in for it.
    pub branch: Option<BranchName>,
    /// What is wrong with its configuration: then nothing is allowed, nobody judges, and no rule hides anything.
    pub error: Option<ErrorReport>,
}

/// What changes in one environment.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentDiff {
    /// Its name.
    pub name: EnvironmentName,
    /// What the cluster syncs.
    pub active_branch: BranchName,
    /// How many targets it has, or had.
    pub targets_in_all: usize,
    /// Why it, or some of its targets, stay where they are, whatever is merged.
    pub hold: Option<String>,
    /// The DRY commits that it has not got yet, besides those that are compared.
    pub behind: Option<Behind>,
    /// The targets whose inputs differ, by output.
    pub targets: Vec<TargetDiff>,
}

/// What an environment has not got yet although it is on the DRY branch.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Behind {
    /// The DRY commit that is active.
    pub active: CommitId,
    /// The newer DRY commits, newest first, each with its subject; the first twenty of them.
    pub commits: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}

impl Behind {
    /// One line.
    pub fn words(&self) -> String {
        let count = self.commits.len();
        let (more, s) = (if self.more { "more than " } else { "" }, if count == 1 { "" } else { "s" });
        let named: Vec<&str> = self.commits.iter().take(3).map(String::as_str).collect();
        let rest = if count > named.len() { ", and older ones" } else { "" };
        format!("{more}{count} commit{s} behind already: {}{rest}", named.join(", "))
    }
}

/// What changes in one target.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetDiff {
    /// Its name.
    pub name: String,
    /// Its directory on the hydrated branch.
    pub output: String,
    /// The git tree of its manifests as they are; `null` where it has none, or nothing differs.
    pub base_tree: Option<ObjectId>,
    /// The git tree of its manifests as they will be; the same.
    pub head_tree: Option<ObjectId>,
    /// How many manifests are new.
    pub added: usize,
    /// How many have another text.
    pub changed: usize,
    /// How many go away.
    pub removed: usize,
    /// How many are written differently, mean the same, and are not shown.
    pub form: usize,
    /// How many changes `diff.ignore` hides.
    pub hidden: usize,
    /// The manifests that differ.
    pub changes: Vec<ManifestChange>,
    /// Why it cannot be told what it will be, or why validators refuse what it will be.
    pub error: Option<ErrorReport>,
    /// What validators say of single manifests; all of it stands in the error, too.
    pub complaints: Vec<Complaint>,
    /// Why it cannot be told what it is: the base alone does not render, and everything counts as new.
    pub base_error: Option<ErrorReport>,
}

/// What a validator says of one manifest, which need not be one that differs.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Complaint {
    /// The manifest.
    pub manifest: ManifestName,
    /// One or more lines.
    pub text: String,
}

/// A manifest that differs, or a file that does besides its manifests.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestChange {
    /// What becomes of it.
    pub operation: Operation,
    /// Who it is; where it gets another identity, who it will be.
    pub manifest: ManifestName,
    /// Who it was, where it gets another identity.
    pub was: Option<ManifestName>,
    /// The lines that differ, with a few around them. Values of Secrets are hidden.
    pub hunks: Vec<Hunk>,
    /// Whether it means the same, and is only written differently: counted in `form`, unless that is to be shown.
    pub form: bool,
    /// The fields that differ, or are written differently; only with `--determinism` and `--show-hidden`.
    pub fields: Vec<String>,
    /// Where it uses a generated `ConfigMap` or Secret that gets another name.
    pub references: Vec<Reference>,
    /// How many changes of it `diff.ignore` hides.
    pub hidden: usize,
    /// What a reviewer should not overlook.
    pub signals: Vec<Signal>,
}

/// Who a manifest is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManifestName {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The namespace; empty where it names none.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl From<ManifestId> for ManifestName {
    fn from(id: ManifestId) -> Self {
        Self { group: id.group, kind: id.kind, namespace: id.namespace, name: id.name }
    }
}

impl ManifestName {
    /// Who it is in any namespace, since environments often differ in that.
    pub fn unplaced(&self) -> String {
        Self { namespace: String::new(), ..self.clone() }.to_string()
    }
}

impl std::fmt::Display for ManifestName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let id = ManifestId {
            group: self.group.clone(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        };
        id.fmt(out)
    }
}

impl From<Change> for ManifestChange {
    fn from(change: Change) -> Self {
        Self {
            operation: change.operation,
            manifest: change.id.into(),
            was: change.was.map(ManifestName::from),
            hunks: change.hunks,
            form: change.form,
            fields: change.fields,
            references: change.references,
            hidden: change.hidden,
            signals: change.signals,
        }
    }
}

impl ManifestChange {
    /// The fields that differ, and that it is only written differently; `show` makes one for people of a field.
    pub fn what(&self, show: impl Fn(&str) -> String) -> Option<String> {
        let fields: Vec<String> = self.fields.iter().take(FIELDS_SHOWN).map(|field| show(field)).collect();
        let more = self.fields.len() - fields.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let fields = fields.join(", ");
        match (self.form, self.fields.is_empty()) {
            (true, true) => Some("only written differently".to_owned()),
            (true, false) => Some(format!("only written differently in {fields}{more}")),
            (false, false) => Some(format!("differs in {fields}{more}")),
            (false, true) => None,
        }
    }

    /// How many lines come, and how many go.
    pub fn lines(&self) -> (usize, usize) {
        let count = |mark| self.hunks.iter().map(|hunk| hunk.count(mark)).sum();
        (count(Mark::Added), count(Mark::Removed))
    }
}

impl TargetDiff {
    /// A target with nothing found yet.
    pub fn new(name: String, output: String) -> Self {
        Self {
            name,
            output,
            base_tree: None,
            head_tree: None,
            added: 0,
            changed: 0,
            removed: 0,
            form: 0,
            hidden: 0,
            changes: Vec::new(),
            error: None,
            complaints: Vec::new(),
            base_error: None,
        }
    }

    /// Takes up what was found.
    #[must_use]
    pub fn with(mut self, found: Comparison) -> Self {
        (self.form, self.hidden) = (found.form, found.hidden);
        let changes = found.changes;
        let count = |operation| changes.iter().filter(|change| change.operation == operation).count();
        (self.added, self.changed, self.removed) =
            (count(Operation::Added), count(Operation::Changed), count(Operation::Removed));
        self.changes = changes.into_iter().map(ManifestChange::from).collect();
        self
    }

    /// Takes up why nothing was found.
    #[must_use]
    pub fn failed(mut self, failure: &Failure) -> Self {
        self.error = Some(failed(failure));
        self
    }

    /// Takes up what validators say of single manifests.
    #[must_use]
    pub fn complained(mut self, complaints: &[crate::render::Complaint]) -> Self {
        let told = complaints
            .iter()
            .map(|one| Complaint { manifest: one.manifest.clone().into(), text: one.text.clone() });
        self.complaints = told.collect();
        self
    }

    /// What validators say of a manifest.
    pub fn complaints_of<'r>(&'r self, manifest: &ManifestName) -> impl Iterator<Item = &'r str> {
        self.complaints.iter().filter(move |one| one.manifest == *manifest).map(|one| one.text.as_str())
    }

    /// Takes up why it is not known what there was. A base that fails is no failure of what is looked at.
    #[must_use]
    pub fn without_base(mut self, failure: &Failure) -> Self {
        self.base_error = Some(failed(failure));
        self
    }

    /// Whether it goes away, or was empty and is so still.
    pub const fn is_gone(&self) -> bool {
        self.error.is_none() && self.head_tree.is_none()
    }

    /// Whether there is something to tell.
    pub const fn is_news(&self) -> bool {
        !self.changes.is_empty() || self.error.is_some() || self.base_error.is_some()
    }
}

impl EnvironmentDiff {
    /// How many manifests are added, changed and removed.
    pub fn counts(&self) -> [usize; 3] {
        let sum = |one: fn(&TargetDiff) -> usize| self.targets.iter().map(one).sum();
        [sum(|target| target.added), sum(|target| target.changed), sum(|target| target.removed)]
    }

    /// Whether there is something to tell.
    pub fn is_news(&self) -> bool {
        self.targets.iter().any(TargetDiff::is_news)
    }

    /// Every signal, with where it is.
    pub fn signals(&self) -> impl Iterator<Item = (&TargetDiff, &ManifestChange, &Signal)> {
        self.targets.iter().flat_map(|target| {
            let of = move |change| signals_of(target, change);
            target.changes.iter().flat_map(of)
        })
    }
}

/// An error as it is told.
pub(super) fn reported(error: &anyhow::Error) -> ErrorReport {
    ErrorReport { kind: kind_of(error), message: message_of(error), hint: hint_of(error) }
}

fn failed(failure: &Failure) -> ErrorReport {
    ErrorReport { kind: failure.kind, message: failure.to_string(), hint: failure.hint.clone() }
}

fn signals_of<'r>(
    target: &'r TargetDiff,
    change: &'r ManifestChange,
) -> impl Iterator<Item = (&'r TargetDiff, &'r ManifestChange, &'r Signal)> {
    change.signals.iter().map(move |signal| (target, change, signal))
}

impl DiffReport {
    /// Whether anything changes.
    pub fn changes_found(&self) -> bool {
        self.environments.iter().flat_map(|one| &one.targets).any(|target| !target.changes.is_empty())
    }

    /// What was shown, to be known again.
    pub fn prints(&self) -> Result<Prints> {
        let mut prints = Prints::default();
        for environment in &self.environments {
            let is_shown = |target: &&TargetDiff| {
                target.base_tree != target.head_tree
                    || (target.base_error.is_some() && target.error.is_none())
            };
            for target in environment.targets.iter().filter(is_shown) {
                prints.add(environment.name.as_str(), &target.output, target.head_tree)?;
            }
        }
        Ok(prints)
    }

    /// The exit code: 0, or that of the worst failure.
    pub fn exit_code(&self) -> u8 {
        let targets = self.environments.iter().flat_map(|one| &one.targets);
        let errors = targets.filter_map(|target| target.error.as_ref()).chain(&self.error);
        let kinds = errors.map(|error| error.kind);
        kinds.max().map_or(0, crate::error::FailureKind::exit_code)
    }
}

/// The JSON Schema of the report.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<DiffReport>().to_value()
}
