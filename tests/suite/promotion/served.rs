//! A sample of the histories over a server: hydrator as a program in its jobs, GitHub's API, and git over HTTP.

use crate::forge_server::github::GitHub;
use crate::forge_server::state::{Method, Status};
use crate::stories::{ENVIRONMENTS, set, writes};
use crate::support::git::TestRepo;
use crate::support::random::Random;

const GATE: &str = "hydrator/promotion";
const METHODS: [Method; 3] = [Method::Merge, Method::Squash, Method::Rebase];

struct Served {
    repo: TestRepo,
    github: GitHub,
    story: Vec<String>,
    looked_into: usize,
}

#[test]
fn a_sample_of_histories_goes_the_same_way_over_a_server() {
    let open: usize = (0..8).map(play).sum();
    assert!(open > 10, "only {open} open gates were looked into");
}

/// Plays the history of a seed, and returns how many open gates were looked into behind another environment.
fn play(seed: u64) -> usize {
    let mut random = Random::new(seed);
    let mut served = Served::new(&mut random);
    served.hydrator("run");
    for _ in 0..8 {
        served.happen(&mut random);
    }
    served.settle();
    served.looked_into
}

impl Served {
    /// A line of three, of which dev has a test and some are merged by hydrator.
    fn new(random: &mut Random) -> Self {
        let repo = TestRepo::new();
        let auto = ["false", "true"].map(str::to_owned);
        let mut next = || random.pick(&auto).expect("there are two").clone();
        let text = format!(
            "version: 1\ndryBranch: main\nenvironments:\n\
             \x20 - {{name: dev, autoMerge: {}, gates: {{statuses: [smoke]}}}}\n\
             \x20 - {{name: staging, autoMerge: {}}}\n  - {{name: prod, autoMerge: {}}}\n\
             targets:\n  - {{path: \"apps/{{environment}}\", name: app}}\n",
            next(),
            next(),
            next()
        );
        repo.write("hydrator.yaml", &text);
        set(&repo, &ENVIRONMENTS, "0");
        let github = GitHub::start(&repo);
        github.server.with(|state| state.required_statuses = vec![GATE.to_owned()]);
        Self { repo, github, story: vec![text], looked_into: 0 }
    }

    fn happen(&mut self, random: &mut Random) {
        match random.below(10) {
            0..=2 => {
                let value = random.below(4).to_string();
                let some: Vec<&str> = ENVIRONMENTS.into_iter().filter(|_| random.chance(60)).collect();
                self.story.push(format!("push {value} for {some:?}"));
                self.repo.write("count", &self.story.len().to_string());
                set(&self.repo, &some, &value);
            }
            3..=4 => self.hydrator("run"),
            5..=6 => self.hydrator("promote"),
            7 => self.people_merge(METHODS[random.below(3)]),
            8 => self.smoke(["success", "pending", "failure"][random.below(3)]),
            _ => {
                let name = ENVIRONMENTS[random.below(3)];
                if let Some((number, _)) = self.open(name) {
                    self.story.push(format!("close {name}"));
                    self.github.server.with(|state| state.close(number));
                }
            }
        }
    }

    /// A job; what it says of gates must be right.
    fn hydrator(&mut self, command: &str) {
        self.story.push(command.to_owned());
        _ = self.github.command(&self.repo, command).run().success();
        self.check_gates();
    }

    /// Number and head of an environment's open pull request.
    fn open(&self, name: &str) -> Option<(u64, String)> {
        let head = format!("hydrator/{name}-next");
        self.github.server.with(|state| {
            let found = state.pulls.iter().find(|pull| pull.is_open() && pull.head == head)?;
            Some((found.number, found.head_sha.clone()))
        })
    }

    /// What the rules let through, through the rules of the branch alone.
    fn people_merge(&mut self, method: Method) {
        for name in ENVIRONMENTS {
            let Some((number, _)) = self.open(name) else { continue };
            let merged = self
                .github
                .server
                .with(|state| state.hindrance(number).is_none() && state.merge(number, method).is_some());
            self.story.push(format!("merge {name}: {merged}"));
        }
    }

    fn smoke(&mut self, word: &str) {
        let Some(tip) = self.repo.tip("hydrator/dev") else { return };
        self.story.push(format!("smoke is {word}"));
        self.github.server.with(|state| {
            let created_at = state.now();
            let (context, state_of) = ("smoke".to_owned(), word.to_owned());
            let description = String::new();
            let status = Status {
                context,
                state: state_of,
                description,
                target_url: None,
                branch: None,
                pipeline: None,
                created_at,
            };
            state.statuses.entry(tip).or_default().push(status);
        });
    }

    fn said(&self, commit: &str, context: &str) -> Option<String> {
        self.github.server.with(|state| state.newest(commit, context).map(|status| status.state.clone()))
    }

    fn show(&self, branch: &str, file: &str) -> Option<String> {
        self.repo.remote_git().try_run(&["show", &format!("{branch}:{file}")]).ok()
    }

    /// Every open gate must be right: those before it run the same DRY commit or have nothing to do with it, and dev is
    /// well.
    fn check_gates(&mut self) {
        for (at, name) in ENVIRONMENTS.into_iter().enumerate() {
            let Some((_, head)) = self.open(name) else { continue };
            if self.said(&head, GATE).as_deref() != Some("success") {
                continue;
            }
            self.looked_into += usize::from(at > 0);
            let wanted = self.repo.noted(&format!("hydrator/{name}-next"));
            for before in ENVIRONMENTS[..at].iter().rev() {
                let (active, proposed) = (format!("hydrator/{before}"), format!("hydrator/{before}-next"));
                let metadata = self.show(&active, "hydrator.metadata").unwrap_or_default();
                let metadata: serde_json::Value = serde_json::from_str(&metadata).unwrap_or_default();
                let runs = metadata["drySha"].as_str().map(str::to_owned);
                let story = || format!("{name} is open before {before}\n{}", self.story.join("\n"));
                assert!(runs.is_some(), "{}", story());
                let same =
                    self.show(&active, "app/manifest.yaml") == self.show(&proposed, "app/manifest.yaml");
                let nothing_to_do = self.repo.noted(&proposed) == wanted && same;
                assert!(runs == wanted || nothing_to_do, "{}", story());
                let tip = self.repo.tip(&active).expect("it runs something");
                let well = self.said(&tip, "smoke").as_deref() == Some("success");
                assert!(*before != "dev" || well, "{}", story());
                if runs == wanted {
                    break;
                }
            }
        }
    }

    /// Once nothing happens any more, everything gets to the DRY branch's tip, and then nothing is written.
    fn settle(&mut self) {
        self.hydrator("run");
        for _ in 0..6 {
            self.smoke("success");
            self.story.push("promote, reopening".to_owned());
            let promote = self.github.command(&self.repo, "promote");
            _ = promote.arguments(["--reopen", "dev,staging,prod"]).run().success();
            self.check_gates();
            self.people_merge(Method::Merge);
        }
        for name in ENVIRONMENTS {
            let wanted = self.repo.work_git().run(&["show", &format!("main:apps/{name}/x.yaml")]);
            let found = self.show(&format!("hydrator/{name}"), "app/manifest.yaml").unwrap_or_default();
            let value = wanted.lines().last().expect("the value").trim();
            assert!(found.contains(value), "{name}: {found}\n{}", self.story.join("\n"));
        }
        self.hydrator("promote");
        self.github.server.take_calls();
        self.hydrator("promote");
        assert_eq!(writes(&self.github.server.take_calls()), Vec::<String>::new());
    }
}
