//! Tells what happened to the remote, in Markdown that people read in a review.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use crate::support::git::TestRepo;
use crate::support::reading::{CommitView, listing};

/// Refs with their objects.
pub(crate) type Refs = BTreeMap<String, String>;

/// The branch that people edit in every case.
pub(crate) const DRY_BRANCH: &str = "main";

/// The story so far.
pub(crate) struct Story {
    text: String,
    steps: usize,
    /// Commits that were told already.
    told: BTreeSet<String>,
}

impl Story {
    /// Starts with the title.
    pub(crate) fn new(title: &str, about: &str) -> Self {
        let mut story = Self { text: format!("# {title}\n"), steps: 0, told: BTreeSet::new() };
        if !about.is_empty() {
            story.line(about.trim());
        }
        story
    }

    /// Starts a step.
    pub(crate) fn step(&mut self, heading: &str) {
        self.steps += 1;
        let number = self.steps;
        self.line(&format!("## {number}. {heading}"));
    }

    /// Takes back what was told since the story was this long: other cases tell it.
    pub(crate) fn forget_since(&mut self, length: usize) {
        self.text.truncate(length);
    }

    /// How long the story is.
    pub(crate) fn length(&self) -> usize {
        self.text.len()
    }

    /// Adds a paragraph.
    pub(crate) fn line(&mut self, text: &str) {
        self.text.push('\n');
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Adds text as it is, under a caption; nothing for an empty text.
    pub(crate) fn block(&mut self, caption: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let fence = fence_for(text);
        let end = if text.ends_with('\n') { "" } else { "\n(no newline at the end)\n" };
        self.line(caption);
        self.line(&format!("{fence}text\n{text}{end}{fence}"));
    }

    /// Tells which refs moved, and of new commits everything.
    pub(crate) fn moves(&mut self, repo: &TestRepo, before: &Refs) {
        let after = repo.refs();
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names {
            let (old, new) = (before.get(name), after.get(name));
            if old != new {
                self.one_move(repo, name, (old, new), before);
            }
        }
    }

    fn one_move(
        &mut self,
        repo: &TestRepo,
        name: &str,
        (old, new): (Option<&String>, Option<&String>),
        before: &Refs,
    ) {
        let branch = name.strip_prefix("refs/heads/");
        let shown = branch.unwrap_or(name);
        let Some(new) = new else { return self.line(&format!("`{shown}` is deleted.")) };
        if branch.is_none() {
            // Of other refs the content matters; their ids would only change whenever a format does.
            self.line(&format!("`{shown}` {}.", if old.is_some() { "moves" } else { "is created" }));
            return self.other_ref(repo, name);
        }
        let from =
            old.map_or_else(|| "is created at".to_owned(), |old| format!("moves from {} to", short(old)));
        self.line(&format!("`{shown}` {from} {}.", short(new)));
        let commits = new_commits(repo, new, before);
        let news: Vec<String> =
            commits.into_iter().filter(|commit| self.told.insert(commit.clone())).collect();
        for commit in &news {
            self.commit(&repo.commit_view(commit));
        }
        if branch != Some(DRY_BRANCH) && !news.is_empty() {
            self.block("Its files:", &tree(repo, new));
        }
    }

    fn commit(&mut self, commit: &CommitView) {
        let parents: Vec<&str> = commit.parents.iter().map(|parent| short(parent)).collect();
        let parents = if parents.is_empty() { "none".to_owned() } else { parents.join(", ") };
        let mut text = format!("commit {}, parents: {parents}\n", short(&commit.id));
        // Writing to a string never fails.
        let _ = writeln!(text, "author {} {}", commit.author, commit.author_date);
        if (&commit.author, &commit.author_date) != (&commit.committer, &commit.committer_date) {
            let _ = writeln!(text, "committer {} {}", commit.committer, commit.committer_date);
        }
        let _ = write!(text, "\n{}", commit.message);
        self.block("A new commit:", &text);
    }

    fn other_ref(&mut self, repo: &TestRepo, name: &str) {
        if name.starts_with("refs/notes/") {
            self.block("Its notes:", &notes(repo, name));
        }
    }

    /// The story with the temporary directory's path taken out, and the times that come from today's clock.
    pub(crate) fn finish(self, root: &Path) -> String {
        without_times(&self.text.replace(root.to_str().expect("it is UTF-8"), "<root>"))
    }
}

/// `until 2030-01-02 14:30 UTC`, as soaks say it, without the time.
fn without_times(text: &str) -> String {
    let mut parts = text.split(" until ");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_time = |time: &str| time.chars().all(|c| c.is_ascii_digit() || "-: ".contains(c));
        told += " until ";
        match part.split_once(" UTC") {
            Some((time, rest)) if is_time(time) => told += &["<time>", rest].concat(),
            _ => told += part,
        }
    }
    told
}

/// The first seven digits.
pub(crate) fn short(id: &str) -> &str {
    &id[..7]
}

/// Longer than any fence in the text.
fn fence_for(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// The commits that the remote did not have on any ref before, oldest first.
fn new_commits(repo: &TestRepo, tip: &str, before: &Refs) -> Vec<String> {
    let known: Vec<String> = before.values().map(|id| format!("^{id}")).collect();
    let arguments = ["rev-list", "--reverse", "--topo-order", tip].into_iter();
    let arguments: Vec<&str> = arguments.chain(known.iter().map(String::as_str)).collect();
    repo.remote_git().run(&arguments).lines().map(str::to_owned).collect()
}

/// The files of a revision, one a line.
pub(crate) fn tree(repo: &TestRepo, revision: &str) -> String {
    let entries = listing(&repo.remote_git(), revision);
    let lines = entries.iter().fold(String::new(), |text, entry| text + &entry.to_string() + "\n");
    if lines.is_empty() { "(none)\n".to_owned() } else { lines }
}

/// The notes of a notes ref, one a line.
pub(crate) fn notes(repo: &TestRepo, reference: &str) -> String {
    let line = |(commit, text): (String, String)| {
        format!("{} {}\n", short(&commit), text.trim_end().replace('\n', "\n        "))
    };
    repo.notes(reference).into_iter().map(line).collect()
}

mod tests {
    use super::*;
    use crate::support::git::files;
    use crate::support::reading::Filing;

    #[test]
    fn tells_new_commits_once_with_their_files() {
        let repo = TestRepo::with_files(&files(&[("a", "1\n")]));
        let main = repo.tip("main").unwrap();
        let before = repo.refs();
        repo.remote_git().run(&["update-ref", "refs/heads/old", &main]);
        repo.switch("env");
        let id = repo.commit("Hydrate\n\nBody\n");
        repo.work_git().run(&["push", "--quiet", "origin", "env:env-next"]);
        let mut story = Story::new("T", "");
        story.moves(&repo, &before);
        let told = story.finish(repo.root());
        assert!(told.contains("`old` is created at"), "{told}");
        assert_eq!(told.matches("Hydrate\n\nBody").count(), 1, "{told}");
        assert!(
            told.contains(&format!("commit {}, parents: {}\nauthor Alice", short(&id), short(&main))),
            "{told}"
        );
        assert!(told.contains("Its files:\n\n```text\n100644 d00491f a\n```"), "{told}");
    }

    #[test]
    fn tells_notes_and_deletions() {
        let repo = TestRepo::with_files(&files(&[("a", "1\n")]));
        let main = repo.tip("main").unwrap();
        repo.remote_git().run(&["update-ref", "refs/heads/old", &main]);
        let before = repo.refs();
        repo.remote_git().run(&["update-ref", "-d", "refs/heads/old"]);
        repo.write_note("refs/notes/n", &main, "{}\n", Filing::Flat);
        let mut story = Story::new("T", "About.\n");
        story.moves(&repo, &before);
        let notes =
            format!("`refs/notes/n` is created.\n\nIts notes:\n\n```text\n{} {{}}\n```\n", short(&main));
        assert_eq!(story.finish(repo.root()), format!("# T\n\nAbout.\n\n`old` is deleted.\n\n{notes}"));
    }

    #[test]
    fn the_end_of_a_soak_is_not_told() {
        let text = "soaking in dev until 2030-01-02 14:30 UTC; wait until 09:00 UTC or until then";
        assert_eq!(without_times(text), "soaking in dev until <time>; wait until <time> or until then");
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        let mut story = Story::new("T", "");
        story.step("One");
        story.block("Text:", "````\nx");
        story.block("Nothing:", "");
        let wanted = "# T\n\n## 1. One\n\nText:\n\n`````text\n````\nx\n(no newline at the end)\n`````\n";
        assert_eq!(story.finish(Path::new("/tmp/x")), wanted);
    }
}
