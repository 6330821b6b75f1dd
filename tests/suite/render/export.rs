//! What is refused on its way from the DRY tree to an outside program.

use hydrator::model::EntryKind;

use super::bench::{Bench, Tree, command, plain};

fn refusal(tree: Tree) -> String {
    Bench::new(tree).error(&command("a", &["true"], &["**"]))
}

#[test]
fn what_must_not_be_exported_is_named() {
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5\n";
    for (path, kind, content, expected) in [
        ("a/crd.yaml", EntryKind::File, lfs, "`a/crd.yaml` is a Git LFS pointer"),
        ("a/secret.yaml", EntryKind::File, "\0GITCRYPT\0xyz", "`a/secret.yaml` is encrypted with git-crypt"),
        ("a/module", EntryKind::Submodule, "", "`a/module` is a git submodule"),
        ("a/link", EntryKind::Link, "../../x", "the symbolic link `a/link` points out of the repository"),
        ("a/link", EntryKind::Link, "/etc", "the symbolic link `a/link` points out of the repository"),
        ("a/loop", EntryKind::Link, "loop", "more than 40 symbolic links"),
        ("a/.GIT/config", EntryKind::File, "x", "which belongs to git"),
        ("a/x\ny", EntryKind::File, "x", "control characters"),
    ] {
        let message = refusal(Tree::default().with(path, kind, content));
        assert!(message.contains(expected), "{path}: {message}");
    }
}

#[test]
fn links_are_exported_as_links_with_what_they_lead_to() {
    let tree = Tree::of(&[("shared/deep/x.txt", "kind: A\nmetadata: {name: a}\n")])
        .with("a/link", EntryKind::Link, "../shared/alias/x.txt")
        .with("shared/alias", EntryKind::Link, "deep");
    let rendered =
        Bench::new(tree).render(&command("a", &["sh", "-c", "test -L link && cat link"], &["link"]));
    assert_eq!(rendered.manifests.len(), 1);
}

#[test]
fn the_built_in_renderers_refuse_the_same() {
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 5\n";
    for (path, kind, content, expected) in [
        ("a/x.yaml", EntryKind::File, lfs, "Git LFS pointer"),
        ("a/x.yaml", EntryKind::File, "\0GITCRYPT\0xyz", "git-crypt"),
        ("a/module", EntryKind::Submodule, "", "git submodule"),
        ("a/x.yaml", EntryKind::Link, "/etc/passwd", "points out of the repository"),
        ("a/x.yaml", EntryKind::Link, "missing", "leads to nothing"),
        ("a/b/back", EntryKind::Link, "..", "leads back"),
    ] {
        let message = Bench::new(Tree::default().with(path, kind, content)).error(&plain("a"));
        assert!(message.contains(expected), "{path}: {message}");
    }
}
