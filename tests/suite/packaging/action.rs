//! `action.yml`: what it says of itself is so.

use std::collections::BTreeSet;

use serde_yaml::Value;

use super::read;
use crate::support::command::Run;
use crate::support::git::TestRepo;

pub(super) fn action() -> Value {
    serde_yaml::from_str(&read("action.yml")).expect("action.yml is YAML")
}

pub(super) fn names(value: &Value) -> BTreeSet<String> {
    let mapping = value.as_mapping().expect("it is a mapping");
    mapping.keys().map(|key| key.as_str().expect("a name").to_owned()).collect()
}

fn steps(action: &Value) -> Vec<Value> {
    action["runs"]["steps"].as_sequence().expect("there are steps").clone()
}

#[test]
fn inputs_reach_the_program_by_variables_only() {
    let action = action();
    let (mut used, mut variables) = (BTreeSet::new(), BTreeSet::new());
    for step in steps(&action) {
        let script = step["run"].as_str().expect("every step is a script");
        assert!(!script.contains("${{"), "{script}");
        for (name, value) in step["env"].as_mapping().expect("it has variables") {
            let value = value.as_str().unwrap();
            let input = value.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}"));
            assert!(
                used.insert(input.unwrap_or_else(|| panic!("{value}")).to_owned()),
                "{value} is used twice"
            );
            variables.insert(name.as_str().unwrap().to_owned());
        }
    }
    assert_eq!(used, names(&action["inputs"]));
    // Each is what the installer reads, or an option of a command.
    let installer = read("scripts/install.sh");
    let repo = TestRepo::new();
    let help = ["run", "diff", "promote", "rollback", "resume", "history", "check"].map(|command| {
        Run::hydrator(&repo).arguments([command, "--help"]).run().success().stdout().to_owned()
    });
    for name in
        variables.iter().filter(|name| !["HYDRATOR_COMMAND", "HYDRATOR_TOKEN"].contains(&name.as_str()))
    {
        let option = name.strip_prefix("HYDRATOR_").expect("its variables begin so").to_lowercase();
        let option = format!("--{} ", option.replace('_', "-"));
        let lines = help.iter().flat_map(|text| text.lines()).map(|line| format!("{line} "));
        assert!(
            installer.contains(&format!("${{{name}:-}}")) || lines.clone().any(|line| line.contains(&option)),
            "{name}"
        );
    }
}

#[test]
fn every_input_and_output_is_described() {
    let action = action();
    for kind in ["inputs", "outputs"] {
        for (name, about) in action[kind].as_mapping().expect("there are some") {
            let name = name.as_str().unwrap();
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{name}");
            assert!(about["description"].as_str().is_some_and(|text| text.len() > 10), "{name}");
            match kind {
                "inputs" => assert!(about["default"].is_string(), "{name}"),
                _ => assert_eq!(
                    about["value"].as_str(),
                    Some(format!("${{{{ steps.hydrator.outputs.{name} }}}}").as_str())
                ),
            }
        }
    }
    let used = read("scripts/install.sh");
    for input in ["kustomize", "helm"] {
        let text = action["inputs"][format!("{input}-version")]["description"].as_str().unwrap();
        let version = text.split('`').nth(1).expect("an example");
        assert!(used.contains(&format!("\n{input} {version} linux-x86_64 ")), "{text}");
    }
}

/// The cells of the README's table with this head, without code marks around a whole cell.
fn told(head: &str) -> Vec<Vec<String>> {
    let readme = read("README.md");
    let rows =
        readme.lines().skip_while(|line| *line != head).skip(2).take_while(|line| line.starts_with('|'));
    let cell = |cell: &str| cell.trim().trim_matches('`').to_owned();
    rows.map(|row| row.trim_matches('|').split(" | ").map(cell).collect()).collect()
}

/// What the action says of its inputs or outputs: of each its name, and some of what is written of it.
fn written(kind: &str, keys: &[&str]) -> Vec<Vec<String>> {
    let action = action();
    let all = action[kind].as_mapping().unwrap().iter();
    all.map(|(name, about)| {
        let texts = keys.iter().map(|key| about[*key].as_str().unwrap().trim_matches('`'));
        std::iter::once(name.as_str().unwrap()).chain(texts).map(str::to_owned).collect()
    })
    .collect()
}

#[test]
fn the_readme_tells_the_inputs_and_the_outputs() {
    assert_eq!(told("| input | means | default |"), written("inputs", &["description", "default"]));
    assert_eq!(told("| output | is |"), written("outputs", &["description"]));
}
