//! The preview on the pull request that it is about: the comment and the status.

use super::*;
use crate::support::project;

/// A repository with a change on `faster`, and a pull request for it.
pub(crate) struct Ground<F> {
    pub(crate) repo: TestRepo,
    pub(crate) forge: F,
    pub(crate) number: u64,
}

impl<F: Hosted> Ground<F> {
    pub(crate) fn new() -> Self {
        let repo = TestRepo::with_files(&project::embedded());
        repo.switch("faster");
        repo.write("templates/jobs/values-prod.yaml", "schedule: 30 1 * * *\n");
        repo.commit("jobs: later");
        let forge = F::start(&repo);
        let number = forge.server().with(|state| state.open("faster", "main", "Faster", "")).unwrap();
        Self { repo, forge, number }
    }

    fn job(&self, from_fork: bool, arguments: &[&str]) -> Outcome {
        let run = self.forge.reviewing(&self.repo, "diff", (self.number, "faster"), from_fork);
        run.arguments(["--comment"]).arguments(arguments).run()
    }

    fn comments(&self) -> Vec<(String, String)> {
        pull(&self.forge, self.number).comments.into_iter().map(|said| (said.author, said.body)).collect()
    }

    fn status(&self) -> (String, String) {
        let head = self.repo.tip("faster").unwrap();
        self.forge.server().with(|state| {
            let status = state.newest(&head, "hydrator/diff").expect("there is one");
            (plain(&status.state), status.description.clone())
        })
    }
}

pub(crate) fn one_comment_is_kept_up_to_date<F: Hosted>() {
    let ground = Ground::<F>::new();
    let marked = "<!-- hydrator preview=\"hydrator.yaml\" page=\"1\" -->\nnot ours";
    ground.forge.server().with(|state| state.say(ground.number, "mallory", marked));
    _ = ground.job(false, &[]).success();
    let comments = ground.comments();
    assert_eq!((comments.len(), comments[0].1.as_str()), (2, marked));
    let body = &comments[1].1;
    assert!(body.contains("| `prod` | 1/2 | ~1 |") && body.contains("+  schedule: \"30 1 * * *\""), "{body}");
    assert!(body.contains(F::JOB_PAGE), "the whole diff is linked: {body}");
    assert_eq!(ground.status(), ("success".to_owned(), "1 environment of 3 change".to_owned()));
    // Nothing is written where nothing differs.
    ground.forge.server().take_calls();
    _ = ground.job(false, &[]).success();
    let calls = ground.forge.server().take_calls();
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

pub(crate) fn what_fails_is_said_where_it_is_reviewed<F: Hosted>() {
    let ground = Ground::<F>::new();
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

pub(crate) fn long_previews_have_pages_and_short_ones_lose_them<F: Hosted>() {
    let ground = Ground::<F>::new();
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

pub(crate) fn a_fork_gets_no_comment<F: Hosted>() {
    let ground = Ground::<F>::new();
    let outcome = ground.job(true, &[]).success();
    assert!(
        outcome.stderr().contains("comes from a fork, whose jobs may not comment, so it gets no comment: "),
        "{outcome:?}"
    );
    for place in [F::KEEPS, F::JOB_PAGE] {
        assert!(outcome.stderr().contains(place), "{place}: {outcome:?}");
    }
    assert!(outcome.stdout().contains("30 1 * * *"), "{outcome:?}");
    assert!(ground.comments().is_empty());
}
