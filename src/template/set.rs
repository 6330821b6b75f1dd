//! The templates of one target: sources that may include each other, found by a caller's function. Pure but for it.

use std::borrow::Cow;
use std::sync::Arc;

use minijinja::Environment;
use serde_json::Value;

use super::error::{TemplateError, refuse};
use super::{MAX_SOURCE, guard, strict, values};

/// Enough for the largest manifests that a cluster takes, and too little to fill a machine: 256 MiB at most.
const MANIFEST_FUEL: u64 = 4_000_000;

/// Renders the `*.yaml.j2` of one target. `include`, `import` and `extends` name files by their path from the
/// target's directory, or with `./` and `../` from the including file; nothing leads out of the directory.
#[derive(Clone, Debug)]
pub struct TemplateSet {
    environment: Arc<Environment<'static>>,
}

impl TemplateSet {
    /// Makes a set whose sources `loader` finds by their clean path relative to the target's directory (never with
    /// `..`, never absolute). It is asked once for each; `None` means that there is no such file.
    pub fn new<L>(loader: L) -> Self
    where
        L: Fn(&str) -> anyhow::Result<Option<String>> + Send + Sync + 'static,
    {
        let mut environment = strict(MANIFEST_FUEL);
        environment.set_path_join_callback(|name, parent| Cow::Owned(join(name, parent)));
        let loader = Arc::new(loader);
        environment.set_loader(move |name| load(&*loader, name));
        Self { environment: Arc::new(environment) }
    }

    /// Renders the file `name` with `context`, a mapping.
    pub fn render(&self, name: &str, context: &Value) -> Result<String, TemplateError> {
        guard::render(&self.environment, name, values::value(context))
    }
}

/// The path of `name` as the file `parent` means it. Not normalised if that would lead out: [`load`] refuses it then.
fn join(name: &str, parent: &str) -> String {
    let is_relative = name.starts_with("./") || name.starts_with("../");
    let mut path: Vec<&str> = if is_relative { parent.split('/').collect() } else { Vec::new() };
    path.pop();
    for part in name.split('/') {
        match part {
            ".." if path.pop().is_none() => return name.to_owned(),
            "." | ".." => {}
            part => path.push(part),
        }
    }
    path.join("/")
}

fn load(
    loader: &(dyn Fn(&str) -> anyhow::Result<Option<String>> + Send + Sync),
    name: &str,
) -> Result<Option<String>, minijinja::Error> {
    let clean = !name.contains(['\\', '\0']) && name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if !clean {
        return Err(refuse("an included path leads out of the target's directory, or is not clean"));
    }
    let source = loader(name).map_err(|error| refuse(format!("cannot read `{name}`: {error:#}")))?;
    match source {
        Some(source) if source.len() > MAX_SOURCE => Err(refuse(format!("`{name}` is larger than 1 MiB"))),
        source => Ok(source),
    }
}
