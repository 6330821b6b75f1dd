//! A bare remote and a checkout of it, made to show or to try something: what a forge and a person would have.
//!
//! Does I/O in the directory that it is given. Identity and dates are fixed, and no configuration of the machine is
//! looked at, so that the same steps give the same commit ids everywhere.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use git2::{Repository, RepositoryInitOptions};

use super::encode::NewCommit;
use super::ids::{object_id, oid};
use super::objects::Objects;
use super::program::GitProgram;
use crate::model::{CommitId, EntryKind, Moment, ObjectId, Person};

/// The branch that the checkout is on.
pub const BRANCH: &str = "main";

/// Seconds since 1970 of the first commit; each later one is this much younger.
const FIRST_COMMIT: i64 = 1_767_261_600;
const BETWEEN_COMMITS: i64 = 3_600;

/// A bare repository with one checkout.
pub struct Workshop {
    git: GitProgram,
    directory: Utf8PathBuf,
    remote: Repository,
    checkout: Repository,
    author: Person,
    commits: i64,
}

impl Workshop {
    /// Makes both below `directory`, without a commit.
    pub fn create(git: GitProgram, directory: &Utf8Path) -> Result<Self> {
        let (remote, checkout) = (remote_in(directory), checkout_in(directory));
        let author = Person { name: "Alice Example".to_owned(), email: "alice@example.com".to_owned() };
        let made = Self {
            remote: init(&remote, true)?,
            checkout: init(&checkout, false)?,
            directory: directory.to_owned(),
            git,
            author,
            commits: 0,
        };
        made.configure().with_context(|| format!("cannot configure `{checkout}`"))?;
        Ok(made)
    }

    /// The bare repository's directory.
    pub fn remote(&self) -> Utf8PathBuf {
        remote_in(&self.directory)
    }

    /// The checkout's directory.
    pub fn checkout(&self) -> Utf8PathBuf {
        checkout_in(&self.directory)
    }

    /// The bare repository's objects.
    pub fn objects(&self) -> Objects<'_> {
        Objects::written_at_once(&self.remote)
    }

    /// The bare repository's refs with what they point to.
    pub fn refs(&self) -> Result<BTreeMap<String, ObjectId>> {
        let references = self.remote.references().context("cannot list the remote's refs")?;
        let mut refs = BTreeMap::new();
        for reference in references {
            let reference = reference.context("cannot read a ref of the remote")?;
            if let (Ok(name), Some(target)) = (reference.name(), reference.target()) {
                refs.insert(name.to_owned(), object_id(target));
            }
        }
        Ok(refs)
    }

    /// Writes files of the checkout, commits them on top of what is there, and pushes the branch.
    pub fn commit(&mut self, message: &str, files: &[(&str, &str)]) -> Result<CommitId> {
        let objects = Objects::written_at_once(&self.checkout);
        let parent = self.checkout.refname_to_id(&full_branch()).ok().map(object_id);
        let base = parent.map(|parent| Ok::<_, anyhow::Error>(objects.commit(parent)?.tree)).transpose()?;
        let mut edits = BTreeMap::new();
        for (path, text) in files {
            self.write(path, text)?;
            edits.insert((*path).to_owned(), Some((EntryKind::File, objects.write_blob(text.as_bytes())?)));
        }
        let tree = objects.replace_all(base, &edits)?.context("a commit without files")?;
        let moment = Moment { seconds: FIRST_COMMIT + self.commits * BETWEEN_COMMITS, offset_minutes: 0 };
        let commit = objects.write_commit(&NewCommit {
            tree,
            parents: parent.as_slice(),
            identity: &self.author,
            authored: moment,
            committed: moment,
            message,
        })?;
        self.move_checkout(commit, tree).context("cannot move the checkout to its new commit")?;
        self.commits += 1;
        self.git.expect(&self.checkout(), &["push", "--quiet", "origin", BRANCH], b"")?;
        Ok(commit)
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let path = self.checkout().join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot make the directory `{parent}`"))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write `{path}`"))
    }

    fn move_checkout(&self, commit: CommitId, tree: ObjectId) -> Result<(), git2::Error> {
        self.checkout.reference(&full_branch(), oid(commit), true, "commit")?;
        let mut index = self.checkout.index()?;
        index.read_tree(&self.checkout.find_tree(oid(tree))?)?;
        index.write()
    }

    /// What a clone would have, and an author, so that a person can commit at once.
    fn configure(&self) -> Result<(), git2::Error> {
        self.checkout.remote("origin", self.remote().as_str())?;
        let mut config = self.checkout.config()?;
        config.set_str(&format!("branch.{BRANCH}.remote"), "origin")?;
        config.set_str(&format!("branch.{BRANCH}.merge"), &full_branch())?;
        config.set_str("user.name", &self.author.name)?;
        config.set_str("user.email", &self.author.email)?;
        // The author has no key.
        config.set_bool("commit.gpgSign", false)
    }
}

fn remote_in(directory: &Utf8Path) -> Utf8PathBuf {
    directory.join("remote.git")
}

fn checkout_in(directory: &Utf8Path) -> Utf8PathBuf {
    directory.join("checkout")
}

fn full_branch() -> String {
    format!("refs/heads/{BRANCH}")
}

/// Without the machine's templates: they may bring hooks.
fn init(path: &Utf8Path, bare: bool) -> Result<Repository> {
    let mut options = RepositoryInitOptions::new();
    options.bare(bare).initial_head(BRANCH).external_template(false).no_reinit(true);
    Repository::init_opts(path, &options).with_context(|| format!("cannot make the repository `{path}`"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::variables::Variables;

    fn workshop(directory: &tempfile::TempDir) -> Workshop {
        let path = ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned());
        let git = GitProgram::new(&Variables::new([path]), Arc::new(AtomicBool::new(false)));
        Workshop::create(git, Utf8Path::from_path(directory.path()).unwrap()).unwrap()
    }

    #[test]
    fn the_same_steps_give_the_same_ids_and_a_clean_checkout() {
        let directories = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [one, other] = directories.each_ref().map(|directory| {
            let mut workshop = workshop(directory);
            let first = workshop.commit("First\n", &[("a/b.yaml", "1\n"), ("c", "2\n")]).unwrap();
            let second = workshop.commit("Second\n", &[("a/b.yaml", "3\n")]).unwrap();
            let main = BTreeMap::from([("refs/heads/main".to_owned(), second)]);
            assert_eq!(workshop.refs().unwrap(), main);
            assert_eq!(workshop.objects().commit(second).unwrap().parents, [first]);
            let status =
                workshop.git.expect(&workshop.checkout(), &["status", "--porcelain=2", "--branch"], b"");
            let status = String::from_utf8(status.unwrap()).unwrap();
            assert!(status.ends_with("# branch.upstream origin/main\n# branch.ab +0 -0\n"), "{status}");
            second
        });
        assert_eq!(one, other);
    }
}
