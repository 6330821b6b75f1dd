//! `targets[]` as written. Pure.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// What is rendered: every environment gets one target per directory that the pattern matches.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawTarget {
    /// Pattern of the source directory, such as `apps/{app}/overlays/{environment}`. `{environment}` is the
    /// environment's name; any other `{word}` captures text within one path component.
    pub(in crate::config) path: Option<String>,
    /// The name, unique within an environment. Default: what the path captured, else its last component.
    pub(in crate::config) name: Option<String>,
    /// Globs of directories that the pattern must not match; `*` stays within one path component, `**` does not.
    pub(in crate::config) exclude: Option<Vec<String>>,
    /// The directory on the hydrated branch. Default: the name.
    pub(in crate::config) output: Option<String>,
    /// The environments that get it. Default: all.
    pub(in crate::config) environments: Option<Vec<String>>,
    /// The renderer. Default: from the options given, else from what the source directory holds.
    pub(in crate::config) renderer: Option<RawRenderer>,
    /// Options of kustomize.
    pub(in crate::config) kustomize: Option<RawKustomize>,
    /// Options of helm.
    pub(in crate::config) helm: Option<RawHelm>,
    /// Options of the built-in templates.
    pub(in crate::config) template: Option<RawTemplate>,
    /// Options of the built-in copy of YAML and JSON files.
    pub(in crate::config) plain: Option<RawPlain>,
    /// A program and its arguments, run without a shell in the source directory; its stdout is the manifests.
    #[schemars(length(min = 1))]
    pub(in crate::config) command: Option<Vec<String>>,
    /// Globs of everything that `command` reads, relative to the source, or to the repository's root with a leading `/`.
    pub(in crate::config) inputs: Option<Vec<String>>,
    /// Names of variables that the renderer may see.
    pub(in crate::config) env: Option<Vec<String>>,
    /// Whether rendering to nothing is accepted. Default: false.
    pub(in crate::config) allow_empty: Option<bool>,
    /// Whether it may fetch from the network. Default: the configuration's `allowRemote`.
    pub(in crate::config) allow_remote: Option<bool>,
    /// Options of single environments: what is given replaces the target's own, `values` are merged.
    pub(in crate::config) overrides: Option<BTreeMap<String, RawOptions>>,
}

impl RawTarget {
    /// The part of a target that `overrides` can replace. Not flattened: serde cannot refuse unknown keys then.
    pub(in crate::config) fn options(&self) -> RawOptions {
        RawOptions {
            renderer: self.renderer,
            kustomize: self.kustomize.clone(),
            helm: self.helm.clone(),
            template: self.template.clone(),
            plain: self.plain.clone(),
            command: self.command.clone(),
            inputs: self.inputs.clone(),
            env: self.env.clone(),
            allow_empty: self.allow_empty,
            allow_remote: self.allow_remote,
        }
    }
}

/// Options of a target in one environment.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawOptions {
    /// The renderer. Default: from the options given, else from what the source directory holds.
    pub(in crate::config) renderer: Option<RawRenderer>,
    /// Options of kustomize.
    pub(in crate::config) kustomize: Option<RawKustomize>,
    /// Options of helm.
    pub(in crate::config) helm: Option<RawHelm>,
    /// Options of the built-in templates.
    pub(in crate::config) template: Option<RawTemplate>,
    /// Options of the built-in copy of YAML and JSON files.
    pub(in crate::config) plain: Option<RawPlain>,
    /// A program and its arguments, run without a shell in the source directory; its stdout is the manifests.
    #[schemars(length(min = 1))]
    pub(in crate::config) command: Option<Vec<String>>,
    /// Globs of everything that `command` reads, relative to the source, or to the repository's root with a leading `/`.
    pub(in crate::config) inputs: Option<Vec<String>>,
    /// Names of variables that the renderer may see.
    pub(in crate::config) env: Option<Vec<String>>,
    /// Whether rendering to nothing is accepted. Default: false.
    pub(in crate::config) allow_empty: Option<bool>,
    /// Whether it may fetch from the network. Default: the configuration's `allowRemote`.
    pub(in crate::config) allow_remote: Option<bool>,
}

/// A renderer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::config) enum RawRenderer {
    /// `kustomize build`
    Kustomize,
    /// `helm template`
    Helm,
    /// The built-in templates (`*.yaml.j2`).
    Template,
    /// The built-in copy of YAML and JSON files.
    Plain,
    /// Any program.
    Command,
}

/// Options of kustomize.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawKustomize {
    /// Additional flags of `kustomize build`, such as `--enable-helm`.
    pub(in crate::config) build_options: Option<Vec<String>>,
}

/// Options of helm.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawHelm {
    /// The chart's name in `repository`. Default: the source directory is the chart.
    pub(in crate::config) chart: Option<String>,
    /// A chart repository (`https://…`) or an OCI registry (`oci://…`).
    pub(in crate::config) repository: Option<String>,
    /// The exact version of the chart.
    pub(in crate::config) version: Option<String>,
    /// The release's name. Default: the target's name.
    pub(in crate::config) release_name: Option<String>,
    /// The release's namespace. Default: `default`.
    pub(in crate::config) namespace: Option<String>,
    /// Value files, relative to the source, or to the repository's root with a leading `/`; later ones win; a `?` at
    /// the end makes a file optional.
    pub(in crate::config) value_files: Option<Vec<String>>,
    /// Values; they win over the files.
    pub(in crate::config) values: Option<serde_json::Map<String, serde_json::Value>>,
    /// The Kubernetes version that charts see, such as `1.33`.
    pub(in crate::config) kube_version: Option<String>,
    /// API versions that charts see.
    pub(in crate::config) api_versions: Option<Vec<String>>,
    /// Whether the chart's CRDs are rendered. Default: true.
    pub(in crate::config) include_crds: Option<bool>,
    /// Whether the chart's test hooks are left out. Default: false.
    pub(in crate::config) skip_tests: Option<bool>,
}

/// Options of the built-in templates.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawTemplate {
    /// Value files, as for helm. Default: `values.yaml?` and `values-{environment}.yaml?`.
    pub(in crate::config) value_files: Option<Vec<String>>,
}

/// Options of the built-in copy of YAML and JSON files.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::config) struct RawPlain {
    /// Whether directories below the source are read too. Default: true.
    pub(in crate::config) recurse: Option<bool>,
}
