//! Comments, reactions and records on the local forge.

use hydrator::forge::{Comment, Deployment, Permission, Reaction, Records as _};

use super::*;

#[test]
fn comments_are_told_apart_by_their_authors() {
    let ground = Ground::new();
    ground.open();
    let forge = ground.forge();
    let theirs = forge.comment_as("alice", 1, "When?").unwrap();
    let ours = forge.say(1, "Soon").unwrap();
    assert_eq!((theirs.mine, ours.mine), (false, true));
    assert_ne!((theirs.id, &theirs.url), (ours.id, &ours.url));
    forge.change_comment(1, ours.id, "Now").unwrap();
    let said = |all: Vec<Comment>| all.into_iter().map(|one| (one.author, one.body)).collect::<Vec<_>>();
    let pair = |author: &str, body: &str| (author.to_owned(), body.to_owned());
    assert_eq!(said(forge.comments(1).unwrap()), [pair("alice", "When?"), pair("hydrator", "Now")]);
    assert!(forge.react(1, theirs.id, Reaction::Done).unwrap());
    assert!(!forge.react(1, theirs.id, Reaction::Done).unwrap());
    assert_eq!(forge.reactions(1, theirs.id).unwrap(), ["done"]);
    assert_eq!(forge.permission("alice").unwrap(), Permission::Admin);
    forge.delete_comment(1, ours.id).unwrap();
    forge.delete_comment(1, ours.id).unwrap();
    assert_eq!(forge.comments(1).unwrap(), [theirs]);
    assert!(forge.change_comment(1, ours.id, "x").unwrap_err().to_string().contains("no comment 2"));
    assert!(forge.say(2, "x").unwrap_err().to_string().contains("no pull request #2"));
    assert!(forge.say(1, &"x".repeat(65_537)).unwrap_err().to_string().contains("65536 are allowed"));
}

#[test]
fn merged_pull_requests_are_found_by_what_they_brought() {
    for method in [MergeMethod::Merge, MergeMethod::Squash, MergeMethod::Rebase] {
        let ground = Ground::new();
        let before = ground.tip("active");
        let open = ground.open();
        let forge = ground.forge();
        forge.comment_as("alice", 1, "When?").unwrap();
        let ours = forge.say(1, "Soon").unwrap();
        let numbers = |commit| {
            let landing = forge.landings(&[commit]).unwrap().remove(&commit).unwrap();
            landing.pull_requests.iter().map(|one| one.number).collect::<Vec<_>>()
        };
        assert!(numbers(open.head_sha).is_empty(), "it is not merged yet");
        forge.merge(1, open.head_sha, Some(method)).unwrap();
        let made = ground.tip("active");
        assert_eq!((numbers(made), numbers(open.head_sha), numbers(before)), (vec![1], vec![1], Vec::new()));
        let landing = forge.landings(&[made]).unwrap().remove(&made).unwrap();
        assert_eq!(landing.pull_requests[0].merge_commit, Some(made));
        assert_eq!(landing.pull_requests[0].own_comments, [ours]);
    }
}

#[test]
fn the_newest_deployment_counts() {
    let ground = Ground::new();
    let forge = ground.forge();
    assert!(forge.deployments(&["dev"]).unwrap().is_empty());
    let record = |environment: &str, commit| {
        let deployment = Deployment {
            environment: environment.to_owned(),
            commit,
            description: "active".to_owned(),
            url: None,
        };
        forge.record_deployment(&deployment).unwrap();
    };
    record("dev", ground.tip("active"));
    record("dev", ground.tip("next"));
    record("prod", ground.tip("active"));
    let found = forge.deployments(&["dev", "qa"]).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found["dev"].commit, ground.tip("next"));
}
