//! The resolved configuration for people: who waits for whom, and what is rendered for which environment. Pure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::model::{Environment, Project, Renderer, Target};

/// The text that `hydrator check` prints.
pub fn describe(project: &Project) -> String {
    let mut text = String::new();
    describe_order(project, &mut text);
    text.push('\n');
    describe_targets(project, &mut text);
    text
}

fn describe_order(project: &Project, text: &mut String) {
    let _ = writeln!(text, "Environments ({})", project.environments.len());
    let mut rows = vec![[
        String::new(),
        "NAME".into(),
        "AFTER".into(),
        "ACTIVE BRANCH".into(),
        "PROPOSED BRANCH".into(),
        "RULES".into(),
    ]];
    for (index, environment) in project.environments.iter().enumerate() {
        let after: Vec<&str> =
            project.predecessors(index).iter().map(|before| before.name.as_str()).collect();
        rows.push([
            String::new(),
            environment.name.to_string(),
            if after.is_empty() { "-".to_owned() } else { after.join(", ") },
            environment.active.to_string(),
            environment.proposed.to_string(),
            rules(environment),
        ]);
    }
    table(&rows, text);
}

fn rules(environment: &Environment) -> String {
    let mut rules = Vec::new();
    if environment.auto_merge {
        rules.push("auto-merge".to_owned());
    }
    if environment.gates.soak_seconds > 0 {
        rules.push(format!("soak {}", duration(environment.gates.soak_seconds)));
    }
    if !environment.gates.statuses.is_empty() {
        rules.push(format!("statuses {}", environment.gates.statuses.join(", ")));
    }
    if environment.gates.on_failure.is_some() {
        rules.push("rolled back when one fails".to_owned());
    }
    for window in &environment.merge_windows {
        rules.push(format!("merges {} {} {}", window.days, window.hours, window.timezone));
    }
    for freeze in &environment.freezes {
        rules.push(format!("frozen {} to {} {}", freeze.from, freeze.to, freeze.timezone));
    }
    if rules.is_empty() { "-".to_owned() } else { rules.join("; ") }
}

fn duration(seconds: u64) -> String {
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm'), (1, 's')];
    let mut rest = seconds;
    let mut text = String::new();
    for (size, unit) in units {
        if rest >= size {
            let _ = write!(text, "{}{unit}", rest / size);
            rest %= size;
        }
    }
    text
}

/// A target as it is in some environments: sources that differ only in the environment's name are one row.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Row {
    output: String,
    name: String,
    renderer: &'static str,
    source: String,
}

fn describe_targets(project: &Project, text: &mut String) {
    let count: usize = project.environments.iter().map(|environment| environment.targets.len()).sum();
    let mut rows: BTreeMap<Row, Vec<usize>> = BTreeMap::new();
    for (index, environment) in project.environments.iter().enumerate() {
        for target in &environment.targets {
            rows.entry(row(environment, target)).or_default().push(index);
        }
    }
    let _ = writeln!(
        text,
        "Targets ({count} in {} {})",
        project.environments.len(),
        plural(project.environments.len())
    );
    let mut lines = vec![[
        String::new(),
        "NAME".into(),
        "RENDERER".into(),
        "SOURCE".into(),
        "OUTPUT".into(),
        "ENVIRONMENTS".into(),
    ]];
    for (row, indexes) in rows {
        let source = if row.source.is_empty() { ".".to_owned() } else { row.source };
        lines.push([
            String::new(),
            row.name,
            row.renderer.to_owned(),
            source,
            row.output,
            which(project, &indexes),
        ]);
    }
    table(&lines, text);
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "environment" } else { "environments" }
}

fn row(environment: &Environment, target: &Target) -> Row {
    let source = match &target.renderer {
        Renderer::Helm(options) => match &options.chart {
            crate::model::ChartSource::Repository { url, chart, version } => {
                format!("{url}/{chart} {version}")
            }
            crate::model::ChartSource::Directory => target.source.to_string(),
        },
        _ => target.source.to_string(),
    };
    Row {
        output: target.output.to_string(),
        name: target.name.clone(),
        renderer: target.renderer.name(),
        source: with_placeholder(&source, environment.name.as_str()),
    }
}

/// The source with the environment's name, where it is a whole word of a component, as `{environment}`.
fn with_placeholder(source: &str, environment: &str) -> String {
    let replaced = source.split('/').map(|component| {
        let words = component.match_indices(environment).find(|(at, _)| {
            let (before, after) = (&component[..*at], &component[at + environment.len()..]);
            let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            edge(before.chars().next_back()) && edge(after.chars().next())
        });
        match words {
            Some((at, _)) => {
                format!("{}{{environment}}{}", &component[..at], &component[at + environment.len()..])
            }
            None => component.to_owned(),
        }
    });
    replaced.collect::<Vec<_>>().join("/")
}

/// Which environments, in as few words as say it.
fn which(project: &Project, indexes: &[usize]) -> String {
    const MOST: usize = 6;
    let all = project.environments.len();
    let name = |index: &usize| project.environments[*index].name.to_string();
    if indexes.len() == all && all > 1 {
        return format!("all {all}");
    }
    let missing: Vec<usize> = (0..all).filter(|index| !indexes.contains(index)).collect();
    if indexes.len() > MOST && missing.len() <= 3 {
        return format!("all but {}", missing.iter().map(name).collect::<Vec<_>>().join(", "));
    }
    let shown: Vec<String> = indexes.iter().take(MOST).map(name).collect();
    let more = indexes.len() - shown.len();
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// Columns as wide as their widest cell; the first one is the indentation, the last one is not padded.
fn table<const N: usize>(rows: &[[String; N]], text: &mut String) {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            let _ = write!(line, "{}{}  ", visible(cell), " ".repeat(width - cell.chars().count()));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

/// File names are hostile: no control character reaches a terminal.
fn visible(cell: &str) -> String {
    cell.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
