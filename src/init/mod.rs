//! `hydrator init`: a first configuration and a first workflow, from what a repository holds.
//!
//! Reads the tree and returns texts; what is proposed is read as any configuration is. Nothing is written here.

mod applications;
mod charts;
mod deployments;
mod entries;
mod kind;
mod kustomizations;
mod left;
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
mod workflow;

use std::collections::BTreeSet;

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};

pub use steps::steps;

use crate::config::Loaded;
use crate::error::Failure;
use crate::model::DryTree;
use kind::Kind;
use left::Why;
use survey::Survey;
use workflow::Tools;

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
    /// How many paths are left to people; the end of the configuration says why.
    pub left: usize,
}

impl Proposal {
    /// What the configuration means once it stands at `path` of the tree. The error is the one that `check` would end with.
    pub fn load(&self, tree: &dyn DryTree, path: &Utf8Path) -> Result<Loaded> {
        proposed::load(tree, path, &self.configuration)
    }
}

/// What a proposal is for.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Where pull requests will live, where that is known.
    pub home: Option<Home>,
    /// The branch that people edit.
    pub branch: &'a str,
    /// The configuration's path.
    pub config: &'a Utf8Path,
}

/// Looks at a repository and proposes.
pub fn propose(tree: &dyn DryTree, wish: Wish<'_>) -> Result<Proposal> {
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
    let names: Vec<String> = environments.iter().map(|(name, _)| stages::legal(name)).collect();
    let tools = Tools::of(&survey);
    Ok(Proposal {
        configuration: text::configuration(&parts),
        workflow: wish.home.map(|home| workflow::workflow(home, wish, tools, &names)),
        left: left.len(),
        environments: names,
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
    let reasons = left.iter().map(|(why, what)| format!("\n  {}: {}", why.words(), what.escape_debug()));
    let reasons: String = reasons.collect();
    let message = "nothing here can be rendered: no kustomization, no chart, no template, no manifests";
    Failure::usage(message.to_owned() + &reasons)
        .hint("run it in the repository that holds them, or write `hydrator.yaml` by hand: see the README")
}
