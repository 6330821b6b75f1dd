//! Versions of programs and the patterns of `tools:` that they must match. Pure.

use std::fmt;

/// The three numbers of a version, and what follows them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    numbers: [u64; 3],
    suffix: String,
}

impl Version {
    /// Finds the first version in what a program prints: `v5.8.1`, `v4.3.1+gc0d08d0`,
    /// `{Version:kustomize/v4.5.7 GitCommit:…}`. Build metadata (`+…`) is left out.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+')))
            .find_map(Self::parse)
    }

    /// Parses `1.2.3`, `v1.2.3`, `1.2.3-rc.1+build`; nothing shorter.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        let word = word.strip_prefix('v').unwrap_or(word);
        let word = word.split_once('+').map_or(word, |(version, _)| version);
        let (numbers, suffix) = word.split_once('-').unwrap_or((word, ""));
        let mut parts = numbers.split('.').map(|part| part.parse::<u64>().ok());
        let numbers = [parts.next()??, parts.next()??, parts.next()??];
        parts.next().is_none().then(|| Self { numbers, suffix: suffix.to_owned() })
    }

    /// The first number.
    pub(crate) fn major(&self) -> u64 {
        self.numbers[0]
    }

    /// Whether it is `major.minor` or newer.
    pub(crate) fn is_at_least(&self, major: u64, minor: u64) -> bool {
        (self.numbers[0], self.numbers[1]) >= (major, minor)
    }

    /// Whether it matches a pattern such as `5.8.x`, `5.x`, `5.8` or `5.8.1`; numbers that a pattern leaves out match
    /// anything. `None` if the pattern is not one.
    pub(crate) fn matches(&self, pattern: &str) -> Option<bool> {
        let pattern = pattern.trim();
        let pattern = pattern.strip_prefix('v').unwrap_or(pattern);
        if let Some(exact) = Self::parse(pattern) {
            return Some(*self == exact);
        }
        let parts: Vec<&str> = pattern.split('.').collect();
        if parts.len() > 3 {
            return None;
        }
        let mut is_match = true;
        for (part, number) in parts.iter().zip(self.numbers) {
            if !matches!(*part, "x" | "X" | "*") {
                is_match &= part.parse::<u64>().ok()? == number;
            }
        }
        Some(is_match)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(out, "{major}.{minor}.{patch}")?;
        if self.suffix.is_empty() { Ok(()) } else { write!(out, "-{}", self.suffix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> String {
        Version::find(text).map_or_else(|| "none".to_owned(), |version| version.to_string())
    }

    #[test]
    fn versions_are_found_in_what_programs_print() {
        assert_eq!(found("v5.8.1\n"), "5.8.1");
        assert_eq!(found("v4.3.1+gc0d08d0"), "4.3.1");
        assert_eq!(
            found("{Version:kustomize/v4.5.7 GitCommit:56d82a8 BuildDate:2022-08-02T16:35:54Z}"),
            "4.5.7"
        );
        assert_eq!(found("Client: v2.17.0+ga690bad"), "2.17.0");
        assert_eq!(found("v3.20.0-rc.1"), "3.20.0-rc.1");
        assert_eq!(found("(devel)"), "none");
        assert_eq!(found("1.2"), "none");
    }

    #[test]
    fn patterns() {
        let version = Version::parse("5.8.1").unwrap();
        for (pattern, expected) in [
            ("5.8.x", Some(true)),
            ("v5.8.x", Some(true)),
            ("5.x", Some(true)),
            ("5", Some(true)),
            ("5.8", Some(true)),
            ("5.x.x", Some(true)),
            ("5.8.1", Some(true)),
            ("5.8.2", Some(false)),
            ("5.7.x", Some(false)),
            ("4.x", Some(false)),
            ("5.8.1.0", None),
            (">=5", None),
            ("", None),
        ] {
            assert_eq!(version.matches(pattern), expected, "{pattern}");
        }
        assert!(version.is_at_least(5, 8) && version.is_at_least(4, 9) && !version.is_at_least(5, 9));
    }
}
