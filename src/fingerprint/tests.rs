//! Reasons, and what is stored.

use std::collections::BTreeMap;

use super::*;

fn parts(inputs: &[(&str, &str)], tool: &str) -> FingerprintParts {
    FingerprintParts {
        renderer: "kustomize".to_owned(),
        tool: Some(tool.to_owned()),
        options: BTreeMap::from([("path".to_owned(), "00000001".to_owned())]),
        inputs: inputs.iter().map(|(path, digest)| ((*path).into(), (*digest).to_owned())).collect(),
        ..FingerprintParts::default()
    }
}

fn reasons(old: Option<&FingerprintParts>, new: &FingerprintParts) -> Vec<String> {
    explain(old, new).iter().map(Reason::to_string).collect()
}

#[test]
fn reasons_name_what_changed() {
    let old = parts(&[("a", "f1"), ("b", "f2"), ("c", "f3")], "kustomize 5.7.1");
    let mut new = parts(&[("a", "f1"), ("b", "f9"), ("d", "f4")], "kustomize 5.8.1");
    new.options.insert("path".to_owned(), "00000002".to_owned());
    let expected = ["kustomize 5.7.1 → 5.8.1", "option path", "b changed", "c removed", "d added"];
    assert_eq!(reasons(Some(&old), &new), expected);
    assert_eq!(reasons(None, &new), ["first time"]);
    assert_eq!(reasons(Some(&new), &new), ["a variable that it sees, or hydrator's own format"]);
}

#[test]
fn reasons_say_what_cannot_be_known() {
    let old = parts(&[("a", "f1")], "kustomize 5.8.1");
    let mut new = parts(&[("a", "f2")], "kustomize 5.8.1");
    new.whole_tree = Some("the field `x` in `k`".to_owned());
    let whole = "not understood: the field `x` in `k`, so the whole DRY tree counts";
    assert_eq!(reasons(Some(&old), &new), ["a changed", whole]);
    new.unpinned = vec!["github.com/acme/base".to_owned()];
    assert_eq!(reasons(Some(&new), &new), ["github.com/acme/base is not pinned"]);
}

#[test]
fn what_is_stored_comes_back() {
    let id = ObjectId::from_bytes([7; 20]);
    let mut first = parts(&[("a b", "f1"), ("c", "t2")], "kustomize 5.8.1");
    first.unpinned = vec!["x y".to_owned()];
    let second = FingerprintParts { whole_tree: Some("why".to_owned()), ..parts(&[("c", "t2")], "t") };
    let targets = BTreeMap::from([
        ("web".to_owned(), Stored { fingerprint: id, output: None, manifests: 0, parts: first }),
        ("api".to_owned(), Stored { fingerprint: id, output: Some(id), manifests: 3, parts: second }),
    ]);
    let bytes = encode(&targets);
    assert_eq!(decode(&bytes), Some(targets));
    for end in 0..bytes.len() {
        assert_eq!(decode(&bytes[..end]), None, "{end}");
    }
    assert_eq!(decode(b"{\"format\":0,\"inputs\":[],\"targets\":{}}"), None);
}
