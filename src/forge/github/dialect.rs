//! What GitHub's statuses, headers and words mean. Pure.
//!
//! Sources: GitHub's REST documentation on rate limits, best practices and troubleshooting; the GraphQL documentation
//! on errors, which come with status 200.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use crate::forge::http::{Answer, Class, Dialect, Wait};
use crate::secret::Secret;

/// The version of the API that also GitHub Enterprise Server knows.
const API_VERSION: &str = "2022-11-28";
/// What the documentation advises to wait at least when a secondary limit does not say.
const SECONDARY: u64 = 60;

/// GitHub's way to speak HTTP.
pub(super) struct GitHubDialect {
    authorization: Secret,
}

impl GitHubDialect {
    pub(super) fn new(token: &Secret) -> Self {
        Self { authorization: Secret::new(format!("Bearer {}", token.reveal())) }
    }
}

impl Dialect for GitHubDialect {
    fn headers(&self) -> Vec<(&'static str, Secret)> {
        vec![
            ("authorization", self.authorization.clone()),
            ("accept", Secret::new("application/vnd.github+json")),
            ("x-github-api-version", Secret::new(API_VERSION)),
        ]
    }

    fn class(&self, answer: &Answer) -> Option<Class> {
        let words = self.words(answer).unwrap_or_default().to_lowercase();
        match answer.status {
            403 | 429 if is_rate_limited(answer, &words) => Some(Class::RateLimited),
            200 if graphql_type(answer) == Some("RATE_LIMITED") => Some(Class::RateLimited),
            // GraphQL's own way to say that it took too long.
            200 if is_graphql_failure(answer) && words.contains("something went wrong") => {
                Some(Class::Transient)
            }
            status => Class::of_status(status),
        }
    }

    fn words(&self, answer: &Answer) -> Option<String> {
        let body = &answer.body;
        let mut words: Vec<String> = body["message"].as_str().map(str::to_owned).into_iter().collect();
        for error in body["errors"].as_array().into_iter().flatten() {
            words.extend(words_of(error));
        }
        // Documented shapes aside, some answers have one error as text.
        words.extend(body["errors"].as_str().map(str::to_owned));
        (!words.is_empty()).then(|| words.join("; "))
    }

    fn wait(&self, answer: &Answer, attempt: u32) -> Wait {
        if let Some(seconds) = answer.number("retry-after") {
            return Wait::Told(Duration::from_secs(seconds));
        }
        if let (Some(0), Some(reset)) =
            (answer.number("x-ratelimit-remaining"), answer.number("x-ratelimit-reset"))
        {
            return Wait::Told(Duration::from_secs(reset.saturating_sub(now(answer)).saturating_add(1)));
        }
        Wait::Advised(Duration::from_secs(SECONDARY.saturating_mul(u64::from(attempt))))
    }

    fn hint(&self, class: Class, answer: &Answer) -> Option<String> {
        let words = self.words(answer).unwrap_or_default();
        match class {
            Class::Auth => Some(
                "the token is wrong or expired: pass a new one in `HYDRATOR_TOKEN` (an installation token lives for an hour)"
                    .to_owned(),
            ),
            Class::Permission => Some(permission_hint(&words, answer)),
            Class::NotFound => Some(
                "check the repository's name, and that the token may see it: GitHub also says 404 of what a token may not see"
                    .to_owned(),
            ),
            Class::RateLimited => {
                Some("run again later; a GitHub App's token has a higher limit than a job's own".to_owned())
            }
            Class::Transient => Some("GitHub failed; run again, and see its status page if it goes on".to_owned()),
            Class::Conflict | Class::Invalid => None,
        }
    }
}

/// A wrong setting is more likely than a missing permission where GitHub says so.
fn permission_hint(words: &str, answer: &Answer) -> String {
    if words.contains("not permitted to create or approve pull requests") {
        return "turn on \"Allow GitHub Actions to create and approve pull requests\" in the repository's settings \
                (Actions, General) and in those of its organisation, or pass a GitHub App's token in `HYDRATOR_TOKEN`"
            .to_owned();
    }
    if words.to_lowercase().contains("saml") || words.to_lowercase().contains("sso") {
        return "authorise the token for the organisation's single sign-on".to_owned();
    }
    match answer.header("x-accepted-github-permissions").filter(|accepted| !accepted.is_empty()) {
        Some(accepted) => format!(
            "give the token this permission: {}; in a job, in its `permissions:` block",
            accepted.replace('=', ": ").replace("; ", " or ").replace(',', ", ")
        ),
        None => "give the job `permissions: {contents: write, pull-requests: write, statuses: write}`, or the token the \
                 same permissions"
            .to_owned(),
    }
}

fn words_of(error: &Value) -> Option<String> {
    if let Some(text) = error.as_str().or_else(|| error["message"].as_str()) {
        return Some(text.to_owned());
    }
    let (field, code) = (error["field"].as_str()?, error["code"].as_str()?);
    Some(format!("{field}: {code}"))
}

fn is_rate_limited(answer: &Answer, words: &str) -> bool {
    answer.number("x-ratelimit-remaining") == Some(0)
        || answer.header("retry-after").is_some()
        || ["rate limit", "abuse detection"].iter().any(|sign| words.contains(sign))
        || answer.status == 429
}

/// The type of the first error of a GraphQL answer.
pub(super) fn graphql_type(answer: &Answer) -> Option<&str> {
    answer.body["errors"].as_array()?.first()?["type"].as_str()
}

fn is_graphql_failure(answer: &Answer) -> bool {
    answer.body["errors"].is_array() && answer.body.get("data").is_none_or(Value::is_null)
}

/// The forge's own clock, in seconds since 1970: a runner's may be wrong.
fn now(answer: &Answer) -> u64 {
    let date = answer.header("date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let now = date.map_or_else(Timestamp::now, |date| date.timestamp());
    u64::try_from(now.as_second()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn dialect() -> GitHubDialect {
        GitHubDialect::new(&Secret::new("token"))
    }

    fn answer(status: u16, body: Value, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer { status, headers, body, text: None }
    }

    #[test]
    fn rate_limits_are_told_from_missing_permissions() {
        let class = |status, message: &str, headers: &[(&str, &str)]| {
            dialect().class(&answer(status, json!({"message": message}), headers))
        };
        assert_eq!(class(403, "Resource not accessible by integration", &[]), Some(Class::Permission));
        assert_eq!(class(403, "You have exceeded a secondary rate limit.", &[]), Some(Class::RateLimited));
        assert_eq!(
            class(403, "API rate limit exceeded", &[("x-ratelimit-remaining", "0")]),
            Some(Class::RateLimited)
        );
        assert_eq!(class(429, "", &[]), Some(Class::RateLimited));
        assert_eq!(class(401, "Bad credentials", &[]), Some(Class::Auth));
        assert_eq!(class(502, "Server Error", &[]), Some(Class::Transient));
        assert_eq!(class(201, "", &[]), None);
        let limited = json!({"data": null, "errors": [{"type": "RATE_LIMITED", "message": "x"}]});
        assert_eq!(dialect().class(&answer(200, limited, &[])), Some(Class::RateLimited));
    }

    #[test]
    fn waiting_follows_the_headers() {
        let wait =
            |headers: &[(&str, &str)], attempt| dialect().wait(&answer(403, Value::Null, headers), attempt);
        let seconds = Duration::from_secs;
        assert_eq!(wait(&[("retry-after", "7")], 1), Wait::Told(seconds(7)));
        let reset = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", "1767261610"),
            ("date", "Thu, 01 Jan 2026 10:00:00 GMT"),
        ];
        assert_eq!(wait(&reset, 1), Wait::Told(seconds(11)));
        assert_eq!(wait(&[], 2), Wait::Advised(seconds(120)));
    }

    #[test]
    fn words_come_from_every_shape_of_error() {
        let words = |body| dialect().words(&answer(422, body, &[]));
        let mixed = json!({"message": "Validation Failed", "errors": [
            "plain", {"message": "A pull request already exists"}, {"field": "head", "code": "invalid"}, {"x": 1}
        ]});
        assert_eq!(
            words(mixed).as_deref(),
            Some("Validation Failed; plain; A pull request already exists; head: invalid")
        );
        assert_eq!(words(json!({"errors": "one"})).as_deref(), Some("one"));
        assert_eq!(words(json!([])), None);
    }

    #[test]
    fn hints_name_the_permission_that_is_missing() {
        let headers = [("x-accepted-github-permissions", "pull_requests=write; issues=write")];
        let refused = answer(403, json!({"message": "Resource not accessible by integration"}), &headers);
        let hint = dialect().hint(Class::Permission, &refused).unwrap();
        assert!(hint.contains("pull_requests: write or issues: write"), "{hint}");
        let words = "GitHub Actions is not permitted to create or approve pull requests.";
        let hint = dialect().hint(Class::Permission, &answer(403, json!({"message": words}), &[])).unwrap();
        assert!(hint.contains("Allow GitHub Actions to create"), "{hint}");
    }
}
