//! What going from one state to another changes, manifest by manifest. Values of Secrets are never shown, only which of
//! their keys differ. Reads objects of the scratch repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::Result;
use similar::TextDiff;

use super::changes::differing;
use crate::branch::Content;
use crate::escape::{log_text, one_line};
use crate::git::Objects;
use crate::model::{ManifestId, ObjectId};
use crate::proposal::blobs_of;
use crate::render::outline;

/// The difference as text, empty where there is none; the manifests must be here.
pub fn difference(objects: Objects<'_>, before: &Content, after: &Content) -> Result<String> {
    let mut text = String::new();
    for (output, (old, new)) in differing(before, after) {
        let (old, new) = (files(objects, old)?, files(objects, new)?);
        let ids: BTreeSet<&ManifestId> = old.keys().chain(new.keys()).collect();
        for id in ids {
            let (was, is) = (old.get(id), new.get(id));
            if was != is {
                one(&mut text, output, id, was.map(String::as_str), is.map(String::as_str));
            }
        }
    }
    Ok(log_text(&text))
}

/// The manifests' texts. A file that cannot be read as manifests is named, and its text never shown.
fn files(objects: Objects<'_>, tree: Option<ObjectId>) -> Result<BTreeMap<ManifestId, String>> {
    let mut found = BTreeMap::new();
    let Some(tree) = tree else { return Ok(found) };
    for (path, blob) in blobs_of(objects, tree)? {
        let bytes = objects.blob(blob)?.unwrap_or_default();
        let Some(manifests) = crate::render::manifests(&bytes) else {
            let id = ManifestId {
                group: String::new(),
                kind: "File".to_owned(),
                namespace: String::new(),
                name: path,
            };
            found.insert(id, blob.to_string());
            continue;
        };
        for manifest in manifests {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            if manifest.parts.is_empty() {
                found.insert(manifest.id.clone(), text(&manifest.text));
            }
            found.extend(manifest.parts.iter().map(|part| (part.id.clone(), text(&part.text))));
        }
    }
    Ok(found)
}

fn one(text: &mut String, output: &str, id: &ManifestId, was: Option<&str>, is: Option<&str>) {
    let name = one_line(&format!("{output}: {id}"));
    let mark = match (was, is) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    };
    // Writing to a string never fails.
    let _ = writeln!(text, "# {mark} {name}");
    let (was, is) = (was.unwrap_or_default(), is.unwrap_or_default());
    if id.group.is_empty() && id.kind.starts_with("Secret") {
        secret(text, was, is);
    } else if id.kind == "File" && id.group.is_empty() {
        let _ = writeln!(text, "# (not shown: it holds no manifests)");
    } else {
        let _ = write!(text, "{}", TextDiff::from_lines(was, is).unified_diff().context_radius(3));
    }
}

/// The keys whose values differ, and whether anything else does.
fn secret(text: &mut String, was: &str, is: &str) {
    let (old, new) = (outline(was), outline(is));
    for key in old.keys.keys().chain(new.keys.keys()).collect::<BTreeSet<_>>() {
        let mark = match (old.keys.get(key), new.keys.get(key)) {
            (was, is) if was == is => continue,
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        let _ = writeln!(text, "{mark} {} (value hidden)", one_line(key));
    }
    if old.rest != new.rest {
        let _ = writeln!(text, "~ other fields (hidden)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_secrets_never_show() {
        let id = |kind: &str| ManifestId {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: String::new(),
            name: "a".to_owned(),
        };
        let was = "kind: Secret\nmetadata: {name: a, annotations: {last: hunter1}}\nstringData: {pass: hunter2, same: hunter3, gone: hunter4}\n";
        let is = "kind: Secret\nmetadata: {name: a, annotations: {last: hunter5}}\nstringData: {pass: hunter6, same: hunter3, \"x\\ny\": hunter7}\n";
        let mut text = String::new();
        one(&mut text, "web", &id("Secret"), Some(was), Some(is));
        let wanted = "# changed web: Secret a\n- stringData: gone (value hidden)\n~ stringData: pass (value hidden)\n\
                      + stringData: x y (value hidden)\n~ other fields (hidden)\n";
        assert_eq!(text, wanted);
        for (was, is) in
            [(None, Some(is)), (Some(was), None), (Some(was), Some("kind: Secret\n- hunter8: [\n"))]
        {
            let mut text = String::new();
            one(&mut text, "web", &id("Secret"), was, is);
            assert!(!text.contains("hunter"), "{text}");
        }
    }
}
