//! `hydrator init`: a first configuration and a first workflow, from what a repository holds.
//!
//! Reads the tree and returns texts; what is proposed is read as any configuration is. Nothing is written here.

mod charts;
mod patterns;
mod proposed;
mod stages;
mod steps;
mod survey;
mod text;

use std::collections::BTreeSet;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

pub use steps::steps;

use crate::error::Failure;
use crate::model::DryTree;

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
    let (patterns, mut left) = patterns::patterns(&survey);
    let mut names: BTreeSet<String> =
        patterns.iter().flat_map(|pattern| pattern.environments.iter().cloned()).collect();
    let found = charts::targets(&survey, &names);
    names.extend(found.iter().flat_map(|target| target.environments.iter().cloned()));
    let is_guess = names.is_empty();
    if is_guess {
        names.insert("production".to_owned());
    }
    let mut patterns = patterns;
    if is_guess && found.is_empty() {
        patterns = patterns::without_environments(&survey, "production");
        left.clear();
    }
    if patterns.is_empty() && found.is_empty() {
        return Err(Failure::usage("nothing here can be rendered: no kustomization, no chart, no template, no manifests")
            .hint("run it at the root of the repository that holds them, or write `hydrator.yaml` by hand: see the README")
            .into());
    }
    let environments = stages::ordered(names);
    let parts = text::Parts {
        environments: &environments,
        patterns: &patterns,
        charts: &found,
        left: &left,
        empty: &survey.empty,
        is_guess,
    };
    Ok(Proposal {
        configuration: text::configuration(&parts),
        workflow: home.map(|home| workflow(home, branch)),
        environments: environments.into_iter().map(|(name, _)| name).collect(),
    })
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
