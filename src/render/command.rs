//! The command renderer: any program, without a shell; its stdout is the stream. I/O.

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};
use glob::{MatchOptions, Pattern};

use super::job::{Call, Origin, Output, Scratch, Stream, shell_line};
use super::talk::Replacements;
use super::{RenderJob, Renderers, export, paths};
use crate::error::Failure;
use crate::model::{CommandOptions, Target};

const AS_IN_A_SHELL: MatchOptions = MatchOptions {
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
        let inputs = match job.inputs {
            Some(inputs) => inputs.to_vec(),
            None => self.command_inputs(job.target, options)?,
        };
        export::export(self.setup.tree, &inputs, &scratch.tree())?;
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

    /// The files that match the inputs; without inputs, everything.
    fn command_inputs(&self, target: &Target, options: &CommandOptions) -> anyhow::Result<Vec<Utf8PathBuf>> {
        if options.inputs.is_empty() {
            return Ok(vec![Utf8PathBuf::new()]);
        }
        let mut patterns = Vec::new();
        for input in &options.inputs {
            let Some(path) = paths::join(&target.source, input) else {
                bail!(Failure::config(format!("`inputs`: `{input}` is outside of the repository")));
            };
            let pattern = Pattern::new(path.as_str())
                .map_err(|error| Failure::config(format!("`inputs`: `{input}` is not a pattern: {error}")))?;
            patterns.push((pattern, path));
        }
        let mut found: Vec<Utf8PathBuf> =
            self.setup.tree.walk(Utf8Path::new(""))?.into_iter().map(|(path, _)| path).collect();
        found.retain(|path| {
            patterns.iter().any(|(pattern, prefix)| {
                path.starts_with(prefix) || pattern.matches_with(path.as_str(), AS_IN_A_SHELL)
            })
        });
        Ok(found)
    }
}
