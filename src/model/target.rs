//! A target: one renderable unit inside an environment.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;

/// One renderable unit of one environment, resolved: no placeholders are left in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Its name, unique within the environment.
    pub name: String,
    /// The directory in the DRY tree, relative to the root; empty for a chart from a repository that has none.
    pub source: Utf8PathBuf,
    /// The directory on the hydrated branch.
    pub output: Utf8PathBuf,
    /// How it is rendered.
    pub renderer: Renderer,
    /// Whether rendering to nothing is accepted.
    pub allow_empty: bool,
    /// Names of variables that the renderer's process may see; from the configuration on the protected branch.
    pub environment_variables: Vec<String>,
}

/// A renderer with its options.
#[derive(Clone, Debug, PartialEq)]
pub enum Renderer {
    /// `kustomize build`, else `kubectl kustomize`.
    Kustomize(KustomizeOptions),
    /// `helm template`.
    Helm(HelmOptions),
    /// The built-in templates (`*.j2`).
    Template(TemplateOptions),
    /// The built-in copy of YAML and JSON files.
    Plain(PlainOptions),
    /// Any program.
    Command(CommandOptions),
}

impl Renderer {
    /// The name as written in the configuration.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Kustomize(_) => "kustomize",
            Self::Helm(_) => "helm",
            Self::Template(_) => "template",
            Self::Plain(_) => "plain",
            Self::Command(_) => "command",
        }
    }
}

/// Options of the kustomize renderer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KustomizeOptions {
    /// Additional flags, each from the allow list.
    pub build_options: Vec<String>,
    /// Whether the configuration allows remote resources.
    pub allow_remote: bool,
}

/// Where a chart comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChartSource {
    /// The target's source directory holds the chart.
    Directory,
    /// A chart repository (`https://…`) or an OCI registry (`oci://…`).
    Repository {
        /// The repository's URL.
        url: String,
        /// The chart's name in it.
        chart: String,
        /// The exact version.
        version: String,
    },
}

/// A value file: a path in the DRY tree, resolved to the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueFile {
    /// Relative to the repository's root.
    pub path: Utf8PathBuf,
    /// Whether it may be missing (`?` in the configuration).
    pub optional: bool,
}

/// Options of the helm renderer.
#[derive(Clone, Debug, PartialEq)]
pub struct HelmOptions {
    /// Where the chart comes from.
    pub chart: ChartSource,
    /// The release's name.
    pub release_name: String,
    /// The release's namespace; always passed on, `default` when nothing is said.
    pub namespace: String,
    /// Value files in order: later ones win.
    pub value_files: Vec<ValueFile>,
    /// Values of the configuration: win over the files.
    pub values: serde_json::Map<String, serde_json::Value>,
    /// `--kube-version`.
    pub kube_version: Option<String>,
    /// `--api-versions`.
    pub api_versions: Vec<String>,
    /// `--include-crds`; true unless the configuration says otherwise.
    pub include_crds: bool,
    /// `--skip-tests`: leave the chart's test hooks out.
    pub skip_tests: bool,
    /// Whether the configuration allows dependencies and charts from the network.
    pub allow_remote: bool,
}

/// Options of the template renderer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TemplateOptions {
    /// Value files in order: later ones win. By default `values.yaml` and `values-{environment}.yaml`, both optional.
    pub value_files: Vec<ValueFile>,
    /// The environment's variables and the path's captures, seen as `vars.x`; `environment` is the environment's name.
    pub vars: BTreeMap<String, String>,
    /// The environment's name.
    pub environment: String,
}

/// Options of the plain renderer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainOptions {
    /// Whether directories below the source are read too.
    pub recurse: bool,
}

/// Options of the command renderer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandOptions {
    /// The program and its arguments; no shell.
    pub argv: Vec<String>,
    /// Globs of everything that it reads, relative to the source, or to the root with a leading `/`.
    pub inputs: Vec<String>,
}

/// An outside program whose version is known to matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tool {
    /// `kustomize`, or kubectl's.
    Kustomize,
    /// `helm`.
    Helm,
}

impl Tool {
    /// The name as written under `tools:`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kustomize => "kustomize",
            Self::Helm => "helm",
        }
    }
}
