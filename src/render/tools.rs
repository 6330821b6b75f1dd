//! Finds the outside programs and learns their versions, once per run and only when they are needed. I/O.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use anyhow::bail;
use camino::{Utf8Path, Utf8PathBuf};

use super::exec::{self, End, Invocation, Limits};
use super::talk::{self, Replacements};
use super::version::Version;
use crate::error::Failure;
use crate::model::Tool;

const PROBE_TIME: Duration = Duration::from_secs(30);
const PROBE_OUTPUT: u64 = 64 * 1024;
const OLDEST_KUSTOMIZE: (u64, u64) = (4, 0);
const OLDEST_HELM: (u64, u64) = (3, 5);

/// The outside programs of one run.
#[derive(Debug)]
pub struct Toolbox {
    path_variable: String,
    patterns: BTreeMap<Tool, String>,
    overrides: BTreeMap<Tool, Utf8PathBuf>,
    kustomize: OnceLock<Result<Program, Failure>>,
    helm: OnceLock<Result<Program, Failure>>,
    /// Programs that are known by their content, with what stands for it.
    pub(super) contents: Mutex<BTreeMap<Utf8PathBuf, String>>,
}

/// A program that was found and whose version is accepted.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Its absolute path.
    pub(crate) path: Utf8PathBuf,
    /// The name that stands for it in commands to reproduce.
    pub(crate) name: String,
    /// What comes before the arguments: `build` for kustomize, `kustomize` for kubectl.
    pub(crate) verb: Option<&'static str>,
    /// Its version; `None` if it does not say one.
    pub(crate) version: Option<Version>,
}

impl Toolbox {
    /// Will look for programs in the directories of `path_variable`, written as `PATH` is. Nothing is started yet.
    pub fn discover(path_variable: &str) -> Self {
        Self {
            path_variable: path_variable.to_owned(),
            patterns: BTreeMap::new(),
            overrides: BTreeMap::new(),
            kustomize: OnceLock::new(),
            helm: OnceLock::new(),
            contents: Mutex::default(),
        }
    }

    /// Requires versions that match these patterns of the configuration, such as `5.8.x`.
    #[must_use]
    pub fn require(mut self, patterns: &BTreeMap<Tool, String>) -> Self {
        self.patterns.clone_from(patterns);
        self
    }

    /// Uses the program at `path` for `tool`, whatever is on the path.
    #[must_use]
    pub fn with_program(mut self, tool: Tool, path: impl Into<Utf8PathBuf>) -> Self {
        self.overrides.insert(tool, path.into());
        self
    }

    /// The version of `tool` as it is recorded and hashed, such as `kustomize 5.8.1`; starts the program when asked
    /// for the first time. An error says that it is missing, too old or not the one that the configuration asks for.
    pub fn version(&self, tool: Tool) -> anyhow::Result<String> {
        Ok(self.program(tool)?.label(tool))
    }

    pub(crate) fn program(&self, tool: Tool) -> anyhow::Result<&Program> {
        let slot = match tool {
            Tool::Kustomize => &self.kustomize,
            Tool::Helm => &self.helm,
        };
        let found = slot.get_or_init(|| self.look_for(tool).map_err(as_failure));
        found.as_ref().map_err(|failure| failure.clone().into())
    }

    /// The path that programs get as their `PATH`.
    pub(crate) fn path_variable(&self) -> &str {
        &self.path_variable
    }

    /// The program `name` on the path.
    pub(crate) fn find(&self, name: &str) -> Option<Utf8PathBuf> {
        let directories = self.path_variable.split(':').filter(|directory| directory.starts_with('/'));
        directories.map(|directory| Utf8Path::new(directory).join(name)).find(|path| is_program(path))
    }

    fn look_for(&self, tool: Tool) -> anyhow::Result<Program> {
        let program = match tool {
            Tool::Kustomize => self.look_for_kustomize()?,
            Tool::Helm => self.look_for_helm()?,
        };
        self.check(tool, &program)?;
        Ok(program)
    }

    fn look_for_kustomize(&self) -> anyhow::Result<Program> {
        let kustomize = match self.overrides.get(&Tool::Kustomize) {
            Some(path) if path.file_name().is_some_and(|name| name.starts_with("kubectl")) => {
                return self.kubectl(path);
            }
            Some(path) => Some(existing(path)?),
            None => self.find("kustomize"),
        };
        let kubectl = self.find("kubectl");
        let Some(path) = kustomize else {
            return self.kubectl(&kubectl.ok_or_else(|| missing(Tool::Kustomize))?);
        };
        // A script named `kustomize` that hands over to kubectl does not know `version`: it is then kubectl's that
        // counts. Both are asked at once, since each start costs.
        let (own, kubectls) = std::thread::scope(|scope| {
            let other =
                kubectl.filter(|_| is_script(&path)).map(|path| scope.spawn(move || self.kubectl(&path)));
            let own = self.ask(&path, &["version"]).ok().and_then(|said| Version::find(&said));
            (own, other.and_then(|other| other.join().ok()).and_then(Result::ok))
        });
        let version = own.or_else(|| kubectls.and_then(|kubectl| kubectl.version));
        Ok(Program { path, name: "kustomize".to_owned(), verb: Some("build"), version })
    }

    fn kubectl(&self, path: &Utf8Path) -> anyhow::Result<Program> {
        let path = existing(path)?;
        let said = self.ask(&path, &["version", "--client", "-o", "json"])?;
        let answer: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
        let version =
            answer.get("kustomizeVersion").and_then(serde_json::Value::as_str).and_then(Version::find);
        if version.is_none() {
            let own = answer.pointer("/clientVersion/gitVersion").and_then(serde_json::Value::as_str);
            bail!(
                Failure::render(format!(
                    "kubectl {} is too old: it has no usable kustomize",
                    own.unwrap_or("")
                ))
                .hint("install kustomize, or kubectl 1.24 or newer")
            );
        }
        Ok(Program { path, name: "kubectl".to_owned(), verb: Some("kustomize"), version })
    }

    fn look_for_helm(&self) -> anyhow::Result<Program> {
        let path = match self.overrides.get(&Tool::Helm) {
            Some(path) => existing(path)?,
            None => self.find("helm").ok_or_else(|| missing(Tool::Helm))?,
        };
        let version = Version::find(&self.ask(&path, &["version", "--short"])?);
        Ok(Program { path, name: "helm".to_owned(), verb: None, version })
    }

    fn check(&self, tool: Tool, program: &Program) -> anyhow::Result<()> {
        let (major, minor) = if tool == Tool::Kustomize { OLDEST_KUSTOMIZE } else { OLDEST_HELM };
        if let Some(version) = program.version.as_ref().filter(|version| !version.is_at_least(major, minor)) {
            bail!(
                Failure::render(format!("{} {version} is too old", tool.name()))
                    .hint(format!("install {} {major}.{minor} or newer", tool.name()))
            );
        }
        let Some(pattern) = self.patterns.get(&tool) else { return Ok(()) };
        let Some(version) = &program.version else {
            bail!(Failure::render(format!(
                "`tools` asks for {} {pattern}, but `{}` does not say its version",
                tool.name(),
                program.path
            )));
        };
        match version.matches(pattern) {
            Some(true) => Ok(()),
            Some(false) => bail!(
                Failure::render(format!("`tools` asks for {0} {pattern}, but {0} is {version}", tool.name()))
                    .hint(format!(
                        "install {} {pattern}, or change `tools` in the configuration",
                        tool.name()
                    ))
            ),
            None => bail!(
                Failure::config(format!("`tools.{}`: `{pattern}` is not a version pattern", tool.name()))
                    .hint("write `5.8.1`, `5.8.x` or `5.x`")
            ),
        }
    }

    /// What a program prints on stdout.
    fn ask(&self, path: &Utf8Path, arguments: &[&str]) -> anyhow::Result<String> {
        let cancel = AtomicBool::new(false);
        let invocation = Invocation {
            program: path.to_owned(),
            arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
            directory: "/".into(),
            environment: [
                ("PATH", self.path_variable.as_str()),
                ("HOME", "/nonexistent"),
                ("LC_ALL", "C"),
                // Go programs live too shortly here for garbage collection and threads to pay.
                ("GOGC", "off"),
                ("GOMAXPROCS", "1"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        };
        let finished =
            exec::run(&invocation, Limits { time: PROBE_TIME, output: PROBE_OUTPUT, cancel: &cancel })?;
        if matches!(finished.end, End::Success) {
            return Ok(String::from_utf8_lossy(&finished.stdout).into_owned());
        }
        let said = talk::message(&finished.stderr, &Replacements::default());
        bail!(Failure::render(format!("`{path} {}` fails: {said}", arguments.join(" "))))
    }
}

impl Program {
    /// `kustomize 5.8.1`, whether or not it is kubectl's.
    pub(crate) fn label(&self, tool: Tool) -> String {
        self.version
            .as_ref()
            .map_or_else(|| tool.name().to_owned(), |version| format!("{} {version}", tool.name()))
    }
}

fn as_failure(error: anyhow::Error) -> Failure {
    error.downcast::<Failure>().unwrap_or_else(|error| Failure::render(format!("{error:#}")))
}

fn missing(tool: Tool) -> Failure {
    let or_kubectl = if tool == Tool::Kustomize { " (or kubectl)" } else { "" };
    Failure::render(format!("`{}` is not on the path", tool.name()))
        .hint(format!("install {}{or_kubectl} before hydrator runs", tool.name()))
}

fn existing(path: &Utf8Path) -> anyhow::Result<Utf8PathBuf> {
    if is_program(path) {
        return Ok(path.to_owned());
    }
    bail!(Failure::usage(format!("`{path}` is not a program")))
}

fn is_program(path: &Utf8Path) -> bool {
    path.metadata().is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

fn is_script(path: &Utf8Path) -> bool {
    use std::io::Read as _;
    let mut start = [0; 2];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *b"#!"
}
