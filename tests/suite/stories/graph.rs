//! A graph of fifty environments, and what `promote` costs there.

use super::*;
use crate::forge_server::Call;
use crate::forge_server::state::Method;

/// Environments of these names, each after others. What is in one is looked at before the next one gets it.
pub(crate) fn graph(all: &[(String, Vec<String>)]) -> TestRepo {
    let repo = TestRepo::new();
    let mut text = "version: 1\ndryBranch: main\nenvironments:\n".to_owned();
    for (name, after) in all {
        let after = after.join(", ");
        text =
            format!("{text}  - {{name: {name}, after: [{after}], gates: {{statuses: [smoke], soak: 1s}}}}\n");
    }
    repo.write("hydrator.yaml", &(text + "targets:\n  - {path: \"apps/{environment}\", name: app}\n"));
    set(&repo, &all.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), "first");
    repo
}

/// One root, twenty-four after it, one after each of these, and one after all of those.
fn fifty() -> TestRepo {
    let name = |at: usize| format!("e{at:02}");
    let after = |at: usize| match at {
        1 => Vec::new(),
        2..=25 => vec![name(1)],
        26..=49 => vec![name(at - 24)],
        _ => (26..=49).map(name).collect(),
    };
    graph(&(1..=50).map(|at| (name(at), after(at))).collect::<Vec<_>>())
}

pub(crate) fn what_waits_for_people_is_asked_about_at_once<F: Hosted>() {
    let names: Vec<String> = (1..=25).map(|at| format!("e{at:02}")).collect();
    let windows = ", after: [], autoMerge: true, mergeWindows: [{days: mon-sun}]";
    let repo = repo_with(&names.iter().map(String::as_str).collect::<Vec<_>>(), windows);
    let forge = F::start(&repo);
    forge.server().with(|state| state.required_reviews = 1);
    _ = forge.job(&repo).run().success();
    let promote = || {
        forge.server().take_calls();
        let outcome = forge.command(&repo, "promote").arguments(["--format", "json"]).run().success();
        (outcome, forge.server().take_calls())
    };
    _ = promote();
    let (outcome, calls) = promote();
    assert_eq!(calls.len(), 3, "{:?}", asked(&calls));
    let waits =
        |one: &&Value| one["note"].as_str().is_some_and(|note| note.starts_with("the forge waits: a"));
    let report = outcome.json();
    assert_eq!(report["environments"].as_array().unwrap().iter().filter(waits).count(), 25, "{report}");
    // Those that were reviewed are merged, and the others go on waiting.
    forge.server().with(|state| {
        for pull in state.pulls.iter_mut().take(2) {
            pull.reviews.push(("carol".to_owned(), true));
        }
    });
    _ = promote();
    let merged = pulls(&forge).iter().filter(|(_, life, ..)| *life == Life::Merged).count();
    assert_eq!(merged, 2);
}

/// The status that a call sets.
fn set_by(call: &Call) -> Option<&str> {
    call.body["context"].as_str().or_else(|| call.body["name"].as_str())
}

pub(crate) fn promotion_reads_little_and_writes_what_differs<F: Hosted>() {
    let repo = fifty();
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    assert_eq!(pulls(&forge).len(), 50);
    let promote = || {
        forge.server().take_calls();
        _ = forge.command(&repo, "promote").run().success();
        let calls = forge.server().take_calls();
        let (read, written): (Vec<Call>, Vec<Call>) = calls.into_iter().partition(|call| !call.is_write());
        assert!(read.len() <= 3, "{:?}", asked(&read));
        (read, written)
    };
    let count =
        |written: &[Call], context: &str| written.iter().filter(|call| set_by(call) == Some(context)).count();
    let progress = usize::from(F::WAITS);
    // All proposals are on one page. Nothing differs, and nothing is written.
    let (read, written) = promote();
    assert_eq!((read.len(), asked(&written)), (2, Vec::new()));
    // The root runs it and soaks: everything that waits for it says so, and every picture next to it shows it.
    forge.server().with(|state| state.merge(1, Method::Merge));
    let (read, written) = promote();
    assert_eq!(read.len(), 2, "{:?}", asked(&read));
    let pictures = written.iter().filter(|call| ["PATCH", "PUT"].contains(&call.method.as_str())).count();
    assert_eq!(
        (
            count(&written, "hydrator/promotion"),
            pictures,
            count(&written, "hydrator/progress"),
            written.len()
        ),
        (24 * F::NEW_WORDS, 24, progress, 24 * F::NEW_WORDS + 24 + progress),
        "{:?}",
        asked(&written)
    );
    // Half of them follow, and all of those have a status to wait for.
    forge.server().with(|state| (2..=13).for_each(|number| drop(state.merge(number, Method::Squash))));
    let (_, written) = promote();
    assert_eq!(
        (count(&written, "hydrator/promotion"), count(&written, "hydrator/progress")),
        (12 * F::NEW_WORDS, progress),
        "{:?}",
        asked(&written)
    );
    assert_eq!(asked(&promote().1), Vec::<String>::new());
    // What people closed is asked about, all at once.
    forge.server().with(|state| (40..=44).for_each(|number| state.close(number)));
    promote();
    assert_eq!(asked(&promote().1), Vec::<String>::new());
}
