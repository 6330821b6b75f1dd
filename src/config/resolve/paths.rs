//! Paths and globs of options: where they lead, without looking. Pure.

use camino::{Utf8Path, Utf8PathBuf};

use super::super::structure::shown;

/// `text` as a path from the repository's root: relative to `source`, or to the root with a leading `/`.
pub(super) fn from_source(text: &str, source: &Utf8Path) -> Result<Utf8PathBuf, String> {
    if text.contains(char::is_control) || text.contains('\\') {
        return Err(format!("`{}` has a backslash or a control character in it", shown(text)));
    }
    let (start, rest) = match text.strip_prefix('/') {
        Some(rest) => (Utf8Path::new(""), rest),
        None => (source, text),
    };
    let mut path: Vec<&str> = start.as_str().split('/').filter(|part| !part.is_empty()).collect();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.pop().ok_or_else(|| format!("`{}` leads out of the repository", shown(text)))?;
            }
            part => path.push(part),
        }
    }
    Ok(path.join("/").into())
}

/// Checks a glob; there is a bound on its stars since the time to match grows with each.
pub(super) fn glob_pattern(text: &str) -> Result<glob::Pattern, String> {
    const MOST_STARS: usize = 16;
    if text.is_empty() || text.contains(char::is_control) {
        return Err("a glob must not be empty or contain control characters".to_owned());
    }
    if text.matches('*').count() > MOST_STARS {
        return Err(format!("`{}` has more than {MOST_STARS} stars", shown(text)));
    }
    glob::Pattern::new(text).map_err(|error| format!("`{}` is not a glob: {}", shown(text), error.msg))
}

/// Whether `pattern` matches `path` or a directory above it; `*` stays within one component.
pub(super) fn matches_or_holds(pattern: &glob::Pattern, path: &Utf8Path) -> bool {
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    path.ancestors().any(|path| !path.as_str().is_empty() && pattern.matches_with(path.as_str(), options))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside() {
        let from = |text: &str| from_source(text, Utf8Path::new("charts/web"));
        assert_eq!(from("values.yaml").unwrap(), "charts/web/values.yaml");
        assert_eq!(from("../../common.yaml").unwrap(), "common.yaml");
        assert_eq!(from("/env/./prod.yaml").unwrap(), "env/prod.yaml");
        assert!(from("../../../etc/passwd").is_err());
        assert!(from("/../x").is_err());
        assert!(from("a\\b").is_err());
    }

    #[test]
    fn a_glob_excludes_what_is_below_too() {
        let glob = glob_pattern("apps/legacy-*").unwrap();
        assert!(matches_or_holds(&glob, Utf8Path::new("apps/legacy-x/overlays/dev")));
        assert!(!matches_or_holds(&glob, Utf8Path::new("apps/web/legacy-x")));
        assert!(glob_pattern("a[").is_err());
        assert!(glob_pattern(&"*a".repeat(40)).is_err());
    }
}
