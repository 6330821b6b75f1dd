//! Stories that are told once and come true on every forge, and the ground that they stand on.

pub(crate) mod as_previewed;
pub(crate) mod comment;
pub(crate) mod failures;
pub(crate) mod graph;
pub(crate) mod life;
pub(crate) mod pages;
pub(crate) mod preview;
pub(crate) mod rejected;
pub(crate) mod verbs;
pub(crate) mod waiting;

use serde_json::Value;

use crate::forge_server::Call;
pub(crate) use crate::forge_server::Hosted;
pub(crate) use crate::forge_server::state::{Life, Pull};
use crate::support::command::Outcome;
use crate::support::git::TestRepo;

/// Makes tests of stories on one forge: `verbs` of those that ask the library, the others of those that need a server and
/// jobs of its CI.
macro_rules! on {
    ($forge:ident, $of:ident: $($story:ident)*) => {
        $(
            #[test]
            fn $story() {
                crate::stories::$of::$story::<$forge>();
            }
        )*
    };
    ($forge:ident, verbs) => {
        crate::stories::on! { $forge, verbs:
            a_pull_request_is_opened_once_changed_and_closed_once
            steps_become_pull_requests
            the_newest_of_each_pair_is_found
            what_was_merged_last_is_found_behind_what_was_closed
            statuses_are_read_as_they_were_set
            a_merge_waits_for_its_status_and_names_its_head
            what_is_armed_merges_by_itself
            a_race_for_the_merge_has_one_winner
            a_conflict_is_stuck
            comments_are_ours_to_change
            the_newest_deployment_counts
        }
    };
    ($forge:ident, pages) => {
        crate::stories::on! { $forge, pages:
            a_page_follows_a_change_through_all_environments
            a_change_that_was_overtaken_arrives_with_the_next_one
            a_rollback_takes_pages_back_until_it_is_resumed
            nobody_else_can_take_the_place_of_a_page
            what_changes_nothing_gets_no_comment
            a_page_that_cannot_be_written_fails_nothing
            an_error_is_told_until_it_is_mended
            deployments_are_recorded_once_where_that_is_asked_for
            a_deployment_that_is_refused_keeps_no_other_one_from_being_recorded
        }
    };
    ($forge:ident, preview) => {
        crate::stories::on! { $forge, preview:
            one_comment_is_kept_up_to_date
            what_fails_is_said_where_it_is_reviewed
            long_previews_have_pages_and_short_ones_lose_them
            a_fork_gets_no_comment
        }
    };
    ($forge:ident, comment) => {
        crate::stories::on! { $forge, comment:
            what_is_asked_for_is_done
            the_pull_request_that_brought_the_change_in_is_a_place_to_ask
            who_may_not_write_is_refused
            what_nobody_can_do_is_answered
            only_what_the_commenter_saw_is_merged
            a_push_by_hand_is_not_what_the_commenter_saw
            a_rollback_undoes_nothing_that_the_commenter_did_not_see
            what_was_pushed_meanwhile_is_not_rolled_back
            a_job_that_runs_again_does_nothing_twice
            what_is_asked_for_is_done_although_the_answer_to_the_mark_was_lost
            what_a_job_left_undone_is_told_when_it_runs_again
            a_hold_ends_for_the_head_that_the_commenter_saw
            a_hold_does_not_end_for_a_push_whose_time_nobody_knows
            a_newer_hold_stands_over_an_older_resume
            a_hold_that_comes_while_another_one_ends_stands
            a_rollback_that_came_later_is_not_resumed
            other_comments_cost_nothing
        }
    };
    ($forge:ident, rejected) => {
        crate::stories::on! { $forge, rejected:
            the_gate_of_what_a_person_closed_is_closed_too
            what_is_offered_again_is_opened_behind_a_closed_gate
        }
    };
    ($forge:ident, waiting) => {
        crate::stories::on! { $forge, waiting:
            what_becomes_possible_while_it_is_awaited_is_done
            what_does_not_become_possible_waits_in_the_report
        }
    };
    ($forge:ident, as_previewed) => {
        crate::stories::on! { $forge, as_previewed:
            what_was_previewed_is_told_from_what_was_not
            several_changes_are_promoted_together_as_previewed
            a_rollback_needs_no_preview
        }
    };
    ($forge:ident, failures) => {
        crate::stories::on! { $forge, failures:
            reads_are_tried_again_and_then_given_up
            a_write_whose_answer_was_lost_is_not_done_twice
            a_limit_is_waited_for_within_bounds
            redirects_on_the_same_host_are_followed_with_the_body
            a_server_that_does_not_answer_is_given_up
            an_answer_of_a_login_page_is_an_error
            one_environment_that_is_refused_does_not_stop_the_others
        }
    };
    ($forge:ident, life) => {
        crate::stories::on! { $forge, life:
            pushes_open_update_and_close_pull_requests
            after_every_way_to_merge_the_next_change_gets_a_new_pull_request
            a_deleted_branch_after_a_merge_is_made_again
            a_run_that_broke_off_between_push_and_pull_request_is_repaired
            a_persons_pull_request_from_the_same_branches_is_taken_over
            what_a_person_closed_stays_closed_until_it_changes
            pull_requests_from_forks_are_nobodys_business
            an_environment_that_left_the_configuration_is_closed_with_a_comment
            hostile_commit_messages_leave_nothing_but_text
            names_of_every_kind_and_servers_below_a_path_work
            what_is_pushed_says_once_since_when
        }
    };
}

pub(crate) use on;

pub(crate) const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

/// Environments with one target each, which holds the value that is written.
pub(crate) fn repo_of(environments: &[&str]) -> TestRepo {
    repo_with(environments, "")
}

/// The same with more keys for each environment, in YAML's flow style.
pub(crate) fn repo_with(environments: &[&str], more: &str) -> TestRepo {
    let repo = TestRepo::new();
    let listed =
        environments.iter().fold(String::new(), |text, name| text + "  - {name: " + name + more + "}\n");
    let text = format!(
        "version: 1\ndryBranch: main\nenvironments:\n{listed}targets:\n  - path: apps/{{environment}}\n    name: app\n"
    );
    repo.write("hydrator.yaml", &text);
    set(&repo, environments, "first");
    repo
}

/// What an environment is made of.
pub(crate) fn manifest(name: &str, value: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: \"{value}\"\n")
}

/// Gives environments a value, in one DRY commit.
pub(crate) fn set(repo: &TestRepo, environments: &[&str], value: &str) -> String {
    for name in environments {
        repo.write(&format!("apps/{name}/x.yaml"), &manifest(name, value));
    }
    repo.commit(&format!("Set {value}"))
}

#[track_caller]
pub(crate) fn operations(outcome: &Outcome) -> Vec<String> {
    let report = outcome.json();
    let environments = report["environments"].as_array().unwrap();
    environments.iter().map(|one| one["operation"].as_str().unwrap().to_owned()).collect()
}

/// A status's word as GitHub has it.
pub(crate) fn plain(word: &str) -> String {
    if word == "failed" { "failure".to_owned() } else { word.to_owned() }
}

/// Every pull request in short: number, life, head, title.
pub(crate) fn pulls(forge: &impl Hosted) -> Vec<(u64, Life, String, String)> {
    let short = |pull: &Pull| (pull.number, pull.life, pull.head.clone(), pull.title.clone());
    forge.server().with(|state| state.pulls.iter().map(short).collect())
}

pub(crate) fn pull(forge: &impl Hosted, number: u64) -> Pull {
    forge.server().with(|state| state.pull(number).expect("it is there").clone())
}

/// What was asked of the API, in short.
pub(crate) fn asked(calls: &[Call]) -> Vec<String> {
    calls.iter().map(Call::what).collect()
}

pub(crate) fn writes(calls: &[Call]) -> Vec<String> {
    calls.iter().filter(|call| call.is_write()).map(Call::what).collect()
}

/// An error of an environment in the report.
#[track_caller]
pub(crate) fn error(outcome: &Outcome, environment: usize) -> Value {
    outcome.json()["environments"][environment]["error"].clone()
}
