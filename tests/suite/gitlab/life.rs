//! The life of a merge request: the stories that all forges share, and what is GitLab's own in it.

use super::*;
use crate::forge_server::state::Method;

crate::stories::on!(GitLab, life);
crate::stories::on!(GitLab, rejected);
crate::stories::on!(GitLab, waiting);
crate::stories::on!(GitLab, as_previewed);

#[test]
fn labels_and_people_come_with_the_opening_and_are_added_later() {
    let more =
        ", pullRequest: {labels: [production, 'größe: klein'], reviewers: [alice, bob], assignees: [Bob]}";
    let repo = repo_with(&["dev"], more);
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    let opened = pull(&gitlab, 1);
    assert_eq!(opened.labels, ["production", "größe: klein"]);
    assert_eq!(
        (opened.reviewers, opened.assignees),
        (vec!["alice".to_owned(), "bob".to_owned()], vec!["bob".to_owned()])
    );
    let status = format!("POST /projects/42/statuses/{}", pull(&gitlab, 1).head_sha);
    assert_eq!(writes(&gitlab.server.take_calls()), [status.as_str(), GitLab::OPENING]);
    // People add what they like, and take away what the configuration says.
    gitlab.server.with(|state| {
        let pull = state.pull(1).unwrap();
        pull.reviewers = vec!["carol".to_owned(), "bob".to_owned()];
        pull.labels = vec!["urgent".to_owned()];
    });
    _ = gitlab.job(&repo).run().success();
    assert_eq!(writes(&gitlab.server.take_calls()), ["PUT /projects/42/merge_requests/1"]);
    let now = pull(&gitlab, 1);
    assert_eq!(now.labels, ["urgent", "production", "größe: klein"]);
    assert_eq!(now.reviewers, ["alice", "bob", "carol"], "nobody is replaced");
    _ = gitlab.job(&repo).run().success();
    assert!(writes(&gitlab.server.take_calls()).is_empty());
}

#[test]
fn labels_are_what_is_written_and_one_of_a_scope_is_enough() {
    let repo =
        repo_with(&["dev"], ", pullRequest: {labels: [Production, 'env::a', 'env::b'], reviewers: [Alice]}");
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    assert_eq!(pull(&gitlab, 1).labels, ["Production", "env::b"]);
    gitlab.server.take_calls();
    _ = gitlab.job(&repo).run().success();
    let calls = gitlab.server.take_calls();
    assert!(calls.len() <= 2 && writes(&calls).is_empty(), "{:?}", asked(&calls));
    gitlab
        .server
        .with(|state| state.pull(1).unwrap().labels = vec!["production".to_owned(), "env::c".to_owned()]);
    _ = gitlab.job(&repo).run().success();
    assert_eq!(pull(&gitlab, 1).labels, ["production", "Production", "env::b"]);
}

#[test]
fn a_rollback_that_a_person_squashes_is_no_revert() {
    for method in [Method::Merge, Method::Rebase] {
        let repo = repo_of(&["dev"]);
        let gitlab = GitLab::start(&repo);
        gitlab.server.with(|state| state.default_method = method);
        _ = gitlab.job(&repo).run().success();
        gitlab.server.with(|state| state.merge(1, Method::Squash).unwrap());
        set(&repo, &["dev"], "second");
        _ = gitlab.job(&repo).run().success();
        gitlab.server.with(|state| state.merge(2, Method::Squash).unwrap());
        let arguments = ["--environment", "dev", "--no-hold"];
        _ = gitlab.command(&repo, "rollback").arguments(arguments).run().success();
        // GitLab's button says the title alone, and takes the branch away.
        gitlab.server.with(|state| {
            state.delete_branch_on_merge = true;
            state.merge(3, Method::Squash).unwrap();
        });
        let outcome = gitlab.job(&repo).run().success();
        assert_eq!(operations(&outcome), ["created"], "{method:?}: {outcome:?}");
        assert_eq!(pulls(&gitlab)[3].1, Life::Open);
        // What somebody really takes back stays so, whoever squashed it.
        gitlab.server.with(|state| state.merge(4, Method::Squash).unwrap());
        repo.person().revert("hydrator/dev", "HEAD");
        let outcome = gitlab.job(&repo).run().success();
        assert_eq!(operations(&outcome), ["held"], "{method:?}: {outcome:?}");
    }
}

#[test]
fn a_push_that_gitlab_sees_late_is_merged_all_the_same() {
    let repo = repo_with(&["dev"], ", autoMerge: true");
    let gitlab = GitLab::start(&repo);
    gitlab.server.with(|state| state.required_reviews = 1);
    _ = gitlab.job(&repo).run().success();
    assert_eq!(pull(&gitlab, 1).life, Life::Open, "an approval is missing");
    let late = |value: &str, looks: u32| {
        set(&repo, &["dev"], value);
        gitlab.server.with(|state| (state.required_reviews, state.late_heads) = (0, looks));
        gitlab.command(&repo, "run").run().success()
    };
    let outcome = late("second", u32::MAX);
    assert!(outcome.stdout().contains("the forge has not seen the push yet"), "{outcome:?}");
    assert_eq!(pull(&gitlab, 1).life, Life::Open);
    let outcome = late("third", 3);
    assert_eq!(pull(&gitlab, 1).life, Life::Merged, "{outcome:?}");
    assert!(repo.show("hydrator/dev", "app/manifest.yaml").contains("third"));
}

#[test]
fn drafts_are_titles_and_a_title_is_no_draft_by_chance() {
    let repo = repo_with(&["dev"], ", pullRequest: {draft: true}");
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    assert!(pull(&gitlab, 1).draft);
    set(&repo, &["dev"], "second");
    gitlab.server.take_calls();
    _ = gitlab.job(&repo).run().success();
    let calls = gitlab.server.take_calls();
    assert!(pull(&gitlab, 1).draft && pull(&gitlab, 1).title.contains("second"), "{:?}", asked(&calls));
    // A person makes it ready, and it stays so.
    gitlab.server.with(|state| state.pull(1).unwrap().draft = false);
    set(&repo, &["dev"], "third");
    _ = gitlab.job(&repo).run().success();
    assert!(!pull(&gitlab, 1).draft && pull(&gitlab, 1).title.contains("third"));
    let repo = repo_with(&["dev"], ", pullRequest: {title: 'Draft: {{ dry.subject }}'}");
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    assert!(!pull(&gitlab, 1).draft);
    gitlab.server.take_calls();
    _ = gitlab.job(&repo).run().success();
    assert!(writes(&gitlab.server.take_calls()).is_empty(), "it reads back as it was meant");
}

#[test]
fn quick_actions_are_text() {
    let template = ", pullRequest: {body: \"Says:\\n\\n{{ dry.body }}\\n/approve\\n  /merge\\n\"}";
    let repo = repo_with(&["dev"], template);
    repo.write("apps/dev/y.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: y\n");
    repo.commit("/close\n\n/label ~x\n/merge\n");
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    let opened = pull(&gitlab, 1);
    assert!(opened.is_open() && opened.labels.is_empty(), "{opened:?}");
    assert!(opened.body.contains("\\/approve") && opened.body.contains("\\/merge"), "{}", opened.body);
    gitlab.server.take_calls();
    _ = gitlab.job(&repo).run().success();
    assert!(writes(&gitlab.server.take_calls()).is_empty());
}

#[test]
fn delivery_by_branch_ends_with_a_link() {
    let repo = repo_with(&["dev"], ", delivery: branch");
    let gitlab = GitLab::start(&repo);
    let outcome = gitlab.command(&repo, "run").run().success();
    assert!(
        outcome.stdout().contains("/acme/shop/-/compare/hydrator/dev...hydrator/dev-next"),
        "{outcome:?}"
    );
    assert!(pulls(&gitlab).is_empty());
}

#[test]
fn groups_nest_and_the_forge_is_found_by_itself() {
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start_at(&repo, "acme/web/team", "shop", "/gitlab");
    _ = gitlab.job(&repo).run().success();
    // A person's shell: the addresses alone, and the path from the remote.
    gitlab.server.with(|state| state.close(1));
    let outcome = gitlab.job(&repo).without("CI_PROJECT_ID").without("GITLAB_CI").run().success();
    assert_eq!(operations(&outcome), ["rejected"]);
    let calls = gitlab.server.take_calls();
    assert_eq!(calls[1].body["variables"]["path"], "acme/web/team/shop", "{:?}", asked(&calls));
    set(&repo, &["dev"], "second");
    _ = gitlab.job(&repo).without("CI_PROJECT_ID").without("GITLAB_CI").run().success();
    let calls = asked(&gitlab.server.take_calls());
    assert!(
        calls.contains(&"POST /projects/acme%2Fweb%2Fteam%2Fshop/merge_requests".to_owned()),
        "{calls:?}"
    );
}
