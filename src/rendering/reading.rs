//! What targets read, and what the cache says about it. Reads the DRY tree and asks tools for their versions.

use std::collections::BTreeMap;

use anyhow::Result;

use super::Key;
use super::jobs::{Request, toolbox};
use crate::fingerprint::{self, Circumstances, FingerprintParts, Stored, explain};
use crate::model::{Environment, ObjectId, Target};
use crate::render::Toolbox;
use crate::render::closure::Closures;

/// What is known of a target's inputs before it is rendered.
#[derive(Clone, Debug, Default)]
pub(super) struct Inputs {
    /// The fingerprint with its parts; `None` where two renderings are not sure to read the same.
    pub(super) known: Option<(ObjectId, FingerprintParts)>,
    /// What the cache says of these very inputs.
    pub(super) hit: Option<Stored>,
    /// Why it is affected; empty if it is not.
    pub(super) reasons: Vec<String>,
}

/// What a target reads, as far as it is known without the cache.
#[derive(Clone, Debug)]
struct Fingerprint {
    id: ObjectId,
    tool: Option<String>,
    /// Whether two renderings are sure to read the same.
    is_closed: bool,
}

/// Reads each target's inputs once, however often it is asked.
pub(super) struct Reading<'a> {
    request: Request<'a>,
    toolbox: Toolbox,
    closures: Closures<'a>,
    fingerprints: BTreeMap<Key, Option<Fingerprint>>,
}

impl<'a> Reading<'a> {
    /// Nothing is read yet.
    pub(super) fn new(request: Request<'a>) -> Self {
        let closures = Closures::new(request.tree);
        Self { toolbox: toolbox(&request), request, closures, fingerprints: BTreeMap::new() }
    }

    /// The programs that renderers are.
    pub(super) const fn toolbox(&self) -> &Toolbox {
        &self.toolbox
    }

    /// What a target reads, as one id; `None` where two renderings are not sure to read the same.
    pub(super) fn fingerprint_of(&self, key: &Key, target: &Target) -> Result<Option<ObjectId>> {
        let fingerprint = match self.fingerprints.get(key) {
            Some(known) => known.clone(),
            None => self.fingerprint(target)?,
        };
        Ok(fingerprint.filter(|fingerprint| fingerprint.is_closed).map(|fingerprint| fingerprint.id))
    }

    /// What a target reads, and what the cache says about it.
    pub(super) fn inputs(&self, key: &Key, target: &Target, stored: Option<&Stored>) -> Result<Inputs> {
        let fingerprint = match self.fingerprints.get(key) {
            Some(known) => known.clone(),
            None => self.fingerprint(target)?,
        };
        let Some(Fingerprint { id, tool, is_closed }) = fingerprint else { return Ok(Inputs::default()) };
        let hit = stored.filter(|stored| is_closed && stored.fingerprint == id).cloned();
        if let Some(hit) = hit {
            let known = Some((id, hit.parts.clone()));
            return Ok(Inputs { known, hit: Some(hit), reasons: Vec::new() });
        }
        let closure = self.closures.closure(target)?;
        let circumstances = self.circumstances(tool.as_deref());
        let parts = FingerprintParts::new(target, &closure, circumstances, self.request.tree)?;
        let reasons =
            explain(stored.map(|stored| &stored.parts), &parts).iter().map(ToString::to_string).collect();
        let known = is_closed.then_some((id, parts));
        Ok(Inputs { known, hit: None, reasons })
    }

    /// Finds out what the targets of these environments read and which versions their tools have. What goes wrong comes
    /// again in [`Self::inputs`].
    pub(super) fn ahead(&mut self, environments: &[Environment]) {
        let targets = || environments.iter().flat_map(|environment| &environment.targets);
        let (toolbox, closures) = (&self.toolbox, &self.closures);
        std::thread::scope(|scope| {
            // A program takes as long to say its version as thousands of files take to be read.
            scope.spawn(|| targets().for_each(|target| drop(toolbox.programs(target))));
            targets().for_each(|target| drop(closures.closure(target)));
        });
        for environment in environments {
            for (index, target) in environment.targets.iter().enumerate() {
                let key = (environment.name.clone(), index);
                if self.fingerprints.contains_key(&key) {
                    continue;
                }
                if let Ok(fingerprint) = self.fingerprint(target) {
                    self.fingerprints.insert(key, fingerprint);
                }
            }
        }
    }

    /// `None` if the target's tool is not there or not the right one: its rendering says so.
    fn fingerprint(&self, target: &Target) -> Result<Option<Fingerprint>> {
        let closure = self.closures.closure(target)?;
        let Ok(tool) = self.toolbox.programs(target) else { return Ok(None) };
        let id = fingerprint::fingerprint(target, &closure, self.circumstances(tool.as_deref()))?;
        Ok(Some(Fingerprint { id, tool, is_closed: closure.is_closed() }))
    }

    const fn circumstances<'s>(&'s self, tool: Option<&'s str>) -> Circumstances<'s> {
        Circumstances { tool, layout: self.request.project.layout, variables: self.request.variables }
    }
}
