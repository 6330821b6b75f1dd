//! The built-in plain renderer: YAML and JSON files as they are. Reads the tree.

use super::Renderers;
use super::files;
use super::job::{Origin, Output, Stream};
use crate::model::{PlainOptions, Target};

/// Our own configuration at the root of the tree is no manifest.
const CONFIGURATION: &str = "hydrator.yaml";

impl Renderers<'_> {
    pub(crate) fn plain(&self, target: &Target, options: &PlainOptions) -> anyhow::Result<Output> {
        let mut output = Output::default();
        for file in files::files(self.setup.tree, &target.source, options.recurse)? {
            let is_manifest = matches!(file.path.extension(), Some("yaml" | "yml" | "json"));
            if is_manifest && file.path != CONFIGURATION {
                let bytes = file.read(self.setup.tree)?;
                output.streams.push(Stream { origin: Origin::File(file.path), bytes });
            }
        }
        Ok(output)
    }
}
