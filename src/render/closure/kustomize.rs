//! Follows a kustomization through the tree: its files, what they name, what would be fetched. Reads the tree.

use anyhow::Result;
use camino::Utf8Path;

use super::edge::EdgeKind;
use super::named::{Chart, Parsed, Reference, What};
use super::node::{Builder, Key, Site};
use super::parsed_tree::Grammar;
use super::remote;
use crate::render::paths::{self, Resolved};
use crate::render::version::Version;

/// The names of a kustomization file.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

impl Builder<'_, '_> {
    /// The kustomization of a directory: its file, whichever of the three names it has, and what that names.
    pub(super) fn kustomization(&mut self, directory: &Utf8Path) -> Result<()> {
        for name in FILE_NAMES {
            let file = paths::child(directory, name);
            let found = if self.tree.wants(EdgeKind::Kustomization) {
                self.look(&file)?
            } else {
                paths::resolve(&self.tree.files, &file).ok()
            };
            if let Some(found) = found.filter(Resolved::is_file) {
                let parsed = self.tree.parse(&found, Grammar::Kustomization)?;
                self.references(directory, &file, &parsed)?;
                if !self.tree.wants(EdgeKind::KustomizationName) {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Configurations of generators or transformers.
    pub(super) fn plugin(&mut self, root: &Utf8Path, path: &Utf8Path) -> Result<()> {
        let Some(found) = self.look(path)? else { return Ok(()) };
        if found.is_file() {
            let parsed = self.tree.parse(&found, Grammar::Plugin)?;
            return self.references(root, path, &parsed);
        }
        // Made by a kustomization: as long as that changes nothing, its resources are the configurations.
        for name in FILE_NAMES {
            let Some(file) = self.look(&paths::child(path, name))?.filter(Resolved::is_file) else {
                continue;
            };
            let parsed = self.tree.parse(&file, Grammar::Kustomization)?;
            if !parsed.is_plain || parsed.unreadable.is_some() {
                let reason = "makes configurations of generators or transformers".to_owned();
                self.unreadable(&file.path, reason);
            }
            for reference in &parsed.references {
                let What::Resource(text) = &reference.what else { continue };
                if remote::is_directory(text) {
                    self.unreadable(
                        &file.path,
                        "fetches configurations of generators or transformers".to_owned(),
                    );
                }
                let site = Site { root: path, file: &file.path, field: &reference.field };
                if let Some(resolved) = self.local(site, text)? {
                    self.follow(Key::Plugin { root: root.to_owned(), path: resolved.path });
                }
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, file: &Utf8Path, reason: String) {
        self.unknown.push(format!("`{file}` {reason}"));
        self.unreadable.push((file.to_owned(), reason));
    }

    fn references(&mut self, root: &Utf8Path, file: &Utf8Path, parsed: &Parsed) -> Result<()> {
        if let Some(reason) = &parsed.unreadable {
            self.unreadable(file, reason.clone());
        }
        self.unknown.extend(parsed.unknown.iter().map(|what| format!("{what} in `{file}`")));
        for reference in &parsed.references {
            if self.tree.wants(reference.edge) {
                self.reference(Site { root, file, field: &reference.field }, reference)?;
            }
        }
        Ok(())
    }

    fn reference(&mut self, site: Site<'_>, reference: &Reference) -> Result<()> {
        match &reference.what {
            What::Resource(text) => self.resource(site, text),
            What::Plugin(text) => self.plugin_reference(site, text),
            What::File(text) => self.file(site, text),
            What::MaybeFile(text) => self.maybe_file(site, text),
            What::Chart(chart) => self.chart(site, chart),
        }
    }

    /// A file, a directory with a kustomization, or something to clone. Kustomize tries a file first, whatever it is
    /// called, and a repository before a directory.
    fn resource(&mut self, site: Site<'_>, text: &str) -> Result<()> {
        if remote::is_directory(text) {
            self.fetch(site, text, remote::is_pinned(text));
            return self.maybe_path(site, text);
        }
        if let Some(found) = self.local(site, text)?
            && found.is_directory()
        {
            self.follow(Key::Kustomization(found.path));
        }
        Ok(())
    }

    fn plugin_reference(&mut self, site: Site<'_>, text: &str) -> Result<()> {
        if remote::is_directory(text) {
            self.unknown
                .push(format!("the remote configurations that `{}` names in `{}`", site.field, site.file));
        }
        self.resource(site, text)?;
        if let Some(path) = paths::join_relative(site.root, text)
            && let Ok(found) = paths::resolve(&self.tree.files, &path)
            && (found.is_file() || found.is_directory())
        {
            self.follow(Key::Plugin { root: site.root.to_owned(), path: found.path });
        }
        Ok(())
    }

    fn file(&mut self, site: Site<'_>, text: &str) -> Result<()> {
        if remote::is_file(text) {
            self.fetch(site, text, false);
            return self.maybe_path(site, text);
        }
        self.local(site, text).map(|_| ())
    }

    /// Content where the path of a file may stand; kustomize tries one after the other.
    fn maybe_file(&mut self, site: Site<'_>, text: &str) -> Result<()> {
        if remote::is_directory(text) || remote::is_file(text) {
            self.fetch(site, text, remote::is_pinned(text));
        }
        if text.contains('\n') || text.trim_start().starts_with('{') {
            return self.maybe_path(site, text);
        }
        self.local(site, text).map(|_| ())
    }

    /// A file of the tree that would be taken before anything is fetched.
    fn maybe_path(&mut self, site: Site<'_>, text: &str) -> Result<()> {
        match paths::join_relative(site.root, text).filter(|_| self.tree.wants(EdgeKind::Shadow)) {
            Some(path) if path.as_str().len() < 1024 => self.look_if_path(&path).map(|_| ()),
            _ => Ok(()),
        }
    }

    fn local(&mut self, site: Site<'_>, text: &str) -> Result<Option<Resolved>> {
        match paths::join_relative(site.root, text) {
            Some(path) => self.look(&path),
            // Not a path, but content on one line.
            None if text.starts_with('{') => Ok(None),
            None => {
                self.outside(site, text);
                Ok(None)
            }
        }
    }

    /// A chart is read from the directory of charts if it is there, else it is pulled.
    fn chart(&mut self, site: Site<'_>, chart: &Chart) -> Result<()> {
        let Chart { name, version, repository, home } = chart;
        let Some(home) = paths::join_relative(site.root, home) else {
            self.outside(site, home);
            return Ok(());
        };
        // Newer versions of kustomize keep what they pull apart by version.
        let versioned = format!("{name}-{version}/{name}");
        let is_pulled = !version.is_empty() && !repository.is_empty();
        let mut is_here = false;
        for candidate in [name, &versioned] {
            let Some(path) = paths::join_relative(&home, candidate).filter(|_| !name.is_empty()) else {
                continue;
            };
            let Some(found) = self.look(&path)? else { continue };
            if found.is_directory() {
                is_here |= !is_pulled || *candidate == versioned;
                self.follow(Key::Directory(found.path));
            }
        }
        if !is_here {
            let from = if repository.is_empty() { String::new() } else { format!(" from {repository}") };
            let pinned = Version::parse(version).is_some();
            self.fetch(site, &format!("chart {name}{from}"), pinned);
        }
        Ok(())
    }
}
