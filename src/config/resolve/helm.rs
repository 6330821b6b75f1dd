//! Options of the helm renderer. Reads the DRY tree to see whether value files are there.

use serde_json::{Map, Value};

use super::super::problem::Findings;
use super::super::raw::RawHelm;
use super::super::structure::shown;
use super::super::tree::TreeReader;
use super::unit::{Unit, expand, expand_all, value_files};
use crate::model::{ChartSource, HelmOptions};

/// The options; nothing after a problem that leaves no chart.
pub(super) fn options(
    unit: &Unit<'_>,
    tree: &TreeReader<'_>,
    findings: &mut Findings,
) -> anyhow::Result<Option<HelmOptions>> {
    let none = RawHelm::default();
    let raw = unit.options.merged.helm.as_ref().unwrap_or(&none);
    let files = raw.value_files.as_deref().unwrap_or_default();
    let value_files = value_files(unit, files, &["helm", "valueFiles"], (tree, findings))?;
    let Some(chart) = chart(unit, raw, findings) else { return Ok(None) };
    let allow_remote = unit.options.allow_remote();
    let from_repository = matches!(chart, ChartSource::Repository { .. });
    if from_repository && allow_remote == Some(false) {
        findings.problem(
            unit.options.node(&["helm", "repository"]),
            "a chart from a repository, but `allowRemote` is false",
        );
    }
    let api_versions = raw.api_versions.as_deref().unwrap_or_default();
    Ok(Some(HelmOptions {
        chart,
        release_name: release_name(unit, raw, findings),
        namespace: namespace(unit, raw, findings),
        value_files,
        values: values(unit, raw.values.clone().unwrap_or_default(), findings),
        kube_version: kube_version(unit, raw, findings),
        api_versions: expand_all(unit, api_versions, &["helm", "apiVersions"], findings),
        include_crds: raw.include_crds.unwrap_or(true),
        skip_tests: raw.skip_tests.unwrap_or(false),
        allow_remote: allow_remote.unwrap_or(from_repository),
    }))
}

fn chart(unit: &Unit<'_>, raw: &RawHelm, findings: &mut Findings) -> Option<ChartSource> {
    let Some(chart) = &raw.chart else {
        let extra = [("repository", &raw.repository), ("version", &raw.version)];
        let Some((key, _)) = extra.into_iter().find(|(_, given)| given.is_some()) else {
            return Some(ChartSource::Directory);
        };
        findings.problem(
            unit.options.node(&["helm", key]),
            format!("`{key}` without `chart`: the source directory is the chart"),
        );
        return None;
    };
    let chart = text(unit, chart, "chart", findings)?;
    let node = unit.options.node(&["helm", "chart"]);
    if chart.is_empty()
        || chart.starts_with('-')
        || chart.contains("://")
        || chart.contains(char::is_whitespace)
    {
        let message = format!("`{}` is not the name of a chart in a repository", shown(&chart));
        findings.problem_with_hint(node, message, "the repository's URL goes under `repository:`");
    }
    if raw.repository.is_none() {
        findings.problem(node, "a `chart` needs its `repository`");
    }
    if raw.version.is_none() {
        findings.problem(
            node,
            "a `chart` needs its exact `version`: without one, every run could render another chart",
        );
    }
    let url = raw.repository.as_deref().and_then(|url| repository(unit, url, findings));
    let version = raw.version.as_deref().and_then(|version| exact_version(unit, version, findings));
    Some(ChartSource::Repository { url: url?, chart, version: version? })
}

fn text(unit: &Unit<'_>, value: &str, key: &str, findings: &mut Findings) -> Option<String> {
    expand(value, unit.bindings, unit.options.node(&["helm", key]), findings)
}

fn repository(unit: &Unit<'_>, url: &str, findings: &mut Findings) -> Option<String> {
    let url = text(unit, url, "repository", findings)?;
    let node = unit.options.node(&["helm", "repository"]);
    let rest = ["https://", "http://", "oci://"].into_iter().find_map(|scheme| url.strip_prefix(scheme));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    if host.is_empty() || url.contains(char::is_whitespace) || url.contains(char::is_control) {
        findings.problem(node, format!("`{}` is not an `https://` or `oci://` URL", shown(&url)));
        return None;
    }
    if host.contains('@') {
        // The URL itself is not repeated: it holds a secret.
        findings.problem(
            node,
            "the repository's URL has a user or password in it, which would end up in git and logs",
        );
        return None;
    }
    Some(url.trim_end_matches('/').to_owned())
}

fn exact_version(unit: &Unit<'_>, version: &str, findings: &mut Findings) -> Option<String> {
    let version = text(unit, version, "version", findings)?;
    if !is_exact(&version) {
        let message = format!("the chart version `{}` is not pinned", shown(&version));
        findings.problem_with_hint(
            unit.options.node(&["helm", "version"]),
            message,
            "write one exact version, such as `1.2.3`",
        );
    }
    Some(version)
}

/// Source: semver.org 2.0.0; helm takes anything less for a range.
fn is_exact(version: &str) -> bool {
    let version = version.strip_prefix('v').unwrap_or(version);
    let (version, build) =
        version.split_once('+').map_or((version, None), |(version, build)| (version, Some(build)));
    let (core, pre) = version.split_once('-').map_or((version, None), |(core, pre)| (core, Some(pre)));
    let number =
        |part: &str| !part.is_empty() && part.len() < 18 && part.bytes().all(|byte| byte.is_ascii_digit());
    let word = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3
        && parts.into_iter().all(number)
        && pre.is_none_or(|pre| pre.split('.').all(word))
        && build.is_none_or(|build| build.split('.').all(word))
}

fn release_name(unit: &Unit<'_>, raw: &RawHelm, findings: &mut Findings) -> String {
    // Source: helm's chartutil.ValidateReleaseName.
    const LONGEST: usize = 53;
    let name = match &raw.release_name {
        Some(name) => text(unit, name, "releaseName", findings),
        None => Some(unit.name.to_owned()),
    };
    let Some(name) = name else { return String::new() };
    if name.len() > LONGEST || !name.split('.').all(is_label) {
        let message = format!("`{}` is not the name of a helm release", shown(&name));
        let hint =
            format!("at most {LONGEST} lower-case letters, digits, `-` and `.`; set `helm.releaseName`");
        findings.problem_with_hint(unit.options.node(&["helm", "releaseName"]), message, hint);
    }
    name
}

fn namespace(unit: &Unit<'_>, raw: &RawHelm, findings: &mut Findings) -> String {
    let Some(namespace) = &raw.namespace else { return "default".to_owned() };
    let Some(namespace) = text(unit, namespace, "namespace", findings) else { return String::new() };
    if namespace.len() > 63 || !is_label(&namespace) {
        let message = format!("`{}` is not the name of a namespace", shown(&namespace));
        findings.problem(unit.options.node(&["helm", "namespace"]), message);
    }
    namespace
}

/// A label by RFC 1123.
fn is_label(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty() && text.chars().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn kube_version(unit: &Unit<'_>, raw: &RawHelm, findings: &mut Findings) -> Option<String> {
    let version = text(unit, raw.kube_version.as_deref()?, "kubeVersion", findings)?;
    let parts: Vec<&str> = version.strip_prefix('v').unwrap_or(&version).split('.').collect();
    let number =
        |part: &&str| !part.is_empty() && part.len() < 6 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(parts.len(), 2 | 3) || !parts.iter().all(number) {
        let message = format!("`{}` is not a version of Kubernetes", shown(&version));
        findings.problem_with_hint(
            unit.options.node(&["helm", "kubeVersion"]),
            message,
            "write `1.33` or `1.33.2`, in quotes",
        );
    }
    Some(version)
}

/// The values with placeholders in their texts replaced; keys stay as they are.
fn values(unit: &Unit<'_>, values: Map<String, Value>, findings: &mut Findings) -> Map<String, Value> {
    values.into_iter().map(|(key, value)| (key, expand_value(unit, value, findings))).collect()
}

/// The depth is bounded by the parser's.
fn expand_value(unit: &Unit<'_>, value: Value, findings: &mut Findings) -> Value {
    match value {
        Value::String(value) => Value::String(text(unit, &value, "values", findings).unwrap_or_default()),
        Value::Array(items) => items.into_iter().map(|item| expand_value(unit, item, findings)).collect(),
        Value::Object(entries) => Value::Object(values(unit, entries, findings)),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::is_exact;

    #[test]
    fn only_whole_versions_are_pinned() {
        for good in ["1.2.3", "v1.2.3", "1.2.3-rc.1", "1.2.3+build.5", "0.0.0-alpha-1+x"] {
            assert!(is_exact(good), "{good}");
        }
        for bad in [
            "",
            "latest",
            "1",
            "1.2",
            "1.2.x",
            "^1.2.3",
            "~1.2.3",
            ">=1.2.3",
            "1.2.3 - 2.0.0",
            "1.2.3 || 1.2.4",
            "*",
            "1.2.3-",
        ] {
            assert!(!is_exact(bad), "{bad}");
        }
    }
}
