//! Everything that goes wrong between us and GitLab: each refusal is named with its meaning, what passes is tried again
//! within bounds, and what may have been done already is looked for first.

use super::*;
use crate::support::http::TOKEN;

fn ground() -> (TestRepo, GitLab) {
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start(&repo);
    (repo, gitlab)
}

#[track_caller]
fn says(error: &Value, message: &str, hint: &str) {
    assert!(error["message"].as_str().unwrap().contains(message), "{error:#}");
    assert!(error["hint"].as_str().unwrap_or_default().contains(hint), "{error:#}");
}

/// A run whose opening of the merge request is refused, once and for all.
#[track_caller]
fn refused(fault: &Fault) -> (Value, usize) {
    let (repo, gitlab) = ground();
    gitlab.server.fail(GitLab::OPENING, usize::MAX, fault);
    let outcome = gitlab.job(&repo).run().code(6);
    let tries = asked(&gitlab.server.take_calls()).iter().filter(|what| *what == GitLab::OPENING).count();
    assert!(!outcome.stdout().contains(TOKEN) && !outcome.stderr().contains(TOKEN));
    (error(&outcome, 0), tries)
}

crate::stories::on! { GitLab, failures }

#[test]
fn each_refusal_to_open_has_its_meaning() {
    let list = |status, words: &str| Fault::Answer(status, json!({"message": [words]}), Vec::new());
    let field =
        |field: &str, words: &str| Fault::Answer(400, json!({"message": {field: [words]}}), Vec::new());
    let rows: [(Fault, &str, &str, usize); 8] = [
        (
            list(400, "Source branch \"x\" does not exist"),
            "does not exist",
            "does not see `hydrator/dev-next`",
            4,
        ),
        (list(400, "Target branch \"x\" does not exist"), "does not exist", "does not see `hydrator/dev`", 4),
        (
            list(409, "Another open merge request already exists for this source branch: !9"),
            "!9",
            "close the other one",
            4,
        ),
        (field("title", "is too long (maximum is 255 characters)"), "too long", "`pullRequest.title`", 1),
        (field("description", "is too long"), "too long", "`pullRequest.body`", 1),
        (
            Fault::Answer(403, json!({"error": "insufficient_scope", "scope": "api"}), Vec::new()),
            "insufficient_scope",
            "the scope `api`",
            1,
        ),
        (Fault::refusal(403, "403 Forbidden"), "403 Forbidden", "the role Maintainer", 1),
        (Fault::refusal(422, "Something that nobody knows"), "Something that nobody knows", "", 1),
    ];
    for (fault, message, hint, wanted) in rows {
        let (error, tries) = refused(&fault);
        says(&error, message, hint);
        says(&error, "cannot open a merge request from `hydrator/dev-next` to `hydrator/dev`", "");
        assert_eq!(tries, wanted, "{message}");
    }
}

#[test]
fn a_job_with_its_own_token_says_so_before_anything_is_done() {
    let (repo, gitlab) = ground();
    let refs = repo.refs();
    let job = |command: &str| gitlab.command(&repo, command).without("HYDRATOR_TOKEN");
    for command in ["run", "promote"] {
        let outcome = job(command).run().code(6);
        assert!(outcome.stderr().contains("only the job's own token"), "{outcome:?}");
        assert!(outcome.stderr().contains("project access token"), "{outcome:?}");
        assert!(!outcome.stderr().contains(JOB_TOKEN));
    }
    assert_eq!(repo.refs(), refs);
    // It is enough to look.
    let outcome = job("plan").arguments(["--format", "json"]).run().success();
    assert_eq!(operations(&outcome), ["created"]);
    _ = gitlab.job(&repo).run().success();
    gitlab.server.take_calls();
    _ = job("status").run().success();
    let calls = gitlab.server.take_calls();
    assert!(writes(&calls).is_empty() && !calls.is_empty(), "{:?}", asked(&calls));
}

#[test]
fn no_token_at_all_is_said_before_anything_is_done() {
    let (repo, gitlab) = ground();
    let outcome = gitlab.job(&repo).without("HYDRATOR_TOKEN").without("CI_JOB_TOKEN").run();
    assert_ne!(outcome.exit_code(), Some(0));
    assert!(outcome.stderr().contains("HYDRATOR_TOKEN"), "{outcome:?}");
    assert!(gitlab.server.take_calls().is_empty());
}

#[test]
fn rate_limits_are_waited_for_within_bounds() {
    let limited = |seconds: &str| {
        Fault::Answer(429, json!({"message": "Retry later"}), vec![("Retry-After", seconds.to_owned())])
    };
    let (repo, gitlab) = ground();
    gitlab.server.fail(GitLab::OPENING, 1, &limited("0"));
    let outcome = gitlab.job(&repo).run().success();
    assert!(outcome.stderr().contains("rate limit is used up: waiting 0 s"), "{outcome:?}");
    assert_eq!(pulls(&gitlab).len(), 1);
    // As a proxy in front of GitLab says it.
    let (repo, gitlab) = ground();
    gitlab.server.fail(GitLab::OPENING, 99, &Fault::Text(502, "<html>Bad gateway</html>"));
    _ = gitlab.job(&repo).run().code(6);
    let (error, tries) = refused(&limited("100000"));
    says(&error, "Retry later", "run again later");
    assert_eq!(tries, 1);
}

#[test]
fn what_was_just_pushed_may_be_unseen_for_a_moment() {
    let (repo, gitlab) = ground();
    let unseen = Fault::Answer(400, json!({"message": ["Source branch \"x\" does not exist"]}), Vec::new());
    gitlab.server.fail(GitLab::OPENING, 2, &unseen);
    _ = gitlab.job(&repo).run().success();
    assert_eq!(pulls(&gitlab).len(), 1);
}

#[test]
fn people_who_cannot_be_asked_are_named() {
    for (more, named, hint) in [
        ("reviewers: [mallory]", "GitLab knows no such user name", "user names, not addresses"),
        (
            "reviewers: [stranger]",
            "cannot ask stranger to review merge request !1: GitLab ignores",
            "paid plan",
        ),
        ("assignees: [alice, stranger]", "cannot assign stranger", "`pullRequest.assignees`"),
        ("teamReviewers: [sre]", "cannot ask sre to review", "code owners"),
    ] {
        let repo = repo_with(&["dev"], &format!(", pullRequest: {{{more}}}"));
        let gitlab = GitLab::start(&repo);
        let outcome = gitlab.job(&repo).run().code(6);
        says(&error(&outcome, 0), named, hint);
        assert_eq!(pulls(&gitlab).len(), 1, "it is open all the same");
    }
}

#[test]
fn answers_that_are_no_answers_are_errors() {
    let (repo, gitlab) = ground();
    for (fault, words) in [
        (Fault::Answer(200, json!({"hello": 1}), Vec::new()), "cannot list the open merge requests"),
        (Fault::refusal(404, "404 Project Not Found"), "may see it"),
        (Fault::refusal(401, "401 Unauthorized"), "wrong, expired or revoked"),
    ] {
        gitlab.server.fail("GET /projects/42/merge_requests", usize::MAX, &fault);
        let outcome = gitlab.job(&repo).run().code(6);
        assert!(outcome.stderr().contains(words), "{words}: {outcome:?}");
        assert_eq!(gitlab.server.take_calls().len(), 1, "{fault:?}");
    }
}
