//! `targets[]`: patterns to the targets of each environment. Reads the DRY tree.

use std::collections::{BTreeMap, HashMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};

use super::super::node::Node;
use super::super::pattern::{Match, Pattern};
use super::super::placeholders::Bindings;
use super::super::problem::Findings;
use super::super::raw::{RawConfig, RawTarget};
use super::super::structure::{Damage, shown};
use super::super::tree::{Found, TreeReader};
use super::draft::Draft;
use super::options;
use super::order::unknown_environment;
use super::outputs;
use super::paths::{glob_pattern, matches_or_holds};
use super::unit::{Options, Unit, expand};
use crate::model::Target;

/// Names of directories that say nothing about what is in them.
const GENERIC: &[&str] = &["overlays", "overlay", "environments", "environment", "envs", "env"];

/// Each pair is a look into the tree: more take longer than anybody waits.
const MOST_PATTERNS: usize = 500_000;

/// What resolving targets needs.
pub(super) struct Resolver<'a, 'f> {
    pub(super) raw: &'a RawConfig,
    pub(super) node: &'a Node,
    pub(super) tree: &'a TreeReader<'a>,
    pub(super) damage: &'a Damage,
    pub(super) findings: &'f mut Findings,
}

/// One `targets[]` entry in one environment.
struct Entry<'a, 'v> {
    raw: &'a RawTarget,
    node: &'a Node,
    environment: &'a str,
    vars: &'v BTreeMap<String, String>,
    options: Options<'a>,
}

/// What one `targets[]` entry did in all environments.
#[derive(Default)]
struct Tally {
    outcome: Outcome,
    /// Which environment took a directory, to see when two do.
    owners: HashMap<Utf8PathBuf, String>,
}

/// How far an entry got: the furthest of all environments counts.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// It is for none of the environments so far.
    #[default]
    NotAsked,
    Nothing,
    AllExcluded,
    Matched,
    /// There was a problem, which has been said.
    Broken,
}

impl Tally {
    fn reaches(&mut self, outcome: Outcome) {
        self.outcome = self.outcome.max(outcome);
    }
}

impl<'a> Resolver<'a, '_> {
    /// Fills in the targets of all environments.
    pub(super) fn resolve(mut self, drafts: &mut [Draft<'a>]) -> anyhow::Result<()> {
        let shared = self.raw.targets.as_deref().unwrap_or_default();
        let list = self.node.at("targets");
        if shared.len().saturating_mul(drafts.len()) > MOST_PATTERNS {
            let message =
                format!("more than {MOST_PATTERNS} pairs of an environment and an entry of `targets`");
            self.findings.problem_with_hint(list, message, "use patterns that match many directories");
            return Ok(());
        }
        let known: HashSet<&str> = drafts.iter().map(Draft::name).collect();
        for (index, target) in shared.iter().enumerate() {
            self.check_environment_names(target, list.item(index), &known, drafts);
        }
        let mut tallies: Vec<Tally> = shared.iter().map(|_| Tally::default()).collect();
        for draft in drafts.iter_mut() {
            let mut found = Vec::new();
            for ((index, target), tally) in shared.iter().enumerate().zip(&mut tallies) {
                self.entry(draft, target, list.item(index), (tally, &mut found))?;
            }
            let mut any_broken = tallies.iter().any(|tally| tally.outcome == Outcome::Broken);
            let own = draft.raw.targets.as_deref().unwrap_or_default();
            let own_list = draft.node.at("targets");
            for (index, target) in own.iter().enumerate() {
                let mut tally = Tally::default();
                self.entry(draft, target, own_list.item(index), (&mut tally, &mut found))?;
                self.check_tally(target, own_list.item(index), &tally);
                any_broken |= tally.outcome != Outcome::Matched;
            }
            self.finish(draft, found, any_broken);
        }
        for ((index, target), tally) in shared.iter().enumerate().zip(&tallies) {
            self.check_tally(target, list.item(index), tally);
        }
        Ok(())
    }

    fn finish(&mut self, draft: &mut Draft<'a>, mut found: Vec<(Target, &'a Node)>, any_broken: bool) {
        if found.is_empty() && !self.damage.any_target && !any_broken {
            let message = format!("environment `{}` has no targets", draft.name());
            let hint = "no pattern of `targets` matches a directory for it";
            self.findings.problem_with_hint(draft.node.at("name"), message, hint);
        }
        outputs::check(draft.name(), &found, self.findings);
        found.sort_by(|(one, _), (other, _)| one.output.cmp(&other.output));
        draft.targets = found.into_iter().map(|(target, _)| target).collect();
    }

    fn check_environment_names(
        &mut self,
        raw: &RawTarget,
        node: &Node,
        known: &HashSet<&str>,
        drafts: &[Draft<'_>],
    ) {
        if self.damage.environments {
            return;
        }
        let wanted = raw.environments.as_deref().unwrap_or_default();
        for (index, name) in wanted.iter().enumerate().filter(|(_, name)| !known.contains(name.as_str())) {
            if self.findings.is_full() {
                return;
            }
            unknown_environment(name, drafts, node.at("environments").item(index), self.findings);
        }
        for name in raw.overrides.iter().flat_map(BTreeMap::keys) {
            if self.findings.is_full() {
                return;
            }
            let key = node.at("overrides").key(name);
            if !known.contains(name.as_str()) {
                unknown_environment(name, drafts, key, self.findings);
            } else if raw.environments.is_some() && !wanted.contains(name) {
                self.findings.problem(key, format!("`{name}` is not among the target's `environments`"));
            }
        }
    }

    fn check_tally(&mut self, raw: &RawTarget, node: &Node, tally: &Tally) {
        let missing = matches!(tally.outcome, Outcome::Nothing | Outcome::AllExcluded);
        if !missing || self.damage.in_target(node) {
            return;
        }
        let path = shown(raw.path.as_deref().unwrap_or_default());
        let message = if tally.outcome == Outcome::AllExcluded {
            format!("everything that `{path}` matches is excluded")
        } else if path.contains('{') {
            format!("`{path}` matches no directory in any environment")
        } else {
            format!("there is no directory `{path}`")
        };
        self.findings.problem(node.at("path"), message);
    }

    fn entry(
        &mut self,
        draft: &Draft<'a>,
        raw: &'a RawTarget,
        node: &'a Node,
        (tally, found): (&mut Tally, &mut Vec<(Target, &'a Node)>),
    ) -> anyhow::Result<()> {
        if raw.environments.as_ref().is_some_and(|names| !names.iter().any(|name| name == draft.name())) {
            return Ok(());
        }
        tally.reaches(Outcome::Nothing);
        let options = Options::of(raw, node, draft.name(), self.raw.allow_remote);
        let entry = Entry { raw, node, environment: &draft.raw.name, vars: &draft.vars, options };
        for at in self.matches(&entry, tally)? {
            let Some(source) = self.source(&entry, &at, tally) else { continue };
            tally.reaches(Outcome::Matched);
            if let Some(target) = self.target(&entry, &at, &source)? {
                found.push((target, node));
            } else {
                tally.reaches(Outcome::Broken);
            }
        }
        Ok(())
    }

    /// The places that the entry's path matches, those that are excluded left out.
    fn matches(&mut self, entry: &Entry<'a, '_>, tally: &mut Tally) -> anyhow::Result<Vec<Match>> {
        let Some(path) = &entry.raw.path else {
            if entry.options.has_chart() {
                return Ok(vec![Match { found: Found::Directory(Utf8PathBuf::new()), ..Match::default() }]);
            }
            tally.reaches(Outcome::Broken);
            if self.damage.in_target(entry.node) {
                return Ok(Vec::new());
            }
            self.findings.problem(
                entry.node,
                "the key `path` is missing: only a `helm` chart from a repository needs none",
            );
            return Ok(Vec::new());
        };
        let captures = BTreeMap::new();
        let pattern = match Pattern::bind(path, entry.bindings(&captures)) {
            Ok(pattern) => pattern,
            Err(reason) => {
                self.findings.problem(entry.node.at("path"), reason);
                tally.reaches(Outcome::Broken);
                return Ok(Vec::new());
            }
        };
        let excludes = self.excludes(entry, tally);
        let mut matches = pattern.matches(self.tree)?;
        let count = matches.len();
        matches.retain(|at| !excludes.iter().any(|exclude| matches_or_holds(exclude, &at.path)));
        if matches.len() < count {
            tally.reaches(Outcome::AllExcluded);
        }
        Ok(matches)
    }

    fn excludes(&mut self, entry: &Entry<'a, '_>, tally: &mut Tally) -> Vec<glob::Pattern> {
        let captures = BTreeMap::new();
        let bindings = entry.bindings(&captures);
        let mut patterns = Vec::new();
        for (index, text) in entry.raw.exclude.iter().flatten().enumerate() {
            let node = entry.node.at("exclude").item(index);
            let Some(text) = expand(text, bindings, node, self.findings) else {
                tally.reaches(Outcome::Broken);
                continue;
            };
            match glob_pattern(text.trim_end_matches('/')) {
                Ok(pattern) => patterns.push(pattern),
                Err(reason) => self.findings.problem(node, reason),
            }
        }
        patterns
    }

    /// The source directory of a match; a problem if it is none.
    fn source(&mut self, entry: &Entry<'a, '_>, at: &Match, tally: &mut Tally) -> Option<Utf8PathBuf> {
        let path = shown(at.path.as_str());
        let reason = match &at.found {
            Found::Directory(source) => {
                self.check_owner(entry, source, tally);
                return Some(source.clone());
            }
            Found::Missing => return None,
            Found::File => format!("`{path}` is a file, not a directory"),
            Found::Submodule => format!("`{path}` is a submodule, whose content is not in the repository"),
            Found::Outside => format!("`{path}` is a link that leads out of the repository or in a circle"),
        };
        tally.reaches(Outcome::Broken);
        self.findings.problem(entry.node.at("path"), reason);
        None
    }

    /// With environments `dev` and `dev-eu`, `{environment}-{cluster}` gives `dev-eu-1` to both.
    fn check_owner(&mut self, entry: &Entry<'a, '_>, source: &Utf8Path, tally: &mut Tally) {
        let path = entry.raw.path.as_deref().unwrap_or_default();
        if !path.contains("{environment}") {
            return;
        }
        match tally.owners.get(source) {
            Some(owner) if owner != entry.environment => {
                let message = format!(
                    "`{}` belongs to environment `{owner}` and to `{}`",
                    shown(source.as_str()),
                    entry.environment
                );
                let hint = "one name begins with the other; use `exclude`, or one path per environment";
                self.findings.warning(entry.node.at("path"), message, hint);
            }
            Some(_) => {}
            None => {
                tally.owners.insert(source.to_owned(), entry.environment.to_owned());
            }
        }
    }

    fn target(
        &mut self,
        entry: &Entry<'a, '_>,
        at: &Match,
        source: &Utf8Path,
    ) -> anyhow::Result<Option<Target>> {
        let bindings = entry.bindings(&at.captures);
        let Some(name) = self.name(entry, at, bindings) else { return Ok(None) };
        let output = match &entry.raw.output {
            Some(output) => expand(output, bindings, entry.node.at("output"), self.findings),
            None => Some(name.clone()),
        };
        let Some(output) = output else { return Ok(None) };
        if let Some(reason) = outputs::wrong(&output) {
            let node = entry.node.get("output").unwrap_or(entry.node.at("name"));
            self.findings.problem(node, reason);
            return Ok(None);
        }
        let unit = Unit { name: &name, source, bindings, options: &entry.options };
        let renderer = options::renderer(&unit, self.tree, self.findings)?;
        let environment_variables = entry.options.environment_variables(self.findings);
        Ok(renderer.map(|renderer| Target {
            name,
            source: source.to_owned(),
            output: output.into(),
            renderer,
            allow_empty: entry.options.merged.allow_empty.unwrap_or(false),
            environment_variables,
        }))
    }

    fn name(&mut self, entry: &Entry<'a, '_>, at: &Match, bindings: Bindings<'_>) -> Option<String> {
        const LONGEST: usize = 200;
        let name = match &entry.raw.name {
            Some(name) => expand(name, bindings, entry.node.at("name"), self.findings)?,
            None => default_name(entry.raw, at, entry.options.chart()),
        };
        let blank = name.trim() != name || name.is_empty();
        if blank || name.len() > LONGEST || name.contains(char::is_control) {
            let message = format!("`{}` is not a name of a target", shown(&name));
            let hint = format!(
                "at most {LONGEST} characters, without control characters or blanks at the ends; give `name:`"
            );
            self.findings.problem_with_hint(entry.node.at("name"), message, hint);
            return None;
        }
        Some(name)
    }
}

impl Entry<'_, '_> {
    fn bindings<'s>(&'s self, captures: &'s BTreeMap<String, String>) -> Bindings<'s> {
        Bindings { environment: self.environment, vars: self.vars, captures }
    }
}

/// What the path captured, in its order; else its last component that says something and is not the environment's.
fn default_name(raw: &RawTarget, at: &Match, chart: Option<&str>) -> String {
    let pattern = raw.path.as_deref().unwrap_or_default();
    if !at.captures.is_empty() {
        let mut captured: Vec<(usize, &str)> = at
            .captures
            .iter()
            .map(|(word, value)| (pattern.find(&format!("{{{word}}}")).unwrap_or(usize::MAX), value.as_str()))
            .collect();
        captured.sort_unstable();
        return captured.into_iter().map(|(_, value)| value).collect::<Vec<_>>().join("-");
    }
    let written = pattern.trim_end_matches('/').split('/').zip(at.path.components());
    let own: Vec<&str> = written
        .filter(|(part, _)| !part.contains("{environment}"))
        .map(|(_, component)| component.as_str())
        .collect();
    let telling = own.iter().rev().find(|part| !GENERIC.contains(*part)).or(own.last());
    telling.copied().or(chart).unwrap_or_default().to_owned()
}
