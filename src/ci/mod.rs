//! Stage 1, detect: which CI system runs us, and which commit of which ref it is about.
//!
//! Pure: it reads the snapshot of variables that `main` took. Each system's own surface (annotations, outputs,
//! events) belongs into a file of its own beside this one.

use crate::error::Failure;
use crate::model::CommitId;
use crate::variables::Variables;

/// The commit that an event names, and the ref that it was pushed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The commit.
    pub commit: CommitId,
    /// The full ref, such as `refs/heads/main`.
    pub full_ref: String,
}

/// What the CI system says this run is about; `None` outside CI.
pub fn detect(variables: &Variables) -> Result<Option<Trigger>, Failure> {
    let full_ref = if variables.get("GITHUB_ACTIONS") == Some("true") {
        ("GITHUB_SHA", need(variables, "GITHUB_REF")?.to_owned())
    } else if variables.get("GITLAB_CI") == Some("true") {
        let branch = variables.get("CI_COMMIT_BRANCH").map(|branch| format!("refs/heads/{branch}"));
        (
            "CI_COMMIT_SHA",
            branch.unwrap_or_else(|| {
                format!("refs/{}", variables.get("CI_COMMIT_REF_NAME").unwrap_or("unknown"))
            }),
        )
    } else {
        return Ok(None);
    };
    let (name, full_ref) = full_ref;
    let commit = CommitId::parse(need(variables, name)?)
        .ok_or_else(|| Failure::usage(format!("the variable `{name}` is not a full commit id")))?;
    Ok(Some(Trigger { commit, full_ref }))
}

fn need<'a>(variables: &'a Variables, name: &str) -> Result<&'a str, Failure> {
    variables.get(name).ok_or_else(|| {
        Failure::usage(format!("the variable `{name}` is missing, though this looks like a CI job"))
            .hint("run in a job of the CI system, or unset `GITHUB_ACTIONS` and `GITLAB_CI`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        Variables::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn each_system_names_commit_and_ref() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let github =
            variables(&[("GITHUB_ACTIONS", "true"), ("GITHUB_SHA", sha), ("GITHUB_REF", "refs/heads/main")]);
        let gitlab =
            variables(&[("GITLAB_CI", "true"), ("CI_COMMIT_SHA", sha), ("CI_COMMIT_BRANCH", "main")]);
        for case in [github, gitlab] {
            let trigger = detect(&case).unwrap().unwrap();
            assert_eq!(
                (trigger.commit.to_string().as_str(), trigger.full_ref.as_str()),
                (sha, "refs/heads/main")
            );
        }
        assert_eq!(detect(&variables(&[])).unwrap(), None);
        assert!(
            detect(&variables(&[("GITHUB_ACTIONS", "true")])).unwrap_err().message.contains("GITHUB_REF")
        );
    }
}
