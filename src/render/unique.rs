//! Turns the streams of one target into manifests and refuses two of the same identity. Pure.

use std::collections::HashMap;

use anyhow::bail;
use camino::Utf8Path;

use super::job::{Origin, Stream};
use super::split;
use super::yaml::Problem;
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

/// The renderer of a directory that a target takes for plain files.
fn other_renderer(file: &Utf8Path) -> Option<&'static str> {
    match file.file_name()? {
        "kustomization.yaml" | "kustomization.yml" => Some("kustomize"),
        "Chart.yaml" => Some("helm"),
        _ => None,
    }
}

fn failure(origin: &Origin, problem: Problem) -> Failure {
    let Problem { line, message } = problem;
    match origin {
        Origin::File(file) => {
            let failure = Failure::render(message).at(Place { file: file.clone(), line, column: 0 });
            match other_renderer(file) {
                Some(name) => failure.hint(format!(
                    "`{file}` is for {name}: give its directory a target of its own, and leave it out here, for \
                     example with `plain: {{ recurse: false }}`"
                )),
                None => failure,
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::hint_of;

    #[test]
    fn what_is_meant_for_another_renderer_is_named() {
        let stream =
            |file: &str| Stream { origin: Origin::File(file.into()), bytes: b"kind: Component\n".to_vec() };
        let error = manifests(vec![stream("a/b/kustomization.yaml")]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a/b/kustomization.yaml:1: document 1 (Component) has no `metadata.name`"
        );
        let hint = hint_of(&error).unwrap();
        assert!(hint.starts_with("`a/b/kustomization.yaml` is for kustomize: give its directory"), "{hint}");
        assert_eq!(hint_of(&manifests(vec![stream("a/b/c.yaml")]).unwrap_err()), None);
    }
}
