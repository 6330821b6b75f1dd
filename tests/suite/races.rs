//! Several writers at once: runs for different DRY commits in either order, other programs that write notes, people
//! who push. The newest DRY commit ends up proposed everywhere, and nobody's work is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// The DRY commit's subject in the title of the open pull request.
    subject: Option<String>,
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
            let active = repo.tip(&base).unwrap();
            assert_eq!(repo.commit_view(&tip).parents, [active], "{environment}");
        }
        Offer {
            manifest: repo.try_show(&head, "app/manifest.yaml").unwrap_or_default(),
            noted: repo.noted(&head),
            subject: open.map(|open| open["title"].as_str().unwrap().split_once(": ").unwrap().1.to_owned()),
        }
    };
    ENVIRONMENTS.into_iter().map(offer).collect()
}

fn proposes(value: &str, dry: &str) -> impl Fn(&[Offer]) {
    let (value, subject, dry) = (format!("\"{value}\""), format!("Set {value}"), dry.to_owned());
    move |offers| {
        for offer in offers {
            assert!(offer.manifest.contains(&value), "{value} is not proposed: {offers:?}");
            let wanted = (Some(&dry), Some(&subject));
            assert_eq!((offer.noted.as_ref(), offer.subject.as_ref()), wanted, "{offers:?}");
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
fn pairs_of_runs_at_once_end_with_the_newer_commit() {
    let pairs = std::env::var("HYDRATOR_PAIRS").ok().and_then(|pairs| pairs.parse().ok()).unwrap_or(50);
    let repo = repo();
    _ = repo.hydration().run().success();
    let mut notes = repo.notes(NOTES);
    for round in 0..pairs {
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

/// What an older DRY commit gives every environment, and a newer one.
const OLDER: [&str; 3] = ["active", "proposed", "third"];
const NEWER: [&str; 4] = ["active", "proposed", "third", "fourth"];

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

/// Runs for a commit over HTTP, and lets `meanwhile` happen just before the server tells the refs for the first push.
/// Later the client no longer notices that a ref moved which it only asserts.
fn surprised(
    repo: &TestRepo,
    server: &GitServer,
    commit: &str,
    mut meanwhile: impl FnMut() -> bool + Send + 'static,
) -> Outcome {
    let mut over = false;
    server.decide(move |request| {
        if !over && request.method == "GET" && request.service.as_deref() == Some("git-receive-pack") {
            over = !meanwhile();
        }
        Answer::Serve
    });
    let outcome = job_over_http(repo, server, commit).run();
    server.decide(|_| Answer::Serve);
    outcome
}

/// Runs for `outer` over HTTP, and lets `meanwhile` happen when it is about to push for the `nth` time; false if it
/// never came to that.
fn interrupted(
    repo: &TestRepo,
    server: &GitServer,
    (outer, nth): (&str, usize),
    meanwhile: impl FnOnce() + Send + 'static,
) -> (Outcome, bool) {
    let happened = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&happened);
    server.before_push(nth, move || {
        meanwhile();
        mark.store(true, Ordering::SeqCst);
    });
    let outcome = job_over_http(repo, server, outer).run();
    server.decide(|_| Answer::Serve);
    (outcome, happened.load(Ordering::SeqCst))
}

#[test]
fn whatever_two_runs_want_the_newer_one_gets_it() {
    let repo = Arc::new(waiting());
    let server = GitServer::start(&repo);
    let start = repo.state();
    let mut met = 0;
    for (first, second) in OLDER.iter().flat_map(|first| NEWER.map(|second| (*first, second))) {
        let older = set(&repo, first);
        let between = repo.state();
        let newer = set(&repo, second);
        let both = repo.state();
        _ = job(&repo, &newer).run().success();
        let wanted = offers(&repo);
        // The older run sees itself as the newest, and the newer commit arrives while it works.
        for nth in if first == "active" { 1..=2 } else { 1..=1 } {
            repo.restore(&between);
            let (inside, commit) = (Arc::clone(&repo), newer.clone());
            let (outcome, happened) = interrupted(&repo, &server, (&older, nth), move || {
                inside.remote_git().run(&["update-ref", "refs/heads/main", &commit]);
                _ = job(&inside, &commit).run().success();
            });
            _ = outcome.success();
            assert!(happened, "the run for {first} does not push {nth} times");
            assert_eq!(offers(&repo), wanted, "{second} comes at push {nth} of {first}");
            met += 1;
        }
        // The older run is late, and the newer one is about to push.
        for nth in if second == "active" { 1..=2 } else { 1..=1 } {
            repo.restore(&both);
            let (inside, commit) = (Arc::clone(&repo), older.clone());
            let (outcome, happened) = interrupted(&repo, &server, (&newer, nth), move || {
                _ = job(&inside, &commit).run().success();
            });
            _ = outcome.success();
            assert!(happened, "the run for {second} does not push {nth} times");
            assert_eq!(offers(&repo), wanted, "{first} comes at push {nth} of {second}");
            met += 1;
        }
        repo.restore(&start);
        repo.work_git().run(&["reset", "--quiet", "--hard", &start.refs["refs/heads/main"]]);
    }
    assert_eq!(met, 4 * 2 + 8 + 3 * 2 + 9);
}

#[test]
fn a_late_run_does_not_describe_what_a_newer_one_proposes() {
    let repo = Arc::new(waiting());
    let server = GitServer::start(&repo);
    let older = set(&repo, "third");
    let between = repo.state();
    let newer = set(&repo, "fourth");
    _ = job(&repo, &newer).run().success();
    let wanted = offers(&repo);
    repo.restore(&between);
    // A checkout without history asks for it between its push and its pull requests.
    let checkout = repo.check_out(CheckoutKind::Shallow, "shallow");
    let (inside, commit) = (Arc::clone(&repo), newer.clone());
    let mut pushed = false;
    let mut once = Some(move || {
        inside.remote_git().run(&["update-ref", "refs/heads/main", &commit]);
        _ = job(&inside, &commit).run().success();
    });
    server.decide(move |request| {
        if pushed && request.service.as_deref() == Some("git-upload-pack") {
            once.take().into_iter().for_each(|newer_run| newer_run());
        }
        pushed |= request.is_push();
        Answer::Serve
    });
    let run = triggered(repo.hydration_of(&checkout), &older, "refs/heads/main");
    let outcome =
        run.arguments(["--remote", &server.url()]).variable("HYDRATOR_TOKEN", TOKEN).run().success();
    assert_eq!(offers(&repo), wanted);
    assert_eq!(operations(&outcome), ["superseded"; 3]);
}

#[test]
fn a_lost_race_is_planned_again() {
    let repo = Arc::new(waiting());
    let server = GitServer::start(&repo);
    let commit = set(&repo, "third");
    // The forge's own merge of what waits, and a person's commit beside our files, just before the push.
    let inside = Arc::clone(&repo);
    let outcome = surprised(&repo, &server, &commit, move || {
        inside.merge_pull_request(&next("dev"));
        let change = Change { files: files(&[("CODEOWNERS", "* @sre\n")]), ..Change::default() };
        inside.person().commit("hydrator/prod", &change, "Own the branch");
        false
    });
    assert_eq!(operations(&outcome.success()), ["created", "updated", "updated"]);
    proposes("third", &commit)(&offers(&repo));
    assert!(repo.show("hydrator/dev", "app/manifest.yaml").contains("\"proposed\""));
    assert_eq!(repo.show("hydrator/prod", "CODEOWNERS"), "* @sre\n");
    assert_eq!(repo.show(&next("prod"), "CODEOWNERS"), "* @sre\n");
    assert_eq!(repo.try_show(&next("dev"), "CODEOWNERS"), None);
}

#[test]
fn a_person_who_is_faster_on_a_proposed_branch_is_not_overwritten() {
    let repo = Arc::new(waiting());
    let server = GitServer::start(&repo);
    let commit = set(&repo, "third");
    let inside = Arc::clone(&repo);
    let (outcome, _) = interrupted(&repo, &server, (&commit, 1), move || {
        let change = Change { files: files(&[("app/manifest.yaml", "kind: Mine\n")]), ..Change::default() };
        inside.person().commit(&next("staging"), &change, "A quick fix");
    });
    assert_eq!(operations(&outcome.code(5)), ["updated", "failed", "updated"]);
    assert_eq!(repo.show(&next("staging"), "app/manifest.yaml"), "kind: Mine\n");
    assert!(repo.show(&next("prod"), "app/manifest.yaml").contains("third"));
}

#[test]
fn endless_races_are_given_up_with_a_hint() {
    let repo = Arc::new(waiting());
    let server = GitServer::start(&repo);
    let commit = set(&repo, "third");
    let inside = Arc::clone(&repo);
    let outcome = surprised(&repo, &server, &commit, move || {
        inside.person().commit("hydrator/prod", &Change::default(), "Busy");
        true
    });
    let outcome = outcome.code(5);
    assert!(outcome.stderr().contains("5 times") && outcome.stderr().contains("concurrency"), "{outcome:?}");
}

/// Notes as other programs leave them, about our commits and about others.
#[test]
fn a_third_writer_of_notes_loses_nothing_and_takes_nothing() {
    let repo = Arc::new(waiting());
    let server = GitServer::start(&repo);
    repo.commit("One commit more");
    let foreign: Vec<String> =
        repo.work_git().run(&["rev-list", "main"]).lines().map(str::to_owned).collect();
    for (number, filing) in
        [Filing::Flat, Filing::Fanned, Filing::Flat, Filing::Fanned].into_iter().enumerate()
    {
        let commit = set(&repo, &format!("round {number}"));
        let (inside, other, ours) =
            (Arc::clone(&repo), foreign[number].clone(), repo.tip(&next("dev")).unwrap());
        let old = repo.noted(&next("dev")).unwrap();
        let (outcome, happened) = interrupted(&repo, &server, (&commit, 1), move || {
            inside.write_note(NOTES, &other, &format!("{{\"drySha\":\"{other}\"}}\n"), filing);
            // The same words about a commit of ours, filed another way: there are two entries then.
            inside.write_note(NOTES, &ours, &format!("{{\"drySha\":\"{old}\"}}\n"), filing);
        });
        assert!(happened);
        _ = outcome.success();
        proposes(&format!("round {number}"), &commit)(&offers(&repo));
        let notes = repo.notes(NOTES);
        for other in &foreign[..=number] {
            assert!(notes[other].contains(other.as_str()), "the note about {other} was lost");
        }
    }
    // Git itself reads and writes on, and a fan-out that it makes is understood.
    let person = repo.person();
    let git = person.git();
    git.run(&["fetch", "--quiet", "origin", &format!("+{NOTES}:{NOTES}")]);
    let tip = repo.tip(&next("prod")).unwrap();
    git.run(&["notes", "--ref", NOTES, "append", "--message", "by hand", &foreign[0]]);
    let paths: String = (0..300).map(|number| scrap(&repo, number)).collect();
    let objects = git.feed(&["hash-object", "-w", "--stdin-paths"], paths.as_bytes());
    let pairs = objects.lines().fold(String::new(), |text, object| text + &foreign[1] + " " + object + "\n");
    git.feed(&["notes", "--ref", NOTES, "copy", "--stdin"], pairs.as_bytes());
    assert!(git.run(&["notes", "--ref", NOTES, "show", &tip]).contains(&repo.tip("main").unwrap()));
    git.run(&["push", "--quiet", "origin", NOTES]);
    assert!(repo.tree_listing(NOTES).iter().any(|entry| entry.path.contains('/')), "git has fanned them out");
    let commit = set(&repo, "round fanned");
    let before = repo.notes(NOTES);
    _ = repo.hydration().run().success();
    proposes("round fanned", &commit)(&offers(&repo));
    let after = repo.notes(NOTES);
    assert!(
        before.iter().all(|(object, note)| after.get(object) == Some(note)),
        "a foreign note was changed"
    );
    git.run(&["fetch", "--quiet", "origin", &format!("+{NOTES}:{NOTES}")]);
    let tip = repo.tip(&next("prod")).unwrap();
    assert!(git.run(&["notes", "--ref", NOTES, "show", &tip]).contains(&commit), "git reads our note");
}

/// A file that is like no other; its path as a line.
fn scrap(repo: &TestRepo, number: u32) -> String {
    let path = repo.root().join(format!("scrap-{number}"));
    std::fs::write(&path, format!("{number}\n")).unwrap();
    format!("{}\n", path.display())
}

#[test]
fn a_newer_note_of_another_writer_is_news() {
    let repo = Arc::new(waiting());
    let server = GitServer::start(&repo);
    let older = repo.commit("Nothing for anybody");
    let between = repo.state();
    let newer = repo.commit("Nothing again");
    repo.restore(&between);
    let (inside, commit) = (Arc::clone(&repo), newer.clone());
    let (outcome, _) = interrupted(&repo, &server, (&older, 1), move || {
        inside.remote_git().run(&["update-ref", "refs/heads/main", &commit]);
        for environment in ENVIRONMENTS {
            let tip = inside.tip(&next(environment)).unwrap();
            inside.write_note(NOTES, &tip, &format!("{{\"drySha\":\"{commit}\"}}"), Filing::Flat);
        }
    });
    assert_eq!(operations(&outcome.success()), ["superseded"; 3]);
    for environment in ENVIRONMENTS {
        assert_eq!(repo.noted(&next(environment)), Some(newer.clone()));
    }
}

#[test]
fn the_tip_wins_after_a_force_push_from_any_checkout() {
    for kind in [CheckoutKind::Full, CheckoutKind::Shallow, CheckoutKind::Treeless] {
        let repo = waiting();
        let base = repo.tip("main").unwrap();
        let gone = set(&repo, "gone");
        let stale = repo.check_out(kind, "stale");
        _ = job(&repo, &gone).run().success();
        repo.work_git().run(&["reset", "--quiet", "--hard", &base]);
        let rewritten = set(&repo, "rewritten");
        let fresh = repo.check_out(kind, "fresh");
        let run = |checkout, commit: &str| {
            operations(&triggered(repo.hydration_of(checkout), commit, "refs/heads/main").run().success())
        };
        assert_eq!(run(&fresh, &rewritten), ["updated"; 3], "{kind:?}");
        proposes("rewritten", &rewritten)(&offers(&repo));
        let after = repo.state();
        assert_eq!(run(&stale, &gone), ["superseded"; 3], "{kind:?}");
        assert_eq!(run(&fresh, &base), ["superseded"; 3], "{kind:?}");
        assert_eq!(repo.state(), after, "{kind:?}");
        // Back to an older commit by force is forward, too.
        repo.person().force_push("main", &base);
        assert_eq!(run(&fresh, &base), ["updated"; 3], "{kind:?}");
        proposes("proposed", &base)(&offers(&repo));
    }
}
