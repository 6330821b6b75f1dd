//! Comments, permissions and records, asked of GitHub by the library.

use std::collections::BTreeMap;

use hydrator::forge::{
    Announced, Conversation as _, Deployment, Forge as _, Permission, Reaction, Records as _,
};
use hydrator::model::{BranchName, CommitId};
use serde_json::json;

use super::*;
use crate::forge_server::Fault;
use crate::forge_server::state::Method;

fn ground() -> (TestRepo, GitHub) {
    let repo = repo_of(&["dev"]);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    github.server.take_calls();
    (repo, github)
}

fn tip(repo: &TestRepo, branch: &str) -> CommitId {
    CommitId::parse(&repo.tip(branch).unwrap()).unwrap()
}

#[test]
fn comments_are_read_over_all_pages_and_ours_are_known() {
    let (_repo, github) = ground();
    github.server.with(|state| {
        for number in 0..150 {
            state.say(1, "alice", &format!("comment {number}"));
        }
    });
    let forge = github.forge();
    let ours = forge.say(1, "ours").unwrap();
    let all = forge.comments(1).unwrap();
    assert_eq!(all.len(), 151);
    assert_eq!(all[150], ours);
    assert!(all.iter().filter(|comment| comment.mine).eq([&ours]));
    assert!(ours.url.ends_with(&format!("/acme/shop/pull/1#issuecomment-{}", ours.id)), "{}", ours.url);
    forge.change_comment(1, ours.id, "changed").unwrap();
    assert_eq!(forge.comments(1).unwrap()[150].body, "changed");
    let refused = forge.change_comment(1, all[0].id, "x").unwrap_err().to_string();
    assert!(refused.contains("cannot change a comment on pull request #1"), "{refused}");
    forge.delete_comment(1, ours.id).unwrap();
    forge.delete_comment(1, ours.id).unwrap();
    assert_eq!(forge.comments(1).unwrap().len(), 150);
    assert!(forge.comments(9).unwrap_err().to_string().contains("knows none of this number"));
}

#[test]
fn what_was_lost_is_looked_for() {
    let (repo, github) = ground();
    let forge = github.forge();
    github.server.with(|state| state.say(1, "mallory", "hello"));
    github.server.fail("/comments", 1, &Fault::Lost);
    let said = forge.say(1, "hello").unwrap();
    let bodies: Vec<_> =
        pull(&github, 1).comments.iter().map(|said| (said.author.clone(), said.id)).collect();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[1].1, said.id);
    github.server.fail("/reactions", 1, &Fault::Lost);
    assert!(
        forge.react(1, said.id, Reaction::Done).unwrap(),
        "it was done, and by us as far as anybody knows"
    );
    assert!(!forge.react(1, said.id, Reaction::Done).unwrap());
    assert!(forge.is_answered(1, said.id).unwrap());
    let deployment = |text: &str| Deployment {
        environment: "dev".to_owned(),
        commit: tip(&repo, "hydrator/dev-next"),
        description: text.to_owned(),
        url: Some("https://example.com/1".to_owned()),
    };
    github.server.fail("/deployments", 1, &Fault::Lost);
    forge.record_deployment(&deployment("one")).unwrap();
    assert_eq!(github.server.with(|state| state.deployments.len()), 1);
    // One that got no status is finished by the next run.
    github.server.fail("/statuses", 9, &Fault::refusal(422, "Not now"));
    forge.record_deployment(&deployment("two")).unwrap_err();
    github.server.recover();
    let forge = github.forge();
    assert_eq!(forge.deployments(&["dev"]).unwrap().len(), 0);
    forge.record_deployment(&deployment("two")).unwrap();
    assert_eq!(github.server.with(|state| state.deployments.len()), 2);
    assert_eq!(forge.deployments(&["dev", "prod"]).unwrap(), [("dev".to_owned(), deployment("two"))].into());
}

#[test]
fn deployments_of_others_do_not_count() {
    let (repo, github) = ground();
    let commit = repo.tip("main").unwrap();
    github.server.with(|state| {
        state.deployments.push(crate::forge_server::state::Deployed {
            id: 7,
            environment: "dev".to_owned(),
            commit,
            task: "deploy".to_owned(),
            description: String::new(),
            statuses: vec![("success".to_owned(), None)],
            created_at: 0,
        });
    });
    assert!(github.forge().deployments(&["dev"]).unwrap().is_empty());
}

#[test]
fn permissions_are_githubs_words() {
    let (_repo, github) = ground();
    github.server.with(|state| {
        for (login, word) in [("dora", "admin"), ("rita", "read"), ("nina", "none")] {
            state.permissions.insert(login.to_owned(), word.to_owned());
        }
    });
    let forge = github.forge();
    let found = ["dora", "alice", "rita", "nina", "mallory", "some[bot]"]
        .map(|login| forge.permission(login).unwrap());
    let none = Permission::None;
    assert_eq!(found, [Permission::Admin, Permission::Write, Permission::Read, none, none, none]);
}

#[test]
fn a_commit_knows_what_brought_it_in_one_call() {
    let (repo, github) = ground();
    let forge = github.forge();
    let (head, before) = (tip(&repo, "hydrator/dev-next"), tip(&repo, "hydrator/dev"));
    assert!(forge.landings(&[head]).unwrap()[&head].pull_requests.is_empty(), "it is not merged yet");
    let ours = forge.say(1, "ours").unwrap();
    github.server.with(|state| {
        for number in 0..120 {
            state.say(1, "alice", &format!("comment {number}"));
        }
        state.merge(1, Method::Merge);
    });
    let made = tip(&repo, "hydrator/dev");
    github.server.take_calls();
    let found = forge.landings(&[made, head, before]).unwrap();
    assert!(found[&before].pull_requests.is_empty());
    for commit in [made, head] {
        let [merged] = found[&commit].pull_requests.as_slice() else { panic!("{found:?}") };
        assert_eq!((merged.number, merged.merge_commit), (1, Some(made)));
        assert_eq!(merged.own_comments, std::slice::from_ref(&ours), "it is older than the newest hundred");
    }
    // One question, and for each commit the two pages of the comments.
    assert_eq!(
        asked(&github.server.take_calls()),
        ["landings", "comments", "comments", "comments", "comments"]
    );
}

#[test]
fn what_was_announced_comes_along_with_statuses_unless_it_is_refused() {
    let (repo, github) = ground();
    let forge = github.forge();
    let (head, dry) = (tip(&repo, "hydrator/dev-next"), tip(&repo, "main"));
    let announce = || {
        let base = BranchName::new("main").unwrap();
        forge.announce(Announced {
            base,
            newest: vec![dry],
            others: Vec::new(),
            status: "hydrator/progress",
            is_about: |_, _| false,
            branches: BTreeMap::new(),
        });
        github.server.take_calls();
    };
    announce();
    _ = forge.statuses(&[head]).unwrap();
    let along = forge.landings(&[dry]).unwrap();
    assert_eq!(asked(&github.server.take_calls()), ["statuses"]);
    assert!(along[&dry].statuses.iter().any(|status| status.context == "hydrator/progress"), "{along:?}");
    // What was told once is old: it is asked for the second time.
    assert_eq!(forge.landings(&[dry]).unwrap(), along);
    assert_eq!(asked(&github.server.take_calls()), ["landings"]);
    announce();
    let refusal =
        json!({"errors": [{"type": "FORBIDDEN", "message": "Resource not accessible by integration"}]});
    github.server.fail("statuses", 1, &Fault::Answer(200, refusal, Vec::new()));
    _ = forge.statuses(&[head]).unwrap();
    assert_eq!(forge.landings(&[dry]).unwrap(), along);
    assert_eq!(asked(&github.server.take_calls()), ["statuses", "statuses", "landings"]);
}
