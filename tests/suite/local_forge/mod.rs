//! The local forge told as stories: real bare repositories, pushes made with the git program.

mod by_hand;
mod merging;
mod talking;
mod verbs;

use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use hydrator::error::{FailureKind, hint_of, kind_of};
use hydrator::forge::local::{LocalForge, MergeRequest};
use hydrator::forge::{
    ArmOutcome, Conversation as _, Forge as _, MergeOutcome, MergeState, NewPullRequest, PullRequestLook,
};
use hydrator::model::{
    BranchName, CommitId, CommitState, CommitStatus, MergeMethod, PullRequest, PullRequestState,
};
use jiff::Timestamp;

/// A bare repository with branch `active`, and `next` with one commit on top of it.
struct Ground {
    _directory: tempfile::TempDir,
    bare: Utf8PathBuf,
}

impl Ground {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bare = Utf8Path::from_path(directory.path()).unwrap().join("remote.git");
        let ground = Self { _directory: directory, bare };
        git(&["init", "--quiet", "--bare", ground.bare.as_str()], &[], "");
        let active = ground.commit(&[("a.yaml", "1\n"), ("b.yaml", "1\n")], &[], "Initial");
        ground.set("active", active);
        let next = ground.commit(
            &[("a.yaml", "2\n"), ("b.yaml", "1\n")],
            &[active],
            "1a2b3c4: Bump\n\nWhy.\n\nX: y",
        );
        ground.set("next", next);
        ground
    }

    fn forge(&self) -> LocalForge {
        LocalForge::open(&self.bare).unwrap().with_clock(|| Timestamp::from_second(1_700_000_000).unwrap())
    }

    fn git(&self, args: &[&str]) -> String {
        git(&[&["--git-dir", self.bare.as_str()], args].concat(), &[], "")
    }

    fn commit(&self, files: &[(&str, &str)], parents: &[CommitId], message: &str) -> CommitId {
        self.commit_at(files, parents, message, if parents.is_empty() { 1000 } else { 1001 })
    }

    fn commit_at(
        &self,
        files: &[(&str, &str)],
        parents: &[CommitId],
        message: &str,
        seconds: i64,
    ) -> CommitId {
        let dir = ["--git-dir", self.bare.as_str()];
        let entry = |(path, text): &(&str, &str)| {
            let blob = git(&[&dir[..], &["hash-object", "-w", "--stdin"]].concat(), &[], text);
            format!("100644 blob {}\t{path}", blob.trim())
        };
        let listing = files.iter().map(entry).collect::<Vec<_>>().join("\n") + "\n";
        let tree = git(&[&dir[..], &["mktree"]].concat(), &[], &listing);
        let mut args = dir.iter().map(ToString::to_string).collect::<Vec<_>>();
        args.extend(["commit-tree".to_owned(), tree.trim().to_owned()]);
        args.extend(parents.iter().flat_map(|parent| ["-p".to_owned(), parent.to_string()]));
        let args = args.iter().map(String::as_str).collect::<Vec<_>>();
        let date = format!("@{seconds} +0100");
        let id = git(&args, &[("GIT_AUTHOR_DATE", &date), ("GIT_COMMITTER_DATE", &date)], message);
        CommitId::parse(id.trim()).unwrap()
    }

    fn set(&self, branch: &str, to: CommitId) {
        self.git(&["update-ref", &format!("refs/heads/{branch}"), &to.to_string()]);
    }

    fn delete(&self, branch: &str) {
        self.git(&["update-ref", "-d", &format!("refs/heads/{branch}")]);
    }

    fn tip(&self, branch: &str) -> CommitId {
        CommitId::parse(self.git(&["rev-parse", &format!("refs/heads/{branch}")]).trim()).unwrap()
    }

    fn raw(&self, commit: CommitId) -> String {
        self.git(&["cat-file", "commit", &commit.to_string()])
    }

    fn tree(&self, commit: CommitId) -> String {
        self.git(&["rev-parse", &format!("{commit}^{{tree}}")])
    }

    /// Opens the pull request from `next` to `active`.
    fn open(&self) -> PullRequest {
        self.forge().open(&wanted("next", "active", "Promote")).unwrap()
    }

    fn only(&self) -> PullRequest {
        let mut all = self.forge().pull_requests().unwrap();
        assert_eq!(all.len(), 1);
        all.remove(0)
    }

    fn merge(&self, method: MergeMethod) -> CommitId {
        let pull_request = self.open();
        match self.forge().merge(pull_request.number, pull_request.head_sha, Some(method)).unwrap() {
            MergeOutcome::Merged(commit) => commit,
            MergeOutcome::Blocked(reason) => panic!("blocked: {reason}"),
        }
    }

    fn blocked(&self, head_sha: CommitId, method: Option<MergeMethod>) -> String {
        match self.forge().merge(1, head_sha, method).unwrap() {
            MergeOutcome::Blocked(reason) => reason,
            MergeOutcome::Merged(commit) => panic!("merged as {commit}"),
        }
    }
}

fn git(args: &[&str], variables: &[(&str, &str)], input: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new("git")
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .envs([("GIT_AUTHOR_NAME", "Ann"), ("GIT_AUTHOR_EMAIL", "ann@example.com")])
        .envs([("GIT_COMMITTER_NAME", "Con"), ("GIT_COMMITTER_EMAIL", "con@example.com")])
        .envs(variables.iter().copied())
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

fn wanted(head: &str, base: &str, title: &str) -> NewPullRequest {
    let look = PullRequestLook { title: title.to_owned(), body: "Body.".to_owned(), ..Default::default() };
    NewPullRequest { head: branch(head), base: branch(base), look }
}

fn status(context: &str, state: CommitState) -> CommitStatus {
    CommitStatus { context: context.to_owned(), state, description: "why".to_owned(), created_at: None }
}

fn error_of<T: std::fmt::Debug>(result: anyhow::Result<T>) -> String {
    let error = result.unwrap_err();
    assert_eq!(kind_of(&error), FailureKind::Forge, "{error:#}");
    error.to_string()
}

#[test]
fn an_unused_forge_is_empty_and_leaves_nothing_behind() {
    let ground = Ground::new();
    assert_eq!(ground.forge().open_pull_requests().unwrap(), []);
    assert_eq!(ground.forge().newest_pull_request(&branch("next"), &branch("active")).unwrap(), None);
    assert_eq!(ground.forge().statuses(&[ground.tip("next")]).unwrap()[&ground.tip("next")], []);
    assert!(!ground.bare.join("hydrator-forge").exists());
}

#[test]
fn a_directory_that_is_no_bare_repository_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let error = LocalForge::open(Utf8Path::from_path(directory.path()).unwrap()).unwrap_err();
    assert_eq!(kind_of(&error), FailureKind::Git);
    assert!(hint_of(&error).unwrap().contains("git init --bare"));
}

#[test]
fn a_pull_request_is_opened_and_found_again() {
    let ground = Ground::new();
    let mut new = wanted("next", "active", "Promote");
    new.look.labels = vec!["b".to_owned(), "a".to_owned()];
    new.look.draft = true;
    let opened = ground.forge().open(&new).unwrap();
    assert_eq!((opened.number, opened.state), (1, PullRequestState::Open));
    assert_eq!(opened.head_sha, ground.tip("next"));
    assert_eq!(opened.labels, ["a", "b"]);
    assert!(opened.draft);
    assert!(opened.url.starts_with("file:///") && opened.url.ends_with("/remote.git#1"), "{}", opened.url);
    assert_eq!(ground.forge().open_pull_requests().unwrap(), std::slice::from_ref(&opened));
    assert_eq!(ground.forge().newest_pull_request(&new.head, &new.base).unwrap(), Some(opened));
}

#[test]
fn opening_twice_returns_the_first_as_it_is() {
    let ground = Ground::new();
    let first = ground.open();
    let second = ground.forge().open(&wanted("next", "active", "Another")).unwrap();
    assert_eq!(second, first);
}

#[test]
fn a_pull_request_needs_two_branches_that_differ() {
    let ground = Ground::new();
    let open = |head: &str, base: &str| error_of(ground.forge().open(&wanted(head, base, "Promote")));
    assert!(open("gone", "active").ends_with("the head branch does not exist"));
    assert!(open("next", "gone").ends_with("the base branch does not exist"));
    ground.set("same", ground.tip("active"));
    assert!(open("same", "active").ends_with("there are no commits between them"));
    assert!(open("active", "next").ends_with("there are no commits between them"));
    ground.set("orphan", ground.commit(&[("z", "1")], &[], "Alone"));
    assert!(open("orphan", "active").ends_with("they have no history in common"));
}

#[test]
fn what_a_real_forge_refuses_is_refused() {
    let ground = Ground::new();
    let open = |title: &str| error_of(ground.forge().open(&wanted("next", "active", title)));
    assert!(open(&"x".repeat(257)).contains("256 are allowed"));
    assert!(open(" ").contains("is empty"));
    let mut long = status("tests", CommitState::Success);
    long.description = "x".repeat(141);
    let head = ground.tip("next");
    assert!(error_of(ground.forge().set_status(head, &long)).contains("140 are allowed"));
    let nowhere = CommitId::from_bytes([1; 20]);
    let error = error_of(ground.forge().set_status(nowhere, &status("tests", CommitState::Success)));
    assert!(error.contains("there is no commit 0101"), "{error}");
}

#[test]
fn an_update_adds_and_never_removes() {
    let ground = Ground::new();
    let mut new = wanted("next", "active", "Promote");
    new.look.labels = vec!["by-a-person".to_owned()];
    let opened = ground.forge().open(&new).unwrap();
    let look = PullRequestLook {
        title: "Promote more".to_owned(),
        body: "Other.".to_owned(),
        labels: vec!["production".to_owned()],
        reviewers: vec!["alice".to_owned()],
        team_reviewers: vec!["sre".to_owned()],
        assignees: vec!["bob".to_owned()],
        draft: true,
    };
    let updated = ground.forge().update(opened.number, &look).unwrap();
    assert_eq!(updated.title, "Promote more");
    assert_eq!(updated.labels, ["by-a-person", "production"]);
    assert_eq!((updated.reviewers.len(), updated.team_reviewers.len(), updated.assignees.len()), (1, 1, 1));
    assert!(!updated.draft, "the draft state is left to people");
    assert_eq!(ground.only(), updated);
    assert!(error_of(ground.forge().update(7, &look)).contains("no pull request #7"));
}

#[test]
fn a_closed_pull_request_keeps_its_comment_and_is_not_opened_again() {
    let ground = Ground::new();
    let first = ground.open();
    ground.forge().close(first.number, "The change has gone away.").unwrap();
    ground.forge().close(first.number, "Twice.").unwrap();
    assert_eq!(ground.only().state, PullRequestState::Closed);
    assert_eq!(ground.forge().comments(1).unwrap()[0].body, "The change has gone away.");
    let second = ground.open();
    assert_eq!(second.number, 2);
    let newest = ground.forge().newest_pull_request(&first.head, &first.base).unwrap().unwrap();
    assert_eq!(newest.number, 2);
}

#[test]
fn the_head_is_read_live() {
    let ground = Ground::new();
    ground.open();
    let moved = ground.commit(&[("a.yaml", "3\n")], &[ground.tip("active")], "Newer");
    ground.set("next", moved);
    assert_eq!(ground.only().head_sha, moved);
    assert_eq!(ground.only().state, PullRequestState::Open);
}

#[test]
fn deleting_a_branch_closes_the_pull_request() {
    for gone in ["next", "active"] {
        let ground = Ground::new();
        let opened = ground.open();
        ground.delete(gone);
        assert_eq!(ground.only().state, PullRequestState::Closed, "{gone}");
        assert_eq!(ground.only().head_sha, opened.head_sha);
    }
}

#[test]
fn a_head_that_is_moved_to_the_base_closes_the_pull_request() {
    let ground = Ground::new();
    let opened = ground.open();
    ground.set("next", ground.tip("active"));
    assert_eq!(ground.only().state, PullRequestState::Closed);
    ground.set("next", opened.head_sha);
    assert_eq!(ground.only().state, PullRequestState::Closed, "it cannot come back");
}

#[test]
fn a_head_that_is_moved_below_the_base_is_shown_as_merged() {
    let ground = Ground::new();
    ground.open();
    let old = ground.tip("active");
    ground.set("active", ground.commit(&[("c", "1")], &[old], "Other"));
    ground.set("next", old);
    assert_eq!(ground.only().state, PullRequestState::Merged);
}

#[test]
fn a_base_that_is_pushed_to_the_head_has_merged_it() {
    let ground = Ground::new();
    let opened = ground.open();
    ground.set("active", opened.head_sha);
    let merged = ground.only();
    assert_eq!(merged.state, PullRequestState::Merged);
    assert_eq!(merged.merged_at, Timestamp::from_second(1_700_000_000).ok());
}

#[test]
fn a_head_with_the_tree_of_the_base_stays_open() {
    let ground = Ground::new();
    ground.open();
    let active = ground.tip("active");
    ground.set("next", ground.commit(&[("a.yaml", "1\n"), ("b.yaml", "1\n")], &[active], "Nothing"));
    assert_eq!(ground.only().state, PullRequestState::Open);
}

#[test]
fn the_newest_status_of_a_context_counts_and_the_same_one_keeps_its_date() {
    let ground = Ground::new();
    let head = ground.tip("next");
    let at = |second: fn() -> Timestamp| ground.forge().with_clock(second);
    let first = at(|| Timestamp::from_second(10).unwrap());
    first.set_status(head, &status("tests", CommitState::Pending)).unwrap();
    first.set_status(head, &status("tests", CommitState::Success)).unwrap();
    first.set_status(head, &status("audit", CommitState::Failure)).unwrap();
    let later = at(|| Timestamp::from_second(20).unwrap());
    later.set_status(head, &status("tests", CommitState::Success)).unwrap();
    let found = ground.forge().statuses(&[head]).unwrap().remove(&head).unwrap_or_default();
    let dated = |context, state| CommitStatus {
        created_at: Timestamp::from_second(10).ok(),
        ..status(context, state)
    };
    assert_eq!(found, [dated("audit", CommitState::Failure), dated("tests", CommitState::Success)]);
}

#[test]
fn an_armed_pull_request_is_merged_when_its_required_status_turns_good() {
    let ground = Ground::new();
    let opened = ground.open();
    let forge = ground.forge();
    let arm = || forge.arm(opened.number, opened.head_sha, Some(MergeMethod::Squash)).unwrap();
    assert_eq!(forge.mergeability(opened.number).unwrap().state, MergeState::Ready);
    assert_eq!(arm(), ArmOutcome::MergeableNow);

    forge.require_status("gate").unwrap();
    assert!(forge.requires_status(&opened.base, "gate").unwrap());
    assert!(!forge.requires_status(&opened.base, "another").unwrap());
    assert_eq!(arm(), ArmOutcome::Armed);
    let waiting = forge.mergeability(opened.number).unwrap();
    assert!(matches!(&waiting.state, MergeState::Blocked(words) if words.contains("gate")), "{waiting:?}");
    assert!(waiting.armed);
    forge.disarm(opened.number).unwrap();
    forge.set_status(opened.head_sha, &status("gate", CommitState::Success)).unwrap();
    assert_eq!(ground.only().state, PullRequestState::Open);

    forge.set_status(opened.head_sha, &status("gate", CommitState::Pending)).unwrap();
    assert_eq!(arm(), ArmOutcome::Armed);
    forge.set_status(opened.head_sha, &status("gate", CommitState::Success)).unwrap();
    let merged = ground.only();
    assert_eq!((merged.state, merged.auto_merge), (PullRequestState::Merged, false));
}

#[test]
fn another_head_than_the_one_that_was_looked_at_is_not_armed() {
    let ground = Ground::new();
    let opened = ground.open();
    ground.forge().require_status("gate").unwrap();
    let other = ground.tip("active");
    let outcome = ground.forge().arm(opened.number, other, None).unwrap();
    assert!(matches!(&outcome, ArmOutcome::Refused(words) if words.contains("moved")), "{outcome:?}");
    assert!(!ground.only().auto_merge);
}

#[test]
fn a_damaged_state_is_named_and_left_alone() {
    let ground = Ground::new();
    ground.open();
    let file = ground.bare.join("hydrator-forge/state.json");
    std::fs::write(&file, "{ \"version\": 1,\n oops").unwrap();
    let error = ground.forge().open_pull_requests().unwrap_err();
    assert_eq!(kind_of(&error), FailureKind::Forge);
    let message = error.to_string();
    assert!(message.contains("state.json` is damaged") && message.contains("line 2 column 2"), "{message}");
    assert!(hint_of(&error).is_some());
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{ \"version\": 1,\n oops");
}

#[test]
fn the_state_is_readable_json() {
    let ground = Ground::new();
    ground.open();
    let text = std::fs::read_to_string(ground.bare.join("hydrator-forge/state.json")).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["pullRequests"][0]["headSha"], ground.tip("next").to_string());
    assert_eq!(value["pullRequests"][0]["state"], "open");
    assert!(text.contains("\n  \"pullRequests\""), "{text}");
}

#[test]
fn many_writers_at_once_lose_nothing() {
    const WRITERS: usize = 8;
    const EACH: usize = 5;
    let ground = Ground::new();
    let active = ground.tip("active");
    for writer in 0..WRITERS {
        let text = writer.to_string();
        ground.set(&format!("next-{writer}"), ground.commit(&[("a.yaml", &text)], &[active], "Bump"));
    }
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let forge = ground.forge();
            scope.spawn(move || {
                forge.open(&wanted(&format!("next-{writer}"), "active", "Promote")).unwrap();
                for number in 0..EACH {
                    let context = format!("{writer}/{number}");
                    forge.set_status(active, &status(&context, CommitState::Success)).unwrap();
                }
            });
        }
    });
    let all = ground.forge().pull_requests().unwrap();
    assert_eq!(
        all.iter().map(|one| one.number).collect::<Vec<_>>(),
        (1..=WRITERS as u64).collect::<Vec<_>>()
    );
    assert_eq!(ground.forge().statuses(&[active]).unwrap()[&active].len(), WRITERS * EACH);
}
