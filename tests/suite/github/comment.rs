//! What is asked for in comments, in jobs of `issue_comment`.

use serde_json::json;

use super::*;
use crate::stories::comment::{Commented, Event};
use crate::support::command::Run;

crate::stories::on!(GitHub, comment);

impl Commented for GitHub {
    fn answering(&self, repo: &TestRepo, event: &Event) -> Run {
        let at = jiff::Timestamp::from_second(event.at).unwrap().to_string();
        let payload = json!({"action": "created", "issue": {"number": event.number, "pull_request": {}},
            "comment": {"id": event.id, "body": event.body, "user": {"login": event.author}, "created_at": at}});
        let path = repo.root().join(format!("event-{}.json", event.id));
        std::fs::write(&path, payload.to_string()).unwrap();
        self.command(repo, "comment")
            .variable("GITHUB_EVENT_NAME", "issue_comment")
            .variable("GITHUB_EVENT_PATH", &path.display().to_string())
    }

    const STRANGERS: &'static [&'static str] = &["rita", "mallory", "hydrator-app[bot]"];
    const TELLS_OF_PUSHES: bool = false;
}
