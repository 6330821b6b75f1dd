//! Secrets that cannot be printed by accident, and the redaction of text that may contain one. Pure.

use std::fmt;

/// A token or password. It has no `Display`, and `Debug` prints `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// `text` with every occurrence of the secret replaced.
    pub fn redact(&self, text: &str) -> String {
        if self.0.len() < 4 { text.to_owned() } else { text.replace(&self.0, "***") }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("***")
    }
}

/// `text` with the user information of every URL in it removed: `https://user:token@host` becomes `https://host`.
pub fn without_userinfo(text: &str) -> String {
    without_users_behind("://", text)
}

/// The same for what others say of URLs: also where one was taken for a path, `https:/user:token@host`.
pub fn without_credentials(text: &str) -> String {
    without_users_behind(":/", &without_userinfo(text))
}

fn without_users_behind(mark: &str, text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(mark) {
        let (before, after) = rest.split_at(start + mark.len());
        clean.push_str(before);
        let end =
            after.find(|c: char| c == '/' || c.is_whitespace() || "'\"`".contains(c)).unwrap_or(after.len());
        let authority = &after[..end];
        clean.push_str(authority.rsplit_once('@').map_or(authority, |(_, host)| host));
        rest = &after[end..];
    }
    clean.push_str(rest);
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn userinfo_is_removed_from_every_url() {
        let text = "fatal: 'https://me:tok@en@host/x' and ssh://git@host:22/y, a@b";
        assert_eq!(without_userinfo(text), "fatal: 'https://host/x' and ssh://host:22/y, a@b");
    }

    #[test]
    fn credentials_are_removed_also_from_what_looks_like_a_path() {
        let text = "'web/git::http:/me:tok@host/x', https://me@host and C:/x/y@z";
        assert_eq!(without_credentials(text), "'web/git::http:/host/x', https://host and C:/x/y@z");
    }

    #[test]
    fn a_secret_does_not_print() {
        let secret = Secret::new("s3cret-value");
        assert_eq!(format!("{secret:?}"), "***");
        assert_eq!(secret.redact("got s3cret-value back"), "got *** back");
    }
}
