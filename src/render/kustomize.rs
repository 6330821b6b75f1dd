//! The kustomize renderer: `kustomize build`, else `kubectl kustomize`, on an export of what the kustomization reads. I/O.

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};

use super::closure::{Closure, Closures, RemoteInput};
use super::job::{Call, Origin, Output, Scratch, Stream, as_argument, shell_line};
use super::talk::Replacements;
use super::tools::Program;
use super::{RenderJob, Renderers, export};
use crate::error::{Failure, Place};
use crate::model::{KustomizeOptions, Tool};
use crate::secret::without_credentials;

/// Flags that the configuration may add, and whether each takes a value. The configuration checks them too; here it is
/// made sure that no way leads to one that runs programs, opens the network or writes elsewhere.
const FLAGS: [(&str, bool); 6] = [
    ("--enable-helm", false),
    ("--enable-managedby-label", false),
    ("--helm-api-versions", true),
    ("--helm-kube-version", true),
    ("--load-restrictor", true),
    ("--reorder", true),
];

/// Checks `buildOptions` against the allow list; the error names the first that is not on it.
fn check_build_options(options: &[String]) -> Result<(), String> {
    let mut words = options.iter();
    while let Some(word) = words.next() {
        let (name, value) =
            word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        let Some((_, takes_value)) = FLAGS.iter().find(|(flag, _)| *flag == name) else {
            let allowed: Vec<&str> = FLAGS.iter().map(|(flag, _)| *flag).collect();
            return Err(format!("`{word}` is not allowed; allowed are {}", allowed.join(", ")));
        };
        if *takes_value && value.is_none() && words.next().is_none_or(|next| next.starts_with('-')) {
            return Err(format!("`{name}` needs a value"));
        }
    }
    Ok(())
}

impl Renderers<'_> {
    pub(crate) fn kustomize(
        &self,
        job: &RenderJob<'_>,
        options: &KustomizeOptions,
        scratch: &Scratch,
    ) -> anyhow::Result<Output> {
        check_build_options(&options.build_options)
            .map_err(|message| Failure::config(format!("`buildOptions`: {message}")))?;
        let source = &job.target.source;
        let closure = Closures::new(self.setup.tree).closure(job.target)?;
        check(&closure, options.allow_remote)?;
        let program = self.setup.toolbox.program(Tool::Kustomize)?;
        let helm = if has_helm(options) { Some(self.setup.toolbox.program(Tool::Helm)?) } else { None };

        export::export(self.setup.tree, &exported(job, &closure), &scratch.tree())?;
        let directory = scratch.tree().join(source);
        export::create_directory(&directory)?;
        let shown = shown(program, source, options);
        let said = self.call(
            job,
            Call {
                program: program.path.clone(),
                arguments: arguments(program, &directory, options, helm),
                directory: scratch.tree(),
                shown: shown.clone(),
                is_remote: !(closure.remote.is_empty() && closure.unreadable.is_empty()),
                is_go: true,
                scratch,
                replacements: Replacements::default(),
                reads: vec![scratch.tree()],
            },
        );
        let said = said.map_err(|error| explain(error, helm))?;
        let with_helm = helm.map_or_else(String::new, |helm| format!(", {}", helm.label(Tool::Helm)));
        Ok(Output {
            streams: vec![Stream { origin: Origin::Program, bytes: said.stdout }],
            warnings: said.warnings,
            commands: vec![shown],
            version: Some(program.label(Tool::Kustomize) + &with_helm),
        })
    }
}

/// The caller's inputs if it knows them, else those of the closure.
pub(crate) fn exported(job: &RenderJob<'_>, closure: &Closure) -> Vec<Utf8PathBuf> {
    job.inputs.map_or_else(|| closure.exported(), <[Utf8PathBuf]>::to_vec)
}

/// Whether kustomize may start helm.
pub(crate) fn has_helm(options: &KustomizeOptions) -> bool {
    options.build_options.iter().any(|option| option == "--enable-helm" || option == "--enable-helm=true")
}

fn arguments(
    program: &Program,
    directory: &Utf8Path,
    options: &KustomizeOptions,
    helm: Option<&Program>,
) -> Vec<String> {
    let mut arguments: Vec<String> = program.verb.iter().map(|verb| (*verb).to_owned()).collect();
    arguments.extend(options.build_options.iter().cloned());
    arguments.extend(helm.map(|helm| format!("--helm-command={}", helm.path)));
    arguments.push(directory.to_string());
    arguments
}

fn shown(program: &Program, source: &Utf8Path, options: &KustomizeOptions) -> String {
    let source = as_argument(source);
    let words = [program.name.as_str()].into_iter().chain(program.verb);
    shell_line(words.chain(options.build_options.iter().map(String::as_str)).chain([source.as_str()]))
}

/// Refuses what cannot be rendered, and what would be fetched unless that is allowed. Files of this machine are never
/// fetched.
fn check(closure: &Closure, is_allowed: bool) -> anyhow::Result<()> {
    if let Some(problem) = closure.problems.first() {
        bail!(problem.clone());
    }
    if let Some((file, reason)) = closure.unreadable.iter().find(|_| !is_allowed) {
        let hint = "what it would fetch cannot be told: mend it, or allow remote resources for this target in the configuration on the DRY branch";
        bail!(Failure::render(without_credentials(reason)).hint(hint).at(in_file(file)));
    }
    let is_of_machine = |remote: &&RemoteInput| remote.spec.to_ascii_lowercase().contains("file://");
    let mut remote = closure.remote.iter();
    let refused = if is_allowed { remote.find(is_of_machine) } else { remote.next() };
    let Some(refused) = refused else { return Ok(()) };
    let message =
        format!("`{}` names the remote resource `{}`", refused.field, without_credentials(&refused.spec));
    let hint = if is_allowed {
        "`file://` reaches outside of the repository and is never allowed"
    } else {
        "copy it into the repository, or allow remote resources for this target in the configuration on the DRY branch"
    };
    bail!(Failure::render(message).hint(hint).at(in_file(&refused.file)))
}

fn in_file(file: &Utf8Path) -> Place {
    Place { file: file.to_owned(), line: 0, column: 0 }
}

/// Says what lies behind a message of old kustomize versions that nobody can be expected to understand.
fn explain(error: anyhow::Error, helm: Option<&Program>) -> anyhow::Error {
    let is_new_helm = helm.and_then(|helm| helm.version.as_ref()).is_some_and(|version| version.major() >= 4);
    let message = error.to_string();
    if is_new_helm && message.contains("unknown shorthand flag: 'c' in -c") {
        return Failure::render(message)
            .hint("this kustomize cannot use helm 4: install kustomize 5.8 or newer, or helm 3")
            .into();
    }
    if message.contains("is not in or below") || message.contains("external plugins disabled") {
        return Failure::render(message)
            .hint("kustomize's load restrictions and plugins: see `buildOptions`; plugins stay off")
            .into();
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(words: &[&str]) -> Result<(), String> {
        check_build_options(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn build_options_are_on_the_allow_list() {
        assert_eq!(
            checked(&[
                "--enable-helm",
                "--load-restrictor=LoadRestrictionsNone",
                "--helm-kube-version",
                "1.33"
            ]),
            Ok(())
        );
        for refused in [
            "--enable-alpha-plugins",
            "--enable-exec",
            "--network",
            "-o",
            "--helm-command=sh",
            "/etc",
            "--mount=x",
        ] {
            assert!(checked(&[refused]).unwrap_err().contains("is not allowed"), "{refused}");
        }
        assert_eq!(checked(&["--load-restrictor"]).unwrap_err(), "`--load-restrictor` needs a value");
        assert_eq!(
            checked(&["--load-restrictor", "--enable-helm"]).unwrap_err(),
            "`--load-restrictor` needs a value"
        );
    }
}
