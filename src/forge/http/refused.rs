//! A request that did not do what it should: of which class, in whose words, and what to do about it. Pure.

use super::Answer;
use crate::error::Failure;

/// Why a request did not do what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The token is missing, wrong or expired.
    Auth,
    /// The token may not do this.
    Permission,
    /// It is not there, or the token may not see it.
    NotFound,
    /// Something else is there, or has moved.
    Conflict,
    /// The request or the answer makes no sense.
    Invalid,
    /// Too many requests.
    RateLimited,
    /// It may work the next time: the server failed, or the answer never came.
    Transient,
}

impl Class {
    /// The class that a status has in general; `None` for a success.
    pub const fn of_status(status: u16) -> Option<Self> {
        match status {
            200..=299 | 304 => None,
            401 => Some(Self::Auth),
            403 => Some(Self::Permission),
            404 | 410 => Some(Self::NotFound),
            409 | 412 => Some(Self::Conflict),
            429 => Some(Self::RateLimited),
            408 | 500..=599 => Some(Self::Transient),
            _ => Some(Self::Invalid),
        }
    }
}

/// A request that did not do what it should.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Why.
    pub class: Class,
    /// Method and URL, without secrets.
    pub shown: String,
    /// The forge's own words, or what went wrong on the way; one line without secrets.
    pub words: String,
    /// What the user can do about it.
    pub hint: Option<String>,
    /// Whether the request surely did not reach the forge.
    pub unsent: bool,
    /// The answer; empty when there was none.
    pub answer: Box<Answer>,
}

impl Refused {
    /// Whether the forge's words contain a text, in any case.
    pub fn says(&self, text: &str) -> bool {
        self.words.to_lowercase().contains(&text.to_lowercase())
    }

    /// Whether nobody knows if the forge did it.
    pub fn is_lost(&self) -> bool {
        self.class == Class::Transient && !self.unsent
    }

    /// The status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        Some(self.answer.status).filter(|status| *status > 0)
    }

    /// A better hint than the general one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The failure of what was being done, such as `cannot open a pull request from a to b`.
    pub fn while_doing(self, doing: &str) -> Failure {
        let status = self.status().map(|status| format!(" answered {status}")).unwrap_or_default();
        let words = if self.words.is_empty() { "without a word" } else { &self.words };
        let failure = Failure::forge(format!("{doing}: `{}`{status}: {words}", self.shown));
        let lacks_right = matches!(self.class, Class::Auth | Class::Permission);
        Failure { hint: self.hint, lacks_right, ..failure }
    }
}
