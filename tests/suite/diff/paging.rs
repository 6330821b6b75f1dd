//! Pages of previews whose content is as hostile as it gets.

use hydrator::compare::{Document, Rules, compare};
use hydrator::diff::{DiffReport, EnvironmentDiff, TargetDiff, markdown, pages};
use hydrator::model::{BranchName, CommitId, EnvironmentName, ManifestId};

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
        determinism: false,
        base_sha: CommitId::parse(&"1".repeat(40)),
        head_sha: CommitId::parse(&"2".repeat(40)).unwrap(),
        error: None,
        base_error: None,
        agreed: None,
        environments: (0..random.below(6)).map(|index| environment(random, index)).collect(),
    }
}

/// That every fence and every fold is closed, and that nothing outside of fences is markup but what is ours.
#[track_caller]
fn is_closed(page: &str) {
    let (mut fence, mut folds): (Option<String>, usize) = (None, 0);
    for line in page.lines() {
        if let Some(open) = &fence {
            let run = line.chars().take_while(|c| *c == '`').count();
            if run >= open.len() && run == line.len() {
                fence = None;
            }
            continue;
        }
        let run: String = line.chars().take_while(|c| *c == '`').collect();
        if run.len() >= 3 {
            fence = Some(run);
            continue;
        }
        match line {
            "</details>" => folds -= 1,
            line if line.starts_with("<details") => folds += 1,
            line => {
                let line = without_code(line);
                assert!(!line.contains("<script") && !line.contains("</details>"), "{line}");
            }
        }
    }
    assert_eq!((fence, folds), (None, 0), "{page}");
}

/// A line without its code spans: they end with as many backticks as they begin with.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(start) = rest.find('`') {
        out.push_str(&rest[..start]);
        let run = rest[start..].chars().take_while(|c| *c == '`').count();
        let inside = &rest[start + run..];
        let mut at = 0;
        let end = loop {
            let Some(found) = inside[at..].find('`') else { break None };
            let length = inside[at + found..].chars().take_while(|c| *c == '`').count();
            at += found + length;
            if length == run {
                break Some(at);
            }
        };
        rest = end.map_or(inside, |end| &inside[end..]);
    }
    out + rest
}

#[test]
fn pages_are_whole_whatever_is_in_them() {
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let report = report(&mut random);
        let limit = 4_000 + random.below(20_000);
        let most = 1 + random.below(4);
        let found = pages(&report, limit, most, Some("https://example.com/run"));
        assert_eq!(found, pages(&report, limit, most, Some("https://example.com/run")), "twice the same");
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
                    "Too long to be shown here, see [the whole diff](https://example.com/run): ",
                )
            })
            .flat_map(|line| line.trim_end_matches('.').split(", ").map(str::to_owned).collect::<Vec<_>>())
            .map(|part| part.split(' ').next().unwrap().parse::<usize>().unwrap())
            .sum();
        assert_eq!(shown + left, changes, "seed {seed}");
    }
}
