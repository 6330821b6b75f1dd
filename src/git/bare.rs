//! A bare repository on this machine, seen from the forge's side: branch tips, ancestry, and the commits that a forge
//! makes when it merges. Does I/O.
//!
//! Nothing here looks at a clock or at `user.*`: the same branches give the same commits.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use git2::{Commit, ErrorCode, Index, Oid, Repository, Signature, Sort, Time};

use crate::error::Failure;
use crate::model::{BranchName, CommitId, ObjectId};

const FORGE_NAME: &str = "hydrator local forge";
const FORGE_EMAIL: &str = "local-forge@hydrator.invalid";

/// A bare repository that a local forge works on.
pub struct BareRepository {
    inner: Repository,
    path: Utf8PathBuf,
}

/// What came of putting one branch onto another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Combined {
    /// A commit was made; no branch points to it yet.
    Commit(CommitId),
    /// The two sides changed these paths differently.
    Conflicts(Vec<String>),
    /// This way of merging cannot do it; says why.
    Impossible(&'static str),
}

impl BareRepository {
    /// Opens the bare repository in the directory `path` itself, without looking in parents.
    pub fn open(path: &Utf8Path) -> Result<Self> {
        let inner = Repository::open_bare(path).map_err(|error| {
            Failure::git(format!("cannot open `{path}` as a bare git repository: {}", error.message()))
                .hint("the local forge needs a bare repository on this machine; `git init --bare` makes one")
        })?;
        let path = path
            .canonicalize_utf8()
            .map_err(|error| Failure::git(format!("cannot resolve the path `{path}`: {error}")))?;
        Ok(Self { inner, path })
    }

    /// The absolute path, with links resolved.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The commit that a branch points to; `None` if there is no such branch.
    pub fn tip(&self, branch: &BranchName) -> Result<Option<CommitId>> {
        match self.inner.refname_to_id(&branch.full()) {
            Ok(id) => Ok(Some(ours(id))),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(self.failure(&format!("read branch `{branch}`"), &error)),
        }
    }

    /// Whether `descendant` contains `ancestor`; a commit contains itself.
    pub fn is_ancestor(&self, ancestor: CommitId, descendant: CommitId) -> Result<bool> {
        if ancestor == descendant {
            return Ok(true);
        }
        self.inner
            .graph_descendant_of(theirs(descendant), theirs(ancestor))
            .map_err(|error| self.failure(&format!("compare {ancestor} with {descendant}"), &error))
    }

    /// Whether two commits have any history in common.
    pub fn related(&self, one: CommitId, other: CommitId) -> Result<bool> {
        match self.inner.merge_base(theirs(one), theirs(other)) {
            Ok(_) => Ok(true),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(false),
            Err(error) => Err(self.failure(&format!("compare {one} with {other}"), &error)),
        }
    }

    /// The commit whose id starts with `digits`; `None` if there is none or more than one.
    pub fn commit_by_prefix(&self, digits: &str) -> Option<CommitId> {
        self.inner.find_commit_by_prefix(digits).ok().map(|commit| ours(commit.id()))
    }

    /// Whether the commit is here.
    pub fn has_commit(&self, id: CommitId) -> bool {
        self.inner.find_commit(theirs(id)).is_ok()
    }

    /// The commit's first parent; `None` if it has none.
    pub fn first_parent(&self, id: CommitId) -> Result<Option<CommitId>> {
        Ok(self.commit(id)?.parent_ids().next().map(ours))
    }

    /// The commit's message below its first line, without the blank line between; read lossily as UTF-8.
    pub fn message_body(&self, id: CommitId) -> Result<String> {
        let commit = self.commit(id)?;
        let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
        let body = message.split_once('\n').map_or("", |(_, body)| body);
        Ok(body.trim().to_owned())
    }

    /// A commit with two parents that holds both sides.
    pub fn merge(&self, base: CommitId, head: CommitId, message: &str) -> Result<Combined> {
        let parents = [self.commit(base)?, self.commit(head)?];
        let index = self.merged_index(&parents)?;
        self.write(index, &parents, None, message)
    }

    /// One commit on `base` that holds both sides.
    pub fn squash(&self, base: CommitId, head: CommitId, message: &str) -> Result<Combined> {
        let sides = [self.commit(base)?, self.commit(head)?];
        let index = self.merged_index(&sides)?;
        let [onto, head] = sides;
        self.write(index, &[onto], Some(&Source { dated: &head, author: None }), message)
    }

    /// The commits that `head` has over `base`, one by one on top of `base`, with their own authors.
    pub fn rebase(&self, base: CommitId, head: CommitId) -> Result<Combined> {
        let mut tip = base;
        for id in self.commits_between(base, head)? {
            let commit = self.commit(id)?;
            if commit.parent_count() != 1 {
                return Ok(Combined::Impossible("it contains merge commits"));
            }
            match self.replay(&commit, tip)? {
                Combined::Commit(next) => tip = next,
                stopped => return Ok(stopped),
            }
        }
        Ok(Combined::Commit(tip))
    }

    /// Moves a branch if it still is at `from`; false if it is not.
    pub fn move_branch(&self, branch: &BranchName, from: CommitId, to: CommitId) -> Result<bool> {
        let full = branch.full();
        match self.inner.reference_matching(&full, theirs(to), true, theirs(from), "hydrator local forge") {
            Ok(_) => Ok(true),
            Err(error) if lost(&error) => Ok(false),
            Err(error) => Err(self.failure(&format!("move branch `{branch}`"), &error)),
        }
    }

    /// Deletes a branch if it still is at `expected`; false if it is not.
    pub fn delete_branch(&self, branch: &BranchName, expected: CommitId) -> Result<bool> {
        let deleted = self.inner.find_reference(&branch.full()).and_then(|mut reference| {
            if reference.target() == Some(theirs(expected)) {
                reference.delete().map(|()| true)
            } else {
                Ok(false)
            }
        });
        match deleted {
            Ok(deleted) => Ok(deleted),
            Err(error) if lost(&error) => Ok(false),
            Err(error) => Err(self.failure(&format!("delete branch `{branch}`"), &error)),
        }
    }

    fn commit(&self, id: CommitId) -> Result<Commit<'_>> {
        self.inner.find_commit(theirs(id)).map_err(|error| self.failure(&format!("read commit {id}"), &error))
    }

    fn merged_index(&self, sides: &[Commit<'_>; 2]) -> Result<Index> {
        let [base, head] = sides;
        self.inner
            .merge_commits(base, head, None)
            .map_err(|error| self.failure(&format!("merge {} into {}", head.id(), base.id()), &error))
    }

    fn commits_between(&self, base: CommitId, head: CommitId) -> Result<Vec<CommitId>> {
        let walk = || {
            let mut walk = self.inner.revwalk()?;
            walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)?;
            walk.push(theirs(head))?;
            walk.hide(theirs(base))?;
            walk.map(|id| id.map(ours)).collect::<Result<Vec<_>, _>>()
        };
        walk().map_err(|error| self.failure(&format!("list the commits between {base} and {head}"), &error))
    }

    fn replay(&self, commit: &Commit<'_>, onto: CommitId) -> Result<Combined> {
        let onto = self.commit(onto)?;
        let index = self
            .inner
            .cherrypick_commit(commit, &onto, 0, None)
            .map_err(|error| self.failure(&format!("replay {}", commit.id()), &error))?;
        let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
        let source = Source { dated: commit, author: Some(commit.author()) };
        self.write(index, &[onto], Some(&source), &message)
    }

    fn write(
        &self,
        mut index: Index,
        parents: &[Commit<'_>],
        source: Option<&Source<'_>>,
        message: &str,
    ) -> Result<Combined> {
        if index.has_conflicts() {
            return Ok(Combined::Conflicts(self.conflicting_paths(&index)?));
        }
        let dated = parents.iter().chain(source.map(|source| source.dated));
        let create = || {
            let committer = forge_signature(dated)?;
            let author = source.and_then(|source| source.author.as_ref()).unwrap_or(&committer);
            let tree = self.inner.find_tree(index.write_tree_to(&self.inner)?)?;
            let parents = parents.iter().collect::<Vec<_>>();
            self.inner.commit(None, author, &committer, &message.replace('\0', ""), &tree, &parents)
        };
        let id = create().map_err(|error| self.failure("write a commit", &error))?;
        Ok(Combined::Commit(ours(id)))
    }

    fn conflicting_paths(&self, index: &Index) -> Result<Vec<String>> {
        let conflicts = index.conflicts().map_err(|error| self.failure("read the conflicts", &error))?;
        let entries =
            conflicts.flatten().filter_map(|conflict| conflict.our.or(conflict.their).or(conflict.ancestor));
        let mut paths =
            entries.map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect::<Vec<_>>();
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    fn failure(&self, action: &str, error: &git2::Error) -> anyhow::Error {
        Failure::git(format!("cannot {action} in `{}`: {}", self.path, error.message())).into()
    }
}

/// Where a commit that is made again comes from.
struct Source<'a> {
    dated: &'a Commit<'a>,
    author: Option<Signature<'a>>,
}

/// The forge's own identity one second after everything that the new commit is made of.
fn forge_signature<'a>(
    commits: impl Iterator<Item = &'a Commit<'a>>,
) -> Result<Signature<'static>, git2::Error> {
    let seconds = commits.map(|commit| commit.time().seconds()).max().unwrap_or_default();
    Signature::new(FORGE_NAME, FORGE_EMAIL, &Time::new(seconds.saturating_add(1), 0))
}

/// Whether a compare-and-swap lost: the branch is somewhere else, gone, or being written by another process.
fn lost(error: &git2::Error) -> bool {
    matches!(error.code(), ErrorCode::Modified | ErrorCode::NotFound | ErrorCode::Locked)
}

fn ours(id: Oid) -> CommitId {
    let mut bytes = [0; 20];
    bytes.iter_mut().zip(id.as_bytes()).for_each(|(to, from)| *to = *from);
    ObjectId::from_bytes(bytes)
}

fn theirs(id: CommitId) -> Oid {
    Oid::from_bytes(id.as_bytes()).expect("an object id has 20 bytes")
}
