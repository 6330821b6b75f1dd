//! The built-in template renderer: finds templates and values in the DRY tree; an engine fills them in. Reads the tree.

use std::collections::BTreeMap;

use anyhow::bail;
use serde_json::{Map, Value};

use super::files::{self, Found};
use super::job::{Origin, Output, Stream};
use super::{Renderers, values};
use crate::error::{Failure, Place};
use crate::model::{Target, TemplateOptions};

/// What makes a template's output manifests: the rest of the name after `.j2` is taken off.
const MANIFESTS: [&str; 3] = [".yaml.j2", ".yml.j2", ".json.j2"];

/// Fills in templates. It is passed in, so that this module knows no template language.
pub trait TemplateEngine: Sync {
    /// Fills in the templates `names` with `values`, in order. `sources` holds the text of every file of the target's
    /// directory by its path from there: the templates and what they include. A value that does not exist is a problem.
    fn fill_in(
        &self,
        sources: BTreeMap<String, String>,
        names: &[String],
        values: &Value,
    ) -> Result<Vec<String>, TemplateProblem>;
}

/// Why a template cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// The template, by its path from the target's directory.
    pub template: String,
    /// The line in it, from 1, when that is known.
    pub line: Option<usize>,
    /// What is wrong; holds no values.
    pub reason: String,
}

impl Renderers<'_> {
    pub(crate) fn template(&self, target: &Target, options: &TemplateOptions) -> anyhow::Result<Output> {
        let mut output = Output::default();
        let values = self.template_values(options, &mut output.warnings)?;
        let files = files::files(self.setup.tree, &target.source, true)?;
        let (templates, others): (Vec<_>, Vec<_>) = files.iter().partition(|file| is_template(file));
        output.warnings.extend(others.iter().filter_map(|file| lost(file, options)));

        let name = |file: &Found| file.path.strip_prefix(&target.source).unwrap_or(&file.path).to_string();
        let names: Vec<String> = templates.iter().map(|file| name(file)).collect();
        let mut sources = BTreeMap::new();
        for file in &files {
            if let Some(text) = self.template_source(file)? {
                sources.insert(name(file), text);
            }
        }
        let texts = self.setup.templates.fill_in(sources, &names, &values).map_err(|problem| {
            let place = Place {
                file: target.source.join(problem.template),
                line: problem.line.unwrap_or(0),
                column: 0,
            };
            Failure::render(problem.reason).at(place)
        })?;
        for (file, text) in templates.into_iter().zip(texts) {
            output
                .streams
                .push(Stream { origin: Origin::Template(file.path.clone()), bytes: text.into_bytes() });
        }
        Ok(output)
    }

    /// The text of a file that templates may include; `None` for what is no text.
    fn template_source(&self, file: &Found) -> anyhow::Result<Option<String>> {
        let is_template = file.path.extension() == Some("j2");
        match file.read(self.setup.tree) {
            Err(error) if is_template => Err(error),
            Err(_) => Ok(None),
            Ok(content) => match String::from_utf8(content) {
                Ok(text) => Ok(Some(text)),
                Err(_) if is_template => {
                    bail!(Failure::render(format!("the template `{}` is not UTF-8", file.path)))
                }
                Err(_) => Ok(None),
            },
        }
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
}

/// Whether the file becomes manifests by itself; names that start with `_` are only included.
fn is_template(file: &Found) -> bool {
    let name = file.path.file_name().unwrap_or_default();
    !name.starts_with('_') && MANIFESTS.iter().any(|end| name.ends_with(end))
}

/// A warning about a file that looks like a manifest and is none here.
fn lost(file: &Found, options: &TemplateOptions) -> Option<String> {
    let is_yaml = matches!(file.path.extension(), Some("yaml" | "yml"));
    let is_values = file.path.file_name().is_some_and(|name| name.starts_with("values"))
        || options.value_files.iter().any(|values| values.path == file.path);
    (is_yaml && !is_values).then(|| format!("`{}` is not rendered: it does not end in `.j2`", file.path))
}
