//! Real repositories, made quickly: a bare remote and a work clone, with fixed identities and dates, so that the same
//! steps always give the same commit ids.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;

use super::command::write_script;

/// Paths and texts.
pub(crate) type Files = BTreeMap<String, String>;

/// Makes [`Files`] from pairs.
pub(crate) fn files(pairs: &[(&str, &str)]) -> Files {
    pairs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// The git program in one directory, with nothing of the machine's configuration or variables.
pub(crate) struct Git {
    directory: PathBuf,
    home: PathBuf,
    variables: Vec<(String, String)>,
}

impl Git {
    /// Git in `directory` with `home` as its home.
    pub(crate) fn new(directory: impl Into<PathBuf>, home: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), home: home.into(), variables: Vec::new() }
    }

    /// Adds a variable, such as `GIT_AUTHOR_NAME`; the last one of a name wins.
    #[must_use]
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Author and committer, and the time of both in seconds since 1970.
    #[must_use]
    fn identity(self, name: &str, seconds: u64) -> Self {
        let email = format!("{}@example.com", name.to_lowercase().replace(' ', "."));
        let date = format!("{seconds} +0000");
        ["AUTHOR", "COMMITTER"].iter().fold(self, |git, role| {
            git.variable(&format!("GIT_{role}_NAME"), name)
                .variable(&format!("GIT_{role}_EMAIL"), &email)
                .variable(&format!("GIT_{role}_DATE"), &date)
        })
    }

    /// Runs git and returns its stdout without the last newline; panics with git's words when it fails.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.try_run(arguments).unwrap_or_else(|words| panic!("git {arguments:?} failed: {words}"))
    }

    /// Runs git; the error is its stderr.
    pub(crate) fn try_run(&self, arguments: &[&str]) -> Result<String, String> {
        text_of(self.output(arguments, b""))
    }

    /// Runs git with `input` on stdin.
    pub(crate) fn feed(&self, arguments: &[&str], input: &[u8]) -> String {
        text_of(self.output(arguments, input))
            .unwrap_or_else(|words| panic!("git {arguments:?} failed: {words}"))
    }

    /// Runs git and returns its stdout as it is.
    pub(crate) fn bytes(&self, arguments: &[&str]) -> Vec<u8> {
        let output = self.output(arguments, b"");
        assert!(
            output.status.success(),
            "git {arguments:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        output.stdout
    }

    fn output(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut command = Command::new("git");
        scrub(&mut command, &self.home);
        command.args(arguments).current_dir(&self.directory);
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("git starts");
        // A git that does not read its input closes the pipe; that is no failure.
        let _ = child.stdin.take().expect("stdin is piped").write_all(input);
        child.wait_with_output().expect("git ends")
    }
}

/// Clears a command's environment and sets what makes git behave the same everywhere.
pub(crate) fn scrub(command: &mut Command, home: &Path) {
    command.env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", home).env("LC_ALL", "C").env("TZ", "UTC");
    command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0");
}

fn text_of(output: Output) -> Result<String, String> {
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned());
    }
    let mut text = String::from_utf8(output.stdout).expect("git's output is UTF-8 in tests");
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}

/// Seconds since 1970 of the first commit of every repository; each later one is a minute younger.
const FIRST_COMMIT: u64 = 1_700_000_000;

/// A bare remote, a work clone of it, and a home without any configuration. Removed when dropped.
pub(crate) struct TestRepo {
    root: TempDir,
    clock: AtomicU64,
}

impl TestRepo {
    /// An empty remote, and a clone of it on `main` without commits.
    pub(crate) fn new() -> Self {
        let root =
            tempfile::Builder::new().prefix("hydrator-test-").tempdir().expect("a temporary directory");
        let repo = Self { root, clock: AtomicU64::new(FIRST_COMMIT) };
        std::fs::create_dir(repo.home()).expect("the home is new");
        let git = Git::new(repo.root(), repo.home());
        git.run(&["init", "--quiet", "--bare", "--initial-branch=main", "remote.git"]);
        git.run(&["init", "--quiet", "--initial-branch=main", "work"]);
        repo.work_git().run(&["remote", "add", "origin", &repo.url()]);
        // As forges have it: partial clones, and fetching a commit by its id.
        repo.remote_git().run(&["config", "uploadpack.allowFilter", "true"]);
        repo.remote_git().run(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
        repo
    }

    /// A remote whose `main` has one commit with these files.
    pub(crate) fn with_files(files: &Files) -> Self {
        let repo = Self::new();
        repo.write_all(files);
        repo.commit("First commit");
        repo
    }

    /// The directory that everything is in.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// The home of the programs that are run.
    pub(crate) fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// The bare repository.
    pub(crate) fn remote(&self) -> PathBuf {
        self.root().join("remote.git")
    }

    /// The work clone.
    pub(crate) fn work(&self) -> PathBuf {
        self.root().join("work")
    }

    /// The remote as a `file://` URL.
    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.remote().display())
    }

    /// Git in the bare repository.
    pub(crate) fn remote_git(&self) -> Git {
        self.git_in(&self.remote(), "Forge")
    }

    /// Git in the work clone, as Alice.
    pub(crate) fn work_git(&self) -> Git {
        self.git_in(&self.work(), "Alice Example")
    }

    /// Git in a directory as somebody, at the repository's time.
    pub(crate) fn git_in(&self, directory: &Path, name: &str) -> Git {
        Git::new(directory, self.home()).identity(name, self.clock.load(Ordering::Relaxed))
    }

    /// Lets a minute pass: what makes commits calls it once, so that reading never changes later ids.
    pub(crate) fn tick(&self) {
        self.clock.fetch_add(60, Ordering::Relaxed);
    }

    /// Writes one file of the work clone.
    pub(crate) fn write(&self, path: &str, text: &str) {
        write_below(&self.work(), path, text);
    }

    /// Writes files of the work clone.
    pub(crate) fn write_all(&self, files: &Files) {
        for (path, text) in files {
            self.write(path, text);
        }
    }

    /// Copies what a directory holds into the work clone.
    pub(crate) fn copy_directory(&self, from: &Path) {
        copy(from, &self.work());
    }

    /// Deletes a file or a directory of the work clone.
    pub(crate) fn remove(&self, path: &str) {
        remove_below(&self.work(), path);
    }

    /// Commits everything in the work clone and pushes its branch; returns the commit's id.
    pub(crate) fn commit(&self, message: &str) -> String {
        let id = self.commit_only(message);
        self.push();
        id
    }

    /// Commits everything in the work clone, changed or not, without pushing.
    pub(crate) fn commit_only(&self, message: &str) -> String {
        self.tick();
        let git = self.work_git();
        git.run(&["add", "--all"]);
        git.feed(
            &["commit", "--quiet", "--allow-empty", "--cleanup=verbatim", "--file=-"],
            message.as_bytes(),
        );
        git.run(&["rev-parse", "HEAD"])
    }

    /// Pushes the work clone's branch, and follows it.
    pub(crate) fn push(&self) {
        self.work_git().run(&["push", "--quiet", "--force", "origin", "HEAD"]);
    }

    /// Switches the work clone to a branch, made from where it is if it is new.
    pub(crate) fn switch(&self, branch: &str) {
        let git = self.work_git();
        if git.try_run(&["switch", "--quiet", branch]).is_err() {
            git.run(&["switch", "--quiet", "--create", branch]);
        }
    }

    /// Installs a hook of the remote: a shell script without its first line.
    pub(crate) fn hook(&self, name: &str, script: &str) {
        write_script(&self.remote().join("hooks").join(name), script);
    }

    /// Refuses pushes to one ref, in the words of a forge's branch protection.
    pub(crate) fn protect(&self, reference: &str) {
        let words = format!("error: GH006: Protected branch update failed for {reference}.");
        self.hook("update", &format!("[ \"$1\" = '{reference}' ] || exit 0\necho '{words}' >&2\nexit 1"));
    }
}

/// Writes a text file below a directory, with the directories that it needs.
pub(crate) fn write_below(directory: &Path, path: &str, text: &str) {
    let path = directory.join(path);
    std::fs::create_dir_all(path.parent().expect("a file has a directory")).expect("the directory is made");
    std::fs::write(path, text).expect("the file is written");
}

/// Deletes a file or a directory below a directory.
pub(crate) fn remove_below(directory: &Path, path: &str) {
    let path = directory.join(path);
    let removed = if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
    removed.unwrap_or_else(|error| panic!("{} is not removed: {error}", path.display()));
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the directory is made");
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("it can be listed");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().expect("it has a type");
        if kind.is_symlink() {
            let link = std::fs::read_link(&source).expect("it is a link");
            std::os::unix::fs::symlink(link, &target).expect("the link is new");
        } else if kind.is_dir() {
            copy(&source, &target);
        } else {
            std::fs::copy(&source, &target).expect("the file is copied");
        }
    }
}
