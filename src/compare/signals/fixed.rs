//! Fields that Kubernetes does not let change. Pure.
//!
//! Source: the validation of updates in Kubernetes' API reference, kind by kind.

use super::{Node, Say, SignalKind, Subject};
use crate::compare::path::Path;

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
    (
        "batch",
        "Job",
        &[
            &["spec", "selector"],
            &["spec", "template"],
            &["spec", "completionMode"],
            &["spec", "completions"],
        ],
    ),
    (
        "",
        "PersistentVolume",
        &[
            &["spec", "csi"],
            &["spec", "hostPath"],
            &["spec", "iscsi"],
            &["spec", "local"],
            &["spec", "nfs"],
            &["spec", "nodeAffinity"],
            &["spec", "volumeMode"],
        ],
    ),
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
    ("scheduling.k8s.io", "PriorityClass", &[&["value"], &["preemptionPolicy"]]),
    ("node.k8s.io", "RuntimeClass", &[&["handler"]]),
    ("", "ResourceQuota", &[&["spec", "scopes"], &["spec", "scopeSelector"]]),
    ("networking.k8s.io", "IngressClass", &[&["spec", "controller"]]),
    (
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        &[&["spec", "scope"], &["spec", "group"], &["spec", "names", "kind"], &["spec", "names", "plural"]],
    ),
];

/// What Kubernetes lets change in the specification of a running Pod.
const OF_PODS: &[&str] =
    &["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "schedulingGates"];

pub(super) fn find(subject: &Subject<'_, '_>, say: Say<'_>) {
    let (Some((_, before)), Some((_, after))) = (subject.before, subject.after) else { return };
    // Another name is another object, which may be as it likes.
    if subject.is_replaced() {
        return;
    }
    let mut refused = |what: &str| say(SignalKind::Immutable, format!("{what}: the apply will fail"));
    let (group, kind) = subject.kind();
    let fields =
        FIXED.iter().filter(|(of, name, _)| (*of, *name) == (group, kind)).flat_map(|(_, _, fields)| *fields);
    for field in fields {
        let is_one = |path: &Path| path.starts_with(field);
        // A field that was not set may be set by the server already: only what was said can be contradicted.
        if before.at(field).is_some() && subject.all.iter().any(|change| is_one(&change.path)) {
            refused(&format!("{} cannot be changed", field.join(".")));
        }
    }
    let address = |node: &Node| node.at(&["spec", "clusterIP"]).and_then(Node::text).map(str::to_owned);
    if (group, kind) == ("", "Service")
        && address(before).is_none()
        && address(after).as_deref() == Some("None")
    {
        refused("spec.clusterIP cannot become None, since the server has given it an address");
    }
    if (group, kind) == ("", "PersistentVolumeClaim") && is_smaller(before, after) {
        refused("a claim cannot ask for less storage than before");
    }
    if (group, kind) == ("", "Pod") && subject.all.iter().any(|change| is_fixed_in_pods(&change.path)) {
        refused("the specification of a Pod cannot be changed but for its images");
    }
    let is_sealed = before.get("immutable").and_then(Node::text) == Some("true");
    let values = ["data", "stringData", "binaryData", "immutable"];
    if is_sealed
        && subject.all.iter().any(|change| values.iter().any(|value| change.path.starts_with(&[value])))
    {
        refused(&format!("the {kind} is immutable"));
    }
}

fn is_fixed_in_pods(path: &Path) -> bool {
    let may = |key: &str| path.starts_with(&["spec", key]);
    path.starts_with(&["spec"]) && path.field() != "image" && !OF_PODS.iter().any(|key| may(key))
}

fn is_smaller(before: &Node, after: &Node) -> bool {
    let asked = |node: &Node| {
        node.at(&["spec", "resources", "requests", "storage"]).and_then(Node::text).and_then(bytes)
    };
    matches!((asked(before), asked(after)), (Some(before), Some(after)) if after < before)
}

/// How much a quantity is. Source: Kubernetes' `resource.Quantity`.
fn bytes(quantity: &str) -> Option<f64> {
    const UNITS: &[(&str, f64)] = &[
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
        ("", 1.0),
    ];
    let (unit, factor) = UNITS.iter().find(|(unit, _)| quantity.ends_with(unit))?;
    quantity[..quantity.len() - unit.len()].parse::<f64>().ok().map(|number| number * factor)
}
