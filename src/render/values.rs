//! Value files of the template renderer: YAML to one tree of values, later files winning. Pure.

use anyhow::bail;
use camino::Utf8Path;
use serde_json::{Map, Value};

use super::yaml;
use super::yaml::Problem;
use crate::error::{Failure, Place};

/// Adds the values of a file to `into`: mappings are merged, everything else is replaced.
pub(crate) fn add(into: &mut Map<String, Value>, content: &[u8], file: &Utf8Path) -> anyhow::Result<()> {
    let failure =
        |message: String, line| Failure::render(message).at(Place { file: file.to_owned(), line, column: 0 });
    let text = std::str::from_utf8(content).map_err(|_| failure("is not UTF-8".to_owned(), 0))?;
    let problem = |problem: Problem| failure(problem.message, problem.line);
    let mut parsed: serde_yaml::Value = yaml::parse(text).map_err(problem)?;
    parsed.apply_merge().map_err(|error| problem(yaml::problem_of(&error)))?;
    match as_json(parsed) {
        Value::Null => Ok(()),
        Value::Object(values) => {
            merge(into, values);
            Ok(())
        }
        _ => bail!(failure("is not a mapping of values".to_owned(), 1)),
    }
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(into)), Value::Object(from)) => merge(into, from),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// A YAML value as the template engine sees it: keys are text, tags are dropped.
fn as_json(value: serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Null => Value::Null,
        serde_yaml::Value::Bool(bool) => Value::Bool(bool),
        serde_yaml::Value::Number(number) => as_number(&number),
        serde_yaml::Value::String(text) => Value::String(text),
        serde_yaml::Value::Sequence(items) => Value::Array(items.into_iter().map(as_json).collect()),
        serde_yaml::Value::Mapping(mapping) => {
            Value::Object(mapping.into_iter().map(|(key, value)| (as_key(key), as_json(value))).collect())
        }
        serde_yaml::Value::Tagged(tagged) => as_json(tagged.value),
    }
}

fn as_number(number: &serde_yaml::Number) -> Value {
    let whole = number.as_u64().map(Value::from).or_else(|| number.as_i64().map(Value::from));
    whole.or_else(|| number.as_f64().map(Value::from)).unwrap_or_else(|| Value::String(number.to_string()))
}

fn as_key(key: serde_yaml::Value) -> String {
    match as_json(key) {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_files_win_and_mappings_are_merged() {
        let mut values = Map::new();
        for content in ["a: {b: 1, c: [1, 2]}\nd: x\n", "", "a: {c: [3], e: ~}\n1: one\n"] {
            add(&mut values, content.as_bytes(), Utf8Path::new("values.yaml")).unwrap();
        }
        let expected = serde_json::json!({"a": {"b": 1, "c": [3], "e": null}, "d": "x", "1": "one"});
        assert_eq!(Value::Object(values), expected);
    }

    #[test]
    fn problems_name_the_file_and_the_line() {
        let mut values = Map::new();
        let mut problem = |content: &str| {
            add(&mut values, content.as_bytes(), Utf8Path::new("v.yaml")).unwrap_err().to_string()
        };
        assert!(problem("a: b\nc: [\n").starts_with("v.yaml:"), "{}", problem("a: b\nc: [\n"));
        assert_eq!(problem("- a\n"), "v.yaml:1: is not a mapping of values");
    }
}
