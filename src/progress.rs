//! What a run tells while it works: the stage it is in, and the targets that are finished. Pure: who listens decides
//! what to show and has the clock.

use std::time::Duration;

use crate::model::EnvironmentName;

/// The stages that take time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Looking at the remote's refs and fetching them, loading the configuration, asking the forge.
    Observe,
    /// Finding out what is affected, and deciding.
    Plan,
    /// Rendering what is affected.
    Render,
    /// Trees and commits.
    Commit,
    /// The push.
    Publish,
    /// Pull requests.
    Promote,
}

impl Stage {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Plan => "plan",
            Self::Render => "render",
            Self::Commit => "commit",
            Self::Publish => "publish",
            Self::Promote => "promote",
        }
    }
}

/// A target that was rendered, or failed.
#[derive(Clone, Copy, Debug)]
pub struct FinishedTarget<'a> {
    /// Its environment.
    pub environment: &'a EnvironmentName,
    /// Its name.
    pub target: &'a str,
    /// How long it took; `None` where it failed.
    pub took: Option<Duration>,
    /// How many are finished, this one included.
    pub finished: usize,
    /// How many there are.
    pub total: usize,
}

/// Who listens. Several threads report at the same time.
pub trait Progress: Sync {
    /// A line for people.
    fn say(&self, line: &str);

    /// A command for the CI system, which hides it from people.
    fn command(&self, _: &str) {}

    /// The run is in this stage from now on.
    fn enter(&self, stage: Stage);

    /// A target is finished.
    fn finished(&self, target: FinishedTarget<'_>);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn say(&self, _: &str) {}

    fn enter(&self, _: Stage) {}

    fn finished(&self, _: FinishedTarget<'_>) {}
}
