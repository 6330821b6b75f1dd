//! The one way to talk to a forge over HTTP: every answer that is not a success is a classified [`Refused`].
//!
//! Does I/O. What a forge's headers and words mean is its [`Dialect`]; this module knows no forge. Retries are bounded:
//! reads after failures that pass, everything after a refused request when the forge says when to come back. A write
//! whose answer was lost is never sent again from here: whoever asked for it looks first.

mod agent;
mod pace;
mod refused;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use serde_json::Value;

use self::agent::{Agent, Lost};
use self::pace::Pace;
pub use self::pace::{Limits, Listener, Wait};
pub use self::refused::{Class, Refused};
use crate::error::Failure;
use crate::secret::{Secret, without_userinfo};
use crate::variables::Variables;

/// How often a read is sent, and how often a request that the forge put off.
const ATTEMPTS: u32 = 4;
/// Redirects that are followed, on the same host only: the token goes nowhere else.
const REDIRECTS: usize = 5;

/// A method of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads.
    Get,
    /// Makes something, or asks a query language.
    Post,
    /// Changes a part.
    Patch,
    /// Does the same when it is repeated.
    Put,
    /// Removes.
    Delete,
}

impl Method {
    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Patch => "PATCH",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// What a request does to the forge: how it is paced, and whether it may be sent again when its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it may be sent again.
    Read,
    /// It writes.
    Write,
    /// It writes something that people are told about.
    Notify,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: String,
    /// The JSON that is sent.
    pub body: Option<Value>,
    /// What it does.
    pub effect: Effect,
}

impl Request {
    /// A request without a body that reads.
    pub const fn get(url: String) -> Self {
        Self { method: Method::Get, url, body: None, effect: Effect::Read }
    }

    /// A request that sends JSON.
    pub const fn send(method: Method, url: String, body: Value, effect: Effect) -> Self {
        Self { method, url, body: Some(body), effect }
    }

    /// The method and the URL as they may be shown.
    fn shown(&self) -> String {
        format!("{} {}", self.method.word(), without_userinfo(&self.url))
    }
}

/// An answer, whatever its status.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers by lower-case name; of several with one name, the last.
    pub headers: BTreeMap<String, String>,
    /// The JSON; nothing where the body is empty or no JSON.
    pub body: Value,
    /// The start of a body that is no JSON.
    pub text: Option<String>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// A header's value as a number.
    pub fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.trim().parse().ok()
    }
}

/// What one forge's headers and words mean.
pub trait Dialect {
    /// Headers of every request, with the token among them.
    fn headers(&self) -> Vec<(&'static str, Secret)>;

    /// Whether an answer is a refusal, and of which class; also one with a status of success.
    fn class(&self, answer: &Answer) -> Option<Class>;

    /// The forge's own words in a refusal.
    fn words(&self, answer: &Answer) -> Option<String>;

    /// When to come back, where the forge says so; for refusals of class [`Class::RateLimited`].
    fn wait(&self, answer: &Answer, attempt: u32) -> Wait;

    /// What the user can do about a refusal.
    fn hint(&self, class: Class, answer: &Answer) -> Option<String>;
}

/// A connection to a forge.
pub struct Http<D> {
    agent: Agent,
    dialect: D,
    token: Secret,
    pace: Pace,
}

/// What a connection needs besides its dialect.
pub struct Connection<'a> {
    /// The token, to keep it out of messages.
    pub token: Secret,
    /// The process's variables: proxies and certificates.
    pub variables: &'a Variables,
    /// The API's URL, which decides about the proxy.
    pub url: &'a str,
    /// How long things may take.
    pub limits: Limits,
    /// Who hears that something is waited for.
    pub listener: Listener,
    /// Raised by a signal.
    pub stop: Arc<AtomicBool>,
}

impl<D: Dialect> Http<D> {
    /// Prepares a connection; nothing is sent yet.
    pub fn new(connection: Connection<'_>, dialect: D) -> Result<Self, Failure> {
        let Connection { token, variables, url, limits, listener, stop } = connection;
        Ok(Self {
            agent: Agent::new(variables, url, limits.request)?,
            dialect,
            token,
            pace: Pace::new(limits, listener, stop),
        })
    }

    /// What the forge's words mean.
    pub const fn dialect(&self) -> &D {
        &self.dialect
    }

    /// Sends a request until it is answered, refused, or given up. A success is an answer that the dialect does not
    /// call a refusal and that holds JSON, or nothing at all.
    pub fn send(&self, request: &Request) -> Result<Answer, Refused> {
        self.pace.before(request.effect).map_err(|words| self.given_up(request, &words))?;
        let mut attempt = 1;
        loop {
            let refused = match self.send_once(request) {
                Ok(answer) => return Ok(answer),
                Err(refused) => refused,
            };
            let again = match refused.class {
                Class::RateLimited => {
                    let wait = self.dialect.wait(&refused.answer, attempt);
                    attempt < ATTEMPTS && self.pace.wait(wait)
                }
                Class::Transient => {
                    let repeatable = request.effect == Effect::Read || request.method != Method::Post;
                    let harmless = repeatable || refused.unsent;
                    attempt < ATTEMPTS && harmless && self.pace.back_off(attempt)
                }
                _ => false,
            };
            if !again {
                return Err(refused);
            }
            attempt += 1;
        }
    }

    /// Waits a little before something that failed for the time being is tried again; false when it is not worth it.
    pub fn back_off(&self, attempt: u32) -> bool {
        attempt < ATTEMPTS && self.pace.back_off(attempt)
    }

    fn send_once(&self, request: &Request) -> Result<Answer, Refused> {
        let mut request = request.clone();
        for _ in 0..=REDIRECTS {
            let answer = self.exchange(&request)?;
            let Some(target) = redirect(&answer) else { return self.judge(&request, answer) };
            let target = absolute(&request.url, target);
            if origin(&target) != origin(&request.url) {
                let words = format!("it redirects to another host, `{}`", without_userinfo(origin(&target)));
                let mut refused = self.refused(&request, Class::Invalid, answer, &words);
                refused.hint =
                    Some("use the forge's own address; the token is not sent elsewhere".to_owned());
                return Err(refused);
            }
            request.url = target;
        }
        Err(self.refused(&request, Class::Invalid, Answer::default(), "it redirects without end"))
    }

    fn exchange(&self, request: &Request) -> Result<Answer, Refused> {
        self.agent.exchange(request, &self.dialect.headers()).map_err(|lost| {
            let Lost { words, unsent, endless } = lost;
            let class = if endless { Class::Invalid } else { Class::Transient };
            let mut refused = self.refused(request, class, Answer::default(), &words);
            refused.unsent = unsent;
            refused.hint = Some(
                "check the address, the network, `HTTPS_PROXY` and `SSL_CERT_FILE`; if the forge is at fault, run again"
                    .to_owned(),
            );
            refused
        })
    }

    fn judge(&self, request: &Request, answer: Answer) -> Result<Answer, Refused> {
        self.pace.heard();
        if let Some(class) = self.dialect.class(&answer) {
            return Err(self.refuse(request, class, answer));
        }
        if let Some(text) = answer.text.clone() {
            let words = format!("the answer is not JSON: {text}");
            let mut refused = self.refused(request, Class::Invalid, answer, &words);
            let hint = "is this the address of the forge's API, and does no proxy answer in its place?";
            refused.hint = Some(hint.to_owned());
            return Err(refused);
        }
        Ok(answer)
    }

    /// Calls an answer a refusal, in the forge's own words: for answers whose status does not tell.
    pub fn refuse(&self, request: &Request, class: Class, answer: Answer) -> Refused {
        let own = self.dialect.words(&answer).or_else(|| answer.text.clone()).unwrap_or_default();
        let hint = self.dialect.hint(class, &answer);
        let mut refused = self.refused(request, class, answer, &own);
        refused.hint = hint;
        refused
    }

    fn given_up(&self, request: &Request, words: &str) -> Refused {
        self.refused(request, Class::RateLimited, Answer::default(), words)
    }

    fn refused(&self, request: &Request, class: Class, answer: Answer, words: &str) -> Refused {
        let words = self.token.redact(&crate::escape::cut(&crate::escape::one_line(words), 1000));
        Refused {
            class,
            shown: self.token.redact(&request.shown()),
            words,
            hint: None,
            unsent: false,
            answer: Box::new(answer),
        }
    }
}

fn redirect(answer: &Answer) -> Option<&str> {
    [301, 302, 307, 308].contains(&answer.status).then(|| answer.header("location")).flatten()
}

/// Scheme, host and port of a URL.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

fn absolute(base: &str, target: &str) -> String {
    if target.starts_with('/') { format!("{}{target}", origin(base)) } else { target.to_owned() }
}

/// Text as one part of a URL's path or as a value of its query: everything but letters, digits and `-._~` is encoded.
pub fn encoded(text: &str) -> String {
    let encode = |byte: u8| {
        let kept = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if kept { char::from(byte).to_string() } else { format!("%{byte:02X}") }
    };
    text.bytes().map(encode).collect()
}

/// Seconds, as limits are given.
pub const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_urls_are_encoded() {
        assert_eq!(encoded("hydrator/dev-next"), "hydrator%2Fdev-next");
        assert_eq!(encoded("ä b"), "%C3%A4%20b");
    }

    #[test]
    fn origins_and_redirects() {
        assert_eq!(origin("https://a.b:1/c/d"), "https://a.b:1");
        assert_eq!(origin("https://a.b"), "https://a.b");
        assert_eq!(absolute("https://a.b/c", "/d?e=1"), "https://a.b/d?e=1");
        assert_eq!(absolute("https://a.b/c", "https://x/d"), "https://x/d");
    }
}
