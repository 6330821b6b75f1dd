//! Trees and commits as git stores them: bytes to make an id of before anything is written. Pure.
//!
//! The formats are those of git's `Documentation/gitformat-pack` and `git-cat-file`: a tree is a list of
//! `<octal mode> <name>\0<20 bytes>`, sorted as if directories ended in `/`; a commit is headers, an empty line and
//! the message.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail, ensure};

use crate::model::{EntryKind, Moment, ObjectId, Person};

/// One entry of a git tree. Names that are not UTF-8 are kept out of trees we read, with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its own name.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its object.
    pub id: ObjectId,
}

/// A commit to write.
#[derive(Clone, Debug)]
pub struct NewCommit<'a> {
    /// Its root tree.
    pub tree: ObjectId,
    /// Its parents.
    pub parents: &'a [ObjectId],
    /// Author and committer.
    pub identity: &'a Person,
    /// The author date.
    pub authored: Moment,
    /// The committer date.
    pub committed: Moment,
    /// The message.
    pub message: &'a str,
}

/// The bytes of a tree with exactly these entries. Names that git would refuse to check out are errors.
pub(super) fn tree(entries: &[TreeEntry]) -> Result<Vec<u8>> {
    let mut sorted: Vec<&TreeEntry> = entries.iter().collect();
    sorted.sort_by_cached_key(|entry| sort_key(entry));
    let mut bytes = Vec::with_capacity(sorted.len() * 48);
    let mut last = None;
    for entry in sorted {
        check(&entry.name)?;
        ensure!(last != Some(&entry.name), "cannot put `{}` into a tree twice", entry.name);
        last = Some(&entry.name);
        bytes.extend(mode(entry.kind).as_bytes());
        bytes.push(b' ');
        bytes.extend(entry.name.as_bytes());
        bytes.push(0);
        bytes.extend(entry.id.as_bytes());
    }
    Ok(bytes)
}

/// The entries of a tree's bytes that [`tree`] made.
pub(super) fn entries(mut bytes: &[u8]) -> Result<Vec<TreeEntry>> {
    let mut entries = Vec::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|byte| *byte == b' ').context("a tree ends too early")?;
        let zero = bytes.iter().position(|byte| *byte == 0).context("a tree ends too early")?;
        let name = bytes.get(space + 1..zero).context("a tree has an entry without a mode")?;
        let id = bytes.get(zero + 1..zero + 21).context("a tree ends too early")?;
        entries.push(TreeEntry {
            name: std::str::from_utf8(name).context("a tree has a file name that is not UTF-8")?.to_owned(),
            kind: kind(&bytes[..space]),
            id: ObjectId::from_bytes(id.try_into()?),
        });
        bytes = &bytes[zero + 21..];
    }
    Ok(entries)
}

/// The bytes of a commit.
pub(super) fn commit(new: &NewCommit<'_>) -> Result<Vec<u8>> {
    let mut text = format!("tree {}\n", new.tree);
    for parent in new.parents {
        _ = writeln!(text, "parent {parent}");
    }
    _ = writeln!(text, "author {}", signature(new.identity, new.authored)?);
    _ = writeln!(text, "committer {}", signature(new.identity, new.committed)?);
    text.push('\n');
    text.push_str(new.message);
    ensure!(!text.contains('\0'), "the message of a new commit has a NUL character");
    Ok(text.into_bytes())
}

/// The objects that a commit's bytes name: its tree and its parents.
pub(super) fn named_by_commit(bytes: &[u8]) -> Vec<ObjectId> {
    let text = String::from_utf8_lossy(bytes);
    let headers = text.lines().take_while(|line| !line.is_empty());
    let id = |line: &str| {
        line.strip_prefix("tree ").or_else(|| line.strip_prefix("parent ")).and_then(ObjectId::parse)
    };
    headers.filter_map(id).collect()
}

fn signature(person: &Person, moment: Moment) -> Result<String> {
    // git2 takes out what would end the header early.
    let valid =
        git2::Signature::now(&person.name, &person.email).context("the commit identity is not valid")?;
    let (name, email) =
        (String::from_utf8_lossy(valid.name_bytes()), String::from_utf8_lossy(valid.email_bytes()));
    let sign = if moment.offset_minutes < 0 { '-' } else { '+' };
    let offset = moment.offset_minutes.abs();
    let (hours, minutes) = (offset / 60, offset % 60);
    Ok(format!("{name} <{email}> {} {sign}{hours:02}{minutes:02}", moment.seconds.max(0)))
}

/// Git sorts a directory as if its name ended in `/`.
fn sort_key(entry: &TreeEntry) -> Vec<u8> {
    let mut key = entry.name.clone().into_bytes();
    if entry.kind == EntryKind::Directory {
        key.push(b'/');
    }
    key
}

fn check(name: &str) -> Result<()> {
    let is_bad = name.is_empty() || name == "." || name == ".." || name.eq_ignore_ascii_case(".git");
    if is_bad || name.contains(['/', '\0']) {
        bail!("cannot put `{}` into a tree: git does not take such a name", name.escape_debug());
    }
    Ok(())
}

const fn mode(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Directory => "40000",
        EntryKind::File => "100644",
        EntryKind::Executable => "100755",
        EntryKind::Link => "120000",
        EntryKind::Submodule => "160000",
    }
}

fn kind(mode: &[u8]) -> EntryKind {
    match mode {
        b"40000" => EntryKind::Directory,
        b"120000" => EntryKind::Link,
        b"160000" => EntryKind::Submodule,
        b"100755" => EntryKind::Executable,
        _ => EntryKind::File,
    }
}

#[cfg(test)]
mod tests {
    use git2::{ObjectType, Repository};

    use super::super::ids::{object_id, oid};
    use super::*;

    const KINDS: [EntryKind; 5] =
        [EntryKind::File, EntryKind::Directory, EntryKind::Executable, EntryKind::Link, EntryKind::Submodule];

    fn entry(name: &str, kind: EntryKind, digit: u8) -> TreeEntry {
        TreeEntry { name: name.to_owned(), kind, id: ObjectId::from_bytes([digit; 20]) }
    }

    #[test]
    fn a_tree_is_what_libgit2_makes_of_it_and_is_read_back() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(directory.path()).unwrap();
        git2::opts::strict_object_creation(false);
        let names = ["a", "a.b", "a-b", "a0", "A", "ä", "with space"];
        for shift in 0..KINDS.len() {
            let entries: Vec<TreeEntry> = names
                .iter()
                .zip(7..)
                .zip(KINDS.iter().cycle().skip(shift))
                .map(|((name, digit), kind)| entry(name, *kind, digit))
                .collect();
            let mut builder = repository.treebuilder(None).unwrap();
            for entry in &entries {
                let mode = i32::from_str_radix(mode(entry.kind), 8).unwrap();
                builder.insert(&entry.name, oid(entry.id), mode).unwrap();
            }
            let theirs = builder.write().unwrap();
            let ours = tree(&entries).unwrap();
            assert_eq!(git2::Oid::hash_object(ObjectType::Tree, &ours).unwrap(), theirs);
            let mut read = super::entries(&ours).unwrap();
            read.sort_by(|one, other| one.name.cmp(&other.name));
            let mut sorted = entries.clone();
            sorted.sort_by(|one, other| one.name.cmp(&other.name));
            assert_eq!(read, sorted);
        }
    }

    #[test]
    fn a_commit_is_what_libgit2_makes_of_it() {
        let directory = tempfile::tempdir().unwrap();
        let repository = Repository::init_bare(directory.path()).unwrap();
        let empty = repository.treebuilder(None).unwrap().write().unwrap();
        let tree = repository.find_tree(empty).unwrap();
        let person = Person { name: " Zoë, \"Z\". ".to_owned(), email: "zoe@example.com".to_owned() };
        let mut parents = Vec::new();
        for (seconds, offset_minutes) in [(0, 0), (1_700_000_000, -210), (1_700_000_001, 345)] {
            let message = "Subject\n\nBody: ü\n";
            let time = git2::Time::new(seconds, offset_minutes);
            let signature = git2::Signature::new(&person.name, &person.email, &time).unwrap();
            let found: Vec<_> = parents.iter().map(|id| repository.find_commit(oid(*id)).unwrap()).collect();
            let found: Vec<_> = found.iter().collect();
            let theirs = repository.commit(None, &signature, &signature, message, &tree, &found).unwrap();
            let moment = Moment { seconds, offset_minutes };
            let new = NewCommit {
                tree: object_id(empty),
                parents: &parents,
                identity: &person,
                authored: moment,
                committed: moment,
                message,
            };
            let ours = commit(&new).unwrap();
            assert_eq!(git2::Oid::hash_object(ObjectType::Commit, &ours).unwrap(), theirs);
            let named: Vec<_> = [object_id(empty)].into_iter().chain(parents.iter().copied()).collect();
            assert_eq!(named_by_commit(&ours), named);
            parents.push(object_id(theirs));
        }
    }

    #[test]
    fn names_that_git_refuses_are_errors() {
        for name in ["", ".", "..", ".git", ".GIT", "a/b", "a\0b"] {
            assert!(tree(&[entry(name, EntryKind::File, 1)]).is_err(), "{name:?}");
        }
        let twice = [entry("a", EntryKind::File, 1), entry("a", EntryKind::File, 2)];
        assert!(tree(&twice).is_err());
    }
}
