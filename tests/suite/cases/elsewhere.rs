//! Cases on the forges that jobs meet: the same steps, the same remote by name, and a story that must be the same on
//! each. What people do by hand, `hydrator local` says; elsewhere they do it on the forge's pages.

use hydrator::model::MergeMethod;
use serde_json::{Value, json};

use crate::forge_server::github::GitHub;
use crate::forge_server::gitlab::GitLab;
use crate::forge_server::state::{Life, Pull, Said, State, Status};
use crate::forge_server::{ForgeServer, Hosted as _};
use crate::support::command::Run;
use crate::support::git::TestRepo;
use crate::support::http::TOKEN;

/// The remote's name, which stands in commits: a proxy finds the server.
const REMOTE: &str = "http://forge.example/acme/shop.git";

/// A forge that a case is played on.
pub(super) enum Elsewhere {
    /// The local forge beside a remote that is reached as the others are.
    Local(GitHub),
    GitHub(GitHub),
    GitLab(GitLab),
}

impl Elsewhere {
    /// All of them.
    pub(super) fn all() -> [fn(&TestRepo) -> Self; 3] {
        [
            |repo| Self::Local(GitHub::start(repo)),
            |repo| {
                let github = GitHub::start(repo);
                github.server.with(|state| state.allow_auto_merge = true);
                Self::GitHub(github)
            },
            |repo| {
                let gitlab = GitLab::start(repo);
                // The commits of merges are the forges' own; a case tells those of one.
                gitlab.server.with(|state| state.gitlab_merges = false);
                Self::GitLab(gitlab)
            },
        ]
    }

    fn server(&self) -> &ForgeServer {
        match self {
            Self::Local(forge) | Self::GitHub(forge) => &forge.server,
            Self::GitLab(forge) => &forge.server,
        }
    }

    /// hydrator beside this forge.
    pub(super) fn lend(&self, run: Run, repo: &TestRepo) -> Run {
        let run = run
            .variable("http_proxy", &format!("http://{}", self.server().git.host()))
            .variable("no_proxy", "127.0.0.1")
            .variable("HYDRATOR_REMOTE", REMOTE)
            .variable("HYDRATOR_TOKEN", TOKEN)
            .variable("HYDRATOR_FORGE_PACE", "0");
        match self {
            Self::Local(_) => run
                .variable("HYDRATOR_FORGE", "local")
                .variable("HYDRATOR_FORGE_DIRECTORY", &repo.remote().display().to_string()),
            Self::GitHub(forge) => forge
                .variables(run)
                .without("GITHUB_ACTIONS")
                .variable("GITHUB_SERVER_URL", "http://forge.example")
                .variable("HYDRATOR_FORGE", "github"),
            Self::GitLab(forge) => forge
                .variables(run)
                .without("GITLAB_CI")
                .variable("CI_SERVER_URL", "http://forge.example")
                .variable("CI_PROJECT_URL", "http://forge.example/acme/shop")
                .variable("HYDRATOR_FORGE", "gitlab"),
        }
    }

    /// Does by hand what the words of `hydrator local` say; false where that program itself has to.
    pub(super) fn by_hand(&self, repo: &TestRepo, words: &[String]) -> bool {
        if matches!(self, Self::Local(_)) {
            return false;
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let failure = if matches!(self, Self::GitLab(_)) { "failed" } else { "failure" };
        self.server().with(|state| match words.as_slice() {
            ["merge", number, how @ ..] => {
                let word = how.iter().skip_while(|word| **word != "--method").nth(1).copied();
                state.delete_branch_on_merge = how.contains(&"--delete-branch");
                let method = match word {
                    Some("squash") => MergeMethod::Squash,
                    Some("rebase") => MergeMethod::Rebase,
                    _ => MergeMethod::Merge,
                };
                // A rule that is not met keeps people from it, too.
                let number = number.parse().expect("it is a number");
                if state.hindrance(number).is_none() {
                    state.merge(number, method.into());
                }
                state.delete_branch_on_merge = false;
            }
            ["close", number, ..] => state.close(number.parse().expect("it is a number")),
            ["label", number, label, more @ ..] => {
                let pull = state.pull(number.parse().expect("it is a number")).expect("it is there");
                pull.labels.retain(|one| one != label);
                pull.labels.extend(more.is_empty().then(|| (*label).to_owned()));
            }
            ["require", context] => state.required_statuses.push((*context).to_owned()),
            ["status", commit, context, word, ..] => {
                let commit = repo.remote_git().run(&["rev-parse", commit]);
                let word = if *word == "failure" { failure } else { word };
                let (context, word) = ((*context).to_owned(), word.to_owned());
                let created_at = state.now();
                // On GitLab it is a job of the pipeline that is there.
                let pipelines = state.pipelines.iter().filter(|one| one.commit == commit);
                let pipeline = pipelines.map(|one| one.id).max();
                let description = String::new();
                let status = Status {
                    context,
                    state: word,
                    description,
                    target_url: None,
                    branch: None,
                    pipeline,
                    created_at,
                };
                state.statuses.entry(commit).or_default().push(status);
            }
            other => panic!("nobody does {other:?} by hand"),
        });
        true
    }

    /// All pull requests, as `hydrator local list` prints them; nothing where that program itself has to.
    pub(super) fn pull_requests(&self) -> Option<Vec<Value>> {
        if matches!(self, Self::Local(_)) {
            return None;
        }
        let life = |pull: &Pull| match pull.life {
            Life::Open => "open",
            Life::Closed => "closed",
            Life::Merged => "merged",
        };
        let shown = |pull: &Pull| json!({"number": pull.number, "state": life(pull), "head": pull.head, "base": pull.base, "title": pull.title});
        Some(self.server().with(|state| state.pulls.iter().map(shown).collect()))
    }

    /// A pull request in full, as the local forge keeps it.
    pub(super) fn pull_request(&self, number: u64) -> Option<Value> {
        if matches!(self, Self::Local(_)) {
            return None;
        }
        self.server().with(|state| {
            let viewer = state.viewer.clone();
            let pull = state.pull(number)?;
            let comment = |said: &Said| {
                let author = if said.author == viewer { "hydrator" } else { &said.author };
                json!({"author": author, "body": said.body, "reactions": []})
            };
            let comments: Vec<Value> = pull.comments.iter().map(comment).collect();
            // Forges trim bodies.
            let body = format!("{}\n", pull.body.trim_end());
            Some(json!({"title": pull.title, "body": body, "labels": pull.labels, "reviewers": pull.reviewers,
                "assignees": pull.assignees, "teamReviewers": pull.teams, "draft": pull.draft, "comments": comments}))
        })
    }

    /// The newest statuses of all commits: commit, context, state, description.
    pub(super) fn statuses(&self) -> Option<Vec<[String; 4]>> {
        if matches!(self, Self::Local(_)) {
            return None;
        }
        let word = |word: &str| match word {
            "failed" => "failure".to_owned(),
            "canceled" => "error".to_owned(),
            other => other.to_owned(),
        };
        let of = |state: &mut State| {
            let commits: Vec<String> = state.statuses.keys().cloned().collect();
            let mut found = Vec::new();
            for commit in commits {
                for one in state.newest_of_all(&commit) {
                    let (context, description) = (one.context.clone(), one.description.clone());
                    found.push([commit.clone(), context, word(&one.state), description]);
                }
            }
            found
        };
        Some(self.server().with(of))
    }

    /// A story without the addresses of pull requests.
    pub(super) fn without_addresses(&self, story: &str) -> String {
        let here = format!("http://{}", self.server().git.host());
        let pages = [
            "file://<root>/remote.git#".to_owned(),
            format!("{here}/acme/shop/pull/"),
            "http://forge/acme/shop/-/merge_requests/".to_owned(),
            "http://forge.example/acme/shop/pull/".to_owned(),
        ];
        pages.iter().fold(story.to_owned(), |text, page| text.replace(page, "PULL-REQUEST-"))
    }
}

/// A story without what one forge alone tells: what the status on DRY commits says while they are not everywhere, which
/// GitLab has not, or calls successful after a rollback; links in pictures and tables, and to a comparison, which lead to
/// pages that the local forge has not; and each forge's own words for what else a merge waits for.
pub(super) fn of_every_forge(story: &str) -> String {
    let waits = |line: &str| {
        let rest = line.split_once(" hydrator/progress ").map(|(_, rest)| rest);
        rest.is_some_and(|rest| !rest.starts_with("success: ") || rest.contains(" rolled back to "))
    };
    let told = story.lines().filter(|line| !waits(line) && !line.starts_with("  click e"));
    told.map(|line| in_common_words(line) + "\n").collect()
}

fn in_common_words(line: &str) -> String {
    if let Some((before, _)) = line.split_once("waits for somebody to merge it: http") {
        return format!("{before}waits on `hydrator/dev-next` for somebody to merge it");
    }
    let line = line.split_once("; the forge waits: ").map_or(line, |(before, _)| before);
    without_links(line)
}

/// A line of a table with the numbers of pull requests alone.
fn without_links(line: &str) -> String {
    let mut parts = line.split("](PULL-REQUEST-");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (before, shown) = text.rsplit_once('[').expect("a link has a beginning");
        let (_, after) = part.split_once(')').expect("a link has an end");
        format!("{before}{shown}{after}")
    })
}
