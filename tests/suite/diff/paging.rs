//! Pages of previews whose content is as hostile as it gets.

use hydrator::compare::{Document, Rules, compare};
use hydrator::diff::{DiffReport, EnvironmentDiff, TargetDiff, Whole, markdown, pages};
use hydrator::model::{BranchName, CommitId, EnvironmentName, ManifestId};

use crate::support::markdown::is_closed;
use crate::support::random::Random;

const LINES: &[&str] = &[
    "```",
    "````",
    "</details>",
    "<script>alert(1)</script>",
    "@alice #1 !2",
    "| a | b |",
    "~~~~",
    "/approve",
    "ünïcödé \u{1f600}\u{1f600}",
    "::error::x",
    "<!-- hydrator preview=\"x\" -->",
    "    indented",
    "[skip ci]",
    "\u{202e}right to left",
];

fn report(random: &mut Random) -> DiffReport {
    let id = |name: &str| ManifestId {
        group: String::new(),
        kind: "ConfigMap".to_owned(),
        namespace: LINES[4].to_owned(),
        name: name.to_owned(),
    };
    let environment = |random: &mut Random, index: usize| {
        let name = format!("e{index}");
        let targets = (0..random.below(4)).map(|place| {
            let documents: Vec<Document> = (0..random.below(6))
                .map(|number| {
                    let lines = (0..random.below(60)).map(|_| LINES[random.below(LINES.len())]);
                    let lines = lines.fold(String::new(), |text, line| text + "    " + line + "\n");
                    let name = format!("{}{number}", LINES[random.below(LINES.len())]);
                    Document { id: id(&name), text: Some(format!("data:\n  a: |\n{lines}\n")) }
                })
                .collect();
            let found = compare("web", &[], &documents, &Rules::default());
            TargetDiff::new(format!("t{place}"), format!("t{place}")).with(found)
        });
        EnvironmentDiff {
            active_branch: BranchName::new(format!("hydrator/{name}")).unwrap(),
            name: EnvironmentName::new(name),
            targets_in_all: 4,
            hold: None,
            behind: None,
            targets: targets.collect(),
        }
    };
    DiffReport {
        unreachable: None,
        determinism: false,
        base_sha: CommitId::parse(&"1".repeat(40)),
        head_sha: CommitId::parse(&"2".repeat(40)).unwrap(),
        error: None,
        base_error: None,
        agreed: None,
        environments: (0..random.below(6)).map(|index| environment(random, index)).collect(),
    }
}

#[test]
fn pages_are_whole_whatever_is_in_them() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let report = report(&mut random);
        let limit = 4_000 + random.below(20_000);
        let most = 1 + random.below(4);
        let page = Some("https://example.com/run".to_owned());
        let whole = Whole { page, file: Some("/tmp/hydrator-diff.md".to_owned()) };
        let found = pages(&report, limit, most, &whole);
        assert_eq!(found, pages(&report, limit, most, &whole), "twice the same");
        let link = "[the whole diff](https://example.com/run) (`hydrator-diff.md`)";
        assert!(found.len() == 1 || found.last().unwrap().contains(link), "the last page links it");
        assert!(found.len() <= most && !found.is_empty());
        let all = found.concat();
        for page in &found {
            assert!(page.chars().count() <= limit, "seed {seed}: {} of {limit}", page.chars().count());
            is_closed(page);
        }
        is_closed(&markdown(&report));
        // Every manifest is on a page, or is counted as left out.
        let changes: usize =
            report.environments.iter().flat_map(|one| &one.targets).map(|one| one.changes.len()).sum();
        let shown = all.lines().filter(|line| line.starts_with("`+` ")).count();
        let left: usize = all
            .lines()
            .filter_map(|line| {
                line.strip_prefix(
                    "Too long to be shown here, see [the whole diff](https://example.com/run) (`hydrator-diff.md`): ",
                )
            })
            .flat_map(|line| line.trim_end_matches('.').split(", ").map(str::to_owned).collect::<Vec<_>>())
            .map(|part| part.split(' ').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(shown + left, changes, "seed {seed}");
    }
}
