//! `.gitlab-ci-template.yml` in pipelines that a runner of other people runs (gitlab-ci-local, each job in a shell),
//! against a GitLab that keeps its state.

use std::path::PathBuf;

use super::archives::{Release, Said};
use super::{project, read};
use crate::forge_server::Hosted as _;
use crate::forge_server::gitlab::{GitLab, JOB_TOKEN};
use crate::forge_server::state::{Life, Method};
use crate::stories::{pull, pulls, writes};
use crate::support::command::{HYDRATOR, Outcome, Run};
use crate::support::git::TestRepo;
use crate::support::http::TOKEN;
use crate::support::tools;

/// A job of the project beside those of the template.
const LATER: &str = "
later:
  stage: .post
  script:
    - echo \"told $HYDRATED_OPERATION and $HYDRATED_CHANGED by $(ls hydrator-report.json)\"
  rules:
    - if: $CI_PIPELINE_SOURCE == \"push\"
";

/// The pipeline of the examples, with another way to the template.
fn example(include: &str) -> String {
    let text = read("examples/gitlab/.gitlab-ci.yml");
    let start = text.find("  - project: OWNER/hydrator").expect("the example includes by project");
    let end = text.find("    inputs:\n      command:").expect("it passes on what people choose");
    let (before, after) = (&text[..start], &text[end..]);
    let after =
        after.replacen("stage: deploy", "stage: test\n      job-prefix: manifests\n      version: v1.2.3", 1);
    let after = after.replace("      kustomize-version: v5.8.1\n", "");
    format!("{before}  - {include}\n{after}{LATER}")
}

/// The runner; nothing where a part of it was not fetched. That is an error in continuous integration.
fn runner(test: &str) -> Option<[PathBuf; 2]> {
    let found = ["node", "gitlab-ci-local.mjs"].map(|name| tools::directory().join(name));
    let there = tools::has("rsync") && found.iter().all(|path| path.is_file());
    if !there {
        let why = "gitlab-ci-local, its node or rsync is missing (scripts/fetch-tools.sh needs npm; rsync is the system's)";
        tools::skip(test, why);
    }
    there.then_some(found)
}

/// A project on GitLab whose pipelines include the template.
struct Project {
    repo: TestRepo,
    release: Release,
    gitlab: GitLab,
    runner: [PathBuf; 2],
    /// Whether the token is for jobs of the DRY branch only.
    protects: bool,
}

impl Project {
    fn new(runner: [PathBuf; 2]) -> Self {
        Self::including(runner, |_| "local: ci/hydrator.yml".to_owned())
    }

    /// One that comes by the template in another way.
    fn including(runner: [PathBuf; 2], how: impl Fn(&Release) -> String) -> Self {
        let (repo, release) = (TestRepo::new(), Release::of(&format!("exec '{HYDRATOR}' \"$@\"")));
        let template = repo.work().join("ci/hydrator.yml");
        std::fs::create_dir_all(template.parent().unwrap()).unwrap();
        std::fs::copy(project(".gitlab-ci-template.yml"), &template).unwrap();
        _ = Run::program(project("scripts/template.sh"), &release.path("home"))
            .variable("TEMPLATE", template.to_str().unwrap())
            .variable("INSTALL_SCRIPT", release.path("scripts/install.sh").to_str().unwrap())
            .run()
            .success();
        repo.copy_directory(&project("examples/templates"));
        let text = std::fs::read_to_string(&template).unwrap();
        release.files.say("/raw/v1/.gitlab-ci-template.yml", Said::Bytes(text.into_bytes()));
        repo.write(".gitlab-ci.yml", &example(&how(&release)));
        repo.commit("First version");
        let gitlab = GitLab::start(&repo);
        Self { repo, release, gitlab, runner, protects: false }
    }

    /// Runs the pipeline of a branch in a new checkout: for a source, with inputs and with variables that are given.
    fn pipeline(
        &self,
        (branch, source): (&str, &str),
        inputs: &[(&str, &str)],
        given: &[(&str, &str)],
    ) -> Outcome {
        let place = self.repo.root().join("build");
        let shown = place.to_str().unwrap();
        if place.exists() {
            std::fs::remove_dir_all(&place).unwrap();
        }
        let from = format!("file://{}", self.repo.remote().display());
        let git = self.repo.remote_git();
        git.run(&["clone", "--quiet", "--depth=20", "--branch", branch, &from, shown]);
        git.run(&["-C", shown, "remote", "set-url", "origin", &self.gitlab.remote()]);
        let [node, program] = &self.runner;
        let mut run = Run::program(node, &self.repo.home()).directory(&place);
        run = run.arguments([program.to_str().unwrap(), "--force-shell-executor", "--concurrency=1"]);
        let graphql = self.gitlab.address("/api/graphql");
        // What this runner derives from the remote is not what GitLab would say, or it knows nothing of it.
        let ours = [
            ("GITLAB_CI", "true"),
            ("CI_PROJECT_ID", "42"),
            ("CI_PROJECT_DIR", shown),
            ("CI_API_GRAPHQL_URL", graphql.as_str()),
            ("CI_PIPELINE_SOURCE", source),
            ("CI_JOB_TOKEN", JOB_TOKEN),
            ("HYDRATOR_FORGE_PACE", "0"),
        ];
        // A protected variable reaches jobs of protected branches only.
        let protected = (branch == "main" || !self.protects).then_some(("HYDRATOR_TOKEN", TOKEN));
        for (name, value) in ours.iter().chain(&protected).chain(given) {
            run = run.arguments(["--variable", &format!("{name}={value}")]);
        }
        for (name, value) in inputs {
            run = run.arguments(["--input", &format!("{name}={value}")]);
        }
        run.run()
    }

    fn heads(&self) -> Vec<(Life, String)> {
        pulls(&self.gitlab).into_iter().map(|(_, life, head, _)| (life, head)).collect()
    }

    fn merge(&self, number: u64) {
        self.gitlab.server.with(|state| state.merge(number, Method::Merge).unwrap());
    }
}

/// The jobs that went well, as the runner lists them in the end.
fn passed(outcome: &Outcome) -> Vec<String> {
    let text = plain(outcome);
    let jobs = text.lines().filter_map(|line| line.trim().strip_prefix("PASS"));
    jobs.map(|rest| rest.trim().to_owned()).collect()
}

/// What the runner said, without colours.
fn plain(outcome: &Outcome) -> String {
    let mut text = String::new();
    let mut rest = outcome.stdout();
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        text.push_str(before);
        rest =
            after.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').get(1..).unwrap_or_default();
    }
    text + rest
}

#[test]
fn a_runner_runs_the_template_from_a_push_to_a_rollback() {
    let Some(runner) = runner("a_runner_runs_the_template_from_a_push_to_a_rollback") else { return };
    let project = Project::new(runner);
    let pushed = project.pipeline(("main", "push"), &[], &[]).success();
    let text = plain(&pushed);
    assert_eq!(passed(&pushed), ["manifests run", "later"], "{text}");
    assert!(text.contains("told created and true by hydrator-report.json"), "{text}");
    assert!(!text.contains(TOKEN));
    let open = |environment: &str| (Life::Open, format!("hydrator/{environment}-next"));
    assert_eq!(project.heads(), [open("dev"), open("prod")]);
    assert!(project.release.files.asked().len() == 1, "it was installed");

    let again = project.pipeline(("main", "push"), &[], &[]).success();
    assert!(plain(&again).contains("told none and false"), "{}", plain(&again));

    // A schedule promotes, and does nothing else.
    let scheduled = project.pipeline(("main", "schedule"), &[], &[]).success();
    assert_eq!(passed(&scheduled), ["manifests promote"]);

    // So does a comment. This runner leaves the payload in the variable, where GitLab's makes a file of it.
    let comment = "{\"object_kind\":\"note\",\"object_attributes\":{\"note\":\"/hydrator hold dev\"}}";
    let commented = project.pipeline(("main", "trigger"), &[], &[("TRIGGER_PAYLOAD", comment)]);
    let text = plain(&commented);
    assert!(
        text.contains("manifests comment") && text.contains("a trigger with a payload that cannot"),
        "{text}"
    );
    assert!(!text.contains("manifests run"), "{text}");
    let other = project.pipeline(("main", "trigger"), &[], &[("TRIGGER_PAYLOAD", &comment.replace('/', ""))]);
    assert_eq!(passed(&other), Vec::<String>::new(), "{}", plain(&other));
    assert!(!plain(&other).contains("a trigger with"), "{}", plain(&other));
    let triggered = project.pipeline(("main", "trigger"), &[], &[("TRIGGER_PAYLOAD", "{}")]).success();
    assert_eq!(passed(&triggered), ["manifests run"]);

    project.merge(1);
    project.merge(2);
    project.repo.write("apps/shop/values-prod.yaml", "replicas: 5\n");
    project.repo.commit("More of it");
    _ = project.pipeline(("main", "push"), &[], &[]).success();
    assert_eq!(project.heads()[2..], [open("prod")]);
    project.merge(3);

    // The button, with what a person gives: that is the whole pipeline.
    let reason = "too many; it's # `touch pwned`: {a}";
    let inputs = [("command", "rollback"), ("environment", "prod"), ("reason", reason)];
    let login = [("GITLAB_USER_LOGIN", "carol")];
    let back = project.pipeline(("main", "web"), &inputs, &login).success();
    assert_eq!(passed(&back), ["manifests rollback"], "{}", plain(&back));
    let last = pull(&project.gitlab, 4);
    assert!(last.is_open() && last.head == "hydrator/prod-next", "{last:?}");
    let metadata = project.repo.remote_git().run(&["show", "hydrator/prod-next:hydrator.metadata"]);
    let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap();
    assert_eq!(metadata["hold"]["actor"].as_str(), Some("carol"));
    assert_eq!(metadata["hold"]["reason"].as_str(), Some(reason));
    assert!(!project.repo.root().join("build/pwned").exists());
    project.merge(4);

    let history = [("command", "history"), ("environment", "prod")];
    let told = project.pipeline(("main", "web"), &history, &[]).success();
    assert!(
        passed(&told) == ["manifests history"] && plain(&told).contains("More of it"),
        "{}",
        plain(&told)
    );
    let resume = [("command", "resume"), ("environment", "prod")];
    let shown = project.pipeline(("main", "web"), &[&resume[..], &[("dry-run", "true")]].concat(), &[]);
    assert_eq!((passed(&shown.success()).len(), project.heads().len()), (1, 4), "it only shows");
    let ended = project.pipeline(("main", "web"), &resume, &[]).success();
    assert_eq!(passed(&ended), ["manifests resume"], "{}", plain(&ended));
    assert_eq!(project.heads()[4..], [open("prod")]);
}

#[test]
fn what_people_type_cannot_become_a_part_of_the_pipeline() {
    let Some(runner) = runner("what_people_type_cannot_become_a_part_of_the_pipeline") else { return };
    let project = Project::new(runner);
    for (name, value) in [
        ("reason", "a\", expand: true }\n    HYDRATOR_PUSH: \"true"),
        ("reason", "$HYDRATOR_TOKEN"),
        ("to", "1\" }"),
        ("target", "shop\n"),
        ("environment", "staging"),
        ("command", "run; true"),
    ] {
        let outcome = project.pipeline(("main", "web"), &[("command", "rollback"), (name, value)], &[]);
        assert_eq!(outcome.exit_code(), Some(1), "{name}: {value}\n{}", plain(&outcome));
        assert!(outcome.stderr().contains(&format!("`{name}` input")), "{}", outcome.stderr());
        assert!(
            passed(&outcome).is_empty() && project.gitlab.server.take_calls().is_empty(),
            "{name}: {value}"
        );
    }
}

#[test]
fn the_template_comes_by_address_and_as_a_component() {
    let Some(runner) = runner("the_template_comes_by_address_and_as_a_component") else { return };
    let remote =
        |release: &Release| format!("remote: {}/raw/v1/.gitlab-ci-template.yml", release.files.address());
    let component =
        |_: &Release| "component: $CI_SERVER_FQDN/$CI_PROJECT_PATH/hydrator@$CI_COMMIT_SHA".to_owned();
    let ways: [&dyn Fn(&Release) -> String; 2] = [&remote, &component];
    for how in ways {
        let project = Project::including(runner.clone(), how);
        // A component is a project's own file, here this one's.
        let text = std::fs::read_to_string(project.repo.work().join("ci/hydrator.yml")).unwrap();
        project.repo.write(".gitlab-ci-template.yml", &text);
        project.repo.write("templates/hydrator.yml", &read("templates/hydrator.yml"));
        project.repo.remove("ci");
        project.repo.commit("The component");
        let pushed = project.pipeline(("main", "push"), &[], &[]).success();
        assert_eq!(passed(&pushed), ["manifests run", "later"], "{}", plain(&pushed));
        assert_eq!(project.heads().len(), 2);
    }
}

#[test]
fn a_runner_shows_on_a_merge_request_what_it_changes() {
    let Some(runner) = runner("a_runner_shows_on_a_merge_request_what_it_changes") else { return };
    let mut project = Project::new(runner);
    project.repo.switch("more");
    project.repo.write("apps/shop/values-prod.yaml", "replicas: 5\n");
    project.repo.commit("More of it");
    let number = project.gitlab.server.with(|state| state.open("more", "main", "More of it", "")).unwrap();
    let iid = number.to_string();
    let head = project.repo.tip("more").unwrap();
    let full_ref = "refs/merge-requests/1/head";
    let pipeline =
        project.gitlab.server.with(|state| state.start_pipeline(&head, full_ref, "merge_request_event"));
    let pipeline = pipeline.to_string();
    let event = [
        ("CI_PIPELINE_ID", pipeline.as_str()),
        ("CI_MERGE_REQUEST_IID", iid.as_str()),
        ("CI_MERGE_REQUEST_PROJECT_ID", "42"),
        ("CI_MERGE_REQUEST_SOURCE_PROJECT_ID", "42"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "more"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_MERGE_REQUEST_REF_PATH", full_ref),
    ];
    // How the runner writes the job's name for its artifacts.
    let kept = "build/.gitlab-ci-local/artifacts/manifestsIAdiff/hydrator-diff.txt";
    let kept = project.repo.root().join(kept);
    for protects in [true, false] {
        project.protects = protects;
        let shown = project.pipeline(("more", "merge_request_event"), &[], &event).success();
        let text = plain(&shown);
        assert_eq!(passed(&shown), ["manifests diff"], "{text}");
        // The log and the artifact have all of it, whoever may comment.
        assert!(text.contains("replicas: 5"), "{text}");
        assert!(std::fs::read_to_string(&kept).unwrap().contains("replicas: 5"));
        let said = shown.stderr();
        assert_eq!(said.contains("pull request 1 gets no comment"), protects, "{said}");
        // Nothing but the comment and its status is written.
        let calls = project.gitlab.server.take_calls();
        let writes = writes(&calls);
        assert_eq!(writes.len(), if protects { 0 } else { 2 }, "{writes:?}");
    }
    let comments = pull(&project.gitlab, number).comments;
    assert_eq!(comments.len(), 1);
    assert!(
        comments[0].body.contains("`prod`") && comments[0].body.contains("replicas: 5"),
        "{}",
        comments[0].body
    );
}
