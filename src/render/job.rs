//! What every renderer works with: one target's job, its scratch directory, and how it runs a program. I/O.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};

use super::exec::{self, End, Finished, Invocation, Limits};
use super::export::create_directory;
use super::talk::{self, Replacements};
use super::{RenderJob, Renderers, confidential};
use crate::error::Failure;

/// Variables that programs see only for targets with remote inputs, if the caller passes them.
pub const REMOTE_VARIABLES: [&str; 10] = [
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// Variables of ours that a configuration cannot replace.
const FIXED: [&str; 4] = ["PATH", "HOME", "TMPDIR", "PWD"];

/// One stream of YAML that a renderer produced.
#[derive(Debug)]
pub(crate) struct Stream {
    /// Where it comes from.
    pub(crate) origin: Origin,
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
}

/// Where a stream comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A program's stdout.
    Program,
    /// A file of the DRY tree as it is.
    File(Utf8PathBuf),
    /// A template of the DRY tree, filled in.
    Template(Utf8PathBuf),
}

/// What a renderer produced, not yet split.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) streams: Vec<Stream>,
    pub(crate) warnings: Vec<String>,
    pub(crate) commands: Vec<String>,
    pub(crate) version: Option<String>,
}

/// A private directory for one job; it is removed with everything in it when the job is done.
#[derive(Debug)]
pub(crate) struct Scratch {
    root: Utf8PathBuf,
}

impl Scratch {
    /// Makes `root` with what every program needs: a home and a place for temporary files.
    pub(crate) fn new(root: Utf8PathBuf) -> anyhow::Result<Self> {
        let scratch = Self { root };
        create_directory(&scratch.root)?;
        for name in ["home", "tmp", "tree"] {
            create_directory(&scratch.path(name))?;
        }
        Ok(scratch)
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> Utf8PathBuf {
        self.root.join(name)
    }

    /// Where the DRY tree's files are.
    pub(crate) fn tree(&self) -> Utf8PathBuf {
        self.path("tree")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed here goes with the run's whole scratch directory.
        let _ = std::fs::remove_dir_all(&self.root);
    }
}

/// A program's work for one job.
pub(crate) struct Call<'a> {
    /// Its absolute path.
    pub(crate) program: Utf8PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Its working directory.
    pub(crate) directory: Utf8PathBuf,
    /// The command that a person would type at the repository's root to see the same.
    pub(crate) shown: String,
    /// Whether it may use the network.
    pub(crate) is_remote: bool,
    /// Whether it is a Go program that starts often and lives shortly.
    pub(crate) is_go: bool,
    /// The job's scratch directory.
    pub(crate) scratch: &'a Scratch,
    /// What is shown otherwise in messages.
    pub(crate) replacements: Replacements,
    /// The directories with what it reads, whose secrets it must not say.
    pub(crate) reads: Vec<Utf8PathBuf>,
}

/// What a program wrote when it succeeded.
pub(crate) struct Said {
    pub(crate) stdout: Vec<u8>,
    pub(crate) warnings: Vec<String>,
}

impl Renderers<'_> {
    /// Runs a program for `job` to a successful end.
    pub(crate) fn call(&self, job: &RenderJob<'_>, call: Call<'_>) -> anyhow::Result<Said> {
        let passed = self.passed_variables(job, call.is_remote);
        let mut replacements = call.replacements;
        replacements.hide(passed.values().map(String::as_str));
        replacements.add(format!("{}/", call.scratch.tree()), "");
        replacements.add(call.scratch.tree(), ".");
        replacements.add(call.scratch.path(""), "");
        let mut environment = passed;
        environment.extend(self.own_variables(call.scratch, call.is_go));
        let invocation = Invocation {
            program: call.program,
            arguments: call.arguments,
            directory: call.directory,
            environment: environment.into_iter().collect(),
        };
        let limits = Limits {
            time: self.setup.options.time_limit,
            output: self.setup.options.output_limit,
            cancel: self.setup.cancel,
        };
        let finished = exec::run(&invocation, limits)?;
        if !finished.stderr.is_empty() {
            let reads: Vec<&Utf8Path> = call.reads.iter().map(Utf8PathBuf::as_path).collect();
            replacements.hide(confidential::values(&reads).iter().map(String::as_str));
        }
        judge(finished, &call.shown, &replacements, limits.time)
    }

    /// The caller's variables that the program may see.
    fn passed_variables(&self, job: &RenderJob<'_>, is_remote: bool) -> BTreeMap<String, String> {
        let remote = REMOTE_VARIABLES.iter().copied().filter(|_| is_remote);
        let own = job.target.environment_variables.iter().map(String::as_str);
        let names = remote.chain(own).filter(|name| !FIXED.contains(name));
        names.filter_map(|name| Some((name.to_owned(), self.setup.variables.get(name)?.clone()))).collect()
    }

    pub(super) fn own_variables(&self, scratch: &Scratch, is_go: bool) -> Vec<(String, String)> {
        let home = scratch.path("home");
        let mut variables = vec![
            ("PATH", self.setup.toolbox.path_variable().to_owned()),
            ("HOME", home.to_string()),
            ("TMPDIR", scratch.path("tmp").into_string()),
            ("XDG_CACHE_HOME", home.join("cache").into_string()),
            ("XDG_CONFIG_HOME", home.join("config").into_string()),
            ("XDG_DATA_HOME", home.join("data").into_string()),
            ("LC_ALL", "C".to_owned()),
            ("TZ", "UTC".to_owned()),
            ("HELM_CACHE_HOME", home.join("helm/cache").into_string()),
            ("HELM_CONFIG_HOME", home.join("helm/config").into_string()),
            ("HELM_DATA_HOME", home.join("helm/data").into_string()),
            ("HELM_PLUGINS", home.join("helm/plugins").into_string()),
        ];
        if is_go {
            // A short life needs no garbage collection; the limit brings it back before memory runs out.
            variables.extend([("GOGC", "off".to_owned()), ("GOMEMLIMIT", "512MiB".to_owned())]);
            if self.setup.options.workers > 1 {
                variables.push(("GOMAXPROCS", "1".to_owned()));
            }
        }
        variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn judge(
    finished: Finished,
    shown: &str,
    replacements: &Replacements,
    limit: Duration,
) -> anyhow::Result<Said> {
    let said = talk::message(&finished.stderr, replacements);
    let how = match finished.end {
        End::Success => {
            let mut warnings = talk::warnings(&finished.stderr, replacements);
            if finished.left_behind {
                warnings.push(format!("`{shown}` left a process behind, which was ended"));
            }
            return Ok(Said { stdout: finished.stdout, warnings });
        }
        End::Failure(code) => format!("fails with exit status {code}"),
        End::Signal(9) => "was killed from outside: the machine may have run out of memory".to_owned(),
        End::Signal(signal) => format!("was ended by signal {signal}"),
        End::TimedOut => format!("took longer than {} s and was ended", limit.as_secs_f64()),
        End::Flooded => "wrote more than the output limit and was ended".to_owned(),
        End::Cancelled => {
            bail!(Failure::new(crate::error::FailureKind::Unexpected, "the run was interrupted"))
        }
    };
    let message =
        if said.is_empty() { format!("`{shown}` {how}") } else { format!("`{shown}` {how}: {said}") };
    bail!(
        Failure::render(message)
            .hint(format!("to see it again, run `{shown}` at the root of the DRY branch"))
    )
}

/// Arguments as one line that a shell would take apart again.
pub(crate) fn shell_line<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted = words.into_iter().map(|word| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+%".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            word.to_owned()
        } else {
            format!("'{}'", talk::clean(word).replace('\'', r"'\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// A directory of the tree as an argument: the root is `.`, and nothing starts with a dash.
pub(crate) fn as_argument(path: &Utf8Path) -> String {
    match path.as_str() {
        "" => ".".to_owned(),
        text if text.starts_with('-') => format!("./{text}"),
        text => text.to_owned(),
    }
}
