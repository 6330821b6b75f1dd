//! What a target's tree holds: manifests, and the files that they stand in. Does I/O: it reads git objects.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::Result;

use crate::compare::{Change, Comparison, Document, Operation, hunks};
use crate::escape::one_line;
use crate::git::SharedObjects;
use crate::model::{Manifest, ManifestId, ObjectId};
use crate::proposal::blobs_of;

/// The manifests in a tree, file by file.
#[derive(Debug, Default)]
pub(super) struct Contents {
    documents: Vec<Document>,
    /// By path: the id of the file, and which of the documents are its.
    files: BTreeMap<String, (ObjectId, Range<usize>)>,
}

impl Contents {
    /// Reads a tree. A file that cannot be read as manifests is named, and its text never shown.
    pub(super) fn read(objects: &SharedObjects, tree: Option<ObjectId>) -> Result<Self> {
        let mut contents = Self::default();
        let Some(tree) = tree else { return Ok(contents) };
        for (path, blob) in objects.with(|objects| blobs_of(objects, tree))? {
            let bytes = objects.with(|objects| objects.blob(blob))?.unwrap_or_default();
            let documents = match crate::render::manifests(&bytes) {
                Some(manifests) => manifests.into_iter().flat_map(documents).collect(),
                None => vec![Document { id: file(&path), text: None }],
            };
            contents.add(path, blob, documents);
        }
        Ok(contents)
    }

    fn add(&mut self, path: String, blob: ObjectId, documents: Vec<Document>) {
        let start = self.documents.len();
        self.documents.extend(documents);
        self.files.insert(path, (blob, start..self.documents.len()));
    }

    /// All manifests.
    pub(super) fn documents(&self) -> &[Document] {
        &self.documents
    }

    fn of(&self, documents: &Range<usize>) -> &[Document] {
        self.documents.get(documents.clone()).unwrap_or_default()
    }
}

/// Adds what differs of the files besides their manifests; what means the same all the same is counted, or where `form` is
/// set, shown.
pub(super) fn add_files(found: &mut Comparison, base: &Contents, head: &Contents, form: bool) {
    let mut changes = Vec::new();
    for (path, (old, was)) in &base.files {
        if let Some((new, is)) = head.files.get(path)
            && old != new
        {
            changes.extend(changed(path, base.of(was), head.of(is)));
        }
    }
    if changes.is_empty() && found.changes.is_empty() && found.form + found.hidden == 0 {
        // Nothing else tells the trees apart but where the manifests are.
        let only_in = |one: &Contents, other: &Contents, operation: Operation| -> Vec<Change> {
            let paths = one.files.keys().filter(|path| !other.files.contains_key(*path));
            paths.map(|path| Change { form: true, ..Change::new(operation, file(path)) }).collect()
        };
        changes.extend(only_in(base, head, Operation::Removed));
        changes.extend(only_in(head, base, Operation::Added));
    }
    let (shown, counted): (Vec<Change>, Vec<Change>) =
        changes.into_iter().partition(|change| form || !change.form);
    found.form += counted.len();
    found.changes.extend(shown);
}

/// What differs between two texts of a file and is not told at any of its manifests.
fn changed(path: &str, base: &[Document], head: &[Document]) -> Option<Change> {
    let change = Change::new(Operation::Changed, file(path));
    if base == head {
        // What stands between manifests; but of what cannot be read, nobody knows what it means.
        let is_read = base.iter().all(|document| document.text.is_some());
        return Some(Change { form: is_read, ..change });
    }
    let ids = |documents: &[Document]| documents.iter().map(|one| one.id.clone()).collect::<BTreeSet<_>>();
    let (old, new) = (ids(base), ids(head));
    let order = |documents: &[Document]| {
        let both = documents.iter().filter(|one| old.contains(&one.id) && new.contains(&one.id));
        both.fold(String::new(), |text, one| text + &one_line(&one.id.to_string()) + "\n")
    };
    let hunks = hunks(&order(base), &order(head));
    (!hunks.is_empty()).then_some(Change { form: true, hunks, ..change })
}

/// A file as that which differs.
fn file(path: &str) -> ManifestId {
    let (kind, name) = ("File".to_owned(), path.to_owned());
    ManifestId { group: String::new(), kind, namespace: String::new(), name }
}

fn documents(manifest: Manifest) -> Vec<Document> {
    let text = |bytes: Vec<u8>| Some(String::from_utf8_lossy(&bytes).into_owned());
    if manifest.parts.is_empty() {
        return vec![Document { id: manifest.id, text: text(manifest.text) }];
    }
    manifest.parts.into_iter().map(|part| Document { id: part.id, text: text(part.text) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{Rules, compare};

    fn manifest(name: &str) -> Document {
        let id = ManifestId { kind: "ConfigMap".to_owned(), ..file(name) };
        Document { id, text: Some(format!("kind: ConfigMap\nmetadata: {{name: {name}}}\n")) }
    }

    fn contents(files: &[(&str, &str, Vec<Document>)]) -> Contents {
        let mut contents = Contents::default();
        for (path, id, documents) in files {
            let id = ObjectId::parse(&id.repeat(40)).unwrap();
            contents.add((*path).to_owned(), id, documents.clone());
        }
        contents
    }

    /// What is told of the files: name, sign and lines of each.
    fn told(base: &Contents, head: &Contents) -> (Vec<String>, usize) {
        let found = |form: bool| {
            let rules = Rules { form, ..Rules::default() };
            let mut found = compare("web", base.documents(), head.documents(), &rules);
            add_files(&mut found, base, head, form);
            found
        };
        let line = |change: &Change| {
            let lines = change.hunks.iter().flat_map(|hunk| &hunk.lines).map(ToString::to_string);
            format!("{:?} {} {}", change.operation, change.id, lines.collect::<String>().replace('\n', "|"))
        };
        (found(true).changes.iter().map(line).collect(), found(false).form)
    }

    #[test]
    fn the_order_of_manifests_is_told_by_their_names() {
        let base = contents(&[("all.yaml", "1", vec![manifest("a"), manifest("b")])]);
        let head = contents(&[("all.yaml", "2", vec![manifest("b"), manifest("a")])]);
        let lines = "+ConfigMap b| ConfigMap a|-ConfigMap b|";
        assert_eq!(told(&base, &head), (vec![format!("Changed File all.yaml {lines}")], 1));
        // What comes and goes changes no order.
        let more = contents(&[("all.yaml", "3", vec![manifest("c"), manifest("a")])]);
        let (changes, form) = told(&base, &more);
        assert!(form == 0 && changes.iter().all(|line| !line.contains("File")), "{changes:?}");
    }

    #[test]
    fn files_are_told_where_nothing_else_is() {
        let base = contents(&[("all.yaml", "1", vec![manifest("a")])]);
        let between = contents(&[("all.yaml", "2", vec![manifest("a")])]);
        assert_eq!(told(&base, &between), (vec!["Changed File all.yaml ".to_owned()], 1));
        let elsewhere = contents(&[("other.yaml", "1", vec![manifest("a")])]);
        let moved = ["Removed File all.yaml ", "Added File other.yaml "].map(str::to_owned).to_vec();
        assert_eq!(told(&base, &elsewhere), (moved, 2));
    }

    #[test]
    fn a_file_that_cannot_be_read_always_counts() {
        let unread = |id| contents(&[("notes", id, vec![Document { id: file("notes"), text: None }])]);
        assert_eq!(told(&unread("1"), &unread("2")), (vec!["Changed File notes ".to_owned()], 0));
        let mut found = Comparison::default();
        add_files(&mut found, &unread("1"), &unread("2"), false);
        assert_eq!(found.changes.len(), 1);
    }
}
