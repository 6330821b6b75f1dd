//! The developer's page: on the pull request that brought a DRY commit in, and on that commit.

use super::*;
use crate::forge_server::state::Method;

/// A pull request of a person against the DRY branch, merged as people do.
pub(super) fn land(repo: &TestRepo, github: &GitHub, value: &str, method: Method) -> u64 {
    let git = repo.work_git();
    git.run(&["checkout", "-q", "-b", "change", "main"]);
    for name in ENVIRONMENTS {
        let text = format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  value: \"{value}\"\n"
        );
        repo.write(&format!("apps/{name}/x.yaml"), &text);
    }
    repo.commit_only(&format!("Set {value}"));
    git.run(&["push", "-q", "origin", "HEAD:refs/heads/change"]);
    let number = github.server.with(|state| {
        let number = state.open("change", "main", &format!("Set {value}"), "").unwrap();
        state.pull(number).unwrap().author = "alice".to_owned();
        state.merge(number, method).unwrap();
        number
    });
    git.run(&["checkout", "-q", "main"]);
    git.run(&["pull", "-q", "--ff-only", "origin", "main"]);
    git.run(&["branch", "-q", "-D", "change"]);
    number
}

fn merge_of(github: &GitHub, environment: &str) {
    github.server.with(|state| {
        let head = format!("hydrator/{environment}-next");
        let number = state.pulls.iter().find(|pull| pull.is_open() && pull.head == head).unwrap().number;
        state.merge(number, Method::Merge).unwrap();
    });
}

fn progress(github: &GitHub, commit: &str) -> (String, String) {
    github.server.with(|state| {
        let status = state.newest(commit, "hydrator/progress").expect("it has a page");
        (status.state.clone(), status.description.clone())
    })
}

#[test]
fn a_page_follows_a_change_through_all_environments() {
    for method in [Method::Merge, Method::Squash, Method::Rebase] {
        let repo = repo_of(&ENVIRONMENTS);
        let github = GitHub::start(&repo);
        let number = land(&repo, &github, "one", method);
        let dry = repo.tip("main").unwrap();
        _ = github.job(&repo).run().success();
        let page = || pull(&github, number).comments.iter().map(|said| said.body.clone()).collect::<Vec<_>>();
        let [first] = page().try_into().unwrap();
        assert!(first.contains("is on its way"), "{first}");
        assert!(first.contains("| `dev` | 🔵 | [\\#2]("), "{first}");
        assert!(first.contains("| `staging` | ⏳ | [\\#3]("), "{first}");
        let pending = |text: &str| ("pending".to_owned(), text.to_owned());
        assert_eq!(progress(&github, &dry), pending("not yet in dev, staging, prod"));
        // What comes again reads the same, and is not written.
        github.server.take_calls();
        for command in ["run", "promote"] {
            _ = github.command(&repo, command).run().success();
        }
        assert_eq!(writes(&github.server.take_calls()), Vec::<String>::new());
        merge_of(&github, "dev");
        _ = github.command(&repo, "promote").run().success();
        assert_eq!(progress(&github, &dry), pending("in dev; not yet in staging, prod"));
        let [second] = page().try_into().unwrap();
        assert!(second.contains("| `dev` | ✅ | runs it |"), "{second}");
        merge_of(&github, "staging");
        _ = github.command(&repo, "promote").run().success();
        merge_of(&github, "prod");
        _ = github.command(&repo, "promote").run().success();
        assert_eq!(progress(&github, &dry), ("success".to_owned(), "in dev, staging, prod".to_owned()));
        let [last] = page().try_into().unwrap();
        assert!(last.contains("is everywhere"), "{last}");
        // Promotion pull requests name what brought each DRY commit in.
        let body = github.server.with(|state| state.pulls.last().unwrap().body.clone());
        assert!(body.contains(&format!("[\\#{number}](http")), "{body}");
        assert!(body.contains("```mermaid"), "{body}");
    }
}

#[test]
fn a_change_that_was_overtaken_arrives_with_the_next_one() {
    let repo = repo_of(&ENVIRONMENTS);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    for name in ENVIRONMENTS {
        merge_of(&github, name);
        _ = github.command(&repo, "promote").run().success();
    }
    // Two come in, and only the second one is ever hydrated.
    let first = land(&repo, &github, "one", Method::Merge);
    let first_dry = repo.tip("main").unwrap();
    let second = land(&repo, &github, "two", Method::Squash);
    let second_dry = repo.tip("main").unwrap();
    _ = github.job(&repo).run().success();
    let page = |number: u64| pull(&github, number).comments.last().unwrap().body.clone();
    let short = &second_dry[..7];
    assert!(page(first).contains(&format!("comes with `{short}`; may be merged")), "{}", page(first));
    merge_of(&github, "dev");
    _ = github.command(&repo, "promote").run().success();
    assert!(page(first).contains(&format!("runs `{short}`, which has it")), "{}", page(first));
    for name in ["staging", "prod"] {
        merge_of(&github, name);
        _ = github.command(&repo, "promote").run().success();
    }
    for (number, dry) in [(first, &first_dry), (second, &second_dry)] {
        assert!(page(number).contains("is everywhere"), "{}", page(number));
        assert_eq!(progress(&github, dry).0, "success");
        assert_eq!(pull(&github, number).comments.len(), 1);
    }
    github.server.take_calls();
    _ = github.command(&repo, "promote").run().success();
    assert_eq!(writes(&github.server.take_calls()), Vec::<String>::new());
}

#[test]
fn nobody_else_can_take_the_place_of_a_page() {
    let repo = repo_of(&ENVIRONMENTS);
    let github = GitHub::start(&repo);
    let number = land(&repo, &github, "one", Method::Merge);
    let dry = repo.tip("main").unwrap();
    github
        .server
        .with(|state| state.say(number, "mallory", &format!("<!-- hydrator progress=\"{dry}\" -->")));
    _ = github.job(&repo).run().success();
    let authors: Vec<String> =
        pull(&github, number).comments.iter().map(|said| said.author.clone()).collect();
    assert_eq!(authors, ["mallory", "hydrator-app[bot]"]);
}

#[test]
fn what_changes_nothing_gets_no_comment() {
    let repo = repo_of(&ENVIRONMENTS);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    for name in ENVIRONMENTS {
        merge_of(&github, name);
        _ = github.command(&repo, "promote").run().success();
    }
    repo.write("README.md", "Hello\n");
    let dry = repo.commit("Say hello");
    _ = github.job(&repo).run().success();
    assert_eq!(progress(&github, &dry), ("success".to_owned(), "changes no environment".to_owned()));
}

#[test]
fn a_page_that_cannot_be_written_fails_nothing() {
    let repo = repo_of(&ENVIRONMENTS);
    let github = GitHub::start(&repo);
    let number = land(&repo, &github, "one", Method::Merge);
    github.server.fail("/comments", 9, &crate::forge_server::Fault::refusal(403, "Not for you"));
    let outcome = github.job(&repo).run().success();
    assert!(outcome.stderr().contains("how far DRY commits have come is not up to date"), "{outcome:?}");
    github.server.recover();
    _ = github.job(&repo).run().success();
    assert_eq!(pull(&github, number).comments.len(), 1);
}

#[test]
fn an_error_is_told_until_it_is_mended() {
    let repo = repo_of(&ENVIRONMENTS);
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    merge_of(&github, "dev");
    set(&repo, &ENVIRONMENTS, "two");
    repo.write("apps/dev/x.yaml", "kind: [\n");
    repo.write("apps/prod/x.yaml", "kind: [\n");
    let broken = repo.commit("Break two of them");
    _ = github.job(&repo).run().code(4);
    let failure = |text: &str| ("failure".to_owned(), text.to_owned());
    let wanted = failure("error in dev, prod; not yet in staging");
    assert_eq!(progress(&github, &broken), wanted);
    // Whatever does not render cannot know better.
    _ = github.command(&repo, "promote").run().success();
    assert_eq!(progress(&github, &broken), wanted);
    let status = github.command(&repo, "status").run().success();
    let line = format!("error: {} could not be hydrated: see the last run", &broken[..7]);
    assert_eq!(status.stdout().matches(&line).count(), 2, "{}", status.stdout());
    assert!(status.stdout().contains("dev        failed "), "{}", status.stdout());
    let mended = set(&repo, &ENVIRONMENTS, "three");
    _ = github.job(&repo).run().success();
    let pending = ("pending".to_owned(), "not yet in dev, staging, prod".to_owned());
    assert_eq!((progress(&github, &broken), progress(&github, &mended)), (pending.clone(), pending));
}

#[test]
fn deployments_are_recorded_once_where_that_is_asked_for() {
    let repo = repo_of(&ENVIRONMENTS);
    let text = std::fs::read_to_string(repo.work().join("hydrator.yaml")).unwrap();
    repo.write("hydrator.yaml", &(text + "deployments: true\n"));
    repo.commit("Record deployments");
    let github = GitHub::start(&repo);
    _ = github.job(&repo).run().success();
    assert_eq!(github.server.with(|state| state.deployments.len()), 0, "nothing runs yet");
    let first = repo.tip("main").unwrap();
    for name in ["dev", "staging"] {
        merge_of(&github, name);
        _ = github.command(&repo, "promote").run().success();
    }
    github.server.take_calls();
    _ = github.command(&repo, "promote").run().success();
    assert_eq!(writes(&github.server.take_calls()), Vec::<String>::new());
    let found: Vec<(String, String, usize)> = github.server.with(|state| {
        let shown = |one: &crate::forge_server::state::Deployed| {
            (one.environment.clone(), one.commit.clone(), one.statuses.len())
        };
        state.deployments.iter().map(shown).collect()
    });
    assert_eq!(found, [("dev".to_owned(), first.clone(), 1), ("staging".to_owned(), first, 1)]);
}
