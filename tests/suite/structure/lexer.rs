//! Just enough of Rust's grammar to read sources as text: comments, strings, test items, paths.

/// The source with comments, strings and characters blanked; lines stay where they are.
pub(crate) fn code_of(source: &str) -> String {
    let text: Vec<char> = source.chars().collect();
    let mut out = String::with_capacity(source.len());
    let mut at = 0;
    while at < text.len() {
        let end = skip(&text, at);
        if end == at {
            out.push(text[at]);
            at += 1;
        } else {
            out.extend(text[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    out
}

/// Where the comment, string or character that starts at `at` ends; `at` when none does.
fn skip(text: &[char], at: usize) -> usize {
    let follows = |wanted: &str| wanted.chars().enumerate().all(|(i, c)| text.get(at + i) == Some(&c));
    let in_word = at > 0 && is_word(text[at - 1]);
    match text[at] {
        '/' if follows("//") => find(text, at, '\n'),
        '/' if follows("/*") => block_comment(text, at),
        '"' => string(text, at + 1),
        'r' | 'b' | 'c' if !in_word => prefixed_string(text, at),
        '\'' => character(text, at),
        _ => at,
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn find(text: &[char], from: usize, wanted: char) -> usize {
    text[from..].iter().position(|&c| c == wanted).map_or(text.len(), |found| from + found)
}

fn block_comment(text: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (0, at);
    while at + 1 < text.len() {
        match (text[at], text[at + 1]) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn string(text: &[char], mut at: usize) -> usize {
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `c"…"`.
fn prefixed_string(text: &[char], at: usize) -> usize {
    let word: String = text[at..].iter().take_while(|c| is_word(**c)).collect();
    let mut start = at + word.len();
    let hashes = text[start.min(text.len())..].iter().take_while(|c| **c == '#').count();
    start += hashes;
    if text.get(start) != Some(&'"') || !["r", "b", "br", "c", "cr"].contains(&word.as_str()) {
        return at;
    }
    if !word.contains('r') {
        return if hashes == 0 { string(text, start + 1) } else { at };
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let found = text[start + 1..].windows(end.len()).position(|window| window == end);
    found.map_or(text.len(), |found| start + 1 + found + end.len())
}

/// A character literal, and not a lifetime.
fn character(text: &[char], at: usize) -> usize {
    match (text.get(at + 1), text.get(at + 2)) {
        (Some('\\'), _) => find(text, at + 3, '\'') + 1,
        (Some(_), Some('\'')) => at + 3,
        _ => at,
    }
}

/// Code (see [`code_of`]) with everything under `#[cfg(test)]` blanked.
pub(crate) fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = end_of_item(&out, start);
        let blank: String = out[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        out.replace_range(start..end, &blank);
    }
    out
}

/// The lines that [`without_tests`] would blank.
pub(crate) fn test_lines(code: &str) -> usize {
    let kept = without_tests(code);
    code.lines().zip(kept.lines()).filter(|(before, after)| before != after).count()
}

/// The end of the item whose attributes start at `start`: its first `;` or closing brace outside all brackets.
fn end_of_item(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, c) in code[start..].char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return start + at + 1;
                }
            }
            ';' if depth == 0 => return start + at + 1,
            _ => {}
        }
    }
    code.len()
}

/// A path such as `crate::model::Target`, with groups (`a::{b, c}`) taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PathUse {
    /// Its words; `*` for a glob.
    pub(crate) words: Vec<String>,
    /// The line that it starts in, from 1.
    pub(crate) line: usize,
}

/// Every path in code (see [`code_of`]), single words included.
pub(crate) fn paths(code: &str) -> Vec<PathUse> {
    let mut reader = Reader { rest: code, line: 1, found: Vec::new() };
    while !reader.rest.is_empty() {
        if !reader.path(&[]) {
            reader.drop_one();
        }
    }
    reader.found
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    found: Vec<PathUse>,
}

impl Reader<'_> {
    fn drop_one(&mut self) {
        let mut characters = self.rest.chars();
        if characters.next() == Some('\n') {
            self.line += 1;
        }
        self.rest = characters.as_str();
    }

    fn space(&mut self) {
        while self.rest.starts_with(char::is_whitespace) {
            self.drop_one();
        }
    }

    fn eat(&mut self, wanted: &str) -> bool {
        self.rest = match self.rest.strip_prefix(wanted) {
            Some(rest) => rest,
            None => return false,
        };
        true
    }

    /// Reads a path that continues `before`; false when there is none here.
    fn path(&mut self, before: &[String]) -> bool {
        let length = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        let length = if length == 0 && !before.is_empty() && self.rest.starts_with('*') { 1 } else { length };
        if length == 0 {
            return false;
        }
        let line = self.line;
        let (word, rest) = self.rest.split_at(length);
        let words = [before, &[word.to_owned()]].concat();
        self.rest = rest;
        let kept = (self.rest, self.line);
        self.space();
        if self.eat("::") {
            self.space();
            if self.eat("{") {
                self.group(&words);
                return true;
            }
            if self.path(&words) {
                return true;
            }
        }
        (self.rest, self.line) = kept;
        self.found.push(PathUse { words, line });
        true
    }

    fn group(&mut self, before: &[String]) {
        while !self.rest.is_empty() && !self.eat("}") {
            if self.path(before) {
                // The new name of `old as new` is no path.
                while !self.rest.is_empty() && !self.rest.starts_with([',', '}']) {
                    self.drop_one();
                }
            } else {
                self.drop_one();
            }
        }
    }
}

mod tests {
    use super::*;

    fn words(code: &str) -> Vec<String> {
        paths(code).into_iter().map(|path| path.words.join("::")).collect()
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        let source = "a // git2\n/* x /* git2 */ y */ b \"git2 \\\" git2\" c r#\"git2 \" git2\"# d b\"git2\" 'g' '\\'' e<'git2> f";
        let code = code_of(source);
        assert_eq!(code.split_whitespace().collect::<Vec<_>>(), ["a", "b", "c", "d", "e<'git2>", "f"]);
        assert_eq!(code.lines().count(), 2);
        assert_eq!(code_of("var\" x"), "var   ", "an `r` at a word's end starts no raw string");
    }

    #[test]
    fn test_items_are_left_out() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { x(1); }\n}\n#[cfg(test)]\nmod more;\nfn c() {}\n";
        assert_eq!(
            without_tests(code).split_whitespace().collect::<Vec<_>>(),
            ["fn", "a()", "{}", "fn", "c()", "{}"]
        );
        assert_eq!(test_lines(code), 6);
    }

    #[test]
    fn groups_are_taken_apart() {
        assert_eq!(
            words("use a::{b::{c, d}, self, e as f};"),
            ["use", "a::b::c", "a::b::d", "a::self", "a::e"]
        );
        assert_eq!(words("use x::*; y * z"), ["use", "x::*", "y", "z"]);
        let found = paths("\n\nstd::env::var(1)");
        assert_eq!((found[0].words.join("::"), found[0].line), ("std::env::var".to_owned(), 3));
    }
}
