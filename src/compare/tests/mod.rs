//! Comparisons of small streams: what is shown, hidden and masked; in a file of their own, what is signalled.

mod signals;

use super::*;
use crate::model::{DiffRule, SecretRule, SignalKind};

fn documents(stream: &str) -> Vec<Document> {
    let manifests = crate::render::manifests(stream.as_bytes()).expect("manifests");
    manifests
        .into_iter()
        .map(|one| Document { id: one.id, text: Some(String::from_utf8(one.text).unwrap()) })
        .collect()
}

fn compared(base: &str, head: &str, rules: &Rules<'_>) -> Comparison {
    compare("web", &documents(base), &documents(head), rules)
}

fn shown(change: &Change) -> String {
    change.hunks.iter().flat_map(|hunk| &hunk.lines).map(ToString::to_string).collect()
}

const DEPLOYMENT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: app
        image: web:1
        env:
        - name: A
          value: x
      - name: side
        image: side:1
";

#[test]
fn what_only_moved_is_no_change() {
    let moved = "kind: Deployment
apiVersion: \"apps/v1\"
metadata: {name: web}
spec:
    template:
      spec:
        containers:
          # another order
          - image: side:1
            name: side
          - name: app
            env:
            - {value: x, name: A}
            image: 'web:1'
    replicas: 2
";
    let found = compared(DEPLOYMENT, moved, &Rules::default());
    assert_eq!(found, Comparison { form: 1, ..Comparison::default() });
}

#[test]
fn lines_are_the_texts_own_at_the_bases_places() {
    let head = "apiVersion: apps/v1
kind: Deployment
metadata:
  labels: {a: b}
  name: web
spec:
  replicas: 3 # more
  template:
    spec:
      containers:
        - name: side
          image: side:1
        - image: web:2
          name: app
          env:
            - name: B
              value: |
                y
            - name: A
              value: x
";
    let found = compared(DEPLOYMENT, head, &Rules::default());
    assert_eq!(
        shown(&found.changes[0]),
        " apiVersion: apps/v1
 kind: Deployment
 metadata:
+  labels: {a: b}
   name: web
 spec:
-  replicas: 2
+  replicas: 3 # more
   template:
     spec:
       containers:
       - name: app
-        image: web:1
+        image: web:2
         env:
+        - name: B
+          value: |
+            y
         - name: A
           value: x
       - name: side
"
    );
}

#[test]
fn a_first_field_that_goes_leaves_its_dash_behind() {
    let (base, head) = (
        "kind: A\nmetadata: {name: a}\nx:\n- a: 1\n  b: 2\n- c: 3\n",
        "kind: A\nmetadata: {name: a}\nx:\n- b: 2\n- c: 4\n",
    );
    let found = compared(base, head, &Rules::default());
    assert_eq!(
        shown(&found.changes[0]),
        " kind: A\n metadata: {name: a}\n x:\n-- a: 1\n-  b: 2\n-- c: 3\n+- b: 2\n+- c: 4\n"
    );
}

#[test]
fn rules_hide_and_count() {
    let base = "kind: A\nmetadata:\n  name: a\n  labels: {helm.sh/chart: web-1, app: x}\n  annotations:\n    checksum/config: a\nspec:\n  x: 1\n  y: 1\n---\nkind: B\nmetadata: {name: b}\nx: 1\n";
    let head = base
        .replace("web-1", "web-2")
        .replace("checksum/config: a", "checksum/config: b")
        .replace("y: 1", "y: 2");
    let head = head.replace("}\nx: 1\n", "}\nx: 2\n");
    let rule = |rule: DiffRule| rule;
    let ignore = [
        rule(DiffRule { label: Some("helm.sh/chart".to_owned()), ..DiffRule::default() }),
        rule(DiffRule { annotation: Some("checksum/*".to_owned()), ..DiffRule::default() }),
        rule(DiffRule { kind: Some("B".to_owned()), target: Some("w*".to_owned()), ..DiffRule::default() }),
    ];
    let found = compared(base, &head, &Rules { ignore: &ignore, secrets: &[], form: false });
    assert_eq!((found.hidden, found.changes.len()), (3, 1));
    let text = shown(&found.changes[0]);
    assert!(text.ends_with("-  y: 1\n+  y: 2\n") && !text.contains("+    checksum"), "{text}");
    let all = [DiffRule { path: Some("/spec/*".to_owned()), ..DiffRule::default() }];
    let rules = Rules { ignore: &[&ignore[..], &all[..]].concat(), secrets: &[], form: false };
    let found = compared(base, &head, &rules);
    assert_eq!((found.hidden, found.changes.len(), found.form), (4, 0, 0));
}

#[test]
fn a_rule_about_what_comes_does_not_hide_what_goes() {
    let ignore = [
        DiffRule { name: Some("preview-*".to_owned()), ..DiffRule::default() },
        DiffRule { kind: Some("Lease".to_owned()), ..DiffRule::default() },
    ];
    let rules = Rules { ignore: &ignore, secrets: &[], form: false };
    let set = |name: &str| {
        format!(
            "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {{name: {name}}}\nspec:\n  replicas: 1\n  a: b\n  c: d\n  e: f\n"
        )
    };
    let lease = set("db").replace("apps/v1", "coordination.k8s.io/v1").replace("StatefulSet", "Lease");
    for (base, head) in [(set("db"), set("preview-db")), (set("preview-db"), set("db")), (set("db"), lease)] {
        let found = compared(&base, &head, &rules);
        assert_eq!((found.changes.len(), found.hidden), (1, 0), "{base}{head}");
        let signals = &found.changes[0].signals;
        assert!(signals.iter().any(|signal| signal.kind == SignalKind::DataLoss), "{signals:?}");
    }
    let found = compared(&set("preview-db"), &set("preview-other"), &rules);
    assert_eq!((found.changes.len(), found.hidden), (0, 1));
}

#[test]
fn generated_names_are_one_change_with_their_references() {
    let map = |hash: &str, value: &str| {
        format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: web-{hash}\ndata:\n  a: {value}\n---\n")
    };
    let user = |hash: &str| {
        format!("kind: Job\napiVersion: batch/v1\nmetadata:\n  name: use\nspec:\n  ref: web-{hash}\n")
    };
    let base = map("5b7d8f6ghm", "x") + &user("5b7d8f6ghm");
    let head = map("m2456789bc", "y") + &user("m2456789bc");
    let found = compared(&base, &head, &Rules::default());
    assert_eq!(found.changes.len(), 2);
    let (user, map) = (&found.changes[1], &found.changes[0]);
    assert_eq!(map.was.as_ref().map(|was| was.name.as_str()), Some("web-5b7d8f6ghm"));
    assert!(map.signals.is_empty(), "{:?}", map.signals);
    assert!(user.hunks.is_empty());
    let reference = &user.references[0];
    assert_eq!((reference.field.as_str(), reference.to.as_str()), ("spec.ref", "web-m2456789bc"));
    let ignore = [DiffRule { generated_hashes: true, ..DiffRule::default() }];
    let found = compared(&base, &head, &Rules { ignore: &ignore, secrets: &[], form: false });
    assert_eq!((found.changes.len(), found.hidden), (1, 1));
}

#[test]
fn values_of_secrets_never_show() {
    let secret = |value: &str, more: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\n  annotations: {{last: hunter0{value}}}\nstringData:\n  pass: hunter1{value} # hunter2\n{more}"
        )
    };
    let base = secret("a", "  gone: hunter3\n");
    let head = secret("b", "  new: hunter4\n");
    let found = compared(&base, &head, &Rules::default());
    assert_eq!(
        shown(&found.changes[0]),
        " metadata:\n   name: a\n   annotations:\n-    last: (hidden)\n+    last: (hidden, changed)\n stringData:\n-  pass: (hidden)\n-  \
         gone: (hidden)\n+  pass: (hidden, changed)\n+  new: (hidden)\n"
    );
    assert_eq!(found.changes[0].signals[0].text, "keys of the Secret: gone, new, pass");
    let map = base.replace("kind: Secret", "kind: ConfigMap").replace("stringData", "data");
    for (base, head) in [
        (base.as_str(), ""),
        ("", base.as_str()),
        (&base, &map),
        (&map, &base),
        (&base, &(base.clone() + "x: [*y]\n")),
    ] {
        let text = format!("{:?}", compared_any(base, head));
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[test]
fn a_change_of_what_is_hidden_always_shows() {
    let secret = |value: &str| {
        format!(
            "apiVersion: v1\nkind: Secret\nmetadata:\n  name: a\nstringData:\n  pass: {value}\n  other: x\n"
        )
    };
    let told = |base: &str, head: &str, rules: &Rules<'_>| {
        let found = compared(base, head, rules);
        assert!(!format!("{found:?}").contains("hunter"), "{found:?}");
        assert_eq!((found.changes.len(), found.form, found.hidden), (1, 0, 0), "{base}{head}");
        let change = &found.changes[0];
        let signals: Vec<&str> = change.signals.iter().map(|signal| signal.text.as_str()).collect();
        (shown(change), signals.join("; "))
    };
    let any = Rules::default();
    // A key twice: somewhere else, or the one that matters.
    let twice = |value: &str| secret(value).replace("name: a\n", "name: a\n  labels: {a: b, a: b}\n");
    let (lines, signals) = told(&twice("hunter1"), &twice("hunter2"), &any);
    assert!(lines.contains("-  pass: (hidden)\n+  pass: (hidden, changed)\n"), "{lines}");
    assert_eq!(signals, "keys of the Secret: pass");
    let doubled = |value: &str| secret(&format!("hunter1\n  pass: {value}"));
    for base in [doubled("hunter1"), secret("hunter1")] {
        assert_eq!(told(&base, &doubled("hunter2"), &any).1, "keys of the Secret: pass");
    }
    // What no tree can be made of.
    let strange = |value: &str| secret(value) + "extra: {[a]: b}\n";
    let unread = (String::new(), "hidden values may change: the text cannot be read".to_owned());
    assert_eq!(told(&strange("hunter1"), &strange("hunter2"), &any), unread);
    let secrets = [SecretRule { path: "/spec/users/*/password".to_owned(), ..SecretRule::default() }];
    let rules = Rules { secrets: &secrets, ..Rules::default() };
    let app = |users: &str| format!("kind: App\nmetadata: {{name: a}}\nspec:\n  users: {users}\n");
    let strange = |value: &str| app(&format!("[{{password: {value}}}]")) + "extra: {[a]: b}\n";
    assert_eq!(told(&strange("hunter1"), &strange("hunter2"), &rules), unread);
    // Two that changed places.
    let swapped = told(
        &app("[{password: hunter1}, {password: hunter2}]"),
        &app("[{password: hunter2}, {password: hunter1}]"),
        &rules,
    );
    assert!(swapped.0.contains("(hidden, changed)"), "{swapped:?}");
}

/// Compares also what hydrator would refuse to render.
fn compared_any(base: &str, head: &str) -> Comparison {
    let document = |text: &str| {
        let kind = if text.contains("kind: Secret") { "Secret" } else { "ConfigMap" };
        let id = ManifestId {
            group: String::new(),
            kind: kind.to_owned(),
            namespace: String::new(),
            name: "a".to_owned(),
        };
        Document { id, text: Some(text.to_owned()) }
    };
    let side = |text: &str| if text.is_empty() { Vec::new() } else { vec![document(text)] };
    compare("web", &side(base), &side(head), &Rules::default())
}

#[test]
fn chosen_fields_are_hidden_too() {
    let secrets = [SecretRule {
        path: "/spec/token".to_owned(),
        kind: Some("App".to_owned()),
        ..SecretRule::default()
    }];
    let app = |token: &str| format!("kind: App\nmetadata: {{name: a}}\nspec: {{token: {token}, size: 1}}\n");
    let found = compared(&app("hunter1"), &app("hunter2"), &Rules { secrets: &secrets, ..Rules::default() });
    let text = shown(&found.changes[0]);
    assert!(text.contains("+  token: (hidden, changed)\n") && !text.contains("hunter"), "{text}");
}

#[test]
fn what_cannot_be_hidden_is_not_counted_as_hidden() {
    let text = |chart: &str, size: u8| {
        format!(
            "{{\"kind\": \"A\", \"metadata\": {{\"name\": \"a\", \"labels\": {{\"helm.sh/chart\": \"{chart}\"}}}}, \"x\": {size}}}\n"
        )
    };
    let ignore = [DiffRule { label: Some("helm.sh/chart".to_owned()), ..DiffRule::default() }];
    let rules = Rules { ignore: &ignore, secrets: &[], form: false };
    let found = compared(&text("a-1", 1), &text("a-2", 2), &rules);
    assert_eq!((found.hidden, found.changes[0].hidden), (0, 0));
    assert!(shown(&found.changes[0]).contains("a-2"));
    let found = compared(&text("a-1", 1), &text("a-2", 1), &rules);
    assert_eq!((found.hidden, found.changes.len()), (1, 0));
}
