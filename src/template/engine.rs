//! The engine that the template renderer is given: [`TemplateSet`] behind its trait.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use serde_json::Value;

use super::TemplateSet;
use crate::render::{TemplateEngine, TemplateLoader};

/// Fills in the templates of one target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Engine;

/// Sources by name: `None` for a file that does not exist.
#[derive(Debug, Default)]
struct Sources {
    known: BTreeMap<String, Option<String>>,
    asked: Vec<String>,
}

impl TemplateEngine for Engine {
    /// The set's loader must outlive this call's, so it only notes what is missing; that is read, and the template
    /// filled in again. Every round reads at least one more file of the target.
    fn fill_in(&self, name: &str, values: &Value, load: &TemplateLoader<'_>) -> Result<String> {
        let sources = Arc::new(Mutex::new(Sources::default()));
        sources.lock().unwrap_or_else(PoisonError::into_inner).asked.push(name.to_owned());
        loop {
            let asked = std::mem::take(&mut sources.lock().unwrap_or_else(PoisonError::into_inner).asked);
            for name in asked {
                let source = load(&name)?;
                sources.lock().unwrap_or_else(PoisonError::into_inner).known.insert(name, source);
            }
            let shared = Arc::clone(&sources);
            let rendered = TemplateSet::new(move |name: &str| Ok(find(&shared, name))).render(name, values);
            if sources.lock().unwrap_or_else(PoisonError::into_inner).asked.is_empty() {
                return Ok(rendered?);
            }
        }
    }
}

fn find(sources: &Mutex<Sources>, name: &str) -> Option<String> {
    let mut sources = sources.lock().unwrap_or_else(PoisonError::into_inner);
    let known = sources.known.get(name).cloned();
    if known.is_none() {
        sources.asked.push(name.to_owned());
    }
    known.flatten()
}
