//! Outputs of targets: each one a safe path, and all of one environment apart. Pure.

use std::collections::HashMap;

use super::super::node::Node;
use super::super::problem::Findings;
use super::super::structure::shown;
use crate::model::Target;

/// Files that we write at a branch's root.
const OURS: &[&str] = &["hydrator.metadata", ".gitattributes"];

/// What is wrong with `output` as a directory of a hydrated branch.
pub(super) fn wrong(output: &str) -> Option<String> {
    if matches!(output, "" | "." | "./") {
        return Some("the output must be a directory below the branch's root".to_owned());
    }
    if output.contains(char::is_control) || output.contains('\\') {
        return Some(format!("the output `{}` has a backslash or a control character in it", shown(output)));
    }
    if output.starts_with('/') {
        return Some(format!("the output `{}` must be relative", shown(output)));
    }
    let first = output.split('/').next().unwrap_or_default();
    if OURS.iter().any(|ours| ours.eq_ignore_ascii_case(first)) {
        return Some(format!(
            "the output `{}` takes the place of the file `{first}` that hydrator writes",
            shown(output)
        ));
    }
    let reason = output.split('/').find_map(wrong_component)?;
    Some(format!("the output `{}` {reason}", shown(output)))
}

fn wrong_component(part: &str) -> Option<&'static str> {
    const LONGEST: usize = 255;
    match part {
        "" => Some("has an empty component"),
        "." | ".." => Some("has a `.` or `..` component"),
        _ if is_git_directory(part) => Some("leads into `.git`"),
        _ if part.len() > LONGEST => Some("has a component that is too long for a file system"),
        _ => None,
    }
}

/// What some file system takes for `.git`. Source: git's `is_ntfs_dotgit` and `is_hfs_dotgit`.
fn is_git_directory(part: &str) -> bool {
    let ignored_by_hfs = |c: char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let seen: String = part.chars().filter(|c| !ignored_by_hfs(*c)).collect();
    let seen = seen.split(':').next().unwrap_or_default().trim_end_matches(['.', ' ']);
    seen.eq_ignore_ascii_case(".git") || seen.eq_ignore_ascii_case("git~1")
}

/// Checks that no two targets of one environment have the same name, or outputs that are equal, nest, or differ in
/// case only. `targets` come with the node of the pattern that made them.
pub(super) fn check(environment: &str, targets: &[(Target, &Node)], findings: &mut Findings) {
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut outputs: HashMap<&str, usize> = HashMap::new();
    for (index, (target, _)) in targets.iter().enumerate() {
        outputs.entry(target.output.as_str()).or_insert(index);
    }
    for (index, (target, node)) in targets.iter().enumerate() {
        let clash = clash(index, target, &outputs);
        if let Some((first, what)) = clash {
            let message = format!(
                "in `{environment}`, {} and {} have {what}",
                described(&targets[first].0),
                described(target)
            );
            findings.problem_with_hint(node, message, "give one of them another `name` or `output`");
        } else if let Some(first) = names.get(target.name.as_str()) {
            let message = format!(
                "in `{environment}`, {} and {} have the same name",
                described(&targets[*first].0),
                described(target)
            );
            findings.problem_with_hint(node, message, "give one of them another `name`");
        }
        names.entry(&target.name).or_insert(index);
    }
    check_case(environment, targets, findings);
}

fn clash<'a>(index: usize, target: &Target, outputs: &HashMap<&str, usize>) -> Option<(usize, &'a str)> {
    let first = *outputs.get(target.output.as_str())?;
    if first != index {
        return Some((first, "the same output"));
    }
    let above = target.output.ancestors().skip(1).find_map(|directory| outputs.get(directory.as_str()));
    above.map(|first| (*first, "outputs of which one is inside the other"))
}

/// `Web/a` and `web/b` are one directory on file systems that ignore case.
fn check_case(environment: &str, targets: &[(Target, &Node)], findings: &mut Findings) {
    let mut spellings: HashMap<String, (&str, usize)> = HashMap::new();
    for (index, (target, node)) in targets.iter().enumerate() {
        for directory in target.output.ancestors().filter(|directory| !directory.as_str().is_empty()) {
            let (spelling, first) =
                *spellings.entry(directory.as_str().to_lowercase()).or_insert((directory.as_str(), index));
            if spelling != directory.as_str() {
                let message = format!(
                    "in `{environment}`, the outputs of {} and {} differ in case only",
                    described(&targets[first].0),
                    described(target)
                );
                findings.problem(node, message);
                break;
            }
        }
    }
}

fn described(target: &Target) -> String {
    let source = if target.source.as_str().is_empty() { "." } else { target.source.as_str() };
    format!(
        "target `{}` (from `{}`, to `{}`)",
        shown(&target.name),
        shown(source),
        shown(target.output.as_str())
    )
}

#[cfg(test)]
mod tests {
    use super::wrong;

    #[test]
    fn outputs_stay_on_the_branch_and_out_of_git() {
        for good in ["web", "eu-1/web", ".hidden", "a.git", "hydrator.metadata.d", "x/hydrator.metadata"] {
            assert_eq!(wrong(good), None, "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a/../b",
            "/a",
            "a//b",
            "a/",
            ".git",
            "a/.GIT/hooks",
            ".git.",
            "git~1",
            ".g\u{200c}it",
            ".git::$INDEX_ALLOCATION",
            "a\nb",
            "a\\b",
            "hydrator.metadata",
            ".gitattributes/x",
            "Hydrator.Metadata",
        ] {
            assert!(wrong(bad).is_some(), "{bad:?}");
        }
    }
}
