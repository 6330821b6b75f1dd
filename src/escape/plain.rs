//! Plain text: what cannot be seen is dropped, and cuts keep characters whole.

use std::fmt::Write as _;

/// Drops control characters but line feed and tab, marks that change the direction of text, and invisible tags.
/// Line ends become line feeds.
pub fn clean(text: &str) -> String {
    text.replace("\r\n", "\n").chars().map(line_end).filter(|c| !is_hidden(*c)).collect()
}

/// The text as one line: white space of any kind becomes one space, and what [`clean`] drops is dropped.
pub fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A line that must stay one: whatever else ends lines is written as an escape, such as `\u2028`.
pub fn unbroken(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for c in line.chars() {
        if line_end(c) == '\n' {
            // Writing to a string never fails.
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        } else {
            text.push(c);
        }
    }
    text
}

/// At most `limit` characters; a text that was longer ends with `…`.
pub fn cut(text: &str, limit: usize) -> String {
    if text.chars().nth(limit).is_none() {
        return text.to_owned();
    }
    let kept = text.chars().take(limit.saturating_sub(1)).collect::<String>();
    let end = if limit == 0 { "" } else { "…" };
    format!("{}{end}", kept.trim_end())
}

/// Text for a terminal or a CI log: clean, and without lines that a CI runner would take for commands.
pub fn log_text(text: &str) -> String {
    let clean = clean(text).replace("##[", "## [").replace("##vso[", "## vso[");
    clean.split('\n').map(harmless_line).collect::<Vec<_>>().join("\n")
}

/// GitHub's runner takes `::` for a command also behind white space.
fn harmless_line(line: &str) -> String {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    text.strip_prefix("::").map_or_else(|| line.to_owned(), |rest| format!("{indent}: :{rest}"))
}

const fn line_end(c: char) -> char {
    match c {
        '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        other => other,
    }
}

/// Source: Unicode's `Bidi_Control` and `Cc`, the byte order mark, and the tag block.
fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_dropped() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\u{0}d\u{feff}\u{e0041}\r\ne\tf"), "a[31mbcd\ne\tf");
    }

    #[test]
    fn one_line_has_single_spaces() {
        assert_eq!(one_line("  a\r\n b\t\tc\u{2028}d\u{a0}e "), "a b c d e");
    }

    #[test]
    fn a_line_stays_one() {
        assert_eq!(unbroken("a\u{2028}b\rc\u{85}d\ne"), "a\\u2028b\\u000dc\\u0085d\\u000ae");
        assert_eq!(unbroken("  a: \"b\" # ü"), "  a: \"b\" # ü");
    }

    #[test]
    fn cuts_keep_characters_whole() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
        assert_eq!(cut("ab cd", 4), "ab…");
        assert_eq!(cut("ab", 0), "");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn commands_of_ci_runners_are_broken() {
        assert_eq!(
            log_text("fine\n  ::set-output name=x::y\na ::b"),
            "fine\n  : :set-output name=x::y\na ::b"
        );
        assert_eq!(log_text("x ##[add-path]/tmp"), "x ## [add-path]/tmp");
        assert_eq!(log_text("ok\r::error::x"), "ok\n: :error::x");
    }
}
