//! The life of pull requests, from the first push to the merge, through the program.

use std::time::Duration;

use super::*;
use crate::forge_server::Fault;
use crate::forge_server::state::Method;
use crate::support::hydrating::NOTES;

pub(crate) fn pushes_open_update_and_close_pull_requests<F: Hosted>() {
    let repo = repo_of(&ENVIRONMENTS);
    let forge = F::start(&repo);
    let outcome = forge.job(&repo).run().success();
    assert_eq!(operations(&outcome), ["created"; 3]);
    let first = pulls(&forge);
    let heads: Vec<&str> = first.iter().map(|one| one.2.as_str()).collect();
    assert_eq!(heads, ["hydrator/dev-next", "hydrator/staging-next", "hydrator/prod-next"]);
    assert!(first.iter().all(|one| one.1 == Life::Open), "{first:?}");
    let report = outcome.json();
    let url = report["environments"][0]["pullRequest"]["url"].as_str().unwrap().to_owned();
    assert!(url.ends_with(F::FIRST_PAGE), "{url}");

    set(&repo, &["dev"], "second");
    let outcome = forge.job(&repo).run().success();
    assert_eq!(operations(&outcome)[0], "updated");
    let second = pulls(&forge);
    assert_eq!(second.len(), 3);
    assert_ne!(second[0].3, first[0].3, "the title says what is new");
    assert_eq!(pull(&forge, 1).head_sha, repo.tip("hydrator/dev-next").unwrap());

    for number in 1..=3 {
        forge.server().with(|state| state.merge(number, Method::Merge).unwrap());
    }
    set(&repo, &["dev"], "third");
    _ = forge.job(&repo).run().success();
    assert_eq!(pulls(&forge).len(), 4);
    set(&repo, &["dev"], "second");
    let outcome = forge.job(&repo).run().success();
    assert_eq!(operations(&outcome)[0], "closed");
    let closed = pull(&forge, 4);
    assert_eq!(closed.life, Life::Closed, "closed by us, not by a push");
    assert!(closed.comments[0].body.contains("The change went away"), "{:?}", closed.comments);
    assert_eq!(repo.tip("hydrator/dev-next"), repo.tip("hydrator/dev"));
}

pub(crate) fn after_every_way_to_merge_the_next_change_gets_a_new_pull_request<F: Hosted>() {
    for method in [Method::Merge, Method::Squash, Method::Rebase] {
        let repo = repo_of(&["dev"]);
        let forge = F::start(&repo);
        _ = forge.job(&repo).run().success();
        forge.server().with(|state| state.merge(1, method).unwrap());
        let quiet = forge.job(&repo).run().success();
        assert_eq!(operations(&quiet), ["none"], "{method:?}");
        set(&repo, &["dev"], "second");
        assert_eq!(operations(&forge.job(&repo).run().success()), ["created"], "{method:?}");
        let all = pulls(&forge);
        assert_eq!((all[0].1, all[1].1), (Life::Merged, Life::Open), "{method:?}");
        forge.server().with(|state| state.merge(2, method).expect("there is no conflict"));
        assert!(repo.show("hydrator/dev", "app/manifest.yaml").contains("second"));
    }
}

pub(crate) fn a_deleted_branch_after_a_merge_is_made_again<F: Hosted>() {
    let repo = repo_of(&["dev"]);
    let forge = F::start(&repo);
    forge.server().with(|state| state.delete_branch_on_merge = true);
    _ = forge.job(&repo).run().success();
    forge.server().with(|state| state.merge(1, Method::Squash).unwrap());
    assert_eq!(repo.tip("hydrator/dev-next"), None);
    set(&repo, &["dev"], "second");
    assert_eq!(operations(&forge.job(&repo).run().success()), ["created"]);
    assert_eq!(pulls(&forge).len(), 2);
}

pub(crate) fn a_run_that_broke_off_between_push_and_pull_request_is_repaired<F: Hosted>() {
    let repo = repo_of(&["dev"]);
    let forge = F::start(&repo);
    forge.server().fail(F::OPENING, usize::MAX, &Fault::Hang);
    let running = forge.job(&repo).limit(Duration::from_secs(30)).start();
    assert!(forge.server().waits_for(F::OPENING), "it never came to that");
    running.signal(rustix::process::Signal::KILL);
    _ = running.wait().killed();
    assert!(repo.tip("hydrator/dev-next").is_some() && pulls(&forge).is_empty());
    forge.server().recover();
    let before = repo.refs();
    assert_eq!(operations(&forge.job(&repo).run().success()), ["created"]);
    assert_eq!(pulls(&forge).len(), 1);
    assert_eq!(repo.refs(), before, "nothing was pushed");
}

pub(crate) fn a_persons_pull_request_from_the_same_branches_is_taken_over<F: Hosted>() {
    let repo = repo_of(&["dev"]);
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    forge.server().with(|state| {
        state.close(1);
        state.viewer = "alice".to_owned();
        state.open("hydrator/dev-next", "hydrator/dev", "By hand", "text").unwrap();
        state.viewer = "hydrator-app[bot]".to_owned();
    });
    _ = forge.job(&repo).run().success();
    let taken = pull(&forge, 2);
    assert!(taken.title.contains("Set first") && taken.body.contains("hydrator"), "{taken:?}");
    assert_eq!(pulls(&forge).len(), 2);
}

pub(crate) fn what_a_person_closed_stays_closed_until_it_changes<F: Hosted>() {
    let repo = repo_of(&["dev"]);
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    forge.server().with(|state| state.close(1));
    assert_eq!(operations(&forge.job(&repo).run().success()), ["rejected"]);
    assert_eq!(pulls(&forge).len(), 1);
    set(&repo, &["dev"], "second");
    assert_eq!(operations(&forge.job(&repo).run().success()), ["created"]);
}

pub(crate) fn pull_requests_from_forks_are_nobodys_business<F: Hosted>() {
    let repo = repo_of(&["dev"]);
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    forge.server().with(|state| {
        let mut copy = state.pulls[0].clone();
        copy.number = 2;
        copy.from_fork = true;
        copy.author = "mallory".to_owned();
        state.pulls.push(copy);
    });
    set(&repo, &["dev"], "second");
    assert_eq!(operations(&forge.job(&repo).run().success()), ["updated"]);
    let theirs = pull(&forge, 2);
    assert!(theirs.is_open() && !theirs.title.contains("second") && theirs.comments.is_empty());
}

pub(crate) fn an_environment_that_left_the_configuration_is_closed_with_a_comment<F: Hosted>() {
    let repo = repo_of(&["dev", "staging"]);
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    let text = repo.show("main", "hydrator.yaml").replace("  - {name: staging}\n", "");
    repo.write("hydrator.yaml", &text);
    repo.remove("apps/staging");
    repo.commit("Drop staging");
    assert_eq!(operations(&forge.job(&repo).run().success()), ["none", "orphan"]);
    let closed = pull(&forge, 2);
    assert_eq!(closed.life, Life::Closed);
    assert!(closed.comments[0].body.contains("left the configuration"));
}

pub(crate) fn hostile_commit_messages_leave_nothing_but_text<F: Hosted>() {
    let repo = repo_of(&["dev"]);
    let forge = F::start(&repo);
    let subject = "@alice fixes #12 ```<!-- x --></details><img src=x> ::set-output name=a::b ##[error]x closes acme/shop#3 ";
    repo.write("apps/dev/x.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: evil\n");
    repo.commit(&format!("{subject}{}\n\n[skip ci]\n::stop-commands::x\n", "long ".repeat(20_000)));
    let outcome = forge.job(&repo).run().success();
    let opened = pull(&forge, 1);
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

pub(crate) fn names_of_every_kind_and_servers_below_a_path_work<F: Hosted>() {
    let repo = TestRepo::new();
    let text = "version: 1
dryBranch: main
branches: {active: 'umgebung/ä.ö/{environment}', proposed: 'umgebung/ä.ö/{environment}-next'}
environments: [{name: dev, pullRequest: {labels: ['größe: klein']}}]
targets: [{path: 'apps/{environment}', name: app}]
";
    repo.write("hydrator.yaml", text);
    set(&repo, &["dev"], "first");
    let forge = F::start_at(&repo, "Acme-Inc", "shop.config_x", "/below");
    assert_eq!(operations(&forge.job(&repo).run().success()), ["created"]);
    set(&repo, &["dev"], "second");
    assert_eq!(operations(&forge.job(&repo).run().success()), ["updated"]);
    let opened = pull(&forge, 1);
    assert_eq!((opened.head.as_str(), opened.base.as_str()), ("umgebung/ä.ö/dev-next", "umgebung/ä.ö/dev"));
    assert_eq!(opened.labels, ["größe: klein"]);
}

pub(crate) fn what_is_pushed_says_once_since_when<F: Hosted>() {
    let repo = repo_with(&["dev"], ", delivery: push, gates: {soak: 1h}");
    let forge = F::start(&repo);
    // The statuses that were set meanwhile, by the commit and the name; nothing else is written.
    let said = |what: &str| -> Vec<(String, String)> {
        let calls = forge.server().take_calls();
        let of_status = |call: &&Call| call.is_write() && call.path.contains("/statuses/");
        let told: Vec<(String, String)> = calls.iter().filter(of_status).map(named).collect();
        assert_eq!(writes(&calls).len(), told.len(), "{what}: {:?}", asked(&calls));
        told
    };
    let named_active = |what: &str| {
        let commits = said(what).into_iter().filter(|(_, name)| name == "hydrator/active");
        commits.map(|(commit, _)| commit).collect::<Vec<_>>()
    };
    let quiet = |what: &str| {
        for command in ["run", "promote", "run"] {
            _ = forge.command(&repo, command).run().success();
            assert_eq!(said(what), Vec::new(), "{what}, {command}");
        }
    };
    for value in ["first", "second", "third"] {
        set(&repo, &["dev"], value);
        _ = forge.job(&repo).run().success();
        assert_eq!(named_active(value), [repo.tip("hydrator/dev").unwrap()]);
        quiet(value);
    }
    let before = repo.tip("hydrator/dev");
    let arguments = ["--environment", "dev", "--push", "--actor", "alice"];
    _ = forge.command(&repo, "rollback").arguments(arguments).run().success();
    assert_ne!(repo.tip("hydrator/dev"), before);
    assert_eq!(named_active("rolled back"), [repo.tip("hydrator/dev").unwrap()]);
    _ = forge.command(&repo, "run").run().success();
    assert_eq!(named_active("the run after it"), Vec::<String>::new());
    quiet("rolled back");
    _ = forge.command(&repo, "resume").arguments(["--environment", "dev"]).run().success();
    assert_eq!(named_active("resumed"), [repo.tip("hydrator/dev").unwrap()]);
    _ = forge.command(&repo, "run").run().success();
    assert_eq!(named_active("the run after that"), Vec::<String>::new());
    quiet("resumed");
}

/// The commit and the name of a status that is set.
fn named(call: &Call) -> (String, String) {
    let commit = call.path.rsplit('/').next().unwrap_or_default().to_owned();
    let name = call.body["context"].as_str().or_else(|| call.body["name"].as_str());
    (commit, name.unwrap_or_default().to_owned())
}
