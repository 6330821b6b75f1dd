//! Holds: why an environment, or some of its targets, stay where they are until somebody resumes them. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{CommitId, HoldReport};

/// Why an environment or some of its targets stay where they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    /// Who asked for it, by the CI system's word.
    #[serde(default)]
    pub actor: String,
    /// Why; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Since when, RFC 3339.
    #[serde(default)]
    pub since: String,
    /// The DRY commit that the environment ran before it was rolled back as a whole; else empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// The held targets by output path; empty means that the whole environment is held.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub targets: BTreeMap<String, HeldTarget>,
    /// Whether later environments need not wait for this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub let_pass: bool,
}

/// What is known of one held target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HeldTarget {
    /// The DRY commit whose manifests it has.
    #[serde(default)]
    pub dry_sha: String,
}

impl Hold {
    /// Whether the whole environment is held.
    pub fn is_whole(&self) -> bool {
        self.targets.is_empty()
    }

    /// The DRY commit that the environment ran before, where all of it is held and a full id is named.
    pub fn left(&self) -> Option<CommitId> {
        CommitId::parse(&self.from).filter(|_| self.is_whole())
    }

    /// Whether both hold the same: the whole environment, or the same targets. Who and why do not matter.
    pub fn holds_as(&self, other: &Self) -> bool {
        self.targets.keys().eq(other.targets.keys())
    }

    /// What is left of it without these targets; nothing if none is left, or if all is released.
    #[must_use]
    pub fn without(&self, released: &[String]) -> Option<Self> {
        let mut left = self.clone();
        left.targets.retain(|output, _| !released.contains(output));
        (!released.is_empty() && !left.targets.is_empty()).then_some(left)
    }

    /// What a report says of it.
    pub fn report(&self) -> HoldReport {
        HoldReport {
            reason: "rollback".to_owned(),
            actor: Some(self.actor.clone()),
            since: Some(self.since.clone()),
            why: Some(self.reason.clone()).filter(|why| !why.is_empty()),
            targets: self.targets.keys().cloned().collect(),
            let_pass: self.let_pass,
        }
    }

    /// One line: who rolled back, when, and why.
    pub fn words(&self) -> String {
        let by = if self.actor.is_empty() { String::new() } else { format!(" by {}", self.actor) };
        let since = if self.since.is_empty() { String::new() } else { format!(" on {}", self.since) };
        let why = if self.reason.is_empty() { String::new() } else { format!(": {}", self.reason) };
        format!("rolled back{by}{since}{why}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(outputs: &[&str]) -> Hold {
        let targets = outputs.iter().map(|output| ((*output).to_owned(), HeldTarget::default())).collect();
        Hold {
            actor: "alice".to_owned(),
            since: "2026-01-02T03:04:05Z".to_owned(),
            targets,
            ..Hold::default()
        }
    }

    #[test]
    fn releasing_the_last_target_ends_the_hold() {
        let both = held(&["a", "b"]);
        let left = both.without(&["a".to_owned()]).unwrap();
        assert!(left.holds_as(&held(&["b"])) && !left.is_whole());
        assert_eq!(left.without(&["b".to_owned()]), None);
        assert_eq!(both.without(&[]), None);
    }

    #[test]
    fn the_words_leave_out_what_is_not_known() {
        assert_eq!(held(&[]).words(), "rolled back by alice on 2026-01-02T03:04:05Z");
        assert_eq!(Hold { reason: "slow".to_owned(), ..Hold::default() }.words(), "rolled back: slow");
    }
}
