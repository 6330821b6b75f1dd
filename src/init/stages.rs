//! Names of environments as people give them, and the order in which they are promoted. Pure.

/// Directories whose children are environments.
const PARENTS: [&str; 8] =
    ["overlays", "overlay", "environments", "environment", "envs", "env", "stages", "clusters"];

/// Words for each step on the way to production, the first step first.
const STEPS: [&[&str]; 5] = [
    &["dev", "develop", "development", "sandbox", "playground", "local", "preview"],
    &["test", "tst", "testing", "int", "integration", "ci", "qa", "e2e", "nonprod"],
    &["uat", "acc", "acceptance", "load", "perf", "demo"],
    &["staging", "stage", "stg", "preprod", "preproduction", "canary"],
    &["prod", "prd", "production", "live"],
];

/// The step of an environment with this name; `None` if no word in it is one.
pub(super) fn step(name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    let joined = name.replace("non-prod", "nonprod").replace("pre-prod", "preprod");
    let mut words = joined.split(['-', '_', '.']);
    words.find_map(|word| STEPS.iter().position(|step| step.contains(&word)))
}

/// A name with nothing but lower-case letters, digits, `.`, `_` and `-`, and the first two at both ends; may be empty.
pub(super) fn plain(name: &str) -> String {
    let lower = name.to_lowercase();
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let plain: String = lower.chars().map(|c| if is_legal(c) { c } else { '-' }).collect();
    plain.trim_matches(['.', '_', '-']).to_owned()
}

/// The name that an environment can have, by what paths call it.
pub(super) fn legal(name: &str) -> String {
    const LONGEST: usize = 63;
    let short: String = plain(name).chars().take(LONGEST).collect();
    let short = short.trim_end_matches(['.', '_', '-']);
    if short.is_empty() { "environment".to_owned() } else { short.to_owned() }
}

/// Whether the children of a directory with this name are environments.
pub(super) fn is_parent(name: &str) -> bool {
    PARENTS.contains(&name)
}

/// Which part of a path names the environment: a child of a directory that holds environments, else the first part that
/// sounds like one. `any` takes also children that do not sound like one.
pub(super) fn place_in(parts: &[&str], any: bool) -> Option<usize> {
    let after_parent = |at: &usize| *at > 0 && is_parent(parts[at - 1]);
    let known = |at: &usize| step(parts[*at]).is_some();
    let places = || 0..parts.len();
    places()
        .find(|at| after_parent(at) && known(at))
        .or_else(|| places().find(known))
        .or_else(|| places().find(|at| any && after_parent(at)))
}

/// Environments in the order of their promotion; each with those that come directly before it, or `None` where that is
/// just the one above.
pub(super) fn ordered(names: impl IntoIterator<Item = String>) -> Vec<(String, Option<Vec<String>>)> {
    let mut names: Vec<(usize, String)> =
        names.into_iter().map(|name| (step(&name).unwrap_or(STEPS.len()), name)).collect();
    names.sort();
    names.dedup();
    let steps: Vec<&[(usize, String)]> = names.chunk_by(|one, other| one.0 == other.0).collect();
    let is_chain = steps.iter().all(|step| step.len() == 1);
    let mut found = Vec::new();
    let mut before: Vec<String> = Vec::new();
    for step in steps {
        for (_, name) in step {
            found.push((name.clone(), (!is_chain).then(|| before.clone())));
        }
        before = step.iter().map(|(_, name)| name.clone()).collect();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environments_are_known_by_their_words() {
        for (name, wanted) in [
            ("dev", Some(0)),
            ("integration-gpu", Some(1)),
            ("non-prod", Some(1)),
            ("pre-prod-eu", Some(3)),
            ("PROD_us", Some(4)),
            ("product", None),
            ("base", None),
        ] {
            assert_eq!(step(name), wanted, "{name}");
        }
    }

    #[test]
    fn names_become_legal() {
        for (name, wanted) in
            [("Dev", "dev"), ("prod eu!", "prod-eu"), ("_qa_", "qa"), ("...", "environment")]
        {
            assert_eq!(legal(name), wanted);
        }
    }

    #[test]
    fn the_environment_of_a_path_is_found() {
        assert_eq!(place_in(&["apps", "web", "overlays", "dev"], false), Some(3));
        assert_eq!(place_in(&["prod", "web"], false), Some(0));
        assert_eq!(place_in(&["clusters", "mars", "web"], false), None);
        assert_eq!(place_in(&["clusters", "mars", "web"], true), Some(1));
        assert_eq!(place_in(&["test", "envs", "prod"], false), Some(2));
    }

    #[test]
    fn steps_with_several_environments_make_a_graph() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(ordered(names(&["prod", "dev"])), [("dev".to_owned(), None), ("prod".to_owned(), None)]);
        assert_eq!(
            ordered(names(&["prod-eu", "qa", "prod-us"])),
            [
                ("qa".to_owned(), Some(Vec::new())),
                ("prod-eu".to_owned(), Some(names(&["qa"]))),
                ("prod-us".to_owned(), Some(names(&["qa"]))),
            ]
        );
    }
}
