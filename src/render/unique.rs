//! Turns the streams of one target into manifests and refuses two of the same identity. Pure.

use std::collections::HashMap;

use anyhow::bail;

use super::job::{Origin, Stream};
use super::split::{self, Problem};
use crate::error::{Failure, Place};
use crate::model::{Manifest, ManifestId};

/// The manifests of `streams`, in order.
pub(crate) fn manifests(streams: Vec<Stream>) -> anyhow::Result<Vec<Manifest>> {
    let mut all = Vec::new();
    let mut seen: HashMap<ManifestId, Spot> = HashMap::new();
    for stream in streams {
        let manifests =
            split::manifests(&stream.bytes).map_err(|problem| failure(&stream.origin, problem))?;
        for manifest in &manifests {
            let spot = Spot { origin: stream.origin.clone(), line: manifest.line };
            for id in manifest.ids().filter(|id| can_clash(id)) {
                if let Some(first) = seen.insert(id.clone(), spot.clone()) {
                    bail!(twice(id, &first, &spot));
                }
            }
        }
        all.extend(manifests);
    }
    Ok(all)
}

/// Objects with generated names never clash, and an empty list is no object.
fn can_clash(id: &ManifestId) -> bool {
    !id.name.is_empty() && !id.name.ends_with('*')
}

#[derive(Clone)]
struct Spot {
    origin: Origin,
    line: usize,
}

impl std::fmt::Display for Spot {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.origin {
            Origin::Program => write!(out, "line {} of the output", self.line),
            Origin::File(file) => write!(out, "`{file}` line {}", self.line),
            Origin::Template(file) => write!(out, "line {} of what `{file}` produces", self.line),
        }
    }
}

fn twice(id: &ManifestId, first: &Spot, second: &Spot) -> Failure {
    let failure = Failure::render(format!("{id} is rendered twice: {first} and {second}"));
    match &second.origin {
        Origin::File(file) => failure.at(Place { file: file.clone(), line: second.line, column: 0 }),
        Origin::Program | Origin::Template(_) => failure,
    }
}

fn failure(origin: &Origin, problem: Problem) -> Failure {
    let Problem { line, message } = problem;
    match origin {
        Origin::File(file) => Failure::render(message).at(Place { file: file.clone(), line, column: 0 }),
        Origin::Template(file) => {
            Failure::render(format!("line {line} of what the template produces: {message}")).at(Place {
                file: file.clone(),
                line: 0,
                column: 0,
            })
        }
        Origin::Program => Failure::render(format!("line {line} of the output: {message}")),
    }
}
