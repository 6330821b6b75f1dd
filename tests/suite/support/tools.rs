//! Where the outside programs are that the tests run: act, helm, helm3, kubectl, kustomize.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The directory that `scripts/test.sh` fills and names.
pub(crate) fn directory() -> PathBuf {
    let directory = std::env::var_os("HYDRATOR_TEST_TOOLS").map(PathBuf::from);
    checked(directory.as_deref()).unwrap_or_else(|problem| panic!("{problem}")).to_owned()
}

/// One program of it.
pub(crate) fn program(name: &str) -> PathBuf {
    let path = directory().join(name);
    assert!(path.is_file(), "{} is missing: run scripts/fetch-tools.sh", path.display());
    path
}

fn checked(directory: Option<&Path>) -> Result<&Path, String> {
    let directory = directory.ok_or(
        "HYDRATOR_TEST_TOOLS is not set: run the tests with scripts/test.sh, which fetches helm and kustomize",
    )?;
    if !directory.join("kustomize").is_file() {
        return Err(format!("{} has no kustomize: run scripts/test.sh", directory.display()));
    }
    Ok(directory)
}

/// Whether the system has a program.
pub(crate) fn has(name: &str) -> bool {
    search_path().split(':').any(|directory| Path::new(directory).join(name).is_file())
}

/// Says that a test is skipped and why, past libtest, which keeps what passing tests print. In continuous integration
/// that is a failure.
pub(crate) fn skip(test: &str, why: &str) {
    let is_ci = std::env::var("CI").is_ok_and(|value| !value.is_empty());
    assert!(!is_ci, "{test} cannot be run: {why}");
    drop(writeln!(std::io::stderr(), "skipped: {test}: {why}"));
}

/// `PATH` for a program under test: the outside tools, then the system's.
pub(crate) fn search_path() -> String {
    let system = std::env::var("PATH").unwrap_or_default();
    format!("{}:{system}", directory().display())
}

mod tests {
    use super::*;

    #[test]
    fn says_how_to_get_the_tools() {
        assert!(checked(None).unwrap_err().contains("scripts/test.sh"));
        assert!(
            checked(Some(Path::new("/nonexistent"))).unwrap_err().contains("/nonexistent has no kustomize")
        );
    }

    #[test]
    fn has_every_tool() {
        for name in ["act", "helm", "helm3", "kubectl", "kustomize"] {
            assert_eq!(program(name), directory().join(name));
        }
        assert!(search_path().starts_with(directory().to_str().unwrap()));
    }
}
