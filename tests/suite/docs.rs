//! The README and its chapters in docs/ say what is so: its configurations load, its exit codes are the program's, its commands and options exist,
//! and the commands to try on one's own repository work.

use std::collections::{BTreeMap, BTreeSet};

use hydrator::error::FailureKind;

use crate::support::command::Run;
use crate::support::git::{TestRepo, files};

fn document(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn readme() -> String {
    document("README.md")
}

/// The README with its chapters.
fn documents() -> String {
    ["README.md", "docs/configuration.md", "docs/preview.md", "docs/command-line.md", "docs/gitlab.md"]
        .map(document)
        .join("\n")
}

/// The fenced blocks of a language.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let start = format!("```{language}\n");
    let parts = text.split(&start).skip(1);
    parts.map(|part| part.split("\n```").next().expect("a part").to_owned() + "\n").collect()
}

/// The cells of the table with this head, without the head.
fn table(text: &str, head: &str) -> Vec<Vec<String>> {
    let lines = text.lines().skip_while(|line| *line != head);
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| {
        let row = row.replace("\\|", "/");
        row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    rows.map(cells).collect()
}

/// A tree in which every configuration of the README finds what it names.
fn repository() -> TestRepo {
    let manifest = "kind: ConfigMap\nmetadata: { name: a }\n";
    let mut tree = files(&[
        ("apps/shop/base/config.yaml", manifest),
        ("apps/shop/base/kustomization.yaml", "resources: [config.yaml]\n"),
        ("charts/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 0.1.0\n"),
        ("charts/web/values.yaml", ""),
        ("values/redis.yaml", ""),
        ("templates/site/site.yaml.j2", manifest),
        ("templates/site/values.yaml", ""),
        ("plain/a.yaml", manifest),
        ("jsonnet/main.jsonnet", "{}"),
    ]);
    for environment in ["dev", "staging", "prod"] {
        let overlay = format!("apps/shop/overlays/{environment}/kustomization.yaml");
        tree.insert(overlay, "resources: [../../base]\n".to_owned());
        tree.insert(format!("clusters/{environment}-eu/ingress/a.yaml"), manifest.to_owned());
    }
    TestRepo::with_files(&tree)
}

#[test]
fn every_configuration_loads() {
    let repo = repository();
    let mut configurations = blocks(&documents(), "yaml");
    configurations.retain(|block| block.starts_with("version: 1\n"));
    assert!(configurations.len() >= 4, "{configurations:?}");
    for text in configurations {
        repo.write("hydrator.yaml", &text);
        let outcome = Run::hydrator(&repo).arguments(["check", "--worktree"]).run();
        assert_eq!((outcome.exit_code(), outcome.stderr()), (Some(0), ""), "{text}");
    }
}

#[test]
fn the_first_steps_work() {
    let readme = readme();
    let part = readme.split("## Try it on your repository\n").nth(1).expect("the part is there");
    let (configuration, steps) = (&blocks(part, "yaml")[0], &blocks(part, "sh")[0]);
    let repo = repository();
    repo.write("hydrator.yaml", configuration);
    let play = repo.root().join("play");
    std::fs::create_dir(&play).unwrap();
    let steps = steps.replace("/tmp/", &format!("{}/", play.display()));
    assert!(steps.matches(play.to_str().unwrap()).count() >= 5, "{steps}");
    let hydrator = std::path::Path::new(crate::support::command::HYDRATOR).parent().unwrap();
    let path = format!("{}:{}", hydrator.display(), crate::support::tools::search_path());
    let name = ["user.name=Alice", "user.email=alice@example.com"];
    let script = format!("set -e\n{steps}");
    let mut run = Run::program("/bin/sh", &repo.home()).directory(&repo.work()).arguments(["-c", &script]);
    run = run.variable("PATH", &path).variable("GIT_CONFIG_COUNT", "2");
    for (index, pair) in name.iter().enumerate() {
        let (key, value) = pair.split_once('=').unwrap();
        run = run.variable(&format!("GIT_CONFIG_KEY_{index}"), key);
        run = run.variable(&format!("GIT_CONFIG_VALUE_{index}"), value);
    }
    let said = run.run().success().stdout().to_owned();
    for wanted in ["2 environments: 2 created\n", "#2  open  prod  ", "merged #1 as ", " shop/manifest.yaml "]
    {
        assert!(said.contains(wanted), "no `{wanted}` in\n{said}");
    }
    assert!(play.join("manifests/prod/shop/manifest.yaml").is_file());
}

/// Every status that is set is told of, and nothing else.
#[test]
fn the_statuses_are_the_programs() {
    let sources = glob::glob(concat!(env!("CARGO_MANIFEST_DIR"), "/src/**/*.rs")).unwrap();
    let texts = sources.map(|path| std::fs::read_to_string(path.unwrap()).unwrap());
    let named = |text: String| {
        let lines = text.lines().filter_map(|line| line.split_once(": &str = \"hydrator/"));
        // A pattern for branches is none.
        lines
            .filter(|(_, rest)| !rest.contains('{'))
            .map(|(_, rest)| format!("`hydrator/{}`", rest.trim_end_matches("\";")))
            .collect::<Vec<_>>()
    };
    let set: BTreeSet<String> = texts.flat_map(named).collect();
    let told = table(&readme(), "| status | on | says |");
    assert_eq!(told.iter().map(|row| row[0].clone()).collect::<BTreeSet<_>>(), set);
}

#[test]
fn the_exit_codes_are_the_programs() {
    let kinds = [
        FailureKind::Unexpected,
        FailureKind::Usage,
        FailureKind::Config,
        FailureKind::Render,
        FailureKind::Git,
        FailureKind::Forge,
    ];
    let word = |kind: FailureKind| serde_json::to_value(kind).unwrap().as_str().unwrap().to_owned();
    let mut wanted: BTreeMap<String, String> =
        kinds.into_iter().map(|kind| (kind.exit_code().to_string(), word(kind))).collect();
    wanted.extend([("0", ""), ("10", "")].map(|(code, kind)| (code.to_owned(), kind.to_owned())));
    let rows = table(&readme(), "| code | kind | when |").into_iter();
    let found: BTreeMap<String, String> = rows.map(|row| (row[0].clone(), row[1].clone())).collect();
    assert_eq!(found, wanted);
    // The next kind needs its row.
    assert_eq!(kinds.last(), kinds.iter().max());
}

fn help(repo: &TestRepo, command: &[&str]) -> String {
    Run::hydrator(repo).arguments(command).arguments(["--help"]).run().success().stdout().to_owned()
}

const COMMANDS: &str = "| command | does |";

/// The words that stand first in the lines of a help's list of commands.
fn commands(help: &str) -> BTreeSet<String> {
    let list =
        help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default();
    let words = list.lines().filter_map(|line| line.split_whitespace().next());
    words.filter(|word| *word != "help").map(str::to_owned).collect()
}

/// The long options of a help.
fn options(help: &str) -> BTreeSet<String> {
    let lines = help.lines().filter(|line| line.trim_start().starts_with('-'));
    let words = lines.filter_map(|line| line.split_whitespace().find(|word| word.starts_with("--")));
    words.filter(|word| !["--help", "--version"].contains(word)).map(str::to_owned).collect()
}

#[test]
fn every_command_is_told_and_every_told_command_exists() {
    let (repo, readme) = (TestRepo::new(), documents());
    let known = commands(&help(&repo, &[]));
    let word = |cell: &String| cell.trim_matches('`').trim_start_matches("hydrator ").to_owned();
    let told: BTreeSet<String> = table(&readme, COMMANDS).iter().map(|row| word(&row[0])).collect();
    assert_eq!(told, known);
    let spans = readme.split('`').skip(1).step_by(2);
    for rest in spans.chain(readme.lines()).filter_map(|text| text.strip_prefix("hydrator ")) {
        let command = rest.split_whitespace().next().unwrap_or_default();
        let is_prose = command == "renders";
        assert!(is_prose || known.contains(command), "the README names `hydrator {command}`");
    }
    let works = commands(&help(&repo, &["local"]));
    let row = table(&readme, COMMANDS).into_iter().find(|row| row[0] == "`hydrator local`").unwrap();
    let told = row[1].split('`').skip(1).step_by(2).filter_map(|span| span.split(' ').next());
    assert_eq!(told.map(str::to_owned).collect::<BTreeSet<_>>(), works);
}

#[test]
fn every_option_is_told_of_its_commands() {
    let repo = TestRepo::new();
    let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let all = commands(&help(&repo, &[]));
    for command in &all {
        for option in options(&help(&repo, &[command])) {
            wanted.entry(option).or_default().insert(command.clone());
        }
    }
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut before = BTreeSet::new();
    for row in table(&documents(), "| option | of | means |") {
        let words = |cell: &str| -> BTreeSet<String> {
            cell.split('`')
                .skip(1)
                .step_by(2)
                .map(|span| span.split(' ').next().unwrap().to_owned())
                .collect()
        };
        let of = match row[1].strip_prefix("all but") {
            Some(others) => all.difference(&words(others)).cloned().collect(),
            None if row[1] == "the same" => before.clone(),
            None => words(&row[1]),
        };
        for option in words(&row[0]) {
            told.insert(option, of.clone());
        }
        before = of;
    }
    // The one use that the table leaves to its prose.
    wanted.get_mut("--report").expect("there is one").remove("schema");
    assert_eq!(told, wanted);
}

/// The text of every file of the program, string by string: continued ones in one line.
fn sources() -> Vec<String> {
    let mut found = Vec::new();
    let mut directories = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(path).unwrap();
                let parts: Vec<&str> = text.split("\\\n").collect();
                let joined =
                    parts.iter().enumerate().map(|(n, part)| if n == 0 { part } else { part.trim_start() });
                found.extend(joined.collect::<String>().lines().map(str::to_owned));
            }
        }
    }
    found
}

#[test]
fn every_message_of_the_table_is_one_of_the_programs() {
    let (readme, sources) = (readme(), sources());
    let rows = table(&readme, "| message | what to do |");
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let message = row[0].trim_matches('`').trim();
        // What stands in code or is left out differs from one time to the next.
        let fixed = message.split('`').step_by(2).flat_map(|part| part.split('…')).map(str::trim);
        let fixed: Vec<&str> = fixed.filter(|part| !part.is_empty()).collect();
        let says = |line: &String| {
            let mut rest = line.as_str();
            let mut follows = |part: &&str| {
                let after = rest.split_once(*part).map(|(_, after)| after);
                rest = after.unwrap_or_default();
                after.is_some()
            };
            line.contains(message) || fixed.concat().len() > 10 && fixed.iter().all(&mut follows)
        };
        assert!(sources.iter().any(says), "nothing says `{message}`: {fixed:?}");
        assert!(row[1].len() > 10, "{message}");
    }
}
