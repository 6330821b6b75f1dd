//! How git logs in to an HTTP remote: with our token, else with the one that the remote's URL carries.
//!
//! Pure. A URL is an argument of git's own helper programs, where everyone on the machine can read it, so that what is
//! secret in it is taken out and sent as a header.

use crate::secret::{Secret, without_userinfo};

/// The token for the remote, and the user name that goes with it.
#[derive(Clone, Debug)]
pub struct Login {
    /// Such as `x-access-token` or `oauth2`.
    pub user: String,
    /// The token.
    pub token: Secret,
}

/// A credential for the remote, sent as HTTP basic authentication.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The URL that it is for: the whole one, since git prefers settings for longer ones.
    pub url: String,
    /// User and token as the `Authorization` header has them, after the word `Basic`.
    pub encoded: Secret,
    /// The token itself, to keep it out of messages.
    pub token: Secret,
}

impl Login {
    /// The user and the password in a URL, where it has both.
    fn of_url(url: &str) -> Option<Self> {
        let (_, rest) = url.split_once("://")?;
        let (userinfo, _) = rest.split(['/', '?', '#']).next()?.rsplit_once('@')?;
        let (user, password) = userinfo.split_once(':')?;
        Some(Self { user: decoded(user), token: Secret::new(decoded(password)) })
    }
}

/// The remote's URL as git may show it, and what it logs in with; other transports have their own ways to log in.
pub(super) fn log_in(url: &str, login: Option<&Login>) -> (String, Option<Credential>) {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    let is_http = ["http", "https"].iter().any(|http| scheme.eq_ignore_ascii_case(http));
    let found = if is_http { login.cloned().or_else(|| Login::of_url(url)) } else { None };
    let Some(login) = found else { return (url.to_owned(), None) };
    let url = without_userinfo(url);
    let encoded = base64::Engine::encode(
        &base64::engine::general_purpose::STANDARD,
        format!("{}:{}", login.user, login.token.reveal()),
    );
    let encoded = Secret::new(encoded);
    (url.clone(), Some(Credential { url, encoded, token: login.token }))
}

/// `%41` as `A`; what is no such escape stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let escaped = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let byte = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_wins_over_the_url() {
        let own = Login { user: "me".to_owned(), token: Secret::new("own") };
        for url in ["https://e.org/a.git", "https://you@e.org/a.git", "https://you:theirs@e.org/a.git"] {
            let (shown, credential) = log_in(url, Some(&own));
            let credential = credential.unwrap();
            assert_eq!((shown.as_str(), credential.url.as_str()), ("https://e.org/a.git", shown.as_str()));
            assert_eq!(credential.encoded.reveal(), "bWU6b3du", "{url}");
        }
    }

    #[test]
    fn a_password_in_the_url_becomes_a_header() {
        let (shown, credential) = log_in("https://you:th%40ei%rs%4@e.org/a@b.git", None);
        assert_eq!(shown, "https://e.org/a@b.git");
        assert_eq!(credential.unwrap().token.reveal(), "th@ei%rs%4");
    }

    #[test]
    fn other_urls_stay_as_they_are() {
        let own = Login { user: "me".to_owned(), token: Secret::new("own") };
        for url in ["git@e.org:a.git", "ssh://git@e.org/a.git", "file:///srv/a.git", "/srv/a.git"] {
            assert_eq!(log_in(url, Some(&own)).0, url);
            assert!(log_in(url, Some(&own)).1.is_none(), "{url}");
        }
        assert_eq!(log_in("https://you@e.org/a.git", None).0, "https://you@e.org/a.git");
    }
}
