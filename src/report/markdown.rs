//! The report for a step summary: a table with links, and details folded below it. Pure.

use super::{is_told, operation_counts, remark};
use crate::escape::{code, code_in_cell, cut, cut_markdown, fence, html, link, log_text, prose};
use crate::model::{EnvironmentReport, Operation, RunReport, TargetReport};

/// GitHub takes 1 MiB for all summaries of a step; this leaves room for others, also when every character is long.
const LIMIT: usize = 200_000;
const TARGETS_SHOWN: usize = 50;
const REMARK_LIMIT: usize = 300;
const MESSAGE_LIMIT: usize = 10_000;

/// The report as Markdown, ending with a line feed.
pub fn markdown(report: &RunReport) -> String {
    let mut parts =
        vec![format!("## hydrator: DRY commit {}", code(&report.dry_sha.short())), totals(report)];
    parts.extend(table(report));
    parts.extend(report.picture.as_ref().map(|picture| fence("mermaid", picture).trim_end().to_owned()));
    parts.extend(report.environments.iter().filter_map(details));
    cut_markdown(&(parts.join("\n\n") + "\n"), LIMIT)
}

fn totals(report: &RunReport) -> String {
    let counts = operation_counts(report);
    let words = counts.iter().map(|(operation, count)| match operation {
        Operation::None => format!("{count} unchanged"),
        Operation::Failed => format!("**{count} failed**"),
        other => format!("{count} {}", other.word()),
    });
    let words = words.collect::<Vec<_>>().join(", ");
    if words.is_empty() { "No environments.".to_owned() } else { format!("{words}.") }
}

fn table(report: &RunReport) -> Option<String> {
    if report.environments.is_empty() {
        return None;
    }
    let mut lines = vec![
        "| environment | operation | pull request | targets affected | |".to_owned(),
        "| --- | --- | --- | ---: | --- |".to_owned(),
    ];
    lines.extend(report.environments.iter().map(row));
    Some(lines.join("\n"))
}

fn row(environment: &EnvironmentReport) -> String {
    let operation = match environment.operation {
        Operation::None => "unchanged".to_owned(),
        Operation::Failed => "**failed**".to_owned(),
        other => other.word().to_owned(),
    };
    let request = environment.pull_request.as_ref();
    let request =
        request.map(|request| link(&format!("\\#{}", request.number), &request.url)).unwrap_or_default();
    let affected = environment.targets.iter().filter(|target| target.affected).count();
    let remark = remark(environment).map(|remark| prose(&cut(&remark, REMARK_LIMIT))).unwrap_or_default();
    format!(
        "| {} | {operation} | {request} | {affected}/{} | {remark} |",
        code_in_cell(environment.name.as_str()),
        environment.targets.len(),
    )
}

fn details(environment: &EnvironmentReport) -> Option<String> {
    let parts = [problem(environment), warnings(environment), targets(environment)];
    let parts = parts.into_iter().flatten().collect::<Vec<_>>();
    if parts.is_empty() {
        return None;
    }
    let open = if environment.error.is_some() { " open" } else { "" };
    let summary = html(environment.name.as_str());
    Some(format!("<details{open}>\n<summary>{summary}</summary>\n\n{}\n\n</details>", parts.join("\n\n")))
}

fn problem(environment: &EnvironmentReport) -> Option<String> {
    let error = environment.error.as_ref()?;
    let hint = error.hint.as_ref().map(|hint| format!("\n{}", prose(hint))).unwrap_or_default();
    Some(format!("{}{hint}", fence("text", &log_text(&cut(&error.message, MESSAGE_LIMIT)))))
}

fn warnings(environment: &EnvironmentReport) -> Option<String> {
    let revert = super::dry_revert(environment).map(|(is_warning, text)| {
        format!("- {}: {}", if is_warning { "warning" } else { "DRY branch" }, prose(&text))
    });
    let lines = environment.warnings.iter().map(|warning| format!("- warning: {}", prose(warning)));
    let text = revert.into_iter().chain(lines).collect::<Vec<_>>().join("\n");
    (!text.is_empty()).then_some(text)
}

fn targets(environment: &EnvironmentReport) -> Option<String> {
    let told = |target: &&TargetReport| target.affected || target.error.is_some();
    let all = environment.targets.iter().filter(told).collect::<Vec<_>>();
    let mut lines =
        all.iter().take(TARGETS_SHOWN).map(|target| target_line(environment, target)).collect::<Vec<_>>();
    let hidden = all.len() - lines.len();
    if hidden > 0 {
        lines.push(format!("- and {hidden} more"));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

fn target_line(environment: &EnvironmentReport, target: &TargetReport) -> String {
    let reasons = target.reasons.iter().take(3).map(|reason| prose(reason)).collect::<Vec<_>>().join("; ");
    let error = target.error.as_ref().map(|error| {
        let told = is_told(environment, target);
        let said = if told { String::new() } else { format!(": {}", prose(&cut(error, REMARK_LIMIT))) };
        format!("**failed**{said}")
    });
    let said = [Some(reasons).filter(|reasons| !reasons.is_empty()), error].into_iter().flatten();
    let said = said.collect::<Vec<_>>().join("; ");
    if said.is_empty() {
        format!("- {}", code(&target.name))
    } else {
        format!("- {}: {said}", code(&target.name))
    }
}
