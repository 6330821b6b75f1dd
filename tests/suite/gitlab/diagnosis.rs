//! What `hydrator check` finds in the settings of a project on GitLab.

use super::*;
use crate::forge_server::state::Method;

/// The warnings of `hydrator check`.
#[track_caller]
fn found(gitlab: &GitLab, repo: &TestRepo) -> Vec<String> {
    let outcome = gitlab.command(repo, "check").run().success();
    assert!(outcome.stdout().contains("ACTIVE BRANCH"), "{outcome:?}");
    let lines = outcome.stderr().lines().filter_map(|line| line.strip_prefix("warning: "));
    lines.map(str::to_owned).collect()
}

/// Whether one of the warnings has all of these in it.
#[track_caller]
fn says(found: &[String], parts: &[&str]) {
    let hit = found.iter().any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(hit, "nothing says {parts:?}: {found:#?}");
}

fn ready(gitlab: &GitLab) {
    gitlab.server.with(|state| {
        state.required_statuses = vec!["hydrator/promotion".to_owned()];
        state.is_scheduled = true;
    });
}

/// A rule for branches: the least role that pushes, the least that merges, and whether by force.
fn rule(name: &str, push: u64, merge: u64, force: bool) -> Value {
    let level = |level: u64| json!([{"id": 1, "access_level": level, "access_level_description": "", "user_id": null, "group_id": null}]);
    json!({"id": 1, "name": name, "push_access_levels": level(push), "merge_access_levels": level(merge),
        "allow_force_push": force, "unprotect_access_levels": [], "code_owner_approval_required": false})
}

#[test]
fn a_project_that_is_ready_has_nothing_to_mend() {
    let repo = repo_with(&["dev", "prod"], ", autoMerge: true, mergeMethod: squash");
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    gitlab.server.with(|state| {
        state.rules = vec![rule("hydrator/*-next", 30, 30, true), rule("hydrator/*", 30, 30, false)];
    });
    let outcome = gitlab.command(&repo, "check").run().success();
    assert!(outcome.stderr().contains("nothing in the forge's settings stands in the way"), "{outcome:?}");
    assert!(writes(&gitlab.server.take_calls()).is_empty());
}

#[test]
fn a_label_with_a_comma_is_refused() {
    let repo = repo_with(&["dev"], ", pullRequest: {labels: ['team,web']}");
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    says(&found(&gitlab, &repo), &["`dev`: the label `team,web` has a comma", "one by one"]);
    let outcome = gitlab.job(&repo).run().code(6);
    let error = error(&outcome, 0);
    assert!(error["message"].as_str().unwrap().contains("the label `team,web` has a comma"), "{error}");
    assert!(pulls(&gitlab).is_empty());
}

#[test]
fn rules_that_also_catch_the_proposed_branches_are_named() {
    let repo = repo_of(&["dev", "prod"]);
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    gitlab
        .server
        .with(|state| state.rules = vec![rule("main", 0, 0, false), rule("hydrator/*", 40, 40, false)]);
    let warnings = found(&gitlab, &repo);
    let both = "`hydrator/dev-next`, `hydrator/prod-next`: ";
    says(&warnings, &[both, "may not push (protected by the rule `hydrator/*`)", "Allowed to force push"]);
    says(&warnings, &[both, "force pushes are blocked"]);
    says(&warnings, &["`hydrator/dev`, `hydrator/prod`: does not exist", "first run"]);
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    // Somebody who is named may, whatever the role.
    gitlab.server.with(|state| {
        let id = crate::forge_server::gitlab::number_of(&state.viewer);
        state.rules[1]["push_access_levels"] =
            json!([{"id": 2, "access_level": 40, "user_id": id, "group_id": null}]);
        state.rules[1]["allow_force_push"] = json!(true);
    });
    assert_eq!(found(&gitlab, &repo), Vec::<String>::new());
}

#[test]
fn what_auto_merge_and_pushes_need_is_named() {
    for (more, sign) in [
        (", autoMerge: true", "may not merge, which `autoMerge` needs"),
        (", delivery: push", "may not push, which `delivery: push` needs"),
    ] {
        let repo = repo_with(&["dev"], more);
        let gitlab = GitLab::start(&repo);
        ready(&gitlab);
        gitlab.server.with(|state| state.rules = vec![rule("hydrator/dev", 40, 40, false)]);
        says(&found(&gitlab, &repo), &["`hydrator/dev`: ", sign, "rule `hydrator/dev`"]);
    }
}

#[test]
fn an_ungated_project_is_named_and_one_that_is_never_looked_at_again() {
    let repo = repo_with(&["dev", "prod"], ", autoMerge: true");
    let gitlab = GitLab::start(&repo);
    gitlab.server.with(|state| state.merge_queue = true);
    let warnings = found(&gitlab, &repo);
    says(&warnings, &["`hydrator/prod`: is ungated", "hydrator/promotion", "Pipelines must succeed"]);
    says(&warnings, &["no pipeline schedule is active", "hydrator promote"]);
    says(&warnings, &["merge trains", "`autoMerge`"]);
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
}

#[test]
fn tokens_that_are_not_enough_are_named() {
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    gitlab.server.with(|state| state.role = "READ");
    let warnings = found(&gitlab, &repo);
    says(&warnings, &["less than a Developer"]);
    says(&warnings, &["lacks the scope `api`"]);
    gitlab.server.with(|state| state.role = "WRITE");
    gitlab.server.fail("protected_branches", 1, &Fault::refusal(403, "403 Forbidden"));
    says(&found(&gitlab, &repo), &["may not see the rules of protected branches", "Maintainer"]);
    let outcome = gitlab.command(&repo, "check").without("HYDRATOR_TOKEN").run().success();
    assert!(outcome.stderr().contains("only the job's own token"), "{outcome:?}");
    assert!(outcome.stderr().contains("\"Allow Git push requests to the repository\""), "{outcome:?}");
}

#[test]
fn an_administrator_needs_no_membership() {
    let repo = repo_with(&["dev"], ", autoMerge: true");
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    gitlab.server.with(|state| {
        state.role = "ADMIN";
        state.rules = vec![rule("hydrator/*-next", 40, 40, true)];
    });
    assert_eq!(found(&gitlab, &repo), Vec::<String>::new());
}

#[test]
fn ways_to_merge_that_contradict_are_named() {
    let repo = repo_with(&["dev", "prod"], ", mergeMethod: rebase");
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    says(
        &found(&gitlab, &repo),
        &["`dev`, `prod`: `mergeMethod: rebase` contradicts the project's own merge method, `merge`"],
    );
    let repo = repo_with(&["dev"], ", mergeMethod: squash");
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    gitlab.server.with(|state| state.forbidden_methods.push(Method::Squash));
    says(&found(&gitlab, &repo), &["`mergeMethod: squash` contradicts the project, which never squashes"]);
}

#[test]
fn merged_results_pipelines_that_take_no_gate_are_named() {
    let repo = repo_of(&["dev", "prod"]);
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    gitlab.server.with(|state| state.merged_results = true);
    let warnings = found(&gitlab, &repo);
    says(&warnings, &["`hydrator/prod`: ", "merged results pipeline", "`hydrator/promotion`"]);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    // Where nothing waits for anything, nothing is lost.
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    gitlab.server.with(|state| state.merged_results = true);
    assert_eq!(found(&gitlab, &repo), Vec::<String>::new());
}

#[test]
fn a_deploy_key_or_another_account_lets_nobody_else_push() {
    let repo = repo_with(&["dev"], ", delivery: push");
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    for about in ["deploy_key_id", "user_id", "member_role_id"] {
        gitlab.server.with(|state| {
            let mut rule = rule("hydrator/dev", 30, 30, false);
            rule["push_access_levels"][0][about] = json!(1);
            state.rules = vec![rule];
        });
        says(&found(&gitlab, &repo), &["may not push, which `delivery: push` needs"]);
    }
}

#[test]
fn branches_that_every_job_may_push_to_are_named() {
    let repo = repo_of(&["dev", "prod"]);
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    gitlab.server.with(|state| {
        state.jobs_may_push = true;
        state.rules = vec![rule("hydrator/prod", 30, 30, false)];
    });
    let warnings = found(&gitlab, &repo);
    says(&warnings, &["`hydrator/dev`: every job may push", "Allow Git push requests", "protect the branch"]);
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
}

#[test]
fn a_jobs_own_token_under_another_name_is_known() {
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start(&repo);
    ready(&gitlab);
    let outcome = gitlab.command(&repo, "check").variable("HYDRATOR_TOKEN", JOB_TOKEN).run().success();
    assert!(outcome.stderr().contains("only the job's own token, `CI_JOB_TOKEN`"), "{outcome:?}");
    gitlab.server.take_calls();
    let outcome = gitlab.job(&repo).variable("HYDRATOR_TOKEN", JOB_TOKEN).run().code(6);
    assert!(outcome.stderr().contains("can neither open, change or merge"), "{outcome:?}");
    assert_eq!(writes(&gitlab.server.take_calls()), Vec::<String>::new(), "it is known up front");
}
