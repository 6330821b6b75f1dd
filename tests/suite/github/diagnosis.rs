//! What `hydrator check` finds in the settings of a repository on GitHub, and what a run says when it bites.

use serde_json::json;

use super::*;
use crate::forge_server::state::Method;
use crate::support::command::Run;

/// The warnings of `hydrator check`.
#[track_caller]
fn found(github: &GitHub, repo: &TestRepo) -> Vec<String> {
    let outcome = github.command(repo, "check").run().success();
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

fn rule(kind: &str, ruleset: u64) -> Value {
    json!({"type": kind, "ruleset_source_type": "Repository", "ruleset_source": "acme/shop", "ruleset_id": ruleset})
}

fn ready(github: &GitHub) {
    github.server.with(|state| {
        state.required_statuses = vec!["hydrator/promotion".to_owned()];
        state.bypassed.insert(1);
        state.allow_auto_merge = true;
    });
}

#[test]
fn a_repository_that_is_ready_has_nothing_to_mend() {
    let repo = repo_with(&["dev", "prod"], ", autoMerge: true");
    let github = GitHub::start(&repo);
    ready(&github);
    let outcome = github.command(&repo, "check").run().success();
    assert!(outcome.stderr().contains("nothing in the forge's settings stands in the way"), "{outcome:?}");
    assert_eq!(writes(&github.server.take_calls()), Vec::<String>::new());
}

#[test]
fn a_rule_that_also_catches_the_proposed_branches_is_named() {
    let repo = repo_of(&["dev", "prod"]);
    let github = GitHub::start(&repo);
    ready(&github);
    github.server.with(|state| {
        for kind in ["pull_request", "non_fast_forward", "deletion", "required_signatures"] {
            state.rules_for.push(("hydrator/", rule(kind, 7)));
        }
    });
    let warnings = found(&github, &repo);
    let both = "`hydrator/dev-next`, `hydrator/prod-next`: ";
    says(
        &warnings,
        &[both, "changes have to come by a pull request", "ruleset 7 of acme/shop", "`hydrator/*`"],
    );
    says(&warnings, &[both, "force pushes are blocked"]);
    says(&warnings, &[both, "signed"]);
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    // An account that may pass the ruleset is not in its way.
    github.server.with(|state| state.bypassed.insert(7));
    assert_eq!(found(&github, &repo), Vec::<String>::new());
}

#[test]
fn branches_that_the_first_run_cannot_create_are_named() {
    let repo = repo_of(&["dev", "prod"]);
    let github = GitHub::start(&repo);
    ready(&github);
    github.server.with(|state| {
        state.bypassed.clear();
        state.rules_for.push(("hydrator/prod", rule("creation", 8)));
    });
    let warnings = found(&github, &repo);
    says(
        &warnings,
        &["`hydrator/dev`, `hydrator/prod`: ", "first commit would need successful statuses", "on creation"],
    );
    says(&warnings, &["`hydrator/prod`: ", "only accounts with a bypass may create it (ruleset 8"]);
    says(&warnings, &["`hydrator/prod-next`: ", "create"]);
}

#[test]
fn an_environment_without_the_required_status_is_ungated() {
    let repo = repo_of(&["dev", "prod"]);
    let github = GitHub::start(&repo);
    let warnings = found(&github, &repo);
    says(&warnings, &["`hydrator/prod`: is ungated", "hydrator/promotion"]);
    assert!(!warnings.iter().any(|line| line.contains("`hydrator/dev`")), "{warnings:?}");
    // Classic protection is shown only of branches that are there.
    _ = github.job(&repo).run().success();
    github.server.with(|state| state.classic_statuses = vec!["Hydrator/Promotion".to_owned()]);
    let warnings = found(&github, &repo);
    assert!(!warnings.iter().any(|line| line.contains("ungated")), "{warnings:#?}");
    says(&warnings, &["`hydrator/dev-next`, `hydrator/prod-next`: is protected by a classic rule"]);
}

#[test]
fn a_run_that_opens_an_ungated_pull_request_says_so() {
    let repo = repo_of(&["dev", "prod"]);
    let github = GitHub::start(&repo);
    let first = github.job(&repo).run().success();
    let warnings: Vec<&str> = first.stderr().lines().filter(|line| line.starts_with("::warning")).collect();
    assert_eq!(warnings.len(), 1, "{first:?}");
    assert!(warnings[0].contains("hydrator%3A prod::") && warnings[0].contains("ungated"), "{warnings:?}");
    set(&repo, &["prod"], "second");
    let second = github.job(&repo).run().success();
    assert!(!second.stderr().contains("ungated"), "once is enough: {second:?}");
}

#[test]
fn a_jobs_own_token_has_consequences() {
    let repo = repo_with(&["dev", "prod"], ", autoMerge: true");
    let github = GitHub::start(&repo);
    ready(&github);
    github.server.with(|state| {
        state.viewer = "github-actions[bot]".to_owned();
        state.jobs_may_open = Some(false);
        state.allow_auto_merge = false;
        state.delete_branch_on_merge = true;
    });
    let warnings = found(&github, &repo);
    says(&warnings, &["jobs may not open pull requests", "Allow GitHub Actions to create"]);
    says(&warnings, &["start no workflow before somebody approves"]);
    says(&warnings, &["no scheduled workflow calls hydrator", "hydrator promote"]);
    says(&warnings, &["auto-merge is off"]);
    says(&warnings, &["head branches are deleted"]);
    repo.write(
        ".github/workflows/promote.yml",
        "on:\n  schedule: [{cron: '*/10 * * * *'}]\njobs: {promote: {runs-on: ubuntu-latest, steps: [{uses: acme/hydrator@v1}]}}\n",
    );
    repo.commit("Look at proposals on a schedule");
    let warnings = found(&github, &repo);
    assert!(!warnings.iter().any(|line| line.contains("no scheduled workflow")), "{warnings:#?}");
}

#[test]
fn ways_to_merge_and_queues_that_contradict_are_named() {
    let repo = repo_with(&["dev", "prod"], ", mergeMethod: merge");
    let github = GitHub::start(&repo);
    ready(&github);
    github.server.with(|state| {
        state.forbidden_methods.push(Method::Merge);
        state.merge_queue = true;
        state.role = "READ";
    });
    let warnings = found(&github, &repo);
    says(&warnings, &["`dev`, `prod`: `mergeMethod: merge` is not allowed (the repository's settings)"]);
    says(&warnings, &["may not write"]);
    github.server.with(|state| {
        state.bypassed.clear();
        state.forbidden_methods.clear();
        state.rules_for.push(("hydrator/prod", rule("required_linear_history", 9)));
    });
    let warnings = found(&github, &repo);
    says(&warnings, &["`prod`: `mergeMethod: merge` is not allowed (ruleset 9"]);
    says(&warnings, &["`hydrator/dev`, `hydrator/prod`: has a merge queue"]);
}

#[test]
fn without_a_token_the_configuration_alone_is_checked() {
    let repo = repo_of(&["dev"]);
    let outcome = Run::hydrator(&repo).arguments(["check"]).run().success();
    assert!(outcome.stderr().contains("the forge's settings were not looked at"), "{outcome:?}");
    assert!(outcome.stdout().contains("ACTIVE BRANCH"), "{outcome:?}");
}
