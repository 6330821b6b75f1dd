//! Notes, members and deployments, asked of GitLab by the library.

use hydrator::forge::{Conversation as _, Deployment, Permission, Reaction, Records as _};
use hydrator::model::CommitId;

use super::*;
use crate::forge_server::state::{Deployed, Method};

fn ground() -> (TestRepo, GitLab) {
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    gitlab.server.take_calls();
    (repo, gitlab)
}

fn tip(repo: &TestRepo, branch: &str) -> CommitId {
    CommitId::parse(&repo.tip(branch).unwrap()).unwrap()
}

#[test]
fn notes_are_read_over_all_pages_and_ours_are_known() {
    let (_repo, gitlab) = ground();
    gitlab.server.with(|state| {
        for number in 0..150 {
            state.say(1, "alice", &format!("comment {number}"));
        }
    });
    let forge = gitlab.forge(None);
    let ours = forge.say(1, "ours").unwrap();
    let all = forge.comments(1).unwrap();
    assert_eq!(all.len(), 151, "what GitLab notes itself is no comment");
    assert_eq!(all[150], ours);
    assert!(all.iter().filter(|comment| comment.mine).eq([&ours]));
    assert!(ours.url.ends_with(&format!("/acme/shop/-/merge_requests/1#note_{}", ours.id)), "{}", ours.url);
    forge.change_comment(1, ours.id, "changed\n/close").unwrap();
    let changed = forge.comments(1).unwrap()[150].body.clone();
    assert!(changed.starts_with("changed\n\\/close"), "{changed}");
    let refused = forge.change_comment(1, all[0].id, "x").unwrap_err().to_string();
    assert!(refused.contains("cannot change a note on merge request !1"), "{refused}");
    forge.delete_comment(1, ours.id).unwrap();
    forge.delete_comment(1, ours.id).unwrap();
    assert_eq!(forge.comments(1).unwrap().len(), 150);
    assert!(forge.comments(9).unwrap_err().to_string().contains("!9"));
}

#[test]
fn what_was_lost_is_looked_for() {
    let (repo, gitlab) = ground();
    let forge = gitlab.forge(None);
    gitlab.server.with(|state| state.say(1, "mallory", "hello"));
    gitlab.server.fail("/notes", 1, &Fault::Lost);
    let said = forge.say(1, "hello").unwrap();
    let ids: Vec<u64> = pull(&gitlab, 1).comments.iter().map(|said| said.id).collect();
    assert_eq!((ids.len(), ids[1]), (2, said.id));
    gitlab.server.fail("/award_emoji", 1, &Fault::Lost);
    assert!(
        forge.react(1, said.id, Reaction::Done).unwrap(),
        "it was done, and by us as far as anybody knows"
    );
    assert!(!forge.react(1, said.id, Reaction::Done).unwrap());
    assert!(forge.is_answered(1, said.id).unwrap());
    assert!(forge.react(1, said.id, Reaction::Seen).unwrap());
    assert!(forge.react(1, 7, Reaction::Seen).is_err(), "there is no such note");
    gitlab.server.fail("/deployments", 1, &Fault::Lost);
    forge.record_deployment(&deployment(&repo, "hydrator/dev-next")).unwrap();
    assert_eq!(gitlab.server.with(|state| state.deployments.len()), 1);
}

fn deployment(repo: &TestRepo, branch: &str) -> Deployment {
    let description = "any words".to_owned();
    Deployment { environment: "dev".to_owned(), commit: tip(repo, branch), description, url: None }
}

#[test]
fn deployments_are_recorded_once_and_those_of_others_do_not_count() {
    let (repo, gitlab) = ground();
    let record = |branch: &str| {
        let forge = gitlab.forge(None);
        forge.deployments(&["dev", "prod"]).unwrap();
        forge.record_deployment(&deployment(&repo, branch)).unwrap();
    };
    for (branch, count) in [("main", 1), ("main", 1), ("hydrator/dev-next", 2), ("main", 3)] {
        record(branch);
        assert_eq!(gitlab.server.with(|state| state.deployments.len()), count, "{branch}");
    }
    gitlab.server.take_calls();
    let found = gitlab.forge(None).deployments(&["dev", "prod"]).unwrap();
    assert_eq!(found["dev"].commit, tip(&repo, "main"));
    assert!(!found.contains_key("prod"));
    assert_eq!(asked(&gitlab.server.take_calls()), ["environments", "GET /user"]);
    // A job deploys to it, too: ours is below that one.
    gitlab.server.with(|state| {
        let commit = state.tip("hydrator/dev").unwrap().to_string();
        let (environment, task) = ("dev".to_owned(), "deploy".to_owned());
        let description = String::new();
        state.deployments.push(Deployed {
            id: 70,
            environment,
            commit,
            task,
            description,
            statuses: Vec::new(),
            created_at: 0,
        });
    });
    for names in [&["dev", "prod"][..], &["dev"]] {
        let found = gitlab.forge(None).deployments(names).unwrap();
        assert_eq!(found["dev"].commit, tip(&repo, "main"));
    }
}

#[test]
fn a_head_is_as_old_as_its_first_version() {
    let (repo, gitlab) = ground();
    let (head, before) = (tip(&repo, "hydrator/dev-next").to_string(), "1".repeat(40));
    let version = |id: u64, head: &str| json!({"id": id, "head_commit_sha": head, "created_at": format!("2026-01-01T10:00:0{id}.123Z")});
    let asked = |versions: Value| {
        gitlab.server.fail("/versions", 1, &Fault::Answer(200, versions, Vec::new()));
        let found = gitlab.forge(None).head_since(1).unwrap();
        found.map(|(head, since)| (head.to_string(), since.to_string()))
    };
    // The base moved twice under the same head, which had been there before.
    let all = json!([5, 4, 3, 2, 1].map(|id| version(id, if id == 2 { &before } else { &head })));
    assert_eq!(asked(all), Some((head.clone(), "2026-01-01T10:00:03.123Z".to_owned())));
    assert_eq!(asked(json!([])), None);
    assert_eq!(asked(json!([{"id": 1, "head_commit_sha": null, "created_at": null}])), None);
    assert!(gitlab.forge(None).head_since(9).unwrap_err().to_string().contains("!9"));
}

#[test]
fn permissions_are_gitlabs_levels() {
    let (_repo, gitlab) = ground();
    gitlab.server.with(|state| {
        for (login, word) in [("dora", "admin"), ("rita", "read"), ("nina", "none")] {
            state.permissions.insert(login.to_owned(), word.to_owned());
        }
    });
    let forge = gitlab.forge(None);
    let found = ["dora", "alice", "rita", "nina", "mallory", "stranger"]
        .map(|login| forge.permission(login).unwrap());
    let none = Permission::None;
    assert_eq!(found, [Permission::Admin, Permission::Write, Permission::Read, none, none, none]);
}

#[test]
fn a_commit_knows_what_brought_it_in() {
    let (repo, gitlab) = ground();
    let forge = gitlab.forge(None);
    let (head, before) = (tip(&repo, "hydrator/dev-next"), tip(&repo, "hydrator/dev"));
    assert!(forge.landings(&[head]).unwrap()[&head].pull_requests.is_empty(), "it is not merged yet");
    let ours = forge.say(1, "ours").unwrap();
    gitlab.server.with(|state| {
        for number in 0..120 {
            state.say(1, "alice", &format!("comment {number}"));
        }
        state.merge(1, Method::Merge);
    });
    let made = tip(&repo, "hydrator/dev");
    let unknown = CommitId::parse(&"1".repeat(40)).unwrap();
    let found = forge.landings(&[made, head, before, unknown]).unwrap();
    assert!(found[&before].pull_requests.is_empty() && found[&unknown].pull_requests.is_empty());
    assert!(found[&head].statuses.iter().any(|status| status.context == "hydrator/promotion"));
    for commit in [made, head] {
        let [merged] = found[&commit].pull_requests.as_slice() else { panic!("{found:?}") };
        assert_eq!((merged.number, merged.merge_commit), (1, Some(made)));
        assert_eq!(merged.own_comments, std::slice::from_ref(&ours));
    }
}

#[test]
fn a_label_is_taken_off_and_others_stay() {
    let (_repo, gitlab) = ground();
    gitlab
        .server
        .with(|state| state.pull(1).unwrap().labels = ["hold", "Hold", "mine"].map(str::to_owned).into());
    let forge = gitlab.forge(None);
    forge.remove_label(1, "hold").unwrap();
    forge.remove_label(1, "hold").unwrap();
    assert_eq!(pull(&gitlab, 1).labels, ["mine"]);
}
