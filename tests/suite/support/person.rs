//! A person with a clone of their own, who does to the remote what people do: by git, or by a forge's buttons.

use std::path::PathBuf;

use super::git::{Files, Git, TestRepo, remove_below, write_below};

/// What one commit of a person changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Files to write.
    pub(crate) files: Files,
    /// Files and directories to delete.
    pub(crate) delete: Vec<String>,
    /// A branch that is merged by the same commit.
    pub(crate) merge: Option<String>,
}

/// Somebody else than the one who works in the work clone.
pub(crate) struct Person<'a> {
    repo: &'a TestRepo,
    clone: PathBuf,
}

impl TestRepo {
    /// The person, with a clone that knows what the remote has now.
    pub(crate) fn person(&self) -> Person<'_> {
        let person = Person { repo: self, clone: self.root().join("person") };
        if !person.clone.exists() {
            self.git_in(self.root(), NAME).run(&["clone", "--quiet", "--no-checkout", &self.url(), "person"]);
        }
        self.tick();
        person.git().run(&["fetch", "--quiet", "--prune", "origin", "+refs/heads/*:refs/remotes/origin/*"]);
        person
    }
}

const NAME: &str = "Bob Example";

impl Person<'_> {
    /// Git in the person's clone.
    pub(crate) fn git(&self) -> Git {
        self.repo.git_in(&self.clone, NAME)
    }

    /// Commits a change to a branch of the remote, which is made from nothing if it is not there.
    pub(crate) fn commit(&self, branch: &str, change: &Change, message: &str) -> String {
        self.check_out(branch);
        let git = self.git();
        if let Some(other) = &change.merge {
            let other = format!("refs/remotes/origin/{other}");
            git.run(&["merge", "--quiet", "--no-ff", "--no-commit", &other]);
        }
        for (path, text) in &change.files {
            write_below(&self.clone, path, text);
        }
        for path in &change.delete {
            remove_below(&self.clone, path);
        }
        git.run(&["add", "--all"]);
        git.run(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.push(branch)
    }

    /// Merges one branch into another with a merge commit: the forge's "Update branch" button when `from` is the
    /// base of a pull request and `into` its head.
    pub(crate) fn merge(&self, from: &str, into: &str) -> String {
        self.check_out(into);
        let message = format!("Merge branch '{from}' into {into}");
        let from = format!("refs/remotes/origin/{from}");
        self.git().run(&["merge", "--quiet", "--no-ff", "--no-edit", "--message", &message, &from]);
        self.push(into)
    }

    /// The forge's "Revert" button, merged: a commit that undoes `revision`, merged into the branch.
    pub(crate) fn revert(&self, branch: &str, revision: &str) -> String {
        self.check_out(branch);
        let git = self.git();
        git.run(&["switch", "--quiet", "--force-create", "revert"]);
        let is_merge = git.try_run(&["rev-parse", "--verify", "--quiet", &format!("{revision}^2")]).is_ok();
        let mainline: &[&str] = if is_merge { &["--mainline", "1"] } else { &[] };
        git.run(&[&["revert", "--no-edit"], mainline, &[revision]].concat());
        let message = format!("Merge the revert of a change of {branch}");
        git.run(&["switch", "--quiet", branch]);
        git.run(&["merge", "--quiet", "--no-ff", "--no-edit", "--message", &message, "revert"]);
        self.push(branch)
    }

    /// Moves a branch of the remote to a revision, whatever it was before.
    pub(crate) fn force_push(&self, branch: &str, revision: &str) {
        self.git().run(&["push", "--quiet", "--force", "origin", &format!("{revision}:refs/heads/{branch}")]);
    }

    /// Deletes a branch of the remote.
    pub(crate) fn delete_branch(&self, branch: &str) {
        assert!(self.repo.tip(branch).is_some(), "there is no branch {branch} to delete");
        self.git().run(&["push", "--quiet", "origin", &format!(":refs/heads/{branch}")]);
    }

    fn check_out(&self, branch: &str) {
        let git = self.git();
        let theirs = format!("refs/remotes/origin/{branch}");
        if git.try_run(&["rev-parse", "--verify", "--quiet", &theirs]).is_ok() {
            git.run(&[
                "switch",
                "--quiet",
                "--discard-changes",
                "--force-create",
                branch,
                "--no-track",
                &theirs,
            ]);
        } else {
            git.run(&["switch", "--quiet", "--discard-changes", "--orphan", branch]);
        }
    }

    fn push(&self, branch: &str) -> String {
        let git = self.git();
        git.run(&["push", "--quiet", "origin", &format!("HEAD:refs/heads/{branch}")]);
        git.run(&["rev-parse", "HEAD"])
    }
}

mod tests {
    use super::*;
    use crate::support::git::files;

    fn change(path: &str, text: &str) -> Change {
        Change { files: files(&[(path, text)]), ..Change::default() }
    }

    #[test]
    fn commits_to_old_and_new_branches() {
        let repo = TestRepo::with_files(&files(&[("a", "1\n")]));
        let first = repo.tip("main").unwrap();
        let second = repo.person().commit("main", &change("b", "1\n"), "Add b");
        assert_eq!(repo.commit_view("main").parents, [first]);
        let alone = repo.person().commit("other", &change("c", "1\n"), "Start");
        assert_eq!(repo.commit_view("other").parents, Vec::<String>::new());
        assert_eq!(repo.tree_listing("other").len(), 1);
        let delete = Change { delete: vec!["a".to_owned()], ..Change::default() };
        repo.person().commit("main", &delete, "Remove a");
        assert_eq!(repo.tree_listing("main").iter().map(|entry| &entry.path).collect::<Vec<_>>(), ["b"]);
        assert_ne!(second, alone);
        assert_eq!(repo.commit_view("main").author, "Bob Example <bob.example@example.com>");
    }

    #[test]
    fn presses_update_branch() {
        let repo = TestRepo::with_files(&files(&[("a", "1\n")]));
        repo.person().force_push("head", "origin/main");
        let head = repo.person().commit("head", &change("b", "1\n"), "Proposal");
        let base = repo.person().commit("main", &change("c", "1\n"), "Meanwhile");
        let merged = repo.person().merge("main", "head");
        assert_eq!(repo.tip("head"), Some(merged));
        assert_eq!(repo.commit_view("head").parents, [head, base]);
        assert_eq!(repo.tree_listing("head").len(), 3);
    }

    #[test]
    fn presses_revert_on_a_commit_and_on_a_merge() {
        let repo = TestRepo::with_files(&files(&[("a", "1\n")]));
        repo.person().commit("main", &change("a", "2\n"), "Change a");
        repo.person().revert("main", "HEAD");
        assert_eq!(repo.show("main", "a"), "1\n");
        assert_eq!(repo.commit_view("main").parents.len(), 2, "a revert is merged by a pull request");
        repo.person().revert("main", "HEAD");
        assert_eq!(repo.show("main", "a"), "2\n");
    }

    #[test]
    fn moves_and_deletes_branches() {
        let repo = TestRepo::with_files(&files(&[("a", "1\n")]));
        let first = repo.tip("main");
        repo.person().commit("main", &change("a", "2\n"), "Change a");
        repo.person().force_push("main", "origin/main~1");
        assert_eq!(repo.tip("main"), first);
        repo.person().force_push("other", "origin/main");
        repo.person().delete_branch("other");
        assert_eq!(repo.tip("other"), None);
    }
}
