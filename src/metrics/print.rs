//! The figures as text, Markdown and JSON. Pure.

use anyhow::{Context as _, Result};
use schemars::generate::SchemaSettings;

use super::{EnvironmentMetrics, Metrics};
use crate::escape::{code_in_cell, log_text, one_line};

const HEADS: [&str; 6] = ["environment", "promotions", "per day", "lead time", "rolled back", "restored in"];

/// For people.
pub fn text(metrics: &Metrics) -> String {
    let mut rows = vec![HEADS.map(str::to_owned)];
    rows.extend(metrics.environments.iter().map(|one| cells(one, log_text(&one_line(one.name.as_str())))));
    let widths: Vec<usize> = (0..HEADS.len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default())
        .collect();
    let mut lines = vec![period(metrics)];
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        lines.push(format!("  {}", cells.collect::<Vec<_>>().join("  ")));
    }
    lines.join("\n") + "\n"
}

/// For a step summary.
pub fn markdown(metrics: &Metrics) -> String {
    let mut lines = vec![
        format!("## {}", period(metrics)),
        String::new(),
        format!("| {} |", HEADS.join(" | ")),
        "| --- | ---: | ---: | ---: | ---: | ---: |".to_owned(),
    ];
    let row = |one: &EnvironmentMetrics| cells(one, code_in_cell(one.name.as_str())).join(" | ");
    lines.extend(metrics.environments.iter().map(|one| format!("| {} |", row(one))));
    lines.join("\n") + "\n"
}

fn period(metrics: &Metrics) -> String {
    format!("Deliveries from {} to {}", metrics.since, metrics.until)
}

fn cells(one: &EnvironmentMetrics, name: String) -> [String; 6] {
    let figures = &one.figures;
    let time = |seconds: Option<i64>| seconds.map_or_else(|| "-".to_owned(), length);
    let share = figures.failure_rate.map_or_else(String::new, |rate| format!(" ({:.0} %)", rate * 100.0));
    [
        name,
        figures.promotions.to_string(),
        format!("{:.2}", figures.per_day),
        time(figures.lead_time_seconds),
        format!("{}{share}", figures.rolled_back),
        time(figures.restore_seconds),
    ]
}

/// A length of time in the largest unit that there are two of.
fn length(seconds: i64) -> String {
    const UNITS: [(i64, &str); 3] = [(86_400, "days"), (3_600, "hours"), (60, "minutes")];
    let unit = UNITS.iter().find(|(length, _)| seconds >= 2 * length);
    unit.map_or_else(|| format!("{seconds} s"), |(length, name)| format!("{} {name}", seconds / length))
}

/// For programs: one object.
pub fn json(metrics: &Metrics) -> Result<String> {
    Ok(serde_json::to_string_pretty(metrics).context("cannot write the metrics as JSON")? + "\n")
}

/// The JSON Schema of that object.
pub fn schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<Metrics>().to_value()
}
