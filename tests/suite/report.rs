//! The JSON report of real runs against its own published schema.

use serde_json::Value;

use crate::support::command::Run;
use crate::support::git::{TestRepo, files};

/// Whether `value` is what `schema` says; the first place where it is not. Knows the keywords that the schema uses.
fn check(value: &Value, schema: &Value, root: &Value, place: &str) -> Result<(), String> {
    if let Some(name) = schema["$ref"].as_str() {
        let definition = name.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return check(value, definition.ok_or_else(|| format!("no definition {name}"))?, root, place);
    }
    for choices in [&schema["anyOf"], &schema["oneOf"]] {
        if let Some(choices) = choices.as_array() {
            let fits = choices.iter().any(|choice| check(value, choice, root, place).is_ok());
            return if fits { Ok(()) } else { Err(format!("{place}: {value} is none of the choices")) };
        }
    }
    if let Some(constant) = schema.get("const") {
        return if value == constant { Ok(()) } else { Err(format!("{place}: {value} is not {constant}")) };
    }
    if schema["enum"].as_array().is_some_and(|allowed| !allowed.contains(value)) {
        return Err(format!("{place}: {value} is not one of {}", schema["enum"]));
    }
    check_type(value, schema, place)?;
    check_object(value, schema, root, place)?;
    let mut items = value.as_array().into_iter().flatten().enumerate();
    items.try_for_each(|(index, item)| check(item, &schema["items"], root, &format!("{place}/{index}")))
}

fn check_type(value: &Value, schema: &Value, place: &str) -> Result<(), String> {
    let own = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let fits = match &schema["type"] {
        Value::String(wanted) => wanted == own,
        Value::Array(wanted) => wanted.contains(&Value::from(own)),
        _ => true,
    };
    if fits { Ok(()) } else { Err(format!("{place}: {own}, not {}", schema["type"])) }
}

/// Every required key, and no key that the schema does not know.
fn check_object(value: &Value, schema: &Value, root: &Value, place: &str) -> Result<(), String> {
    let Some(object) = value.as_object() else { return Ok(()) };
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    if let Some(missing) = required.into_iter().find(|key| !object.contains_key(*key)) {
        return Err(format!("{place}: `{missing}` is missing"));
    }
    for (key, value) in object {
        let known = schema["properties"].get(key).ok_or_else(|| format!("{place}: `{key}` is unknown"))?;
        check(value, known, root, &format!("{place}/{key}"))?;
    }
    Ok(())
}

fn schema(repo: &TestRepo) -> Value {
    Run::hydrator(repo).arguments(["schema", "--report"]).run().success().json()
}

const CONFIGURATION: &str = "\
version: 1
dryBranch: main
environments: [{ name: good }, { name: bad }]
targets: [{ path: \"deploy/{environment}\", name: web }]
";

#[test]
fn the_report_of_a_run_is_what_its_schema_says() {
    let repo = TestRepo::with_files(&files(&[
        ("hydrator.yaml", CONFIGURATION),
        ("deploy/good/a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n"),
        ("deploy/bad/a.yaml", "kind: [\n"),
    ]));
    let schema = schema(&repo);
    let run = |arguments: &[&str]| {
        Run::hydrator(&repo).arguments(arguments).arguments(["--forge", "local", "--format", "json"]).run()
    };
    for arguments in [&["plan"][..], &["run"], &["run"]] {
        let report = run(arguments).code(4).json();
        check(&report, &schema, &schema, "").unwrap_or_else(|problem| panic!("{problem}\n{report:#}"));
        assert_eq!(report["environments"][1]["error"]["kind"], "render");
    }
}

#[test]
fn the_check_finds_what_is_wrong() {
    let repo = TestRepo::new();
    let schema = schema(&repo);
    let good = serde_json::json!({"drySha": "0".repeat(40), "environments": []});
    assert_eq!(check(&good, &schema, &schema, ""), Ok(()));
    for (key, bad, words) in [
        ("drySha", Value::Null, "not"),
        ("environments", serde_json::json!([{"name": "dev"}]), "missing"),
        ("more", Value::Null, "unknown"),
    ] {
        let mut report = good.clone();
        report[key] = bad;
        let problem = check(&report, &schema, &schema, "").unwrap_err();
        assert!(problem.contains(words), "{problem}");
    }
}
