//! What titles, bodies and messages may use. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

/// The variables of titles, bodies and commit messages, as [`super::Template::unknown_variables`] takes them; besides
/// them there is `vars.<name>` for every variable of the environment. [`ProposalContext`] is their value.
pub const PROPOSAL_VARIABLES: &[&str] = &[
    "environment",
    "activeBranch",
    "proposedBranch",
    "dry.sha",
    "dry.shortSha",
    "dry.subject",
    "dry.body",
    "dry.author",
    "dry.date",
    "targets.*",
    "summary",
    "picture",
    "repoUrl",
];

/// The context of titles, bodies and commit messages: exactly [`PROPOSAL_VARIABLES`] and `vars`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProposalContext {
    /// The environment's name.
    pub environment: String,
    /// The branch that the cluster syncs.
    pub active_branch: String,
    /// The branch that holds the proposal.
    pub proposed_branch: String,
    /// The environment's variables.
    pub vars: BTreeMap<String, String>,
    /// The DRY commit.
    pub dry: DryContext,
    /// Names of the targets that change.
    pub targets: Vec<String>,
    /// The standard summary of the change, in Markdown.
    pub summary: String,
    /// The picture of all environments, in Markdown.
    pub picture: String,
    /// The repository's web page.
    pub repo_url: String,
}

/// The DRY commit in a [`ProposalContext`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DryContext {
    /// The full commit id.
    pub sha: String,
    /// Its first seven digits.
    pub short_sha: String,
    /// The first line of the message.
    pub subject: String,
    /// The rest of the message.
    pub body: String,
    /// The author: `Name <address>`.
    pub author: String,
    /// The author's date, RFC 3339.
    pub date: String,
}

impl ProposalContext {
    /// A made-up change, to try a template with.
    pub fn sample(environment: &str, vars: &BTreeMap<String, String>) -> Self {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        Self {
            environment: environment.to_owned(),
            active_branch: format!("hydrator/{environment}"),
            proposed_branch: format!("hydrator/{environment}-next"),
            vars: vars.clone(),
            dry: DryContext {
                sha: sha.to_owned(),
                short_sha: sha[..7].to_owned(),
                subject: "Change something".to_owned(),
                body: "For a reason.".to_owned(),
                author: "Somebody <somebody@example.com>".to_owned(),
                date: "2026-01-02T03:04:05+00:00".to_owned(),
            },
            targets: vec!["web".to_owned()],
            summary: "`web`: 1 changed".to_owned(),
            picture: "flowchart".to_owned(),
            repo_url: "https://forge.example.com/acme/apps".to_owned(),
        }
    }
}
