//! Everything that goes wrong between us and GitHub: each refusal is named with its meaning, what passes is tried again
//! within bounds, and what may have been done already is looked for first.

use serde_json::json;

use super::*;
use crate::forge_server::Fault;
use crate::support::http::TOKEN;

const OPEN: &str = "POST /repos/acme/shop/pulls";

fn ground() -> (TestRepo, GitHub) {
    let repo = repo_of(&["dev"]);
    let github = GitHub::start(&repo);
    (repo, github)
}

/// A run whose opening of the pull request is refused, once and for all.
#[track_caller]
fn refused(fault: &Fault) -> (Value, usize) {
    let (repo, github) = ground();
    github.server.fail(OPEN, usize::MAX, fault);
    let outcome = github.job(&repo).run().code(6);
    let tries = asked(&github.server.take_calls()).iter().filter(|what| *what == OPEN).count();
    let error = error(&outcome, 0);
    assert_eq!(error["kind"], "forge");
    assert!(!outcome.stdout().contains(TOKEN) && !outcome.stderr().contains(TOKEN));
    (error, tries)
}

#[track_caller]
fn says(error: &Value, message: &str, hint: &str) {
    assert!(error["message"].as_str().unwrap().contains(message), "{error:#}");
    assert!(error["hint"].as_str().unwrap_or_default().contains(hint), "{error:#}");
}

fn custom(text: &str) -> Fault {
    let error = json!({"resource": "PullRequest", "code": "custom", "message": text});
    Fault::Answer(422, json!({"message": "Validation Failed", "errors": [error]}), Vec::new())
}

fn field(field: &str) -> Fault {
    let error = json!({"resource": "PullRequest", "field": field, "code": "invalid"});
    Fault::Answer(422, json!({"message": "Validation Failed", "errors": [error]}), Vec::new())
}

crate::stories::on! { GitHub, failures }

#[test]
fn each_refusal_to_open_has_its_meaning() {
    let rows: [(Fault, &str, &str, usize); 8] = [
        (
            custom("No commits between hydrator/dev and hydrator/dev-next"),
            "No commits between",
            "run again",
            4,
        ),
        (field("head"), "head: invalid", "does not see `hydrator/dev-next`", 4),
        (field("base"), "base: invalid", "does not see `hydrator/dev`", 4),
        (
            custom("The hydrator/dev-next branch has no history in common with hydrator/dev"),
            "no history",
            "delete `hydrator/dev-next`",
            1,
        ),
        (custom("body is too long (maximum is 65536 characters)"), "too long", "`pullRequest.body`", 1),
        (custom("title is too long (maximum is 256 characters)"), "too long", "`pullRequest.title`", 1),
        (
            custom("A pull request already exists for acme:hydrator/dev-next."),
            "already exists",
            "run again",
            4,
        ),
        (custom("Something that nobody knows"), "Something that nobody knows", "", 1),
    ];
    for (fault, message, hint, wanted) in rows {
        let (error, tries) = refused(&fault);
        says(&error, message, hint);
        says(&error, "answered 422", "");
        says(&error, "cannot open a pull request from `hydrator/dev-next` to `hydrator/dev`", "");
        assert_eq!(tries, wanted, "{message}");
    }
}

#[test]
fn permissions_and_settings_are_named() {
    let actions = Fault::refusal(403, "GitHub Actions is not permitted to create or approve pull requests.");
    says(&refused(&actions).0, "answered 403", "Allow GitHub Actions to create and approve pull requests");
    let headers = vec![("X-Accepted-GitHub-Permissions", "pull_requests=write".to_owned())];
    let missing = Fault::Answer(403, json!({"message": "Resource not accessible by integration"}), headers);
    says(&refused(&missing).0, "Resource not accessible by integration", "pull_requests: write");
    let bare = Fault::refusal(403, "Resource not accessible by personal access token");
    says(&refused(&bare).0, "personal access token", "pull-requests: write");
    let gone = Fault::refusal(404, "Not Found");
    says(&refused(&gone).0, "answered 404", "may see it");
    let conflict = Fault::refusal(409, "Git Repository is empty.");
    let (error, tries) = refused(&conflict);
    says(&error, "answered 409: Git Repository is empty.", "");
    assert_eq!(tries, 1);
}

#[test]
fn the_wrong_token_is_said_to_be_wrong() {
    let (repo, github) = ground();
    let outcome = github.job(&repo).variable("HYDRATOR_TOKEN", "wrong-token-4711").run();
    let text = format!("{}{}", outcome.stdout(), outcome.stderr());
    // git is refused first.
    assert!(outcome.exit_code() == Some(5) && !text.contains("wrong-token-4711"), "{outcome:?}");
    github.server.fail("open", 1, &Fault::refusal(401, "Bad credentials"));
    let outcome = github.job(&repo).run().code(6);
    assert!(
        outcome.stderr().contains("Bad credentials") && outcome.stderr().contains("wrong or expired"),
        "{outcome:?}"
    );
}

#[test]
fn no_token_at_all_is_said_before_anything_is_done() {
    let (repo, github) = ground();
    let outcome = github.job(&repo).without("GITHUB_TOKEN").run();
    assert_ne!(outcome.exit_code(), Some(0));
    assert!(
        outcome.stderr().contains("GITHUB_TOKEN") || outcome.stderr().contains("HYDRATOR_TOKEN"),
        "{outcome:?}"
    );
    assert!(github.server.take_calls().is_empty());
}

#[test]
fn rate_limits_are_waited_for_within_bounds() {
    let headers = |seconds: &str| vec![("Retry-After", seconds.to_owned())];
    let limited = |status, seconds: &str| {
        let words = json!({"message": "You have exceeded a secondary rate limit."});
        Fault::Answer(status, words, headers(seconds))
    };
    for status in [403, 429] {
        let (repo, github) = ground();
        github.server.fail(OPEN, 1, &limited(status, "0"));
        let outcome = github.job(&repo).run().success();
        assert!(outcome.stderr().contains("rate limit is used up: waiting 0 s"), "{outcome:?}");
        assert_eq!(pulls(&github).len(), 1);
    }
    let (error, tries) = refused(&limited(403, "100000"));
    says(&error, "secondary rate limit", "run again later");
    assert_eq!(tries, 1);
    let primary = vec![
        ("X-RateLimit-Remaining", "0".to_owned()),
        ("X-RateLimit-Reset", "1767261600".to_owned()),
        ("Date", "Thu, 01 Jan 2026 10:00:00 GMT".to_owned()),
    ];
    let (repo, github) = ground();
    github.server.fail(OPEN, 1, &Fault::Answer(403, json!({"message": "API rate limit exceeded"}), primary));
    let outcome = github.job(&repo).run().success();
    assert!(outcome.stderr().contains("waiting 1 s"), "{outcome:?}");
    let graphql =
        json!({"data": null, "errors": [{"type": "RATE_LIMITED", "message": "API rate limit exceeded"}]});
    github.server.fail("open", 1, &Fault::Answer(200, graphql, headers("0")));
    _ = github.job(&repo).run().success();
}

#[test]
fn what_was_just_pushed_may_be_unseen_for_a_moment() {
    let (repo, github) = ground();
    github.server.fail(OPEN, 2, &field("head"));
    _ = github.job(&repo).run().success();
    assert_eq!(pulls(&github).len(), 1);
    let repo = repo_with(&["dev"], ", pullRequest: {labels: [a]}");
    let github = GitHub::start(&repo);
    let unseen = Fault::refusal(422, "Could not resolve to a node with the global id of 'PR_1'.");
    github.server.fail("/labels", 2, &unseen);
    _ = github.job(&repo).run().success();
    assert_eq!(pull(&github, 1).labels, ["a"]);
}

#[test]
fn drafts_are_opened_as_such_where_they_exist() {
    for supported in [true, false] {
        let repo = repo_with(&["dev"], ", pullRequest: {draft: true}");
        let github = GitHub::start(&repo);
        github.server.with(|state| state.drafts_supported = supported);
        _ = github.job(&repo).run().success();
        assert_eq!(pull(&github, 1).draft, supported);
    }
}

#[test]
fn people_who_cannot_be_asked_are_named() {
    for (more, named, hint) in [
        ("reviewers: [mallory]", "cannot ask mallory to review pull request #1", "must have access"),
        ("teamReviewers: [nobody]", "cannot ask nobody to review pull request #1", "members: read"),
        ("reviewers: ['hydrator-app[bot]']", "cannot ask hydrator-app[bot]", ""),
        ("assignees: [mallory]", "GitHub ignores mallory", "`pullRequest.assignees`"),
    ] {
        let repo = repo_with(&["dev"], &format!(", pullRequest: {{{more}}}"));
        let github = GitHub::start(&repo);
        let outcome = github.job(&repo).run().code(6);
        says(&error(&outcome, 0), named, hint);
        assert_eq!(pulls(&github).len(), 1, "it is open all the same");
    }
}

#[test]
fn answers_that_are_no_answers_are_errors() {
    let (repo, github) = ground();
    for (fault, words) in [
        (Fault::Answer(200, json!({"hello": 1}), Vec::new()), "GraphQL endpoint"),
        (
            Fault::Answer(200, json!({"data": {"repository": null}}), Vec::new()),
            "shows this token no such repository",
        ),
        (
            Fault::Answer(200, json!({"errors": [{"message": "Field 'x' doesn't exist"}]}), Vec::new()),
            "Field 'x' doesn't exist",
        ),
    ] {
        github.server.fail("open", usize::MAX, &fault);
        let outcome = github.job(&repo).run().code(6);
        assert!(outcome.stderr().contains(words), "{words}: {outcome:?}");
        assert_eq!(github.server.take_calls().len(), 1, "{fault:?}");
    }
}
