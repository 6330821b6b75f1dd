//! What a directory to render is. Pure.

/// How a directory would be rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// By kustomize.
    Kustomize,
    /// By kustomize, which inflates charts with helm.
    Inflating,
    /// By the built-in templates.
    Template,
    /// As it is; there are no manifests below it.
    Plain,
    /// As it is, with everything below it.
    Deep,
    /// As it is, without what is below it.
    Flat,
}

impl Kind {
    /// What people call it.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Kustomize => "kustomize overlays",
            Self::Inflating => "kustomize overlays that inflate charts",
            Self::Template => "templates",
            Self::Plain | Self::Deep | Self::Flat => "plain manifests",
        }
    }
}
