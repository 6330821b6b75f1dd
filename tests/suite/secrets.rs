//! No secret gets where it can be read: arguments of programs, environments of renderers, talk, errors, reports,
//! branches, the forge's file, what a run leaves on the disk.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::support::checkout::CheckoutKind;
use crate::support::command::{Outcome, Run, write_script};
use crate::support::git::TestRepo;
use crate::support::http::{Answer, BASIC, GitServer, TOKEN, USER};
use crate::support::processes::processes_of;
use crate::support::{leaks, project, tools};

/// A variable of the job that is nobody else's business.
const OTHER: &str = "other-secret-77c1f0a9";

/// Every form in which the token could be seen.
const FORMS: [&str; 3] = [TOKEN, BASIC, OTHER];

/// Programs first in the path that write down what they are started with, and then are the real ones.
struct Spies {
    directory: PathBuf,
    seen: PathBuf,
}

impl Spies {
    fn new(repo: &TestRepo) -> Self {
        let spies = Self { directory: repo.root().join("spies"), seen: repo.root().join("seen") };
        std::fs::create_dir(&spies.seen).unwrap();
        for program in ["kustomize", "helm", "kubectl"] {
            spies.add(program, &tools::program(program), "env");
        }
        let git = ["/usr/bin/git", "/usr/local/bin/git", "/bin/git"].map(Path::new);
        let git = git.iter().find(|path| path.exists()).expect("git is there");
        // Git's environment is where its credential belongs.
        spies.add("git", git, "true");
        spies
    }

    fn add(&self, program: &str, real: &Path, also: &str) {
        let script = format!(
            "{{ echo \"{program} $*\"; {also}; tr '\\0' ' ' </proc/$$/cmdline; }} >>'{}'/$$\nexec '{}' \"$@\"",
            self.seen.join(program).display(),
            real.display()
        );
        std::fs::create_dir_all(self.seen.join(program)).unwrap();
        write_script(&self.directory.join(program), &script);
    }

    fn path(&self) -> String {
        format!("{}:{}", self.directory.display(), tools::search_path())
    }

    fn records(&self, program: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.seen.join(program)).unwrap();
        entries.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()).collect()
    }
}

/// Looks at the arguments of every process of the test whenever the server is asked something.
fn watch_arguments(repo: &TestRepo, server: &GitServer) -> Arc<Mutex<Vec<String>>> {
    let found = Arc::new(Mutex::new(Vec::new()));
    let (into, root) = (Arc::clone(&found), repo.root().to_owned());
    server.decide(move |_| {
        for process in processes_of(&root) {
            let arguments = std::fs::read(process.join("cmdline")).unwrap_or_default();
            let arguments = String::from_utf8_lossy(&arguments).replace('\0', " ");
            if FORMS.iter().any(|form| arguments.contains(form)) {
                into.lock().unwrap().push(arguments);
            }
        }
        Answer::Serve
    });
    found
}

#[track_caller]
fn none_in(text: &str, what: &str) {
    for form in FORMS {
        assert!(!text.contains(form), "{form} is in {what}:\n{text}");
    }
}

#[track_caller]
fn none_said(outcome: &Outcome) {
    none_in(outcome.stdout(), "stdout");
    none_in(outcome.stderr(), "stderr");
}

/// Whatever a run may be given: tokens of several systems, besides ours.
fn with_secrets(run: Run, spies: &Spies) -> Run {
    ["GITHUB_TOKEN", "CI_JOB_TOKEN", "AWS_SECRET_ACCESS_KEY", "KUBECONFIG", "HELM_REGISTRY_CONFIG"]
        .into_iter()
        .fold(run, |run, name| run.variable(name, OTHER))
        .variable("HYDRATOR_TOKEN", TOKEN)
        .variable("PATH", &spies.path())
}

#[test]
fn a_run_with_every_renderer_shows_no_secret_anywhere() {
    let repo = TestRepo::with_files(&project::typical());
    let server = GitServer::start(&repo);
    let arguments = watch_arguments(&repo, &server);
    let spies = Spies::new(&repo);
    let checkout = repo.check_out(CheckoutKind::Shallow, "checkout");
    checkout.git().run(&["remote", "set-url", "origin", &server.url()]);
    let temporary = repo.root().join("temporary");
    std::fs::create_dir(&temporary).unwrap();
    for format in ["json", "text", "markdown"] {
        let run = with_secrets(repo.hydration_of(&checkout), &spies);
        let run = run.variable("TMPDIR", &temporary.display().to_string());
        none_said(&run.variable("HYDRATOR_FORMAT", format).run().success());
    }
    for program in ["kustomize", "helm", "git"] {
        let records = spies.records(program);
        assert!(!records.is_empty(), "{program} was not run");
        for record in records {
            none_in(&record, &format!("what {program} was started with"));
            assert!(program == "git" || !record.contains("HYDRATOR_"), "{record}");
        }
    }
    assert_eq!(*arguments.lock().unwrap(), Vec::<String>::new());
    for form in FORMS {
        assert_eq!(leaks::places(&repo, form), Vec::<String>::new());
    }
    assert!(repo.open_pull_request("hydrator/prod-next").is_some());
    assert_eq!(
        std::fs::read_dir(&temporary).unwrap().count(),
        0,
        "something is left in the temporary directory"
    );
}

#[test]
fn a_token_in_the_remotes_url_gets_no_further() {
    let repo = TestRepo::with_files(&project::embedded());
    let server = GitServer::start(&repo);
    let arguments = watch_arguments(&repo, &server);
    let checkout = repo.check_out(CheckoutKind::Full, "checkout");
    checkout.git().run(&["remote", "set-url", "origin", &server.url_with_token()]);
    none_said(&repo.hydration_of(&checkout).run().success());
    none_said(&repo.hydration().arguments(["--remote", &server.url_with_token()]).run().success());
    let mut places = leaks::places(&repo, TOKEN);
    places.retain(|place| !place.ends_with("checkout/.git/config"));
    assert_eq!(places, Vec::<String>::new());
    // The second run was told the URL as its argument by this test; git's own programs must not be.
    let arguments = arguments.lock().unwrap();
    let leaked = arguments.iter().find(|arguments| !arguments.contains("--remote"));
    assert_eq!(leaked, None);
}

#[test]
fn errors_show_no_secret() {
    let repo = TestRepo::with_files(&project::embedded());
    let server = GitServer::start(&repo);
    let url = server.url_with_token();
    let gone = url.replace("remote.git", "gone.git");
    let closed = {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        format!("http://{USER}:{TOKEN}@{}/x.git", listener.local_addr().unwrap())
    };
    let run =
        |remote: &str| repo.hydration().arguments(["--remote", remote]).variable("HYDRATOR_TOKEN", TOKEN);
    for remote in [&gone, &closed] {
        none_said(&run(remote).run().code(5));
    }
    for status in [401, 403, 404, 500] {
        server.decide(move |_| Answer::Status(status));
        none_said(&run(&url).run().code(5));
    }
    // A server that says the token back.
    server.decide(|_| Answer::Serve);
    repo.hook(
        "pre-receive",
        &format!("echo 'no {TOKEN}, no {BASIC}, no https://u:{TOKEN}@e.org/x' >&2; exit 1"),
    );
    let refused = run(&url).run().code(5);
    none_said(&refused);
    assert!(refused.stdout().contains("no ***"), "{refused:?}");
}

#[test]
fn a_renderer_that_looks_for_secrets_finds_none() {
    let repo = TestRepo::new();
    let configuration = "version: 1
dryBranch: main
environments: [{name: dev}]
targets:
  - path: app
    name: app
    command: [sh, -c, 'cat ../spy.sh | sh']
    env: [WANTED]
";
    repo.write("hydrator.yaml", configuration);
    repo.write("app/x", "");
    // Its own environment, its ancestors' as far as it may read them by itself, its home, what lies around.
    let spy = "printf 'apiVersion: v1\\nkind: ConfigMap\\nmetadata:\\n  name: spy\\ndata:\\n'
env | sed 's/[^A-Za-z0-9=_./:-]/_/g; s/^/  /; s/=/: \"/; s/$/\"/'
";
    repo.write("spy.sh", spy);
    repo.commit("Look around");
    let spies = Spies::new(&repo);
    let run = with_secrets(repo.hydration(), &spies).variable("WANTED", "allowed-1234");
    none_said(&run.run().success());
    let manifest = repo.show("hydrator/dev-next", "app/manifest.yaml");
    none_in(&manifest, "what a renderer sees");
    assert!(manifest.contains("WANTED: \"allowed-1234\""), "{manifest}");
    let names: Vec<&str> = manifest
        .lines()
        .skip(5)
        .filter_map(|line| line.trim().split_once(':').map(|(name, _)| name))
        .collect();
    for name in &names {
        let known = ["HOME", "LC_ALL", "PATH", "PWD", "TMPDIR", "TZ", "WANTED", "OLDPWD", "SHLVL", "_"];
        let own_place = ["XDG_", "HELM_"].iter().any(|start| name.starts_with(start));
        assert!(known.contains(name) || own_place, "{name} is passed on");
    }
}

#[test]
fn our_own_variables_cannot_be_passed_on() {
    let repo = TestRepo::with_files(&project::embedded());
    let configuration = "version: 1
dryBranch: main
environments: [{name: dev}]
targets:
  - path: plain/dev
    name: app
    command: [sh, -c, 'echo \"token: $HYDRATOR_TOKEN\"']
    env: [HYDRATOR_TOKEN]
";
    repo.write("hydrator.yaml", configuration);
    repo.commit("Take the token");
    let before = repo.refs();
    let outcome = repo.hydration().variable("HYDRATOR_TOKEN", TOKEN).run();
    none_said(&outcome);
    let code = outcome.exit_code();
    assert!(code == Some(3), "{outcome:?}");
    assert!(outcome.stderr().contains("HYDRATOR_TOKEN"), "{outcome:?}");
    assert_eq!(repo.refs(), before);
}

#[test]
fn what_has_the_token_in_it_is_masked_or_refused() {
    let repo = TestRepo::with_files(&project::embedded());
    let named =
        repo.hydration().variable("HYDRATOR_TOKEN", TOKEN).arguments(["--environment", TOKEN]).run().code(2);
    assert!(named.stderr().contains("no environment `***`"), "{named:?}");
    let reason = format!("because {TOKEN} says so");
    let run = Run::hydrator(&repo).variable("HYDRATOR_TOKEN", TOKEN).variable("HYDRATOR_FORGE", "local");
    let told = run.arguments(["rollback", "--environment", "dev", "--reason", &reason]).run().code(2);
    assert!(told.stderr().contains("has a token of this job in it"), "{told:?}");
}

/// A target's files, and what is still said of the mistake in it.
type Mistake = (&'static [(&'static str, &'static str)], &'static str);

const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter1}\n";
const CHART: &str = "apiVersion: v2\nname: web\nversion: 1.0.0\n";
const USE: &str =
    "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  p: {{ tpl .Values.password . }}\n";

const MISTAKES: [Mistake; 9] = [
    (
        &[
            ("s.yaml", SECRET),
            ("keep.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: keep}\ndata: {x: y}\n"),
            (
                "kustomization.yaml",
                "resources: [s.yaml, keep.yaml]\nreplacements:\n- source: {kind: Secret, name: s, fieldPath: stringData.password.x}\n  targets: [{select: {kind: ConfigMap}, fieldPaths: [data.x]}]\n",
            ),
        ],
        "error looking up replacement source",
    ),
    (
        &[("kustomization.yaml", "secretGenerator: [{name: s, literals: [hunter1]}]\n")],
        "invalid literal source",
    ),
    (
        &[
            ("kustomization.yaml", "secretGenerator: [{name: s, envs: [x.env]}]\n"),
            ("x.env", "A=hunter1\nA=hunter2 x\n"),
        ],
        "illegally repeats the key",
    ),
    (
        &[
            ("s.yaml", SECRET),
            (
                "kustomization.yaml",
                "resources: [s.yaml]\npatches:\n- target: {kind: Secret}\n  patch: |\n    - op: replace\n      path: /stringData/password\n     value: hunter2\n",
            ),
        ],
        "unable to parse SM or JSON patch",
    ),
    (
        &[
            ("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s, labels: hunter1}\n"),
            ("kustomization.yaml", "resources: [s.yaml]\nlabels: [{pairs: {a: b}}]\n"),
        ],
        "wrong node kind",
    ),
    (
        &[
            ("Chart.yaml", CHART),
            ("values.yaml", "password: hunter1\n"),
            ("templates/s.yaml", USE),
            (
                "values.schema.json",
                "{\"properties\":{\"password\":{\"type\":\"string\",\"pattern\":\"^[0-9]$\"}}}",
            ),
        ],
        "at '/password'",
    ),
    (
        &[("Chart.yaml", CHART), ("values.yaml", "password: \"{{ hunter1\"\n"), ("templates/s.yaml", USE)],
        "web/templates/s.yaml:5",
    ),
    (
        &[("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: hunter1\n")],
        "web/s.yaml:3: document 1 is not valid YAML",
    ),
    (
        &[("s.yaml.j2", "apiVersion: v1\nkind: Secret\nmetadata: hunter1\n")],
        "invalid type: string, expected `metadata`",
    ),
];

#[test]
fn what_renderers_say_holds_no_value_of_a_secret() {
    for (files, wanted) in MISTAKES {
        let repo = TestRepo::new();
        repo.write("hydrator.yaml", "version: 1\nenvironments: [{name: dev}]\ntargets: [{path: web}]\n");
        for (path, text) in files {
            repo.write(&format!("web/{path}"), text);
        }
        repo.commit("A mistake");
        let outcome = repo.hydration().run().code(4);
        let said = format!("{}{}", outcome.stdout(), outcome.stderr());
        assert!(!said.contains("hunter"), "{files:?}\n{said}");
        assert!(said.contains(wanted), "{wanted}: {said}");
    }
}

#[test]
fn an_address_with_credentials_is_not_said() {
    let spec = "alice:hunter22@127.0.0.1:1/x";
    let kustomization = |spec: &str| ("kustomization.yaml", format!("resources: ['{spec}']\n"));
    let chart =
        ("kustomization.yaml", format!("helmCharts: [{{name: a, version: 1.2.3, repo: 'http://{spec}'}}]\n"));
    let dependency = format!(
        "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: [{{name: a, version: 1.2.3, repository: 'http://{spec}'}}]\n"
    );
    let lock = format!("dependencies: [{{name: a, version: 1.2.3, repository: 'http://{spec}'}}]\n");
    let trees = [
        vec![kustomization(&format!("http://{spec}.git//a?ref=v1"))],
        vec![kustomization(&format!("git::http://{spec}//a?ref=v1"))],
        vec![kustomization(&format!("http://{spec}.yaml"))],
        vec![kustomization(&format!("http:/{spec}.yaml"))],
        vec![chart],
        vec![("Chart.yaml", dependency), ("Chart.lock", lock), ("templates/a.yaml", String::new())],
    ];
    for files in trees {
        for is_allowed in [false, true] {
            let repo = TestRepo::new();
            let options = "kustomize: {buildOptions: [--enable-helm]}";
            let options = if files[0].0 == "Chart.yaml" { "" } else { options };
            repo.write("hydrator.yaml", &format!("version: 1\nenvironments: [{{name: dev}}]\ntargets: [{{path: web, allowRemote: {is_allowed}, {options}}}]\n"));
            for (path, text) in &files {
                repo.write(&format!("web/{path}"), text);
            }
            repo.commit("Somewhere else");
            for command in [&["plan", "--explain"][..], &["run"]] {
                let outcome = Run::hydrator(&repo).arguments(command).arguments(["--forge", "local"]).run();
                let said = format!("{}{}", outcome.stdout(), outcome.stderr());
                assert!(!said.contains("hunter"), "{files:?}\n{said}");
                assert!(said.contains("127.0.0.1:1") || said.contains("contains credentials"), "{said}");
            }
        }
    }
}
