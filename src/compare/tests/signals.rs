//! What a reviewer should not overlook in small changes.

use super::*;

fn signals(base: &str, head: &str) -> Vec<String> {
    let found = compared(base, head, &Rules::default());
    found
        .changes
        .iter()
        .flat_map(|change| &change.signals)
        .map(|one| format!("{:?}: {}", one.kind, one.text))
        .collect()
}

#[test]
fn signals_of_workloads() {
    let head = DEPLOYMENT.replace("web:1", "web:2").replace("replicas: 2", "replicas: 0").replace(
        "        image: side:1\n",
        "        image: side:1\n        resources: {limits: {memory: 1Gi}}\n        securityContext: {privileged: true}\n",
    );
    assert_eq!(
        signals(DEPLOYMENT, &head),
        [
            "Privilege: side: privileged",
            "Replicas: replicas 2 → 0",
            "Resources: side: limits.memory none → 1Gi",
            "Image: web 1 → 2"
        ]
    );
}

#[test]
fn signals_of_what_goes_and_of_what_cannot_change() {
    let set = "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec:\n  serviceName: a\n  selector: {matchLabels: {a: b}}\n";
    assert_eq!(signals(set, ""), ["DataLoss: deletes StatefulSet.apps db"]);
    assert_eq!(
        signals("kind: Service\napiVersion: v1\nmetadata: {name: a}\n", ""),
        ["Deletion: deletes Service a"]
    );
    let head = set.replace("serviceName: a", "serviceName: b").replace("a: b", "a: c");
    assert_eq!(
        signals(set, &head),
        [
            "Immutable: spec.selector cannot be changed: the apply will fail",
            "Immutable: spec.serviceName cannot be changed: the apply will fail"
        ]
    );
    let sealed = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\nimmutable: true\ndata: {a: x}\n";
    assert_eq!(
        signals(sealed, &sealed.replace('x', "y")),
        ["Immutable: the ConfigMap is immutable: the apply will fail"]
    );
}

#[test]
fn signals_of_rights_and_exposure() {
    let role = |verbs: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {{name: r}}\nrules:\n- apiGroups: ['']\n  resources: [pods]\n  verbs: {verbs}\n"
        )
    };
    assert_eq!(signals(&role("[get]"), &role("[list, get]")), ["Rbac: r may: list pods"]);
    assert!(signals(&role("['*']"), &role("[get, watch]")).is_empty(), "less is no more");
    let service = |kind: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec:\n  type: {kind}\n  ports: [{{port: 80}}]\n"
        )
    };
    assert_eq!(
        signals(&service("ClusterIP"), &service("LoadBalancer")),
        ["Exposure: type of the Service: ClusterIP → LoadBalancer"]
    );
    let ingress = |host: &str| {
        format!(
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {{name: i}}\nspec:\n  rules:\n  - host: {host}\n"
        )
    };
    assert_eq!(
        signals(&ingress("a.b"), &ingress("c.d")),
        ["Exposure: serves a.b no more", "Exposure: serves c.d"]
    );
    assert_eq!(signals("", &ingress("a.b"))[0], format!("{:?}: serves a.b", SignalKind::Exposure));
}

#[test]
fn rights_that_hold_elsewhere_are_new_rights() {
    let object = |kind: &str, namespace: &str, more: &str| {
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: b, namespace: {namespace}}}\n{more}"
        )
    };
    let bound = "roleRef: {kind: ClusterRole, name: admin}\nsubjects: [{kind: User, name: eve}]\n";
    let binding = object("RoleBinding", "shop", bound);
    for (head, wanted) in [
        (object("ClusterRoleBinding", "''", bound), "User eve gets the role admin in every namespace"),
        (
            object("RoleBinding", "kube-system", bound),
            "User eve gets the role admin in namespace kube-system",
        ),
        (binding.replace("ClusterRole,", "Role,"), "another role: ClusterRole admin → Role admin"),
    ] {
        let found = signals(&binding, &head);
        assert!(found.contains(&format!("Rbac: {wanted}")), "{found:?}");
    }
    let rules = "rules:\n- apiGroups: ['']\n  resources: [pods]\n  verbs: [get]\n  resourceNames: [a, b]\n";
    let role = object("Role", "shop", rules);
    for (head, wanted) in [
        (object("ClusterRole", "''", rules), "b may in every namespace: get pods a; get pods b"),
        (object("Role", "kube-system", rules), "b may in namespace kube-system: get pods a; get pods b"),
    ] {
        let found = signals(&role, &head);
        assert!(found.contains(&format!("Rbac: {wanted}")), "{found:?}");
    }
}

#[test]
fn rights_that_roles_hand_on_are_rights() {
    let role = |more: &str| {
        format!("apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: r\n{more}")
    };
    let label = "  labels: {rbac.authorization.k8s.io/aggregate-to-view: 'true'}\n";
    assert_eq!(signals(&role(""), &role(label)), ["Rbac: the rights of r go to view, too"]);
    let taking = |label: &str| {
        role(&format!("aggregationRule: {{clusterRoleSelectors: [{{matchLabels: {{{label}: 'true'}}}}]}}\n"))
    };
    assert_eq!(
        signals(&taking("a"), &taking("b")),
        ["Rbac: r takes in the rights of other roles (aggregationRule)"]
    );
    assert!(signals(&taking("a"), &role("")).is_empty());
}

#[test]
fn what_kubernetes_refuses_is_said_also_where_rules_hide_it() {
    let object = |group: &str, kind: &str, more: &str| {
        format!("apiVersion: {group}\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n{more}")
    };
    for (group, kind, base, head, wanted) in [
        ("v1", "Service", "  type: ClusterIP\n", "  clusterIP: None\n", "spec.clusterIP cannot become None"),
        (
            "v1",
            "PersistentVolumeClaim",
            "  resources: {requests: {storage: 10Gi}}\n",
            "  resources: {requests: {storage: 5000Mi}}\n",
            "a claim cannot ask for less storage",
        ),
        ("v1", "Pod", "  nodeName: a\n", "  nodeName: b\n", "the specification of a Pod"),
        (
            "v1",
            "PersistentVolume",
            "  nfs: {path: /a}\n",
            "  nfs: {path: /b}\n",
            "spec.nfs cannot be changed",
        ),
        ("batch/v1", "Job", "  completions: 1\n", "  completions: 2\n", "spec.completions cannot be changed"),
    ] {
        let found = signals(&object(group, kind, base), &object(group, kind, head));
        assert!(found.iter().any(|one| one.starts_with(&format!("Immutable: {wanted}"))), "{found:?}");
    }
    let pod = |image: &str| object("v1", "Pod", &format!("  containers:\n  - name: a\n    image: {image}\n"));
    assert_eq!(signals(&pod("a:1"), &pod("a:2")), ["Image: a 1 → 2"]);
    let claim = |size: &str| {
        object("v1", "PersistentVolumeClaim", &format!("  resources: {{requests: {{storage: {size}}}}}\n"))
    };
    assert_eq!(signals(&claim("1Gi"), &claim("1.5Gi")), ["Resources: requests.storage 1Gi → 1.5Gi"]);
    let set = |chart: &str| {
        object(
            "apps/v1",
            "StatefulSet",
            &format!(
                "  volumeClaimTemplates:\n  - metadata: {{name: a, labels: {{helm.sh/chart: {chart}}}}}\n"
            ),
        )
    };
    let ignore = [DiffRule { label: Some("helm.sh/chart".to_owned()), ..DiffRule::default() }];
    let found = compared(&set("a-1"), &set("a-2"), &Rules { ignore: &ignore, secrets: &[], form: false });
    assert_eq!((found.changes.len(), found.hidden), (1, 1));
    assert_eq!(
        found.changes[0].signals[0].text,
        "spec.volumeClaimTemplates cannot be changed: the apply will fail"
    );
}

#[test]
fn another_group_is_another_object() {
    let service =
        |group: &str| format!("apiVersion: {group}\nkind: Service\nmetadata: {{name: web}}\nspec: {{}}\n");
    assert_eq!(
        signals(&service("serving.knative.dev/v1"), &service("v1")),
        ["Deletion: deletes Service.serving.knative.dev web"]
    );
    let ingress = |group: &str| format!("apiVersion: {group}\nkind: Ingress\nmetadata: {{name: web}}\n");
    assert!(signals(&ingress("extensions/v1beta1"), &ingress("networking.k8s.io/v1")).is_empty());
}

#[test]
fn what_is_opened_and_closed() {
    let object = |group: &str, kind: &str, spec: &str| {
        if spec.is_empty() {
            return String::new();
        }
        format!("apiVersion: {group}/v1\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n{spec}")
    };
    let ingress = ("networking.k8s.io", "Ingress");
    let gateway = ("gateway.networking.k8s.io", "Gateway");
    let route = ("gateway.networking.k8s.io", "HTTPRoute");
    let paths = |path: &str| format!("  rules:\n  - host: a.b\n    http: {{paths: [{{path: {path}}}]}}\n");
    let listener = |more: &str| format!("  listeners:\n  - {{name: web, protocol: HTTP, port: 80}}\n{more}");
    let through =
        |name: &str| format!("  hostnames: [a.b]\n  parentRefs: [{{name: {name}, namespace: infra}}]\n");
    for ((group, kind), base, head, wanted) in [
        (
            ingress,
            "  rules: [{host: a.b}]\n",
            "  rules: [{http: {}}]\n",
            "serves every host; serves a.b no more",
        ),
        (ingress, "", "  defaultBackend: {}\n", "serves every host"),
        (ingress, &paths("/api"), &paths("/"), "serves a.b; serves a.b/api no more"),
        (ingress, &paths("/"), &(paths("/") + "  ingressClassName: public\n"), "routes differently"),
        (gateway, "", &listener(""), "listens on HTTP 80 for every host"),
        (
            gateway,
            &listener(""),
            &listener(
                "  - {name: db, protocol: TCP, port: 5432, allowedRoutes: {namespaces: {from: All}}}\n",
            ),
            "listens on TCP 5432 for every host, routes from All",
        ),
        (route, "", "  rules: []\n", "serves every host"),
        (
            route,
            &through("internal"),
            &through("public"),
            "is reached through infra/internal no more; is reached through infra/public",
        ),
        (("route.openshift.io", "Route"), "", "  host: a.b\n  path: /x\n", "serves a.b/x"),
        (("traefik.io", "IngressRoute"), "", "  routes: [{match: Host(`a.b`)}]\n", "serves Host(`a.b`)"),
    ] {
        let found = signals(&object(group, kind, base), &object(group, kind, head));
        let mut found: Vec<&str> = found.iter().map(|one| one.trim_start_matches("Exposure: ")).collect();
        let mut wanted: Vec<&str> = wanted.split("; ").collect();
        found.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{kind}");
    }
    let service = |scheme: &str| {
        format!(
            "apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  annotations: {{service.beta.kubernetes.io/aws-load-balancer-scheme: {scheme}}}\nspec: {{type: LoadBalancer}}\n"
        )
    };
    assert_eq!(
        signals(&service("internal"), &service("internet-facing")),
        ["Exposure: service.beta.kubernetes.io/aws-load-balancer-scheme: internal → internet-facing"]
    );
}
