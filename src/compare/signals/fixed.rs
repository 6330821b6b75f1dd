//! Fields that Kubernetes does not let change. Pure.
//!
//! Source: the validation of updates in Kubernetes' API reference, kind by kind.

use super::{Say, SignalKind, Subject};

/// By kind: fields that must stay; everything below them too.
const FIXED: &[(&str, &str, &[&[&str]])] = &[
    ("apps", "Deployment", &[&["spec", "selector"]]),
    ("apps", "DaemonSet", &[&["spec", "selector"]]),
    ("apps", "ReplicaSet", &[&["spec", "selector"]]),
    (
        "apps",
        "StatefulSet",
        &[
            &["spec", "selector"],
            &["spec", "serviceName"],
            &["spec", "podManagementPolicy"],
            &["spec", "volumeClaimTemplates"],
        ],
    ),
    ("batch", "Job", &[&["spec", "selector"], &["spec", "template"], &["spec", "completionMode"]]),
    (
        "",
        "PersistentVolumeClaim",
        &[
            &["spec", "accessModes"],
            &["spec", "storageClassName"],
            &["spec", "selector"],
            &["spec", "volumeMode"],
            &["spec", "volumeName"],
            &["spec", "dataSource"],
        ],
    ),
    ("", "Service", &[&["spec", "clusterIP"]]),
    ("", "Secret", &[&["type"]]),
    ("rbac.authorization.k8s.io", "RoleBinding", &[&["roleRef"]]),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding", &[&["roleRef"]]),
    (
        "storage.k8s.io",
        "StorageClass",
        &[&["provisioner"], &["parameters"], &["reclaimPolicy"], &["volumeBindingMode"]],
    ),
    ("scheduling.k8s.io", "PriorityClass", &[&["value"]]),
    ("networking.k8s.io", "IngressClass", &[&["spec", "controller"]]),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        &[&["spec", "scope"], &["spec", "group"], &["spec", "names", "kind"], &["spec", "names", "plural"]],
    ),
];

pub(super) fn find(subject: &Subject<'_, '_>, say: Say<'_>) {
    let (Some((_, before)), Some(_)) = (subject.before, subject.after) else { return };
    // Another name is another object, which may be as it likes.
    if subject.is_replaced() {
        return;
    }
    let (group, kind) = subject.kind();
    let fields =
        FIXED.iter().filter(|(of, name, _)| (*of, *name) == (group, kind)).flat_map(|(_, _, fields)| *fields);
    for field in fields {
        let is_one = |path: &crate::compare::path::Path| path.starts_with(field);
        // A field that was not set may be set by the server already: only what was said can be contradicted.
        if before.at(field).is_some() && subject.changes.iter().any(|change| is_one(&change.path)) {
            say(SignalKind::Immutable, format!("{} cannot be changed: the apply will fail", field.join(".")));
        }
    }
    let is_sealed = before.get("immutable").and_then(super::Node::text) == Some("true");
    let values = ["data", "stringData", "binaryData", "immutable"];
    if is_sealed
        && subject.changes.iter().any(|change| values.iter().any(|value| change.path.starts_with(&[value])))
    {
        say(SignalKind::Immutable, format!("the {kind} is immutable: the apply will fail"));
    }
}
