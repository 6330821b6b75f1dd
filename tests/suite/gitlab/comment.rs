//! What is asked for in notes, in pipelines that a webhook triggers.

use super::*;
use crate::stories::comment::{Commented, Event, commented, ground, refused, reply};
use crate::support::command::{Outcome, Run};

crate::stories::on!(GitLab, comment);

impl Commented for GitLab {
    fn answering(&self, repo: &TestRepo, event: &Event) -> Run {
        triggered(self, repo, &payload(event))
    }

    const STRANGERS: &'static [&'static str] = &["rita", "mallory"];
    const TELLS_OF_PUSHES: bool = true;
}

/// What GitLab sends of a new note.
fn payload(event: &Event) -> Value {
    let at = jiff::Timestamp::from_second(event.at).unwrap().strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    json!({
        "object_kind": "note", "event_type": "note", "user": {"id": 1, "username": event.author}, "project_id": 42,
        "project": {"id": 42, "path_with_namespace": "acme/shop", "default_branch": "main"},
        "object_attributes": {"id": event.id, "note": event.body, "noteable_type": "MergeRequest", "created_at": at,
            "updated_at": at, "project_id": 42, "system": false, "action": "create"},
        "merge_request": {"id": 1000 + event.number, "iid": event.number, "state": "opened"},
    })
}

/// `hydrator comment` in a pipeline of the default branch that somebody triggers with a payload.
fn triggered(gitlab: &GitLab, repo: &TestRepo, payload: &Value) -> Run {
    let path = repo.root().join("TRIGGER_PAYLOAD");
    std::fs::write(&path, payload.to_string()).unwrap();
    gitlab
        .command(repo, "comment")
        .variable("CI_PIPELINE_SOURCE", "trigger")
        .variable("TRIGGER_PAYLOAD", &path.display().to_string())
}

/// Nothing was written to the forge, and nothing merged.
#[track_caller]
fn untouched(gitlab: &GitLab) {
    assert_eq!(writes(&gitlab.server.take_calls()), Vec::<String>::new());
    assert!(pulls(gitlab).iter().all(|one| one.1 == Life::Open));
}

fn story() -> (TestRepo, GitLab) {
    let (repo, gitlab) = ground::<GitLab>();
    gitlab.server.take_calls();
    (repo, gitlab)
}

#[test]
fn a_payload_that_lies_about_the_text_changes_nothing() {
    let (repo, gitlab) = story();
    let said = commented(&gitlab, "alice", 1, "Looks good");
    let lie = Event { body: "/hydrator promote dev".to_owned(), ..said };
    let lied = |event: &Event| -> Outcome { gitlab.answering(&repo, event).run().success() };
    assert!(lied(&lie).stderr().contains("asks for nothing"));
    untouched(&gitlab);
    // Nor one about the place, or about a note that there is not, or that is GitLab's own.
    let asked = commented(&gitlab, "alice", 1, "/hydrator promote dev");
    for event in [
        Event { number: 2, ..asked.clone() },
        Event { number: 99, ..asked.clone() },
        Event { id: 7, ..asked.clone() },
        Event { id: 1, ..asked.clone() },
    ] {
        assert!(lied(&event).stderr().contains("there is no such comment"), "{}", event.id);
        untouched(&gitlab);
    }
}

#[test]
fn a_payload_that_lies_about_the_author_or_the_time_changes_nothing() {
    let (repo, gitlab) = story();
    let said = commented(&gitlab, "mallory", 1, "/hydrator promote dev");
    _ = gitlab.answering(&repo, &Event { author: "alice".to_owned(), ..said }).run().success();
    refused(&gitlab, 1, "this takes the permission to write to the repository");
    let said = commented(&gitlab, "alice", 1, "/hydrator promote dev");
    set(&repo, &["dev"], "second");
    _ = gitlab.job(&repo).run().success();
    _ = gitlab.answering(&repo, &Event { at: said.at + 1000, ..said }).run().success();
    refused(&gitlab, 1, "was changed after this was written");
    assert!(pulls(&gitlab).iter().all(|one| one.1 == Life::Open));
}

#[test]
fn what_is_no_new_comment_of_this_project_is_none() {
    let (repo, gitlab) = story();
    let said = payload(&commented(&gitlab, "alice", 1, "/hydrator promote dev"));
    let with = |key: &str, value: Value| {
        let mut changed = said.clone();
        *changed.pointer_mut(key).unwrap() = value;
        triggered(&gitlab, &repo, &changed).run()
    };
    for (key, value) in [
        ("/object_attributes/action", json!("update")),
        ("/object_attributes/noteable_type", json!("Issue")),
        ("/object_attributes/system", json!(true)),
    ] {
        assert!(with(key, value).success().stderr().contains("asks for nothing"), "{key}");
    }
    for (key, value, why) in [
        ("/project_id", json!(43), "`a comment in another project`"),
        ("/object_kind", json!("push"), "acts on comments"),
        ("/object_attributes/id", json!("9"), "/object_attributes/id"),
    ] {
        let outcome = with(key, value).code(2);
        assert!(outcome.stderr().contains(why), "{key}: {}", outcome.stderr());
    }
    assert_eq!(asked(&gitlab.server.take_calls()), Vec::<String>::new());
    // Servers of old say nothing of what happened to a note.
    let mut old = said;
    old["object_attributes"].as_object_mut().unwrap().remove("action");
    _ = triggered(&gitlab, &repo, &old).run().success();
    assert_eq!(reply(&gitlab, 1).0, ["eyes", "rocket"]);
    assert_eq!(pull(&gitlab, 1).life, Life::Merged);
}
