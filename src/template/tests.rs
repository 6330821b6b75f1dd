//! Templates by example, hostile ones included.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

fn known() -> Vec<&'static str> {
    PROPOSAL_VARIABLES.iter().copied().chain(["vars.registry"]).collect()
}

fn set(files: &[(&str, &str)]) -> TemplateSet {
    let files: BTreeMap<String, String> =
        files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    TemplateSet::new(move |name| Ok(files.get(name).cloned()))
}

fn render(source: &str, context: &serde_json::Value) -> Result<String, TemplateError> {
    set(&[("a.yaml.j2", source)]).render("a.yaml.j2", context)
}

#[test]
fn renders_without_escaping_and_keeps_the_final_newline() {
    let template = Template::parse("title", "{{ dry.subject }} <{{ environment }}>\n").unwrap();
    let mut context = ProposalContext::sample("prod", &BTreeMap::new());
    context.dry.subject = "a & b".to_owned();
    assert_eq!(template.render(&context).unwrap(), "a & b <prod>\n");
}

#[test]
fn the_published_variables_are_those_of_the_context() {
    let vars = BTreeMap::from([("registry".to_owned(), "r".to_owned())]);
    let context = serde_json::to_value(ProposalContext::sample("prod", &vars)).unwrap();
    let mut names: Vec<String> = Vec::new();
    for (key, value) in context.as_object().unwrap() {
        match value {
            serde_json::Value::Object(inner) => {
                names.extend(inner.keys().map(|inner| format!("{key}.{inner}")));
            }
            serde_json::Value::Array(_) => names.push(format!("{key}.*")),
            _ => names.push(key.clone()),
        }
    }
    let mut published: Vec<String> = known().into_iter().map(str::to_owned).collect();
    names.sort();
    published.sort();
    assert_eq!(names, published);
}

#[test]
fn finds_unknown_variables_also_nested_ones() {
    let source = "{{ dry.sujbect }}{{ vars.none }}{{ stage }}{% for t in targets %}{{ t }}{{ loop.index }}{% endfor %}\
        {{ targets[0] }}{{ dry.subject }}{{ range(3) }}{% set x = 1 %}{{ x }}";
    let template = Template::parse("body", source).unwrap();
    assert_eq!(template.unknown_variables(&known()), ["dry.sujbect", "stage", "vars.none"]);
}

#[test]
fn errors_name_template_line_and_reason_but_no_values() {
    let error = Template::parse("body", "one\n{{ two").unwrap_err();
    assert_eq!((error.template.as_str(), error.line), ("body", Some(2)));
    let context = json!({ "secret": "hunter2", "list": [1] });
    for source in [
        "\n{{ secret.x.y }}",
        "\n{{ secret + 1 }}",
        "\n{{ secret | int }}",
        "\n{{ list[secret].z }}",
        "\n{% include secret %}",
        "\n{{ secret | round }}",
        "\n{{ secret() }}",
        "\n{{ list.hunter() }}",
    ] {
        let error = render(source, &context).unwrap_err();
        assert_eq!(error.line, Some(2), "{source}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{source}: {error}");
    }
    let error = render("\n\n{{ nosuch.thing }}", &context).unwrap_err();
    assert_eq!(error.line, Some(3));
    assert!(error.reason.contains("nosuch"), "{error}");
}

#[test]
fn undefined_variables_are_errors() {
    assert!(render("{{ nothing }}", &json!({})).is_err());
    assert!(render("{% if nothing %}{% endif %}", &json!({})).is_err());
    assert_eq!(render("{{ nothing | default('x') }}", &json!({})).unwrap(), "x");
}

#[test]
fn required_says_what_the_template_says() {
    let error = render("{{ nothing | required('set `image`') }}", &json!({})).unwrap_err();
    assert_eq!(error.reason, "set `image`");
    assert_eq!(render("{{ 0 | required('x') }}", &json!({})).unwrap(), "0");
}

#[test]
fn includes_stay_in_the_directory() {
    let files = [
        ("a.yaml.j2", "{% include 'parts/b.j2' %}"),
        ("parts/b.j2", "{% include './c.j2' %}{% include '../d.j2' %}"),
        ("parts/c.j2", "c"),
        ("d.j2", "d"),
        ("up.j2", "{% include '../x' %}"),
        ("root.j2", "{% include '/etc/passwd' %}"),
        ("parts/up.j2", "{% include '../../x' %}"),
        ("none.j2", "\n{% include 'nothing.j2' %}"),
        ("broken.j2", "{% include 'bad.j2' %}"),
        ("bad.j2", "\n\n{{ nosuch }}"),
    ];
    let set = set(&files);
    assert_eq!(set.render("a.yaml.j2", &json!({})).unwrap(), "cd");
    for name in ["up.j2", "root.j2", "parts/up.j2"] {
        assert!(set.render(name, &json!({})).unwrap_err().reason.contains("leads out"), "{name}");
    }
    let error = set.render("none.j2", &json!({})).unwrap_err();
    assert!(error.reason.contains("nothing.j2"), "{error}");
    let error = set.render("broken.j2", &json!({})).unwrap_err();
    assert_eq!((error.template.as_str(), error.line), ("bad.j2", Some(3)));
}

#[test]
fn hostile_templates_end() {
    let context = json!({});
    for source in [
        "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(x=1) %}{{ ns.x }}",
        "{{ 'x' * 99999999 * 9999 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include 'a.yaml.j2' %}",
        "{{ 'x' | indent(9999999999) }}",
    ] {
        assert!(render(source, &context).is_err(), "{source}");
    }
}

#[test]
fn yaml_text_means_the_value() {
    let value = json!({
        "plain": "web", "version": "1.10", "yes": "yes", "empty": "", "nothing": null, "flag": true, "count": 3, "ratio": 0.5,
        "colon": "a: b", "url": "https://x/y", "script": "#!/bin/sh\necho \"hi\"\n\n  exit\n", "no newline": "a\nb", "blank": "  x\ny\n",
        "trailing": "x\n\n", "cr": "a\r\nb", "list": ["a", { "b": [1, [2]] }, []], "map": {}, "deep": { "er": { "text": "l1\nl2\n" } },
        "unicode": "ü \u{2028} \u{85} \u{7f} \u{1f600}", "~": "~", "-": "- a", "date": "2026-01-01", "dots": "...", "one line": "x\n",
    });
    let text = render("{{ value | toyaml }}\n", &json!({ "value": value })).unwrap();
    let back: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(back, value, "{text}");
    assert!(
        text.contains("plain: web\n")
            && text.contains("version: \"1.10\"\n")
            && text.contains("script: |\n  #!/bin/sh\n"),
        "{text}"
    );
    let json = render("{{ value | tojson }}", &json!({ "value": value })).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
}

#[test]
fn nested_yaml_can_be_indented() {
    let context = json!({ "env": { "A": "1", "B": { "c": ["x"] } } });
    let text = render("env:\n  {{ env | toyaml | indent(2) }}\n", &context).unwrap();
    assert_eq!(text, "env:\n  A: \"1\"\n  B:\n    c:\n      - x\n");
}

#[test]
fn nothing_looks_outside() {
    for source in
        ["{{ debug() }}", "{{ now() }}", "{{ random() }}", "{{ env('HOME') }}", "{{ lookup('file', 'x') }}"]
    {
        assert!(render(source, &json!({})).is_err(), "{source}");
    }
}
