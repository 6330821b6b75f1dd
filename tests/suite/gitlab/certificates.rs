//! A GitLab whose certificate nobody knows but its runners.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::*;
use crate::support::command::Run;
use crate::support::tools;

/// TLS in front of a server of this machine, by a certificate of an authority of its own.
struct Tls {
    process: Child,
    address: String,
}

impl Tls {
    fn start(repo: &TestRepo, upstream: &str) -> Self {
        let place = repo.root().join("tls");
        std::fs::create_dir(&place).unwrap();
        let script = "new='-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2'
            openssl req -x509 $new -keyout ca.key -out ca.pem -subj '/CN=An authority of nobody'
            openssl req $new -keyout key.pem -out request.pem -subj '/CN=gitlab'
            printf 'basicConstraints=CA:FALSE\\nsubjectAltName=IP:127.0.0.1\\n' >more
            openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile more -out leaf.pem";
        _ = Run::program("/bin/sh", &repo.home())
            .directory(&place)
            .arguments(["-ec", script])
            .run()
            .success();
        let (host, port) = upstream.split_once(':').unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suite/gitlab/tls.py");
        let mut python = Command::new("python3");
        python.arg(script).args([place.join("leaf.pem"), place.join("key.pem")]).args([host, port]);
        let mut process = python.stdout(Stdio::piped()).spawn().expect("python3 starts");
        let mut port = String::new();
        let stdout = process.stdout.take().expect("stdout is piped");
        BufReader::new(stdout).read_line(&mut port).unwrap();
        Self { process, address: format!("https://127.0.0.1:{}", port.trim()) }
    }
}

impl Drop for Tls {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn what_the_runner_trusts_its_server_by_is_enough() {
    if !tools::has("openssl") {
        return tools::skip(
            "what_the_runner_trusts_its_server_by_is_enough",
            "there is no openssl to make certificates",
        );
    }
    let repo = repo_of(&["dev"]);
    let gitlab = GitLab::start(&repo);
    let tls = Tls::start(&repo, &gitlab.server.git.host());
    let at = |path: &str| format!("{}{path}", tls.address);
    let git = repo.work_git();
    git.run(&["remote", "set-url", "origin", &at("/acme/shop.git")]);
    let job = || {
        gitlab
            .in_checkout(&repo, &repo.work())
            .variable("CI_SERVER_URL", &at(""))
            .variable("CI_API_V4_URL", &at("/api/v4"))
            .variable("CI_API_GRAPHQL_URL", &at("/api/graphql"))
            .variable("CI_PROJECT_URL", &at("/acme/shop"))
    };
    let unknown = job().run();
    assert!(unknown.stderr().contains("certificate"), "{unknown:?}");
    assert!(gitlab.server.take_calls().is_empty() && pulls(&gitlab).is_empty());
    let authority = repo.root().join("tls/ca.pem");
    let outcome = job().variable("CI_SERVER_TLS_CA_FILE", authority.to_str().unwrap()).run().success();
    assert_eq!(operations(&outcome), ["created"]);
    assert_eq!(pulls(&gitlab).len(), 1);
}
