//! The built-in template renderer: finds templates and values in the DRY tree; an engine fills them in. Reads the tree.

use anyhow::bail;
use camino::Utf8Path;
use serde_json::{Map, Value};

use super::job::{Origin, Output, Stream};
use super::{Renderers, content, files, paths, values};
use crate::error::Failure;
use crate::model::{Target, TemplateOptions};

/// What makes a template's output manifests: the rest of the name after `.j2` is taken off.
const MANIFESTS: [&str; 3] = [".yaml.j2", ".yml.j2", ".json.j2"];

/// Gives the text of a template by its name; `None` if there is none.
pub type TemplateLoader<'a> = dyn Fn(&str) -> anyhow::Result<Option<String>> + Send + Sync + 'a;

/// Fills in templates. It is passed in, so that this module knows no template language.
pub trait TemplateEngine: Sync {
    /// Fills in the template `name` with `values`; `load` gives its text and that of what it includes. A value that
    /// does not exist is an error that names the template and the line.
    fn fill_in(&self, name: &str, values: &Value, load: &TemplateLoader<'_>) -> anyhow::Result<String>;
}

impl Renderers<'_> {
    pub(crate) fn template(&self, target: &Target, options: &TemplateOptions) -> anyhow::Result<Output> {
        let mut output = Output::default();
        let values = self.template_values(options, &mut output.warnings)?;
        let load = |name: &str| self.load_template(&target.source, name);
        for file in files::files(self.setup.tree, &target.source, true)? {
            let name = file.path.file_name().unwrap_or_default();
            if name.starts_with('_') || !MANIFESTS.iter().any(|end| name.ends_with(end)) {
                let is_lost =
                    matches!(file.path.extension(), Some("yaml" | "yml")) && !name.starts_with("values");
                if is_lost && !options.value_files.iter().any(|values| values.path == file.path) {
                    output
                        .warnings
                        .push(format!("`{}` is not rendered: it does not end in `.j2`", file.path));
                }
                continue;
            }
            let within = file.path.strip_prefix(&target.source).unwrap_or(&file.path);
            let text = self.setup.templates.fill_in(within.as_str(), &values, &load)?;
            output.streams.push(Stream { origin: Origin::Template(file.path), bytes: text.into_bytes() });
        }
        Ok(output)
    }

    /// The values of the files at the top level, with `vars` and `environment` beside them.
    fn template_values(
        &self,
        options: &TemplateOptions,
        warnings: &mut Vec<String>,
    ) -> anyhow::Result<Value> {
        let mut values = Map::new();
        for file in &options.value_files {
            if let Some(content) = self.value_file(file)? {
                values::add(&mut values, &content, &file.path)?;
            }
        }
        let vars =
            options.vars.iter().map(|(name, value)| (name.clone(), Value::String(value.clone()))).collect();
        let environment = Value::String(options.environment.clone());
        for (name, value) in [("vars", Value::Object(vars)), ("environment", environment)] {
            if values.get(name).is_some_and(|own| *own != value) {
                warnings.push(format!("the value `{name}` of the value files is hidden: hydrator sets it"));
            }
            values.insert(name.to_owned(), value);
        }
        Ok(Value::Object(values))
    }

    /// Templates are named relative to the source; a leading `/` is the root of the repository.
    fn load_template(&self, source: &Utf8Path, name: &str) -> anyhow::Result<Option<String>> {
        let Some(path) = paths::join(source, name) else {
            bail!(Failure::render(format!("the template `{name}` is outside of the repository")));
        };
        let resolved = paths::resolve(self.setup.tree, &path)?;
        if !resolved.is_file() {
            return Ok(None);
        }
        let content = self.setup.tree.read(&resolved.path)?.unwrap_or_default();
        content::check_content(&content, &path)?;
        match String::from_utf8(content) {
            Ok(text) => Ok(Some(text)),
            Err(_) => bail!(Failure::render(format!("the template `{path}` is not UTF-8"))),
        }
    }
}
