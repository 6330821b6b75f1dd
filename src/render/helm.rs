//! The helm renderer: `helm template`, with dependencies put in place once per chart and run. I/O.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context as _, bail};
use camino::{Utf8Path, Utf8PathBuf};

use super::chart::{Chart, Missing, Pull};
use super::job::{Call, Origin, Output, Scratch, Stream, as_argument, shell_line};
use super::talk::Replacements;
use super::version::Version;
use super::{RenderJob, Renderers, content, export, paths};
use crate::error::{Failure, Place};
use crate::model::{ChartSource, HelmOptions, Tool, ValueFile};
use crate::secret::without_credentials;

/// Charts that are ready for `helm template`, each made once per run and then only read.
#[derive(Debug, Default)]
pub(crate) struct Charts(Mutex<BTreeMap<String, Arc<Ready>>>);

type Ready = OnceLock<Result<ReadyChart, Failure>>;

#[derive(Clone, Debug)]
struct ReadyChart {
    /// A directory, or an archive.
    path: Utf8PathBuf,
    /// Keeps the files for as long as the run may need them.
    _scratch: Arc<Scratch>,
}

impl Charts {
    fn once(
        &self,
        key: &str,
        make: impl FnOnce() -> anyhow::Result<ReadyChart>,
    ) -> anyhow::Result<ReadyChart> {
        let ready = Arc::clone(
            self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(key.to_owned()).or_default(),
        );
        let chart = ready.get_or_init(|| {
            make().map_err(|error| match error.downcast::<Failure>() {
                Ok(failure) => failure,
                Err(error) => Failure::render(format!("{error:#}")),
            })
        });
        chart.clone().map_err(Into::into)
    }
}

impl Renderers<'_> {
    pub(crate) fn helm(
        &self,
        job: &RenderJob<'_>,
        options: &HelmOptions,
        scratch: &Scratch,
    ) -> anyhow::Result<Output> {
        let chart = self.chart(job, options)?;
        let program = self.setup.toolbox.program(Tool::Helm)?;
        let values = self.values(options, scratch)?;
        let mut replacements = values.replacements;
        let chart_shown = match &options.chart {
            ChartSource::Directory => as_argument(&job.target.source),
            ChartSource::Repository { chart, .. } => chart.clone(),
        };
        replacements.add(chart.path.as_str(), chart_shown);
        let shown = shown(job, options, &values.shown);
        let said = self.call(
            job,
            Call {
                program: program.path.clone(),
                arguments: arguments(options, &values.files, &chart.path),
                directory: scratch.tree(),
                shown: shown.clone(),
                is_remote: false,
                is_go: true,
                scratch,
                replacements,
                reads: vec![scratch.path("values"), chart.path.clone()],
            },
        )?;
        Ok(Output {
            streams: vec![Stream { origin: Origin::Program, bytes: said.stdout }],
            warnings: said.warnings,
            commands: vec![shown],
            version: Some(program.label(Tool::Helm)),
        })
    }

    fn chart(&self, job: &RenderJob<'_>, options: &HelmOptions) -> anyhow::Result<ReadyChart> {
        match &options.chart {
            ChartSource::Directory => {
                let chart = Chart::load(self.setup.tree, &job.target.source)?;
                if let Some((path, pull)) = chart.first_remote().filter(|_| !options.allow_remote) {
                    let place = Place { file: path.join("Chart.yaml"), line: 0, column: 0 };
                    bail!(refused(&pull.chart, &pull.url).at(place));
                }
                self.charts.once(&format!("chart {}", chart.path), || self.prepare(job, &chart))
            }
            ChartSource::Repository { url, chart, version } => {
                if !options.allow_remote {
                    bail!(refused(chart, url));
                }
                self.pull(job, &Pull { url: url.clone(), chart: chart.clone(), version: version.clone() })
            }
        }
    }

    /// Exports `chart` and fills its `charts/` directories.
    fn prepare(&self, job: &RenderJob<'_>, chart: &Chart) -> anyhow::Result<ReadyChart> {
        let scratch = Arc::new(self.new_scratch("chart")?);
        export::export(self.setup.tree, &chart.directories(), &scratch.tree())?;
        self.fill(job, chart, &scratch, &mut BTreeSet::new())?;
        Ok(ReadyChart { path: scratch.tree().join(&chart.path), _scratch: scratch })
    }

    fn fill(
        &self,
        job: &RenderJob<'_>,
        chart: &Chart,
        scratch: &Scratch,
        done: &mut BTreeSet<Utf8PathBuf>,
    ) -> anyhow::Result<()> {
        if chart.missing.is_empty() || !done.insert(chart.path.clone()) {
            return Ok(());
        }
        let charts = scratch.tree().join(&chart.path).join("charts");
        export::create_directory(&charts)?;
        for missing in &chart.missing {
            match missing {
                Missing::Local(local) => {
                    self.fill(job, local, scratch, done)?;
                    self.package(job, local, &charts, scratch)?;
                }
                Missing::Remote(pull) => {
                    let ready = self.pull(job, pull)?;
                    let name = ready.path.file_name().unwrap_or("chart.tgz");
                    std::fs::copy(&ready.path, charts.join(name))
                        .context("cannot put a dependency in place")?;
                }
            }
        }
        Ok(())
    }

    fn package(
        &self,
        job: &RenderJob<'_>,
        chart: &Chart,
        into: &Utf8Path,
        scratch: &Scratch,
    ) -> anyhow::Result<()> {
        let path = scratch.tree().join(&chart.path);
        self.call(
            job,
            Call {
                program: self.setup.toolbox.program(Tool::Helm)?.path.clone(),
                arguments: ["package", "--destination", into.as_str(), "--", path.as_str()]
                    .map(str::to_owned)
                    .to_vec(),
                directory: scratch.tree(),
                shown: shell_line(["helm", "package", &as_argument(&chart.path)]),
                is_remote: false,
                is_go: true,
                scratch,
                replacements: Replacements::default(),
                reads: vec![path.clone()],
            },
        )?;
        Ok(())
    }

    /// Fetches a chart, once per run.
    fn pull(&self, job: &RenderJob<'_>, pull: &Pull) -> anyhow::Result<ReadyChart> {
        check_pull(pull)?;
        let key = format!("pull {} {} {}", pull.url, pull.chart, pull.version);
        self.charts.once(&key, || {
            let scratch = Arc::new(self.new_scratch("chart")?);
            let into = scratch.path("pulled");
            export::create_directory(&into)?;
            let source = pull_arguments(pull);
            let shown = shell_line(["helm", "pull"].into_iter().chain(source.iter().map(String::as_str)));
            let mut arguments = vec!["pull".to_owned(), format!("--destination={into}")];
            arguments.extend(source);
            self.call(
                job,
                Call {
                    program: self.setup.toolbox.program(Tool::Helm)?.path.clone(),
                    arguments,
                    directory: scratch.tree(),
                    shown,
                    is_remote: true,
                    is_go: true,
                    scratch: &scratch,
                    replacements: Replacements::default(),
                    reads: Vec::new(),
                },
            )?;
            Ok(ReadyChart { path: pulled_archive(&into, pull)?, _scratch: scratch })
        })
    }

    /// Writes the value files and the configuration's values into the job's scratch directory under names of our own:
    /// helm would take a comma in a name for a list and `https:` at its start for a URL.
    fn values(&self, options: &HelmOptions, scratch: &Scratch) -> anyhow::Result<Values> {
        let directory = scratch.path("values");
        export::create_directory(&directory)?;
        let mut values = Values::default();
        for (index, file) in options.value_files.iter().enumerate() {
            let Some(content) = self.value_file(file)? else { continue };
            let path = directory.join(format!("{index}.yaml"));
            values.add(path, &content, as_argument(&file.path))?;
        }
        if !options.values.is_empty() {
            let content =
                serde_json::to_vec(&options.values).context("cannot write the configuration's values")?;
            values.add(
                directory.join("configuration.json"),
                &content,
                "<values of the configuration>".to_owned(),
            )?;
        }
        Ok(values)
    }

    /// The content of a value file of the tree; `None` if it is optional and missing.
    pub(crate) fn value_file(&self, file: &ValueFile) -> anyhow::Result<Option<Vec<u8>>> {
        let resolved = paths::resolve(self.setup.tree, &file.path)?;
        if !resolved.is_file() {
            if file.optional && resolved.entry.is_none() {
                return Ok(None);
            }
            bail!(
                Failure::render(format!("the value file `{}` does not exist", file.path))
                    .hint("a name that ends in `?` is optional")
            );
        }
        let content = self.setup.tree.read(&resolved.path)?.unwrap_or_default();
        content::check_content(&content, &file.path)?;
        Ok(Some(content))
    }
}

/// Value files as helm gets them.
#[derive(Default)]
struct Values {
    files: Vec<Utf8PathBuf>,
    shown: Vec<String>,
    replacements: Replacements,
}

impl Values {
    fn add(&mut self, path: Utf8PathBuf, content: &[u8], shown: String) -> anyhow::Result<()> {
        export::write_file(&path, content, 0o600).with_context(|| format!("cannot write `{path}`"))?;
        self.replacements.add(path.as_str(), shown.clone());
        self.files.push(path);
        self.shown.push(shown);
        Ok(())
    }
}

fn options_as_flags(options: &HelmOptions) -> Vec<String> {
    let mut flags = vec![format!("--namespace={}", options.namespace)];
    let switches = [(options.include_crds, "--include-crds"), (options.skip_tests, "--skip-tests")];
    flags.extend(switches.iter().filter(|(is_on, _)| *is_on).map(|(_, flag)| (*flag).to_owned()));
    flags.extend(options.kube_version.iter().map(|version| format!("--kube-version={version}")));
    flags.extend(options.api_versions.iter().map(|version| format!("--api-versions={version}")));
    flags
}

fn arguments(options: &HelmOptions, values: &[Utf8PathBuf], chart: &Utf8Path) -> Vec<String> {
    let mut arguments = vec!["template".to_owned()];
    arguments.extend(options_as_flags(options));
    arguments.extend(values.iter().map(|path| format!("--values={path}")));
    arguments.extend(["--".to_owned(), options.release_name.clone(), chart.to_string()]);
    arguments
}

fn shown(job: &RenderJob<'_>, options: &HelmOptions, values: &[String]) -> String {
    let mut words = vec!["helm".to_owned(), "template".to_owned(), options.release_name.clone()];
    match &options.chart {
        ChartSource::Directory => words.push(as_argument(&job.target.source)),
        ChartSource::Repository { url, chart, version } => {
            words.extend(pull_arguments(&Pull {
                url: url.clone(),
                chart: chart.clone(),
                version: version.clone(),
            }));
        }
    }
    words.extend(options_as_flags(options));
    words.extend(values.iter().map(|path| format!("--values={path}")));
    shell_line(words.iter().map(String::as_str))
}

fn pull_arguments(pull: &Pull) -> Vec<String> {
    let version = format!("--version={}", pull.version);
    if pull.url.starts_with("oci://") {
        vec![format!("{}/{}", pull.url.trim_end_matches('/'), pull.chart), version]
    } else {
        vec![pull.chart.clone(), format!("--repo={}", pull.url), version]
    }
}

/// Refuses what is not an exact chart before anything starts. Credentials would show in arguments and messages.
fn check_pull(pull: &Pull) -> anyhow::Result<()> {
    if Version::parse(&pull.version).is_none() {
        bail!(
            Failure::config(format!(
                "the chart `{}` needs an exact version, not `{}`",
                pull.chart, pull.version
            ))
            .hint("write all three numbers, such as `1.2.3`")
        );
    }
    let host = pull.url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    let is_known = ["https://", "http://", "oci://"].iter().any(|scheme| pull.url.starts_with(scheme));
    if host.is_empty() || !is_known {
        let url = without_credentials(&pull.url);
        bail!(Failure::config(format!("`{url}` is not the URL of a chart repository")));
    }
    if host.contains('@') {
        bail!(
            Failure::config(format!("the URL of the repository of `{}` contains credentials", pull.chart))
                .hint("pass them by a variable that is named under `env` of the target, such as `HELM_REGISTRY_CONFIG`")
        );
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    if pull.chart.is_empty() || !pull.chart.chars().all(is_plain) || pull.chart.starts_with(['-', '/', '.']) {
        bail!(Failure::config(format!("`{}` is not the name of a chart", pull.chart)));
    }
    Ok(())
}

fn refused(chart: &str, url: &str) -> Failure {
    Failure::render(format!("the chart `{chart}` would be fetched from `{}`", without_credentials(url))).hint(
        "commit it into `charts/`, or allow remote charts for this target in the configuration on the DRY branch",
    )
}

fn pulled_archive(directory: &Utf8Path, pull: &Pull) -> anyhow::Result<Utf8PathBuf> {
    let mut archives = directory.read_dir_utf8()?.collect::<Result<Vec<_>, _>>()?;
    match (archives.pop(), archives.pop()) {
        (Some(archive), None) => Ok(archive.into_path()),
        _ => bail!(Failure::render(format!("helm fetched no single archive for the chart `{}`", pull.chart))),
    }
}
