//! How many calls a run may take. GitHub counts them, and so do we.

use super::*;
use crate::forge_server::Call;
use crate::forge_server::state::Method;

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
    assert_eq!(asked(&github.server.take_calls()), ["open", "newest", "landings"]);
    // One of them changes that has none: opened, and three kinds of decoration.
    set(&repo, &["e01"], "second");
    _ = github.job(&repo).run().success();
    let calls = github.server.take_calls();
    // Those that were rejected are asked about, too.
    assert!(calls.len() <= 6 + 1 + 3, "{:?}", asked(&calls));
    assert_eq!(writes(&calls).len(), 6, "{:?}", asked(&calls));
}

/// One root, twenty-four after it, one after each of these, and one after all of those.
fn graph() -> TestRepo {
    let repo = TestRepo::new();
    let mut text = "version: 1\ndryBranch: main\nenvironments:\n".to_owned();
    for at in 1..=50 {
        let after: Vec<String> = match at {
            1 => Vec::new(),
            2..=25 => vec!["e01".to_owned()],
            26..=49 => vec![format!("e{:02}", at - 24)],
            _ => (26..=49).map(|before| format!("e{before}")).collect(),
        };
        let after = after.join(", ");
        let gates = "gates: {statuses: [smoke], soak: 1s}";
        text = format!("{text}  - {{name: e{at:02}, after: [{after}], {gates}}}\n");
    }
    repo.write("hydrator.yaml", &(text + "targets:\n  - {path: \"apps/{environment}\", name: app}\n"));
    let names: Vec<String> = (1..=50).map(|at| format!("e{at:02}")).collect();
    set(&repo, &names.iter().map(String::as_str).collect::<Vec<_>>(), "first");
    repo
}

#[test]
fn promotion_in_a_graph_of_fifty_environments_stays_within_its_budget() {
    let repo = graph();
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    assert_eq!(pulls(&github).len(), 50);
    let promote = || {
        github.server.take_calls();
        _ = github.command(&repo, "promote").run().success();
        let calls = github.server.take_calls();
        calls.into_iter().partition::<Vec<Call>, _>(|call| !call.is_write())
    };
    // All proposals are on one page. Nothing differs, and nothing is written.
    let (read, written) = promote();
    assert_eq!(asked(&read), ["open", "statuses"]);
    assert_eq!(asked(&written), Vec::<String>::new());
    // The root runs it and soaks: everything that waits for it says so, and every picture next to it shows it.
    github.server.with(|state| state.merge(1, Method::Merge));
    let (read, written) = promote();
    assert_eq!(asked(&read), ["open", "gates"]);
    let gates = written.iter().filter(|call| call.body["context"] == "hydrator/promotion").count();
    let pictures = written.iter().filter(|call| call.method == "PATCH").count();
    let progress = written.iter().filter(|call| call.body["context"] == "hydrator/progress").count();
    assert_eq!((gates, pictures, progress, written.len()), (24, 24, 1, 49), "{:?}", asked(&written));
    // Half of them follow, and all of those have a status to wait for.
    github.server.with(|state| (2..=13).for_each(|number| drop(state.merge(number, Method::Squash))));
    let (read, written) = promote();
    assert!(read.len() <= 3, "{:?}", asked(&read));
    let statuses = |context: &str| written.iter().filter(|call| call.body["context"] == context).count();
    assert_eq!(
        (statuses("hydrator/promotion"), statuses("hydrator/progress")),
        (12, 1),
        "{:?}",
        asked(&written)
    );
    let (read, written) = promote();
    assert!(read.len() <= 3, "{:?}", asked(&read));
    assert_eq!(asked(&written), Vec::<String>::new());
    // What people closed is asked about, all at once.
    github.server.with(|state| (40..=44).for_each(|number| state.close(number)));
    _ = promote();
    let (read, written) = promote();
    assert!(read.len() <= 3, "{:?}", asked(&read));
    assert_eq!(asked(&written), Vec::<String>::new());
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
