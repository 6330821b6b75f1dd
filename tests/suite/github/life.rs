//! The life of pull requests, from the first push to the merge, through the program.

use std::time::Duration;

use super::*;
use crate::forge_server::Fault;
use crate::forge_server::state::Method;
use crate::support::hydrating::NOTES;

#[test]
fn pushes_open_update_and_close_pull_requests() {
    let repo = repo_of(&ENVIRONMENTS);
    let github = GitHub::start(&repo);
    let outcome = github.job(&repo).run().success();
    assert_eq!(operations(&outcome), ["created"; 3]);
    let first = pulls(&github);
    let heads: Vec<&str> = first.iter().map(|one| one.2.as_str()).collect();
    assert_eq!(heads, ["hydrator/dev-next", "hydrator/staging-next", "hydrator/prod-next"]);
    assert!(first.iter().all(|one| one.1 == Life::Open), "{first:?}");
    let report = outcome.json();
    let url = report["environments"][0]["pullRequest"]["url"].as_str().unwrap().to_owned();
    assert!(url.ends_with("/acme/shop/pull/1"), "{url}");

    set(&repo, &["dev"], "second");
    let outcome = github.job(&repo).run().success();
    assert_eq!(operations(&outcome)[0], "updated");
    let second = pulls(&github);
    assert_eq!(second.len(), 3);
    assert_ne!(second[0].3, first[0].3, "the title says what is new");
    assert_eq!(pull(&github, 1).head_sha, repo.tip("hydrator/dev-next").unwrap());

    for number in 1..=3 {
        github.server.with(|state| state.merge(number, Method::Merge).unwrap());
    }
    set(&repo, &["dev"], "third");
    _ = github.job(&repo).run().success();
    assert_eq!(pulls(&github).len(), 4);
    set(&repo, &["dev"], "second");
    let outcome = github.job(&repo).run().success();
    assert_eq!(operations(&outcome)[0], "closed");
    let closed = pull(&github, 4);
    assert_eq!(closed.life, Life::Closed, "closed by us, not by a push");
    assert!(closed.comments[0].body.contains("The change went away"), "{:?}", closed.comments);
    assert_eq!(repo.tip("hydrator/dev-next"), repo.tip("hydrator/dev"));
}

#[test]
fn after_every_way_to_merge_the_next_change_gets_a_new_pull_request() {
    for method in [Method::Merge, Method::Squash, Method::Rebase] {
        let repo = repo_of(&["dev"]);
        let github = GitHub::start(&repo);
        _ = github.job(&repo).run().success();
        github.server.with(|state| state.merge(1, method).unwrap());
        let quiet = github.job(&repo).run().success();
        assert_eq!(operations(&quiet), ["none"], "{method:?}");
        set(&repo, &["dev"], "second");
        assert_eq!(operations(&github.job(&repo).run().success()), ["created"], "{method:?}");
        let all = pulls(&github);
        assert_eq!((all[0].1, all[1].1), (Life::Merged, Life::Open), "{method:?}");
        github.server.with(|state| state.merge(2, method).expect("there is no conflict"));
        assert!(repo.show("hydrator/dev", "app/manifest.yaml").contains("second"));
    }
}

#[test]
fn a_deleted_branch_after_a_merge_is_made_again() {
    let repo = repo_of(&["dev"]);
    let github = GitHub::start(&repo);
    github.server.with(|state| state.delete_branch_on_merge = true);
    _ = github.job(&repo).run().success();
    github.server.with(|state| state.merge(1, Method::Squash).unwrap());
    assert_eq!(repo.tip("hydrator/dev-next"), None);
    set(&repo, &["dev"], "second");
    assert_eq!(operations(&github.job(&repo).run().success()), ["created"]);
    assert_eq!(pulls(&github).len(), 2);
}

#[test]
fn a_run_that_broke_off_between_push_and_pull_request_is_repaired() {
    let repo = repo_of(&["dev"]);
    let github = GitHub::start(&repo);
    github.server.fail("POST /repos/acme/shop/pulls", usize::MAX, &Fault::Hang);
    let running = github.job(&repo).limit(Duration::from_secs(30)).start();
    assert!(github.server.waits_for("POST /repos/acme/shop/pulls"), "it never came to that");
    running.signal(rustix::process::Signal::KILL);
    _ = running.wait().killed();
    assert!(repo.tip("hydrator/dev-next").is_some() && pulls(&github).is_empty());
    github.server.recover();
    let before = repo.refs();
    assert_eq!(operations(&github.job(&repo).run().success()), ["created"]);
    assert_eq!(pulls(&github).len(), 1);
    assert_eq!(repo.refs(), before, "nothing was pushed");
}

#[test]
fn a_persons_pull_request_from_the_same_branches_is_taken_over() {
    let repo = repo_of(&["dev"]);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    github.server.with(|state| {
        state.close(1);
        state.viewer = "alice".to_owned();
        state.open("hydrator/dev-next", "hydrator/dev", "By hand", "text").unwrap();
        state.viewer = "hydrator-app[bot]".to_owned();
    });
    _ = github.job(&repo).run().success();
    let taken = pull(&github, 2);
    assert!(taken.title.contains("Set first") && taken.body.contains("hydrator"), "{taken:?}");
    assert_eq!(pulls(&github).len(), 2);
}

#[test]
fn what_a_person_closed_stays_closed_until_it_changes() {
    let repo = repo_of(&["dev"]);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    github.server.with(|state| state.close(1));
    assert_eq!(operations(&github.job(&repo).run().success()), ["rejected"]);
    assert_eq!(pulls(&github).len(), 1);
    set(&repo, &["dev"], "second");
    assert_eq!(operations(&github.job(&repo).run().success()), ["created"]);
}

#[test]
fn pull_requests_from_forks_are_nobodys_business() {
    let repo = repo_of(&["dev"]);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    github.server.with(|state| {
        let mut copy = state.pulls[0].clone();
        copy.number = 2;
        copy.from_fork = true;
        copy.author = "mallory".to_owned();
        state.pulls.push(copy);
    });
    set(&repo, &["dev"], "second");
    assert_eq!(operations(&github.job(&repo).run().success()), ["updated"]);
    let theirs = pull(&github, 2);
    assert!(theirs.is_open() && !theirs.title.contains("second") && theirs.comments.is_empty());
}

#[test]
fn labels_and_people_are_added_once_and_never_taken_away() {
    let more =
        ", pullRequest: {labels: [production], reviewers: [alice], teamReviewers: [sre], assignees: [bob]}";
    let repo = repo_with(&["dev"], more);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    let opened = pull(&github, 1);
    assert_eq!(opened.labels, ["production"]);
    assert_eq!(
        (opened.reviewers, opened.teams, opened.assignees),
        (vec!["alice".to_owned()], vec!["sre".to_owned()], vec!["bob".to_owned()])
    );
    // A reviewer answers, another one is taken off by a person, and a person adds a label.
    github.server.with(|state| {
        let pull = state.pull(1).unwrap();
        pull.reviewers.clear();
        pull.teams.clear();
        pull.reviews.push(("alice".to_owned(), true));
        pull.labels.push("urgent".to_owned());
    });
    github.server.take_calls();
    _ = github.job(&repo).run().success();
    assert_eq!(writes(&github.server.take_calls()), Vec::<String>::new());
    assert_eq!(pull(&github, 1).labels, ["production", "urgent"]);
    // A label that somebody took off is put on again: it is what the configuration says.
    github.server.with(|state| state.pull(1).unwrap().labels.clear());
    _ = github.job(&repo).run().success();
    assert_eq!(writes(&github.server.take_calls()), ["POST /repos/acme/shop/issues/1/labels"]);
}

#[test]
fn an_environment_that_left_the_configuration_is_closed_with_a_comment() {
    let repo = repo_of(&["dev", "staging"]);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    let text = repo.show("main", "hydrator.yaml").replace("  - {name: staging}\n", "");
    repo.write("hydrator.yaml", &text);
    repo.remove("apps/staging");
    repo.commit("Drop staging");
    assert_eq!(operations(&github.job(&repo).run().success()), ["none", "orphan"]);
    let closed = pull(&github, 2);
    assert_eq!(closed.life, Life::Closed);
    assert!(closed.comments[0].body.contains("left the configuration"));
}

#[test]
fn hostile_commit_messages_leave_nothing_but_text() {
    let repo = repo_of(&["dev"]);
    let github = GitHub::start(&repo);
    let subject = "@alice fixes #12 ```<!-- x --></details><img src=x> ::set-output name=a::b ##[error]x closes acme/shop#3 ";
    repo.write("apps/dev/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: evil\n");
    repo.commit(&format!("{subject}{}\n\n[skip ci]\n::stop-commands::x\n", "long ".repeat(20_000)));
    let outcome = github.job(&repo).run().success();
    let opened = pull(&github, 1);
    assert!(opened.title.chars().count() <= 200 && opened.body.chars().count() <= 60_000);
    // A title is plain text to GitHub; in a body all of this would do something.
    for sign in ["@alice", "fixes #12", "shop#3", "<img", "</details><"] {
        assert!(!opened.body.contains(sign), "{sign}: {}", opened.body);
    }
    assert!(!opened.title.contains("[skip ci]") && !opened.body.contains("[skip ci]"));
    for text in [outcome.stdout(), outcome.stderr()] {
        let command =
            text.lines().find(|line| line.trim_start().starts_with("::set-output") || line.contains("##["));
        assert_eq!(command, None);
    }
    assert!(repo.notes(NOTES).len() == 1);
}

#[test]
fn names_of_every_kind_and_servers_below_a_path_work() {
    let repo = TestRepo::new();
    let text = "version: 1
dryBranch: main
branches: {active: 'umgebung/ä.ö/{environment}', proposed: 'umgebung/ä.ö/{environment}-next'}
environments: [{name: dev, pullRequest: {labels: ['größe: klein']}}]
targets: [{path: 'apps/{environment}', name: app}]
";
    repo.write("hydrator.yaml", text);
    set(&repo, &["dev"], "first");
    let github = GitHub::start_at(&repo, "Acme-Inc", "shop.config_x", "/git hub".replace(' ', "-").as_str());
    assert_eq!(operations(&github.job(&repo).run().success()), ["created"]);
    set(&repo, &["dev"], "second");
    assert_eq!(operations(&github.job(&repo).run().success()), ["updated"]);
    let opened = pull(&github, 1);
    assert_eq!((opened.head.as_str(), opened.base.as_str()), ("umgebung/ä.ö/dev-next", "umgebung/ä.ö/dev"));
    assert_eq!(opened.labels, ["größe: klein"]);
}

#[test]
fn delivery_by_branch_ends_with_a_link() {
    let repo = repo_with(&["dev"], ", delivery: branch");
    let github = GitHub::start(&repo);
    let outcome = github.command(&repo, "run").run().success();
    assert!(
        outcome.stdout().contains("/acme/shop/compare/hydrator/dev...hydrator/dev-next?expand=1"),
        "{outcome:?}"
    );
    assert!(pulls(&github).is_empty());
}
