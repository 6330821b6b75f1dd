//! What programs say on stderr, made fit to show: without colours, control characters, times and process ids. Pure.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::secret::forms;
use crate::secret::without_credentials;

/// How much of a program's message is shown.
const SHOWN_LINES: usize = 20;
/// How much of one line is shown.
const SHOWN_CHARACTERS: usize = 600;
/// Shorter values are words that stand anywhere, and hiding them would garble text.
const SHORTEST_HIDDEN: usize = 5;
/// Values that say nothing, however long.
const PLAIN_WORDS: [&str; 4] = ["false", "Opaque", "Always", "IfNotPresent"];
/// Where tools print what they read as it is: what opens it, and what may come behind it. Source: the errors of
/// kustomize's transformers and of its `kyaml`, and those of Helm's `tpl`.
const DUMPS: [(&str, Option<&str>); 4] = [
    ("with config: `", Some("`: ")),
    ("node contents:", None),
    ("patch from [", None),
    ("cannot parse template ", None),
];
/// What stands for a dump.
const DUMPED: &str = "(hidden)";
/// How many warnings of one target are kept.
const KEPT_WARNINGS: usize = 50;

/// Texts that mean something only on this machine or in this run, with what stands for them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Replacements(Vec<(String, String)>);

impl Replacements {
    /// Shows `from` as `to`.
    pub(crate) fn add(&mut self, from: impl Into<String>, to: impl Into<String>) {
        let from = from.into();
        if !from.is_empty() {
            self.0.push((from, to.into()));
            self.sort();
        }
    }

    /// Hides values that a program may see and must not say. Very short ones are no secrets.
    pub(crate) fn hide<'v>(&mut self, values: impl IntoIterator<Item = &'v str>) {
        let forms: BTreeSet<String> = values.into_iter().flat_map(forms).map(|form| clean(&form)).collect();
        let is_told = |form: &&String| form.len() >= SHORTEST_HIDDEN && !PLAIN_WORDS.contains(&form.as_str());
        self.0.extend(forms.iter().filter(is_told).map(|form| (form.clone(), "***".to_owned())));
        self.sort();
    }

    /// Longer texts first: a path inside a directory before the directory.
    fn sort(&mut self) {
        self.0.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
    }

    fn apply(&self, line: String) -> String {
        self.0
            .iter()
            .fold(line, |line, (from, to)| if line.contains(from) { line.replace(from, to) } else { line })
    }
}

/// The end of what a program said, as the message of an error.
pub(crate) fn message(stderr: &[u8], replacements: &Replacements) -> String {
    let mut lines = lines(stderr, replacements);
    // Warnings stand in the way of the error, unless there is nothing else.
    if lines.iter().any(|line| without_warning_mark(line) == line) {
        lines.retain(|line| without_warning_mark(line) == line);
    }
    let start = lines.len().saturating_sub(SHOWN_LINES);
    lines[start..].join("\n")
}

/// What a program said although it succeeded: each line once, in order.
pub(crate) fn warnings(stderr: &[u8], replacements: &Replacements) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for line in lines(stderr, replacements) {
        let line = without_warning_mark(&line).to_owned();
        if kept.len() < KEPT_WARNINGS && !kept.contains(&line) {
            kept.push(line);
        }
    }
    kept
}

fn lines(stderr: &[u8], replacements: &Replacements) -> Vec<String> {
    without_dumps(&String::from_utf8_lossy(stderr))
        .split(['\n', '\r'])
        .map(|line| replacements.apply(without_credentials(&clean(line))))
        .map(|line| without_klog_prefix(&line).to_owned())
        .filter(|line| !line.is_empty())
        .map(|line| shortened(&line))
        .collect()
}

/// A message without the texts that tools put into it whole.
fn without_dumps(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    for (opening, end) in DUMPS {
        let Some(start) = text.find(opening).map(|start| start + opening.len()) else { continue };
        // What is printed may contain the end itself: the last one is it.
        let rest =
            end.and_then(|end| text[start..].rfind(end).map(|at| &text[start + at..])).unwrap_or_default();
        text = Cow::Owned(format!("{}{DUMPED}{rest}", &text[..start]));
    }
    text
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(SHOWN_CHARACTERS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// `line` without terminal sequences, control and invisible formatting characters, and trailing blanks.
pub(crate) fn clean(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_sequence(&mut characters),
            '\t' => text.push(' '),
            // Bidirectional overrides and zero-width characters make a line look like another one.
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {}
            other if other.is_control() => {}
            other => text.push(other),
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Skips what follows an escape character: a control sequence (`[` … letter), an operating system command
/// (`]` … bell or escape), or one character.
fn skip_sequence(characters: &mut std::str::Chars<'_>) {
    match characters.next() {
        Some('[') => {
            characters.find(|character| ('@'..='~').contains(character));
        }
        Some(']') => {
            characters.find(|character| matches!(character, '\u{7}' | '\u{1b}' | '\u{9c}'));
        }
        _ => {}
    }
}

/// `line` without the prefix that Kubernetes' logger writes: `E1122 23:24:56.515165   22162 run.go:72] `.
fn without_klog_prefix(line: &str) -> &str {
    klog_message(line).unwrap_or(line)
}

/// `line` without what kustomize and helm put before a warning: it is called a warning wherever it is shown.
fn without_warning_mark(line: &str) -> &str {
    let text = line.trim_start_matches(['#', ' ']);
    ["Warning: ", "WARNING: "].iter().find_map(|mark| text.strip_prefix(mark)).unwrap_or(line)
}

fn klog_message(line: &str) -> Option<&str> {
    let after_level = line.strip_prefix(['E', 'W', 'I', 'F'])?;
    let (head, message) = after_level.split_once("] ")?;
    let mut words = head.split_whitespace();
    let (date, time, pid, place) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_prefix = words.next().is_none()
        && date.len() == 4
        && digits(date)
        && time.split([':', '.']).all(digits)
        && digits(pid)
        && place.contains(':');
    is_prefix.then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn klog_prefixes_are_stripped() {
        let stderr = b"E1122 23:24:56.515165   22162 run.go:72] \"command failed\" err=\"no such file\"\n";
        assert_eq!(message(stderr, &Replacements::default()), "\"command failed\" err=\"no such file\"");
        assert_eq!(without_klog_prefix("Error: x] y"), "Error: x] y");
        assert_eq!(without_klog_prefix("E1122 is not a prefix] y"), "E1122 is not a prefix] y");
    }

    #[test]
    fn terminal_sequences_and_hidden_characters_are_removed() {
        let stderr = "\u{1b}[31mred\u{1b}[0m\u{7}\u{8}\n\u{1b}]0;title\u{7}a\tb\u{202e}c  \n\n".as_bytes();
        assert_eq!(message(stderr, &Replacements::default()), "red\na bc");
    }

    #[test]
    fn only_the_end_of_a_long_message_is_shown() {
        let stderr = (0..100).map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n");
        let shown = message(stderr.as_bytes(), &Replacements::default());
        assert!(shown.starts_with("line 80\n") && shown.ends_with("line 99"), "{shown}");
        let shown = message("é".repeat(5000).as_bytes(), &Replacements::default());
        assert_eq!(shown.chars().count(), SHOWN_CHARACTERS + 1);
    }

    #[test]
    fn warnings_do_not_hide_the_error() {
        let message = |stderr: &[u8]| message(stderr, &Replacements::default());
        assert_eq!(message(b"# Warning: old\nError: bad\n"), "Error: bad");
        assert_eq!(message(b"# Warning: old\n"), "# Warning: old");
    }

    #[test]
    fn warnings_are_said_once_in_order() {
        let stderr = b"# Warning: b\nWARNING: a\n\xff\n# Warning: b\n# c\n";
        assert_eq!(warnings(stderr, &Replacements::default()), ["b", "a", "\u{fffd}", "# c"]);
    }

    #[test]
    fn longer_texts_are_replaced_first_and_values_are_hidden() {
        let mut replacements = Replacements::default();
        replacements.add("/scratch", "");
        replacements.add("/scratch/values/0.yaml", "apps/web/values.yaml");
        replacements.hide(["hunter22", "on", "false", "line1\nline2"]);
        let said = b"/scratch/values/0.yaml: hunter22 on aHVudGVyMjI= false\nline2";
        assert_eq!(message(said, &replacements), "apps/web/values.yaml: *** on *** false\n***");
    }

    #[test]
    fn credentials_in_addresses_are_left_out() {
        let said = b"Error: git fetch 'https://alice:hunter1@h.example/x?ref=1': HTTPS://bob@h.example: no";
        let wanted = "Error: git fetch 'https://h.example/x?ref=1': HTTPS://h.example: no";
        assert_eq!(message(said, &Replacements::default()), wanted);
        assert_eq!(warnings(said, &Replacements::default()), [wanted]);
    }

    #[test]
    fn what_tools_print_whole_is_left_out() {
        let message = |stderr: &str| message(stderr.as_bytes(), &Replacements::default());
        assert_eq!(
            message("Error: x: node contents:\nhunter1\nhunter2\n"),
            "Error: x: node contents:(hidden)"
        );
        let said = "Error: trouble with config: `\npatch: hunter1\n`: hunter2\n`: cannot parse patch from [patch: \"hunter3\"]\n";
        assert_eq!(
            message(said),
            "Error: trouble with config: `(hidden)`: cannot parse patch from [(hidden)"
        );
        assert_eq!(message("tpl: cannot parse template \"hunter1\""), "tpl: cannot parse template (hidden)");
    }
}
