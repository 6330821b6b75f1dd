//! The structure of a configuration against the JSON Schema of the raw structs: types, unknown, missing and duplicate
//! keys, words of enums. Reports everything, each at its node. Pure.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::node::{Node, NodeKind, Scalar};
use super::problem::Findings;
use super::suggest::nearest;

/// Keys of the root that a later version will know.
const RESERVED: &[&str] = &["repository"];

/// Checks `node` against `schema`, a root schema with its `$defs`. Gives what is left without the wrong parts, so that
/// the meaning of the rest can be checked too.
pub(super) fn check(node: &Node, schema: &Value, findings: &mut Findings) -> Option<Node> {
    Walk { root: schema, findings }.check(node, schema, true)
}

/// What the check left out: nobody is told that something is missing when it was there, but wrong.
pub(super) struct Damage {
    /// Whether environments were left out.
    pub(super) environments: bool,
    /// Whether something was left out of any target, or of any list of targets.
    pub(super) any_target: bool,
    targets: BTreeSet<(usize, usize)>,
}

impl Damage {
    /// Compares the file's `root` with what is left.
    pub(super) fn of(root: &Node, rest: &Node) -> Self {
        let position = |node: &Node| (node.line, node.column);
        let after: BTreeMap<(usize, usize), &Node> =
            targets(rest).into_iter().map(|node| (position(node), node)).collect();
        let before = targets(root).into_iter().filter(|node| after.get(&position(node)) != Some(node));
        let damaged: BTreeSet<(usize, usize)> = before.map(position).collect();
        let environments = root.at("environments").items().len() != rest.at("environments").items().len();
        Self {
            environments,
            any_target: environments || !damaged.is_empty() || lists(root) != lists(rest),
            targets: damaged,
        }
    }

    /// Whether something was left out of the target at `node`.
    pub(super) fn in_target(&self, node: &Node) -> bool {
        self.targets.contains(&(node.line, node.column))
    }
}

fn targets(root: &Node) -> Vec<&Node> {
    let own = root.at("environments").items().iter().filter_map(|environment| environment.get("targets"));
    root.get("targets").into_iter().chain(own).flat_map(Node::items).collect()
}

fn lists(root: &Node) -> usize {
    let own = root.at("environments").items().iter().filter_map(|environment| environment.get("targets"));
    root.get("targets").into_iter().chain(own).count()
}

struct Walk<'a> {
    root: &'a Value,
    findings: &'a mut Findings,
}

impl<'a> Walk<'a> {
    /// The recursion follows the node, whose depth the parser bounds; a `$ref` or a branch is one more step at most.
    fn check(&mut self, node: &Node, schema: &'a Value, is_root: bool) -> Option<Node> {
        let schema = self.resolve(schema);
        if let Some(words) = words(schema) {
            return self.check_word(node, &words);
        }
        if let Some(branches) = branches(schema) {
            return self.check_branches(node, branches);
        }
        if !fits(node, schema) {
            self.wrong_type(node, schema);
            return None;
        }
        match &node.kind {
            NodeKind::Mapping(entries) => self.check_mapping(node, entries, schema, is_root),
            NodeKind::Sequence(items) => self.check_sequence(node, items, schema),
            NodeKind::Scalar { .. } => self.check_range(node, schema),
        }
    }

    fn resolve(&self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|link| link.strip_prefix("#/$defs/"));
        name.and_then(|name| self.root.get("$defs")?.get(name)).unwrap_or(schema)
    }

    /// Takes the branch that the node's type fits, so that its problems are the branch's own.
    fn check_branches(&mut self, node: &Node, branches: &'a [Value]) -> Option<Node> {
        let resolved: Vec<&Value> = branches.iter().map(|branch| self.resolve(branch)).collect();
        if node.is_null() && resolved.iter().any(|branch| allows(branch, "null")) {
            return Some(node.clone());
        }
        let real: Vec<&Value> = resolved.into_iter().filter(|branch| !is_only_null(branch)).collect();
        let fitting = real.iter().find(|branch| fits(node, branch)).or(real.first())?;
        self.check(node, fitting, false)
    }

    fn check_word(&mut self, node: &Node, words: &[&str]) -> Option<Node> {
        let list = quoted(words.iter().copied());
        let Some(Scalar::Text(text)) = node.scalar() else {
            self.findings.problem(node, format!("expected one of {list}, found {}", node.describe()));
            return None;
        };
        if words.contains(&text) {
            return Some(node.clone());
        }
        let message = format!("`{}` is not one of {list}", shown(text));
        match nearest(text, words.iter().copied()) {
            Some(word) => self.findings.problem_with_hint(node, message, format!("did you mean `{word}`?")),
            None => self.findings.problem(node, message),
        }
        None
    }

    fn wrong_type(&mut self, node: &Node, schema: &Value) {
        let message = format!("expected {}, found {}", expected(schema), node.describe());
        let scalar =
            matches!(node.scalar(), Some(Scalar::Integer(_) | Scalar::Float(_) | Scalar::Boolean(_)));
        if scalar && allows(schema, "string") {
            return self.findings.problem_with_hint(
                node,
                message,
                format!("quote it: \"{}\"", shown(node.text())),
            );
        }
        self.findings.problem(node, message);
    }

    fn check_mapping(
        &mut self,
        node: &Node,
        entries: &[(Node, Node)],
        schema: &'a Value,
        is_root: bool,
    ) -> Option<Node> {
        let known = schema.get("properties").and_then(Value::as_object);
        let mut seen = BTreeSet::new();
        let mut rest = Vec::with_capacity(entries.len());
        for (key, value) in entries {
            let name = key.text();
            let checked = match known.and_then(|known| known.get(name)) {
                Some(schema) => self.check(value, schema, false),
                None => self.check_additional(key, value, schema, is_root),
            };
            if !seen.insert(name) {
                self.findings.problem(key, format!("the key `{}` is there twice", shown(name)));
            } else if let Some(value) = checked {
                rest.push((key.clone(), value));
            }
        }
        let mapping = Node { kind: NodeKind::Mapping(rest), ..*node };
        self.has_required(&mapping, &seen, schema).then_some(mapping)
    }

    fn check_additional(
        &mut self,
        key: &Node,
        value: &Node,
        schema: &'a Value,
        is_root: bool,
    ) -> Option<Node> {
        match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => {
                self.unknown_key(key, schema, is_root);
                None
            }
            Some(schema) if schema.is_object() => self.check(value, schema, false),
            _ => {
                self.check_duplicates(value);
                Some(value.clone())
            }
        }
    }

    fn unknown_key(&mut self, key: &Node, schema: &Value, is_root: bool) {
        let name = key.text();
        if is_root && RESERVED.contains(&name) {
            return self.findings.problem(key, format!("the key `{name}` is reserved for a later version"));
        }
        let message = format!("unknown key `{}`", shown(name));
        let known = schema.get("properties").and_then(Value::as_object);
        let names = || known.into_iter().flat_map(|known| known.keys().map(String::as_str));
        let hint = match nearest(name, names()) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known keys: {}", quoted(names())),
        };
        self.findings.problem_with_hint(key, message, hint);
    }

    /// Free values have no schema, but their keys must be distinct all the same.
    fn check_duplicates(&mut self, node: &Node) {
        let mut seen = BTreeSet::new();
        for (key, value) in node.entries() {
            if !seen.insert(key.text()) {
                self.findings.problem(key, format!("the key `{}` is there twice", shown(key.text())));
            }
            self.check_duplicates(value);
        }
        for item in node.items() {
            self.check_duplicates(item);
        }
    }

    /// A key that is there with a wrong value has had its problem; it is missing all the same.
    fn has_required(&mut self, mapping: &Node, seen: &BTreeSet<&str>, schema: &Value) -> bool {
        let required = schema.get("required").and_then(Value::as_array);
        let mut complete = true;
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            complete &= mapping.get(name).is_some();
            if !seen.contains(name) {
                self.findings.problem(mapping, format!("the key `{name}` is missing"));
            }
        }
        complete
    }

    fn check_sequence(&mut self, node: &Node, items: &[Node], schema: &'a Value) -> Option<Node> {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        if u64::try_from(items.len()).is_ok_and(|count| count < least) {
            self.findings.problem(node, "the list is empty");
            return None;
        }
        let rest = match schema.get("items") {
            Some(schema) => items.iter().filter_map(|item| self.check(item, schema, false)).collect(),
            None => items.to_vec(),
        };
        Some(Node { kind: NodeKind::Sequence(rest), ..*node })
    }

    fn check_range(&mut self, node: &Node, schema: &Value) -> Option<Node> {
        let Some(Scalar::Integer(value)) = node.scalar() else { return Some(node.clone()) };
        let bound = |name: &str| schema.get(name).and_then(Value::as_i64);
        let message = match (bound("minimum"), bound("maximum")) {
            (Some(least), Some(most)) if least == most && value != least => {
                format!("expected {least}, found {value}")
            }
            (Some(least), _) if value < least => format!("{value} is less than {least}"),
            (_, Some(most)) if value > most => format!("{value} is more than {most}"),
            _ => return Some(node.clone()),
        };
        self.findings.problem(node, message);
        None
    }
}

fn branches(schema: &Value) -> Option<&[Value]> {
    schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array).map(Vec::as_slice)
}

/// The words of an enum, whether with a description each (`oneOf` of `const`) or without (`enum`).
fn words(schema: &Value) -> Option<Vec<&str>> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    let mut words = Vec::new();
    for branch in schema.get("oneOf").and_then(Value::as_array)? {
        match (branch.get("const").and_then(Value::as_str), branch.get("enum").and_then(Value::as_array)) {
            (Some(word), _) => words.push(word),
            (None, Some(more)) => words.extend(more.iter().filter_map(Value::as_str)),
            (None, None) => return None,
        }
    }
    Some(words)
}

/// Whether the schema's `type` names `wanted`.
fn allows(schema: &Value, wanted: &str) -> bool {
    types(schema).contains(&wanted)
}

fn is_only_null(schema: &Value) -> bool {
    types(schema) == ["null"]
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn fits(node: &Node, schema: &Value) -> bool {
    let types = types(schema);
    let has = |name: &str| types.contains(&name);
    types.is_empty()
        || match &node.kind {
            NodeKind::Mapping(_) => has("object"),
            NodeKind::Sequence(_) => has("array"),
            NodeKind::Scalar { .. } => match node.scalar() {
                Some(Scalar::Boolean(_)) => has("boolean"),
                Some(Scalar::Integer(_)) => has("integer") || has("number"),
                Some(Scalar::Float(_)) => has("number"),
                Some(Scalar::Text(_)) => has("string"),
                Some(Scalar::Null) | None => has("null"),
            },
        }
}

fn expected(schema: &Value) -> String {
    let words = types(schema).into_iter().filter(|name| *name != "null").map(|name| match name {
        "object" => "a mapping",
        "array" => "a list",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "number" => "a number",
        _ => "a string",
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Text of the file as part of a one-line message.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let visible = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(LONGEST).map(visible).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
