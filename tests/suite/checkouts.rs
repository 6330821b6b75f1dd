//! A run reads a checkout of any kind and leaves it bit for bit as it was, over `file://` and over HTTP with a token;
//! what it does to the remote does not depend on the checkout.

use crate::support::checkout::{Checkout, CheckoutKind};
use crate::support::command::Run;
use crate::support::git::{TestRepo, files};
use crate::support::http::{BASIC, GitServer, Request, TOKEN, USER};
use crate::support::hydrating::RemoteState;
use crate::support::person::Change;
use crate::support::project;

/// A remote with something of everything: one environment merged, one waiting, one changed by a second DRY commit.
fn lived_in() -> TestRepo {
    let repo = TestRepo::with_files(&project::embedded());
    _ = repo.hydration().run().success();
    repo.merge_pull_request("hydrator/dev-next");
    repo.write("templates/jobs/values.yaml", "schedule: 0 4 * * *\n");
    repo.commit("Start the jobs later");
    repo
}

/// Over which transport a checkout reaches its remote.
enum Transport<'a> {
    File,
    Http(&'a GitServer),
}

impl Transport<'_> {
    fn direct(&self, checkout: &Checkout) {
        if let Self::Http(server) = self {
            checkout.git().run(&["remote", "set-url", "origin", &server.url()]);
        }
    }

    fn log_in(&self, run: Run) -> Run {
        match self {
            Self::File => run,
            Self::Http(_) => run.variable("HYDRATOR_TOKEN", TOKEN),
        }
    }
}

/// Runs in a checkout, and returns what became of the remote, which is then put back.
fn run_in(repo: &TestRepo, checkout: &Checkout, transport: &Transport<'_>) -> RemoteState {
    transport.direct(checkout);
    let (before, remote) = (checkout.snapshot(), repo.state());
    let outcome = transport.log_in(repo.hydration_of(checkout)).run().success();
    before.assert_same(&checkout.snapshot());
    let after = repo.state();
    let environments = outcome.json()["environments"].clone();
    for environment in environments.as_array().unwrap() {
        assert!(environment["error"].is_null(), "{environment}");
    }
    let again = transport.log_in(repo.hydration_of(checkout)).run().success();
    assert_eq!(repo.state(), after, "the second run changes nothing\n{}", again.stdout());
    before.assert_same(&checkout.snapshot());
    repo.restore(&remote);
    after
}

fn same_from_everywhere(repo: &TestRepo, transport: &Transport<'_>) {
    let mut first: Option<RemoteState> = None;
    for kind in CheckoutKind::ALL {
        let checkout = repo.check_out(kind, &format!("{kind:?}"));
        let state = run_in(repo, &checkout, transport);
        assert_ne!(state, repo.state(), "{kind:?}: nothing was done");
        let first = first.get_or_insert_with(|| state.clone());
        assert_eq!(first, &state, "{kind:?} leads to something else");
    }
    for kind in [CheckoutKind::Full, CheckoutKind::Shallow, CheckoutKind::Partial] {
        let checkout = repo.check_out(kind, &format!("{kind:?}-of-somebody-else"));
        transport.direct(&checkout);
        checkout.give_to(65534);
        let (before, remote) = (checkout.snapshot(), repo.state());
        _ = transport.log_in(repo.hydration_of(&checkout)).run().success();
        before.assert_same(&checkout.snapshot());
        assert_eq!(first, Some(repo.state()), "{kind:?} of somebody else leads to something else");
        repo.restore(&remote);
    }
}

#[test]
fn every_checkout_over_file_is_left_alone_and_gives_the_same_commits() {
    same_from_everywhere(&lived_in(), &Transport::File);
}

#[test]
fn every_checkout_over_http_is_left_alone_and_gives_the_same_commits() {
    let repo = lived_in();
    let server = GitServer::start(&repo);
    same_from_everywhere(&repo, &Transport::Http(&server));
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.authorized), "a request without the token: {requests:?}");
}

#[test]
fn two_clones_of_two_remotes_give_the_same_commits() {
    let (one, two) = (lived_in(), lived_in());
    _ = one.hydration().run().success();
    _ = two.hydration_of(&two.check_out(CheckoutKind::Shallow, "shallow")).run().success();
    assert_eq!(one.refs(), two.refs());
}

#[test]
fn active_branches_may_share_history_with_the_dry_branch() {
    let repo = TestRepo::with_files(&project::embedded());
    let first = repo.tip("main").unwrap();
    repo.person().force_push("hydrator/dev", &first);
    repo.write("README.md", "More\n");
    repo.commit("Describe");
    repo.person().force_push("hydrator/prod", "origin/main");
    let change = Change { files: files(&[("own.txt", "x\n")]), ..Change::default() };
    repo.person().commit("hydrator/prod", &change, "On top of the DRY branch");
    let server = GitServer::start(&repo);
    for transport in [Transport::File, Transport::Http(&server)] {
        let mut states = Vec::new();
        for kind in CheckoutKind::ALL {
            let name = format!("{kind:?}-{}", matches!(transport, Transport::File));
            let checkout = repo.check_out(kind, &name);
            transport.direct(&checkout);
            let (before, remote) = (checkout.snapshot(), repo.state());
            _ = transport.log_in(repo.hydration_of(&checkout).arguments(["--adopt"])).run().success();
            before.assert_same(&checkout.snapshot());
            assert_eq!(repo.commit_view("hydrator/dev-next").parents, [first.as_str()]);
            assert_eq!(repo.show("hydrator/prod-next", "own.txt"), "x\n");
            assert_eq!(repo.show("hydrator/prod-next", "README.md"), "More\n");
            states.push(repo.state());
            repo.restore(&remote);
        }
        states.dedup();
        assert_eq!(states.len(), 1, "the kinds of checkouts differ");
    }
}

#[test]
fn the_remote_itself_can_be_the_checkout() {
    let repo = lived_in();
    let before = repo.refs();
    let config = std::fs::read(repo.remote().join("config")).unwrap();
    _ = repo.hydration().directory(&repo.remote()).run().success();
    let after = repo.refs();
    assert_ne!(after, before);
    assert_eq!(after["refs/heads/main"], before["refs/heads/main"]);
    assert_eq!(std::fs::read(repo.remote().join("config")).unwrap(), config);
}

#[test]
fn a_remote_of_plain_git_is_enough() {
    let repo = lived_in();
    for option in ["uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"] {
        repo.remote_git().run(&["config", "--unset", option]);
    }
    let server = GitServer::start(&repo);
    for (transport, name) in [(Transport::File, "file"), (Transport::Http(&server), "http")] {
        for kind in [CheckoutKind::Full, CheckoutKind::Shallow] {
            let checkout = repo.check_out(kind, &format!("{name}-{kind:?}"));
            _ = run_in(&repo, &checkout, &transport);
        }
    }
}

/// What wrong credentials a checkout or a job may bring along.
enum Leftover {
    LocalHeader(&'static str),
    IncludedHeader,
    UserHeader,
    JobHeader,
    Url,
    Helper,
}

#[test]
fn a_leftover_credential_never_joins_the_token() {
    let repo = lived_in();
    let server = GitServer::start(&repo);
    let wrong = "AUTHORIZATION: basic d3Jvbmc6d3Jvbmc=";
    let origin = server.url().trim_end_matches("/remote.git").to_owned();
    let leftovers = [
        Leftover::LocalHeader(""),
        Leftover::LocalHeader("/"),
        Leftover::LocalHeader("/remote.git"),
        Leftover::IncludedHeader,
        Leftover::UserHeader,
        Leftover::JobHeader,
        Leftover::Url,
        Leftover::Helper,
    ];
    for (number, leftover) in leftovers.iter().enumerate() {
        let checkout = repo.check_out(CheckoutKind::Full, &format!("leftover-{number}"));
        Transport::Http(&server).direct(&checkout);
        let mut run = repo.hydration_of(&checkout).variable("HYDRATOR_TOKEN", TOKEN);
        let git = checkout.git();
        let specific = format!("http.{}.extraheader", server.url());
        match leftover {
            Leftover::LocalHeader(path) => {
                git.run(&["config", &format!("http.{origin}{path}.extraheader"), wrong]);
            }
            Leftover::IncludedHeader => include_header(&checkout, &origin, wrong),
            Leftover::UserHeader => _ = git.run(&["config", "--global", &specific, wrong]),
            Leftover::JobHeader => {
                run = run.variable("GIT_CONFIG_COUNT", "1");
                run = run.variable("GIT_CONFIG_KEY_0", &specific).variable("GIT_CONFIG_VALUE_0", wrong);
            }
            Leftover::Url => {
                let url = server.url().replace("http://", "http://gitlab-ci-token:expired@");
                git.run(&["remote", "set-url", "origin", &url]);
            }
            Leftover::Helper => {
                let helper = "!f() { echo username=wrong; echo password=wrong; }; f";
                git.run(&["config", "credential.helper", helper]);
            }
        }
        let seen = server.requests().len();
        let remote = repo.state();
        _ = run.run().success();
        assert_ne!(repo.state(), remote, "leftover {number}");
        repo.restore(&remote);
        if matches!(leftover, Leftover::UserHeader) {
            git.run(&["config", "--global", "--unset-all", &specific]);
        }
        let requests = &server.requests()[seen..];
        assert!(
            requests.iter().all(|one| one.authorizations == 1 && one.authorized),
            "{number}: {requests:?}"
        );
    }
}

/// As actions/checkout does since its version 6: the header is in a file of the runner's, which the checkout includes.
fn include_header(checkout: &Checkout, origin: &str, header: &str) {
    let git = checkout.git();
    let directory = git.run(&["rev-parse", "--absolute-git-dir"]).trim().to_owned();
    let file = format!("{directory}-credentials.config");
    git.run(&["config", "--file", &file, &format!("http.{origin}/.extraheader"), header]);
    git.run(&["config", &format!("includeIf.gitdir:{directory}.path"), &file]);
}

/// Gives a checkout a credential.
type Arrange<'a> = &'a dyn Fn(&Checkout);

#[test]
fn without_a_token_of_ours_the_checkouts_own_credential_counts() {
    let repo = lived_in();
    let server = GitServer::start(&repo);
    let origin = server.url().trim_end_matches("remote.git").to_owned();
    let own: [(&str, Arrange<'_>); 4] = [
        ("header", &|checkout| {
            let header = format!("AUTHORIZATION: basic {BASIC}");
            checkout.git().run(&["config", &format!("http.{origin}.extraheader"), &header]);
        }),
        ("included header", &|checkout| {
            let origin = origin.trim_end_matches('/');
            include_header(checkout, origin, &format!("AUTHORIZATION: basic {BASIC}"));
        }),
        ("url", &|checkout| {
            checkout.git().run(&["remote", "set-url", "origin", &server.url_with_token()]);
        }),
        ("helper", &|checkout| {
            let helper = format!("!f() {{ echo username={USER}; echo password={TOKEN}; }}; f");
            checkout.git().run(&["config", "credential.helper", &helper]);
        }),
    ];
    for (name, arrange) in own {
        let checkout = repo.check_out(CheckoutKind::Full, name);
        Transport::Http(&server).direct(&checkout);
        arrange(&checkout);
        let (before, remote) = (checkout.snapshot(), repo.state());
        _ = repo.hydration_of(&checkout).run().success();
        before.assert_same(&checkout.snapshot());
        assert_ne!(repo.state(), remote, "{name}");
        let show = |file: &str| repo.show("hydrator/dev-next", file);
        assert!(!show("hydrator.metadata").contains(TOKEN), "{name}");
        repo.restore(&remote);
    }
}

/// How often a run asked the server: reads (a look or a fetch is one git process that talks to upload-pack), pushes.
fn talks(requests: &[Request]) -> (usize, usize) {
    let starts = requests.iter().filter(|request| request.method == "GET");
    let (pushes, reads): (Vec<_>, Vec<_>) =
        starts.partition(|request| request.service.as_deref() == Some("git-receive-pack"));
    (reads.len(), pushes.len())
}

fn with_environments(count: usize) -> TestRepo {
    let names: Vec<String> = (0..count).map(|number| format!("e{number}")).collect();
    let listed: String = names.iter().fold(String::new(), |text, name| text + "  - name: " + name + "\n");
    let configuration = format!(
        "version: 1\ndryBranch: main\nenvironments:\n{listed}targets:\n  - path: plain/{{environment}}\n    name: plain\n"
    );
    let repo = TestRepo::new();
    repo.write("hydrator.yaml", &configuration);
    for name in &names {
        repo.write(&format!("plain/{name}/x.yaml"), &config_map(name, 1));
    }
    repo.commit("First");
    repo
}

fn config_map(name: &str, value: u32) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: \"{value}\"\n")
}

#[test]
fn a_run_asks_the_server_as_little_whatever_the_number_of_environments() {
    let asked = [
        (1, CheckoutKind::Full),
        (12, CheckoutKind::Full),
        (1, CheckoutKind::Shallow),
        (12, CheckoutKind::Shallow),
    ]
    .map(|(count, kind)| (kind, asked_of_the_server(count, kind)));
    for (kind, talks) in &asked {
        let [first, change, again, note] = talks;
        assert_eq!(first, &(1, 1), "{kind:?}: nothing is there to fetch");
        // What arrived since the run before is told of: a shallow clone has to ask for the DRY commits in between.
        let telling = usize::from(matches!(kind, CheckoutKind::Shallow));
        for (reads, most) in [(change.0, 3 + telling), (again.0, 3), (note.0, 3)] {
            assert!(reads <= most, "{kind:?}: more than one look and {} fetches: {talks:?}", most - 1);
        }
        assert_eq!((change.1, again.1, note.1), (1, 0, 1), "{kind:?}: pushes");
    }
    assert_eq!(asked[0], asked[1], "the number of environments matters");
    assert_eq!(asked[2], asked[3], "the number of environments matters");
}

/// Reads and pushes of four runs: the first one, one where everything changes, the same again, one that changes only
/// the notes.
fn asked_of_the_server(count: usize, kind: CheckoutKind) -> [(usize, usize); 4] {
    let repo = with_environments(count);
    let server = GitServer::start(&repo);
    let run = |name: &str| {
        let checkout = repo.check_out(kind, name);
        let transport = Transport::Http(&server);
        transport.direct(&checkout);
        let seen = server.requests().len();
        _ = transport.log_in(repo.hydration_of(&checkout)).run().success();
        talks(&server.requests()[seen..])
    };
    let first = run("first");
    for number in 0..count {
        let name = format!("e{number}");
        repo.merge_pull_request(&format!("hydrator/{name}-next"));
        repo.write(&format!("plain/{name}/x.yaml"), &config_map(&name, 2));
    }
    repo.commit("Second");
    let change = run("change");
    let before = repo.state();
    let again = run("again");
    assert_eq!(repo.state(), before);
    repo.commit("Third, which changes nothing");
    [first, change, again, run("note")]
}
