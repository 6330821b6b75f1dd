//! Manifests that go from one target to another of the same environment: they are not gone from the cluster. Pure.

use std::collections::BTreeMap;

use super::report::{ManifestName, TargetDiff};
use crate::compare::{Operation, Signal};
use crate::model::SignalKind;

/// Says of manifests that another target takes over where they go, in place of their deletion. That is still worth a look:
/// where each target is synced by itself, the old one may delete what the new one has just taken.
pub(super) fn tell(targets: &mut [TargetDiff]) {
    let mut taken: BTreeMap<ManifestName, String> = BTreeMap::new();
    for target in targets.iter() {
        let added = target.changes.iter().filter(|change| change.operation == Operation::Added);
        taken.extend(added.map(|change| (change.manifest.clone(), target.name.clone())));
    }
    for change in targets.iter_mut().flat_map(|target| &mut target.changes) {
        let Some(to) = taken.get(&change.manifest).filter(|_| change.operation == Operation::Removed) else {
            continue;
        };
        for signal in &mut change.signals {
            if matches!(signal.kind, SignalKind::DataLoss | SignalKind::Deletion) {
                let text = format!("moves {} to target {to}", change.manifest);
                *signal = Signal { kind: SignalKind::Deletion, text };
            }
        }
    }
}
