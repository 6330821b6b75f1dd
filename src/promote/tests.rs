//! Titles and bodies, by example.

use std::cell::RefCell;
use std::collections::BTreeMap;

use anyhow::{Result, bail};
use serde_json::Value;

use super::*;
use crate::model::{BranchName, CommitId, EnvironmentName, ManifestId, PullRequestSettings};

fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

fn manifest(kind: &str, namespace: &str, name: &str) -> ManifestId {
    let group = if kind == "Deployment" { "apps" } else { "" };
    ManifestId {
        group: group.to_owned(),
        kind: kind.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
    }
}

fn proposal() -> ProposalSummary {
    ProposalSummary {
        environment: EnvironmentName::new("prod"),
        active: branch("hydrator/prod"),
        change: CommitId::from_bytes([7; 20]),
        text_version: "v".to_owned(),
        proposed: branch("hydrator/prod-next"),
        intent: Intent::Promote,
        dry: DryInfo {
            sha: CommitId::from_bytes([0x1a; 20]),
            subject: "Bump web_api to 1.2.3".to_owned(),
            body: "Why.".to_owned(),
            author: "Ann".to_owned(),
            date: "2024-05-06T07:08:09+02:00".to_owned(),
            request: None,
        },
        repo_url: Some("https://example.com/acme/gitops".to_owned()),
        vars: BTreeMap::new(),
        targets: vec![TargetChange {
            name: "web".to_owned(),
            output: "web".to_owned(),
            added: vec![manifest("ConfigMap", "prod", "flags")],
            changed: vec![manifest("Deployment", "prod", "api")],
            removed: Vec::new(),
        }],
        dry_commits: DryCommits::default(),
        references: Vec::new(),
        first_run: false,
        undoes_drift: false,
        picture: String::new(),
        large_deletion: None,
    }
}

fn many(count: usize) -> Vec<ManifestId> {
    (0..count).map(|number| manifest("Deployment", "a-namespace", &format!("deployment-{number}"))).collect()
}

fn never(_: &str, _: &Value) -> Result<String> {
    bail!("no template is rendered here")
}

fn rollback(reason: &str) -> Intent {
    Intent::Rollback {
        actor: "alice".to_owned(),
        reason: reason.to_owned(),
        targets: Vec::new(),
        holds: true,
        lets_pass: false,
    }
}

#[test]
fn the_standard_title_names_commit_environment_and_subject() {
    let mut summary = proposal();
    assert_eq!(default_title(&summary), "Promote 1a1a1a1 to prod: Bump web_api to 1.2.3");
    summary.intent = Intent::Resume { still_held: Vec::new() };
    assert_eq!(default_title(&summary), "Resume prod with 1a1a1a1: Bump web_api to 1.2.3");
    summary.dry.subject = " \n".to_owned();
    summary.intent = rollback("it crashes");
    assert_eq!(default_title(&summary), "Roll back prod to 1a1a1a1");
}

#[test]
fn a_hostile_subject_makes_a_harmless_title() {
    let mut summary = proposal();
    summary.dry.subject = format!("[skip ci]\u{202e} a\r\nb {}", "ß".repeat(300));
    let title = default_title(&summary);
    assert!(title.starts_with("Promote 1a1a1a1 to prod: (skip ci) a b ß"), "{title}");
    assert_eq!(title.chars().count(), TITLE_LIMIT);
    assert!(title.ends_with('…'));
}

#[test]
fn the_standard_body_is_short_for_a_small_change() {
    let wanted = "\
<!-- hydrator environment=\"prod\" change=\"0707070707070707070707070707070707070707\" text=\"v\" -->
Promotes DRY commit [`1a1a1a1`](https://example.com/acme/gitops/commit/1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a) \
to `prod`: Bump web_api to 1.2.3 (Ann). Merging it changes `hydrator/prod`, which the cluster syncs.

### What changes

Manifests: 1 added, 1 changed, 0 removed.

| target | added | changed | removed |
| --- | ---: | ---: | ---: |
| `web` | 1 | 1 | 0 |

In `web`:

- added `ConfigMap prod/flags`
- changed `Deployment.apps prod/api`

---

Closing this unmerged rejects it: it is not offered again until its manifests change.
";
    assert_eq!(default_body(&proposal()), wanted);
}

#[test]
fn a_long_list_is_folded() {
    let mut summary = proposal();
    summary.targets[0].added = many(20);
    let body = default_body(&summary);
    assert!(body.contains("<details>\n<summary>web: 21 manifests</summary>\n\n- added `"), "{body}");
    assert!(body.contains("`\n\n</details>\n"), "{body}");
}

#[test]
fn commits_and_references_are_listed() {
    let mut summary = proposal();
    let line = |byte: u8, subject: &str| DryLine {
        sha: CommitId::from_bytes([byte; 20]),
        subject: subject.to_owned(),
        author: "@ann".to_owned(),
        request: Some((u64::from(byte), format!("https://example.com/pull/{byte}"))),
        references: Vec::new(),
    };
    summary.dry_commits.listed = vec![line(0x1a, "Newer #12"), line(0x2b, "Older")];
    summary.dry_commits.more = MoreCommits::Count(3);
    summary.references = vec![ReferenceLine {
        sha: "c".repeat(40),
        repo_url: Some("https://example.com/acme/web/".to_owned()),
        subject: "Fix".to_owned(),
        author: "Bob".to_owned(),
    }];
    let body = default_body(&summary);
    let commits = format!(
        "### DRY commits\n\n- [`1a1a1a1`](https://example.com/acme/gitops/commit/{}) Newer \\#\u{200b}12 (@\u{200b}ann), \
         [\\#26](https://example.com/pull/26)\n\
         - [`2b2b2b2`](https://example.com/acme/gitops/commit/{}) Older (@\u{200b}ann), \
         [\\#43](https://example.com/pull/43)\n- and 3 more\n",
        "1a".repeat(20),
        "2b".repeat(20)
    );
    assert!(body.contains(&commits), "{body}");
    summary.dry.request = summary.dry_commits.listed[0].request.clone();
    let first = default_body(&summary);
    assert!(first.contains("(Ann), [\\#26](https://example.com/pull/26). Merging it"), "{first}");
    let reference =
        format!("- [`ccccccc`](https://example.com/acme/web/commit/{}) Fix (Bob)", "c".repeat(40));
    assert!(body.contains(&reference), "{body}");
    summary.dry_commits.more = MoreCommits::Unknown;
    assert!(default_body(&summary).contains("- and perhaps more: the rest of the history was not at hand"));
}

#[test]
fn warnings_are_loud() {
    let mut summary = proposal();
    summary.first_run = true;
    summary.large_deletion = Some(LargeDeletion { removed: 40, of: 50 });
    let body = default_body(&summary);
    assert!(body.contains("\n> [!NOTE]\n> This is the first proposal"), "{body}");
    assert!(body.contains("\n> [!CAUTION]\n> **LARGE DELETION: 40 of 50 manifests are removed.**"), "{body}");
}

#[test]
fn a_rollback_says_who_and_why_and_how_it_ends() {
    let mut summary = proposal();
    summary.intent = rollback("checkout *crashes*");
    let body = default_body(&summary);
    assert!(body.contains("Rolls `prod` back to the exact manifests of DRY commit"), "{body}");
    let said =
        ["- Asked for by: alice\n", "- Why: checkout \\*crashes\\*\n", "- Held: the whole environment"];
    assert!(said.iter().all(|said| body.contains(said)), "{body}");
    assert!(body.contains("until `hydrator resume --environment prod`"), "{body}");
    let look = look(&summary, &PullRequestSettings::default(), &never).unwrap();
    assert_eq!(look.labels, [ROLLBACK_LABEL]);
}

#[test]
fn the_marker_gives_the_environment_back() {
    assert_eq!(environment_of(&default_body(&proposal())).as_deref(), Some("prod"));
    assert_eq!(environment_of("A person wrote this."), None);
}

fn assert_well_formed(body: &str) {
    let length = body.chars().count();
    assert!(length <= BODY_LIMIT, "{length} characters");
    assert_eq!(body.matches("<details>").count(), body.matches("</details>").count());
    assert_eq!(environment_of(body).as_deref(), Some("prod"));
    assert!(body.ends_with("until its manifests change.\n"), "the end is missing");
}

#[test]
fn the_longest_lists_lose_their_ends_first() {
    let mut summary = proposal();
    summary.targets = vec![
        TargetChange { name: "huge".to_owned(), added: many(5000), ..Default::default() },
        TargetChange { name: "small".to_owned(), removed: many(30), ..Default::default() },
    ];
    let body = default_body(&summary);
    assert_well_formed(&body);
    assert!(body.chars().count() > BODY_LIMIT - 500, "room is used");
    assert!(body.contains("| `huge` | 5000 | 0 | 0 |\n| `small` | 0 | 0 | 30 |"));
    assert_eq!(body.matches("- removed").count(), 30, "the short list is whole");
    let shown = body.matches("- added").count();
    assert!(body.contains(&format!("- and {} more\n", 5000 - shown)));
}

#[test]
fn the_counts_of_all_targets_outlive_the_lists() {
    let mut summary = proposal();
    let target = |number: usize| TargetChange {
        name: format!("target-{number}"),
        added: many(200),
        ..Default::default()
    };
    summary.targets = (0..1000).map(target).collect();
    let body = default_body(&summary);
    assert_well_formed(&body);
    assert_eq!(body.matches("| 200 | 0 | 0 |").count(), 1000);
    assert_eq!(body.matches("- added").count(), 0);
}

#[test]
fn more_targets_than_fit_are_counted() {
    let mut summary = proposal();
    let target = |number: usize| TargetChange {
        name: format!("target-{number}-{}", "`x".repeat(100)),
        added: many(1),
        ..Default::default()
    };
    summary.targets = (0..2000).map(target).collect();
    let body = default_body(&summary);
    assert_well_formed(&body);
    let shown = body.matches("| 1 | 0 | 0 |").count();
    assert!(shown > 100);
    assert!(body.contains(&format!("| and {} more | | | |", 2000 - shown)));
    assert!(body.contains("Manifests: 2000 added, 0 changed, 0 removed."));
}

#[test]
fn hostile_names_open_nothing() {
    let mut summary = proposal();
    let bad = "x\n</details>--> `|` @alice\n/approve\n```\n<script>";
    summary.dry.subject = bad.to_owned();
    summary.dry.author = bad.to_owned();
    summary.repo_url = Some("javascript:alert(1)".to_owned());
    summary.targets[0].name = bad.to_owned();
    summary.targets[0].added = vec![manifest(bad, bad, bad); 20];
    let body = default_body(&summary);
    // The names have runs of three backticks, so their code spans have four around them.
    let outside = body.split("````").step_by(2).collect::<Vec<_>>().join("");
    assert_eq!(
        outside.matches('<').count(),
        "<!--<details><summary></summary></details>".matches('<').count()
    );
    assert_eq!(outside.matches("-->").count(), 1, "{outside}");
    assert!(!outside.contains("@alice") && !outside.contains("javascript:"), "{outside}");
    assert!(!body.lines().any(|line| line.starts_with('/') || line.starts_with("```")), "{body}");
}

#[test]
fn templates_get_escaped_values_and_their_text_is_tidied() {
    let mut summary = proposal();
    summary.dry.subject = "Bump *all*".to_owned();
    summary.dry.body = "One.\n/approve @alice".to_owned();
    let seen = RefCell::new(Vec::new());
    let render = |source: &str, context: &Value| {
        seen.borrow_mut().push(context.clone());
        Ok(format!("{source} [skip ci]\n{}", context["dry"]["subject"].as_str().unwrap()))
    };
    let settings = PullRequestSettings {
        title: Some("T".to_owned()),
        body: Some("B".to_owned()),
        labels: vec!["production".to_owned()],
        draft: true,
        ..Default::default()
    };
    let look = look(&summary, &settings, &render).unwrap();
    assert_eq!(look.title, "T (skip ci) Bump *all*");
    assert_eq!(
        look.body,
        "<!-- hydrator environment=\"prod\" change=\"0707070707070707070707070707070707070707\" text=\"v\" -->\nB (skip ci)\nBump \\*all\\*\n"
    );
    assert_eq!((look.labels.as_slice(), look.draft), (&["production".to_owned()][..], true));
    let seen = seen.into_inner();
    assert_eq!(seen[0]["dry"]["shortSha"], "1a1a1a1");
    assert_eq!(seen[0]["summary"], "1 added, 1 changed, 0 removed");
    assert_eq!(seen[1]["dry"]["body"], "One.\n\\/approve @\u{200b}alice");
    assert_eq!(seen[1]["targets"], serde_json::json!(["web"]));
    assert_eq!(seen[1]["activeBranch"], "hydrator/prod");
    assert!(seen[1]["summary"].as_str().unwrap().starts_with("### What changes\n"));
}

#[test]
fn a_template_that_comes_to_nothing_or_too_much_is_made_to_fit() {
    let render = |source: &str, _: &Value| {
        Ok(if source == "nothing" {
            " ".to_owned()
        } else {
            format!("<details>\n\n```\n{}", "äö\n".repeat(50_000))
        })
    };
    let settings = PullRequestSettings {
        title: Some("nothing".to_owned()),
        body: Some("much".to_owned()),
        ..Default::default()
    };
    let look = look(&proposal(), &settings, &render).unwrap();
    assert_eq!(look.title, default_title(&proposal()));
    assert!(look.body.chars().count() <= BODY_LIMIT);
    assert!(look.body.ends_with("äö\n```\n\n</details>\n\n*The rest was too long to be shown.*\n"));
}

#[test]
fn an_error_of_a_template_names_the_environment() {
    let settings = PullRequestSettings { title: Some("x".to_owned()), ..Default::default() };
    let error = look(&proposal(), &settings, &never).unwrap_err();
    assert_eq!(error.to_string(), "cannot make the title of the pull request for environment `prod`");
}

/// The keys of a value and of what is in it, and what kind of value each has.
fn shape(value: &Value) -> Value {
    use Value;
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
        Value::Array(items) => items.first().map(shape).into_iter().collect(),
        Value::String(_) => "text".into(),
        other => other.clone(),
    }
}

#[test]
fn templates_are_filled_in_with_what_they_are_checked_with() {
    let mut summary = proposal();
    summary.vars.clear();
    let sample = crate::template::ProposalContext::sample("dev", &summary.vars);
    let wanted = shape(&serde_json::to_value(sample).unwrap());
    summary.repo_url = None;
    for context in [title_context(&summary), body_context(&summary)] {
        assert_eq!(shape(&context), wanted);
    }
}
