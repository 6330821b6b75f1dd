//! Stage 8, publish: the branches and their notes go out together, or not at all.
//!
//! Does I/O: it writes notes commits to the scratch repository and pushes. What a push did is decided by reading the
//! refs again, never by the server's words.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::cache::CACHE_REF;
use crate::error::Failure;
use crate::git::{NOTES_REF, Note, PushOutcome, RefUpdate, RemoteRefs, Scratch};
use crate::model::{Commit, CommitId, Environment, EnvironmentName, Identity, ObjectId};

/// What one environment wants to have pushed.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// The environment.
    pub environment: &'a Environment,
    /// Branches to move, and those that must not have moved.
    pub updates: Vec<RefUpdate>,
    /// The commit that gets the note; `None` when there is no branch yet.
    pub noted: Option<CommitId>,
    /// The DRY commit that the note names, where it is not the run's own.
    pub processed: Option<CommitId>,
    /// Whether the note says that the commit is being taken back.
    pub withdrawn: bool,
}

/// What all pushes of a run have in common.
pub struct Publisher<'a> {
    /// The scratch repository.
    pub scratch: &'a Scratch,
    /// The DRY commit, which the notes name.
    pub dry: &'a Commit,
    /// Author and committer of the notes.
    pub identity: &'a Identity,
}

/// The cache as it will be.
#[derive(Clone, Copy, Debug)]
pub struct NewCache {
    /// Its commit.
    pub commit: ObjectId,
    /// Whether it knows of other renderings; else it only brings along other blobs, which is not worth a push.
    pub is_news: bool,
}

/// How publishing ended.
#[derive(Debug, Default)]
pub struct Published {
    /// Another writer moved a branch meanwhile: everything is to be observed again.
    pub moved: bool,
    /// Environments that the server refused, with why.
    pub refused: BTreeMap<EnvironmentName, Failure>,
    /// The refs as this push left them, as far as it knows; what else moves is another writer's doing.
    pub refs: RemoteRefs,
}

impl Published {
    fn done(refs: RemoteRefs) -> Self {
        Self { refs, ..Self::default() }
    }

    fn moved() -> Self {
        Self { moved: true, ..Self::default() }
    }
}

/// How often a notes ref that others write too is merged again before everything is observed anew.
const NOTES_ATTEMPTS: usize = 8;

impl Publisher<'_> {
    /// Pushes all changes at once; where the server refuses that, each environment by itself.
    ///
    /// `cache` goes along where something is pushed anyway, as long as nobody minds: nothing depends on it.
    pub fn publish(
        &self,
        changes: &[Change<'_>],
        refs: &RemoteRefs,
        cache: Option<NewCache>,
    ) -> Result<Published> {
        let mut notes = refs.get(NOTES_REF);
        let is_news = cache.as_ref().is_some_and(|cache| cache.is_news);
        let mut cache = cache.map(|cache| RefUpdate {
            name: CACHE_REF.to_owned(),
            expected: refs.get(CACHE_REF),
            new: Some(cache.commit),
        });
        for _ in 0..NOTES_ATTEMPTS {
            let mut updates = self.updates(changes, notes)?;
            let changes_nothing = updates.iter().all(|update| update.new == update.expected);
            updates.extend(cache.clone().filter(|_| is_news || !changes_nothing));
            if updates.iter().all(|update| update.new == update.expected) {
                return Ok(Published::done(refs.clone()));
            }
            let PushOutcome::Refused(words) = self.scratch.push(&updates)? else {
                return Ok(Published::done(refs.after(&updates)));
            };
            let now = self.scratch.look()?;
            if updates.iter().all(|update| now.get(&update.name) == update.new) {
                return Ok(Published::done(refs.after(&updates)));
            }
            let moved = |update: &&RefUpdate| now.get(&update.name) != update.expected;
            let mut moved = updates.iter().filter(moved).map(|update| update.name.as_str()).peekable();
            if moved.peek().is_none() {
                if cache.take().is_some() {
                    continue;
                }
                return self.publish_one_by_one(changes, &now, &words);
            }
            let branch_moved = moved.any(|name| name != NOTES_REF && name != CACHE_REF);
            if branch_moved || self.notes_changed(changes, notes, now.get(NOTES_REF))? {
                return Ok(Published::moved());
            }
            cache = cache.map(|update| RefUpdate { expected: now.get(CACHE_REF), ..update });
            notes = now.get(NOTES_REF);
        }
        Ok(Published::moved())
    }

    /// The branches' updates, and the notes that go with them.
    fn updates(&self, changes: &[Change<'_>], notes: Option<ObjectId>) -> Result<Vec<RefUpdate>> {
        // Another writer may have moved the notes since they were observed.
        let unknown = notes.filter(|notes| !self.scratch.objects().has(*notes));
        self.scratch.fetch_tips(&unknown.into_iter().collect())?;
        let note = |change: &Change<'_>| Note {
            dry_sha: change.processed.unwrap_or(self.dry.id),
            withdrawn: change.withdrawn,
        };
        let entries = changes.iter().filter_map(|change| Some((change.noted?, note(change)))).collect();
        let signed = (self.identity, self.dry.committed);
        let new = self.scratch.objects().write_notes(notes, &entries, signed)?;
        let mut updates: Vec<RefUpdate> =
            changes.iter().flat_map(|change| change.updates.iter().cloned()).collect();
        if new.is_some() {
            updates.push(RefUpdate { name: NOTES_REF.to_owned(), expected: notes, new });
        }
        Ok(updates)
    }

    /// Whether another writer said something about our own commits: that is news, not only a neighbour's note.
    fn notes_changed(
        &self,
        changes: &[Change<'_>],
        before: Option<ObjectId>,
        now: Option<ObjectId>,
    ) -> Result<bool> {
        if before == now {
            return Ok(false);
        }
        let Some(now) = now else { return Ok(true) };
        self.scratch.fetch_tips(&[now].into())?;
        let objects = self.scratch.objects();
        let known =
            changes.iter().flat_map(|change| change.updates.iter().filter_map(|update| update.expected));
        let commits: Vec<ObjectId> = changes.iter().filter_map(|change| change.noted).chain(known).collect();
        let said =
            |notes: Option<ObjectId>| notes.map(|notes| objects.note_blobs(notes, &commits)).transpose();
        Ok(said(before)?.unwrap_or_default() != said(Some(now))?.unwrap_or_default())
    }

    /// Nothing moved, yet the server refused: whoever is at fault shall not stop the others.
    fn publish_one_by_one(
        &self,
        changes: &[Change<'_>],
        refs: &RemoteRefs,
        words: &[(String, String)],
    ) -> Result<Published> {
        let mut published = Published::done(refs.clone());
        let mut notes = refs.get(NOTES_REF);
        for change in changes {
            let updates = self.updates(std::slice::from_ref(change), notes)?;
            if updates.iter().all(|update| update.new == update.expected) {
                continue;
            }
            match self.scratch.push(&updates)? {
                PushOutcome::Done => {
                    published.refs = published.refs.after(&updates);
                    notes = published.refs.get(NOTES_REF);
                }
                PushOutcome::Refused(own) => {
                    let now = self.scratch.look()?;
                    published.moved |= updates.iter().any(|update| now.get(&update.name) != update.expected);
                    let words = if own.is_empty() { words } else { &own };
                    published.refused.insert(change.environment.name.clone(), refusal(change, words));
                }
            }
        }
        Ok(published)
    }
}

/// The server's refusal, with the setting that is most likely behind it.
fn refusal(change: &Change<'_>, words: &[(String, String)]) -> Failure {
    let (active, proposed) = (&change.environment.active, &change.environment.proposed);
    let at_fault = |name: &str| words.iter().any(|(of, said)| of == name && !is_bystander(said));
    let creates = |update: &RefUpdate| update.name == active.full() && update.expected.is_none();
    let (refused, hint) = if at_fault(NOTES_REF) {
        (NOTES_REF, format!("allow hydrator's account to push `{NOTES_REF}`"))
    } else if !at_fault(&active.full()) {
        let settings = "GitHub: a ruleset's \"Block force pushes\"; GitLab: `allow_force_push`";
        let hint = format!("allow hydrator's account to create and force-push `{proposed}` ({settings})");
        (proposed.as_str(), hint)
    } else if change.updates.iter().any(creates) {
        let settings = "GitHub: a bypass of the ruleset's \"Restrict creations\"; GitLab: protected branches";
        let hint = format!(
            "allow hydrator's account to create `{active}` ({settings}), or create it once by hand with an empty commit"
        );
        (active.as_str(), hint)
    } else {
        let hint = format!("allow hydrator's account to push `{active}`, or use `delivery: pull-request`");
        (active.as_str(), hint)
    };
    Failure::git(format!("the server refused the push of `{refused}`: {}", said(words))).hint(hint)
}

/// Whether a ref was refused only because another one of the same push was.
fn is_bystander(said: &str) -> bool {
    said.contains("atomic")
}

/// The server's own words, each once, without git's frame around them.
fn said(words: &[(String, String)]) -> String {
    let mut said: Vec<&str> = Vec::new();
    let lines = words.iter().flat_map(|(_, words)| words.split("; ")).map(str::trim);
    for line in lines.filter(|line| !is_bystander(line) && !line.starts_with("error: failed to push")) {
        let line = line.strip_prefix("remote: ").unwrap_or(line);
        let line = line.strip_prefix("error: ").unwrap_or(line);
        if !line.is_empty() && !said.contains(&line) {
            said.push(line);
        }
    }
    said.join("; ")
}
