//! Another service on the git server's host, as a forge's API is.

use super::{Headers, Response};

/// A service that may answer in git's place.
pub(crate) trait Service: Send + Sync {
    /// Answers a request that is its own; nothing leaves it to git.
    fn answer(&self, request: &ServiceRequest<'_>) -> Option<Served>;

    /// What git may log in with, as it stands in a header.
    fn credentials(&self) -> &'static [&'static str];

    /// The path that git knows a repository's URL by.
    fn repository_path(&self, path: &str) -> String;
}

/// A request as it came.
pub(crate) struct ServiceRequest<'a> {
    /// Such as `GET`.
    pub(crate) method: &'a str,
    /// With the query.
    pub(crate) path: &'a str,
    /// Its headers.
    pub(crate) headers: &'a Headers,
    /// Its body.
    pub(crate) body: &'a [u8],
}

/// What becomes of a request.
pub(crate) enum Served {
    /// This answer.
    Answer(Response),
    /// These bytes instead of an answer, then the end.
    Bytes(Vec<u8>),
    /// No answer, and the end.
    Nothing,
    /// No answer until the server is dropped.
    Hang,
}
