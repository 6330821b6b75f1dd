//! What a job of GitHub Actions shows of a run: annotations and outputs. Pure.
//!
//! Source: GitHub's documentation of workflow commands; the runner cuts messages at 4,096 characters, and shows ten
//! errors and ten warnings of a step.

use serde_json::json;

use crate::config::Problems;
use crate::error::{Place, hint_of, message_of};
use crate::escape::{clean, cut};
use crate::model::{EnvironmentReport, Operation, PullRequestOperation, PullRequestReport, RunReport};

/// Annotations of one kind that a step shows.
const SHOWN: usize = 10;
/// Longest message of an annotation.
const LONGEST: usize = 3_000;

/// The annotations of a run: what failed, and warnings.
pub fn annotations(report: &RunReport) -> Vec<String> {
    let mut errors = Vec::new();
    for environment in &report.environments {
        if let Some(error) = &environment.error {
            let hint = error.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
            let (place, message) = place_in(&error.message);
            let title = format!("hydrator: {}", environment.name);
            errors.push(annotation("error", place.as_ref(), &title, &format!("{message}{hint}")));
        }
    }
    errors.truncate(SHOWN);
    let warning = |(warning, names): (&str, Vec<&str>)| {
        annotation("warning", None, &format!("hydrator: {}", super::listed(&names)), warning)
    };
    let mut warnings: Vec<String> = super::by_warning(report).into_iter().map(warning).collect();
    let reverts = report.environments.iter().filter_map(super::dry_revert);
    for (_, text) in reverts.filter(|(is_warning, _)| *is_warning) {
        let line = annotation("warning", None, "hydrator", &text);
        if !warnings.contains(&line) {
            warnings.push(line);
        }
    }
    warnings.truncate(SHOWN);
    errors.extend(warnings);
    errors
}

/// Annotations of warnings.
pub fn warnings(warnings: &[String]) -> Vec<String> {
    warnings.iter().take(SHOWN).map(|warning| annotation("warning", None, "hydrator", warning)).collect()
}

/// The annotations of a command that failed as a whole; each problem of a configuration is one of its own.
pub fn error_annotations(error: &anyhow::Error) -> Vec<String> {
    if let Some(Problems(problems)) = error.downcast_ref::<Problems>() {
        let line = |problem: &crate::config::Problem| {
            let hint = problem.hint.as_ref().map(|hint| format!("\n{hint}")).unwrap_or_default();
            let message = format!("{}{hint}", problem.message);
            annotation("error", Some(&problem.place), "hydrator: configuration", &message)
        };
        return problems.iter().take(SHOWN).map(line).collect();
    }
    let hint = hint_of(error).map(|hint| format!("\n{hint}")).unwrap_or_default();
    let text = message_of(error);
    let (place, message) = place_in(&text);
    vec![annotation("error", place.as_ref(), "hydrator", &format!("{message}{hint}"))]
}

/// A place at the start of a message, as `file:line:column: `.
fn place_in(message: &str) -> (Option<Place>, &str) {
    let read = || {
        let (start, rest) = message.split_once(": ")?;
        let mut parts = start.rsplitn(3, ':');
        let (column, line, file) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
        let is_file = !file.is_empty() && !file.contains(char::is_whitespace);
        is_file.then(|| (Place { file: file.into(), line, column }, rest))
    };
    read().map_or((None, message), |(place, rest)| (Some(place), rest))
}

fn annotation(kind: &str, place: Option<&Place>, title: &str, message: &str) -> String {
    let mut properties = Vec::new();
    if let Some(place) = place {
        properties.push(format!("file={}", property(place.file.as_str())));
        for (name, number) in [("line", place.line), ("col", place.column)] {
            if number > 0 {
                properties.push(format!("{name}={number}"));
            }
        }
    }
    properties.push(format!("title={}", property(title)));
    format!("::{kind} {}::{}", properties.join(","), data(&cut(message, LONGEST)))
}

/// Text of a command; also the older way to write commands, which the runner finds anywhere in a line, is broken.
fn data(text: &str) -> String {
    let text = clean(text).replace("##[", "## [");
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The outputs of a step: names and values of one line each. `path` is where the whole report is kept.
pub fn outputs(report: &RunReport, path: Option<&str>) -> Vec<(&'static str, String)> {
    let touched: Vec<&EnvironmentReport> =
        report.environments.iter().filter(|one| super::exit::changed(one)).collect();
    let names: Vec<&str> = touched.iter().map(|one| one.name.as_str()).collect();
    let strongest = report.environments.iter().map(|one| one.operation).max().unwrap_or(Operation::None);
    let requests: Vec<(&EnvironmentReport, &PullRequestReport)> =
        report.environments.iter().filter_map(|one| Some((one, one.pull_request.as_ref()?))).collect();
    let shown: Vec<serde_json::Value> = requests
        .iter()
        .map(|(one, request)| {
            json!({
                "environment": one.name, "number": request.number, "url": request.url,
                "operation": request.operation, "headSha": one.proposed_sha, "branch": one.proposed_branch,
            })
        })
        .collect();
    let mut outputs = vec![
        ("changed", (!touched.is_empty()).to_string()),
        ("environments", json!(names).to_string()),
        ("pull-requests", json!(shown).to_string()),
        ("operation", strongest.word().to_owned()),
    ];
    outputs.extend(path.map(|path| ("report", path.to_owned())));
    // The one that this run is about: touched by it, else the only one there is.
    let of_run: Vec<&PullRequestReport> = requests
        .iter()
        .map(|(_, request)| *request)
        .filter(|request| request.operation != PullRequestOperation::None)
        .collect();
    let all: Vec<&PullRequestReport> = requests.iter().map(|(_, request)| *request).collect();
    if let ([only], _) | ([], [only]) = (of_run.as_slice(), all.as_slice()) {
        outputs.push(("pull-request-number", only.number.to_string()));
        outputs.push(("pull-request-url", only.url.clone()));
    }
    outputs
}

/// Outputs as the file of a step takes them. A delimiter that is in no value keeps each value a value.
pub fn output_text(outputs: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, value) in outputs {
        let delimiter = format!("hydrator_{}", crate::digest::short(format!("{name}\0{value}").as_bytes()));
        // A value that holds its own digest would be a wonder; it is left out then.
        if !value.contains(&delimiter) {
            text.push_str(&[*name, "<<", &delimiter, "\n", value, "\n", &delimiter, "\n"].concat());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Failure;

    #[test]
    fn annotations_stand_where_the_problem_is() {
        let error =
            anyhow::Error::new(Failure::config("apps/a,b:x/y.yaml:3:7: it is\nwrong 100%").hint("mend it"));
        let lines = error_annotations(&error);
        let wanted =
            "::error file=apps/a%2Cb%3Ax/y.yaml,line=3,col=7,title=hydrator::it is%0Awrong 100%25%0Amend it";
        assert_eq!(lines, [wanted]);
    }

    #[test]
    fn hostile_text_stays_inside_its_annotation() {
        let error = anyhow::Error::new(Failure::render("x\r\n::set-output name=a::b ##[error]c"));
        let lines = error_annotations(&error);
        assert_eq!(lines, ["::error title=hydrator::x%0A::set-output name=a::b ## [error]c"]);
    }

    #[test]
    fn outputs_are_delimited() {
        let text = output_text(&[("a", "1\nb<<c".to_owned())]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[1], lines[2]), ("1", "b<<c"));
        assert_eq!(lines[0], format!("a<<{}", lines[3]));
    }
}
