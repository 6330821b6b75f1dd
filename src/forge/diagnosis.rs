//! What people trip over in a forge's settings, looked at before it bites: what is asked, and what is found. Each forge
//! looks for itself. Pure.

use crate::model::{BranchName, Delivery, EnvironmentName, MergeMethod};

/// The branches of an environment and what will be done with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ground {
    /// The environment.
    pub environment: EnvironmentName,
    /// What the cluster syncs.
    pub active: BranchName,
    /// Whether it is there; else the first run creates it.
    pub is_active_there: bool,
    /// What proposals are pushed to.
    pub proposed: BranchName,
    /// How the one becomes the other.
    pub delivery: Delivery,
    /// Whether it is merged without a person.
    pub auto_merge: bool,
    /// How it is merged, where the configuration says so.
    pub merge_method: Option<MergeMethod>,
    /// The labels that its pull requests shall have.
    pub labels: Vec<String>,
    /// Whether its gate may ever say "wait".
    pub is_gated: bool,
}

/// Everything that a diagnosis is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grounds {
    /// One for each environment, in their order.
    pub environments: Vec<Ground>,
    /// Whether a job that runs on a schedule looks at waiting proposals again.
    pub has_schedule: bool,
    /// The status that the active branches have to require.
    pub gate: &'static str,
}

/// Something that stands in the way, or will.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is about: branches, environments; nothing for the repository as a whole.
    pub about: Vec<String>,
    /// What is the matter.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// A finding about the repository as a whole.
    pub fn of_repository(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { about: Vec::new(), problem: problem.into(), remedy: remedy.into() }
    }

    /// A finding about one branch or environment.
    pub fn about(
        about: &(impl ToString + ?Sized),
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { about: vec![about.to_string()], problem: problem.into(), remedy: remedy.into() }
    }

    /// What was found of each, told once for all of them, in the order in which it was found.
    pub fn told_once(findings: Vec<Self>) -> Vec<Self> {
        let mut told: Vec<Self> = Vec::new();
        for Self { about, problem, remedy } in findings {
            if let Some(known) =
                told.iter_mut().find(|known| known.problem == problem && known.remedy == remedy)
            {
                let new: Vec<String> = about.into_iter().filter(|one| !known.about.contains(one)).collect();
                known.about.extend(new);
            } else {
                told.push(Self { about, problem, remedy });
            }
        }
        told
    }

    /// One line for people.
    pub fn words(&self) -> String {
        let names: Vec<String> = self.about.iter().map(|name| format!("`{name}`")).collect();
        let about = if names.is_empty() { String::new() } else { names.join(", ") + ": " };
        format!("{about}{} ({})", self.problem, self.remedy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_many_is_said_once() {
        let found = Finding::told_once(vec![
            Finding::about("a", "is shut", "open it"),
            Finding::of_repository("is empty", "fill it"),
            Finding::about("b", "is shut", "open it"),
            Finding::about("a", "is shut", "open it"),
        ]);
        let words: Vec<String> = found.iter().map(Finding::words).collect();
        assert_eq!(words, ["`a`, `b`: is shut (open it)", "is empty (fill it)"]);
    }
}
