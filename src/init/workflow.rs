//! The proposed workflow: an example, made fit for the repository. Pure.

use camino::{Utf8Path, Utf8PathBuf};

use super::kind::Kind;
use super::survey::Survey;
use super::text::quoted;
use super::{Home, Wish};

/// The workflow for GitHub, as it stands in the examples.
const GITHUB: &str = include_str!("../../examples/github/run.yml");
/// The pipeline for GitLab, as it stands in the examples.
const GITLAB: &str = include_str!("../../examples/gitlab/.gitlab-ci.yml");
/// Where everybody looks for the configuration.
const CONFIGURATION: &str = "hydrator.yaml";

/// Programs that rendering needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tools {
    kustomize: bool,
    helm: bool,
}

impl Tools {
    /// Those for what was found.
    pub(super) fn of(survey: &Survey<'_>) -> Self {
        Self {
            kustomize: survey.units.values().any(|kind| matches!(kind, Kind::Kustomize | Kind::Inflating)),
            helm: survey.inflates || !survey.charts.is_empty(),
        }
    }
}

/// The workflow's path and its text, for environments of these names.
pub(super) fn workflow(
    home: Home,
    wish: Wish<'_>,
    tools: Tools,
    environments: &[String],
) -> (Utf8PathBuf, String) {
    let (path, example) = match home {
        Home::GitHub => (".github/workflows/hydrator.yml", GITHUB),
        Home::GitLab => (".gitlab-ci.yml", GITLAB),
    };
    let mut is_in_use = false;
    // The first line of an example says where it goes.
    let lines = example.lines().skip(1).flat_map(|line| {
        is_in_use |= line.contains("OWNER/");
        adapted(&with_names(line, environments), is_in_use, wish, tools)
    });
    (Utf8Path::new(path).to_owned(), lines.map(|line| line + "\n").collect())
}

/// A line of an example with the environments that there are in place of its own, where people choose one.
fn with_names(line: &str, environments: &[String]) -> String {
    let names = environments.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
    let first = environments.first().map(|name| quoted(name)).unwrap_or_default();
    match line.trim_start() {
        "default: dev" => line.replace("dev", &first),
        text if text.starts_with("options: [dev, prod]") => line.replace("dev, prod", &names),
        _ => line.to_owned(),
    }
}

/// A line of an example, as one or several lines, or none. `is_in_use` from the line on that uses hydrator.
fn adapted(line: &str, is_in_use: bool, wish: Wish<'_>, tools: Tools) -> Vec<String> {
    let text = line.trim_start();
    let indent = &line[..line.len() - text.len()];
    let is_elsewhere = wish.config != CONFIGURATION;
    let config = format!("config: {}", quoted(wish.config.as_str()));
    if text == "branches: [main]" {
        return vec![format!("{indent}branches: [{}]", quoted(wish.branch))];
    }
    // Runners of GitHub have both programs; the template's image has neither.
    for (input, is_needed) in [("kustomize-version:", tools.kustomize), ("helm-version:", tools.helm)] {
        let text = text.trim_start_matches("# ");
        if text.starts_with(input) {
            return if is_needed { vec![format!("{indent}{text}")] } else { Vec::new() };
        }
    }
    let mut lines = Vec::new();
    if text.contains("OWNER/") {
        lines.push(format!("{indent}# Replace OWNER: whose hydrator you use."));
    }
    lines.push(line.to_owned());
    if is_elsewhere && text.starts_with("- uses: OWNER/") {
        lines.extend([format!("{indent}  with:"), format!("{indent}    {config}")]);
    }
    if is_elsewhere && is_in_use && text == "inputs:" {
        lines.push(format!("{indent}  {config}"));
    }
    lines
}
