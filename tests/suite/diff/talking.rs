//! The comment and the status, on a GitHub that keeps its state.

use super::*;
use crate::forge_server::github::GitHub;
use crate::stories::{asked, pull, writes};

/// A repository with a change on `faster`, and a pull request for it on GitHub.
struct Ground {
    repo: TestRepo,
    github: GitHub,
    number: u64,
}

impl Ground {
    fn new() -> Self {
        let repo = TestRepo::with_files(&project::embedded());
        repo.switch("faster");
        change_prod(&repo);
        repo.commit("jobs: later");
        let github = GitHub::start(&repo);
        let number = github.server.with(|state| state.open("faster", "main", "Faster", "")).unwrap();
        Self { repo, github, number }
    }

    fn job(&self, from_fork: bool, arguments: &[&str]) -> Outcome {
        let head = self.repo.tip("faster").unwrap();
        let side =
            |branch: &str, id: u64| serde_json::json!({"ref": branch, "sha": head, "repo": {"id": id}});
        let event = serde_json::json!({"action": "opened", "pull_request": {
            "number": self.number, "merged": false, "head": side("faster", 1 + u64::from(from_fork)),
            "base": side("main", 1),
        }});
        write_below(self.repo.root(), "event.json", &event.to_string());
        let at = |name: &str| self.repo.root().join(name).display().to_string();
        let run = self.github.command(&self.repo, "diff").arguments(["--comment"]).arguments(arguments);
        run.variable("GITHUB_EVENT_NAME", "pull_request")
            .variable("GITHUB_EVENT_PATH", &at("event.json"))
            .variable("GITHUB_REF", &format!("refs/pull/{}/merge", self.number))
            .variable("GITHUB_SHA", &head)
            .variable("GITHUB_STEP_SUMMARY", &at("summary.md"))
            .run()
    }

    fn comments(&self) -> Vec<(String, String)> {
        pull(&self.github, self.number).comments.into_iter().map(|said| (said.author, said.body)).collect()
    }

    fn status(&self) -> (String, String) {
        let head = self.repo.tip("faster").unwrap();
        self.github.server.with(|state| {
            let status = state.newest(&head, "hydrator/diff").expect("there is one");
            (status.state.clone(), status.description.clone())
        })
    }
}

#[test]
fn one_comment_is_kept_up_to_date() {
    let ground = Ground::new();
    let marked = "<!-- hydrator preview=\"hydrator.yaml\" page=\"1\" -->\nnot ours";
    ground.github.server.with(|state| state.say(ground.number, "mallory", marked));
    _ = ground.job(false, &[]).success();
    let comments = ground.comments();
    assert_eq!((comments.len(), comments[0].1.as_str()), (2, marked));
    let body = &comments[1].1;
    assert!(body.contains("| `prod` | 1/2 | ~1 |") && body.contains("+  schedule: \"30 1 * * *\""), "{body}");
    assert!(body.contains("/acme/shop/actions/runs/42"), "the whole diff is linked: {body}");
    assert_eq!(ground.status(), ("success".to_owned(), "1 environment of 3 change".to_owned()));
    let summary = std::fs::read_to_string(ground.repo.root().join("summary.md")).unwrap();
    assert!(summary.contains("30 1 * * *"), "{summary}");
    // Nothing is written where nothing differs.
    ground.github.server.take_calls();
    _ = ground.job(false, &[]).success();
    let calls = ground.github.server.take_calls();
    assert!(writes(&calls).is_empty(), "{:?}", asked(&calls));
    // The same comment says that nothing is left.
    ground.repo.write("templates/jobs/values-prod.yaml", "schedule: 0 1 * * *\n");
    ground.repo.commit("jobs: as before");
    _ = ground.job(false, &[]).success();
    let comments = ground.comments();
    assert_eq!(comments.len(), 2);
    assert!(
        comments[1].1.contains("no manifest changes") && comments[1].1.lines().count() == 2,
        "{}",
        comments[1].1
    );
}

#[test]
fn what_fails_is_said_where_it_is_reviewed() {
    let ground = Ground::new();
    ground.repo.write("plain/prod/namespace.yaml", "kind: [\n");
    ground.repo.commit("Broken");
    _ = ground.job(false, &[]).code(4);
    let body = ground.comments().remove(0).1;
    assert!(body.contains("plain/prod/namespace.yaml") && body.contains("**1 failed**"), "{body}");
    assert_eq!(ground.status(), ("failure".to_owned(), "cannot be rendered: prod/plain".to_owned()));
    ground.repo.write("hydrator.yaml", "version: 1\nenvironments: []\nnonsense: 1\n");
    ground.repo.commit("A wrong configuration");
    _ = ground.job(false, &[]).code(3);
    let body = ground.comments().remove(0).1;
    assert!(body.contains("hydrator.yaml:3:1") && body.contains("nonsense"), "{body}");
    assert_eq!(ground.status().0, "failure");
}

#[test]
fn long_previews_have_pages_and_short_ones_lose_them() {
    let ground = Ground::new();
    for environment in project::ENVIRONMENTS {
        let lines = (0..2_500)
            .fold(String::new(), |text, line| text + &format!("  key{line}: value of {environment}\n"));
        let map = format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: large\ndata:\n{lines}");
        ground.repo.write(&format!("plain/{environment}/large.yaml"), &map);
    }
    ground.repo.commit("Large");
    _ = ground.job(false, &[]).success();
    let bodies: Vec<String> = ground.comments().into_iter().map(|(_, body)| body).collect();
    assert!(bodies.len() > 1 && bodies.len() <= 5, "{}", bodies.len());
    for (index, body) in bodies.iter().enumerate() {
        assert!(body.chars().count() <= 60_000 + 100, "{}", body.chars().count());
        assert!(body.contains(&format!("Page {} of {}", index + 1, bodies.len())));
    }
    for environment in project::ENVIRONMENTS {
        ground.repo.remove(&format!("plain/{environment}/large.yaml"));
    }
    ground.repo.commit("Small");
    _ = ground.job(false, &[]).success();
    assert_eq!(ground.comments().len(), 1);
}

#[test]
fn a_fork_gets_a_summary_and_no_comment() {
    let ground = Ground::new();
    let said = ground.job(true, &[]).success().stderr().to_owned();
    assert!(said.contains("comes from a fork"), "{said}");
    assert!(ground.comments().is_empty());
    let summary = std::fs::read_to_string(ground.repo.root().join("summary.md")).unwrap();
    assert!(summary.contains("30 1 * * *"), "{summary}");
}
