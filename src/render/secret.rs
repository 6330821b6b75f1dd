//! What of a Secret may be compared and named, without its values ever leaving this file. Pure.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use serde_json::Value as Json;
use serde_yaml::Value;

/// Where the values of a Secret are.
const FIELDS: [&str; 2] = ["data", "stringData"];

/// A Secret without its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SecretOutline {
    /// Its keys, such as `data: password`, each with a digest of its value.
    pub keys: BTreeMap<String, String>,
    /// A digest of everything else, which may hold copies of the values.
    pub rest: String,
}

/// The outline of a manifest's text. A text that is not YAML has no keys.
pub fn outline(text: &str) -> SecretOutline {
    let mut manifest: Value = serde_yaml::from_str(text).unwrap_or(Value::Null);
    let mut outline = SecretOutline::default();
    if let Some(map) = manifest.as_mapping_mut() {
        for field in FIELDS {
            let Some(values) = map.get(field).and_then(Value::as_mapping) else { continue };
            for (key, value) in values {
                let name = key.as_str().map_or_else(|| format!("{key:?}"), str::to_owned);
                outline.keys.insert(format!("{field}: {name}"), digest(value));
            }
            map.remove(field);
        }
    }
    outline.rest = digest(&manifest);
    outline
}

/// Every way in which a program may write a value: line by line, decoded, encoded, escaped as in JSON or YAML.
pub(super) fn forms(value: &str) -> BTreeSet<String> {
    let base64 = base64::engine::general_purpose::STANDARD;
    let packed: String = value.split_whitespace().collect();
    let meant = base64.decode(packed).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let mut forms = BTreeSet::new();
    for text in std::iter::once(value).chain(meant.as_deref()) {
        forms.insert(base64.encode(text));
        forms.insert(base64.encode(text.trim_end()));
        forms.insert(escaped(text.trim()));
        for line in text.lines().map(str::trim) {
            forms.insert(line.to_owned());
            forms.insert(escaped(line));
            forms.insert(line.replace('\'', "''"));
        }
    }
    forms
}

/// As it stands between double quotes.
fn escaped(text: &str) -> String {
    let quoted = Json::from(text).to_string();
    quoted.trim_start_matches('"').strip_suffix('"').unwrap_or(&quoted).to_owned()
}

fn digest(value: &Value) -> String {
    crate::digest::short(format!("{value:?}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_many_forms() {
        let found = forms("aHVudGVyMQo=");
        assert!(found.contains("hunter1") && found.contains("aHVudGVyMQ=="), "{found:?}");
        let found = forms("it's \"a\"\nsecond\n");
        for form in [
            "it's \"a\"",
            "it''s \"a\"",
            "it's \\\"a\\\"",
            "second",
            "it's \\\"a\\\"\\nsecond",
            "aXQncyAiYSIKc2Vjb25kCg==",
        ] {
            assert!(found.contains(form), "{form} is not in {found:?}");
        }
    }

    #[test]
    fn values_are_compared_and_not_kept() {
        let text = |value: &str| {
            format!("kind: Secret\nmetadata: {{name: a}}\nstringData: {{pass: {value}, 1: x}}\n")
        };
        let (one, other) = (outline(&text("hunter1")), outline(&text("hunter2")));
        assert_ne!(one.keys["stringData: pass"], other.keys["stringData: pass"]);
        assert_eq!((one.keys.len(), &one.rest), (2, &other.rest));
        assert!(!format!("{one:?}").contains("hunter"));
        assert_eq!(outline("- [").keys.len(), 0);
    }
}
