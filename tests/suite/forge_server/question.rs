//! A reader of GraphQL questions, as much of the language as questions are written in. Whether a question is right by
//! a forge's schema is for others to say.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What is asked of an object.
#[derive(Clone, Debug)]
pub(crate) enum Selection {
    /// A field: its name in the answer, its own name, its arguments with the variables filled in.
    Field { alias: String, name: String, arguments: Map<String, Value>, below: Vec<Selection> },
    /// What a fragment says.
    Spread(String),
    /// For objects of a type only.
    On(String, Vec<Selection>),
}

/// A whole question.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) selections: Vec<Selection>,
    pub(crate) fragments: BTreeMap<String, (String, Vec<Selection>)>,
}

struct Reader<'a> {
    tokens: Vec<String>,
    at: usize,
    variables: &'a Value,
}

/// Reads a question; panics where it is none.
pub(crate) fn read(text: &str, variables: &Value) -> Question {
    let mut reader = Reader { tokens: tokens(text), at: 0, variables };
    let mut question = Question { selections: Vec::new(), fragments: BTreeMap::new() };
    while !reader.is_over() {
        match reader.next().as_str() {
            "query" | "mutation" => {
                reader.next();
                while reader.peek() != "{" {
                    let declared = reader.next();
                    let is_used = reader.tokens[reader.at..].contains(&declared);
                    assert!(!declared.starts_with('$') || is_used, "{declared} is declared and not used");
                }
                question.selections = reader.selections();
            }
            "fragment" => {
                let name = reader.next();
                reader.expect("on");
                let of = reader.next();
                question.fragments.insert(name, (of, reader.selections()));
            }
            other => panic!("{other} starts no question"),
        }
    }
    question
}

/// Words, strings with their quotes, `...`, and single marks.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = if first == '"' {
            rest[1..].find('"').expect("a string ends") + 2
        } else if rest.starts_with("...") {
            3
        } else if first.is_alphanumeric() || first == '_' || first == '$' || first == '-' {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            1 + rest[1..].find(|c: char| !is_word(c)).unwrap_or(rest.len() - 1)
        } else {
            first.len_utf8()
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start_matches(|c: char| c.is_whitespace() || c == ',');
    }
    tokens
}

impl Reader<'_> {
    fn is_over(&self) -> bool {
        self.at >= self.tokens.len()
    }

    fn peek(&self) -> &str {
        self.tokens.get(self.at).map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        let token = self.peek().to_owned();
        assert!(!token.is_empty(), "the question breaks off");
        self.at += 1;
        token
    }

    fn expect(&mut self, wanted: &str) {
        let found = self.next();
        assert_eq!(found, wanted);
    }

    fn selections(&mut self) -> Vec<Selection> {
        self.expect("{");
        let mut found = Vec::new();
        while self.peek() != "}" {
            found.push(self.selection());
        }
        self.expect("}");
        found
    }

    fn selection(&mut self) -> Selection {
        let first = self.next();
        if first == "..." {
            if self.peek() != "on" {
                return Selection::Spread(self.next());
            }
            self.next();
            return Selection::On(self.next(), self.selections());
        }
        let (alias, name) = if self.peek() == ":" {
            self.next();
            (first, self.next())
        } else {
            (first.clone(), first)
        };
        let mut arguments = Map::new();
        if self.peek() == "(" {
            self.next();
            while self.peek() != ")" {
                let key = self.next();
                self.expect(":");
                arguments.insert(key, self.value());
            }
            self.next();
        }
        let below = if self.peek() == "{" { self.selections() } else { Vec::new() };
        Selection::Field { alias, name, arguments, below }
    }

    fn value(&mut self) -> Value {
        let token = self.next();
        match token.as_str() {
            "{" => {
                let mut object = Map::new();
                while self.peek() != "}" {
                    let key = self.next();
                    self.expect(":");
                    object.insert(key, self.value());
                }
                self.next();
                Value::Object(object)
            }
            "[" => {
                let mut list = Vec::new();
                while self.peek() != "]" {
                    list.push(self.value());
                }
                self.next();
                Value::Array(list)
            }
            _ => match token.strip_prefix('$') {
                Some(name) => self.variables[name].clone(),
                // Names of an enumeration are kept as text.
                None => serde_json::from_str(&token).unwrap_or(Value::String(token)),
            },
        }
    }
}

mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn questions_are_read() {
        let text =
            "query x($a: Int!) { one: f(n: $a, o: {k: UP}) { ...p ... on T { s } } } fragment p on U { id }";
        let question = read(text, &json!({"a": 3}));
        let [Selection::Field { alias, name, arguments, below }] = question.selections.as_slice() else {
            panic!()
        };
        assert_eq!((alias.as_str(), name.as_str()), ("one", "f"));
        assert_eq!(Value::Object(arguments.clone()), json!({"n": 3, "o": {"k": "UP"}}));
        assert!(matches!(&below[0], Selection::Spread(name) if name == "p"));
        assert!(matches!(&below[1], Selection::On(name, _) if name == "T"));
        assert_eq!(question.fragments["p"].0, "U");
    }
}
