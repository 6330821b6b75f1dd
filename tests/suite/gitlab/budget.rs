//! How many calls a run may take. GitLab limits them by the minute, and a question in GraphQL by its points.

use hydrator::forge::Forge as _;
use hydrator::model::{BranchName, CommitId};

use super::*;
use crate::forge_server::state::Method;
use crate::stories::graph::graph;
use crate::stories::pages;

#[test]
fn runs_with_thirty_environments_stay_within_their_budget() {
    let names: Vec<String> = (1..=30).map(|number| format!("e{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let repo =
        repo_with(&names, ", pullRequest: {labels: [production], reviewers: [alice], assignees: [bob]}");
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    assert_eq!(pulls(&gitlab).len(), 30);
    let calls = gitlab.server.take_calls();
    let count = |what: &str| asked(&calls).iter().filter(|one| one.starts_with(what)).count();
    assert_eq!(count(GitLab::OPENING), 30);
    assert_eq!(count("POST /projects/42/statuses/"), 30, "the gates");
    assert_eq!(writes(&calls).len(), 60, "labels and people come along");
    assert_eq!(count("GET /users"), 2, "each is looked up once");
    // Nothing changed, and all proposals wait: their gates and the DRY commits are looked at together.
    for command in ["run", "promote"] {
        _ = gitlab.command(&repo, command).run().success();
        assert_eq!(asked(&gitlab.server.take_calls()), ["open", "statuses"], "{command}");
    }
    gitlab.server.with(|state| (1..=15).for_each(|number| state.close(number)));
    let outcome = gitlab.job(&repo).run().success();
    assert_eq!(operations(&outcome).iter().filter(|one| *one == "rejected").count(), 15);
    let calls = gitlab.server.take_calls();
    assert_eq!(asked(&calls)[..2], ["open", "statuses"]);
    assert!(calls.len() <= 3, "{:?}", asked(&calls));
    assert_eq!(writes(&calls), ["PUT /projects/42/merge_requests/16"], "its picture shows one of them");
    // The first one waited for nobody: its gate is closed once, with what is asked anyway.
    _ = gitlab.command(&repo, "promote").run().success();
    let calls = gitlab.server.take_calls();
    assert_eq!(asked(&calls)[..2], ["open", "statuses"]);
    assert_eq!(writes(&calls), [format!("POST /projects/42/statuses/{}", pull(&gitlab, 1).head_sha)]);
    is_quiet(&gitlab, &repo, "half of them are rejected");
}

#[test]
fn many_merge_requests_cost_pages_only_and_old_ones_are_found() {
    let repo = repo_of(&["dev", "prod"]);
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    // Closed by people; two hundred of one environment and of other people follow.
    gitlab.server.with(|state| {
        state.close(1);
        state.close(2);
        for number in 3..=250 {
            let mut other = state.pulls[0].clone();
            other.number = number;
            if number % 2 == 0 {
                (other.head, other.life) = (format!("feature/{number}"), Life::Open);
                other.from_fork = true;
            }
            state.pulls.push(other);
        }
    });
    gitlab.server.take_calls();
    let outcome = gitlab.job(&repo).run().success();
    assert_eq!(operations(&outcome), ["rejected", "rejected"]);
    let list = "GET /projects/42/merge_requests";
    assert_eq!(asked(&gitlab.server.take_calls())[..3], ["open", list, list]);
}

#[test]
fn merge_requests_from_forks_hide_no_rejected_one() {
    for environments in [&["dev"][..], &["dev", "prod"]] {
        let repo = repo_of(environments);
        let gitlab = GitLab::start(&repo);
        _ = gitlab.job(&repo).run().success();
        gitlab.server.with(|state| {
            let ours = u64::try_from(state.pulls.len()).unwrap();
            (1..=ours).for_each(|number| state.close(number));
            for number in ours + 1..=ours + 230 {
                let mut other = state.pulls[usize::try_from(number % ours).unwrap()].clone();
                (other.number, other.from_fork, other.life) = (number, true, Life::Open);
                state.pulls.push(other);
            }
        });
        let outcome = gitlab.job(&repo).run().success();
        assert!(operations(&outcome).iter().all(|one| one == "rejected"), "{outcome:?}");
    }
}

#[test]
fn a_long_history_of_others_costs_nothing_while_something_waits() {
    let repo = repo_of(&ENVIRONMENTS);
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    // Since these three were opened, the first two were promoted forty times each.
    gitlab.server.with(|state| {
        for number in 4..=83 {
            let mut merged = state.pulls[number % 2].clone();
            (merged.number, merged.life) = (u64::try_from(number).unwrap(), Life::Merged);
            state.pulls.push(merged);
        }
    });
    _ = gitlab.job(&repo).run().success();
    is_quiet(&gitlab, &repo, "they wait");
    gitlab.server.with(|state| state.close(3));
    _ = gitlab.job(&repo).run().success();
    is_quiet(&gitlab, &repo, "the last one is rejected");
    // A job's own token lists what is open, and asks no more about it.
    gitlab.server.take_calls();
    let run = gitlab.command(&repo, "plan").without("HYDRATOR_TOKEN").variable("CI_JOB_TOKEN", JOB_TOKEN);
    _ = run.run().success();
    let list = "GET /projects/42/merge_requests";
    assert_eq!(asked(&gitlab.server.take_calls())[..], [list, list], "what is open, and the rejected one");
}

#[test]
fn a_project_that_graphql_does_not_show_is_listed_by_rest() {
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    gitlab.server.take_calls();
    let nothing = Fault::Answer(200, json!({"data": {"project": null}}), Vec::new());
    gitlab.server.fail("open", 1, &nothing);
    let outcome = gitlab.job(&repo).run().success();
    assert_eq!(operations(&outcome), ["none"]);
    assert_eq!(asked(&gitlab.server.take_calls())[..2], ["open", "GET /projects/42/merge_requests"]);
}

/// A run and a `promote` cost two calls, and write nothing.
fn is_quiet(gitlab: &GitLab, repo: &TestRepo, what: &str) {
    gitlab.server.take_calls();
    for command in ["run", "promote"] {
        _ = gitlab.command(repo, command).run().success();
        let calls = gitlab.server.take_calls();
        assert!(calls.len() <= 2 && writes(&calls).is_empty(), "{what}, {command}: {:?}", asked(&calls));
    }
}

#[test]
fn nothing_to_do_is_two_calls_whatever_brought_the_dry_commit_in() {
    let names: Vec<String> = (1..=30).map(|number| format!("e{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let repo = repo_of(&names);
    let gitlab = GitLab::start(&repo);
    let merge_all = || {
        let open: Vec<u64> =
            pulls(&gitlab).iter().filter(|one| one.1 == Life::Open).map(|one| one.0).collect();
        gitlab.server.with(|state| open.iter().for_each(|number| drop(state.merge(*number, Method::Merge))));
        _ = gitlab.job(&repo).run().success();
    };
    _ = gitlab.job(&repo).run().success();
    is_quiet(&gitlab, &repo, "all proposals wait");
    merge_all();
    is_quiet(&gitlab, &repo, "everything is merged");
    // By a merge request, with a page on it.
    set(&repo, &names[..2], "second");
    let number = pages::land(&repo, &gitlab, "third", Method::Merge);
    _ = gitlab.job(&repo).run().success();
    assert_eq!(pull(&gitlab, number).comments.len(), 1);
    is_quiet(&gitlab, &repo, "a merge request brought it in");
    // In a project without merge commits.
    let number = pages::land(&repo, &gitlab, "fourth", Method::Rebase);
    _ = gitlab.job(&repo).run().success();
    assert_eq!(pull(&gitlab, number).comments.len(), 1);
    is_quiet(&gitlab, &repo, "its head came in");
    set(&repo, &names[..2], "fifth");
    _ = gitlab.job(&repo).run().success();
    is_quiet(&gitlab, &repo, "it was pushed");
}

#[test]
fn nothing_to_do_is_two_calls_where_merge_requests_are_squashed() {
    let repo = repo_of(&ENVIRONMENTS);
    let gitlab = GitLab::start(&repo);
    let promote_all = || {
        for name in ENVIRONMENTS {
            pages::merge_of(&gitlab, name);
            _ = gitlab.command(&repo, "promote").run().success();
        }
    };
    _ = gitlab.job(&repo).run().success();
    promote_all();
    // In a project without merge commits: only our own comment tells which merge request it was.
    for value in ["second", "third"] {
        let number = pages::land(&repo, &gitlab, value, Method::Squash);
        _ = gitlab.job(&repo).run().success();
        assert_eq!(pull(&gitlab, number).comments.len(), 1);
        is_quiet(&gitlab, &repo, "it was squashed");
        promote_all();
        is_quiet(&gitlab, &repo, "it was squashed, and is everywhere");
        repo.work_git().run(&["push", "-q", "origin", ":refs/heads/change"]);
    }
}

#[test]
fn what_else_runs_and_is_said_costs_no_further_call() {
    let repo = repo_of(&ENVIRONMENTS);
    let gitlab = GitLab::start(&repo);
    let many: Vec<String> = (1..=30).map(|number| format!("job {number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let schedule = || {
        gitlab.server.with(|state| {
            for _ in 0..150 {
                state.run_jobs("main", "schedule", &["one", "two", "three"]);
            }
        });
    };
    // Each update of a merge request leaves the pipeline of the head before.
    for number in 1..=13 {
        set(&repo, &ENVIRONMENTS, &number.to_string());
        _ = gitlab.job(&repo).run().success();
    }
    assert_eq!(pull(&gitlab, 1).earlier.len(), 12);
    is_quiet(&gitlab, &repo, "every merge request had twelve heads before");
    let number = pages::land(&repo, &gitlab, "landed", Method::Merge);
    gitlab.server.with(|state| {
        state.run_jobs("main", "push", &many);
        for _ in 0..60 {
            _ = state.say(number, "alice", "What a change");
        }
    });
    _ = gitlab.job(&repo).run().success();
    is_quiet(&gitlab, &repo, "a large pipeline, and much is said");
    schedule();
    is_quiet(&gitlab, &repo, "it waits, and schedules go on");
    for name in ENVIRONMENTS {
        pages::merge_of(&gitlab, name);
        _ = gitlab.command(&repo, "promote").run().success();
    }
    is_quiet(&gitlab, &repo, "it is everywhere");
    schedule();
    is_quiet(&gitlab, &repo, "it is everywhere, and schedules go on");
}

#[test]
fn nothing_to_do_is_two_calls_while_something_soaks() {
    let repo = repo_with(&ENVIRONMENTS, ", gates: {soak: 1000h}");
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    pages::merge_of(&gitlab, "dev");
    _ = gitlab.command(&repo, "promote").run().success();
    is_quiet(&gitlab, &repo, "dev soaks");
    gitlab.server.with(|state| state.close(3));
    _ = gitlab.job(&repo).run().success();
    is_quiet(&gitlab, &repo, "dev soaks, and prod is rejected");
}

crate::stories::on! { GitLab, graph:
    promotion_reads_little_and_writes_what_differs
    what_waits_for_people_is_asked_about_at_once
}

#[test]
fn one_environment_after_many_costs_a_question_for_seventeen() {
    let name = |at: usize| format!("e{at:02}");
    let after = |at: usize| if at < 50 { Vec::new() } else { (1..50).map(name).collect() };
    let repo = graph(&(1..=50).map(|at| (name(at), after(at))).collect::<Vec<_>>());
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    gitlab.server.with(|state| (1..50).for_each(|number| drop(state.merge(number, Method::Merge))));
    _ = gitlab.command(&repo, "promote").run().success();
    gitlab.server.take_calls();
    _ = gitlab.command(&repo, "promote").run().success();
    assert_eq!(asked(&gitlab.server.take_calls()), ["open", "statuses", "statuses", "statuses", "statuses"]);
}

#[test]
fn statuses_of_many_commits_are_read_together_or_else_one_by_one() {
    let names: Vec<String> = (1..=20).map(|number| format!("e{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let repo = repo_of(&names);
    let gitlab = GitLab::start(&repo);
    _ = gitlab.job(&repo).run().success();
    let forge = gitlab.forge(None);
    let heads: Vec<CommitId> =
        pulls(&gitlab).iter().map(|one| CommitId::parse(&pull(&gitlab, one.0).head_sha).unwrap()).collect();
    let read = |forge: &hydrator::forge::gitlab::GitLab| {
        gitlab.server.take_calls();
        let found = forge.statuses(&heads).unwrap();
        (found, asked(&gitlab.server.take_calls()))
    };
    // Commits that are no heads as far as anybody knows: seventeen to a question, since questions have a price.
    let (apart, calls) = read(&forge);
    assert_eq!(calls, ["statuses"; 2]);
    forge.open_pull_requests().unwrap();
    let (together, calls) = read(&forge);
    assert_eq!(calls, ["statuses"]);
    // A server that has other limits.
    let words = "Query has complexity of 80, which exceeds max complexity of 50";
    gitlab.server.fail(
        "statuses",
        1,
        &Fault::Answer(200, json!({"errors": [{"message": words}]}), Vec::new()),
    );
    let (one_by_one, calls) = read(&forge);
    assert_eq!(calls.len(), 1 + 20);
    assert!(
        one_by_one.values().all(|all| all.len() == 1 && !all[0].description.is_empty()),
        "{one_by_one:?}"
    );
    assert_eq!((&apart, &together), (&one_by_one, &one_by_one));
    // Lists of merge requests then come by REST, one by one where they have to.
    let found: Vec<BranchName> =
        (1..=2).map(|at| BranchName::new(format!("hydrator/e{at:02}")).unwrap()).collect();
    let offered: Vec<BranchName> =
        (1..=2).map(|at| BranchName::new(format!("hydrator/e{at:02}-next")).unwrap()).collect();
    let pairs: Vec<(&BranchName, &BranchName)> = offered.iter().zip(&found).collect();
    let whole = forge.open_and_newest(&pairs).unwrap();
    gitlab.server.fail("open", 1, &Fault::Answer(200, json!({"errors": [{"message": words}]}), Vec::new()));
    gitlab.server.take_calls();
    assert_eq!(forge.open_and_newest(&pairs).unwrap(), whole);
    let list = "GET /projects/acme%2Fshop/merge_requests";
    assert_eq!(asked(&gitlab.server.take_calls()), ["open", list]);
    assert_eq!(whole.1.iter().flatten().map(|one| one.number).collect::<Vec<_>>(), [1, 2]);
}
