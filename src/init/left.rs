//! Reasons to leave something to people, in their words. Pure.

/// Why something is not proposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Why {
    /// Its path names no environment, and other paths do.
    Nowhere,
    /// It renders to nothing.
    Empty,
    /// Not all that it holds are manifests.
    Mixed,
    /// It belongs to several environments.
    Gathers,
    /// It tells Argo CD what to deploy.
    Applications,
    /// A set of Applications.
    Sets,
    /// Its path cannot be written as a pattern.
    Unspeakable,
}

impl Why {
    /// The reason, and what to do.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Nowhere => {
                "Not proposed, since nothing in their paths names an environment; `- path: …` renders one for all of them"
            }
            Self::Empty => "Not proposed, since they render to nothing",
            Self::Mixed => {
                "Not proposed, since they hold more than manifests, which the renderer would refuse: move that elsewhere"
            }
            Self::Gathers => "Not proposed, since they bring several environments together",
            Self::Applications => {
                "Not proposed, since they are Argo CD's own: let them sync the branches once those are filled"
            }
            Self::Sets => {
                "Not read: ApplicationSets. Compare their names, namespaces and value files with what is proposed"
            }
            Self::Unspeakable => "Not proposed, since their paths have braces or the like in them",
        }
    }
}
