//! The report for a terminal or a CI log: one aligned line for each environment, details only where something
//! happened. Pure; everything that others wrote is made harmless.

use std::collections::BTreeMap;

use super::error::with_start;
use super::{is_told, operation_counts, remark};
use crate::escape::{cut, log_text, one_line};
use crate::model::{
    EnvironmentReport, ErrorReport, Operation, PullRequestOperation, RunReport, TargetReport,
};

/// Affected targets that are named for each environment when nobody asked for an explanation.
const TARGETS_SHOWN: usize = 8;
const REMARK_LIMIT: usize = 160;

/// How the text is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextStyle {
    /// With colours, for a terminal.
    pub colour: bool,
    /// With every target and all reasons why it is affected or not.
    pub explain: bool,
}

/// The report as text, ending with a line feed.
pub fn text(report: &RunReport, style: TextStyle) -> String {
    let widths = Widths::of(report);
    let warnings = Warnings::of(report);
    let notes = shared_notes(report);
    let mut lines = vec![format!("DRY commit {}", report.dry_sha.short())];
    for environment in &report.environments {
        let is_shared = environment.note.as_ref().is_some_and(|note| notes.contains_key(note.as_str()));
        let remark = if is_shared {
            remark(&EnvironmentReport { note: None, ..environment.clone() })
        } else {
            remark(environment)
        };
        lines.push(environment_line(environment, remark, &widths, style));
        lines.extend(details(environment, &warnings, style).into_iter().map(|line| indented(&line)));
    }
    lines.extend(warnings.shared());
    lines.extend(notes.iter().map(|(note, count)| format!("{count} environments: {}", line(note))));
    lines.push(total_line(report));
    lines.join("\n") + "\n"
}

/// Notes that all environments have, or many, with how many: what is said of a first run is the same for all of them.
/// What is held is told one by one.
fn shared_notes(report: &RunReport) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for environment in report.environments.iter().filter(|environment| environment.hold.is_none()) {
        if let Some(note) = &environment.note {
            *counts.entry(note.as_str()).or_insert(0) += 1;
        }
    }
    let all = report.environments.len();
    counts.retain(|_, count| *count > 2 || (*count > 1 && *count == all));
    counts
}

/// Warnings, each with the environments that got it. What a tool says of a shared base, it says for every environment.
struct Warnings<'a>(Vec<(&'a str, Vec<&'a str>)>);

impl<'a> Warnings<'a> {
    fn of(report: &'a RunReport) -> Self {
        Self(super::by_warning(report))
    }

    /// Those of this environment alone.
    fn own(&self, environment: &EnvironmentReport) -> Vec<String> {
        let is_alone =
            |warning: &&String| self.0.iter().any(|(known, names)| known == warning && names.len() == 1);
        environment.warnings.iter().filter(is_alone).map(|warning| with_start("warning: ", warning)).collect()
    }

    fn shared(&self) -> Vec<String> {
        let shared = self.0.iter().filter(|(_, names)| names.len() > 1);
        let line = |(warning, names): &(&str, Vec<&str>)| {
            with_start(&format!("warning in {}: ", super::listed(names)), warning)
        };
        shared.map(line).collect()
    }
}

struct Widths {
    name: usize,
    operation: usize,
    request: usize,
    targets: usize,
}

impl Widths {
    fn of(report: &RunReport) -> Self {
        let widest = |cell: &dyn Fn(&EnvironmentReport) -> String| {
            report.environments.iter().map(|one| cell(one).chars().count()).max().unwrap_or_default()
        };
        Self {
            name: widest(&name),
            operation: widest(&|one| word(one.operation).to_owned()),
            request: widest(&request),
            targets: widest(&targets),
        }
    }
}

fn environment_line(
    environment: &EnvironmentReport,
    remark: Option<String>,
    widths: &Widths,
    style: TextStyle,
) -> String {
    let operation = format!("{:<1$}", word(environment.operation), widths.operation);
    let operation = if style.colour { coloured(environment.operation, &operation) } else { operation };
    let remark = remark.map(|remark| cut(&line(&remark), REMARK_LIMIT)).unwrap_or_default();
    // A column that is empty in every line is left out.
    let cells = [
        Some(format!("{:<1$}", name(environment), widths.name)),
        Some(operation),
        (widths.request > 0).then(|| format!("{:<1$}", request(environment), widths.request)),
        (widths.targets > 0).then(|| format!("{:<1$}", targets(environment), widths.targets)),
        Some(remark),
    ];
    let line = format!("  {}", cells.into_iter().flatten().collect::<Vec<_>>().join("  "));
    line.trim_end().to_owned()
}

/// For people, nothing done means that nothing changed.
const fn word(operation: Operation) -> &'static str {
    match operation {
        Operation::None => "unchanged",
        other => other.word(),
    }
}

fn coloured(operation: Operation, text: &str) -> String {
    let code = match operation {
        Operation::Created | Operation::Updated | Operation::Pushed | Operation::Merged => "32",
        Operation::Closed | Operation::Held | Operation::Rejected => "33",
        Operation::Failed => "31",
        Operation::None | Operation::Superseded | Operation::Orphan => "2",
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

fn name(environment: &EnvironmentReport) -> String {
    line(environment.name.as_str())
}

fn request(environment: &EnvironmentReport) -> String {
    environment.pull_request.as_ref().map(|request| format!("#{}", request.number)).unwrap_or_default()
}

fn targets(environment: &EnvironmentReport) -> String {
    let all = environment.targets.len();
    let affected = environment.targets.iter().filter(|target| target.affected).count();
    // Where nothing was looked at, a zero would say too much.
    let unknown = matches!(environment.operation, Operation::Failed | Operation::Superseded) && affected == 0;
    if all == 0 || unknown { String::new() } else { format!("{affected}/{all} affected") }
}

/// What is worth more than the one line.
fn details(environment: &EnvironmentReport, warnings: &Warnings<'_>, style: TextStyle) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(request_line(environment));
    if style.explain || !is_quiet(environment.operation) {
        lines.extend(target_lines(environment, style));
    }
    lines.extend(
        super::dry_revert(environment).map(|(is_warning, text)| {
            with_start(if is_warning { "warning: " } else { "DRY branch: " }, &text)
        }),
    );
    lines.extend(warnings.own(environment));
    if let Some(error) = &environment.error {
        lines.extend(error_lines(error));
    }
    lines
}

/// Whether nothing came of it, whatever its targets' inputs did.
const fn is_quiet(operation: Operation) -> bool {
    matches!(operation, Operation::None | Operation::Superseded | Operation::Orphan)
}

fn request_line(environment: &EnvironmentReport) -> Option<String> {
    let request = environment.pull_request.as_ref()?;
    let word = match request.operation {
        PullRequestOperation::Created => "opened",
        PullRequestOperation::Updated => "updated",
        PullRequestOperation::Closed => "closed",
        PullRequestOperation::Merged => "merged",
        PullRequestOperation::None => return None,
    };
    Some(format!("{word} {}", line(&request.url)))
}

fn target_lines(environment: &EnvironmentReport, style: TextStyle) -> Vec<String> {
    let targets = &environment.targets;
    if style.explain {
        return targets.iter().map(|target| target_line(target, target.reasons.len())).collect();
    }
    let failed = targets.iter().filter(|target| target.error.is_some() && !is_told(environment, target));
    let failed = failed.map(|target| target_line(target, 1));
    let affected =
        targets.iter().filter(|target| target.affected && target.error.is_none()).collect::<Vec<_>>();
    let rest = match affected.as_slice() {
        [] => None,
        [only] => Some(target_line(only, 1)),
        many => Some(names(many)),
    };
    failed.chain(rest).collect()
}

fn names(targets: &[&TargetReport]) -> String {
    let shown = targets.iter().take(TARGETS_SHOWN).map(|target| line(&target.name)).collect::<Vec<_>>();
    let hidden = targets.len() - shown.len();
    let more = if hidden > 0 { format!(" and {hidden} more") } else { String::new() };
    format!("~ {}{more}", shown.join(", "))
}

fn target_line(target: &TargetReport, reasons: usize) -> String {
    let mark = match (&target.error, target.affected) {
        (Some(_), _) => "!",
        (None, true) => "~",
        (None, false) => "=",
    };
    let mut text = format!("{mark} {}", line(&target.name));
    let said = target.reasons.iter().take(reasons).map(|reason| line(reason)).collect::<Vec<_>>().join("; ");
    if !said.is_empty() {
        text = format!("{text}: {said}");
    }
    match &target.error {
        Some(error) => format!("{text}\n{}", indented(&with_start("error: ", error))),
        None => text,
    }
}

fn error_lines(error: &ErrorReport) -> Vec<String> {
    let hint = error.hint.as_ref().map(|hint| with_start("hint: ", hint));
    std::iter::once(with_start("error: ", &error.message)).chain(hint).collect()
}

fn total_line(report: &RunReport) -> String {
    let all = report.environments.len();
    let noun = if all == 1 { "environment" } else { "environments" };
    let counts = operation_counts(report);
    let said = counts.iter().map(|(operation, count)| format!("{count} {}", word(*operation)));
    let said = said.collect::<Vec<_>>().join(", ");
    if said.is_empty() { format!("{all} {noun}") } else { format!("{all} {noun}: {said}") }
}

fn line(text: &str) -> String {
    log_text(&one_line(text))
}

/// Four spaces before every line.
fn indented(text: &str) -> String {
    text.split('\n').map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
