//! The server is what a forge's is, as far as git can tell.

use super::*;
use crate::support::git::{Git, files};
use crate::support::reading::Filing;

fn repo() -> TestRepo {
    TestRepo::with_files(&files(&[("a.yaml", "a: 1\n")]))
}

/// Git without a configured remote, so that only the URL decides.
fn git(repo: &TestRepo) -> Git {
    repo.git_in(&repo.work(), "Client").variable("GIT_ASKPASS", "true")
}

#[test]
fn clones_and_pushes_with_the_token() {
    let repo = repo();
    let server = GitServer::start(&repo);
    repo.write("b.yaml", "b: 1\n");
    let id = repo.commit_only("Over HTTP");
    git(&repo).run(&["push", "--quiet", &server.url_with_token(), "HEAD:refs/heads/main"]);
    assert_eq!(repo.tip("main"), Some(id.clone()));
    git(&repo).run(&[
        "clone",
        "--quiet",
        "--depth=1",
        "--filter=blob:none",
        &server.url_with_token(),
        "../clone",
    ]);
    assert_eq!(repo.git_in(&repo.root().join("clone"), "Client").run(&["rev-parse", "HEAD"]), id);
    let requests = server.requests();
    assert!(requests.iter().any(Request::is_push) && requests.iter().any(Request::is_fetch), "{requests:?}");
    assert!(requests.iter().any(|request| request.service.as_deref() == Some("git-receive-pack")));
    assert_eq!(requests[0].authorizations, 0, "git asks without credentials first");
    assert_eq!(requests.last().map(|request| (request.authorizations, request.authorized)), Some((1, true)));
}

#[test]
fn refuses_a_wrong_token_and_two_headers() {
    let repo = repo();
    let server = GitServer::start(&repo);
    let wrong = server.url_with_token().replace(TOKEN, "wrong");
    let words = git(&repo).try_run(&["ls-remote", &wrong]).unwrap_err();
    assert!(words.contains("Authentication failed"), "{words}");
    let header = format!("http.extraHeader=Authorization: Basic {BASIC}");
    git(&repo).run(&["-c", &header, "ls-remote", &server.url()]);
    let twice =
        ["-c", &header, "-c", "http.extraHeader=Authorization: Basic eA==", "ls-remote", &server.url()];
    git(&repo).try_run(&twice).unwrap_err();
    assert_eq!(server.requests().last().map(|request| request.authorizations), Some(2));
}

#[test]
fn takes_compressed_and_chunked_bodies() {
    let repo = repo();
    // Incompressible, and more than `http.postBuffer`: git then sends it in chunks.
    let seed =
        |number: u64| number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(31).wrapping_mul(number | 1);
    let noise = (1..200_000_u64).fold(String::new(), |text, number| text + &format!("{:x}", seed(number)));
    repo.write("noise", &noise);
    let id = repo.commit_only("Much");
    let server = GitServer::start(&repo);
    git(&repo).run(&["push", "--quiet", &server.url_with_token(), "HEAD:refs/heads/main"]);
    assert_eq!(repo.tip("main"), Some(id));
    // Many branches make a fetch's list of wants long enough to be compressed.
    let branch = |number: u32| {
        let commit = repo.work_git().run(&["commit-tree", "HEAD^{tree}", "-m", &number.to_string()]);
        format!("{commit}:refs/heads/b{number}")
    };
    let branches: Vec<String> = (0..40).map(branch).collect();
    let arguments = ["push", "--quiet", "origin"].into_iter().chain(branches.iter().map(String::as_str));
    repo.work_git().run(&arguments.collect::<Vec<_>>());
    git(&repo).run(&["clone", "--quiet", "--bare", &server.url_with_token(), "../clone.git"]);
    let requests = server.requests();
    assert!(requests.iter().any(|request| request.chunked && request.is_push()), "{requests:?}");
    assert!(requests.iter().any(|request| request.encoding.as_deref() == Some("gzip")), "{requests:?}");
}

#[test]
fn fails_when_told_to() {
    let repo = repo();
    let server = GitServer::start(&repo);
    repo.commit_only("Refused at first");
    let before = repo.refs();
    let push = || git(&repo).try_run(&["push", "--quiet", &server.url_with_token(), "HEAD:refs/heads/main"]);
    server.answer_push(1, Answer::Status(503));
    let words = push().unwrap_err();
    assert!(words.contains("503"), "{words}");
    assert_eq!(repo.refs(), before);
    push().unwrap();
    repo.commit_only("Done, but not told");
    server.answer_push(1, Answer::Forget);
    push().unwrap_err();
    assert_eq!(repo.tip("main"), Some(repo.work_git().run(&["rev-parse", "HEAD"])));
}

#[test]
fn shows_a_refusal_of_the_repository() {
    let repo = repo();
    let server = GitServer::start(&repo);
    repo.protect("refs/heads/main");
    repo.commit_only("Not allowed");
    let words = git(&repo).try_run(&["push", &server.url_with_token(), "HEAD:refs/heads/main"]).unwrap_err();
    assert!(words.contains("remote: error: GH006") && words.contains("hook declined"), "{words}");
}

#[test]
fn loses_a_race_on_demand() {
    let repo = Arc::new(repo());
    let server = GitServer::start(&repo);
    let old = repo.tip("main").unwrap();
    repo.commit_only("Ours");
    let theirs = Arc::clone(&repo);
    let commit = old.clone();
    server.before_push(1, move || theirs.write_note("refs/heads/main", &commit, "theirs", Filing::Flat));
    let url = server.url_with_token();
    let lease = format!("--force-with-lease=refs/heads/main:{old}");
    let words = git(&repo).try_run(&["push", &lease, &url, "HEAD:refs/heads/main"]).unwrap_err();
    assert!(words.contains("remote rejected") || words.contains("stale info"), "{words}");
    assert_ne!(repo.tip("main"), Some(old));
}

#[test]
fn a_hanging_request_ends_with_the_server() {
    let repo = repo();
    let server = GitServer::start(&repo);
    server.decide(|_| Answer::Hang);
    std::thread::scope(|scope| {
        let client = scope.spawn(|| git(&repo).try_run(&["ls-remote", &server.url_with_token()]));
        while !server.requests().iter().any(|request| request.authorized) {
            std::thread::yield_now();
        }
        *lock(&server.shared.stop.0) = true;
        server.shared.stop.1.notify_all();
        client.join().unwrap().unwrap_err();
    });
}
