//! The report as JSON, and the schema of that JSON. Pure.

use anyhow::{Context as _, Result};
use schemars::generate::SchemaSettings;

use crate::model::RunReport;

/// One JSON object, ending with a line feed.
pub fn json(report: &RunReport) -> Result<String> {
    let text = serde_json::to_string_pretty(report).context("cannot write the report as JSON")?;
    // GitHub's runner takes this for the start of a command wherever it stands in a line. Only strings can hold it.
    Ok(text.replace("##[", "##\\u005b") + "\n")
}

/// The JSON Schema of the report, from the same structs.
pub fn report_schema() -> serde_json::Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    generator.into_root_schema_for::<RunReport>().to_value()
}
