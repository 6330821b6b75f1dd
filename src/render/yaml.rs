//! Parses YAML that people wrote, without letting a hostile document take all day. Pure but for a thread.

use std::sync::mpsc::channel;
use std::time::Duration;

use serde::de::DeserializeOwned;

/// Why a stream cannot be taken, and on which line of it, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// Fewer brackets than this cannot nest deep enough to matter: the parser's time grows with size times depth.
const HARMLESS_BRACKETS: usize = 2_000;
/// A document of many megabytes in flow style is done long before.
const TIME: Duration = Duration::from_secs(20);

/// Parses the one document that `text` is.
pub(crate) fn parse<T: DeserializeOwned + Send + 'static>(text: &str) -> Result<T, Problem> {
    parse_within(text, TIME)
}

/// A document that takes longer is given up; its thread goes on until the process ends, which is soon.
fn parse_within<T: DeserializeOwned + Send + 'static>(text: &str, time: Duration) -> Result<T, Problem> {
    let brackets = text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).take(HARMLESS_BRACKETS);
    if brackets.count() < HARMLESS_BRACKETS {
        return serde_yaml::from_str(text).map_err(|error| problem_of(&error));
    }
    let (sender, receiver) = channel();
    let text = text.to_owned();
    std::thread::spawn(move || sender.send(serde_yaml::from_str(&text)));
    match receiver.recv_timeout(time) {
        Ok(parsed) => parsed.map_err(|error| problem_of(&error)),
        Err(_) => {
            Err(Problem { line: 1, message: "takes too long to parse: it nests too deeply".to_owned() })
        }
    }
}

/// A parser's error with its line, without saying the position twice.
pub(crate) fn problem_of(error: &serde_yaml::Error) -> Problem {
    let line = error.location().map_or(1, |location| location.line());
    let text = error.to_string();
    let message = match text.rfind(" at line ") {
        Some(end) if !text[end..].contains(',') => &text[..end],
        _ => &text,
    };
    Problem { line, message: format!("is not valid YAML: {}", without_value(message)) }
}

/// The message without the value that is not what was expected: it may be a secret. Source: `serde`'s `Unexpected`.
fn without_value(message: &str) -> String {
    let kinds = ["invalid type: ", "invalid value: "];
    let Some(start) = kinds.iter().find_map(|kind| message.find(kind).map(|at| at + kind.len())) else {
        return message.to_owned();
    };
    let rest = &message[start..];
    // What is expected is said last; the value itself may say anything.
    let (found, expected) = rest.rfind(", expected ").map_or((rest, ""), |at| rest.split_at(at));
    let kind = found.find(['"', '`']).map_or(found, |at| &found[..at]);
    format!("{}{}{expected}", &message[..start], kind.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_wrong_is_not_said() {
        let message = |text: &str| parse::<std::collections::BTreeMap<String, u8>>(text).unwrap_err().message;
        assert_eq!(
            message("a: \"hunter1, expected x `y`\"\n"),
            "is not valid YAML: a: invalid type: string, expected u8"
        );
        assert_eq!(message("a: 12345678\n"), "is not valid YAML: a: invalid value: integer, expected u8");
        assert_eq!(message("a: {}\n"), "is not valid YAML: a: invalid type: map, expected u8");
    }

    #[test]
    fn deep_nesting_is_given_up() {
        let deep = format!("{}{}\n", "[".repeat(20_000), "]".repeat(20_000));
        let problem = parse_within::<serde::de::IgnoredAny>(&deep, Duration::ZERO).unwrap_err();
        assert!(problem.message.contains("nests too deeply"), "{}", problem.message);
        let wide = format!("[{}]", "[], ".repeat(3_000));
        assert!(parse::<serde::de::IgnoredAny>(&wide).is_ok());
    }
}
