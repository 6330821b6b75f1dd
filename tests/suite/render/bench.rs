//! A DRY tree in memory and everything else that rendering needs, with the real programs on the path.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use hydrator::error::message_of;
use hydrator::model::{
    ChartSource, CommandOptions, DryEntry, DryTree, EntryKind, EnvironmentName, HelmOptions,
    KustomizeOptions, PlainOptions, Renderer, Target, TemplateOptions, ValueFile,
};
use hydrator::render::{
    RenderJob, RenderOptions, RenderSetup, Rendered, Renderers, TemplateEngine, TemplateProblem, Toolbox,
};

/// The directory with `helm`, `helm3`, `kubectl` and `kustomize`.
pub(super) fn tools() -> Utf8PathBuf {
    let directory = std::env::var("HYDRATOR_TEST_TOOLS")
        .expect("set HYDRATOR_TEST_TOOLS to the directory that scripts/fetch-tools.sh filled (.tools/bin)");
    Utf8PathBuf::from(directory).canonicalize_utf8().expect("HYDRATOR_TEST_TOOLS is a directory")
}

/// A path with the real programs.
pub(super) fn tools_path() -> String {
    format!("{}:/usr/bin:/bin", tools())
}

/// A DRY tree in memory.
#[derive(Default)]
pub(super) struct Tree(BTreeMap<Utf8PathBuf, (EntryKind, Vec<u8>)>);

impl Tree {
    /// A tree of these files.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        files.iter().fold(Self::default(), |tree, (path, content)| {
            tree.with(path, EntryKind::File, content.as_bytes())
        })
    }

    /// With one more entry.
    pub(super) fn with(mut self, path: &str, kind: EntryKind, content: impl AsRef<[u8]>) -> Self {
        self.0.insert(path.into(), (kind, content.as_ref().to_vec()));
        self
    }

    /// Writes the files below `directory`.
    pub(super) fn write(&self, directory: &Utf8Path) {
        for (path, (_, content)) in &self.0 {
            let path = directory.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
    }
}

impl DryTree for Tree {
    fn list(&self, path: &Utf8Path) -> anyhow::Result<Option<Vec<DryEntry>>> {
        let mut names = BTreeSet::new();
        for full in self.0.keys() {
            let rest = if path.as_str().is_empty() { Some(full.as_str()) } else { within(full, path) };
            names.extend(rest.and_then(|rest| rest.split('/').next()));
        }
        let entries = names.into_iter().filter_map(|name| {
            let full = if path.as_str().is_empty() { name.into() } else { path.join(name) };
            self.entry(&full).ok().flatten()
        });
        let entries: Vec<DryEntry> = entries.collect();
        Ok((!entries.is_empty()).then_some(entries))
    }

    fn entry(&self, path: &Utf8Path) -> anyhow::Result<Option<DryEntry>> {
        let name = path.file_name().unwrap_or_default().to_owned();
        let is_directory = self.0.keys().any(|full| within(full, path).is_some());
        let kind = self.0.get(path).map(|(kind, _)| *kind).or(is_directory.then_some(EntryKind::Directory));
        // A directory's id is never asked for.
        let content = self.0.get(path).map_or(&[][..], |(_, content)| content);
        let id = hydrator::git::hash_of(content)?;
        Ok(kind.map(|kind| DryEntry { name, kind, id }))
    }

    fn read(&self, path: &Utf8Path) -> anyhow::Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).map(|(_, content)| content.clone()))
    }
}

fn within<'a>(full: &'a Utf8Path, directory: &Utf8Path) -> Option<&'a str> {
    full.as_str().strip_prefix(directory.as_str())?.strip_prefix('/')
}

/// Replaces `[[a.b]]` by the value of that path: enough of a template language for these tests.
pub(super) struct Brackets;

impl TemplateEngine for Brackets {
    fn fill_in(
        &self,
        sources: BTreeMap<String, String>,
        names: &[String],
        values: &serde_json::Value,
    ) -> Result<Vec<String>, TemplateProblem> {
        names.iter().map(|name| fill_in(&sources, name, values)).collect()
    }
}

fn fill_in(
    sources: &BTreeMap<String, String>,
    name: &str,
    values: &serde_json::Value,
) -> Result<String, TemplateProblem> {
    let mut text = sources[name].clone();
    while let Some((before, rest)) = text.split_once("[[") {
        let (path, after) = rest.split_once("]]").expect("closed");
        let value = match path.strip_prefix("include ") {
            Some(name) => sources.get(name).cloned(),
            None => values
                .pointer(&format!("/{}", path.replace('.', "/")))
                .map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)),
        };
        let Some(value) = value else {
            let line = Some(before.lines().count());
            return Err(TemplateProblem { template: name.to_owned(), line, reason: format!("no `{path}`") });
        };
        text = format!("{before}{value}{after}");
    }
    Ok(text)
}

/// Everything that rendering needs.
pub(super) struct Bench {
    pub(super) tree: Tree,
    pub(super) toolbox: Toolbox,
    pub(super) options: RenderOptions,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) cancel: AtomicBool,
    pub(super) scratch: tempfile::TempDir,
}

impl Bench {
    /// With the real programs.
    pub(super) fn new(tree: Tree) -> Self {
        Self::with_toolbox(tree, Toolbox::discover(&tools_path()))
    }

    pub(super) fn with_toolbox(tree: Tree, toolbox: Toolbox) -> Self {
        let options =
            RenderOptions { workers: 2, time_limit: Duration::from_secs(120), output_limit: 8 << 20 };
        let scratch = tempfile::tempdir().unwrap();
        Self { tree, toolbox, options, variables: BTreeMap::new(), cancel: AtomicBool::new(false), scratch }
    }

    pub(super) fn renderers(&self) -> Renderers<'_> {
        Renderers::new(RenderSetup {
            toolbox: &self.toolbox,
            tree: &self.tree,
            scratch: Utf8Path::from_path(self.scratch.path()).unwrap(),
            variables: &self.variables,
            templates: &Brackets,
            cancel: &self.cancel,
            options: self.options,
        })
    }

    pub(super) fn try_render(&self, target: &Target) -> anyhow::Result<Rendered> {
        let environment = EnvironmentName::new("dev");
        let result = self.renderers().render(&RenderJob { environment: &environment, target, inputs: None });
        assert_eq!(self.left_over(), Vec::<String>::new(), "the scratch directory is cleaned up");
        result
    }

    pub(super) fn render(&self, target: &Target) -> Rendered {
        self.try_render(target).unwrap_or_else(|error| panic!("{}", message_of(&error)))
    }

    /// The whole message of the error that rendering ends with.
    pub(super) fn error(&self, target: &Target) -> String {
        message_of(&self.try_render(target).unwrap_err())
    }

    /// Renders all targets, results by index.
    pub(super) fn render_all(&self, targets: &[Target]) -> Vec<Rendered> {
        let environment = EnvironmentName::new("dev");
        let jobs: Vec<_> = targets
            .iter()
            .map(|target| RenderJob { environment: &environment, target, inputs: None })
            .collect();
        let results = Mutex::new(BTreeMap::new());
        self.renderers().render_all(&jobs, &|index, result| {
            assert!(results.lock().unwrap().insert(index, result.unwrap()).is_none());
        });
        results.into_inner().unwrap().into_values().collect()
    }

    fn left_over(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.scratch.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// The manifests' texts as one stream.
pub(super) fn joined(rendered: &Rendered) -> String {
    let texts: Vec<&str> =
        rendered.manifests.iter().map(|manifest| std::str::from_utf8(&manifest.text).unwrap()).collect();
    texts.join("---\n")
}

/// The manifests' identities.
pub(super) fn ids(rendered: &Rendered) -> Vec<String> {
    rendered.manifests.iter().flat_map(|manifest| manifest.ids().map(ToString::to_string)).collect()
}

/// What a real program prints in `directory`.
pub(super) fn output_of(program: &str, arguments: &[&str], directory: &Utf8Path) -> String {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new(tools().join(program))
        .args(arguments)
        .current_dir(directory)
        .env_clear()
        .env("PATH", tools_path())
        .env("HOME", home.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn target(source: &str, renderer: Renderer) -> Target {
    Target {
        name: "web".into(),
        source: source.into(),
        output: "web".into(),
        renderer,
        allow_empty: false,
        environment_variables: Vec::new(),
    }
}

pub(super) fn kustomize(source: &str, build_options: &[&str]) -> Target {
    let build_options = build_options.iter().map(|option| (*option).to_owned()).collect();
    target(source, Renderer::Kustomize(KustomizeOptions { build_options, allow_remote: false }))
}

pub(super) fn plain(source: &str) -> Target {
    target(source, Renderer::Plain(PlainOptions { recurse: true }))
}

pub(super) fn template(source: &str, value_files: &[&str]) -> Target {
    let value_files = value_files.iter().map(|path| value_file(path)).collect();
    let vars = [("registry".to_owned(), "ghcr.io/acme".to_owned())].into();
    target(source, Renderer::Template(TemplateOptions { value_files, vars, environment: "dev".into() }))
}

pub(super) fn command(source: &str, argv: &[&str], inputs: &[&str]) -> Target {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    target(source, Renderer::Command(CommandOptions { argv: owned(argv), inputs: owned(inputs) }))
}

pub(super) fn helm(source: &str, change: impl FnOnce(&mut HelmOptions)) -> Target {
    let mut options = HelmOptions {
        chart: ChartSource::Directory,
        release_name: "web".into(),
        namespace: "shop".into(),
        value_files: Vec::new(),
        values: serde_json::Map::new(),
        kube_version: None,
        api_versions: Vec::new(),
        include_crds: true,
        skip_tests: false,
        allow_remote: false,
    };
    change(&mut options);
    target(source, Renderer::Helm(options))
}

/// A value file; optional with a final `?`.
pub(super) fn value_file(path: &str) -> ValueFile {
    match path.strip_suffix('?') {
        Some(path) => ValueFile { path: path.into(), optional: true },
        None => ValueFile { path: path.into(), optional: false },
    }
}
