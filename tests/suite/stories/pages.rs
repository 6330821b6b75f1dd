//! The developer's page: on the pull request that brought a DRY commit in, and on that commit. Deployments, too.

use super::*;
use crate::forge_server::Fault;
use crate::forge_server::state::{Deployed, Method};

/// A pull request of a person against the DRY branch, merged as people do.
pub(crate) fn land(repo: &TestRepo, forge: &impl Hosted, value: &str, method: Method) -> u64 {
    let file = |name: &str| (format!("apps/{name}/x.yaml"), manifest(name, value));
    let files = ENVIRONMENTS.map(file);
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    land_files(repo, forge, &files, method)
}

/// The same with any files.
pub(crate) fn land_files(
    repo: &TestRepo,
    forge: &impl Hosted,
    files: &[(&str, &str)],
    method: Method,
) -> u64 {
    let git = repo.work_git();
    git.run(&["checkout", "-q", "-b", "change", "main"]);
    for (path, text) in files {
        repo.write(path, text);
    }
    repo.commit_only("Set it");
    git.run(&["push", "-q", "origin", "HEAD:refs/heads/change"]);
    let number = forge.server().with(|state| {
        let number = state.open("change", "main", "Set it", "").unwrap();
        state.pull(number).unwrap().author = "alice".to_owned();
        // A project on GitLab has one way.
        state.default_method = if method == Method::Merge { method } else { Method::Rebase };
        state.merge(number, method).unwrap();
        number
    });
    git.run(&["checkout", "-q", "main"]);
    git.run(&["pull", "-q", "--ff-only", "origin", "main"]);
    git.run(&["branch", "-q", "-D", "change"]);
    number
}

pub(crate) fn merge_of(forge: &impl Hosted, environment: &str) {
    forge.server().with(|state| {
        let head = format!("hydrator/{environment}-next");
        let number = state.pulls.iter().find(|pull| pull.is_open() && pull.head == head).unwrap().number;
        state.merge(number, Method::Merge).unwrap();
    });
}

/// What is said of a commit: by its status, and where that waits for nothing, by the hidden mark of its page until then.
fn progress<F: Hosted>(forge: &F, commit: &str) -> (String, String) {
    forge.server().with(|state| {
        if let Some(status) = state.newest(commit, "hydrator/progress") {
            assert!(F::WAITS || status.state == "success", "{status:?}");
            return (plain(&status.state), status.description.clone());
        }
        assert!(!F::WAITS, "it has a status");
        let mark = format!("<!-- hydrator progress=\"{commit}\" state=\"");
        let mut said = state.pulls.iter().flat_map(|pull| &pull.comments);
        let rest = said.find_map(|said| said.body.strip_prefix(&mark)).expect("it has a page");
        let (word, rest) = rest.split_once("\" says=\"").expect("it says something");
        (word.to_owned(), rest.split_once('"').expect("it ends").0.to_owned())
    })
}

pub(crate) fn a_page_follows_a_change_through_all_environments<F: Hosted>() {
    for method in [Method::Merge, Method::Squash, Method::Rebase] {
        let repo = repo_of(&ENVIRONMENTS);
        let forge = F::start(&repo);
        let number = land(&repo, &forge, "one", method);
        let dry = repo.tip("main").unwrap();
        _ = forge.job(&repo).run().success();
        let page = || pull(&forge, number).comments.iter().map(|said| said.body.clone()).collect::<Vec<_>>();
        let [first] = page().try_into().unwrap();
        assert!(first.contains("is on its way"), "{first}");
        assert!(first.contains("| `dev` | 🔵 | [\\#2]("), "{first}");
        assert!(first.contains("| `staging` | ⏳ | [\\#3]("), "{first}");
        let pending = |text: &str| ("pending".to_owned(), text.to_owned());
        assert_eq!(progress(&forge, &dry), pending("not yet in dev, staging, prod"));
        // What comes again reads the same, and is not written.
        forge.server().take_calls();
        for command in ["run", "promote"] {
            _ = forge.command(&repo, command).run().success();
        }
        assert_eq!(writes(&forge.server().take_calls()), Vec::<String>::new());
        merge_of(&forge, "dev");
        _ = forge.command(&repo, "promote").run().success();
        assert_eq!(progress(&forge, &dry), pending("in dev; not yet in staging, prod"));
        let [second] = page().try_into().unwrap();
        assert!(second.contains("| `dev` | ✅ | runs it |"), "{second}");
        merge_of(&forge, "staging");
        _ = forge.command(&repo, "promote").run().success();
        merge_of(&forge, "prod");
        _ = forge.command(&repo, "promote").run().success();
        assert_eq!(progress(&forge, &dry), ("success".to_owned(), "in dev, staging, prod".to_owned()));
        let [last] = page().try_into().unwrap();
        assert!(last.contains("is everywhere"), "{last}");
        // Promotion pull requests name what brought each DRY commit in.
        let body = forge.server().with(|state| state.pulls.last().unwrap().body.clone());
        assert!(body.contains(&format!("[\\#{number}](http")), "{body}");
        assert!(body.contains("```mermaid"), "{body}");
    }
}

pub(crate) fn a_change_that_was_overtaken_arrives_with_the_next_one<F: Hosted>() {
    let repo = repo_of(&ENVIRONMENTS);
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    for name in ENVIRONMENTS {
        merge_of(&forge, name);
        _ = forge.command(&repo, "promote").run().success();
    }
    // Two come in, and only the second one is ever hydrated.
    let first = land(&repo, &forge, "one", Method::Merge);
    let first_dry = repo.tip("main").unwrap();
    let second = land(&repo, &forge, "two", Method::Squash);
    let second_dry = repo.tip("main").unwrap();
    _ = forge.job(&repo).run().success();
    let page = |number: u64| pull(&forge, number).comments.last().unwrap().body.clone();
    let short = &second_dry[..7];
    assert!(page(first).contains(&format!("comes with `{short}`; may be merged")), "{}", page(first));
    merge_of(&forge, "dev");
    _ = forge.command(&repo, "promote").run().success();
    assert!(page(first).contains(&format!("runs `{short}`, which has it")), "{}", page(first));
    for name in ["staging", "prod"] {
        merge_of(&forge, name);
        _ = forge.command(&repo, "promote").run().success();
    }
    for (number, dry) in [(first, &first_dry), (second, &second_dry)] {
        assert!(page(number).contains("is everywhere"), "{}", page(number));
        assert_eq!(progress(&forge, dry).0, "success");
        assert_eq!(pull(&forge, number).comments.len(), 1);
    }
    forge.server().take_calls();
    _ = forge.command(&repo, "promote").run().success();
    assert_eq!(writes(&forge.server().take_calls()), Vec::<String>::new());
}

pub(crate) fn a_rollback_takes_pages_back_until_it_is_resumed<F: Hosted>() {
    let repo = repo_of(&ENVIRONMENTS);
    let forge = F::start(&repo);
    let everywhere = |job: bool| {
        _ = if job {
            forge.job(&repo).run().success()
        } else {
            forge.command(&repo, "promote").run().success()
        };
        for name in ENVIRONMENTS {
            merge_of(&forge, name);
            _ = forge.command(&repo, "promote").run().success();
        }
    };
    everywhere(true);
    let old = repo.tip("main").unwrap();
    let landed: Vec<(u64, String)> = [("one", Method::Merge), ("two", Method::Merge)]
        .map(|(value, method)| (land(&repo, &forge, value, method), repo.tip("main").unwrap()))
        .into();
    everywhere(true);
    // It has nothing to do with any environment.
    repo.write("README.md", "Hello\n");
    repo.commit("Say hello");
    _ = forge.job(&repo).run().success();
    let page = |number: u64| pull(&forge, number).comments.last().unwrap().body.clone();
    let all = |wanted: &(String, String), row: &str| {
        for (number, dry) in &landed {
            assert_eq!(progress(&forge, dry), *wanted);
            assert!(page(*number).contains(row), "{}", page(*number));
            assert_eq!(pull(&forge, *number).comments.len(), 1);
        }
    };
    let done = ("success".to_owned(), "in dev, staging, prod".to_owned());
    all(&done, "is everywhere");
    let arguments = ["--environment", "prod", "--to", "1", "--push", "--actor", "alice"];
    _ = forge.command(&repo, "rollback").arguments(arguments).run().success();
    _ = forge.command(&repo, "promote").run().success();
    let word = if F::WAITS { "pending" } else { "success" };
    let back = (word.to_owned(), format!("prod was rolled back to {}; in dev, staging", &old[..7]));
    all(&back, &format!("| `prod` | ⛔ | was rolled back to `{}` |", &old[..7]));
    // Nothing more is asked than without it, and nothing is written.
    let quiet = || {
        forge.server().take_calls();
        for command in ["run", "promote"] {
            _ = forge.command(&repo, command).run().success();
            let calls = forge.server().take_calls();
            assert!(calls.len() <= 2 && writes(&calls).is_empty(), "{command}: {:?}", asked(&calls));
        }
    };
    quiet();
    _ = forge.command(&repo, "resume").arguments(["--environment", "prod"]).run().success();
    _ = forge.command(&repo, "promote").run().success();
    all(&back, "| `prod` | ");
    assert!(page(landed[1].0).contains("; may be merged |"), "{}", page(landed[1].0));
    quiet();
    merge_of(&forge, "prod");
    _ = forge.command(&repo, "promote").run().success();
    all(&done, "is everywhere");
    quiet();
}

pub(crate) fn nobody_else_can_take_the_place_of_a_page<F: Hosted>() {
    let repo = repo_of(&ENVIRONMENTS);
    let forge = F::start(&repo);
    let number = land(&repo, &forge, "one", Method::Merge);
    let dry = repo.tip("main").unwrap();
    forge
        .server()
        .with(|state| state.say(number, "mallory", &format!("<!-- hydrator progress=\"{dry}\" -->")));
    _ = forge.job(&repo).run().success();
    let authors: Vec<String> = pull(&forge, number).comments.iter().map(|said| said.author.clone()).collect();
    assert_eq!(authors, ["mallory", "hydrator-app[bot]"]);
}

pub(crate) fn what_changes_nothing_gets_no_comment<F: Hosted>() {
    let repo = repo_of(&ENVIRONMENTS);
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    for name in ENVIRONMENTS {
        merge_of(&forge, name);
        _ = forge.command(&repo, "promote").run().success();
    }
    repo.write("README.md", "Hello\n");
    let dry = repo.commit("Say hello");
    _ = forge.job(&repo).run().success();
    assert_eq!(progress(&forge, &dry), ("success".to_owned(), "changes no environment".to_owned()));
}

pub(crate) fn a_page_that_cannot_be_written_fails_nothing<F: Hosted>() {
    let repo = repo_of(&ENVIRONMENTS);
    let forge = F::start(&repo);
    let number = land(&repo, &forge, "one", Method::Merge);
    forge.server().fail(F::COMMENTS, 9, &Fault::refusal(403, "Not for you"));
    let outcome = forge.job(&repo).run().success();
    assert!(outcome.stderr().contains("how far DRY commits have come is not up to date"), "{outcome:?}");
    forge.server().recover();
    _ = forge.job(&repo).run().success();
    assert_eq!(pull(&forge, number).comments.len(), 1);
}

pub(crate) fn an_error_is_told_until_it_is_mended<F: Hosted>() {
    let repo = repo_of(&ENVIRONMENTS);
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    merge_of(&forge, "dev");
    let staging = manifest("staging", "two");
    let files = [
        ("apps/dev/x.yaml", "kind: [\n"),
        ("apps/staging/x.yaml", &staging),
        ("apps/prod/x.yaml", "kind: [\n"),
    ];
    land_files(&repo, &forge, &files, Method::Merge);
    let broken = repo.tip("main").unwrap();
    _ = forge.job(&repo).run().code(4);
    let failure = |text: &str| ("failure".to_owned(), text.to_owned());
    let wanted = failure("error in dev, prod; not yet in staging");
    assert_eq!(progress(&forge, &broken), wanted);
    // Whatever does not render cannot know better.
    _ = forge.command(&repo, "promote").run().success();
    assert_eq!(progress(&forge, &broken), wanted);
    let status = forge.command(&repo, "status").run().success();
    let line = format!("error: {} could not be hydrated: see the last run", &broken[..7]);
    assert_eq!(status.stdout().matches(&line).count(), 2, "{}", status.stdout());
    assert!(status.stdout().contains("dev        failed "), "{}", status.stdout());
    land(&repo, &forge, "three", Method::Merge);
    let mended = repo.tip("main").unwrap();
    _ = forge.job(&repo).run().success();
    let pending = ("pending".to_owned(), "not yet in dev, staging, prod".to_owned());
    assert_eq!((progress(&forge, &broken), progress(&forge, &mended)), (pending.clone(), pending));
}

/// All environments offer their first state, and deployments are to be recorded.
fn with_deployments<F: Hosted>() -> (TestRepo, F) {
    let repo = repo_of(&ENVIRONMENTS);
    let text = std::fs::read_to_string(repo.work().join("hydrator.yaml")).unwrap();
    repo.write("hydrator.yaml", &(text + "deployments: true\n"));
    repo.commit("Record deployments");
    let forge = F::start(&repo);
    _ = forge.job(&repo).run().success();
    (repo, forge)
}

pub(crate) fn deployments_are_recorded_once_where_that_is_asked_for<F: Hosted>() {
    let (repo, forge) = with_deployments::<F>();
    assert_eq!(forge.server().with(|state| state.deployments.len()), 0, "nothing runs yet");
    let first = repo.tip("main").unwrap();
    for name in ["dev", "staging"] {
        merge_of(&forge, name);
        _ = forge.command(&repo, "promote").run().success();
    }
    forge.server().take_calls();
    _ = forge.command(&repo, "promote").run().success();
    assert_eq!(writes(&forge.server().take_calls()), Vec::<String>::new());
    let found: Vec<(String, String)> = forge.server().with(|state| {
        let shown = |one: &Deployed| (one.environment.clone(), one.commit.clone());
        state.deployments.iter().map(shown).collect()
    });
    assert_eq!(found, [("dev".to_owned(), first.clone()), ("staging".to_owned(), first)]);
}

pub(crate) fn a_deployment_that_is_refused_keeps_no_other_one_from_being_recorded<F: Hosted>() {
    let (repo, forge) = with_deployments::<F>();
    for name in ENVIRONMENTS {
        merge_of(&forge, name);
    }
    let is_of_dev = |call: &Call| call.is_write() && call.body["environment"] == "dev";
    forge.server().decide(move |call| is_of_dev(call).then(|| Fault::refusal(403, "dev is protected")));
    let recorded = || -> Vec<String> {
        forge.server().with(|state| state.deployments.iter().map(|one| one.environment.clone()).collect())
    };
    let outcome = forge.command(&repo, "promote").run().success();
    let words = format!(
        "not every deployment is recorded: cannot record the deployment of {} to `dev`",
        &repo.tip("main").unwrap()[..7]
    );
    assert!(outcome.stderr().contains(&words), "{}", outcome.stderr());
    assert_eq!(recorded(), ["staging", "prod"]);
    // Once it is allowed, the missing one follows alone.
    forge.server().recover();
    for _ in 0..2 {
        _ = forge.command(&repo, "promote").run().success();
        assert_eq!(recorded(), ["staging", "prod", "dev"]);
    }
}
