//! `/hydrator …` in comments, as the jobs see them that a comment starts.

use super::*;
use crate::forge_server::Fault;
use crate::forge_server::state::{Method, Status};
use crate::support::command::Run;
use crate::support::person::Change;

/// A new comment, as its event tells it.
#[derive(Clone)]
pub(crate) struct Event {
    pub(crate) number: u64,
    pub(crate) id: u64,
    pub(crate) author: String,
    pub(crate) body: String,
    /// Seconds, by the forge's clock.
    pub(crate) at: i64,
}

/// A forge whose comments start jobs.
pub(crate) trait Commented: Hosted {
    /// `hydrator comment` in the job that an event starts.
    fn answering(&self, repo: &TestRepo, event: &Event) -> Run;
    /// Some who may not write.
    const STRANGERS: &'static [&'static str];
    /// Whether the forge keeps the time of every push.
    const TELLS_OF_PUSHES: bool;
}

/// Somebody comments, and the job of that comment runs.
fn says<F: Commented>(repo: &TestRepo, forge: &F, author: &str, number: u64, body: &str) -> Outcome {
    let event = commented(forge, author, number, body);
    forge.answering(repo, &event).run()
}

/// Somebody comments.
pub(crate) fn commented<F: Hosted>(forge: &F, author: &str, number: u64, body: &str) -> Event {
    let (id, at) = forge.server().with(|state| {
        let id = state.say(number, author, body).unwrap();
        (id, state.comment(id).unwrap().at)
    });
    Event { number, id, author: author.to_owned(), body: body.to_owned(), at }
}

/// The reactions to the last comment of a person, and the last answer.
pub(crate) fn reply<F: Hosted>(forge: &F, number: u64) -> (Vec<String>, Option<String>) {
    let pull = pull(forge, number);
    let asked = pull.comments.iter().rposition(|said| said.author != "hydrator-app[bot]").unwrap();
    let reactions = pull.comments[asked].reactions.iter().map(|(_, content)| content.clone()).collect();
    (reactions, pull.comments.get(asked + 1).map(|said| said.body.clone()))
}

fn done() -> (Vec<String>, Option<String>) {
    (vec!["eyes".to_owned(), "rocket".to_owned()], None)
}

#[track_caller]
pub(crate) fn refused<F: Hosted>(forge: &F, number: u64, why: &str) {
    let (reactions, words) = reply(forge, number);
    assert_eq!(reactions.last().map(String::as_str), Some("confused"));
    let words = words.expect("it is answered");
    assert!(words.starts_with("Not done: ") && words.contains(why), "{words}");
}

pub(crate) fn ground<F: Hosted>() -> (TestRepo, F) {
    let repo = repo_of(&ENVIRONMENTS);
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    (repo, forge)
}

pub(crate) fn what_is_asked_for_is_done<F: Commented>() {
    let (repo, forge) = ground::<F>();
    // On the pull request of another environment: people say it where they are.
    _ = says(&repo, &forge, "alice", 2, "Off it goes.\r\n\r\n/hydrator promote dev\r\n").success();
    assert_eq!(reply(&forge, 2), done());
    assert_eq!(pull(&forge, 1).life, Life::Merged);
    _ = says(&repo, &forge, "alice", 2, "/hydrator hold staging").success();
    assert_eq!(reply(&forge, 2), done());
    assert_eq!(pull(&forge, 2).labels, ["hold"]);
    _ = says(&repo, &forge, "alice", 2, "/hydrator promote staging").success();
    refused(&forge, 2, "held by the label");
    _ = says(&repo, &forge, "alice", 2, "/hydrator resume staging").success();
    assert_eq!(pull(&forge, 2).labels, Vec::<String>::new());
    _ = says(&repo, &forge, "alice", 2, "/hydrator promote staging").success();
    assert_eq!(pull(&forge, 2).life, Life::Merged);
    // Another state, to be rolled back from.
    set(&repo, &ENVIRONMENTS, "second");
    _ = forge.job(&repo).run().success();
    let next = pulls(&forge).last().unwrap().0 - 1;
    _ = says(&repo, &forge, "alice", next, "/hydrator promote dev").success();
    assert_eq!(pull(&forge, next).life, Life::Merged);
    _ = says(&repo, &forge, "alice", next, "/hydrator rollback dev").success();
    let rollback = pulls(&forge).last().unwrap().clone();
    assert_eq!((rollback.1, rollback.2.as_str()), (Life::Open, "hydrator/dev-next"));
    let (reactions, words) = reply(&forge, next);
    assert_eq!(reactions, ["eyes", "rocket"]);
    let words = words.unwrap();
    assert!(
        words.starts_with("See http") && words.ends_with(&format!("/{} for `dev`.", rollback.0)),
        "{words}"
    );
    assert!(pull(&forge, rollback.0).body.contains("alice"), "{}", pull(&forge, rollback.0).body);
}

pub(crate) fn the_pull_request_that_brought_the_change_in_is_a_place_to_ask<F: Commented>() {
    let repo = repo_of(&ENVIRONMENTS);
    let forge = F::start(&repo);
    let number = pages::land(&repo, &forge, "one", Method::Squash);
    _ = forge.job(&repo).run().success();
    _ = says(&repo, &forge, "alice", number, "/hydrator promote dev").success();
    assert_eq!(reply(&forge, number), done());
    assert_eq!(pull(&forge, number + 1).life, Life::Merged);
    let page = &pull(&forge, number).comments[0].body;
    assert!(page.contains("| `dev` | ✅ | runs it |"), "{page}");
}

pub(crate) fn who_may_not_write_is_refused<F: Commented>() {
    let (repo, forge) = ground::<F>();
    forge.server().with(|state| state.permissions.insert("rita".to_owned(), "read".to_owned()));
    for author in F::STRANGERS {
        _ = says(&repo, &forge, author, 1, "/hydrator promote dev").success();
        assert_eq!(pull(&forge, 1).life, Life::Open, "{author}");
    }
    let words: Vec<String> = pull(&forge, 1).comments.iter().map(|said| said.body.clone()).collect();
    let why = "Not done: this takes the permission to write to the repository";
    assert_eq!(words.iter().filter(|body| body.as_str() == why).count(), F::STRANGERS.len(), "{words:?}");
}

pub(crate) fn what_nobody_can_do_is_answered<F: Commented>() {
    let (repo, forge) = ground::<F>();
    for (body, why) in [
        ("/hydrator promote nowhere", "there is no environment nowhere; there are dev, staging, prod"),
        ("/hydrator promote @everybody", "there is no environment"),
        ("/hydrator destroy dev", "write "),
        ("/hydrator promote prod", "staging runs nothing yet"),
        ("/hydrator rollback dev", ""),
        ("/hydrator resume dev", ""),
    ] {
        let outcome = says(&repo, &forge, "alice", 1, body);
        refused(&forge, 1, why);
        assert!(!reply(&forge, 1).1.unwrap().contains("@everybody"), "nobody is called");
        assert!(outcome.exit_code().is_some(), "{body}: {outcome:?}");
    }
    assert!(pulls(&forge).iter().all(|one| one.1 == Life::Open));
}

pub(crate) fn only_what_the_commenter_saw_is_merged<F: Commented>() {
    let (repo, forge) = ground::<F>();
    let event = commented(&forge, "alice", 1, "/hydrator promote dev");
    // Another head comes before the job runs.
    set(&repo, &["dev"], "second");
    _ = forge.job(&repo).run().success();
    _ = forge.answering(&repo, &event).run().success();
    refused(&forge, 1, "was changed after this was written");
    assert_eq!(pull(&forge, 1).life, Life::Open);
    // And a promotion before a rollback.
    let event = commented(&forge, "alice", 1, "/hydrator rollback dev");
    forge.server().with(|state| state.merge(1, Method::Merge).unwrap());
    _ = forge.answering(&repo, &event).run().success();
    refused(&forge, 1, "was promoted after this was written");
}

pub(crate) fn a_rollback_undoes_nothing_that_the_commenter_did_not_see<F: Commented>() {
    let repo = repo_with(&["dev"], "");
    let forge = F::start(&repo);
    let next = |value: &str| {
        set(&repo, &["dev"], value);
        _ = forge.job(&repo).run().success();
        pulls(&forge).last().unwrap().0
    };
    let merge = |number| forge.server().with(|state| state.merge(number, Method::Merge).unwrap());
    merge(next("one"));
    merge(next("two"));
    // Merged meanwhile, and another one is open: that one is the newest.
    let third = next("three");
    let event = commented(&forge, "alice", third, "/hydrator rollback dev");
    merge(third);
    let fourth = next("four");
    _ = forge.answering(&repo, &event).run().success();
    refused(&forge, third, "dev was promoted after this was written");
    // Nothing was merged, but what is open is another one.
    let event = commented(&forge, "alice", third, "/hydrator rollback dev");
    assert_eq!(next("five"), fourth);
    _ = forge.answering(&repo, &event).run().success();
    refused(&forge, third, "was changed after this was written");
    let open = pull(&forge, fourth);
    assert!(open.title.contains("Set five") && open.life == Life::Open, "{}", open.title);
    _ = says(&repo, &forge, "alice", third, "/hydrator rollback dev").success();
    assert_eq!(reply(&forge, third).0, ["eyes", "rocket"]);
}

pub(crate) fn what_was_pushed_meanwhile_is_not_rolled_back<F: Commented>() {
    let repo = repo_with(&ENVIRONMENTS, ", delivery: push");
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    let number = pages::land(&repo, &forge, "second", Method::Squash);
    _ = forge.job(&repo).run().success();
    let event = commented(&forge, "alice", number, "/hydrator rollback dev");
    set(&repo, &ENVIRONMENTS, "third");
    _ = forge.job(&repo).run().success();
    let active = repo.tip("hydrator/dev").unwrap();
    forge.server().with(|state| {
        let (context, state_word, description) =
            ("hydrator/active".to_owned(), "success".to_owned(), String::new());
        let created_at = state.now();
        let status = Status {
            context,
            state: state_word,
            description,
            target_url: None,
            branch: None,
            pipeline: None,
            created_at,
        };
        state.statuses.entry(active.clone()).or_default().push(status);
    });
    _ = forge.answering(&repo, &event).run().success();
    refused(&forge, number, "dev was promoted after this was written");
    assert_eq!(repo.tip("hydrator/dev"), Some(active));
}

pub(crate) fn a_push_by_hand_is_not_what_the_commenter_saw<F: Commented>() {
    let (repo, forge) = ground::<F>();
    let files = [("OWNERS".to_owned(), "alice\n".to_owned())].into();
    repo.person().commit("hydrator/dev", &Change { files, ..Change::default() }, "Owners: alice");
    let event = commented(&forge, "alice", 1, "/hydrator promote dev");
    // No forced push: the head stays below.
    repo.person().merge("hydrator/dev", "hydrator/dev-next");
    _ = forge.answering(&repo, &event).run().success();
    refused(&forge, 1, if F::TELLS_OF_PUSHES { "was changed after this" } else { "does not tell when" });
    assert_eq!(pull(&forge, 1).life, Life::Open);
    // What comes after it was there when it was written.
    _ = says(&repo, &forge, "alice", 1, "/hydrator promote dev").success();
    assert_eq!(pull(&forge, 1).life == Life::Merged, F::TELLS_OF_PUSHES);
}

pub(crate) fn a_job_that_runs_again_does_nothing_twice<F: Commented>() {
    let (repo, forge) = ground::<F>();
    let event = commented(&forge, "alice", 1, "/hydrator hold dev");
    _ = forge.answering(&repo, &event).run().success();
    forge.server().with(|state| state.pull(1).unwrap().labels.clear());
    _ = forge.answering(&repo, &event).run().success();
    assert_eq!(pull(&forge, 1).labels, Vec::<String>::new());
}

pub(crate) fn what_is_asked_for_is_done_although_the_answer_to_the_mark_was_lost<F: Commented>() {
    let (repo, forge) = ground::<F>();
    let event = commented(&forge, "alice", 1, "/hydrator hold dev");
    let mut left = 1;
    forge.server().decide(move |call| {
        let is_mark = call.what().ends_with("/reactions") || call.what().ends_with("/award_emoji");
        let is_hit = left > 0 && is_mark && call.is_write();
        left -= i32::from(is_hit);
        is_hit.then_some(Fault::Lost)
    });
    _ = forge.answering(&repo, &event).run().success();
    assert_eq!(pull(&forge, 1).labels, ["hold"]);
    assert_eq!(reply(&forge, 1), done());
}

pub(crate) fn what_a_job_left_undone_is_told_when_it_runs_again<F: Commented>() {
    let (repo, forge) = ground::<F>();
    let event = commented(&forge, "alice", 1, "/hydrator hold dev");
    let mark = |content: &str| {
        forge.server().with(|state| {
            let mark = (state.viewer.clone(), content.to_owned());
            state.comment(event.id).unwrap().reactions.push(mark);
        });
    };
    // The job was cancelled right after its mark.
    mark("eyes");
    let outcome = forge.answering(&repo, &event).run().code(1);
    assert!(outcome.stderr().contains("began with this comment"), "{outcome:?}");
    assert!(outcome.stderr().contains("write it again"), "{outcome:?}");
    assert_eq!(pull(&forge, 1).labels, Vec::<String>::new());
    for end in ["rocket", "confused"] {
        mark(end);
        let outcome = forge.answering(&repo, &event).run().success();
        assert!(outcome.stderr().contains("was acted on before"), "{outcome:?}");
        assert_eq!(pull(&forge, 1).labels, Vec::<String>::new());
        forge.server().with(|state| drop(state.comment(event.id).unwrap().reactions.pop()));
    }
}

/// A proposal for dev at pull request 1 that nothing but the label keeps from being merged.
fn held<F: Commented>() -> (TestRepo, F) {
    let repo = repo_with(&["dev", "prod"], ", autoMerge: true");
    let forge = F::start(&repo);
    forge.server().with(|state| state.required_reviews = 1);
    _ = forge.job(&repo).run().success();
    _ = says(&repo, &forge, "alice", 1, "/hydrator hold dev").success();
    forge.server().with(|state| state.required_reviews = 0);
    (repo, forge)
}

#[track_caller]
fn still_held<F: Commented>(forge: &F, why: &str) {
    assert!(reply(forge, 1).1.is_some_and(|words| words.contains(why)), "{:?}", reply(forge, 1));
    assert_eq!((pull(forge, 1).life, pull(forge, 1).labels), (Life::Open, vec!["hold".to_owned()]));
}

/// A new comment ends the hold, whatever an older one did not.
fn is_resumed<F: Commented>(repo: &TestRepo, forge: &F) {
    forge.server().with(|state| _ = state.now());
    _ = says(repo, forge, "alice", 1, "/hydrator resume dev").success();
    assert_eq!(
        (pull(forge, 1).life, pull(forge, 1).labels),
        (Life::Merged, Vec::new()),
        "{:?}",
        reply(forge, 1)
    );
}

pub(crate) fn a_hold_ends_for_the_head_that_the_commenter_saw<F: Commented>() {
    let (repo, forge) = held::<F>();
    let event = commented(&forge, "alice", 1, "/hydrator resume dev");
    set(&repo, &["dev"], "second");
    _ = forge.job(&repo).run().success();
    _ = forge.answering(&repo, &event).run().success();
    still_held(&forge, "was changed after this was written");
    is_resumed(&repo, &forge);
}

pub(crate) fn a_hold_does_not_end_for_a_push_whose_time_nobody_knows<F: Commented>() {
    let (repo, forge) = held::<F>();
    let files = [("OWNERS".to_owned(), "alice\n".to_owned())].into();
    repo.person().commit("hydrator/dev", &Change { files, ..Change::default() }, "Owners: alice");
    let event = commented(&forge, "alice", 1, "/hydrator resume dev");
    repo.person().merge("hydrator/dev", "hydrator/dev-next");
    _ = forge.answering(&repo, &event).run().success();
    still_held(&forge, if F::TELLS_OF_PUSHES { "was changed after this" } else { "does not tell when" });
}

pub(crate) fn a_newer_hold_stands_over_an_older_resume<F: Commented>() {
    let (repo, forge) = held::<F>();
    // Each comment has a job of its own, and the later one may run first.
    for (place, count) in [(1, 1), (2, 2)] {
        let resume = commented(&forge, "alice", 1, "/hydrator resume dev");
        let hold = commented(&forge, "bob", place, "/hydrator hold dev");
        _ = forge.answering(&repo, &hold).run().success();
        _ = forge.answering(&repo, &resume).run().success();
        assert_eq!(pull(&forge, 1).labels, ["hold"], "held on #{place}");
        let words: Vec<String> = pull(&forge, 1).comments.into_iter().map(|said| said.body).collect();
        let refusals =
            words.iter().filter(|words| words.contains("dev was held after this was written")).count();
        assert_eq!(refusals, count, "{words:#?}");
        assert_eq!(
            words.iter().any(|words| words.contains("Held: `bob` asked for it")),
            place == 2,
            "{words:#?}"
        );
    }
    // The label, put on by hand after it was written.
    forge.server().with(|state| state.pull(1).unwrap().labels.clear());
    let resume = commented(&forge, "alice", 1, "/hydrator resume dev");
    forge.server().with(|state| _ = state.now());
    forge.server().with(|state| state.pull(1).unwrap().labels.push("Hold".to_owned()));
    _ = forge.answering(&repo, &resume).run().success();
    assert_eq!((pull(&forge, 1).life, pull(&forge, 1).labels), (Life::Open, vec!["Hold".to_owned()]));
    // Whoever may not write holds nothing, and what is about another environment does not either.
    forge.server().with(|state| _ = state.now());
    let resume = commented(&forge, "alice", 1, "/hydrator resume dev");
    let refused = commented(&forge, "mallory", 1, "/hydrator hold dev");
    let other = commented(&forge, "bob", 1, "/hydrator hold prod");
    for hold in [refused, other] {
        _ = forge.answering(&repo, &hold).run().success();
    }
    _ = forge.answering(&repo, &resume).run().success();
    assert_eq!((pull(&forge, 1).life, pull(&forge, 2).labels), (Life::Merged, vec!["hold".to_owned()]));
}

/// What never comes must not be waited for.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

pub(crate) fn a_hold_that_comes_while_another_one_ends_stands<F: Commented + Sync>() {
    let (repo, forge) = held::<F>();
    let resume = commented(&forge, "alice", 1, "/hydrator resume dev");
    let (asks, asked) = std::sync::mpsc::channel();
    let (goes_on, may_go_on) = std::sync::mpsc::channel();
    let mut is_first = true;
    forge.server().decide(move |call| {
        let takes_off = call.path.ends_with("/labels/hold") || call.body["remove_labels"].is_string();
        if takes_off && std::mem::take(&mut is_first) {
            asks.send(()).unwrap();
            may_go_on.recv_timeout(LIMIT).unwrap();
        }
        None
    });
    let held = &forge;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            asked.recv_timeout(LIMIT).expect("the label is taken off");
            _ = commented(held, "bob", 1, "/hydrator hold dev");
            goes_on.send(()).unwrap();
        });
        _ = forge.answering(&repo, &resume).run().success();
    });
    assert_eq!((pull(&forge, 1).life, pull(&forge, 1).labels), (Life::Open, vec!["hold".to_owned()]));
    let comments = pull(&forge, 1).comments;
    assert!(comments.last().unwrap().body.contains("dev was held after this was written"), "{comments:#?}");
}

pub(crate) fn a_rollback_that_came_later_is_not_resumed<F: Commented>() {
    let repo = repo_with(&["dev"], "");
    let forge = F::start(&repo);
    let merge_all = || {
        for (number, ..) in pulls(&forge).into_iter().filter(|one| one.1 == Life::Open) {
            forge.server().with(|state| state.merge(number, Method::Merge).unwrap());
        }
    };
    for value in ["one", "two", "three"] {
        set(&repo, &["dev"], value);
        _ = forge.job(&repo).run().success();
        merge_all();
    }
    let roll_back = || {
        _ = says(&repo, &forge, "alice", 1, "/hydrator rollback dev").success();
        merge_all();
    };
    roll_back();
    let resume = commented(&forge, "alice", 1, "/hydrator resume dev");
    // Somebody else did so before, and then there was another rollback.
    _ = says(&repo, &forge, "bob", 2, "/hydrator resume dev").success();
    merge_all();
    roll_back();
    _ = forge.answering(&repo, &resume).run().success();
    let comments = pull(&forge, 1).comments;
    let last = &comments.last().unwrap().body;
    assert!(last.contains("dev was promoted after this was written"), "{comments:#?} {:#?}", pulls(&forge));
    assert!(pulls(&forge).iter().all(|one| one.1 == Life::Merged), "nothing is offered");
    forge.server().with(|state| _ = state.now());
    _ = says(&repo, &forge, "alice", 1, "/hydrator resume dev").success();
    assert_eq!(pulls(&forge).last().unwrap().1, Life::Open);
}

pub(crate) fn other_comments_cost_nothing<F: Commented>() {
    let (repo, forge) = ground::<F>();
    forge.server().take_calls();
    _ = says(&repo, &forge, "alice", 1, "Looks good. `/hydrator promote dev`?").success();
    assert_eq!(asked(&forge.server().take_calls()), Vec::<String>::new());
    let outcome = forge.command(&repo, "comment").run().code(2);
    assert!(outcome.stderr().contains("acts on comments"), "{outcome:?}");
}
