//! `.gitlab-ci-template.yml`: its jobs, run by a shell as GitLab's runner does it. There is no GitLab here; in `pipeline.rs`
//! there is.

use std::collections::BTreeMap;

use serde_yaml::Value;

use super::archives::{Release, VERSION};
use super::{project, read};
use crate::support::command::{HYDRATOR, Outcome, Run};
use crate::support::git::TestRepo;
use crate::support::http::{GitServer, TOKEN, USER};
use crate::support::tools;

/// The template with its inputs in place, as GitLab reads it: the description first, then the jobs.
fn expanded(text: &str, inputs: &[(&str, &str)]) -> Value {
    let (head, body) = text.split_once("\n---\n").expect("the inputs come first");
    let head: Value = serde_yaml::from_str(head).expect("the inputs are YAML");
    let mut body = body.to_owned();
    for (name, about) in head["spec"]["inputs"].as_mapping().expect("there are inputs") {
        let name = name.as_str().unwrap();
        assert!(about["description"].as_str().is_some_and(|text| text.len() > 10), "{name}");
        let given = inputs.iter().find(|(input, _)| *input == name).map(|(_, value)| *value);
        let value = given.map_or_else(|| default(about), str::to_owned);
        let place = format!("$[[ inputs.{name} ]]");
        assert!(body.contains(&place), "`{name}` is used nowhere");
        body = body.replace(&place, &value);
    }
    assert!(!body.contains("$[["), "an input is used that does not exist");
    serde_yaml::from_str(&body).expect("the jobs are YAML")
}

/// The default of an input, as it stands in the text.
fn default(about: &Value) -> String {
    let value = &about["default"];
    let text = value.as_str().map(str::to_owned).or_else(|| value.as_bool().map(|is_on| is_on.to_string()));
    text.expect("every input has a default")
}

fn lines(value: &Value) -> Vec<String> {
    let lines = value.as_sequence().expect("a list of commands").iter();
    lines.map(|line| line.as_str().expect("a command").to_owned()).collect()
}

/// A template that installs this hydrator from a server of this machine.
struct Template {
    release: Release,
    jobs: Value,
    repo: TestRepo,
}

impl Template {
    fn new() -> Self {
        let release = Release::of(&format!("exec '{HYDRATOR}' \"$@\""));
        let copy = release.path("template.yml");
        std::fs::copy(project(".gitlab-ci-template.yml"), &copy).unwrap();
        _ = Run::program(project("scripts/template.sh"), &release.path("home"))
            .variable("TEMPLATE", copy.to_str().unwrap())
            .variable("INSTALL_SCRIPT", release.path("scripts/install.sh").to_str().unwrap())
            .run()
            .success();
        let jobs = expanded(&std::fs::read_to_string(copy).unwrap(), &[]);
        let repo = TestRepo::new();
        repo.copy_directory(&project("examples/templates"));
        repo.commit("First version");
        Self { release, jobs, repo }
    }

    /// Runs a job with variables that a person gave.
    fn run(&self, job: &str, shell: &str, given: &[(&str, &str)]) -> Outcome {
        let (hidden, job) = (&self.jobs[".hydrator"], &self.jobs[format!("hydrator {job}")]);
        assert_eq!(job["extends"].as_str(), Some(".hydrator"));
        let place = self.release.path("builds");
        let mut variables = BTreeMap::from([
            ("CI_PROJECT_DIR".to_owned(), place.display().to_string()),
            ("HYDRATOR_FORGE".to_owned(), "local".to_owned()),
        ]);
        let of = |job: &Value| job["variables"].as_mapping().cloned().unwrap_or_default();
        for (name, value) in of(hidden).into_iter().chain(of(job)) {
            let plain = value.as_str().map(|text| text.replace("$CI_PROJECT_DIR", place.to_str().unwrap()));
            let value = plain.or_else(|| Some(value["value"].as_str()?.to_owned())).expect("a text");
            variables.insert(name.as_str().unwrap().to_owned(), value);
        }
        variables.extend(given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let script = [lines(&hidden["before_script"]), lines(&job["script"])].concat().join("\n");
        let run = Run::program(shell, &self.repo.home()).directory(&self.repo.work());
        let run = run.arguments(["-ec", &script]);
        variables.iter().fold(run, |run, (name, value)| run.variable(name, value)).run()
    }
}

#[test]
fn the_jobs_install_and_run_it() {
    let template = Template::new();
    for shell in ["/bin/sh", "/bin/bash"] {
        _ = template.run("run", shell, &[]).success();
    }
    let dotenv = std::fs::read_to_string(template.repo.work().join("hydrator.env")).unwrap();
    assert!(dotenv.contains("HYDRATED_OPERATION=none"), "{dotenv}");
    assert!(template.repo.work().join("hydrator-report.json").exists());
    assert_eq!(template.release.files.asked().len(), 1, "the archive is kept for the next job");
    template.repo.merge_pull_request("hydrator/dev-next");
    template.repo.write("apps/shop/values-dev.yaml", "tag: 1.5.0\n");
    template.repo.commit("Newer");
    _ = template.run("run", "/bin/sh", &[("HYDRATOR_VERSION", VERSION)]).success();
    template.repo.merge_pull_request("hydrator/dev-next");
    let history = template.run("history", "/bin/sh", &[("HYDRATOR_ENVIRONMENT", "dev")]).success();
    assert!(history.stdout().contains("Newer"), "{}", history.stdout());
    let reason = "$(touch pwned) `touch pwned` \" ' $HYDRATOR_FORGE";
    let given =
        [("HYDRATOR_ENVIRONMENT", "dev"), ("HYDRATOR_REASON", reason), ("GITLAB_USER_LOGIN", "carol")];
    _ = template.run("rollback", "/bin/sh", &given).success();
    let metadata = template.repo.remote_git().run(&["show", "hydrator/dev-next:hydrator.metadata"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(metadata["hold"]["reason"].as_str(), Some(reason));
    assert!(!template.repo.work().join("pwned").exists());
    template.repo.merge_pull_request("hydrator/dev-next");
    _ = template.run("resume", "/bin/sh", &[("HYDRATOR_ENVIRONMENT", "dev")]).success();
    assert!(template.repo.open_pull_request("hydrator/dev-next").is_some());
}

#[test]
fn a_job_ends_where_it_cannot_install() {
    let template = Template::new();
    for shell in ["/bin/sh", "/bin/bash"] {
        let outcome = template.run("run", shell, &[("HYDRATOR_VERSION", "v9.9.9")]);
        assert_eq!(outcome.exit_code(), Some(1), "{}", outcome.stderr());
        assert!(outcome.stderr().contains("no archive of hydrator `v9.9.9`"), "{}", outcome.stderr());
    }
    assert_eq!(template.repo.pull_requests(), serde_json::Value::Null);
}

/// A source of hydrator that is small: what it builds starts this hydrator.
fn source() -> (TestRepo, String) {
    let repo = TestRepo::new();
    let manifest = "[package]\nname = \"hydrator\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";
    repo.write("Cargo.toml", manifest);
    repo.write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"hydrator\"\nversion = \"1.0.0\"\n");
    let program = format!(
        "use std::os::unix::process::CommandExt as _;\nfn main() {{\n    eprintln!(\"built from source\");\n    \
         panic!(\"{{}}\", std::process::Command::new({HYDRATOR:?}).args(std::env::args_os().skip(1)).exec());\n}}\n"
    );
    repo.write("src/main.rs", &program);
    let commit = repo.commit("Source");
    (repo, commit)
}

#[test]
fn the_jobs_build_it_where_nothing_is_released() {
    let template = Template::new();
    let (source, commit) = source();
    // A newer commit that must not be built.
    source.write("src/main.rs", "compile_error!(\"newer\");\n");
    source.commit("Newer");
    let server = GitServer::start(&source);
    let login = format!("machine 127.0.0.1 login {USER} password {TOKEN}\n");
    std::fs::write(template.repo.home().join(".netrc"), login).unwrap();
    let cargo = std::env::var("CARGO").expect("cargo runs the tests");
    let rust = std::path::Path::new(&cargo).parent().expect("it is in a directory");
    let path = format!("{}:{}", rust.display(), tools::search_path());
    let address = format!("{}#{commit}", server.url());
    let given = [("HYDRATOR_VERSION", "source"), ("HYDRATOR_SOURCE", &address), ("PATH", &path)];
    let outcome = template.run("run", "/bin/sh", &given).success();
    assert!(outcome.stderr().contains("built from source"), "{}", outcome.stderr());
    assert!(!outcome.stderr().contains(TOKEN) && template.release.files.asked().is_empty());
    assert!(template.repo.open_pull_request("hydrator/dev-next").is_some());
}

#[test]
fn jobs_take_turns_and_wait_for_a_person_where_they_should() {
    let jobs = expanded(&read(".gitlab-ci-template.yml"), &[("job-prefix", "x"), ("stage", "manifests")]);
    let hidden = &jobs[".x"];
    assert_eq!(
        (hidden["resource_group"].as_str(), hidden["stage"].as_str()),
        (Some("hydrator"), Some("manifests"))
    );
    for (name, job) in jobs.as_mapping().unwrap() {
        let name = name.as_str().unwrap();
        let Some(command) = name.strip_prefix("x ") else { continue };
        assert_eq!(lines(&job["script"]), [format!("hydrator {command}")]);
        let rules: Vec<&Value> = job["rules"].as_sequence().unwrap().iter().collect();
        let condition = match command {
            "diff" => "$CI_PIPELINE_SOURCE == \"merge_request_event\"",
            _ => "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
        };
        let texts: Vec<&str> = rules.iter().map(|rule| rule["if"].as_str().unwrap()).collect();
        assert!(texts.iter().all(|text| text.starts_with(condition)), "{name}");
        assert!(rules[0]["when"].is_null(), "{name}");
        // A comment starts its own job and no other one; a button waits for a person, and holds nothing up.
        let is_note = "$TRIGGER_PAYLOAD =~ /\"object_kind\":\\s*\"note\"/";
        let by_others = is_note.replace("=~", "!~");
        let chosen = format!("\"run\" == \"{command}\"");
        let is_manual =
            |rule: &Value| (&rule["when"], &rule["allow_failure"]) == (&"manual".into(), &true.into());
        match command {
            "comment" => {
                assert!(texts[0].contains("== \"trigger\"") && texts[0].contains(is_note), "{texts:?}");
                assert!(
                    texts[0].starts_with(texts[1]) && is_manual(rules[1]),
                    "the same but for what it asks"
                );
            }
            "diff" => assert_eq!(rules.len(), 1),
            "promote" => assert!(texts[0].contains(&chosen) && rules.len() == 1, "{texts:?}"),
            "run" => {
                assert!(texts[0].contains(&chosen) && texts[0].ends_with(&by_others) && rules.len() == 1);
            }
            _ => {
                assert!(texts[0].ends_with(&chosen), "{texts:?}");
                assert!(texts[1].contains("\"false\" == \"true\"") && texts[1].ends_with(&by_others));
                assert!(is_manual(rules[1]) && rules.len() == 2, "{name}");
            }
        }
    }
    // What people give is data: nothing but places of the runner's own is expanded.
    for (name, value) in hidden["variables"].as_mapping().unwrap() {
        let is_ours = value.as_str().is_some_and(|text| !text.contains("inputs"));
        assert!(is_ours || value["expand"] == Value::Bool(false), "{name:?}");
    }
}

#[test]
fn the_template_has_the_installer() {
    _ = Run::program(project("scripts/template.sh"), std::path::Path::new("/nonexistent"))
        .arguments(["--check"])
        .run()
        .success();
    let changed = Release::new();
    let stale = Run::program(project("scripts/template.sh"), &changed.path("home"))
        .arguments(["--check"])
        .variable("INSTALL_SCRIPT", changed.path("scripts/install.sh").to_str().unwrap())
        .run();
    assert_eq!(stale.exit_code(), Some(1), "{}", stale.stderr());
}

#[test]
fn the_component_is_the_template_with_the_same_inputs() {
    let halves = |path: &str| {
        let text = read(path);
        let (head, body) = text.split_once("\n---\n").expect("the inputs come first");
        [head, body].map(|half| serde_yaml::from_str::<Value>(half).expect("it is YAML"))
    };
    let ([template, _], [component, body]) =
        (halves(".gitlab-ci-template.yml"), halves("templates/hydrator.yml"));
    assert_eq!(component["spec"], template["spec"]);
    let include = &body["include"][0];
    assert_eq!(include["local"], "/.gitlab-ci-template.yml");
    let inputs = template["spec"]["inputs"].as_mapping().expect("there are inputs");
    let passed = include["inputs"].as_mapping().expect("they are passed on");
    assert_eq!(passed.len(), inputs.len());
    for name in inputs.keys().filter_map(Value::as_str) {
        assert_eq!(passed[name], Value::from(format!("$[[ inputs.{name} ]]")));
    }
}

#[test]
fn the_documents_tell_the_inputs() {
    let template = read(".gitlab-ci-template.yml");
    let (head, _) = template.split_once("\n---\n").expect("the inputs come first");
    let head: Value = serde_yaml::from_str(head).unwrap();
    let known: Vec<[String; 3]> = head["spec"]["inputs"]
        .as_mapping()
        .unwrap()
        .iter()
        .map(|(name, about)| {
            let [name, means] = [name, &about["description"]].map(|value| value.as_str().unwrap().to_owned());
            [name, means, default(about)]
        })
        .collect();
    let text = read("docs/gitlab.md");
    let rows = text.lines().skip_while(|line| *line != "| input | means | default |").skip(2);
    let told: Vec<[String; 3]> = rows
        .take_while(|line| line.starts_with('|'))
        .map(|row| {
            let cells = row.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned());
            let [name, means, default] = cells.collect::<Vec<_>>().try_into().expect("three cells");
            [name.trim_matches('`').to_owned(), means, default.trim_matches('`').to_owned()]
        })
        .collect();
    assert_eq!(told, known);
}
