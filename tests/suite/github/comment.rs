//! `/hydrator …` in comments, as jobs of `issue_comment` see them.

use serde_json::json;

use super::*;
use crate::forge_server::state::Method;

/// Somebody comments, and the job of that comment runs.
fn says(repo: &TestRepo, github: &GitHub, author: &str, number: u64, body: &str) -> Outcome {
    let event = event(repo, github, author, number, body);
    answer(repo, github, &event)
}

/// The event's file of a new comment.
fn event(repo: &TestRepo, github: &GitHub, author: &str, number: u64, body: &str) -> String {
    let (id, at) = github.server.with(|state| {
        let id = state.say(number, author, body).unwrap();
        (id, jiff::Timestamp::from_second(state.now()).unwrap().to_string())
    });
    let payload = json!({"action": "created", "issue": {"number": number, "pull_request": {}},
        "comment": {"id": id, "body": body, "user": {"login": author}, "created_at": at}});
    let path = repo.root().join(format!("event-{id}.json"));
    std::fs::write(&path, payload.to_string()).unwrap();
    path.display().to_string()
}

fn answer(repo: &TestRepo, github: &GitHub, event: &str) -> Outcome {
    github
        .command(repo, "comment")
        .variable("GITHUB_EVENT_NAME", "issue_comment")
        .variable("GITHUB_EVENT_PATH", event)
        .run()
}

/// The reactions to the last comment of a person, and the last answer.
fn reply(github: &GitHub, number: u64) -> (Vec<String>, Option<String>) {
    let pull = pull(github, number);
    let asked = pull.comments.iter().rposition(|said| said.author != "hydrator-app[bot]").unwrap();
    let reactions = pull.comments[asked].reactions.iter().map(|(_, content)| content.clone()).collect();
    (reactions, pull.comments.get(asked + 1).map(|said| said.body.clone()))
}

fn done() -> (Vec<String>, Option<String>) {
    (vec!["eyes".to_owned(), "rocket".to_owned()], None)
}

#[track_caller]
fn refused(github: &GitHub, number: u64, why: &str) {
    let (reactions, words) = reply(github, number);
    assert_eq!(reactions.last().map(String::as_str), Some("confused"));
    let words = words.expect("it is answered");
    assert!(words.starts_with("Not done: ") && words.contains(why), "{words}");
}

fn ground() -> (TestRepo, GitHub) {
    let repo = repo_of(&ENVIRONMENTS);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    (repo, github)
}

#[test]
fn what_is_asked_for_is_done() {
    let (repo, github) = ground();
    // On the pull request of another environment: people say it where they are.
    _ = says(&repo, &github, "alice", 2, "Off it goes.\r\n\r\n/hydrator promote dev\r\n").success();
    assert_eq!(reply(&github, 2), done());
    assert_eq!(pull(&github, 1).life, Life::Merged);
    _ = says(&repo, &github, "alice", 2, "/hydrator hold staging").success();
    assert_eq!(reply(&github, 2), done());
    assert_eq!(pull(&github, 2).labels, ["hold"]);
    _ = says(&repo, &github, "alice", 2, "/hydrator promote staging").success();
    refused(&github, 2, "held by the label");
    _ = says(&repo, &github, "alice", 2, "/hydrator resume staging").success();
    assert_eq!(pull(&github, 2).labels, Vec::<String>::new());
    _ = says(&repo, &github, "alice", 2, "/hydrator promote staging").success();
    assert_eq!(pull(&github, 2).life, Life::Merged);
    // Another state, to be rolled back from.
    set(&repo, &ENVIRONMENTS, "second");
    _ = github.job(&repo).run().success();
    let next = pulls(&github).last().unwrap().0 - 1;
    _ = says(&repo, &github, "alice", next, "/hydrator promote dev").success();
    assert_eq!(pull(&github, next).life, Life::Merged);
    _ = says(&repo, &github, "alice", next, "/hydrator rollback dev").success();
    let rollback = pulls(&github).last().unwrap().clone();
    assert_eq!((rollback.1, rollback.2.as_str()), (Life::Open, "hydrator/dev-next"));
    let (reactions, words) = reply(&github, next);
    assert_eq!(reactions, ["eyes", "rocket"]);
    assert_eq!(words.unwrap(), format!("See #{} for `dev`.", rollback.0));
    assert!(pull(&github, rollback.0).body.contains("alice"), "{}", pull(&github, rollback.0).body);
}

#[test]
fn the_pull_request_that_brought_the_change_in_is_a_place_to_ask() {
    let repo = repo_of(&ENVIRONMENTS);
    let github = GitHub::start(&repo);
    let number = crate::stories::pages::land(&repo, &github, "one", Method::Squash);
    _ = github.job(&repo).run().success();
    _ = says(&repo, &github, "alice", number, "/hydrator promote dev").success();
    assert_eq!(reply(&github, number), done());
    assert_eq!(pull(&github, number + 1).life, Life::Merged);
    let page = &pull(&github, number).comments[0].body;
    assert!(page.contains("| `dev` | ✅ | runs it |"), "{page}");
}

#[test]
fn who_may_not_write_is_refused() {
    let (repo, github) = ground();
    github.server.with(|state| state.permissions.insert("rita".to_owned(), "read".to_owned()));
    for author in ["rita", "mallory", "hydrator-app[bot]"] {
        _ = says(&repo, &github, author, 1, "/hydrator promote dev").success();
        assert_eq!(pull(&github, 1).life, Life::Open, "{author}");
    }
    let words: Vec<String> = pull(&github, 1).comments.iter().map(|said| said.body.clone()).collect();
    let why = "Not done: this takes the permission to write to the repository";
    assert_eq!(words.iter().filter(|body| body.as_str() == why).count(), 3, "{words:?}");
}

#[test]
fn what_nobody_can_do_is_answered() {
    let (repo, github) = ground();
    for (body, why) in [
        ("/hydrator promote nowhere", "there is no environment nowhere; there are dev, staging, prod"),
        ("/hydrator promote @everybody", "there is no environment"),
        ("/hydrator destroy dev", "write "),
        ("/hydrator promote prod", "staging runs nothing yet"),
        ("/hydrator rollback dev", ""),
        ("/hydrator resume dev", ""),
    ] {
        let outcome = says(&repo, &github, "alice", 1, body);
        refused(&github, 1, why);
        assert!(!reply(&github, 1).1.unwrap().contains("@everybody"), "nobody is called");
        assert!(outcome.exit_code().is_some(), "{body}: {outcome:?}");
    }
    assert!(pulls(&github).iter().all(|one| one.1 == Life::Open));
}

#[test]
fn only_what_the_commenter_saw_is_merged() {
    let (repo, github) = ground();
    let event = event(&repo, &github, "alice", 1, "/hydrator promote dev");
    // Another head comes before the job runs.
    set(&repo, &["dev"], "second");
    _ = github.job(&repo).run().success();
    _ = answer(&repo, &github, &event).success();
    refused(&github, 1, "was changed after this was written");
    assert_eq!(pull(&github, 1).life, Life::Open);
    // And a promotion before a rollback.
    let event = self::event(&repo, &github, "alice", 1, "/hydrator rollback dev");
    github.server.with(|state| state.merge(1, Method::Merge).unwrap());
    _ = answer(&repo, &github, &event).success();
    refused(&github, 1, "was promoted after this was written");
}

#[test]
fn a_job_that_runs_again_does_nothing_twice() {
    let (repo, github) = ground();
    let event = event(&repo, &github, "alice", 1, "/hydrator hold dev");
    _ = answer(&repo, &github, &event).success();
    github.server.with(|state| state.pull(1).unwrap().labels.clear());
    _ = answer(&repo, &github, &event).success();
    assert_eq!(pull(&github, 1).labels, Vec::<String>::new());
}

#[test]
fn other_comments_cost_nothing() {
    let (repo, github) = ground();
    github.server.take_calls();
    _ = says(&repo, &github, "alice", 1, "Looks good. `/hydrator promote dev`?").success();
    assert_eq!(asked(&github.server.take_calls()), Vec::<String>::new());
    let outcome = github.command(&repo, "comment").run().code(2);
    assert!(outcome.stderr().contains("acts on comments"), "{outcome:?}");
}
