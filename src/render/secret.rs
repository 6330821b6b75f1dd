//! What of a Secret may be compared and named, without its values ever leaving this file. Pure.

use std::collections::BTreeMap;

use base64::Engine as _;
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

/// The values of a manifest that is a Secret, as they are written and as they are meant: to be hidden elsewhere.
pub(super) fn values(text: &str) -> Vec<String> {
    let manifest: Value = serde_yaml::from_str(text).unwrap_or(Value::Null);
    if manifest.get("kind").and_then(Value::as_str) != Some("Secret") {
        return Vec::new();
    }
    let maps = FIELDS.iter().filter_map(|field| manifest.get(field).and_then(Value::as_mapping));
    let written: Vec<String> =
        maps.flat_map(|map| map.values().filter_map(Value::as_str)).map(str::to_owned).collect();
    let meant = written.iter().filter_map(|value| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(value.trim()).ok()?;
        String::from_utf8(bytes).ok()
    });
    let meant: Vec<String> = meant.collect();
    [written, meant].concat()
}

fn digest(value: &Value) -> String {
    crate::digest::short(format!("{value:?}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

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
