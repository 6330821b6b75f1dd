//! Templates: titles, bodies and messages ([`Template`]), and the sources of the `template` renderer ([`TemplateSet`]).
//!
//! The only place that knows the template engine. Strict: an undefined variable is an error. No access to files, time,
//! randomness or the environment; time and memory of one rendering are bounded, since templates come from the DRY
//! tree. Errors never show values of the context. Pure.

mod context;
mod engine;
mod error;
mod filters;
mod guard;
mod set;
mod values;
mod yaml;

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{Environment, Output, State, UndefinedBehavior, Value};
use serde::Serialize;

pub use context::{DryContext, PROPOSAL_VARIABLES, ProposalContext};
pub use engine::Engine;
pub use error::TemplateError;
pub use set::TemplateSet;

/// Enough for any title or body: about a million steps, or 64 MiB of text.
const TEXT_FUEL: u64 = 1_000_000;
/// How deep includes, macros and recursive loops may nest: each level takes space on the thread's stack.
const MAX_NESTING: usize = 100;
/// Longer is no template that a person keeps.
const MAX_SOURCE: usize = 1 << 20;
/// What the engine itself defines.
const GLOBALS: &[&str] = &["range", "dict"];

/// One template that needs no other: a title, a body, a message.
#[derive(Clone, Debug)]
pub struct Template {
    name: String,
    environment: Arc<Environment<'static>>,
}

impl Template {
    /// Parses `source`; errors call it `name`.
    pub fn parse(name: &str, source: &str) -> Result<Self, TemplateError> {
        check_size(name, source)?;
        let mut environment = strict(TEXT_FUEL);
        let added = environment.add_template_owned(name.to_owned(), source.to_owned());
        added.map_err(|error| TemplateError::new(name, source, &error))?;
        Ok(Self { name: name.to_owned(), environment: Arc::new(environment) })
    }

    /// The variables that it reads and that are not among `known`, sorted. A known `targets.*` stands for everything
    /// below `targets`; what is above a known name, such as `dry`, is known too.
    pub fn unknown_variables<S: AsRef<str>>(&self, known: &[S]) -> Vec<String> {
        let Ok(template) = self.environment.get_template(&self.name) else { return Vec::new() };
        let used: BTreeSet<String> = template.undeclared_variables(true).into_iter().collect();
        let is_known = |name: &str| known.iter().any(|known| covers(known.as_ref(), name));
        used.into_iter().filter(|name| !GLOBALS.contains(&name.as_str()) && !is_known(name)).collect()
    }

    /// Renders it with `context`, which must become a mapping.
    pub fn render<T: Serialize>(&self, context: &T) -> Result<String, TemplateError> {
        let context = serde_json::to_value(context)
            .map_err(|_| TemplateError::bare(&self.name, "the context has no JSON form"))?;
        guard::render(&self.environment, &self.name, values::value(&context))
    }
}

/// Whether the known name `known` makes the name `used` a good one.
fn covers(known: &str, used: &str) -> bool {
    let below = |long: &str, short: &str| long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'));
    match known.strip_suffix(".*") {
        Some(parent) => used == parent || below(used, parent),
        None => used == known || below(known, used),
    }
}

/// An engine that is strict, bounded, and cannot look outside.
fn strict(fuel: u64) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(fuel));
    environment.set_recursion_limit(MAX_NESTING);
    // Names the undefined variable in errors; what else it collects stays in the error, unread.
    environment.set_debug(true);
    environment.set_syntax(SyntaxConfig::builder().keep_trailing_newline(true).build().unwrap_or_default());
    // It prints the whole context.
    environment.remove_global("debug");
    // A value that a loop can grow: nothing bounds what a few lines would make of it.
    environment.remove_global("namespace");
    environment.set_formatter(print);
    filters::add(&mut environment);
    environment
}

/// Prints lists and mappings as JSON, which is YAML too, and pays for them.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map => {
            out.write_str(&yaml::json(state, value)?).map_err(minijinja::Error::from)
        }
        _ => minijinja::escape_formatter(out, state, value),
    }
}

fn check_size(name: &str, source: &str) -> Result<(), TemplateError> {
    if source.len() > MAX_SOURCE {
        return Err(TemplateError::bare(name, "the template is larger than 1 MiB"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
