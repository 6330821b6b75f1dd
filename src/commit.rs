//! Stages 6 and 7, hydrate and commit: a target's manifests become a tree, an environment's targets one commit.
//!
//! Does I/O on the scratch repository only: it writes objects, no refs.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

use crate::branch::{Content, Tip, digest};
use crate::error::Failure;
use crate::git::{NewCommit, Objects};
use crate::hydrate::metadata::to_json;
use crate::hydrate::{
    GIT_ATTRIBUTES, GIT_ATTRIBUTES_FILE, METADATA_FILE, Metadata, README_FILE, TargetMetadata, Terms, layout,
    message, readme, references,
};
use crate::model::{
    Commit, CommitId, CommitSettings, EntryKind, Environment, Layout, Manifest, ManifestId, ObjectId,
};
use crate::observe::Seen;
use crate::template::Template;

/// What a target rendered to, as objects; the manifests themselves are not kept in memory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetOutput {
    /// The tree of its manifest files; `None` if it rendered to nothing.
    pub tree: Option<ObjectId>,
    /// How many manifests there are.
    pub count: usize,
    /// The manifests, each with the id of its text; `None` if they were rendered before this run, so that they are
    /// known by their tree alone.
    pub manifests: Option<BTreeMap<ManifestId, ObjectId>>,
    /// How to make it again.
    pub commands: Vec<String>,
    /// What the renderer warned about.
    pub warnings: Vec<String>,
}

/// What every hydrated commit of a run has in common.
pub struct Hydration<'a> {
    /// Where objects are written.
    pub objects: Objects<'a>,
    /// The DRY commit.
    pub dry: &'a Commit,
    /// The repository's web URL; empty if it has none.
    pub repo_url: &'a str,
    /// The path of the configuration.
    pub config: &'a str,
    /// How the commits look.
    pub settings: &'a CommitSettings,
}

/// What a proposal is put on.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// The active branch's tip, or its first commit.
    pub parent: CommitId,
    /// What the branches hold.
    pub seen: &'a Seen,
    /// Whether the branch's other files in the way of an output may be replaced.
    pub adopts: bool,
    /// What stays held, and what the proposal is.
    pub terms: &'a Terms,
}

/// Manifests by identity, each with the id of its text.
pub fn index(manifests: &[Manifest]) -> Result<BTreeMap<ManifestId, ObjectId>> {
    let mut index = BTreeMap::new();
    for manifest in manifests {
        if manifest.parts.is_empty() {
            index.insert(manifest.id.clone(), crate::git::hash_of(&manifest.text)?);
        }
        for part in &manifest.parts {
            index.insert(part.id.clone(), crate::git::hash_of(&part.text)?);
        }
    }
    Ok(index)
}

/// Writes the files of one target.
pub fn write_target(objects: Objects<'_>, layout: Layout, manifests: &[Manifest]) -> Result<TargetOutput> {
    let index = index(manifests)?;
    let mut output = TargetOutput { count: index.len(), manifests: Some(index), ..TargetOutput::default() };
    let files = layout::files(layout, manifests);
    let files: BTreeMap<String, ObjectId> = files
        .into_iter()
        .map(|(name, bytes)| Ok((name, objects.write_blob(&bytes)?)))
        .collect::<Result<_>>()?;
    if !files.is_empty() {
        output.tree = Some(objects.write_files(&files)?);
    }
    Ok(output)
}

impl Hydration<'_> {
    /// The first commit of an active branch: empty, without a parent.
    pub fn first_commit(&self, environment: &Environment) -> Result<CommitId> {
        let tree = self.objects.write_tree(&[])?;
        let message = format!("Initial commit for {}\n", environment.active);
        self.objects.write_commit(&NewCommit {
            tree,
            parents: &[],
            identity: &self.settings.identity,
            authored: self.dry.authored,
            committed: self.dry.committed,
            message: &message,
        })
    }

    /// A commit on the active tip with exactly these outputs; what is not ours stays as it is.
    pub fn propose(
        &self,
        environment: &Environment,
        base: &Base<'_>,
        outputs: &BTreeMap<String, TargetOutput>,
    ) -> Result<CommitId> {
        let seen = base.seen;
        let content = content(outputs);
        let (references, body) = references::part(self.dry.body());
        let mut edits = BTreeMap::new();
        for (output, tree) in &content {
            if seen.active.as_ref().and_then(|active| active.content.get(output)) != Some(tree) {
                let commands = outputs.get(output).map(|output| output.commands.clone()).unwrap_or_default();
                let directory = match self.waiting_directory(seen, output, *tree)? {
                    Some(directory) => directory,
                    None => self.target_directory(*tree, commands)?,
                };
                edits.insert(output.clone(), Some((EntryKind::Directory, directory)));
            }
        }
        let custom = self.custom_message(environment, &body)?;
        let message = message::text(&message::Message {
            dry: self.dry,
            body: &body,
            references: &references,
            environment: &environment.name,
            custom: custom.as_deref(),
        });
        let metadata = Metadata {
            repo_url: self.repo_url.to_owned(),
            dry_sha: self.dry.id.to_string(),
            author: format!("{} <{}>", self.dry.author.name, self.dry.author.email),
            date: self.dry.authored.rfc3339(),
            subject: self.dry.subject().to_owned(),
            body,
            references,
            targets: content.keys().cloned().collect(),
            config: self.config.to_owned(),
            manifests: digest(&content)?.to_string(),
            hold: base.terms.hold.clone(),
            intent: base.terms.intent,
        };
        let root = self.objects.write_blob(&to_json(&metadata)?)?;
        let tree = self.tree(base, &content, edits, root)?;
        self.write(base.parent, tree, &message, (self.dry.authored, self.dry.committed))
    }

    /// The directory that the waiting proposal has for the same manifests: its metadata and README name the DRY commit
    /// that changed them, and are rewritten only when they change again.
    fn waiting_directory(&self, seen: &Seen, output: &str, tree: ObjectId) -> Result<Option<ObjectId>> {
        let waiting = crate::plan::offer(seen)
            .filter(|waiting| waiting.intact && waiting.content.get(output) == Some(&tree));
        let Some(waiting) = waiting else { return Ok(None) };
        let entry = self.objects.entry(waiting.commit.tree, output.into())?;
        Ok(entry.filter(|entry| entry.kind == EntryKind::Directory).map(|entry| entry.id))
    }

    /// The subject and body that the configuration's template makes.
    fn custom_message(&self, environment: &Environment, body: &str) -> Result<Option<String>> {
        let Some(source) = &self.settings.message else { return Ok(None) };
        let dry = self.dry;
        let context = serde_json::json!({
            "environment": environment.name, "activeBranch": environment.active, "proposedBranch": environment.proposed,
            "vars": environment.vars, "targets": [], "summary": "", "repoUrl": self.repo_url,
            "dry": {
                "sha": dry.id, "shortSha": dry.id.short(), "subject": dry.headline(), "body": body,
                "author": format!("{} <{}>", dry.author.name, dry.author.email), "date": dry.authored.rfc3339(),
            },
        });
        Ok(Some(Template::parse("commit.message", source)?.render(&context)?))
    }

    /// The proposal's own content and words, with the active tip as its parent.
    pub fn reparent(&self, base: &Base<'_>, proposed: &Tip) -> Result<CommitId> {
        let mut edits = BTreeMap::new();
        for output in proposed.content.keys() {
            let entry = self.objects.entry(proposed.commit.tree, output.as_str().into())?;
            edits.insert(output.clone(), entry.map(|entry| (entry.kind, entry.id)));
        }
        let root = self
            .objects
            .entry(proposed.commit.tree, METADATA_FILE.into())?
            .context("a proposal without metadata")?;
        let tree = self.tree(base, &proposed.content, edits, root.id)?;
        let own = self.own_commit(proposed)?;
        let dates = (own.authored, own.committed);
        self.write(base.parent, tree, &own.message, dates)
    }

    /// Our own commit of a proposal: merges into the proposed branch ("update branch") have words of the forge's.
    fn own_commit(&self, proposed: &Tip) -> Result<Commit> {
        let mut commit = proposed.commit.clone();
        while commit.trailer(message::DRY_SHA_TRAILER).is_none() {
            let parent = commit.parents.first().copied().filter(|parent| self.objects.has(*parent));
            let Some(parent) = parent else {
                return Ok(Commit { message: bare_message(proposed), ..proposed.commit.clone() });
            };
            commit = self.objects.commit(parent)?;
        }
        Ok(commit)
    }

    /// Writes a commit on `parent`, signed as all of ours.
    pub fn write(
        &self,
        parent: CommitId,
        tree: ObjectId,
        message: &str,
        dates: (crate::model::Moment, crate::model::Moment),
    ) -> Result<CommitId> {
        let parent_date = self.objects.commit(parent)?.committed;
        self.objects.write_commit(&NewCommit {
            tree,
            parents: &[parent],
            identity: &self.settings.identity,
            authored: dates.0,
            committed: dates.1.later(parent_date),
            message,
        })
    }

    /// The active branch's tree without the outputs that went away, with the edits and the root's two files.
    pub fn tree(
        &self,
        base: &Base<'_>,
        content: &Content,
        edits: BTreeMap<String, Option<(EntryKind, ObjectId)>>,
        root: ObjectId,
    ) -> Result<ObjectId> {
        let owned = crate::plan::owned(base.seen.active.as_ref());
        let mut tree = base.seen.active.as_ref().map(|active| active.commit.tree);
        let gone: BTreeMap<_, _> = owned
            .iter()
            .filter(|output| !content.contains_key(*output))
            .map(|output| (output.clone(), None))
            .collect();
        if !gone.is_empty() {
            tree = self.objects.replace_all(tree, &gone)?;
        }
        for output in edits.keys().filter(|output| !owned.contains(output)) {
            self.refuse_foreign(tree, output, base.adopts)?;
        }
        let mut edits = edits;
        let attributes = self.objects.write_blob(GIT_ATTRIBUTES.as_bytes())?;
        edits.insert(METADATA_FILE.to_owned(), Some((EntryKind::File, root)));
        edits.insert(GIT_ATTRIBUTES_FILE.to_owned(), Some((EntryKind::File, attributes)));
        self.objects.replace_all(tree, &edits)?.context("a hydrated branch is never empty")
    }

    /// What stands where a new output shall be, or in the way to it, is somebody else's.
    fn refuse_foreign(&self, tree: Option<ObjectId>, output: &str, adopts: bool) -> Result<()> {
        let Some(tree) = tree else { return Ok(()) };
        let entry = |path: &str| self.objects.entry(tree, path.into());
        for (end, _) in output.match_indices('/') {
            let above = &output[..end];
            if entry(above)?.is_some_and(|entry| entry.kind != EntryKind::Directory) {
                let message =
                    format!("the active branch has a file `{above}` in the way to output `{output}`");
                return Err(Failure::git(message).hint("remove it there, or choose another `output`").into());
            }
        }
        if adopts || entry(output)?.is_none() {
            return Ok(());
        }
        Err(Failure::git(format!(
            "the active branch has `{output}`, which hydrator did not write, where a target's output shall be"
        ))
        .hint("remove it there, choose another `output`, or let hydrator take it over with `--adopt`")
        .into())
    }

    fn target_directory(&self, manifests: ObjectId, commands: Vec<String>) -> Result<ObjectId> {
        let metadata =
            TargetMetadata { repo_url: self.repo_url.to_owned(), dry_sha: self.dry.id.to_string(), commands };
        let file =
            |bytes: &[u8]| Ok::<_, anyhow::Error>(Some((EntryKind::File, self.objects.write_blob(bytes)?)));
        let edits = BTreeMap::from([
            (METADATA_FILE.to_owned(), file(&to_json(&metadata)?)?),
            (README_FILE.to_owned(), file(readme::text(&metadata).as_bytes())?),
        ]);
        self.objects.replace_all(Some(manifests), &edits)?.context("a target's directory is never empty")
    }
}

/// What the metadata alone tells, where our own commit is not to be found.
fn bare_message(proposed: &Tip) -> String {
    let metadata = proposed.metadata.as_ref();
    let subject = metadata.map(|metadata| metadata.subject.as_str()).unwrap_or_default();
    let dry_sha = metadata.map(|metadata| metadata.dry_sha.as_str()).unwrap_or_default();
    let short = dry_sha.get(..7).unwrap_or_default();
    format!("{short}: {subject}\n\n{}: {dry_sha}\n", message::DRY_SHA_TRAILER)
}

/// What the environment should have, by output.
pub fn content(outputs: &BTreeMap<String, TargetOutput>) -> Content {
    outputs.iter().filter_map(|(output, target)| Some((output.clone(), target.tree?))).collect()
}
