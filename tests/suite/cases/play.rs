//! Plays a case's steps on a fresh repository and tells what came of each.

use std::path::Path;

use serde_json::Value;

use super::elsewhere::Elsewhere;
use super::looks;
use super::script::{Commit, Look, PersonCommit, Script, Step, Words};
use super::story::{DRY_BRANCH, Story, notes, short, tree};
use crate::support::checkout::Checkout;
use crate::support::command::{Outcome, Run};
use crate::support::git::TestRepo;
use crate::support::person::Change;

/// The ref that the notes of hydrated commits are in.
const NOTES: &str = "refs/notes/hydrator.metadata";

/// Commands that may write into the checkout; any other leaves it as it was, and every case sees to that.
const WRITERS: &[&str] = &["init", "render"];

/// Plays a case with a hydrator and tells its story.
pub(crate) fn play(case: &Path, script: &Script, hydrator: &Path) -> String {
    perform(case, script, hydrator, (TestRepo::new(), None))
}

/// The same on another forge, with what is the same on all of them.
pub(super) fn play_elsewhere(
    case: &Path,
    script: &Script,
    hydrator: &Path,
    start: fn(&TestRepo) -> Elsewhere,
) -> String {
    let repo = TestRepo::new();
    let elsewhere = start(&repo);
    let told = perform(case, script, hydrator, (repo, Some(&elsewhere)));
    elsewhere.without_addresses(&told)
}

fn perform(
    case: &Path,
    script: &Script,
    hydrator: &Path,
    (repo, elsewhere): (TestRepo, Option<&Elsewhere>),
) -> String {
    let story = Story::new(&script.title, &script.about);
    let mut stage = Stage {
        case,
        hydrator,
        repo,
        elsewhere,
        story,
        pull_requests: None,
        variables: Vec::new(),
        must_succeed: false,
    };
    for step in &script.steps {
        stage.story.step(&heading(step));
        stage.whole(step);
    }
    stage.story.finish(stage.repo.root())
}

fn heading(step: &Step) -> String {
    let first = |message: &str| message.lines().next().unwrap_or_default().to_owned();
    match step {
        Step::Commit(commit) => {
            format!(
                "Alice commits to {}: {}",
                commit.branch.as_deref().unwrap_or(DRY_BRANCH),
                first(&commit.message)
            )
        }
        Step::Hydrator(words) => format!("`hydrator {}`", words.list().join(" ")),
        Step::Job(job) => {
            format!(
                "A CI job for {} of {}: `hydrator {}`",
                job.commit,
                job.branch,
                job.hydrator.list().join(" ")
            )
        }
        Step::Local(words) => format!("`hydrator local {}`", words.list().join(" ")),
        Step::PersonCommit(commit) => format!("Bob commits to {}: {}", commit.branch, first(&commit.message)),
        Step::DeleteBranch(branch) => format!("Somebody deletes {branch}"),
        Step::UpdateBranch(update) => format!("Somebody updates {} from {}", update.branch, update.from),
        Step::Revert(revert) => {
            format!("Somebody reverts {} of {} and merges that", revert.commit, revert.branch)
        }
        Step::ForcePush(push) => format!("Somebody moves {} to {} by force", push.branch, push.to),
        Step::Note(note) => format!("Another program writes a note on {}", note.on),
        Step::Protect(reference) => format!("The remote refuses pushes to {reference} from now on"),
        Step::Quietly(_) => "What led here".to_owned(),
        Step::Show(_) => "A look".to_owned(),
    }
}

struct Stage<'a> {
    case: &'a Path,
    hydrator: &'a Path,
    repo: TestRepo,
    /// The forge; nothing for the local one beside the remote's own directory.
    elsewhere: Option<&'a Elsewhere>,
    story: Story,
    /// As they were told last; nothing before hydrator has run.
    pull_requests: Option<String>,
    /// What a CI system sets, as `NAME=value`.
    variables: Vec<String>,
    /// Whether a program that fails ends the case.
    must_succeed: bool,
}

impl Stage<'_> {
    fn whole(&mut self, step: &Step) {
        let before = self.repo.refs();
        self.perform(step);
        self.story.moves(&self.repo, &before);
        self.tell_pull_requests();
    }

    fn quietly(&mut self, steps: &[Step]) {
        let length = self.story.length();
        self.must_succeed = true;
        for step in steps {
            self.whole(step);
        }
        self.must_succeed = false;
        self.story.forget_since(length);
        let headings: Vec<String> = steps.iter().map(|step| format!("- {}", heading(step))).collect();
        self.story.line(&headings.join("\n"));
    }

    fn perform(&mut self, step: &Step) {
        let repo = &self.repo;
        match step {
            Step::Commit(commit) => self.commit(commit),
            Step::Hydrator(words) => self.hydrator(&words.list()),
            Step::Job(job) => {
                let commit = repo.remote_git().run(&["rev-parse", &job.commit]);
                let branch = format!("refs/heads/{}", job.branch);
                self.variables = [
                    "GITHUB_ACTIONS=true".to_owned(),
                    format!("GITHUB_SHA={commit}"),
                    format!("GITHUB_REF={branch}"),
                ]
                .to_vec();
                self.hydrator(&job.hydrator.list());
                self.variables.clear();
            }
            Step::Local(words) => self.local(words),
            Step::PersonCommit(commit) => self.person_commit(commit),
            Step::DeleteBranch(branch) => repo.person().delete_branch(branch),
            Step::UpdateBranch(update) => {
                repo.person().merge(&update.from, &update.branch);
                self.follow(&update.branch);
            }
            Step::Revert(revert) => {
                let commit = if revert.commit == "tip" { "HEAD" } else { &revert.commit };
                repo.person().revert(&revert.branch, commit);
            }
            Step::ForcePush(push) => {
                let commit = repo.remote_git().run(&["rev-parse", &format!("{}^{{commit}}", push.to)]);
                repo.person().force_push(&push.branch, &commit);
                self.follow(&push.branch);
            }
            Step::Note(note) => {
                let commit = repo.remote_git().run(&["rev-parse", &note.on]);
                repo.write_note(&note.reference, &commit, &note.text, note.filing());
            }
            Step::Protect(reference) => repo.protect(reference),
            Step::Quietly(steps) => self.quietly(steps),
            Step::Show(looks) => looks.iter().for_each(|look| self.show(look)),
        }
    }

    fn commit(&self, commit: &Commit) {
        let repo = &self.repo;
        if repo.tip(DRY_BRANCH).is_some() {
            repo.switch(commit.branch.as_deref().unwrap_or(DRY_BRANCH));
        }
        if let Some(project) = &commit.project {
            let projects = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects");
            repo.copy_directory(&projects.join(project));
        }
        if let Some(from) = &commit.from {
            repo.copy_directory(&self.case.join(from));
        }
        repo.write_all(&commit.files);
        commit.delete.iter().for_each(|path| repo.remove(path));
        repo.commit(&commit.message);
    }

    fn person_commit(&self, commit: &PersonCommit) {
        let PersonCommit { files, delete, merge, .. } = commit;
        let change = Change { files: files.clone(), delete: delete.clone(), merge: merge.clone() };
        self.repo.person().commit(&commit.branch, &change, &commit.message);
        self.follow(&commit.branch);
    }

    /// Brings the work clone up to date when somebody else moved the branch that it is on, as the next CI job would.
    fn follow(&self, branch: &str) {
        let git = self.repo.work_git();
        if git.run(&["branch", "--show-current"]) == branch {
            git.run(&["fetch", "--quiet", "origin", branch]);
            git.run(&["reset", "--quiet", "--hard", "FETCH_HEAD"]);
        }
    }

    fn hydrator(&mut self, arguments: &[String]) {
        let checkout = Checkout::of(&self.repo, &self.repo.work());
        let before = checkout.snapshot();
        let outcome = self.program(arguments);
        if !arguments.first().is_some_and(|command| WRITERS.contains(&command.as_str())) {
            before.assert_same(&checkout.snapshot());
        }
        self.tell(&outcome);
        self.pull_requests.get_or_insert_default();
    }

    fn local(&mut self, words: &Words) {
        let by_hand = self.elsewhere.is_some_and(|elsewhere| elsewhere.by_hand(&self.repo, &words.list()));
        if !by_hand {
            let outcome = self.program(&[vec!["local".to_owned()], words.list()].concat());
            // Elsewhere nothing is printed.
            if self.elsewhere.is_none() {
                self.tell(&outcome);
            }
        }
        self.pull_requests.get_or_insert_default();
    }

    fn program(&self, arguments: &[String]) -> Outcome {
        let run = Run::program(self.hydrator, &self.repo.home());
        let pairs = self.variables.iter().filter_map(|pair| pair.split_once('='));
        let run = pairs
            .fold(run, |run, (name, value)| run.variable(name, value))
            .directory(&self.repo.work())
            .arguments(arguments)
            .variable("HYDRATOR_REPO", &self.repo.work().display().to_string())
            .variable("HYDRATOR_FORGE", "local");
        let run = match self.elsewhere {
            Some(elsewhere) => elsewhere.lend(run, &self.repo),
            None => run,
        };
        run
            // Who asks for a rollback, and when: both stand in the commit.
            .variable("GITHUB_ACTOR", "carol")
            .variable("SOURCE_DATE_EPOCH", "1700100000")
            // The talk tells what was rendered as it comes; one after the other it always comes in the same order.
            .variable("HYDRATOR_JOBS", "1")
            .run()
    }

    fn tell(&mut self, outcome: &Outcome) {
        if self.must_succeed {
            _ = outcome.clone().success();
        }
        let code =
            outcome.exit_code().map_or_else(|| "by a signal".to_owned(), |code| format!("with code {code}"));
        self.story.line(&format!("It exits {code}."));
        self.story.block("stdout:", outcome.stdout());
        // Where the time went is different each time.
        let is_time = |line: &&str| line.starts_with("time: ");
        let stderr: String = outcome.stderr().split_inclusive('\n').filter(|line| !is_time(line)).collect();
        self.story.block("stderr:", &stderr);
    }

    /// Tells the pull requests when they differ from what was told last.
    fn tell_pull_requests(&mut self) {
        let Some(last) = &self.pull_requests else { return };
        let now = self.list_pull_requests();
        if now != *last {
            self.story.block("Pull requests:", &now);
            self.pull_requests = Some(now);
        }
    }

    fn list_pull_requests(&self) -> String {
        if let Some(all) = self.elsewhere.and_then(Elsewhere::pull_requests) {
            return all.iter().map(pull_request).collect();
        }
        let list = ["local", "list", "--format", "json"].map(str::to_owned);
        let list = self.program(&list).success().json();
        list.as_array().expect("a list of pull requests is an array").iter().map(pull_request).collect()
    }

    fn show(&mut self, look: &Look) {
        let repo = &self.repo;
        let git = repo.remote_git();
        let (caption, text) = match look {
            Look::Branches => ("Branches:".to_owned(), branches(repo)),
            Look::PullRequests => ("Pull requests:".to_owned(), self.list_pull_requests()),
            Look::PullRequest(number) => {
                let elsewhere = self.elsewhere.and_then(|elsewhere| elsewhere.pull_request(*number));
                let found = elsewhere.unwrap_or_else(|| looks::of_file_by_number(repo, *number));
                (format!("Pull request #{number}:"), looks::pull_request(&found))
            }
            Look::Statuses => {
                let elsewhere = self.elsewhere.and_then(Elsewhere::statuses);
                ("Statuses:".to_owned(), looks::statuses(elsewhere.unwrap_or_else(|| looks::of_file(repo))))
            }
            Look::Notes => ("Notes:".to_owned(), notes(repo, NOTES)),
            Look::Tree(revision) => (format!("Files of {revision}:"), tree(repo, revision)),
            Look::Log(revision) => {
                let log = git.run(&["log", "--no-notes", "--format=%h %p | %s", "--abbrev=7", revision]);
                (format!("Log of {revision}, with parents:"), log + "\n")
            }
            Look::File { branch, path } => (format!("{path} of {branch}:"), repo.show(branch, path)),
            Look::Diff { from, to } => {
                let diff = git.run(&["diff", "--no-ext-diff", "--abbrev=7", from, to]);
                (format!("From {from} to {to}:"), diff + "\n")
            }
        };
        let text = if text.trim().is_empty() { "(nothing)\n".to_owned() } else { text };
        self.story.block(&caption, &text);
    }
}

fn branches(repo: &TestRepo) -> String {
    let branch = |(name, id): (String, String)| {
        let name = name.strip_prefix("refs/heads/")?;
        Some(format!("{} {name}\n", short(&id)))
    };
    repo.refs().into_iter().filter_map(branch).collect()
}

fn pull_request(value: &Value) -> String {
    let text = |key: &str| value[key].as_str().unwrap_or("?");
    let (number, state) = (&value["number"], text("state"));
    format!("#{number} {state}: {} -> {}: {}\n", text("head"), text("base"), text("title"))
}

mod tests {
    use super::*;
    use crate::support::command::write_script;

    /// Says where it is, proposes once, and knows one pull request from then on.
    const STAND_IN: &str = r#"case "$*" in
"local list --format json") cat "$HOME/pulls" ;;
"run") echo "repo $HYDRATOR_REPO, forge $HYDRATOR_FORGE"; git push -q "$(git config remote.origin.url)" main:dev-next; echo talk >&2
  echo '[{"number": 1, "state": "open", "head": "dev-next", "base": "dev", "title": "dev"}]' >"$HOME/pulls" ;;
"run --bad") touch stray ;;
*) exit 3 ;;
esac
"#;

    fn play_steps(steps: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        let hydrator = directory.path().join("hydrator");
        write_script(&hydrator, STAND_IN);
        let text = format!("title: T\nsteps:\n- commit: {{message: One}}\n{steps}");
        std::fs::write(directory.path().join("case.yaml"), text).unwrap();
        play(directory.path(), &Script::read(directory.path()), &hydrator)
    }

    #[test]
    fn a_run_is_told_with_its_output_and_what_it_did() {
        let told = play_steps("- hydrator: run\n- hydrator: run\n- local: merge 1");
        let run = "## 2. `hydrator run`\n\nIt exits with code 0.\n\nstdout:\n\n```text\nrepo <root>/work, forge local\n```\n\n\
                   stderr:\n\n```text\ntalk\n```\n\n`dev-next` is created at ";
        assert!(told.contains(run), "{told}");
        assert_eq!(
            told.matches("```text\n#1 open: dev-next -> dev: dev\n```").count(),
            1,
            "only when it changes:\n{told}"
        );
        assert!(told.ends_with("## 4. `hydrator local merge 1`\n\nIt exits with code 3.\n"), "{told}");
    }

    #[test]
    fn what_led_here_is_told_by_headings() {
        let told = play_steps("- quietly: [{hydrator: run}, {delete-branch: dev-next}]\n- show: [branches]");
        let wanted = "## 2. What led here\n\n- `hydrator run`\n- Somebody deletes dev-next\n\n## 3. A look\n\nBranches:\n";
        assert!(told.contains(wanted), "{told}");
    }

    #[test]
    #[should_panic(expected = "exit code")]
    fn what_led_here_must_go_well() {
        play_steps("- quietly: [{local: merge 1}]");
    }

    #[test]
    #[should_panic(expected = "the checkout was changed")]
    fn a_run_that_writes_into_the_checkout_fails() {
        play_steps("- hydrator: run --bad");
    }

    #[test]
    fn a_pull_request_is_one_line() {
        let value = serde_json::json!({"number": 3, "state": "open", "head": "a-next", "base": "a", "title": "A: `x`"});
        assert_eq!(pull_request(&value), "#3 open: a-next -> a: A: `x`\n");
    }
}
