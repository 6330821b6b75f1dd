//! Options of the kustomize renderer. Pure.

use super::super::problem::Findings;
use super::super::structure::shown;
use super::unit::{Unit, expand_all};

/// Flags of `kustomize build` that only choose between safe things. Left out on purpose: whatever runs programs
/// (`--enable-exec`, `--enable-alpha-plugins`, `--helm-command`, `--enable-star`), opens the network or the machine
/// (`--network`, `--mount`, `--env`), or writes somewhere else (`--output`).
const ALLOWED: &[(&str, Values)] = &[
    ("--enable-helm", Values::None),
    ("--enable-managedby-label", Values::None),
    ("--load-restrictor", Values::Words(&["LoadRestrictionsNone", "LoadRestrictionsRootOnly"])),
    ("--reorder", Values::Words(&["none", "legacy"])),
    ("--helm-api-versions", Values::Text),
    ("--helm-kube-version", Values::Text),
];

enum Values {
    None,
    Words(&'static [&'static str]),
    Text,
}

/// The flags as `--flag` or `--flag=value`; a value that follows as an item of its own is joined to its flag.
pub(super) fn build_options(unit: &Unit<'_>, findings: &mut Findings) -> Vec<String> {
    let written =
        unit.options.merged.kustomize.as_ref().and_then(|kustomize| kustomize.build_options.as_deref());
    let keys = ["kustomize", "buildOptions"];
    let texts = expand_all(unit, written.unwrap_or_default(), &keys, findings);
    let mut options: Vec<String> = Vec::with_capacity(texts.len());
    let mut awaits_value = false;
    for (index, text) in texts.iter().enumerate() {
        if awaits_value && !text.starts_with('-') {
            if let Some(flag) = options.last_mut() {
                flag.push('=');
                flag.push_str(text);
            }
            awaits_value = false;
        } else {
            awaits_value = !text.contains('=') && takes_value(text);
            options.push(text.clone());
        }
        let complete = !awaits_value || index + 1 == texts.len() || texts[index + 1].starts_with('-');
        if complete && let Some(reason) = options.last().and_then(|option| wrong(option)) {
            findings.problem(unit.options.node(&keys).item(index), reason);
        }
    }
    options
}

fn takes_value(flag: &str) -> bool {
    ALLOWED.iter().any(|(name, values)| *name == flag && !matches!(values, Values::None))
}

fn wrong(option: &str) -> Option<String> {
    let (flag, value) = option.split_once('=').map_or((option, None), |(flag, value)| (flag, Some(value)));
    let Some((_, values)) = ALLOWED.iter().find(|(name, _)| *name == flag) else {
        let allowed: Vec<String> = ALLOWED.iter().map(|(name, _)| format!("`{name}`")).collect();
        return Some(format!("`{}` is not allowed; allowed are {}", shown(option), allowed.join(", ")));
    };
    match (values, value) {
        (Values::None, None | Some("true" | "false")) => None,
        (Values::None, Some(_)) => Some(format!("`{flag}` takes no value")),
        (_, None | Some("")) => Some(format!("`{flag}` needs a value: `{flag}=…`")),
        (Values::Words(words), Some(value)) if !words.contains(&value) => {
            Some(format!("`{flag}` takes {}", words.join(" or ")))
        }
        (Values::Text, Some(value)) if value.contains(char::is_control) => {
            Some(format!("the value of `{flag}` has a control character in it"))
        }
        (Values::Words(_) | Values::Text, Some(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::wrong;

    #[test]
    fn only_harmless_flags_pass() {
        for good in ["--enable-helm", "--load-restrictor=LoadRestrictionsNone", "--helm-kube-version=1.33"] {
            assert_eq!(wrong(good), None, "{good}");
        }
        for bad in [
            "--enable-exec",
            "--enable-alpha-plugins",
            "--helm-command=/tmp/x",
            "-o",
            "--output=/etc",
            "--network",
            "--mount",
            "-e",
            "--env=X",
            "--load-restrictor=none",
            "--load-restrictor",
            "--enable-helm=x",
            "https://evil.example/repo",
            "",
        ] {
            assert!(wrong(bad).is_some(), "{bad}");
        }
    }
}
