//! What a reviewer sees first: the table, and what should not be overlooked. Pure.

use std::collections::BTreeMap;

use super::{counts, is_sound, note, remarks, stand_ins, unshown_in_all};
use crate::compare::Signal;
use crate::diff::report::{DiffReport, EnvironmentDiff, ManifestName};
use crate::escape::{code, code_in_cell, cut, prose};
use crate::model::SignalKind;

/// Signals and places beyond these are counted.
const SIGNALS_SHOWN: usize = 30;
const PLACES_SHOWN: usize = 4;

/// The word for one, and for several.
pub(super) const fn words(kind: SignalKind) -> (&'static str, &'static str) {
    match kind {
        SignalKind::DataLoss => ("data loss", "data losses"),
        SignalKind::Immutable => ("immutable field", "immutable fields"),
        SignalKind::Rbac => ("wider right", "wider rights"),
        SignalKind::Privilege => ("privilege", "privileges"),
        SignalKind::Exposure => ("exposure", "exposures"),
        SignalKind::Secret => ("Secret", "Secrets"),
        SignalKind::Deletion => ("deletion", "deletions"),
        SignalKind::Replicas => ("scaling", "scalings"),
        SignalKind::Resources => ("resource", "resources"),
        SignalKind::Image => ("image", "images"),
    }
}

/// Whether it deserves to be printed in bold.
const fn is_grave(kind: SignalKind) -> bool {
    matches!(kind, SignalKind::DataLoss | SignalKind::Immutable | SignalKind::Rbac | SignalKind::Privilege)
}

/// Heading, table and signals, or the one line when nothing changes. `whole` is where the whole diff is, as Markdown.
pub(super) fn summary(report: &DiffReport, whole: Option<&str>) -> String {
    let base = report.base_sha.map(|base| code(&base.short()));
    let head = code(&report.head_sha.short());
    let news: Vec<&EnvironmentDiff> = report.environments.iter().filter(|one| one.is_news()).collect();
    let unshown = unshown_in_all(report);
    if news.is_empty() && is_sound(report) {
        let but = unshown.map(|unshown| format!(" ({unshown})")).unwrap_or_default();
        if report.determinism {
            return format!("hydrator: {head} renders to the same twice{but}.");
        }
        let from = base.map(|base| format!("from {base} to ")).unwrap_or_default();
        return format!("hydrator: {from}{head} no manifest changes{but}.");
    }
    let heading = if report.determinism {
        format!("### hydrator: {head} is not rendered to the same twice")
    } else {
        format!("### hydrator: what {head} changes in the manifests")
    };
    let mut parts = vec![heading];
    if let Some(error) = &report.error {
        parts.push(super::error(error));
    }
    parts.extend(remarks(report).into_iter().map(|(what, error)| note(what, error)));
    if !news.is_empty() {
        let mut rows = vec![
            "| environment | targets | manifests | look at |".to_owned(),
            "| --- | ---: | --- | --- |".to_owned(),
        ];
        rows.extend(news.iter().map(|environment| row(environment)));
        parts.push(rows.join("\n"));
        parts.extend(signals(&news));
    }
    let same = report.environments.len() - news.len();
    let base = base.filter(|_| !report.determinism);
    let mut last: Vec<String> = base.map(|base| format!("Compared with {base}")).into_iter().collect();
    last.extend(
        (same > 0).then(|| format!("{same} of {} environments stay as they are", report.environments.len())),
    );
    last.extend(unshown);
    last.extend(stand_ins(report));
    last.extend(whole.map(str::to_owned));
    parts.extend((!last.is_empty()).then(|| format!("{}.", last.join("; "))));
    parts.join("\n\n")
}

fn row(environment: &EnvironmentDiff) -> String {
    let changed = environment.targets.iter().filter(|target| target.is_news()).count();
    let failed = environment.targets.iter().filter(|target| target.error.is_some()).count();
    let mut remarks = Vec::new();
    remarks.extend((failed > 0).then(|| format!("**{failed} failed**")));
    let blind = environment.targets.iter().filter(|target| target.base_error.is_some()).count();
    remarks.extend((blind > 0).then(|| format!("{blind} did not render before")));
    let mut kinds: BTreeMap<SignalKind, usize> = BTreeMap::new();
    for signal in environment.signals().map(|(_, _, signal)| signal) {
        *kinds.entry(signal.kind).or_default() += 1;
    }
    for (kind, count) in kinds {
        let (one, many) = words(kind);
        let text = if count == 1 { format!("1 {one}") } else { format!("{count} {many}") };
        remarks.push(if is_grave(kind) { format!("**{text}**") } else { text });
    }
    remarks.extend(environment.hold.as_ref().map(|hold| format!("held: {}", prose(&cut(hold, 200)))));
    remarks.extend(environment.behind.as_ref().map(|behind| prose(&behind.words())));
    format!(
        "| {} | {changed}/{} | {} | {} |",
        code_in_cell(environment.name.as_str()),
        environment.targets_in_all,
        counts(environment.counts()),
        remarks.join(", "),
    )
}

/// One line for each thing to look at, with the places where it is.
fn signals(news: &[&EnvironmentDiff]) -> Option<String> {
    let mut found: BTreeMap<&Signal, BTreeMap<String, Vec<&str>>> = BTreeMap::new();
    for environment in news {
        for (target, change, signal) in environment.signals() {
            let name = environment.name.as_str();
            let place = subject(signal.kind, &target.name, &general(&change.manifest, name));
            let names = found.entry(signal).or_default().entry(place).or_default();
            if names.last() != Some(&environment.name.as_str()) {
                names.push(environment.name.as_str());
            }
        }
    }
    let mut lines: Vec<String> = found.iter().map(|(signal, places)| line(signal, places)).collect();
    let more = lines.len().saturating_sub(SIGNALS_SHOWN);
    lines.truncate(SIGNALS_SHOWN);
    lines.extend((more > 0).then(|| format!("- and {more} more, each told below at its manifest")));
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// A manifest that is named after its environment (kustomize's `namePrefix`, `nameSuffix`), as it is called everywhere.
fn general(manifest: &ManifestName, environment: &str) -> ManifestName {
    let name = &manifest.name;
    let rest = name.strip_prefix(environment).filter(|rest| rest.starts_with('-'));
    let start = name.strip_suffix(environment).filter(|start| start.ends_with('-'));
    let name = match (rest, start) {
        (Some(rest), _) => format!("{{environment}}{rest}"),
        (None, Some(start)) => format!("{start}{{environment}}"),
        (None, None) => name.clone(),
    };
    ManifestName { name, ..manifest.clone() }
}

/// What a signal is about, beyond its own words.
fn subject(kind: SignalKind, target: &str, manifest: &ManifestName) -> String {
    match kind {
        // These say themselves who goes; and of an image it matters more where it runs than in what.
        SignalKind::DataLoss | SignalKind::Deletion | SignalKind::Image => target.to_owned(),
        _ => format!("{target}: {}", manifest.unplaced()),
    }
}

fn line(signal: &Signal, places: &BTreeMap<String, Vec<&str>>) -> String {
    let (word, _) = words(signal.kind);
    let word = if is_grave(signal.kind) { format!("**{word}**") } else { word.to_owned() };
    let shown: Vec<String> = places
        .iter()
        .take(PLACES_SHOWN)
        .map(|(place, names)| format!("{} in {}", code(&cut(place, 150)), prose(&names.join(", "))))
        .collect();
    let more = places.len() - shown.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("- {word}: {} ({}{more})", prose(&cut(&signal.text, 300)), shown.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_after_its_environment_is_called_the_same_in_all() {
        let called = |name: &str, environment: &str| {
            let (group, kind, namespace) = (String::new(), "Service".to_owned(), String::new());
            general(&ManifestName { group, kind, namespace, name: name.to_owned() }, environment).name
        };
        assert_eq!(called("prod-web", "prod"), called("dev-web", "dev"));
        assert_eq!(called("web-prod", "prod"), "web-{environment}");
        assert_eq!(called("production", "prod"), "production");
        assert_eq!(called("prod", "prod"), "prod");
    }
}
