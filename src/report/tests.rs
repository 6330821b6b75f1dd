//! Reports by example.

use anyhow::{Context as _, anyhow};
use serde_json::json as value;

use super::*;
use crate::error::{Failure, FailureKind, Place};
use crate::model::{
    BranchName, CommitId, DryRevertReport, EnvironmentName, ErrorReport, HoldReport, PromotionReport,
    PullRequestOperation, PullRequestReport, TargetReport,
};

fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

fn environment(name: &str, operation: Operation) -> EnvironmentReport {
    EnvironmentReport {
        name: EnvironmentName::new(name),
        operation,
        proposed_branch: branch("hydrator/x-next"),
        active_branch: branch("hydrator/x"),
        proposed_sha: None,
        active_sha: Some(CommitId::from_bytes([0xab; 20])),
        pull_request: None,
        promotion: None,
        hold: None,
        targets: Vec::new(),
        error: None,
        dry_revert: None,
        note: None,
        warnings: Vec::new(),
    }
}

fn target(name: &str, affected: bool) -> TargetReport {
    TargetReport {
        name: name.to_owned(),
        output: name.to_owned(),
        affected,
        reasons: vec![if affected { "apps/web/base changed" } else { "inputs are the same" }.to_owned()],
        rendered: affected,
        error: None,
    }
}

fn request(operation: PullRequestOperation) -> PullRequestReport {
    let url = "https://example.com/acme/gitops/pull/12".to_owned();
    PullRequestReport { number: 12, url, operation, state: "open".to_owned() }
}

fn gate(state: &str, description: &str) -> PromotionReport {
    PromotionReport { state: state.to_owned(), description: description.to_owned() }
}

fn failed(kind: FailureKind, message: &str, hint: Option<&str>) -> EnvironmentReport {
    let error = ErrorReport { kind, message: message.to_owned(), hint: hint.map(ToOwned::to_owned) };
    EnvironmentReport { error: Some(error), ..environment("prod", Operation::Failed) }
}

fn report(environments: Vec<EnvironmentReport>) -> RunReport {
    RunReport { dry_sha: CommitId::from_bytes([0x1a; 20]), environments, picture: None }
}

/// One of everything.
fn mixed() -> RunReport {
    let mut dev = environment("dev", Operation::Created);
    dev.pull_request = Some(request(PullRequestOperation::Created));
    dev.promotion = Some(gate("success", "may be merged"));
    dev.targets = vec![target("api", false), target("web", true)];
    dev.warnings = vec!["helm said: deprecated".to_owned()];
    let mut staging = environment("staging", Operation::None);
    staging.promotion = Some(gate("success", "may be merged"));
    staging.targets = vec![target("web", false)];
    let mut held = environment("prod-eu", Operation::Held);
    held.hold = Some(HoldReport {
        reason: "rollback".to_owned(),
        actor: Some("alice".to_owned()),
        since: Some("2024-05-06T07:08:09Z".to_owned()),
        why: None,
        targets: Vec::new(),
        let_pass: false,
    });
    let mut prod = failed(FailureKind::Render, "cannot render `web`:\nboom", Some("look at apps/web"));
    prod.targets = vec![target("web", true)];
    prod.targets[0].error = Some("exit status: 1\nboom".to_owned());
    report(vec![dev, staging, held, prod])
}

#[test]
fn the_text_is_one_line_for_each_and_details_where_something_happened() {
    let wanted = "\
DRY commit 1a1a1a1
  dev      created    #12  1/2 affected  may be merged
    opened https://example.com/acme/gitops/pull/12
    ~ web: apps/web/base changed
    warning: helm said: deprecated
  staging  unchanged       0/1 affected
  prod-eu  held                          rollback by alice since 2024-05-06T07:08:09Z
  prod     failed          1/1 affected
    ! web: apps/web/base changed
        error: exit status: 1
               boom
    error: cannot render `web`:
           boom
    hint: look at apps/web
4 environments: 1 failed, 1 created, 1 held, 1 unchanged
";
    assert_eq!(text(&mixed(), TextStyle::default()), wanted);
}

#[test]
fn an_explanation_names_every_target() {
    let said = text(&mixed(), TextStyle { explain: true, ..Default::default() });
    assert!(said.contains("\n    = api: inputs are the same\n    ~ web: apps/web/base changed\n"), "{said}");
}

#[test]
fn colours_change_nothing_but_colours() {
    let style = TextStyle { colour: true, ..Default::default() };
    let mut said = text(&mixed(), style);
    assert!(said.contains("\u{1b}[31mfailed   \u{1b}[0m"), "{said:?}");
    for code in ["31", "32", "33", "2", "0"] {
        said = said.replace(&format!("\u{1b}[{code}m"), "");
    }
    assert_eq!(said, text(&mixed(), TextStyle::default()));
}

#[test]
fn many_environments_stay_readable() {
    let one = |number: usize| {
        let mut one = environment(&format!("environment-{number}"), Operation::None);
        one.targets = (0..20).map(|target_number| target(&format!("app-{target_number}"), false)).collect();
        one
    };
    let quiet = report((0..30).map(one).collect());
    assert_eq!(text(&quiet, TextStyle::default()).lines().count(), 32);
    let busy = |number: usize| {
        let mut one = one(number);
        one.operation = Operation::Updated;
        one.targets.iter_mut().for_each(|target| target.affected = true);
        one
    };
    let busy = report((0..30).map(busy).collect());
    let said = text(&busy, TextStyle::default());
    assert_eq!(said.lines().count(), 2 + 30 * 2);
    let names = "\n    ~ app-0, app-1, app-2, app-3, app-4, app-5, app-6, app-7 and 12 more\n";
    assert_eq!(said.matches(names).count(), 30, "{said}");
}

#[test]
fn affected_targets_of_an_unchanged_environment_are_only_counted() {
    let mut one = environment("dev", Operation::None);
    one.targets = vec![target("web", true)];
    let said = text(&report(vec![one]), TextStyle::default());
    assert_eq!(said, "DRY commit 1a1a1a1\n  dev  unchanged  1/1 affected\n1 environment: 1 unchanged\n");
}

#[test]
fn what_several_environments_are_warned_of_is_said_once() {
    let warned = |name: &str, warnings: &[&str]| {
        let warnings = warnings.iter().map(|warning| (*warning).to_owned()).collect();
        EnvironmentReport { warnings, ..environment(name, Operation::None) }
    };
    let report = report(vec![warned("dev", &["web: old", "web: own"]), warned("prod", &["web: old"])]);
    let wanted = "\
DRY commit 1a1a1a1
  dev   unchanged
    warning: web: own
  prod  unchanged
warning in dev, prod: web: old
2 environments: 2 unchanged
";
    assert_eq!(text(&report, TextStyle::default()), wanted);
}

#[test]
fn what_an_environment_says_of_its_target_is_not_said_again() {
    let mut one = failed(FailureKind::Render, "cannot render `web`: boom\ncannot render `api`: bang", None);
    one.targets = vec![target("web", false), target("api", false)];
    one.targets[0].error = Some("cannot render `web`: boom".to_owned());
    one.targets[1].error = Some("cannot render `api`: bang".to_owned());
    let report = report(vec![one]);
    let wanted = "    error: cannot render `web`: boom\n           cannot render `api`: bang\n1 environment";
    let said = text(&report, TextStyle::default());
    assert!(said.contains(wanted) && said.matches("boom").count() == 1, "{said}");
    let said = markdown(&report);
    assert!(said.contains("- `web`: inputs are the same; **failed**\n"), "{said}");
    assert_eq!(said.matches("boom").count(), 1, "{said}");
}

#[test]
fn hostile_text_gives_no_commands_to_a_runner_or_a_terminal() {
    let mut hostile =
        failed(FailureKind::Render, "a\n::add-mask::x\n\u{1b}[2Jb\r\n##[error]c", Some("::stop"));
    hostile.note = Some("x\n::warning::y".to_owned());
    hostile.targets = vec![target("::set-output name=a::b", true)];
    let report = report(vec![hostile]);
    let said = text(&report, TextStyle::default());
    assert!(!said.lines().any(|line| line.trim_start().starts_with("::")), "{said}");
    assert!(!said.contains('\u{1b}') && !said.contains("##["), "{said}");
    let summary = markdown(&report);
    assert!(!summary.contains('\u{1b}'), "{summary}");
}

#[test]
fn the_summary_is_a_table_with_links_and_folded_details() {
    let wanted = "\
## hydrator: DRY commit `1a1a1a1`

**1 failed**, 1 created, 1 held, 1 unchanged.

| environment | operation | pull request | targets affected | |
| --- | --- | --- | ---: | --- |
| `dev` | created | [\\#12](https://example.com/acme/gitops/pull/12) | 1/2 | may be merged |
| `staging` | unchanged |  | 0/1 |  |
| `prod-eu` | held |  | 0/0 | rollback by alice since 2024-05-06T07:08:09Z |
| `prod` | **failed** |  | 1/1 |  |

<details>
<summary>dev</summary>

- warning: helm said: deprecated

- `web`: apps/web/base changed

</details>

<details open>
<summary>prod</summary>

```text
cannot render `web`:
boom
```

look at apps/web

- `web`: apps/web/base changed; **failed**: exit status: 1 boom

</details>
";
    assert_eq!(markdown(&mixed()), wanted);
}

#[test]
fn hostile_text_opens_nothing_in_the_summary() {
    let mut hostile = failed(FailureKind::Git, "````\n</details>@alice", Some("<b>`|`"));
    hostile.note = Some("a|b\n| c | </td>".to_owned());
    let said = markdown(&report(vec![hostile]));
    assert!(said.contains("`````text\n````\n</details>@alice\n`````\n"), "{said}");
    assert!(said.contains("&lt;b&gt;\\`\\|\\`"), "{said}");
    assert!(said.contains("| a\\|b \\| c \\| &lt;/td&gt; |\n"), "{said}");
}

#[test]
fn the_json_is_what_is_promised() {
    let mut one = mixed().environments.remove(0);
    one.proposed_sha = Some(CommitId::from_bytes([0xcd; 20]));
    one.note = Some("takes over `hydrator/x`".to_owned());
    one.warnings = vec!["replaces `old.yaml`".to_owned()];
    let found: serde_json::Value = serde_json::from_str(&json(&report(vec![one])).unwrap()).unwrap();
    let wanted = value!({
        "drySha": "1a".repeat(20),
        "environments": [{
            "name": "dev",
            "operation": "created",
            "proposedBranch": "hydrator/x-next",
            "activeBranch": "hydrator/x",
            "proposedSha": "cd".repeat(20),
            "activeSha": "ab".repeat(20),
            "pullRequest": {
                "number": 12,
                "url": "https://example.com/acme/gitops/pull/12",
                "operation": "created",
                "state": "open"
            },
            "promotion": { "state": "success", "description": "may be merged" },
            "hold": null,
            "targets": [
                {
                    "name": "api", "output": "api", "affected": false,
                    "reasons": ["inputs are the same"], "rendered": false, "error": null
                },
                {
                    "name": "web", "output": "web", "affected": true,
                    "reasons": ["apps/web/base changed"], "rendered": true, "error": null
                }
            ],
            "error": null,
            "note": "takes over `hydrator/x`",
            "warnings": ["replaces `old.yaml`"]
        }]
    });
    assert_eq!(found, wanted);
}

#[test]
fn the_schema_knows_every_key_of_the_json() {
    let schema = report_schema();
    let definition = &schema["$defs"]["EnvironmentReport"];
    let mut report = mixed();
    report.environments[0].dry_revert = Some(DryRevertReport::default());
    report.environments[0].note = Some("a note".to_owned());
    report.environments[0].warnings = vec!["a warning".to_owned()];
    let text = json(&report).unwrap();
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    let keys = |value: &serde_json::Value| {
        let mut keys = value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        keys.sort();
        keys
    };
    assert_eq!(keys(&definition["properties"]), keys(&found["environments"][0]));
    assert_eq!(schema["properties"]["drySha"]["$ref"], "#/$defs/ObjectId");
    assert_eq!(schema["required"], value!(["drySha", "environments"]));
}

#[test]
fn the_worst_environment_decides_the_exit_code() {
    let code = |kinds: &[FailureKind]| {
        exit_code(&report(kinds.iter().map(|kind| failed(*kind, "x", None)).collect()))
    };
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&[FailureKind::Git]), 5);
    assert_eq!(code(&[FailureKind::Git, FailureKind::Forge]), 6);
    assert_eq!(code(&[FailureKind::Render, FailureKind::Forge, FailureKind::Git]), 4);
    assert_eq!(code(&[FailureKind::Config, FailureKind::Render]), 3);
    assert_eq!(code(&[FailureKind::Config, FailureKind::Unexpected, FailureKind::Usage]), 1);
    assert_eq!(exit_code(&report(vec![environment("dev", Operation::Failed)])), 1);
    assert_eq!(exit_code(&report(vec![environment("dev", Operation::Held)])), 0);
}

#[test]
fn an_error_counts_also_where_the_operation_succeeded() {
    let mut one = failed(FailureKind::Forge, "the status was refused", None);
    one.operation = Operation::Updated;
    assert_eq!(exit_code(&report(vec![one])), 6);
}

#[test]
fn changes_are_branches_and_pull_requests() {
    let found = |operation| changes_found(&report(vec![environment("dev", operation)]));
    assert!(found(Operation::Created) && found(Operation::Updated));
    assert!(found(Operation::Closed) && found(Operation::Pushed));
    assert!(!found(Operation::None) && !found(Operation::Held) && !found(Operation::Failed));
    let mut repaired = environment("dev", Operation::None);
    repaired.pull_request = Some(request(PullRequestOperation::None));
    assert!(!changes_found(&report(vec![repaired.clone()])));
    repaired.pull_request = Some(request(PullRequestOperation::Created));
    assert!(changes_found(&report(vec![repaired])));
}

#[test]
fn an_error_is_said_with_its_causes_and_what_to_do() {
    let place = Place { file: "hydrator.yaml".into(), line: 3, column: 5 };
    let cause = Failure::config("unknown key `nmae`").at(place).hint("did you mean `name`?\nsee the schema");
    let error = anyhow::Error::from(cause).context("cannot read the configuration");
    assert_eq!(
        error_text(&error),
        "error: cannot read the configuration\n  caused by: hydrator.yaml:3:5: unknown key `nmae`\n\
         hint: did you mean `name`?\n      see the schema\n"
    );
}

#[test]
fn a_cause_that_was_said_is_not_repeated() {
    let error = anyhow!("no such file").context("cannot open `x`: no such file");
    let said = error_text(&error);
    assert_eq!(said.lines().next(), Some("error: cannot open `x`: no such file"));
    assert!(!said.contains("caused by"), "{said}");
    assert!(said.contains("\nhint: this is not an error that hydrator knows"), "{said}");
}

#[test]
fn a_cause_of_several_lines_is_indented_and_harmless() {
    let error =
        Err::<(), _>(anyhow!("one\n::error::two")).context(Failure::render("cannot render")).unwrap_err();
    assert_eq!(error_text(&error), "error: cannot render\n  caused by: one\n             : :error::two\n");
}
