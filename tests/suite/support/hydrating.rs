//! Runs of `hydrator run` against a test's remote, and everything that one can leave there: refs, notes, and what the
//! local forge keeps.

use std::collections::BTreeMap;
use std::path::Path;

use super::checkout::Checkout;
use super::command::Run;
use super::git::TestRepo;

/// The notes that runs write.
pub(crate) const NOTES: &str = "refs/notes/hydrator.metadata";

/// Refs, and the local forge's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteState {
    /// Every ref with its object.
    pub(crate) refs: BTreeMap<String, String>,
    /// The text of the local forge's file; nothing while nobody has used it.
    pub(crate) forge: Option<String>,
}

impl RemoteState {
    /// The state but for how far DRY commits have come, which is said of commits that fail, too.
    pub(crate) fn without_progress(mut self) -> Self {
        self.forge = self.forge.map(|text| {
            let mut state: serde_json::Value = serde_json::from_str(&text).expect("the forge's file is JSON");
            let statuses = state["statuses"].as_object_mut().expect("commits have statuses");
            statuses.values_mut().for_each(|contexts| {
                _ = contexts.as_object_mut().expect("statuses have contexts").remove("hydrator/progress");
            });
            statuses.retain(|_, contexts| contexts != &serde_json::json!({}));
            serde_json::to_string_pretty(&state).expect("it is JSON still")
        });
        self
    }
}

/// What a state means, whichever pushes led to it: branches, what their notes say, pull requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meaning {
    branches: BTreeMap<String, String>,
    notes: BTreeMap<String, String>,
    pull_requests: serde_json::Value,
}

impl TestRepo {
    /// `hydrator run` in the work clone, with the local forge beside the remote however that is reached.
    pub(crate) fn hydration(&self) -> Run {
        hydration_in(&self.work(), self)
    }

    /// The same in another checkout.
    pub(crate) fn hydration_of(&self, checkout: &Checkout) -> Run {
        hydration_in(checkout.path(), self)
    }

    /// The state of the remote.
    pub(crate) fn state(&self) -> RemoteState {
        let forge = std::fs::read_to_string(forge_file(self)).ok();
        RemoteState { refs: self.refs(), forge: forge.map(|text| without_times(&text)) }
    }

    /// Puts the remote back into a state that it had.
    pub(crate) fn restore(&self, state: &RemoteState) {
        let now = self.refs();
        let gone = now.keys().filter(|name| !state.refs.contains_key(*name));
        let mut commands = gone.fold(String::new(), |text, name| text + "delete " + name + "\n");
        commands.extend(state.refs.iter().map(|(name, id)| format!("update {name} {id}\n")));
        self.remote_git().feed(&["update-ref", "--stdin"], commands.as_bytes());
        match &state.forge {
            Some(text) => std::fs::write(forge_file(self), text).expect("the forge's file is written"),
            None => drop(std::fs::remove_file(forge_file(self))),
        }
    }

    /// What the remote's state means.
    pub(crate) fn meaning(&self) -> Meaning {
        let mut branches = self.refs();
        branches.retain(|name, _| name.starts_with("refs/heads/"));
        Meaning { branches, notes: self.notes(NOTES), pull_requests: self.pull_requests() }
    }

    /// The pull requests as the local forge keeps them.
    pub(crate) fn pull_requests(&self) -> serde_json::Value {
        let text = std::fs::read_to_string(forge_file(self)).unwrap_or_else(|_| "{}".to_owned());
        let state: serde_json::Value = serde_json::from_str(&text).expect("the forge's file is JSON");
        state["pullRequests"].clone()
    }

    /// The one open pull request from a branch, if there is one.
    pub(crate) fn open_pull_request(&self, head: &str) -> Option<serde_json::Value> {
        let all = self.pull_requests();
        let open = |one: &&serde_json::Value| one["head"] == head && one["state"] == "open";
        let mut found = all.as_array().into_iter().flatten().filter(open).cloned();
        let first = found.next();
        assert_eq!(found.next(), None, "two pull requests are open from {head}");
        first
    }

    /// Merges a pull request of the local forge, as a person would.
    pub(crate) fn merge_pull_request(&self, head: &str) {
        let number = self.open_pull_request(head).unwrap_or_else(|| panic!("nothing is open from {head}"));
        let remote = self.remote().display().to_string();
        let run = Run::hydrator(self).arguments(["local", "--forge-directory", &remote, "merge"]);
        _ = run.arguments([number["number"].to_string()]).run().success();
    }

    /// The DRY commit that the note on a branch's tip names.
    pub(crate) fn noted(&self, branch: &str) -> Option<String> {
        let note = self.notes(NOTES).remove(&self.tip(branch)?)?;
        let note: serde_json::Value = serde_json::from_str(&note).expect("a note is JSON");
        note["drySha"].as_str().map(str::to_owned)
    }
}

fn hydration_in(directory: &Path, repo: &TestRepo) -> Run {
    let remote = repo.remote().display().to_string();
    Run::hydrator(repo).directory(directory).arguments([
        "run",
        "--forge",
        "local",
        "--format",
        "json",
        "--forge-directory",
        &remote,
    ])
}

/// The forge's file with every status made at the same time: when something was said is no part of what is there.
fn without_times(text: &str) -> String {
    let mut state: serde_json::Value = serde_json::from_str(text).expect("the forge's file is JSON");
    for contexts in state["statuses"].as_object_mut().into_iter().flatten().map(|(_, contexts)| contexts) {
        for status in contexts.as_object_mut().into_iter().flatten().map(|(_, status)| status) {
            status["createdAt"] = "2023-11-14T22:13:20Z".into();
        }
    }
    serde_json::to_string_pretty(&state).expect("it is JSON still") + "\n"
}

fn forge_file(repo: &TestRepo) -> std::path::PathBuf {
    repo.remote().join("hydrator-forge/state.json")
}

/// The job of a GitHub push to the DRY branch.
pub(crate) fn triggered(run: Run, commit: &str, reference: &str) -> Run {
    run.variable("GITHUB_ACTIONS", "true").variable("GITHUB_SHA", commit).variable("GITHUB_REF", reference)
}

mod tests {
    use super::*;
    use crate::support::project;

    #[test]
    fn a_state_can_be_put_back() {
        let repo = TestRepo::with_files(&project::embedded());
        let before = repo.state();
        _ = repo.hydration().run().success();
        let after = repo.state();
        assert!(after.forge.is_some() && after.refs.len() == 9, "{after:?}");
        repo.restore(&before);
        assert_eq!(repo.state(), before);
        repo.restore(&after);
        assert_eq!(repo.state(), after);
        let main = repo.tip("main");
        assert_eq!(repo.noted("hydrator/dev-next"), main);
        assert_eq!(repo.noted("main"), None);
    }
}
