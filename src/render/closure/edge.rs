//! The ways in which a target comes to depend on something of the DRY tree. Pure.

/// One way. Tests take one away at a time to show that what watches over the closure would notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "kustomize's own words for the fields of a kustomization")]
pub enum EdgeKind {
    Resource,
    Base,
    Component,
    Patch,
    PatchStrategicMerge,
    PatchJson6902,
    ConfigMapGenerator,
    SecretGenerator,
    Generator,
    Transformer,
    Validator,
    Replacement,
    Configuration,
    Crd,
    OpenApi,
    HelmChart,
    HelmValues,
    /// A file that the configuration of a generator or a transformer names.
    PluginFile,
    /// The kustomization file of a directory.
    Kustomization,
    /// The other names that a kustomization file may have.
    KustomizationName,
    /// A file that would be taken in the place of something to fetch.
    Shadow,
    /// A symbolic link on the way to something.
    Link,
    /// What is behind a symbolic link.
    LinkTarget,
    /// What links in a directory that is read as a whole lead to.
    LinkInDirectory,
    /// A directory that is read as a whole.
    Directory,
    /// A chart in the tree that a chart depends on.
    ChartDependency,
    /// A file of values that the configuration names.
    ValueFile,
    /// What a command declares that it reads.
    CommandInput,
    /// The executable bit.
    Mode,
    /// Everything, where something is not understood.
    WholeTree,
}

impl EdgeKind {
    /// Every one.
    pub const ALL: [Self; 30] = [
        Self::Resource,
        Self::Base,
        Self::Component,
        Self::Patch,
        Self::PatchStrategicMerge,
        Self::PatchJson6902,
        Self::ConfigMapGenerator,
        Self::SecretGenerator,
        Self::Generator,
        Self::Transformer,
        Self::Validator,
        Self::Replacement,
        Self::Configuration,
        Self::Crd,
        Self::OpenApi,
        Self::HelmChart,
        Self::HelmValues,
        Self::PluginFile,
        Self::Kustomization,
        Self::KustomizationName,
        Self::Shadow,
        Self::Link,
        Self::LinkTarget,
        Self::LinkInDirectory,
        Self::Directory,
        Self::ChartDependency,
        Self::ValueFile,
        Self::CommandInput,
        Self::Mode,
        Self::WholeTree,
    ];
}
