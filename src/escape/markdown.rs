//! Markdown of GitHub and GitLab: text that stays text, names that stay names, and cuts that leave nothing open.

use super::plain::{clean, one_line};
use super::skip::neutralise_skip_markers;

/// Breaks what a forge would turn into a mention or a link, without being seen.
const BREAK: char = '\u{200b}';

/// Text for a sentence, on one line: no markup, no HTML, no mention, no reference, no link, no command.
pub fn prose(text: &str) -> String {
    let text = neutralise_skip_markers(&one_line(text));
    let mut done = String::with_capacity(text.len());
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        escape(&mut done, before, c, next);
        before = Some(c);
    }
    done
}

/// [`prose`] for a text of several lines, line by line.
pub fn prose_lines(text: &str) -> String {
    let text = neutralise_skip_markers(&clean(text));
    text.trim().lines().map(prose).collect::<Vec<_>>().join("\n")
}

/// Writes one character; `before` and `next` are its neighbours in the text.
fn escape(done: &mut String, before: Option<char>, c: char, next: Option<char>) {
    match c {
        '&' => done.push_str("&amp;"),
        '<' => done.push_str("&lt;"),
        '>' => done.push_str("&gt;"),
        '"' => done.push_str("&quot;"),
        '\\' | '`' | '*' | '[' | ']' | '|' | '~' | '#' => {
            done.push('\\');
            done.push(c);
        }
        // Inside a word it is no emphasis, and most names have it there.
        '_' if !(is_word(before) && is_word(next)) => done.push_str("\\_"),
        // A line that starts with these is a list, a heading, a rule or a GitLab quick action.
        '/' | '-' | '+' | '=' if before.is_none() => {
            done.push('\\');
            done.push(c);
        }
        '.' | ')' if done.chars().all(|c| c.is_ascii_digit()) => {
            done.push('\\');
            done.push(c);
        }
        other => done.push(other),
    }
    if starts_reference(done, c, next) {
        done.push(BREAK);
    }
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(char::is_alphanumeric)
}

/// Whether the text so far would begin a mention, a reference or a link if the next character followed at once.
/// Sources: GitHub's autolinked references; GitLab's references (`@ # ! ~ % $ & ^`); the autolinks of GitHub's Markdown.
fn starts_reference(done: &str, c: char, next: Option<char>) -> bool {
    let Some(next) = next else { return false };
    match c {
        '@' | '#' | '!' | '~' | '%' | '$' | '&' | '^' => next.is_alphanumeric() || "_\"&-@".contains(next),
        ':' => next == '/',
        'w' | 'W' => next == '.' && ends_ignoring_case(done, "www"),
        '-' => next.is_ascii_digit() && ends_ignoring_case(done, "gh-"),
        _ => false,
    }
}

fn ends_ignoring_case(text: &str, end: &str) -> bool {
    text.len()
        .checked_sub(end.len())
        .and_then(|from| text.get(from..))
        .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

/// Text as code, on one line, with more backticks around it than inside.
pub fn code(text: &str) -> String {
    let text = neutralise_skip_markers(&one_line(text));
    let ticks = "`".repeat(longest_run(&text, '`') + 1);
    let pad = if text.is_empty() || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

/// [`code`] for a cell of a table, where a bar would end the cell even inside code.
pub fn code_in_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// A block of code with a fence that is longer than any inside; `language` is a constant of ours.
pub fn fence(language: &str, text: &str) -> String {
    let text = clean(text);
    let ticks = "`".repeat(longest_run(&text, '`').max(2) + 1);
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    format!("{ticks}{language}\n{text}{end}{ticks}\n")
}

fn longest_run(text: &str, c: char) -> usize {
    text.split(|other| other != c).map(str::len).max().unwrap_or_default()
}

/// Text inside an HTML element, where no Markdown is read; on one line, without mentions or references.
pub fn html(text: &str) -> String {
    let text = neutralise_skip_markers(&one_line(text));
    let mut done = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '&' => done.push_str("&amp;"),
            '<' => done.push_str("&lt;"),
            '>' => done.push_str("&gt;"),
            '"' => done.push_str("&quot;"),
            // HTML inside a paragraph is surrounded by Markdown.
            '`' | '*' | '_' | '[' | ']' | '|' | '\\' => {
                done.push_str(&format_entity(c));
            }
            other => done.push(other),
        }
        if starts_reference(&done, c, rest.peek().copied()) {
            done.push(BREAK);
        }
    }
    done
}

fn format_entity(c: char) -> String {
    format!("&#{};", u32::from(c))
}

/// A link with Markdown `label` (already escaped) to an `http` or `https` URL; only the label if the URL is another.
pub fn link(label: &str, url: &str) -> String {
    let url = clean(url);
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    if !is_web || url.contains(char::is_whitespace) {
        return label.to_owned();
    }
    let encode = |c: char| match c {
        '<' | '>' | '(' | ')' | '"' | '\\' | '`' | '|' | '[' | ']' => format!("%{:02X}", u32::from(c)),
        other => other.to_string(),
    };
    format!("[{label}]({})", url.chars().map(encode).collect::<String>())
}

/// A comment that people do not see: `<!-- hydrator key="value" … -->`. Keys are constants of ours.
pub fn marker(values: &[(&str, &str)]) -> String {
    let attributes = values
        .iter()
        .fold(String::new(), |text, (key, value)| text + &format!(" {key}=\"{}\"", marker_text(value)));
    format!("<!-- hydrator{attributes} -->")
}

/// The value of `key` in the marker on the first line of `body`.
pub fn marker_value(body: &str, key: &str) -> Option<String> {
    let line = body.lines().next()?.trim();
    let inside = line.strip_prefix("<!-- hydrator ")?.strip_suffix(" -->")?;
    let value = inside.split_once(&format!("{key}=\""))?;
    let own_key = value.0.is_empty() || value.0.ends_with(' ');
    let text = value.1.split_once('"')?.0;
    own_key.then(|| unmarker_text(text))
}

/// Without `>` no comment can end, and without `"` no value.
fn marker_text(value: &str) -> String {
    let value = one_line(value).replace('&', "&amp;").replace('"', "&quot;");
    value.replace('<', "&lt;").replace('>', "&gt;").replace('=', "&#61;")
}

fn unmarker_text(value: &str) -> String {
    let value = value.replace("&#61;", "=").replace("&gt;", ">").replace("&lt;", "<");
    value.replace("&quot;", "\"").replace("&amp;", "&")
}

/// Makes every line that GitLab would take for a quick action (`/approve`) an ordinary one.
pub fn neutralise_quick_actions(text: &str) -> String {
    let line = |line: &str| {
        let rest = line.trim_start();
        let is_action =
            rest.strip_prefix('/').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
        let indent = &line[..line.len() - rest.len()];
        if is_action { format!("{indent}\\{rest}") } else { line.to_owned() }
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

/// Room for what closes open fences and blocks.
const TAIL: usize = 150;
/// Says that something is missing.
const MISSING: &str = "*The rest was too long to be shown.*";

/// At most `limit` characters of Markdown: whole lines, with open code blocks and `<details>` closed and a last line
/// that says so.
pub fn cut_markdown(text: &str, limit: usize) -> String {
    shortened(text, limit, MISSING, |part| part.chars().count())
}

/// The same for at most `limit` bytes. `rest` is the last line, Markdown of ours, and says where all of it is. Where not
/// even that fits, there is nothing.
pub fn cut_markdown_bytes(text: &str, limit: usize, rest: &str) -> String {
    shortened(text, limit, rest, str::len)
}

fn shortened(text: &str, limit: usize, rest: &str, size: fn(&str) -> usize) -> String {
    if size(text) <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub(size(rest) + TAIL);
    let mut kept = String::new();
    let mut used = 0;
    let mut open = Open::default();
    for line in text.split_inclusive('\n') {
        let mut after = open.clone();
        after.read(line);
        used += size(line);
        if used + size(&after.closing()) > room {
            break;
        }
        kept.push_str(line);
        open = after;
    }
    let short = format!("{}{}\n\n{rest}\n", kept.trim_end(), open.closing());
    if size(&short) <= limit { short } else { String::new() }
}

/// What is open at the end of some lines of Markdown.
#[derive(Clone, Default)]
struct Open {
    fence: Option<String>,
    details: usize,
}

impl Open {
    fn read(&mut self, line: &str) {
        let text = line.trim();
        let mark = text.chars().next().filter(|c| "`~".contains(*c));
        let run = mark.map_or(0, |mark| text.chars().take_while(|c| *c == mark).count());
        match &self.fence {
            Some(fence) => {
                let closes = text.len() == run && run >= fence.len() && text.starts_with(fence.as_str());
                if closes {
                    self.fence = None;
                }
            }
            None if run >= 3 => self.fence = Some(text[..run].to_owned()),
            None => {
                self.details += text.matches("<details").count();
                self.details = self.details.saturating_sub(text.matches("</details>").count());
            }
        }
    }

    fn closing(&self) -> String {
        let fence = self.fence.as_ref().map(|fence| format!("\n{fence}")).unwrap_or_default();
        format!("{fence}{}", "\n\n</details>".repeat(self.details))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_names_stay_as_they_are() {
        assert_eq!(
            prose("Bump web_api to v1.2.3 in apps/web (hotfix)"),
            "Bump web_api to v1.2.3 in apps/web (hotfix)"
        );
    }

    #[test]
    fn markup_stays_text() {
        assert_eq!(
            prose("**a** `b` [c](d) <img src=x> _e_ |f| ~~g~~ \\h &amp;"),
            "\\*\\*a\\*\\* \\`b\\` \\[c\\](d) &lt;img src=x&gt; \\_e\\_ \\|f\\| \\~\\~\u{200b}g\\~\\~ \\\\h &amp;\u{200b}amp;"
        );
        assert_eq!(prose("# a"), "\\# a");
        assert_eq!(prose("1. a"), "1\\. a");
        assert_eq!(prose("- a"), "\\- a");
        assert_eq!(prose("/approve"), "\\/approve");
    }

    #[test]
    fn mentions_references_and_links_are_broken() {
        let b = BREAK;
        assert_eq!(
            prose("@alice fixes #12, GH-3, gh-4, !5"),
            format!("@{b}alice fixes \\#{b}12, GH-{b}3, gh-{b}4, !{b}5")
        );
        assert_eq!(prose("o/r#1 ~bug %2 $3"), format!("o/r\\#{b}1 \\~{b}bug %{b}2 ${b}3"));
        assert_eq!(prose("https://a.b www.c.d x@y.z"), format!("https:{b}//a.b www{b}.c.d x@{b}y.z"));
        assert_eq!(prose("C# a @ b"), "C\\# a @ b");
    }

    #[test]
    fn text_of_several_lines_becomes_one_and_loses_its_markers() {
        assert_eq!(prose("a\n/close\n\n[skip ci]"), "a /close (skip ci)");
    }

    #[test]
    fn code_has_more_backticks_around_than_inside() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b`c"), "```a``b`c```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code(""), "`  `");
        assert_eq!(code_in_cell("a|b"), "`a\\|b`");
        assert_eq!(fence("diff", "````\n@alice"), "`````diff\n````\n@alice\n`````\n");
        assert_eq!(fence("", ""), "```\n```\n");
    }

    #[test]
    fn html_is_escaped() {
        assert_eq!(html("<b a=\"1\">&*@x"), format!("&lt;b a=&quot;1&quot;&gt;&amp;&#42;@{BREAK}x"));
    }

    #[test]
    fn only_web_addresses_become_links() {
        assert_eq!(link("x", "https://a.b/c(d)?e=\"f\""), "[x](https://a.b/c%28d%29?e=%22f%22)");
        assert_eq!(link("x", "javascript:alert(1)"), "x");
        assert_eq!(link("x", "file:///a#1"), "x");
        assert_eq!(link("x", "https://a b"), "x");
    }

    #[test]
    fn a_marker_gives_back_what_was_put_in() {
        for value in ["prod", "--> <b>", "a\"b", "x environment=\"y\"", "&quot;", "&#61;"] {
            let text = marker(&[("environment", value), ("dry", "1a")]);
            assert_eq!(text.find("-->"), Some(text.len() - 3), "{text}");
            assert_eq!(marker_value(&format!("{text}\nrest"), "environment").as_deref(), Some(value));
            assert_eq!(marker_value(&text, "dry").as_deref(), Some("1a"));
        }
        assert_eq!(marker_value("", "dry"), None);
        assert_eq!(marker_value("text\n<!-- hydrator dry=\"1\" -->", "dry"), None);
        assert_eq!(marker_value("<!-- hydrator xdry=\"1\" -->", "dry"), None);
    }

    #[test]
    fn quick_actions_become_text() {
        assert_eq!(
            neutralise_quick_actions("a\n/approve\n  /close\n/ x\n//y"),
            "a\n\\/approve\n  \\/close\n/ x\n//y"
        );
    }

    #[test]
    fn cuts_close_what_is_open() {
        let text = format!("<details>\n\n````diff\n{}````\n</details>\n", "+ äöü\n".repeat(100));
        let short = cut_markdown(&text, 400);
        assert!(short.chars().count() <= 400);
        assert!(short.contains("+ äöü\n````\n\n</details>\n\n*The rest"), "{short}");
        assert_eq!(cut_markdown(&text, 10_000), text);
    }

    #[test]
    fn bytes_are_counted_where_bytes_are_the_limit() {
        let text = format!("<details>\n\n````diff\n{}````\n</details>\n", "+ äöü\n".repeat(1_000));
        for limit in 300..400 {
            let short = cut_markdown_bytes(&text, limit, "All of it is in `a`.");
            assert!(short.len() <= limit && short.len() + 200 > limit, "{limit}: {}", short.len());
            assert!(short.ends_with("\n````\n\n</details>\n\nAll of it is in `a`.\n"), "{short}");
        }
        assert_eq!(cut_markdown_bytes(&text, text.len(), "x"), text);
        assert_eq!(cut_markdown_bytes(&text, 10, "All of it is in `a`."), "", "half a sentence says nothing");
    }

    #[test]
    fn a_single_long_line_is_left_out_as_a_whole() {
        assert_eq!(cut_markdown(&"x".repeat(1000), 300), "\n\n*The rest was too long to be shown.*\n");
    }
}
