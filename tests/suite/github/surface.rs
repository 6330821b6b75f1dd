//! What a job shows of a run: annotations, the step's summary, outputs; and nothing that others wrote is a command.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::support::command::Run;
use crate::support::http::TOKEN;

/// The files that a runner gives a step.
struct Step {
    output: PathBuf,
    summary: PathBuf,
    temporary: PathBuf,
}

impl Step {
    fn new(repo: &TestRepo) -> Self {
        let temporary = repo.root().join("runner");
        std::fs::create_dir_all(&temporary).unwrap();
        Self { output: temporary.join("output"), summary: temporary.join("summary"), temporary }
    }

    fn run(&self, run: Run) -> Run {
        let shown = |path: &PathBuf| path.display().to_string();
        run.variable("GITHUB_OUTPUT", &shown(&self.output))
            .variable("GITHUB_STEP_SUMMARY", &shown(&self.summary))
            .variable("RUNNER_TEMP", &shown(&self.temporary))
    }

    /// The outputs, read as the runner reads them.
    fn outputs(&self) -> BTreeMap<String, String> {
        let text = std::fs::read_to_string(&self.output).unwrap();
        let mut lines = text.lines();
        let mut outputs = BTreeMap::new();
        while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != delimiter).collect();
            outputs.insert(name.to_owned(), value.join("\n"));
        }
        std::fs::remove_file(&self.output).unwrap();
        outputs
    }

    fn summary(&self) -> String {
        std::fs::read_to_string(&self.summary).unwrap()
    }
}

/// Lines that the runner takes for commands.
fn commands(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.stdout().lines().chain(outcome.stderr().lines());
    lines
        .filter(|line| line.trim_start().starts_with("::") || line.contains("##["))
        .map(str::to_owned)
        .collect()
}

#[test]
fn outputs_and_summary_say_what_was_done() {
    let repo = repo_of(&["dev", "prod"]);
    let (github, step) = (GitHub::start(&repo), Step::new(&repo));
    github.server.with(|state| state.required_statuses = vec!["hydrator/promotion".to_owned()]);
    let first = step.run(github.job(&repo)).run().success();
    assert_eq!(commands(&first), ["::group::render", "::endgroup::"]);
    let outputs = step.outputs();
    assert_eq!((outputs["changed"].as_str(), outputs["operation"].as_str()), ("true", "created"));
    assert_eq!(outputs["environments"], r#"["dev","prod"]"#);
    let requests: Value = serde_json::from_str(&outputs["pull-requests"]).unwrap();
    assert_eq!(
        (requests[1]["environment"].as_str(), requests[1]["number"].as_u64()),
        (Some("prod"), Some(2))
    );
    assert_eq!(requests[0]["headSha"].as_str().map(str::to_owned), repo.tip("hydrator/dev-next"));
    assert!(!outputs.contains_key("pull-request-number"), "there are two");
    let report = std::fs::read_to_string(&outputs["report"]).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&report).unwrap(), first.json());
    assert!(step.summary().contains("/acme/shop/pull/2"), "{}", step.summary());
    set(&repo, &["prod"], "second");
    _ = step.run(github.job(&repo)).run().success();
    let outputs = step.outputs();
    assert_eq!(
        (outputs["environments"].as_str(), outputs["pull-request-number"].as_str()),
        (r#"["prod"]"#, "2")
    );
    _ = step.run(github.job(&repo)).run().success();
    let outputs = step.outputs();
    assert_eq!((outputs["changed"].as_str(), outputs["operation"].as_str()), ("false", "none"));
    assert_eq!(step.summary().matches("## hydrator").count(), 3, "runs of a step follow each other");
}

#[test]
fn problems_of_the_configuration_are_annotated_where_they_are() {
    let repo = repo_of(&["dev"]);
    let (github, step) = (GitHub::start(&repo), Step::new(&repo));
    repo.write(
        "hydrator.yaml",
        "version: 1\nenvironments: [{name: dev, autoMerg: true}]\ntargets: [{path: nowhere, name: x}]\n",
    );
    repo.commit("Break it");
    let outcome = step.run(github.job(&repo)).run().code(3);
    let errors: Vec<String> = commands(&outcome);
    assert!(
        errors.iter().any(|line| line.starts_with("::error file=hydrator.yaml,line=2,col=28,title=")
            && line.contains("autoMerg")),
        "{errors:?}"
    );
    assert_eq!(step.outputs()["operation"], "failed");
    assert!(step.summary().contains("autoMerg"));
}

#[test]
fn failures_of_rendering_are_annotated_and_what_tools_say_is_no_command() {
    let repo = repo_of(&["dev"]);
    let (github, step) = (GitHub::start(&repo), Step::new(&repo));
    let text = "version: 1
dryBranch: main
environments: [{name: dev}]
targets: [{path: apps/dev, name: app, command: [sh, -c, 'printf \"::set-output name=a::b\\n##[add-path]/x\\n\" >&2; exit 1']}]
";
    repo.write("hydrator.yaml", text);
    repo.commit("Say commands");
    for format in ["json", "text", "markdown"] {
        let run = step.run(github.command(&repo, "run")).arguments(["--format", format]);
        let outcome = run.run().code(4);
        let mut commands = commands(&outcome);
        commands.retain(|line| {
            !line.starts_with("::error ") && !["::group::render", "::endgroup::"].contains(&line.as_str())
        });
        assert_eq!(commands, Vec::<String>::new(), "{format}");
        assert!(outcome.stderr().contains("::error title=hydrator%3A dev::"), "{outcome:?}");
        assert!(!outcome.stdout().contains(TOKEN) && !outcome.stderr().contains(TOKEN));
    }
    assert!(!step.summary().contains(TOKEN));
}

#[test]
fn a_full_summary_is_left_alone() {
    let repo = repo_of(&["dev"]);
    let (github, step) = (GitHub::start(&repo), Step::new(&repo));
    std::fs::write(&step.summary, "x".repeat(1024 * 1024 - 100)).unwrap();
    let outcome = step.run(github.job(&repo)).run().success();
    assert_eq!(step.summary().len(), 1024 * 1024 - 100);
    assert!(outcome.stderr().contains("too long for the step's summary"), "{outcome:?}");
}

#[test]
fn outside_actions_nothing_of_this_happens() {
    let repo = repo_of(&["dev"]);
    let step = Step::new(&repo);
    let outcome = step.run(repo.hydration()).run().success();
    assert_eq!(commands(&outcome), Vec::<String>::new());
    assert!(!step.output.exists() && !step.summary.exists());
}
