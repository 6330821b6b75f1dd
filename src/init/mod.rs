//! `hydrator init`: a first configuration and a first workflow, from what a repository holds.
//!
//! Reads the tree and returns texts; what is proposed is read as any configuration is. Nothing is written here.

mod applications;
mod charts;
mod deployments;
mod entries;
mod kustomizations;
mod manifests;
mod patterns;
mod proposed;
mod reading;
mod stages;
mod steps;
mod survey;
mod text;
mod values;
mod varying;

use std::collections::BTreeSet;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

pub use steps::steps;

use crate::error::Failure;
use crate::model::DryTree;
use survey::{Kind, Survey, Why};

/// The workflow for GitHub, as it stands in the examples.
const GITHUB: &str = include_str!("../../examples/github/run.yml");
/// The pipeline for GitLab, as it stands in the examples.
const GITLAB: &str = include_str!("../../examples/gitlab/.gitlab-ci.yml");

/// Where pull requests will live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// GitHub or GitHub Enterprise Server.
    GitHub,
    /// GitLab.
    GitLab,
}

/// Files to write, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The configuration.
    pub configuration: String,
    /// The workflow: its path and its text; none where the forge is not known.
    pub workflow: Option<(Utf8PathBuf, String)>,
    /// The environments, in order.
    pub environments: Vec<String>,
}

impl Proposal {
    /// Reads the configuration as if it stood at `path` of the tree already, and returns its warnings. The error is the one
    /// that `check` would end with.
    pub fn check(&self, tree: &dyn DryTree, path: &Utf8Path) -> Result<Vec<String>> {
        let loaded = proposed::load(tree, path, &self.configuration)?;
        Ok(loaded.warnings.iter().map(ToString::to_string).collect())
    }
}

/// Looks at a repository and proposes. `branch` is the one that people edit.
pub fn propose(tree: &dyn DryTree, home: Option<Home>, branch: &str) -> Result<Proposal> {
    let survey = survey::survey(tree)?;
    let sorted = patterns::sort(&survey.units);
    let (charts, of_charts) = charts::entries(&survey, &sorted.environments);
    let mut names = &sorted.environments | &of_charts;
    let templates = sorted.left.iter().flat_map(|(path, kind)| of_templates(&survey, path, *kind, &names));
    let templates: BTreeSet<String> = templates.collect();
    names.extend(templates);
    let is_guess = names.is_empty();
    let mut left = survey.left.clone();
    let mut entries = patterns::patterns(&sorted, &survey.reading.directories, &names);
    for (path, kind) in &sorted.left {
        let only = of_templates(&survey, path, *kind, &names);
        if is_guess || !only.is_empty() {
            entries.push(patterns::literal(path, *kind, only));
        } else {
            left.push((Why::Nowhere, manifests::shown(path)));
        }
    }
    entries.extend(charts);
    if entries.is_empty() {
        return Err(nothing(&left).into());
    }
    if is_guess {
        names.insert("production".to_owned());
    }
    entries::name_apart(&mut entries);
    let environments = stages::ordered(names);
    let parts = text::Parts { environments: &environments, entries: &entries, left: &left, is_guess };
    Ok(Proposal {
        configuration: text::configuration(&parts),
        workflow: home.map(|home| workflow(home, branch)),
        environments: environments.into_iter().map(|(name, _)| stages::legal(&name)).collect(),
    })
}

/// The environments that a directory of templates has value files for.
fn of_templates(
    survey: &Survey<'_>,
    path: &Utf8Path,
    kind: Kind,
    known: &BTreeSet<String>,
) -> BTreeSet<String> {
    let named = |file: &Utf8PathBuf| {
        let name = file.file_name()?.strip_prefix("values-")?.strip_suffix(".yaml")?;
        let is_one = known.contains(name) || stages::step(name).is_some();
        (is_one && reading::directory_of(file) == path).then(|| name.to_owned())
    };
    let is_template = kind == Kind::Template;
    survey.reading.files.iter().filter(|_| is_template).filter_map(named).collect()
}

fn nothing(left: &[(Why, String)]) -> Failure {
    let mut message =
        "nothing here can be rendered: no kustomization, no chart, no template, no manifests".to_owned();
    for (why, what) in left {
        message += &format!("\n  {}: {}", why.words(), what.escape_debug());
    }
    Failure::usage(message)
        .hint("run it in the repository that holds them, or write `hydrator.yaml` by hand: see the README")
}

fn workflow(home: Home, branch: &str) -> (Utf8PathBuf, String) {
    match home {
        Home::GitHub => {
            let path = Utf8Path::new(".github/workflows/hydrator.yml").to_owned();
            (path, adapted(GITHUB).replace("branches: [main]", &format!("branches: [{branch}]")))
        }
        Home::GitLab => (Utf8Path::new(".gitlab-ci.yml").to_owned(), adapted(GITLAB)),
    }
}

/// An example without its first line, which says where it goes, and with a comment where people have to put a name.
fn adapted(example: &str) -> String {
    let mut text = String::new();
    for line in example.lines().skip(1) {
        if line.contains("OWNER/") {
            let indent = &line[..line.len() - line.trim_start().len()];
            text += indent;
            text += "# Replace OWNER: whose hydrator you use.\n";
        }
        text += line;
        text.push('\n');
    }
    text
}
