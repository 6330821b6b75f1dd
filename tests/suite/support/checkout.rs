//! Checkouts of every kind that continuous integration makes, and proof that a run left one as it was.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::git::{Git, TestRepo};

/// How a checkout was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckoutKind {
    /// Everything.
    Full,
    /// `--depth 1`.
    Shallow,
    /// `--filter=blob:none`.
    Partial,
    /// Partial, with one directory in the work tree.
    Sparse,
    /// Full, with `HEAD` at the commit rather than at the branch.
    Detached,
    /// A second work tree of a full clone.
    Worktree,
    /// `--filter=tree:0`: commits alone until something is read.
    Treeless,
    /// Without a work tree.
    Bare,
}

impl CheckoutKind {
    /// Every kind.
    pub(crate) const ALL: [Self; 8] = [
        Self::Full,
        Self::Shallow,
        Self::Partial,
        Self::Sparse,
        Self::Detached,
        Self::Worktree,
        Self::Treeless,
        Self::Bare,
    ];
}

/// A checkout of a test's remote.
pub(crate) struct Checkout {
    path: PathBuf,
    git: Git,
}

impl TestRepo {
    /// Makes a checkout of `main` below the repository's root, under a name that is not taken.
    pub(crate) fn check_out(&self, kind: CheckoutKind, name: &str) -> Checkout {
        let url = self.url();
        let clone = |options: &[&str], to: &str| {
            let options = [&["clone", "--quiet", "--branch=main"], options, &[&url, to]].concat();
            self.git_in(self.root(), NAME).run(&options);
        };
        let full = format!("{name}.clone");
        match kind {
            CheckoutKind::Full | CheckoutKind::Detached => clone(&[], name),
            CheckoutKind::Shallow => clone(&["--depth=1"], name),
            CheckoutKind::Partial => clone(&["--filter=blob:none"], name),
            CheckoutKind::Sparse => clone(&["--filter=blob:none", "--sparse"], name),
            CheckoutKind::Worktree => clone(&[], &full),
            CheckoutKind::Treeless => clone(&["--filter=tree:0", "--no-checkout"], name),
            CheckoutKind::Bare => clone(&["--bare"], name),
        }
        let path = self.root().join(name);
        match kind {
            CheckoutKind::Detached => _ = self.git_in(&path, NAME).run(&["switch", "--quiet", "--detach"]),
            CheckoutKind::Worktree => {
                let linked = path.display().to_string();
                self.git_in(&self.root().join(full), NAME)
                    .run(&["worktree", "add", "--quiet", "--detach", &linked]);
            }
            _ => {}
        }
        Checkout::of(self, &path)
    }
}

const NAME: &str = "Runner";

impl Checkout {
    /// A checkout that is there already.
    pub(crate) fn of(repo: &TestRepo, path: &Path) -> Self {
        Self { git: repo.git_in(path, NAME), path: path.to_owned() }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Git in it.
    pub(crate) fn git(&self) -> &Git {
        &self.git
    }

    /// Makes another user its owner, as in a container; possible because the tests run as root.
    pub(crate) fn give_to(&self, user: u32) {
        for directory in self.directories() {
            walk(&directory, &mut |path, _| {
                std::os::unix::fs::lchown(path, Some(user), Some(user)).expect("the tests run as root");
            });
        }
    }

    /// Everything that a run must not change: refs, configuration, index, shallow file, work tree, objects.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let mut entries = BTreeMap::new();
        for directory in self.directories() {
            walk(&directory, &mut |path, about| {
                entries.insert(path.to_owned(), Entry::read(path, about));
            });
        }
        Snapshot { entries }
    }

    /// The work tree, and the repository where it is elsewhere. No git here: reading must not need the owner's leave.
    fn directories(&self) -> Vec<PathBuf> {
        let link = std::fs::read_to_string(self.path.join(".git")).unwrap_or_default();
        let repository = link.trim().strip_prefix("gitdir: ").and_then(|path| path.split_once("/.git/"));
        let elsewhere = repository.map(|(clone, _)| PathBuf::from(clone).join(".git"));
        [self.path.clone()].into_iter().chain(elsewhere).collect()
    }
}

/// The bytes of a checkout.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    entries: BTreeMap<PathBuf, Entry>,
}

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    mode: u32,
    owner: u32,
    content: Vec<u8>,
}

impl Entry {
    fn read(path: &Path, about: &Metadata) -> Self {
        let content = if about.is_symlink() {
            std::fs::read_link(path).expect("it is a link").into_os_string().into_encoded_bytes()
        } else if about.is_file() {
            std::fs::read(path).expect("it can be read")
        } else {
            Vec::new()
        };
        Self { mode: about.permissions().mode(), owner: about.uid(), content }
    }
}

impl Snapshot {
    /// The paths that were added, removed or changed between this and a later one.
    pub(crate) fn differences(&self, later: &Self) -> Vec<String> {
        let say = |what: &str, path: &Path| format!("{what} {}", path.display());
        let before = self.entries.iter().filter_map(|(path, entry)| match later.entries.get(path) {
            None => Some(say("removed", path)),
            Some(other) if other != entry => Some(say("changed", path)),
            Some(_) => None,
        });
        let added = later.entries.keys().filter(|path| !self.entries.contains_key(*path));
        before.chain(added.map(|path| say("added", path))).collect()
    }

    /// Fails with what differs.
    pub(crate) fn assert_same(&self, later: &Self) {
        let differences = self.differences(later);
        assert!(differences.is_empty(), "the checkout was changed:\n{}", differences.join("\n"));
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Snapshot of {} files", self.entries.len())
    }
}

/// Calls `visit` with a directory and everything below it, links not followed.
pub(crate) fn walk(path: &Path, visit: &mut impl FnMut(&Path, &Metadata)) {
    let about = std::fs::symlink_metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    visit(path, &about);
    if about.is_dir() {
        for entry in std::fs::read_dir(path).expect("it can be listed") {
            walk(&entry.expect("it can be listed").path(), visit);
        }
    }
}

mod tests {
    use super::*;
    use crate::support::git::files;

    fn repo() -> TestRepo {
        let repo = TestRepo::with_files(&files(&[("top", "1\n"), ("apps/a.yaml", "a: 1\n")]));
        repo.write("top", "2\n");
        repo.commit("Second");
        repo
    }

    #[test]
    fn every_kind_is_what_it_says() {
        let repo = repo();
        for kind in CheckoutKind::ALL {
            let checkout = repo.check_out(kind, &format!("{kind:?}"));
            let ask = |arguments: &[&str]| checkout.git().try_run(arguments).unwrap_or_default();
            let shallow = ask(&["rev-parse", "--is-shallow-repository"]) == "true";
            let filter = ask(&["config", "remote.origin.partialclonefilter"]);
            let bare = ask(&["rev-parse", "--is-bare-repository"]) == "true";
            let detached = ask(&["symbolic-ref", "--quiet", "HEAD"]).is_empty();
            let linked = checkout.path().join(".git").is_file();
            let sparse = checkout.path().join("top").exists() && !checkout.path().join("apps").exists();
            let is = |wanted: CheckoutKind| kind == wanted;
            assert_eq!(shallow, is(CheckoutKind::Shallow), "{kind:?}");
            let blobless = is(CheckoutKind::Partial) || is(CheckoutKind::Sparse);
            assert_eq!(
                (filter == "blob:none", filter == "tree:0", bare),
                (blobless, is(CheckoutKind::Treeless), is(CheckoutKind::Bare)),
                "{kind:?}"
            );
            assert_eq!(detached, is(CheckoutKind::Detached) || is(CheckoutKind::Worktree), "{kind:?}");
            assert_eq!((linked, sparse), (is(CheckoutKind::Worktree), is(CheckoutKind::Sparse)), "{kind:?}");
            assert_eq!(ask(&["rev-parse", "HEAD"]), repo.tip("main").unwrap());
        }
    }

    #[test]
    fn a_snapshot_sees_every_change() {
        let repo = repo();
        for kind in [CheckoutKind::Full, CheckoutKind::Worktree] {
            let checkout = repo.check_out(kind, &format!("{kind:?}"));
            let before = checkout.snapshot();
            before.assert_same(&checkout.snapshot());
            checkout.git().run(&["update-ref", "refs/hidden", "HEAD"]);
            checkout.git().run(&["config", "user.name", "x"]);
            std::fs::remove_file(checkout.path().join("top")).unwrap();
            let differences = before.differences(&checkout.snapshot()).join("\n");
            for wanted in ["added", "refs/hidden", "changed", "config", "removed"] {
                assert!(differences.contains(wanted), "{kind:?}: {wanted} is missing in:\n{differences}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "the checkout was changed:\nchanged")]
    fn a_changed_checkout_fails() {
        let repo = repo();
        let checkout = repo.check_out(CheckoutKind::Full, "full");
        let before = checkout.snapshot();
        std::fs::write(checkout.path().join("top"), "3\n").unwrap();
        before.assert_same(&checkout.snapshot());
    }

    #[test]
    fn a_checkout_can_be_somebody_elses() {
        let repo = repo();
        let checkout = repo.check_out(CheckoutKind::Full, "full");
        checkout.give_to(65534);
        let refused = checkout.git().try_run(&["status"]).unwrap_err();
        assert!(refused.contains("dubious ownership"), "{refused}");
        assert_ne!(repo.check_out(CheckoutKind::Full, "mine").snapshot(), checkout.snapshot());
    }
}
