//! What goes wrong between us and a server, whichever it is: what passes is tried again within bounds, and what may have
//! been done already is looked for first.

use serde_json::json;

use super::*;
use crate::forge_server::Fault;
use crate::forge_server::state::Method;
use crate::support::http::TOKEN;

fn ground<F: Hosted>() -> (TestRepo, F) {
    let repo = repo_of(&["dev"]);
    let forge = F::start(&repo);
    (repo, forge)
}

fn tries(forge: &impl Hosted, what: &str) -> usize {
    asked(&forge.server().take_calls()).iter().filter(|call| *call == what).count()
}

pub(crate) fn reads_are_tried_again_and_then_given_up<F: Hosted>() {
    for fault in [Fault::refusal(502, "Server Error"), Fault::Dropped, Fault::Truncated] {
        let (repo, forge) = ground::<F>();
        forge.server().fail(F::LISTING, 2, &fault);
        _ = forge.job(&repo).run().success();
        assert!(tries(&forge, F::LISTING) >= 3, "{fault:?}");
        let (repo, forge) = ground::<F>();
        forge.server().fail(F::LISTING, usize::MAX, &fault);
        let outcome = forge.job(&repo).run().code(6);
        assert_eq!(forge.server().take_calls().len(), 4, "{outcome:?}");
        assert!(outcome.stderr().contains("cannot list the open "), "{outcome:?}");
    }
}

pub(crate) fn a_write_whose_answer_was_lost_is_not_done_twice<F: Hosted>() {
    for fault in [Fault::Lost, Fault::Truncated, Fault::Dropped, Fault::refusal(500, "Server Error")] {
        let (repo, forge) = ground::<F>();
        forge.server().fail(F::OPENING, 1, &fault);
        _ = forge.job(&repo).run().success();
        assert_eq!(pulls(&forge).len(), 1, "{fault:?}");
        // The same for the comment on a proposal that is withdrawn.
        forge.server().with(|state| state.merge(1, Method::Merge).unwrap());
        set(&repo, &["dev"], "second");
        _ = forge.job(&repo).run().success();
        set(&repo, &["dev"], "first");
        forge.server().fail(F::COMMENTS, 1, &fault);
        assert_eq!(operations(&forge.job(&repo).run().success()), ["closed"]);
        assert_eq!(pull(&forge, 2).comments.len(), 1, "{fault:?}");
    }
}

pub(crate) fn a_limit_is_waited_for_within_bounds<F: Hosted>() {
    let limited = |seconds: &str| {
        let headers = vec![("Retry-After", seconds.to_owned())];
        Fault::Answer(429, json!({"message": "You ask too often"}), headers)
    };
    let (repo, forge) = ground::<F>();
    forge.server().fail(F::OPENING, 1, &limited("0"));
    let outcome = forge.job(&repo).run().success();
    assert!(outcome.stderr().contains("rate limit is used up: waiting 0 s"), "{outcome:?}");
    assert_eq!(pulls(&forge).len(), 1);
    let (repo, forge) = ground::<F>();
    forge.server().fail(F::OPENING, usize::MAX, &limited("100000"));
    let outcome = forge.job(&repo).run().code(6);
    let error = error(&outcome, 0);
    assert!(error["message"].as_str().unwrap().contains("You ask too often"), "{error:#}");
    assert!(error["hint"].as_str().unwrap().contains("run again later"), "{error:#}");
    assert_eq!(tries(&forge, F::OPENING), 1);
}

pub(crate) fn redirects_on_the_same_host_are_followed_with_the_body<F: Hosted>() {
    let (repo, forge) = ground::<F>();
    let mut moved = false;
    forge.server().decide(move |call| {
        let hit = !moved && call.what() == F::OPENING;
        moved |= hit;
        let target = vec![("Location", F::MOVED.to_owned())];
        hit.then(|| Fault::Answer(307, json!({"message": "Moved"}), target))
    });
    _ = forge.job(&repo).run().success();
    assert_eq!((pulls(&forge).len(), tries(&forge, F::OPENING)), (1, 2));
    // No token goes to another host.
    let (repo, forge) = ground::<F>();
    let elsewhere = vec![("Location", "http://elsewhere.example/".to_owned())];
    forge.server().fail(F::LISTING, usize::MAX, &Fault::Answer(302, json!({}), elsewhere));
    let outcome = forge.job(&repo).run().code(6);
    assert!(outcome.stderr().contains("redirects to another host"), "{outcome:?}");
    assert_eq!(forge.server().take_calls().len(), 1);
}

pub(crate) fn a_server_that_does_not_answer_is_given_up<F: Hosted>() {
    let (repo, forge) = ground::<F>();
    forge.server().fail(F::LISTING, usize::MAX, &Fault::Hang);
    let outcome = forge.job(&repo).variable("HYDRATOR_FORGE_TIMEOUT", "1").run().code(6);
    assert!(outcome.stderr().contains("no answer came"), "{outcome:?}");
}

pub(crate) fn an_answer_of_a_login_page_is_an_error<F: Hosted>() {
    let (repo, forge) = ground::<F>();
    forge.server().fail(F::LISTING, usize::MAX, &Fault::Text(200, "<html>Please log in</html>"));
    let outcome = forge.job(&repo).run().code(6);
    assert!(outcome.stderr().contains("the answer is not JSON: <html>Please log in"), "{outcome:?}");
    assert_eq!(forge.server().take_calls().len(), 1);
}

pub(crate) fn one_environment_that_is_refused_does_not_stop_the_others<F: Hosted>() {
    let repo = repo_of(&ENVIRONMENTS);
    let forge = F::start(&repo);
    forge.server().decide(|call| {
        let staging =
            call.what() == F::OPENING && call.body.to_string().contains("\"hydrator/staging-next\"");
        staging.then(|| Fault::refusal(422, "A rule of ours"))
    });
    let outcome = forge.job(&repo).run().code(6);
    assert_eq!(operations(&outcome), ["created", "failed", "created"]);
    assert!(error(&outcome, 1)["message"].as_str().unwrap().contains("A rule of ours"), "{outcome:?}");
    for text in [outcome.stdout(), outcome.stderr()] {
        assert!(!text.contains(TOKEN), "{text}");
    }
    forge.server().recover();
    assert_eq!(operations(&forge.job(&repo).run().success()), ["none", "created", "none"]);
}
