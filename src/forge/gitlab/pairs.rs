//! What questions ask about pairs of a head and a base. Pure.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::forge::pair::{Of, Pair};

/// What a question about pairs declares.
pub(super) const DECLARED: &str = ", $heads: [String!], $bases: [String!]";

/// What became of the newest merge requests between branches.
pub(super) fn field(pairs: usize, of: Of) -> String {
    let first = length(pairs);
    let state = if of == Of::Merged { "state: merged, " } else { "" };
    format!(
        "    newest: mergeRequests({state}sourceBranches: $heads, targetBranches: $bases, sort: CREATED_DESC, first: {first}) {{
      pageInfo {{ hasNextPage }}
      nodes {{
        iid webUrl state sourceBranch targetBranch sourceProjectId targetProjectId diffHeadSha mergedAt mergeCommitSha
      }}
    }}\n"
    )
}

/// The branches that it asks about.
pub(super) fn give(variables: &mut Value, pairs: &[Pair<'_>]) {
    let names = |branches: BTreeSet<&str>| json!(branches);
    variables["heads"] = names(pairs.iter().map(|(head, _)| head.as_str()).collect());
    variables["bases"] = names(pairs.iter().map(|(_, base)| base.as_str()).collect());
}

/// How many of the newest merge requests are looked at for so many pairs: all share the list, with those from forks.
pub(super) fn length(pairs: usize) -> usize {
    match pairs {
        0 => 0,
        1 => 20,
        _ => 100,
    }
}
