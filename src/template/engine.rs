//! The engine that the template renderer is given: [`TemplateSet`] behind its trait. Pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::TemplateSet;
use crate::render::{TemplateEngine, TemplateProblem};

/// Fills in the templates of one target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Engine;

impl TemplateEngine for Engine {
    fn fill_in(
        &self,
        sources: BTreeMap<String, String>,
        names: &[String],
        values: &Value,
    ) -> Result<Vec<String>, TemplateProblem> {
        let set = TemplateSet::new(move |name: &str| Ok(sources.get(name).cloned()));
        let problem = |error: super::TemplateError| TemplateProblem {
            template: error.template,
            line: error.line,
            reason: error.reason,
        };
        names.iter().map(|name| set.render(name, values).map_err(problem)).collect()
    }
}
