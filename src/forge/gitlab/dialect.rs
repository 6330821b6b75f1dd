//! What GitLab's statuses, headers and words mean. Pure.
//!
//! Sources: GitLab's REST documentation on status codes, on rate limits and on authentication.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::TokenKind;
use crate::forge::http::{Answer, Class, Dialect, Wait};
use crate::secret::Secret;

/// How long to stay away when GitLab does not say: its limits are counted by the minute.
const MINUTE: u64 = 60;

/// GitLab's way to speak HTTP.
pub(super) struct GitLabDialect {
    header: (&'static str, Secret),
    kind: TokenKind,
}

impl GitLabDialect {
    pub(super) fn new(token: &Secret, kind: TokenKind) -> Self {
        let header = match kind {
            TokenKind::Access => ("authorization", Secret::new(format!("Bearer {}", token.reveal()))),
            TokenKind::Job => ("job-token", token.clone()),
        };
        Self { header, kind }
    }
}

impl Dialect for GitLabDialect {
    fn headers(&self) -> Vec<(&'static str, Secret)> {
        vec![self.header.clone(), ("accept", Secret::new("application/json"))]
    }

    fn class(&self, answer: &Answer) -> Option<Class> {
        match answer.status {
            // GraphQL tells its errors beside a success.
            200 if is_graphql_failure(answer) => Some(Class::Invalid),
            status => Class::of_status(status),
        }
    }

    fn words(&self, answer: &Answer) -> Option<String> {
        let body = &answer.body;
        let mut words = Vec::new();
        for key in ["message", "error", "error_description", "errors"] {
            collect(None, &body[key], &mut words);
        }
        words.dedup();
        (!words.is_empty()).then(|| words.join("; "))
    }

    fn wait(&self, answer: &Answer, attempt: u32) -> Wait {
        if let Some(seconds) = answer.number("retry-after") {
            return Wait::Told(Duration::from_secs(seconds));
        }
        if let (Some(0), Some(reset)) =
            (answer.number("ratelimit-remaining"), answer.number("ratelimit-reset"))
        {
            return Wait::Told(Duration::from_secs(reset.saturating_sub(now(answer)).saturating_add(1)));
        }
        Wait::Advised(Duration::from_secs(MINUTE.saturating_mul(u64::from(attempt))))
    }

    fn hint(&self, class: Class, answer: &Answer) -> Option<String> {
        let words = self.words(answer).unwrap_or_default();
        match class {
            Class::Auth | Class::Permission if self.kind == TokenKind::Job => {
                Some(super::JOB_TOKEN_HINT.to_owned())
            }
            Class::Auth => Some(
                "the token is wrong, expired or revoked: put a new one into `HYDRATOR_TOKEN`; a variable that is \
                 protected reaches jobs of protected branches only"
                    .to_owned(),
            ),
            Class::Permission if words.contains("insufficient_scope") => {
                Some("give the token the scope `api`, and `write_repository` for pushes".to_owned())
            }
            Class::Permission => Some(
                "give the token the role Maintainer in the project (Developer, where no branch asks for more), and the scope `api`".to_owned(),
            ),
            Class::NotFound => Some(
                "check the project's path, and that the token may see it: GitLab also says 404 of what a token may \
                 not see"
                    .to_owned(),
            ),
            Class::RateLimited => Some("run again later".to_owned()),
            Class::Transient => Some("GitLab failed; run again, and see its status page if it goes on".to_owned()),
            Class::Conflict | Class::Invalid => None,
        }
    }
}

/// Texts in any of the shapes that GitLab has for them: a text, a list, an object of fields with lists.
fn collect(field: Option<&str>, value: &Value, words: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            words.push(field.map_or_else(|| text.clone(), |field| format!("{field}: {text}")));
        }
        Value::Array(all) => all.iter().for_each(|one| collect(field, one, words)),
        Value::Object(all) => {
            // An error of GraphQL is an object with its text and places.
            if let Some(text) = all.get("message") {
                return collect(field, text, words);
            }
            for (key, one) in all {
                collect(Some(key.as_str()).filter(|key| *key != "base"), one, words);
            }
        }
        _ => {}
    }
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

    fn dialect() -> GitLabDialect {
        GitLabDialect::new(&Secret::new("token"), TokenKind::Access)
    }

    fn answer(status: u16, body: Value, headers: &[(&str, &str)]) -> Answer {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer { status, headers, body, text: None }
    }

    #[test]
    fn words_come_from_every_shape_of_error() {
        let words = |body| dialect().words(&answer(400, body, &[])).unwrap_or_default();
        assert_eq!(words(json!({"message": "401 Unauthorized"})), "401 Unauthorized");
        assert_eq!(words(json!({"message": ["a", "b"]})), "a; b");
        assert_eq!(
            words(json!({"message": {"title": ["is too long"], "base": ["no"]}})),
            "title: is too long; no"
        );
        let scope = json!({"error": "insufficient_scope", "error_description": "higher privileges"});
        assert_eq!(words(scope), "insufficient_scope; higher privileges");
        assert_eq!(
            words(json!({"errors": [{"message": "Field 'x' does not exist", "path": []}]})),
            "Field 'x' does not exist"
        );
        assert_eq!(words(json!([])), "");
    }

    #[test]
    fn waiting_follows_the_headers() {
        let wait =
            |headers: &[(&str, &str)], attempt| dialect().wait(&answer(429, Value::Null, headers), attempt);
        let seconds = Duration::from_secs;
        assert_eq!(wait(&[("retry-after", "7")], 1), Wait::Told(seconds(7)));
        let reset = [
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "1767261610"),
            ("date", "Thu, 01 Jan 2026 10:00:00 GMT"),
        ];
        assert_eq!(wait(&reset, 1), Wait::Told(seconds(11)));
        assert_eq!(wait(&[], 2), Wait::Advised(seconds(120)));
    }

    #[test]
    fn each_token_has_its_header() {
        let header = |kind| GitLabDialect::new(&Secret::new("t"), kind).headers()[0].clone();
        assert_eq!((header(TokenKind::Job).0, header(TokenKind::Job).1.reveal()), ("job-token", "t"));
        assert_eq!(header(TokenKind::Access).1.reveal(), "Bearer t");
    }

    #[test]
    fn errors_beside_a_success_are_errors() {
        let failed = json!({"errors": [{"message": "Query has complexity of 300"}]});
        assert_eq!(dialect().class(&answer(200, failed, &[])), Some(Class::Invalid));
        assert_eq!(dialect().class(&answer(200, json!({"data": {}}), &[])), None);
        assert_eq!(dialect().class(&answer(429, Value::Null, &[])), Some(Class::RateLimited));
    }
}
