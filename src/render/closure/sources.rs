//! What targets read by their own options, for each renderer. Reads the tree.

use anyhow::Result;
use camino::{Utf8Path, Utf8PathBuf};
use glob::Pattern;

use super::edge::EdgeKind;
use super::node::{Builder, Key, Site};
use super::{Input, shown};
use crate::error::Failure;
use crate::model::{
    ChartSource, CommandOptions, DryTree as _, EntryKind, HelmOptions, PlainOptions, Renderer, Target,
    ValueFile,
};
use crate::render::chart::{Chart, Missing, Pull};
use crate::render::command::AS_IN_A_SHELL;
use crate::render::paths;
use crate::render::version::Version;

const EMPTY: &str = "";

impl Builder<'_, '_> {
    /// What `target` reads first.
    pub(super) fn target(&mut self, target: &Target) -> Result<()> {
        let source = &target.source;
        match &target.renderer {
            Renderer::Kustomize(_) => {
                if let Some(found) = self.look(source)? {
                    self.follow(Key::Kustomization(found.path));
                }
                Ok(())
            }
            Renderer::Helm(options) => self.helm(source, options),
            Renderer::Template(options) => {
                self.whole_directory(source)?;
                self.value_files(&options.value_files)
            }
            Renderer::Plain(options) => self.plain(source, options),
            Renderer::Command(options) => self.command(source, options),
        }
    }

    fn whole_directory(&mut self, directory: &Utf8Path) -> Result<()> {
        if let Some(found) = self.look(directory)?
            && found.is_directory()
        {
            self.follow(Key::Directory(found.path));
        }
        Ok(())
    }

    /// A directory of which every file counts, with what the links in it lead to.
    pub(super) fn directory(&mut self, directory: &Utf8Path) -> Result<()> {
        if !self.tree.wants(EdgeKind::Directory) {
            return Ok(());
        }
        let input = match self.tree.files.entry(directory)? {
            Some(entry) => Input::Tree(entry.id),
            None if directory.as_str().is_empty() => Input::Tree(self.tree.root_id()?),
            None => Input::Absent,
        };
        self.add(directory, input);
        self.links_below(directory)
    }

    fn links_below(&mut self, directory: &Utf8Path) -> Result<()> {
        if paths::check_length(directory).is_err() || !self.tree.wants(EdgeKind::LinkInDirectory) {
            return Ok(());
        }
        let Some(entries) = self.tree.files.entries(directory)? else { return Ok(()) };
        for entry in entries.iter() {
            let path = paths::child(directory, &entry.name);
            match entry.kind {
                EntryKind::Directory => self.links_below(&path)?,
                EntryKind::Link => {
                    // A link that leads out of the tree is an error when it is exported, and its text is in the tree.
                    if let Some(found) = self.look_if_path(&path)?
                        && found.is_directory()
                    {
                        self.follow(Key::Directory(found.path));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn value_files(&mut self, files: &[ValueFile]) -> Result<()> {
        if self.tree.wants(EdgeKind::ValueFile) {
            for file in files {
                self.look(&file.path)?;
            }
        }
        Ok(())
    }

    fn plain(&mut self, source: &Utf8Path, options: &PlainOptions) -> Result<()> {
        if options.recurse {
            return self.whole_directory(source);
        }
        let Some(found) = self.look(source)? else { return Ok(()) };
        if !self.tree.wants(EdgeKind::Directory) {
            return Ok(());
        }
        let Some(entries) = self.tree.files.entries(&found.path)? else { return Ok(()) };
        for entry in entries.iter().filter(|entry| entry.kind != EntryKind::Directory) {
            let path = paths::child(&found.path, &entry.name);
            if entry.kind == EntryKind::Link {
                self.look_if_path(&path)?;
            } else {
                self.add(&path, Input::new(entry.kind, entry.id));
            }
        }
        Ok(())
    }

    fn helm(&mut self, source: &Utf8Path, options: &HelmOptions) -> Result<()> {
        self.value_files(&options.value_files)?;
        match &options.chart {
            ChartSource::Repository { url, chart, version } => {
                let pull = Pull { url: url.clone(), chart: chart.clone(), version: version.clone() };
                self.pull(Utf8Path::new(EMPTY), &pull);
                Ok(())
            }
            ChartSource::Directory => {
                if let Some(found) = self.look(source)? {
                    self.follow(Key::Chart(found.path));
                }
                Ok(())
            }
        }
    }

    /// A chart of the tree: its directory, and the charts of the tree that it depends on.
    pub(super) fn helm_chart(&mut self, directory: &Utf8Path) -> Result<()> {
        self.whole_directory(directory)?;
        match Chart::load(&self.tree.files, directory) {
            Ok(chart) => self.chart_dependencies(&chart),
            // Whatever is wrong with the chart is said when it is rendered.
            Err(error) => {
                let failure = error.downcast::<Failure>()?;
                self.unknown.push(format!("the chart in `{}`: {failure}", shown(directory)));
                Ok(())
            }
        }
    }

    fn chart_dependencies(&mut self, chart: &Chart) -> Result<()> {
        for missing in &chart.missing {
            match missing {
                Missing::Local(local) => {
                    if self.tree.wants(EdgeKind::ChartDependency) {
                        self.whole_directory(&local.path)?;
                    }
                    self.chart_dependencies(local)?;
                }
                Missing::Remote(pull) => self.pull(&paths::child(&chart.path, "Chart.yaml"), pull),
            }
        }
        Ok(())
    }

    /// An exact version of a chart counts as pinned: that is what versions of charts are for, what `Chart.lock` rests
    /// on, and all that can be known without asking the repository on every run.
    fn pull(&mut self, file: &Utf8Path, pull: &Pull) {
        let site = Site { root: Utf8Path::new(EMPTY), file, field: "repository" };
        let spec = format!("chart {} {} from {}", pull.chart, pull.version, pull.url);
        self.fetch(site, &spec, Version::parse(&pull.version).is_some());
    }

    fn command(&mut self, source: &Utf8Path, options: &CommandOptions) -> Result<()> {
        self.look(source)?;
        if options.inputs.is_empty() {
            self.unknown.push("what the command reads: it declares no `inputs`".to_owned());
            return Ok(());
        }
        if !self.tree.wants(EdgeKind::CommandInput) {
            return Ok(());
        }
        // A program of the tree is read by whoever starts it.
        let program =
            options.argv.first().filter(|program| program.contains('/') && !program.starts_with('/'));
        if let Some(path) = program.and_then(|program| paths::join_relative(source, program)) {
            self.look(&path)?;
        }
        for input in &options.inputs {
            self.command_input(source, input)?;
        }
        Ok(())
    }

    /// A file, a directory, or a pattern of files.
    fn command_input(&mut self, source: &Utf8Path, input: &str) -> Result<()> {
        let Some(path) = paths::join(source, input) else {
            let message = format!("`inputs`: `{input}` is outside of the repository");
            self.problems.push(Failure::config(message));
            return Ok(());
        };
        let pattern = match Pattern::new(path.as_str()) {
            Ok(pattern) => pattern,
            Err(error) => {
                let message = format!("`inputs`: `{input}` is not a pattern: {error}");
                self.problems.push(Failure::config(message));
                return Ok(());
            }
        };
        self.whole_directory(&path)?;
        if !input.contains(['*', '?', '[']) {
            return Ok(());
        }
        let literal = path.as_str().split('/').take_while(|part| !part.contains(['*', '?', '[']));
        let start: Utf8PathBuf = literal.collect();
        if let Some(found) = self.look(&start)? {
            self.matching(&start, &found.path, &pattern)?;
        }
        Ok(())
    }

    /// The files below `real`, which is seen as `seen_as`, that match.
    fn matching(&mut self, seen_as: &Utf8Path, real: &Utf8Path, pattern: &Pattern) -> Result<()> {
        let Some(entries) = self.tree.files.entries(real)? else { return Ok(()) };
        if paths::check_length(real).is_err() {
            return Ok(());
        }
        for entry in entries.iter() {
            let seen_as = paths::child(seen_as, &entry.name);
            let path = paths::child(real, &entry.name);
            let is_match = pattern.matches_with(seen_as.as_str(), AS_IN_A_SHELL);
            match entry.kind {
                EntryKind::Directory => self.matching(&seen_as, &path, pattern)?,
                EntryKind::Link if is_match => self.whole_directory(&path)?,
                _ if is_match => self.add(&path, Input::new(entry.kind, entry.id)),
                _ => {}
            }
        }
        Ok(())
    }
}
