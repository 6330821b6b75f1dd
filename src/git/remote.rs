//! The remote through the git program: one look at its refs, fetches of what is needed, one leased push.
//!
//! Does I/O over the network. What a push did is read from `--porcelain` and from the refs, never from English.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::scratch::{REMOTE, Scratch};
use crate::error::Failure;
use crate::model::{BranchName, ObjectId};

/// The remote's refs at one moment, by full name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RemoteRefs {
    refs: BTreeMap<String, ObjectId>,
    default_branch: Option<BranchName>,
}

impl RemoteRefs {
    /// The object at the ref with this full name.
    pub fn get(&self, name: &str) -> Option<ObjectId> {
        self.refs.get(name).copied()
    }

    /// The tip of a branch.
    pub fn branch(&self, branch: &BranchName) -> Option<ObjectId> {
        self.get(&branch.full())
    }

    /// The branch that the remote's `HEAD` names.
    pub fn default_branch(&self) -> Option<&BranchName> {
        self.default_branch.as_ref()
    }

    /// The refs as they are after these updates.
    #[must_use]
    pub fn after(&self, updates: &[RefUpdate]) -> Self {
        let mut after = self.clone();
        for update in updates {
            match update.new {
                Some(new) => after.refs.insert(update.name.clone(), new),
                None => after.refs.remove(&update.name),
            };
        }
        after
    }

    /// All branches with their tips.
    pub fn branches(&self) -> impl Iterator<Item = (&str, ObjectId)> {
        self.refs.iter().filter_map(|(name, id)| Some((name.strip_prefix("refs/heads/")?, *id)))
    }
}

/// One ref to move in a push. `None` means that the ref does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefUpdate {
    /// The full name.
    pub name: String,
    /// What the remote must have now.
    pub expected: Option<ObjectId>,
    /// What it shall have; the same as `expected` only asserts.
    pub new: Option<ObjectId>,
}

/// What became of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PushOutcome {
    /// Every ref is where it should be.
    Done,
    /// Nothing moved; git's own words by ref, `""` for what concerns no single ref.
    Refused(Vec<(String, String)>),
}

impl Scratch {
    /// One look at the remote's refs.
    pub fn look(&self) -> Result<RemoteRefs> {
        let output = self.git.run(&self.path, &["ls-remote", "--symref", REMOTE], b"")?;
        if output.status.success() {
            let text = String::from_utf8_lossy(&output.stdout);
            self.refuse_long_ids(&text)?;
            return Ok(parse_refs(&text));
        }
        let failure =
            Failure::git(format!("cannot read the refs of `{}`: {}", self.remote_url, output.words()));
        Err(failure
            .hint("check the URL, the network, and the token (`HYDRATOR_TOKEN`) with which git logs in")
            .into())
    }

    fn refuse_long_ids(&self, refs: &str) -> Result<(), Failure> {
        let is_long = |line: &str| line.split('\t').next().is_some_and(|id| id.len() == 64);
        if !refs.lines().any(is_long) {
            return Ok(());
        }
        let url = &self.remote_url;
        Err(Failure::git(format!("`{url}` is a SHA-256 repository, which hydrator does not support"))
            .hint("use a SHA-1 repository: GitHub and GitLab both create those by default"))
    }

    /// Fetches commits at depth 1 with their trees; blobs only where the server cannot leave them out.
    pub fn fetch_tips(&self, tips: &BTreeSet<ObjectId>) -> Result<()> {
        self.fetch(tips, &["--depth=1", "--filter=blob:none"])
    }

    /// Fetches one commit at depth 1 with everything in it.
    pub fn fetch_whole(&self, commit: ObjectId) -> Result<()> {
        self.fetch(&BTreeSet::from([commit]), &["--depth=1"])
    }

    /// Fetches single blobs.
    pub fn fetch_blobs(&self, blobs: &BTreeSet<ObjectId>) -> Result<()> {
        self.fetch(blobs, &["--filter=blob:none"])
    }

    /// Fetches commits and trees of `tips` at a depth.
    pub fn fetch_history(&self, tips: &BTreeSet<ObjectId>, depth: u32) -> Result<()> {
        self.fetch(tips, &[&format!("--depth={depth}"), "--filter=blob:none"])
    }

    /// Commits only, for questions of ancestry and lists of commits.
    pub(super) fn fetch_commits(&self, tips: &BTreeSet<ObjectId>, depth: u32) -> Result<()> {
        self.fetch(tips, &[&format!("--depth={depth}"), "--filter=tree:0"])
    }

    fn fetch(&self, wants: &BTreeSet<ObjectId>, options: &[&str]) -> Result<()> {
        if wants.is_empty() {
            return Ok(());
        }
        // What we have is never an ancestor of what we want at this depth: saying so would cost a round trip.
        let mut arguments = vec!["-c", "fetch.negotiationAlgorithm=noop", "fetch", "--quiet", "--no-tags"];
        arguments.extend([
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-auto-maintenance",
            "--stdin",
        ]);
        arguments.extend(options);
        arguments.push(REMOTE);
        let mut input = String::new();
        for want in wants {
            input.push_str(&want.to_string());
            input.push('\n');
        }
        let output = self.git.run(&self.path, &arguments, input.as_bytes())?;
        if output.status.success() {
            return self.refresh();
        }
        let failure = Failure::git(format!("cannot fetch from `{}`: {}", self.remote_url, output.words()));
        Err(failure.hint("another run may have moved the branches; running again is safe").into())
    }

    /// Pushes all updates at once or none, each only if the remote still has what is expected.
    pub fn push(&self, updates: &[RefUpdate]) -> Result<PushOutcome> {
        self.objects().keep(&updates.iter().filter_map(|update| update.new).collect::<Vec<_>>())?;
        let mut arguments = vec![
            // No differences to what the remote has: git would first go and fetch the old files, which were left out.
            "-c".to_owned(),
            "pack.window=0".to_owned(),
            "push".to_owned(),
            "--porcelain".to_owned(),
            "--atomic".to_owned(),
            "--no-verify".to_owned(),
        ];
        let id = |id: Option<ObjectId>| id.map(|id| id.to_string()).unwrap_or_default();
        for update in updates {
            arguments.push(format!("--force-with-lease={}:{}", update.name, id(update.expected)));
        }
        arguments.push(REMOTE.to_owned());
        // Not forced: a forced refspec would win over the lease.
        arguments.extend(updates.iter().map(|update| format!("{}:{}", id(update.new), update.name)));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = self.git.run(&self.path, &arguments, b"")?;
        if output.status.success() {
            return Ok(PushOutcome::Done);
        }
        // The server's reasons stand in it, and a server may say anything.
        let mut refused = parse_push(&self.git.redact(&String::from_utf8_lossy(&output.stdout)));
        refused.push((String::new(), output.words()));
        Ok(PushOutcome::Refused(refused))
    }
}

/// Lines of `git ls-remote --symref`: `ref: refs/heads/main\tHEAD` and `<id>\t<name>`.
pub(super) fn parse_refs(text: &str) -> RemoteRefs {
    let mut found = RemoteRefs::default();
    for line in text.lines() {
        let Some((left, name)) = line.split_once('\t') else { continue };
        if let Some(branch) = left.strip_prefix("ref: refs/heads/") {
            found.default_branch =
                BranchName::new(branch).ok().filter(|_| name == "HEAD").or(found.default_branch);
        } else if let Some(id) = ObjectId::parse(left) {
            found.refs.insert(name.to_owned(), id);
        }
    }
    found
}

/// Lines of `git push --porcelain`: `<flag>\t<from>:<to>\t<summary> (<reason>)`; a refused one has the flag `!`.
fn parse_push(text: &str) -> Vec<(String, String)> {
    let refused = |line: &str| {
        let mut fields = line.strip_prefix("!\t")?.splitn(2, '\t');
        let name = fields.next()?.rsplit_once(':')?.1.to_owned();
        Some((name, fields.next()?.to_owned()))
    };
    text.lines().filter_map(refused).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_and_the_default_branch_are_read() {
        let id = "1234567890123456789012345678901234567890";
        let refs = parse_refs(&format!(
            "ref: refs/heads/main\tHEAD\n{id}\tHEAD\n{id}\trefs/heads/main\n{id}\trefs/x/refs/heads/main\n"
        ));
        assert_eq!(refs.default_branch().map(BranchName::as_str), Some("main"));
        assert_eq!(refs.branches().map(|(name, _)| name).collect::<Vec<_>>(), ["main"]);
    }

    #[test]
    fn refused_refs_are_read_from_porcelain() {
        let text = "To /tmp/remote\n!\tabc:refs/heads/a\t[rejected] (stale info)\n!\tabc:refs/notes/n\t[rejected] (atomic push failed)\nDone\n";
        let refused = parse_push(text);
        assert_eq!(refused[0], ("refs/heads/a".to_owned(), "[rejected] (stale info)".to_owned()));
        assert_eq!(refused.len(), 2);
    }
}
