//! Validators: programs that look at what a target renders to, and refuse it. I/O.
//!
//! Each gets a directory with one file for each manifest, named after it, so that what it says names the manifest.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context as _, bail};

use super::exec::{self, End, Invocation, Limits};
use super::export::create_directory;
use super::job::{Scratch, shell_line};
use super::refusal::{self, Refusal};
use super::talk::{self, Replacements};
use super::{RenderJob, Renderers};
use crate::compare::{hidden_values, values_of_secrets};
use crate::error::{Failure, FailureKind};
use crate::hydrate::layout;
use crate::model::{Layout, Manifest};

/// The directory that validators get, as the last argument.
const DIRECTORY: &str = "manifests";

impl Renderers<'_> {
    /// Lets every validator look at the manifests of a job.
    pub(super) fn validate(
        &self,
        job: &RenderJob<'_>,
        manifests: &[Manifest],
    ) -> anyhow::Result<Option<Refusal>> {
        if self.validators.is_empty() || manifests.is_empty() {
            return Ok(None);
        }
        let scratch = self.new_scratch("validate")?;
        let directory = scratch.tree().join(DIRECTORY);
        create_directory(&directory)?;
        for (name, bytes) in layout::files(Layout::Split, manifests) {
            let path = directory.join(name);
            fs::write(&path, bytes).with_context(|| format!("cannot write `{path}`"))?;
        }
        let mut replacements = Replacements::default();
        replacements.hide(self.secrets_of(manifests).iter().map(String::as_str));
        replacements.add(format!("{}/", scratch.tree()), "");
        replacements.add(scratch.path(""), "");
        let names = layout::names(manifests);
        let (mut failures, mut complaints) = (Vec::new(), Vec::new());
        for command in self.validators {
            if let Some((failure, lines)) = self.judged(command, &scratch, &replacements)? {
                failures.push(failure);
                complaints.extend(refusal::complaints(&names, &lines));
            }
        }
        if failures.is_empty() {
            return Ok(None);
        }
        let name = &job.target.name;
        let failure = Failure::render(failures.join("\n")).hint(format!(
            "mend what it names in the source of `{name}`; `validate` in the configuration says what is run"
        ));
        Ok(Some(Refusal { failure, complaints }))
    }

    /// The values that a preview would not show, of the manifests and of the items of lists.
    fn secrets_of(&self, manifests: &[Manifest]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for manifest in manifests {
            let own = (&manifest.id, &manifest.text);
            let parts = manifest.parts.iter().map(|part| (&part.id, &part.text));
            for (id, text) in std::iter::once(own).chain(parts) {
                found.extend(hidden_values(id, &String::from_utf8_lossy(text), self.secrets));
            }
            if manifest.parts.iter().any(|part| part.id.kind == "Secret") {
                found.extend(values_of_secrets(&String::from_utf8_lossy(&manifest.text)).unwrap_or_default());
            }
        }
        found
    }

    /// What one validator has against what lies in the scratch directory, and every line of that.
    fn judged(
        &self,
        command: &[String],
        scratch: &Scratch,
        replacements: &Replacements,
    ) -> anyhow::Result<Option<(String, Vec<String>)>> {
        let Some((name, arguments)) = command.split_first() else { return Ok(None) };
        let program = if name.starts_with('/') {
            name.into()
        } else {
            self.setup.toolbox.find(name).with_context(|| {
                Failure::render(format!("the validator `{name}` is not on the path"))
                    .hint("install it before hydrator runs")
            })?
        };
        let arguments = arguments.iter().cloned().chain([DIRECTORY.to_owned()]).collect();
        let environment = self.own_variables(scratch, false);
        let invocation = Invocation { program, arguments, directory: scratch.tree(), environment };
        let limits = Limits {
            time: self.setup.options.time_limit,
            output: self.setup.options.output_limit,
            cancel: self.setup.cancel,
        };
        let finished = exec::run(&invocation, limits)?;
        let how = match finished.end {
            End::Success => return Ok(None),
            End::Failure(code) => format!("ends with {code}"),
            End::Signal(signal) => format!("was ended by signal {signal}"),
            End::TimedOut => format!("took longer than {} s", limits.time.as_secs_f64()),
            End::Flooded => "wrote more than the output limit".to_owned(),
            End::Cancelled => bail!(Failure::new(FailureKind::Unexpected, "the run was interrupted")),
        };
        let streams = [finished.stdout, finished.stderr];
        let lines = streams.iter().flat_map(|said| talk::warnings(said, replacements)).collect();
        let said = streams.map(|said| talk::message(&said, replacements));
        let said: Vec<String> = said.into_iter().filter(|said| !said.is_empty()).collect();
        let shown = shell_line(command.iter().map(String::as_str));
        Ok(Some((format!("the validator `{shown}` {how}: {}", said.join("\n")), lines)))
    }
}
