//! Which programs a target is rendered with, told so that another version of one is another text. I/O.

use std::sync::PoisonError;

use anyhow::Context as _;
use camino::{Utf8Path, Utf8PathBuf};

use super::kustomize::has_helm;
use super::tools::Toolbox;
use crate::error::Failure;
use crate::model::{Renderer, Target, Tool};

impl Toolbox {
    /// The programs that render `target`, such as `kustomize 5.8.1, helm 4.1.4`; `None` for the built-in renderers. A
    /// program that tells no version, and whatever a command starts, is known by its content. An error says what is
    /// missing.
    pub fn programs(&self, target: &Target) -> anyhow::Result<Option<String>> {
        Ok(match &target.renderer {
            Renderer::Kustomize(options) if has_helm(options) => {
                Some(format!("{}, {}", self.known(Tool::Kustomize)?, self.known(Tool::Helm)?))
            }
            Renderer::Kustomize(_) => Some(self.known(Tool::Kustomize)?),
            Renderer::Helm(_) => Some(self.known(Tool::Helm)?),
            Renderer::Command(options) => match options.argv.first() {
                Some(name) => self.command(name)?,
                None => None,
            },
            Renderer::Template(_) | Renderer::Plain(_) => None,
        })
    }

    fn known(&self, tool: Tool) -> anyhow::Result<String> {
        let program = self.program(tool)?;
        if program.version.is_some() { Ok(program.label(tool)) } else { self.by_content(&program.path) }
    }

    /// A name is looked for on the path; a program of the tree is one of the target's inputs.
    fn command(&self, name: &str) -> anyhow::Result<Option<String>> {
        if name.starts_with('/') {
            return self.by_content(Utf8Path::new(name)).map(Some);
        }
        if name.contains('/') {
            return Ok(None);
        }
        let path: Utf8PathBuf = self
            .find(name)
            .with_context(|| Failure::render(format!("the program `{name}` is not on the path")))?;
        self.by_content(&path).map(Some)
    }

    fn by_content(&self, path: &Utf8Path) -> anyhow::Result<String> {
        let known = self.contents.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        if let Some(known) = known {
            return Ok(known);
        }
        let content = std::fs::read(path).with_context(|| format!("cannot read the program `{path}`"))?;
        // Half of the id: enough to tell versions apart, and short enough to be shown.
        let digest = crate::git::hash_of(&content)?.to_string();
        let label = format!("{} {}", path.file_name().unwrap_or_default(), &digest[..20]);
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        contents.insert(path.to_owned(), label.clone());
        Ok(label)
    }
}
