//! The renderers that need no other program.

use hydrator::model::{EntryKind, PlainOptions, Renderer};
use hydrator::render::Toolbox;

use super::bench::{Bench, Tree, ids, joined, plain, template};

fn bench(tree: Tree) -> Bench {
    Bench::with_toolbox(tree, Toolbox::discover(""))
}

fn manifest(name: &str) -> String {
    format!("kind: A\nmetadata: {{name: {name}}}\n\"on\": 0644 # kept\n")
}

#[test]
fn plain_takes_files_in_order_as_they_are() {
    let tree = Tree::of(&[
        ("a/b/z.yml", &manifest("z")),
        ("a/b.yaml", &manifest("b")),
        ("a/c.json", "{\"kind\": \"A\",\n \"metadata\": {\"name\": \"c\"}}"),
        ("a/hydrator.yaml", &manifest("hydrator")),
        ("a/.hidden.yaml", "not: a manifest"),
        ("a/.github/x.yaml", "not: a manifest"),
        ("a/README.md", "# no manifest"),
        ("shared/l.yaml", &manifest("l")),
    ])
    .with("a/l.yaml", EntryKind::Link, "../shared/l.yaml");
    let rendered = bench(tree).render(&plain("a"));
    assert_eq!(ids(&rendered), ["A z", "A b", "A c", "A hydrator", "A l"]);
    assert_eq!(rendered.manifests[0].text, manifest("z").as_bytes());
    assert_eq!((rendered.commands.len(), rendered.version), (0, None));
}

#[test]
fn plain_leaves_our_own_configuration_out_and_can_stay_in_its_directory() {
    let tree = Tree::of(&[
        ("hydrator.yaml", "version: 1\n"),
        ("a.yaml", &manifest("a")),
        ("d/b.yaml", &manifest("b")),
    ]);
    let bench = bench(tree);
    assert_eq!(ids(&bench.render(&plain(""))), ["A a", "A b"]);
    let mut target = plain("");
    target.renderer = Renderer::Plain(PlainOptions { recurse: false });
    assert_eq!(ids(&bench.render(&target)), ["A a"]);
    assert!(bench.error(&plain("missing")).contains("`missing` is not a directory"));
}

#[test]
fn plain_errors_have_the_place_in_the_source() {
    let tree = Tree::of(&[("a/x.yaml", "kind: A\nmetadata: {name: a}\n---\nkind: B\n")]);
    assert!(bench(tree).error(&plain("a")).contains("a/x.yaml:4: document 2 (B) has no `metadata.name`"));
    let tree =
        Tree::of(&[("a/x.yaml", &manifest("a")), ("a/y.yaml", &format!("# c\n---\n{}", manifest("a")))]);
    let message = bench(tree).error(&plain("a"));
    assert!(message.contains("A a is rendered twice: `a/x.yaml` line 1 and `a/y.yaml` line 1"), "{message}");
}

#[test]
fn templates_see_merged_values_vars_and_the_environment() {
    let tree = Tree::of(&[
        (
            "t/b.yaml.j2",
            "kind: B\nmetadata: {name: b}\nx: [[a.deep]] [[a.kept]] [[list]]\nenv: [[environment]]\nimage: [[vars.registry]]/web\n",
        ),
        ("t/sub/a.yml.j2", "[[include _head.j2]]metadata: {name: a}\n"),
        ("t/_head.j2", "kind: A\n"),
        ("t/_unused.yaml.j2", "[[nothing]]"),
        ("t/values.yaml", "a: {deep: 1, kept: \"on\"}\nlist: [1, 2]\n"),
        ("t/values-dev.yaml", "a: {deep: 2}\nlist: [3]\nenvironment: other\n"),
        ("t/forgotten.yaml", "kind: C\n"),
    ]);
    let rendered =
        bench(tree).render(&template("t", &["t/values.yaml", "t/values-dev.yaml", "t/values-x.yaml?"]));
    assert_eq!(
        joined(&rendered),
        "kind: B\nmetadata: {name: b}\nx: 2 on [3]\nenv: dev\nimage: ghcr.io/acme/web\n---\nkind: A\nmetadata: {name: a}\n"
    );
    assert_eq!(rendered.warnings.len(), 2, "{:?}", rendered.warnings);
}

#[test]
fn a_missing_value_file_and_a_bad_one_are_named() {
    let tree = Tree::of(&[("t/a.yaml.j2", "kind: A\n"), ("t/values.yaml", "- a\n")]);
    let bench = bench(tree);
    assert!(
        bench.error(&template("t", &["t/none.yaml"])).contains("the value file `t/none.yaml` does not exist")
    );
    assert!(bench.error(&template("t", &["t/values.yaml"])).contains("t/values.yaml:1: is not a mapping"));
    let message = bench.error(&template("t", &[]));
    assert!(
        message.contains("t/a.yaml.j2: line 1 of what the template produces: document 1 (A) has no"),
        "{message}"
    );
}

#[test]
fn a_problem_in_a_template_has_its_place() {
    let tree = Tree::of(&[
        ("t/sub/a.yaml.j2", "kind: A\nx: [[undefined]]\n"),
        ("t/logo.png", "version https://git-lfs.github.com/spec/v1\n"),
    ]);
    let message = bench(tree).error(&template("t", &[]));
    assert!(message.ends_with("t/sub/a.yaml.j2:2: no `undefined`"), "{message}");
    let tree = Tree::default().with("t/a.yaml.j2", EntryKind::File, b"kind: \xff\n");
    assert!(bench(tree).error(&template("t", &[])).contains("the template `t/a.yaml.j2` is not UTF-8"));
}
