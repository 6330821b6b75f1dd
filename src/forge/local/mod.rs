//! The local forge: pull requests and statuses beside a plain bare repository on this machine. Does I/O.
//!
//! It is for trying things out and for tests, and behaves as GitHub does where that matters: it follows the branches,
//! closes and merges pull requests when they are pushed away, and asks for required statuses before a merge.

mod conversation;
mod merge;
mod reconcile;
mod state;
mod store;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

pub use self::merge::MergeRequest;
use self::merge::{armed, hindrance, missing, rules};
use self::state::{CommentRecord, Record, State};
use self::store::Store;
use super::diagnosis::{Finding, Grounds};
use super::{
    ArmOutcome, Forge, MergeOutcome, MergeState, Mergeability, NewPullRequest, Pair, PullRequestLook,
};
use crate::error::Failure;
use crate::git::bare::BareRepository;
use crate::model::{
    BranchName, CommitId, CommitState, CommitStatus, MergeMethod, PullRequest, PullRequestOutline,
    PullRequestState,
};

/// Longest title and body that forges take; the local one refuses what a real one would refuse.
const TITLE_LIMIT: usize = 256;
const BODY_LIMIT: usize = 65_536;
const DESCRIPTION_LIMIT: usize = 140;

/// Who writes what the program writes.
const OURSELVES: &str = "hydrator";

/// A forge in the directory `hydrator-forge` of a bare repository.
#[derive(Clone, Debug)]
pub struct LocalForge {
    bare: Utf8PathBuf,
    store: Store,
    clock: fn() -> Timestamp,
}

impl LocalForge {
    /// Opens the forge of the bare repository at `bare`. A forge that nobody has used yet is empty.
    pub fn open(bare: &Utf8Path) -> Result<Self> {
        let bare = BareRepository::open(bare)?.path().to_owned();
        Ok(Self { store: Store::of(&bare), bare, clock: Timestamp::now })
    }

    /// Replaces the clock that says when something was merged or a status was set.
    #[must_use]
    pub fn with_clock(mut self, clock: fn() -> Timestamp) -> Self {
        self.clock = clock;
        self
    }

    /// All pull requests in any state, by number.
    pub fn pull_requests(&self) -> Result<Vec<PullRequest>> {
        self.look(|state| Ok(state.pull_requests.iter().map(|record| self.shown(record)).collect()))
    }

    /// The contexts that must be successful before a merge.
    pub fn required_statuses(&self) -> Result<Vec<String>> {
        self.look(|state| Ok(state.required_statuses.clone()))
    }

    /// Makes a status required, as branch protection does.
    pub fn require_status(&self, context: &str) -> Result<()> {
        ensure!(!context.trim().is_empty(), Failure::usage("the name of a required status is empty"));
        self.change(|state, _| {
            state.required_statuses.push(context.to_owned());
            state.required_statuses.sort();
            state.required_statuses.dedup();
            Ok(())
        })
    }

    /// Puts a label on a pull request, or takes it off.
    pub fn label(&self, number: u64, label: &str, on: bool) -> Result<()> {
        ensure!(!label.trim().is_empty(), Failure::usage("the label is empty"));
        self.change(|state, _| {
            let labels = &mut state.find(number).ok_or_else(|| missing(number))?.labels;
            labels.retain(|own| own != label);
            labels.extend(on.then(|| label.to_owned()));
            labels.sort();
            Ok(())
        })
    }

    /// Merges a pull request as a person would, with a choice of what happens to the branch.
    pub fn merge_as(&self, number: u64, request: &MergeRequest) -> Result<MergeOutcome> {
        self.change(|state, repository| merge::merge(state, repository, number, request, (self.clock)()))
    }

    /// The commit whose id starts with `digits`, or the tip of the branch with that name.
    pub fn commit(&self, digits: &str) -> Result<CommitId> {
        let repository = BareRepository::open(&self.bare)?;
        let branch =
            BranchName::new(digits).ok().map(|branch| repository.tip(&branch)).transpose()?.flatten();
        repository.commit_by_prefix(digits).or(branch).ok_or_else(|| {
            Failure::usage(format!(
                "`{digits}` names no commit or branch in `{}`, or more than one",
                self.bare
            ))
            .into()
        })
    }

    /// Reads without leaving anything behind in a repository whose forge nobody has used.
    fn look<T>(&self, work: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        if self.store.exists() { self.change(|state, _| work(state)) } else { work(&mut State::default()) }
    }

    fn change<T>(&self, work: impl FnOnce(&mut State, &BareRepository) -> Result<T>) -> Result<T> {
        let repository = BareRepository::open(&self.bare)?;
        self.store.change(|state| {
            reconcile::reconcile(state, &repository, (self.clock)())?;
            let done = work(state, &repository)?;
            armed(state, &repository, (self.clock)())?;
            Ok(done)
        })
    }

    fn shown(&self, record: &Record) -> PullRequest {
        record.pull_request(self.url(record.number))
    }

    fn url(&self, number: u64) -> String {
        format!("{}#{number}", file_url(&self.bare))
    }
}

impl Forge for LocalForge {
    fn open_pull_requests(&self) -> Result<Vec<PullRequest>> {
        let mut all = self.pull_requests()?;
        all.retain(|pull_request| pull_request.state == PullRequestState::Open);
        Ok(all)
    }

    fn newest_pull_request(&self, head: &BranchName, base: &BranchName) -> Result<Option<PullRequest>> {
        Ok(self.pull_requests()?.into_iter().rfind(|one| one.head == *head && one.base == *base))
    }

    fn newest_of(&self, pairs: &[Pair<'_>]) -> Result<Vec<Option<PullRequestOutline>>> {
        let all = self.pull_requests()?;
        let newest = |(head, base): &Pair<'_>| {
            all.iter().rfind(|one| one.head == **head && one.base == **base).map(PullRequest::outline)
        };
        Ok(pairs.iter().map(newest).collect())
    }

    fn merged_of(&self, pairs: &[Pair<'_>]) -> Result<Vec<Option<PullRequestOutline>>> {
        self.look(|state| {
            let newest = |(head, base): &Pair<'_>| {
                let is_of = |one: &&Record| one.head == **head && one.base == **base;
                let merged = |one: &&Record| one.state == PullRequestState::Merged && is_of(one);
                let found = state.pull_requests.iter().rfind(merged)?;
                Some(PullRequestOutline { merged_as: found.merge_commit, ..self.shown(found).outline() })
            };
            Ok(pairs.iter().map(newest).collect())
        })
    }

    fn open(&self, wanted: &NewPullRequest) -> Result<PullRequest> {
        check_look(&wanted.look)?;
        self.change(|state, repository| {
            let head_sha = offered(wanted, repository)?;
            let same = |record: &&Record| {
                record.state == PullRequestState::Open
                    && record.head == wanted.head
                    && record.base == wanted.base
            };
            if let Some(record) = state.pull_requests.iter().find(same) {
                return Ok(self.shown(record));
            }
            let record = new_record(state.next_number(), wanted, head_sha);
            let shown = self.shown(&record);
            state.pull_requests.push(record);
            Ok(shown)
        })
    }

    fn update(&self, number: u64, look: &PullRequestLook) -> Result<PullRequest> {
        check_look(look)?;
        self.change(|state, _| {
            let record = state.find(number).ok_or_else(|| missing(number))?;
            record.look_like(look);
            Ok(self.shown(record))
        })
    }

    fn close(&self, number: u64, comment: &str) -> Result<()> {
        self.change(|state, _| {
            let id = state.next_comment();
            let record = state.find(number).ok_or_else(|| missing(number))?;
            if record.state == PullRequestState::Open {
                record
                    .comments
                    .extend((!comment.is_empty()).then(|| CommentRecord::new(id, OURSELVES, comment)));
                record.closed();
            }
            Ok(())
        })
    }

    fn statuses(&self, commits: &[CommitId]) -> Result<BTreeMap<CommitId, Vec<CommitStatus>>> {
        self.look(|state| Ok(commits.iter().map(|commit| (*commit, state.statuses_of(*commit))).collect()))
    }

    fn set_status(&self, commit: CommitId, status: &CommitStatus) -> Result<()> {
        check_status(status)?;
        self.change(|state, repository| {
            ensure!(
                repository.has_commit(commit),
                Failure::forge(format!(
                    "cannot set a status: there is no commit {commit} in `{}`",
                    self.bare
                ))
            );
            state.set_status(commit, status, (self.clock)());
            Ok(())
        })
    }

    fn requires_status(&self, _: &BranchName, context: &str) -> Result<bool> {
        Ok(self.required_statuses()?.iter().any(|required| required == context))
    }

    fn diagnose(&self, grounds: &Grounds) -> Result<Vec<Finding>> {
        let required = self.required_statuses()?;
        let ungated = grounds.environments.iter().filter(|ground| ground.is_gated);
        let ungated = ungated.filter(|_| !required.iter().any(|required| required == grounds.gate));
        let found = ungated.map(|ground| {
            Finding::about(
                &ground.active,
                format!(
                    "is ungated: the status `{}` is not required, so anybody may merge too early",
                    grounds.gate
                ),
                format!("`hydrator local require {}`", grounds.gate),
            )
        });
        Ok(Finding::told_once(found.collect()))
    }

    fn mergeability(&self, number: u64) -> Result<Mergeability> {
        let repository = BareRepository::open(&self.bare)?;
        self.look(|state| {
            let record = state.find(number).ok_or_else(|| missing(number))?.clone();
            let state = match rules(state, &record) {
                None => hindrance(&repository, &record)?.map_or(MergeState::Ready, MergeState::Stuck),
                Some(words) if record.is_waiting() => MergeState::Blocked(words),
                Some(words) => MergeState::Stuck(words),
            };
            Ok(Mergeability { head_sha: record.head_sha, state, armed: record.auto_merge })
        })
    }

    fn arm(&self, number: u64, head_sha: CommitId, method: Option<MergeMethod>) -> Result<ArmOutcome> {
        self.change(|state, _| {
            let record = state.find(number).ok_or_else(|| missing(number))?.clone();
            if record.head_sha != head_sha {
                let now = record.head_sha.short();
                return Ok(ArmOutcome::Refused(format!(
                    "its head was moved from {} to {now}",
                    head_sha.short()
                )));
            }
            match rules(state, &record) {
                None => return Ok(ArmOutcome::MergeableNow),
                Some(words) if !record.is_waiting() => return Ok(ArmOutcome::Refused(words)),
                Some(_) => state.find(number).ok_or_else(|| missing(number))?.arm(method),
            }
            Ok(ArmOutcome::Armed)
        })
    }

    fn disarm(&self, number: u64) -> Result<()> {
        self.change(|state, _| {
            state.find(number).ok_or_else(|| missing(number))?.disarm();
            Ok(())
        })
    }

    fn merge(&self, number: u64, head_sha: CommitId, method: Option<MergeMethod>) -> Result<MergeOutcome> {
        self.merge_as(number, &MergeRequest { head_sha: Some(head_sha), method, delete_branch: false })
    }

    fn compare_url(&self, _base: &BranchName, _head: &BranchName) -> Option<String> {
        None
    }
}

/// Parses the state of a status as people write it.
pub fn parse_state(word: &str) -> Option<CommitState> {
    [CommitState::Pending, CommitState::Success, CommitState::Failure, CommitState::Error]
        .into_iter()
        .find(|state| state.word() == word)
}

/// The head's tip, if the head has something to offer to the base.
fn offered(wanted: &NewPullRequest, repository: &BareRepository) -> Result<CommitId> {
    let NewPullRequest { head, base, .. } = wanted;
    let refuse = |reason: &str| {
        Failure::forge(format!("cannot open a pull request from `{head}` to `{base}`: {reason}"))
    };
    let head_sha = repository.tip(head)?.ok_or_else(|| refuse("the head branch does not exist"))?;
    let base_sha = repository.tip(base)?.ok_or_else(|| refuse("the base branch does not exist"))?;
    ensure!(!repository.is_ancestor(head_sha, base_sha)?, refuse("there are no commits between them"));
    ensure!(repository.related(head_sha, base_sha)?, refuse("they have no history in common"));
    Ok(head_sha)
}

fn new_record(number: u64, wanted: &NewPullRequest, head_sha: CommitId) -> Record {
    let mut record = Record {
        number,
        state: PullRequestState::Open,
        head: wanted.head.clone(),
        head_sha,
        base: wanted.base.clone(),
        title: String::new(),
        body: String::new(),
        labels: Vec::new(),
        reviewers: Vec::new(),
        team_reviewers: Vec::new(),
        assignees: Vec::new(),
        draft: wanted.look.draft,
        auto_merge: false,
        auto_merge_method: None,
        comments: Vec::new(),
        merged_at: None,
        merge_commit: None,
    };
    record.look_like(&wanted.look);
    record
}

fn check_look(look: &PullRequestLook) -> Result<()> {
    ensure!(!look.title.trim().is_empty(), Failure::forge("the title of a pull request is empty"));
    at_most("the title of a pull request", &look.title, TITLE_LIMIT)?;
    at_most("the body of a pull request", &look.body, BODY_LIMIT)
}

fn check_status(status: &CommitStatus) -> Result<()> {
    ensure!(!status.context.trim().is_empty(), Failure::forge("the name of a status is empty"));
    at_most("the description of a status", &status.description, DESCRIPTION_LIMIT)
}

fn at_most(what: &str, text: &str, limit: usize) -> Result<()> {
    let length = text.chars().count();
    ensure!(
        length <= limit,
        Failure::forge(format!("{what} has {length} characters, and {limit} are allowed"))
    );
    Ok(())
}

fn file_url(path: &Utf8Path) -> String {
    let encode = |byte: u8| {
        let kept = byte.is_ascii_alphanumeric() || b"/._~-".contains(&byte);
        if kept { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    format!("file://{}", path.as_str().bytes().map(encode).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_becomes_a_readable_url() {
        assert_eq!(file_url(Utf8Path::new("/srv/my repo#1.git")), "file:///srv/my%20repo%231.git");
    }

    #[test]
    fn states_are_written_as_forges_write_them() {
        assert_eq!(parse_state("success"), Some(CommitState::Success));
        assert_eq!(parse_state("Success"), None);
        assert_eq!(parse_state("running"), None);
    }
}
