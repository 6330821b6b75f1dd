//! Reads back what is in a test's remote.

use std::collections::BTreeMap;
use std::fmt;

use super::git::{Git, TestRepo};

/// One file of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeEntry {
    /// Such as `100644`.
    pub(crate) mode: String,
    /// The blob's id.
    pub(crate) id: String,
    /// From the root.
    pub(crate) path: String,
}

impl fmt::Display for TreeEntry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.mode, &self.id[..7], self.path)
    }
}

/// A commit, as git keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommitView {
    /// Its id.
    pub(crate) id: String,
    /// Its tree's id.
    pub(crate) tree: String,
    /// Its parents' ids.
    pub(crate) parents: Vec<String>,
    /// `Name <address>`.
    pub(crate) author: String,
    /// ISO 8601 with the offset.
    pub(crate) author_date: String,
    /// `Name <address>`.
    pub(crate) committer: String,
    /// ISO 8601 with the offset.
    pub(crate) committer_date: String,
    /// The whole message as it stands, with its last newline.
    pub(crate) message: String,
}

impl CommitView {
    /// The first line of the message.
    pub(crate) fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The values of a trailer.
    pub(crate) fn trailer(&self, key: &str) -> Vec<&str> {
        let value = |line: &'_ str| line.strip_prefix(key)?.strip_prefix(": ").map(str::len);
        self.message
            .lines()
            .filter_map(|line| value(line).map(|length| &line[line.len() - length..]))
            .collect()
    }
}

/// How an entry of a notes tree is filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filing {
    /// All forty digits as one name.
    Flat,
    /// Two digits, a slash, the rest.
    Fanned,
}

impl TestRepo {
    /// Every ref of the remote with its object.
    pub(crate) fn refs(&self) -> BTreeMap<String, String> {
        let text = self.remote_git().run(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        let pair = |line: &str| line.split_once(' ').map(|(name, id)| (name.to_owned(), id.to_owned()));
        text.lines().filter_map(pair).collect()
    }

    /// The commit of a branch of the remote.
    pub(crate) fn tip(&self, branch: &str) -> Option<String> {
        self.remote_git().try_run(&["rev-parse", "--verify", "--quiet", &format!("refs/heads/{branch}")]).ok()
    }

    /// Every file of a revision of the remote, sorted by path.
    pub(crate) fn tree_listing(&self, revision: &str) -> Vec<TreeEntry> {
        listing(&self.remote_git(), revision)
    }

    /// The text of a file of a revision of the remote.
    pub(crate) fn show(&self, revision: &str, path: &str) -> String {
        self.try_show(revision, path).unwrap_or_else(|| panic!("{revision} has no {path}"))
    }

    /// The text of a file of a revision of the remote, if it is there.
    pub(crate) fn try_show(&self, revision: &str, path: &str) -> Option<String> {
        let entry = self.tree_listing(revision).into_iter().find(|entry| entry.path == path)?;
        Some(blob(&self.remote_git(), &entry.id))
    }

    /// A commit of the remote.
    pub(crate) fn commit_view(&self, revision: &str) -> CommitView {
        let git = self.remote_git();
        let format = "--format=%H%n%T%n%P%n%an <%ae>%n%aI%n%cn <%ce>%n%cI";
        let text = git.run(&["show", "--no-patch", "--no-notes", format, &format!("{revision}^{{commit}}")]);
        let mut lines = text.lines().map(str::to_owned);
        let mut next = || lines.next().unwrap_or_default();
        let (id, tree, parents) = (next(), next(), next());
        let raw = blob_of_type(&git, "commit", &id);
        CommitView {
            tree,
            parents: parents.split_whitespace().map(str::to_owned).collect(),
            author: next(),
            author_date: next(),
            committer: next(),
            committer_date: next(),
            message: raw.split_once("\n\n").map(|(_, message)| message.to_owned()).unwrap_or_default(),
            id,
        }
    }

    /// The notes of a notes ref of the remote, by the commit that they are on, wherever they are filed.
    pub(crate) fn notes(&self, reference: &str) -> BTreeMap<String, String> {
        if !self.refs().contains_key(reference) {
            return BTreeMap::new();
        }
        let entries = self.tree_listing(reference);
        let texts = blobs(&self.remote_git(), entries.iter().map(|entry| entry.id.as_str()));
        entries.iter().map(|entry| entry.path.replace('/', "")).zip(texts).collect()
    }

    /// Writes a note as another program would, in one commit on the notes ref of the remote.
    pub(crate) fn write_note(&self, reference: &str, commit: &str, text: &str, filing: Filing) {
        self.tick();
        let index = self.root().join("notes.index");
        let git = self.remote_git().variable("GIT_INDEX_FILE", &index.display().to_string());
        let parent = git.try_run(&["rev-parse", "--verify", "--quiet", reference]).ok();
        let tree = parent.as_deref().unwrap_or("--empty");
        git.run(&["read-tree", tree]);
        let note = git.feed(&["hash-object", "-w", "--stdin"], text.as_bytes());
        let path = match filing {
            Filing::Flat => commit.to_owned(),
            Filing::Fanned => format!("{}/{}", &commit[..2], &commit[2..]),
        };
        git.run(&["update-index", "--add", "--cacheinfo", &format!("100644,{note},{path}")]);
        let tree = git.run(&["write-tree"]);
        let mut arguments = vec!["commit-tree", &tree, "-m", "Notes added by another program"];
        if let Some(parent) = &parent {
            arguments.extend(["-p", parent]);
        }
        let commit = git.run(&arguments);
        git.run(&["update-ref", reference, &commit, parent.as_deref().unwrap_or_default()]);
    }
}

/// Every file of a revision.
pub(crate) fn listing(git: &Git, revision: &str) -> Vec<TreeEntry> {
    let text = git.run(&["ls-tree", "-r", "-z", "--full-tree", revision]);
    let entry = |line: &str| {
        let (about, path) = line.split_once('\t')?;
        let mut about = about.split(' ');
        let (mode, _type, id) = (about.next()?, about.next()?, about.next()?);
        Some(TreeEntry { mode: mode.to_owned(), id: id.to_owned(), path: path.to_owned() })
    };
    text.split('\0').filter_map(entry).collect()
}

fn blob(git: &Git, id: &str) -> String {
    blob_of_type(git, "blob", id)
}

/// The texts of many blobs, read by one process.
fn blobs<'a>(git: &Git, ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = ids.fold(String::new(), |text, id| text + id + "\n");
    let printed = git.feed(&["cat-file", "--batch"], wanted.as_bytes());
    let mut texts = Vec::new();
    // Of each: `<id> blob <size>`, the text, a newline.
    let mut rest = printed.as_str();
    while let Some((head, after)) = rest.split_once('\n') {
        let size: usize =
            head.rsplit(' ').next().and_then(|size| size.parse().ok()).expect("git prints a size");
        texts.push(after[..size].to_owned());
        rest = after[size..].trim_start_matches('\n');
    }
    texts
}

/// An object's whole text: [`Git::run`] drops a last newline, which matters here.
fn blob_of_type(git: &Git, kind: &str, id: &str) -> String {
    let size: usize = git.run(&["cat-file", "-s", id]).parse().expect("git prints a number");
    let mut text = git.run(&["cat-file", kind, id]);
    if text.len() < size {
        text.push('\n');
    }
    text
}

mod tests {
    use super::*;
    use crate::support::git::files;

    #[test]
    fn same_steps_give_the_same_ids() {
        let make = || TestRepo::with_files(&files(&[("a.yaml", "a: 1\n"), ("b/c.yaml", "c: 1\n")]));
        let (one, two) = (make(), make());
        assert_eq!(one.refs(), two.refs());
        assert_eq!(one.tip("main"), one.refs().get("refs/heads/main").cloned());
        assert_eq!(one.tip("none"), None);
    }

    #[test]
    fn reads_a_commit_as_it_is() {
        let repo = TestRepo::with_files(&files(&[("a.yaml", "a: 1\n\n"), ("gone/b.yaml", "b: 1\n")]));
        let first = repo.tip("main").unwrap();
        repo.write("a.yaml", "a: 2\n\n");
        repo.remove("gone");
        let second = repo.commit("Subject\n\nBody\n\nSigned-off-by: A\nSigned-off-by: B\n");
        let view = repo.commit_view("main");
        assert_eq!((&view.id, &view.parents), (&second, &vec![first]));
        assert_eq!(view.message, "Subject\n\nBody\n\nSigned-off-by: A\nSigned-off-by: B\n");
        assert_eq!(view.subject(), "Subject");
        assert_eq!(view.trailer("Signed-off-by"), ["A", "B"]);
        assert_eq!(view.author, "Alice Example <alice.example@example.com>");
        assert_eq!(view.author, view.committer);
        assert_eq!(view.author_date, view.committer_date);
        assert!(view.author_date.starts_with("2023-11-14T"));
        assert_eq!(view.tree, repo.remote_git().run(&["rev-parse", "main^{tree}"]));
        assert_eq!(repo.show("main", "a.yaml"), "a: 2\n\n");
        assert_eq!(repo.try_show("main", "gone/b.yaml"), None);
        let listing: Vec<String> = repo.tree_listing("main~1").iter().map(ToString::to_string).collect();
        assert_eq!(listing, ["100644 f21de94 a.yaml", "100644 8b76663 gone/b.yaml"]);
    }

    #[test]
    fn notes_are_found_wherever_they_are_filed() {
        let repo = TestRepo::with_files(&files(&[("a", "a")]));
        let one = repo.tip("main").unwrap();
        let two = repo.commit("Second");
        let reference = "refs/notes/x";
        assert!(repo.notes(reference).is_empty());
        repo.write_note(reference, &one, "flat\n", Filing::Flat);
        repo.write_note(reference, &two, "fanned\n", Filing::Fanned);
        let wanted = [(one.clone(), "flat\n".to_owned()), (two.clone(), "fanned\n".to_owned())];
        assert_eq!(repo.notes(reference), BTreeMap::from(wanted));
        let git = repo.remote_git();
        assert_eq!(git.run(&["notes", "--ref=x", "show", &one]), "flat");
        assert_eq!(git.run(&["notes", "--ref=x", "show", &two]), "fanned");
    }

    #[test]
    fn a_protected_branch_refuses_a_push() {
        let repo = TestRepo::with_files(&files(&[("a", "a")]));
        repo.protect("refs/heads/prod");
        repo.switch("prod");
        let refused = repo.work_git().try_run(&["push", "origin", "prod"]).unwrap_err();
        assert!(refused.contains("GH006"), "{refused}");
        repo.switch("main");
        repo.commit("Still allowed");
    }
}
