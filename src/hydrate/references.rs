//! References: the application commits that a DRY commit names in `Argocd-reference-commit-*` trailers. Pure.

use serde::{Deserialize, Serialize};

/// One reference, in the form that Argo CD writes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// The commit.
    pub commit: ReferenceCommit,
}

/// The commit of an application's own repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReferenceCommit {
    /// `Name <email>`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// RFC 3339.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub date: String,
    /// The subject.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub subject: String,
    /// The body.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub body: String,
    /// The full id.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sha: String,
    /// The repository, an http(s) URL.
    #[serde(rename = "repoUrl", skip_serializing_if = "String::is_empty")]
    pub repo_url: String,
}

const PREFIX: &str = "Argocd-reference-commit-";

/// Parts a DRY commit's body into its references and the lines that are left, each with a newline.
///
/// A trailer that is not valid stays in the body. Argo CD accepts a short sha and any URL, but GitOps Promoter fails
/// for good on a reference whose sha is short or whose URL is not http(s), so here those are not valid.
pub fn part(body: &str) -> (Vec<Reference>, String) {
    let mut commit = ReferenceCommit::default();
    let mut rest = String::new();
    for line in body.lines() {
        if !take(&mut commit, line) {
            rest.push_str(line);
            rest.push('\n');
        }
    }
    let found = commit != ReferenceCommit::default();
    (
        found.then_some(Reference { commit }).into_iter().collect(),
        rest.trim_end().to_owned() + if rest.trim().is_empty() { "" } else { "\n" },
    )
}

/// Takes a line if it is a valid trailer; the last one of a key wins.
fn take(commit: &mut ReferenceCommit, line: &str) -> bool {
    let Some((key, value)) = line.strip_prefix(PREFIX).and_then(|rest| rest.split_once(": ")) else {
        return false;
    };
    let value = value.trim().to_owned();
    let (valid, field) = match key {
        "repourl" => (is_web_url(&value), &mut commit.repo_url),
        "author" => (is_mailbox(&value), &mut commit.author),
        "date" => (value.parse::<jiff::Timestamp>().is_ok(), &mut commit.date),
        "subject" => (!value.is_empty(), &mut commit.subject),
        "sha" => (is_full_sha(&value), &mut commit.sha),
        "body" => {
            let Ok(body) = serde_json::from_str::<String>(&value) else { return false };
            commit.body = body;
            return true;
        }
        _ => return false,
    };
    if valid {
        *field = value;
    }
    valid
}

fn is_web_url(value: &str) -> bool {
    value
        .strip_prefix("https://")
        .or_else(|| value.strip_prefix("http://"))
        .is_some_and(|rest| !rest.is_empty() && !rest.contains('@'))
}

fn is_mailbox(value: &str) -> bool {
    let address = value.rsplit_once('<').map_or(value, |(_, end)| end.trim_end_matches('>'));
    address
        .split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !address.contains(' '))
}

fn is_full_sha(value: &str) -> bool {
    matches!(value.len(), 40 | 64) && value.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_trailers_become_one_reference_and_leave_the_body() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let body = format!(
            "Why.\n\nArgocd-reference-commit-sha: {sha}\nArgocd-reference-commit-author: A <a@b.c>\n\
             Argocd-reference-commit-body: \"two\\nlines\"\nArgocd-reference-commit-repourl: https://e.org/app\nSigned-off-by: me"
        );
        let (references, rest) = part(&body);
        assert_eq!(rest, "Why.\n\nSigned-off-by: me\n");
        assert_eq!(references[0].commit.sha, sha);
        assert_eq!(references[0].commit.body, "two\nlines");
        assert_eq!(references[0].commit.repo_url, "https://e.org/app");
    }

    #[test]
    fn what_gitops_promoter_would_choke_on_stays_in_the_body() {
        let (references, rest) =
            part("Argocd-reference-commit-sha: 0123456\nArgocd-reference-commit-repourl: git@e.org:app");
        assert!(references.is_empty());
        assert_eq!(rest.lines().count(), 2);
    }
}
