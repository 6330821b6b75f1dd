//! Several writers at once: runs for different DRY commits in either order, other programs that write notes, people
//! who push. The newest DRY commit ends up proposed everywhere, and nobody's work is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::checkout::CheckoutKind;
use crate::support::command::{Outcome, Run};
use crate::support::git::{TestRepo, files};
use crate::support::http::{Answer, GitServer, TOKEN};
use crate::support::hydrating::{NOTES, triggered};
use crate::support::person::Change;
use crate::support::reading::Filing;

const ENVIRONMENTS: [&str; 3] = ["dev", "staging", "prod"];

fn next(environment: &str) -> String {
    format!("hydrator/{environment}-next")
}

/// Three environments with one target each, which holds the values that are written.
fn repo() -> TestRepo {
    let repo = TestRepo::new();
    let listed: String = ENVIRONMENTS.map(|name| format!("  - name: {name}\n")).concat();
    repo.write(
        "hydrator.yaml",
        &format!("version: 1\ndryBranch: main\nenvironments:\n{listed}targets:\n  - path: apps/{{environment}}\n    name: app\n"),
    );
    set(&repo, "first");
    repo
}

/// Gives every environment a value, in one DRY commit.
fn set(repo: &TestRepo, value: &str) -> String {
    for name in ENVIRONMENTS {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: \"{value}\"\n"
        );
        repo.write(&format!("apps/{name}/x.yaml"), &text);
    }
    repo.commit(&format!("Set {value}"))
}

fn job(repo: &TestRepo, commit: &str) -> Run {
    triggered(repo.hydration(), commit, "refs/heads/main")
}

fn job_over_http(repo: &TestRepo, server: &GitServer, commit: &str) -> Run {
    job(repo, commit).arguments(["--remote", &server.url()]).variable("HYDRATOR_TOKEN", TOKEN)
}

/// What an environment offers: its manifests, what its note and its open pull request say.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Offer {
    manifest: String,
    noted: Option<String>,
    open: bool,
}

/// Looks at every environment, and whether what belongs together fits together.
#[track_caller]
fn offers(repo: &TestRepo) -> Vec<Offer> {
    let offer = |environment: &str| {
        let (head, base) = (next(environment), format!("hydrator/{environment}"));
        let tip = repo.tip(&head).unwrap();
        let open = repo.open_pull_request(&head);
        if let Some(open) = &open {
            assert_eq!(open["headSha"], tip, "{environment}");
            let body = open["body"].as_str().unwrap();
            let message = repo.commit_view(&tip).message;
            let dry = message.split(':').next().unwrap();
            assert!(
                body.contains(&format!("DRY commit `{dry}`")),
                "the text is about another proposal: {body}"
            );
            let active = repo.tip(&base).unwrap();
            assert_eq!(repo.commit_view(&tip).parents, [active], "{environment}");
        }
        Offer {
            manifest: repo.try_show(&head, "app/manifest.yaml").unwrap_or_default(),
            noted: repo.noted(&head),
            open: open.is_some(),
        }
    };
    ENVIRONMENTS.into_iter().map(offer).collect()
}

fn proposes(value: &str, dry: &str) -> impl Fn(&[Offer]) {
    let (value, dry) = (format!("\"{value}\""), dry.to_owned());
    move |offers| {
        for offer in offers {
            assert!(offer.manifest.contains(&value), "{value} is not proposed: {offers:?}");
            assert_eq!((offer.noted.as_ref(), offer.open), (Some(&dry), true), "{offers:?}");
        }
    }
}

#[track_caller]
fn operations(outcome: &Outcome) -> Vec<String> {
    let report = outcome.json();
    let environments = report["environments"].as_array().unwrap();
    environments.iter().map(|one| one["operation"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn fifty_pairs_of_runs_at_once_end_with_the_newer_commit() {
    let repo = repo();
    _ = repo.hydration().run().success();
    let mut notes = repo.notes(NOTES);
    for round in 0..50 {
        let older = set(&repo, &format!("{round} older"));
        let early = (round % 3 == 0).then(|| job(&repo, &older).start());
        let newer = set(&repo, &format!("{round} newer"));
        let (one, two) = match (early, round % 3) {
            (Some(early), _) => (early, job(&repo, &newer).start()),
            (None, 1) => (job(&repo, &older).start(), job(&repo, &newer).start()),
            (None, _) => {
                let second = job(&repo, &newer).start();
                (job(&repo, &older).start(), second)
            }
        };
        let (one, two) = (one.wait().success(), two.wait().success());
        assert!(!operations(&two).contains(&"superseded".to_owned()), "{}", two.stdout());
        assert!(operations(&one).iter().all(|operation| operation != "failed"), "{}", one.stdout());
        proposes(&format!("{round} newer"), &newer)(&offers(&repo));
        let now = repo.notes(NOTES);
        assert!(notes.keys().all(|commit| now.contains_key(commit)), "a note was lost in round {round}");
        notes = now;
    }
    let all = repo.pull_requests();
    assert_eq!(all.as_array().unwrap().len(), 3, "one pull request for each environment: {all:#}");
}

/// What a DRY commit does: the value that every environment gets by it.
const VALUES: [&str; 4] = ["active", "proposed", "third", "fourth"];

/// A remote where everything has "active" merged and "proposed" waits.
fn waiting() -> TestRepo {
    let repo = repo();
    set(&repo, "active");
    _ = repo.hydration().run().success();
    for environment in ENVIRONMENTS {
        repo.merge_pull_request(&next(environment));
    }
    set(&repo, "proposed");
    _ = repo.hydration().run().success();
    repo
}

/// Lets one run happen as a whole while another one is about to push for the nth time.
fn run_inside(
    repo: &Arc<TestRepo>,
    server: &GitServer,
    (outer, inner): (&str, &str),
    nth: usize,
) -> (Outcome, bool) {
    let (inside, commit) = (Arc::clone(repo), inner.to_owned());
    let happened = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&happened);
    server.before_push(nth, move || {
        _ = job(&inside, &commit).run().success();
        count.fetch_add(1, Ordering::SeqCst);
    });
    let outcome = job_over_http(repo, server, outer).run();
    server.decide(|_| Answer::Serve);
    (outcome, happened.load(Ordering::SeqCst) == 1)
}

#[test]
fn whatever_two_runs_want_the_newer_one_gets() {
    let repo = Arc::new(waiting());
    let server = GitServer::start(&repo);
    let start = repo.state();
    let mut interleaved = 0;
    for first in VALUES {
        for second in VALUES {
            let older = set(&repo, first);
            let between = repo.state();
            let newer = set(&repo, second);
            let both = repo.state();
            _ = job(&repo, &newer).run().success();
            let wanted = offers(&repo);
            for nth in [1, 2] {
                for newer_is_inside in [true, false] {
                    repo.restore(if newer_is_inside { &between } else { &both });
                    let inside = if newer_is_inside { (&older, &newer) } else { (&newer, &older) };
                    if newer_is_inside {
                        // The older run sees itself as the newest; the newer commit arrives while it works.
                        let (push, main) = (Arc::clone(&repo), newer.clone());
                        let inner = newer.clone();
                        let happened = Arc::new(AtomicUsize::new(0));
                        let count = Arc::clone(&happened);
                        server.before_push(nth, move || {
                            push.remote_git().run(&["update-ref", "refs/heads/main", &main]);
                            _ = job(&push, &inner).run().success();
                            count.fetch_add(1, Ordering::SeqCst);
                        });
                        let outcome = job_over_http(&repo, &server, &older).run();
                        server.decide(|_| Answer::Serve);
                        if happened.load(Ordering::SeqCst) == 1 {
                            interleaved += 1;
                            assert_eq!(offers(&repo), wanted, "{first} inside {second} at push {nth}");
                            _ = outcome.success();
                        }
                    } else {
                        let (outcome, happened) = run_inside(&repo, &server, (inside.0, inside.1), nth);
                        if happened {
                            interleaved += 1;
                            assert_eq!(offers(&repo), wanted, "{second} around {first} at push {nth}");
                            _ = outcome.success();
                        }
                    }
                }
            }
            repo.restore(&start);
            repo.work_git().run(&["reset", "--quiet", "--hard", &start.refs["refs/heads/main"]]);
        }
    }
    assert!(interleaved >= 32, "only {interleaved} pairs met");
}
