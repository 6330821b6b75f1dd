//! How many calls a run may take. GitHub counts them, and so do we.

use super::*;

fn thirty() -> Vec<String> {
    (1..=30).map(|number| format!("e{number:02}")).collect()
}

#[test]
fn runs_with_thirty_environments_stay_within_their_budget() {
    let names = thirty();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let repo =
        repo_with(&names, ", pullRequest: {labels: [production], reviewers: [alice], assignees: [bob]}");
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    assert_eq!(pulls(&github).len(), 30);
    github.server.take_calls();
    // Nothing changed, and all proposals wait: one page of pull requests, and one look at the DRY commits.
    _ = github.job(&repo).run().success();
    let calls = github.server.take_calls();
    assert_eq!(asked(&calls), ["open", "landings"]);
    _ = github.command(&repo, "promote").run().success();
    assert_eq!(asked(&github.server.take_calls()), ["open", "landings"]);
    // One of them changes, whose pull request is open.
    set(&repo, &["e20"], "second");
    _ = github.job(&repo).run().success();
    let calls = github.server.take_calls();
    // The next one waits for it, and its gate says so.
    assert!(calls.len() <= 6 + 1, "{:?}", asked(&calls));
    let dry = repo.tip("main").unwrap();
    let progress = format!("POST /repos/acme/shop/statuses/{dry}");
    let writes_of = writes(&calls);
    assert!(writes_of.ends_with(&["PATCH /repos/acme/shop/pulls/20".to_owned(), progress]), "{writes_of:?}");
    assert_eq!(writes_of.len(), 4, "{writes_of:?}");
    // Half of them are closed by people, and so rejected: they are asked about together. One picture shows one of them.
    github.server.with(|state| (1..=15).for_each(|number| state.close(number)));
    let outcome = github.job(&repo).run().success();
    assert_eq!(operations(&outcome).iter().filter(|one| *one == "rejected").count(), 15);
    assert_eq!(writes(&github.server.take_calls()), ["PATCH /repos/acme/shop/pulls/16"]);
    _ = github.job(&repo).run().success();
    assert_eq!(asked(&github.server.take_calls()), ["open", "landings"]);
    // One of them changes that has none: opened, and three kinds of decoration.
    set(&repo, &["e01"], "second");
    _ = github.job(&repo).run().success();
    let calls = github.server.take_calls();
    // Those that were rejected are asked about, too.
    assert!(calls.len() <= 6 + 1 + 3, "{:?}", asked(&calls));
    assert_eq!(writes(&calls).len(), 6, "{:?}", asked(&calls));
}

crate::stories::on! { GitHub, graph:
    promotion_reads_little_and_writes_what_differs
    what_waits_for_people_is_asked_about_at_once
}

#[test]
fn sixty_proposals_that_wait_cost_what_thirty_do() {
    let names: Vec<String> = (1..=60).map(|number| format!("e{number:02}")).collect();
    let repo = repo_of(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    github.server.take_calls();
    _ = github.job(&repo).run().success();
    assert_eq!(asked(&github.server.take_calls()), ["open", "landings"]);
}

#[test]
fn many_open_pull_requests_cost_pages_only() {
    let repo = repo_of(&["dev"]);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    // Ours is the oldest, and two hundred of other people follow.
    github.server.with(|state| {
        for number in 2..=250 {
            let mut other = state.pulls[0].clone();
            (other.number, other.from_fork) = (number, true);
            other.head = format!("feature/{number}");
            state.pulls.push(other);
        }
        let mut ours = state.pulls.remove(0);
        ours.number = 251;
        state.pulls.push(ours);
    });
    github.server.take_calls();
    let outcome = github.job(&repo).run().success();
    assert_eq!(operations(&outcome), ["none"]);
    assert_eq!(asked(&github.server.take_calls()), ["open", "open", "open", "landings"]);
    assert_eq!(pulls(&github).len(), 250);
}
