//! A corpus of awkward YAML: what each stream must become.

use std::fmt::Write as _;

use super::*;

const A: &str = "kind: A\nmetadata:\n  name: a\n";
const B: &str = "kind: B\nmetadata:\n  name: b\n";

fn texts(stream: &str) -> Vec<String> {
    documents(stream).into_iter().map(|document| document.text).collect()
}

fn ids(stream: &str) -> Vec<String> {
    manifests(stream.as_bytes()).unwrap().iter().map(|manifest| manifest.id.to_string()).collect()
}

fn problem(stream: &str) -> (usize, String) {
    let problem = manifests(stream.as_bytes()).unwrap_err();
    (problem.line, problem.message)
}

#[test]
fn separators_are_dropped_and_nothing_else() {
    for separator in
        ["---\n", "--- \n", "---\t\n", "---\r\n", "...\n---\n", "...\n", "---\n---\n", "%YAML 1.2\n---\n"]
    {
        let separator =
            if separator.starts_with('%') { format!("...\n{separator}") } else { separator.to_owned() };
        assert_eq!(texts(&format!("{A}{separator}{B}")), [A, B], "{separator:?}");
    }
}

#[test]
fn markers_need_column_zero_and_a_blank() {
    let text = "kind: A\nmetadata:\n  name: a\ndata:\n  x: |\n    ---\n    ...\n  y: \"\n    --- z\"\n---a: b\n----: c\n";
    assert_eq!(texts(text), [text]);
    // At the top level even a block scalar ends at the marker.
    assert_eq!(texts("--- |\n  a\n---\n  b\n"), ["|\n  a\n", "  b\n"]);
}

#[test]
fn content_on_the_marker_line_is_kept() {
    assert_eq!(
        texts(&format!("--- # about a\n{A}---  {{kind: B}}\n")),
        [format!("# about a\n{A}"), "{kind: B}\n".into()]
    );
}

#[test]
fn comments_belong_to_the_document_that_follows() {
    assert_eq!(
        texts(&format!("# licence\n\n---\n{A}---\n# about b\n{B}")),
        [format!("# licence\n\n{A}"), format!("# about b\n{B}")]
    );
    // An explicit document of comments alone is an empty one.
    assert_eq!(texts(&format!("---\n# nothing\n---\n{A}---\n# end\n")), [A]);
}

#[test]
fn empty_documents_are_dropped() {
    assert_eq!(texts("").len(), 0);
    assert_eq!(texts("\n\n---\n---\n# x\n---\n\n").len(), 0);
    assert_eq!(ids(&format!("---\nnull\n---\n~\n---\n{A}")), ["A a"]);
}

#[test]
fn line_ends_byte_order_marks_and_missing_final_newlines() {
    let crlf = A.replace('\n', "\r\n");
    assert_eq!(texts(&format!("\u{feff}{crlf}---\r\n{crlf}")), [crlf.clone(), crlf]);
    assert_eq!(texts(&format!("{A}---\n\u{feff}{}", B.trim_end())), [A, B]);
    assert_eq!(texts(&format!("{A}---")), [A]);
    assert_eq!(texts(&format!("{A}---\n{B}\n\n")), [A.to_owned(), format!("{B}\n\n")]);
}

#[test]
fn strings_that_look_like_other_things_stay_as_they_are() {
    let text = "\"on\": 'yes'\nkind: A # c\nmetadata: {name: \"a\", annotations: &x {t: 012, u: 1e3, v: 2020-01-01}}\nspec: *x\nz: '{{ }} ${V}'\n";
    let found = manifests(text.as_bytes()).unwrap();
    assert_eq!(found[0].text, text.as_bytes());
    assert_eq!(found[0].id.to_string(), "A a");
}

#[test]
fn identities_are_read() {
    let stream = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\n---\nkind: Job\nmetadata: {generateName: j-}\n---\n{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"s\"}}\n";
    assert_eq!(ids(stream), ["Deployment.apps shop/web", "Job j-*", "Secret s"]);
    assert_eq!(ids("x: &m {name: a}\nkind: A\nmetadata:\n  <<: *m\n  labels: {}\n"), ["A a"]);
}

#[test]
fn lists_are_their_items() {
    let found = manifests(b"apiVersion: v1\nkind: List\nitems:\n- kind: A\n  metadata: {name: a}\n- kind: B\n  metadata: {name: b}\n").unwrap();
    assert_eq!(found[0].ids().map(ToString::to_string).collect::<Vec<_>>(), ["A a", "B b"]);
    assert_eq!(found[0].id.to_string(), "List ");
    assert_eq!(
        ids("apiVersion: acme.io/v1\nkind: AllowList\nmetadata: {name: l}\nitems: [{kind: x}]\n"),
        ["AllowList.acme.io l"]
    );
    let roles =
        manifests(b"apiVersion: v1\nkind: RoleList\nitems: [{kind: Role, metadata: {name: r}}]\n").unwrap();
    assert_eq!(roles[0].parts.len(), 1);
}

#[test]
fn problems_name_the_line_and_the_document() {
    assert_eq!(problem(&format!("{A}---\nmetadata: {{name: b}}\n")), (5, "document 2 has no `kind`".into()));
    assert_eq!(problem("kind: A\n"), (1, "document 1 (A) has no `metadata.name`".into()));
    assert_eq!(problem("\n- a\n").1, "document 1 is a sequence, not a mapping");
    assert_eq!(problem("text\n").1, "document 1 is a string, not a mapping");
    assert_eq!(
        problem("kind: A\nmetadata: {name: 7}\n").1,
        "document 1 has a `metadata.name` that is not a string"
    );
    assert_eq!(problem("kind: A\nkind: B\n").1, "document 1 is not valid YAML: `kind` is given twice");
    let (line, message) = problem(&format!("{A}---\n{A}x: [\n"));
    assert!(message.starts_with("document 2 is not valid YAML: ") && line >= 8, "{line}: {message}");
    let (line, message) = problem(&format!("{A}---\nkind: A\n\tx: y\n"));
    assert!(message.starts_with("document 2 is not valid YAML: ") && line == 6, "{line}: {message}");
    assert_eq!(
        manifests(b"kind: A\n# \xff\n").unwrap_err(),
        Problem { line: 2, message: "is not UTF-8".into() }
    );
    assert_eq!(manifests(b"\xff\xfek\0").unwrap_err().message, "is UTF-16, not UTF-8");
}

#[test]
fn other_line_breaks_cannot_smuggle_a_second_document() {
    for line_break in ["\r", "\u{85}", "\u{2028}"] {
        let stream = format!("kind: A{line_break}metadata: {{name: a}}{line_break}---{line_break}kind: B\n");
        assert!(manifests(stream.as_bytes()).is_err() || ids(&stream).len() == 1, "{line_break:?}");
        assert!(!ids_or_none(&stream).iter().any(|id| id.starts_with('B')), "{line_break:?}");
    }
}

fn ids_or_none(stream: &str) -> Vec<String> {
    manifests(stream.as_bytes()).map_or_else(|_| Vec::new(), |_| ids(stream))
}

#[test]
fn depth_and_alias_bombs_are_only_walked_over() {
    let deep = format!("{A}x: {}{}\n", "[".repeat(2_000), "]".repeat(2_000));
    assert!(manifests(deep.as_bytes()).is_ok());
    let mut bomb = format!("{A}a0: &a0 [x, x]\n");
    for level in 1..40 {
        writeln!(bomb, "a{level}: &a{level} [*a{0}, *a{0}, *a{0}]", level - 1).unwrap();
    }
    assert_eq!(ids(&bomb), ["A a"]);
    // As a list it would have to be expanded; the parser refuses that.
    assert!(manifests(format!("kind: List\nitems: [*a39]\n{bomb}").as_bytes()).is_err());
}

/// Documents, blanks and comments in every order: what is kept is the stream without its separators.
#[test]
fn concatenation_loses_nothing_but_separators() {
    let pieces = [A, B, "x: |+\n  ---\n\n", "# c\n", "\n", "\"on\": on\n", "k: \"a\n\n  b\"\n"];
    let mut state = 7_usize;
    for _ in 0..500 {
        let mut chosen = Vec::new();
        for _ in 0..6 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            chosen.push(pieces[(state >> 33) % pieces.len()]);
        }
        let stream = chosen.join("---\n");
        let expected: String = chosen
            .iter()
            .enumerate()
            .filter(|(index, piece)| kept(*index, piece, &chosen))
            .map(|(_, piece)| *piece)
            .collect();
        assert_eq!(texts(&stream).concat(), expected, "{stream}");
    }
}

/// Blanks and comments alone are kept only as the prefix of the first document, before any separator.
fn kept(index: usize, piece: &str, all: &[&str]) -> bool {
    let has_content = |piece: &str| !piece.trim().is_empty() && !piece.starts_with('#');
    has_content(piece)
        || (index == 0 && piece.starts_with('#') && all.get(1).is_some_and(|next| has_content(next)))
}
