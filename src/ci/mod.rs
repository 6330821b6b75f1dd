//! Stage 1, detect: which CI system runs us, and what the job is about.
//!
//! Pure: it reads the snapshot of variables that `main` took, and the event's file through a function that it is given.
//! Each system has a file of its own.

pub mod github;
pub mod gitlab;

mod actor;
mod remote;

use jiff::Timestamp;

use crate::error::Failure;
use crate::model::{BranchName, CommitId};
use crate::secret::Secret;
use crate::variables::Variables;

pub use actor::actor;

/// The commit that an event names, and the ref that it was pushed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The commit.
    pub commit: CommitId,
    /// The full ref, such as `refs/heads/main`.
    pub full_ref: String,
}

/// A CI system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum System {
    /// GitHub Actions.
    GitHub,
    /// GitLab CI.
    GitLab,
}

/// A job of a CI system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// The system.
    pub system: System,
    /// Why it runs.
    pub event: Event,
    /// The commit that it is for; `None` for events that are about no commit of a branch: then the DRY branch's tip
    /// counts.
    pub trigger: Option<Trigger>,
}

/// Why a job runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Commits were pushed to a branch.
    Push,
    /// A person started it.
    Manual,
    /// It is time.
    Schedule,
    /// Another program asks for it, by this name.
    Dispatch(String),
    /// Something happened to a pull request.
    PullRequest(PullRequestEvent),
    /// Somebody commented.
    Comment(CommentEvent),
    /// Anything else, by the system's name for it.
    Other(String),
}

/// What happened to a pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PullRequestEvent {
    /// Such as `closed`.
    pub action: String,
    /// Its number.
    pub number: u64,
    /// Whether it is merged now.
    pub merged: bool,
    /// The branch that it offers.
    pub head: BranchName,
    /// The commit at its head; not the one that a system merges for a test.
    pub head_sha: CommitId,
    /// The branch that it changes.
    pub base: BranchName,
    /// Whether it comes from another repository: then its content is a stranger's.
    pub from_fork: bool,
}

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentEvent {
    /// Such as `created`.
    pub action: String,
    /// The number of the issue or pull request.
    pub number: u64,
    /// Whether it is on a pull request.
    pub on_pull_request: bool,
    /// The comment's own id.
    pub id: u64,
    /// Its text, which anybody may have written.
    pub body: String,
    /// Who wrote it, and when by the forge's clock. `None` where somebody else than the forge can have sent the event:
    /// then the forge is to be asked for all of it.
    pub written: Option<(String, Timestamp)>,
}

/// Reads the file of an event.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> std::io::Result<Vec<u8>>;

/// What the CI system says this job is about; `None` outside CI.
pub fn detect(variables: &Variables, read: ReadFile<'_>) -> Result<Option<Job>, Failure> {
    if variables.get("GITHUB_ACTIONS") == Some("true") {
        github::detect(variables, read).map(Some)
    } else if variables.get("GITLAB_CI") == Some("true") {
        gitlab::detect(variables, read).map(Some)
    } else {
        Ok(None)
    }
}

/// The system of the forge that a remote is on, as far as variables or the name of its host tell.
pub fn system_of(variables: &Variables, remote: &str) -> Option<System> {
    let host = remote::host_of(remote)?;
    let names = |word: &str| host.split('.').any(|label| label.contains(word));
    let on_github = github::is_at_home(variables, remote) || names("github");
    let on_gitlab = gitlab::is_at_home(variables, remote) || names("gitlab");
    match (on_github, on_gitlab) {
        (true, false) => Some(System::GitHub),
        (false, true) => Some(System::GitLab),
        _ => None,
    }
}

/// The user name and the token for a remote, if there is a token that goes to it.
pub fn login(variables: &Variables, remote: &str) -> Option<(&'static str, Secret)> {
    if gitlab::is_at_home(variables, remote) {
        return gitlab::token(variables, remote).map(|(token, kind)| (gitlab::user(kind), token));
    }
    github::token(variables, remote).map(|token| ("x-access-token", token))
}

fn commit(variables: &Variables, name: &str) -> Result<CommitId, Failure> {
    CommitId::parse(need(variables, name)?)
        .ok_or_else(|| Failure::usage(format!("the variable `{name}` is not a full commit id")))
}

fn need<'a>(variables: &'a Variables, name: &str) -> Result<&'a str, Failure> {
    variables.get(name).ok_or_else(|| {
        Failure::usage(format!("the variable `{name}` is missing, though this looks like a CI job"))
            .hint("run in a job of the CI system, or unset `GITHUB_ACTIONS` and `GITLAB_CI`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        Variables::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    fn found(variables: &Variables) -> Result<Option<Job>, Failure> {
        detect(variables, &|_| Err(std::io::ErrorKind::NotFound.into()))
    }

    #[test]
    fn a_remote_tells_its_forge_by_its_host() {
        for (remote, wanted) in [
            ("git@github.com:acme/gitlab-tools.git", Some(System::GitHub)),
            ("ssh://git@github.acme.example:22/o/r", Some(System::GitHub)),
            ("https://gitlab.com/group/name.git", Some(System::GitLab)),
            ("git@gitlab.acme.example:group/name.git", Some(System::GitLab)),
            ("git@git.acme.example:gitlab/github.git", None),
            ("/srv/gitlab/name.git", None),
        ] {
            assert_eq!(system_of(&variables(&[]), remote), wanted, "{remote}");
        }
    }

    #[test]
    fn each_system_names_commit_and_ref() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let github =
            variables(&[("GITHUB_ACTIONS", "true"), ("GITHUB_SHA", sha), ("GITHUB_REF", "refs/heads/main")]);
        let gitlab =
            variables(&[("GITLAB_CI", "true"), ("CI_COMMIT_SHA", sha), ("CI_COMMIT_BRANCH", "main")]);
        for (case, system) in [(github, System::GitHub), (gitlab, System::GitLab)] {
            let job = found(&case).unwrap().unwrap();
            let trigger = job.trigger.unwrap();
            assert_eq!(
                (trigger.commit.to_string().as_str(), trigger.full_ref.as_str(), job.system),
                (sha, "refs/heads/main", system)
            );
        }
        assert_eq!(found(&variables(&[])).unwrap(), None);
        let missing = found(&variables(&[("GITHUB_ACTIONS", "true")])).unwrap_err();
        assert!(missing.message.contains("GITHUB_REF"), "{missing}");
    }
}
