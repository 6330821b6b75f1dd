//! What a case says: `case.yaml` as values.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::support::git::Files;
use crate::support::reading::Filing;

/// A behaviour that a user would name, and the steps that show it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    /// One line: the behaviour.
    pub(crate) title: String,
    /// Why it is so, or what to look at; Markdown.
    #[serde(default)]
    pub(crate) about: String,
    /// What happens, in order.
    pub(crate) steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Step {
    /// Alice commits in the work clone and pushes.
    Commit(Commit),
    /// hydrator runs in the work clone, with the local forge.
    #[serde(alias = "run")]
    Hydrator(Words),
    /// The CI system starts a job for a commit, with the variables that it sets.
    Job(Job),
    /// `hydrator local`: somebody works the forge by hand.
    Local(Words),
    /// Bob commits in his own clone and pushes.
    PersonCommit(PersonCommit),
    /// Somebody deletes a branch of the remote.
    DeleteBranch(String),
    /// Somebody presses "Update branch" on a pull request.
    UpdateBranch(UpdateBranch),
    /// Somebody presses "Revert" on a merged pull request, and merges that.
    Revert(Revert),
    /// Somebody moves a branch of the remote by force.
    ForcePush(ForcePush),
    /// Another program writes a note.
    Note(Note),
    /// The remote refuses pushes to a ref from now on.
    Protect(String),
    /// What led here and other cases tell in full: steps that must go well, told by their headings alone.
    Quietly(Vec<Step>),
    /// Nothing happens, but this is looked at.
    Show(Vec<Look>),
}

/// A commit to the work clone's branch.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Commit {
    /// A directory of `tests/projects` whose files are copied first: what many cases start from.
    pub(crate) project: Option<String>,
    /// A directory of the case whose files are copied.
    pub(crate) from: Option<String>,
    /// Files to write.
    #[serde(default)]
    pub(crate) files: Files,
    /// Files and directories to delete.
    #[serde(default)]
    pub(crate) delete: Vec<String>,
    /// The message.
    pub(crate) message: String,
    /// The branch; `main` by default.
    pub(crate) branch: Option<String>,
}

/// A job of GitHub Actions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Job {
    /// The commit that it is for: a revision as the remote sees it.
    #[serde(rename = "for")]
    pub(crate) commit: String,
    /// The branch that was pushed; `main` by default.
    #[serde(default = "main")]
    pub(crate) branch: String,
    /// What it runs.
    pub(crate) hydrator: Words,
}

fn main() -> String {
    "main".to_owned()
}

/// A commit to any branch of the remote.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PersonCommit {
    /// The branch, made from nothing if it is not there.
    pub(crate) branch: String,
    /// Files to write.
    #[serde(default)]
    pub(crate) files: Files,
    /// Files and directories to delete.
    #[serde(default)]
    pub(crate) delete: Vec<String>,
    /// A branch that is merged by the same commit.
    pub(crate) merge: Option<String>,
    /// The message.
    pub(crate) message: String,
}

/// A merge of a pull request's base into its head.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateBranch {
    /// The pull request's head.
    pub(crate) branch: String,
    /// Its base.
    pub(crate) from: String,
}

/// A revert that is merged.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revert {
    /// The branch.
    pub(crate) branch: String,
    /// What is undone: a revision as seen from a clone; `tip` by default.
    #[serde(default = "tip")]
    pub(crate) commit: String,
}

fn tip() -> String {
    "tip".to_owned()
}

/// A branch moved by force.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ForcePush {
    /// The branch.
    pub(crate) branch: String,
    /// A revision as the remote sees it, such as `main~1`.
    pub(crate) to: String,
}

/// A note of another program.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    /// The notes ref.
    #[serde(rename = "ref")]
    pub(crate) reference: String,
    /// The commit: a revision as the remote sees it.
    pub(crate) on: String,
    /// The text.
    pub(crate) text: String,
    /// How it is filed; fanned by default.
    #[serde(default)]
    pub(crate) flat: bool,
}

impl Note {
    /// How it is filed.
    pub(crate) fn filing(&self) -> Filing {
        if self.flat { Filing::Flat } else { Filing::Fanned }
    }
}

/// Something to look at.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Look {
    /// Every branch and its commit.
    Branches,
    /// Every pull request.
    PullRequests,
    /// Everything that one pull request shows.
    PullRequest(u64),
    /// Every note of hydrator's notes ref.
    Notes,
    /// Every status of every commit.
    Statuses,
    /// The files of a revision.
    Tree(String),
    /// The commits of a revision, newest first.
    Log(String),
    /// The text of a file.
    File {
        /// A branch or another revision.
        branch: String,
        /// From the root.
        path: String,
    },
    /// What differs between two revisions.
    Diff {
        /// The older one.
        from: String,
        /// The newer one.
        to: String,
    },
}

/// Arguments: a list, or a text that is split at spaces.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Words {
    /// `[rollback, --reason, "a bad day"]`
    List(Vec<Value>),
    /// `run --dry-run`
    Text(String),
}

impl Words {
    /// The arguments.
    pub(crate) fn list(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        match self {
            Self::List(values) => values.iter().map(word).collect(),
            Self::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
        }
    }
}

impl Script {
    /// Reads `case.yaml` in a case's directory.
    pub(crate) fn read(case: &Path) -> Self {
        let path = case.join("case.yaml");
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// Through JSON, where a step is a map with one key without further ado.
    fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
        serde_json::from_value(value).map_err(|error| error.to_string())
    }
}

mod tests {
    use super::*;

    #[test]
    fn arguments_are_a_list_or_a_text() {
        let script = "title: T\nsteps:\n- run: [local, merge, 1]\n- hydrator: run --dry-run\n- local: list";
        let steps = Script::parse(script).unwrap().steps;
        let words = |step: &Step| match step {
            Step::Hydrator(words) | Step::Local(words) => words.list(),
            other => panic!("{other:?}"),
        };
        let wanted = [vec!["local", "merge", "1"], vec!["run", "--dry-run"], vec!["list"]];
        assert_eq!(steps.iter().map(words).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn a_mistyped_step_is_an_error() {
        for bad in ["- comit: {}", "- commit: {message: x, mesage: y}", "- show: [brunches]", "- revert: {}"]
        {
            let words = Script::parse(&format!("title: T\nsteps:\n{bad}")).unwrap_err();
            assert!(words.contains("unknown") || words.contains("missing"), "{bad}: {words}");
        }
    }
}
