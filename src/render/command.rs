//! The command renderer: any program, without a shell; its stdout is the stream. I/O.

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use glob::MatchOptions;

use super::closure::Closures;
use super::job::{Call, Origin, Output, Scratch, Stream, shell_line};
use super::kustomize::exported;
use super::talk::Replacements;
use super::{RenderJob, Renderers, export};
use crate::error::Failure;
use crate::model::CommandOptions;

/// How globs of inputs match.
pub(crate) const AS_IN_A_SHELL: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

impl Renderers<'_> {
    pub(crate) fn command(
        &self,
        job: &RenderJob<'_>,
        options: &CommandOptions,
        scratch: &Scratch,
    ) -> anyhow::Result<Output> {
        let closure = Closures::new(self.setup.tree).closure(job.target)?;
        if let Some(problem) = closure.problems.first() {
            bail!(problem.clone());
        }
        export::export(self.setup.tree, &exported(job, &closure), &scratch.tree())?;
        let directory = scratch.tree().join(&job.target.source);
        export::create_directory(&directory)?;
        let Some((name, arguments)) = options.argv.split_first() else {
            bail!(Failure::config("`command` is empty"));
        };
        let shown = shell_line(options.argv.iter().map(String::as_str));
        let said = self.call(
            job,
            Call {
                program: self.command_program(name, &directory)?,
                arguments: arguments.to_vec(),
                directory,
                shown: shown.clone(),
                is_remote: false,
                is_go: false,
                scratch,
                replacements: Replacements::default(),
                reads: vec![scratch.tree()],
            },
        )?;
        Ok(Output {
            streams: vec![Stream { origin: Origin::Program, bytes: said.stdout }],
            warnings: said.warnings,
            commands: vec![shown],
            version: None,
        })
    }

    /// A name is looked for on the path; anything with a `/` is relative to the source.
    fn command_program(&self, name: &str, directory: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
        if name.contains('/') {
            return Ok(directory.join(name));
        }
        self.setup.toolbox.find(name).with_context(|| {
            Failure::render(format!("the program `{name}` is not on the path"))
                .hint("install it before hydrator runs")
        })
    }
}
