//! `{environment}`, `{capture}` and `{vars.x}` in texts of the configuration. Pure.
//!
//! A placeholder is a word in single braces. `{{…}}` and anything else in braces is text as it stands, since options
//! hold templates and JSON of other tools; `\{word}` writes a `{word}`.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// A piece of a text with placeholders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text as it stands.
    Text(&'a str),
    /// The word within braces.
    Placeholder(&'a str),
}

/// What placeholders stand for in one target of one environment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bindings<'a> {
    pub(super) environment: &'a str,
    pub(super) vars: &'a BTreeMap<String, String>,
    pub(super) captures: &'a BTreeMap<String, String>,
}

impl<'a> Bindings<'a> {
    /// The value of the placeholder `word`.
    pub(super) fn value(&self, word: &str) -> Option<&'a str> {
        if word == "environment" {
            return Some(self.environment);
        }
        match word.strip_prefix("vars.") {
            Some(name) => self.vars.get(name).map(String::as_str),
            None => self.captures.get(word).map(String::as_str),
        }
    }

    /// What could be written instead of an unknown placeholder.
    pub(super) fn known(&self) -> Vec<String> {
        let vars = self.vars.keys().map(|name| format!("vars.{name}"));
        std::iter::once("environment".to_owned()).chain(self.captures.keys().cloned()).chain(vars).collect()
    }

    /// `text` with its placeholders replaced; the error is the first unknown one.
    pub(super) fn expand<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, &'t str> {
        if !text.contains('{') {
            return Ok(Cow::Borrowed(text));
        }
        let mut expanded = String::with_capacity(text.len());
        for piece in pieces(text) {
            match piece {
                Piece::Text(text) => expanded.push_str(text),
                Piece::Placeholder(word) => expanded.push_str(self.value(word).ok_or(word)?),
            }
        }
        Ok(Cow::Owned(expanded))
    }
}

/// Splits `text` at its placeholders.
pub(super) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut search = 0;
    while let Some(open) = text[search..].find('{').map(|found| search + found) {
        search = open + 1;
        let Some(word) = word_at(text, open) else { continue };
        let end = open + word.len() + 2;
        let escaped = text[start..open].ends_with('\\');
        push_text(&mut pieces, &text[start..open - usize::from(escaped)]);
        if escaped {
            push_text(&mut pieces, &text[open..end]);
        } else {
            pieces.push(Piece::Placeholder(word));
        }
        start = end;
        search = end;
    }
    push_text(&mut pieces, &text[start..]);
    pieces
}

fn push_text<'a>(pieces: &mut Vec<Piece<'a>>, text: &'a str) {
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
}

/// The word of the placeholder whose `{` is at `open`; `None` if it is not one.
fn word_at(text: &str, open: usize) -> Option<&str> {
    let inside = &text[open + 1..];
    let length = inside.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.')))?;
    let word = &inside[..length];
    let single = !text[..open].ends_with('{')
        && inside[length..].starts_with('}')
        && !inside[length + 1..].starts_with('}');
    (single && is_placeholder(word)).then_some(word)
}

fn is_placeholder(word: &str) -> bool {
    is_name(word.strip_prefix("vars.").unwrap_or(word))
}

/// Whether `word` can name a capture or a variable.
pub(super) fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> Result<String, String> {
        let vars = BTreeMap::from([("registry".to_owned(), "ghcr.io/acme".to_owned())]);
        let captures = BTreeMap::from([("app".to_owned(), "web".to_owned())]);
        let bindings = Bindings { environment: "prod", vars: &vars, captures: &captures };
        bindings.expand(text).map(Cow::into_owned).map_err(str::to_owned)
    }

    #[test]
    fn replaces_words_in_single_braces_only() {
        assert_eq!(expand("{app}-{environment}.yaml").unwrap(), "web-prod.yaml");
        assert_eq!(expand("{vars.registry}/{app}").unwrap(), "ghcr.io/acme/web");
        assert_eq!(
            expand("{{ .Values.app }} {{app}} {\"a\": 1} {} {a b}").unwrap(),
            "{{ .Values.app }} {{app}} {\"a\": 1} {} {a b}"
        );
        assert_eq!(expand("\\{app} {app}").unwrap(), "{app} web");
        assert_eq!(expand("ü{app}ü{").unwrap(), "üwebü{");
    }

    #[test]
    fn names_the_unknown_one() {
        assert_eq!(expand("{app}/{cluster}"), Err("cluster".to_owned()));
        assert_eq!(expand("{vars.none}"), Err("vars.none".to_owned()));
    }
}
